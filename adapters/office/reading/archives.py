"""Whether a workbook may be opened at all: whole, of a bearable size, without macros and password.

A workbook is a zip of parts (XLSX, ODS) or a file of streams (XLS, and whatever has a password).
The library that reads it takes what it finds for true, and as much memory as that would need.
"""

import io
import re
import zlib
from typing import Final
from zipfile import BadZipFile, ZipFile, ZipInfo

from yibao.domain.refusals import YibaoError

#: How large a workbook may be when it is unpacked, in bytes, and by how much one part may have
#: been packed where it is large: texts are packed ten to thirty times.
UNPACKED: Final = 768 * 2**20
PACKED: Final = 250
_SMALL: Final = 8 * 2**20
#: How many parts it may have, and cells a sheet.
PARTS: Final = 5000
CELLS: Final = 16_000_000

#: How a zip and a file of streams begin, and names of streams.
ZIP, STREAMS = b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_LOCKED, _MACROS = ("EncryptedPackage".encode("utf-16-le"), "_VBA_PROJECT".encode("utf-16-le"))


class UnreadableTable(YibaoError, ValueError):
    """A file cannot be read as a table; its text names the file and says why, and tells no cell."""

    failure = "unreadable_source"

    def __init__(self, why: str) -> None:
        self.why = why
        super().__init__(why)

    def of(self, file: str) -> "UnreadableTable":
        """The same, naming the file, if it has a name."""
        told = f"the table {file!r}" if file else "the table"
        return UnreadableTable(f"{told} cannot be read: {self.why}")


def check_workbook(data: bytes) -> None:
    """Raises UnreadableTable for what must not be opened, or is damaged."""
    if data.startswith(STREAMS):
        if _LOCKED in data:
            raise UnreadableTable(PASSWORD)
        if _MACROS in data:
            raise UnreadableTable(_WITH_MACROS)
        return
    try:
        with ZipFile(io.BytesIO(data)) as archive:
            _check_parts(archive)
    except (BadZipFile, zlib.error, EOFError, NotImplementedError, OSError) as error:
        raise UnreadableTable(DAMAGED) from error


def counts_from_1904(data: bytes) -> bool:
    """Whether the numbers of days in a workbook that was checked are counted from 1904 on."""
    if data.startswith(STREAMS):
        return False
    with ZipFile(io.BytesIO(data)) as archive:
        names = {"xl/workbook.xml"} & {*archive.namelist()}
        return any(_FROM_1904.search(archive.read(name)) for name in names)


DAMAGED: Final = "it is damaged, or was not copied to its end"
PASSWORD: Final = "it has a password: save it without one"
_WITH_MACROS: Final = "it has macros: save it as XLSX"


def _check_parts(archive: ZipFile) -> None:
    parts = archive.infolist()
    names = {part.filename for part in parts}
    if any(part.flag_bits & 1 for part in parts):
        raise UnreadableTable(PASSWORD)
    if any(_MACRO.search(name) for name in names):
        raise UnreadableTable(_WITH_MACROS)
    if not names & {"xl/workbook.xml", "content.xml"}:
        raise UnreadableTable("it is neither XLSX, XLS, ODS nor CSV")
    is_too_large = sum(part.file_size for part in parts) > UNPACKED or len(parts) > PARTS
    if is_too_large or any(map(_is_bomb, parts)):
        raise UnreadableTable("it would be too large when it is unpacked")
    for part in parts:
        with archive.open(part) as opened:
            _check_part(part.filename, opened.read())  # which also checks that it is whole


def _is_bomb(part: ZipInfo) -> bool:
    return part.file_size > _SMALL and part.file_size > PACKED * max(part.compress_size, 1)


def _check_part(name: str, content: bytes) -> None:
    if name == "META-INF/manifest.xml" and b"encryption-data" in content:
        raise UnreadableTable(PASSWORD)
    if _SHEET.fullmatch(name):
        last = content[content.rfind(b"<row") :] if b"<row" in content else b""
        rows = int(found[1]) if (found := _ROW.match(last)) else 1
        if rows * max(map(_column, {b"A", *_WIDE.findall(content)})) > CELLS:
            raise UnreadableTable(
                "a sheet of it has cells far away from the others: delete what is outside the table"
            )


def _column(letters: bytes) -> int:
    """The number of a column by its letters."""
    number = 0
    for letter in letters:
        number = number * 26 + letter - 64
    return number


_FROM_1904: Final = re.compile(rb"<workbookPr[^>]* date1904=[\"'](1|true)")
_MACRO: Final = re.compile(r"vbaProject\.bin$|^Basic/|^Scripts/")
_SHEET: Final = re.compile(r"xl/worksheets/[^/]+\.xml")
_ROW: Final = re.compile(rb'<row [^>]*?\br="(\d{1,7})"')
#: The letters of cells beyond the first 26 columns.
_WIDE: Final = re.compile(rb' r="([A-Z]{2,3})\d')
