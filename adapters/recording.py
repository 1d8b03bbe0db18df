"""Load, decide, save: how a command becomes facts, also when several are at it at once."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID, uuid4

from yibao.adapters.policy_files import Editions
from yibao.adapters.store import Conflict, FactStore, StoreError
from yibao.domain import events
from yibao.domain.commands import Command, Correct, Register
from yibao.domain.decision import Envelope, answered_before, asks_for_the_window, decide
from yibao.domain.enrollment import Stream, evolve, fold
from yibao.domain.policy import Policy
from yibao.domain.refusals import AlteredEdition, BadValue
from yibao.domain.vocabulary import edition_stream

Clock = Callable[[], datetime]

#: How often commands are judged again because others were first. Each time somebody has made
#: progress, so this is reached only where something is badly wrong.
MAX_ATTEMPTS: Final = 1000


@dataclass(frozen=True, slots=True)
class Receipt:
    """A command was accepted: its fact, and where it stands; or stood already (`repeated`)."""

    event_id: UUID
    version: int
    recorded_at: datetime
    repeated: bool = False


@dataclass(frozen=True, slots=True)
class Recording:
    """Records commands on one store. Whoever loses a race for a place is judged again."""

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
        identified = [
            command
            if command.command_id
            else command.model_copy(update={"command_id": uuid4().hex})
            for command in asked
        ]
        for _ in range(MAX_ATTEMPTS):
            try:
                return self._attempt(stream_id, identified, edition)
            except Conflict:
                continue
        raise StoreError(
            f"others kept being first for {MAX_ATTEMPTS} attempts; nothing was recorded"
        )

    def _attempt(
        self, stream_id: UUID, asked: Sequence[Command], edition: str | None
    ) -> list[Receipt]:
        recorded = self.store.read(stream_id)
        stream = fold(recorded)
        now = self.clock()
        stamp = max(now, stream.last_recorded_at or now)
        fresh: list[events.Event] = []
        receipts: list[Receipt] = []
        notes: list[tuple[UUID, str]] = []
        for command in asked:
            envelope = self._envelope(stream_id, command, stamp)
            if not answered_before(stream, envelope.command_id, envelope.command_digest):
                _refuse_the_future(command, now)
            policy = self._policy(stream, command, edition)
            if policy and edition and not stream.version:
                fresh.append(self._adopted(policy, stream_id, stamp))
                stream = evolve(stream, fresh[-1])
                if command.expected_version == 0:  # as its sender saw it, before the adoption
                    command = command.model_copy(update={"expected_version": stream.version})
            fixed = self._fixed(policy, command) if policy and not edition else []
            event = decide(stream, command, policy, fold(fixed).facts, envelope)  # type: ignore[arg-type]
            if event is None:
                receipts.append(_repeated([*recorded, *fresh], stream, envelope))
                continue
            if isinstance(command, Register) and policy and not fixed:
                fresh.append(self._adopted(policy, edition_stream(policy.edition), stamp))
            fresh.append(event)
            stream = evolve(stream, event)
            receipts.append(Receipt(event.event_id, stream.version, stamp))
            if command.note:
                notes.append((event.event_id, command.note))
        if any(not receipt.repeated for receipt in receipts):
            self.store.append(_as_one_transaction(fresh, stream_id), notes)
        return receipts

    def _policy(self, stream: Stream, command: Command, edition: str | None) -> Policy | None:
        """The edition asked for, or the one of the current registration."""
        named = edition or (command.policy if isinstance(command, Register) else None)
        for fact in stream.facts:
            if named is None and isinstance(fact.event, events.Registered):
                named = fact.event.policy
        return self.editions.get(named) if named else None

    def _fixed(self, policy: Policy, command: Command) -> list[events.Event]:
        """What was fixed under an edition, where the command depends on it."""
        if asks_for_the_window(command) or isinstance(command, Register):
            return self.store.read(edition_stream(policy.edition))
        return []

    def _envelope(self, stream_id: UUID, command: Command, stamp: datetime) -> Envelope:
        assert command.command_id is not None
        return Envelope(
            stream=stream_id,
            recorded_at=stamp,
            event_id=uuid4(),
            by=command.by or self.by,
            via=self.via,
            command_id=command.command_id,
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


def _repeated(recorded: Sequence[events.Event], stream: Stream, envelope: Envelope) -> Receipt:
    answered = answered_before(stream, envelope.command_id, envelope.command_digest)
    assert answered is not None
    event = next(
        e
        for e in recorded
        if e.originator_id == envelope.stream and e.originator_version == answered.version
    )
    return Receipt(event.event_id, answered.version, event.recorded_at, repeated=True)


def _as_one_transaction(fresh: Sequence[events.Event], stream_id: UUID) -> list[events.Event]:
    """Marks every event but the last of the stream as going on: no cut-off falls between."""
    mine = [event for event in fresh if event.originator_id == stream_id]
    return [
        event.model_copy(update={"goes_on": True}) if event in mine[:-1] else event
        for event in fresh
    ]
