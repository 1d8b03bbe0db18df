"""What stands once a year: the deductible, and what the fund pays at most (R27, R29, R37)."""

from typing import Any

import pytest
from given import (
    COVERED,
    SIGNED,
    WAITING,
    Given,
    Step,
    care,
    correct,
    edition,
    given,
    leaves,
    other_cover,
    reverse,
    settle,
    told,
    void,
)
from given.years import edition_saying

from yibao.domain.derivation import Derived, rests_on_assumption
from yibao.domain.editions.policy import Policy
from yibao.projections.care import review
from yibao.projections.comparison import compare

#: Of every cost at the third level the fund pays half, 1,000 yuan a year at most.
CAP: dict[str, Any] = {"outpatient_cap": ("yuan a year", "1000.00")}
HALF: dict[str, Any] = CAP | {"outpatient_deductible": ("yuan a year", "0.00")}
CAPPED = edition_saying("capped", **HALF)
CAMPUS_TOO = edition_saying("capped", **HALF, outpatient_cap_counts_campus=("yes or no", True))
CALENDAR_YEAR: dict[str, Any] = {"yearly_amounts_restart": ("period", "calendar_year")}
#: A window over two calendar years.
LONG: dict[str, Any] = {"benefit_to": ("day", "2026-12-31")}
BY_CALENDAR = edition_saying("by-calendar", **LONG, **CAP, **CALENDAR_YEAR)


def outpatient(on: str, cost: str, level: str = "third", **values: Any) -> Step:
    return care(on, "outpatient", cost, level=level, **values)


def paid(student: Given) -> list[tuple[str, str, str]]:
    """What the fund pays, what the patient pays, and what is left of the cap."""
    return [(bill.fund, bill.patient, bill.cap) for bill in student.bills()]


def of_the_deductible(student: Given) -> list[tuple[str, str]]:
    return [(bill.used, bill.left) for bill in student.bills()]


# R37


def test_worked_example_25() -> None:
    student = given(*COVERED, outpatient("2025-10-01", "3000.00"), policy=CAPPED)
    assert paid(student) == [("1000.00", "2000.00", "0.00")]


def test_the_fund_pays_what_is_left_of_the_cap_and_then_nothing() -> None:
    student = given(
        *COVERED,
        outpatient("2025-10-01", "1200.00"),
        care("2025-10-02", "emergency", "1200.00", level="third"),
        outpatient("2025-10-03", "10.00", "first"),
        policy=CAPPED,
    )
    assert paid(student) == [
        ("600.00", "600.00", "400.00"),
        ("400.00", "800.00", "0.00"),
        ("0.00", "10.00", "0.00"),
    ]


@pytest.mark.parametrize(
    ("cost", "expected"),
    [
        ("1999.98", ("999.99", "999.99", "0.01")),
        ("2000.00", ("1000.00", "1000.00", "0.00")),
        ("2000.02", ("1000.00", "1000.02", "0.00")),
    ],
)
def test_a_share_may_meet_the_cap_exactly(cost: str, expected: tuple[str, str, str]) -> None:
    student = given(*COVERED, outpatient("2025-10-01", cost), policy=CAPPED)
    assert paid(student) == [expected]
    assert student.assessed().fund_pays.rule == ("R37" if cost == "2000.02" else "R27")


def test_a_cap_is_consumed_in_the_order_of_recording_whatever_the_days() -> None:
    student = given(
        *COVERED,
        outpatient("2025-12-01", "1500.00", at="2025-12-01 12:00"),
        outpatient("2025-10-01", "1500.00", at="2025-12-02 12:00"),
        policy=CAPPED,
    )
    assert [fund for fund, *_ in paid(student)] == ["750.00", "250.00"]


def test_the_deductible_is_taken_off_before_the_share_that_the_cap_bounds() -> None:
    policy = edition_saying("low", outpatient_cap=("yuan a year", "100.00"))
    student = given(*COVERED, outpatient("2025-10-01", "600.00"), policy=policy)
    assert paid(student) == [("100.00", "500.00", "0.00")]
    assert of_the_deductible(student) == [("300.00", "0.00")]


@pytest.mark.parametrize("policy", [CAPPED, CAMPUS_TOO], ids=["campus apart", "campus too"])
def test_a_stay_is_neither_bounded_by_the_cap_nor_consumes_it(policy: Policy) -> None:
    stay = care("2025-10-02", "inpatient", "10300.00", level="third")
    student = given(*COVERED, outpatient("2025-10-01", "200.00"), stay, policy=policy)
    assert paid(student) == [("100.00", "100.00", "900.00"), ("6000.00", "4300.00", "900.00")]


@pytest.mark.parametrize(
    "policy",
    [CAPPED, edition_saying("apart", **HALF, outpatient_cap_counts_campus=("yes or no", False))],
    ids=["silent", "no"],
)
@pytest.mark.parametrize("clinic", ["campus_clinic", "village_clinic"])
def test_care_at_a_clinic_is_apart_from_the_cap(clinic: str, policy: Policy) -> None:
    student = given(
        *COVERED,
        care("2025-10-01", clinic, "100.00"),
        outpatient("2025-10-02", "3000.00"),
        care("2025-10-03", clinic, "100.00"),
        policy=policy,
    )
    assert [(fund, left) for fund, _, left in paid(student)] == [
        ("80.00", "1000.00"),
        ("1000.00", "0.00"),
        ("80.00", "0.00"),
    ]


@pytest.mark.parametrize("clinic", ["campus_clinic", "village_clinic"])
def test_where_care_at_a_clinic_counts_it_consumes_the_cap_and_is_bounded_by_it(
    clinic: str,
) -> None:
    student = given(
        *COVERED,
        care("2025-10-01", clinic, "100.00"),
        outpatient("2025-10-02", "1800.00"),
        care("2025-10-03", clinic, "100.00"),
        policy=CAMPUS_TOO,
    )
    assert paid(student) == [
        ("80.00", "20.00", "920.00"),
        ("900.00", "900.00", "20.00"),
        ("20.00", "80.00", "0.00"),
    ]


def test_refused_and_pending_care_consumes_nothing_and_tells_what_is_left() -> None:
    student = given(
        *WAITING,
        outpatient("2025-10-01", "500.00"),
        outpatient("2025-12-05", "500.00"),
        outpatient("2026-01-01", "500.00"),
        policy=CAPPED,
    )
    assert paid(student) == [
        ("0.00", "500.00", "1000.00"),
        ("250.00", "250.00", "750.00"),
        ("0.00", "500.00", "750.00"),
    ]
    open_yet = given(*SIGNED, outpatient("2025-10-01", "500.00"), policy=CAPPED)
    assert (open_yet.bill().pending, open_yet.bill().cap) == (True, "1000.00")


def test_without_a_cap_there_is_none_left() -> None:
    student = given(*COVERED, outpatient("2025-10-01", "9000.00"))
    assert paid(student) == [("4350.00", "4650.00", "none")]
    assert student.assessed().cap_left.because == "no_cap"


def test_with_a_cap_of_nothing_the_fund_pays_nothing_of_it() -> None:
    policy = edition_saying("none", outpatient_cap=("yuan a year", "0.00"))
    student = given(*COVERED, outpatient("2025-10-01", "9000.00"), policy=policy)
    assert paid(student) == [("0.00", "9000.00", "0.00")]


def test_nothing_is_to_be_claimed_once_the_cap_is_consumed() -> None:
    early = "2025-09-03"
    student = given(
        *COVERED,
        outpatient(early, "2000.00", name="all of it"),
        outpatient(early, "100.00", name="after it"),
        policy=CAPPED,
    )
    assert [each.to_claim for each in student.answer().care] == [True, False]
    student.and_(settle("all of it", "2025-10-01 09:00"))
    assert "claim_care" not in student.steps("2025-10-02 09:00")


def test_a_correction_moves_what_is_left_for_the_next_and_a_settlement_does_not() -> None:
    student = given(
        *COVERED,
        outpatient("2025-10-01", "1200.00", name="first"),
        outpatient("2025-10-02", "1200.00", name="second"),
        policy=CAPPED,
    )
    before = paid(student)
    student.and_(settle("first", "2025-10-03 09:00", paid="1.00"))
    assert paid(student) == before
    student.and_(reverse("first", "2025-10-03 10:00"))
    assert paid(student) == before
    student.and_(correct("2025-10-04 09:00", "first", cost="200.00"))
    assert paid(student) == [("100.00", "100.00", "900.00"), ("600.00", "600.00", "300.00")]
    student.and_(void("2025-10-05 09:00", "first"))
    assert paid(student) == [("600.00", "600.00", "400.00")]


def test_what_is_left_of_the_cap_tells_the_cap_and_every_piece_that_consumed_it() -> None:
    student = given(
        *COVERED,
        outpatient("2025-10-01", "100.00"),
        care("2025-10-02", "inpatient", "900.00", level="first"),
        outpatient("2025-10-03", "100.00"),
        policy=CAMPUS_TOO,
    )
    left = student.answer().care[-1].cap_left
    assert left.rule == "R37"
    assert [part.name for part in left.inputs[:2]] == [  # type: ignore[union-attr]
        "outpatient_cap",
        "outpatient_cap_counts_campus",
    ]
    assert [part.place for part in left.inputs[2:]] == [1, 3]  # type: ignore[union-attr]
    assert rests_on_assumption(left, student.policy)


def test_what_the_cap_bounds_is_explained_by_the_share_and_by_what_was_left() -> None:
    student = given(
        *COVERED,
        outpatient("2025-10-01", "1600.00", name="below"),
        outpatient("2025-10-02", "1600.00", name="above"),
        policy=CAPPED,
    )
    assert student.assessed("below").fund_pays.rule == "R27"
    bounded = student.assessed("above").fund_pays
    share, left = bounded.inputs
    assert isinstance(share, Derived)
    assert isinstance(left, Derived)
    assert (bounded.rule, share.name, share.rule, left.name) == (
        "R37",
        "fund_share",
        "R27",
        "cap_left",
    )
    assert [told(each.value) for each in (bounded, share, left)] == ["200.00", "800.00", "200.00"]


def test_a_cap_that_moved_is_a_difference() -> None:
    student = given(
        *COVERED,
        outpatient("2025-10-01", "200.00", name="first"),
        outpatient("2025-10-02", "200.00", name="second"),
        policy=CAPPED,
    )
    student.and_(correct("2025-10-05 09:00", "first", cost="400.00"))
    then, now = (student.history[n].recorded_at for n in (-2, -1))
    (found,) = compare(student.everything, now, then, now).differences
    assert found.name == "care"
    assert [[str(each.cap_left) for each in side] for side in (found.then, found.now)] == [
        ["900.00", "800.00"],
        ["800.00", "700.00"],
    ]


def test_a_review_tells_the_cap_as_it_was_when_the_care_was_settled() -> None:
    student = given(
        *COVERED,
        outpatient("2025-10-01", "400.00", name="first"),
        outpatient("2025-10-02", "1800.00", name="second"),
        settle("second", "2025-10-03 09:00"),
        correct("2025-10-05 09:00", "first", cost="600.00"),
        policy=CAPPED,
    )
    now = student.latest_stamp
    (changed,) = review(student.everything, now, now)
    assert changed.now is not None
    assert [(str(each.fund_pays), str(each.cap_left)) for each in (changed.then, changed.now)] == [
        ("800.00", "0.00"),
        ("700.00", "0.00"),
    ]


# When they begin anew


def test_by_the_calendar_both_amounts_begin_anew_on_the_first_of_january() -> None:
    student = given(
        *COVERED,
        outpatient("2025-12-31", "3000.00"),
        outpatient("2026-01-01", "500.00"),
        policy=BY_CALENDAR,
    )
    assert paid(student) == [("1000.00", "2000.00", "0.00"), ("100.00", "400.00", "900.00")]
    assert of_the_deductible(student) == [("300.00", "0.00"), ("300.00", "0.00")]


@pytest.mark.parametrize("restart", [{}, {"yearly_amounts_restart": ("period", "benefit_period")}])
def test_else_they_are_counted_over_the_whole_window(restart: dict[str, Any]) -> None:
    student = given(
        *COVERED,
        outpatient("2025-12-31", "500.00"),
        outpatient("2026-01-01", "3000.00"),
        outpatient("2026-12-31", "3000.00"),
        policy=edition_saying("long", **LONG, **CAP, **restart),
    )
    assert [fund for fund, *_ in paid(student)] == ["100.00", "900.00", "0.00"]
    assert of_the_deductible(student) == [("300.00", "0.00"), ("0.00", "0.00"), ("0.00", "0.00")]


def test_each_calendar_year_goes_on_from_its_own_care_in_the_order_of_recording() -> None:
    late = "2026-03-01 12:00"
    student = given(
        *COVERED,
        outpatient("2026-02-01", "200.00", at=late),
        outpatient("2025-10-01", "250.00", at=late),
        outpatient("2026-01-01", "200.00", at=late),
        outpatient("2025-12-31", "250.00", at=late),
        outpatient("2026-02-02", "200.00", at=late),
        policy=BY_CALENDAR,
    )
    assert of_the_deductible(student) == [
        ("200.00", "100.00"),
        ("250.00", "50.00"),
        ("100.00", "0.00"),
        ("50.00", "0.00"),
        ("0.00", "0.00"),
    ]
    assert [left for *_, left in paid(student)] == [
        "1000.00",
        "1000.00",
        "950.00",
        "900.00",
        "850.00",
    ]


def test_a_correction_of_the_day_moves_care_into_the_other_year() -> None:
    student = given(
        *COVERED,
        outpatient("2025-12-31", "300.00", name="first"),
        outpatient("2026-01-02", "300.00", name="second"),
        policy=BY_CALENDAR,
    )
    assert of_the_deductible(student) == [("300.00", "0.00"), ("300.00", "0.00")]
    student.and_(correct("2026-02-01 09:00", "first", on="2026-01-01"))
    assert of_the_deductible(student) == [("300.00", "0.00"), ("0.00", "0.00")]


def test_the_window_and_not_the_calendar_year_bounds_what_is_covered() -> None:
    student = given(
        *COVERED,
        *(care(day) for day in ("2025-08-31", "2025-09-01", "2025-12-31")),
        *(care(day) for day in ("2026-01-01", "2026-12-31", "2027-01-01")),
        policy=BY_CALENDAR,
    )
    outside = "outside_benefit_year"
    assert [bill.refused for bill in student.bills()] == [outside, *[None] * 4, outside]
    assert [bill.settlement for bill in student.bills()][3:5] == ["direct", "direct"]


def test_what_begins_anew_tells_that_it_does() -> None:
    student = given(*COVERED, outpatient("2026-01-01", "100.00"), policy=BY_CALENDAR)
    for left in (student.assessed().deductible_left, student.assessed().cap_left):
        assert "yearly_amounts_restart" in leaves(left)
    plain = given(*COVERED, outpatient("2025-10-01", "100.00")).assessed().deductible_left
    assert leaves(plain) == ["outpatient_deductible", "care-received"]


def test_a_childs_earlier_use_is_unknown_in_the_year_in_which_cover_began() -> None:
    student = given(
        *COVERED,
        other_cover("2025-09-01 09:00", "shanghai_resident"),
        outpatient("2025-12-31", "100.00"),
        outpatient("2026-01-01", "100.00"),
        policy=BY_CALENDAR,
    )
    assert [each.earlier_use_is_unknown for each in student.answer().care] == [True, False]
    assert [each.deductible_left.rule for each in student.answer().care] == [
        "R29-earlier-use",
        "R29",
    ]


def test_in_a_window_of_one_calendar_year_it_makes_no_difference() -> None:
    facts = (*COVERED, outpatient("2025-10-01", "500.00"), outpatient("2025-12-31", "500.00"))
    by_calendar = edition_saying("by-calendar", **CALENDAR_YEAR)
    assert given(*facts, policy=by_calendar).bills() == given(*facts, policy=edition()).bills()
