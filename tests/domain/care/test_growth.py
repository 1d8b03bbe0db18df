"""How the work grows with the care of one student."""

from collections.abc import Sequence

import pytest
from given import Given, care, checked, confirm, filed, given, registered, roster, settle
from given.years import edition_saying
from steps import again, steps

from yibao.domain.calendar import read_instant
from yibao.domain.care.assessing import assessments
from yibao.domain.care.ledger import Ledger, cares
from yibao.domain.facts import events
from yibao.domain.facts.streams import fold
from yibao.domain.rules.case import Case

AT = read_instant("2025-12-20 12:00")
COVERED = (
    registered("2025-09-01"),
    roster(),
    confirm("2025-09-06 10:00"),
    checked("2025-09-06 10:30"),
    filed("2025-09-07 09:00"),
)
KINDS = [
    care("2025-10-01", "outpatient", "0.10", level="third"),
    care("2025-10-01", "campus_clinic", "10.00"),
    care("2025-10-01", "inpatient", "10.00", level="first", province="zhejiang"),
    care("2025-08-01"),
]
IDS = ["of the yearly deductible", "of a clinic", "in another province", "refused"]


def anew(student: Given) -> Case:
    return Case(student.policy, student.case.known)


@pytest.mark.parametrize("piece", KINDS, ids=IDS)
def test_an_answer_about_four_times_the_care_takes_four_times_the_steps(piece: object) -> None:
    student = given(*COVERED, piece)  # type: ignore[arg-type]
    few, many = (cares(fold(again(student.received, times))) for times in (50, 200))
    taken = steps(lambda: assessments(anew(student), few, AT))
    assert steps(lambda: assessments(anew(student), many, AT)) < 5 * taken


def following(student: Given, recorded: Sequence[events.Event]) -> int:
    """The steps of taking in these events after one another, assessing after each."""
    case, ledger = anew(student), Ledger()

    def follow() -> None:
        for event in recorded:
            ledger.take(event)
            assessments(case, ledger.cares, AT)

    return steps(follow)


@pytest.mark.parametrize("piece", KINDS, ids=IDS)
def test_following_four_times_the_care_takes_four_times_the_steps(piece: object) -> None:
    student = given(*COVERED, piece)  # type: ignore[arg-type]
    few, many = (again(student.received, times) for times in (50, 200))
    assert following(student, many) < 5 * following(student, few)


@pytest.mark.parametrize("restart", ["benefit_period", "calendar_year"])
def test_what_is_left_of_a_cap_takes_as_many_steps_a_piece_however_many_consumed_it(
    restart: str,
) -> None:
    policy = edition_saying(
        "capped",
        benefit_to=("day", "2026-12-31"),
        outpatient_cap=("yuan a year", "99999.00"),
        yearly_amounts_restart=("period", restart),
    )
    visits = [
        care(day, "outpatient", "400.00", level="third") for day in ("2025-10-01", "2026-01-01")
    ]
    student = given(*COVERED, *visits, policy=policy)
    few, many = (again(student.received, times) for times in (50, 200))
    assert following(student, many) < 5 * following(student, few)


def test_following_settlements_takes_as_many_steps_each_however_many_there_were() -> None:
    student = given(*COVERED, KINDS[0], settle())
    few, many = (again(student.received, times) for times in (50, 200))
    assert following(student, many) < 5 * following(student, few)


def test_settling_the_first_of_much_care_does_not_assess_the_rest_again() -> None:
    student = given(*COVERED, KINDS[0])
    received = again(student.received, 200)
    student.and_(settle())
    settled = student.received[-1].model_copy(
        update={"originator_version": 201, "care": received[0].event_id}
    )
    case, ledger = anew(student), Ledger(received)
    whole = steps(lambda: assessments(case, ledger.cares, AT))
    ledger.take(settled)
    assert steps(lambda: assessments(case, ledger.cares, AT)) < whole / 10
