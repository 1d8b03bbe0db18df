"""The audit trail for Excel, in words; by openpyxl, which comes with `yibao[office]`."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final
from zipfile import ZIP_DEFLATED, ZipFile

from yibao.adapters.following.trail import By
from yibao.adapters.store.files import NotWritten
from yibao.adapters.views.console import counted, moved_lines, values_line
from yibao.adapters.views.telling import told
from yibao.adapters.views.terminal import printable
from yibao.adapters.views.words import Words
from yibao.domain.calendar import SHANGHAI

#: As many rows as a sheet has, and characters as a cell.
ROWS: Final = 1_048_576
LONGEST: Final = 32_767


#: What has words of its own, as where entries are counted.
_WORDED: Final[dict[str, By]] = {"kind": "kind", "code": "code"}


def check_office() -> None:
    """Raises NotWritten where what makes workbooks is not installed."""
    if find_spec("openpyxl") is None:
        raise NotWritten("for Excel yibao needs openpyxl: pip install 'yibao[office]'")


def trail_workbook(
    to: Path, entries: Iterable[dict[str, Any]], columns: Sequence[str], words: Words
) -> None:
    """Writes entries of the trail, a row each: codes in words, times as dates, in Shanghai.

    What a fact changed is told as it is in a terminal, a line a part.
    """
    with _sheet(
        to, words("column", "sheet"), [words("column", name) for name in columns]
    ) as append:
        for entry in entries:
            append([_cell(name, entry, words) for name in columns])


def counts_workbook(to: Path, counts: Mapping[str | None, int], by: By, words: Words) -> None:
    """Writes how many entries there are by what they have in common."""
    heads = [words("column", by), words("column", "entries")]
    with _sheet(to, words("column", "sheet"), heads) as append:
        for name, count in counts.items():
            append([counted(name, by, words), count])


def rows_workbook(
    to: Path, title: str, heads: Sequence[str], rows: Iterable[Sequence[Any]]
) -> None:
    """Writes rows of cells beneath their heads."""
    with _sheet(to, title, heads) as append:
        for row in rows:
            append(row)


def _cell(name: str, entry: dict[str, Any], words: Words) -> Any:
    value = entry.get(name)
    if name == "values":
        return values_line(entry, words)
    if name == "changes":
        return "\n".join(moved_lines({**entry, "steps": ()}, words))
    if name == "steps":
        return "\n".join(moved_lines({**entry, "changes": ()}, words))
    if name == "students_by_part":
        return "\n".join(words.named(words("value", part), n) for part, n in (value or {}).items())
    if value is None:
        return None
    if name.endswith("_at"):
        return datetime.fromisoformat(value).astimezone(SHANGHAI).replace(tzinfo=None)
    if name in _WORDED:
        return counted(value, _WORDED[name], words)
    if name == "command" and words.knows("command", value):
        return words("command", value)
    if name == "where":
        return words.field(value)
    return value if isinstance(value, int) and not isinstance(value, bool) else told(value, words)


@contextmanager
def _sheet(to: Path, title: str, heads: Sequence[str]) -> Iterator[Any]:
    """A workbook of one sheet, filled row by row; its heads stay in sight."""
    from openpyxl import Workbook
    from openpyxl.cell import WriteOnlyCell
    from openpyxl.utils import get_column_letter
    from openpyxl.writer.excel import ExcelWriter

    book = Workbook(write_only=True)
    sheet = book.create_sheet(title)
    sheet.freeze_panes = "A2"
    for number, head in enumerate(heads, 1):
        sheet.column_dimensions[get_column_letter(number)].width = max(12, 2 * len(head))
    rows = 0

    def append(values: Sequence[Any]) -> None:
        nonlocal rows
        rows += 1
        if rows > ROWS:
            raise NotWritten(f"a sheet has {ROWS} rows, and this would be more: ask for less")
        sheet.append([cell(value) for value in values])

    def cell(value: Any) -> Any:
        if not isinstance(value, str) or not value:
            made = WriteOnlyCell(sheet, None if value == "" else value)
            if isinstance(value, datetime):
                made.number_format = "yyyy-mm-dd hh:mm:ss"
            return made
        text = printable(value)
        made = WriteOnlyCell(sheet, text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…")
        # Text, whatever it begins with, and still text when somebody has edited it.
        made.data_type, made.quotePrefix = "s", True
        return made

    try:
        append(heads)
        yield append
        with ZipFile(to, "w", ZIP_DEFLATED) as archive:
            ExcelWriter(book, archive).save()
    except BaseException:
        # What is left open fails once more when it is collected, where nobody can catch it.
        if not sheet.closed:
            with suppress(OSError, StopIteration):
                sheet.close()
        raise
