"""Load, decide, save: how a command becomes facts, in one transaction."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, NamedTuple
from uuid import UUID, uuid4

from yibao.adapters.policy_files import Editions
from yibao.adapters.store import FactStore, Transaction
from yibao.domain import events
from yibao.domain.attempts import refused_attempt
from yibao.domain.case import Case
from yibao.domain.claims import Ground, decide_care
from yibao.domain.commands import Command, Correct, Register
from yibao.domain.decision import asks_for_the_window, decide
from yibao.domain.enrollment import Stream, current_facts, evolve, fold
from yibao.domain.entries import Envelope, answered_before
from yibao.domain.facts import Facts
from yibao.domain.policy import Policy
from yibao.domain.refusals import AlteredEdition, BadValue, Refused
from yibao.domain.vocabulary import EnrollmentId, edition_stream
from yibao.projections.knowledge import edition_named

Clock = Callable[[], datetime]

#: How many refused attempts of one actor are kept in an hour; more are only counted.
ATTEMPTS_KEPT: Final = 1000


@dataclass(frozen=True, slots=True)
class Receipt:
    """A command was accepted: its fact, and where it stands; or stood already (`repeated`)."""

    event_id: UUID
    version: int
    recorded_at: datetime
    repeated: bool = False


@dataclass(frozen=True, slots=True)
class Recording:
    """Records commands on one store, where whoever is judged has the store's lock."""

    store: FactStore
    editions: Editions
    by: str
    via: str
    clock: Clock
    attempts_kept: int = ATTEMPTS_KEPT

    def record(self, target: EnrollmentId | str, asked: Sequence[Command]) -> list[Receipt]:
        """Records commands on an enrollment or an edition in one transaction: all or none.

        Raises Refused for the first command that is refused, and keeps the attempt; StoreError
        where the store fails.
        """

        def judged(now: _Now, command: Command, envelope: Envelope) -> list[events.Event]:
            if isinstance(target, str):
                return self._on_an_edition(now, command, envelope, target)
            return self._on_an_enrollment(now, command, envelope)

        return self._record(target, _stream_of(target), asked, judged)

    def record_care(self, enrollment: EnrollmentId, asked: Sequence[Command]) -> list[Receipt]:
        """The same on the stream of a student's care, judged on the enrollment as it stands."""

        def judged(now: _Now, command: Command, envelope: Envelope) -> list[events.Event]:
            return self._on_care(now, enrollment, command, envelope)

        return self._record(enrollment, enrollment.care_stream, asked, judged)

    def _record(
        self,
        target: EnrollmentId | str,
        stream_id: UUID,
        asked: Sequence[Command],
        judged: "Callable[[_Now, Command, Envelope], list[events.Event]]",
    ) -> list[Receipt]:
        identified = [(command, command.command_id or uuid4().hex) for command in asked]
        refusal: Refused | None = None
        with self.store.transaction() as transaction:
            stream = fold(transaction.read(stream_id))
            # Read while nobody else can record: what is known by an instant stays what it was.
            clock = self.clock()
            stamp = max(clock, stream.last_recorded_at or clock)
            now = _Now(transaction, stream_id, stream, stamp, [])
            receipts: list[Receipt] = []
            notes: list[tuple[UUID, str]] = []
            for command, command_id in identified:
                try:
                    envelope = self._envelope(stream_id, command, command_id, now.stamp)
                    earlier = answered_before(now.stream, command_id, envelope.command_digest)
                    if earlier is not None:
                        receipts.append(_receipt(earlier, repeated=True))
                        continue
                    _refuse_the_future(command, clock)
                    fresh = judged(now, command, envelope)
                except Refused as refused:
                    refusal = refused
                    told = {"command": command.name, **vars(command), "values": command.asked()}
                    self._keep(transaction, target, told, refused, stamp)
                    break
                for event in fresh:
                    now = now.after(event)
                receipts.append(_receipt(now.fresh[-1]))
                if command.note:
                    notes.append((now.fresh[-1].event_id, command.note))
            if now.fresh and refusal is None:
                transaction.append(_as_one_transaction(now.fresh, stream_id), notes)
        if refusal is not None:
            raise refusal
        return receipts

    def keep_attempt(
        self, target: EnrollmentId | str | None, told: Mapping[str, Any], refused: Refused
    ) -> None:
        """Keeps what was refused before it could be judged; it may be about nobody."""
        with self.store.transaction() as transaction:
            self._keep(transaction, target, told, refused, self.clock())

    def _keep(
        self,
        transaction: Transaction,
        target: EnrollmentId | str | None,
        told: Mapping[str, Any],
        refused: Refused,
        stamp: datetime,
    ) -> None:
        """Keeps a refused attempt: whose it was, about whom, and at which school as then known."""
        known: dict[str, Any] = {"by": self.by, "via": self.via, "tried_at": stamp}
        stream_id = _NOBODY
        if target is not None:
            stream_id = _stream_of(target)
            stream = fold(transaction.read(stream_id))
            known["tried_at"] = max(stamp, stream.last_recorded_at or stamp)
            known["version"] = stream.version
            known["school"] = Facts(stream.facts).latest_school
            known["policy"] = edition_named(stream.recorded)
            if isinstance(target, str):
                known["policy"] = target if target in self.editions.names() else None
            else:
                known |= target._asdict()
        attempt = refused_attempt(told, refused, known)
        transaction.keep_attempt(stream_id, attempt, self.attempts_kept)

    def _on_an_edition(
        self, now: "_Now", command: Command, envelope: Envelope, edition: str
    ) -> list[events.Event]:
        """What a command on an edition leads to; the first one adopts the edition."""
        policy = self.editions.get(edition)
        stream, along = now.stream, []
        if not stream.version:
            along = [self._adopted(policy, envelope.stream, now.stamp)]
            stream = evolve(stream, along[0])
            if command.expected_version == 0:  # as its sender saw it, before the adoption
                command = command.model_copy(update={"expected_version": stream.version})
        return [*along, _decided(decide(stream, command, policy, (), envelope))]

    def _on_an_enrollment(
        self, now: "_Now", command: Command, envelope: Envelope
    ) -> list[events.Event]:
        """What a command on an enrollment leads to; the first of an edition adopts it."""
        policy = self._policy(now.stream, command)
        fixed = []
        if policy and (asks_for_the_window(command) or isinstance(command, Register)):
            fixed = now.read(edition_stream(policy.edition))
        fixes = fold(fixed).facts
        event = _decided(decide(now.stream, command, policy, fixes, envelope))  # type: ignore[arg-type]
        if isinstance(command, Register) and policy and not fixed:
            return [self._adopted(policy, edition_stream(policy.edition), now.stamp), event]
        return [event]

    def _on_care(
        self, now: "_Now", enrollment: EnrollmentId, command: Command, envelope: Envelope
    ) -> list[events.Event]:
        """What a command on care leads to; the first of an edition adopts its benefits."""
        recorded = now.read(enrollment.stream)
        named = edition_named(recorded)
        if named is None:
            return [_decided(decide_care(now.stream, command, None, envelope))]
        policy = self.editions.get(named)
        fixed = now.read(edition_stream(named))
        case = Case(policy, current_facts(recorded), current_facts(fixed))  # type: ignore[arg-type]
        ground = Ground(case, len(recorded), len(fixed))
        event = _decided(decide_care(now.stream, command, ground, envelope))
        if any(isinstance(each, events.BenefitsAdopted) for each in fixed):
            return [event]
        # The clock may have gone back since the edition's last event: its stream stays in order.
        stamp = max([now.stamp, *(each.recorded_at for each in fixed[-1:])])
        return [self._benefits_adopted(policy, len(fixed) + 1, stamp), event]

    def _policy(self, stream: Stream, command: Command) -> Policy | None:
        """The edition asked for, or the one of the current registration."""
        named = command.policy if isinstance(command, Register) else None
        for fact in stream.facts:
            if named is None and isinstance(fact.event, events.Registered):
                named = fact.event.policy
        return self.editions.get(named) if named else None

    def _envelope(
        self, stream_id: UUID, command: Command, command_id: str, stamp: datetime
    ) -> Envelope:
        return Envelope(
            stream=stream_id,
            recorded_at=stamp,
            event_id=uuid4(),
            by=command.by or self.by,
            via=self.via,
            command_id=command_id,
            command_digest=command.digest(),
        )

    def _adopted(self, policy: Policy, stream_id: UUID, stamp: datetime) -> events.EditionAdopted:
        """The first use of an edition in this store, remembered with its content's digest."""
        return events.EditionAdopted(
            **self._of_our_own(stream_id, 1, stamp), policy=policy.edition, digest=policy.digest
        )

    def _benefits_adopted(
        self, policy: Policy, version: int, stamp: datetime
    ) -> events.BenefitsAdopted:
        """The first use of an edition's table of benefits in this store."""
        return events.BenefitsAdopted(
            **self._of_our_own(edition_stream(policy.edition), version, stamp),
            policy=policy.edition,
            digest=policy.benefits_digest,
        )

    def _of_our_own(self, stream_id: UUID, version: int, stamp: datetime) -> dict[str, Any]:
        """The envelope of what the service records beside what it was asked to."""
        return {
            "originator_id": stream_id,
            "originator_version": version,
            "event_id": uuid4(),
            "occurred_at": stamp,
            "recorded_at": stamp,
            "by": self.by,
            "via": self.via,
            "command_id": uuid4().hex,
            "command_digest": "",
        }


class _Now(NamedTuple):
    """Where a transaction stands: the stream as it is by now, and all that will be recorded."""

    transaction: Transaction
    stream_id: UUID
    stream: Stream
    stamp: datetime
    fresh: list[events.Event]

    def read(self, stream_id: UUID) -> list[events.Event]:
        """Every event of another stream, those of this transaction among them."""
        mine = [event for event in self.fresh if event.originator_id == stream_id]
        return [*self.transaction.read(stream_id), *mine]

    def after(self, event: events.Event) -> "_Now":
        """The same with one more event, which may belong to another stream."""
        stream = self.stream
        if event.originator_id == self.stream_id:
            stream = evolve(stream, event)
        return self._replace(stream=stream, fresh=[*self.fresh, event])


def check_unaltered(store: FactStore, editions: Editions) -> None:
    """Raises AlteredEdition where an edition is not what the store has used under its name."""
    for name in editions.names():
        for used in store.read(edition_stream(name)):
            if not isinstance(used, events.EditionAdopted | events.BenefitsAdopted):
                continue
            policy = editions.get(name)
            is_whole = isinstance(used, events.EditionAdopted)
            found = policy.digest if is_whole else policy.benefits_digest
            if used.digest != found:
                raise AlteredEdition(
                    f"edition {name!r} has been altered: the store has used {used.digest[:12]}, "
                    f"now it is {found[:12]}; a revised notice is a new edition"
                )


def _decided(event: events.Event | None) -> events.Event:
    """The event of a command that was not answered before."""
    assert event is not None
    return event


def _stream_of(target: EnrollmentId | str) -> UUID:
    return edition_stream(target) if isinstance(target, str) else target.stream


#: The stream of attempts that could not be read far enough to say about whom they were.
_NOBODY = UUID(int=0)


def _refuse_the_future(command: Command, now: datetime) -> None:
    if command.at > now:
        raise BadValue("at", "lies in the future of this service")
    if isinstance(command, Correct) and command.occurred_at and command.occurred_at > now:
        raise BadValue("occurred_at", "lies in the future of this service")


def _receipt(event: events.Event, *, repeated: bool = False) -> Receipt:
    return Receipt(event.event_id, event.originator_version, event.recorded_at, repeated)


def _as_one_transaction(fresh: Sequence[events.Event], stream_id: UUID) -> Sequence[events.Event]:
    """Marks every event but the last of the stream as going on: no cut-off falls between."""
    if len(fresh) == 1:
        return fresh
    mine = [event for event in fresh if event.originator_id == stream_id]
    return [
        event.model_copy(update={"goes_on": True}) if event in mine[:-1] else event
        for event in fresh
    ]
