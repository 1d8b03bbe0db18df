"""The people in a schema of their own of a PostgreSQL database, which may be that of the facts.

Its log (WAL), its base backups and its standbys are the server's: what was deleted stays there as
long as the server keeps them, sealed under a key that is nowhere any more.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Final

import psycopg
from eventsourcing.persistence import PersistenceError

from yibao.adapters.office.directory.tables import SCHEMA, TOLD
from yibao.adapters.store import StoreError
from yibao.adapters.store.postgres import (
    Connections,
    PostgresSql,
    conninfo,
    failure,
    settings_here,
)


class PostgresSchema:
    """The schema of a directory, made with its tables where there is none; or one that is there."""

    def __init__(self, url: str, told: str, tables: Sequence[str], schema: str = SCHEMA) -> None:
        self._told = told
        self.prefix = f"{schema}."
        names = [each.format(prefix=self.prefix).split()[5] for each in tables]
        with self._clear_errors():
            self._connections = Connections(url, settings_here())
        with self.reading() as sql:
            found = sql.rows("SELECT to_regclass(name) FROM unnest(?::text[]) AS name", (names,))
            there = all(name for (name,) in found)
        if not there and schema != SCHEMA:
            self.close()
            raise StoreError("the accesses have no table yet: `yibao db migrate` adds it")
        if not there:
            with self.writing() as sql:
                sql.run(f"CREATE SCHEMA IF NOT EXISTS {schema}")
                for statement in tables:
                    sql.run(_for_postgres(statement.format(prefix=self.prefix)))
                # What the server gathers of a column to plan by would hold some of its values.
                for column in ("lookup", "sealed"):
                    sql.run(f"ALTER TABLE {self.prefix}people ALTER {column} SET STATISTICS 0")

    @contextmanager
    def reading(self) -> Iterator[PostgresSql]:
        with self._clear_errors(), self._connections.lend() as connection:
            yield PostgresSql(connection)

    @contextmanager
    def writing(self) -> Iterator[PostgresSql]:
        with self._clear_errors(), self._connections.lend() as connection, connection.transaction():
            yield PostgresSql(connection)

    def check_may_forget(self) -> None:
        """To others than its owner PostgreSQL only warns that a table is not written anew."""
        with self.reading() as sql:
            for (owner,) in sql.rows(_OF_ANOTHER, [f"{self.prefix}people"]):
                raise StoreError(
                    f"the directory belongs to {owner}, who alone can have it written anew"
                )

    def leave_no_trace(self) -> bool:
        """Has the server write the table anew, into other files."""
        with self._clear_errors(), self._connections.lend() as connection:
            PostgresSql(connection).run(f"VACUUM (FULL) {self.prefix}people")
        return True

    def close(self) -> None:
        self._connections.close()

    @contextmanager
    def _clear_errors(self) -> Iterator[None]:
        try:
            yield
        except (PersistenceError, psycopg.Error) as error:
            told = failure(error)
            raise (
                type(told)(f"{self._told} {told}") if told else StoreError(str(error))
            ) from error


def is_there(url: str) -> bool:
    """Whether a database has a directory in it."""
    return has_schema(url, SCHEMA)


def has_schema(url: str, schema: str) -> bool:
    """Whether a database has such a schema of ours, which always has accesses in it."""
    try:
        with psycopg.connect(conninfo(url, settings_here())) as connection:
            found = connection.execute(
                "SELECT to_regclass(%s) IS NOT NULL", (f"{schema}.accesses",)
            )
            return found.fetchone() == (True,)
    except psycopg.Error as error:
        raise StoreError(f"{TOLD} {failure(error)}") from error


def may_erase(url: str, told: str, schema: str, *tables: str) -> bool:
    """Whether a database has some tables in a schema, and who asks may erase rows of each."""
    names = [f"{schema}.{table}" for table in tables]
    try:
        with psycopg.connect(conninfo(url, settings_here())) as connection:
            found = connection.execute(_MAY_ERASE, (names,))
            return found.fetchone() == (True,)
    except psycopg.Error as error:
        raise StoreError(f"{told} {failure(error)}") from error


def _for_postgres(statement: str) -> str:
    return (
        statement.replace("INTEGER PRIMARY KEY AUTOINCREMENT", _NUMBERED)
        .replace("INTEGER", "bigint")
        .replace("BLOB", "bytea")
        .removesuffix(" WITHOUT ROWID")
    )


_MAY_ERASE: Final = (
    "SELECT bool_and(COALESCE(has_table_privilege(to_regclass(name), 'DELETE'), false)) "
    "FROM unnest(%s::text[]) AS name"
)
_OF_ANOTHER: Final = (
    "SELECT pg_get_userbyid(relowner) FROM pg_class "
    "WHERE oid = to_regclass(?) AND NOT pg_has_role(relowner, 'USAGE')"
)
_NUMBERED = "bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY"
