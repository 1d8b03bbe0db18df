"""The audit trail for Excel, in words; by XlsxWriter, which comes with `yibao[office]`."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

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
    if find_spec("xlsxwriter") is None:
        raise NotWritten("for Excel yibao needs XlsxWriter: pip install 'yibao[office]'")


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
    from xlsxwriter import Workbook
    from xlsxwriter.exceptions import FileCreateError

    with TemporaryDirectory(prefix="yibao-") as folder:
        # Each row goes to a file of its own as the next begins, and nothing is guessed of a text.
        book = Workbook(str(to), {"constant_memory": True, "use_zip64": True, "tmpdir": folder})
        sheet = book.add_worksheet(title)
        sheet.freeze_panes(1, 0)
        for number, head in enumerate(heads):
            sheet.set_column(number, number, max(12, 2 * len(head)))
        instant = book.add_format({"num_format": "yyyy-mm-dd hh:mm:ss"})
        # Text, whatever it begins with, and still text when somebody has edited it.
        text = book.add_format({"quote_prefix": True})
        rows = 0

        def append(values: Sequence[Any]) -> None:
            nonlocal rows
            rows += 1
            if rows > ROWS:
                raise NotWritten(f"a sheet has {ROWS} rows, and this would be more: ask for less")
            for number, value in enumerate(values):
                place = rows - 1, number
                if isinstance(value, str) and value:
                    sheet.write_string(*place, _fitting(printable(value)), text)
                elif isinstance(value, datetime):
                    sheet.write_datetime(*place, value, instant)
                elif isinstance(value, int | float):
                    sheet.write_number(*place, value)

        try:
            append(heads)
            yield append
            book.close()
        except FileCreateError as error:
            raise error.args[0] from None
        finally:
            if sheet.row_data_fh is not None:
                sheet.row_data_fh.close()


def _fitting(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"
