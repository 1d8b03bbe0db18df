"""`yibao audit`: pages, counts and exports of the trail, for people and for programs."""

import csv
import json
import shlex
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Self, TextIO

import click

from yibao.adapters.cli.options import store_here
from yibao.adapters.cli.running.subjects import existing_store
from yibao.adapters.editions import Editions
from yibao.adapters.following import Parked, mistakes_halt
from yibao.adapters.following.trail import (
    PAGE,
    AuditTrail,
    By,
    Key,
    Question,
    TrailEntry,
    trail_entry_json,
)
from yibao.adapters.service import Service
from yibao.adapters.store import shown
from yibao.adapters.store.files import written
from yibao.adapters.stories import read_story, replay
from yibao.adapters.telemetry import Watch
from yibao.adapters.views import console, in_one_line, json_for, printable
from yibao.adapters.views.console import counts_report, entry_lines, told_lines, watched
from yibao.adapters.views.words import Words
from yibao.adapters.views.workbooks import check_office, counts_workbook, trail_workbook

if TYPE_CHECKING:  # what proves needs an extra
    from yibao.adapters.following.evidence import Prover

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
#: And where a fact has changed answers of another year than its own.
OF_OTHER_YEARS: Final = ("fact_year",)


def audited(
    editions: Editions,
    words: Words,
    out: TextIO,
    err: TextIO,
    *,
    file: Path | None,
    store: str | None,
    trail: str | None,
    **asked: Any,
) -> None:
    """Asks the trail of a story or a store, and writes what is found.

    Whoever is parked, so that entries may be lacking, is told of on standard error, and so is what
    nobody has recorded. A CSV file has no place to say that there is more: it is whole unless a
    page is asked for, and one for Excel always is.
    """
    form = _Form.asked(asked)
    question = Question(**asked)
    with (
        _asked(editions, file, store) as (service, whom),
        service.audit_trail(trail) as kept,
        _proving(file, store) if form.proofs else nullcontext() as prover,
    ):
        words = words.among(service.editions)
        with watched(err, words("audit", "catching_up")) as progress, mistakes_halt():
            kept.catch_up(progress)
        if parked := kept.parked(question):
            named = [each.whose for each in parked[:TOLD]] + ["…"] * (len(parked) > TOLD)
            whose = printable(", ".join(named))
            err.write(words("audit", "lacking", count=len(parked), whose=whose) + "\n")
        others = OF_OTHER_YEARS if form.is_a_table and kept.has_other_years(question) else ()
        columns = (*COLUMNS, *others, *(("proof",) if form.proofs else ()))

        def told(entries: Iterable[TrailEntry]) -> Iterator[dict[str, Any]]:
            for entry in entries:
                proof = {"proof": _proof(entry, prover)} if prover else {}
                yield trail_entry_json(entry, service.editions) | proof

        writer = _Writer(words, out, whom, parked, question.changed, form, columns)
        if form.count:
            counts = kept.counts(question, form.count)
            found = len(counts)
            writer.write_counts(counts, form.count)
        elif form.every:
            found = kept.count(question)
            meanwhile = None if form.xlsx else out
            with watched(err, words("audit", "exporting"), meanwhile) as progress:
                writer.write(_counted(told(kept.all(question)), found, progress), None)
        else:
            page = kept.page(question, after=form.after, size=form.size or PAGE)
            found = len(page.entries)
            writer.write(told(page.entries), page.following)
        if form.xlsx:
            err.write(in_one_line(words("audit", "written", file=form.xlsx)) + "\n")
        if not found:
            if not form.is_for_people:
                err.write(words("audit", "nothing") + "\n")
            for unknown in _unknown(kept, question, words):
                err.write(unknown + "\n")


def _proving(file: Path | None, store: str | None) -> AbstractContextManager["Prover"]:
    from yibao.adapters.cli.running.evidence import prover_of

    if file is not None:
        raise click.UsageError("--proofs says nothing beside FILE")
    return prover_of(store or store_here() or "")


def _proof(entry: TrailEntry, prover: "Prover") -> str | None:
    """What proves the fact of an entry; None where nothing does yet, and for what is no fact."""
    proof = prover.at(entry.row.position) if entry.event else None
    return str(proof) if proof else None


@dataclass(frozen=True, slots=True)
class _Form:
    """In which form it is told, and how much of it."""

    size: int | None
    after: str | None
    every: bool
    brief: bool
    count: By | None
    as_json: bool
    as_csv: bool
    proofs: bool
    xlsx: Path | None
    force: bool

    @classmethod
    def asked(cls, options: dict[str, Any]) -> Self:
        """Taken out of the options; raises UsageError where they say nothing together."""
        form = cls(**{each.name: options.pop(each.name) for each in fields(cls)})
        formats = ("--json", form.as_json), ("--csv", form.as_csv), ("--xlsx", form.xlsx)
        several = [name for name, given in formats if given]
        if len(several) > 1:
            raise click.UsageError(f"{several[0]} and {several[1]} are two formats")
        if form.every and (form.after or form.size):
            raise click.UsageError("--all is every entry, from the first on")
        if form.force and not form.xlsx:
            raise click.UsageError("--force says nothing without --xlsx")
        paged = bool(form.after or form.size)
        if form.xlsx and paged:
            raise click.UsageError("--xlsx is every entry, from the first on")
        if form.count and (paged or form.every or form.brief):
            raise click.UsageError("--count lists no entries")
        if form.proofs and (form.count or not (form.as_json or form.as_csv)):
            raise click.UsageError("--proofs stand in the entries of --json or --csv")
        if form.xlsx:
            check_office()
        every = form.every or bool(form.xlsx) or (form.as_csv and not paged)
        return replace(form, every=every)

    @property
    def is_a_table(self) -> bool:
        """Whether entries stand in columns."""
        return bool(self.as_csv or self.xlsx) and not self.count

    @property
    def is_for_people(self) -> bool:
        """Whether it stands where the entries would that there are none."""
        return not (self.as_json or self.as_csv or self.xlsx or self.count)


#: What may be mistyped, so that nothing is found.
_NAMED: Final = ("ref", "by", "via", "school", "edition", "correlation_id")


def _unknown(kept: AuditTrail, question: Question, words: Words) -> Iterator[str]:
    """What is asked for and stands in no entry at all, a line each."""
    for name in _NAMED:
        value = getattr(question, name)
        if value is not None and not kept.count(Question(**{name: value})):
            told = words("audit", "unknown", option=f"--{name.replace('_', '-')}", value=value)
            yield in_one_line(told)


#: How somebody is named to `yibao explain`, by the reference.
Whom = Callable[[str, int], str]


@contextmanager
def _asked(
    editions: Editions, file: Path | None, store: str | None
) -> Iterator[tuple[Service, Whom]]:
    store = store or (store_here() if file is None else None)
    if (file is None) == (store is None):
        raise click.UsageError("give a story's FILE or a --store")
    if file is not None:
        story = read_story(file, editions)
        names = {story.enrollment(name).ref: name for name in story.students}

        def of_the_story(ref: str, year: int) -> str:
            named = ["--student", names[ref]] if len(names) > 1 else []
            named += ["--year", str(year)] if story.tells_years else []
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
    form: _Form
    columns: Sequence[str]

    def write(self, entries: Iterator[dict[str, Any]], following: Key | None) -> None:
        """Writes the entries, and where a next page begins."""
        if self.form.xlsx:
            with written(self.form.xlsx, force=self.form.force) as new:
                trail_workbook(new, entries, self.columns, self.words)
        elif self.form.as_json:
            self._write_json(entries, str(following) if following else None)
        elif self.form.as_csv:
            self._write_csv(
                self.columns, ((entry.get(c) for c in self.columns) for entry in entries)
            )
        else:
            self._write_text(entries, following)

    def write_counts(self, counts: Mapping[str | None, int], by: By) -> None:
        """Writes how many entries there are by what they have in common."""
        if self.form.xlsx:
            with written(self.form.xlsx, force=self.form.force) as new:
                counts_workbook(new, counts, by, self.words)
        elif self.form.as_json:
            rows = [{by: name, "entries": count} for name, count in counts.items()]
            told = json_for(self.out.encoding, {"format": 1, "by": by, "counts": rows})
            self.out.write(f"{told}\n")
        elif self.form.as_csv:
            self._write_csv((by, "entries"), counts.items())
        elif counts:
            console.to(self.out).print(counts_report(counts, by, self.words))

    def _write_csv(self, columns: Sequence[str], rows: Iterable[Iterable[Any]]) -> None:
        shown = printable if self.out.isatty() else str  # a file is told exactly
        writer = csv.writer(self.out)
        writer.writerow(columns)
        for row in rows:
            writer.writerow(shown(cell(value)) for value in row)

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
        if self.form.brief:
            stale = f"  [{self.words('audit', 'stale_mark')}]" if entry.get("stale") else ""
            yield next(lines) + stale
        else:
            yield from lines
        explain = entry.get("explain")
        if explain and not self.form.brief:
            whom = self.whom(explain["ref"], explain["year"])
            when = f"--at {explain['at']} --known-at {explain['known_at']}"
            yield self.words("audit", "explain", command=f"yibao explain {whom} {when}")


#: With what a formula may begin, also as an input method for Chinese writes it.
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠")


def cell(value: Any) -> str:
    """A cell; text that a spreadsheet would take for a formula is marked as text."""
    if isinstance(value, list | dict):
        return json.dumps(value, ensure_ascii=False) if value else ""
    if isinstance(value, str) and value.startswith(_FORMULA):
        return f"'{value}"
    return "" if value is None else str(value)
