"""What a fact changed, as the trail tells it, and packed as it is kept.

Most of it is instants and states, the same ones again and again. Packed, an instant is a number
of seconds and a state its place among the states: a third of the file, and of the pages that a
question reads.
"""

import json
from datetime import datetime
from typing import Any, Final

from yibao.adapters.following.trail.layout import instant_of, number_of
from yibao.adapters.shapes import plain
from yibao.domain.vocabulary import State
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


def packed(entry: Entry) -> str:
    """The same as text, to be kept."""
    kept: dict[str, Any] = {}
    for moved in entry.moved:
        name, before, after = moved.name, moved.before, moved.after
        if name == "timeline":
            rules = {(step.at, step.state): step.cause.rule for step in entry.steps}
            kept[name] = [
                [[_second(at), _STATES[state]] for at, state in before],
                [[_second(at), _STATES[state], *_rule(rules, at, state)] for at, state in after],
            ]
            continue
        if name == "next_steps":
            sides = [[_packed_step(step) for step in side] for side in (before, after)]
        elif name == "care":
            sides = [part_told(name, _apart(*both)) for both in ((before, after), (after, before))]
        else:
            sides = [plain(before), plain(after)]
        kept[name] = sides if moved.rule is None else [*sides, moved.rule]
    if entry.supersedes is not None:
        kept["supersedes"] = entry.supersedes
    return text_of(kept)


def unpacked(kept: dict[str, Any], recorded_at: datetime) -> dict[str, Any]:
    """What `changes_of` told of an entry recorded then."""
    told: dict[str, Any] = {"moved": []}
    steps = []
    for name, sides in kept.items():
        if name == "supersedes":
            told[name] = sides
            continue
        before, after, *rule = sides
        if name == "timeline":
            steps = [_unpacked_step(step, recorded_at) for step in after if len(step) == 3]
            before, after = ([_unpacked_change(step) for step in side] for side in (before, after))
        elif name == "next_steps":
            before, after = ([_unpacked_next(step) for step in side] for side in (before, after))
        moved = {"value": name, "before": before, "after": after}
        told["moved"].append({**moved, "rule": rule[0]} if rule else moved)
    return {**told, "steps": steps} if steps else told


_EVERY_STATE: Final = tuple(State)
_STATES: Final = {state: place for place, state in enumerate(_EVERY_STATE)}
_SECOND: Final = 1_000_000


def _second(instant: datetime | None) -> int | str | None:
    """An instant as a whole number of seconds, or as text where it is none."""
    if instant is None:
        return None
    seconds, rest = divmod(number_of(instant), _SECOND)
    return instant.isoformat() if rest else seconds


def _instant(kept: int | str) -> str:
    return kept if isinstance(kept, str) else instant_of(kept * _SECOND).isoformat()


def _rule(rules: dict[Any, str], at: datetime, state: State) -> list[str]:
    """A step that has just entered the timeline stands with its rule."""
    rule = rules.get((at, state))
    return [] if rule is None else [rule]


def _packed_step(step: NextStep) -> list[Any]:
    dates = [_second(step.begins_at), _second(step.until)]
    return [step.code, *dates] if any(date is not None for date in dates) else [step.code]


def _unpacked_next(kept: list[Any]) -> dict[str, Any]:
    code, *dates = kept
    named = zip(("from", "until"), dates, strict=False)
    return {"code": code, **{name: _instant(date) for name, date in named if date is not None}}


def _unpacked_change(kept: list[Any]) -> dict[str, Any]:
    return {"at": _instant(kept[0]), "state": _EVERY_STATE[kept[1]].value}


def _unpacked_step(kept: list[Any], recorded_at: datetime) -> dict[str, Any]:
    change = _unpacked_change(kept)
    is_scheduled = datetime.fromisoformat(change["at"]) > recorded_at
    return {**change, "rule": kept[2], "scheduled": is_scheduled}


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
