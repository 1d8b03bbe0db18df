"""The columns of a table: by which names each is known, and how its cells are read."""

import re
from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

from yibao.adapters.office.judging.refusals import RowRefused
from yibao.adapters.office.reading import Heading, Row, Table, Unfit, text_in
from yibao.domain.money import Fen
from yibao.domain.vocabulary import FIRST_BENEFIT_YEAR

#: No name or number is longer.
LONGEST: Final = 100


class Column(NamedTuple):
    """The names of a column, plain as `plain` makes them, and what reads a cell of it.

    Where cells `may_be_empty` an empty one says nothing, or `says_none`. A column that `may_lack`
    is read where it is there, and its cells may be empty then.
    """

    names: tuple[str, ...]
    read: Callable[[Any], Any]
    may_be_empty: bool = False
    may_lack: bool = False
    says_none: bool = False


Columns = Mapping[str, Column]


def heading_of(columns: Columns) -> Heading:
    """What is looked for to find the header of such a table."""
    lacking = frozenset(name for name, column in columns.items() if column.may_lack)
    return Heading({name: column.names for name, column in columns.items()}, lacking)


def read_row(columns: Columns, table: Table, row: Row) -> tuple[dict[str, Any], RowRefused | None]:
    """What a row says, column by column, and the first cell that cannot be right.

    A cell that cannot be read is as it stands. What says nothing is not there.
    """
    read: dict[str, Any] = {}
    refused: RowRefused | None = None
    for name, column in columns.items():
        if column.may_lack and name not in table.places:
            continue
        cell = table.cell(row, name)
        try:
            read[name] = column.read(cell)
        except Unfit as unfit:
            why = str(unfit)
            if why == "empty" and (column.may_be_empty or column.may_lack):
                if column.says_none:
                    read[name] = None
                continue
            refused = refused or RowRefused(name, why)
            read[name] = str(cell)
    return read, refused


def short_text(cell: Any) -> str:
    """A name or number; raises Unfit."""
    told = text_in(cell)
    if len(told) > LONGEST:
        raise Unfit("too_long")
    return told


def count(cell: Any) -> int:
    """A whole number of years, at most 100; raises Unfit."""
    found = _COUNT.fullmatch(text_in(cell))
    if found is None or int(found[1]) > 100:
        raise Unfit("not_a_count")
    return int(found[1])


def year(cell: Any) -> int:
    """A benefit year; raises Unfit."""
    found = _YEAR.fullmatch(text_in(cell))
    if found is None or not FIRST_BENEFIT_YEAR <= int(found[1]) <= 2999:
        raise Unfit("not_a_year")
    return int(found[1])


def amount(cell: Any) -> Fen:
    """An amount in yuan; raises Unfit."""
    if isinstance(cell, int | float) and not isinstance(cell, bool):
        told = repr(cell).removesuffix(".0")  # the shortest that is this number: what was typed
    else:
        told = text_in(cell).removeprefix("¥").removesuffix("元").strip()
    if _THOUSANDS.fullmatch(told):
        told = told.replace(",", "")
    try:
        return Fen.of(told)
    except ValueError:
        raise Unfit("not_an_amount") from None


#: A CSV that a program wrote tells whole numbers as floats where a cell of the column is empty.
_COUNT: Final = re.compile(r"(\d{1,3})(?:\.0+)?", re.ASCII)
_YEAR: Final = re.compile(r"(\d{4})(?:\.0+|\s*(?:年|年度))?", re.ASCII)
_THOUSANDS: Final = re.compile(r"\d{1,3}(,\d{3})+(\.\d{1,2})?", re.ASCII)

#: The one column that every table has, by which a row finds its student.
NUMBER: Final = Column(
    (
        *("学号", "学生学号", "学生编号"),
        *("studentnumber", "studentno", "studentno.", "studentid", "number"),
    ),
    short_text,
)
