"""Load, decide, save: how a command becomes facts, in one transaction."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID, uuid4

from yibao.adapters.policy_files import Editions
from yibao.adapters.store import FactStore, Transaction
from yibao.domain import events
from yibao.domain.commands import Command, Correct, Register
from yibao.domain.decision import Envelope, answered_before, asks_for_the_window, decide
from yibao.domain.enrollment import Stream, evolve, fold
from yibao.domain.policy import Policy
from yibao.domain.refusals import AlteredEdition, BadValue
from yibao.domain.vocabulary import edition_stream

Clock = Callable[[], datetime]


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

    def record(
        self, stream_id: UUID, asked: Sequence[Command], edition: str | None = None
    ) -> list[Receipt]:
        """Records commands on one stream in one transaction: all of them or none.

        `edition` names the edition whose own stream this is. Raises Refused for the first
        command that is refused, StoreError where the store fails.
        """
        identified = [(command, command.command_id or uuid4().hex) for command in asked]
        with self.store.transaction() as transaction:
            return self._judged(transaction, stream_id, identified, edition)

    def _judged(
        self,
        transaction: Transaction,
        stream_id: UUID,
        asked: Sequence[tuple[Command, str]],
        edition: str | None,
    ) -> list[Receipt]:
        stream = fold(transaction.read(stream_id))
        # Read while nobody else can record: what is known by an instant stays what it was.
        now = self.clock()
        stamp = max(now, stream.last_recorded_at or now)
        fresh: list[events.Event] = []
        receipts: list[Receipt] = []
        notes: list[tuple[UUID, str]] = []
        for command, command_id in asked:
            envelope = self._envelope(stream_id, command, command_id, stamp)
            earlier = answered_before(stream, command_id, envelope.command_digest)
            if earlier is not None:
                receipts.append(_receipt(earlier, repeated=True))
                continue
            _refuse_the_future(command, now)
            policy = self._policy(stream, command, edition)
            if policy and edition and not stream.version:
                fresh.append(self._adopted(policy, stream_id, stamp))
                stream = evolve(stream, fresh[-1])
                if command.expected_version == 0:  # as its sender saw it, before the adoption
                    command = command.model_copy(update={"expected_version": stream.version})
            fixed = _fixed(transaction, policy, command) if policy and not edition else []
            event = decide(stream, command, policy, fold(fixed).facts, envelope)  # type: ignore[arg-type]
            assert event is not None
            if isinstance(command, Register) and policy and not fixed:
                fresh.append(self._adopted(policy, edition_stream(policy.edition), stamp))
            fresh.append(event)
            stream = evolve(stream, event)
            receipts.append(_receipt(event))
            if command.note:
                notes.append((event.event_id, command.note))
        if any(not receipt.repeated for receipt in receipts):
            transaction.append(_as_one_transaction(fresh, stream_id), notes)
        return receipts

    def _policy(self, stream: Stream, command: Command, edition: str | None) -> Policy | None:
        """The edition asked for, or the one of the current registration."""
        named = edition or (command.policy if isinstance(command, Register) else None)
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
            originator_id=stream_id,
            originator_version=1,
            event_id=uuid4(),
            occurred_at=stamp,
            recorded_at=stamp,
            by=self.by,
            via=self.via,
            command_id=uuid4().hex,
            command_digest="",
            policy=policy.edition,
            digest=policy.digest,
        )


def _fixed(transaction: Transaction, policy: Policy, command: Command) -> list[events.Event]:
    """What was fixed under an edition, where the command depends on it."""
    if asks_for_the_window(command) or isinstance(command, Register):
        return transaction.read(edition_stream(policy.edition))
    return []


def check_unaltered(store: FactStore, editions: Editions) -> None:
    """Raises AlteredEdition where an edition is not what the store has used under its name."""
    for name in editions.names():
        used = store.read(edition_stream(name))
        if used and isinstance(used[0], events.EditionAdopted):
            found = editions.get(name).digest
            if used[0].digest != found:
                raise AlteredEdition(
                    f"edition {name!r} has been altered: the store has used {used[0].digest[:12]}, "
                    f"now it is {found[:12]}; a revised notice is a new edition"
                )


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
