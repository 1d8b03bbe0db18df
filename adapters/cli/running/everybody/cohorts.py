"""`yibao cohort`: counts, lists and exports of everybody, for people and for programs."""

import csv
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields
from datetime import datetime
from itertools import chain
from pathlib import Path
from typing import Any, Final, Self, TextIO

import click

from yibao.adapters.cli.running.audit_report import cell
from yibao.adapters.cli.running.subjects import existing_store
from yibao.adapters.editions import Editions
from yibao.adapters.following.cohort import LARGEST, PAGE, CohortCounts, CohortPage
from yibao.adapters.service import CohortView, check_analysis
from yibao.adapters.shapes import (
    LISTED,
    VALUES,
    counts_json,
    cursor_of,
    page_json,
    plain,
    value_row,
)
from yibao.adapters.store.files import written
from yibao.adapters.views import console, in_one_line, json_for, printable
from yibao.adapters.views.console import cohort_heads, cohort_row, rows_report
from yibao.adapters.views.words import Words
from yibao.adapters.views.workbooks import check_office, rows_workbook
from yibao.domain.refusals import BadValue
from yibao.domain.vocabulary import EnrollmentId


@dataclass(frozen=True, slots=True)
class _Form:
    """In which form it is told."""

    as_json: bool
    as_csv: bool
    xlsx: Path | None
    parquet: Path | None
    force: bool

    @classmethod
    def asked(cls, options: dict[str, Any]) -> Self:
        """Taken out of the options; raises UsageError where they say nothing together."""
        form = cls(**{each.name: options.pop(each.name) for each in fields(cls)})
        several = form.named
        if len(several) > 1:
            raise click.UsageError(f"{several[0]} and {several[1]} are two formats")
        if form.force and not (form.xlsx or form.parquet):
            raise click.UsageError("--force says nothing without --xlsx or --parquet")
        if form.xlsx:
            check_office()
        if form.parquet:
            check_analysis()
        return form

    @property
    def named(self) -> list[str]:
        formats = {
            "--json": self.as_json,
            "--csv": self.as_csv,
            "--xlsx": self.xlsx,
            "--parquet": self.parquet,
        }
        return [name for name, given in formats.items() if given]


@dataclass(frozen=True, slots=True)
class _Writer:
    """Writes rows in the form asked for; for people and for Excel in words."""

    form: _Form
    words: Words
    out: TextIO
    err: TextIO

    def write(self, columns: Mapping[str, type], rows: Iterable[Sequence[Any]]) -> None:
        form = self.form
        if form.as_csv:
            shown = printable if self.out.isatty() else str  # a file is told exactly
            writer = csv.writer(self.out)
            writer.writerow(columns)
            for row in rows:
                writer.writerow(shown(cell(plain(value))) for value in row)
        elif form.xlsx:
            heads = cohort_heads(columns, self.words)
            in_words = (cohort_row(columns, row, self.words, exactly=True) for row in rows)
            with written(form.xlsx, force=form.force) as new:
                rows_workbook(new, self.words("cohort", "sheet"), heads, in_words)
            self.tell_written(form.xlsx)
        elif form.parquet:
            from yibao.adapters.service.arrow import write_table

            with written(form.parquet, force=form.force) as new:
                write_table(new, columns, map(tuple, rows))
            self.tell_written(form.parquet)
        else:
            told = (cohort_row(columns, row, self.words) for row in rows)
            heads = cohort_heads(columns, self.words)
            console.to(self.out).print(rows_report(heads, told, columns))

    def write_json(self, told: Any) -> None:
        self.out.write(json_for(self.out.encoding, told) + "\n")

    def tell_written(self, file: Path) -> None:
        self.err.write(in_one_line(self.words("audit", "written", file=file)) + "\n")


def counted(
    editions: Editions, words: Words, out: TextIO, err: TextIO, *, by: Any, **asked: Any
) -> None:
    """CohortCounts everybody; who is parked, and in no count, is told of on standard error."""
    form = _Form.asked(asked)
    with _cohort(editions, asked) as view:
        counts = view.count(by)
        _warn(counts, words, err)
        if form.as_json:
            return _Writer(form, words, out, err).write_json(
                counts_json(view.at, view.known_at, by, **counts._asdict())
            )
        rows: Iterable[tuple[Any, ...]] = counts.counts.items()
        if not form.named:
            rows = chain(rows, [(TOTAL, counts.total)])
        _Writer(form, words.among(editions), out, err).write({by: str, "enrollments": int}, rows)


#: What no code is, so that the row of the total is told from the others.
TOTAL: Final = ""


def _warn(counts: CohortCounts, words: Words, err: TextIO) -> None:
    if counts.parked:
        err.write(words("cohort", "parked", count=counts.parked) + "\n")
    if counts.is_counting:
        err.write(words("cohort", "counting") + "\n")


def listed(
    editions: Editions,
    words: Words,
    out: TextIO,
    err: TextIO,
    *,
    size: int | None,
    after: str | None,
    every: bool,
    state: str | None,
    next_step: str | None,
    days_left_below: int | None,
    **asked: Any,
) -> None:
    """Lists everybody who fits, or a page of them."""
    form = _Form.asked(asked)
    if every and (size or after):
        raise click.UsageError("--all is everybody, from the first on")
    if (form.xlsx or form.parquet) and (size or after):
        raise click.UsageError(f"{form.named[0]} is everybody, from the first on")
    every = every or bool(form.xlsx or form.parquet or (form.as_csv and not (size or after)))
    began = _enrollment(after) if after is not None else None
    with _cohort(editions, asked) as view:

        def page(after: EnrollmentId | None) -> CohortPage:
            return view.page(
                after=after,
                limit=LARGEST if every else size or PAGE,
                state=state,
                next_step=next_step,
                days_left_below=days_left_below,
            )

        first = page(began)
        entries = chain.from_iterable(each.entries for each in _pages(first, page, every=every))
        following = None if every else first.following
        writer = _Writer(form, words.among(editions), out, err)
        if form.as_json:
            return writer.write_json(page_json(view.at, view.known_at, entries, following))
        if first.entries or form.named:
            writer.write(
                {name: int if name == "year" else str for name in LISTED},
                ((*whose, *rest) for whose, *rest in entries),
            )
        else:
            console.to(out).print(words("cohort", "nothing"))
        if following and not form.named:
            console.to(out).print(words("cohort", "more", key=cursor_of(following)))


def _pages(first: CohortPage, page: Any, *, every: bool) -> Iterator[CohortPage]:
    yield first
    while every and first.following:
        first = page(first.following)
        yield first


def _enrollment(key: str) -> EnrollmentId:
    """The enrollment that a cursor names; raises BadValue for what is none."""
    ref, slash, year = key.rpartition("/")
    if not (ref and slash and year.isascii() and year.isdigit() and len(year) < 10):
        raise BadValue("--after", "is no key of a page, REF/YEAR")
    return EnrollmentId(ref, int(year))


def exported(
    editions: Editions,
    words: Words,
    out: TextIO,
    err: TextIO,
    *,
    by_school: bool,
    **asked: Any,
) -> None:
    """Writes the values of everybody; into a folder spans and facts as well."""
    form = _Form.asked(asked)
    if not form.named:
        raise click.UsageError("give --csv, --json, --xlsx or --parquet")
    into = form.parquet if form.parquet and form.parquet.suffix != ".parquet" else None
    if by_school and not into:
        raise click.UsageError("--by-school says nothing without a folder for --parquet")
    if into and form.force:
        raise click.UsageError("--force replaces a file, never a folder")
    writer = _Writer(form, words.among(editions), out, err)
    with _cohort(editions, asked) as view:
        if into:
            from yibao.adapters.service.arrow import export

            export(view, into, by_school=by_school)
            return writer.tell_written(into)
        rows = sorted((value_row(answer) for answer in view.answers()), key=lambda row: row[:2])
        if form.as_json:
            told = [dict(zip(VALUES, map(plain, row), strict=True)) for row in rows]
            return writer.write_json(
                {"at": plain(view.at), "known_at": plain(view.known_at), "values": told}
            )
        writer.write(VALUES, rows)


@contextmanager
def _cohort(editions: Editions, asked: dict[str, Any]) -> Iterator[CohortView]:
    """What is asked for of the store that is there."""
    at: datetime | None = asked["at"]
    with existing_store(asked["store"], editions) as service, service:
        yield service.cohort(
            at,
            known_at=asked["known_at"],
            school=asked["school"],
            category=asked["category"],
            policy=asked["edition"],
            year=asked["year"],
        )
