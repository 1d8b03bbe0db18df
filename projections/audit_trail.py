"""Who recorded what, when, and what did it change?

The trail has an entry for each fact, in the order in which the store took them. What a fact
changed is the difference between the answer without it and the answer with it, both for the
instant at which it was recorded.
"""

from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from heapq import merge
from itertools import chain
from operator import attrgetter
from typing import Any, NamedTuple

from yibao.domain.editions import Policy
from yibao.domain.facts import Positioned, events
from yibao.domain.lifecycle import Change, state_at
from yibao.domain.vocabulary import EnrollmentId
from yibao.projections.answer import Answer, answer
from yibao.projections.comparison import COMPARED, part
from yibao.projections.record import Edition, Knowledge, edition_named, known_at_versions


class FixedEdition:
    """An edition, and everything recorded under it with its positions."""

    def __init__(self, policy: Policy, recorded: Sequence[Positioned]) -> None:
        self.recorded = recorded
        self.edition = Edition(policy, [each.event for each in recorded])

    def version_at(self, position: int) -> int:
        """How many events of the edition's stream were in the store at a position."""
        return taken_by(self.recorded, position)


class Moved(NamedTuple):
    """One part of the answer that a fact changed, and the rule that gives what it is now."""

    name: str
    before: Any
    after: Any
    rule: str | None


class Entry(NamedTuple):
    """What one fact changed for one student.

    `supersedes` is the version of the fact whose place it takes. `edition` is the one the
    answers stand under. `school` is the student's as known with the fact, or else without it,
    `former_school` the one known without it, where that is another. `code` is that of the
    discrepancy the fact makes, if it does not fit; of care, why it is refused. `steps` are the
    changes of state that entered the timeline; those that lie after the recording are
    scheduled by the fact.
    """

    enrollment: EnrollmentId
    recorded: Positioned
    supersedes: int | None
    edition: str | None
    school: str | None
    former_school: str | None
    code: str | None
    moved: tuple[Moved, ...]
    steps: tuple[Change, ...]

    @property
    def event(self) -> events.Event:
        return self.recorded.event

    def is_scheduled(self, step: Change) -> bool:
        """Whether a step lies after the recording: time will bring it, if nothing is learned."""
        return step.at > self.event.recorded_at


class Streams:
    """All that is recorded of one student, with positions: one prefix of it for each position."""

    def __init__(
        self,
        enrollment: EnrollmentId,
        enrolled: Sequence[Positioned],
        received: Sequence[Positioned],
        edition_of: Callable[[str], FixedEdition],
    ) -> None:
        self.enrollment = enrollment
        self.enrolled = enrolled
        self.received = received
        self.edition_of = edition_of
        self._enrolled_events = [each.event for each in enrolled]
        self._received_events = [each.event for each in received]
        self._latest: tuple[tuple[int, int, int], Knowledge] | None = None

    def known_at(self, position: int) -> Knowledge:
        """What is known once the store has taken that many events."""
        version = taken_by(self.enrolled, position)
        care = taken_by(self.received, position)
        named = edition_named(self._enrolled_events[:version])
        fixed = self.edition_of(named).version_at(position) if named else 0
        key = version, care, fixed
        if self._latest is None or self._latest[0] != key:
            known = known_at_versions(
                self.enrollment,
                self._enrolled_events,
                lambda name: self.edition_of(name).edition,
                version,
                fixed,
                None,
                self._received_events[:care],
            )
            self._latest = key, known
        return self._latest[1]

    def entry(self, recorded: Positioned) -> Entry:
        """What one event changed for this student."""
        at = recorded.event.recorded_at
        without = self.known_at(recorded.position - 1)
        before = answer(without, at)
        known = self.known_at(recorded.position)
        after = answer(known, at)
        school, former = school_known(known), school_known(without)
        return Entry(
            self.enrollment,
            recorded,
            version_superseded(recorded.event, self._enrolled_events, self._received_events),
            after.edition,
            school or former,
            former if school and former != school else None,
            self._code(recorded.event, known, after),
            tuple(_differences(before, after)),
            tuple(_fresh_steps(before.timeline, after.timeline)),
        )

    def _code(self, event: events.Event, known: Knowledge, after: Answer) -> str | None:
        """Of a report that does not fit the guard's code, of refused care its reason."""
        for assessed in after.care:
            if assessed.care.fact.event.event_id == event.event_id:
                return assessed.refused
        places = [f.place for f in known.case.known if f.event is event] if known.case else []
        codes = [each.code for each in after.discrepancies if each.version in places]
        return codes[0] if codes else None


def entries(streams: Streams, after: int = 0, until: int | None = None) -> Iterator[Entry]:
    """The entries of one student's own facts, in the order of recording, between two positions."""
    recorded = merge(streams.enrolled, streams.received, key=_position)
    for each in recorded:
        if each.position > after and (until is None or each.position <= until):
            yield streams.entry(each)


def entries_with_windows(streams: Streams) -> Iterator[Entry]:
    """The same for everything there is, with the windows fixed that moved the student's answers."""
    own = entries(streams)
    editions = {
        event.policy for _, event in streams.enrolled if isinstance(event, events.Registered)
    }
    fixed = (
        streams.entry(each)
        for name in sorted(editions)
        for each in streams.edition_of(name).recorded
        if fixes_a_window(each.event)
    )
    moving = sorted((entry for entry in fixed if entry.moved), key=_place)
    return merge(own, moving, key=_place)


def scheduled_by(trail: Iterable[Entry]) -> dict[Change, Entry]:
    """For each step that stands in the timeline at the end, the fact that put it there.

    The steps are as they came in; what became their cause since is in the answer's timeline.
    """
    standing: dict[tuple[datetime, Any], tuple[Change, Entry]] = {}
    for entry in trail:
        for moved in entry.moved:
            if moved.name == "timeline":
                kept = set(moved.after)
                standing = {key: found for key, found in standing.items() if key in kept}
        for step in entry.steps:
            standing[step.at, step.state] = step, entry
    return dict(standing[key] for key in sorted(standing))


def version_superseded(event: events.Event, *streams: Sequence[events.Event]) -> int | None:
    """The version of the fact whose place an event takes, or which it takes back."""
    superseded = getattr(event, "supersedes", None)
    for each in chain.from_iterable(streams):
        if superseded is not None and each.event_id == superseded:
            return each.originator_version
    return None


def fixes_a_window(event: events.Event) -> bool:
    """Whether an event of an edition's stream fixes a window, or takes a fix back."""
    return isinstance(event, events.WindowFixed | events.Voided)


def taken_by(recorded: Sequence[Positioned], position: int) -> int:
    """How many of these events the store had taken at a position."""
    return bisect_right(recorded, position, key=_position)


def school_known(known: Knowledge) -> str | None:
    """The school the student is at, by the latest fact known; None without a registration."""
    return known.case.facts.latest_school if known.case else None


def _differences(before: Answer, after: Answer) -> Iterator[Moved]:
    for name in COMPARED:
        was, is_now = part(before, name), part(after, name)
        if was != is_now:
            yield Moved(name, was, is_now, _rule(after, name))


def _rule(answered: Answer, name: str) -> str | None:
    """The rule that gives a part of the answer; of a list each member has its own."""
    if name == "state":
        change = state_at(answered.timeline, answered.at)
        return change.cause.rule if change else "R24"
    if name == "next_steps":
        return "R32"
    if answered.values and name in answered.values._fields:
        rule: str = getattr(answered.values, name).rule
        return rule
    return None


def _fresh_steps(before: Sequence[Change], after: Sequence[Change]) -> Iterator[Change]:
    there = {(change.at, change.state) for change in before}
    return (change for change in after if (change.at, change.state) not in there)


_position = attrgetter("position")


def _place(entry: Entry) -> int:
    return entry.recorded.position
