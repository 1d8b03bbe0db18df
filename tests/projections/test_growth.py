"""How the work of one answer grows with what is recorded of one student."""

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
from steps import again, steps

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


def work(told: list[Step], times: int) -> int:
    """The steps of an answer where all this was told so many times."""
    student: Given = given(*KNOWN)
    known, received = len(student.recorded), len(student.received)
    student.and_(*told)
    student.recorded[known:] = again(student.recorded[known:], times, known)
    student.received[received:] = again(student.received[received:], times, received)
    return steps(lambda: student.answer("2025-12-20 12:00"))


@pytest.mark.parametrize("told", TOLD.values(), ids=TOLD)
def test_four_times_the_facts_take_at_most_five_times_the_steps(told: list[Step]) -> None:
    assert work(told, 200) < 5 * work(told, 50)
