"""Which answers were ever given for a value, from when until when, and what ended each?"""

from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any, NamedTuple

import pytest
from given import (
    Given,
    card,
    care,
    checked,
    confirm,
    confirmed,
    correct,
    edition_with,
    fix_window,
    given,
    registered,
    roster,
    settle,
    together,
    told,
    void,
)
from hypothesis import given as forall
from hypothesis import settings
from hypothesis import strategies as st

from yibao.domain.calendar import read_instant
from yibao.domain.facts import commands, events
from yibao.domain.refusals import Refused
from yibao.projections.answer import answered
from yibao.projections.history import Held, history
from yibao.projections.parts import PARTS
from yibao.projections.record import EditionRecord, Log, Record

INSTANTS = [
    read_instant(text)
    for text in (
        "2025-08-20 09:00",
        "2025-08-31 23:59",
        "2025-09-01 00:00",
        "2025-09-02 17:00",
        "2025-09-05 00:00",
        "2025-09-06 10:00",
        "2025-09-06 10:30",
        "2025-09-07 00:00",
        "2025-09-07 09:00",
        "2025-09-20 12:00",
        "2025-10-15 10:00",
        "2025-10-16 00:00",
        "2025-11-30 23:59",
        "2025-12-01 09:00",
        "2025-12-31 10:00",
        "2026-01-01 00:00",
        "2026-02-28 23:59",
    )
]
DAYS = sorted({instant.date() for instant in INSTANTS})
AN_INSTANT = timedelta(microseconds=1)

#: What may be told, and the values it may have.
VALUES: dict[type[commands.Command], dict[str, Sequence[Any]]] = {
    commands.Register: {
        "ref": ["s1"],
        "policy": ["shanghai-2025"],
        "on": ["2025-09-01", "2025-09-07", "2025-10-16"],
        "school": ["sjtu", "ecnu"],
        "category": ["undergraduate"],
        "document": ["resident_id_card", "resident_id_card", "passport"],
    },
    commands.DeclareRoster: {},
    commands.ChangeSchool: {"school": ["sjtu", "ecnu"]},
    commands.DeclareOtherCover: {"kind": ["employee", "other_province", "shanghai_resident"]},
    commands.StopEmployeeCover: {"on": DAYS},
    commands.KeepOtherCover: {},
    commands.Confirm: {"channel": ["app", "app", "proxy"]},
    commands.VerifyPriorCoverage: {"lapsed_years": [0, 0, 1, 2]},
    commands.BuildAccount: {"on": DAYS},
    commands.ActivateEvoucher: {"channel": ["alipay"]},
    commands.IssueMedicalCard: {},
    commands.FileRemoteCare: {"province": ["zhejiang"]},
    commands.Withdraw: {"on": DAYS},
    commands.PayPremium: {"year": [2026]},
    commands.FixWindow: {
        "opens_on": [None, *DAYS[1:6]],
        "closes_on": DAYS[5:-2],
        "school": [None, "sjtu", "ecnu"],
    },
    commands.ReceiveCare: {
        "on": DAYS,
        "setting": ["outpatient"],
        "level": ["third"],
        "cost": ["100.00", "500.00"],
        "province": [None, "zhejiang"],
    },
    commands.SettleCare: {"observed": [True, False]},
    commands.ReverseCare: {},
    commands.Correct: {
        "occurred_at": [None, *INSTANTS],
        "changes": [
            {},
            {"lapsed_years": 0},
            {"lapsed_years": 1},
            {"school": "sjtu"},
            {"school": "ecnu"},
            {"cost": "10.00"},
            *({"on": day} for day in DAYS),
        ],
        "reason": ["misread"],
    },
    commands.Void: {"reason": ["mistake"]},
}
#: What moves the answers most comes more often.
OFTEN = (
    commands.DeclareRoster,
    commands.Confirm,
    commands.Confirm,
    commands.VerifyPriorCoverage,
    commands.VerifyPriorCoverage,
    commands.ReceiveCare,
    commands.SettleCare,
    commands.Correct,
    commands.Void,
)


class Telling(NamedTuple):
    """One thing told: when it is recorded, what, of when, and which event it may be about."""

    stamp: datetime
    kind: type[commands.Command]
    at: datetime
    values: dict[str, Any]
    about: int

    def command(self, student: Given) -> commands.Command | None:
        """What is told, of what happened by its stamp; None if it is about nothing there is."""
        values: dict[str, Any] = self.values | {"at": min(self.at, self.stamp)}
        if "observed" in self.kind.model_fields:
            values = {"observed": True} | values
        about = [event for event in student.history if isinstance(event, events.Fact)]
        if self.kind in (commands.SettleCare, commands.ReverseCare):
            about = [event for event in about if isinstance(event, events.CareReceived)]
            values["care"] = about[self.about % len(about)].event_id if about else None
        if issubclass(self.kind, commands.Amendment):
            target = about[self.about % len(about)] if about else None
            values |= {"at": self.stamp, "fact_id": target.event_id if target else None}
            if target and "changes" in values:
                changes, payload = values["changes"], target.payload()
                values["changes"] = {key: changes[key] for key in changes if key in payload}
                values["occurred_at"] = min(values["occurred_at"] or target.occurred_at, self.stamp)
        is_about_nothing = {"care", "fact_id"} & values.keys() and not about
        return None if is_about_nothing else self.kind(**values)


Story = tuple[str | None, list[Telling]]
instants = st.sampled_from(INSTANTS)
tellings = st.sampled_from([*VALUES, *OFTEN]).flatmap(
    lambda kind: st.builds(
        Telling,
        instants,
        st.just(kind),
        instants,
        st.fixed_dictionaries({key: st.sampled_from(each) for key, each in VALUES[kind].items()}),
        st.integers(0, 9),
    )
)
#: The registration day of who is registered first, and everything else.
stories = st.tuples(
    st.sampled_from(["2025-09-01", "2025-09-01", "2025-09-07", None]),
    st.lists(tellings, min_size=3, max_size=12),
)


def student_of(story: Story) -> Given:
    """Everything told in the order of its stamps, as the one clock of a store gives them.

    Some of what neighbors in a stream tell with one stamp was told in one transaction.
    """
    on, told = story
    student = given(*[registered(on, "2025-08-20 09:00")] if on else [])
    for each in sorted(told, key=lambda each: each.stamp):
        command, student.now = each.command(student), each.stamp
        with suppress(Refused):
            if command:
                student.record(command)
    for mine in (student.recorded, student.received, student.fixed):
        for n, (event, following) in enumerate(pairwise(mine)):
            are_neighbors = event.event_id.int + 1 == following.event_id.int
            if are_neighbors and event.recorded_at == following.recorded_at:
                mine[n] = event.model_copy(update={"goes_on": event.event_id.int % 3 > 0})
    return student


def held(student: Given, name: str, now: datetime, at: datetime | None = None) -> tuple[Held, ...]:
    return history(student.everything, name, now, at)


def naive(student: Given, at: datetime, known_at: datetime) -> dict[str, Any]:
    """What was said at an instant, from everything recorded by then."""
    found = answered(student.knowledge(known_at), at)
    return {name: PARTS[name].value(found) for name in PARTS}


def known_on(found: Sequence[Held], instant: datetime) -> Any:
    """The value of the one interval that an instant lies in."""
    (value,) = [
        each.value
        for each in found
        if (each.known_from is None or each.known_from <= instant)
        and (each.known_until is None or instant < each.known_until)
    ]
    return value


def turns(student: Given, found: Sequence[Held], now: datetime) -> set[datetime]:
    """Where anything turns, and right before and after it, as far as it is not yet to come."""
    turning = {event.recorded_at for event in student.history} | {now}
    turning |= {each.known_from for each in found if each.known_from}
    turning |= {
        change.at
        for stamp in [event.recorded_at for event in student.history]
        for change in answered(student.knowledge(stamp), stamp).timeline
    }
    around = {turn + AN_INSTANT * n for turn in turning for n in (-1, 0, 1)}
    return {turn for turn in around if turn <= now}


nows = st.sampled_from([*INSTANTS, *[read_instant("2026-04-01 00:00")] * 9])
random_instants = st.lists(
    st.integers(0, 300 * 24 * 3600).map(lambda s: INSTANTS[0] + timedelta(seconds=s)), max_size=9
)
often = settings(max_examples=60, deadline=None)
very_often = settings(max_examples=120, deadline=None)


@very_often
@forall(stories, nows, st.one_of(st.none(), st.none(), instants), random_instants)
def test_at_any_instant_it_holds_what_was_answered_then_from_what_was_known(
    story: Story, now: datetime, at: datetime | None, others: list[datetime]
) -> None:
    student = student_of(story)
    found = {name: held(student, name, now, at) for name in PARTS}
    everything = [each for one in found.values() for each in one]
    for instant in turns(student, everything, now).union(each for each in others if each <= now):
        said = naive(student, at or instant, instant)
        assert {name: known_on(one, instant) for name, one in found.items()} == said


@often
@forall(stories, nows, st.one_of(st.none(), instants), st.sampled_from(list(PARTS)))
def test_the_intervals_follow_without_a_gap_and_each_brings_another_answer(
    story: Story, now: datetime, at: datetime | None, name: str
) -> None:
    found = held(student_of(story), name, now, at)
    assert (found[0].known_from, found[-1].known_until) == (None, None)
    for one, following in pairwise(found):
        assert one.known_until == following.known_from
        assert one.value != following.value
    bounds = [each.known_from for each in found[1:]]
    assert bounds == sorted(bounds)  # type: ignore[type-var]


@often
@forall(stories, nows, st.one_of(st.none(), instants), st.sampled_from(list(PARTS)))
def test_an_answer_is_ended_by_one_whole_transaction_of_that_stamp_or_else_by_time(
    story: Story, now: datetime, at: datetime | None, name: str
) -> None:
    student = student_of(story)
    transactions = [(), *transactions_of(student)]
    for each in held(student, name, now, at):
        assert each.ended_by in transactions
        assert {event.recorded_at for event in each.ended_by} <= {each.known_until}
        if not each.ended_by and each.known_until:
            assert at is None


def transactions_of(student: Given) -> list[tuple[events.Event, ...]]:
    found: list[tuple[events.Event, ...]] = []
    for mine in (student.recorded, student.received, student.fixed):
        goes_on = False
        for event in mine:
            found.append((*found.pop(), event) if goes_on else (event,))
            goes_on = event.goes_on
    return found


@often
@forall(stories, nows, st.one_of(st.none(), instants), st.sampled_from(list(PARTS)))
def test_how_an_answer_came_about_is_that_of_the_version_it_was_first_given_with(
    story: Story, now: datetime, at: datetime | None, name: str
) -> None:
    student = student_of(story)
    for each in held(student, name, now, at):
        if each.known_from is None:
            assert (each.version, each.derived) == (0, None)
        elif name in ("next_steps", "discrepancies", "timeline", "care"):
            assert each.derived is None
        elif each.derived is not None:
            assert (each.derived.name, each.derived.value) == (name, each.value)
        else:
            assert (name, each.value) == ("state", None)


COUNTER = given(
    registered("2025-09-01"),
    roster(),
    confirm("2025-09-06 14:20"),
    checked("2025-09-06 14:50", 1),
    correct("2025-10-15 10:00", "prior-coverage-verified", lapsed_years=0),
)
LAST = read_instant("2026-06-01 00:00")


def as_told(student: Given, name: str, at: str | None = None) -> list[tuple[str, ...]]:
    """Each answer with its interval, and the names of what ended it."""
    found = held(student, name, LAST, read_instant(at) if at else None)
    return [
        (
            told(each.value),
            told(each.known_from),
            told(each.known_until),
            *(event.name for event in each.ended_by),
        )
        for each in found
    ]


def test_a_corrected_check_moves_the_window_that_was_told_at_the_counter() -> None:
    assert as_told(COUNTER, "coverage") == [
        ("none", "none", "2025-09-01 00:00", "registered"),
        ("pending", "2025-09-01 00:00", "2025-09-06 14:50", "prior-coverage-verified"),
        (
            "2025-12-02 to 2025-12-31",
            "2025-09-06 14:50",
            "2025-10-15 10:00",
            "prior-coverage-verified",
        ),
        ("2025-09-01 to 2025-12-31", "2025-10-15 10:00", "none"),
    ]


def test_an_answer_names_the_version_and_the_rule_that_first_gave_it() -> None:
    found = held(COUNTER, "coverage", LAST)
    assert [(each.version, each.derived and each.derived.rule) for each in found] == [
        (0, None),
        (1, "R25"),
        (4, "R21"),
        (5, "R20"),
    ]


def test_states_come_with_time_alone_where_each_answer_is_about_its_own_instant() -> None:
    student = given(registered("2025-09-01", "2025-08-25 09:00"))
    assert as_told(student, "state") == [
        ("none", "none", "2025-09-01 00:00"),
        ("registered", "2025-09-01 00:00", "2026-01-01 00:00"),
        ("lapsed", "2026-01-01 00:00", "none"),
    ]


def test_for_one_instant_time_alone_changes_nothing() -> None:
    student = given(registered("2025-09-01", "2025-08-25 09:00"))
    assert as_told(student, "state", "2025-12-01 00:00") == [
        ("none", "none", "2025-08-25 09:00", "registered"),
        ("registered", "2025-08-25 09:00", "none"),
    ]


def test_a_window_that_closes_ends_what_was_pending_without_a_fact() -> None:
    student = given(registered("2025-09-01", "2025-09-01 09:00"))
    assert as_told(student, "account_built_on")[1:] == [
        ("pending", "2025-09-01 09:00", "2026-01-01 00:00"),
        ("none", "2026-01-01 00:00", "none"),
    ]


def test_what_time_alone_ended_is_not_blamed_on_a_fact_of_the_same_stamp() -> None:
    student = given(
        registered("2025-09-01", "2025-09-01 09:00"),
        card("2025-12-01 09:00", recorded="2026-01-01 00:00"),
    )
    assert as_told(student, "account_built_on")[1] == (
        "pending",
        "2025-09-01 09:00",
        "2026-01-01 00:00",
    )


def steps_by_time(student: Given) -> list[tuple[str, list[str]]]:
    """When time alone changed what is to be done, and what was to be done from then on."""
    found = held(student, "next_steps", LAST)
    return [
        (told(following.known_from), [step.code for step in following.value])
        for one, following in pairwise(found)
        if not one.ended_by
    ]


def test_a_window_opens_and_closes_for_who_waits_without_a_fact() -> None:
    student = given(registered("2025-09-01"), roster("2025-09-02 17:00"))
    assert steps_by_time(student) == [
        ("2025-09-05 00:00", ["confirm"]),
        ("2026-01-01 00:00", []),
    ]


def test_care_of_a_day_to_come_is_something_to_see_to_from_that_day_on() -> None:
    student = given(
        registered("2025-09-01"),
        confirmed("2025-09-06 10:00"),
        checked("2025-09-06 10:30"),
        care("2025-10-02", at="2025-09-06 12:00", province="zhejiang"),
    )
    assert (
        "2025-10-02 00:00",
        ["activate_evoucher", "file_remote_care", "pay_next_premium"],
    ) in steps_by_time(student)


def test_who_is_to_register_after_the_benefit_year_waits_for_nothing_once_it_is_over() -> None:
    student = given(
        registered("2025-09-01"),
        fix_window("2025-09-10 09:00", closes_on="2025-10-20"),
        correct("2025-09-11 09:00", "registered", on="2026-02-28"),
    )
    assert ("2026-01-01 00:00", []) in steps_by_time(student)


def test_nothing_of_what_comes_after_now_is_told() -> None:
    now = read_instant("2025-10-01 00:00")
    found = held(COUNTER, "coverage", now)
    assert (told(found[-1].value), found[-1].known_until) == ("2025-12-02 to 2025-12-31", None)


def test_what_begins_now_has_begun() -> None:
    student = given(registered("2025-09-01", "2025-08-25 09:00"))
    begins = read_instant("2025-09-01 00:00")
    states = [
        [told(each.value) for each in held(student, "state", begins - late)]
        for late in (timedelta(), AN_INSTANT)
    ]
    assert states == [["none", "registered"], ["none"]]


def test_several_facts_of_one_transaction_end_an_answer_together() -> None:
    student = given(
        registered("2025-09-01"),
        roster(),
        together("2025-09-06 15:00", confirm("2025-09-06 14:20"), checked("2025-09-06 14:50", 1)),
    )
    assert as_told(student, "waiting")[1:] == [
        (
            "pending",
            "2025-09-01 00:00",
            "2025-09-06 15:00",
            "confirmed",
            "prior-coverage-verified",
        ),
        ("2025-09-01 to 2025-11-30", "2025-09-06 15:00", "none"),
    ]


def test_of_two_transactions_with_one_stamp_the_answer_in_between_held_for_no_time() -> None:
    student = given(
        registered("2025-09-01"),
        checked("2025-09-06 10:00", 1, recorded="2025-09-07 09:00"),
        void("2025-09-07 09:00", "prior-coverage-verified"),
        checked("2025-09-06 10:00", 0, recorded="2025-09-08 09:00"),
    )
    assert as_told(student, "waiting")[2][1:3] == ("2025-09-07 09:00", "2025-09-07 09:00")


def test_a_fixed_window_ends_answers_and_is_named() -> None:
    student = given(
        registered("2025-09-01"), fix_window("2025-11-01 09:00", closes_on="2025-10-20")
    )
    assert as_told(student, "state")[1] == (
        "registered",
        "2025-09-01 00:00",
        "2025-11-01 09:00",
        "window-fixed",
    )


def test_care_that_is_settled_and_taken_back_ends_what_was_said_of_it() -> None:
    student = given(
        registered("2025-09-01"),
        confirmed("2025-09-06 10:00"),
        checked("2025-09-06 10:30"),
        care("2025-10-02"),
        settle(at="2025-10-03 09:00"),
        void("2025-10-04 09:00", "bill"),
    )
    found = held(student, "care", LAST)
    assert [len(each.value) for each in found] == [0, 1, 1, 0]
    assert [event.name for each in found for event in each.ended_by] == [
        "care-received",
        "care-settled",
        "voided",
    ]


def test_of_somebody_unknown_there_is_one_answer_that_holds_for_ever() -> None:
    assert held(given(), "state", LAST) == (Held(None, None, 0, None, None, ()),)


def test_an_unknown_part_is_an_error_that_names_those_there_are() -> None:
    with pytest.raises(LookupError, match=f"no 'window'; it has {', '.join(PARTS)}"):
        held(COUNTER, "window", LAST)


def test_who_registers_again_under_another_edition_was_answered_from_the_first_until_then() -> None:
    """Both editions are of one year; the window was fixed in the first before that."""
    policies = {name: edition_with().model_copy(update={"edition": name}) for name in ("a", "b")}
    student = given(
        registered("2025-09-01"),
        fix_window("2025-09-10 09:00", closes_on="2025-10-20"),
        void("2025-09-11 09:00", "registered"),
        policy=policies["a"],
    )
    fixed = {"a": student.fixed, "b": []}
    student.policy, student.fixed = policies["b"], fixed["b"]
    student.and_(registered("2025-09-01", "2025-09-12 09:00"))
    record = Record(
        student.enrollment,
        Log(student.recorded),
        edition_of=lambda name: EditionRecord(policies[name], Log(fixed[name])),
    )
    found = history(record, "timeline", LAST)
    assert [[told(at) for at, _ in each.value] for each in found] == [
        [],
        ["2025-09-01 00:00", "2026-01-01 00:00"],
        ["2025-09-01 00:00", "2025-10-21 00:00"],
        [],
        ["2025-09-01 00:00", "2026-01-01 00:00"],
    ]
