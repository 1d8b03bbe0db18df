"""Load, decide, save: how a command becomes facts, in one transaction."""

import logging
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import reduce
from typing import Any, Final
from uuid import UUID, uuid4

from yibao.adapters.editions import Editions
from yibao.adapters.service.remembering import Remembered
from yibao.adapters.store import AheadOfClock, FactStore, StoreError, Transaction, decoded, stamp_in
from yibao.adapters.store.connections import SqlRow
from yibao.adapters.telemetry import SILENT, Outcome, Telemetry, Watched, tell
from yibao.domain.facts import (
    Envelope,
    Stream,
    answered_before,
    content_digest,
    events,
    evolve,
    fold,
    refused_attempt,
)
from yibao.domain.facts.commands import (
    Command,
    Register,
    Unread,
)
from yibao.domain.judging import Standing, Target, refuse_the_future
from yibao.domain.refusals import (
    AlteredEdition,
    BadValue,
    Refused,
    UnknownEdition,
    UnreadableEvent,
    YibaoError,
)
from yibao.domain.vocabulary import EnrollmentId, edition_stream, revealing

LOGGER: Final = logging.getLogger("yibao.recording")
_FOREVER: Final = datetime.max.replace(tzinfo=UTC)

Clock = Callable[[], datetime]

#: So far ahead of the clock a stamp is followed without asking.
AHEAD: Final = timedelta(days=1)

#: How many refused attempts of one actor are kept in an hour; more are only counted.
ATTEMPTS_KEPT: Final = 1000


@dataclass(frozen=True, slots=True)
class Receipt:
    """A command was accepted: its fact, and where it stands; or stood already (`repeated`)."""

    event_id: UUID
    version: int
    recorded_at: datetime
    repeated: bool = False


#: The name of what was asked for where it was no command.
UNKNOWN: Final = "unknown"
#: What becomes of one command among many.
Reply = Receipt | Refused | UnreadableEvent | AheadOfClock


@dataclass(frozen=True, slots=True)
class Recording:
    """Records commands on one store, where whoever is judged has the store's lock."""

    store: FactStore
    editions: Editions
    by: str
    via: str
    clock: Clock
    attempts_kept: int = ATTEMPTS_KEPT
    telemetry: Telemetry = SILENT
    #: Until which stamp it is accepted that one lies far ahead of the clock.
    accept_stamps_until: datetime | None = None
    #: Stories are told side by side, each by a clock of its own.
    rehearsing: bool = False
    remembered: Remembered = field(default_factory=Remembered)

    def record_together(self, target: Target, asked: Sequence[Command]) -> list[Receipt]:
        """Records commands on one target in one transaction and one stream: all or none.

        Raises Refused for the first command that is refused, and keeps the attempt;
        UnknownEdition for an edition that is not at hand; StoreError where the store fails, and
        AheadOfClock, which is one, where it would stand behind a stamp far ahead of the clock.
        """
        if not asked and (misfit := _wrong(target)):
            raise misfit
        for command in asked:
            if misfit := misfit_of(target, command):
                self.keep_attempt(None, _told(command), misfit)
                raise misfit
        with self.telemetry.command(_name_of(asked)) as watched:
            if isinstance(target, str):
                self.store.look_through()
            try:
                receipts = self.store.again(lambda: self._record_together(target, asked))
            except (Refused, UnknownEdition) as error:
                watched.outcome("refused", _as_refusal(error).code)
                raise
            _tell_of(watched, receipts)
            if len(asked) > 1:
                _tell_of_each(watched, asked, receipts)
            return receipts

    def _record_together(self, target: Target, asked: Sequence[Command]) -> list[Receipt]:
        receipts: list[Receipt] = []
        failed: Refused | UnknownEdition | None = None
        with self._transaction([target]) as transaction:
            work = self._work(transaction, [target])
            work.stamp_from(self._earliest(work, target, asked))
            first: UUID | None = None
            for command in asked:
                try:
                    place = self._standing(work).place(target, command)
                    first = first or place
                    if place != first:
                        raise BadValue("asked", "care is recorded apart from the enrollment")
                    receipts.append(self._recorded(work, target, place, command))
                except (Refused, UnknownEdition) as error:
                    failed = error
                    work.forget()
                    self._keep(work, target, _told(command), _as_refusal(error))
                    break
            self._save(work)
        if failed is not None:
            raise failed
        return receipts

    def record_each(self, asked: Sequence[tuple[Target, Command]]) -> list[Reply]:
        """Records commands on whatever targets in one transaction, each judged by itself.

        What is refused is told in the place of its receipt, and kept as an attempt. A stream that
        cannot be read is told there, too, and one that is far ahead of the clock; nothing is kept
        of that. The others are recorded. Raises StoreError where the store fails; then none is.
        """
        with self.telemetry.command("batch") as watched:
            if any(isinstance(target, str) for target, _ in asked):
                self.store.look_through()
            replies = self.store.again(lambda: self._record_each(asked))
            _tell_of(watched, [reply for reply in replies if isinstance(reply, Receipt)])
            _tell_of_each(watched, [command for _, command in asked], replies)
            return replies

    def _record_each(self, asked: Sequence[tuple[Target, Command]]) -> list[Reply]:
        replies: list[Reply] = []
        misfits = [misfit_of(*each) for each in asked]
        targets = [target for (target, _), misfit in zip(asked, misfits, strict=True) if not misfit]
        with self._transaction(targets, many=True) as transaction:
            work = self._work(transaction, targets)
            places = [
                misfit or self._place_or_error(work, *each)
                for each, misfit in zip(asked, misfits, strict=True)
            ]
            for (target, command), place, misfit in zip(asked, places, misfits, strict=True):
                whose = None if misfit else target
                try:
                    replies.append(self._reply(work, whose, place, command))
                except (UnreadableEvent, AheadOfClock) as error:
                    replies.append(error)
            self._save(work)
        return replies

    def _reply(
        self, work: "_Work", target: Target | None, place: "UUID | YibaoError", command: Command
    ) -> Reply:
        """What becomes of one command among many; raises UnreadableEvent or AheadOfClock."""
        try:
            if isinstance(place, YibaoError):
                raise place
            assert target is not None
            return self._recorded(work, target, place, command)
        except (Refused, UnknownEdition) as error:
            refused = _as_refusal(error)
            self._keep(work, target, _told(command), refused)
            return refused

    def _standing(self, work: "_Work") -> Standing:
        return Standing(work.stream, self.editions.get, self.by)

    def _place_or_error(
        self, work: "_Work", target: Target, command: Command
    ) -> "UUID | YibaoError":
        """The stream a command belongs to, if that can be read; it is stamped accordingly."""
        try:
            if isinstance(command, Unread):
                raise command.error
            place = self._standing(work).place(target, command)
            work.stream(place)
            work.stamp_from(self._earliest(work, target, [command]))
            return place
        except (Refused, UnknownEdition, UnreadableEvent) as error:
            return error

    def _recorded(self, work: "_Work", target: Target, place: UUID, command: Command) -> Receipt:
        """The receipt of a command that is recorded, now or before.

        Raises Refused, and AheadOfClock where what it stands on was stamped too far ahead.
        """
        stream = work.stream(place)
        envelope = self._envelope(stream, place, command, work.stamp)
        earlier = answered_before(stream, command, envelope)
        if earlier is not None:
            return _receipt(earlier, repeated=True)
        refuse_the_future(command, work.clock)
        fresh = self._standing(work).leads_to(target, command, envelope)
        work.check_reached(self._earliest(work, target, [command]))
        for event in fresh:
            work.add(event)
        if command.note:
            work.notes.append((fresh[-1].event_id, command.note))
        return _receipt(fresh[-1])

    def keep_attempt(
        self, target: Target | None, told: Mapping[str, Any], error: Refused | UnknownEdition
    ) -> None:
        """Keeps what was refused before it could be judged; it may be about nobody."""
        whom = None if _wrong(target) else target

        def keep() -> None:
            targets = [] if whom is None else [whom]
            with self._transaction(targets) as transaction:
                work = self._work(transaction, targets)
                self._keep(work, whom, told, _as_refusal(error))

        with self.telemetry.command(told["command"] or UNKNOWN) as watched:
            self.store.again(keep)
            watched.outcome("refused", _as_refusal(error).code)

    def _transaction(
        self, targets: Sequence[Target], *, many: bool = False
    ) -> AbstractContextManager[Transaction]:
        """A transaction on whatever may be read and recorded with the targets.

        A student's care is recorded by whoever records on the enrollment; what is recorded for
        an edition is for everybody.
        """
        if self.store.is_for_stories and not self.rehearsing:
            raise StoreError("this is a rehearsal store: nothing but stories is recorded in it")
        everybody = any(isinstance(target, str) for target in targets)
        concerned = map(_stream_of, targets)
        return self.store.transaction(concerned, everybody=everybody, many=many)

    def _work(self, transaction: Transaction, targets: Sequence[Target]) -> "_Work":
        """Reads the targets' streams, and only then the clock.

        By then nobody else can record on them: what is known by an instant stays what it was. Of
        what else they stand on the last row tells enough.
        """
        whole = {_stream_of(target) for target in targets}
        beside = {target.care_stream for target in targets if not isinstance(target, str)}
        beside.update(map(edition_stream, self.editions.names()))
        beside -= whole
        ahead = () if self.rehearsing else sorted(whole)
        rows = transaction.rows_of(ahead, sorted(beside))
        clock = self.clock()
        accepted = _FOREVER if self.rehearsing else self.accept_stamps_until
        reach = max(clock + AHEAD, accepted or clock)
        remembered = self.remembered if self.rehearsing else None
        return _Work(transaction, clock, reach, rows, beside, remembered)

    def _earliest(self, work: "_Work", target: Target, asked: Iterable[Command]) -> datetime | None:
        """The earliest stamp that commands may have; None where they stand on nothing yet.

        It is not before the last of the student, of her care or of her edition. A window is
        everybody's: it comes after all there is, so that no answer moves that was given for what
        was known by then. In a rehearsal stories with times of their own share the editions.
        """
        if isinstance(target, str):
            return work.last_of([edition_stream(target)]) if self.rehearsing else work.after_all()
        streams = [target.stream, target.care_stream]
        if not self.rehearsing:
            named = {work.stream(target.stream).edition_named}
            named.update(command.policy for command in asked if isinstance(command, Register))
            streams += [edition_stream(name) for name in named if name is not None]
        return work.last_of(streams)

    def _save(self, work: "_Work") -> None:
        """Records what a transaction has led to; a stamp far ahead of the clock is told of."""
        if work.save() and work.stamp > work.clock + AHEAD and not self.rehearsing:
            told = {"stamp": work.stamp.isoformat(), "clock": work.clock.isoformat()}
            tell(LOGGER, logging.WARNING, "stamp-ahead-accepted", **told)

    def _keep(
        self, work: "_Work", target: Target | None, told: Mapping[str, Any], refused: Refused
    ) -> None:
        """Keeps a refused attempt: whose it was, about whom, and at which school as then known."""
        known: dict[str, Any] = {"by": self.by, "via": self.via, "tried_at": work.stamp}
        stream_id = _NOBODY
        if target is not None:
            stream_id = _stream_of(target)
            stream = work.stream(stream_id)
            known["tried_at"] = max(work.stamp, stream.last_recorded_at or work.stamp)
            known["version"] = stream.version
            known["school"] = stream.counting.latest_school
            known["policy"] = stream.edition_named
            if isinstance(target, str):
                known["policy"] = target if target in self.editions.names() else None
            else:
                known |= target._asdict()
        attempt = refused_attempt(told, refused, known)
        work.transaction.keep_attempt(stream_id, attempt, self.attempts_kept)

    def _envelope(
        self, stream: Stream, stream_id: UUID, command: Command, stamp: datetime
    ) -> Envelope:
        event_id = uuid4()
        return Envelope(
            stream=stream_id,
            recorded_at=stamp,
            event_id=event_id,
            by=command.by or self.by,
            via=self.via,
            command_id=command.command_id or event_id.hex,
            command_digest=content_digest(stream, command),
        )


class _Work:
    """A transaction under way: the streams as they are by now, and all that will be recorded."""

    def __init__(
        self,
        transaction: Transaction,
        clock: datetime,
        reach: datetime,
        rows: Mapping[UUID, list[SqlRow]],
        beside: Collection[UUID],
        remembered: Remembered | None,
    ) -> None:
        self.transaction = transaction
        self.clock = self.stamp = clock
        self._reach = reach
        self._beside = beside
        self._last: dict[UUID, datetime | None] = {}
        self._after_all: datetime | None = None
        self.notes: list[tuple[UUID, str]] = []
        self._fresh: list[events.Event] = []
        self._rows = rows
        self._remembered = remembered
        self._streams: dict[UUID, Stream] = {}
        #: What is not in the streams yet: hardly ever does a transaction look at it again.
        self._coming: dict[UUID, list[events.Event]] = {}

    def stream(self, stream_id: UUID) -> Stream:
        """A stream, with what this transaction will add to it; raises UnreadableEvent."""
        found = self._streams.get(stream_id)
        if found is None:
            found = self._streams[stream_id] = self._read(stream_id)
        if stream_id in self._coming:
            found = reduce(evolve, self._coming.pop(stream_id), found)
            self._streams[stream_id] = found
        return found

    def _read(self, stream_id: UUID) -> Stream:
        if self._remembered is not None:
            return self._remembered.stream(self.transaction, stream_id)
        rows = None if stream_id in self._beside else self._rows.get(stream_id)
        return fold(self.transaction.read(stream_id) if rows is None else decoded(stream_id, rows))

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
        return max(filter(None, map(self._last_stamp, streams)), default=None)

    def _last_stamp(self, stream_id: UUID) -> datetime | None:
        if stream_id not in self._beside:
            return self.stream(stream_id).last_recorded_at
        if stream_id not in self._last:
            rows = self._rows[stream_id]
            self._last[stream_id] = stamp_in(rows[-1][-1]) if rows else None
        return self._last[stream_id]

    def add(self, event: events.Event) -> None:
        """Records an event when the transaction ends; every stream it belongs to has it now."""
        self._coming.setdefault(event.originator_id, []).append(event)
        self._fresh.append(event)

    def forget(self) -> None:
        """Leaves everything as it was before."""
        self._fresh, self._streams, self._coming, self.notes = [], {}, {}, []

    def save(self) -> bool:
        """Whether there was anything to record."""
        if self._fresh:
            _mark_as_one_transaction(self._fresh)
            self.transaction.append(self._fresh, self.notes)
        return bool(self._fresh)


def check_unaltered(store: FactStore, editions: Editions) -> None:
    """Raises AlteredEdition where an edition is not what the store has used under its name.

    Raises UnreadableEvent where its stream is not an edition's.
    """
    for name in editions.names():
        recorded = store.read(edition_stream(name))
        if recorded and not isinstance(recorded[0], events.EditionAdopted):
            raise UnreadableEvent(f"the stream of the edition {name!r} does not begin as one does")
        for used in recorded:
            if not isinstance(used, events.EditionAdopted | events.BenefitsAdopted):
                continue
            if is_altered(used, editions):
                raise AlteredEdition(
                    f"edition {name!r} has been altered since the store has used it as "
                    f"{used.digest[:12]}; a revised notice is a new edition"
                )


def is_altered(used: events.EditionAdopted | events.BenefitsAdopted, editions: Editions) -> bool:
    """Whether an edition says something else than what a store has used; words do not count.

    What 0.4.0 and before remembered is recognized as well. Raises UnknownEdition.
    """
    policy = editions.get(used.policy)
    which = 0 if isinstance(used, events.EditionAdopted) else 1
    if used.digest == (policy.digest, policy.benefits_digest)[which]:
        return False
    return used.digest != editions.digests_until_0_4_0(used.policy)[which]


def misfit_of(target: object, command: object) -> BadValue | None:
    """Why these can be no target and no command, if they cannot."""
    if not isinstance(command, Command | Unread):
        return BadValue("asked", "is no command")
    return _wrong(target)


def _wrong(target: object) -> BadValue | None:
    """Why this can be no target, if it cannot."""
    if isinstance(target, str):
        told = revealing(target)  # an edition that is not at hand would be named
        return BadValue("target", told) if told else None
    if not isinstance(target, EnrollmentId):
        return BadValue("target", "is neither an EnrollmentId nor the name of an edition")
    try:
        _ = target.stream
    except BadValue as error:
        return error
    return None


def _told(command: Command) -> dict[str, Any]:
    """Everything a command tells, by name; of what is no command nothing is known."""
    if isinstance(command, Unread):
        return command.told
    if not isinstance(command, Command):
        return {"command": None}
    return {"command": command.name, **vars(command), "values": command.asked()}


def _as_refusal(error: Refused | UnknownEdition) -> Refused:
    """An edition that is not at hand is a bad value, where a code is told."""
    return error if isinstance(error, Refused) else BadValue("policy", "no such edition")


def _name_of(asked: Sequence[Command]) -> str:
    return _name_of_one(asked[0]) if len(asked) == 1 else "batch"


def _name_of_one(command: Command) -> str:
    """Of a command alone: what is none may have anybody's name."""
    if isinstance(command, Unread):
        return command.told["command"] or UNKNOWN
    return command.name if isinstance(command, Command) else UNKNOWN


def _tell_of_each(watched: Watched, asked: Sequence[Command], replies: Sequence[Reply]) -> None:
    for command, reply in zip(asked, replies, strict=True):
        watched.within(_name_of_one(command), *_ending_of(reply))


def _ending_of(reply: Reply) -> tuple[Outcome, str | None]:
    if isinstance(reply, Receipt):
        return ("repeated" if reply.repeated else "recorded"), None
    if isinstance(reply, Refused):
        return "refused", reply.code
    return "failed", type(reply).__name__


def _tell_of(watched: Watched, receipts: Sequence[Receipt]) -> None:
    facts = sum(not receipt.repeated for receipt in receipts)
    watched.outcome("repeated" if receipts and not facts else "recorded", facts=facts)


def _stream_of(target: Target) -> UUID:
    return edition_stream(target) if isinstance(target, str) else target.stream


#: The stream of attempts that could not be read far enough to say about whom they were.
_NOBODY = UUID(int=0)


def _receipt(event: events.Event, *, repeated: bool = False) -> Receipt:
    return Receipt(event.event_id, event.originator_version, event.recorded_at, repeated)


def _mark_as_one_transaction(fresh: Sequence[events.Event]) -> None:
    """Marks every event but the last of each stream as going on: no cut-off falls between."""
    if len(fresh) == 1:
        return
    last = {event.originator_id: event for event in fresh}
    for event in fresh:
        if last[event.originator_id] is not event:
            # A frozen event that nobody else has seen yet; what it leads to does not ask for it.
            vars(event)["goes_on"] = True
