"""The law asks days, instants and words only what a whole column of them can tell as well."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
LAW = [
    *sorted((ROOT / "domain/rules").glob("*.py")),
    *(ROOT / "domain/lifecycle" / name for name in ("guards.py", "timelines.py")),
    *(ROOT / "domain" / name for name in ("derivation.py", "facts/counting.py")),
    *(
        ROOT / "projections" / name
        for name in ("answer.py", "next_step.py", "discrepancies.py", "cohort/spans.py")
    ),
]
#: What takes a day or an instant apart, or makes one of its parts.
APART = frozenset(
    {
        "month",
        "day",
        "hour",
        "minute",
        "second",
        "microsecond",
        "weekday",
        "isoweekday",
        "isocalendar",
        "toordinal",
        "timetuple",
        "timestamp",
        "strftime",
        "isoformat",
        "combine",
        "replace",
        "fromisoformat",
        "fromordinal",
        "utcoffset",
    }
)
#: Words that are columns: one is not the other's object, whatever it says.
WORDS = frozenset({"Category", "Document", "ConfirmationChannel", "ActivationChannel"})

#: How they are read.
READ = (".category", ".document", ".school", ".channel")


def refused(source: str) -> Iterator[str]:
    """What a module asks that would lose a column in silence."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Attribute) and node.attr in APART:
            yield f"{node.lineno}: takes apart by {node.attr}"
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            if node.func.id == "type" and len(node.args) == 1:
                yield f"{node.lineno}: asks for a type, and not for the class"
            if node.func.id in ("str", "format", "hash", "date", "datetime"):
                yield f"{node.lineno}: takes apart by {node.func.id}"
        if isinstance(node, ast.Compare):
            yield from _compared(node)


def _compared(node: ast.Compare) -> Iterator[str]:
    for how, other in zip(node.ops, node.comparators, strict=True):
        named = isinstance(other, ast.Attribute) and ast.unparse(other.value) in WORDS
        if isinstance(how, ast.Is | ast.IsNot) and named:
            yield f"{node.lineno}: compares a word by its object"
        looked_up = isinstance(how, ast.In | ast.NotIn) and not isinstance(other, ast.Tuple)
        if looked_up and ast.unparse(node.left).endswith(READ):
            yield f"{node.lineno}: looks a word up, which `is_among` asks at once"


@pytest.mark.parametrize("module", LAW, ids=lambda path: path.stem)
def test_the_law_takes_nothing_apart(module: Path) -> None:
    assert list(refused(module.read_text(encoding="utf-8"))) == []


@pytest.mark.parametrize(
    "source",
    [
        "case.registered_on.month",
        "datetime.combine(day, hour)",
        "type(fact.event)",
        "str(day)",
        "event.channel is ConfirmationChannel.PROXY",
        "event.category in words",
    ],
)
def test_what_would_lose_a_column_is_found(source: str) -> None:
    assert len(list(refused(source))) == 1
