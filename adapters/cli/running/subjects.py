"""Whom a question on the command line is about: students of a story, or of a store."""

import sys
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from pathlib import Path
from typing import Any, Literal, NamedTuple

import click

from yibao.adapters.cli.options import store_here
from yibao.adapters.editions import Editions
from yibao.adapters.service import Service
from yibao.adapters.store import open_store
from yibao.adapters.stories import Story, read_story, replay
from yibao.adapters.views import in_one_line, tell
from yibao.adapters.views.words import Words
from yibao.domain.vocabulary import EnrollmentId
from yibao.projections.answer import Answer
from yibao.projections.record import Cutoff, Record


class Subject(NamedTuple):
    """A student asked about, by the name in the story or by reference, and in which year.

    `whose` is the enrollment or, where several years are asked about, its record, which is of one
    moment with theirs. `year` is told beside her where it was not named, and there may be several.
    """

    name: str
    whose: EnrollmentId | Record
    year: int | None = None

    @property
    def enrollment(self) -> EnrollmentId:
        return self.whose.enrollment if isinstance(self.whose, Record) else self.whose

    @property
    def label(self) -> str:
        """The line above what is told of her, where there are several to tell of."""
        return in_one_line(self.name if self.year is None else f"{self.name} · {self.year}")

    def as_json(self) -> dict[str, Any]:
        """The same beside what is told of her."""
        told: dict[str, Any] = {"student": self.name}
        return told if self.year is None else {**told, "year": self.year}


@dataclass(frozen=True, slots=True)
class Subjects:
    """The service to ask, and the students asked about.

    Of a story `at` is its latest instant and `known_at` what it tells; of a store both are None:
    now, with everything known. `others` are the other years, where one is named.
    """

    service: Service
    students: Sequence[Subject]
    at: datetime | None
    known_at: Cutoff | None
    others: Sequence[Subject] = ()

    def answer(self, whom: Subject, at: datetime | None, known_at: Cutoff | None) -> Answer:
        """The answer about one of the students, for an instant and as known by a cut-off."""
        cutoff = self.known_at if known_at is None else known_at
        return self.service.at(whom.whose, at or self.at, known_at=cutoff)

    def answers(
        self, years: Sequence[Subject], at: datetime | None, known_at: Cutoff | None
    ) -> list[Answer]:
        """The answers about one student in some years, as known by a cut-off."""
        cutoffs = self.cutoffs(years, known_at)
        return [self.answer(one, at, known) for one, known in zip(years, cutoffs, strict=True)]

    def cutoffs(self, years: Sequence[Subject], known_at: Cutoff | None) -> list[Cutoff | None]:
        """A cut-off for each of some years; a version is one of the latest, and then its stamp."""
        if not isinstance(known_at, int) or len(years) == 1:
            return [known_at] * len(years)
        stamp = self.service.at(years[-1].whose, known_at=known_at).known_at
        return [*[stamp or 0] * (len(years) - 1), known_at]

    def beside(self, at: datetime | None, known_at: Cutoff | None) -> list[Answer]:
        """The answers about the other years, as known by the same cut-off as that of the named."""
        named = {one.name: one for one in self.students}
        years = [[one, named[one.name]] for one in self.others]
        return [self.answer(pair[0], at, self.cutoffs(pair, known_at)[0]) for pair in years]

    def by_student(self) -> list[tuple[str, list[Subject]]]:
        """The years asked about of each student, ascending."""
        return [(name, list(years)) for name, years in groupby(self.students, _name)]


class UnknownStudent(Exception):
    """Nothing is recorded of a reference, or not in the year asked about."""

    def __init__(self, ref: str, year: int | None, known: Sequence[int]) -> None:
        super().__init__(ref, year, known)
        self.ref, self.year, self.known = ref, year, known

    def told(self, words: Words) -> str:
        """Whom it is about, and the years that are known."""
        years = ", ".join(map(str, self.known)) or words("phrase", "none")
        named = self.ref if self.year is None else f"{self.ref}/{self.year}"
        return f"yibao: {words('phrase', 'unknown', whom=in_one_line(named), years=years)}"


#: Of one in a store: the year must be named; every year where none is; and those around it.
Years = Literal["one", "all", "around"]


@contextmanager
def subjects(
    editions: Editions,
    file: Path | None,
    student: str | None,
    store: str | None,
    ref: str | None,
    year: int | None,
    policy: str | None = None,
    *,
    years: Years = "one",
) -> Iterator[Subjects]:
    """The students of a story, or one of them, or one in a store.

    Raises UsageError for options that say nothing together, or not enough; and UnknownStudent where
    all years are asked about of one in a store, or those around one, and nothing is known.
    """
    store = store or (store_here() if file is None else None)
    if (file is None) == (store is None):
        raise click.UsageError("give a story's FILE or a --store")
    if file is not None:
        _forbid("FILE", ref=ref)
        story = read_story(file, editions, policy)
        if not story.tells_years:
            _forbid("FILE", year=year)
        told = years_asked(story, year)
        ran = replay(story, editions)
        with ran.service as service:
            names = _chosen(list(story.students), student)
            found = [_of_story(story, name, each) for name in names for each in story.policies]
            students = [one for one in found if one.enrollment.year in told]
            others = [one for one in found if one not in students]
            known_at = 0 if ran.known_at is None else ran.known_at
            yield Subjects(service, students, story.latest_at, known_at, others)
        return
    _forbid("--store", student=student, policy=policy)
    if ref is None or (year is None and years == "one"):
        raise click.UsageError("--store needs --ref" + " and --year" * (years == "one"))
    with existing_store(store, editions) as service:
        if year is not None and years != "around":
            yield Subjects(service, (Subject(ref, EnrollmentId(ref, year)),), None, None)
            return
        known = service.enrollments(ref)
        if not known or year not in (None, *known):
            raise UnknownStudent(ref, year, known)
        found = list(_every_year(service, ref, known))
        named = [one for one in found if year in (None, one.year)]
        yield Subjects(service, named, None, None, [one for one in found if one not in named])


@contextmanager
def her_years(policies: Path | None, lang: Any, whom: dict[str, Any]) -> Iterator[Subjects]:
    """The students of a story or one in a store, of every year where none is named.

    Where nothing is recorded of her that is told, and the program ends.
    """
    try:
        with subjects(Editions(policies), **whom, years="all") as asked:
            yield asked
    except UnknownStudent as unknown:
        tell(unknown.told(Words(lang)), err=True)
        sys.exit(1)


def _every_year(service: Service, ref: str, known: Sequence[int]) -> Iterator[Subject]:
    """Her years, read in one turn, so that what is told of them is of one moment."""
    record: Record | None = service.read(EnrollmentId(ref, known[-1]))
    records: list[Record] = []
    while record is not None:
        records.append(record)
        record = record.before
    for each in reversed(records):
        if each.enrollment.year in known:
            yield Subject(ref, each, each.enrollment.year)


def _name(one: Subject) -> str:
    return one.name


@contextmanager
def existing_store(url: str | None, editions: Editions) -> Iterator[Service]:
    """The service on a store that is there; a question neither creates nor migrates one."""
    assert url is not None
    with closing(open_store(url, to_ask=True)) as store:
        yield Service(store, editions, by="cli", via="cli")


def _forbid(beside: str, **options: Any) -> None:
    for name, given in options.items():
        if given is not None:
            raise click.UsageError(f"--{name} says nothing beside {beside}")


def years_asked(story: Story, year: int | None) -> list[int]:
    """The year asked about, or every year of the story; raises UsageError."""
    if year is None:
        return list(story.policies)
    if year not in story.policies:
        years = ", ".join(map(str, story.policies))
        raise click.UsageError(f"no such year in this story; there are {years}")
    return [year]


def _of_story(story: Story, name: str, year: int) -> Subject:
    return Subject(name, story.enrollment(name, year), year if story.tells_years else None)


def _chosen(names: list[str], student: str | None) -> list[str]:
    if student is None:
        return names
    if student not in names:
        raise click.UsageError(
            f"no such student in this story; there are {in_one_line(', '.join(names))}"
        )
    return [student]
