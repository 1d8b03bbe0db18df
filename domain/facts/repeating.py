"""Whether a command is one that was answered before, and in what it differs where it is not."""

from contextlib import suppress
from itertools import chain, combinations
from typing import Any, Final

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
from yibao.domain.facts.entries import Envelope, corrected_command
from yibao.domain.facts.streams import Stream
from yibao.domain.refusals import BadValue, OutOfStep


def content_digest(stream: Stream, command: Command) -> str:
    """The digest by which a repeated command is recognized, however its values are spelled.

    What a correction changes is read as the command of the corrected fact reads it; where it does
    not read, it stands as it was given. Raises BadValue where that cannot be written.
    """
    if isinstance(command, Correct):
        again = _corrected(stream, command)
        if again is not None:
            named = again.model_dump(mode="json", include=set(command.changes))
            changes = dict(sorted(named.items()))
            return command.model_copy(update={"changes": changes}).digest()
    return command.digest()


def answered_before(stream: Stream, command: Command, envelope: Envelope) -> events.Event | None:
    """What the same command led to earlier.

    Raises OutOfStep if its id meant something else: the names of the values that differ are told.
    """
    event = stream.answers.get(envelope.command_id)
    if event is None:
        return None
    # Until 0.4.0 the digest of a correction was of its changes as they were given.
    if event.command_digest not in (envelope.command_digest, command.digest()):
        differing = ", ".join(_differing(stream, command, event, envelope))
        raise OutOfStep("command_id_reused", version=event.originator_version, differing=differing)
    return event


def _differing(
    stream: Stream, command: Command, event: events.Event, envelope: Envelope
) -> list[str]:
    """The names of the values in which a command differs from the one that led to an event."""
    if type(command) is not _asked_by(event):
        return ["command"]
    before, now = _as_recorded(event), _as_asked(stream, command, event, envelope)
    differing = [name for name, value in now.items() if value != before[name]]
    return differing or list(_given_by_one(stream, command, event))


def _asked_by(event: events.Event) -> type[Command] | None:
    """The kind of command that led to an event; None for what nobody asked for."""
    if isinstance(event, events.Voided):
        return Void
    if isinstance(event, events.Fact) and event.supersedes is not None:
        return Correct
    return next((kind for kind in commands.ASKED.values() if kind.fact is type(event)), None)


def _as_recorded(event: events.Event) -> dict[str, Any]:
    """By the names of its command, what an event tells."""
    told = {"at": event.occurred_at, "by": event.by, "reason": event.reason, **event.payload()}
    if isinstance(event, events.Voided):
        return {**told, "fact_id": event.supersedes}
    if isinstance(event, events.Fact) and event.supersedes is not None:
        at = {"at": event.corrected_at, "occurred_at": event.occurred_at}
        return {**told, **at, "fact_id": event.supersedes, "changes": None}
    if isinstance(event, events.CareReversed):
        return {**told, "care": event.settlement}
    if isinstance(event, events.CareSettled):
        told["paid"] = event.fund_paid
    return {**told, "observed": getattr(event, "observed", False)}


def _as_asked(
    stream: Stream, command: Command, event: events.Event, envelope: Envelope
) -> dict[str, Any]:
    """The same of a command, as if it had led to the event: what it leaves out is as it is there.

    Of an amendment of another fact it is told which one, and not what becomes of that.
    """
    told = {
        "at": event.recorded_at if command.at is None else command.at,
        "by": envelope.by,
        "reason": getattr(command, "reason", None),
    }
    if isinstance(command, RecordFact):
        observed = command.observed or command.always_report
        return {**told, **command.values(), "observed": observed}
    if isinstance(command, Amendment):
        told["fact_id"] = command.fact_id
    if isinstance(command, Correct) and command.fact_id == getattr(event, "supersedes", None):
        told |= _changed(stream, command)
    if isinstance(command, SettleCare) and isinstance(event, events.CareSettled):
        places = stream.places
        same = places.get(command.care) == places.get(event.care)
        told |= {"care": event.care if same else command.care, "observed": command.observed}
        told["paid"] = event.fund_pays if command.paid is None else command.paid
    if isinstance(command, ReverseCare) and isinstance(event, events.CareReversed):
        settled: Any = stream.by_id.get(event.settlement)
        places = stream.places
        same = settled and places.get(command.care) == places.get(settled.care)
        told["care"] = event.settlement if same else command.care
    return told


def _changed(stream: Stream, command: Correct) -> dict[str, Any]:
    """What a correction makes of the fact it is about."""
    again = _corrected(stream, command)
    return {"changes": ...} if again is None else {**again.values(), "occurred_at": again.at}


def _corrected(stream: Stream, command: Correct) -> RecordFact | None:
    """The command that would have recorded the corrected fact, where there is one that reads."""
    event = stream.by_id.get(command.fact_id)
    if isinstance(event, _CORRECTABLE):
        with suppress(BadValue):
            return corrected_command(event, command)
    return None


def _given_by_one(stream: Stream, command: Command, event: events.Event) -> tuple[str, ...]:
    """What only one of two commands has given that come to the same.

    The command would be the same had it left that out as well, or given it. What is left are a
    correction whose changes were read otherwise, and care that is named by another of its events.
    """
    told = {"paid": None, **_as_recorded(event), "observed": True}
    fields = type(command).model_fields
    names = [name for name in ("at", "by", "observed", "paid") if name in fields]
    for some in chain.from_iterable(combinations(names, n) for n in range(1, len(names) + 1)):
        other: dict[str, Any] = {
            name: fields[name].default if getattr(command, name) else told[name] for name in some
        }
        if content_digest(stream, command.model_copy(update=other)) == event.command_digest:
            return some
    return ("changes",) if isinstance(command, Correct) else ("care",)


_CORRECTABLE: Final[tuple[type[events.Fact], ...]] = tuple(commands.COMMAND_OF)
