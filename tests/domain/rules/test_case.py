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


@pytest.mark.parametrize(("on", "counts"), [("2025-12-31", True), ("2026-01-01", False)])
def test_a_withdrawal_counts_within_the_benefit_year(student: Given, on: str, counts: bool) -> None:
    student.and_(withdraw("2025-12-01 09:00", on))
    assert (student.case.withdrawal is not None) is counts


def test_the_registration_gives_day_and_category(student: Given) -> None:
    case = student.case
    assert (told(case.registered_on), case.category) == ("2025-09-01", "undergraduate")
