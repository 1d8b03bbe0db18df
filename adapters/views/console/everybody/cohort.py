"""Everybody at once, in the terminal and for Excel: codes in words."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any, Final

from rich.console import RenderableType
from rich.table import Table

from yibao.adapters.views.telling import told
from yibao.adapters.views.terminal import in_one_line
from yibao.adapters.views.words import Words
from yibao.domain.calendar import SHANGHAI

#: The section of words of the codes in a column.
_CODES: Final = {
    "state": "state",
    "category": "category",
    "next_step": "next_step",
    "discrepancy": "refusal",
}


def cohort_heads(columns: Iterable[str], words: Words) -> list[str]:
    """The heads of columns."""
    return [words("cohort", name) for name in columns]


def cohort_row(
    columns: Mapping[str, type], row: Sequence[Any], words: Words, *, exactly: bool = False
) -> list[Any]:
    """The cells of a row in words; `exactly` leaves numbers, days and times as they are."""
    return [
        _cell(name, value, words, exactly=exactly) for name, value in zip(columns, row, strict=True)
    ]


def _cell(name: str, value: Any, words: Words, *, exactly: bool) -> Any:
    if value is None:
        return None if exactly else "-"
    if value == "":
        return words("cohort", "total")
    if isinstance(value, str):
        section = _CODES.get(name)
        if value == "none" and name not in ("ref", "state"):
            return words("cohort", "none")
        return words(section, value) if section and words.knows(section, value) else value
    if isinstance(value, bool):
        return words("cohort", "yes" if value else "no")
    if not exactly:
        return told(value, words)
    if isinstance(value, datetime):
        return value.astimezone(SHANGHAI).replace(tzinfo=None)
    return value.isoformat() if isinstance(value, date) else value


def rows_report(
    heads: Sequence[str], rows: Iterable[Sequence[Any]], columns: Mapping[str, type]
) -> RenderableType:
    """Rows beneath their heads; numbers of enrollments to the right."""
    table = Table(box=None, pad_edge=False)
    for head, name in zip(heads, columns, strict=True):
        table.add_column(
            head, overflow="fold", justify="right" if name == "enrollments" else "left"
        )
    for row in rows:
        table.add_row(*(in_one_line(str(value)) for value in row))
    return table
