"""Values of answers as plain JSON values."""

from datetime import date, datetime, time
from decimal import Decimal
from typing import Any
from uuid import UUID

from pydantic import BaseModel

from yibao.domain.calendar import tell_each
from yibao.domain.facts.events import Event
from yibao.domain.money import Fen
from yibao.domain.vocabulary import DayRange, WaitingPeriod
from yibao.projections.discrepancies import Discrepancy
from yibao.projections.next_step import NextStep


def plain(value: Any) -> Any:
    """A value of an answer: text, a number, a list or a mapping; None and "pending" stay."""
    if isinstance(value, WaitingPeriod):
        return {"from": plain(value.first), "to": plain(value.last), "months": value.months}
    if isinstance(value, DayRange):
        return {"from": plain(value.first), "to": plain(value.last)}
    if isinstance(value, NextStep):
        return next_step(value)
    if isinstance(value, Discrepancy):
        return {name: part for name, part in value._asdict().items() if part is not None}
    if isinstance(value, datetime | date):
        return tell_each(value, _written)
    if hasattr(value, "_asdict"):
        return {key: plain(part) for key, part in value._asdict().items()}
    if isinstance(value, time):
        return value.isoformat("minutes")
    if isinstance(value, Decimal | Fen | UUID):
        return str(value)
    if isinstance(value, BaseModel):  # a period, as an edition has it
        return {key: plain(part) for key, part in value}
    if isinstance(value, dict):
        return {str(key): plain(part) for key, part in value.items()}
    if isinstance(value, tuple | list):
        return [plain(part) for part in value]
    return str(value) if isinstance(value, str) else value


def _written(moment: date) -> str:
    return moment.isoformat()


def next_step(step: NextStep) -> dict[str, Any]:
    """A next step; `until` is the first instant that is too late."""
    return {
        "code": step.code,
        "who": step.who,
        "where": list(step.where),
        "from": plain(step.begins_at),
        "until": plain(step.until),
        "estimated": step.estimated,
        "ask": list(step.ask),
        **_of_paying(step),
    }


def _of_paying(step: NextStep) -> dict[str, Any]:
    """What a payment that enrolls comes to, of which no other step tells."""
    if step.amount is None:
        return {}
    return {"amount": f"{step.amount:.2f}", "fixed_waiting_months": step.fixed_waiting_months}


#: Values of a fact that name another event.
_IDS = ("care", "settlement")


def fact_json(event: Event) -> dict[str, Any]:
    """What was recorded, as the audit trail tells it: nothing that follows from it is in it."""
    values = {key: plain(value) for key, value in event.payload().items() if value is not None}
    supersedes = getattr(event, "supersedes", None)
    return {
        "kind": event.name,
        "recorded_at": plain(event.recorded_at),
        "happened_at": plain(event.occurred_at),
        "version": event.originator_version,
        "by": event.by,
        "via": event.via,
        "observed": getattr(event, "observed", False),
        "reason": event.reason,
        "command_id": event.command_id,
        "correlation_id": event.correlation_id,
        "causation_id": event.causation_id,
        "event_id": str(event.event_id),
        "supersedes": str(supersedes) if supersedes else None,
        "values": {key: str(value) if key in _IDS else value for key, value in values.items()},
    }


def event_json(event: Event) -> dict[str, Any]:
    """An event with its stored name, its place and its stored fields."""
    return {
        "name": event.name,
        "version": event.originator_version,
        **event.model_dump(mode="json", by_alias=True, exclude_none=True),
    }
