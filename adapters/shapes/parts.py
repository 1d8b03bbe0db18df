"""The parts of an answer as plain JSON values: a shape for each kind of part."""

from collections.abc import Callable
from datetime import datetime
from typing import Any, Final, NamedTuple, NotRequired

from typing_extensions import TypedDict

from yibao.adapters.shapes.care import CareAnswer, care_json
from yibao.adapters.shapes.values import next_step, plain
from yibao.domain.care import Assessed
from yibao.domain.lifecycle import Change
from yibao.domain.money import Fen
from yibao.domain.vocabulary import DayRange, State, WaitingPeriod
from yibao.projections.answer import Answer
from yibao.projections.discrepancies import Discrepancy
from yibao.projections.next_step import NextStep
from yibao.projections.parts import PARTS, Day, Instant

# Under these names they stand in the released schemas.
_shape: Any = TypedDict
SPAN: Any = _shape("Span", {"from": str, "to": str})
WAITING: Any = _shape("Waiting", {"from": str, "to": str, "months": int | None})
STEP: Any = _shape(
    "Step",
    {
        "code": str,
        "who": str,
        "where": list[str],
        "from": str | None,
        "until": str | None,
        "estimated": bool,
        "ask": list[str],
        "amount": NotRequired[str],
        "fixed_waiting_months": NotRequired[int],
    },
)
FOUND: Any = _shape("Found", {"code": str, "version": int, "year": NotRequired[int]})
CHANGE: Any = _shape("Change", {"at": str, "state": str})


class Shape(NamedTuple):
    """How one kind of value is told.

    `told` of what an answer holds, `brief` of what is compared; `schema` is the type of the first.
    """

    schema: Any
    told: Callable[[Any], Any] = plain
    brief: Callable[[Any], Any] = plain


def _change(change: Change) -> dict[str, Any]:
    return {"at": plain(change.at), "state": plain(change.state)}


def _dated_state(pair: tuple[datetime, State]) -> dict[str, Any]:
    at, state = pair
    return {"at": plain(at), "state": plain(state)}


def _brief_step(step: NextStep) -> dict[str, Any]:
    """A next step by its code, its dates and its costs; who and where follow from the code."""
    told = next_step(step)
    return _without_nothing({key: told.get(key) for key in _BRIEF})


_BRIEF: Final = ("code", "from", "until", "amount", "fixed_waiting_months")


def _brief_care(amounts: Any) -> dict[str, Any]:
    return _without_nothing(plain(amounts))


def _without_nothing(told: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in told.items() if value is not None and value is not False}


_TEXT: Final = Shape(str | None)
#: By the kind of a part; of many each is told so.
SHAPES: Final[dict[type, Shape]] = {
    State: _TEXT,
    Day: _TEXT,
    Instant: _TEXT,
    str: _TEXT,
    Fen: _TEXT,
    int: Shape(int | str | None),
    bool: Shape(bool | str | None),
    DayRange: Shape(SPAN | str | None),
    WaitingPeriod: Shape(WAITING | str | None),
    NextStep: Shape(STEP, next_step, _brief_step),
    Discrepancy: Shape(FOUND),
    Change: Shape(CHANGE, _change, _dated_state),
    Assessed: Shape(CareAnswer, care_json, _brief_care),
}
for _part in PARTS.values():
    if _part.kind not in SHAPES:
        raise LookupError(f"the part {_part.name!r} is a {_part.kind.__name__}, which has no shape")


def part_json(name: str, answer: Answer) -> Any:
    """A part of an answer, in the shape that others rely on."""
    part = PARTS[name]
    told, held = SHAPES[part.kind].told, part.held(answer)
    return [told(each) for each in held] if part.many else told(held)


def brief_json(name: str, value: Any) -> Any:
    """A part as it is compared, told in brief: as the trail and histories have it."""
    brief = SHAPES[PARTS[name].kind].brief
    return [brief(each) for each in value] if PARTS[name].many else brief(value)


def schema_of(name: str) -> Any:
    """The type of a part as JSON."""
    shape = SHAPES[PARTS[name].kind].schema
    return list[shape] if PARTS[name].many else shape  # type: ignore[valid-type]
