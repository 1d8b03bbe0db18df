"""A table in a file: the one sheet that has its header, and the rows beneath."""

import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any, Final, NamedTuple

from yibao.adapters.office.reading.archives import (
    DAMAGED,
    PASSWORD,
    STREAMS,
    ZIP,
    UnreadableTable,
    check_workbook,
    counts_from_1904,
)
from yibao.adapters.office.reading.cells import Since1904
from yibao.adapters.office.reading.headers import Header, Heading, find_header, lacking
from yibao.adapters.office.reading.texts import decoded, rows_of

Cell = str | int | float | bool | date | datetime | time | timedelta

#: How large a file may be, in bytes.
LARGEST: Final = 256 * 2**20


class Warned(NamedTuple):
    """Something to look at that stands in nobody's way: a code, and what it is about."""

    code: str
    parts: dict[str, Any]


class Row(NamedTuple):
    """A row of a table: its number in the file, as Excel shows it, and its cells."""

    number: int
    cells: Sequence[Cell]


class Table(NamedTuple):
    """A table that was read: where each column is, the heads as they stand, and the rows."""

    places: dict[str, int]
    heads: Sequence[Cell]
    rows: Sequence[Row]
    warnings: Sequence[Warned]

    def cell(self, row: Row, column: str) -> Cell:
        """What a row has in a column; an empty text where it ends before, or there is none."""
        place = self.places.get(column)
        return "" if place is None or place >= len(row.cells) else row.cells[place]


def read_table(file: Path | bytes, heading: Heading, sheet: str | None = None) -> Table:
    """The table of a file, or of its bytes; `sheet` names a sheet, or its number from 1 on.

    Raises UnreadableTable where there is not exactly one that has the header, and for a file that
    is none, is damaged, too large, or has macros or a password.
    """
    try:
        data = _content(file)
        is_workbook = data.startswith((ZIP, STREAMS))
        sheets = _Workbook(data) if is_workbook else _Text(data, heading)
        return _chosen(sheets, heading, sheet)
    except UnreadableTable as error:
        raise error.of("" if isinstance(file, bytes) else str(file)) from error.__cause__


def _content(file: Path | bytes) -> bytes:
    data = file if isinstance(file, bytes) else _read(file)
    if len(data) > LARGEST:
        raise UnreadableTable(f"it has more than {LARGEST // 2**20} MB")
    if not data.strip():
        raise UnreadableTable("it is empty")
    return data


def _read(file: Path) -> bytes:
    try:
        with file.open("rb") as opened:
            return opened.read(LARGEST + 1)
    except OSError as error:
        raise UnreadableTable(error.strerror or "it is no file") from error


class _Workbook:
    """The sheets of a workbook, read one by one."""

    def __init__(self, data: bytes) -> None:
        from python_calamine import CalamineWorkbook, SheetTypeEnum, SheetVisibleEnum

        check_workbook(data)
        with _damage_told():
            self._book = CalamineWorkbook.from_filelike(io.BytesIO(data))
            found = [
                each for each in self._book.sheets_metadata if each.typ == SheetTypeEnum.WorkSheet
            ]
        self._counts_from_1904 = counts_from_1904(data)
        self.names = [each.name for each in found]
        self.hidden = {each.name for each in found if each.visible is not SheetVisibleEnum.Visible}

    def rows(self, name: str) -> list[list[Cell]]:
        with _damage_told():
            # Without what is empty above and beside, the numbers of rows would be others.
            rows = self._book.get_sheet_by_name(name).to_python(skip_empty_area=False)
        return [[*map(_of_1904, row)] for row in rows] if self._counts_from_1904 else rows


def _of_1904(cell: Cell) -> Cell:
    return Since1904(cell) if isinstance(cell, int | float) and not isinstance(cell, bool) else cell


@contextmanager
def _damage_told() -> Iterator[None]:
    """What the library cannot read is told without what it says, which may repeat a cell."""
    try:
        yield
    except BaseException as error:
        kind = type(error).__name__
        if not isinstance(error, Exception) and kind != "PanicException":  # which is none
            raise
        raise UnreadableTable(PASSWORD if kind == "PasswordError" else DAMAGED) from None


class _Text:
    """CSV, as a workbook of one sheet."""

    names: Sequence[str] = ("CSV",)
    hidden: frozenset[str] = frozenset()

    def __init__(self, data: bytes, heading: Heading) -> None:
        if b"\0" in data[:4096] and not data.startswith((b"\xff\xfe", b"\xfe\xff")):
            raise UnreadableTable("it is neither XLSX, XLS, ODS nor CSV")
        self._rows = rows_of(decoded(data), heading)

    def rows(self, name: str) -> Sequence[Sequence[Cell]]:
        return [[_unquoted(cell) for cell in row] for row in self._rows]


def _unquoted(cell: str) -> str:
    """`="0123"` is how programs keep Excel from taking text for a number."""
    return cell[2:-1] if cell.startswith('="') and cell.endswith('"') else cell


def _chosen(sheets: "_Workbook | _Text", heading: Heading, asked: str | None) -> Table:
    warnings: list[Warned] = []
    names = list(sheets.names)
    if asked is not None:
        names = [_named(names, asked)]
    elif left := [name for name in names if name in sheets.hidden]:
        warnings = [Warned("hidden_sheet", {"sheet": name}) for name in left]
        names = [name for name in names if name not in left]
    read = {name: sheets.rows(name) for name in names}
    found = {name: header for name, rows in read.items() if (header := find_header(rows, heading))}
    if len(found) == 1:
        ((name, header),) = found.items()
        return _table(read[name], header, warnings)
    if found:
        raise UnreadableTable(f"several sheets have the header: {_listed(found)}; name one")
    raise UnreadableTable(_without_header(read, heading))


def _named(names: Sequence[str], asked: str) -> str:
    if asked in names:
        return asked
    if asked.isdecimal() and 0 < int(asked) <= len(names):
        return names[int(asked) - 1]
    raise UnreadableTable(f"there is no such sheet; there are {_listed(names)}")


def _without_header(read: dict[str, Sequence[Sequence[Cell]]], heading: Heading) -> str:
    if not read:
        return "no sheet of it is shown"
    nearest = min((lacking(rows, heading) for rows in read.values()), key=lambda each: len(each[0]))
    missing, doubled = ([heading.names[column][0] for column in some] for some in nearest)
    if doubled:
        return f"several columns of it are called {_listed(doubled)}"
    if len(missing) < len(heading.needed):
        return f"it lacks a column called {_listed(missing)}"
    return f"no sheet of it has the header {_listed(missing)}: looked at {_listed(read)}"


def _listed(names: "Sequence[str] | dict[str, Any]") -> str:
    return ", ".join(map(repr, names))


def _table(rows: Sequence[Sequence[Cell]], header: Header, warnings: list[Warned]) -> Table:
    beneath = header.row + 1
    found = [
        Row(number, cells)
        for number, cells in enumerate(rows[beneath:], beneath + 1)
        if any(cell != "" and not (isinstance(cell, str) and cell.isspace()) for cell in cells)
    ]
    return Table(dict(header.places), rows[header.row], found, warnings)
