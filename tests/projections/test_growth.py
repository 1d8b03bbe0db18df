"""How the work of answers and questions grows with what is recorded of one student."""

from collections.abc import Callable

import pytest
from given import (
    Given,
    Step,
    account,
    activate,
    card,
    care,
    checked,
    confirmed,
    continuing,
    filed,
    given,
    keep,
    moved,
    other_cover,
    paid,
    registered,
    roster,
    settle,
    stopped,
    withdraw,
)
from over_years import record_of
from steps import again, steps

from yibao.domain.calendar import read_instant
from yibao.projections.audit_trail import entries_with_windows
from yibao.projections.care import review
from yibao.projections.comparison import compare
from yibao.projections.history import histories
from yibao.projections.parts import PARTS
from yibao.projections.record import Record

LAST = read_instant("2025-12-31 12:00")
AT = "2025-09-20 09:00"
KNOWN = (registered("2025-09-01"), roster(), confirmed("2025-09-06 10:00"))

#: What is told of one student again and again.
TOLD: dict[str, list[Step]] = {
    "schools and rosters": [
        moved(AT, "ecnu"),
        roster(AT, observed=True),
        moved(AT, "tongji"),
        confirmed(AT),
    ],
    "choices": [
        other_cover(AT, "other_province"),
        keep(AT, observed=True),
        activate(AT, observed=True),
        confirmed(AT),
        activate(AT, observed=True),
    ],
    "checks": [checked(AT, 0), checked(AT, 1), confirmed(AT), keep(AT, observed=True)],
    "employee": [other_cover(AT, "employee"), stopped(AT, "2025-09-20")],
    "accounts and cards": [account(AT, "2025-09-20"), card(AT), activate(AT, observed=True)],
    "withdrawals": [withdraw(AT, "2025-10-20", observed=True), paid(AT, 2026)],
    "care and filings": [
        filed(AT, observed=True),
        care("2025-09-19", province="zhejiang", at=AT),
        care("2025-09-20", "outpatient", "1.00", level="third", at=AT),
        settle(at=AT, observed=True),
    ],
    "care while opting out": [confirmed(AT), keep(AT, observed=True), care("2025-09-19", at=AT)],
}


def student_told(told: list[Step], times: int) -> Given:
    """A student of whom all this was told so many times."""
    student: Given = given(*KNOWN)
    known, received = len(student.recorded), len(student.received)
    student.and_(*told)
    student.recorded[known:] = again(student.recorded[known:], times, known)
    student.received[received:] = again(student.received[received:], times, received)
    return student


def work(told: list[Step], times: int) -> int:
    student = student_told(told, times)
    return steps(lambda: student.answer("2025-12-20 12:00"))


@pytest.mark.parametrize("told", TOLD.values(), ids=TOLD)
def test_four_times_the_facts_take_at_most_five_times_the_steps(told: list[Step]) -> None:
    assert work(told, 200) < 5 * work(told, 50)


#: What follows knowledge from fact to fact.
QUESTIONS: dict[str, Callable[[Record], object]] = {
    "history": lambda record: histories(record, PARTS, LAST),
    "comparison": lambda record: compare(record, LAST, 0, LAST),
    "review": lambda record: review(record, LAST, LAST),
    "trail": lambda record: list(entries_with_windows(record)),
}


#: What may be told of one student very often. Who confirms and opts out in turn has every choice
#: looked at anew each time.
OFTEN: dict[str, list[Step]] = {
    **{name: TOLD[name] for name in ("employee", "withdrawals", "care and filings")},
    "schools and rosters": [moved(AT, "ecnu"), roster(AT, observed=True), moved(AT, "tongji")],
    "checks": [checked(AT, 0), checked(AT, 1)],
    "cards": [card(AT)],
    "care": [
        care("2025-09-20", "outpatient", "400.00", level="third", at=AT),
        settle(at=AT, observed=True),
    ],
}


@pytest.mark.parametrize("question", QUESTIONS.values(), ids=QUESTIONS)
@pytest.mark.parametrize("told", OFTEN.values(), ids=OFTEN)
def test_four_times_the_facts_take_a_question_at_most_eight_times_the_steps(
    question: Callable[[Record], object], told: list[Step]
) -> None:
    def asked(times: int) -> int:
        record = student_told(told, times).everything
        return steps(lambda: question(record))

    assert asked(80) < 8 * asked(20)


@pytest.mark.parametrize("question", QUESTIONS.values(), ids=QUESTIONS)
@pytest.mark.parametrize("name", ["checks", "employee", "cards"])
@pytest.mark.parametrize("asked_for", [2025, 2026])
def test_the_facts_of_another_year_take_a_question_no_more_than_that_either(
    question: Callable[[Record], object], name: str, asked_for: int
) -> None:
    next_year = given(
        registered("2025-09-01", at="2025-11-15 09:00"),
        paid("2025-11-20 09:00", 2026),
        policy=continuing(),
    )

    def asked(times: int) -> int:
        record = record_of(student_told(OFTEN[name], times), next_year, year=asked_for)
        return steps(lambda: question(record))

    assert asked(80) < 8 * asked(20)
