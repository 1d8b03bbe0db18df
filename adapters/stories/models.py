"""What a story holds: students, steps and expectations, as others write them.

The format is fixed, since others write it too. A command is read by the same models that the
service uses.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Final, Literal, TypeVar

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    StringConstraints,
    Tag,
    create_model,
)

from yibao.adapters.editions import Source, SourceError
from yibao.domain.editions import Policy
from yibao.domain.facts.commands import ASKED, Amendment, Command, RecordFact, Register
from yibao.domain.money import Fen
from yibao.domain.refusals import REASONS
from yibao.domain.vocabulary import (
    CalendarYear,
    Category,
    DayRange,
    Document,
    EnrollmentId,
    GivenDay,
    GivenInstant,
    GivenKey,
    GivenName,
    GivenReason,
    Note,
    Settlement,
    State,
    WaitingPeriod,
)
from yibao.projections.next_step import CODES
from yibao.projections.parts import DERIVED, PARTS, Day, Instant

NONE, PENDING = "none", "pending"


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class Student(_Model):
    """Who a story is about: an opaque reference and what the registration will say."""

    ref: GivenKey
    school: GivenName
    category: Category
    document: Document


StepId = Annotated[str, StringConstraints(pattern=r"^\S(.{0,62}\S)?$")]
Code = Annotated[str, StringConstraints(pattern=r"^[a-z_]+$")]


class Head(_Model):
    """What stands on any step that records something."""

    at: GivenInstant
    id: StepId | None = None
    student: str | None = None
    year: CalendarYear | None = None
    recorded: GivenInstant | None = None
    by: GivenKey | None = None
    note: Note | None = None
    refused: Literal[tuple(REASONS)] | None = None  # type: ignore[valid-type]


class CommandHead(Head):
    reason: GivenReason | None = None
    observed: bool = False


class ReversalHead(Head):
    reason: GivenReason | None = None


class CorrectionHead(Head):
    reason: GivenReason


def _known_at(given: Any) -> Any:
    return int(given) if isinstance(given, str) and given.isascii() and given.isdigit() else given


class ExpectHead(_Model):
    at: GivenInstant
    student: str | None = None
    year: CalendarYear | None = None
    known_at: Annotated[GivenInstant | int | None, BeforeValidator(_known_at)] = None


class Span(BaseModel):
    """A window or waiting period as a story expects it."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)
    first: GivenDay = Field(alias="from")
    last: GivenDay = Field(alias="to")


class WaitingSpan(Span):
    months: Annotated[int, Field(ge=0)] | None = None


_NoValue = Literal["none", "pending"]


def _word_or_value(given: Any) -> str:
    return "word" if given in (NONE, PENDING) else "value"


#: A value, `none` or `pending`: what is wrong in a value is told of the value.
V = TypeVar("V")

Expected = Annotated[
    Annotated[_NoValue, Tag("word")] | Annotated[V, Tag("value")], Discriminator(_word_or_value)
]


class CareExpectation(_Model):
    """What is expected of one piece of care, which `step` names."""

    step: StepId
    fund: Fen | Literal["pending"] | None = None
    patient: Fen | Literal["pending"] | None = None
    deductible_left: Fen | None = None
    cap_left: Fen | Literal["none"] | None = None
    settlement: Settlement | Literal["none"] | None = None
    refused: Literal[("none", *REASONS)] | None = None  # type: ignore[valid-type]


#: What is expected of a part that is one value, by its kind; lists are asked by words of their own.
_expected: Any = Expected
_EXPECTED_OF: Final[dict[type, Any]] = {
    State: State | Literal["none"],
    WaitingPeriod: _expected[WaitingSpan],
    Day: _expected[GivenDay],
    Instant: _expected[GivenInstant],
    DayRange: _expected[Span],
    Fen: _expected[Fen],
    int: _expected[int],
    bool: _expected[bool],
    str: _expected[str],
}


class _Named(_Model):
    """What an answer is expected to be; only what is named is compared."""

    next_step: Literal[(NONE, *CODES)] | None = None  # type: ignore[valid-type]
    discrepancies: tuple[Literal[tuple(REASONS)], ...] | None = None  # type: ignore[valid-type]
    care: CareExpectation | None = None


for _name in DERIVED:
    if PARTS[_name].kind not in _EXPECTED_OF:
        raise LookupError(f"the part {_name!r} is of a kind that no story can expect")
_PARTS: Final[dict[str, Any]] = {
    name: (_EXPECTED_OF[PARTS[name].kind] | None, None) for name in DERIVED
}
Expectation: Final = create_model("Expectation", __base__=_Named, __doc__=_Named.__doc__, **_PARTS)
#: What may be expected, in the order in which it is told.
EXPECTED: Final = (*_PARTS, *_Named.model_fields)


@dataclass(frozen=True, slots=True)
class Place:
    """Where in the file a step stands."""

    file: str
    line: int
    step: str | None


@dataclass(frozen=True, slots=True)
class RecordingStep:
    """What steps that record something share. `student` is None for what is common to all."""

    place: Place
    at: datetime
    student: str | None
    year: int
    recorded: datetime | None
    refused: str | None


@dataclass(frozen=True, slots=True)
class CommandStep(RecordingStep):
    command: RecordFact


@dataclass(frozen=True, slots=True)
class CorrectStep(RecordingStep):
    """`target` is the index of the step whose fact is corrected."""

    target: int
    changes: dict[str, Any]
    occurred_at: datetime | None
    how: dict[str, Any]


@dataclass(frozen=True, slots=True)
class VoidStep(RecordingStep):
    target: int
    how: dict[str, Any]


@dataclass(frozen=True, slots=True)
class ClaimStep(RecordingStep):
    """`settle_care` or `reverse_care`; `target` is the index of the step it names."""

    action: str
    target: int
    values: dict[str, Any]
    how: dict[str, Any]


@dataclass(frozen=True, slots=True)
class ExpectStep:
    """`care` is the index of the step whose care is looked at."""

    place: Place
    at: datetime
    student: str
    year: int
    known_at: datetime | int | None
    expected: _Named
    care: int | None = None


Step = CommandStep | CorrectStep | VoidStep | ClaimStep | ExpectStep


@dataclass(frozen=True, slots=True)
class Story:
    """A story, checked: its students by name, its steps in the order of the file.

    `policies` are its editions by their benefit years, in the order of the file.
    """

    file: str
    title: str
    rules: tuple[str, ...]
    policies: dict[int, Policy]
    students: dict[str, Student]
    steps: tuple[Step, ...]
    source: Source

    def taken(self, student: str) -> SourceError:
        """What is wrong with the file where a student is in the store already."""
        path = ("students", student) if "students" in self.source.data else ("student",)
        return self.source.error(path, "this student is in the store already")

    def misfit(self, index: int, where: str, why: str) -> SourceError:
        """What is wrong with a value of a step, which only what was recorded before could tell."""
        step = self.source.data["story"][index]
        action = next(key for key in step if key in ACTIONS)
        return self.source.error(("story", index, action, *where.split(".")), why)

    @property
    def tells_years(self) -> bool:
        """Whether the file lists its editions, and so whatever is told of it names the year."""
        return "policies" in self.source.data

    def enrollment(self, student: str, year: int | None = None) -> EnrollmentId:
        """The enrollment of one of the story's students, by default in its first year."""
        return EnrollmentId(self.students[student].ref, year or next(iter(self.policies)))

    @property
    def latest_at(self) -> datetime:
        """The latest instant named by a step: what a replay is asked about."""
        return max(step.at for step in self.steps)


#: What a step may do.
ACTIONS: Final = (*ASKED, "expect")
#: Of these the commands on a piece of care that another step has named.
CLAIMS: Final = {name: kind for name, kind in ASKED.items() if "care" in kind.model_fields}


def head_of(action: str) -> type[Head | ExpectHead]:
    """What stands on a step beside what it does."""
    if action == "expect":
        return ExpectHead
    kind = ASKED[action]
    if issubclass(kind, Amendment):
        return CorrectionHead
    return CommandHead if "observed" in kind.model_fields else ReversalHead


def payload(kind: type[Command]) -> tuple[str, ...]:
    """The keys a story may write in a command; a registration takes the rest from its student."""
    elsewhere = {*RecordFact.model_fields, "care"}
    elsewhere.update((*SHEET, "policy") if kind is Register else ())
    return tuple(key for key in kind.model_fields if key not in elsewhere)


SHEET: Final = tuple(Student.model_fields)
