"""Everything recorded of one student, of one moment."""

import math
from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import cache, cached_property, partial
from heapq import merge
from itertools import chain
from operator import attrgetter, itemgetter
from typing import Any, Final
from uuid import UUID

from yibao.domain.calendar import SHANGHAI
from yibao.domain.care import Care, Ledger
from yibao.domain.facts import EMPTY, Facts, KeptAttempt, Stream, events
from yibao.domain.refusals import UnknownCutoff, UnknownEdition
from yibao.domain.rules import Case, without_registration
from yibao.domain.vocabulary import EnrollmentId, edition_stream
from yibao.projections.record.fixing import EditionRecord
from yibao.projections.record.following import Following
from yibao.projections.record.knowledge import Cutoff, Knowledge
from yibao.projections.record.log import NOTHING, Log

#: So many cases are kept: several questions of few facts share them, one of many goes on.
KEPT: Final = 32


def _no_edition(name: str) -> EditionRecord:
    raise UnknownEdition(name)


def _edition_in(editions: Mapping[str, EditionRecord], name: str) -> EditionRecord:
    return editions[name] if name in editions else _no_edition(name)


_VERSION: Final = attrgetter("originator_version")
_NO_CARE: Final[tuple[Stream, tuple[Care, ...], Ledger | None]] = EMPTY, (), None
_CaseKey = tuple[int, int, str, Case | None, Facts | None]
#: How far a cut-off goes in a log.
_Cut = Callable[[Log], int]


class Record:
    """Everything recorded of one student, of one moment.

    `enrolled` and `received` are the logs of her enrollment and of her care; `edition_of` tells of
    each edition she was ever registered under, and raises UnknownEdition where it is not at hand.
    `notes` are the free text kept beside facts, by their event ids. `now` is when it was read; None
    where nobody asks what holds now. `before` is the record of the year before, None where nothing
    was recorded of any earlier year, and `following` the log of the next year's enrollment.
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
        before: "Record | None" = None,
        following: Log | None = None,
    ) -> None:
        self.enrollment = enrollment
        self.now = now
        self.enrolled = enrolled
        self.received = received
        self.edition_of = edition_of
        self._attempts = attempts
        self.notes = notes or {}
        self.before = before
        self.following = following
        self._following = Following(following) if following else None
        self._registered = [e for e in enrolled.events if isinstance(e, events.Registered)]
        self._cases: dict[_CaseKey, Case] = {}
        self._case: Case | None = None
        self._care = _NO_CARE

    @classmethod
    def of(
        cls,
        enrollment: EnrollmentId,
        logs: Mapping[int, tuple[Log, Log]],
        edition_of: Callable[[str], EditionRecord],
        now: datetime | None = None,
        attempts: Callable[[], Sequence[KeptAttempt]] = tuple,
        notes: Mapping[UUID, str] | None = None,
    ) -> "Record":
        """The record of a student, by the logs of her enrollment and her care in each year.

        It has those of the years before from the earliest on of which something was recorded.
        """
        ref, asked = enrollment
        begun = [year for year, (enrolled, _) in logs.items() if year < asked and len(enrolled)]
        record: Record | None = None
        for year in range(min(begun, default=asked), asked):
            record = cls(
                EnrollmentId(ref, year),
                *logs.get(year, (NOTHING, NOTHING)),
                edition_of,
                now,
                notes=notes,
                before=record,
                following=_enrolled_in(logs, year + 1),
            )
        own, following = logs[asked], _enrolled_in(logs, asked + 1)
        return cls(enrollment, *own, edition_of, now, attempts, notes, record, following)

    def __repr__(self) -> str:
        whom = f"{self.enrollment.ref!r} in {self.enrollment.year}"
        told = f"facts: {len(self.enrolled)}, of care: {len(self.received)}"
        return f"<Record of {whom}: {told}, read at {self.now}>"

    def __eq__(self, other: object) -> bool:
        """Whether both say the same; asks for the editions and the attempts of either."""
        if not isinstance(other, Record):
            return NotImplemented
        return self is other or self._told() == other._told()

    def __hash__(self) -> int:
        return hash((self.enrollment, self.now, self.enrolled))

    def _told(self) -> tuple[Any, ...]:
        streams = self.enrollment, self.enrolled, self.received, self.before, self.following
        return (*streams, self._editions(), self.now, self.attempts, self.notes)

    def _editions(self) -> dict[str, EditionRecord]:
        """The editions she was ever registered under."""
        return {name: self.edition_of(name) for name in self.editions_by(len(self.enrolled))}

    def __reduce__(self) -> tuple[Any, ...]:
        # By itself: what it would ask a store for is asked before, as far as she is concerned.
        editions = self._editions()
        told = self.enrollment, self.enrolled, self.received, partial(_edition_in, editions)
        kept = self.now, partial(tuple, self.attempts), dict(self.notes)
        return Record, (*told, *kept, self.before, self.following)

    @cached_property
    def attempts(self) -> tuple[KeptAttempt, ...]:
        """What was tried for the student and refused, in order; raises UnreadableEvent."""
        return tuple(self._attempts())

    @property
    def latest(self) -> datetime:
        """The instant by which everything is known: when it was read, or a later stamp.

        To be asked only where something is recorded, or it is known when it was read.
        """
        return max(self._stamps())

    def _stamps(self) -> list[datetime]:
        """When it was read, and the last stamps of all that is in it."""
        logs = [self.enrolled, self.received]
        if self.following:
            logs.append(self.following)
        if named := self.edition_named(len(self.enrolled)):
            logs.append(self.edition_of(named).log)
        stamps = [log.events[-1].recorded_at for log in logs if log.events]
        if self.now:
            stamps.append(self.now)
        return stamps + self.before._stamps() if self.before else stamps

    def edition_named(self, version: int) -> str | None:
        """The edition that the latest registration of a prefix names, current or taken back."""
        count = bisect_right(self._registered, version, key=_VERSION)
        return self._registered[count - 1].policy if count else None

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
        return self._known(self._cut(version, known_at), known_at)

    def _cut(self, version: int, known_at: datetime | None) -> _Cut:
        """The first events of her own stream, and of everything else what an instant knows."""
        own = self.enrolled

        def cut(log: Log) -> int:
            if log is own:
                return version
            return log.by(known_at) if known_at else 0

        return cut

    def known_at(self, position: int) -> Knowledge:
        """What is known once the store has taken that many events."""
        return self._known(lambda log: log.at(position), None)

    def _known(self, cut: _Cut, known_at: datetime | None) -> Knowledge:
        """The knowledge of one version of each stream.

        What one version after the other is asked for shares its parts; that keeps a history, or
        the trail, from being folded anew for each fact.
        """
        before = self._known_before(cut, known_at)
        version = cut(self.enrolled)
        named = self.edition_named(version)
        if named is None:
            return Knowledge(self.enrollment, version, known_at, 0, None, before=before)
        told, following = 0, None
        if self.following and self._following:
            until = cut(self.following)
            told, following = self._following.told(until), self._following.facts(until)
        edition = self.edition_of(named)
        edition_version = cut(edition.log)
        given = self._case_before(before)
        case = self._case_of(version, edition_version, edition, given, following)
        care, cares = self._care_of(cut(self.received))
        return Knowledge(
            self.enrollment,
            version,
            known_at,
            edition_version,
            case,
            care,
            cares,
            edition.concerns(case.facts, edition_version),
            before,
            told,
        )

    @property
    def _next_year(self) -> EnrollmentId:
        return EnrollmentId(self.enrollment.ref, self.enrollment.year + 1)

    def _known_before(self, cut: _Cut, known_at: datetime | None) -> Knowledge | None:
        """What is known of the year before; None where nothing is of any earlier year."""
        known = self.before._known(cut, known_at) if self.before else None
        return known if known and (known.version or known.before) else None

    def _case_before(self, known: Knowledge | None) -> Case | None:
        """The case of the year before, by what is known of it."""
        if known is None or known.case is not None:
            return known and known.case
        assert self.before is not None
        earlier = self.before._case_before(known.before)
        return without_registration(earlier) if earlier else None

    def transactions(
        self, then: Knowledge, now: Knowledge
    ) -> Iterator[tuple[list[events.Event], Knowledge]]:
        """What was recorded in between, transaction by transaction, and what was known after each.

        Windows are those of every edition the student was ever registered under. What was recorded
        of the years before is among it, and of the next what tells of this one.
        """
        since = self._cut(then.version, then.known_at)
        until = self._cut(now.version, now.known_at)
        versions = {stream: since(log) for stream, log in self._logs(until).items()}
        gathered: dict[UUID, list[events.Event]] = {}
        for event in self._between(dict(versions), until):
            transaction = gathered.setdefault(event.originator_id, [])
            transaction.append(event)
            if event.goes_on:
                continue
            versions[event.originator_id] = event.originator_version
            known = self._known(lambda log: log.among(versions), event.recorded_at)
            yield gathered.pop(event.originator_id), known

    def _logs(self, until: _Cut) -> dict[UUID, Log]:
        """Every log on which an answer may stand, by its stream."""
        logs = self.streams()
        for record in self._years():
            for name in sorted(record._editions_cut(until)):
                logs[edition_stream(name)] = record.edition_of(name).log
        return logs

    def _between(self, since: Mapping[UUID, int], until: _Cut) -> Sequence[events.Event]:
        """What was recorded in between, in the order of the stamps.

        Where stamps are equal, it is in that of the positions, as far as these are known and there
        is more than one year; else see `_in_order`.
        """
        logs = self._logs(until)

        def recorded(stream: UUID) -> Sequence[events.Event]:
            return logs[stream].events[since[stream] : until(logs[stream])]

        streams: list[Iterator[tuple[Any, events.Event]]] = []
        for record in self._years():
            whose = record.enrollment
            streams += _in_order(whose.year, recorded(whose.stream), recorded(whose.care_stream))
        own = self.streams()
        fixed = chain.from_iterable(recorded(stream) for stream in logs if stream not in own)
        streams += _in_order(0, sorted(fixed, key=attrgetter("recorded_at")))
        if self.following and self._following:
            after = self._next_year
            told = self._following.transactions(since[after.stream], until(self.following))
            streams += _in_order(after.year, told)
        found = [event for _, event in merge(*streams, key=itemgetter(0))]
        if (self.before or self.following) and all(log.is_placed for log in logs.values()):
            found.sort(key=lambda e: (e.recorded_at, logs[e.originator_id].position_of(e)))
        return found

    def goes_back(self, then: Knowledge, now: Knowledge) -> bool:
        """Whether what is known then is more, of anything, than what is known now."""
        since = self._cut(then.version, then.known_at)
        until = self._cut(now.version, now.known_at)
        logs = self.streams()
        logs.pop(self._next_year.stream, None)
        for record in self._years():
            if named := record.edition_named(until(record.enrolled)):
                logs[edition_stream(named)] = record.edition_of(named).log
        return then.following > now.following or any(
            since(log) > until(log) for log in logs.values()
        )

    def streams(self) -> dict[UUID, Log]:
        """The logs of all her streams, of the years before and the next as well."""
        found = dict[UUID, Log]()
        for record in self._years():
            found[record.enrollment.stream] = record.enrolled
            found[record.enrollment.care_stream] = record.received
        if self.following:
            found[self._next_year.stream] = self.following
        return found

    def everything(self) -> Iterator[events.Event]:
        """Every event recorded of her, of the years before and the next as well."""
        return chain.from_iterable(log.events for log in self.streams().values())

    def _years(self) -> Iterator["Record"]:
        """The records of the years, the earliest first, up to this."""
        if self.before:
            yield from self.before._years()
        yield self

    def _editions_cut(self, cut: _Cut) -> set[str]:
        return self.editions_by(cut(self.enrolled))

    def moments(self) -> tuple[datetime, ...]:
        """The instants at which what is known of the student changed, once each and ascending.

        That is by what was recorded of her enrollment and of her care and, since she was registered
        under it, by what was fixed under her edition that concerns her; in the years before as
        well, and by what the next year's enrollment tells of this one. As known by any instant in
        between everything is as at the last of these before it.
        """
        if not len(self.enrolled):
            return ()
        nothing = self.known_by(0)
        seen, found = (nothing.seen, 0), dict[datetime, None]()
        for transaction, known in self.transactions(nothing, self.known_by(self.latest)):
            if (known.seen, known.following) != seen:
                seen = known.seen, known.following
                found[transaction[-1].recorded_at.astimezone(SHANGHAI)] = None
        return tuple(found)

    def followed_by(self, fresh: Sequence[events.Event]) -> "Record":
        """The record with what is about to be recorded, of this student or under an edition."""
        edition_of, ref = self.edition_of, self.enrollment.ref
        logs = {each.enrollment.year: (each.enrolled, each.received) for each in self._years()}
        if self.following:
            logs[self._next_year.year] = self.following, NOTHING
        positions = [kept.position for kept in self.attempts]
        for log in chain.from_iterable(logs.values()):
            positions += log.positions[-1:]
        last = max(positions, default=0)

        @cache
        def edition(name: str) -> EditionRecord:
            found = edition_of(name)
            longer = found.log.followed_by(edition_stream(name), fresh, last)
            return found if longer is found.log else EditionRecord(found.policy, longer)

        begun = [e for e in fresh if isinstance(e, events.Registered) and e.ref == ref]
        for year in {edition_of(event.policy).policy.year for event in begun} - logs.keys():
            logs[year] = NOTHING, NOTHING
        for year, (enrolled, received) in logs.items():
            whose = EnrollmentId(ref, year)
            logs[year] = (
                enrolled.followed_by(whose.stream, fresh, last),
                received.followed_by(whose.care_stream, fresh, last),
            )
        kept = self.now, lambda: self.attempts, self.notes
        return Record.of(self.enrollment, logs, edition, *kept)

    def version_superseded(self, event: events.Event) -> int | None:
        """The version of the fact whose place an event takes, or which it takes back."""
        if getattr(event, "supersedes", None) is None:
            return None
        for log in self.streams().values():
            found: int | None = log.version_superseded(event)
            if found is not None:
                return found
        return None

    def editions_by(self, version: int) -> set[str]:
        """The editions a student was registered under in the first events of her stream."""
        count = bisect_right(self._registered, version, key=_VERSION)
        return {registered.policy for registered in self._registered[:count]}

    def _case_of(
        self,
        version: int,
        edition_version: int,
        edition: EditionRecord,
        before: Case | None,
        following: Facts | None,
    ) -> Case:
        """The case of some versions; what was derived of the last ones serves whoever asks next."""
        fixed = edition.fixed(edition_version)
        key = version, fixed, edition.policy.edition, before, following
        case = self._cases.get(key)
        if case is None:
            stream, fixes = self.enrolled.stream(version), edition.fixes(edition_version)
            known = edition.policy, stream.facts, fixes, stream.counting
            case = Case(*known, self._case, before, following)
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
            self._care = _NO_CARE
            if ledger is None or version < before:
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


def _enrolled_in(logs: Mapping[int, tuple[Log, Log]], year: int) -> Log | None:
    """The log of the enrollment in a year, if anything was recorded."""
    return logs.get(year, (NOTHING, NOTHING))[0] or None


def _in_order(
    year: int, recorded: Sequence[events.Event], received: Sequence[events.Event] = ()
) -> Iterator[Iterator[tuple[Any, events.Event]]]:
    """What the streams of a year recorded, with what it is sorted by: first the stamps.

    Where stamps are equal, windows come first, as of no year, then one year after the other, and
    care before what the enrollment recorded after a settlement that follows it: a settlement tells
    on which version it stood.
    """
    stood_on: dict[int, float] = {}
    version = math.inf
    for event in reversed(received):
        if isinstance(event, events.CareSettled):
            version = min(version, event.enrollment_version)
        stood_on[event.originator_version] = version
    # Of windows there is no order but that in which they come.
    yield (((e.recorded_at, year, year and e.originator_version), e) for e in recorded)
    yield (((each.recorded_at, year, stood_on[each.originator_version]), each) for each in received)
