"""The same rows, whoever wrote the file; and what cannot be read is one sentence."""

import io
import random
import struct
from datetime import date
from pathlib import Path
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile

import openpyxl
import pytest
import xlsxwriter

from yibao.adapters.office.reading import (
    Heading,
    Table,
    UnreadableTable,
    Warned,
    day_in,
    read_table,
    text_in,
)

from ..tables import HAS_LIBREOFFICE, HEAD, WRITERS, as_csv, by_openpyxl, by_xlsxwriter

HEADING = Heading(
    {
        "number": ("学号", "studentnumber"),
        "name": ("姓名", "name"),
        "document": ("证件类型", "documenttype"),
        "document_number": ("证件号码", "documentnumber"),
        "category": ("学生类别", "category"),
        "registered_on": ("报到日期", "registrationdate"),
    }
)
ADA = ["525001", "李雷", "居民身份证", "11010519491231002X", "本科生", date(2025, 9, 1)]
BO = [525002, "韩 梅梅", "护照", "E12345678", "研究生", date(2025, 8, 30)]


def told(table: Table) -> list[tuple[int, list[Any]]]:
    """Each row with its number, the cells read as what they are."""
    found: list[tuple[int, list[Any]]] = []
    for row in table.rows:
        texts = [text_in(table.cell(row, column)) for column in list(HEADING.names)[:-1]]
        found.append((row.number, [*texts, day_in(table.cell(row, "registered_on"))]))
    return found


@pytest.mark.parametrize("writer", WRITERS)
def test_the_rows_are_the_same_whoever_wrote_the_file(tmp_path: Path, writer: str) -> None:
    if writer.startswith("libreoffice") and not HAS_LIBREOFFICE:
        pytest.skip("LibreOffice is not installed")
    rows = [
        ["2025级新生名单", None, None, None, None, None],
        [None] * 6,
        HEAD,
        ADA,
        [None] * 6,
        BO,
    ]
    found = read_table(WRITERS[writer](tmp_path / "roster", rows), HEADING)
    assert told(found) == [(4, ADA), (6, ["525002", *BO[1:]])]
    assert found.warnings == []
    assert list(found.heads) == HEAD


def test_columns_may_stand_anywhere_under_other_names_in_other_signs(tmp_path: Path) -> None:
    rows = [
        ["Registration Date", "no such", "*Ｎame", " Document  Number", "CATEGORY"],
        ["2025-09-01", "-", "李雷", "11010519491231002X", "本科生"],
    ]
    heads = [*rows[0], "Document Type", "学 号"]
    found = read_table(by_openpyxl(tmp_path / "a", [heads, [*rows[1], "身份证", "1"]]), HEADING)
    assert told(found) == [(2, ["1", "李雷", "身份证", *ADA[3:]])]


def test_the_header_is_among_the_first_thirty_rows(tmp_path: Path) -> None:
    remarks = [["一"]] * 29
    found = read_table(by_openpyxl(tmp_path / "a", [*remarks, HEAD, ADA]), HEADING)
    assert [row.number for row in found.rows] == [31]
    with pytest.raises(UnreadableTable, match="has the header"):
        read_table(by_openpyxl(tmp_path / "b", [*remarks, ["一"], HEAD, ADA]), HEADING)


def test_an_empty_first_row_and_column_shift_nothing(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    for number, cells in ((5, HEAD), (8, ADA)):
        for place, cell in enumerate(cells, 3):
            sheet.cell(number, place, cell)
    book.save(tmp_path / "a.xlsx")
    assert told(read_table(tmp_path / "a.xlsx", HEADING)) == [(8, ADA)]


def two_sheets(to: Path, *, hidden: bool) -> Path:
    with xlsxwriter.Workbook(str(to), {"default_date_format": "yyyy-mm-dd"}) as book:
        for name, row in (("说明", ["x"]), ("新生", ADA), ("旧名单", BO)):
            sheet = book.add_worksheet(name)
            if name != "说明":
                sheet.write_row(0, 0, HEAD)
            sheet.write_row(1, 0, row)
        if hidden:
            sheet.hide()
    return to


def test_of_several_sheets_one_has_to_be_named(tmp_path: Path) -> None:
    file = two_sheets(tmp_path / "a.xlsx", hidden=False)
    with pytest.raises(UnreadableTable, match="several sheets have the header: '新生', '旧名单'"):
        read_table(file, HEADING)
    assert told(read_table(file, HEADING, "新生")) == [(2, ADA)]
    assert told(read_table(file, HEADING, "2")) == [(2, ADA)]
    for other in ("4", "0", "没有"):
        with pytest.raises(
            UnreadableTable, match="no such sheet; there are '说明', '新生', '旧名单'"
        ):
            read_table(file, HEADING, other)
    with pytest.raises(UnreadableTable, match="looked at '说明'"):
        read_table(file, HEADING, "说明")


def test_a_hidden_sheet_is_left_out_and_told(tmp_path: Path) -> None:
    file = two_sheets(tmp_path / "a.xlsx", hidden=True)
    found = read_table(file, HEADING)
    assert told(found) == [(2, ADA)]
    assert found.warnings == [Warned("hidden_sheet", {"sheet": "旧名单"})]
    assert told(read_table(file, HEADING, "旧名单")) == [(2, ["525002", *BO[1:]])]


def test_what_the_header_lacks_is_named(tmp_path: Path) -> None:
    heads = [name for name in HEAD if name not in ("证件类型", "报到日期")]
    with pytest.raises(UnreadableTable, match="lacks a column called '证件类型', '报到日期'"):
        read_table(by_openpyxl(tmp_path / "a", [heads, ADA]), HEADING)
    with pytest.raises(UnreadableTable, match="several columns of it are called '姓名'"):
        read_table(by_openpyxl(tmp_path / "b", [[*HEAD, "Name"], ADA]), HEADING)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
@pytest.mark.parametrize("between", [",", "\t", ";"])
def test_csv_is_read_as_it_was_saved(tmp_path: Path, encoding: str, between: str) -> None:
    rows = [["名单", ""], HEAD, ADA, ['="0525003"', "李,\n雷", *ADA[2:]], BO]
    found = read_table(as_csv(tmp_path / "a", rows, encoding, between), HEADING)
    assert [(row, cells[:2]) for row, cells in told(found)] == [
        (3, ["525001", "李雷"]),
        (4, ["0525003", "李,\n雷"]),
        (5, ["525002", "韩 梅梅"]),
    ]


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_the_line_of_a_broken_byte_is_named(tmp_path: Path, mark: bytes) -> None:
    lines = [",".join(HEAD).encode(), b"1,\xe6\x9d\x8e", b"2,\xff\xff", b"3,x"]
    (tmp_path / "a.csv").write_bytes(mark + b"\n".join(lines))
    with pytest.raises(UnreadableTable, match="line 3 has a byte that is neither"):
        read_table(tmp_path / "a.csv", HEADING)


def zipped(to: Path, changed: dict[str, bytes | None]) -> Path:
    """A workbook with some of its parts changed, added, or left out."""
    source = by_xlsxwriter(to.with_name("source"), [HEAD, ADA])
    with ZipFile(source) as old, ZipFile(to, "w", ZIP_DEFLATED) as new:
        parts = {name: old.read(name) for name in old.namelist()}
        for name, content in {**parts, **changed}.items():
            if content is not None:
                new.writestr(name, content)
    return to


def refused(file: Path, why: str) -> None:
    """It cannot be read, and why is one sentence that names the file and no cell."""
    with pytest.raises(UnreadableTable, match=why) as raised:
        read_table(file, HEADING)
    told = str(raised.value)
    assert "\n" not in told
    assert repr(str(file)) in told
    assert not any(str(cell) in told for cell in ADA)


def test_a_file_that_is_cut_off_or_altered_is_damaged(tmp_path: Path) -> None:
    whole = by_xlsxwriter(tmp_path / "whole", [HEAD, *[ADA] * 200]).read_bytes()
    file = tmp_path / "a.xlsx"
    chance = random.Random(17)
    for length in [4, 30, *(chance.randrange(31, len(whole)) for _ in range(30))]:
        file.write_bytes(whole[:length])
        refused(file, "it is damaged, or was not copied to its end")
    part = whole.index(b"xl/worksheets/sheet1.xml") + 200
    file.write_bytes(whole[:part] + b"\0\0\0\0" + whole[part + 4 :])
    refused(file, "it is damaged")


def test_a_bomb_is_not_unpacked(tmp_path: Path) -> None:
    file = zipped(tmp_path / "a.xlsx", {"xl/media/image1.png": bytes(64 * 2**20)})
    assert file.stat().st_size < 2**20
    refused(file, "too large when it is unpacked")
    many = {f"xl/part{n}.xml": b"" for n in range(6000)}
    refused(zipped(tmp_path / "b.xlsx", dict(many)), "too large when it is unpacked")
    # A part that says it is small, and is not.
    told = zipped(tmp_path / "c.xlsx", {"xl/big.xml": b"x" * 100_000}).read_bytes()
    lying = told.replace(struct.pack("<L", 100_000), struct.pack("<L", 10))
    (tmp_path / "c.xlsx").write_bytes(lying)
    refused(tmp_path / "c.xlsx", "it is damaged")


def test_a_cell_far_away_does_not_take_all_memory(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(HEAD)
    sheet.append(ADA)
    sheet["XFD1048576"] = "x"
    book.save(tmp_path / "a.xlsx")
    refused(tmp_path / "a.xlsx", "cells far away from the others")


def test_macros_and_passwords_are_refused(tmp_path: Path) -> None:
    file = zipped(tmp_path / "a.xlsm", {"xl/vbaProject.bin": b"x"})
    refused(file, "it has macros")
    for name, stream, why in (
        ("b.xlsx", "EncryptedPackage", "it has a password"),
        ("c.xls", "_VBA_PROJECT_CUR", "it has macros"),
    ):
        streams = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600) + stream.encode("utf-16-le")
        (tmp_path / name).write_bytes(streams + bytes(600))
        refused(tmp_path / name, why)
    encrypted = {"META-INF/manifest.xml": b"<manifest:encryption-data/>", "content.xml": b"x"}
    refused(zipped(tmp_path / "d.ods", dict(encrypted)), "it has a password")
    locked = bytearray(zipped(tmp_path / "e.xlsx", {}).read_bytes())
    with ZipFile(io.BytesIO(locked)) as archive:
        start = archive.start_dir
    locked[start + 8] |= 1  # the first part of the list is marked as encrypted
    (tmp_path / "e.xlsx").write_bytes(locked)
    refused(tmp_path / "e.xlsx", "it has a password")


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "it is empty"),
        (b"\n \n", "it is empty"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(4000), "it is damaged"),
        (b"\x89PNG\r\n\0\0\0\rIHDR", "neither XLSX, XLS, ODS nor CSV"),
        (b"a,b\n1,2\n", "has the header"),
    ],
)
def test_what_is_no_table_is_told(tmp_path: Path, content: bytes, why: str) -> None:
    (tmp_path / "a.xls").write_bytes(content)
    refused(tmp_path / "a.xls", why)


def test_other_zips_and_files_that_are_not_there_are_told(tmp_path: Path) -> None:
    with ZipFile(tmp_path / "a.xlsx", "w") as archive:
        archive.writestr("word/document.xml", "x")
    refused(tmp_path / "a.xlsx", "neither XLSX, XLS, ODS nor CSV")
    refused(tmp_path / "none.xlsx", "No such file")
    refused(tmp_path, "Is a directory")


def test_a_formula_is_what_was_calculated_and_merged_cells_stand_in_the_first(
    tmp_path: Path,
) -> None:
    with xlsxwriter.Workbook(str(tmp_path / "a.xlsx")) as book:
        sheet = book.add_worksheet()
        sheet.merge_range(0, 0, 0, 5, "新生名单")
        sheet.write_row(1, 0, HEAD)
        sheet.write_row(2, 0, [*ADA[:5], "2025-09-01"])
        sheet.write_formula(2, 0, "=525000+1", None, 525001)
        sheet.write_row(3, 0, [*ADA[:5], date(2025, 9, 1)])
        sheet.write_formula(3, 0, "=525000+2")  # nobody has calculated it
    table = read_table(tmp_path / "a.xlsx", HEADING)
    assert [table.cell(row, "number") for row in table.rows] == [525001, 0]
    assert day_in(table.cell(table.rows[1], "registered_on")) == date(2025, 9, 1)


def test_a_formula_that_nobody_has_calculated_reads_as_empty(tmp_path: Path) -> None:
    table = read_table(by_openpyxl(tmp_path / "a", [HEAD, ["=525000+1", *ADA[1:]]]), HEADING)
    assert table.cell(table.rows[0], "number") == ""
