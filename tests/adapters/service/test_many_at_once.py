"""Eight who write at once, and one who follows: nothing missed, repeated or out of order."""

import threading
import time
from collections import defaultdict
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager, nullcontext
from datetime import datetime
from pathlib import Path
from typing import Any, cast
from uuid import UUID, uuid4

import psycopg
import pytest
from eventsourcing.persistence import ApplicationRecorder, StoredEvent
from eventsourcing.postgres import PostgresApplicationRecorder, PostgresDatastore
from pgserver import CARELESS, PORT, Server
from psycopg.conninfo import conninfo_to_dict

from yibao.adapters.service.service import Service, open_service
from yibao.adapters.store import migrations
from yibao.adapters.store.connections.sql import stream_of
from yibao.adapters.store.facts import FactStore, open_store
from yibao.adapters.store.postgres.recorder import PostgresRecorder
from yibao.adapters.store.urls import is_postgres
from yibao.domain.calendar import read_instant
from yibao.domain.vocabulary import edition_stream
from yibao.projections.answer import Answer

from ..helpers.stores import lasting, rows
from ..helpers.writers import Nursery, Step, Writer, filing, registration, together, told
from .test_crowds import ADA, REF, expecting, one_wins_each_round

WRITERS = 8
NOON = read_instant("2025-09-20 12:00")


@pytest.fixture
def nursery(tmp_path: Path) -> Iterator[Nursery]:
    with Nursery(tmp_path, preload=["yibao.adapters.store.postgres.recorder"]) as nursery:
        yield nursery


def autumn(writer: int, steps: int) -> list[Step]:
    """A student's registration, then small transactions; every fifth step is refused."""
    ref = f"s-{writer}"
    begun = Step(ref, [registration(ref, f"w{writer}")])
    return [begun] + [
        Step(ref, [registration(ref, f"w{writer}.{number}", reason=f"try-{number}")])
        if number % 5 == 4
        else Step(ref, [filing(f"w{writer}.{number}.{place}") for place in range(1 + number % 3)])
        for number in range(steps)
    ]


class Follower:
    """Reads on from where it was, as far as the store is final by then."""

    def __init__(self, store: FactStore) -> None:
        self.store = store
        self.facts: list[tuple[int, UUID]] = []
        self.attempts: list[int] = []
        self.position = self.attempt = 0

    def follow(self) -> None:
        reached = self.store.reached()
        while taken := self.store.taken(self.position, reached.position, 7):
            self.facts += [(each.position, each.stream) for each in taken]
            self.position = taken[-1].position
        while kept := self.store.attempts_between(self.attempt, reached.attempt, 7):
            self.attempts += [each.attempt_id for each in kept]
            self.attempt = kept[-1].attempt_id
        self.position, self.attempt = reached[:2]


@lasting
def test_whoever_follows_eight_writers_on_eight_students_misses_and_repeats_nothing(
    nursery: Nursery, url: str
) -> None:
    plans = [autumn(writer, 40) for writer in range(WRITERS)]
    with closing(open_store(url)) as store:
        follower = Follower(store)
        writers = [nursery.bear(url, plan, gate="open") for plan in plans]
        nursery.open_gate()
        before_the_end = 0
        while not have_told(writers, plans):
            before_the_end = len(follower.facts)
            follower.follow()
        assert [nursery.end_of(writer) for writer in writers] == [0] * WRITERS
        follower.follow()
    assert before_the_end, "it followed nobody who was still writing"
    assert not any(answer.failed for writer in writers for answer in writer.told())
    found = rows(
        url,
        "SELECT notification_id, originator_id, originator_version "
        "FROM stored_events ORDER BY notification_id",
    )
    assert follower.facts == [(position, stream_of(key)) for position, key, _ in found]
    attempts = rows(url, "SELECT attempt_id FROM refused_attempts ORDER BY attempt_id")
    assert [(number,) for number in follower.attempts] == attempts
    assert len(attempts) == WRITERS * 8
    versions: dict[UUID, list[int]] = defaultdict(list)
    for _, key, version in found:
        versions[stream_of(key)].append(version)
    # Eight students, and the edition that the first of them adopted.
    assert sorted(map(len, versions.values())) == [1, *[accepted(plans[0])] * WRITERS]
    assert all(each == list(range(1, len(each) + 1)) for each in versions.values())


def have_told(writers: Sequence[Writer], plans: Sequence[Sequence[Step]]) -> bool:
    return all(len(w.told()) == len(plan) for w, plan in zip(writers, plans, strict=True))


def accepted(plan: Sequence[Step]) -> int:
    return 1 + sum(len(step.asked) for step in plan if step.asked[0][0] != "register")


@lasting
def test_of_eight_writers_that_expect_the_same_version_one_wins_each(
    nursery: Nursery, url: str
) -> None:
    with open_service(url) as service:
        assert told(service, Step(REF, [registration(REF, "registration")])).versions == [1]
        one_wins_each_round(nursery.race(url, [expecting(racer, 15) for racer in range(WRITERS)]))
        assert [e.originator_version for e in service.facts(ADA)] == list(range(1, 17))


@lasting
def test_the_clock_is_read_when_nobody_else_can_record_any_more(url: str) -> None:
    """Or else a fact judged on what others record is stamped before it."""
    read = threading.Event()

    def clock() -> datetime:
        read.set()
        return NOON

    with open_service(url, clock=clock) as service, closing(open_store(url)) as store:
        told(service, Step(REF, [registration(REF, "registration")]))
        read.clear()
        with ThreadPoolExecutor() as pool:
            with store.transaction(everybody=True) as bureau:
                bureau.read(edition_stream("shanghai-2025"))
                waiting = pool.submit(service.declare_roster, ADA, at="2025-09-02 10:00")
                was_early = read.wait(0.5)
            assert waiting.result().version == 2
        assert not was_early


@lasting
def test_of_one_actor_no_more_attempts_are_kept_however_many_are_refused_at_once(url: str) -> None:
    def attempt(number: int) -> Callable[[], str | None]:
        step = Step(f"s-{number}", [filing(f"f{number}", by="clerk")])
        return lambda: told(service, step).refused

    with open_service(url, attempts_kept=3, clock=lambda: NOON) as service:
        with ThreadPoolExecutor() as pool, held_up(url, "refused_attempts", WRITERS):
            asked = pool.submit(together, [attempt(each) for each in range(WRITERS)])
        assert asked.result() == ["not_registered"] * WRITERS
    assert rows(url, "SELECT COUNT(*) FROM refused_attempts") == [(3,)]
    assert rows(url, "SELECT SUM(attempts) FROM counted_attempts") == [(WRITERS - 3,)]


@contextmanager
def held_up(url: str, table: str, number: int) -> Iterator[None]:
    """Lets others read a table, and insert only once so many of them wait to.

    In SQLite whoever writes has been waiting since before reading.
    """
    if not is_postgres(url):
        yield
        return
    with psycopg.connect(url, options="-c search_path=yibao") as connection:
        connection.execute(f"LOCK TABLE {table} IN EXCLUSIVE MODE".encode())
        yield
        waiting = "SELECT COUNT(DISTINCT pid) FROM pg_locks WHERE NOT granted"
        for _ in range(1000):
            if rows(url, waiting) == [(number,)]:
                return
            time.sleep(0.01)
        raise AssertionError(f"there are not {number} who wait")


@lasting
def test_everyone_is_answered_for_in_more_places_than_there_are_connections(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {"POOL_MAX": "2", "RETRY_FOR": "0"}.items():
        monkeypatch.setenv(f"YIBAO_{name}", value)
    monkeypatch.setattr("yibao.adapters.store.postgres.connections.POOL_PATIENCE", 0.3)
    with open_service(url, clock=lambda: NOON) as service:
        told(service, Step(REF, [registration(REF, "registration")]))
        with ExitStack() as begun:
            every = [begun.enter_context(answering(service)) for _ in range(20)]
            first = next(every[0])
            assert [next(each) for each in every[1:]] == [first] * 19
            assert told(service, Step(REF, [filing("filing")])).versions == [2]
            assert service.at(ADA).version == 2


def answering(service: Service) -> "closing[Generator[Answer]]":
    """Answers for everyone, and the end of it also where they were not all asked for."""
    return closing(cast("Generator[Answer]", service.everyone("2025-09-20 12:00")))


def test_what_is_recorded_after_a_crash_is_past_all_that_a_follower_was_told() -> None:
    """A number that no commit has brought to the disk is given once more by the next start."""
    in_memory = {**CARELESS, "wal_writer_delay": "10s"}
    with Server(in_memory) as server:
        url = server.url()
        migrations.upgrade_postgres(lambda: psycopg.connect(url), url)
        with closing(open_store(url)) as store:
            store.recorder.insert_events([event(uuid4(), 1)])
            with psycopg.connect(url) as connection:
                connection.execute("SELECT pg_switch_wal()")
                connection.execute(
                    "SELECT nextval('yibao.stored_events_notification_id_seq') "
                    "FROM generate_series(1, 100)"
                )
                connection.rollback()
            follower = Follower(store)
            follower.follow()
        server.stop("immediate")
        server.start()
        with closing(open_store(url)) as store:
            recorded = store.recorder.insert_events([event(uuid4(), 1)])
            follower.store = store
            follower.follow()
        assert recorded == [follower.facts[-1][0]]
        assert len(follower.facts) == 2


# The library's own way of inserting, and ours


def event(stream: UUID, version: int) -> StoredEvent:
    return StoredEvent(stream, version, "filed", b"{}")


def written(recorder: ApplicationRecorder, events: int) -> Callable[[], None]:
    """Writes a stream of its own, an event at a time."""

    def write() -> None:
        stream = uuid4()
        for version in range(1, events + 1):
            recorder.insert_events([event(stream, version)])

    return write


class Tail:
    """A reader that goes on after the last notification it was given."""

    def __init__(self, recorder: ApplicationRecorder) -> None:
        self.recorder = recorder
        self.seen: list[int] = []

    def follow(self) -> None:
        last = self.seen[-1] if self.seen else 0
        while found := self.recorder.select_notifications(last, 10, inclusive_of_start=False):
            self.seen += [each.id for each in found]
            last = self.seen[-1]


def followed(
    recorder: ApplicationRecorder, reader: ApplicationRecorder, slow: AbstractContextManager[Any]
) -> tuple[list[int], list[int]]:
    """What a reader is given while eight write beside a slow transaction, and what there is."""
    tail, everything = Tail(reader), Tail(reader)
    with ThreadPoolExecutor() as pool:
        with slow:
            writing = pool.submit(together, [written(recorder, 20)] * WRITERS)
            while not writing.done():
                tail.follow()
            writing.result()
            tail.follow()
        tail.follow()
    everything.follow()
    return tail.seen, everything.seen


@contextmanager
def slow_function(recorder: PostgresApplicationRecorder) -> Iterator[None]:
    """The library's function, called in a transaction that has not ended yet."""
    stored = recorder.construct_pg_stored_event(uuid4(), 1, "filed", b"{}")
    with recorder.datastore.get_connection() as connection, connection.transaction():
        connection.execute(recorder.sql_invoke_pg_function_insert_events, ([stored],))
        yield


@contextmanager
def slow_transaction(recorder: PostgresRecorder) -> Iterator[None]:
    """The same with ours."""
    stream = uuid4()
    with recorder.writing([stream], many=True) as sql:
        recorder.append(sql, [event(stream, 1)])
        yield


@contextmanager
def stock(url: str) -> Iterator[PostgresApplicationRecorder]:
    """The library's recorder, told to insert by its function."""
    where = conninfo_to_dict(url)
    with closing(
        PostgresDatastore(
            dbname=str(where["dbname"]),
            host=str(where["host"]),
            port=PORT,
            user=str(where["user"]),
            password="",
            pool_size=WRITERS + 2,
            enable_db_functions=True,
        )
    ) as datastore:
        datastore.pool.open()
        recorder = PostgresApplicationRecorder(datastore)
        recorder.create_table()
        yield recorder


def functions(url: str) -> list[str]:
    """What there is in a database beside what PostgreSQL brings."""
    found = rows(
        url,
        "SELECT proname FROM pg_proc JOIN pg_namespace n ON n.oid = pronamespace "
        "WHERE nspname NOT IN ('pg_catalog', 'information_schema')",
    )
    return [name for (name,) in found]


def test_the_library_s_function_mode_loses_events_and_is_forbidden(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in TOLD_TO.items():
        monkeypatch.setenv(name, value)
    with closing(open_store(postgres_url)) as store, closing(open_store(postgres_url)) as other:
        assert isinstance(store.recorder, PostgresRecorder)
        for slow in (nullcontext(), slow_transaction(store.recorder)):
            seen, there = followed(store.recorder, other.recorder, slow)
            assert seen == there
        assert len(there) == 2 * WRITERS * 20 + 1
    assert functions(postgres_url) == []
    with stock(postgres_url) as recorder:
        seen, there = followed(recorder, recorder, slow_function(recorder))
        # It took the first position and was the last to end: whoever follows has gone by, and
        # may have missed others, too.
        assert there[0] == 1
        assert 1 not in seen
        assert set(seen) < set(there)
        assert len(there) == WRITERS * 20 + 1
    assert functions(postgres_url) == ["es_insert_events_uuid"]


#: What tells the library to insert by its function, in a process's environment.
TOLD_TO = {
    "PERSISTENCE_MODULE": "eventsourcing.postgres",
    "POSTGRES_ENABLE_DB_FUNCTIONS": "y",
    "YIBAO_POSTGRES_ENABLE_DB_FUNCTIONS": "y",
    "POSTGRES_SCHEMA": "public",
    "CREATE_TABLE": "y",
}
