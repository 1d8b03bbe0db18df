"""Models of what `yibao.as_json` tells, for OpenAPI and for whoever reads it.

Texts are there where words were asked for, explanations where they were.
"""

import operator
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, WithJsonSchema, create_model

from yibao.adapters.shapes.parts import SHAPES
from yibao.domain import refusals, vocabulary
from yibao.domain.care import Assessed as _Assessed
from yibao.domain.lifecycle import Change as _Change
from yibao.domain.vocabulary import (
    CareSetting,
    Category,
    Document,
    HospitalLevel,
    Leaving,
    Settlement,
    State,
)
from yibao.projections import discrepancies, next_step
from yibao.projections.parts import PARTS, Part
from yibao.projections.parts import Day as _Day
from yibao.projections.parts import Instant as _Instant

__all__ = [
    "Amounts",
    "Answer",
    "Assessed",
    "Assumption",
    "Care",
    "Change",
    "Changed",
    "Cited",
    "CitedFact",
    "CitedParameter",
    "CohortCounts",
    "CohortDays",
    "CohortEntry",
    "CohortPage",
    "Comparison",
    "Derivation",
    "Derived",
    "Difference",
    "Discrepancy",
    "EnrollmentId",
    "Entry",
    "Event",
    "Guard",
    "Held",
    "KeptAttempt",
    "Mistake",
    "Moved",
    "NextStep",
    "PendingDerivation",
    "Possible",
    "Receipt",
    "Recorded",
    "Refused",
    "RefusedAttempt",
    "Seen",
    "Settled",
    "Shape",
    "Span",
    "Waiting",
]

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"


def _is_none(value: object) -> bool:
    return value is None


# Text, as it is told: a class of days that a test has frozen would be another one.
Instant = Annotated[str, WithJsonSchema({"type": "string", "format": "date-time"})]
Day = Annotated[str, WithJsonSchema({"type": "string", "format": "date"})]
Id = Annotated[str, WithJsonSchema({"type": "string", "format": "uuid"})]
Yuan = Annotated[str, WithJsonSchema({"type": "string", "pattern": r"^\d+\.\d\d$"})]
Pending = Literal["pending"]
#: What is told only where there is something to tell.
_LEFT_OUT: Final = Field(default=None, exclude_if=_is_none)
#: A benefit year, where it is another one than that of the answer.
OtherYear = Annotated[int | None, _LEFT_OUT]
#: A code in the language that was asked for; left out where none was, or where there is no code.
Text = Annotated[str, Field(default="", exclude_if=operator.not_)]
Texts = Annotated[list[str], Field(default=[], exclude_if=operator.not_)]


class Shape(BaseModel):
    """What is told as one JSON object."""

    model_config = ConfigDict(
        frozen=True, validate_by_name=True, validate_by_alias=True, serialize_by_alias=True
    )

    @classmethod
    def model_json_schema(cls, *args: Any, **kwargs: Any) -> dict[str, Any]:
        """The JSON Schema, which names its dialect; what OpenAPI takes does not."""
        return {"$schema": DIALECT, **super().model_json_schema(*args, **kwargs)}


class Span(Shape):
    """A span of days, both included."""

    first: Day = Field(alias="from")
    last: Day = Field(alias="to")


class Waiting(Span):
    """A waiting period; `months` is null where the check named its end."""

    months: int | None


class NextStep(Shape):
    """Something to do or to wait for; `until` is the first instant that is too late."""

    code: str
    text: Text
    who: str
    who_text: Text
    where: list[str]
    where_text: Texts
    begins_at: Instant | None = Field(alias="from")
    until: Instant | None
    estimated: bool
    ask: list[str]
    ask_text: Texts
    #: Of a payment that enrolls alone: how much, and how long everybody waits who joins then.
    amount: Annotated[Yuan | None, _LEFT_OUT]
    fixed_waiting_months: Annotated[int | None, _LEFT_OUT]


class Discrepancy(Shape):
    """A fact that does not fit: why, and its place in the stream, of another `year` or this one."""

    code: refusals.Code
    text: Text
    version: int
    year: Annotated[int | None, _LEFT_OUT]


class Change(Shape):
    """The state from an instant on."""

    at: Instant
    state: State
    state_text: Text


class Assumption(Shape):
    """What is assumed where no notice says it."""

    en: str
    zh: str


class Cited(Shape):
    """Where a notice says it, or that it is assumed."""

    notice: str
    clause: str
    basis: Literal["stated", "assumed"]
    basis_text: Text
    assumption: Assumption | None


class CitedFact(Shape):
    """A fact on which something rests."""

    year: OtherYear
    fact: str
    fact_text: Text
    version: int
    event_id: Id
    occurred_at: Instant
    recorded_at: Instant
    by: str
    values: dict[str, Any]


class CitedParameter(Cited):
    """What an edition says, on which something rests."""

    parameter: str
    parameter_text: Text
    value: Any
    value_text: Text
    unit: str
    unit_text: Text


class _Derivation(Cited):
    year: OtherYear
    name: str
    name_text: Text
    value_text: Text
    rule: str
    estimated: bool
    ask: list[str]
    ask_text: Texts
    inputs: list["Derivation | PendingDerivation | CitedFact | CitedParameter"]


class Derivation(_Derivation):
    """How a value came about; `because` says why there is none."""

    value: Any
    because: str | None
    because_text: Text


class PendingDerivation(_Derivation):
    """What a value that is pending waits for."""

    value: Pending
    missing: str | None
    missing_text: Text


Explanation = Annotated[
    dict[str, Derivation | PendingDerivation] | None, Field(default=None, exclude_if=_is_none)
]


class Settled(Shape):
    """What was paid, beside what had been assessed, and what that stood on."""

    at: Instant
    fund_pays: Yuan
    patient_pays: Yuan
    deductible_used: Yuan
    fund_paid: Yuan
    settlement: Settlement | None
    settlement_text: Text
    enrollment_version: int
    edition: str
    edition_digest: str
    benefits_digest: str


class Care(Shape):
    """A piece of care and its assessment; amounts in yuan with two decimals.

    `cap_left` is null where what the fund pays in a year is not limited.
    """

    on: Day
    setting: CareSetting
    setting_text: Text
    level: HospitalLevel | None
    level_text: Text
    cost: Yuan
    fund_pays: Yuan
    patient_pays: Yuan
    deductible_used: Yuan
    cap_left: Yuan | None = None
    settlement: Settlement | None
    settlement_text: Text
    refused: refusals.Code | None
    refused_text: Text
    pending: bool
    settled: Settled | None
    explanation: Explanation


class Assessed(Care):
    """What a piece of care would cost."""

    deductible_left: Yuan
    covered_from: Day | None
    earlier_use_is_unknown: bool


class Seen(Shape):
    """How far whoever was told has seen; to be given as `expected` with what is recorded next."""

    facts: int
    care: int
    window: int
    before: "Seen | None"


class _Answer(Shape):
    ref: str
    year: int
    policy: str | None
    school: str | None
    category: Category | None
    category_text: Text
    document: Document | None
    document_text: Text
    at: Instant
    known_at: Instant | None
    seen: Seen
    version: int
    assumes_no_further_facts: bool
    leaving: Annotated[Leaving | None, _LEFT_OUT]
    leaving_text: Text
    explanation: Explanation


_DAY = Day | Pending | None
_INSTANT = Instant | Pending | None
#: By the kind of a part, as `SHAPES` has them; what is not here has the type that it has there.
_KINDS: Final[dict[type, Any]] = {
    State: State | None,
    _Day: _DAY,
    _Instant: _INSTANT,
    vocabulary.DayRange: Span | Pending | None,
    vocabulary.WaitingPeriod: Waiting | Pending | None,
    next_step.NextStep: NextStep,
    discrepancies.Discrepancy: Discrepancy,
    _Change: Change,
    _Assessed: Care,
}


def _fields_of(part: Part) -> dict[str, Any]:
    """The fields of a part: its value or values, and beside one value its words."""
    kind = _KINDS.get(part.kind, SHAPES[part.kind].schema)
    if part.many:
        return {part.name: list[kind]}  # type: ignore[valid-type]
    return {part.name: kind, f"{part.name}_text": Text}


_ABOUT = """The answer about one student at an instant, as known by a cut-off.

"pending" stands where a fact is missing, null where there is none.
"""

if TYPE_CHECKING:

    class Answer(_Answer):
        __doc__ = _ABOUT
        # What `_fields_of` makes of each part, for type checkers.
        state: State | None
        state_text: Text
        waiting: Waiting | Pending | None
        waiting_text: Text
        account_built_on: Day | Pending | None
        account_built_on_text: Text
        evoucher_available_at: Instant | Pending | None
        evoucher_available_at_text: Text
        coverage: Span | Pending | None
        coverage_text: Text
        next_steps: list[NextStep]
        discrepancies: list[Discrepancy]
        timeline: list[Change]
        care: list[Care]
else:
    _fields = {name: kind for part in PARTS.values() for name, kind in _fields_of(part).items()}
    Answer = create_model(
        "Answer", __base__=_Answer, __module__=__name__, __doc__=_ABOUT, **_fields
    )


class Receipt(Shape):
    """A command was accepted, or had been; of one that was only tried there is no `event_id`."""

    event_id: Id | None
    version: int
    recorded_at: Instant
    repeated: bool
    seen: Seen


class Mistake(Shape):
    """A value that cannot be right: where it stands, and why; never the value."""

    where: str
    why: str
    why_text: Text


class Refused(Shape):
    """Why something was not done; `errors` are all the mistakes, where values are bad."""

    code: refusals.Code | refusals.Failure
    text: Text
    details: dict[str, Any]
    errors: Annotated[list[Mistake], Field(default=[], exclude_if=operator.not_)]


class Event(Shape):
    """A fact as it is stored, with its name, its place and the values of its own."""

    model_config = ConfigDict(extra="allow")

    name: str
    name_text: Text
    version: int
    event_id: Id
    occurred_at: Instant
    recorded_at: Instant
    by: str
    via: str
    command_id: str


class Difference(Shape):
    """One part of the answer that differs, in brief, and the facts that moved it."""

    name: str
    name_text: Text
    then: Any
    then_text: Text
    now: Any
    now_text: Text
    moved_by: list[Event]


class Comparison(Shape):
    """Two answers to the same question, and everything recorded in between."""

    then: Answer
    now: Answer
    differences: list[Difference]
    facts_between: list[Event]


class Moved(Shape):
    """One part of the answer that a fact changed, in brief, and the rule of what it is now."""

    name: str
    name_text: Text
    before: Any
    before_text: Text
    after: Any
    after_text: Text
    rule: str | None


class EnrollmentId(Shape):
    """Whose enrollment, and of which benefit year."""

    ref: str
    year: int


class CohortCounts(Shape):
    """How many enrollments there are by what was asked, up to a position; see `cohort.count`."""

    counts: dict[str, int]
    total: int
    as_of: int
    parked: int
    is_counting: bool


class CohortEntry(Shape):
    """An enrollment of the cohort, and its answer in brief."""

    enrollment: EnrollmentId
    school: str | None
    state: State | None
    state_text: Text
    next_step: str | None
    next_step_text: Text


class CohortPage(Shape):
    """Some enrollments, and the one after which the next page begins, if there is more."""

    entries: list[CohortEntry]
    following: EnrollmentId | None


class CohortDays(Shape):
    """How many enrollments there are on each of some days; a key has as many counts as days."""

    counted: Literal["states", "covered"]
    days: list[Day]
    counts: dict[str, list[int]]
    known_at: Instant | None


class Recorded(Shape):
    """A fact and its position: how many the store had taken when this one was in."""

    position: int
    event: Event


class Entry(Shape):
    """What a fact changed for one student, and the steps of the timeline that it brought."""

    enrollment: EnrollmentId
    fact_year: OtherYear
    recorded: Recorded
    supersedes: int | None
    edition: str | None
    school: str | None
    former_school: str | None
    code: refusals.Code | None
    text: Text
    moved: list[Moved]
    steps: list[Change]


class RefusedAttempt(Shape):
    """What was asked for and refused, as it is kept."""

    model_config = ConfigDict(extra="allow")

    command: str
    command_text: Text
    code: refusals.Code
    text: Text
    where: str | None
    tried_at: Instant
    by: str
    via: str
    values: dict[str, Any]


class KeptAttempt(Shape):
    """A refused attempt, its number, and how many facts the store had by then."""

    attempt_id: int
    position: int
    attempt: RefusedAttempt


class Derived(Shape):
    """A value with its rule; `because` says why there is none, or what it waits for."""

    name: str
    name_text: Text
    value: Any
    value_text: Text
    rule: str
    because: str | None
    because_text: Text


class Held(Shape):
    """An answer, in brief, and from when until when it was given; null where it still is."""

    value: Any
    value_text: Text
    derived: Derived | None
    version: int
    known_from: Instant | None
    known_until: Instant | None
    ended_by: list[Event]


class Guard(Shape):
    """What may forbid a command, whether it does, and since when not, where that is known."""

    code: refusals.Code
    text: Text
    passed: bool
    passes_from: Instant | None


class Possible(Shape):
    """A command, and every guard of it in order."""

    command: str
    command_text: Text
    guards: list[Guard]


class Amounts(Shape):
    """What an assessment comes to; `settled` is the settlement's event."""

    version: int
    fund_pays: Yuan
    patient_pays: Yuan
    deductible_used: Yuan
    cap_left: Yuan | None = None
    settlement: Settlement | None
    settlement_text: Text
    refused: refusals.Code | None
    refused_text: Text
    pending: bool
    settled: Id | None


class Changed(Shape):
    """Care that was settled or refused, and is assessed otherwise now, and what moved it."""

    care: Event
    settled: Settled | None
    since: Instant
    then: Amounts
    now: Amounts | None
    moved_by: list[Event]
