"""How an accepted command becomes an event of a stream, whatever stream that is."""

from contextlib import suppress
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from yibao.domain.facts import commands, events
from yibao.domain.facts.commands import (
    Amendment,
    Command,
    Correct,
    RecordFact,
    ReverseCare,
    SettleCare,
    Void,
)
from yibao.domain.facts.streams import AnyFact, Stream
from yibao.domain.refusals import BadValue, NotCorrectable, OutOfStep


class Envelope(NamedTuple):
    """What the service gives every event of one transaction."""

    stream: UUID
    recorded_at: datetime
    event_id: UUID
    by: str
    via: str
    command_id: str
    command_digest: str


def content_digest(stream: Stream, command: Command) -> str:
    """The digest by which a repeated command is recognized, however its values are spelled.

    What a correction changes is read as the command of the corrected fact reads it; where it does
    not read, it stands as it was given. Raises BadValue where that cannot be written.
    """
    if isinstance(command, Correct):
        event = stream.by_id.get(command.fact_id)
        if isinstance(event, _CORRECTABLE):
            with suppress(BadValue):
                again = corrected_command(event, command)
                named = again.model_dump(mode="json", include=set(command.changes))
                changes = dict(sorted(named.items()))
                return command.model_copy(update={"changes": changes}).digest()
    return command.digest()


def answered_before(stream: Stream, command: Command, envelope: Envelope) -> events.Event | None:
    """What the same command led to earlier; raises OutOfStep if its id meant something else."""
    event = stream.answers.get(envelope.command_id)
    if event is None:
        return None
    # Until 0.4.0 the digest of a correction was of its changes as they were given.
    if event.command_digest not in (envelope.command_digest, command.digest()):
        raise OutOfStep("command_id_reused", version=event.originator_version)
    return event


def check_version(stream: Stream, command: Command) -> None:
    """Raises OutOfStep where the sender has not seen all that the stream holds."""
    if command.expected_version not in (None, stream.version):
        raise OutOfStep("version_conflict", expected=command.expected_version, found=stream.version)


def fact(stream: Stream, command: RecordFact, envelope: Envelope) -> events.Fact:
    """The fact a command becomes."""
    return command.fact(
        **enveloped(stream, command, envelope),
        occurred_at=command.at,
        observed=command.observed or command.always_report,
        **command.values(),
    )


def void(stream: Stream, command: Void, envelope: Envelope) -> events.Voided:
    """An earlier fact is taken back; raises NotCorrectable."""
    target = current(stream, command.fact_id)
    return events.Voided(
        **enveloped(stream, command, envelope),
        occurred_at=command.at,
        supersedes=target.event.event_id,
    )


def correction(stream: Stream, command: Correct, envelope: Envelope) -> events.Fact:
    """The same kind of fact again, checked like the command that first recorded it."""
    target = current(stream, command.fact_id).event
    again = corrected_command(target, command)
    return again.fact(
        **enveloped(stream, command, envelope),
        occurred_at=again.at,
        corrected_at=command.at,
        observed=True,
        supersedes=target.event_id,
        **again.values(),
    )


def corrected_command(target: events.Fact, command: Correct) -> RecordFact:
    """The command that would have recorded the corrected fact; raises BadValue with all errors."""
    kind = commands.COMMAND_OF[type(target)]
    old = target.payload()
    unknown = [key for key in command.changes if key not in old or key in _FIXED]
    changed = {key: value for key, value in command.changes.items() if key not in unknown}
    values = {key: value for key, value in (old | changed).items() if value is not None}
    values["at"] = command.occurred_at or target.occurred_at
    errors = [
        (commands.named(key, "changes"), f"a {kind.name} has no such value to correct")
        for key in unknown
    ]
    try:
        again = commands.read(kind, values, stored=old.values())
    except BadValue as error:
        errors += error.errors
    if errors:
        raise BadValue(*errors[0], *errors[1:])
    return again


_CORRECTABLE: tuple[type[events.Fact], ...] = tuple(commands.COMMAND_OF)
#: Who it is about and under which edition cannot be corrected: that is another enrollment.
_FIXED = frozenset({"ref", "policy"})


def current(stream: Stream, event_id: UUID) -> AnyFact:
    """The current fact that an event recorded; raises NotCorrectable."""
    index = stream.index_of(event_id)
    if index is None:
        raise NotCorrectable("superseded" if event_id in stream.places else "no_such_fact")
    return stream.facts[index]


def enveloped(
    stream: Stream,
    command: RecordFact | Amendment | SettleCare | ReverseCare,
    envelope: Envelope,
) -> dict[str, Any]:
    """What every event of a stream carries, whatever it tells."""
    return {
        "originator_id": envelope.stream,
        "originator_version": stream.version + 1,
        "event_id": envelope.event_id,
        "recorded_at": envelope.recorded_at,
        "by": envelope.by,
        "via": envelope.via,
        "command_id": envelope.command_id,
        "command_digest": envelope.command_digest,
        "correlation_id": command.correlation_id,
        "causation_id": command.causation_id,
        "reason": command.reason,
    }
