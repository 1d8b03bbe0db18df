"""Everything recorded of one student, of one moment; and what of it was known by a cut-off.

A question is a function of a record, an instant and a cut-off. A cut-off selects a prefix of each
stream, always whole transactions: of her enrollment, of her care, and of the edition she is
registered under, in whose stream windows are fixed for everybody.
"""

import math
from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import cache, cached_property, partial
from heapq import merge
from operator import attrgetter, itemgetter
from typing import Any, Final, NamedTuple
from uuid import UUID

from yibao.domain.calendar import SHANGHAI
from yibao.domain.care import Care, Ledger
from yibao.domain.editions import Policy
from yibao.domain.facts import (
    EMPTY,
    Facts,
    KeptAttempt,
    Positioned,
    Stream,
    events,
    evolve,
    fold,
)
from yibao.domain.refusals import UnknownCutoff, UnknownEdition
from yibao.domain.rules import Case, WindowFix, fixes_that_count
from yibao.domain.vocabulary import Category, EnrollmentId, edition_stream
from yibao.domain.vocabulary import Seen as Seen

#: An instant, inclusive; or a version of the student's stream, where 0 knows nothing.
Cutoff = datetime | int


#: So many events more are taken in one after the other, more are folded together.
FEW: Final = 8
#: So many cases are kept: several questions of few facts share them, one of many goes on.
KEPT: Final = 32


class Log:
    """What one stream recorded, with positions, folded from prefix to prefix.

    Where the positions are not known they are the places in the stream. A prefix a little longer
    than the one asked for before goes on from there; any other is folded anew.
    """

    def __init__(
        self, recorded: Sequence[events.Event], positions: Sequence[int] | None = None
    ) -> None:
        self.events = recorded
        self.positions = range(1, len(recorded) + 1) if positions is None else positions
        self._stream = EMPTY

    @classmethod
    def of(cls, positioned: Sequence[Positioned]) -> "Log":
        """The log of events that come with their positions."""
        return cls([each.event for each in positioned], [each.position for each in positioned])

    def __len__(self) -> int:
        return len(self.events)

    def __reduce__(self) -> tuple[Any, ...]:
        return Log, (list(self.events), self.positions)

    def positioned(self) -> Iterator[Positioned]:
        """Each event with its position."""
        return map(Positioned, self.positions, self.events)

    def by(self, known_at: datetime) -> int:
        """How many events were recorded by an instant, inclusive."""
        if not self.events or self.events[-1].recorded_at <= known_at:
            return len(self.events)
        return bisect_right(self.events, known_at, key=attrgetter("recorded_at"))

    def at(self, position: int) -> int:
        """How many events the store had taken at a position."""
        return bisect_right(self.positions, position)

    def followed_by(self, stream: UUID, fresh: Sequence[events.Event], last: int) -> "Log":
        """The log with those of some events that are of its stream, after a position.

        They come after whatever stands in it, too.
        """
        new = [each for each in enumerate(fresh, start=1) if each[1].originator_id == stream]
        if not new:
            return self
        last = max((last, *self.positions[-1:]))
        positions = [*self.positions, *(last + number for number, _ in new)]
        return Log([*self.events, *(event for _, event in new)], positions)

    def version_superseded(self, event: events.Event) -> int | None:
        """The version of the fact here whose place an event takes, or which it takes back."""
        superseded = getattr(event, "supersedes", None)
        return None if superseded is None else self._versions.get(superseded)

    @cached_property
    def _versions(self) -> dict[UUID, int]:
        return {event.event_id: event.originator_version for event in self.events}

    def stream(self, version: int) -> Stream:
        """The stream as it was after the first events."""
        before = self._stream
        if not before.version or not 0 <= version - before.version <= FEW:
            before = fold(self.events[:version])
        for event in self.events[before.version : version]:
            before = evolve(before, event)
        self._stream = before
        return before


NOTHING: Final = Log(())


class Fixed:
    """What was fixed under an edition, and whom it concerns."""

    def __init__(self, log: Log) -> None:
        self.log = log
        self._concerning: dict[tuple[frozenset[str], Category | None], list[int]] = {}

    @cached_property
    def _fixing(self) -> list[int]:
        """After which events of the stream something else is fixed."""
        kinds = (events.WindowFixed, events.Voided)
        return [n for n, event in enumerate(self.log.events, 1) if isinstance(event, kinds)]

    def fixed(self, version: int) -> int:
        """How often something was fixed, or taken back, in the first events of the stream."""
        return bisect_right(self._fixing, version)

    def concerning(self, facts: Facts) -> Sequence[int]:
        """After which events of the stream something else is fixed that concerns a student.

        That is what is for everybody, for her category, or for a school she was at; a correction
        concerns also whom it takes the earlier fix from.
        """
        schools, category = whose = facts.schools, facts.category
        if whose not in self._concerning:
            self._concerning[whose] = [
                n
                for n in self._fixing
                if any(_is_for(fix, schools, category) for fix in self._told(n))
            ]
        return self._concerning[whose]

    def _told(self, number: int) -> Iterator[events.WindowFixed]:
        """What an event of the stream fixes, and the fix whose place it takes or takes back."""
        event = self.log.events[number - 1]
        superseded = self.log.version_superseded(event)
        for told in (event, self.log.events[superseded - 1] if superseded else None):
            if isinstance(told, events.WindowFixed):
                yield told

    def concerns(self, facts: Facts, version: int) -> int:
        """How often something was fixed that concerns a student, in the first events."""
        return bisect_right(self.concerning(facts), version)


class EditionRecord(Fixed):
    """An edition, and everything recorded under it: when it was first used, and windows fixed."""

    def __init__(self, policy: Policy, log: Log) -> None:
        super().__init__(log)
        self.policy = policy
        self._fixes: dict[int, Sequence[WindowFix]] = {}

    def fixes(self, version: int) -> Sequence[WindowFix]:
        """What is fixed after the first events of the stream; kept, since a school asks at once."""
        times = self.fixed(version)
        if times not in self._fixes:
            fixed: Any = self.log.stream(version).facts
            self._fixes[times] = fixes_that_count(fixed)
        return self._fixes[times]


class Knowledge(NamedTuple):
    """What is known of one enrollment by a cut-off.

    `known_at` is the instant the cut-off stands for; None where nothing is known at all.
    `case` is None where no registration has ever been known, and with it no edition. `received`
    is the care recorded by then, of which the edition's stream and the enrollment's know nothing;
    `cares` are the pieces of it that stand. `window` is how often what concerns the student was
    fixed under the edition.
    """

    enrollment: EnrollmentId
    version: int
    known_at: datetime | None
    edition_version: int
    case: Case | None
    received: Stream = EMPTY
    cares: tuple[Care, ...] = ()
    window: int = 0

    @property
    def seen(self) -> Seen:
        """What whoever knows this has seen."""
        return Seen(self.version, self.received.version, self.window)


def _is_for(fix: events.WindowFixed, schools: frozenset[str], category: Category | None) -> bool:
    """Whether a window is fixed for a student of these schools and this category."""
    return (fix.school is None or fix.school in schools) and fix.category in (None, category)


def _no_edition(name: str) -> EditionRecord:
    raise UnknownEdition(name)


def _edition_in(editions: Mapping[str, EditionRecord], name: str) -> EditionRecord:
    return editions[name] if name in editions else _no_edition(name)


class Record:
    """Everything recorded of one student, of one moment.

    `enrolled` and `received` are the logs of her enrollment and of her care; `edition_of` tells of
    each edition she was ever registered under, and raises UnknownEdition where it is not at hand.
    `notes` are the free text kept beside facts, by their event ids. `now` is when it was read; None
    where nobody asks what holds now.
    """

    def __init__(
        self,
        enrollment: EnrollmentId,
        enrolled: Log,
        received: Log = NOTHING,
        edition_of: Callable[[str], EditionRecord] = _no_edition,
        now: datetime | None = None,
        attempts: Callable[[], Sequence[KeptAttempt]] = tuple,
        notes: Mapping[UUID, str] | None = None,
    ) -> None:
        self.enrollment = enrollment
        self.now = now
        self.enrolled = enrolled
        self.received = received
        self.edition_of = edition_of
        self._attempts = attempts
        self.notes = notes or {}
        self._named = _editions_named(enrolled.events)
        self._cases: dict[tuple[int, int, str], Case] = {}
        self._case: Case | None = None
        self._care: tuple[Stream, tuple[Care, ...], Ledger] = EMPTY, (), Ledger()

    def __repr__(self) -> str:
        whom = f"{self.enrollment.ref!r} in {self.enrollment.year}"
        told = f"{len(self.enrolled)} facts, {len(self.received)} of care"
        return f"<Record of {whom}: {told}, read at {self.now}>"

    def __reduce__(self) -> tuple[Any, ...]:
        # By itself: what it would ask a store for is asked before, as far as she is concerned.
        editions = {name: self.edition_of(name) for name in self.editions_by(len(self.enrolled))}
        told = self.enrollment, self.enrolled, self.received, partial(_edition_in, editions)
        return Record, (*told, self.now, partial(tuple, self.attempts), dict(self.notes))

    @cached_property
    def attempts(self) -> tuple[KeptAttempt, ...]:
        """What was tried for the student and refused, in order; raises UnreadableEvent."""
        return tuple(self._attempts())

    @property
    def latest(self) -> datetime:
        """The instant by which everything is known: when it was read, or a later stamp.

        To be asked only where something is recorded, or it is known when it was read.
        """
        named = self.edition_named(len(self.enrolled))
        fixed = self.edition_of(named).log.events if named else ()
        last = (*self.enrolled.events[-1:], *fixed[-1:], *self.received.events[-1:])
        stamps = [event.recorded_at for event in last]
        return max([self.now, *stamps] if self.now else stamps)

    def edition_named(self, version: int) -> str | None:
        """The edition that the latest registration of a prefix names, current or taken back."""
        return self._named[version]

    def edition_version(self, name: str, known_at: datetime | None) -> int:
        """How far an edition was fixed as known at an instant."""
        return self.edition_of(name).log.by(known_at) if known_at else 0

    def known_by(self, cutoff: Cutoff) -> Knowledge:
        """The knowledge a cut-off stands for: always whole transactions, always a prefix.

        Raises UnknownCutoff for a version the stream has not reached or one inside a transaction.
        """
        if isinstance(cutoff, int):
            version, known_at = cutoff, self._stamp(cutoff)
        else:
            version, known_at = self.enrolled.by(cutoff), cutoff
        named = self.edition_named(version)
        fixed = self.edition_version(named, known_at) if named else 0
        return self.known(version, fixed, self.received.by(known_at) if known_at else 0, known_at)

    def known_at(self, position: int) -> Knowledge:
        """What is known once the store has taken that many events."""
        version = self.enrolled.at(position)
        named = self.edition_named(version)
        fixed = self.edition_of(named).log.at(position) if named else 0
        return self.known(version, fixed, self.received.at(position), None)

    def known(
        self, version: int, edition_version: int, care_version: int, known_at: datetime | None
    ) -> Knowledge:
        """The knowledge of one version of each stream.

        What one version after the other is asked for shares its parts; that keeps a history, or
        the trail, from being folded anew for each fact.
        """
        named = self.edition_named(version)
        if named is None:
            return Knowledge(self.enrollment, version, known_at, 0, None)
        edition = self.edition_of(named)
        case = self._case_of(version, edition_version, edition)
        care, cares = self._care_of(care_version)
        window = edition.concerns(case.facts, edition_version)
        return Knowledge(
            self.enrollment, version, known_at, edition_version, case, care, cares, window
        )

    def transactions(
        self, then: Knowledge, now: Knowledge
    ) -> Iterator[tuple[list[events.Event], Knowledge]]:
        """What was recorded in between, transaction by transaction, and what was known after each.

        Windows are those of every edition the student was ever registered under.
        """
        enrolled, received = self.enrollment.stream, self.enrollment.care_stream
        versions = {enrolled: then.version, received: then.received.version}
        fixed: list[events.Event] = []
        for name in sorted(self.editions_by(now.version)):
            before = self.edition_version(name, then.known_at)
            versions[edition_stream(name)] = before
            until = self.edition_version(name, now.known_at)
            fixed.extend(self.edition_of(name).log.events[before:until])
        gathered: list[events.Event] = []
        for event in _in_order(
            sorted(fixed, key=attrgetter("recorded_at")),
            self.enrolled.events[then.version : now.version],
            self.received.events[then.received.version : now.received.version],
        ):
            gathered.append(event)
            if event.goes_on:
                continue
            versions[event.originator_id] = event.originator_version
            version = versions[enrolled]
            under = self.edition_named(version)
            yield (
                gathered,
                self.known(
                    version,
                    versions[edition_stream(under)] if under else 0,
                    versions[received],
                    event.recorded_at,
                ),
            )
            gathered = []

    def moments(self) -> tuple[datetime, ...]:
        """The instants at which what is known of the student changed, once each and ascending.

        That is by what was recorded of her enrollment and of her care and, since she was registered
        under it, by what was fixed under her edition that concerns her. As known by any instant in
        between everything is as at the last of these before it.
        """
        if not len(self.enrolled):
            return ()
        nothing = self.known_by(0)
        seen, found = nothing.seen, dict[datetime, None]()
        for transaction, known in self.transactions(nothing, self.known_by(self.latest)):
            if known.seen != seen:
                seen = known.seen
                found[transaction[-1].recorded_at.astimezone(SHANGHAI)] = None
        return tuple(found)

    def followed_by(self, fresh: Sequence[events.Event]) -> "Record":
        """The record with what is about to be recorded, of this student or under an edition."""
        edition_of = self.edition_of
        positions = [kept.position for kept in self.attempts]
        for log in (self.enrolled, self.received):
            positions += log.positions[-1:]
        last = max(positions, default=0)

        def edition(name: str) -> EditionRecord:
            found = edition_of(name)
            longer = found.log.followed_by(edition_stream(name), fresh, last)
            return found if longer is found.log else EditionRecord(found.policy, longer)

        return Record(
            self.enrollment,
            self.enrolled.followed_by(self.enrollment.stream, fresh, last),
            self.received.followed_by(self.enrollment.care_stream, fresh, last),
            cache(edition),
            self.now,
            lambda: self.attempts,
            self.notes,
        )

    def version_superseded(self, event: events.Event) -> int | None:
        """The version of the fact whose place an event takes, or which it takes back."""
        found = self.enrolled.version_superseded(event)
        return self.received.version_superseded(event) if found is None else found

    def editions_by(self, version: int) -> set[str]:
        """The editions a student was registered under in the first events of her stream."""
        return {name for name in self._named[: version + 1] if name is not None}

    def _case_of(self, version: int, edition_version: int, edition: EditionRecord) -> Case:
        """The case of two versions; what was derived of the last ones serves whoever asks next."""
        key = version, edition.fixed(edition_version), edition.policy.edition
        case = self._cases.get(key)
        if case is None:
            stream, fixes = self.enrolled.stream(version), edition.fixes(edition_version)
            case = Case(edition.policy, stream.facts, fixes, stream.counting, self._case)
            self._case = case
            if len(self._cases) == KEPT:
                del self._cases[next(iter(self._cases))]
            self._cases[key] = case
        return case

    def _care_of(self, version: int) -> tuple[Stream, tuple[Care, ...]]:
        stream, cares, ledger = self._care
        before = stream.version
        if before != version:
            # Begun anew meanwhile: where this is interrupted, it has taken some events already.
            self._care = EMPTY, (), Ledger()
            if version < before:
                ledger, before = Ledger(), 0
            for event in self.received.events[before:version]:
                ledger.take(event)
            stream, cares = self.received.stream(version), ledger.cares
            self._care = stream, cares, ledger
        return stream, cares

    def _stamp(self, version: int) -> datetime | None:
        recorded = self.enrolled.events
        if not 0 <= version <= len(recorded):
            raise UnknownCutoff(
                f"version {version} is not in the stream, which is at {len(recorded)}"
            )
        if version == 0:
            return None
        event = recorded[version - 1]
        if event.goes_on:
            raise UnknownCutoff(f"version {version} lies inside a transaction")
        return event.recorded_at


def _editions_named(recorded: Sequence[events.Event]) -> list[str | None]:
    """For each prefix, from the empty one, the edition its latest registration names."""
    named: list[str | None] = [None]
    for event in recorded:
        named.append(event.policy if isinstance(event, events.Registered) else named[-1])
    return named


def _in_order(
    fixed: Sequence[events.Event],
    recorded: Sequence[events.Event],
    received: Sequence[events.Event],
) -> Iterator[events.Event]:
    """What three streams recorded, in the order of the stamps.

    Where stamps are equal, windows come first, and care before what the enrollment recorded
    after a settlement that follows it: a settlement tells on which version it stood.
    """
    stood_on: dict[int, float] = {}
    version = math.inf
    for event in reversed(received):
        if isinstance(event, events.CareSettled):
            version = min(version, event.enrollment_version)
        stood_on[event.originator_version] = version

    keyed = merge(
        (((event.recorded_at, 0), event) for event in fixed),
        (((event.recorded_at, event.originator_version), event) for event in recorded),
        (((event.recorded_at, stood_on[event.originator_version]), event) for event in received),
        key=itemgetter(0),
    )
    return (event for _, event in keyed)
