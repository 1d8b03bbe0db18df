"""A list of the officer: who is on it, to be filtered, sorted and sent on."""

from datetime import date, datetime, time
from pathlib import Path
from typing import Any, Final

from yibao.adapters.office.season import Entered, Listed
from yibao.adapters.views import printable
from yibao.adapters.views.words import Words

#: What a list tells beside who is on it.
_TOLD: Final = {"not-confirmed": "days_left", "waiting": "ends_on"}


def list_heads(name: str, words: Words) -> list[str]:
    """The heads of the columns of a list."""
    heads = [words("roster", "number"), words("roster", "name")]
    heads += [words("cohort", "ref"), words("cohort", "year")]
    return [*heads, words("office", _TOLD[name])] if name in _TOLD else heads


def list_row(name: str, entered: Entered) -> list[Any]:
    """The cells of a row of it; None where the school has not entered her."""
    due, person = entered
    cells = [person and person.number, person and person.name, *due.enrollment]
    return [*cells, getattr(due, _TOLD[name])] if name in _TOLD else cells


def list_workbook(to: Path, found: Listed, words: Words) -> None:
    """Writes a list: its head stays in sight and can be filtered, numbers of students are text.

    Nothing in a cell is a formula or a link. Raises OSError.
    """
    from xlsxwriter import Workbook
    from xlsxwriter.exceptions import FileCreateError

    book = Workbook(str(to))
    sheet = book.add_worksheet(printable(words("office_list", found.name))[:31])
    head = book.add_format({"bold": True, "num_format": "@"})
    text = book.add_format({"num_format": "@"})
    day = book.add_format({"num_format": "yyyy-mm-dd"})
    heads = list_heads(found.name, words)
    sheet.freeze_panes(1, 0)
    sheet.set_column(0, 2, 22, text)
    sheet.set_column(3, len(heads) - 1, 14)
    for place, told in enumerate(heads):
        sheet.write_string(0, place, told, head)
    for row, entered in enumerate(found.entries, 1):
        for place, cell in enumerate(list_row(found.name, entered)):
            if isinstance(cell, str):
                sheet.write_string(row, place, printable(cell), text)
            elif isinstance(cell, date):
                sheet.write_datetime(row, place, datetime.combine(cell, time()), day)
            elif cell is not None:
                sheet.write_number(row, place, cell)
    sheet.autofilter(0, 0, max(len(found.entries), 1), len(heads) - 1)
    sheet.ignore_errors({"number_stored_as_text": f"A1:A{len(found.entries) + 1}"})
    try:
        book.close()
    except FileCreateError as error:
        raise error.args[0] from None
