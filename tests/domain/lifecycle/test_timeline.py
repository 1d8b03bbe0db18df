"""In which state, from when: the dated triggers folded through the table (R24)."""

import pytest
from given import (
    COVERED,
    REGISTERED,
    SIGNED,
    WAITING,
    Step,
    account,
    activate,
    checked,
    confirm,
    confirmed,
    correct,
    fix_window,
    given,
    keep,
    leaves,
    moved,
    other_cover,
    registered,
    roster,
    stopped,
    told,
    void,
    withdraw,
)

from yibao.domain.calendar import read_instant
from yibao.domain.derivation import Derived
from yibao.domain.lifecycle.timelines import state_at, timeline

START = ("2025-09-01 00:00", "registered")
CONFIRMED = ("2025-09-06 10:00", "confirmed")
BUILT = ("2025-09-06 10:30", "account_built")
ACTIVE = ("2025-09-07 09:00", "active")
END = ("2026-01-01 00:00", "expired")


def after_start(*steps: Step, **student: str) -> list[tuple[str, str]]:
    """The timeline but for its first entry, which is always the same here."""
    first, *rest = given(*steps, **student).states()
    assert first == START
    return rest


def test_an_enrollment_begins_at_the_midnight_of_the_registration_day() -> None:
    assert given(registered("2025-09-03", "2025-09-03 08:30")).states()[0] == (
        "2025-09-03 00:00",
        "registered",
    )


def test_without_a_confirmation_the_enrollment_lapses_when_the_window_has_closed() -> None:
    assert after_start(REGISTERED) == [("2026-01-01 00:00", "lapsed")]


def test_the_lapse_follows_the_window_as_fixed() -> None:
    fixed = fix_window("2025-11-01 09:00", closes_on="2025-11-20")
    assert after_start(REGISTERED, fixed) == [("2025-11-21 00:00", "lapsed")]


def test_the_lapse_follows_the_latest_school() -> None:
    story = (
        fix_window("2025-11-01 09:00", closes_on="2025-11-20", school="sjtu"),
        fix_window("2025-11-01 09:00", closes_on="2025-12-10", school="ecnu"),
        moved("2025-11-25 09:00", "ecnu"),
    )
    assert after_start(REGISTERED, *story) == [("2025-12-11 00:00", "lapsed")]


def test_the_lapse_of_who_registers_after_the_window_falls_on_the_registration_day() -> None:
    student = given(
        registered("2025-11-25"), fix_window("2025-11-01 09:00", closes_on="2025-11-20")
    )
    assert student.states() == [("2025-11-25 00:00", "lapsed")]


def test_a_confirmed_student_does_not_lapse() -> None:
    assert after_start(*SIGNED) == [CONFIRMED, END]


def test_who_has_left_does_not_lapse() -> None:
    left = withdraw("2025-10-01 09:00", "2025-10-10")
    assert after_start(REGISTERED, left) == [("2025-10-10 00:00", "withdrawn")]


def test_leaving_after_the_window_has_closed_follows_the_lapse() -> None:
    story = (
        fix_window("2025-11-01 09:00", closes_on="2025-11-20"),
        withdraw("2025-12-01 09:00", "2025-12-01"),
    )
    assert after_start(REGISTERED, *story) == [
        ("2025-11-21 00:00", "lapsed"),
        ("2025-12-01 00:00", "withdrawn"),
    ]


def test_a_confirmation_after_the_window_that_is_reported_leads_back_to_the_road() -> None:
    story = (
        fix_window("2025-11-01 09:00", closes_on="2025-11-20"),
        confirmed("2025-11-25 10:00"),
        checked("2025-11-25 10:30"),
    )
    lapsed_and_back = [("2025-11-21 00:00", "lapsed"), ("2025-11-25 10:00", "confirmed")]
    assert after_start(REGISTERED, *story) == [*lapsed_and_back, END]
    assert after_start(REGISTERED, *story, account("2025-11-27 10:00", "2025-11-27")) == [
        *lapsed_and_back,
        ("2025-11-27 00:00", "account_built"),
        ("2025-11-27 09:00", "evoucher_eligible"),
        ("2025-11-28 00:00", "active"),
        END,
    ]


def test_a_confirmation_at_the_instant_the_window_has_closed_leaves_no_lapse() -> None:
    story = (
        fix_window("2025-11-01 09:00", closes_on="2025-11-20"),
        confirmed("2025-11-21 00:00"),
    )
    assert after_start(REGISTERED, *story) == [("2025-11-21 00:00", "confirmed"), END]


def test_a_confirmation_after_the_year_that_is_reported_is_expired_at_once() -> None:
    assert after_start(REGISTERED, confirmed("2026-01-10 10:00")) == [
        ("2026-01-01 00:00", "lapsed"),
        ("2026-01-10 10:00", "expired"),
    ]


def test_the_account_shows_half_an_hour_after_signing() -> None:
    assert after_start(*COVERED) == [CONFIRMED, BUILT, ACTIVE, END]


def test_without_a_check_a_confirmed_student_expires_all_the_same() -> None:
    assert after_start(*SIGNED) == [CONFIRMED, END]


def test_a_late_check_delays_the_account() -> None:
    assert after_start(*SIGNED, checked("2025-09-06 20:00")) == [
        CONFIRMED,
        ("2025-09-06 20:00", "account_built"),
        ACTIVE,
        END,
    ]


def test_a_check_before_the_confirmation_delays_nothing() -> None:
    story = (REGISTERED, roster(), checked("2025-09-04 10:00"), confirm("2025-09-06 10:00"))
    assert after_start(*story) == [CONFIRMED, BUILT, ACTIVE, END]


def test_in_2024_a_check_delays_nothing() -> None:
    student = given(
        registered("2024-09-02"),
        roster("2024-09-03 17:00"),
        confirm("2024-09-05 10:30"),
        checked("2024-09-20 12:00", 1),
        policy="shanghai-2024",
    )
    assert student.states()[2:4] == [
        ("2024-09-05 11:00", "account_built"),
        ("2024-09-06 00:00", "active"),
    ]


def test_the_waiting_period_shows_with_the_result() -> None:
    assert after_start(*WAITING)[1] == ("2025-09-06 10:30", "in_waiting_period")


def test_a_late_check_delays_the_waiting_period() -> None:
    assert after_start(*SIGNED, checked("2025-09-20 12:00", 1))[1] == (
        "2025-09-20 12:00",
        "in_waiting_period",
    )


@pytest.mark.parametrize(("at", "shown"), [("2025-11-30 23:59", True), ("2025-12-01 00:00", False)])
def test_the_waiting_period_shows_only_before_it_is_over(at: str, shown: bool) -> None:
    states = [state for _, state in after_start(*SIGNED, checked(at, 1))]
    assert ("in_waiting_period" in states) is shown


def test_waiting_lasts_until_the_account_is_built() -> None:
    story = (*WAITING, account("2025-12-03 10:00", "2025-12-03"))
    assert after_start(*story)[1:] == [
        ("2025-09-06 10:30", "in_waiting_period"),
        ("2025-12-03 00:00", "account_built"),
        ("2025-12-03 09:00", "evoucher_eligible"),
        ("2025-12-04 00:00", "active"),
        END,
    ]


def test_an_account_seen_during_the_waiting_period_ends_the_waiting_state() -> None:
    story = (*WAITING, account("2025-11-15 10:00", "2025-11-15"))
    assert after_start(*story)[1:] == [
        ("2025-09-06 10:30", "in_waiting_period"),
        ("2025-11-15 00:00", "account_built"),
        ("2025-12-01 09:00", "active"),
        END,
    ]


def test_an_account_recorded_without_a_check_is_built_and_goes_no_further() -> None:
    story = (*SIGNED, account("2025-09-07 09:00", "2025-09-06"))
    assert after_start(*story) == [CONFIRMED, BUILT, END]


def test_while_employee_cover_is_not_stopped_the_state_stays_confirmed() -> None:
    story = (*COVERED, other_cover("2025-09-01 09:00", "employee"))
    assert after_start(*story) == [CONFIRMED, END]


def test_while_employee_cover_is_not_stopped_a_waiting_period_shows_all_the_same() -> None:
    story = (*WAITING, other_cover("2025-09-01 09:00", "employee"))
    assert after_start(*story) == [CONFIRMED, ("2025-09-06 10:30", "in_waiting_period"), END]


def test_a_stop_counts_from_the_midnight_of_its_day() -> None:
    story = (*COVERED, stopped("2025-10-10 16:00", "2025-10-10"))
    assert after_start(*story)[1] == ("2025-10-10 00:00", "account_built")


def test_an_e_voucher_activated_on_a_passport_moves_the_value_not_the_state() -> None:
    story = (*COVERED, activate("2025-09-20 10:00"))
    assert after_start(*story, document="passport") == [
        CONFIRMED,
        ("2025-09-06 10:30", "active"),
        END,
    ]


def test_choosing_to_keep_other_cover_leads_off_the_road() -> None:
    assert after_start(REGISTERED, keep("2025-09-03 10:00", observed=True)) == [
        ("2025-09-03 10:00", "opted_out")
    ]


def test_an_opt_out_from_a_lapsed_enrollment_is_one() -> None:
    story = (
        fix_window("2025-11-01 09:00", closes_on="2025-11-20"),
        keep("2025-11-25 10:00", observed=True),
    )
    assert after_start(REGISTERED, *story) == [
        ("2025-11-21 00:00", "lapsed"),
        ("2025-11-25 10:00", "opted_out"),
    ]


def test_a_later_confirmation_leads_back_to_the_road() -> None:
    story = (
        REGISTERED,
        roster(),
        keep("2025-09-03 10:00", observed=True),
        confirm("2025-10-15 10:00"),
        checked("2025-10-15 10:30"),
    )
    assert after_start(*story) == [
        ("2025-09-03 10:00", "opted_out"),
        ("2025-10-15 10:00", "confirmed"),
        ("2025-10-15 10:30", "account_built"),
        ("2025-10-16 09:00", "active"),
        END,
    ]


def test_an_opt_out_after_a_confirmation_ends_the_road() -> None:
    story = (*COVERED, keep("2025-10-15 10:00", observed=True))
    assert after_start(*story) == [CONFIRMED, BUILT, ACTIVE, ("2025-10-15 10:00", "opted_out")]


def test_an_opt_out_stops_what_was_still_to_come() -> None:
    story = (*COVERED, keep("2025-09-06 10:30", observed=True))
    assert after_start(*story) == [CONFIRMED, ("2025-09-06 10:30", "opted_out")]


def test_who_comes_back_runs_along_the_road_again() -> None:
    story = (
        *COVERED,
        keep("2025-10-15 10:00", observed=True),
        confirm("2025-10-20 10:00"),
    )
    assert after_start(*story)[3:] == [
        ("2025-10-15 10:00", "opted_out"),
        ("2025-10-20 10:00", "confirmed"),
        ("2025-10-20 10:30", "account_built"),
        ("2025-10-21 09:00", "active"),
        END,
    ]


def test_nothing_follows_the_end_of_the_year() -> None:
    story = (
        *COVERED,
        keep("2026-02-01 10:00", observed=True),
        withdraw("2026-02-02 10:00", "2026-02-02", observed=True),
    )
    assert after_start(*story) == [CONFIRMED, BUILT, ACTIVE, END]


def test_who_has_left_is_withdrawn_from_the_midnight_of_the_day() -> None:
    story = (*COVERED, withdraw("2025-10-01 09:00", "2025-10-10"))
    assert after_start(*story) == [CONFIRMED, BUILT, ACTIVE, ("2025-10-10 00:00", "withdrawn")]


def test_leaving_on_the_last_day_of_the_year_leaves_nothing_to_expire() -> None:
    story = (*COVERED, withdraw("2025-12-30 09:00", "2025-12-31"))
    assert after_start(*story)[-1] == ("2025-12-31 00:00", "withdrawn")


def test_leaving_after_the_year_has_no_effect() -> None:
    story = (*COVERED, withdraw("2025-12-30 09:00", "2026-01-01"))
    assert after_start(*story)[-1] == END


def test_leaving_on_the_registration_day_leaves_one_entry() -> None:
    student = given(REGISTERED, withdraw("2025-09-01 09:00", "2025-08-20"))
    assert student.states() == [("2025-09-01 00:00", "withdrawn")]


def test_no_cover_begins_after_leaving() -> None:
    story = (*SIGNED, checked("2025-09-20 12:00"), withdraw("2025-09-09 09:00", "2025-09-10"))
    assert after_start(*story) == [CONFIRMED, ("2025-09-10 00:00", "withdrawn")]


def test_a_departure_between_account_and_e_voucher_leaves_cover_at_once() -> None:
    story = (*COVERED, withdraw("2025-09-06 16:00", "2025-09-07"))
    assert after_start(*story) == [
        CONFIRMED,
        ("2025-09-06 10:30", "active"),
        ("2025-09-07 00:00", "withdrawn"),
    ]


@pytest.mark.parametrize("on", ["2025-09-20", "2025-10-10"])
def test_no_state_begins_before_a_corrected_registration_day(on: str) -> None:
    student = given(*COVERED, correct("2025-09-21 09:00", "registered", on=on))
    assert {at for at, _ in student.states() if at < on} == set()


def test_a_confirmation_before_a_corrected_registration_day_counts_from_that_day() -> None:
    student = given(*COVERED, correct("2025-09-21 09:00", "registered", on="2025-09-20"))
    assert student.states()[0] == ("2025-09-20 00:00", "account_built")


def test_without_a_current_registration_the_timeline_is_empty() -> None:
    student = given(*COVERED, void("2025-09-21 09:00", "registered"))
    assert timeline(student.case) == ()


def test_states_of_no_duration_are_left_out() -> None:
    assert "evoucher_eligible" not in {state for _, state in after_start(*COVERED)}


def test_a_state_left_and_entered_again_at_one_instant_was_never_left() -> None:
    story = (
        keep("2025-09-03 10:00", observed=True),
        confirmed("2025-09-10 10:00"),
        keep("2025-09-10 10:00", observed=True),
    )
    assert after_start(REGISTERED, *story) == [("2025-09-03 10:00", "opted_out")]


@pytest.mark.parametrize(
    ("at", "state"),
    [
        ("2025-08-31 23:59", "none"),
        ("2025-09-01 00:00", "registered"),
        ("2025-09-06 09:59", "registered"),
        ("2025-09-06 10:00", "confirmed"),
        ("2025-12-31 23:59", "active"),
        ("2026-01-01 00:00", "expired"),
        ("2027-01-01 00:00", "expired"),
    ],
)
def test_the_state_at_an_instant_is_that_of_the_last_change_by_then(at: str, state: str) -> None:
    change = state_at(timeline(given(*COVERED).case), read_instant(at))
    assert told(change.state if change else None) == state


def test_each_change_says_why_it_came_when_it_came() -> None:
    changes = timeline(given(*COVERED).case)
    assert [change.cause.name for change in changes] == [
        "registered",
        "confirmed",
        "account_built_at",
        "active",
        "expired",
    ]


def test_an_early_check_shows_no_waiting_period_before_the_result() -> None:
    story = (*SIGNED, checked("2025-09-06 10:10", 1))
    assert after_start(*story)[1] == ("2025-09-06 10:30", "in_waiting_period")


def test_a_finding_on_the_day_after_waiting_shows_no_waiting_period() -> None:
    story = (
        *SIGNED,
        checked("2025-12-01 00:00", 1),
        account("2025-12-03 10:00", "2025-12-03"),
    )
    assert after_start(*story)[1] == ("2025-12-03 00:00", "account_built")


def test_opting_out_on_the_account_day_leaves_no_account() -> None:
    story = (
        *COVERED,
        account("2025-10-15 08:00", "2025-10-15"),
        keep("2025-10-15 10:00", observed=True),
    )
    assert after_start(*story, document="passport") == [
        CONFIRMED,
        ("2025-10-15 10:00", "opted_out"),
    ]


def test_who_comes_back_was_active_until_opting_out_also_on_the_account_day() -> None:
    story = (
        *COVERED,
        account("2025-10-15 08:00", "2025-10-15"),
        keep("2025-10-15 10:00", observed=True),
        confirmed("2025-10-20 10:00"),
    )
    assert after_start(*story, document="passport") == [
        CONFIRMED,
        ("2025-10-15 00:00", "active"),
        ("2025-10-15 10:00", "opted_out"),
        ("2025-10-20 10:00", "confirmed"),
        ("2025-10-20 10:30", "active"),
        END,
    ]


def test_who_opts_out_and_comes_back_at_one_instant_waits_for_the_result_again() -> None:
    story = (
        *SIGNED,
        keep("2025-10-15 10:00", observed=True),
        confirmed("2025-10-15 10:00"),
        checked("2025-10-15 10:00"),
    )
    assert after_start(*story)[:2] == [CONFIRMED, ("2025-10-15 10:30", "account_built")]


@pytest.mark.parametrize(
    ("document", "parts"),
    [
        ("resident_id_card", ["coverage", "account_built_at", "evoucher_eligible_at"]),
        ("passport", ["coverage", "account_built_at"]),
    ],
)
def test_active_is_told_from_window_account_and_e_voucher_if_there_is_one(
    document: str, parts: list[str]
) -> None:
    changes = timeline(given(*COVERED, document=document).case)
    cause = next(change.cause for change in changes if change.state == "active")
    assert [part.name for part in cause.inputs if isinstance(part, Derived)] == parts


@pytest.mark.parametrize(
    ("checked_at", "told_by"),
    [
        ("2025-09-06 10:30", ["confirmed", "result_visible_after"]),
        ("2025-09-06 10:31", ["prior-coverage-verified"]),
    ],
)
def test_waiting_is_told_from_what_made_it_show(checked_at: str, told_by: list[str]) -> None:
    student = given(*SIGNED, checked(checked_at, 1))
    cause = timeline(student.case)[2].cause
    waiting = student.basis("waiting")
    assert leaves(cause) == [*told_by, *waiting]


def test_an_opt_out_at_the_end_of_the_year_comes_too_late_for_who_had_confirmed() -> None:
    student = given(
        registered("2025-09-01"),
        confirmed("2025-09-06 10:00"),
        checked("2025-09-06 10:30"),
        keep("2026-01-01 00:00", observed=True),
    )
    assert student.states("2026-02-01 00:00")[-1] == ("2026-01-01 00:00", "expired")
    assert student.steps("2026-02-01 00:00") == ["pay_next_premium"]


def test_an_opt_out_that_came_too_late_stays_so_whatever_is_reported_after_it() -> None:
    student = given(
        registered("2025-09-01"),
        confirmed("2025-09-06 10:00"),
        checked("2025-09-06 10:30"),
        keep("2026-01-01 00:00", observed=True),
        confirmed("2026-01-02 10:00"),
    )
    assert student.states("2026-02-01 00:00")[-1] == ("2026-01-01 00:00", "expired")
