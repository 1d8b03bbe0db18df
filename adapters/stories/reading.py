"""Reads a story; a mistake is named with file, line and column."""

from collections.abc import Sequence
from datetime import datetime
from os.path import isdir
from pathlib import Path
from typing import Any, Final, TypeVar
from uuid import UUID

from yibao.adapters.editions import FOLDER, Editions, Source, SourceError, read, short
from yibao.adapters.stories.models import (
    ACTIONS,
    CLAIMS,
    NONE,
    SHEET,
    ClaimStep,
    CommandHead,
    CommandStep,
    CorrectionHead,
    CorrectStep,
    CountExpectation,
    CountStep,
    Expectation,
    ExpectHead,
    ExpectStep,
    Head,
    Place,
    ReversalHead,
    Step,
    Story,
    Student,
    VoidStep,
    head_of,
    payload,
)
from yibao.domain.calendar import day_after, midnight
from yibao.domain.editions import Policy
from yibao.domain.facts.commands import (
    COMMANDS,
    FixWindow,
    ReceiveCare,
    RecordFact,
    Register,
    ReverseCare,
)
from yibao.domain.refusals import UnknownEdition
from yibao.domain.vocabulary import OpenWord

V = TypeVar("V")


_TOP: Final = ("title", "rules", "policy", "policies", "student", "students", "story")


def story_files(path: Path) -> list[Path]:
    """The story itself, or every story under a folder in the order of their names.

    Editions of theirs, in a folder `policies`, are none. A folder without a story stands for
    itself, and cannot be read as one.
    """
    if not isdir(path):
        return [path]
    found = sorted(p for p in path.rglob("*") if p.suffix in (".yaml", ".yml") and p.is_file())
    return [p for p in found if p.parent == path or p.parent.name != FOLDER] or [path]


def read_story(path: Path, editions: Editions, policy: str | None = None) -> Story:
    """The story in a file; another edition may replace its own, of several that of the same year.

    Raises SourceError.
    """
    return _Reader(read(path), editions.beside(path), policy).story()


class _Reader:
    """Reads one file from top to bottom, remembering what later steps refer to."""

    def __init__(self, source: Source, editions: Editions, policy: str | None) -> None:
        self.source = source
        self.data = source.mapping(source.data, (), "a story")
        of_several = "policies" in self.data
        required = ("title", "story") if of_several else ("title", "policy", "story")
        source.check_keys(self.data, (), _TOP, required)
        read_policies = self._policies if of_several else self._only_policy
        self.policies = read_policies(editions, policy)
        self.students = self._students()
        self.ids: dict[str, int] = {}
        self.values: dict[int, tuple[type[RecordFact], dict[str, str]]] = {}
        #: The step that first gave the fact which a correction corrects.
        self.origins: dict[int, int] = {}
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
            self.policies,
            self.students,
            tuple(self.steps),
            self.source,
        )

    def _text(self, key: str) -> str:
        value = self.data[key]
        if not isinstance(value, str) or not value.strip():
            raise self.source.error((key,), f"{key} must be text")
        return value

    def _only_policy(self, editions: Editions, override: str | None) -> dict[int, Policy]:
        named = self._text("policy")
        policy = self._edition(editions, override or named, ("policy",))
        return {policy.year: policy}

    def _policies(self, editions: Editions, override: str | None) -> dict[int, Policy]:
        if "policy" in self.data:
            told = "a story has either 'policy' or 'policies'"
            raise self.source.error(("policies",), told, key=True)
        names = self.data["policies"]
        if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
            raise self.source.error(("policies",), "policies must be a list of names")
        found: dict[int, Policy] = {}
        for index, name in enumerate(names):
            policy = self._edition(editions, name, ("policies", index))
            if policy.year in found:
                told = f"another edition of this story is for {policy.year} as well"
                raise self.source.error(("policies", index), told)
            found[policy.year] = policy
        if not found:
            raise self.source.error(("policies",), "a story needs an edition")
        if override is not None:
            other = self._edition(editions, override, ("policies",))
            if other.year not in found:
                raise self._no_year(("policies",), other.year, found)
            found[other.year] = other
        return found

    def _edition(self, editions: Editions, name: str, path: tuple[Any, ...]) -> Policy:
        try:
            return editions.get(name)
        except UnknownEdition as error:
            raise self.source.error(path, str(error)) from None

    def _no_year(
        self, path: tuple[Any, ...], year: int, policies: dict[int, Policy]
    ) -> SourceError:
        years = ", ".join(map(str, policies))
        return self.source.error(path, f"no edition of this story is for {year}; there are {years}")

    def _year(self, path: tuple[Any, ...], year: int | None) -> int:
        """The year that a step names, or the story's first."""
        if year is None:
            return next(iter(self.policies))
        if year not in self.policies:
            raise self._no_year((*path, "year"), year, self.policies)
        return year

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
        student = self.source.validate(Student, sheet, path)
        for key in ("category", "document"):
            for policy in self.policies.values():
                self._check_code((*path, key), getattr(student, key), policy)
        return student

    def _check_code(self, path: Sequence[str | int], code: OpenWord, policy: Policy) -> None:
        if not policy.knows(code):
            raise self.source.error(path, f"input should be {policy.one_of(type(code))}")

    def _step(self, index: int, data: Any) -> Step:
        path = ("story", index)
        step = self.source.mapping(data, path, "a step")
        actions = [key for key in step if key in ACTIONS]
        if len(actions) != 1:
            unknown = next(
                (key for key in step if key not in (*CommandHead.model_fields, "known_at")), None
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
            return (
                self._count(path, head, body) if "count" in body else self._expect(path, head, body)
            )
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
        head = self.source.validate(CommandHead, step, path)
        common = kind is FixWindow
        student = self._named_student(path, head.student, required=not common)
        year = self._year(path, head.year)
        values = dict(body)
        self.source.check_keys(values, (*path, kind.name), payload(kind))
        if kind is Register and student:
            sheet = self.students[student]
            policy = self.policies[year].edition
            values |= {key: getattr(sheet, key) for key in SHEET} | {"policy": policy}
        command = self._validated(kind, head.at, values, (*path, kind.name), year)
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
            **self._recorded(index, head, None if common else student, year), command=command
        )

    def _correct(
        self, index: int, path: tuple[Any, ...], step: Any, body: dict[str, Any]
    ) -> CorrectStep:
        head = self.source.validate(CorrectionHead, step, path)
        where = (*path, "correct")
        target, student, year = self._target(head, body, where)
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
        again = self._validated(kind, at, merged, where, year)
        self._remember(index, path, head)
        moved = again.at if "at" in body else None
        if moved is not None and moved > self._stamp(head):
            raise self.source.error((*where, "at"), "later than the correction is recorded")
        self.values[index] = kind, merged
        self.origins[index] = self.origins.get(target, target)
        return CorrectStep(
            **self._recorded(index, head, student, year),
            target=target,
            changes={key: getattr(again, key) for key in changes},
            occurred_at=moved,
            how=head.model_dump(include={"by", "reason", "note"}, exclude_none=True),
        )

    def _void(self, index: int, path: tuple[Any, ...], step: Any, body: dict[str, Any]) -> VoidStep:
        head = self.source.validate(CorrectionHead, step, path)
        where = (*path, "void")
        self.source.check_keys(body, where, ("step",), ("step",))
        target, student, year = self._target(head, body, where)
        self._remember(index, path, head)
        return VoidStep(
            **self._recorded(index, head, student, year),
            target=target,
            how=head.model_dump(include={"by", "reason", "note"}, exclude_none=True),
        )

    def _claim(
        self, index: int, path: tuple[Any, ...], step: Any, body: dict[str, Any], action: str
    ) -> ClaimStep:
        kind = CLAIMS[action]
        head = self.source.validate(head_of(action), step, path)
        assert isinstance(head, CommandHead | ReversalHead)
        where = (*path, action)
        self.source.check_keys(body, where, ("step", *payload(kind)), ("step",))
        target, student, year = self._target(head, body, where)
        named = self.steps[target]
        settled = kind is ReverseCare and isinstance(named, ClaimStep)
        if not settled and self._kind(target) is not ReceiveCare:
            raise self.source.error((*where, "step"), "that step is no care")
        how = head.model_dump(include={"by", "reason", "note", "observed"}, exclude_defaults=True)
        care = UUID(int=0)  # known only when the step is carried out
        values = {key: value for key, value in body.items() if key != "step"}
        asked = self.source.validate(kind, {"at": head.at, "care": care, **values}, where)
        self._remember(index, path, head)
        return ClaimStep(
            **self._recorded(index, head, student, year),
            action=action,
            target=target,
            values={key: getattr(asked, key) for key in values},
            how=how,
        )

    def _kind(self, target: int) -> type[RecordFact] | None:
        """The command that a step gave, if it gave one."""
        return self.values[target][0] if target in self.values else None

    def _expect(self, path: tuple[Any, ...], step: Any, body: dict[str, Any]) -> ExpectStep:
        head = self.source.validate(ExpectHead, step, path)
        student = self._named_student(path, head.student, required=True)
        assert student is not None
        year = self._year(path, head.year)
        if not body:
            raise self.source.error((*path, "expect"), "expects nothing")
        expected = self.source.validate(Expectation, body, (*path, "expect"))
        place = Place(self.source.file, self.source.line(path), None)
        care = None
        if expected.care:
            where = (*path, "expect", "care")
            care, whose, of_year = self._target(None, {"step": expected.care.step}, where)
            if self._kind(care) is not ReceiveCare or whose != student:
                raise self.source.error((*where, "step"), "that step is no care of this student's")
            if of_year != year:
                raise self.source.error((*where, "step"), "the step named is of another year")
            care = self.origins.get(care, care)
        return ExpectStep(place, head.at, student, year, head.known_at, expected, care)

    def _count(self, path: tuple[Any, ...], step: Any, body: dict[str, Any]) -> CountStep:
        head = self.source.validate(ExpectHead, step, path)
        if head.student is not None:
            raise self.source.error((*path, "student"), "a count is of all students")
        if isinstance(head.known_at, int):
            told = "a count is as known at an instant: a version is one student's"
            raise self.source.error((*path, "known_at"), told)
        where = (*path, "expect")
        self.source.check_keys(body, where, ("count",))
        counted = self.source.mapping(body["count"], (*where, "count"), "count")
        expected = self.source.validate(CountExpectation, counted, (*where, "count"))
        year = self._year(path, head.year)
        if expected.category is not None:
            self._check_code((*where, "count", "category"), expected.category, self.policies[year])
        place = Place(self.source.file, self.source.line(path), None)
        return CountStep(place, head.at, year, head.known_at, expected)

    def _validated(
        self,
        kind: type[RecordFact],
        at: Any,
        values: dict[str, Any],
        where: tuple[Any, ...],
        year: int,
    ) -> RecordFact:
        command = self.source.validate(kind, {"at": at, **values}, where)
        for key in ("category", "document"):
            if code := getattr(command, key, None):
                self._check_code((*where, key), code, self.policies[year])
        if isinstance(command, FixWindow):
            self._check_ends(command, where, self.policies[year])
        return command

    def _check_ends(self, command: FixWindow, where: tuple[Any, ...], policy: Policy) -> None:
        opens = midnight(command.opens_on) if command.opens_on else command.opens_at
        closed = midnight(day_after(command.closes_on)) if command.closes_on else command.closes_at
        if closed is None:
            return
        where = (*where, "closes_on" if command.closes_on else "closes_at")
        if closed > policy.ends_at:
            raise self.source.error(where, "lies after the benefit year")
        if opens and opens >= closed:
            raise self.source.error(where, "lies before the window opens")

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
        self, head: Head | None, body: dict[str, Any], where: tuple[Any, ...]
    ) -> tuple[int, str | None, int]:
        """The step that is named, whose it is, and of which year."""
        if "step" not in body:
            raise self.source.error(where, "missing key 'step'")
        target = self.ids.get(body["step"]) if isinstance(body["step"], str) else None
        if target is None:
            raise self.source.error((*where, "step"), "no earlier step of that name")
        step = self.steps[target]
        assert not isinstance(step, ExpectStep | CountStep)
        if step.refused:
            raise self.source.error((*where, "step"), "that step was refused: there is no fact")
        path = where[:-1]
        if head and head.student is not None and head.student != step.student:
            raise self.source.error((*path, "student"), "the step named is not this student's")
        if head and head.year is not None and self._year(path, head.year) != step.year:
            raise self.source.error((*path, "year"), "the step named is of another year")
        return target, step.student, step.year

    def _remember(self, index: int, path: tuple[Any, ...], head: Head) -> None:
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

    def _stamp(self, head: Head) -> datetime:
        return head.recorded or max(head.at, self.latest or head.at)

    def _recorded(self, index: int, head: Head, student: str | None, year: int) -> dict[str, Any]:
        line = self.source.line(("story", index))
        return {
            "place": Place(self.source.file, line, head.id),
            "at": head.at,
            "student": student,
            "year": year,
            "recorded": head.recorded,
            "refused": head.refused,
        }
