"""What is paid for care: covered or why not, how much, and how it is settled (R26 to R31)."""

from collections.abc import Sequence

import pytest
from given import (
    Bill,
    Given,
    Step,
    activate,
    card,
    care,
    checked,
    confirm,
    confirmed,
    correct,
    edition_with,
    filed,
    fix_window,
    given,
    keep,
    leaves,
    other_cover,
    registered,
    reverse,
    roster,
    settle,
    stopped,
    told,
    void,
    withdraw,
)

from yibao.domain.calendar import read_instant
from yibao.domain.derivation import Derived, rests_on_assumption
from yibao.domain.facts.counting import Current
from yibao.domain.vocabulary import PENDING
from yibao.projections.comparison import Comparison, compare
from yibao.projections.next_step import NextStep
from yibao.projections.parts import PARTS

REGISTERED = registered("2025-09-01")
ROSTER = roster("2025-09-02 17:00")
SIGNED = (REGISTERED, ROSTER, confirm("2025-09-06 14:20"))
#: Worked example 1: the window is the whole benefit year, active from 2025-09-07 09:00.
COVERED = (registered("2025-08-30"), *SIGNED[1:], checked("2025-09-06 14:50"))
#: Worked example 2: waiting until 2025-11-30, the window from 2025-12-02.
WAITING = (*SIGNED, checked("2025-09-06 14:50", 1))
ELSEWHERE = other_cover("2025-09-01 09:00", "other_province")
KEPT = (REGISTERED, ROSTER, ELSEWHERE, keep("2025-09-03 18:00"))
EMPLOYED = other_cover("2025-09-01 09:00", "employee")
LATE = "2025-12-31 23:00"

CLINIC_PAID = Bill("80.00", "20.00", "0.00", "300.00", "direct", None, False)


def refused(reason: str) -> Bill:
    """A bill of 100.00 that the student pays alone."""
    return Bill("0.00", "100.00", "0.00", "300.00", "none", reason, False)


def outpatient(on: str, cost: str, level: str = "third", **values: str) -> Step:
    return care(on, "outpatient", cost, level=level, **values)


def stay(on: str, cost: str, level: str = "third", **values: str) -> Step:
    return care(on, "inpatient", cost, level=level, **values)


def funds(student: Given) -> list[str]:
    return [bill.fund for bill in student.bills()]


def used(student: Given) -> list[str]:
    return [bill.used for bill in student.bills()]


# The worked examples


def test_the_worked_example_of_student_1() -> None:
    student = given(
        *COVERED,
        care("2025-09-03", cost="120.00"),
        outpatient("2025-10-01", "500.00"),
        outpatient("2025-10-02", "100.00", "second"),
        stay("2025-11-01", "2100.00", "second"),
        stay("2025-11-20", "250.00"),
        care("2026-01-01", cost="10.00"),
    )
    assert student.bills() == [
        Bill("96.00", "24.00", "0.00", "300.00", "claim", None, False),
        Bill("100.00", "400.00", "300.00", "0.00", "direct", None, False),
        Bill("60.00", "40.00", "0.00", "0.00", "direct", None, False),
        Bill("1500.00", "600.00", "100.00", "0.00", "direct", None, False),
        Bill("0.00", "250.00", "250.00", "0.00", "direct", None, False),
        Bill("0.00", "10.00", "0.00", "0.00", "none", "outside_benefit_year", False),
    ]


def test_the_worked_example_of_student_12() -> None:
    student = given(
        REGISTERED,
        ROSTER,
        confirm("2025-12-31 10:00"),
        checked("2025-12-31 10:30"),
        care("2025-12-31", cost="10.00"),
    )
    assert student.bill() == Bill("8.00", "2.00", "0.00", "300.00", "claim", None, False)
    assert student.assessed().settlement.because == "no_evoucher_or_card_by_then"


def test_the_worked_example_of_student_9_is_paid_by_the_edition_of_2024() -> None:
    student = given(
        registered("2024-09-02"),
        confirm("2024-09-05 10:30", observed=True),
        care("2024-09-05", "village_clinic"),
        care("2024-09-06", "village_clinic", name="later"),
        policy="shanghai-2024",
    )
    assert student.bill().settlement == "claim"
    assert student.assessed().settlement.because == "not_active_that_day"
    assert student.bill("later") == CLINIC_PAID


@pytest.mark.parametrize(
    ("setting", "level", "fund", "consumed"),
    [
        ("campus_clinic", None, "800.00", "0.00"),
        ("village_clinic", None, "800.00", "0.00"),
        ("outpatient", "first", "490.00", "300.00"),
        ("outpatient", "second", "420.00", "300.00"),
        ("outpatient", "third", "350.00", "300.00"),
        ("emergency", "first", "490.00", "300.00"),
        ("emergency", "second", "420.00", "300.00"),
        ("emergency", "third", "350.00", "300.00"),
        ("inpatient", "first", "760.00", "50.00"),
        ("inpatient", "second", "675.00", "100.00"),
        ("inpatient", "third", "420.00", "300.00"),
    ],
)
def test_the_fund_pays_its_share_above_the_deductible(
    setting: str, level: str | None, fund: str, consumed: str
) -> None:
    bill = given(*COVERED, care("2025-10-01", setting, "1000.00", level=level)).bill()
    assert (bill.fund, bill.used) == (fund, consumed)


@pytest.mark.parametrize(
    ("cost", "fund", "patient"),
    [
        ("0.00", "0.00", "0.00"),
        ("0.01", "0.01", "0.00"),
        ("0.02", "0.02", "0.00"),
        ("0.03", "0.02", "0.01"),
        ("10000000.00", "8000000.00", "2000000.00"),
    ],
)
def test_what_the_fund_pays_is_rounded_and_the_patient_pays_the_rest(
    cost: str, fund: str, patient: str
) -> None:
    bill = given(*COVERED, care("2025-10-01", cost=cost)).bill()
    assert (bill.fund, bill.patient) == (fund, patient)


def test_only_the_eligible_cost_counts() -> None:
    student = given(*COVERED, care("2025-10-01", cost="100.00", total_cost="180.00"))
    assert student.bill() == CLINIC_PAID


# Covered, pending or refused, and why


@pytest.mark.parametrize(
    ("steps", "on", "reason"),
    [
        (COVERED, "2025-08-31", "outside_benefit_year"),
        (COVERED, "2025-09-01", None),
        (COVERED, "2025-12-31", None),
        (COVERED, "2026-01-01", "outside_benefit_year"),
        (COVERED, "2024-10-01", "outside_benefit_year"),
        (WAITING, "2025-09-01", "in_waiting_period"),
        (WAITING, "2025-11-30", "in_waiting_period"),
        (WAITING, "2025-12-01", "before_window"),
        (WAITING, "2025-12-02", None),
        ((*COVERED, withdraw("2025-10-15 09:00", "2025-10-15")), "2025-10-14", None),
        ((*COVERED, withdraw("2025-10-15 09:00", "2025-10-15")), "2025-10-15", "withdrawn"),
        ((*COVERED, withdraw("2025-10-15 09:00", "2025-10-15")), "2025-12-31", "withdrawn"),
        ((*COVERED, keep("2025-10-15 09:00", observed=True)), "2025-10-14", None),
        ((*COVERED, keep("2025-10-15 09:00", observed=True)), "2025-10-15", None),
        ((*COVERED, keep("2025-10-15 09:00", observed=True)), "2025-10-16", "opted_out"),
        ((*COVERED, keep("2025-10-15 09:00", observed=True)), "2025-12-31", "opted_out"),
        (KEPT, "2025-10-01", "opted_out"),
        ((*KEPT, confirm("2025-10-10 09:00"), checked("2025-10-10 09:30")), "2025-10-01", None),
        ((*COVERED, EMPLOYED, stopped("2025-10-10 09:00", "2025-10-10")), "2025-10-10", None),
        (
            (*COVERED, EMPLOYED, stopped("2025-10-10 09:00", "2025-10-10")),
            "2025-10-09",
            "before_window",
        ),
    ],
)
def test_care_is_covered_inside_the_window_and_else_refused_with_its_reason(
    steps: Sequence[Step], on: str, reason: str | None
) -> None:
    bill = given(*steps, care(on, at=LATE)).bill()
    assert bill.refused == reason
    assert bill.fund == ("0.00" if reason else "80.00")
    assert not bill.pending


def test_of_refused_care_the_patient_pays_all_and_nothing_is_settled() -> None:
    assert given(*WAITING, care("2025-10-01")).bill() == refused("in_waiting_period")


def test_care_before_a_late_registration_is_before_the_window() -> None:
    student = given(
        registered("2025-09-10"),
        roster("2025-09-10 17:00"),
        confirm("2025-09-11 09:00"),
        checked("2025-09-11 09:30"),
        care("2025-09-09"),
        care("2025-09-10", name="first day"),
    )
    assert [bill.refused for bill in student.bills()] == ["before_window", None]


@pytest.mark.parametrize(
    ("lapsed_years", "on", "reason"),
    [
        (1, "2025-10-01", "in_waiting_period"),
        (1, "2025-12-31", "in_waiting_period"),
        (1, "2025-09-30", "not_enrolled"),
        (2, "2025-12-31", "in_waiting_period"),
    ],
)
def test_where_the_cover_begins_only_after_the_year_care_is_refused_as_by_the_day(
    lapsed_years: int, on: str, reason: str
) -> None:
    student = given(
        registered("2025-10-01"),
        roster("2025-10-02 17:00"),
        confirm("2025-10-06 14:20"),
        checked("2025-10-06 14:50", lapsed_years),
        care(on, at=LATE),
    )
    assert (student.coverage(), student.bill().refused) == ("none", reason)


def test_employee_cover_into_the_next_year_leaves_no_window_and_so_nobody_enrolled() -> None:
    student = given(
        *COVERED, EMPLOYED, stopped("2025-12-01 09:00", "2026-01-05"), care("2025-12-10")
    )
    assert student.bill() == refused("not_enrolled")


def test_who_never_confirmed_is_not_enrolled_once_the_window_is_closed() -> None:
    student = given(REGISTERED, ROSTER, care("2025-10-01"))
    assert student.bill(at="2026-01-01 00:00") == refused("not_enrolled")


def test_care_of_a_student_whose_registration_was_taken_back_is_not_enrolled() -> None:
    student = given(*COVERED, care("2025-10-01"), void("2025-10-05 09:00", "registered"))
    assert student.bill() == refused("not_enrolled")
    assert (student.assessed().covered_from, student.steps()) == (None, [])


def test_care_of_a_student_who_is_registered_again_counts_again() -> None:
    student = given(
        *COVERED,
        care("2025-10-01"),
        void("2025-10-05 09:00", "registered"),
        registered("2025-09-01", "2025-10-06 09:00"),
    )
    assert student.bill() == CLINIC_PAID


LEFT = withdraw("2025-12-10 09:00", "2025-12-10")
NEXT_YEAR = care("2026-01-01", at=LATE)


@pytest.mark.parametrize(
    ("steps", "reason"),
    [
        ((*COVERED, NEXT_YEAR, void(LATE, "registered")), "outside_benefit_year"),
        ((*KEPT, NEXT_YEAR), "outside_benefit_year"),
        ((*COVERED, LEFT, NEXT_YEAR), "outside_benefit_year"),
        ((REGISTERED, ROSTER, NEXT_YEAR), "outside_benefit_year"),
        ((*WAITING, LEFT, care("2025-10-01", at=LATE)), "in_waiting_period"),
        ((*WAITING, LEFT, care("2025-12-10", at=LATE)), "withdrawn"),
        ((*WAITING, care("2025-10-01", province="zhejiang")), "in_waiting_period"),
        ((*KEPT, care("2025-10-01", province="zhejiang")), "opted_out"),
        ((*SIGNED, care("2025-10-01", province="zhejiang")), None),
    ],
    ids=[
        "outside the year before not registered",
        "outside the year before opted out",
        "outside the year before withdrawn",
        "outside the year before pending",
        "waiting before a later withdrawal",
        "withdrawn after the waiting period",
        "waiting before not filed",
        "opted out before not filed",
        "pending before not filed",
    ],
)
def test_of_several_reasons_the_first_counts(steps: Sequence[Step], reason: str | None) -> None:
    bill = given(*steps).bill()
    assert (bill.refused, bill.pending) == (reason, reason is None)


@pytest.mark.parametrize(
    ("steps", "on", "covered_from"),
    [
        (COVERED, "2025-10-01", "2025-10-01"),
        (WAITING, "2025-10-01", "2025-12-02"),
        (WAITING, "2025-12-01", "2025-12-02"),
        (COVERED, "2025-08-31", "2025-09-01"),
        (COVERED, "2026-01-01", "none"),
        ((*COVERED, withdraw("2025-10-15 09:00", "2025-10-15")), "2025-10-15", "none"),
        (KEPT, "2025-10-01", "none"),
        ((*SIGNED, checked("2025-09-06 14:50", 2)), "2025-10-01", "none"),
        (SIGNED, "2025-10-01", "none"),
    ],
)
def test_care_that_came_too_early_names_the_day_from_which_it_would_be_covered(
    steps: Sequence[Step], on: str, covered_from: str
) -> None:
    assert told(given(*steps, care(on, at=LATE)).assessed().covered_from) == covered_from


@pytest.mark.parametrize(
    "steps",
    [
        (REGISTERED, ROSTER),
        SIGNED,
        (*COVERED, EMPLOYED),
    ],
    ids=["not confirmed yet", "no check yet", "employee cover not stopped"],
)
def test_while_the_cover_is_pending_nothing_is_known_to_be_paid(steps: Sequence[Step]) -> None:
    student = given(*steps, outpatient("2025-10-01", "500.00"))
    assert student.bill() == Bill("0.00", "500.00", "0.00", "300.00", "none", None, True)
    assert student.assessed().standing.value is PENDING


def test_pending_care_is_paid_once_the_missing_fact_is_known() -> None:
    student = given(*SIGNED, care("2025-10-01"), checked("2025-10-05 09:00"))
    assert student.bill() == CLINIC_PAID._replace(settlement="claim")


def test_care_is_pending_as_long_as_a_confirmation_may_still_come() -> None:
    student = given(REGISTERED, ROSTER, care("2025-10-01"))
    instants = ("2025-10-01 12:00", "2025-12-31 23:59", "2026-01-01 00:00")
    assert [student.bill(at=at).pending for at in instants] == [True, True, False]


# In another province


def test_care_elsewhere_needs_a_filing() -> None:
    student = given(*COVERED, care("2025-10-01", province="zhejiang"))
    assert student.bill() == refused("remote_care_not_filed")
    assert leaves(student.assessed().standing) == ["care-received", "remote_filing_required"]


@pytest.mark.parametrize(
    ("at", "province", "reason"),
    [
        ("2025-09-20 09:00", "zhejiang", None),
        ("2025-10-01 23:59", "zhejiang", None),
        ("2025-10-02 00:00", "zhejiang", "remote_care_not_filed"),
        ("2025-09-20 09:00", "jiangsu", "remote_care_not_filed"),
        ("2025-09-20 09:00", "Zhejiang", None),
    ],
)
def test_a_filing_for_the_province_counts_from_its_day_on(
    at: str, province: str, reason: str | None
) -> None:
    student = given(*COVERED, filed(at, province), care("2025-10-01", province="zhejiang"))
    assert student.bill().refused == reason


def test_care_that_was_not_filed_for_would_be_covered_from_no_later_day() -> None:
    student = given(*COVERED, care("2025-09-01", province="zhejiang"))
    assert student.assessed().covered_from is None


def test_filed_care_elsewhere_is_paid_at_shanghais_rates_and_settled_there() -> None:
    student = given(
        *COVERED, filed("2025-09-20 09:00"), outpatient("2025-10-01", "500.00", province="zhejiang")
    )
    assert student.bill() == Bill(
        "100.00", "400.00", "300.00", "0.00", "other_province", None, False
    )


def test_a_filing_is_among_what_covered_care_elsewhere_stands_on() -> None:
    student = given(*COVERED, filed("2025-09-20 09:00"), care("2025-10-01", province="zhejiang"))
    assert "remote-care-filed" in leaves(student.assessed().standing)


def test_where_no_filing_is_required_none_is_missed() -> None:
    policy = edition_with(remote_filing_required=False)
    student = given(*COVERED, care("2025-10-01", province="zhejiang"), policy=policy)
    assert student.bill() == CLINIC_PAID._replace(settlement="other_province")


def test_where_a_place_does_not_settle_by_evoucher_care_elsewhere_is_claimed() -> None:
    policy = edition_with(remote_settles_by_evoucher=False)
    student = given(
        *COVERED,
        filed("2025-09-20 09:00"),
        care("2025-10-01", province="zhejiang"),
        care("2025-10-01", name="here"),
        policy=policy,
    )
    assert student.bill().settlement == "claim"
    assert student.assessed().settlement.because == "settled_otherwise_there"
    assert "remote_settles_by_evoucher" in leaves(student.assessed().settlement)
    assert student.bill("here").settlement == "direct"


def test_an_e_voucher_had_before_a_time_elsewhere_settled_the_bills_of_then() -> None:
    student = given(
        *COVERED,
        care("2025-09-20"),
        keep("2025-10-01 09:00", observed=True),
        confirmed("2025-10-10 09:00"),
    )
    assert student.bill().settlement == "direct"


@pytest.mark.parametrize(
    ("on", "reason"),
    [("2025-10-14", "in_waiting_period"), ("2025-10-15", "withdrawn")],
)
def test_leaving_does_not_change_why_an_earlier_day_was_not_covered(on: str, reason: str) -> None:
    left = withdraw("2025-10-15 09:00", "2025-10-15")
    assert given(*WAITING, care(on), left).bill() == refused(reason)


@pytest.mark.parametrize(
    ("on", "reason"),
    [("2025-10-15", "in_waiting_period"), ("2025-10-16", "opted_out")],
)
def test_opting_out_does_not_change_why_an_earlier_day_was_not_covered(
    on: str, reason: str
) -> None:
    out = keep("2025-10-15 09:00", observed=True)
    assert given(*WAITING, care(on), out).bill() == refused(reason)


def test_of_repeated_opt_outs_the_first_is_when_the_other_province_paid() -> None:
    out, again = (keep(f"2025-10-{day} 09:00", observed=True) for day in (15, 20))
    assert given(*WAITING, care("2025-10-16"), out, again).bill() == refused("opted_out")


def test_only_an_opt_out_that_still_stands_is_a_reason() -> None:
    steps = (
        keep("2025-09-10 09:00", observed=True),
        confirmed("2025-09-20 09:00"),
        keep("2025-10-15 09:00", observed=True),
    )
    assert given(*WAITING, care("2025-09-25"), *steps).bill() == refused("in_waiting_period")
    assert given(*WAITING, care("2025-09-15"), *steps).bill() == refused("in_waiting_period")
    assert given(*WAITING, care("2025-10-16"), *steps).bill() == refused("opted_out")


def test_a_medical_card_settles_nothing_elsewhere() -> None:
    student = given(
        *COVERED,
        filed("2025-09-20 09:00"),
        card("2025-09-21 09:00"),
        care("2025-10-01", province="zhejiang"),
        care("2025-10-01", name="here"),
        document="passport",
    )
    assert (student.bill().settlement, student.bill("here").settlement) == ("claim", "direct")


# How it is settled


@pytest.mark.parametrize(
    ("on", "settlement", "because"),
    [
        ("2025-09-01", "claim", "not_active_that_day"),
        ("2025-09-06", "claim", "not_active_that_day"),
        ("2025-09-07", "direct", None),
        ("2025-12-31", "direct", None),
    ],
)
def test_covered_care_is_settled_at_once_from_the_day_on_which_the_student_becomes_active(
    on: str, settlement: str, because: str | None
) -> None:
    student = given(*COVERED, care(on, at=LATE))
    assert student.states()[-2] == ("2025-09-07 09:00", "active")
    assert student.bill().settlement == settlement
    assert student.assessed().settlement.because == because


def test_the_evoucher_is_among_what_a_direct_settlement_stands_on() -> None:
    settlement = given(*COVERED, care("2025-10-01")).assessed().settlement
    assert "evoucher_available_at" in [
        part.name for part in settlement.inputs if isinstance(part, Derived)
    ]


@pytest.mark.parametrize(
    ("on", "settlement", "because"),
    [
        ("2025-09-30", "claim", "no_evoucher_or_card_by_then"),
        ("2025-10-01", "direct", None),
        ("2025-10-02", "direct", None),
    ],
)
def test_without_an_evoucher_a_medical_card_settles_from_the_day_it_is_issued(
    on: str, settlement: str, because: str | None
) -> None:
    student = given(
        *COVERED, card("2025-10-01 18:00"), care(on, at=LATE), document="passport"
    ).assessed()
    assert (told(student.settlement.value), student.settlement.because) == (settlement, because)
    assert ("medical-card-issued" in leaves(student.settlement)) is (settlement == "direct")


def test_an_activated_evoucher_settles_for_a_document_that_may_get_none() -> None:
    student = given(*COVERED, care("2025-09-20"), document="passport")
    assert student.bill().settlement == "claim"
    student.and_(activate("2025-09-20 18:00", observed=True))
    assert student.bill().settlement == "direct"


def test_an_evoucher_or_card_had_from_midnight_on_settles_nothing_of_the_day_before() -> None:
    by_card = given(*COVERED, card("2025-10-01 00:00"), care("2025-09-30"), document="passport")
    activated = activate("2025-10-01 00:00", observed=True)
    by_evoucher = given(*COVERED, activated, care("2025-09-30"), document="passport")
    assert by_evoucher.evoucher() == "2025-10-01 00:00"
    assert (by_card.bill().settlement, by_evoucher.bill().settlement) == ("claim", "claim")


def test_who_opted_out_at_midnight_is_not_active_on_that_day() -> None:
    student = given(
        *COVERED,
        card("2025-09-20 09:00"),
        keep("2025-10-05 00:00", observed=True),
        confirmed("2025-10-10 09:00"),
        care("2025-10-04", at=LATE),
        care("2025-10-05", at=LATE, name="next day"),
    )
    assert (student.bill().settlement, student.bill("next day").settlement) == ("direct", "claim")


def test_the_last_covered_day_before_leaving_is_still_settled_at_once() -> None:
    student = given(
        *COVERED, withdraw("2025-10-15 09:00", "2025-10-15"), care("2025-10-14", at=LATE)
    )
    assert student.bill() == CLINIC_PAID


def test_a_day_between_opting_out_and_confirming_again_is_covered_and_claimed() -> None:
    student = given(
        *COVERED,
        keep("2025-10-01 09:00", observed=True),
        confirmed("2025-10-10 09:00"),
        care("2025-10-05", at=LATE),
        care("2025-10-11", at=LATE, name="later"),
    )
    assert student.bill() == CLINIC_PAID._replace(settlement="claim")
    assert student.bill("later") == CLINIC_PAID


# The deductible of the year


def test_the_yearly_deductible_is_consumed_in_the_order_of_recording() -> None:
    student = given(
        *COVERED, outpatient("2025-11-01", "200.00"), outpatient("2025-10-01", "200.00")
    )
    assert used(student) == ["200.00", "100.00"]


def test_emergency_care_and_every_level_share_one_deductible() -> None:
    student = given(
        *COVERED,
        outpatient("2025-10-01", "200.00", "first"),
        care("2025-10-02", "emergency", "200.00", level="third"),
        outpatient("2025-10-03", "200.00", "second"),
    )
    assert used(student) == ["200.00", "100.00", "0.00"]
    assert funds(student) == ["0.00", "50.00", "120.00"]


def test_clinics_and_stays_consume_nothing_of_the_yearly_deductible() -> None:
    student = given(
        *COVERED,
        care("2025-10-01", cost="1000.00"),
        care("2025-10-02", "village_clinic", "1000.00"),
        stay("2025-10-03", "1000.00"),
    )
    assert [bill.left for bill in student.bills()] == ["300.00"] * 3


def test_each_stay_has_its_own_deductible() -> None:
    student = given(*COVERED, stay("2025-10-01", "400.00"), stay("2025-10-20", "400.00"))
    assert used(student) == ["300.00", "300.00"]


def test_refused_care_consumes_nothing() -> None:
    student = given(
        *WAITING, outpatient("2025-10-01", "200.00"), outpatient("2025-12-02", "400.00")
    )
    assert used(student) == ["0.00", "300.00"]


def test_a_corrected_cost_keeps_its_place_in_the_order() -> None:
    student = given(
        *COVERED,
        outpatient("2025-10-01", "100.00", name="first"),
        outpatient("2025-10-02", "300.00", name="second"),
        correct("2025-10-05 09:00", "first", cost="250.00"),
    )
    assert used(student) == ["250.00", "50.00"]


def test_care_taken_back_gives_its_part_of_the_deductible_free() -> None:
    student = given(
        *COVERED,
        outpatient("2025-10-01", "100.00", name="first"),
        outpatient("2025-10-02", "300.00"),
        void("2025-10-05 09:00", "first"),
    )
    assert used(student) == ["300.00"]


def consumers(left: Derived) -> list[int]:
    """The places of the pieces of care that a deductible names."""
    return [part.place for part in left.inputs if isinstance(part, Current)]


def test_the_deductible_names_every_piece_that_consumed_it() -> None:
    student = given(
        *COVERED,
        outpatient("2025-10-01", "100.00"),
        care("2025-10-02", cost="50.00"),
        stay("2025-10-03", "50.00"),
        outpatient("2025-10-04", "100.00"),
        outpatient("2025-10-05", "100.00", name="last"),
        outpatient("2025-10-06", "100.00", name="after it"),
    )
    consumed_before = student.assessed("last").deductible_used.inputs[1]
    assert isinstance(consumed_before, Derived)
    assert consumed_before.value == 100_00
    after_all = student.assessed("after it").deductible_left
    assert [consumers(consumed_before), consumers(after_all)] == [[1, 4], [1, 4, 5]]
    assert leaves(consumed_before)[0] == "outpatient_deductible"


def test_what_a_childs_own_insurance_consumed_earlier_is_not_known_and_said() -> None:
    child = other_cover("2025-09-01 09:00", "shanghai_resident")
    left = given(*COVERED, child, outpatient("2025-10-01", "100.00")).assessed().deductible_left
    assert (left.rule, told(left.value)) == ("R29-earlier-use", "200.00")
    assert "other-cover-declared" in leaves(left)


@pytest.mark.parametrize(
    ("steps", "name", "unknown"),
    [
        (COVERED, "outpatient", True),
        (COVERED, "clinic", False),
        (COVERED, "stay", False),
        (WAITING, "outpatient", False),
    ],
    ids=["of the yearly deductible", "clinic", "stay", "refused"],
)
def test_only_what_the_yearly_deductible_moved_depends_on_a_childs_earlier_use(
    steps: Sequence[Step], name: str, unknown: bool
) -> None:
    student = given(
        *steps,
        other_cover("2025-09-01 09:00", "shanghai_resident"),
        outpatient("2025-10-01", "100.00", name="outpatient"),
        care("2025-10-01", name="clinic"),
        stay("2025-10-01", "100.00", name="stay"),
    )
    assert student.assessed(name).earlier_use_is_unknown is unknown


@pytest.mark.parametrize(
    "elsewhere",
    [(), (ELSEWHERE,), (EMPLOYED, stopped("2025-09-01 10:00", "2025-09-01"))],
    ids=["none", "another province", "employee"],
)
def test_other_cover_than_a_shanghai_residents_consumed_nothing(elsewhere: Sequence[Step]) -> None:
    student = given(*COVERED, *elsewhere, outpatient("2025-10-01", "100.00"))
    assert student.assessed().deductible_left.rule == "R29"
    assert not student.assessed().earlier_use_is_unknown


@pytest.mark.parametrize(
    ("policy", "step", "name", "assumed"),
    [
        ("shanghai-2025", stay("2025-10-01", "100.00"), "standing", False),
        ("shanghai-2025", care("2025-10-01"), "fund_pays", True),
        ("shanghai-2025", outpatient("2025-10-01", "100.00"), "deductible_used", True),
        ("shanghai-2025", outpatient("2025-10-01", "100.00"), "deductible_left", True),
        ("shanghai-2025", care("2025-10-01"), "patient_pays", True),
        ("shanghai-2025", care("2025-10-01"), "settlement", True),
        ("shanghai-2024", care("2024-10-01", "village_clinic"), "fund_pays", True),
        ("shanghai-2024", care("2024-10-01", "village_clinic"), "deductible_used", True),
        ("shanghai-2024", care("2024-10-01"), "standing", True),
    ],
)
def test_a_value_says_whether_it_rests_on_an_assumption(
    policy: str, step: Step, name: str, assumed: bool
) -> None:
    year = policy[-4:]
    student = given(
        registered(f"{year}-09-01"),
        confirmed(f"{year}-09-06 14:20"),
        checked(f"{year}-09-06 14:50"),
        step,
        policy=policy,
    )
    assert rests_on_assumption(getattr(student.assessed(), name), student.policy) is assumed


# What is to be done


def claim(student: Given, at: str) -> NextStep | None:
    steps = student.answer(at).next_steps
    return next((found for found in steps if found.code == "claim_care"), None)


def test_care_that_was_paid_first_is_to_be_claimed() -> None:
    found = claim(given(*COVERED, care("2025-09-03")), "2025-09-10 09:00")
    assert found is not None
    assert (found.who, told(found.begins_at), found.until) == ("student", "2025-09-03 00:00", None)
    assert found.where == ("service_office", "one_stop_site", "city_services_app")
    assert found.ask == ("12393", "021-12393")


def test_care_that_was_settled_at_once_is_not_to_be_claimed() -> None:
    student = given(*COVERED, care("2025-10-01"))
    assert claim(student, "2025-10-02 09:00") is None


def test_nothing_is_to_be_claimed_before_the_day_of_care() -> None:
    student = given(*COVERED, care("2025-09-03"))
    assert claim(student, "2025-09-02 23:59") is None
    assert claim(student, "2025-09-03 00:00") is not None


def test_a_claim_stands_until_it_is_settled_and_again_once_that_is_taken_back() -> None:
    student = given(
        *COVERED,
        care("2025-09-03"),
        settle(at="2025-10-01 09:00"),
    )
    assert claim(student, "2025-10-01 08:59") is not None
    assert claim(student, "2025-10-01 09:00") is None
    student.and_(reverse(at="2025-10-05 09:00"))
    assert claim(student, "2025-10-05 09:00") is not None


def test_a_claim_stands_while_any_piece_is_open() -> None:
    student = given(
        *COVERED,
        care("2025-09-03"),
        care("2025-09-04", name="other"),
        settle(at="2025-10-01 09:00"),
    )
    found = claim(student, "2025-10-01 09:00")
    assert found is not None
    assert told(found.begins_at) == "2025-09-04 00:00"


@pytest.mark.parametrize(
    ("steps", "at", "codes"),
    [
        (COVERED, "2026-02-01 09:00", ["claim_care", "pay_next_premium"]),
        (
            (*COVERED, withdraw("2025-10-15 09:00", "2025-10-15")),
            "2025-10-16 09:00",
            ["claim_care"],
        ),
        (
            (*COVERED, withdraw("2025-10-15 09:00", "2025-10-15")),
            "2026-02-01 09:00",
            ["claim_care"],
        ),
        (
            (*COVERED, keep("2025-10-15 09:00", observed=True)),
            "2025-10-16 09:00",
            ["confirm", "claim_care"],
        ),
        ((*COVERED, keep("2025-10-15 09:00", observed=True)), "2026-02-01 09:00", ["claim_care"]),
    ],
    ids=["after the year", "withdrawn", "withdrawn, after the year", "opted out", "and after"],
)
def test_care_inside_the_window_is_claimed_wherever_the_student_is_by_then(
    steps: Sequence[Step], at: str, codes: list[str]
) -> None:
    with_care = given(*steps, care("2025-09-03", at="2025-10-16 09:00"))
    assert with_care.steps(at) == codes
    assert given(*steps).steps(at) == [code for code in codes if code != "claim_care"]


@pytest.mark.parametrize("steps", [(), (care("2025-10-01"),)], ids=["no care", "care"])
def test_who_lapsed_has_nothing_to_do(steps: Sequence[Step]) -> None:
    student = given(REGISTERED, ROSTER, *steps)
    assert (student.state("2026-01-01 00:00"), student.steps("2026-01-01 00:00")) == ("lapsed", [])


def test_care_elsewhere_that_was_not_filed_for_is_a_reason_to_file_before_the_next() -> None:
    student = given(
        *COVERED, care("2025-09-03"), care("2025-10-01", province="zhejiang", name="elsewhere")
    )
    steps = student.answer("2025-10-02 09:00").next_steps
    assert [found.code for found in steps][-3:] == [
        "file_remote_care",
        "claim_care",
        "pay_next_premium",
    ]
    file = steps[-3]
    assert file.where == ("national_platform", "wechat_filing_program", "alipay_filing_program")


def test_a_filing_is_asked_for_from_the_day_of_the_care_until_it_is_made_or_the_year_ends() -> None:
    student = given(
        *COVERED,
        care("2025-10-01", province="zhejiang", at=LATE),
        filed("2025-11-01 09:00", recorded="2025-12-31 23:30"),
    )
    instants = ("2025-09-30 23:59", "2025-10-01 00:00", "2025-11-01 08:59", "2025-11-01 09:00")
    asked = ["file_remote_care" in student.steps(at) for at in instants]
    assert asked == [False, True, True, False]


@pytest.mark.parametrize(
    ("province", "asked"), [("zhejiang", False), ("Zhejiang", False), ("jiangsu", True)]
)
def test_a_filing_for_the_province_however_it_is_capitalized_is_not_asked_for_again(
    province: str, asked: bool
) -> None:
    student = given(
        *COVERED,
        care("2025-10-01", province="zhejiang"),
        filed("2025-10-02 09:00", province),
    )
    assert ("file_remote_care" in student.steps("2025-10-02 09:00")) is asked


def test_no_filing_is_asked_for_after_the_benefit_year() -> None:
    student = given(*COVERED, care("2025-10-01", province="zhejiang"))
    assert "file_remote_care" in student.steps("2025-12-31 23:59")
    assert "file_remote_care" not in student.steps("2026-01-01 00:00")


# What is compared


def compared(student: Given, then: str, now: str) -> Comparison:
    return compare(
        student.everything,
        read_instant("2025-10-01 12:00"),
        read_instant(then),
        read_instant(now),
    )


def test_what_is_known_of_care_is_what_was_recorded_by_the_cut_off() -> None:
    student = given(*COVERED, care("2025-10-01", at="2025-10-03 09:00"))
    assert student.bills(known_at="2025-10-03 08:59") == []
    assert student.bills(known_at="2025-10-03 09:00") == [CLINIC_PAID]


def test_new_care_moves_what_is_said_of_care() -> None:
    student = given(*COVERED, care("2025-10-01"))
    found = compared(student, "2025-09-30 12:00", "2025-10-02 12:00")
    assert [(one.name, [e.name for e in one.moved_by]) for one in found.differences] == [
        ("care", ["care-received"])
    ]


def test_a_fact_of_the_enrollment_moves_what_is_said_of_care() -> None:
    student = given(*SIGNED, care("2025-10-01"), checked("2025-10-05 09:00"))
    found = compared(student, "2025-10-02 12:00", "2025-10-06 12:00")
    care_moved = next(one for one in found.differences if one.name == "care")
    assert [event.name for event in care_moved.moved_by] == ["prior-coverage-verified"]
    assert [care_moved.then[0].pending, care_moved.now[0].pending] == [True, False]


def test_a_settlement_moves_what_is_said_of_care_but_no_amount() -> None:
    student = given(*COVERED, care("2025-10-01"), settle(at="2025-10-05 09:00"))
    found = compared(student, "2025-10-02 12:00", "2025-10-06 12:00")
    (moved,) = found.differences
    assert moved.name == "care"
    assert moved.now[0] == moved.then[0]._replace(settled=student.event("care-settled"))


def test_a_fact_that_changes_no_amount_leaves_what_is_said_of_care() -> None:
    student = given(*COVERED, care("2025-10-01"))
    before = PARTS["care"].value(student.answer())
    after = PARTS["care"].value(student.and_(card("2025-10-02 09:00")).answer())
    assert before == after


def test_the_care_of_an_answer_is_compared_by_its_amounts() -> None:
    (found,) = PARTS["care"].value(given(*COVERED, care("2025-10-01")).answer())
    assert (found.version, str(found.fund_pays), found.refused, found.settled) == (
        1,
        "80.00",
        None,
        None,
    )


# After coming back

BACK_AFTER_WAITING = (
    *WAITING,
    keep("2025-12-10 12:00", observed=True),
    confirmed("2025-12-20 10:00"),
)


@pytest.mark.parametrize(
    ("on", "reason"),
    [
        ("2025-12-01", "before_window"),
        ("2025-12-02", None),
        ("2025-12-10", None),
        ("2025-12-11", "before_window"),
        ("2025-12-20", "before_window"),
        ("2025-12-21", None),
    ],
)
def test_care_that_was_covered_until_an_opt_out_stays_covered_after_a_return(
    on: str, reason: str | None
) -> None:
    assert given(*BACK_AFTER_WAITING, care(on, at=LATE)).bill().refused == reason


def test_it_stays_covered_also_while_what_follows_a_late_return_is_open() -> None:
    late = (
        *COVERED,
        fix_window("2025-11-01 09:00", closes_on="2025-11-20"),
        keep("2025-10-10 12:00", observed=True),
        confirmed("2025-11-25 10:00"),
    )
    student = given(*late, care("2025-10-10", name="before"), care("2025-10-11", name="after"))
    assert student.coverage() == "pending"
    assert student.bill("before").settlement == "direct"
    assert student.bill("after").pending


def test_an_e_voucher_that_had_not_opened_at_the_opt_out_settles_nothing() -> None:
    story = (
        *COVERED,
        keep("2025-09-07 08:00", observed=True),
        confirmed("2025-09-07 12:00"),
        withdraw("2025-12-01 09:00", "2025-12-01"),
    )
    assert given(*story, care("2025-09-07", at=LATE)).bill().settlement == "claim"


def test_care_of_who_kept_the_other_cover_is_refused_by_the_first_reason_that_applies() -> None:
    assert given(*KEPT, care("2025-09-03", at=LATE)).bill() == refused("not_enrolled")
    assert given(*KEPT, care("2025-09-04", at=LATE)).bill() == refused("opted_out")


@pytest.mark.parametrize(
    ("known", "standing"),
    [
        (COVERED, "covered: 80.00 of 100.00"),
        (WAITING, "in_waiting_period: 0.00 of 100.00"),
        (SIGNED, "pending: 0.00 of 100.00"),
    ],
)
def test_an_assessment_is_shown_by_where_it_stands(known: tuple[Step, ...], standing: str) -> None:
    (assessed,) = given(*known, care("2025-10-01")).answer(LATE).care
    assert repr(assessed) == f"<Assessed care of 2025-10-01, {standing} paid by the fund>"
