"""`yibao audit`: pages and exports of the trail, for people, as JSON or as CSV."""

import csv
import json
import shlex
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TextIO

import click

from yibao.adapters.cli.running.subjects import existing_store
from yibao.adapters.editions import Editions
from yibao.adapters.following import Parked, mistakes_halt
from yibao.adapters.following.trail import PAGE, Key, Question, trail_entry_json
from yibao.adapters.service import Service
from yibao.adapters.store import shown
from yibao.adapters.stories import read_story, replay
from yibao.adapters.telemetry import Watch
from yibao.adapters.views import console, json_for, printable
from yibao.adapters.views.console import entry_lines, told_lines, watched
from yibao.adapters.views.words import Words

#: How many of those are named whose entries may be lacking.
TOLD: Final = 5

#: The columns of an export; what is nested stands in its cell as JSON.
COLUMNS: Final = (
    "key",
    "recorded_at",
    "happened_at",
    "kind",
    "command",
    "code",
    "ref",
    "year",
    "edition",
    "school",
    "version",
    "by",
    "via",
    "observed",
    "reason",
    "command_id",
    "correlation_id",
    "causation_id",
    "event_id",
    "supersedes",
    "where",
    "attempts",
    "students",
    "students_by_part",
    "values",
    "changes",
    "steps",
    "stale",
)


def audited(
    editions: Editions,
    words: Words,
    out: TextIO,
    err: TextIO,
    *,
    file: Path | None,
    store: str | None,
    trail: str | None,
    size: int | None,
    after: str | None,
    every: bool,
    brief: bool,
    as_json: bool,
    as_csv: bool,
    **asked: Any,
) -> None:
    """Asks the trail of a story or a store, and writes what is found.

    Whoever is parked, so that entries may be lacking, is told of on standard error. A CSV file has
    no place to say that there is more: it is whole unless a page is asked for.
    """
    if as_json and as_csv:
        raise click.UsageError("--json and --csv are two formats")
    if every and (after or size):
        raise click.UsageError("--all is every entry, from the first on")
    question = Question(**asked)
    every = every or (as_csv and not after and size is None)
    with _asked(editions, file, store) as (service, whom), service.audit_trail(trail) as kept:
        with watched(err, words("audit", "catching_up")) as progress, mistakes_halt():
            kept.catch_up(progress)
        if parked := kept.parked(question):
            named = [each.whose for each in parked[:TOLD]] + ["…"] * (len(parked) > TOLD)
            whose = printable(", ".join(named))
            err.write(words("audit", "lacking", count=len(parked), whose=whose) + "\n")
        writer = _Writer(words, out, whom, parked, question.changed, brief, as_json, as_csv)
        if every:
            found: Iterator[dict[str, Any]] = (
                trail_entry_json(entry, editions) for entry in kept.all(question)
            )
            with watched(err, words("audit", "exporting")) as progress:
                found = _counted(found, kept.count(question), progress)
                writer.write(found, None)
            return
        page = kept.page(question, after=after, size=size or PAGE)
        entries = (trail_entry_json(entry, editions) for entry in page.entries)
        writer.write(entries, page.following)


#: How somebody is named to `yibao explain`, by the reference.
Whom = Callable[[str, int], str]


@contextmanager
def _asked(
    editions: Editions, file: Path | None, store: str | None
) -> Iterator[tuple[Service, Whom]]:
    if (file is None) == (store is None):
        raise click.UsageError("give a story's FILE or a --store")
    if file is not None:
        story = read_story(file, editions)
        names = {story.enrollment(name).ref: name for name in story.students}

        def of_the_story(ref: str, year: int) -> str:
            named = ["--student", names[ref]] if len(names) > 1 else []
            return shlex.join([str(file), *named])

        with replay(story, editions).service as service:
            yield service, of_the_story
        return

    def of_the_store(ref: str, year: int) -> str:
        assert store is not None
        return shlex.join(["--store", shown(store), "--ref", ref, "--year", str(year)])

    with existing_store(store, editions) as service:
        yield service, of_the_store


def _counted(
    found: Iterable[dict[str, Any]], total: int, watch: Watch | None
) -> Iterator[dict[str, Any]]:
    for number, each in enumerate(found):
        if watch and number % 500 == 0:
            watch(number, total)
        yield each


@dataclass(frozen=True, slots=True)
class _Writer:
    """Writes entries one by one, however many there are, in the form asked for."""

    words: Words
    out: TextIO
    whom: Whom
    parked: Sequence[Parked]
    changed: str | None
    brief: bool
    as_json: bool
    as_csv: bool

    def write(self, entries: Iterator[dict[str, Any]], following: Key | None) -> None:
        """Writes the entries, and where a next page begins."""
        if self.as_json:
            self._write_json(entries, str(following) if following else None)
        elif self.as_csv:
            writer = csv.writer(self.out)
            written = printable if self.out.isatty() else str  # a file is told exactly
            writer.writerow(COLUMNS)
            for entry in entries:
                writer.writerow(written(_cell(entry.get(column))) for column in COLUMNS)
        else:
            self._write_text(entries, following)

    def _write_json(self, entries: Iterator[dict[str, Any]], following: str | None) -> None:
        self.out.write('{"format": 1, "entries": [')
        for number, entry in enumerate(entries):
            self.out.write((", " if number else "") + json_for(self.out.encoding, entry))
        end: dict[str, Any] = {"following": following}
        if self.parked:
            end["parked"] = [each._asdict() for each in self.parked]
        self.out.write(f"], {json_for(self.out.encoding, end)[1:]}\n")

    def _write_text(self, entries: Iterator[dict[str, Any]], following: Key | None) -> None:
        told = console.to(self.out)
        entry = None
        for entry in entries:
            told.print(entry_lines(self._lines(entry)), soft_wrap=True)
        if entry is None:
            told.print(self.words("audit", "nothing"))
        if following:
            told.print(self.words("audit", "more", key=following))

    def _lines(self, entry: dict[str, Any]) -> Iterator[str]:
        lines = told_lines(entry, self.words, self.changed)
        if self.brief:
            stale = f"  [{self.words('audit', 'stale_mark')}]" if entry.get("stale") else ""
            yield next(lines) + stale
        else:
            yield from lines
        explain = entry.get("explain")
        if explain and not self.brief:
            whom = self.whom(explain["ref"], explain["year"])
            when = f"--at {explain['at']} --known-at {explain['known_at']}"
            yield self.words("audit", "explain", command=f"yibao explain {whom} {when}")


#: With what a formula may begin, also as an input method for Chinese writes it.
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠")


def _cell(value: Any) -> str:
    """A cell; text that a spreadsheet would take for a formula is marked as text."""
    if isinstance(value, list | dict):
        return json.dumps(value, ensure_ascii=False) if value else ""
    if isinstance(value, str) and value.startswith(_FORMULA):
        return f"'{value}"
    return "" if value is None else str(value)
