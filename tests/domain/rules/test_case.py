"""What a question is put to: the facts, and what of them held at a moment."""

import pytest
from given import Given, confirmed, given, keep, moved, registered, told, withdraw

from yibao.domain.calendar import read_instant
from yibao.domain.facts.counting import end_of_stream


@pytest.fixture
def student() -> Given:
    return given(
        registered("2025-09-01"),
        confirmed("2025-09-06 10:00"),
        keep("2025-10-15 10:00", observed=True),
        moved("2025-11-01 09:00", "ecnu"),
    )


@pytest.mark.parametrize(
    ("instant", "choices"),
    [
        ("2025-09-06 09:59", []),
        ("2025-09-06 10:00", ["confirmed"]),
        ("2025-10-15 09:59", ["confirmed"]),
        ("2025-10-15 10:00", ["confirmed", "other-cover-kept"]),
    ],
)
def test_until_a_moment_later_choices_are_left_out(
    student: Given, instant: str, choices: list[str]
) -> None:
    held = student.case.until(end_of_stream(read_instant(instant)))
    assert [choice.event.name for choice in held.facts.choices] == choices


def test_a_choice_held_from_its_own_moment(student: Given) -> None:
    choice = student.case.facts.choices[0]
    assert student.case.until(choice.moment).facts.choices == [choice]


def test_until_a_moment_all_other_facts_stand(student: Given) -> None:
    held = student.case.until(end_of_stream(read_instant("2025-09-02 09:00")))
    assert [fact.event.name for fact in held.known] == ["registered", "school-changed"]


def test_where_nothing_was_chosen_later_the_case_is_the_same(student: Given) -> None:
    case = student.case
    assert case.until(end_of_stream(read_instant("2025-12-01 09:00"))) is case


def test_what_was_derived_once_is_not_derived_again(student: Given) -> None:
    case = student.case
    assert [case.once("answer", lambda: 1), case.once("answer", lambda: 2)] == [1, 1]


@pytest.mark.parametrize(("on", "counts"), [("2025-12-31", True), ("2026-01-01", False)])
def test_a_withdrawal_counts_within_the_benefit_year(student: Given, on: str, counts: bool) -> None:
    student.and_(withdraw("2025-12-01 09:00", on))
    assert (student.case.withdrawal is not None) is counts


def test_the_registration_gives_day_and_category(student: Given) -> None:
    case = student.case
    assert (told(case.registered_on), case.category) == ("2025-09-01", "undergraduate")
