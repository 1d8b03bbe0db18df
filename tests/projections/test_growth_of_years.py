"""How the work of questions grows with what is recorded of one student in each of two years."""

from collections.abc import Callable, Sequence

import pytest
from given import (
    SIGNED,
    Given,
    Step,
    card,
    checked,
    continuing,
    given,
    moved,
    other_cover,
    paid,
    registered,
    roster,
    stopped,
)
from over_years import record_of
from steps import again, steps

from yibao.domain.calendar import read_instant
from yibao.projections.answer import answer
from yibao.projections.comparison import compare
from yibao.projections.history import histories
from yibao.projections.parts import PARTS
from yibao.projections.record import Record

LAST = read_instant("2026-12-31 12:00")
IN_2025 = "2025-12-20 09:00"
IN_2026 = "2025-12-21 09:00"
TOLD: dict[str, Callable[[str], list[Step]]] = {
    "cards": lambda at: [card(at)],
    "schools": lambda at: [moved(at, "ecnu"), roster(at, observed=True), moved(at, "tongji")],
    "employee": lambda at: [other_cover(at, "employee"), stopped(at, "2025-09-20")],
    "checks": lambda at: [checked(at, 1), checked(at, 2)],
}
QUESTIONS: dict[str, Callable[[Record], object]] = {
    "answer": lambda record: answer(record, LAST, LAST),
    "history": lambda record: histories(record, PARTS, LAST),
    "comparison": lambda record: compare(record, LAST, 0, LAST),
    "moments": lambda record: record.moments(),
}


def told(student: Given, said: Sequence[Step], times: int) -> Given:
    known = len(student.recorded)
    student.and_(*said)
    student.recorded[known:] = again(student.recorded[known:], times, known)
    return student


@pytest.mark.parametrize("year", [2025, 2026])
@pytest.mark.parametrize("question", QUESTIONS.values(), ids=QUESTIONS)
@pytest.mark.parametrize("said", TOLD.values(), ids=TOLD)
def test_four_times_the_facts_of_both_years_take_a_question_at_most_eight_times_the_steps(
    said: Callable[[str], list[Step]], question: Callable[[Record], object], year: int
) -> None:
    def asked(times: int) -> int:
        first = told(given(*SIGNED, checked("2025-09-06 10:30", 2)), said(IN_2025), times)
        entered = registered("2025-09-01", at="2025-11-15 09:00")
        second = given(entered, paid("2025-11-20 10:00", 2026), policy=continuing())
        record = record_of(first, told(second, said(IN_2026), times), year=year)
        return steps(lambda: question(record))

    assert asked(80) < 8 * asked(20)
