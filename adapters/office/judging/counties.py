"""The counties that numbers of documents begin with: every code since 1980, in a file beside.

A code that is not among them need not be wrong: it may be newer than the list.
"""

from functools import cache
from importlib.resources import files


def knows_county(code: str) -> bool:
    """Whether six digits are, or were, the code of a county."""
    return code in _counties()


@cache
def _counties() -> frozenset[str]:
    """A line a prefecture: its four digits, then the last two of its counties, or spans of them."""
    found: set[str] = set()
    told = (files("yibao.adapters.office.judging") / "counties.txt").read_text(encoding="ascii")
    for line in told.splitlines():
        prefecture, *spans = line.split()
        for span in spans:
            first, _, last = span.partition("-")
            found.update(f"{prefecture}{n:02}" for n in range(int(first), int(last or first) + 1))
    return frozenset(found)
