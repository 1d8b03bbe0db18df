"""Load, decide, save: how a command becomes facts, in one transaction."""

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import chain, islice
from typing import Any, Final
from uuid import UUID, uuid4

from yibao.adapters.editions import Editions
from yibao.adapters.service.recording.asking import Allowed, as_raised, ask
from yibao.adapters.service.recording.given import (
    NOBODY,
    Item,
    as_refusal,
    item_of,
    misfit,
    stream_of,
    told_by,
    wrong,
)
from yibao.adapters.service.recording.remembering import Remembered
from yibao.adapters.service.recording.replies import (
    UNKNOWN,
    Receipt,
    Reply,
    name_of,
    receipts_in,
    tell_of,
    tell_of_each,
)
from yibao.adapters.service.recording.stamping import Place, earliest_of
from yibao.adapters.service.recording.work import Work, latest_of
from yibao.adapters.store import AheadOfClock, FactStore, StoreError, Transaction
from yibao.adapters.telemetry import SILENT, Telemetry, tell
from yibao.domain.facts import (
    Envelope,
    Stream,
    answered_before,
    check_seen,
    content_digest,
    happened_at,
    refused_attempt,
)
from yibao.domain.facts.commands import Command
from yibao.domain.judging import Standing, Target, refuse_the_future
from yibao.domain.refusals import BadValue, Refused, UnknownEdition, UnreadableEvent, YibaoError
from yibao.domain.vocabulary import EnrollmentId, edition_stream, in_order, student_id

LOGGER: Final = logging.getLogger("yibao.recording")
_FOREVER: Final = datetime.max.replace(tzinfo=UTC)

Clock = Callable[[], datetime]

#: So far ahead of the clock a stamp is followed without asking.
AHEAD: Final = timedelta(days=1)

#: How many refused attempts of one actor are kept in an hour; more are only counted.
ATTEMPTS_KEPT: Final = 1000

#: How many of many things asked for share a transaction.
BATCH: Final = 500


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

    def record_together(
        self, target: Target, asked: Sequence[Command], allowed: Allowed | None = None
    ) -> list[Receipt]:
        """Records commands on one target in one transaction and one stream: all or none.

        Raises Refused for the first command that is refused, and keeps the attempt;
        UnknownEdition for an edition that is not at hand; StoreError where the store fails, and
        AheadOfClock, which is one, where it would stand behind a stamp far ahead of the clock.
        What `allowed` raises is raised, and nothing is kept of that.
        """
        if not asked and (found := wrong(target)):
            raise found
        for command in asked:
            if found := misfit(target, command):
                self.keep_attempt(None, told_by(command), found)
                raise found
        with self.telemetry.command(name_of(asked)) as watched, as_raised():
            if isinstance(target, str):
                self.store.look_through()
            try:
                receipts = self.store.again(lambda: self._record_together(target, asked, allowed))
            except (Refused, UnknownEdition) as error:
                watched.outcome("refused", as_refusal(error).code)
                raise
            tell_of(watched, receipts)
            if len(asked) > 1:
                tell_of_each(watched, asked, tuple(receipts))
            return receipts

    def _record_together(
        self, target: Target, asked: Sequence[Command], allowed: Allowed | None
    ) -> list[Receipt]:
        receipts: list[Receipt] = []
        failed: Refused | UnknownEdition | None = None
        with self._transaction([target]) as transaction:
            work = self._work(transaction, [target])
            earliest = earliest_of(work, target, asked, rehearsing=self.rehearsing)
            work.stamp_from(latest_of(earliest))
            work.begin()
            standing = self._standing(work)
            first: UUID | None = None
            for command, stamp in zip(asked, earliest, strict=True):
                try:
                    place = Place(standing.place(target, command), stamp)
                    first = first or place.stream
                    if place.stream != first:
                        raise BadValue("asked", "care is recorded apart from the enrollment")
                    receipts.append(self._recorded(work, standing, target, place, command, allowed))
                except (Refused, UnknownEdition) as error:
                    failed = error
                    work.go_back()
                    self._keep(work, target, told_by(command), as_refusal(error))
                    break
            self._save(work)
        if failed is not None:
            raise failed
        return receipts

    def record_each(
        self,
        asked: Iterable[Any],
        *,
        batch: int = BATCH,
        allowed: Allowed | None = None,
        dry_run: bool = False,
    ) -> list[Reply]:
        """Records what is asked of whatever targets, each judged by itself, batch by batch.

        Each is a target and a command, or a target and several commands, which are recorded whole
        or not at all. What is refused is told in the place of its receipts, and kept as an attempt.
        A stream that cannot be read is told there, too, and one that is far ahead of the clock;
        nothing is kept of that. The others are recorded. A batch is one transaction. Raises
        StoreError where the store fails, and what `allowed` raises; then the batches before stand.

        In a dry run the replies are the same, and nothing is recorded and nothing kept: all of it
        is one transaction, in which what comes later is judged on what came before.
        """
        given, replies, tails = map(item_of, asked), list[Reply](), Remembered()
        while items := list(given if dry_run else islice(given, batch)):
            replies.extend(self._record_batch(items, allowed, tails, dry_run))
        return replies

    def _record_batch(
        self, items: Sequence[Item], allowed: Allowed | None, tails: Remembered, dry_run: bool
    ) -> list[Reply]:
        if any(isinstance(item.target, str) for item in items):
            self.store.look_through()

        def record() -> list[Reply]:
            return self._record_each(items, allowed, tails, dry_run)

        if dry_run:
            with as_raised():
                return self.store.again(record)
        with self.telemetry.command("batch") as watched, as_raised():
            replies = self.store.again(record)
            tell_of(watched, receipts_in(replies))
            for item, reply in zip(items, replies, strict=True):
                tell_of_each(watched, item.commands, reply)
            return replies

    def _record_each(
        self, items: Sequence[Item], allowed: Allowed | None, tails: Remembered, dry_run: bool
    ) -> list[Reply]:
        replies: list[Reply] = []
        targets = [item.target for item in items if item.target is not None]
        with self._transaction(targets, many=True) as transaction:
            work = self._work(transaction, targets, tails, is_dry=dry_run)
            if allowed is not None:
                work.ask_about(each for each in targets if isinstance(each, EnrollmentId))
            standing = self._standing(work)
            places = [self._places_or_error(work, standing, item) for item in items]
            for item, place in zip(items, places, strict=True):
                work.begin()
                try:
                    replies.append(self._reply(work, standing, item, place, allowed))
                except (UnreadableEvent, AheadOfClock) as error:
                    work.go_back()
                    replies.append(error)
            self._save(work)
        if not dry_run:
            work.leave()
        return replies

    def _reply(
        self,
        work: Work,
        standing: Standing,
        item: Item,
        places: "Sequence[Place] | YibaoError",
        allowed: Allowed | None,
    ) -> Reply:
        """What becomes of one thing among many; raises UnreadableEvent or AheadOfClock."""
        receipts: list[Receipt] = []
        try:
            if isinstance(places, YibaoError):
                raise places
            assert item.target is not None
            for place, command in zip(places, item.commands, strict=True):
                receipts.append(
                    self._recorded(work, standing, item.target, place, command, allowed)
                )
        except (Refused, UnknownEdition) as error:
            work.go_back()
            refused = as_refusal(error)
            # The first that has no receipt is the one that was refused.
            told = item.told or told_by(next(iter(item.commands[len(receipts) :]), None))
            self._keep(work, item.target, told, refused)
            return refused
        return tuple(receipts) if item.is_group else receipts[0]

    def _standing(self, work: Work) -> Standing:
        policy = self.editions.get
        return Standing(work.stream, policy, self.by, work.around, work.case, work.ledger)

    def _places_or_error(
        self, work: Work, standing: Standing, item: Item
    ) -> "Sequence[Place] | YibaoError":
        """The streams that commands belong to, if these can be read; it is stamped accordingly."""
        if item.misfit:
            return item.misfit
        assert item.target is not None
        try:
            streams = [standing.place(item.target, command) for command in item.commands]
            for stream in streams:
                work.stream(stream)
            earliest = earliest_of(work, item.target, item.commands, rehearsing=self.rehearsing)
            work.stamp_from(latest_of(earliest))
            return [Place(*both) for both in zip(streams, earliest, strict=True)]
        except (Refused, UnknownEdition, UnreadableEvent) as error:
            return error

    def _recorded(
        self,
        work: Work,
        standing: Standing,
        target: Target,
        place: Place,
        command: Command,
        allowed: Allowed | None,
    ) -> Receipt:
        """The receipt of a command that is recorded, now or before.

        What was recorded before is not judged again. Raises Refused, and AheadOfClock where what it
        stands on was stamped too far ahead.
        """
        stream = work.stream(place.stream)
        envelope = self._envelope(stream, place.stream, command, work.stamp)
        earlier = answered_before(stream, command, envelope)
        if earlier is not None:
            return work.receipt(target, earlier, repeated=True)
        refuse_the_future(command, work.clock)
        if allowed is not None:
            if isinstance(target, str):
                raise BadValue("allowed", "is asked about a student, and a window is everybody's")
            ask(allowed, work.record(target, self.editions), happened_at(command, envelope))
        if command.expected is not None:
            check_seen(command, work.seen(target))
        fresh = standing.leads_to(target, command, envelope)
        work.check_reached(place.earliest)
        for event in fresh:
            work.add(event)
        if command.note:
            work.notes.append((fresh[-1].event_id, command.note))
        return work.receipt(target, fresh[-1])

    def keep_attempt(
        self, target: Target | None, told: Mapping[str, Any], error: Refused | UnknownEdition
    ) -> None:
        """Keeps what was refused before it could be judged; it may be about nobody."""
        whom = None if wrong(target) else target

        def keep() -> None:
            targets = [] if whom is None else [whom]
            with self._transaction(targets) as transaction:
                work = self._work(transaction, targets)
                self._keep(work, whom, told, as_refusal(error))

        with self.telemetry.command(told["command"] or UNKNOWN) as watched:
            self.store.again(keep)
            watched.outcome("refused", as_refusal(error).code)

    def _transaction(
        self, targets: Sequence[Target], *, many: bool = False
    ) -> AbstractContextManager[Transaction]:
        """A transaction on whatever may be read and recorded with the targets.

        A student's care is recorded by whoever records on the enrollment, and of her years one may
        move another; what is recorded for an edition is for everybody.
        """
        if self.store.is_for_stories and not self.rehearsing:
            raise StoreError("this is a rehearsal store: nothing but stories is recorded in it")
        everybody = any(isinstance(target, str) for target in targets)
        concerned = chain(
            map(stream_of, targets),
            (student_id(target.ref) for target in targets if not isinstance(target, str)),
        )
        return self.store.transaction(concerned, everybody=everybody, many=many)

    def _work(
        self,
        transaction: Transaction,
        targets: Sequence[Target],
        tails: Remembered | None = None,
        *,
        is_dry: bool = False,
    ) -> Work:
        """Reads the targets' streams, and only then the clock.

        By then nobody else can record on them: what is known by an instant stays what it was. Of
        what else they stand on the last row tells enough. What is long, and known from the batch
        before, is read as far as it is new.
        """
        if self.rehearsing or tails is None:
            tails = self.remembered if self.rehearsing else Remembered()
        whole = {stream_of(target) for target in targets}
        students = {target for target in targets if not isinstance(target, str)}
        others = [EnrollmentId(ref, year) for ref, _ in students for year in self.editions.years]
        streams = {each.stream: each for each in others}
        beside = {each.care_stream for each in students} | streams.keys()
        beside.update(map(edition_stream, self.editions.names()))
        beside -= whole
        known = whole if self.rehearsing else set(filter(tails.knows_long, whole))
        rows = transaction.rows_of(in_order(whole - known), in_order(beside))
        begun = {each for stream, each in streams.items() if rows.get(stream)}
        cares = {each.care_stream for each in begun} - rows.keys()
        if cares:
            rows |= transaction.rows_of([], in_order(cares))
            beside |= cares
        clock = self.clock()
        accepted = _FOREVER if self.rehearsing else self.accept_stamps_until
        reach = max(clock + AHEAD, accepted or clock)
        known_by = self.remembered, tails, self.editions
        years = students | begun
        return Work(transaction, clock, reach, rows, beside, years, *known_by, is_dry=is_dry)

    def _save(self, work: Work) -> None:
        """Records what a transaction has led to; a stamp far ahead of the clock is told of."""
        if work.save() and work.stamp > work.clock + AHEAD and not self.rehearsing:
            told = {"stamp": work.stamp.isoformat(), "clock": work.clock.isoformat()}
            tell(LOGGER, logging.WARNING, "stamp-ahead-accepted", **told)

    def _keep(
        self, work: Work, target: Target | None, told: Mapping[str, Any], refused: Refused
    ) -> None:
        """Keeps a refused attempt: whose it was, about whom, and at which school as then known."""
        if work.is_dry:
            return
        known: dict[str, Any] = {"by": self.by, "via": self.via, "tried_at": work.stamp}
        stream_id = NOBODY
        if target is not None:
            stream_id = stream_of(target)
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
