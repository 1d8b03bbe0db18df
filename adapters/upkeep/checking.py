"""Is a store whole? Everything in it is read, and what is not right is told."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import groupby
from operator import itemgetter
from typing import Any, Final, NamedTuple
from uuid import UUID

from yibao.adapters.editions import Editions
from yibao.adapters.service import Clock, is_altered, shanghai_now
from yibao.adapters.store import Examination, Finding, from_row, is_as_written, migrations
from yibao.adapters.store.connections import stream_of
from yibao.adapters.telemetry import Watch
from yibao.adapters.upkeep.copying import COPIED
from yibao.adapters.upkeep.inspecting import Inspected, inspected, is_rehearsal
from yibao.domain.facts import events
from yibao.domain.refusals import UnknownEdition, UnreadableEvent

#: By how much the clocks of machines may differ before a stamp is one of the future.
CLOCKS_APART: Final = timedelta(minutes=5)


class Health(NamedTuple):
    """What a store holds, and everything found that is not as it should be."""

    layout: str
    facts: int
    streams: int
    attempts: int
    findings: tuple[Finding, ...]
    rehearsal: bool = False


def check(
    url: str, editions: Editions, watch: Watch | None = None, clock: Clock = shanghai_now
) -> Health:
    """Reads everything in a store, without changing it, and tells what is not right.

    A stamp later than the clock is, and not only by as much as clocks may differ, is not right
    but in a rehearsal store. Raises StoreError where it cannot be read at all.
    """
    with inspected(url) as store:
        return _checked(store, editions, watch, clock() + CLOCKS_APART)


def _checked(store: Inspected, editions: Editions, watch: Watch | None, latest: datetime) -> Health:
    layout, tables, rehearsal = store.layout, store.tables(), is_rehearsal(store)

    def held(table: str, statement: str) -> Iterator[tuple[Any, ...]]:
        return store.each(statement) if table in tables else iter(())

    found = [Finding("damaged", what) for what in store.damages()]
    if encoding := store.other_encoding():
        found.append(Finding("other_encoding", encoding))
    facts = sum(count for (count,) in held("stored_events", "SELECT COUNT(*) FROM stored_events"))
    if layout != migrations.HEAD:
        found.append(Finding("other_layout", layout))
        return Health(layout, facts, 0, 0, tuple(found), rehearsal)
    found.extend(Finding("table_missing", table) for table in COPIED if table not in tables)
    if log := store.unfinished_erasure():
        found.append(Finding("erasure_unfinished", log))
    found.extend(store.altered())
    for table, column in _NUMBERED.items():
        if table in tables:
            found.extend(_of_numbers(store, table, column))
    examination = Examination(editions)
    streams = 0
    seen = 0
    for key, of_stream in groupby(held("stored_events", _FACTS), key=itemgetter(0)):
        there = list(of_stream)
        found.extend(_of_a_stream(key, there, examination, None if rehearsal else latest))
        streams, seen = streams + 1, seen + len(there)
        if watch and streams % 100 == 0:
            watch(seen, facts)
    found.extend(examination.of_all())
    if twice := examination.ids.twice():
        found.extend(_of_ids_used_twice(held("stored_events", _FACTS), twice))
    last = max((each for (each,) in held("stored_events", _LAST_POSITION) if each), default=0)
    attempts = 0
    for row in held("refused_attempts", _ATTEMPTS):
        attempts += 1
        found.extend(examination.of_an_attempt(row, last))
    for number, *counts in held("counted_attempts", _COUNTS):
        if not all(isinstance(count, int) and count > 0 for count in counts):
            found.append(Finding("odd_row", f"count {number} of refused attempts"))
    return Health(layout, facts, streams, attempts, tuple(found), rehearsal)


_FACTS: Final = (
    "SELECT originator_id, originator_version, topic, state, notification_id "
    "FROM stored_events ORDER BY originator_id, originator_version"
)


_LAST_POSITION: Final = "SELECT MAX(notification_id) FROM stored_events"


_ATTEMPTS: Final = (
    "SELECT attempt_id, position, stream, actor, hour, state "
    "FROM refused_attempts ORDER BY attempt_id"
)


_COUNTS: Final = "SELECT number, attempts, changed FROM counted_attempts ORDER BY number"


_NUMBERED: Final = {"stored_events": "notification_id", "refused_attempts": "attempt_id"}


def _of_numbers(store: Inspected, table: str, column: str) -> Iterator[Finding]:
    """Numbers that are missing, and those that would be given a second time.

    SQLite takes a number back with its transaction; PostgreSQL does not, so there nothing can
    be told from a number that is missing.
    """
    ((greatest,),) = store.each(f"SELECT COALESCE(MAX({column}), 0) FROM {table}")
    last = store.last_number(table, column)
    if last < greatest:
        yield Finding("number_behind", f"{last} after {greatest} of {table}")
    if store.has_gaps:
        return
    gaps = store.each(
        f"SELECT earlier + 1, number - 1 FROM (SELECT {column} AS number, "
        f"LAG({column}, 1, 0) OVER (ORDER BY {column}) AS earlier FROM {table} WHERE {column} > 0) "
        "WHERE number > earlier + 1"
    )
    for first, final in [*gaps, (greatest + 1, last)]:
        if first <= final:
            yield Finding("number_missing", f"{first} to {final} of {table}")


def _of_a_stream(
    key: Any, rows: list[tuple[Any, ...]], examination: Examination, latest: datetime | None
) -> Iterator[Finding]:
    """What is wrong in one stream: a gap, an event that does not read, time that runs back.

    The first stamp after the latest that there can be tells of all that follow.
    """
    facts: list[tuple[events.Event, str]] = []
    position = 0
    for place, (_, version, topic, state, taken) in enumerate(rows, start=1):
        where = f"event {version} of stream {key}"
        if version != place:
            examination.is_partial = True
            yield Finding("gap", where)
            break
        try:
            event = from_row(stream_of(key), version, topic, state)
        except (UnreadableEvent, ValueError, AttributeError) as error:
            examination.is_partial = True
            yield Finding("unreadable", str(error))
            break
        if not is_as_written((key, version, topic, state, taken)):
            yield Finding("odd_row", where)
        if facts and event.recorded_at < facts[-1][0].recorded_at:
            yield Finding("stamp_runs_back", where)
        if latest is not None and event.recorded_at > latest:
            yield Finding("stamp_in_the_future", f"{where}: {event.recorded_at}")
            latest = None
        if taken <= position:
            yield Finding("taken_out_of_order", where)
        if isinstance(event, events.EditionAdopted | events.BenefitsAdopted):
            yield from _of_an_edition(event, where, examination.editions)
        facts.append((event, where))
        position = taken
    else:
        if facts and facts[-1][0].goes_on:
            yield Finding("torn_transaction", f"stream {key}")
    yield from examination.of_a_stream(facts)


def _of_ids_used_twice(rows: Iterator[tuple[Any, ...]], twice: set[int]) -> Iterator[Finding]:
    """The events whose ids were used before, read once more."""
    seen: set[UUID] = set()
    for key, version, topic, state, _ in rows:
        try:
            event_id = from_row(stream_of(key), version, topic, state).event_id
        except (UnreadableEvent, ValueError, AttributeError):
            continue
        if event_id.int >> 64 in twice:
            if event_id in seen:
                yield Finding("id_used_twice", f"event {version} of stream {key}")
            seen.add(event_id)


def _of_an_edition(
    used: events.EditionAdopted | events.BenefitsAdopted, where: str, editions: Editions
) -> Iterator[Finding]:
    try:
        if is_altered(used, editions):
            yield Finding("edition_altered", where)
    except UnknownEdition:
        yield Finding("edition_missing", where)
