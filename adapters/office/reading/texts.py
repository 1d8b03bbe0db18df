"""CSV as programs and people save it: encoding, what is between the columns, quotes."""

import csv
import io
from typing import Final

from yibao.adapters.office.reading.archives import UnreadableTable

#: What stands at the beginning of a text that says how it is written.
_MARKS: Final = (
    (b"\xef\xbb\xbf", "utf-8"),
    (b"\xff\xfe", "utf-16-le"),
    (b"\xfe\xff", "utf-16-be"),
)
#: What may stand between columns.
BETWEEN: Final = (",", "\t", ";")


def decoded(data: bytes) -> str:
    """The text of a file: by its mark, else UTF-8, else GB18030.

    Raises UnreadableTable that names the line of the first byte that is none of it.
    """
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            return _decoded(data.removeprefix(mark), [encoding])
    return _decoded(data, ["utf-8", "gb18030"])


def _decoded(data: bytes, encodings: list[str]) -> str:
    broken = 0
    for encoding in encodings:
        try:
            return data.decode(encoding)
        except UnicodeDecodeError as error:
            broken = max(broken, error.start)
    line = data[:broken].count(b"\n") + 1
    raise UnreadableTable(f"line {line} has a byte that is neither UTF-8 nor GB18030")


def rows_of(text: str, between: str) -> list[list[str]]:
    """The rows of a text; raises UnreadableTable where a quote never ends."""
    try:
        return list(csv.reader(io.StringIO(text, newline=""), delimiter=between))
    except csv.Error:
        raise UnreadableTable("a quoted cell of it does not end") from None
