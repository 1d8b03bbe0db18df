"""Empty tables to fill in: the header, what columns are for, and the words to choose from."""

from pathlib import Path
from typing import Final

from yibao.adapters.office.judging import ROSTER
from yibao.adapters.views.words import Words
from yibao.domain.vocabulary import Category, Document

#: The words of which one is to be chosen in a column.
_CHOICES: Final = {"document": [*Document], "category": [*Category]}
#: As many rows as are prepared.
_ROWS: Final = 20_000


def roster_template(to: Path, words: Words) -> None:
    """Writes an empty roster, which is read once it is filled in. Raises OSError.

    Its cells are text, so that numbers keep their digits and days stay as they were typed. The
    choices stand in a sheet of their own, since a list in a cell may have 255 signs at most.
    """
    from xlsxwriter import Workbook
    from xlsxwriter.exceptions import FileCreateError

    book = Workbook(str(to))
    sheet = book.add_worksheet(words("office", "roster_sheet"))
    listed = book.add_worksheet(words("office", "choices_sheet"))
    text, head = (book.add_format({"num_format": "@", "bold": bold}) for bold in (False, True))
    sheet.freeze_panes(1, 0)
    sheet.set_column(0, len(ROSTER.names) - 1, 24, text)
    listed.set_column(0, len(_CHOICES) - 1, 40)
    for place, column in enumerate(ROSTER.names):
        sheet.write_string(0, place, words("roster", column), head)
        sheet.write_comment(0, place, words("roster_help", column), {"x_scale": 2})
    for number, (column, codes) in enumerate(_CHOICES.items()):
        for row, code in enumerate(codes):
            listed.write_string(row, number, words(column, code))
        letter = chr(ord("A") + number)
        place = list(ROSTER.names).index(column)
        where = f"='{listed.name}'!${letter}$1:${letter}${len(codes)}"
        sheet.data_validation(1, place, _ROWS, place, {"validate": "list", "source": where})
    try:
        book.close()
    except FileCreateError as error:
        raise error.args[0] from None
