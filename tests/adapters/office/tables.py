"""Tables as programs write them: each writer takes rows of cells and makes a file of them."""

import atexit
import csv
import io
import shutil
import subprocess
from collections.abc import Callable, Sequence
from datetime import date, datetime
from functools import cache
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import openpyxl
import pandas
import xlsxwriter
import xlwt

Rows = Sequence[Sequence[Any]]
Writer = Callable[[Path, Rows], Path]

HEAD = ["学号", "姓名", "证件类型", "证件号码", "学生类别", "报到日期"]


def by_xlsxwriter(to: Path, rows: Rows, title: str = "名单") -> Path:
    path = to.with_suffix(".xlsx")
    with xlsxwriter.Workbook(str(path), {"default_date_format": "yyyy-mm-dd"}) as book:
        sheet = book.add_worksheet(title)
        for number, row in enumerate(rows):
            for place, cell in enumerate(row):
                if isinstance(cell, str):
                    sheet.write_string(number, place, cell)
                elif cell is not None:
                    sheet.write(number, place, cell)
    return path


def by_openpyxl(to: Path, rows: Rows) -> Path:
    path = to.with_suffix(".xlsx")
    book = openpyxl.Workbook()
    assert book.active is not None
    for row in rows:
        book.active.append(list(row))
    book.save(path)
    return path


def by_pandas(to: Path, rows: Rows) -> Path:
    path = to.with_suffix(".xlsx")
    pandas.DataFrame(rows, dtype=object).to_excel(path, header=False, index=False)
    return path


def by_xlwt(to: Path, rows: Rows) -> Path:
    path = to.with_suffix(".xls")
    book = xlwt.Workbook()
    sheet = book.add_sheet("名单")
    day = xlwt.easyxf(num_format_str="yyyy-mm-dd")
    for number, row in enumerate(rows):
        for place, cell in enumerate(row):
            if cell is not None:
                style = (day,) if isinstance(cell, date) else ()
                sheet.write(number, place, cell, *style)
    book.save(str(path))
    return path


def as_csv(to: Path, rows: Rows, encoding: str = "utf-8", between: str = ",") -> Path:
    path = to.with_suffix(".csv")
    text = io.StringIO()
    csv.writer(text, delimiter=between).writerows([_in_csv(cell) for cell in row] for row in rows)
    path.write_bytes(text.getvalue().encode(encoding))
    return path


def _in_csv(cell: Any) -> Any:
    return cell.strftime("%Y/%m/%d") if isinstance(cell, date | datetime) else cell


def by_libreoffice(kind: str) -> Writer:
    """What LibreOffice makes of a workbook when it saves it in some format."""

    def write(to: Path, rows: Rows) -> Path:
        source = by_xlsxwriter(to.with_name(f"{to.name}-source"), rows)
        folder = to.with_name(f"{to.name}-by-libreoffice")
        subprocess.run(
            [
                "soffice",
                f"-env:UserInstallation=file://{_profile()}",
                "--headless",
                "--convert-to",
                kind,
                "--outdir",
                folder,
                source,
            ],
            check=True,
            capture_output=True,
            timeout=180,
        )
        return folder / source.with_suffix(f".{kind}").name

    return write


@cache
def _profile() -> str:
    """Where LibreOffice keeps its settings, once for a process: to make them takes seconds."""
    folder = mkdtemp(prefix="libreoffice-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


HAS_LIBREOFFICE = shutil.which("soffice") is not None

WRITERS: dict[str, Writer] = {
    "xlsxwriter": by_xlsxwriter,
    "openpyxl": by_openpyxl,
    "pandas": by_pandas,
    "xls": by_xlwt,
    "csv": as_csv,
    "libreoffice-xlsx": by_libreoffice("xlsx"),
    "libreoffice-ods": by_libreoffice("ods"),
    "libreoffice-xls": by_libreoffice("xls"),
}
