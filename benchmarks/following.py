"""A projection kept up with the facts, against the stock runner of the library."""

from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

from eventsourcing.persistence import Tracking, TrackingRecorder
from eventsourcing.postgres import PostgresTrackingRecorder
from eventsourcing.projection import Projection, ProjectionRunner
from eventsourcing.sqlite import SQLiteTrackingRecorder
from many import prepared, stock_environment
from measured import Row, rate, timed, told
from peer import StockApplication, stock_student
from pgserver import Server
from psycopg.sql import SQL
from subject import facts_of, fill

from yibao.adapters.store.connections.sql import Sql
from yibao.adapters.store.facts import FactStore, open_store

BATCH = 2000

CREATE = (
    "CREATE TABLE tally (day TEXT NOT NULL, kind TEXT NOT NULL, facts BIGINT NOT NULL, "
    "PRIMARY KEY (day, kind))",
    "CREATE TABLE followed (position BIGINT NOT NULL)",
    "INSERT INTO followed VALUES (0)",
)
ADD = (
    "INSERT INTO tally VALUES (?, ?, ?) "
    "ON CONFLICT (day, kind) DO UPDATE SET facts = tally.facts + excluded.facts"
)


def keep_up(facts: FactStore, view: Any) -> int:
    """How many facts of each kind happened on each day, batch by batch, each in a transaction."""
    until, taken_in = facts.reached().position, 0
    while True:
        with view.writing([]) as sql:
            batch = _next_batch(facts, sql, until)
        if not batch:
            return taken_in
        taken_in += batch


def _next_batch(facts: FactStore, sql: Sql, until: int) -> int:
    ((position,),) = sql.rows("SELECT position FROM followed")
    found = facts.feed(position, until, BATCH)
    tally = Counter((f"{each.event.occurred_at:%Y-%m-%d}", each.event.name) for each in found)
    for (day, kind), count in tally.items():
        sql.run(ADD, (day, kind, count))
    if found:
        sql.run("UPDATE followed SET position=?", (found[-1].position,))
    return len(found)


class StockTally(Projection[Any]):
    """The same by the library: an event a transaction, with its tracking."""

    name = "tally"
    topics = ()

    def process_event(self, domain_event: Any, tracking: Tracking) -> None:
        day = f"{domain_event.timestamp:%Y-%m-%d}"
        self.view.count(day, type(domain_event).__name__, tracking)


class SqliteTally(SQLiteTrackingRecorder):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.create_table_statements.append(CREATE[0].replace("TABLE", "TABLE IF NOT EXISTS"))

    def count(self, day: str, kind: str, tracking: Tracking) -> None:
        with self.datastore.transaction(commit=True) as c:
            c.execute(ADD, (day, kind, 1))
            self._insert_tracking(c, tracking)


class PostgresTally(PostgresTrackingRecorder):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.sql_create_statements.append(
            SQL(CREATE[0].replace("TABLE", "TABLE IF NOT EXISTS")).format()
        )

    def count(self, day: str, kind: str, tracking: Tracking) -> None:
        with self.datastore.transaction(commit=True) as c:
            c.execute(ADD.replace("?", "%s"), (day, kind, 1), prepare=True)
            self._insert_tracking(c, tracking)


def following(folder: Path, server: Server, students: int, stock_students: int) -> Iterator[Row]:
    """Facts a second taken in, on both stores."""
    url = server.database(prepared(server))
    places = (
        ("SQLite", f"sqlite:///{folder / 'followed.db'}", f"sqlite:///{folder / 'view.db'}", "15"),
        ("PostgreSQL", url, url, "30"),
    )
    for where, facts_at, view_at, aim in places:
        with closing(open_store(facts_at)) as facts, closing(open_store(view_at)) as view:
            fill(facts, students)
            database: Any = view.recorder
            with database.writing([]) as sql:
                for statement in CREATE:
                    sql.run(statement)
            with timed() as taken:
                count = keep_up(facts, database)
        ours, theirs = rate(count, taken[0]), _stock(folder, server, where, stock_students)
        yield Row(
            f"{where}, a projection takes in facts",
            told(ours),
            "stock ProjectionRunner",
            told(theirs),
            ours / theirs,
            aim,
        )


def _stock(folder: Path, server: Server, where: str, students: int) -> float:
    """Facts a second that the stock runner takes in, all of them there when it begins."""
    url = server.database()
    env = stock_environment(url)
    application_class: type[StockApplication] = StockApplication
    view_class: type[TrackingRecorder] = PostgresTally
    if where == "SQLite":
        # There are no subscriptions on SQLite: the facts come from memory, the view is a file.
        env = {"TALLY_PERSISTENCE_MODULE": "eventsourcing.sqlite"}
        env["TALLY_SQLITE_DBNAME"] = str(folder / "stock-view.db")
        application_class, view_class = _in_memory(), SqliteTally
    with closing(application_class(env)) as application:
        for number in range(students):
            application.save(stock_student(facts_of(number)))
        last = application.recorder.max_notification_id()
    assert last is not None
    with (
        timed() as taken,
        ProjectionRunner(
            application_class=application_class,
            projection_class=StockTally,
            view_class=view_class,
            env=env,
        ) as runner,
    ):
        runner.wait(last, timeout=300)
    return rate(last, taken[0])


def _in_memory() -> type[StockApplication]:
    """Applications that share one recorder in memory."""
    shared = StockApplication().recorder

    class InMemory(StockApplication):
        name = "stock"

        def construct_recorder(self) -> Any:
            return shared

    return InMemory
