"""What a question is put to: the facts, and what of them held at a moment."""

from typing import Any

import pytest
from given import (
    COVERED,
    EMPLOYED,
    REGISTERED,
    Given,
    confirmed,
    edition,
    edition_with,
    fix_window,
    given,
    keep,
    moved,
    registered,
    stopped,
    told,
    withdraw,
)

from yibao.domain.calendar import read_instant
from yibao.domain.facts.counting import end_of_stream
from yibao.domain.rules import Case, values


@pytest.fixture
def student() -> Given:
    return given(
        registered("2025-09-01"),
        confirmed("2025-09-06 10:00"),
        keep("2025-10-15 10:00", observed=True),
        moved("2025-11-01 09:00", "ecnu"),
    )


@pytest.mark.parametrize(
    ("instant", "held"),
    [
        ("2025-09-06 09:59", None),
        ("2025-09-06 10:00", ("confirmed", None)),
        ("2025-10-15 09:59", ("confirmed", None)),
        ("2025-10-15 10:00", ("confirmed", "other-cover-kept")),
        ("2025-11-02 09:59", ("confirmed", "other-cover-kept")),
        ("2025-11-02 10:00", ("confirmed", None)),
    ],
)
def test_what_was_chosen_after_a_moment_is_no_part_of_what_held_then(
    student: Given, instant: str, held: tuple[str, str | None] | None
) -> None:
    student.and_(confirmed("2025-11-02 10:00"))
    episode = student.case.episode_by(end_of_stream(read_instant(instant)))
    names = [each and each.event.name for each in episode[:2]] if episode else None
    assert names == (list(held) if held else None)


def test_a_choice_held_from_its_own_moment(student: Given) -> None:
    for choice in student.case.facts.choices:
        episode = student.case.episode_by(choice.moment)
        assert episode
        assert choice in episode


def test_who_came_back_later_had_not_come_back_then(student: Given) -> None:
    student.and_(confirmed("2025-11-02 10:00"))
    opted_out = student.case.facts.choices[1]
    assert student.case.episodes[0].ended_by is None
    episode = student.case.episode_by(opted_out.moment)
    assert episode
    assert episode.ended_by == opted_out


def test_what_was_derived_once_is_not_derived_again(student: Given) -> None:
    case = student.case
    assert [case.once("answer", lambda: 1), case.once("answer", lambda: 2)] == [1, 1]


JOB = given(REGISTERED, EMPLOYED, *COVERED[1:]).case
FIXED = given(REGISTERED, fix_window("2025-09-01 09:00", closes_on="2025-09-05")).case.fixes
IN_2024 = given(
    registered("2024-09-02"), confirmed("2024-09-05 10:30"), policy="shanghai-2024"
).case
STOPPED = given(REGISTERED, EMPLOYED, stopped("2025-10-10 09:00", "2025-10-10")).case.facts


@pytest.mark.parametrize(
    "differing",
    [
        {"policy": edition_with(waiting_months_per_lapsed_year=0)},
        {"fixes": FIXED},
        {"facts": given(*COVERED).case.facts},
        {"before": IN_2024},
        {"following": STOPPED},
    ],
    ids=lambda differing: next(iter(differing)),
)
def test_nothing_is_taken_over_from_a_case_that_differs(differing: dict[str, Any]) -> None:
    same: dict[str, Any] = {"policy": edition(), "known": JOB.known, "facts": JOB.facts}
    asked, like = same | differing, Case(**same)
    at = read_instant("2025-12-01 00:00")
    by_itself = values(Case(**asked), at)
    assert values(like, at) != by_itself
    assert values(Case(**asked, like=like), at) == by_itself


@pytest.mark.parametrize(("on", "counts"), [("2025-12-31", True), ("2026-01-01", False)])
def test_a_withdrawal_counts_within_the_benefit_year(student: Given, on: str, counts: bool) -> None:
    student.and_(withdraw("2025-12-01 09:00", on))
    assert (student.case.withdrawal is not None) is counts


def test_the_registration_gives_day_and_category(student: Given) -> None:
    case = student.case
    assert (told(case.registered_on), case.category) == ("2025-09-01", "undergraduate")
