"""From when to when is care covered, and is it on this day?"""

import pytest
from given import Given, checked, confirm, given, registered, roster, told

from yibao.domain.calendar import read_day, read_instant
from yibao.projections.coverage import coverage, is_covered_on

AT = read_instant("2025-12-31 12:00")


@pytest.fixture
def student() -> Given:
    return given(registered("2025-09-01"), roster(), confirm("2025-09-06 14:20"))


def test_it_tells_the_benefit_window(student: Given) -> None:
    student.and_(checked("2025-09-06 14:50", 1))
    assert told(coverage(student.case, AT).value) == "2025-12-02 to 2025-12-31"


@pytest.mark.parametrize(
    ("day", "covered"),
    [
        ("2025-12-01", False),
        ("2025-12-02", True),
        ("2025-12-31", True),
        ("2026-01-01", False),
    ],
)
def test_both_ends_of_the_window_are_covered(student: Given, day: str, covered: bool) -> None:
    student.and_(checked("2025-09-06 14:50", 1))
    assert is_covered_on(coverage(student.case, AT), read_day(day)) is covered


def test_no_day_is_covered_while_the_window_is_pending(student: Given) -> None:
    assert not is_covered_on(coverage(student.case, AT), read_day("2025-12-31"))


def test_no_day_is_covered_where_there_is_no_window(student: Given) -> None:
    student.and_(checked("2025-09-06 14:50", 2))
    assert not is_covered_on(coverage(student.case, AT), read_day("2025-12-31"))
