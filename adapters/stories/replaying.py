"""Replays stories through the real service and store, and reports what did not hold."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from yibao.adapters.editions import Editions, SourceError
from yibao.adapters.service import Receipt, Service
from yibao.adapters.shapes import care_expected, part_json, plain
from yibao.adapters.store import MEMORY
from yibao.adapters.stories.models import (
    EXPECTED,
    CareExpectation,
    ClaimStep,
    CommandStep,
    CorrectStep,
    ExpectStep,
    Place,
    RecordingStep,
    Span,
    Story,
    VoidStep,
)
from yibao.adapters.upkeep import open_rehearsal
from yibao.domain.care import Assessed
from yibao.domain.facts.commands import FixWindow
from yibao.domain.refusals import BadValue, Refused, UnknownCutoff
from yibao.domain.vocabulary import EnrollmentId
from yibao.projections.answer import Answer
from yibao.projections.record import Cutoff


@dataclass(frozen=True, slots=True)
class Failure:
    """A step that did not go as the story tells: what was expected, what came, and why.

    `answer` is the one that did not fit, and `care` the piece of care in it that is expected
    otherwise, for whoever wants to explain it. `misfit` tells where in the file the value stands
    that can never be right.
    """

    place: Place
    expected: dict[str, Any]
    came: dict[str, Any]
    why: str | None = None
    answer: Answer | None = None
    care: Assessed | None = None
    misfit: SourceError | None = None


@dataclass(slots=True)
class Replay:
    """A story that was run: its failures, and the service that can be asked about it."""

    story: Story
    service: Service
    failures: list[Failure] = field(default_factory=list)
    known_at: datetime | None = None

    def answer(
        self,
        student: str,
        at: datetime | None = None,
        known_at: Cutoff | None = None,
        year: int | None = None,
    ) -> Answer:
        """The answer about a student in a year, by default the story's first.

        It is asked for, by default, at the story's end and with all it knows.
        """
        when = at or self.story.latest_at
        cutoff = known_at if known_at is not None else self.known_at
        return self.service.at(
            self.story.enrollment(student, year), when, known_at=0 if cutoff is None else cutoff
        )

    def answers(
        self, at: datetime | None = None, known_at: Cutoff | None = None
    ) -> Iterator[tuple[str, Answer]]:
        """The answer about each student, by name, under each of the story's editions."""
        for student in self.story.students:
            for year in self.story.policies:
                yield student, self.answer(student, at, known_at, year)


class _StoryClock:
    """The clock of a replay stands where the story is; the machine's is never read."""

    def __init__(self, now: datetime) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now


def replay(story: Story, editions: Editions, store: str = MEMORY, by: str = "story") -> Replay:
    """Runs a story step by step, in the order of the file, in a rehearsal store.

    Raises StoreError for any other store, and SourceError where one of its students is in the
    store already; then nothing is recorded.
    """
    clock, editions = _StoryClock(story.steps[0].at), editions.beside(Path(story.file))
    rehearsal = open_rehearsal(store)
    try:
        service = Service(rehearsal, editions, by=by, via="replay", clock=clock, rehearsing=True)
        for name, student in story.students.items():
            if service.enrollments(student.ref):  # of any year: one has to do with the next
                raise story.taken(name)
    except BaseException:
        rehearsal.close()
        raise
    return _Run(story, service, clock).all_steps()


class _Run:
    """One story on its way."""

    def __init__(self, story: Story, service: Service, clock: _StoryClock) -> None:
        self.story = story
        self.service = service
        self.clock = clock
        self.replay = Replay(story, service)
        self.recorded: dict[int, UUID] = {}

    def all_steps(self) -> Replay:
        for index, step in enumerate(self.story.steps):
            if isinstance(step, ExpectStep):
                self._expect(step)
            else:
                self._record(index, step)
        return self.replay

    def _record(self, index: int, step: RecordingStep) -> None:
        latest = self.replay.known_at
        stamp = step.recorded or max(step.at, latest or step.at)
        self.clock.now = max(stamp, latest or stamp)
        try:
            receipt = self._carried_out(step)
        except Refused as refused:
            if refused.code != step.refused:
                bad = refused.errors[0] if isinstance(refused, BadValue) else None
                self._fail(
                    step.place,
                    {"refused": step.refused},
                    {"refused": refused.code},
                    str(refused),
                    misfit=bad and self.story.misfit(index, *bad),
                )
            return
        self.recorded[index] = receipt.event_id
        self.replay.known_at = max(receipt.recorded_at, latest or receipt.recorded_at)
        if step.refused:
            self._fail(step.place, {"refused": step.refused}, {"refused": None})

    def _carried_out(self, step: RecordingStep) -> Receipt:
        """Records the step; raises Refused, also where the step it names recorded nothing."""
        target = self._target(step)
        if isinstance(step, CommandStep):
            return self.service.record(target, step.command)
        assert isinstance(step, CorrectStep | VoidStep | ClaimStep)
        fact = self.recorded.get(step.target)
        if fact is None:
            raise Refused("no_such_fact")
        if isinstance(step, ClaimStep):
            claim = getattr(self.service, step.action)
            receipt: Receipt = claim(target, fact, at=step.at, **step.values, **step.how)
            return receipt
        if isinstance(step, VoidStep):
            return self.service.void(target, fact, at=step.at, **step.how)
        return self.service.correct(
            target, fact, at=step.at, changes=step.changes, occurred_at=step.occurred_at, **step.how
        )

    def _target(self, step: RecordingStep) -> EnrollmentId | str:
        if step.student is None or (
            isinstance(step, CommandStep) and isinstance(step.command, FixWindow)
        ):
            return self.story.policies[step.year].edition
        return self.story.enrollment(step.student, step.year)

    def _expect(self, step: ExpectStep) -> None:
        try:
            answer = self.replay.answer(step.student, step.at, step.known_at, step.year)
        except UnknownCutoff as unknown:
            self._fail(step.place, {"known_at": step.known_at}, {"known_at": None}, str(unknown))
            return
        expected = expected_parts(step)
        care = self._care(step, answer)
        came = {
            name: care_part(care, expected[name])
            if name == "care"
            else part(answer, name, expected[name])
            for name in expected
        }
        wrong = [name for name in expected if expected[name] != came[name]]
        if wrong:
            self._fail(
                step.place,
                {name: expected[name] for name in wrong},
                {name: came[name] for name in wrong},
                answer=answer,
                care=care,
            )

    def _care(self, step: ExpectStep, answer: Answer) -> Assessed | None:
        """The care that an expectation names; None where none is named, or it was taken back."""
        named = None if step.care is None else self.recorded.get(step.care)
        found = [each for each in answer.care if each.care.first.event_id == named]
        return found[0] if found else None

    def _fail(
        self,
        place: Place,
        expected: dict[str, Any],
        came: dict[str, Any],
        why: str | None = None,
        answer: Answer | None = None,
        care: Assessed | None = None,
        misfit: SourceError | None = None,
    ) -> None:
        self.replay.failures.append(Failure(place, expected, came, why, answer, care, misfit))


def care_part(assessed: Assessed | None, expected: dict[str, Any]) -> dict[str, Any] | None:
    """What came of a piece of care, with only the keys an expectation names."""
    if assessed is None:
        return None
    found = care_expected(assessed, expected) | {"step": expected["step"]}
    return {key: found[key] for key in expected}


def expected_parts(step: ExpectStep) -> dict[str, Any]:
    """What a story expects, in the shapes of an answer's JSON."""
    parts: dict[str, Any] = {}
    named = [key for key in EXPECTED if key in step.expected.model_fields_set]
    for name in named:
        given = getattr(step.expected, name)
        if isinstance(given, CareExpectation):
            parts[name] = {
                key: None if value == "none" else plain(value)
                for key, value in given.model_dump(exclude_none=True).items()
            }
        elif isinstance(given, Span):
            parts[name] = {
                key: plain(getattr(given, attribute))
                for key, attribute in (("from", "first"), ("to", "last"), ("months", "months"))
                if attribute in given.model_fields_set
            }
        else:
            parts[name] = None if given == "none" else plain(given)
    return parts


def part(answer: Answer, name: str, expected: Any) -> Any:
    """The part of an answer that an expectation names, with only the keys it names."""
    if name == "next_step":
        return answer.next_step.code if answer.next_step else None
    if name == "discrepancies":
        return [found.code for found in answer.discrepancies]
    found = part_json(name, answer)
    if isinstance(found, dict) and isinstance(expected, dict):
        return {key: found[key] for key in found if key in expected}
    return found
