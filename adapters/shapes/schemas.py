"""JSON Schemas of what others may read: events, attempts, answers, the trail, what is due."""

from typing import Any, Final, Literal, NotRequired

from pydantic import BaseModel, TypeAdapter
from typing_extensions import TypedDict

from yibao.adapters.shapes.parts import schema_of
from yibao.domain.facts import RefusedAttempt
from yibao.domain.facts.events import EVENTS
from yibao.domain.vocabulary import Leaving
from yibao.projections.parts import PARTS

_typed_dict: Any = TypedDict

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"

#: As `answer_json` tells it.
_ANSWER: Final = {
    "state": schema_of("state"),
    "version": int,
    "assumes_no_further_facts": bool,
    "leaving": NotRequired[Leaving],
    **{name: schema_of(name) for name in PARTS if name != "state"},
}
#: Beside whose it is.
StudentAnswer: Any = _typed_dict("StudentAnswer", {"student": str, "ref": str, **_ANSWER})
StudentAnswer.__doc__ = (
    'The answer about one student; "pending" where a fact is missing, null where there is none.'
)
AnswerOfYear: Any = _typed_dict(
    "AnswerOfYear", {"student": str, "ref": str, "year": int, "policy": str, **_ANSWER}
)
AnswerOfYear.__doc__ = "The same of one benefit year, registered in it or not."


class FailedStep(TypedDict):
    file: str
    line: int
    step: str | None
    expected: dict[str, Any]
    came: dict[str, Any]
    why: str | None


class ReplayedStory(TypedDict):
    format: int
    file: str
    title: str
    policy: str
    ok: bool
    failures: list[FailedStep]
    students: list[StudentAnswer]  # pyright: ignore[reportInvalidTypeForm]


class ReplayedYears(TypedDict):
    """A story of several benefit years."""

    format: int
    file: str
    title: str
    policies: list[str]
    ok: bool
    failures: list[FailedStep]
    students: list[AnswerOfYear]  # pyright: ignore[reportInvalidTypeForm]


class UnreadableStory(TypedDict):
    format: int
    file: str
    ok: bool
    error: str


class MovedPart(TypedDict):
    """A part of the answer that a fact changed, and the clause behind what it is now."""

    value: str
    before: Any
    after: Any
    rule: NotRequired[str]
    notice: NotRequired[str]
    clause: NotRequired[str]
    basis: NotRequired[str]


class EnteredStep(TypedDict):
    """A change of state that entered the timeline; a scheduled one lies after the recording."""

    at: str
    state: str
    rule: str
    scheduled: bool
    notice: NotRequired[str]
    clause: NotRequired[str]
    basis: NotRequired[str]


class AsOfThen(TypedDict):
    """What `yibao explain` is asked with for the explanation as of then."""

    ref: str
    year: int
    at: str
    known_at: str | int


class _Asked(TypedDict):
    key: str
    recorded_at: str
    happened_at: str | None
    ref: str | None
    year: int | None
    edition: str | None
    school: str | None
    version: int
    by: str
    via: str
    observed: bool
    reason: str | None
    command_id: str | None
    correlation_id: str | None
    causation_id: str | None
    code: str | None
    explain: AsOfThen | None
    stale: NotRequired[bool]


class FactEntry(_Asked):
    """A fact; of a window fixed for many it is told how many students' answers it moved.

    Where it is of another year than the answers that it changed, `fact_year` is that year.
    """

    kind: str
    event_id: str
    supersedes: str | None
    supersedes_version: int | None
    values: dict[str, Any]
    changes: list[MovedPart]
    steps: list[EnteredStep]
    students: NotRequired[int]
    students_by_part: NotRequired[dict[str, int]]
    fact_year: NotRequired[int]


class RefusedEntry(_Asked):
    """A refused attempt."""

    kind: Literal["refused"]
    command: str
    where: str | None
    values: dict[str, str | int]


class CountedEntry(TypedDict):
    """How many more attempts of one actor were refused in the hour that begins then."""

    key: str
    kind: Literal["refused"]
    recorded_at: str
    by: str
    command: str
    code: str
    attempts: int


class ParkedStudent(TypedDict):
    stream: str
    ref: str | None
    year: int | None
    position: int
    told: str


class TrailPage(TypedDict):
    format: int
    entries: list[RefusedEntry | CountedEntry | FactEntry]
    following: str | None
    parked: NotRequired[list[ParkedStudent]]


class DueWord(TypedDict):
    """That something is due, is due at another instant, or no longer: then there is none."""

    id: int
    ref: str
    year: int
    kind: Literal[
        "result_visible",
        "waiting_over",
        "evoucher_opens",
        "cover_begins",
        "cover_ends",
        "window_closes",
    ]
    what: Literal["due", "changed", "retracted"]
    due: str | None
    noticed: str


class DueWords(TypedDict):
    entries: list[DueWord]
    following: int | None
    parked: NotRequired[list[ParkedStudent]]


def events_schema() -> dict[str, Any]:
    """The stored state of every event, by its permanent name."""
    return {
        "$schema": DIALECT,
        "title": "Stored events, by name",
        "events": {
            name: kind.model_json_schema(by_alias=True, mode="serialization")
            for name, kind in sorted(EVENTS.items())
        },
    }


def replay_schema() -> dict[str, Any]:
    """What `yibao replay --json` prints."""
    schema = TypeAdapter(list[ReplayedStory | ReplayedYears | UnreadableStory]).json_schema()
    return {"$schema": DIALECT, **schema}


def audit_schema() -> dict[str, Any]:
    """What `yibao audit --json` prints."""
    return {"$schema": DIALECT, **TypeAdapter(TrailPage).json_schema()}


def due_schema() -> dict[str, Any]:
    """What `yibao due --json` prints."""
    return {"$schema": DIALECT, **TypeAdapter(DueWords).json_schema()}


def attempts_schema() -> dict[str, Any]:
    """The stored state of a refused attempt."""
    schema = RefusedAttempt.model_json_schema(by_alias=True, mode="serialization")
    return {"$schema": DIALECT, **schema}


def part(model: type[BaseModel], definitions: dict[str, Any]) -> dict[str, Any]:
    """The schema of a model, its definitions gathered with those of the others."""
    schema = as_text(model.model_json_schema(by_alias=True))
    definitions.update(schema.pop("$defs", {}))
    return {"required": [], **schema}


def as_text(schema: Any) -> Any:
    """The same for files, in which every scalar may as well be text, and words beside values."""
    if isinstance(schema, list):
        return [as_text(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    same = {"anyOf" if key == "oneOf" else key: as_text(part) for key, part in schema.items()}
    same.pop("discriminator", None)
    if same.get("type") in ("integer", "number", "boolean"):
        same["type"] = [same["type"], "string"]
    return same
