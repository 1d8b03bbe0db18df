"""`yibao audit`: pages and exports of the trail, for people, as JSON or as CSV."""

import csv
import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, TextIO

import click
from rich.progress import Progress

from yibao.adapters import console
from yibao.adapters.audit_json import trail_entry_json
from yibao.adapters.console.audit import trail_report
from yibao.adapters.policy_files import Editions
from yibao.adapters.replay import replay
from yibao.adapters.scenarios import read_story
from yibao.adapters.service import Service
from yibao.adapters.subjects import existing_store
from yibao.adapters.trail.audit import Page
from yibao.adapters.trail.questions import Question
from yibao.adapters.words import Words

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
    "attempts",
    "students",
    "values",
    "changes",
    "steps",
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
    size: int,
    after: str | None,
    every: bool,
    as_json: bool,
    as_csv: bool,
    **asked: Any,
) -> None:
    """Asks the trail of a story or a store, and writes what is found."""
    if as_json and as_csv:
        raise click.UsageError("--json and --csv are two formats")
    if every and after:
        raise click.UsageError("--all begins with the first entry")
    question = Question(**asked)
    with _asked(editions, file, store) as service, service.audit_trail(trail) as kept:
        with _watched(err, words("audit", "catching_up")) as progress:
            kept.catch_up(progress)
        if every:
            found: Iterator[dict[str, Any]] = (
                trail_entry_json(entry, editions) for entry in kept.all(question)
            )
            with _watched(err, words("audit", "exporting")) as progress:
                found = _counted(found, kept.count(question), progress)
                _write(found, None, words, out, as_json=as_json, as_csv=as_csv)
            return
        page = kept.page(question, after=after, size=size)
        entries = (trail_entry_json(entry, editions) for entry in page.entries)
        _write(entries, page, words, out, as_json=as_json, as_csv=as_csv)


@contextmanager
def _asked(editions: Editions, file: Path | None, store: str | None) -> Iterator[Service]:
    if (file is None) == (store is None):
        raise click.UsageError("give a story's FILE or a --store")
    if file is not None:
        with replay(read_story(file, editions), editions).service as service:
            yield service
    else:
        with existing_store(store, editions) as service:
            yield service


@contextmanager
def _watched(err: TextIO, told: str) -> Iterator[Any]:
    """A bar for whoever watches; what is done at once shows none."""
    with Progress(console=console.to(err), transient=True) as progress:
        task = progress.add_task(told, total=None, visible=False)

        def watch(done: int, total: int) -> None:
            progress.update(task, completed=done, total=total, visible=done < total)

        yield watch


def _counted(found: Iterable[dict[str, Any]], total: int, watch: Any) -> Iterator[dict[str, Any]]:
    for number, each in enumerate(found):
        if number % 500 == 0:
            watch(number, total)
        yield each


def _write(
    entries: Iterator[dict[str, Any]],
    page: Page | None,
    words: Words,
    out: TextIO,
    *,
    as_json: bool,
    as_csv: bool,
) -> None:
    """Writes entries one by one, however many there are."""
    following = str(page.following) if page and page.following else None
    if as_json:
        out.write('{"format": 1, "entries": [')
        for number, entry in enumerate(entries):
            out.write((", " if number else "") + json.dumps(entry, ensure_ascii=False))
        out.write(f'], "following": {json.dumps(following)}}}\n')
    elif as_csv:
        writer = csv.writer(out)
        writer.writerow(COLUMNS)
        writer.writerows([_cell(entry.get(column)) for column in COLUMNS] for entry in entries)
    else:
        told = console.to(out)
        gathered = False
        for entry in entries:
            told.print(trail_report([entry], words), soft_wrap=True)
            gathered = True
        if not gathered:
            told.print(trail_report([], words))
        if following:
            told.print(words("audit", "more", key=following))


def _cell(value: Any) -> Any:
    """A cell; text that a spreadsheet would take for a formula is marked as text."""
    if isinstance(value, list | dict):
        return json.dumps(value, ensure_ascii=False) if value else None
    if isinstance(value, str) and value.startswith(("=", "+", "-", "@", "\t", "\r")):
        return f"'{value}"
    return value
