"""Which spans of the calendar does an answer speak of, and which calendar shows them all?"""

from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from given import (
    COVERED,
    SIGNED,
    WAITING,
    Given,
    Step,
    account,
    activate,
    checked,
    confirm,
    confirmed,
    given,
    keep,
    other_cover,
    registered,
    roster,
    stopped,
    told,
    void,
    withdraw,
)
from hypothesis import given as forall
from hypothesis import settings
from hypothesis import strategies as st

from yibao.domain.calendar import read_instant
from yibao.domain.refusals import Refused
from yibao.domain.vocabulary import DayRange, WaitingPeriod
from yibao.projections.answer import Answer
from yibao.projections.bars import FARTHEST, VALUE_OF, Chart, Lane, chart, charts, common_span


def spans(drawn: Chart, row: Lane) -> list[tuple[str, str, str]]:
    """The bars of a row, told: name, beginning and end."""
    return [
        (bar.name, told(bar.begins_at), told(bar.until) if bar.until else "onward")
        for bar in drawn.row(row)
    ]


def calendar(drawn: Chart) -> tuple[str, str]:
    return told(drawn.first), told(drawn.until)


def test_each_state_is_a_bar_from_its_change_to_the_next_and_the_last_has_no_end() -> None:
    drawn = chart(given(*WAITING).answer("2025-12-02 00:00"))
    assert spans(drawn, "state") == [
        ("registered", "2025-09-01 00:00", "2025-09-06 10:00"),
        ("confirmed", "2025-09-06 10:00", "2025-09-06 10:30"),
        ("in_waiting_period", "2025-09-06 10:30", "2025-12-01 00:00"),
        ("account_built", "2025-12-01 00:00", "2025-12-01 09:00"),
        ("evoucher_eligible", "2025-12-01 09:00", "2025-12-02 00:00"),
        ("active", "2025-12-02 00:00", "2026-01-01 00:00"),
        ("expired", "2026-01-01 00:00", "onward"),
    ]


def test_the_last_day_of_a_waiting_period_and_of_a_benefit_window_is_inside_the_bar() -> None:
    drawn = chart(given(*WAITING).answer("2025-12-02 00:00"))
    assert spans(drawn, "waiting") == [("waiting", "2025-09-01 00:00", "2025-12-01 00:00")]
    assert spans(drawn, "coverage") == [("coverage", "2025-12-02 00:00", "2026-01-01 00:00")]


def test_an_e_voucher_lasts_as_long_as_the_cover_it_settles() -> None:
    drawn = chart(given(*WAITING).answer("2025-12-02 00:00"))
    assert spans(drawn, "evoucher") == [
        ("evoucher_available_at", "2025-12-01 09:00", "2026-01-01 00:00")
    ]


def test_an_e_voucher_without_known_cover_lasts_to_the_end_of_the_benefit_year() -> None:
    steps = (*SIGNED, account("2025-09-10 09:00", "2025-09-08"))
    student = given(*steps, activate("2025-09-12 09:00", observed=True), document="passport")
    drawn = chart(student.answer("2025-10-01 00:00"))
    assert drawn.pending == ("waiting", "coverage")
    assert spans(drawn, "evoucher") == [
        ("evoucher_available_at", "2025-09-12 09:00", "2026-01-01 00:00")
    ]


def test_an_e_voucher_without_cover_ends_where_the_student_leaves() -> None:
    drawn = chart(given(*WAITING, withdraw("2025-12-02 09:00", "2025-12-02")).answer())
    assert drawn.none == ("coverage",)
    assert spans(drawn, "evoucher") == [
        ("evoucher_available_at", "2025-12-01 09:00", "2025-12-02 00:00")
    ]


def test_an_e_voucher_that_opens_on_the_day_of_opting_out_lasts_to_its_end() -> None:
    student = given(*COVERED, keep("2025-09-07 15:00", observed=True))
    drawn = chart(student.answer("2025-10-01 00:00"))
    assert spans(drawn, "coverage") == [("coverage", "2025-09-01 00:00", "2025-09-08 00:00")]
    assert spans(drawn, "evoucher") == [
        ("evoucher_available_at", "2025-09-07 09:00", "2025-09-08 00:00")
    ]


def test_an_e_voucher_that_opens_at_the_instant_of_leaving_is_a_bar_of_no_length() -> None:
    steps = (registered("2024-09-02"), roster("2024-09-02 17:00"), confirm("2024-09-05 10:30"))
    left = withdraw("2024-09-06 09:00", "2024-09-06")
    drawn = chart(given(*steps, left, policy="shanghai-2024").answer())
    assert spans(drawn, "evoucher") == [
        ("evoucher_available_at", "2024-09-06 00:00", "2024-09-06 00:00")
    ]


def test_who_never_confirms_has_lapsed_and_nothing_ends_that() -> None:
    drawn = chart(
        given(registered("2025-09-01"), checked("2025-09-10 10:00")).answer("2026-02-01 12:00")
    )
    assert spans(drawn, "state") == [
        ("registered", "2025-09-01 00:00", "2026-01-01 00:00"),
        ("lapsed", "2026-01-01 00:00", "onward"),
    ]
    assert (drawn.pending, drawn.none) == ((), ("waiting", "coverage", "evoucher_available_at"))


def test_what_is_pending_has_no_bar_and_is_named_and_so_is_what_there_is_none_of() -> None:
    drawn = chart(given(*SIGNED, document="passport").answer("2025-10-01 12:00"))
    assert {bar.row for bar in drawn.bars} == {"state"}
    assert drawn.pending == ("waiting", "coverage")
    assert drawn.none == ("evoucher_available_at",)


def test_leaving_ends_the_cover_and_begins_a_state_without_an_end() -> None:
    drawn = chart(given(*COVERED, withdraw("2025-11-20 09:00", "2025-11-20")).answer())
    assert spans(drawn, "coverage")[-1][2] == "2025-11-20 00:00"
    assert spans(drawn, "state")[-1] == ("withdrawn", "2025-11-20 00:00", "onward")


def test_what_begins_after_what_is_known_is_scheduled() -> None:
    drawn = chart(given(*WAITING).answer("2025-12-02 00:00", "2025-12-01 09:00"))
    assert [bar.name for bar in drawn.bars if bar.scheduled] == ["active", "expired", "coverage"]


def test_the_calendar_is_of_whole_months_and_a_state_without_an_end_has_its_month() -> None:
    drawn = chart(given(*WAITING).answer("2025-12-02 00:00"))
    assert calendar(drawn) == ("2025-09-01 00:00", "2026-02-01 00:00")


def test_a_bar_that_ends_with_a_month_needs_no_further_one() -> None:
    drawn = chart(given(registered("2025-09-01"), checked("2025-09-06 10:00", 2)).answer())
    assert spans(drawn, "waiting") == [("waiting", "2025-09-01 00:00", "2026-03-01 00:00")]
    assert calendar(drawn) == ("2025-09-01 00:00", "2026-03-01 00:00")


@pytest.mark.parametrize(
    ("at", "months", "lies"),
    [
        ("2025-07-15 12:00", ("2025-07-01 00:00", "2026-02-01 00:00"), "within"),
        ("2024-09-01 00:00", ("2024-09-01 00:00", "2026-02-01 00:00"), "within"),
        ("2024-08-31 23:59", ("2025-09-01 00:00", "2026-02-01 00:00"), "before"),
        ("2026-03-31 23:59", ("2025-09-01 00:00", "2026-04-01 00:00"), "within"),
        ("2027-01-01 00:00", ("2025-09-01 00:00", "2027-02-01 00:00"), "within"),
        ("2027-01-01 00:01", ("2025-09-01 00:00", "2026-02-01 00:00"), "after"),
    ],
)
def test_the_calendar_follows_the_instant_asked_about_for_a_year(
    at: str, months: tuple[str, str], lies: str
) -> None:
    drawn = chart(given(*WAITING).answer(at))
    assert (calendar(drawn), drawn.at_lies, told(drawn.at)) == (months, lies, at)


def test_the_end_of_the_calendar_lies_after_it_and_its_beginning_on_it() -> None:
    drawn = chart(given(*WAITING).answer("2025-12-02 00:00"))
    assert drawn._replace(at=drawn.first).at_lies == "within"
    assert drawn._replace(at=drawn.until).at_lies == "after"


def test_months_are_those_of_shanghai_whatever_zone_an_instant_is_told_in() -> None:
    asked = given(*WAITING).answer("2025-12-02 00:00")
    drawn = chart(replace(asked, at=datetime(2026, 2, 28, 16, tzinfo=UTC)))
    assert calendar(drawn) == ("2025-09-01 00:00", "2026-04-01 00:00")


def test_where_nothing_is_registered_the_calendar_is_the_month_asked_about() -> None:
    drawn = chart(given(*WAITING).answer("2025-10-15 12:00", 0))
    assert (drawn.bars, drawn.pending) == ((), ())
    assert drawn.none == tuple(VALUE_OF.values())
    assert calendar(drawn) == ("2025-10-01 00:00", "2025-11-01 00:00")


def test_after_a_void_of_the_registration_there_are_no_bars() -> None:
    drawn = chart(given(*WAITING, void("2025-09-08 09:00", "registered")).answer())
    assert (drawn.bars, drawn.none) == ((), tuple(VALUE_OF.values()))


def test_two_answers_share_the_calendar_that_holds_both() -> None:
    student = given(registered("2025-09-01"), checked("2025-09-06 10:00", 2))
    now, then = charts([student.answer("2025-09-06 10:00", cutoff) for cutoff in (2, 1)])
    assert calendar(chart(student.answer("2025-09-06 10:00", 1)))[1] == "2026-02-01 00:00"
    assert calendar(now) == calendar(then) == ("2025-09-01 00:00", "2026-03-01 00:00")


def test_an_answer_without_bars_does_not_stretch_the_calendar_of_another() -> None:
    student = given(*WAITING)
    alone = [chart(student.answer("2030-10-15 12:00", cutoff)) for cutoff in (4, 0)]
    assert tuple(map(told, common_span(alone))) == ("2025-09-01 00:00", "2026-02-01 00:00")
    assert tuple(map(told, common_span(alone[1:]))) == ("2030-10-01 00:00", "2030-11-01 00:00")


@pytest.mark.parametrize(
    ("instant", "share"),
    [
        ("2024-01-01 00:00", 0.0),
        ("2025-09-01 00:00", 0.0),
        ("2025-09-16 00:00", 0.5),
        ("2025-10-01 00:00", 1.0),
        ("2026-01-01 00:00", 1.0),
    ],
)
def test_an_instant_has_its_share_of_the_calendar_and_one_outside_the_nearest_end(
    instant: str, share: float
) -> None:
    september = chart(given(*WAITING).answer("2025-09-10 12:00", 0))
    assert september.share(read_instant(instant)) == share


@pytest.mark.parametrize(
    ("at_most", "ticks"),
    [
        (6, ["2025-08", "2025-09", "2025-10", "2025-11", "2025-12", "2026-01"]),
        (5, ["2025-09", "2025-11", "2026-01"]),
        (2, ["2025-10", "2026-01"]),
        (1, ["2026-01"]),
    ],
)
def test_months_are_ticked_evenly_counted_from_january(at_most: int, ticks: list[str]) -> None:
    drawn = chart(given(*WAITING).answer("2025-08-15 12:00"))
    assert [f"{tick:%Y-%m}" for tick in drawn.ticks(at_most)] == ticks


def test_a_waiting_period_of_decades_is_ticked_by_years() -> None:
    drawn = chart(given(registered("2025-09-01"), checked("2025-09-06 10:00", 100)).answer())
    assert [tick.year for tick in drawn.ticks(8)] == [2028, 2032, 2036, 2040, 2044, 2048]


#: Facts that move states and values, all as reports, so that they come together in any order.
FACTS: tuple[Step, ...] = (
    confirmed("2025-09-06 10:00"),
    confirmed("2025-11-15 10:00"),
    confirmed("2025-09-10 16:00", "proxy"),
    checked("2025-09-06 10:30"),
    checked("2025-09-06 10:30", 1),
    checked("2025-09-20 12:00", 2),
    checked("2025-09-20 12:00", 1, waiting_ends_on="2025-10-31"),
    other_cover("2025-09-01 09:00", "employee"),
    stopped("2025-10-10 09:00", "2025-10-10"),
    stopped("2025-12-10 09:00", "2026-01-10"),
    keep("2025-09-06 11:00", observed=True),
    keep("2025-10-15 09:00", observed=True),
    account("2025-09-10 09:00", "2025-09-08"),
    activate("2025-09-12 09:00", observed=True),
    withdraw("2025-09-02 09:00", "2025-09-02", observed=True),
    withdraw("2025-11-20 09:00", "2025-11-20", observed=True),
    withdraw("2025-12-02 09:00", "2025-12-02", observed=True),
)
AT = (
    "2020-01-01 00:00",
    "2025-08-31 23:59",
    "2025-09-06 10:30",
    "2025-12-01 00:00",
    "2026-01-31 23:59",
    "2030-01-01 00:00",
)


@st.composite
def students(draw: st.DrawFn) -> Given:
    """A student under either edition, of whom anything has become known."""
    year = draw(st.sampled_from(["2024", "2025"]))
    document = draw(st.sampled_from(["resident_id_card", "passport"]))
    on = draw(st.sampled_from(["08-30", "09-01", "10-01"]))
    student = given(policy=f"shanghai-{year}", document=document)
    for step in (registered(f"{year}-{on}"), *draw(st.lists(st.sampled_from(FACTS), max_size=6))):
        with suppress(Refused):
            step(student)
    return student


often = settings(max_examples=100, deadline=None)


@often
@forall(students(), st.sampled_from(AT))
def test_states_follow_each_other_without_gap_or_overlap(student: Given, at: str) -> None:
    for bar, following in pairwise(chart(student.answer(at)).row("state")):
        assert bar.begins_at < following.begins_at
        assert bar.until == following.begins_at


@often
@forall(students(), st.sampled_from(AT))
def test_every_bar_lies_on_the_calendar(student: Given, at: str) -> None:
    drawn = chart(student.answer(at))
    for bar in drawn.bars:
        assert drawn.first <= bar.begins_at < drawn.until
        assert bar.until is None or bar.begins_at <= bar.until <= drawn.until


@often
@forall(students(), st.sampled_from(AT))
def test_every_value_is_one_bar_of_its_dates_or_is_named_as_pending_or_none(
    student: Given, at: str
) -> None:
    answer = student.answer(at)
    drawn = chart(answer)
    for row, name in VALUE_OF.items():
        value = value_of(answer, name)
        bars = drawn.row(row)
        assert [bool(bars), name in drawn.pending, name in drawn.none].count(True) == 1
        if isinstance(value, DayRange | WaitingPeriod):
            (bar,) = bars
            assert bar.until is not None
            assert bar.begins_at.date() == value.first
            assert (bar.until - timedelta(minutes=1)).date() == value.last
        elif bars:
            assert [bar.begins_at for bar in bars] == [value]


@often
@forall(students(), st.sampled_from(AT))
def test_the_instant_asked_about_is_off_the_calendar_only_where_it_is_a_year_away(
    student: Given, at: str
) -> None:
    drawn = chart(student.answer(at))
    lasts = [bar.until or bar.begins_at for bar in drawn.bars]
    if drawn.at_lies == "before":
        assert drawn.at < min(bar.begins_at for bar in drawn.bars) - FARTHEST
    elif drawn.at_lies == "after":
        assert drawn.at > max(lasts) + FARTHEST
    else:
        assert 0.0 <= drawn.share(drawn.at) < 1.0


def value_of(answer: Answer, name: str) -> object:
    assert answer.values is not None
    return getattr(answer.values, name).value
