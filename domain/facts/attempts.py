"""What was tried and refused: beside the facts, since nothing of it entered a stream."""

from collections.abc import Mapping
from typing import Annotated, Any, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from yibao.domain.facts.commands import ASKED
from yibao.domain.refusals import Refused
from yibao.domain.vocabulary import (
    CommandId,
    EditionId,
    GivenInstant,
    Instant,
    Name,
    OpaqueKey,
    ReasonWord,
    revealing,
)


class RefusedAttempt(BaseModel):
    """Somebody asked for something and was told no, with a code.

    `tried_at` is stamped as a fact's `recorded_at` is; `occurred_at` is the instant the command
    named. `ref` and `year` say whose enrollment it was about, `policy` under which edition,
    `school` where the student was as then known. `version` is that of the student's stream, or
    the edition's, when it was judged; 0 where there was no such stream. `values` is what was
    asked for, such as a channel or a day; where a value is bad only its place is kept (`where`).
    """

    model_config = ConfigDict(frozen=True, extra="forbid", validate_by_name=True)

    schema_version: int = Field(default=1, ge=1, le=1, alias="schema")
    command: str
    code: str
    where: str | None = None
    tried_at: Instant
    occurred_at: GivenInstant | None = None
    by: OpaqueKey
    via: OpaqueKey
    observed: bool = False
    reason: ReasonWord | None = None
    ref: OpaqueKey | None = None
    year: Annotated[int, Field(ge=0, le=9999)] | None = None
    policy: EditionId | None = None
    school: Name | None = None
    version: int = 0
    values: dict[str, str | int] = Field(default_factory=dict)
    command_id: CommandId | None = None
    correlation_id: CommandId | None = None
    causation_id: CommandId | None = None


class KeptAttempt(NamedTuple):
    """A refused attempt and its number; `position` is how many events the store had by then."""

    attempt_id: int
    position: int
    attempt: RefusedAttempt

    def __repr__(self) -> str:
        tried = f"{self.attempt.command} by {self.attempt.by} at {self.attempt.tried_at}"
        return f"<KeptAttempt {self.attempt_id}: {tried}: {self.attempt.code}>"


def refused_attempt(
    told: Mapping[str, Any], refused: Refused, known: Mapping[str, Any]
) -> RefusedAttempt:
    """The attempt as it is kept, from what the command told and what is known beside it.

    About whom it was is what is known; only where nothing is, what was told. What was told may
    be anything, if that is why it was refused: what does not read is left out, and so is a word
    that holds a person's number or address.
    """
    command, where = told.get("command"), refused.details.get("where")
    stated = {
        "command": next((name for name in ASKED if name == command), "unknown"),
        "code": refused.code,
        "where": where if where in _PLACES else None,
    }
    how = {key: told[key] for key in _HOW if _may_be_kept(told.get(key))}
    how |= {"occurred_at": told["at"]} if "at" in told else {}
    how |= {"values": told["values"]} if "values" in told and refused.code != "bad_value" else {}
    whom = {key: told[key] for key in _WHOM if _may_be_kept(told.get(key))}
    whom |= {key: value for key, value in known.items() if _may_be_kept(value)}
    while True:
        try:
            return RefusedAttempt(**{**whom, **how, **stated})
        except ValidationError as error:
            for key in {str(found["loc"][0]) for found in error.errors(include_input=False)}:
                (how if key in how else whom).pop(key)


def _may_be_kept(value: Any) -> bool:
    return value is not None and not (isinstance(value, str) and revealing(value))


_WHOM = ("ref", "policy", "school")
_HOW = ("by", "observed", "reason", "command_id", "correlation_id", "causation_id")

#: The places a refusal may name; any other might be something that was typed there.
_PLACES = {"asked", "command", "target", "values"}.union(
    *(kind.model_fields for kind in ASKED.values())
)
