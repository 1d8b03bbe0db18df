"""A table of a synthetic season in a file: a workbook with what registries put into one, or CSV."""

import csv
import io
from datetime import date, datetime
from pathlib import Path
from typing import Any, Final

from yibao.adapters.office.demo.sheets import Sheet


def write_sheet(folder: Path, sheet: Sheet) -> Path:
    """The file of a table in a folder, the same bytes for the same table. Raises OSError."""
    name = f"{sheet.at:%Y-%m-%d}-{sheet.name}"
    if sheet.form == "xlsx":
        to = folder / f"{name}.xlsx"
        _workbook(to, sheet)
        return to
    to = folder / f"{name}.csv"
    told = io.StringIO()
    csv.writer(told).writerows(sheet.rows)
    to.write_bytes(told.getvalue().encode(sheet.form))
    return to


def _workbook(to: Path, sheet: Sheet) -> None:
    from xlsxwriter import Workbook

    with Workbook(str(to)) as book:
        book.set_properties({"created": _CREATED})
        day, instant = (book.add_format({"num_format": told}) for told in _FORMATS)
        main = book.add_worksheet("名单")
        main.set_column(0, 8, 20)
        for number, row in enumerate(sheet.rows):
            for place, cell in enumerate(row):
                _write(main, number, place, cell, instant if isinstance(cell, datetime) else day)
        if len(sheet.rows[0]) == 1:  # a title
            title = book.add_format({"bold": True, "align": "center"})
            main.merge_range(0, 0, 0, 7, sheet.rows[0][0], title)
            words = book.add_worksheet("数据字典")
            words.write_string(0, 0, "学生类别")
            words.hide()


def _write(sheet: Any, row: int, place: int, cell: Any, of_days: Any) -> None:
    if isinstance(cell, str):
        sheet.write_string(row, place, cell)
    elif isinstance(cell, date):
        sheet.write_datetime(row, place, cell, of_days)
    elif cell is not None:
        sheet.write_number(row, place, cell)


#: A workbook tells it without a zone.
_CREATED: Final = datetime(2025, 8, 28)  # noqa: DTZ001
_FORMATS: Final = ("yyyy/m/d", "yyyy/m/d hh:mm")
