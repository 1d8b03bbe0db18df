"""What holds of any years of a student, in whatever order they were recorded."""

import pickle
from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import partial
from itertools import pairwise
from typing import Any, NamedTuple

from given import Given, step
from hypothesis import given as forall
from hypothesis import settings
from hypothesis import strategies as st

from yibao.domain.calendar import read_instant
from yibao.domain.facts import commands, events
from yibao.domain.facts.streams import EMPTY, Stream, fold
from yibao.domain.judging import around_of, case_of
from yibao.domain.rules import as_of, values
from yibao.domain.vocabulary import EnrollmentId
from yibao.projections.answer import Answer, answer, answered
from yibao.projections.comparison import compare
from yibao.projections.history import histories
from yibao.projections.parts import PARTS
from yibao.projections.record import EditionRecord, Log, Record

from ..domain.lifecycle.test_laws import said
from ..domain.rules.test_years_laws import EDITIONS, MOSTLY, years

LEARNED = read_instant("2031-01-01 00:00")
ABOUT = [
    read_instant(f"{year}-{day} 12:00") for year in range(2025, 2031) for day in ("01-15", "10-01")
]
abouts = st.sampled_from(ABOUT)
often = settings(deadline=None, max_examples=40)


class Told(NamedTuple):
    """All that was recorded of a student, in the order in which it was."""

    recorded: Sequence[events.Event]
    last_year: int

    def record(self, year: int, many: int | None = None) -> Record:
        """The record of a year, of the first events that were recorded."""
        logs = {
            each: (self._log(EnrollmentId("s1", each), many), Log(()))
            for each in range(2025, self.last_year + 1)
        }
        fixed = {policy.edition: EditionRecord(policy, Log(())) for policy in EDITIONS.values()}
        logs.setdefault(year, (Log(()), Log(())))
        return Record.of(EnrollmentId("s1", year), logs, fixed.__getitem__, LEARNED)

    def stream(self, year: int) -> Stream:
        """The enrollment of a year."""
        return fold(list(self._log(EnrollmentId("s1", year), None).events))

    def stamp(self, many: int) -> datetime:
        return self.recorded[many - 1].recorded_at

    def _log(self, whose: EnrollmentId, many: int | None) -> Log:
        placed = enumerate(self.recorded[:many], 1)
        own = [(n, event) for n, event in placed if event.originator_id == whose.stream]
        return Log([event for _, event in own], [n for n, _ in own])


@st.composite
def corrected(draw: st.DrawFn, world: Given) -> Given:
    """What was told in a year, and some of it corrected or taken back."""
    for event in [*world.recorded[1:]]:
        if draw(st.integers(0, 5)):
            continue
        ask: dict[str, Any] = {"fact_id": event.event_id, "reason": "mistaken"}
        if isinstance(event, events.PriorCoverageVerified) and draw(st.booleans()):
            changes = {"lapsed_years": draw(st.integers(0, 3))}
            world = world.when(
                step(commands.Correct, "2030-06-01 09:00", changes=changes, **ask)
            ).given
        else:
            world = world.when(step(commands.Void, "2030-06-01 09:00", **ask)).given
    return world


@st.composite
def chains(draw: st.DrawFn) -> list[Given]:
    return [draw(corrected(world)) for world in draw(years())]


@st.composite
def told_of(draw: st.DrawFn, worlds: Sequence[Given]) -> Told:
    """The same, recorded year by year, or some of one year and then some of another."""
    left = [[*world.recorded] for world in worlds]
    in_turn = draw(MOSTLY)
    found: list[events.Event] = []
    while any(left):
        which = (
            draw(st.sampled_from([n for n, events in enumerate(left) if events]))
            if in_turn
            else next(n for n, events in enumerate(left) if events)
        )
        stamp = LEARNED + timedelta(minutes=len(found))
        found.append(left[which].pop(0).model_copy(update={"recorded_at": stamp}))
    return Told(found, worlds[-1].policy.year)


@st.composite
def tellings(draw: st.DrawFn) -> Told:
    return draw(told_of(draw(chains())))


def all_said(told: Told, at: datetime) -> list[Any]:
    """What is said about every year at an instant, but for what it is known by."""
    return [
        said(answered(told.record(year).known_at(len(told.recorded)), at))
        for year in range(2025, told.last_year + 1)
    ]


@often
@forall(st.data(), abouts)
def test_years_are_answered_alike_in_whatever_order_they_were_recorded(
    data: st.DataObject, at: datetime
) -> None:
    worlds = data.draw(chains())
    told, otherwise = data.draw(told_of(worlds)), data.draw(told_of(worlds))
    assert all_said(told, at) == all_said(otherwise, at)


@often
@forall(tellings(), abouts, st.data())
def test_what_is_recorded_later_changes_no_answer_for_what_was_known_before(
    told: Told, at: datetime, data: st.DataObject
) -> None:
    year = data.draw(st.integers(2025, told.last_year))
    everything = told.record(year)
    for many in range(1, len(told.recorded) + 1):
        then, known_at = told.record(year, many), told.stamp(many)
        expected = answer(then, at, known_at)
        assert answer(everything, at, known_at) == expected
        assert said(answered(everything.known_at(many), at)) == said(expected)


@often
@forall(tellings(), abouts, st.data())
def test_a_version_knows_of_the_other_years_what_its_stamp_does(
    told: Told, at: datetime, data: st.DataObject
) -> None:
    year = data.draw(st.integers(2025, told.last_year))
    record = told.record(year)
    for version, event in enumerate(record.enrolled.events, 1):
        assert answer(record, at, version) == answer(record, at, event.recorded_at)


@often
@forall(tellings(), abouts, st.data())
def test_between_two_moments_nothing_that_is_said_changes(
    told: Told, at: datetime, data: st.DataObject
) -> None:
    record = told.record(data.draw(st.integers(2025, told.last_year)))
    if not len(record.enrolled):
        return
    moments = record.moments()
    assert list(moments) == sorted(set(moments))
    stamps = [told.stamp(many + 1) for many in range(len(told.recorded))]
    for before, after in pairwise(stamps):
        if after not in moments:
            assert said(answer(record, at, after)) == said(answer(record, at, before))


@often
@forall(tellings(), abouts, st.data())
def test_a_history_holds_what_was_answered_and_names_what_ended_it(
    told: Told, at: datetime, data: st.DataObject
) -> None:
    record = told.record(data.draw(st.integers(2025, told.last_year)))
    now = told.recorded[-1].recorded_at
    for name, held in histories(record, PARTS, now, at).items():
        for each in held:
            asked = answer(record, at, each.known_from or 0)
            assert PARTS[name].value(asked) == each.value
            assert bool(each.ended_by) == (each.known_until is not None)
            assert all(event.recorded_at == each.known_until for event in each.ended_by)
        assert PARTS[name].value(answer(record, at, now)) == held[-1].value


@often
@forall(tellings(), abouts, st.data())
def test_what_differs_was_moved_by_facts_in_between(
    told: Told, at: datetime, data: st.DataObject
) -> None:
    record = told.record(data.draw(st.integers(2025, told.last_year)))
    then = told.stamp(data.draw(st.integers(1, len(told.recorded))))
    found = compare(record, at, then, told.recorded[-1].recorded_at)
    assert all(then < event.recorded_at for event in found.facts_between)
    assert all(set(each.moved_by) <= set(found.facts_between) for each in found.differences)
    assert all(each.moved_by for each in found.differences)


@often
@forall(tellings(), abouts, st.data())
def test_who_is_judged_stands_on_what_is_answered(
    told: Told, at: datetime, data: st.DataObject
) -> None:
    year = data.draw(st.integers(2025, told.last_year))
    streams = {
        EnrollmentId("s1", y).stream: told.stream(y) for y in range(2025, told.last_year + 1)
    }
    begun = {y for y in range(2025, year + 2) if told.stream(min(y, told.last_year)).version} - {
        year
    }
    policies = {policy.edition: policy for policy in EDITIONS.values()}
    around = around_of(
        EnrollmentId("s1", year), begun, lambda each: streams.get(each, EMPTY), policies.__getitem__
    )
    own = told.stream(year)
    known: Answer = answer(told.record(year), at, told.recorded[-1].recorded_at)
    if own.version:
        case = case_of(own, policies[own.edition_named or ""], EMPTY, around)
        found = partial(values, as_of(case, at), at)
        assert (found() if case.facts.registration else known.values) == known.values


@often
@forall(tellings(), abouts, st.data())
def test_a_record_is_what_it_was_when_it_was_sent(
    told: Told, at: datetime, data: st.DataObject
) -> None:
    record = told.record(data.draw(st.integers(2025, told.last_year)))
    back: Record = pickle.loads(pickle.dumps(record))
    assert answer(back, at, LEARNED + timedelta(days=1)) == answer(
        record, at, LEARNED + timedelta(days=1)
    )
