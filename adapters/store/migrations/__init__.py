"""The layouts of a store, one after the other, by Alembic.

A SQLite file is created at the newest layout, and an older one is brought there when it is
opened. A PostgreSQL database is created and brought there by whoever owns it, with `yibao db`.
Facts are never rewritten by a migration: their shapes are for ever, and read as they are.
"""

import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from yibao.adapters.store.errors import StoreError
from yibao.adapters.store.files import EVERY_TABLE, LOCK_TIMEOUT, looked_at
from yibao.domain.facts.events import EVENTS

if TYPE_CHECKING:
    import sqlalchemy

#: Every layout there has been. Before they were numbered, there was the first; PostgreSQL came
#: with the third.
LAYOUTS: Final = ("0001", "0002", "0003")
UNNUMBERED, HEAD = LAYOUTS[0], LAYOUTS[-1]

_SCRIPTS: Final = Path(__file__).parent

#: Where the layout is noted, as Alembic has it.
CREATE_VERSION_TABLE: Final = (
    "CREATE TABLE IF NOT EXISTS alembic_version (version_num VARCHAR(32) NOT NULL, "
    "CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num))"
)

#: Whoever creates or migrates in one database takes turns by this advisory lock.
_TURN: Final = 0x7969_6261_6F00_0002

#: The columns of the facts from the second layout on; before they were as the library has them.
_FACTS: Final = ("notification_id", "originator_id", "originator_version", "topic", "state")


def layout_found(path: str) -> str | None:
    """The layout of the store in a file, None where there is nothing in it; only by looking.

    Raises StoreError for what is no store of ours.
    """

    def look(connection: sqlite3.Connection) -> str:
        if layout := layout_in(connection, path):
            return layout
        raise StoreError(f"{path!r} is no store of yibao: it is marked as another program's")

    try:
        return looked_at(path, look)
    except (OSError, sqlite3.DatabaseError) as error:
        told = getattr(error, "strerror", None) or error
        raise StoreError(f"{path!r} is no store of yibao: {told}") from error


def layout_in(connection: sqlite3.Connection, path: str) -> str | None:
    """The layout of the store that a connection leads to, None where there is nothing.

    A table of the facts is not enough: any application of the event-sourcing library has one.
    Raises StoreError for what is no store of ours.
    """
    tables = {str(name) for (name,) in connection.execute(EVERY_TABLE)}
    if not tables:
        return None
    columns = tuple(name for (name,) in connection.execute(_COLUMNS))
    if set(_FACTS) <= set(columns) and "alembic_version" in tables:
        numbered = connection.execute("SELECT version_num FROM alembic_version").fetchone()
        return str(numbered[0]) if numbered else UNNUMBERED
    if columns == _FACTS[1:] and tables <= {"stored_events", "alembic_version"}:
        topics = {topic for (topic,) in connection.execute(_TOPICS)}
        if topics and topics <= EVENTS.keys():
            return UNNUMBERED
    raise StoreError(f"{path!r} is no store of yibao: it holds {min(tables)!r}")


def newer(layout: str) -> StoreError:
    return StoreError(f"the store's layout is {layout!r}: a newer yibao has written it")


_COLUMNS: Final = "SELECT name FROM pragma_table_info('stored_events')"
_TOPICS: Final = "SELECT DISTINCT topic FROM stored_events"


def upgrade(database: str) -> None:
    """Brings an older file to the newest layout in one transaction, whoever else tries to.

    Raises StoreError where that fails; the store then is as it was.
    """

    def begin(connection: "sqlalchemy.Connection") -> str | None:
        from alembic.migration import MigrationContext

        connection.exec_driver_sql("BEGIN IMMEDIATE")
        numbered = MigrationContext.configure(connection).get_current_heads()
        return None if numbered else UNNUMBERED

    _upgrade("sqlite://", lambda: _connected(database), repr(database), _SCRIPTS, begin)


def upgrade_postgres(connect: Callable[[], Any], where: str, *, rehearsal: bool = False) -> None:
    """Creates the store in a PostgreSQL database, or brings it to the newest layout.

    One that is created is marked as a rehearsal store where that is asked for. All in one
    transaction. Raises StoreError where that fails; all then is as it was.
    """

    def begin(connection: "sqlalchemy.Connection") -> str | None:
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_TURN})")
        connection.exec_driver_sql("CREATE SCHEMA IF NOT EXISTS yibao")
        there = "SELECT to_regclass('yibao.alembic_version') IS NOT NULL"
        if rehearsal and not connection.exec_driver_sql(there).scalar():
            connection.exec_driver_sql("CREATE TABLE yibao.rehearsal (mark text)")
        return None

    _upgrade("postgresql+psycopg://", connect, where, _SCRIPTS / "postgres", begin)


def _upgrade(
    dialect: str,
    connect: Callable[[], Any],
    where: str,
    scripts: Path,
    begin: "Callable[[sqlalchemy.Connection], str | None]",
) -> None:
    import sqlalchemy
    import sqlalchemy.exc
    from alembic import command
    from alembic.config import Config
    from alembic.util import CommandError

    config = Config()
    config.set_main_option("script_location", str(scripts))
    engine = sqlalchemy.create_engine(dialect, creator=connect, poolclass=sqlalchemy.pool.NullPool)
    try:
        with engine.connect() as connection:
            unnumbered = begin(connection)
            config.attributes["connection"] = connection
            if unnumbered is not None:
                command.stamp(config, unnumbered)
            command.upgrade(config, "head")
            connection.commit()
    except (sqlalchemy.exc.SQLAlchemyError, CommandError) as error:
        # What the driver said, without the statement and the advice that SQLAlchemy adds.
        reason = str(getattr(error, "orig", None) or error).partition("\n")[0]
        told = f"the store {where} could not be brought to layout {HEAD}: {reason}"
        raise StoreError(told) from error


def _connected(database: str) -> sqlite3.Connection:
    return sqlite3.connect(database, uri=True, timeout=LOCK_TIMEOUT, isolation_level=None)
