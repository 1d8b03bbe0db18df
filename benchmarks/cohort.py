"""Everybody at once: the law over columns against one after the other, and what is kept of it."""

import resource
import statistics
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import numpy
from given.cohort import LEARNED, everybody
from many import prepared
from measured import Row
from pgserver import Server
from pyarrow.parquet import read_table

from yibao.adapters.editions.files import Editions
from yibao.adapters.following.cohort import open_cohort
from yibao.adapters.service.arrow import export
from yibao.adapters.service.cohorts import CohortView
from yibao.adapters.service.service import Service, open_service
from yibao.adapters.store import FactStore
from yibao.domain.calendar import read_instant
from yibao.domain.facts import events
from yibao.domain.lifecycle import timeline
from yibao.domain.rules import as_of, values
from yibao.domain.vocabulary import EnrollmentId, edition_stream
from yibao.projections.answer import answered
from yibao.projections.cohort.paths import Group, ask, unpacked
from yibao.projections.cohort.shapes import Shape, Words, numbered, packed
from yibao.projections.cohort.spans import spans
from yibao.projections.cohort.together import lines_of, value_columns
from yibao.projections.record import EditionRecord, Knowledge, Log, Record

POLICY = "shanghai-2025"
AT = read_instant("2025-10-01 12:00")
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
#: So many are asked one after the other: that a million take a thousand times longer is known.
ALONE = 2_000
#: So many stand in one transaction when a store is filled.
AT_ONCE = 20_000
EDITED = """\
edition: one-month
title: {en: One month, zh: 一个月}
extends: shanghai-2025
parameters:
  waiting_months_per_lapsed_year:
    {value: 1, unit: months, clause: a draft, basis: stated}
"""


def cohort(folder: Path, server: Server, sizes: Sequence[int]) -> Iterator[Row]:
    """All of it, with so many students."""
    for size in sizes:
        yield from over_columns(size)
    for size in sizes:
        yield from kept(f"sqlite:///{folder / f'cohort-{size}.db'}", folder, size)
        yield from kept(server.database(prepared(server)), folder, size)


def cpu(ask: Callable[[], Any]) -> float:
    """The seconds of a processor that it takes."""
    began = time.process_time()
    ask()
    return time.process_time() - began


def _edition() -> EditionRecord:
    return EditionRecord(Editions().get(POLICY), Log(()))


def over_columns(size: int) -> Iterator[Row]:
    """The law alone, facts in memory: everybody over columns, some one after the other."""
    edition, words = _edition(), Words()
    shapes: dict[Shape, list[bytes]] = defaultdict(list)
    some: list[tuple[EnrollmentId, list[events.Event]]] = []
    took = 0.0

    def known(whose: EnrollmentId, told: list[events.Event]) -> Knowledge:
        return Record(whose, Log(told), edition_of=lambda _: edition).known_by(len(told))

    for number, told in enumerate(everybody(size)):
        whose = EnrollmentId(f"s{number}", 2025)
        knowledge = known(whose, told)
        began = time.process_time()
        found = numbered(knowledge, words)
        assert found is not None
        shapes[found[0]].append(packed(found[1]))
        took += time.process_time() - began
        if number < ALONE:
            some.append((whose, told))
    groups = [Group(shape, unpacked(rows)) for shape, rows in shapes.items()]
    shapes.clear()
    yield Row(f"{size:,} students brought to numbers, once", _each(took, size), "", "", None, "")

    def along(question: Callable[[Knowledge], Any]) -> Callable[[], int]:
        return lambda: sum(1 for _ in ask(groups, question, words, lambda _: edition))

    def of_values(knowledge: Knowledge) -> Any:
        assert knowledge.case is not None
        return values(as_of(knowledge.case, AT), AT)

    def of_timeline(knowledge: Knowledge) -> Any:
        assert knowledge.case is not None
        return timeline(as_of(knowledge.case, AT))

    def of_lines() -> None:
        for group in groups:
            lines_of(group, words, lambda _: edition)

    questions: tuple[tuple[str, Callable[[Knowledge], Any], Callable[[], Any], str], ...] = (
        ("the four values", of_values, along(of_values), "100"),
        (
            "state and values as columns",
            lambda each: answered(each, AT, whole=False),
            lambda: value_columns(groups, AT, words, lambda _: edition),
            "100",
        ),
        ("timelines", of_timeline, along(of_timeline), "40"),
        ("full answers", _answered, along(_answered), "12"),
        ("lines of all instants", spans, of_lines, ""),
    )
    for what, one, together, aim in questions:
        alone = cpu(lambda one=one: [one(known(*each)) for each in some]) / len(some)
        ours = cpu(together) / size
        yield Row(
            f"{what}, {size:,} students over columns",
            _per_second(ours),
            "one after the other",
            _per_second(alone),
            alone / ours,
            aim if size >= 1_000_000 else "",
        )
    yield Row(f"memory taken with {size:,} students", _memory(), "", "", None, "")


def _answered(knowledge: Knowledge) -> Any:
    return answered(knowledge, AT)


def _each(seconds: float, size: int) -> str:
    return f"{seconds / size * 1e6:,.1f} µs each"


def _per_second(seconds: float) -> str:
    return f"{1 / seconds:,.0f}/s"


def _memory() -> str:
    return f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20:,.2f} GiB"


def kept(url: str, folder: Path, size: int) -> Iterator[Row]:
    """What follows the facts of a store, and what is asked of it."""
    where = f"{'PostgreSQL' if url.startswith('postgres') else 'SQLite'}, {size:,} students"
    with open_service(url, clock=lambda: LEARNED) as service:
        facts = fill(service._store, service.editions, size)
        decoding = cpu(lambda: service._store.feed(0, 10_000, 10_000)) / min(facts, 10_000)
        with closing(open_cohort(service._store, service.editions)) as followed:
            ours = cpu(followed.catch_up) / facts
        yield Row(
            f"{where}: a fact taken in, of {facts:,}",
            f"{ours * 1e6:,.0f} µs of CPU",
            "a fact read from the store",
            f"{decoding * 1e6:,.0f} µs",
            ours / decoding,
            "60 µs",
        )
        yield from _asked(service, where, folder, size)


def fill(store: FactStore, editions: Editions, size: int) -> int:
    """Records what is told of so many, as a season has it; how many facts that is."""
    recorded: list[events.Event] = []
    if store.first(edition_stream(POLICY)) is None:
        recorded.append(_adopted(editions))
    facts = 0
    for told in everybody(size):
        recorded += told
        if len(recorded) >= AT_ONCE:
            facts += _append(store, recorded)
    return facts + _append(store, recorded)


def _adopted(editions: Editions) -> events.Event:
    at = LEARNED - timedelta(days=101)
    return events.EditionAdopted.model_validate(
        {
            "originator_id": edition_stream(POLICY),
            "originator_version": 1,
            "event_id": edition_stream(POLICY),
            "occurred_at": at,
            "recorded_at": at,
            "by": "registry",
            "via": "benchmark",
            "command_id": "adopt",
            "command_digest": "benchmark",
            "policy": POLICY,
            "digest": editions.get(POLICY).digest,
        }
    )


def _append(store: FactStore, recorded: list[events.Event]) -> int:
    # One student's facts lie between those of others, in the order of their stamps.
    recorded.sort(key=lambda event: event.recorded_at)
    with store.transaction(everybody=True, many=True) as transaction:
        transaction.append(recorded)
    facts = len(recorded)
    recorded.clear()
    return facts


def _asked(service: Service, where: str, folder: Path, size: int) -> Iterator[Row]:
    random = Random(7)
    whom = [EnrollmentId(f"s{random.randrange(size)}", 2025) for _ in range(300)]
    alone = cpu(lambda: [service.at(each, AT) for each in whom]) / len(whom)
    view = service.cohort(AT)
    ours = cpu(view.values) / size
    yield Row(
        f"{where}: cohort.values()",
        _per_second(ours),
        "service.at",
        _per_second(alone),
        alone / ours,
        "100" if size >= 1_000_000 else "",
    )
    edited = folder / "edited.yaml"
    edited.write_text(EDITED, encoding="utf-8")
    began = time.perf_counter()
    service.what_if(edition=edited)
    took = time.perf_counter() - began
    yield Row(f"{where}: a what-if", f"{took:,.2f} s", "", "", None, "5 s")
    columns = Columns(view, folder / where.replace(" ", "-"))
    counts = service.cohort(AT).count().counts
    assert columns.count(AT) == counts, "columns tell what the tables do"
    for what, ask_once, aim in (
        ("a count", view.count, "p50 1 s"),
        (f"a count from {columns.size:,} spans of an export", columns.any_count, "p50 50 ms"),
        ("a page", view.page, "p50 50 ms"),
        ("a school's count", lambda: _of_school(service, random).count(), "p50 50 ms"),
    ):
        taken, used = [], []
        for _ in range(50):
            began, worked = time.perf_counter(), time.process_time()
            ask_once()
            taken.append((time.perf_counter() - began) * 1000)
            used.append((time.process_time() - worked) * 1000)
        cuts = statistics.quantiles(taken, n=100)
        told = f"p50 {cuts[49]:,.1f} ms, p99 {cuts[98]:,.1f} ms"
        told += f", CPU of ours {statistics.median(used):,.1f} ms"
        yield Row(f"{where}: {what}", told, "", "", None, aim)


class Columns:
    """The spans of an export, read once: how many there are of each state, at any instant."""

    def __init__(self, view: CohortView, folder: Path) -> None:
        export(view, folder)
        names = ["begins_at", "ends_at", "known_from", "known_until", "state"]
        spans = read_table(folder / "spans.parquet", columns=names)
        self.size = spans.num_rows
        states = spans.column("state").fill_null("none").combine_chunks().dictionary_encode()
        self._names, self._states = states.dictionary.to_pylist(), states.indices.to_numpy()
        instants = [spans.column(name).cast("int64") for name in names[:4]]
        ends = (-(2**62), 2**62, -(2**62), 2**62)
        filled = zip(instants, ends, strict=True)
        self._instants = [each.fill_null(end).to_numpy() for each, end in filled]
        self._random = Random(5)

    def count(self, at: datetime, known_at: datetime | None = None) -> dict[str, int]:
        """How many enrollments there are of each state at an instant, as known by another."""
        begins, ends, known_from, known_until = self._instants
        of, by = _microseconds(at), 2**62 - 1 if known_at is None else _microseconds(known_at)
        held = (begins <= of) & (ends > of) & (known_from <= by) & (known_until > by)
        found = numpy.bincount(self._states[held], minlength=len(self._names)).tolist()
        return {name: n for name, n in zip(self._names, found, strict=True) if n}

    def any_count(self) -> dict[str, int]:
        """The same of an instant of the autumn, as known when part of it was told, or all."""
        at = AT + timedelta(days=self._random.randrange(-30, 90))
        return self.count(at, LEARNED - timedelta(days=100, minutes=-self._random.randrange(8)))


def _microseconds(instant: datetime) -> int:
    return (instant - EPOCH) // timedelta.resolution


def _of_school(service: Service, random: Random) -> CohortView:
    return service.cohort(AT, school=f"u{random.randrange(60)}")
