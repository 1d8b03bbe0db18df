"""Changes rules, calendar and lifecycle one small place at a time; the suite must notice.

`make mutants` takes some minutes. Each mutant lives in a process of its own, forked from one in
which everything but yibao is imported already. What survives is printed; those that cannot be
noticed, because they change nothing, are listed here with the reason. One that goes on for ever is
noticed by its processor time, so that a busy machine does not count as a hanging mutant.
"""

import ast
import contextlib
import copy
import importlib.abc
import importlib.util
import os
import resource
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import click

ROOT = Path(__file__).parents[2]
TARGETS = (
    "domain/calendar.py",
    "domain/facts/counting.py",
    "domain/rules/window.py",
    "domain/rules/case.py",
    "domain/lifecycle/guards.py",
    "domain/lifecycle/table.py",
    "domain/lifecycle/possibilities.py",
    "domain/lifecycle/timelines.py",
    "domain/money.py",
    "domain/editions/benefits.py",
    "domain/editions/periods.py",
    "domain/editions/policy.py",
    "domain/care/assessing.py",
    "domain/care/claims.py",
    "domain/care/cover.py",
    "domain/care/ledger.py",
    *(
        f"domain/rules/{name}.py"
        for name in ("waiting", "carrying", "obstacles", "account", "evoucher", "cover")
    ),
)
TESTS = (
    "tests/golden/test_derivations.py",
    "tests/domain",
    "tests/projections",
    "tests/adapters/stories/test_stories.py",
)
#: Of processor time: some times what these tests take.
SECONDS = 300

#: Mutants that change nothing anybody could see, each with the reason: `file: line: change`.
EQUIVALENT: dict[str, str] = {
    'domain/calendar.py: instant = datetime.fromisoformat(text.replace(" ", "T", 1)'
    '.replace(" ", "")): constant to 2': "fromisoformat reads a T before the offset, too",
    'domain/facts/counting.py: E_co = TypeVar("E_co", bound=events.Fact, covariant=True): '
    "constant to False": "for the type checker alone",
    "domain/facts/counting.py: _AFTER_ALL = 2**62: constant to 3": "any place no stream reaches",
    "domain/facts/counting.py: _AFTER_ALL = 2**62: constant to 63": "any place no stream reaches",
    "domain/facts/counting.py: latest = _last([fact for fact in self.withdrawals[-2:] if fact is "
    "not without]): constant to 3": "more than it takes",
    "domain/facts/counting.py: return sorted([*some, *others], key=_moment) if some and others "
    "else some or others: and and or": "facts of one kind are in order",
    'domain/rules/waiting.py: return case.shared(("waiting", of), lambda: '
    "_waiting_period(case, confirmation)): without 'waiting'": (
        "a key that nothing else has, either way"
    ),
    "domain/rules/window.py: ahead = [span for span in self.spans if span.opens_at > at]: "
    "Gt to GtE": "a span that opens at an instant contains it",
    "domain/lifecycle/guards.py: if undone_by and choice.moment < undone_by.moment:: Lt to LtE": (
        "two facts never have the same moment"
    ),
    "domain/lifecycle/guards.py: if attempt.recorded is None or choice.moment < attempt.moment:: "
    "Lt to LtE": "two facts never have the same moment",
    "domain/lifecycle/guards.py: is_confirmation(choice) and choice.moment < attempt.moment: "
    "Lt to LtE": ("two facts never have the same moment"),
    "domain/lifecycle/table.py: @dataclass(frozen=True): "
    "constant to False": "nobody writes to a row",
    "domain/lifecycle/table.py: if not any(event.transitions.values()):: any to all": (
        "no trigger moves some states and leaves others"
    ),
    "domain/lifecycle/timelines.py: episode.confirmation.moment < opt_out.moment for episode in "
    "case.facts.episodes(): Lt to LtE": "two facts never have the same moment",
    "domain/money.py: return Fen((self * percent / 100).quantize(Decimal(1), ROUND_HALF_UP)): "
    "constant to 2": "a quantum's exponent counts, not its value",
    'domain/money.py: return str(yuan) if 0 <= yuan < 10**12 else "": constant to 13': (
        "no amount has so many digits"
    ),
    "domain/care/assessing.py: return before.values is cover.values and between <= _BETWEEN: "
    "LtE to Lt": "where both kinds come at once all is assessed anew",
    "domain/care/ledger.py: def settlements(stream: Stream) -> dict[int, events.CareSettled]:: "
    "without events.CareSettled": "for the type checker alone",
    'domain/money.py: return str(yuan) if 0 <= yuan < 10**12 else "": Lt to LtE': (
        "no amount has so many digits"
    ),
    "domain/care/assessing.py: @dataclass(frozen=True): constant to False": "nobody writes to one",
    "domain/care/assessing.py: if isinstance(window.value, DayRange) and "
    "day > window.value.last:: Gt to GtE": "the last day is inside",
    'domain/rules/carrying.py: return case.once(("as of", id(before), told), open_before): '
    "without 'as of'": "a key that nothing else has, either way",
    'domain/rules/account.py: key = ("account_instant", confirmation.place, account.value): '
    "without 'account_instant'": "a key that nothing else has, either way",
}

_COMPARISONS: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
}
_NAMES = {"max": "min", "min": "max", "any": "all", "all": "any", "day_after": "day_before"}
_NAMES |= {"day_before": "day_after", "reversed": "list"}


@dataclass(frozen=True)
class Mutant:
    """A file with one place changed."""

    file: str
    line: int
    text: str
    change: str
    source: str

    @property
    def key(self) -> str:
        """What names it also after other lines have moved."""
        return f"{self.file}: {self.text}: {self.change}"

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.text}: {self.change}"


def mutants(file: str) -> Iterator[Mutant]:
    """Every mutant of a file."""
    written = (ROOT / file).read_text(encoding="utf-8")
    tree = ast.parse(written)
    for place, node in enumerate(ast.walk(tree)):
        for change in range(9 if isinstance(node, ast.Compare | ast.Tuple) else 1):
            if not isinstance(node, _ALTERED) or _alter(copy.deepcopy(node), change) is None:
                continue
            altered = copy.deepcopy(tree)
            told = _alter(list(ast.walk(altered))[place], change)
            source = ast.unparse(ast.fix_missing_locations(altered))
            line = node.lineno
            text = written.splitlines()[line - 1].strip()
            yield Mutant(file, line, text, str(told), source)


_ALTERED = (
    ast.Compare,
    ast.Tuple,
    ast.BinOp,
    ast.BoolOp,
    ast.UnaryOp,
    ast.Constant,
    ast.Name,
    ast.IfExp,
)


def _alter(node: ast.AST, change: int) -> str | None:
    """Makes the n-th change that can be made to a node, and tells it; None if there is none."""
    if isinstance(node, ast.Compare) and change < len(node.ops):
        old = node.ops[change]
        new = _COMPARISONS.get(type(old))
        if new is None:
            return None
        node.ops[change] = new()
        return f"{type(old).__name__} to {new.__name__}"
    if isinstance(node, ast.Tuple) and change < len(node.elts) and len(node.elts) > 1:
        return _without(node.elts, change)
    if change > 0:
        return None
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add | ast.Sub):
        node.op = ast.Sub() if isinstance(node.op, ast.Add) else ast.Add()
        return "plus and minus"
    if isinstance(node, ast.BoolOp):
        node.op = ast.Or() if isinstance(node.op, ast.And) else ast.And()
        return "and and or"
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        node.operand = ast.UnaryOp(ast.Not(), node.operand)
        return "without not"
    if isinstance(node, ast.Constant) and type(node.value) in (int, bool):
        node.value = not node.value if isinstance(node.value, bool) else int(str(node.value)) + 1
        return f"constant to {node.value}"
    if isinstance(node, ast.Name) and node.id in _NAMES and isinstance(node.ctx, ast.Load):
        old_name, node.id = node.id, _NAMES[node.id]
        return f"{old_name} to {node.id}"
    if isinstance(node, ast.IfExp):
        node.body, node.orelse = node.orelse, node.body
        return "branches swapped"
    return None


def _without(elements: list[ast.expr], change: int) -> str | None:
    """A row of the table, or a list of refusals, without one of its entries."""
    gone = elements[change]
    named = isinstance(gone, ast.Constant) and isinstance(gone.value, str)
    state = isinstance(gone, ast.Attribute | ast.Starred)
    if not (named or state):
        return None
    del elements[change]
    return f"without {ast.unparse(gone)}"


class _Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Loads one module from a mutant's source instead of its file."""

    def __init__(self, mutant: Mutant) -> None:
        self.mutant = mutant
        self.name = "yibao." + mutant.file.removesuffix(".py").replace("/", ".")

    def find_spec(self, name: str, path: Any, target: Any = None) -> Any:
        if name != self.name:
            return None
        return importlib.util.spec_from_loader(name, self, origin=str(ROOT / self.mutant.file))

    def exec_module(self, module: ModuleType) -> None:
        exec(compile(self.mutant.source, self.mutant.file, "exec"), vars(module))


def survivors(found: list[Mutant], jobs: int) -> Iterator[Mutant]:
    """The mutants with which the suite passes; one that hangs is noticed too."""
    waiting, running = list(found), dict[int, Mutant]()
    while waiting or running:
        while waiting and len(running) < jobs:
            mutant = waiting.pop(0)
            running[_forked(mutant)] = mutant
        child, status = os.wait()
        mutant = running.pop(child)
        if os.WIFEXITED(status) and os.WEXITSTATUS(status) == 0:
            yield mutant


def _forked(mutant: Mutant) -> int:
    """Starts a process in which the mutant is judged: 0 if the suite passes."""
    child = os.fork()
    if child == 0:
        resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
        sink = os.open(os.devnull, os.O_WRONLY)
        os.dup2(sink, 1)
        os.dup2(sink, 2)
        code = 1
        with contextlib.suppress(BaseException):
            code = _judged(mutant)
        os._exit(code)
    return child


def _judged(mutant: Mutant) -> int:
    import pytest

    sys.meta_path.insert(0, _Finder(mutant))
    quick = ["-x", "-q", "--assert=plain", "-p", "no:cacheprovider"]
    # The first tests notice most mutants, before the others are so much as collected.
    return int(pytest.main([TESTS[0], *quick]) or pytest.main([*TESTS[1:], *quick]))


@click.command()
@click.option("--only", default="", help="Only files whose name contains this.")
@click.option("--every", default=1, show_default=True, help="Only every so many-th mutant.")
@click.option("--jobs", default=os.cpu_count() or 1, show_default=True, help="So many at a time.")
@click.option("--aim", default=95.0, show_default=True, help="The share to be noticed, in percent.")
def main(only: str, every: int, jobs: int, aim: float) -> None:
    """Try every mutant; exit 1 where too many survive."""
    import eventsourcing.application
    import hypothesis  # noqa: F401 - imported before the fork
    import pytest  # noqa: F401
    import rich.console  # noqa: F401

    del eventsourcing
    os.chdir(ROOT)
    unchanged = (ROOT / TARGETS[0]).read_text(encoding="utf-8")
    if not list(survivors([Mutant(TARGETS[0], 0, "", "nothing", unchanged)], jobs)):
        raise click.ClickException("the suite does not pass as it is")
    found = [mutant for file in TARGETS if only in file for mutant in mutants(file)][::every]
    lived = []
    for mutant in survivors(found, jobs):
        lived.append(mutant)
        click.echo(f"survived: {mutant}  {EQUIVALENT.get(mutant.key, '')}")
    unexplained = [mutant for mutant in lived if mutant.key not in EQUIVALENT]
    noticed = 100 * (len(found) - len(unexplained)) / max(1, len(found))
    click.echo(f"{len(found)} mutants, {len(lived)} survived, {noticed:.1f} % noticed or explained")
    sys.exit(noticed < aim)


if __name__ == "__main__":
    main()
