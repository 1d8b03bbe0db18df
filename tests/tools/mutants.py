"""Changes rules, calendar and lifecycle one small place at a time; the suite must notice.

Each mutant lives in a process of its own. Where a function is changed, that is forked from one in
which the tests are collected already, and the function is given other code; where a module says
something else by itself, from one that has not imported yibao. What noticed other mutants is tried
first, then the tests beside the changed file. What survives is printed; those that cannot be
noticed, because they change nothing, are listed here with the reason. One that goes on for ever is
noticed by its processor time, so that a busy machine does not count as a hanging mutant.
"""

import ast
import contextlib
import copy
import gc
import importlib.abc
import importlib.util
import os
import resource
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import CodeType, FunctionType, ModuleType
from typing import Any

import click
import pytest

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
    'domain/facts/counting.py: E_co = TypeVar("E_co", bound=events.Fact, covariant=True): '
    "constant to False": "for the type checker alone",
    "domain/facts/counting.py: _AFTER_ALL = 2**62: constant to 3": "any place no stream reaches",
    "domain/facts/counting.py: _AFTER_ALL = 2**62: constant to 63": "any place no stream reaches",
    "domain/facts/counting.py: return sorted([*some, *others], key=_moment) if some and others "
    "else some or others: and and or": "facts of one kind are in order",
    'domain/rules/waiting.py: return case.shared(("waiting", of), lambda: '
    "_waiting_period(case, confirmation)): without 'waiting'": (
        "a key that nothing else has, either way"
    ),
    "domain/rules/window.py: ahead = [span for span in self.spans if span.opens_at > at]: "
    "Gt to GtE": "a span that opens at an instant contains it",
    "domain/lifecycle/table.py: @dataclass(frozen=True): "
    "constant to False": "nobody writes to a row",
    "domain/lifecycle/table.py: if not any(event.transitions.values()):: any to all": (
        "no trigger moves some states and leaves others"
    ),
    "domain/money.py: return Fen(int((self * percent / 100).quantize(Decimal(1), ROUND_HALF_UP))): "
    "constant to 2": "a quantum's exponent counts, not its value",
    'domain/money.py: return str(yuan) if 0 <= yuan < 10**12 else "": constant to 13': (
        "no amount has so many digits"
    ),
    "domain/care/assessing.py: return before.values is now.values and "
    "before.facts.differ_in(now.facts) <= _BETWEEN: LtE to Lt": (
        "where both kinds come at once all is assessed anew"
    ),
    "domain/care/ledger.py: def settlements(stream: Stream) -> dict[int, events.CareSettled]:: "
    "without events.CareSettled": "for the type checker alone",
    'domain/money.py: return str(yuan) if 0 <= yuan < 10**12 else "": Lt to LtE': (
        "no amount has so many digits"
    ),
    "domain/care/assessing.py: @dataclass(frozen=True): constant to False": "nobody writes to one",
    "domain/care/assessing.py: if isinstance(window.value, DayRange) and "
    "day > window.value.last:: Gt to GtE": "the last day is inside",
    'domain/lifecycle/timelines.py: return case.shared(("milestones", episode.key), lambda: '
    "tuple(_milestones(case, episode))): without 'milestones'": (
        "a key that nothing else has, either way"
    ),
    "domain/lifecycle/timelines.py: if active < midnight(day_after(window.value.last)):: "
    "Lt to LtE": "what ends the cover comes last of the same instant",
    'domain/rules/carrying.py: return case.once(("as of", id(before), told), open_before): '
    "without 'as of'": "a key that nothing else has, either way",
    'domain/rules/account.py: key = ("account_instant", confirmation.event.event_id.int, '
    "account.value): without 'account_instant'": "a key that nothing else has, either way",
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
    in_function: bool = False

    @property
    def beside(self) -> Path:
        """Where the tests of the file are."""
        return (ROOT / "tests" / self.file).parent

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
    in_functions = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef)
        for statement in node.body
        for inner in ast.walk(statement)
    }
    for place, node in enumerate(ast.walk(tree)):
        for change in range(9 if isinstance(node, ast.Compare | ast.Tuple) else 1):
            if not isinstance(node, _ALTERED) or _alter(copy.deepcopy(node), change) is None:
                continue
            altered = copy.deepcopy(tree)
            told = _alter(list(ast.walk(altered))[place], change)
            source = ast.unparse(ast.fix_missing_locations(altered))
            line = node.lineno
            text = written.splitlines()[line - 1].strip()
            yield Mutant(file, line, text, str(told), source, id(node) in in_functions)


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


class Trial:
    """Judges mutants, so many at a time; a plugin that lets the collected tests judge them.

    In the process of a mutant that is `mutant`. What noticed others is tried first: the tests that
    fail are written to a pipe.
    """

    def __init__(self, found: list[Mutant], jobs: int, near: bool) -> None:
        self.found, self.jobs, self.near = found, jobs, near
        self.mutant: Mutant | None = None
        self.running = dict[int, Mutant]()
        self.lived: list[Mutant] = []
        self.noticed_by: list[str] = []
        self.told, self.telling = os.pipe()
        os.set_blocking(self.told, False)

    def by_import(self) -> None:
        """Tries what a module says by itself."""
        for mutant in self.found:
            if not mutant.in_function and self._forks(mutant):
                sys.meta_path.insert(0, _Finder(mutant))
                os._exit(self._judge(*TESTS[:2]) or (not self.near and self._judge(*TESTS[2:])))
        self._wait(1)

    def by_code(self) -> None:
        """Tries what functions do; in a child the tests go on with the mutant."""
        status = self._judge(*TESTS[:2] if self.near else TESTS)
        if self.mutant:
            os._exit(status)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool | None:
        functions = [each for each in gc.get_objects() if isinstance(each, FunctionType)]
        for mutant in () if self.mutant else self.found:
            if mutant.in_function and self._forks(mutant):
                _give_code(functions, mutant)
                break
        if self.mutant:
            session.items[:] = self._in_order(session.items, self.mutant)
            return None
        self._wait(1)
        return True

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed:
            os.write(self.telling, f"{report.nodeid}\n".encode())

    def _judge(self, *tests: str) -> int:
        quick = ["-x", "-qq", "-s", "--assert=plain", "-p", "no:cacheprovider"]
        try:
            return int(pytest.main([*tests, *quick], [self]))
        except BaseException:
            return 1

    def _in_order(self, items: list[pytest.Item], mutant: Mutant) -> list[pytest.Item]:
        """What noticed others the latest first, the tests beside the file, and the rest."""
        latest = {name: place for place, name in enumerate(self.noticed_by)}

        def place(item: pytest.Item) -> int:
            if item.nodeid in latest:
                return -latest[item.nodeid]
            if mutant.beside in item.path.parents:
                return 1
            return 2 if item.path == ROOT / TESTS[0] else 3

        return sorted(items, key=place)

    def _forks(self, mutant: Mutant) -> bool:
        """Starts a process for a mutant: whether this is the one."""
        self._wait(self.jobs)
        child = os.fork()
        if child == 0:
            self.mutant = mutant
            resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
            sink = os.open(os.devnull, os.O_WRONLY)
            os.dup2(sink, 1)
            os.dup2(sink, 2)
            return True
        self.running[child] = mutant
        return False

    def _wait(self, until: int) -> None:
        """Waits until fewer are running; that with which all tests pass has survived."""
        while len(self.running) >= until:
            child, status = os.wait()
            mutant = self.running.pop(child, None)
            with contextlib.suppress(BlockingIOError):
                self.noticed_by += os.read(self.told, 2**16).decode().splitlines()
            if mutant and os.WIFEXITED(status) and os.WEXITSTATUS(status) == 0:
                self.lived.append(mutant)
                if mutant.line:
                    click.echo(f"survived: {mutant}  {EQUIVALENT.get(mutant.key, '')}")


def _give_code(functions: list[FunctionType], mutant: Mutant) -> None:
    """Gives each function of the changed file the code that it has in the mutant."""
    codes = dict(_codes(compile(mutant.source, mutant.file, "exec")))
    for function in functions:
        if function.__code__.co_filename.endswith(f"/{mutant.file}"):
            with contextlib.suppress(KeyError, ValueError):
                function.__code__ = codes[function.__code__.co_qualname]


def _codes(code: CodeType) -> Iterator[tuple[str, CodeType]]:
    """Every piece of code within one, with its name."""
    for inner in code.co_consts:
        if isinstance(inner, CodeType):
            yield inner.co_qualname, inner
            yield from _codes(inner)


@click.command()
@click.option("--only", multiple=True, default=[""], help="Only files whose name contains this.")
@click.option("--every", default=1, show_default=True, help="Only every so many-th mutant.")
@click.option("--jobs", default=os.cpu_count() or 1, show_default=True, help="So many at a time.")
@click.option("--near", is_flag=True, help="Only the tests of the domain: quick, to look first.")
@click.option("--aim", default=95.0, show_default=True, help="The share to be noticed, in percent.")
def main(only: tuple[str, ...], every: int, jobs: int, near: bool, aim: float) -> None:
    """Try every mutant; exit 1 where too many survive."""
    os.chdir(ROOT)
    files = [file for part in only for file in TARGETS if part in file]
    found = [mutant for file in files for mutant in mutants(file)][::every]
    unchanged = (ROOT / found[0].file).read_text(encoding="utf-8")
    same = [
        Mutant(found[0].file, 0, "", "nothing", unchanged, by_code) for by_code in (False, True)
    ]
    trial = Trial([*same, *found], jobs, near)
    trial.by_import()
    trial.by_code()
    lived = [mutant for mutant in trial.lived if mutant not in same]
    if len(trial.lived) < len(lived) + len(same):
        raise click.ClickException("the suite does not pass as it is")
    for file in dict.fromkeys(mutant.file for mutant in found):
        of, left = ([each for each in some if each.file == file] for some in (found, lived))
        explained = sum(each.key in EQUIVALENT for each in left)
        noticed_here = f"{len(of) - len(left)} noticed, {explained} explained"
        click.echo(f"{file}: {len(of)} mutants, {noticed_here}")
    unexplained = [mutant for mutant in lived if mutant.key not in EQUIVALENT]
    noticed = 100 * (len(found) - len(unexplained)) / max(1, len(found))
    click.echo(f"{len(found)} mutants, {len(lived)} survived, {noticed:.1f} % noticed or explained")
    sys.exit(noticed < aim)


if __name__ == "__main__":
    main()
