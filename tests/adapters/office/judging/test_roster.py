"""What a row of a roster says, or which of its cells cannot be right and why."""

from datetime import date
from typing import Any

import pytest

from yibao.adapters.office.judging import (
    CATEGORIES,
    DOCUMENTS,
    REASONS,
    ROSTER,
    RowRefused,
    Student,
    judged,
    told_twice,
    usual_length,
)
from yibao.adapters.office.reading import Row, Table
from yibao.adapters.views.words import LANGUAGES, Words
from yibao.domain.vocabulary import Category, Document

COLUMNS = list(ROSTER.names)
ADA = ["525001", "李雷", "居民身份证", "11010519491231002x", "本科生", "2025-9-1"]
PLACES = {column: place for place, column in enumerate(COLUMNS)}


def row_of(number: int = 2, /, **changed: Any) -> Any:
    cells = [changed.get(column, ADA[place]) for column, place in PLACES.items()]
    row = Row(number, cells)
    return judged(Table(PLACES, COLUMNS, [row], []), row)


def test_a_row_says_who_registered_and_when() -> None:
    assert row_of().found == Student(
        "525001",
        "李雷",
        "resident_id_card",
        "11010519491231002X",
        "undergraduate",
        date(2025, 9, 1),
    )


@pytest.mark.parametrize(
    ("column", "cell", "code"),
    [
        ("number", "", "empty"),
        ("number", 1.1e17, "damaged_number"),
        ("number", "9" * 101, "too_long"),
        ("name", " ", "empty"),
        ("document", "学生证", "unknown_document"),
        ("document_number", 110105194912310.0, "not_text"),
        ("document_number", "1.10105E+17", "damaged_number"),
        ("document_number", "110105194912310021", "check_digit"),
        ("category", "旁听生", "unknown_category"),
        ("registered_on", "9月1日", "no_year"),
        ("registered_on", "开学", "not_a_day"),
    ],
)
def test_the_cell_that_cannot_be_right_is_told(column: str, cell: Any, code: str) -> None:
    assert row_of(**{column: cell}).found == RowRefused(column, code)


def test_of_several_the_first_cell_is_told() -> None:
    assert row_of(name="", category="旁听生").found == RowRefused("name", "empty")


def test_words_and_codes_are_understood_in_both_languages() -> None:
    for words, codes in ((DOCUMENTS, Document), (CATEGORIES, Category)):
        assert {*words.values()} == {str(code) for code in codes}
        section = "document" if codes is Document else "category"
        column = section
        for code in codes:
            for language in LANGUAGES:
                told = Words(language)(section, code)
                found = row_of(**{column: told, "document_number": "X"}).found
                # Whatever else is wrong, the word is understood.
                assert getattr(found, "column", "") != column, told


@pytest.mark.parametrize(
    ("cell", "code"),
    [("本 科 生", "undergraduate"), ("Undergraduate", "undergraduate"), ("研究生", "postgraduate")],
)
def test_a_word_may_be_written_with_spaces_and_in_capitals(cell: str, code: str) -> None:
    assert row_of(category=cell).found.category == code


def test_equal_rows_count_once_and_others_not_at_all() -> None:
    rows = [
        row_of(2),
        row_of(3, name="韩梅梅"),
        row_of(4, number="7"),
        row_of(5, number="7.0"),
        row_of(6, number="8", name="甲"),
        row_of(7, number="８", name=" 甲 "),
        row_of(8, number="8", name="甲"),
        row_of(9, number=""),
        row_of(10, number=""),
        row_of(11, number="9", document_number="bad-one"),
        row_of(12, number="9"),
    ]
    assert told_twice(rows) == {
        2: [3],
        3: [2],
        7: [6, 8],
        8: [6, 7],
        11: [12],
        12: [11],
    }


def test_the_usual_length_is_that_of_most() -> None:
    assert usual_length(["525001", "525002", "25003"]) == 6
    assert usual_length(["1", "22"]) == 0
    assert usual_length([]) == 0


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_reason_says_what_is_wrong_and_how_to_mend_it(language: Any) -> None:
    words = Words(language)
    for section in ("row_refused", "row_mend"):
        assert words.codes()[section] >= {*REASONS}
    assert words.codes()["roster"] >= {*COLUMNS}


def test_nothing_of_a_person_stands_in_a_repr() -> None:
    assert "李雷" not in repr(row_of().found)
