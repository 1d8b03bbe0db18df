"""Care of who has left and is covered all the same, and of who goes on from the year before."""

from typing import Any

import pytest
from given import (
    COVERED,
    ELSEWHERE,
    Bill,
    Given,
    Step,
    activate,
    card,
    care,
    checked,
    confirmed,
    filed,
    given,
    keep,
    leaves,
    other_cover,
    paid,
    registered,
    stopped,
    told,
    withdraw,
)
from given.telling import bill_of
from given.years import Years, continuing, edition_saying

from yibao.domain.calendar import read_instant
from yibao.domain.care.assessing import Assessed, assessments
from yibao.domain.care.ledger import Ledger, cares
from yibao.domain.facts.streams import fold
from yibao.domain.rules.case import Case

#: Cover goes on for who has graduated, and ends for who withdraws or is suspended.
AFTER = ("kinds of leaving", {"graduated": "until_benefit_to", "suspended": "ends"})
GOES_ON = edition_saying("goes-on", cover_after_leaving=AFTER)
#: The year that follows shanghai-2025.
NEXT = continuing(cover_after_leaving=AFTER)
ENTERED = registered("2025-09-01", "2025-11-01 09:00")
PAID = (ENTERED, paid("2025-11-20 10:00", 2026, observed=True))
LATE = "2026-12-31 23:00"


def left(on: str, kind: str | None = None, at: str | None = None) -> Step:
    return withdraw(at or f"{on} 09:00", on, observed=True, kind=kind)


def bill(student: Given) -> Bill:
    return student.bill()


def following(before: Given, *steps: Step, **sheet: str) -> tuple[Given, Case]:
    """A student of the next year, as she goes on from the one before."""
    student = given(*steps, policy=NEXT, **sheet)
    return student, Years(before, student).cases[2026]


def assessed(before: Given, *steps: Step, **sheet: str) -> tuple[Assessed, ...]:
    student, case = following(before, *steps, **sheet)
    return assessments(case, cares(fold(student.received)), read_instant(LATE))


def settlements(before: Given, *steps: Step, **sheet: str) -> list[str]:
    """How each piece of care is settled, or why it is not, or that nobody knows yet."""
    bills = map(bill_of, assessed(before, *steps, **sheet))
    return [each.refused or ("pending" if each.pending else each.settlement) for each in bills]


# R38


def test_where_cover_goes_on_after_leaving_care_settles_as_if_active() -> None:
    student = given(*COVERED, left("2025-10-10", "graduated"), care("2025-12-31"), policy=GOES_ON)
    assert student.bill() == Bill("80.00", "20.00", "0.00", "300.00", "direct", None, False)
    assert student.state("2025-12-31 12:00") == "withdrawn"


@pytest.mark.parametrize(
    ("kind", "day", "expected"),
    [
        (None, "2025-10-09", "direct"),
        (None, "2025-10-10", "withdrawn"),
        ("withdrawn", "2025-10-10", "withdrawn"),
        ("suspended", "2025-10-10", "withdrawn"),
        ("graduated", "2025-10-10", "direct"),
        ("graduated", "2026-01-01", "outside_benefit_year"),
    ],
)
def test_leaving_refuses_care_only_where_it_ends_the_cover(
    kind: str | None, day: str, expected: str
) -> None:
    student = given(*COVERED, left("2025-10-10", kind), care(day), policy=GOES_ON)
    found = student.bill()
    assert (found.refused or found.settlement) == expected


def test_an_edition_that_says_nothing_of_leaving_ends_the_cover_with_it() -> None:
    student = given(*COVERED, left("2025-10-10", "graduated"), care("2025-10-10"))
    assert student.bill().refused == "withdrawn"


def test_of_who_left_while_waiting_and_is_covered_all_the_same_the_later_care_settles() -> None:
    waiting = (*COVERED[:-1], checked("2025-09-06 10:30", 1))
    student = given(
        *waiting,
        left("2025-10-10", "graduated"),
        care("2025-11-30", name="waiting"),
        care("2025-12-01", name="before"),
        care("2025-12-02", name="covered"),
        policy=GOES_ON,
    )
    assert [student.bill(name).refused for name in ("waiting", "before", "covered")] == [
        "in_waiting_period",
        "before_window",
        None,
    ]
    assert student.bill("covered").settlement == "direct"


def test_before_any_cover_who_left_is_refused_by_what_holds_as_if_nobody_had() -> None:
    student = given(
        registered("2025-09-20"),
        confirmed("2025-09-21 10:00"),
        checked("2025-09-21 10:30"),
        left("2025-10-10", "graduated"),
        care("2025-09-19"),
        policy=GOES_ON,
    )
    assert student.bill().refused == "before_window"


def test_an_opt_out_ends_the_cover_of_who_left_all_the_same() -> None:
    student = given(
        *COVERED,
        ELSEWHERE,
        left("2025-10-10", "graduated"),
        keep("2025-10-20 09:00", observed=True),
        care("2025-10-20", name="that day"),
        care("2025-10-21", name="after it"),
        policy=GOES_ON,
    )
    assert student.bill("that day").settlement == "direct"
    assert student.bill("after it").refused == "opted_out"


def test_who_left_and_comes_back_settles_on_every_day_between() -> None:
    student = given(
        *COVERED,
        ELSEWHERE,
        left("2025-10-10", "graduated"),
        keep("2025-10-20 09:00", observed=True),
        confirmed("2025-11-01 10:00"),
        *(care(day, name=day) for day in ("2025-10-15", "2025-10-25", "2025-11-02")),
        policy=GOES_ON,
    )
    assert [bill.settlement for bill in student.bills()] == ["direct", "claim", "direct"]


# R33


def test_who_goes_on_is_settled_at_once_from_the_first_day_of_the_new_year() -> None:
    before = given(*COVERED, care("2025-12-31"))
    assert before.bill().settlement == "direct"
    days = ("2025-12-31", "2026-01-01", "2026-12-31")
    assert settlements(before, *PAID, *map(care, days)) == [
        "outside_benefit_year",
        "direct",
        "direct",
    ]


def test_a_deductible_begins_anew_with_each_enrollment() -> None:
    visit = {"setting": "outpatient", "cost": "400.00", "level": "third"}
    before = given(*COVERED, care("2025-12-31", **visit))
    (after,) = assessed(before, *PAID, care("2026-01-01", **visit))
    assert [bill_of(after).used, before.bill().used] == ["300.00", "300.00"]


def test_a_medical_card_of_the_year_before_settles_care_at_once() -> None:
    before = given(*COVERED, card("2025-10-02 09:00"), document="passport")
    (found,) = assessed(before, *PAID, care("2026-01-01"), document="passport")
    assert told(found.settlement.value) == "direct"
    assert "medical-card-issued" in leaves(found.settlement)
    without = given(*COVERED, document="passport")
    assert settlements(without, *PAID, care("2026-01-01"), document="passport") == ["claim"]


def test_the_first_card_of_whichever_year_counts() -> None:
    before = given(*COVERED, document="passport")
    own = card("2026-03-01 09:00")
    days = (care("2026-02-28"), care("2026-03-01"))
    assert settlements(before, *PAID, own, *days, document="passport") == ["claim", "direct"]


def test_an_e_voucher_that_was_activated_on_a_passport_settles_care_in_the_next_year() -> None:
    before = given(*COVERED, activate("2025-10-02 09:00", observed=True), document="passport")
    here, there = care("2026-01-01"), care("2026-01-02", province="zhejiang")
    filing = filed("2026-01-01 09:00", observed=True)
    assert settlements(before, *PAID, filing, here, there, document="passport") == [
        "direct",
        "other_province",
    ]


def test_a_filing_counts_in_the_year_in_which_it_was_made() -> None:
    before = given(*COVERED, filed("2025-10-02 09:00", observed=True))
    elsewhere = care("2026-01-02", province="zhejiang")
    assert settlements(before, *PAID, elsewhere) == ["remote_care_not_filed"]


def test_care_in_a_waiting_period_that_goes_on_from_the_year_before_is_refused_for_it() -> None:
    before = given(*COVERED[:-1], checked("2025-09-06 10:30", 2))
    days = ("2026-01-01", "2026-02-28", "2026-03-01", "2026-03-02")
    assert settlements(before, *PAID, *map(care, days)) == [
        "in_waiting_period",
        "in_waiting_period",
        "before_window",
        "direct",
    ]


def test_while_the_year_before_is_open_so_is_the_care_of_this_one() -> None:
    before = given(*COVERED[:-1])
    assert settlements(before, *PAID, care("2026-01-01"), care("2025-12-31")) == [
        "pending",
        "outside_benefit_year",
    ]


def test_employee_cover_of_the_year_before_holds_up_the_care_of_this_one() -> None:
    employed = other_cover("2025-09-01 09:00", "employee")
    before = given(*COVERED, employed)
    assert settlements(before, *PAID, care("2026-01-05")) == ["pending"]
    stop = stopped("2026-01-04 09:00", "2026-01-04")
    days = ("2026-01-03", "2026-01-04", "2026-01-05")
    assert settlements(before, *PAID, stop, *map(care, days)) == [
        "before_window",
        "claim",
        "direct",
    ]


def test_who_left_in_the_year_before_has_no_care_here_where_that_ends_the_cover() -> None:
    check = checked("2025-11-21 10:00", 0)
    gone = given(*COVERED, left("2025-11-30", "suspended"))
    assert settlements(gone, *PAID, check, care("2026-01-01")) == ["withdrawn"]
    graduated = given(*COVERED, left("2025-11-30", "graduated"), policy=GOES_ON)
    assert settlements(graduated, *PAID, check, care("2026-01-01")) == ["direct"]


def test_who_graduates_in_the_new_year_is_settled_at_once_until_its_end() -> None:
    before = given(*COVERED)
    days = ("2026-06-30", "2026-07-01", "2026-12-31", "2027-01-01")
    assert settlements(before, *PAID, left("2026-07-01", "graduated"), *map(care, days)) == [
        "direct",
        "direct",
        "direct",
        "outside_benefit_year",
    ]


def test_nobody_who_has_not_paid_is_enrolled() -> None:
    before = given(*COVERED)
    assert settlements(before, ENTERED, care("2026-01-01")) == ["pending"]
    student, case = following(before, ENTERED, care("2026-01-01"))
    at = read_instant("2027-01-01 00:00")
    (found,) = assessments(case, cares(fold(student.received)), at)
    assert found.refused == "not_enrolled"


def test_whoever_follows_care_is_told_what_one_who_asks_at_once_is_when_the_year_before_moves() -> (
    None
):
    visits = [care(f"2026-01-0{day}") for day in (1, 2, 3)]
    student, case = following(given(*COVERED, document="passport"), *PAID, *visits)
    ledger = Ledger(student.received)
    at = read_instant(LATE)
    assessments(case, ledger.cares, at)
    carded = given(*COVERED, card("2026-01-02 09:00"), document="passport")
    facts: Any = case.known
    followed = Case(NEXT, facts, case.fixes, case.facts, case, carded.case)
    found = assessments(followed, ledger.cares, at)
    assert found == assessments(Case(NEXT, facts, before=carded.case), ledger.cares, at)
