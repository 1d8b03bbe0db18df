"""Replays many files for the command line: one result for each, good, failed or unreadable."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from rich.console import Group, RenderableType
from rich.text import Text

from yibao.adapters.editions import Editions, SourceError
from yibao.adapters.shapes import answer_json, plain
from yibao.adapters.stories import Failure, Replay, Story, read_story, replay, story_files
from yibao.adapters.views import in_one_line
from yibao.adapters.views.console import (
    failures_report,
    story_line,
    story_report,
    why_failed,
)
from yibao.adapters.views.telling import error_told
from yibao.adapters.views.words import Words
from yibao.domain.refusals import UnknownCutoff
from yibao.domain.vocabulary import EnrollmentId
from yibao.projections.answer import Answer


@dataclass
class Result:
    """What came of one file."""

    file: str
    words: Words
    replay: Replay | None = None
    answers: list[tuple[str, Answer]] = field(default_factory=list)
    error: SourceError | None = None

    @property
    def exit_code(self) -> int:
        if self.replay is None:
            return 2
        return 1 if self.replay.failures else 0

    def report(self, *, detailed: bool) -> RenderableType:
        if self.replay is None:
            assert self.error is not None
            return Text(f"! {in_one_line(error_told(self.error, self.words))}", style="red")
        if detailed:
            return story_report(self.replay, self.answers, self.words)
        line = story_line(self.replay)
        return Group(line, *failures_report(self.replay.failures, self.words))

    def as_json(self) -> dict[str, Any]:
        if self.replay is None:
            return {"format": 1, "file": self.file, "ok": False, "error": str(self.error)}
        story = self.replay.story
        return {
            "format": 1,
            "file": self.file,
            "title": story.title,
            **_editions(story),
            "ok": not self.replay.failures,
            "failures": [self._failure(failure) for failure in self.replay.failures],
            "students": [
                {"student": name, **_whose(story, answer.enrollment), **answer_json(answer)}
                for name, answer in self.answers
            ],
        }

    def _failure(self, failure: Failure) -> dict[str, Any]:
        return {
            "file": failure.place.file,
            "line": failure.place.line,
            "step": failure.place.step,
            "expected": plain_parts(failure.expected),
            "came": plain_parts(failure.came),
            "why": why_failed(failure, self.words),
        }


@dataclass(frozen=True)
class Replayer:
    """How a run of stories is asked about."""

    editions: Editions
    words: Words
    at: datetime | None
    known_at: datetime | int | None
    policy: str | None
    store: str
    by: str

    def files(self, paths: Iterable[Path]) -> list[Path]:
        """Every story under the paths, in the order given; a folder's by name."""
        if self.policy is not None:
            self.editions.get(self.policy)
        return [file for path in paths for file in story_files(path)]

    def run(self, file: Path) -> Result:
        """Replays one file and asks about each of its students."""
        result = Result(str(file), self.words)
        try:
            story = read_story(file, self.editions, self.policy)
            ran = replay(story, self.editions, self.store, self.by)
        except SourceError as error:
            result.error = error
            return result
        try:
            result.answers = list(ran.answers(self.at, self.known_at))
        except UnknownCutoff as unknown:
            result.error = SourceError(str(file), 1, 1, str(unknown))
            return result
        finally:
            ran.service.close()
        result.replay = ran
        return result


def summary(results: Sequence[Result], words: Words) -> Text:
    """One line over all: how many hold, fail or cannot be read."""
    failed = sum(result.exit_code == 1 for result in results)
    unreadable = sum(result.exit_code == 2 for result in results)
    line = words("phrase", "ok", count=len(results))
    if failed or unreadable:
        line = words("phrase", "failed", failed=failed, count=len(results))
    if unreadable:
        line += "; " + words("phrase", "unreadable", unreadable=unreadable)
    return Text(line, style="red" if failed or unreadable else "green")


def _editions(story: Story) -> dict[str, Any]:
    """The editions of a story, as its file names them."""
    names = [policy.edition for policy in story.policies.values()]
    return {"policies": names} if story.tells_years else {"policy": names[0]}


def _whose(story: Story, enrollment: EnrollmentId) -> dict[str, Any]:
    """Whose answer it is; in a story that lists its editions, under which of them."""
    ref, year = enrollment
    if not story.tells_years:
        return {"ref": ref}
    return {"ref": ref, "year": year, "policy": story.policies[year].edition}


def plain_parts(parts: dict[str, Any]) -> dict[str, Any]:
    return {key: plain(value) for key, value in parts.items()}
