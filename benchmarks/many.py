"""Eight writers at once on PostgreSQL: through the service, the recorder alone, bare, and stock."""

import multiprocessing
import statistics
import time
from collections.abc import Callable, Iterator
from multiprocessing.synchronize import Barrier
from typing import Any
from uuid import UUID

import psycopg
from measured import ROUNDS, Row, in_turn, told
from peer import StockApplication, stock_student
from pgserver import Server
from psycopg.conninfo import conninfo_to_dict
from subject import NOON, POLICY, facts_of

from yibao.adapters.service.commands import BATCH
from yibao.adapters.service.service import open_service
from yibao.adapters.store.facts import open_store
from yibao.adapters.store.postgres.settings import StoreSettings
from yibao.adapters.store.tables.mapping import FactMapper
from yibao.adapters.upkeep import creating as upkeep
from yibao.domain.facts.commands import Command
from yibao.domain.vocabulary import EnrollmentId

WRITERS = 8
SETTINGS = StoreSettings(pool_min=2, pool_max=2)

INSERT = (
    "INSERT INTO yibao.stored_events (originator_id, originator_version, topic, state) "
    "VALUES (%s, %s, %s, %s)"
)

#: A writer makes ready, and then records so many facts one by one.
Write = Callable[[int], None]


def through_the_service(url: str, lane: int, students: range) -> Write:
    service = open_service(url, clock=lambda: NOON, settings=SETTINGS)

    def write(number: int) -> None:
        service.register(
            f"w-{lane}-{number}",
            at=NOON,
            policy=POLICY,
            on="2025-09-01",
            school="sjtu",
            category="undergraduate",
            document="passport",
        )

    return write


def by_the_recorder(url: str, lane: int, students: range) -> Write:
    rows = {number: FactMapper().to_stored_event(facts_of(number)[0]) for number in students}
    store = open_store(url, SETTINGS)
    return lambda number: void(store.recorder.insert_events([rows[number]]))


def bare(url: str, lane: int, students: range) -> Write:
    rows = {number: FactMapper().to_stored_event(facts_of(number)[0]) for number in students}
    connection = psycopg.connect(url, autocommit=True)

    def write(number: int) -> None:
        row = rows[number]
        connection.execute(
            INSERT, (row.originator_id, row.originator_version, row.topic, row.state)
        )

    return write


def stock_recorder(url: str, lane: int, students: range) -> Write:
    rows = {number: FactMapper().to_stored_event(facts_of(number)[0]) for number in students}
    application = stock_application(url)
    return lambda number: void(application.recorder.insert_events([rows[number]]))


def stock_service(url: str, lane: int, students: range) -> Write:
    """The stock way as its documentation shows it: an aggregate, made and saved."""
    facts = {number: facts_of(number)[:1] for number in students}
    application = stock_application(url)
    return lambda number: void(application.save(stock_student(facts[number])))


def stock_application(url: str) -> StockApplication:
    """One in a database that has its tables already: eight who create them at once fail."""
    return StockApplication({**stock_environment(url), "CREATE_TABLE": "no"})


def stock_environment(url: str) -> dict[str, str]:
    """How the stock library is told of a database."""
    given = conninfo_to_dict(url)
    return {
        "PERSISTENCE_MODULE": "eventsourcing.postgres",
        "POSTGRES_DBNAME": str(given["dbname"]),
        "POSTGRES_HOST": str(given["host"]),
        "POSTGRES_PORT": "5432",
        "POSTGRES_USER": str(given["user"]),
        "POSTGRES_PASSWORD": "none",
        "POSTGRES_POOL_SIZE": "2",
    }


def void(_: object) -> None:
    """For expressions."""


def _write(
    make: Callable[[str, int, range], Write],
    url: str,
    lane: int,
    students: range,
    barrier: Barrier,
    results: Any,
) -> None:
    write = make(url, lane, students)
    barrier.wait()
    began = time.monotonic()
    for number in students:
        write(number)
    results.put((began, time.monotonic()))
    barrier.wait()


def raced(make: Callable[[str, int, range], Write], url: str, each: int, first: int) -> float:
    """Facts a second of eight writers who begin together, until the last has done."""
    context = multiprocessing.get_context("spawn")
    barrier, results = context.Barrier(WRITERS), context.Queue()
    children = [
        context.Process(
            target=_write,
            args=(
                make,
                url,
                lane + first,
                range(first + lane * each, first + (lane + 1) * each),
                barrier,
                results,
            ),
        )
        for lane in range(WRITERS)
    ]
    for child in children:
        child.start()
    times = [results.get(timeout=120) for _ in children]
    for child in children:
        child.join()
    return WRITERS * each / (max(end for _, end in times) - min(began for began, _ in times))


def many_at_once(server: Server, each: int, rounds: int = 3) -> Iterator[Row]:
    """One fact a commit, by eight processes; the ratio is the median of those of the rounds."""
    place = prepared(server)
    ours = server.database(place)
    stock = server.database()
    StockApplication(stock_environment(stock)).close()
    contests = [
        ("through the service", through_the_service, ours, "bare INSERTs", bare, ours, "report"),
        (
            "through the service",
            through_the_service,
            ours,
            "stock save()",
            stock_service,
            stock,
            "1",
        ),
        ("the recorder alone", by_the_recorder, ours, "bare INSERTs", bare, ours, "report"),
        ("the recorder alone", by_the_recorder, ours, "stock recorder", stock_recorder, stock, "1"),
    ]
    first = 0
    for what, mine, my_url, against, theirs, their_url, aim in contests:
        pairs = []
        for _ in range(rounds):
            pair = []
            for make, url in ((mine, my_url), (theirs, their_url)):
                pair.append(raced(make, url, each, first))
                first += WRITERS * each
            pairs.append(pair)
        yield Row(
            f"PostgreSQL, {WRITERS} writers, {what}",
            told(statistics.median(a for a, _ in pairs)),
            f"PostgreSQL, {WRITERS} writers: {against}",
            told(statistics.median(b for _, b in pairs)),
            statistics.median(a / b for a, b in pairs),
            aim,
        )


def prepared(server: Server) -> str:
    """The name of a database with an empty store, to copy from."""
    url = server.database()
    upkeep.init(url)
    with open_service(url, clock=lambda: NOON, settings=SETTINGS) as service:
        service.fix_window(POLICY, at=NOON, opens_on="2025-09-05")
    return str(conninfo_to_dict(url)["dbname"])


def bulk_on_postgres(
    server: Server, plans: list[list[tuple[EnrollmentId, Command]]]
) -> Iterator[Row]:
    """A school's roster registered, declared and confirmed in one call, against COPY."""
    url = server.database(prepared(server))
    service = open_service(url, clock=lambda: NOON, settings=SETTINGS)
    numbers, lanes = iter(range(ROUNDS)), iter(range(ROUNDS))
    connection = psycopg.connect(url)
    states = [(e.name, e.model_dump_json(exclude_none=True).encode()) for e in facts_of(1)[:3]]

    def ours() -> int:
        return len(service.record_each(plans[next(numbers)]))

    def copied() -> int:
        lane, count = next(lanes), len(plans[0])
        rows = [
            (UUID(int=(lane + 1) << 64 | place // 3), place % 3 + 1, *states[place % 3])
            for place in range(count)
        ]
        for begin in range(0, count, BATCH):
            with connection.cursor().copy(
                "COPY yibao.stored_events (originator_id, originator_version, topic, state) "
                "FROM STDIN (FORMAT BINARY)"
            ) as copy:
                copy.set_types(("uuid", "int8", "text", "bytea"))
                for row in rows[begin : begin + BATCH]:
                    copy.write_row(row)
            connection.commit()
        return count

    mine, theirs, ratio = in_turn(ours, copied)
    service.close()
    connection.close()
    yield Row(
        f"PostgreSQL, a roster of {len(plans[0]) // 3:,}: three commands each, judged",
        told(mine),
        "COPY",
        told(theirs),
        ratio,
        "0.2",
    )
