"""What a fact changed, as the trail keeps and tells it: plain values, compact."""

import json
from typing import Any, Final

from yibao.adapters.plain import plain
from yibao.projections.audit_trail import Entry, Moved
from yibao.projections.next_step import NextStep


def changes_of(entry: Entry) -> dict[str, Any]:
    """What moved, and which steps entered the timeline."""
    told: dict[str, Any] = {"moved": [_moved(moved) for moved in entry.moved]}
    if entry.supersedes is not None:
        told["supersedes"] = entry.supersedes
    if entry.steps:
        told["steps"] = [
            {
                "at": step.at.isoformat(),
                "state": step.state.value,
                "rule": step.cause.rule,
                "scheduled": entry.is_scheduled(step),
            }
            for step in entry.steps
        ]
    return told


#: As JSON text, without spaces.
text_of: Final = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def part_told(name: str, value: Any) -> Any:
    """One part of an answer, as plain values."""
    if name == "timeline":
        return [{"at": at.isoformat(), "state": state.value} for at, state in value]
    if name == "next_steps":
        return [_step(step) for step in value]
    if name == "care":
        return [_without_nothing(plain(amounts)) for amounts in value]
    return plain(value)


def _moved(moved: Moved) -> dict[str, Any]:
    name, before, after = moved.name, moved.before, moved.after
    if name == "care":
        before, after = _apart(before, after), _apart(after, before)
    told = {"value": name, "before": part_told(name, before), "after": part_told(name, after)}
    return told if moved.rule is None else {**told, "rule": moved.rule}


def _step(step: NextStep) -> dict[str, Any]:
    """A next step by its code and its dates; who and where follow from the code."""
    dates = {"code": step.code, "from": plain(step.begins_at), "until": plain(step.until)}
    return _without_nothing(dates)


def _apart(these: Any, those: Any) -> list[Any]:
    """The pieces of care that the other side does not have just so."""
    return [each for each in these if each not in those]


def _without_nothing(told: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in told.items() if value is not None and value is not False}
