"""The rows that were not recorded, to be mended and imported again."""

from datetime import date, datetime
from pathlib import Path
from typing import Any, Final

from yibao.adapters.office.imports import Imported, RowVerdict, row_told
from yibao.adapters.office.reading import Cell, Table, since_1900
from yibao.adapters.views import printable
from yibao.adapters.views.words import Words

#: Whose rows stand in it.
MENDED: Final = frozenset({"refused", "twice"})
#: How the cell is coloured that was refused.
_COLOUR: Final = "#FFC7CE"


def errors_workbook(to: Path, table: Table, imported: Imported, words: Words) -> None:
    """Writes refused rows, and those told twice: as they stood, and behind them row, reason, mend.

    The columns are text, so that what is typed there keeps its digits. Raises OSError.
    """
    from xlsxwriter import Workbook
    from xlsxwriter.exceptions import FileCreateError

    rows = {row.number: row.cells for row in table.rows}
    left = [row for row in imported.rows if row.verdict in MENDED]
    days = {place for column, place in table.places.items() if column.endswith(("_on", "_at"))}
    width = max([len(table.heads), *(len(rows[row.row]) for row in left)])
    book = Workbook(str(to))
    sheet = book.add_worksheet(words("office", "errors_sheet"))
    text = book.add_format({"num_format": "@"})
    wrapped = book.add_format({"text_wrap": True})
    coloured = book.add_format({"num_format": "@", "bg_color": _COLOUR})
    sheet.freeze_panes(1, 0)
    sheet.set_column(0, width - 1, 20, text)
    sheet.set_column(width, width, 8)
    sheet.set_column(width + 1, width + 2, 60)
    heads = [*table.heads, *[""] * (width - len(table.heads))]
    heads += [words("office", name) for name in ("row", "reason", "mend")]
    for place, head in enumerate(heads):
        _write(sheet, 0, place, head, book.add_format({"bold": True, "num_format": "@"}))
    for number, row in enumerate(left, 1):
        refused = table.places.get(row.column or "")
        for place, cell in enumerate(rows[row.row]):
            cell = since_1900(cell) if place in days else cell
            _write(sheet, number, place, cell, coloured if place == refused else text)
        if refused is not None and refused >= len(rows[row.row]):
            sheet.write_blank(number, refused, None, coloured)
        _told_behind(sheet, number, width, row, words, wrapped)
    sheet.autofilter(0, 0, max(len(left), 1), width + 2)
    try:
        book.close()
    except FileCreateError as error:
        raise error.args[0] from None


def _told_behind(
    sheet: Any, number: int, width: int, row: RowVerdict, words: Words, wrapped: Any
) -> None:
    sheet.write_number(number, width, row.row)
    for place, told in enumerate(row_told(row, words), width + 1):
        sheet.write_string(number, place, printable(told), wrapped)


def _write(sheet: Any, row: int, place: int, cell: Cell, style: Any) -> None:
    """A cell as it was read, days as text that reads as one."""
    if isinstance(cell, datetime | date):
        sheet.write_string(row, place, cell.isoformat()[:10], style)
    elif isinstance(cell, int | float) and not isinstance(cell, bool):
        sheet.write_number(row, place, cell, style)
    elif cell != "":
        sheet.write_string(row, place, printable(str(cell)), style)
    else:
        sheet.write_blank(row, place, None, style)
