"""CSV as programs and people save it: encoding, what is between the columns, quotes."""

import csv
import io
from collections.abc import Iterator
from contextlib import suppress
from itertools import islice
from typing import Final

from yibao.adapters.office.reading.archives import UnreadableTable
from yibao.adapters.office.reading.headers import AMONG, Heading, find_header

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


def rows_of(text: str, heading: Heading) -> list[list[str]]:
    """The rows of a text; what stands between columns is that with which the header is found.

    Raises UnreadableTable where quotes are not in order: one that never ends would take all the
    rows behind it into its cell.
    """
    found = next((each for each in BETWEEN if _has_header(text, each, heading)), BETWEEN[0])
    try:
        return list(_reader(text, found))
    except csv.Error:
        raise UnreadableTable("its quotes are not in order") from None


def _has_header(text: str, between: str, heading: Heading) -> bool:
    with suppress(csv.Error):
        return find_header(list(islice(_reader(text, between), AMONG)), heading) is not None
    return False


def _reader(text: str, between: str) -> Iterator[list[str]]:
    return csv.reader(io.StringIO(text, newline=""), delimiter=between, strict=True)
