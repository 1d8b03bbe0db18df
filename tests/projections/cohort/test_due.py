"""Of what is somebody told when its time comes?"""

from datetime import datetime

import pytest
from given import (
    COVERED,
    KEPT,
    REGISTERED,
    ROSTER,
    SIGNED,
    WAITING,
    Given,
    Step,
    checked,
    confirm,
    confirmed,
    continuing,
    fix_window,
    given,
    moved,
    other_cover,
    paid,
    registered,
    void,
    withdraw,
)
from hypothesis import given as forall
from over_years import record_of

from yibao.domain.calendar import day_after, midnight
from yibao.domain.vocabulary import DayRange
from yibao.projections.answer import answered
from yibao.projections.cohort.due import notices
from yibao.projections.record import Record

from ..test_years_laws import Told, abouts, often, tellings


def due(student: Given | Record, days_before: int = 3) -> dict[str, str]:
    """What falls due as known at last, an instant a kind."""
    record = student if isinstance(student, Record) else student.everything
    found = notices(record.known_by(record.latest), days_before)
    return {notice.kind: f"{notice.due:%Y-%m-%d %H:%M}" for notice in found}


def test_a_covered_student_is_told_of_the_e_voucher_and_of_both_ends_of_cover() -> None:
    assert due(given(*COVERED)) == {
        "cover_begins": "2025-09-01 00:00",
        "evoucher_opens": "2025-09-07 09:00",
        "cover_ends": "2026-01-01 00:00",
    }


def test_who_waits_is_told_when_it_is_over() -> None:
    assert due(given(*WAITING)) == {
        "waiting_over": "2025-12-01 00:00",
        "evoucher_opens": "2025-12-01 09:00",
        "cover_begins": "2025-12-02 00:00",
        "cover_ends": "2026-01-01 00:00",
    }


def test_a_proxys_result_shows_the_next_day_and_another_at_once_to_the_student_herself() -> None:
    by_proxy = given(REGISTERED, ROSTER, confirm("2025-09-10 16:00", "proxy"))

    assert due(by_proxy) == {"result_visible": "2025-09-11 00:00"}
    assert due(given(*SIGNED)) == {}


@pytest.mark.parametrize("left", [withdraw("2025-09-10 17:00", "2025-09-11")])
def test_who_has_left_by_then_is_not_told_a_result(left: Step) -> None:
    assert due(given(REGISTERED, ROSTER, confirm("2025-09-10 16:00", "proxy"), left)) == {}


def test_who_has_not_confirmed_is_told_three_days_before_the_window_closes_or_as_is_asked() -> None:
    lingering = given(REGISTERED, ROSTER)

    assert due(lingering) == {"window_closes": "2025-12-29 00:00"}
    assert due(lingering, days_before=10) == {"window_closes": "2025-12-22 00:00"}


def test_a_window_fixed_for_her_school_moves_what_she_is_told() -> None:
    fixed = fix_window("2025-09-03 09:00", school="ecnu", closes_on="2025-10-31")

    assert due(given(REGISTERED, fixed)) == {"window_closes": "2025-12-29 00:00"}
    at_ecnu = given(REGISTERED, fixed, moved("2025-09-04 09:00", "ecnu"))
    assert due(at_ecnu) == {"window_closes": "2025-10-29 00:00"}


@pytest.mark.parametrize(
    "told",
    [
        KEPT,
        (REGISTERED, withdraw("2025-09-10 09:00", "2025-09-11")),
        (registered("2025-09-01"), void("2025-09-02 09:00", "registered")),
    ],
    ids=["keeps another cover", "left", "never registered"],
)
def test_who_cannot_or_will_not_confirm_is_told_nothing(told: tuple[Step, ...]) -> None:
    assert due(given(*told)) == {}


def test_what_is_pending_is_not_told() -> None:
    employed = other_cover("2025-09-01 09:00", "employee")

    assert due(given(*SIGNED)) == {}
    assert due(given(REGISTERED, employed, ROSTER, confirm("2025-09-06 10:00"))) == {}


def test_who_leaves_is_told_when_cover_ends_and_no_longer_that_a_waiting_period_is_over() -> None:
    assert due(given(*COVERED, withdraw("2025-10-10 09:00", "2025-10-11")))["cover_ends"] == (
        "2025-10-11 00:00"
    )
    assert due(given(*WAITING, withdraw("2025-10-10 09:00", "2025-10-11"))) == {}


def test_who_has_lapsed_is_not_told_that_a_waiting_period_is_over() -> None:
    waits = given(REGISTERED, checked("2025-09-06 10:30", 2))

    assert due(waits) == {"window_closes": "2025-12-29 00:00"}


def test_a_waiting_period_that_ends_in_the_next_year_is_told_of_there_once() -> None:
    first = given(*SIGNED, checked("2025-09-06 10:30", 2))
    entered = registered("2025-09-01", at="2025-11-15 09:00")
    second = given(entered, paid("2025-11-20 10:00", 2026), policy=continuing())

    assert due(first) == {}
    assert due(record_of(first, second)) == {
        "waiting_over": "2026-03-01 00:00",
        "evoucher_opens": "2026-03-01 09:00",
        "cover_begins": "2026-03-02 00:00",
        "cover_ends": "2027-01-01 00:00",
    }


def test_who_goes_on_is_not_told_again_of_the_e_voucher_of_the_year_before() -> None:
    entered = registered("2025-09-01", at="2025-11-15 09:00")
    second = given(entered, paid("2025-11-20 10:00", 2026), policy=continuing())

    assert due(record_of(given(*COVERED), second)) == {
        "cover_begins": "2026-01-01 00:00",
        "cover_ends": "2027-01-01 00:00",
    }


def test_who_may_still_join_the_year_before_is_told_once_that_is_decided() -> None:
    lingering = given(REGISTERED, ROSTER)
    entered = registered("2025-09-01", at="2025-11-15 09:00")
    second = given(
        entered,
        paid("2025-11-20 10:00", 2026),
        checked("2025-11-20 11:00"),
        policy=continuing(),
    )

    found = due(record_of(lingering, second))
    assert found["evoucher_opens"] == "2026-01-01 00:00"
    assert found["cover_begins"] == "2026-01-01 00:00"


def test_who_has_not_paid_is_told_before_one_lapses_or_registered_later_before_the_end() -> None:
    in_time = registered("2025-09-01", at="2025-11-15 09:00")
    later = registered("2026-03-01", at="2026-03-01 09:00")

    assert due(given(in_time, policy=continuing())) == {"window_closes": "2025-12-29 00:00"}
    assert due(given(later, policy=continuing())) == {"window_closes": "2026-12-29 00:00"}


def test_a_late_confirmation_takes_the_reminder_back() -> None:
    reported = confirmed("2026-01-05 10:00")

    assert due(given(REGISTERED, ROSTER, reported)) == {}


@often
@forall(tellings(), abouts)
def test_by_any_instant_that_is_due_which_an_answer_about_it_tells(
    each: Told, at: datetime
) -> None:
    for year in range(2025, each.last_year + 1):
        known = (record := each.record(year)).known_by(record.latest)
        answer = answered(known, at)
        by_then = {notice.kind for notice in notices(known) if notice.due <= at}
        expected = set[str]()
        cover = answer.values.coverage.value if answer.values else None
        if isinstance(cover, DayRange):
            ends = {"cover_begins": cover.first, "cover_ends": day_after(cover.last)}
            expected = {kind for kind, day in ends.items() if midnight(day) <= at}
        assert by_then & {"cover_begins", "cover_ends"} == expected
        joined = any(change.state == "confirmed" for change in answer.timeline)
        assert not (joined and "window_closes" in by_then)
