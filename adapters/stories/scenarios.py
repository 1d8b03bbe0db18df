"""Reads stories: dated facts and expectations in YAML, checked before anything is run.

The format is fixed, since others write it too. Every scalar is read as text and then validated
by the same command models that the service uses; a mistake names file, line and column.
"""

from dataclasses import dataclass
from datetime import datetime
from os.path import isdir
from pathlib import Path
from typing import Annotated, Any, Final, Literal, TypeVar
from uuid import UUID

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    StringConstraints,
    Tag,
)

from yibao.adapters.editions.files import Editions
from yibao.adapters.editions.yaml_source import Source, SourceError, read, short
from yibao.domain.calendar import day_after, midnight
from yibao.domain.editions.policy import Policy
from yibao.domain.facts.commands import (
    COMMANDS,
    Command,
    FixWindow,
    ReceiveCare,
    RecordFact,
    Register,
    ReverseCare,
    SettleCare,
)
from yibao.domain.money import Fen
from yibao.domain.refusals import REASONS, UnknownEdition
from yibao.domain.vocabulary import (
    Category,
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
)
from yibao.projections.next_step import CODES

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


class _Head(_Model):
    """What stands on any step that records something."""

    at: GivenInstant
    id: StepId | None = None
    student: str | None = None
    recorded: GivenInstant | None = None
    by: GivenKey | None = None
    note: Note | None = None
    refused: Literal[tuple(REASONS)] | None = None  # type: ignore[valid-type]


class _CommandHead(_Head):
    reason: GivenReason | None = None
    observed: bool = False


class _ReversalHead(_Head):
    reason: GivenReason | None = None


class _CorrectionHead(_Head):
    reason: GivenReason


def _known_at(given: Any) -> Any:
    return int(given) if isinstance(given, str) and given.isascii() and given.isdigit() else given


class _ExpectHead(_Model):
    at: GivenInstant
    student: str | None = None
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


V = TypeVar("V")
#: A value, `none` or `pending`: what is wrong in a value is told of the value.
Expected = Annotated[
    Annotated[_NoValue, Tag("word")] | Annotated[V, Tag("value")], Discriminator(_word_or_value)
]


class CareExpectation(_Model):
    """What is expected of one piece of care, which `step` names."""

    step: StepId
    fund: Fen | Literal["pending"] | None = None
    patient: Fen | Literal["pending"] | None = None
    deductible_left: Fen | None = None
    settlement: Settlement | Literal["none"] | None = None
    refused: Literal[("none", *REASONS)] | None = None  # type: ignore[valid-type]


class Expectation(_Model):
    """What an answer is expected to be; only what is named is compared."""

    state: State | Literal["none"] | None = None
    waiting: Expected[WaitingSpan] | None = None
    account_built_on: Expected[GivenDay] | None = None
    evoucher_available_at: Expected[GivenInstant] | None = None
    coverage: Expected[Span] | None = None
    next_step: Literal[(NONE, *CODES)] | None = None  # type: ignore[valid-type]
    discrepancies: tuple[Literal[tuple(REASONS)], ...] | None = None  # type: ignore[valid-type]
    care: CareExpectation | None = None


@dataclass(frozen=True, slots=True)
class Place:
    """Where in the file a step stands."""

    file: str
    line: int
    step: str | None


@dataclass(frozen=True, slots=True)
class Recorded:
    """What steps that record something share. `student` is None for what is common to all."""

    place: Place
    at: datetime
    student: str | None
    recorded: datetime | None
    refused: str | None


@dataclass(frozen=True, slots=True)
class CommandStep(Recorded):
    command: RecordFact


@dataclass(frozen=True, slots=True)
class CorrectStep(Recorded):
    """`target` is the index of the step whose fact is corrected."""

    target: int
    changes: dict[str, Any]
    occurred_at: datetime | None
    how: dict[str, Any]


@dataclass(frozen=True, slots=True)
class VoidStep(Recorded):
    target: int
    how: dict[str, Any]


@dataclass(frozen=True, slots=True)
class ClaimStep(Recorded):
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
    known_at: datetime | int | None
    expected: Expectation
    care: int | None = None


Step = CommandStep | CorrectStep | VoidStep | ClaimStep | ExpectStep


@dataclass(frozen=True, slots=True)
class Story:
    """A story, checked: its students by name, its steps in the order of the file."""

    file: str
    title: str
    rules: tuple[str, ...]
    policy: Policy
    students: dict[str, Student]
    steps: tuple[Step, ...]
    source: Source

    def taken(self, student: str) -> SourceError:
        """What is wrong with the file where a student is in the store already."""
        path = ("students", student) if "students" in self.source.data else ("student",)
        return self.source.error(path, "this student is in the store already")

    def enrollment(self, student: str) -> EnrollmentId:
        """The enrollment of one of the story's students under its edition."""
        return EnrollmentId(self.students[student].ref, self.policy.year)

    @property
    def latest_at(self) -> datetime:
        """The latest instant named by a step: what a replay is asked about."""
        return max(step.at for step in self.steps)


_TOP: Final = ("title", "rules", "policy", "student", "students", "story")
_SHEET: Final = tuple(Student.model_fields)
#: What a step may do, and what stands on it beside that.
COMMANDS_ON_CLAIMS: Final[dict[str, type[Command]]] = {
    kind.name: kind for kind in (SettleCare, ReverseCare)
}
CLAIMS: Final = {"settle_care": ("step", "paid"), "reverse_care": ("step",)}
ACTIONS: Final = (*COMMANDS, *CLAIMS, "correct", "void", "expect")
HEADS: Final[dict[str, type[BaseModel]]] = {
    "command": _CommandHead,
    "correct": _CorrectionHead,
    "void": _CorrectionHead,
    "reverse_care": _ReversalHead,
    "expect": _ExpectHead,
}


def story_files(path: Path) -> list[Path]:
    """The story itself, or every story under a folder in the order of their names.

    A folder without one stands for itself, and cannot be read as a story.
    """
    if not isdir(path):
        return [path]
    found = sorted(p for p in path.rglob("*") if p.suffix in (".yaml", ".yml") and p.is_file())
    return found or [path]


def read_story(path: Path, editions: Editions, policy: str | None = None) -> Story:
    """The story in a file, under its own edition or another; raises SourceError."""
    return _Reader(read(path), editions, policy).story()


class _Reader:
    """Reads one file from top to bottom, remembering what later steps refer to."""

    def __init__(self, source: Source, editions: Editions, policy: str | None) -> None:
        self.source = source
        self.data = source.mapping(source.data, (), "a story")
        source.check_keys(self.data, (), _TOP, ("title", "policy", "story"))
        self.policy = self._policy(editions, policy)
        self.students = self._students()
        self.ids: dict[str, int] = {}
        self.values: dict[int, tuple[type[RecordFact], dict[str, str]]] = {}
        self.steps: list[Step] = []
        self.latest: datetime | None = None

    def story(self) -> Story:
        title = self._text("title")
        rules = self.data.get("rules", [])
        if not isinstance(rules, list) or not all(isinstance(rule, str) for rule in rules):
            raise self.source.error(("rules",), "rules must be a list of names")
        listed = self.data["story"]
        if not isinstance(listed, list) or not listed:
            raise self.source.error(("story",), "a story must be a list of steps")
        for index, step in enumerate(listed):
            self.steps.append(self._step(index, step))
        return Story(
            self.source.file,
            title,
            tuple(rules),
            self.policy,
            self.students,
            tuple(self.steps),
            self.source,
        )

    def _text(self, key: str) -> str:
        value = self.data[key]
        if not isinstance(value, str) or not value.strip():
            raise self.source.error((key,), f"{key} must be text")
        return value

    def _policy(self, editions: Editions, override: str | None) -> Policy:
        named = self._text("policy")
        try:
            return editions.get(override or named)
        except UnknownEdition as error:
            raise self.source.error(("policy",), str(error)) from None

    def _students(self) -> dict[str, Student]:
        if ("student" in self.data) == ("students" in self.data):
            raise self.source.error((), "a story needs either 'student' or 'students'")
        if "student" in self.data:
            student = self._student(("student",), self.data["student"])
            return {student.ref: student}
        listed = self.source.mapping(self.data["students"], ("students",), "students")
        if not listed:
            raise self.source.error(("students",), "a story needs a student")
        students: dict[str, Student] = {}
        for name, sheet in listed.items():
            student = self._student(("students", name), sheet)
            if any(student.ref == other.ref for other in students.values()):
                raise self.source.error(("students", name, "ref"), "two students with one ref")
            students[name] = student
        return students

    def _student(self, path: tuple[str, ...], sheet: Any) -> Student:
        self.source.mapping(sheet, path, "a student")
        return self.source.validate(Student, sheet, path)

    def _step(self, index: int, data: Any) -> Step:
        path = ("story", index)
        step = self.source.mapping(data, path, "a step")
        actions = [key for key in step if key in ACTIONS]
        if len(actions) != 1:
            unknown = next(
                (key for key in step if key not in (*_CommandHead.model_fields, "known_at")), None
            )
            if unknown and not actions:
                raise self.source.error((*path, unknown), f"unknown key {short(unknown)}", key=True)
            raise self.source.error(
                path, "a step needs exactly one command, correct, void or expect"
            )
        action = actions[0]
        head = {key: value for key, value in step.items() if key != action}
        body = self.source.mapping(step[action], (*path, action), action)
        if action == "expect":
            return self._expect(path, head, body)
        if action == "correct":
            return self._correct(index, path, head, body)
        if action == "void":
            return self._void(index, path, head, body)
        if action in CLAIMS:
            return self._claim(index, path, head, body, action)
        return self._command(index, path, head, body, COMMANDS[action])

    def _command(
        self, index: int, path: tuple[Any, ...], step: Any, body: Any, kind: type[RecordFact]
    ) -> CommandStep:
        head = self.source.validate(_CommandHead, step, path)
        common = kind is FixWindow
        student = self._named_student(path, head.student, required=not common)
        values = dict(body)
        self.source.check_keys(values, (*path, kind.name), payload(kind))
        if kind is Register and student:
            sheet = self.students[student]
            values |= {key: getattr(sheet, key) for key in _SHEET} | {"policy": self.policy.edition}
        command = self._validated(kind, head.at, values, (*path, kind.name))
        command = command.model_copy(
            update={
                "by": head.by,
                "reason": head.reason,
                "note": head.note,
                "observed": head.observed,
            }
        )
        self._remember(index, path, head)
        self.values[index] = kind, values
        return CommandStep(
            **self._recorded(index, head, None if common else student), command=command
        )

    def _correct(
        self, index: int, path: tuple[Any, ...], step: Any, body: dict[str, Any]
    ) -> CorrectStep:
        head = self.source.validate(_CorrectionHead, step, path)
        where = (*path, "correct")
        target, student = self._target(head.student, body, where)
        if target not in self.values:
            raise self.source.error(
                (*where, "step"), "a step that can only be taken back or not at all"
            )
        kind, values = self.values[target]
        changes = {key: value for key, value in body.items() if key not in ("step", "at")}
        sheet = ("school", "category", "document") if kind is Register else ()
        self.source.check_keys(changes, where, (*payload(kind), *sheet))
        merged = {key: value for key, value in (values | changes).items() if value != NONE}
        at = body.get("at", head.at)
        again = self._validated(kind, at, merged, where)
        self._remember(index, path, head)
        if "at" in body and again.at > self._stamp(head):
            raise self.source.error((*where, "at"), "later than the correction is recorded")
        self.values[index] = kind, merged
        return CorrectStep(
            **self._recorded(index, head, student),
            target=target,
            changes={key: getattr(again, key) for key in changes},
            occurred_at=again.at if "at" in body else None,
            how=head.model_dump(include={"by", "reason", "note"}, exclude_none=True),
        )

    def _void(self, index: int, path: tuple[Any, ...], step: Any, body: dict[str, Any]) -> VoidStep:
        head = self.source.validate(_CorrectionHead, step, path)
        where = (*path, "void")
        self.source.check_keys(body, where, ("step",), ("step",))
        target, student = self._target(head.student, body, where)
        self._remember(index, path, head)
        return VoidStep(
            **self._recorded(index, head, student),
            target=target,
            how=head.model_dump(include={"by", "reason", "note"}, exclude_none=True),
        )

    def _claim(
        self, index: int, path: tuple[Any, ...], step: Any, body: dict[str, Any], action: str
    ) -> ClaimStep:
        heads: type[_CommandHead | _ReversalHead] = _CommandHead
        if action == "reverse_care":  # always a report
            heads = _ReversalHead
        head = self.source.validate(heads, step, path)
        where = (*path, action)
        self.source.check_keys(body, where, CLAIMS[action], ("step",))
        target, student = self._target(head.student, body, where)
        named = self.steps[target]
        settled = action == "reverse_care" and isinstance(named, ClaimStep)
        if not settled and self._kind(target) is not ReceiveCare:
            raise self.source.error((*where, "step"), "that step is no care")
        how = head.model_dump(include={"by", "reason", "note", "observed"}, exclude_defaults=True)
        care = UUID(int=0)  # known only when the step is carried out
        kind = COMMANDS_ON_CLAIMS[action]
        values = {key: value for key, value in body.items() if key != "step"}
        asked = self.source.validate(kind, {"at": head.at, "care": care, **values}, where)
        self._remember(index, path, head)
        return ClaimStep(
            **self._recorded(index, head, student),
            action=action,
            target=target,
            values={key: getattr(asked, key) for key in values},
            how=how,
        )

    def _kind(self, target: int) -> type[RecordFact] | None:
        """The command that a step gave, if it gave one."""
        return self.values[target][0] if target in self.values else None

    def _expect(self, path: tuple[Any, ...], step: Any, body: dict[str, Any]) -> ExpectStep:
        head = self.source.validate(_ExpectHead, step, path)
        student = self._named_student(path, head.student, required=True)
        assert student is not None
        if not body:
            raise self.source.error((*path, "expect"), "expects nothing")
        expected = self.source.validate(Expectation, body, (*path, "expect"))
        place = Place(self.source.file, self.source.line(path), None)
        care = None
        if expected.care:
            where = (*path, "expect", "care")
            care, whose = self._target(None, {"step": expected.care.step}, where)
            if self._kind(care) is not ReceiveCare or whose != student:
                raise self.source.error((*where, "step"), "that step is no care of this student's")
            while isinstance(step_named := self.steps[care], CorrectStep):
                care = step_named.target
        return ExpectStep(place, head.at, student, head.known_at, expected, care)

    def _validated(
        self, kind: type[RecordFact], at: Any, values: dict[str, Any], where: tuple[Any, ...]
    ) -> RecordFact:
        command = self.source.validate(kind, {"at": at, **values}, where)
        if isinstance(command, FixWindow) and command.closes_on:
            if command.closes_on > self.policy.parameters.benefit_to.value:
                raise self.source.error((*where, "closes_on"), "lies after the benefit year")
            opens = midnight(command.opens_on) if command.opens_on else command.opens_at
            if opens and opens >= midnight(day_after(command.closes_on)):
                raise self.source.error((*where, "closes_on"), "lies before the window opens")
        return command

    def _named_student(
        self, path: tuple[Any, ...], name: str | None, *, required: bool
    ) -> str | None:
        if name is not None and name not in self.students:
            raise self.source.error((*path, "student"), "no such student in this story")
        if name is None and len(self.students) == 1:
            return next(iter(self.students))
        if name is None and required:
            raise self.source.error(path, "missing key 'student': the story has several")
        return name

    def _target(
        self, name: str | None, body: dict[str, Any], where: tuple[Any, ...]
    ) -> tuple[int, str | None]:
        """The step that is named, and whose it is."""
        if "step" not in body:
            raise self.source.error(where, "missing key 'step'")
        target = self.ids.get(body["step"]) if isinstance(body["step"], str) else None
        if target is None:
            raise self.source.error((*where, "step"), "no earlier step of that name")
        step = self.steps[target]
        assert not isinstance(step, ExpectStep)
        if step.refused:
            raise self.source.error((*where, "step"), "that step was refused: there is no fact")
        if name is not None and name != step.student:
            path = where[:-1]
            raise self.source.error((*path, "student"), "the step named is not this student's")
        return target, step.student

    def _remember(self, index: int, path: tuple[Any, ...], head: _Head) -> None:
        """Names the step, and keeps the order in which things were learned."""
        if head.id is not None:
            if head.id in self.ids:
                raise self.source.error((*path, "id"), "another step has this id")
            self.ids[head.id] = index
        if head.recorded is not None:
            if head.recorded < head.at:
                raise self.source.error((*path, "recorded"), "recorded before it happened")
            if self.latest and head.recorded < self.latest:
                raise self.source.error((*path, "recorded"), "recorded before an earlier step")
        if head.refused is None:
            self.latest = self._stamp(head)

    def _stamp(self, head: _Head) -> datetime:
        return head.recorded or max(head.at, self.latest or head.at)

    def _recorded(self, index: int, head: _Head, student: str | None) -> dict[str, Any]:
        line = self.source.line(("story", index))
        return {
            "place": Place(self.source.file, line, head.id),
            "at": head.at,
            "student": student,
            "recorded": head.recorded,
            "refused": head.refused,
        }


def payload(kind: type[RecordFact]) -> tuple[str, ...]:
    """The keys a story may write in a command; a registration takes the rest from its student."""
    envelope = RecordFact.model_fields.keys()
    given = (*_SHEET, "policy") if kind is Register else ()
    return tuple(key for key in kind.model_fields if key not in envelope and key not in given)
