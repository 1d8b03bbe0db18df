"""A transaction under way."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from functools import cached_property, partial, reduce
from typing import Final, NamedTuple, cast
from uuid import UUID

from yibao.adapters.editions import Editions
from yibao.adapters.service.recording.remembering import Remembered
from yibao.adapters.service.recording.replies import Receipt
from yibao.adapters.store import AheadOfClock, Transaction, stamp_in
from yibao.adapters.store.connections import SqlRow
from yibao.domain.care import Ledger
from yibao.domain.facts import EditionInUse, Stream, events, evolve
from yibao.domain.judging import NOTHING_AROUND, Target, around_of, case_of
from yibao.domain.refusals import UnreadableEvent
from yibao.domain.rules import Around, Case
from yibao.domain.vocabulary import EnrollmentId, Seen, edition_stream
from yibao.projections.record import Fixed, Record

#: So many records are read in one statement.
TOGETHER: Final = 100

#: What tells at which school she is, under which edition, and in which category.
_MOVING = (events.Registered, events.SchoolChanged)


def latest_of(stamps: Iterable[datetime | None]) -> datetime | None:
    """The latest of some stamps, if there is any."""
    return max(filter(None, stamps), default=None)


class _Held:
    """A stream as it was read, and what this transaction adds to it.

    What is coming is not in it yet: hardly ever does a transaction look at it again.
    """

    __slots__ = ("coming", "is_beside", "rows", "stream")

    def __init__(self, rows: Sequence[SqlRow] | None, is_beside: bool) -> None:
        self.rows = rows
        self.is_beside = is_beside
        self.stream: Stream | None = None
        self.coming: list[events.Event] = []


class _Mark(NamedTuple):
    """What was about to be recorded, and what was in the streams that were added to since."""

    fresh: int
    notes: int
    streams: dict[_Held, tuple[Stream | None, list[events.Event]]]


class Work:
    """A transaction under way: the streams as they are by now, and all that will be recorded.

    `rows` are those of the streams that are read whole, and of those `beside` them the last. What
    is not among them is read as it is asked for: from `tails`, what is not known there already.
    `years` are those of each student in which something stands, or may come to stand by this.
    With `is_dry` nothing is recorded, and nothing that is refused is kept.
    """

    def __init__(
        self,
        transaction: Transaction,
        clock: datetime,
        reach: datetime,
        rows: Mapping[UUID, list[SqlRow]],
        beside: Collection[UUID],
        years: Iterable[EnrollmentId],
        remembered: Remembered,
        tails: Remembered,
        editions: Editions,
        *,
        is_dry: bool = False,
    ) -> None:
        self.transaction = transaction
        self.editions = editions
        self.clock = self.stamp = clock
        self.is_dry = is_dry
        self._reach = reach
        self._held = {each: _Held(some, each in beside) for each, some in rows.items()}
        self._years: dict[str, list[EnrollmentId]] = {}
        for each in sorted(years):
            self._years.setdefault(each.ref, []).append(each)
        self._last: dict[UUID, datetime | None] = {}
        self._last_of_students: dict[EnrollmentId, datetime | None] = {}
        self._after_all: datetime | None = None
        self.notes: list[tuple[UUID, str]] = []
        self._fresh: list[events.Event] = []
        self._remembered = remembered
        self._tails = tails
        self._mark = _Mark(0, 0, {})
        self._seen_by: dict[UUID, Seen] = {}
        self._asked_about: list[EnrollmentId] = []
        self._records: dict[EnrollmentId, Record] = {}

    def stream(self, stream_id: UUID) -> Stream:
        """A stream, with what this transaction will add to it; raises UnreadableEvent."""
        held = self._held.get(stream_id) or self._hold(stream_id)
        if held.stream is None:
            held.stream = self._read(stream_id, held)
        if held.coming:
            held.stream = reduce(evolve, held.coming, held.stream)
            held.coming = []
        return held.stream

    def _hold(self, stream_id: UUID) -> _Held:
        held = self._held.get(stream_id)
        if held is None:
            held = self._held[stream_id] = _Held(None, is_beside=False)
        return held

    def _read(self, stream_id: UUID, held: _Held) -> Stream:
        if held.rows is None:
            return self._tails.stream(self.transaction, stream_id)
        if not held.is_beside:
            return self._tails.folded(stream_id, held.rows)
        return self._remembered.still(self.transaction, stream_id, held.rows)

    def version(self, stream_id: UUID) -> int:
        """The version of a stream, which need not be readable for it."""
        held = self._hold(stream_id)
        if held.coming:
            return held.coming[-1].originator_version
        if held.stream is not None:
            return held.stream.version
        if held.is_beside:
            return int(held.rows[-1][0]) if held.rows else 0
        return self.stream(stream_id).version

    def streams_of(self, years: Iterable[EnrollmentId]) -> list[UUID]:
        """The streams that answers about a student in some years stand on."""
        found: list[UUID] = []
        for each in years:
            found += each.stream, each.care_stream
            if (named := self.stream(each.stream).edition_named) is not None:
                found.append(edition_stream(named))
        return found

    def stamp_from(self, earliest: datetime | None) -> None:
        """One stamp for all that is recorded, and none too early, as far as may be.

        What is too far ahead is not recorded, and the stamp is for the others.
        """
        if earliest is not None and earliest <= self._reach:
            self.stamp = max(self.stamp, earliest)

    def check_reached(self, earliest: datetime | None) -> None:
        """Raises AheadOfClock where the stamp of this transaction is too early."""
        if earliest is not None and earliest > self.stamp:
            raise AheadOfClock(
                f"this would be stamped {earliest}, as what it stands on, more than a day ahead of "
                f"the clock, {self.clock}, and so would all that follows: set the clock right if "
                "it has gone back, or accept such stamps by accept_stamps_until or "
                "YIBAO_ACCEPT_STAMPS_UNTIL"
            )

    def after_all(self) -> datetime | None:
        """The first instant after every stamp of the store, if there is any."""
        if self._after_all is None and (last := self.transaction.last_stamp()) is not None:
            self._after_all = last + timedelta(microseconds=1)
        return self._after_all

    def last_of(self, streams: Iterable[UUID]) -> datetime | None:
        """The latest of the streams' last stamps, if there is any."""
        return latest_of(map(self._last_stamp, streams))

    def last_of_student(self, whose: EnrollmentId) -> datetime | None:
        """The same of all streams that answers about a student stand on, before this transaction.

        Of several things that are asked about her it is the same.
        """
        if whose not in self._last_of_students:
            streams = self.streams_of([whose, *self.begun(whose)])
            self._last_of_students[whose] = self.last_of(streams)
        return self._last_of_students[whose]

    def _last_stamp(self, stream_id: UUID) -> datetime | None:
        held = self._hold(stream_id)
        if not held.is_beside:
            return self.stream(stream_id).last_recorded_at
        if not held.rows:
            return None
        if stream_id not in self._last:
            self._last[stream_id] = stamp_in(held.rows[-1][-1])
        return self._last[stream_id]

    def begun(self, enrollment: EnrollmentId) -> list[EnrollmentId]:
        """A student in every other year of which something stands, the earliest first."""
        ref, year = enrollment
        years = self._years.get(ref, ())
        return [each for each in years if each.year != year and self.version(each.stream)]

    def around(self, enrollment: EnrollmentId) -> Around:
        """What the years tell that are beside that of a student; kept while nothing moves it."""
        begun = {each.year for each in self.begun(enrollment) if each.year <= enrollment.year + 1}
        if not begun:
            return NOTHING_AROUND
        kept = self._tails.arounds.get(enrollment)
        if kept is None or any(self.stream(stream) is not was for stream, was in kept[0].items()):
            read: dict[UUID, Stream] = {}

            def stream(stream_id: UUID) -> Stream:
                return read.setdefault(stream_id, self.stream(stream_id))

            kept = read, around_of(enrollment, begun, stream, self.editions.get)
            self._tails.arounds[enrollment] = kept
        return kept[1]

    def case(self, enrollment: EnrollmentId, edition: EditionInUse) -> Case:
        """A student's case; the same one for as long as nothing moves it."""
        enrolled, around = self.stream(enrollment.stream), self.around(enrollment)
        stands_on = enrolled, edition.stream, around
        kept = self._tails.cases.get(enrollment.stream)
        if kept is None or any(a is not b for a, b in zip(kept[0], stands_on, strict=True)):
            case = case_of(enrolled, edition.policy, edition.stream, around)
            kept = self._tails.cases[enrollment.stream] = stands_on, case
        return kept[1]

    def ledger(self, care: UUID) -> Ledger:
        """The ledger of a student's care, which goes on from what it was before."""
        stream = self.stream(care)
        before, ledger = self._tails.ledgers.get(care, (stream, None))
        known = len(before.recorded)
        if ledger is None or not _goes_on(before, stream):
            ledger, known = Ledger(), 0
        for event in stream.recorded[known:]:
            ledger.take(event)
        self._tails.ledgers[care] = stream, ledger
        return ledger

    def seen(self, target: Target, versions: Mapping[UUID, int] | None = None) -> Seen:
        """What whoever knows of a target what is recorded has seen: by now, or in those versions.

        Where what is fixed under an edition cannot be read, everything in its stream counts.
        """

        version = self.version if versions is None else partial(_in, versions)
        if isinstance(target, str):
            stream_id = edition_stream(target)
            return Seen(0, 0, self._fixed(stream_id).fixed(version(stream_id)))
        years = [
            each.year
            for each in self.begun(target)
            if each.year < target.year and version(each.stream)
        ]
        before: Seen | None = None
        for year in range(min(years, default=target.year), target.year):
            each = target._replace(year=year)
            before = self._seen_in(each, version, before, is_now=versions is None)
        return self._seen_in(target, version, before, is_now=versions is None)

    def _seen_in(
        self,
        whose: EnrollmentId,
        version: Callable[[UUID], int],
        before: Seen | None,
        *,
        is_now: bool,
    ) -> Seen:
        enrolled, facts = self._at_her_schools(whose.stream), version(whose.stream)
        if not is_now and enrolled.version != facts:
            enrolled = self._tails.log(whose.stream, enrolled).stream(facts)
        window = 0
        if enrolled.edition_named is not None:
            stream_id = edition_stream(enrolled.edition_named)
            window = version(stream_id)
            with suppress(UnreadableEvent):
                window = self._fixed(stream_id).concerns(enrolled.counting, window)
        return Seen(facts, version(whose.care_stream), window, before)

    def _at_her_schools(self, stream_id: UUID) -> Stream:
        """A stream, maybe without what this transaction adds to it, if that moves her nowhere."""
        held = self._hold(stream_id)
        if held.stream is None or any(map(_moves, held.coming)):
            return self.stream(stream_id)
        return held.stream

    def _fixed(self, edition: UUID) -> Fixed:
        return self._remembered.fixed(edition, self.stream(edition))

    def ask_about(self, whom: Iterable[EnrollmentId]) -> None:
        """Of these students the records will be asked for: they are read together."""
        self._asked_about = list(dict.fromkeys(whom))

    def record(self, enrollment: EnrollmentId, editions: Editions) -> Record:
        """Everything recorded of a student, with what this transaction will add to it."""
        if enrollment not in self._records:
            self._records |= self._records_with(enrollment, editions)
        record, ref = self._records[enrollment], enrollment.ref
        # Of another student nothing concerns her; to look would be to ask for her attempts.
        fresh = [each for each in self._fresh if self._whose.get(each.originator_id, ref) == ref]
        return record.followed_by(fresh) if fresh else record

    @cached_property
    def _whose(self) -> dict[UUID, str]:
        """Whose each stream is that something may be recorded on; an edition's is nobody's."""
        return {
            stream: each.ref
            for years in self._years.values()
            for each in years
            for stream in (each.stream, each.care_stream)
        }

    def _records_with(
        self, enrollment: EnrollmentId, editions: Editions
    ) -> dict[EnrollmentId, Record]:
        """A student's record, and those of some who will be asked about after her."""
        left = [each for each in self._asked_about if each not in self._records]
        where = left.index(enrollment) if enrollment in left else len(left)
        if together := left[where : where + TOGETHER]:
            with suppress(UnreadableEvent):  # of one of them: then each is read by itself
                return self.transaction.records_of(together, editions, self.stamp)
            self._asked_about = []
        return {enrollment: self.transaction.record(enrollment, editions, self.stamp)}

    def receipt(self, target: Target, event: events.Event, *, repeated: bool = False) -> Receipt:
        """The receipt of a command that has led to an event, now or before."""
        if not repeated:
            self._seen_by[event.event_id] = self.seen(target)
        seen = self._seen_by.get(event.event_id)
        if seen is None:
            streams = [event.originator_id]
            if isinstance(target, EnrollmentId):
                streams = self.streams_of([target, *self.begun(target)])
            versions = self.transaction.versions_by(event, streams)
            seen = self.seen(target, versions)
        event_id = cast(UUID, None) if self.is_dry else event.event_id
        return Receipt(event_id, event.originator_version, event.recorded_at, repeated, seen)

    def add(self, event: events.Event) -> None:
        """Records an event when the transaction ends; every stream it belongs to has it now."""
        held, before = self._hold(event.originator_id), self._mark.streams
        if held not in before:
            before[held] = held.stream, held.coming[:]
        held.coming.append(event)
        self._fresh.append(event)

    def begin(self) -> None:
        """What is added from now on is recorded whole or not at all."""
        self._mark = _Mark(len(self._fresh), len(self.notes), {})

    def go_back(self) -> None:
        """Leaves everything as it was when that began."""
        del self._fresh[self._mark.fresh :]
        del self.notes[self._mark.notes :]
        for held, was in self._mark.streams.items():
            held.stream, held.coming = was

    def leave(self) -> None:
        """Leaves the streams to the transaction that goes on from this one, which is over."""
        for stream_id, held in self._held.items():
            if held.stream is not None:
                left = self._remembered if held.is_beside else self._tails
                left.leave(stream_id, held.stream, held.coming)

    def save(self) -> bool:
        """Whether there was anything to record."""
        if self.is_dry or not self._fresh:
            return False
        _mark_as_one_transaction(self._fresh)
        self.transaction.append(self._fresh, self.notes)
        return True


def _in(versions: Mapping[UUID, int], stream_id: UUID) -> int:
    return versions.get(stream_id, 0)


def _moves(event: events.Event) -> bool:
    """Whether it tells where a student is, or may take back what did."""
    return isinstance(event, _MOVING) or getattr(event, "supersedes", None) is not None


def _goes_on(before: Stream, stream: Stream) -> bool:
    """Whether a stream is one from before, or has grown out of it."""
    known = len(before.recorded)
    return not known or (
        len(stream.recorded) >= known and stream.recorded[known - 1] is before.recorded[-1]
    )


def _mark_as_one_transaction(fresh: Sequence[events.Event]) -> None:
    """Marks every event but the last of each stream as going on: no cut-off falls between."""
    if len(fresh) == 1:
        return
    last = {event.originator_id: event for event in fresh}
    for event in fresh:
        if last[event.originator_id] is not event:
            # A frozen event that nobody else has seen yet; what it leads to does not ask for it.
            vars(event)["goes_on"] = True
