"""What a fact changed, as the trail tells it, and packed as it is kept.

Most of it is instants and states, the same ones again and again. Packed, an instant is a number
of seconds and a state its place among the states: a third of the file, and of the pages that a
question reads.
"""

import json
from collections.abc import Iterable
from datetime import datetime
from itertools import zip_longest
from typing import Any, Final

from yibao.adapters.following.derived import instant_of, number_of
from yibao.adapters.shapes import brief_json
from yibao.domain.calendar import tell_each
from yibao.domain.lifecycle import Change
from yibao.domain.vocabulary import State
from yibao.projections.audit_trail import Entry, Moved
from yibao.projections.next_step import NextStep
from yibao.projections.parts import PARTS


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


def packed(moved: Iterable[Moved], steps: Iterable[Change], supersedes: int | None) -> Any:
    """The same as it is kept, to be written as JSON text."""
    kept: dict[str, Any] = {}
    for part in moved:
        name, kind, (before, after) = part.name, PARTS[part.name].kind, _sides(part)
        if kind is Change:
            rules = {(step.at, step.state): step.cause.rule for step in steps}
            kept[name] = [
                [[_second(at), _STATES[state]] for at, state in before],
                [[_second(at), _STATES[state], *_rule(rules, at, state)] for at, state in after],
            ]
            continue
        if kind is NextStep:
            sides = [[_packed_step(step) for step in side] for side in (before, after)]
        else:
            sides = [brief_json(name, before), brief_json(name, after)]
        kept[name] = sides if part.rule is None else [*sides, part.rule]
    if supersedes is not None:
        kept["supersedes"] = supersedes
    return kept


def unpacked(kept: dict[str, Any], recorded_at: datetime) -> dict[str, Any]:
    """What `changes_of` told of an entry recorded then."""
    told: dict[str, Any] = {"moved": []}
    steps = []
    for name, sides in kept.items():
        if name == "supersedes":
            told[name] = sides
            continue
        before, after, *rule = sides
        kind = PARTS[name].kind
        if kind is Change:
            steps = [_unpacked_step(step, recorded_at) for step in after if len(step) == 3]
            before, after = ([_unpacked_change(step) for step in side] for side in (before, after))
        elif kind is NextStep:
            before, after = ([_unpacked_next(step) for step in side] for side in (before, after))
        moved = {"value": name, "before": before, "after": after}
        told["moved"].append({**moved, "rule": rule[0]} if rule else moved)
    return {**told, "steps": steps} if steps else told


_EVERY_STATE: Final = tuple(State)
_STATES: Final = {state: place for place, state in enumerate(_EVERY_STATE)}
_SECOND: Final = 1_000_000


def _second(instant: datetime | None) -> Any:
    """An instant as a whole number of seconds, or as text where it is none."""
    return instant and tell_each(instant, _whole_second)


def _whole_second(instant: datetime) -> int | str:
    seconds, rest = divmod(number_of(instant), _SECOND)
    return instant.isoformat() if rest else seconds


def _instant(kept: int | str) -> str:
    return kept if isinstance(kept, str) else instant_of(kept * _SECOND).isoformat()


def _rule(rules: dict[Any, str], at: datetime, state: State) -> list[str]:
    """A step that has just entered the timeline stands with its rule."""
    rule = rules.get((at, state))
    return [] if rule is None else [rule]


#: What else is told of a next step in brief, after its dates.
_COSTS: Final = ("amount", "fixed_waiting_months")


def _packed_step(step: NextStep) -> list[Any]:
    kept = [step.code, _second(step.begins_at), _second(step.until)]
    if step.amount is not None:
        (brief,) = brief_json("next_steps", [step])
        kept += [brief.get(name) for name in _COSTS]
    while kept[-1] is None:
        del kept[-1]
    return kept


def _unpacked_next(kept: list[Any]) -> dict[str, Any]:
    code, *more = kept
    dates = zip(("from", "until"), more, strict=False)
    costs = zip(_COSTS, more[2:], strict=False)
    told = {name: date and _instant(date) for name, date in dates} | dict(costs)
    return {"code": code, **{name: value for name, value in told.items() if value is not None}}


def _unpacked_change(kept: list[Any]) -> dict[str, Any]:
    return {"at": _instant(kept[0]), "state": _EVERY_STATE[kept[1]].value}


def _unpacked_step(kept: list[Any], recorded_at: datetime) -> dict[str, Any]:
    change = _unpacked_change(kept)
    is_scheduled = datetime.fromisoformat(change["at"]) > recorded_at
    return {**change, "rule": kept[2], "scheduled": is_scheduled}


#: As JSON text, without spaces.
text_of: Final = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def _moved(moved: Moved) -> dict[str, Any]:
    name, (before, after) = moved.name, _sides(moved)
    told = {"value": name, "before": brief_json(name, before), "after": brief_json(name, after)}
    return told if moved.rule is None else {**told, "rule": moved.rule}


def _sides(moved: Moved) -> tuple[Any, Any]:
    """What moved, before and after; of what is told apart only what the other side has not."""
    before, after = moved.before, moved.after
    if not PARTS[moved.name].told_apart:
        return before, after
    return _apart(before, after), _apart(after, before)


def _apart(these: Any, those: Any) -> list[Any]:
    """The pieces of care that the other side does not have just so; most stand where they stood."""
    there = set(those)
    return [
        this
        for this, that in zip_longest(these, those[: len(these)])
        if this != that and this not in there
    ]
