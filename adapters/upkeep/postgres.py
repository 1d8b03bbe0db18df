"""Looking after a store on PostgreSQL: what its owner does, and nobody else needs the right to."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import psycopg
import psycopg.errors
from psycopg.sql import SQL, Identifier

from yibao.adapters.following.accesses import ACCESSES
from yibao.adapters.following.cohort import COHORT
from yibao.adapters.following.derived import postgres as derived
from yibao.adapters.following.due import OUTBOX
from yibao.adapters.following.evidence import EVIDENCE
from yibao.adapters.following.trail import TRAIL
from yibao.adapters.store import Finding, StoreError, migrations
from yibao.adapters.store.postgres import (
    Connection,
    PostgresSql,
    altered,
    conninfo,
    failure,
    layout_of,
    place_of,
    settings_here,
)

#: What stands beside the facts in a schema of its own.
BESIDE: Final = (TRAIL, COHORT, OUTBOX, EVIDENCE, ACCESSES)


def init(url: str, *, rehearsal: bool = False) -> str:
    """Creates a store in a database where there is none; its layout."""
    with _connected(url) as connection:
        if layout_of(connection) is not None:
            raise StoreError(f"there is a store in {place_of(url)} already")
        if found := connection.execute(_IN_THE_WAY).fetchone():
            raise StoreError(
                f"the database {place_of(url)} has something else in the schema yibao: {found[0]!r}"
            )
        for layout in BESIDE:
            derived.checked_ours(PostgresSql(connection), layout)
        if encoding := _other_encoding(connection):
            raise StoreError(
                f"the database {place_of(url)} is encoded in {encoding}, which has not every name: "
                "create it by `createdb --encoding=UTF8 --template=template0`"
            )
    return _at_the_newest_layout(url, rehearsal=rehearsal)


def is_rehearsal(url: str) -> bool:
    """Whether there is a store in a database, and it is marked as one for stories."""
    with _connected(url) as connection:
        ((marked,),) = connection.execute("SELECT to_regclass('yibao.rehearsal') IS NOT NULL")
        return bool(marked)


_IN_THE_WAY: Final = "SELECT relname FROM pg_class WHERE relnamespace = to_regnamespace('yibao')"


def migrate(url: str) -> tuple[str, str]:
    """Brings the store to the newest layout; the layout it had and the one it has.

    Tables of a projection that are of another layout are made anew, and followed again.
    """
    with _connected(url, as_owner=True) as connection:
        before = layout_of(connection)
        if before is None:  # an empty one would hide that a restore has failed
            raise _no_store(url)
        if before not in migrations.LAYOUTS:
            raise migrations.newer(before)
    return before, _at_the_newest_layout(url)


def _at_the_newest_layout(url: str, *, rehearsal: bool = False) -> str:
    with _connected(url, as_owner=True) as connection:
        connection.autocommit = False
        migrations.upgrade_postgres(lambda: connection, place_of(url), rehearsal=rehearsal)
    with _connected(url, as_owner=True) as connection:
        with connection.transaction():
            for layout in BESIDE:
                derived.create(connection, layout)
        return str(layout_of(connection))


#: The schemas in which what follows the facts is kept, and all that are its owner's.
_DERIVED: Final = "yibao_trail, yibao_cohort, yibao_due, yibao_evidence"
_OURS: Final = f"yibao, {_DERIVED}, yibao_accesses"

#: What takes from a role all that another grant gave it.
_NOTHING: Final = (
    f"REVOKE ALL ON SCHEMA {_OURS} FROM {{role}}",
    f"REVOKE ALL ON ALL TABLES IN SCHEMA {_OURS} FROM {{role}}",
    f"REVOKE ALL ON ALL SEQUENCES IN SCHEMA {_OURS} FROM {{role}}",
    f"ALTER DEFAULT PRIVILEGES IN SCHEMA {_DERIVED} REVOKE ALL ON TABLES FROM {{role}}",
)
#: What a role needs that records and follows, and what one that only asks.
_READS: Final = (
    f"GRANT USAGE ON SCHEMA {_OURS} TO {{role}}",
    f"GRANT SELECT ON ALL TABLES IN SCHEMA {_OURS} TO {{role}}",
    "GRANT SELECT ON ALL SEQUENCES IN SCHEMA yibao TO {role}",
    # Of another version the tables of a projection are made anew, for the same roles.
    f"ALTER DEFAULT PRIVILEGES IN SCHEMA {_DERIVED} GRANT SELECT ON TABLES TO {{role}}",
)
_APPENDS: Final = (
    *_READS,
    "GRANT INSERT ON yibao.stored_events, yibao.refused_attempts TO {role}",
    # A note can be erased, and a count grows.
    "GRANT INSERT, DELETE ON yibao.notes TO {role}",
    # Who looked at whom is noted, and erased after a time.
    "GRANT INSERT, DELETE ON yibao_accesses.accesses TO {role}",
    "GRANT INSERT, UPDATE, DELETE ON yibao_accesses.ended, yibao_accesses.tries TO {role}",
    "GRANT INSERT, UPDATE ON yibao.counted_attempts TO {role}",
    # What follows from the facts may be lost; what was noticed is kept.
    f"GRANT INSERT, UPDATE, DELETE, TRUNCATE ON ALL TABLES IN SCHEMA {_DERIVED} TO {{role}}",
    "REVOKE INSERT, UPDATE, DELETE, TRUNCATE ON "
    "yibao_trail.layout, yibao_cohort.layout, yibao_due.layout, yibao_evidence.layout FROM {role}",
    "REVOKE DELETE, TRUNCATE ON yibao_due.entries, yibao_evidence.notes FROM {role}",
    f"ALTER DEFAULT PRIVILEGES IN SCHEMA {_DERIVED} "
    "GRANT INSERT, UPDATE, DELETE, TRUNCATE ON TABLES TO {role}",
)


_MAY_APPEND: Final = "SELECT has_table_privilege(%s, 'yibao.stored_events', 'INSERT')"


def grant(url: str, role: str, *, reads_only: bool) -> None:
    """Lets a role append and read, or read only, whatever it was let before."""
    where = place_of(url)
    with _connected(url, as_owner=True) as connection, connection.transaction():
        if layout_of(connection) is None:
            raise _no_store(url)
        ((is_owner,),) = connection.execute("SELECT current_user = %s", [role])
        if is_owner:
            raise StoreError(f"the store {where} belongs to {role}: grant it to another role")
        for statement in (*_NOTHING, *(_READS if reads_only else _APPENDS)):
            connection.execute(SQL(statement).format(role=Identifier(role)))
        ((may_append,),) = connection.execute(_MAY_APPEND, [role])
        if reads_only and may_append:
            by = "as a superuser, or by another role"
            raise StoreError(f"{role} would still append to the store {where}: {by}")


@contextmanager
def reading(url: str) -> "Iterator[InspectedDatabase]":
    """A store that is there, as it is at one moment."""
    with _connected(url) as connection:
        connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        layout = layout_of(connection)
        if layout is None:
            raise _no_store(url)
        yield InspectedDatabase(connection, layout)
        connection.rollback()


class InspectedDatabase:
    """A PostgreSQL database."""

    def __init__(self, connection: Connection, layout: str) -> None:
        self.layout = layout
        self._connection = connection
        self._sql = PostgresSql(connection)
        self._sql.run("SET LOCAL search_path TO yibao")

    def tables(self) -> set[str]:
        return {name for (name,) in self.each(_TABLES)}

    def other_encoding(self) -> str | None:
        return _other_encoding(self._connection)

    def damages(self) -> list[str]:
        """PostgreSQL checks its files by itself where it was created with data checksums."""
        return []

    #: A number goes with a transaction that fails, and some with a crash.
    has_gaps = True

    def unfinished_erasure(self) -> None:
        """What the table's file holds of deleted rows it does not tell."""

    def altered(self) -> Iterator[Finding]:
        return altered(self._connection)

    def last_number(self, table: str, column: str) -> int:
        sequence = f"{table}_{column}_seq"
        given = f"SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM {sequence}"
        ((last,),) = self._sql.rows(given)
        return int(last)

    def each(self, statement: str) -> Iterator[tuple[Any, ...]]:
        yield from self._sql.each(statement)


_TABLES: Final = (
    "SELECT relname FROM pg_class WHERE relnamespace='yibao'::regnamespace "
    "AND relkind IN ('r', 'p', 'f', 'v', 'm')"
)


@contextmanager
def _connected(url: str, *, as_owner: bool = False) -> Iterator[Connection]:
    where = place_of(url)
    try:
        with psycopg.connect(conninfo(url, settings_here()), autocommit=True) as connection:
            if as_owner:
                _act_as_owner(connection, where)
            yield connection
    except psycopg.Error as error:
        raise StoreError(f"the store {where} {failure(error)}") from error


def _act_as_owner(connection: Connection, where: str) -> None:
    """Has all that follows done by whoever owns the store, if there is one.

    What a superuser does in his own name holds for his own tables, not for the owner's later
    ones; what anybody else does PostgreSQL may leave undone with no more than a warning. Raises
    StoreError for who may not act for the owner.
    """
    owners = [str(name) for (name,) in connection.execute(_OWNERS)]
    if len(owners) > 1:
        told = f"the store {where} belongs to {' and to '.join(owners)}: give all of it to one"
        raise StoreError(told)
    for owner in owners:
        try:
            connection.execute(SQL("SET ROLE {}").format(Identifier(owner)))
        except psycopg.errors.InsufficientPrivilege:
            told = (
                f"the store {where} belongs to {owner}, for whom {connection.info.user} may not act"
            )
            raise StoreError(told) from None


_OWNERS: Final = (
    "SELECT pg_get_userbyid(nspowner) FROM pg_namespace "
    f"WHERE nspname = ANY (string_to_array('{_OURS}', ', ')) UNION "
    "SELECT tableowner FROM pg_tables "
    f"WHERE schemaname = ANY (string_to_array('{_OURS}', ', ')) ORDER BY 1"
)


def _other_encoding(connection: Connection) -> str | None:
    """The encoding of a database that cannot hold whatever there is to be written."""
    encoding = connection.info.parameter_status("server_encoding")
    return None if encoding == "UTF8" else encoding


def _no_store(url: str) -> StoreError:
    return StoreError(f"there is no store in {place_of(url)}: `yibao db init` creates one")
