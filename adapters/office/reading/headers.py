"""The header of a table: which column is what, by the names that people give columns."""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple
from unicodedata import normalize

#: Among so many rows the header is looked for: titles and remarks stand above it.
AMONG: Final = 30


class Heading(NamedTuple):
    """What columns a table has: each by its names, plain as `plain` makes them.

    Those that `may_lack` are read where they are there.
    """

    names: Mapping[str, tuple[str, ...]]
    may_lack: frozenset[str] = frozenset()

    @property
    def needed(self) -> list[str]:
        """The columns without which it is no such table."""
        return [column for column in self.names if column not in self.may_lack]

    def column(self, head: Any) -> str | None:
        """Which column has such a head."""
        told = plain(head) if isinstance(head, str) else ""
        return next((column for column, names in self.names.items() if told in names), None)


class Header(NamedTuple):
    """A header that was found: the index of its row, and that of each column."""

    row: int
    places: Mapping[str, int]


def plain(text: str) -> str:
    """A head as it is compared: one form of signs, no spaces, small letters, no marks around."""
    return re.sub(r"\s+", "", normalize("NFKC", text)).casefold().strip("*:：()（）")


def find_header(rows: Sequence[Sequence[Any]], heading: Heading) -> Header | None:
    """The first row that has every column that is needed, each once; None where none has."""
    for index, row in enumerate(rows[:AMONG]):
        found = [heading.column(cell) for cell in row]
        there = [column for column in heading.names if column in found]
        if {*heading.needed} <= {*there} and all(found.count(column) == 1 for column in there):
            return Header(index, {column: found.index(column) for column in there})
    return None


def lacking(rows: Sequence[Sequence[Any]], heading: Heading) -> tuple[list[str], list[str]]:
    """What the row that comes nearest to a header lacks, and what it has more than once.

    Where no row has even two of the columns, that is all of them.
    """
    best: tuple[list[str], list[str]] = (heading.needed, [])
    most = 1
    for row in rows[:AMONG]:
        found = [heading.column(cell) for cell in row]
        has = len({*found} - {None})
        if has > most:
            most = has
            best = (
                [column for column in heading.needed if column not in found],
                [column for column in heading.names if found.count(column) > 1],
            )
    return best
