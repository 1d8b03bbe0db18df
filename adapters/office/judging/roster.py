"""A row of a roster: who registered at the school, and when."""

from collections.abc import Callable, Mapping
from datetime import date
from functools import lru_cache
from typing import Any, Final, NamedTuple

from yibao.adapters.office.judging.columns import (
    NUMBER,
    Column,
    Columns,
    heading_of,
    read_row,
    short_text,
)
from yibao.adapters.office.judging.documents import document_refused
from yibao.adapters.office.judging.refusals import Judged, RowRefused
from yibao.adapters.office.judging.written import CATEGORIES, DOCUMENTS
from yibao.adapters.office.reading import Row, Table, Unfit, day_in, plain, text_in


class Student(NamedTuple):
    """What a row says; `document` and `category` are codes."""

    number: str
    name: str
    document: str
    document_number: str
    category: str
    registered_on: date

    def __repr__(self) -> str:
        return "<Student of a row>"  # nothing of her stands in a log


def judged(table: Table, row: Row, columns: Columns | None = None) -> Judged:
    """What a row says: a Student, or RowRefused for the first cell that cannot be right.

    `columns` are those of `columns_with`, where editions have codes of their own.
    """
    read, refused = read_row(columns or _COLUMNS, table, row)
    number = None if refused and refused.column == "number" else read["number"]
    same = tuple(read.values())
    if refused:
        return Judged(row.number, number, refused, same)
    student = Student(**read)
    why = document_refused(student.document, student.document_number, student.registered_on)
    found = RowRefused("document_number", why) if why else student
    return Judged(row.number, number, found, same)


def _document_number(cell: Any) -> str:
    return text_in(cell, is_number=False).upper()


def _one_of(words: Mapping[str, str], unknown: str) -> Callable[[Any], str]:
    @lru_cache(maxsize=1000)
    def read(told: str) -> str | None:
        return words.get(plain(told))

    def code(cell: Any) -> str:
        found = read(text_in(cell))
        if found is None:
            raise Unfit(unknown)
        return found

    return code


_COLUMNS: Final = {
    "number": NUMBER,
    "name": Column(("姓名", "学生姓名", "name", "studentname", "fullname"), short_text),
    "document": Column(
        (
            *("证件类型", "身份证件类型", "证件种类", "证件类别"),
            *("documenttype", "document", "documentkind", "idtype", "typeofdocument"),
        ),
        _one_of(DOCUMENTS, "unknown_document"),
    ),
    "document_number": Column(
        (
            *("证件号码", "证件号", "身份证件号码", "身份证件号", "身份证号码", "身份证号"),
            *("documentnumber", "documentno", "documentno.", "idnumber"),
        ),
        _document_number,
    ),
    "category": Column(
        (
            *("学生类别", "学生类型", "类别", "培养层次"),
            *("category", "studentcategory", "studenttype"),
        ),
        _one_of(CATEGORIES, "unknown_category"),
    ),
    "registered_on": Column(
        (
            *("报到日期", "报到注册日期", "注册日期", "报到时间"),
            *("registrationdate", "registrationday", "registeredon", "dateofregistration"),
        ),
        day_in,
    ),
}

ROSTER: Final = heading_of(_COLUMNS)


def columns_with(own: Mapping[str, str]) -> Columns:
    """The columns, whose cells may also say these words of editions, with the code of each."""
    document, category = _COLUMNS["document"], _COLUMNS["category"]
    return {
        **_COLUMNS,
        "document": document._replace(read=_one_of({**own, **DOCUMENTS}, "unknown_document")),
        "category": category._replace(read=_one_of({**own, **CATEGORIES}, "unknown_category")),
    }
