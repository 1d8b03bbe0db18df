"""How an accepted command becomes an event of a stream, whatever stream that is."""

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
from yibao.domain.facts.telling import named
from yibao.domain.refusals import BadValue, NotCorrectable, OutOfStep
from yibao.domain.vocabulary import Seen


class Envelope(NamedTuple):
    """What the service gives every event of one transaction."""

    stream: UUID
    recorded_at: datetime
    event_id: UUID
    by: str
    via: str
    command_id: str
    command_digest: str


def happened_at(command: Command, envelope: Envelope) -> datetime:
    """When what a command tells happened: a time that was left out is the stamp."""
    return envelope.recorded_at if command.at is None else command.at


def check_version(stream: Stream, command: Command) -> None:
    """Raises OutOfStep where the sender has not seen all that the stream holds."""
    if command.expected_version not in (None, stream.version):
        raise OutOfStep("version_conflict", expected=command.expected_version, found=stream.version)


def check_seen(command: Command, found: Seen) -> None:
    """Raises OutOfStep where the sender has not seen all that an answer stands on by now."""
    if command.expected not in (None, found):
        raise OutOfStep("version_conflict", expected=command.expected, found=found)


def fact(stream: Stream, command: RecordFact, envelope: Envelope) -> events.Fact:
    """The fact a command becomes."""
    return command.fact(
        **enveloped(stream, command, envelope),
        occurred_at=happened_at(command, envelope),
        observed=command.observed or command.always_report,
        **command.values(),
    )


def void(stream: Stream, command: Void, envelope: Envelope) -> events.Voided:
    """An earlier fact is taken back; raises NotCorrectable."""
    target = current(stream, command.fact_id)
    return events.Voided(
        **enveloped(stream, command, envelope),
        occurred_at=happened_at(command, envelope),
        supersedes=target.event.event_id,
    )


def correction(stream: Stream, command: Correct, envelope: Envelope) -> events.Fact:
    """The same kind of fact again, checked like the command that first recorded it."""
    target = current(stream, command.fact_id).event
    again = corrected_command(target, command)
    return again.fact(
        **enveloped(stream, command, envelope),
        occurred_at=command.occurred_at or target.occurred_at,
        corrected_at=happened_at(command, envelope),
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
        (named(key, "changes"), f"a {kind.name} has no such value to correct") for key in unknown
    ]
    again, wrong = commands.read_all(kind, values, stored=old.values())
    if again is None or errors:
        first, *others = errors + wrong
        raise BadValue(*first, *others)
    return again


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
