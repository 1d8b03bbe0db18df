"""What the year before hands on, and how one joins for another year (R33 to R36, R38)."""

from collections.abc import Sequence
from datetime import date
from typing import Any

import pytest
from given import (
    COVERED,
    EMPLOYED,
    SIGNED,
    WAITING,
    Given,
    Step,
    Years,
    account,
    activate,
    card,
    checked,
    confirm,
    confirmed,
    continuing,
    edition_saying,
    fix_window,
    given,
    keep,
    other_cover,
    paid,
    registered,
    roster,
    stopped,
    told,
    withdraw,
)

from yibao.domain.derivation import Earlier
from yibao.domain.editions import Parameter
from yibao.domain.editions.policy import Policy

AGAIN = registered("2025-09-01", at="2025-11-15 09:00")
PAID = paid("2025-11-20 10:00", 2026)
LATE = paid("2026-03-02 10:00", 2026)
#: Two lapsed years, worked example 6: waiting until 28 February 2026.
LONG = (*SIGNED, checked("2025-09-06 10:30", 2))
NEW_YEAR = "2026-01-01 00:00"
LATER = "2026-12-01 00:00"
IN_FULL = "2026-01-01 to 2026-12-31"


def after(before: Sequence[Step], *steps: Step, policy: Policy | None = None) -> Years:
    """A student of 2025 who is registered for 2026 as well."""
    return Years(given(*before), in_2026(*steps, policy=policy))


def in_2026(*steps: Step, policy: Policy | None = None, on: str = "2025-09-01") -> Given:
    again = registered(on, at=f"{on} 09:00" if on > "2025-11-15" else "2025-11-15 09:00")
    return given(again, *steps, policy=policy or continuing())


def alone(*steps: Step, policy: Policy | None = None, on: str = "2025-09-01") -> Years:
    """A student of whose year 2025 nothing is known."""
    return Years(in_2026(*steps, policy=policy, on=on))


def test_who_was_covered_is_covered_in_the_next_year_without_a_check() -> None:
    student = after(COVERED, PAID)
    assert student.values(NEW_YEAR) == ("none", "2025-09-06", "2025-09-07 09:00", IN_FULL)
    assert student.because("waiting", NEW_YEAR) == "enrolled_before"
    assert student.states(NEW_YEAR) == [
        ("2025-09-01 00:00", "registered"),
        ("2025-11-20 10:00", "confirmed"),
        ("2025-11-20 10:30", "evoucher_eligible"),
        ("2026-01-01 00:00", "active"),
        ("2027-01-01 00:00", "expired"),
    ]


def test_a_waiting_period_that_goes_on_is_shown_whole() -> None:
    student = after(LONG, PAID)
    waiting, account, evoucher, coverage = student.values(NEW_YEAR)
    assert (waiting, account) == ("2025-09-01 to 2026-02-28", "2026-03-01")
    assert (evoucher, coverage) == ("2026-03-01 09:00", "2026-03-02 to 2026-12-31")
    assert student.states(NEW_YEAR)[2:] == [
        ("2025-11-20 10:30", "in_waiting_period"),
        ("2026-03-01 00:00", "account_built"),
        ("2026-03-01 09:00", "evoucher_eligible"),
        ("2026-03-02 00:00", "active"),
        ("2027-01-01 00:00", "expired"),
    ]


def test_one_that_is_over_is_none_but_cover_begins_the_day_after_the_account() -> None:
    first = registered("2025-10-01")
    waited = (first, roster("2025-10-02 17:00"), confirm("2025-10-06 14:20"))
    student = Years(given(*waited, checked("2025-10-06 14:50", 1)), in_2026(PAID, on="2025-10-01"))
    expected = ("none", "2026-01-01", "2026-01-01 09:00", "2026-01-02 to 2026-12-31")
    assert student.values(NEW_YEAR) == expected
    assert student.because("waiting", NEW_YEAR) == "waiting_over"


@pytest.mark.parametrize(
    ("last", "waiting", "coverage"),
    [
        ("2025-12-30", "none", "2026-01-01 to 2026-12-31"),
        ("2025-12-31", "none", "2026-01-02 to 2026-12-31"),
        ("2026-01-01", "2025-09-01 to 2026-01-01", "2026-01-03 to 2026-12-31"),
    ],
)
def test_it_goes_on_if_it_ends_in_the_benefit_year(last: str, waiting: str, coverage: str) -> None:
    named = checked("2025-09-06 10:30", 1, waiting_ends_on=last)
    student = after((*SIGNED, named), PAID)
    assert student.values(NEW_YEAR)[::3] == (waiting, coverage)


def test_what_is_pending_in_the_year_before_is_pending_here() -> None:
    student = after(SIGNED, PAID)
    assert student.values(NEW_YEAR) == ("pending", "pending", "pending", "pending")
    assert student.because("account_built_on", NEW_YEAR) == "check_missing"


def test_value_by_value_a_stop_that_is_missing_leaves_the_waiting_period_known() -> None:
    student = after(EMPLOYED_FIRST, PAID)
    assert student.values(NEW_YEAR) == ("none", "pending", "pending", "pending")


EMPLOYED_FIRST = (COVERED[0], EMPLOYED, *COVERED[1:])


def test_a_late_confirmation_before_leaves_account_e_voucher_and_window_open() -> None:
    late = confirmed("2025-12-20 10:00")
    fixed = fix_window("2025-11-01 09:00", closes_on="2025-12-01")
    before = (*COVERED[:2], fixed, late, checked("2025-12-20 10:30"))
    student = after(before, PAID)
    assert student.values(NEW_YEAR) == ("none", "pending", "pending", "pending")
    assert student.because("coverage", NEW_YEAR) == "finding_missing"


def test_who_had_not_joined_needs_a_check_of_this_year() -> None:
    student = after(COVERED[:2], PAID)
    assert student.values(NEW_YEAR) == ("pending", "pending", "pending", "pending")
    assert student.because("waiting", NEW_YEAR) == "check_missing"
    checked_now = after(COVERED[:2], PAID, checked("2025-12-05 10:00", 1))
    expected = ("2026-01-01 to 2026-01-31", "2026-02-01", "2026-02-01 09:00")
    assert checked_now.values(NEW_YEAR)[:3] == expected


def test_while_one_may_still_join_before_everything_is_open() -> None:
    student = after(COVERED[:2], PAID, checked("2025-12-05 10:00", 0))
    assert set(student.values("2025-12-31 23:59")) == {"pending"}
    assert student.because("waiting", "2025-12-31 23:59") == "year_before_undecided"
    assert student.values(NEW_YEAR)[3] == IN_FULL


def test_by_what_one_may_still_join_before_does_not_depend_on_what_was_asked_earlier() -> None:
    def student() -> Years:
        joined = paid("2026-11-21 10:00", 2027)
        return Years(in_2026(), given(registered("2025-09-01"), joined, policy=continuing(2027)))

    asked_before = student()
    early, late = "2025-12-01 00:00", "2026-06-01 00:00"
    assert asked_before.because("waiting", early) == "year_before_undecided"
    assert str(asked_before.found(late)) == str(student().found(late))
    (year_before,) = asked_before.found(late).waiting.inputs
    assert isinstance(year_before, Earlier)
    (period,) = year_before.derived.inputs
    assert isinstance(period, Parameter)
    assert period.name == "late_period"


def test_who_was_never_registered_before_leaves_nothing_open() -> None:
    student = alone(PAID, checked("2025-12-05 10:00", 0))
    expected = ("none", "2025-11-20", "2025-11-21 09:00", IN_FULL)
    assert student.values("2025-12-06 00:00") == expected


@pytest.mark.parametrize(
    "gone",
    [
        (*COVERED, withdraw("2025-10-01 09:00", "2025-10-02")),
        (*SIGNED, checked("2025-09-06 10:30", 0), withdraw("2025-12-01 09:00", "2025-12-31")),
    ],
)
def test_who_left_and_came_back_has_the_account_but_needs_a_check(gone: Sequence[Step]) -> None:
    back = {"on": "2026-02-20"}
    student = Years(given(*gone), in_2026(LATE, policy=entrants_too(), **back))
    assert student.values(LATER)[:2] == ("pending", "2025-09-06")
    student = Years(given(*gone), in_2026(LATE, CHECKED_LATE, policy=entrants_too(), **back))
    assert student.values(LATER)[:2] == ("2026-03-02 to 2026-06-01", "2025-09-06")
    assert student.values(LATER)[2:] == ("2025-09-07 09:00", "2026-06-02 to 2026-12-31")


CHECKED_LATE = checked("2026-03-02 11:00", 0)


def entrants_too() -> Policy:
    return continuing(for_students=("students", ["entrants", "continuing"]))


def test_who_left_and_came_back_waits_to_the_end_of_what_was_begun() -> None:
    gone = (*LONG, withdraw("2025-12-01 09:00", "2025-12-01"))
    back = in_2026(
        paid("2026-01-15 10:00", 2026, observed=True),
        checked("2026-01-15 11:00", 0),
        policy=entrants_too(),
        on="2025-12-05",
    )
    waiting, _, _, coverage = Years(given(*gone), back).values(LATER)
    assert waiting == "2026-01-15 to 2026-04-14"  # late: three months, which end later
    early = in_2026(
        paid("2025-12-10 10:00", 2026),
        checked("2025-12-10 11:00", 0),
        policy=entrants_too(),
        on="2025-12-05",
    )
    waiting, _, _, coverage = Years(given(*gone), early).values(LATER)
    assert (waiting, coverage) == ("2025-09-01 to 2026-02-28", "2026-03-02 to 2026-12-31")


@pytest.mark.parametrize(
    "gone",
    [
        (*SIGNED, withdraw("2025-12-01 09:00", "2025-12-01")),
        (*COVERED, withdraw("2025-09-06 15:00", "2025-09-06")),
    ],
    ids=["while it was open", "on its day"],
)
def test_who_left_without_an_account_is_given_one_by_the_new_year(gone: Sequence[Step]) -> None:
    joined = (paid("2025-12-10 10:00", 2026), checked("2025-12-10 11:00", 0))
    student = Years(given(*gone), in_2026(*joined, policy=entrants_too(), on="2025-12-05"))
    assert student.values(LATER) == ("none", "2025-12-10", "2025-12-11 09:00", IN_FULL)


def test_a_check_resolves_what_is_open_since_two_years() -> None:
    named = checked("2026-12-01 10:00", 0)
    third = given(
        registered("2025-09-01", at="2026-11-20 09:00"),
        paid("2026-11-21 10:00", 2027),
        named,
        policy=continuing(2027),
    )
    end = {"waiting_ends_on": date(2027, 3, 31)}
    third.recorded[-1] = third.recorded[-1].model_copy(update=end)
    student = Years(given(*SIGNED), in_2026(PAID), third)
    _, account, _, coverage = student.values("2027-02-01 00:00")
    assert (account, coverage) == ("2027-04-01", "2027-04-02 to 2027-12-31")


def test_leaving_after_this_registration_ends_cover_here_as_well() -> None:
    student = after((*COVERED, withdraw("2025-12-10 09:00", "2025-12-15")), PAID)
    assert student.values(NEW_YEAR)[3] == "none"
    assert student.because("coverage", NEW_YEAR) == "withdrawn"
    assert student.state(NEW_YEAR) == "withdrawn"
    assert student.refused("declare_roster", NEW_YEAR) == "withdrawn"
    unchecked = after((*SIGNED, withdraw("2025-12-10 09:00", "2025-12-15")), PAID)
    assert unchecked.values(NEW_YEAR)[3] == "none"
    year_begins, ends = unchecked.found(NEW_YEAR).coverage.inputs
    assert isinstance(year_begins, Parameter)
    assert (year_begins.name, told(ends.value)) == ("benefit_from", "2025-12-14")  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("before", "because"),
    [
        ((*SIGNED[:2], confirmed("2026-01-01 00:00")), "check_missing"),
        ((*COVERED, keep("2025-12-31 23:59", observed=True)), "check_missing"),
        ((*COVERED, keep("2026-01-01 00:00", observed=True)), "enrolled_before"),
    ],
    ids=["joined after it", "opted out in it", "opted out after it"],
)
def test_enrolled_is_who_joined_in_the_year_and_did_not_opt_out_in_it(
    before: Sequence[Step], because: str
) -> None:
    assert after(before, PAID).because("waiting", "2026-03-01 00:00") == because


@pytest.mark.parametrize(("left_on", "coverage"), [("2025-09-01", IN_FULL), ("2025-09-02", "none")])
def test_leaving_counts_in_the_next_year_if_it_follows_the_registration(
    left_on: str, coverage: str
) -> None:
    left = withdraw("2025-09-06 16:00", left_on, observed=True)
    student = after((*COVERED, left), PAID, checked("2025-12-05 10:00", 0))
    assert student.values(NEW_YEAR)[3] == coverage


@pytest.mark.parametrize(
    ("left_on", "account", "evoucher"),
    [
        ("2025-12-10", "none", "none"),
        ("2025-12-11", "2025-12-10", "none"),
        ("2025-12-12", "2025-12-10", "2025-12-11 09:00"),
    ],
    ids=["before the account", "between account and e-voucher", "after both"],
)
def test_what_is_handed_on_is_had_only_until_she_leaves(
    left_on: str, account: str, evoucher: str
) -> None:
    late = (*SIGNED[:2], confirm("2025-12-10 14:20"), checked("2025-12-10 14:50", 0))
    left = withdraw(f"{left_on} 16:00", left_on)
    student = after(late, paid("2025-12-10 15:00", 2026), left)
    assert student.values(LATER) == ("none", account, evoucher, "none")


def test_who_opted_out_hands_on_nothing() -> None:
    elsewhere = other_cover("2025-09-01 09:00", "other_province")
    opted_out = (*COVERED, elsewhere, keep("2025-10-01 10:00", observed=True))
    student = after(opted_out, PAID, checked("2025-12-05 10:00", 0))
    assert student.values(NEW_YEAR) == ("none", "2025-11-20", "2025-11-21 09:00", IN_FULL)


def test_a_year_in_between_without_enrollment_hands_on_what_it_was_given() -> None:
    skipped = in_2026()
    third = given(
        registered("2025-09-01", at="2026-11-20 09:00"),
        paid("2026-11-21 10:00", 2027),
        policy=continuing(2027),
    )
    student = Years(given(*COVERED), skipped, third)
    waiting, built, evoucher, coverage = student.values("2027-01-01 00:00")
    assert (waiting, built, evoucher) == ("pending", "2025-09-06", "2025-09-07 09:00")
    assert coverage == "pending"
    assert student.because("waiting", "2027-01-01 00:00") == "check_missing"


def test_waiting_runs_on_through_a_year_in_between() -> None:
    long = (*SIGNED, checked("2025-09-06 10:30", 6))
    third = given(
        registered("2025-09-01", at="2026-11-20 09:00"),
        paid("2026-11-21 10:00", 2027),
        checked("2026-12-01 10:00", 0),
        policy=continuing(2027),
    )
    student = Years(given(*long), in_2026(), third)
    expected = ("2025-09-01 to 2027-02-28", "2027-03-01", "2027-03-01 09:00")
    assert student.values("2027-01-01 00:00")[:3] == expected


def test_a_check_of_this_year_moves_a_waiting_period_only_by_naming_its_end() -> None:
    counted = after(LONG, PAID, checked("2026-01-10 10:00", 0))
    assert counted.values(LATER) == after(LONG, PAID).values(LATER)
    named = after(LONG, PAID, checked("2026-01-10 10:00", 2, waiting_ends_on="2026-01-31"))
    assert named.values(LATER) == (
        "2025-09-01 to 2026-01-31",
        "2026-02-01",
        "2026-02-01 09:00",
        "2026-02-02 to 2026-12-31",
    )


def test_one_that_a_check_ends_before_the_year_is_over_and_moves_the_account_as_well() -> None:
    told = in_2026(PAID, checked("2026-01-10 10:00", 2))
    # By itself this year would have no such first day: it is judged with the year before.
    named = {"waiting_ends_on": date(2025, 12, 31)}
    told.recorded[-1] = told.recorded[-1].model_copy(update=named)
    student = Years(given(*LONG), told)
    expected = ("none", "2026-01-01", "2026-01-01 09:00", "2026-01-02 to 2026-12-31")
    assert student.values(LATER) == expected


def test_an_account_day_on_record_is_not_moved_by_it() -> None:
    seen = (*LONG, account("2026-01-05 10:00", "2026-01-04", observed=True))
    student = after(seen, PAID, checked("2026-01-10 10:00", 2, waiting_ends_on="2026-01-31"))
    assert student.values(LATER)[1] == "2026-01-04"


def test_of_two_waiting_periods_the_later_end_counts_and_of_equal_ends_the_older() -> None:
    longer = after(LONG, LATE)
    assert longer.values(LATER)[0] == "2026-03-02 to 2026-06-01"
    assert longer.values(LATER)[1] == "2026-03-01"
    both_end = after((*SIGNED, checked("2025-09-06 10:30", 3)), paid("2026-03-01 10:00", 2026))
    assert both_end.values(LATER)[0] == "2025-09-01 to 2026-05-31"


def test_an_e_voucher_or_card_of_the_year_before_need_not_be_got_again() -> None:
    activated = (*COVERED, activate("2025-09-08 10:00"))
    assert after(activated, PAID).steps(NEW_YEAR) == ["pay_next_premium"]
    assert after(COVERED, PAID).steps(NEW_YEAR) == ["activate_evoucher", "pay_next_premium"]
    assert passport().steps(NEW_YEAR)[0] == "try_evoucher_or_get_medical_card"
    assert passport(card("2025-10-01 10:00")).steps(NEW_YEAR) == ["pay_next_premium"]


def passport(*steps: Step) -> Years:
    first = given(*COVERED, *steps, document="passport")
    again = registered("2025-09-01", at="2025-11-15 09:00", document="passport")
    return Years(first, given(again, PAID, policy=continuing()))


def test_employee_cover_stopped_in_the_other_stream_counts_for_both_years() -> None:
    student = after(EMPLOYED_FIRST, PAID, stopped("2025-12-01 09:00", "2025-10-10"))
    assert student.values(NEW_YEAR, 2025)[1] == "2025-10-10"
    assert student.values(NEW_YEAR)[1:] == ("2025-10-10", "2025-10-11 09:00", IN_FULL)


def test_a_job_of_this_year_moves_nothing_of_the_year_before() -> None:
    job = (
        other_cover("2026-03-01 09:00", "employee"),
        stopped("2026-05-01 09:00", "2026-05-01"),
    )
    student = after(COVERED, PAID, *job)
    assert student.values(LATER, 2025) == Years(given(*COVERED)).values(LATER, 2025)
    assert student.values(LATER)[3] == "2026-05-01 to 2026-12-31"
    assert set(after(COVERED, PAID, job[0]).values(LATER)[1:]) == {"pending"}


def test_a_payment_told_in_either_stream_is_one_payment() -> None:
    here, before = after(COVERED, PAID), after((*COVERED, PAID))
    both = after((*COVERED, PAID), paid("2025-11-20 10:00", 2026, observed=True))
    assert here.values(LATER) == before.values(LATER) == both.values(LATER)
    assert here.states(LATER) == before.states(LATER) == both.states(LATER)
    assert before.refused("pay_premium", "2025-11-21 10:00") == "already_confirmed"
    assert both.codes(LATER) == ["already_confirmed"]


def test_of_two_payments_the_earliest_that_lies_in_a_period_counts() -> None:
    early = paid("2025-11-01 10:00", 2026, observed=True)
    alone_early = after(COVERED, early)
    assert alone_early.because("coverage", NEW_YEAR) == "finding_missing"
    assert alone_early.values(NEW_YEAR)[:3] == ("none", "2025-09-06", "2025-09-07 09:00")
    student = after(COVERED, early, paid("2025-11-20 10:00", 2026, observed=True))
    assert student.values(NEW_YEAR)[3] == IN_FULL
    assert student.states(NEW_YEAR)[1] == ("2025-11-20 10:00", "confirmed")
    assert student.codes(NEW_YEAR) == ["window_not_open", "already_confirmed"]


@pytest.mark.parametrize(
    ("at", "code"),
    [
        ("2025-08-01 10:00", "before_registration"),
        ("2025-11-13 23:59", "window_not_open"),
        ("2025-11-14 00:00", None),
        ("2025-12-31 23:59", None),
        ("2026-12-31 23:59", None),
        ("2027-01-01 00:00", "window_closed"),
    ],
)
def test_who_pays_is_judged_as_who_confirms(at: str, code: str | None) -> None:
    student = alone()
    assert student.refused("pay_premium", at) == code
    assert student.refused("confirm", at) == "enrolled_by_payment"


def test_between_two_periods_nobody_joins() -> None:
    gap = ("period", {"opens": "2025-11-14", "closes": "2025-12-05 15:00"})
    student = alone(policy=continuing(concentrated_period=gap))
    assert student.refused("pay_premium", "2025-12-05 14:59") is None
    assert student.refused("pay_premium", "2025-12-05 15:00") == "window_closed"
    assert student.refused("pay_premium", "2026-01-01 00:00") is None
    assert student.steps("2025-12-06 00:00") == ["pay_premium"]


def test_a_roster_is_asked_for_where_the_edition_requires_it() -> None:
    required = continuing(roster_required=("yes or no", "yes"))
    assert (
        alone(policy=required).refused("pay_premium", "2025-11-20 10:00") == "roster_not_declared"
    )
    declared = alone(roster("2025-11-16 09:00"), policy=required)
    assert declared.refused("pay_premium", "2025-11-20 10:00") is None


def test_the_window_that_is_fixed_is_the_concentrated_one() -> None:
    fixed = fix_window("2025-11-01 09:00", opens_on="2025-11-18", closes_at="2025-12-05 15:00")
    student = alone(fixed)
    assert student.refused("pay_premium", "2025-11-17 23:59") == "window_not_open"
    assert student.refused("pay_premium", "2025-12-05 15:00") == "window_closed"
    assert student.states("2025-12-06 00:00")[-1] == ("2025-12-05 15:00", "lapsed")


def test_who_missed_the_period_has_lapsed_and_is_told_what_joining_late_costs() -> None:
    student = after(COVERED)
    assert student.state("2025-12-31 23:59") == "registered"
    assert student.state(NEW_YEAR) == "lapsed"
    assert set(student.values(NEW_YEAR)) == {"pending"}
    (step,) = student.next_steps(NEW_YEAR)
    assert (step.code, str(step.amount), step.fixed_waiting_months) == ("pay_premium", "400", 3)
    assert str(step.until)[:16] == "2027-01-01 00:00"
    (step,) = after(COVERED).next_steps("2025-11-20 10:00")
    assert (str(step.until)[:16], step.fixed_waiting_months) == ("2026-01-01 00:00", 0)
    assert not step.estimated


def test_who_never_joined_has_nothing_of_that_year() -> None:
    student = after(COVERED)
    assert set(student.values("2027-01-01 00:00")) == {"none"}
    assert student.steps("2027-01-01 00:00") == []


def test_a_late_payment_leads_back_and_waits() -> None:
    student = alone(checked("2026-03-01 10:00", 0), LATE)
    assert student.values(LATER) == (
        "2026-03-02 to 2026-06-01",
        "2026-06-02",
        "2026-06-02 09:00",
        "2026-06-03 to 2026-12-31",
    )
    assert student.states(LATER)[1:4] == [
        ("2026-01-01 00:00", "lapsed"),
        ("2026-03-02 10:00", "confirmed"),
        ("2026-03-02 10:30", "in_waiting_period"),
    ]


def test_late_with_lapsed_years_it_is_one_period() -> None:
    student = alone(checked("2026-03-01 10:00", 2), LATE)
    assert student.values(LATER)[0] == "2026-03-02 to 2026-08-01"


def test_with_an_account_from_before_the_state_waits_all_the_same() -> None:
    student = after(COVERED, LATE)
    assert student.values(LATER)[1:3] == ("2025-09-06", "2025-09-07 09:00")
    assert student.states(LATER)[2:] == [
        ("2026-03-02 10:00", "confirmed"),
        ("2026-03-02 10:30", "in_waiting_period"),
        ("2026-06-02 00:00", "active"),
        ("2027-01-01 00:00", "expired"),
    ]


REPAIRED: dict[str, Any] = {
    "waiting_repaired_per_year": ("months", 1),
    "waiting_floor": ("months", {"lapsed_years": 4, "months": 6}),
}


@pytest.mark.parametrize(
    ("lapsed", "repaid", "last"),
    [
        (2, None, "2026-08-01"),  # 3 + 2
        (2, 1, "2026-07-01"),
        (2, 5, "2026-06-01"),  # never below the fixed ones
        (3, 3, "2026-06-01"),  # below four lapsed years there is no floor
        (4, 4, "2026-09-01"),  # 3 + 0, but not below 6
        (4, 1, "2026-09-01"),  # 3 + 3
        (5, 1, "2026-10-01"),  # 3 + 4
    ],
)
def test_years_paid_since_repair_months_down_to_the_floor(
    lapsed: int, repaid: int | None, last: str
) -> None:
    said = checked("2026-03-01 10:00", lapsed, years_repaid=repaid)
    student = alone(said, LATE, policy=continuing(**REPAIRED))
    assert student.values(LATER)[0] == f"2026-03-02 to {last}"


def test_the_floor_never_raises_what_was_owed() -> None:
    said = continuing(
        waiting_repaired_per_year=("months", 1),
        waiting_floor=("months", {"lapsed_years": 1, "months": 12}),
    )
    student = alone(checked("2026-03-01 10:00", 1, years_repaid=1), LATE, policy=said)
    assert student.values(LATER)[0] == "2026-03-02 to 2026-07-01"


@pytest.mark.parametrize(
    ("cover_from", "on", "paid_at", "coverage"),
    [
        ("registration", "2025-09-01", "2025-11-20 10:00", IN_FULL),
        ("benefit_from", "2025-09-01", "2025-11-20 10:00", IN_FULL),
        ("enrollment_day", "2025-09-01", "2025-11-20 10:00", IN_FULL),
        ("enrollment_day", "2025-09-01", "2026-02-10 10:00", "2026-02-10 to 2026-12-31"),
        ("day_after_enrollment", "2025-09-01", "2026-02-10 10:00", "2026-02-11 to 2026-12-31"),
        ("first_of_next_month", "2025-09-01", "2026-02-10 10:00", "2026-03-01 to 2026-12-31"),
        ("first_of_next_month", "2025-09-01", "2025-12-31 10:00", IN_FULL),
        ("first_of_next_month", "2025-09-01", "2026-12-01 10:00", "none"),
        ("registration", "2026-02-20", "2026-02-25 10:00", "2026-02-20 to 2026-12-31"),
        ("benefit_from", "2026-02-20", "2026-02-25 10:00", IN_FULL),
        ("enrollment_day", "2026-02-20", "2026-02-25 10:00", "2026-02-25 to 2026-12-31"),
    ],
)
def test_the_period_says_from_when_care_is_covered(
    cover_from: str, on: str, paid_at: str, coverage: str
) -> None:
    period = {"opens": "2025-11-14", "closes": "2026-12-31", "cover_from": cover_from}
    said = continuing(concentrated_period=("period", period), late_period=None)
    student = alone(paid(paid_at, 2026), checked("2026-12-01 12:00", 0), policy=said, on=on)
    assert student.values(LATER)[3] == coverage


def test_an_edition_by_confirmation_may_have_periods_as_well() -> None:
    said = edition_saying(
        "wuhan-2025",
        concentrated_period=(
            "period",
            {"opens": "2025-09-01", "closes": "2025-09-30", "cover_from": "benefit_from"},
        ),
    )
    steps = (registered("2025-09-05"), roster("2025-09-06 09:00"), confirm("2025-09-20 10:00"))
    student = Years(given(*steps, checked("2025-09-20 11:00"), policy=said))
    assert student.values("2025-12-01 00:00")[3] == "2025-09-01 to 2025-12-31"


GOES_ON: dict[str, Any] = {
    "cover_after_leaving": ("kinds of leaving", {"graduated": "until_benefit_to"})
}


def test_after_some_kinds_of_leaving_cover_goes_on() -> None:
    graduates = withdraw("2026-06-30 09:00", "2026-07-01", kind="graduated")
    student = after(COVERED, PAID, graduates, policy=continuing(**GOES_ON))
    assert student.values(LATER)[3] == IN_FULL
    assert student.state(LATER) == "withdrawn"
    ends: Any = student.found(LATER).coverage.inputs[1]
    benefit_to, left, goes_on = ends.inputs
    assert (ends.rule, benefit_to.name, goes_on.name) == (
        "R38",
        "benefit_to",
        "cover_after_leaving",
    )
    assert left.event.kind == "graduated"
    ended = after(COVERED, PAID, graduates)
    assert ended.values(LATER)[3] == "2026-01-01 to 2026-06-30"
    other = withdraw("2026-06-30 09:00", "2026-07-01", kind="suspended")
    assert after(COVERED, PAID, other, policy=continuing(**GOES_ON)).values(LATER)[3] == (
        "2026-01-01 to 2026-06-30"
    )


def test_once_registered_for_the_next_year_that_year_tells_what_to_pay() -> None:
    assert "pay_next_premium" in Years(given(*COVERED)).steps("2025-11-20 09:00")
    student = after(COVERED)
    assert "pay_next_premium" in student.steps("2025-11-15 08:59", 2025)
    assert "pay_next_premium" not in student.steps("2025-11-15 09:00", 2025)
    assert student.steps("2025-11-15 09:00") == ["pay_premium"]


def test_only_continuing_students_are_registered_under_an_edition_for_them() -> None:
    assert alone(on="2026-07-31").codes(LATER) == []
    with pytest.raises(Exception, match="not_a_new_student"):
        alone(on="2026-08-01")


def test_the_employed_wait_in_neither_year_for_what_has_stopped() -> None:
    student = after((*COVERED, EMPLOYED, stopped("2025-10-10 09:00", "2025-10-10")), PAID)
    assert student.values(NEW_YEAR)[3] == IN_FULL


def test_a_year_alone_answers_as_one_whose_year_before_is_empty() -> None:
    student = Years(given(), in_2026(PAID, checked("2025-12-05 10:00", 1)))
    assert student.values(LATER) == alone(PAID, checked("2025-12-05 10:00", 1)).values(LATER)


def test_waiting_in_the_year_of_entry_is_not_asked_for_twice() -> None:
    student = after(WAITING, PAID)
    assert "look_at_result" not in student.steps("2026-01-15 00:00")
    assert "await_check_result" not in student.steps("2025-11-20 10:10")


def test_where_no_lapsed_year_counts_who_joins_late_waits_the_fixed_months() -> None:
    fixed_alone = continuing(waiting_months_per_lapsed_year=("months", 0))
    in_time = alone(PAID, policy=fixed_alone)
    assert in_time.values(LATER)[::3] == ("none", IN_FULL)
    assert in_time.because("waiting", LATER) == "no_fixed_months"
    assert in_time.found(LATER).waiting.inputs == (fixed_alone.parameters.concentrated_period,)
    late = alone(LATE, policy=fixed_alone)
    assert late.values(LATER)[::3] == ("2026-03-02 to 2026-06-01", "2026-06-03 to 2026-12-31")


#: Waiting counts from the enrollment, and nobody waits for joining late.
NOBODY_LATE = continuing(late_period=None)


@pytest.mark.parametrize(
    ("check", "waiting", "because"),
    [
        ((), "pending", "payment_missing"),
        ((checked("2025-12-05 10:00", 0),), "none", "no_lapsed_year"),
        ((checked("2025-12-05 10:00", 1),), "pending", "payment_missing"),
        (
            (checked("2025-12-05 10:00", 1, waiting_ends_on="2026-02-28"),),
            "pending",
            "payment_missing",
        ),
    ],
    ids=["unchecked", "no lapsed year", "one lapsed year", "an end that is named"],
)
def test_what_is_counted_from_joining_is_open_until_one_has_joined(
    check: tuple[Step, ...], waiting: str, because: str
) -> None:
    student = alone(*check, policy=NOBODY_LATE)
    assert student.values("2025-12-06 00:00")[0] == waiting
    assert student.because("waiting", "2025-12-06 00:00") == because


def test_fixed_months_leave_it_open_also_where_the_day_it_counts_from_is_named() -> None:
    from_a_day = continuing(waiting_counts_from=("day", "2026-01-01"))
    student = alone(checked("2025-12-05 10:00", 0), policy=from_a_day)
    assert student.values("2025-12-06 00:00")[0] == "pending"


def test_one_that_goes_on_is_known_before_joining_and_so_is_an_end_that_is_named_of_it() -> None:
    student = after(LONG, policy=NOBODY_LATE)
    assert student.values("2025-12-06 00:00")[0] == "2025-09-01 to 2026-02-28"
    named = checked("2025-12-05 10:00", 2, waiting_ends_on="2026-01-31")
    student = after(LONG, named, policy=NOBODY_LATE)
    assert student.values("2025-12-06 00:00")[0] == "2025-09-01 to 2026-01-31"


def test_an_end_named_on_the_first_day_of_the_year_is_not_over() -> None:
    student = after(LONG, PAID, checked("2026-01-10 10:00", 2, waiting_ends_on="2026-01-01"))
    assert student.values(LATER)[::3] == ("2025-09-01 to 2026-01-01", "2026-01-03 to 2026-12-31")


def test_an_end_named_before_the_first_waiting_day_moves_nothing() -> None:
    told = in_2026(PAID, checked("2026-01-10 10:00", 2))
    too_early = {"waiting_ends_on": date(2025, 8, 31)}
    told.recorded[-1] = told.recorded[-1].model_copy(update=too_early)
    student = Years(given(*LONG), told)
    assert student.values(LATER) == after(LONG, PAID).values(LATER)


def test_who_needs_no_check_waits_for_no_result_but_of_one_that_names_an_end() -> None:
    unneeded = after(COVERED, PAID, checked("2026-01-10 10:00", 0))
    assert unneeded.states(LATER) == after(COVERED, PAID).states(LATER)
    named = after(LONG, PAID, checked("2026-02-10 10:00", 2, waiting_ends_on="2026-01-31"))
    assert ("2026-02-10 10:00", "active") in named.states(LATER)


def test_a_result_is_waited_for_by_the_joining_whose_waiting_it_ends() -> None:
    kept = keep("2026-02-07 23:45", observed=True)
    only_of_the_first = checked("2026-04-01 10:00", 0, waiting_ends_on="2026-01-19")
    assert after(COVERED, PAID, kept, only_of_the_first, LATE).states(LATER)[1:4] == [
        ("2025-11-20 10:00", "confirmed"),
        ("2026-02-07 23:45", "opted_out"),
        ("2026-03-02 10:00", "confirmed"),
    ]
    assert ("2026-01-01 00:00", "active") in after(COVERED, PAID, kept, LATE).states(LATER)


@pytest.mark.parametrize(
    ("outside", "at", "coverage"),
    [
        ("2025-11-14", "2025-11-13 12:00", "none"),
        ("2025-11-15", "2025-11-13 12:00", "pending"),
        ("2025-11-20", "2025-11-19 12:00", "pending"),
        ("2025-11-20", "2025-11-20 00:00", "none"),
    ],
)
def test_who_leaves_before_joining_can_join_until_the_first_day_outside(
    outside: str, at: str, coverage: str
) -> None:
    graduates = withdraw("2025-11-10 09:00", outside, kind="graduated")
    student = alone(graduates, policy=continuing(**GOES_ON), on="2025-09-01")
    assert student.values(at)[3] == coverage
    if coverage == "none":
        assert student.because("coverage", at) == "withdrawn"


def test_an_end_named_before_one_has_joined_resolves_nothing_that_is_open() -> None:
    told = in_2026(LATE, checked("2026-03-10 10:00", 0))
    too_early = {"waiting_ends_on": date(2026, 2, 1)}
    told.recorded[-1] = told.recorded[-1].model_copy(update=too_early)
    student = Years(given(*SIGNED), told)
    assert student.values(LATER) == ("pending", "pending", "pending", "pending")


def test_where_no_lapsed_year_counts_no_result_is_waited_for_but_of_an_end_that_is_named() -> None:
    fixed_alone = continuing(waiting_months_per_lapsed_year=("months", 0))
    student = alone(PAID, checked("2026-03-10 10:00", 0), policy=fixed_alone)
    assert student.states(LATER)[2] == ("2025-11-20 10:30", "account_built")
    early = paid("2025-11-01 10:00", 2026, observed=True)
    assert alone(early, policy=fixed_alone).found(LATER).waiting.inputs == ()


def test_a_waiting_period_may_be_of_one_day() -> None:
    named = checked("2026-03-02 11:00", 1, waiting_ends_on="2026-03-02")
    student = alone(LATE, named)
    assert student.values(LATER)[::3] == ("2026-03-02 to 2026-03-02", "2026-03-04 to 2026-12-31")


def test_an_end_named_on_the_first_waiting_day_moves_the_account_to_the_day_of_signing() -> None:
    told = in_2026(PAID, checked("2026-01-10 10:00", 2))
    first_day = {"waiting_ends_on": date(2025, 9, 1)}
    told.recorded[-1] = told.recorded[-1].model_copy(update=first_day)
    student = Years(given(*LONG), told)
    assert student.values(LATER)[:2] == ("none", "2025-09-06")


def test_leaving_told_in_this_year_leaves_the_window_open_while_the_check_is_missing() -> None:
    gone = withdraw("2025-12-10 09:00", "2025-12-15")
    assert alone(PAID, gone).because("coverage", NEW_YEAR) == "check_missing"
    checked_by_then = alone(PAID, checked("2025-12-05 10:00", 0), gone)
    assert checked_by_then.because("coverage", NEW_YEAR) == "withdrawn"


def in_2027(*steps: Step) -> Given:
    again = registered("2025-09-01", at="2026-11-15 09:00")
    return given(again, *steps, paid("2026-11-20 10:00", 2027), policy=continuing(2027))


def test_a_waiting_period_that_is_over_stays_over_in_the_years_after() -> None:
    one_lapsed_year = given(*SIGNED, checked("2025-09-06 10:30", 1))
    seen_late = in_2027(account("2027-02-10 10:00", "2027-02-10"))
    student = Years(one_lapsed_year, in_2026(PAID), seen_late)
    assert student.because("waiting", "2027-03-01 00:00") == "waiting_over"
    assert student.values("2027-03-01 00:00")[3] == "2027-02-11 to 2027-12-31"


def test_nor_does_the_state_go_on_before_the_end_of_one_that_is_over_by_the_next_year() -> None:
    late = paid("2026-09-20 10:00", 2026)
    student = Years(given(*COVERED), in_2026(late), in_2027())
    assert student.values("2026-12-01 00:00", 2026)[0] == "2026-09-20 to 2026-12-19"
    assert student.states("2027-01-01 00:00")[1:3] == [
        ("2026-11-20 10:00", "confirmed"),
        ("2026-12-20 00:00", "evoucher_eligible"),
    ]


def test_while_one_may_still_join_before_no_e_voucher_is_ruled_out() -> None:
    seen_late = account("2027-01-05 10:00", "2027-01-05")
    student = after(COVERED[:2], PAID, seen_late)
    assert student.values("2025-12-01 00:00")[1:3] == ("2027-01-05", "pending")
    assert student.values(NEW_YEAR)[2] == "none"
    used_later = activate("2027-01-05 11:00", observed=True)
    passport = registered("2025-09-01", at="2025-11-15 09:00", document="passport")
    abroad = given(passport, PAID, seen_late, used_later, policy=continuing())
    student = Years(given(*COVERED[:2]), abroad)
    assert student.values("2025-12-01 00:00")[2] == "pending"
    assert student.values(NEW_YEAR)[2] == "none"


def test_who_has_left_before_an_account_on_record_can_join_no_more() -> None:
    recorded = account("2025-09-10 09:00", "2025-09-10")
    gone = withdraw("2025-09-03 09:00", "2025-09-08")
    student = after((*COVERED[:2], gone, recorded), PAID)
    assert student.because("waiting", "2025-09-04 00:00") == "check_missing"
    still_there = after((*COVERED[:2], recorded), PAID)
    assert still_there.because("waiting", "2025-09-04 00:00") == "year_before_undecided"


def test_who_left_before_any_account_could_be_built_has_nothing_though_one_is_still_open() -> None:
    fixed = fix_window("2025-11-01 09:00", closes_on="2025-12-01")
    late = (fixed, confirmed("2025-12-20 10:00"), checked("2025-12-20 10:30", 2))
    recorded = account("2025-12-21 09:00", "2025-12-21")

    def left(on: str) -> tuple[str, str]:
        gone = withdraw("2025-12-22 09:00", on)
        student = after((*COVERED[:2], *late), PAID, recorded, gone)
        assert student.values(NEW_YEAR)[:2] == ("2025-09-01 to 2026-02-28", "2025-12-21")
        return student.values(NEW_YEAR)[2:]

    assert left("2026-03-01") == ("none", "none")
    assert left("2026-03-02") == ("pending", "pending")


def test_an_end_that_is_named_counts_only_where_the_edition_knows_waiting() -> None:
    knows_none = continuing(
        waiting_months_per_lapsed_year=("months", 0), late_period=None, extended_period=None
    )
    named = checked("2026-01-10 10:00", 1, waiting_ends_on="2026-11-30")
    student = after(SIGNED, PAID, named, policy=knows_none)
    assert student.values(LATER) == after(SIGNED, PAID, policy=knows_none).values(LATER)
    assert student.because("account_built_on", LATER) == "check_missing"


def test_of_who_joined_in_no_period_an_end_that_is_over_is_a_finding_as_well() -> None:
    early = paid("2025-11-01 10:00", 2026, observed=True)
    told = in_2026(early, checked("2025-12-05 10:00", 2))
    over = {"waiting_ends_on": date(2025, 12, 20)}
    told.recorded[-1] = told.recorded[-1].model_copy(update=over)
    student = Years(given(*LONG), told)
    assert student.values(NEW_YEAR) == ("none", "2025-12-21", "2025-12-21 09:00", IN_FULL)


def test_of_payments_under_an_edition_without_periods_the_earliest_counts() -> None:
    by_payment = edition_saying("by-payment", enrolled_by=("event", "payment"))
    early, again = (
        paid("2025-09-03 10:00", 2025, observed=True),
        paid("2025-09-20 10:00", 2025, observed=True),
    )
    facts = (registered("2025-09-01"), roster(), early, again, checked("2025-09-20 11:00"))
    student = Years(given(*facts, policy=by_payment))
    assert student.values(NEW_YEAR)[1] == "2025-09-03"


def test_under_one_without_periods_nobody_is_told_to_wait_for_joining() -> None:
    by_payment = edition_saying("by-payment", enrolled_by=("event", "payment"))
    facts = (registered("2025-09-01"), roster())
    (step,) = Years(given(*facts, policy=by_payment)).next_steps("2025-09-06 00:00")
    assert (step.code, step.fixed_waiting_months) == ("pay_premium", 0)


def test_what_is_open_two_years_before_is_open_here_and_elsewhere_nothing_is_made_anew() -> None:
    student = Years(given(*COVERED[:2]), in_2026(PAID), in_2027())
    assert set(student.values("2025-12-01 00:00")) == {"pending"}
    joined = after(COVERED, PAID)
    assert joined.case("2025-12-01 00:00") is joined.cases[2026]


def test_why_it_is_too_late_to_join_tells_what_would_be_waited_for() -> None:
    gone = withdraw("2025-09-03 09:00", "2025-10-01")
    facts = (*COVERED[:2], EMPLOYED, stopped("2025-09-03 10:00", "2025-10-02"))
    student = Years(given(*facts, checked("2025-09-03 11:00", 1), gone))
    inputs = student.found("2025-09-06 00:00").coverage.inputs
    assert [getattr(each, "name", None) for each in inputs[1:]] == [
        "day_after_waiting",
        "employee_cover_stopped_on",
    ]


@pytest.mark.parametrize(
    ("outside", "coverage"), [("2026-01-01", "none"), ("2026-01-02", "pending")]
)
def test_leaving_told_before_settles_the_window_only_where_it_cannot_begin(
    outside: str, coverage: str
) -> None:
    student = after((*EMPLOYED_FIRST, withdraw("2025-12-10 09:00", outside)), PAID)
    assert student.values("2025-12-11 00:00")[3] == coverage


def test_a_day_of_the_period_is_told_only_where_it_is_what_delays() -> None:
    def names(seen_on: str) -> list[str]:
        seen = account("2026-02-01 10:00", seen_on)
        coverage = (
            after((*SIGNED, checked("2025-09-06 10:30", 1)), PAID, seen).found(LATER).coverage
        )
        begins: Any = coverage.inputs[0]
        return [each.name for each in begins.inputs]

    assert "benefit_year_begins_on" not in names("2025-12-31")
    assert "benefit_year_begins_on" in names("2025-12-30")


def test_a_check_moves_only_what_waited_for_the_end_that_it_names() -> None:
    joined_late = in_2026(paid("2026-11-02 10:00", 2026))
    named = checked("2026-12-05 10:00", 0, waiting_ends_on="2027-01-15")
    student = Years(given(*COVERED), joined_late, in_2027(named))
    expected = ("2026-11-02 to 2027-01-15", "2025-09-06", "2025-09-07 09:00")
    assert student.values("2027-02-01 00:00")[:3] == expected
    assert student.values("2027-02-01 00:00")[3] == "2027-01-16 to 2027-12-31"


def test_it_moves_it_through_a_year_that_was_paid_for_but_never_registered() -> None:
    paid_for = (*SIGNED, checked("2025-09-06 10:30", 6), PAID)
    named = checked("2026-12-05 10:00", 6, waiting_ends_on="2027-01-15")
    student = Years(given(*paid_for), given(policy=continuing()), in_2027(named))
    assert student.values("2027-02-01 00:00")[1] == "2027-01-16"


def test_it_moves_an_e_voucher_that_came_about_after_the_account() -> None:
    long = given(*SIGNED, checked("2025-09-06 10:30", 6), document="passport")
    named = checked("2026-12-05 10:00", 6, waiting_ends_on="2027-01-15")
    student = Years(long, in_2026(PAID), in_2027(named))
    expected = ("2027-01-16", "2027-01-16 09:00", "2027-01-17 to 2027-12-31")
    assert student.values("2027-02-01 00:00")[1:] == expected


def test_an_account_on_record_is_built_then_though_the_waiting_that_goes_on_is_not_over() -> None:
    student = after(LONG, PAID, account("2026-01-10 10:00", "2026-01-09"))
    assert ("2026-01-09 00:00", "account_built") in student.states(LATER)


def test_an_account_had_by_then_is_told_by_what_had_happened_by_then() -> None:
    elsewhere = other_cover("2025-09-01 09:00", "other_province")
    left_it = keep("2025-09-06 20:00", observed=True)
    tried = activate("2025-09-06 15:30", observed=True)
    student = Years(given(*COVERED, elsewhere, tried, left_it))
    assert ("2025-09-06 20:00", "opted_out") in student.states(NEW_YEAR)
    assert "evoucher_not_yet_available" in student.codes(NEW_YEAR)


#: One lapsed year, so waiting until 30 November 2025, and left before any account was built.
LEFT_WAITING = (*SIGNED, checked("2025-09-06 10:30", 1), withdraw("2025-10-15 09:00", "2025-10-15"))


def test_no_account_is_built_before_the_end_of_one_that_is_over_by_the_new_year() -> None:
    joined = (paid("2025-11-21 10:00", 2026), checked("2025-11-21 11:00", 0))
    back = in_2026(*joined, policy=entrants_too(), on="2025-11-20")
    student = Years(given(*LEFT_WAITING), back)
    expected = ("none", "2025-12-01", "2025-12-01 09:00", "2026-01-01 to 2026-12-31")
    assert student.values(LATER) == expected


def test_nor_can_one_join_who_leaves_by_then() -> None:
    def coverage(left_on: str) -> str:
        waiting = (*SIGNED, checked("2025-09-06 10:30", 1))
        leaves = withdraw("2025-11-10 09:00", left_on)
        unneeded = checked("2025-11-10 10:00", 0)
        student = after((*waiting, leaves), unneeded, policy=NOBODY_LATE)
        return student.values("2025-11-15 00:00")[3]

    assert (coverage("2025-12-01"), coverage("2025-12-02")) == ("none", "pending")


def test_nobody_is_active_while_it_is_open_from_when_the_e_voucher_can_be_had() -> None:
    fixed = fix_window("2025-11-01 09:00", closes_on="2025-12-01")
    late = (*COVERED[:2], fixed, confirmed("2025-12-20 10:00"), checked("2025-12-20 10:30"))
    seen = (checked("2026-12-05 10:00", 0), account("2026-12-06 10:00", "2026-12-06"))
    student = Years(given(*late), in_2026(), in_2027(*seen))
    assert student.values("2027-02-01 00:00")[1:] == (
        "2026-12-06",
        "pending",
        "2027-01-01 to 2027-12-31",
    )
    assert [state for _, state in student.states("2027-02-01 00:00")] == [
        "registered",
        "confirmed",
        "account_built",
        "expired",
    ]


def test_that_one_may_still_join_two_years_before_tells_whether_one_may_in_the_next() -> None:
    # If she joins in 2025 no lapsed year keeps her waiting in 2026 until after she has left.
    from_a_day = continuing(late_period=None, waiting_counts_from=("day", "2026-01-01"))
    leaves = withdraw("2025-11-20 09:00", "2026-02-15")
    second = in_2026(checked("2025-11-20 08:00", 2), leaves, policy=from_a_day)
    student = Years(given(*COVERED[:2]), second, in_2027(checked("2026-12-05 10:00", 0)))
    assert student.because("waiting", "2025-12-20 00:00") == "year_before_undecided"
    assert student.values("2026-01-01 00:00")[0] == "none"
