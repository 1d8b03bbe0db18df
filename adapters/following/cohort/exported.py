"""What an export tells, known again: school by school, here or by the workers of a Dask cluster."""

import json
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import cache, partial, reduce
from importlib import import_module
from importlib.util import find_spec
from operator import itemgetter, or_
from pathlib import Path
from typing import Any, Final, NamedTuple, TypeVar
from uuid import UUID

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds
import pyarrow.parquet as pq

from yibao.adapters.editions import Editions
from yibao.adapters.store import StoreError
from yibao.adapters.store.files import NotWritten
from yibao.domain.editions import Policy
from yibao.domain.facts import events
from yibao.domain.refusals import BadValue, UnknownEdition
from yibao.domain.vocabulary import EnrollmentId, edition_stream
from yibao.projections.cohort.what_if import WhatIf
from yibao.projections.record import NOTHING, EditionRecord, Knowledge, Log, Record

T = TypeVar("T")

#: What is told of an export in the file of the windows: whether it has everybody.
ABOUT: Final = b"yibao"
#: How long a cluster may take to answer, in seconds.
PATIENCE: Final = 30
#: In the place of those of whom an export does not tell.
_NOBODY: Final = "export"


class Part(NamedTuple):
    """A school of an export; `refs` have years at other schools, which are in `elsewhere`."""

    school: str | None
    refs: tuple[str, ...]
    elsewhere: tuple[str | None, ...]


class Asked(NamedTuple):
    """What would be otherwise, asked of what was known by an instant (None: all there is)."""

    instead_of: Policy
    edition: Policy
    known_at: datetime | None
    at: datetime


class Exported:
    """An export by school, with the editions at hand; it can be sent to where it is read."""

    def __init__(self, folder: Path, editions: Editions) -> None:
        self.folder = folder
        try:
            self._windows = pq.read_table(folder / "windows.parquet")
            facts = self._facts().to_table(["ref", "year", "school"])
            about = json.loads(self._windows.schema.metadata[ABOUT])
        except (OSError, KeyError, TypeError, pa.ArrowInvalid) as error:
            raise BadValue("export", "is no export of a cohort") from error
        if not about["everybody"]:
            raise BadValue("export", "has some enrollments alone, and may lack other years of them")
        self.parts = list(_parts(facts))
        years = facts.column("year").unique().to_pylist()
        self._years = {year: [year, *editions.around(year)] for year in years}
        self._policies = {name: editions.get(name) for name in editions.names()}

    def known(self, part: Part, known_at: datetime | None) -> Iterator[Knowledge]:
        """What was known of each enrollment of a school, in the order of their streams."""
        students: dict[str, dict[UUID, list[dict[str, Any]]]] = {}
        own: list[EnrollmentId] = []
        for row in self._facts().to_table(filter=_of(part)).to_pylist():
            whose = EnrollmentId(row["ref"], row["year"])
            is_care = row["stream"] == "care"
            streams = students.setdefault(whose.ref, defaultdict(list))
            streams[whose.care_stream if is_care else whose.stream].append(row)
            if row["school"] == part.school and not is_care and row["version"] == 1:
                own.append(whose)
        edition_of = self._edition_of()
        for whose in sorted(own, key=lambda each: each.stream):
            log_of = cache(partial(_log, students[whose.ref]))
            logs = {
                year: (
                    log_of(EnrollmentId(whose.ref, year).stream),
                    # How one is cared for in the next year is nothing to this.
                    NOTHING
                    if year > whose.year
                    else log_of(EnrollmentId(whose.ref, year).care_stream),
                )
                for year in self._years[whose.year]
            }
            record = Record.of(whose, logs, edition_of)
            yield record.known_by(record.latest if known_at is None else known_at)

    def what_if(self, asked: Asked, part: Part) -> WhatIf:
        """What would change for a school."""
        known = self.known(part, asked.known_at)
        return WhatIf(known, asked.instead_of, asked.edition, asked.at)

    def _facts(self) -> ds.Dataset:
        parted = self.folder / "facts"
        if not parted.is_dir():
            return ds.dataset(self.folder / "facts.parquet")
        schools = ds.partitioning(pa.schema([("school", pa.string())]), flavor="hive")
        return ds.dataset(parted, partitioning=schools)

    def _edition_of(self) -> Callable[[str], EditionRecord]:
        recorded = defaultdict[str, list[Any]](list)
        for row in self._windows.to_pylist():
            recorded[row["policy"]].append(row)

        @cache
        def edition_of(name: str) -> EditionRecord:
            if name not in self._policies:
                raise UnknownEdition(name)
            stream = edition_stream(name)
            return EditionRecord(self._policies[name], _log({stream: recorded[name]}, stream))

        return edition_of


def what_if_over(exported: Exported, asked: Asked, dask: str | None = None) -> WhatIf:
    """What would change for everybody in an export, worked out here or by a cluster's workers.

    Raises StoreError where the cluster cannot be reached, or its workers do not see the folder.
    """
    work, whom = partial(exported.what_if, asked), exported.parts
    found = map(work, whom) if dask is None else _by_workers(dask, work, whom)
    return WhatIf.of_parts(found, asked.instead_of, asked.edition, asked.at)


def check_dask() -> None:
    """Raises NotWritten where what asks a cluster is not installed."""
    if find_spec("distributed") is None:
        raise NotWritten("for Dask yibao needs distributed: pip install 'yibao[dask]'")


def _by_workers(dask: str, work: Callable[[Part], T], parts: Sequence[Part]) -> list[T]:
    """What the workers of a cluster make of each part, in their order."""
    check_dask()
    try:
        client = import_module("distributed").Client(dask, set_as_default=False, timeout=PATIENCE)
    except (OSError, ValueError) as error:
        raise StoreError(f"the Dask scheduler {dask!r} cannot be reached: {error}") from error
    with client:
        try:
            done: list[T] = client.gather(client.map(work, parts, pure=False))
        except FileNotFoundError as error:
            raise StoreError(f"the workers of {dask!r} do not see the export: {error}") from error
        return done


def _parts(facts: pa.Table) -> Iterator[Part]:
    """The schools in an export, and who has years at several of them."""
    of_each = facts.group_by(["ref", "school"]).aggregate([]).group_by("ref")
    every = pc.CountOptions(mode="all")
    several = of_each.aggregate([("school", "list"), ("school", "count", every)])
    elsewhere = defaultdict[str | None, dict[str, set[str | None]]](dict)
    for row in several.filter(ds.field("school_count") > 1).to_pylist():
        schools = {*row["school_list"]}
        for school in schools:
            elsewhere[school][row["ref"]] = schools - {school}
    for school in facts.column("school").unique().to_pylist():
        others = elsewhere[school]
        yield Part(school, tuple(others), tuple(set().union(*others.values())))


def _of(part: Part) -> ds.Expression:
    """The facts of a school, and those from elsewhere of who has other years there."""
    own = _at(part.school)
    if not part.refs:
        return own
    there = reduce(or_, map(_at, part.elsewhere))
    return own | (there & ds.field("ref").isin(part.refs))


def _at(school: str | None) -> ds.Expression:
    return ds.field("school").is_null() if school is None else ds.field("school") == school


def _log(recorded: Mapping[UUID, Sequence[dict[str, Any]]], stream: UUID) -> Log:
    """What a stream recorded, of which an export has each event."""
    rows = sorted(recorded.get(stream, ()), key=itemgetter("version"))
    return Log([_event(row, stream) for row in rows]) if rows else NOTHING


def _event(row: dict[str, Any], stream: UUID) -> events.Event:
    """A fact as it was, but for who told it."""
    kind = events.EVENTS[row["fact"]]
    told = json.loads(row["values"])
    told |= {name: row[name] for name in ("event_id", "occurred_at", "recorded_at")}
    told |= {name: row[name] for name in ("observed", "supersedes") if row[name]}
    if kind is events.Registered:
        told["ref"] = row["ref"]
    told |= {"by": _NOBODY, "via": _NOBODY, "command_id": row["event_id"], "command_digest": ""}
    return kind(originator_id=stream, originator_version=row["version"], **told)
