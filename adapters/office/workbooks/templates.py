"""Empty tables to fill in: the header, what columns are for, and the words to choose from."""

from pathlib import Path
from typing import Any, Final

from yibao.adapters.office.judging import HEADINGS
from yibao.adapters.views.words import Words
from yibao.domain.vocabulary import Category, Document

#: The words of which one is to be chosen in a column.
_CHOICES: Final = {"document": [*Document], "category": [*Category]}
#: As many rows as are prepared.
_ROWS: Final = 20_000


def template(to: Path, kind: str, words: Words) -> None:
    """Writes an empty table of a kind, which is read once it is filled in. Raises OSError.

    Its cells are text, so that numbers keep their digits and days stay as they were typed. The
    choices stand in a sheet of their own, since a list in a cell may have 255 signs at most.
    """
    from xlsxwriter import Workbook
    from xlsxwriter.exceptions import FileCreateError

    columns = list(HEADINGS[kind].names)
    choices = {column: codes for column, codes in _CHOICES.items() if column in columns}
    book = Workbook(str(to))
    sheet = book.add_worksheet(words("office", f"{kind}_sheet"))
    text, head = (book.add_format({"num_format": "@", "bold": bold}) for bold in (False, True))
    sheet.freeze_panes(1, 0)
    sheet.set_column(0, len(columns) - 1, 24, text)
    for place, column in enumerate(columns):
        sheet.write_string(0, place, words("roster", column), head)
        sheet.write_comment(0, place, words("roster_help", column), {"x_scale": 2})
    if choices:
        _offer(book, sheet, choices, columns, words)
    try:
        book.close()
    except FileCreateError as error:
        raise error.args[0] from None


def _offer(
    book: Any, sheet: Any, choices: dict[str, list[Any]], columns: list[str], words: Words
) -> None:
    listed = book.add_worksheet(words("office", "choices_sheet"))
    for number, (column, codes) in enumerate(choices.items()):
        listed.set_column(number, number, 40)
        for row, code in enumerate(codes):
            listed.write_string(row, number, words(column, code))
        letter = chr(ord("A") + number)
        place = columns.index(column)
        where = f"='{listed.name}'!${letter}$1:${letter}${len(codes)}"
        sheet.data_validation(1, place, _ROWS, place, {"validate": "list", "source": where})
