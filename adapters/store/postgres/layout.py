"""The tables of a database: which layout they have, and what is not as it was made."""

from collections.abc import Iterator
from typing import Final, LiteralString

import psycopg
from psycopg.rows import TupleRow

from yibao.adapters.store import migrations
from yibao.adapters.store.errors import StoreError
from yibao.adapters.store.findings import Finding

Connection = psycopg.Connection[TupleRow]


def check_layout(connection: Connection) -> None:
    """Raises StoreError where the database holds no store of this layout."""
    layout = layout_of(connection)
    if layout is None:
        raise StoreError("the database holds no store yet: `yibao db init` creates one")
    if layout not in migrations.LAYOUTS:
        raise migrations.newer(layout)
    if layout != migrations.HEAD:
        raise StoreError(
            f"the store has layout {layout}: `yibao db migrate` brings it to {migrations.HEAD}"
        )


#: The columns of our tables and what keeps them right, as the newest layout creates them.
_CREATED: Final = {
    "stored_events": (
        "notification_id bigint d, originator_id uuid, originator_version bigint, topic text, "
        "state bytea",
        "PRIMARY KEY (notification_id), UNIQUE (originator_id, originator_version)",
    ),
    "notes": ("event_id uuid, note text", "PRIMARY KEY (event_id)"),
    "refused_attempts": (
        "attempt_id bigint d, position bigint, stream uuid, actor text, hour text, state bytea",
        "PRIMARY KEY (attempt_id)",
    ),
    "counted_attempts": (
        "number bigint d, actor text, hour text, command text, code text, attempts bigint, "
        "changed bigint",
        "PRIMARY KEY (number), UNIQUE (actor, hour, command, code)",
    ),
}


_INDEXES: Final = {
    "refused_attempts_by_stream": "(stream)",
    "refused_attempts_by_actor": "(actor, hour)",
    "counted_attempts_by_change": "(changed)",
}


_OURS: Final = "relnamespace = to_regnamespace('yibao') AND relname = ANY(%s)"


_PLANTED: Final = (
    "SELECT tgname, relname FROM pg_trigger JOIN pg_class AS t ON t.oid = tgrelid "
    f"WHERE NOT tgisinternal AND {_OURS} UNION ALL "
    "SELECT rulename, relname FROM pg_rewrite JOIN pg_class AS t ON t.oid = ev_class "
    f"WHERE rulename <> '_RETURN' AND {_OURS}"
)


_AS_THEY_ARE: Final = (
    "SELECT relname, relkind = 'r' AND NOT relrowsecurity AND NOT EXISTS "
    "(SELECT FROM pg_inherits WHERE t.oid IN (inhparent, inhrelid)), "
    "(SELECT string_agg(concat_ws(' ', attname, format_type(atttypid, atttypmod), "
    "NULLIF(attidentity::text, ''), CASE WHEN NOT attnotnull THEN 'NULL' END, "
    "CASE WHEN atthasdef THEN 'DEFAULT' END), ', ' ORDER BY attnum) FROM pg_attribute "
    "WHERE attrelid = t.oid AND attnum > 0 AND NOT attisdropped), "
    "(SELECT string_agg(pg_get_constraintdef(oid), ', ' ORDER BY contype, oid) FROM pg_constraint "
    f"WHERE conrelid = t.oid AND contype <> 'n') FROM pg_class AS t WHERE {_OURS}"
)


_INDEXED: Final = (
    "SELECT relname, pg_get_indexdef(indexrelid) FROM pg_index JOIN pg_class AS t "
    f"ON t.oid = indexrelid WHERE indisvalid AND indpred IS NULL AND {_OURS}"
)


def altered(connection: Connection) -> Iterator[Finding]:
    """What was planted on our tables, or taken from them, since they were created."""
    ours = list(_CREATED)
    for name, table in connection.execute(_PLANTED.encode(), [ours, ours]).fetchall():
        yield Finding("trigger_planted", f"{name} on {table}")
    tables = connection.execute(_AS_THEY_ARE.encode(), [ours]).fetchall()
    for table, *found in tables:
        if found != [True, *_CREATED[table]]:
            yield Finding("table_altered", table)
    indexed = connection.execute(_INDEXED.encode(), [list(_INDEXES)]).fetchall()
    there: dict[str, str] = dict(indexed)
    for table, *_ in tables:
        for name, columns in _INDEXES.items():
            if name.startswith(table) and not there.get(name, "").endswith(columns):
                yield Finding("index_missing", name)


def layout_of(connection: Connection) -> str | None:
    """The layout of the store in a database; None where there is none.

    A schema of that name may be anybody's: it is known by the columns of our tables.
    """
    (there,) = _one(connection, "SELECT to_regclass('yibao.alembic_version') IS NOT NULL")
    if not there or not _one(connection, _OUR_COLUMNS)[0]:
        return None
    found = connection.execute("SELECT version_num FROM yibao.alembic_version").fetchone()
    return str(found[0]) if found else None


_OUR_COLUMNS: Final = (
    "SELECT EXISTS (SELECT FROM pg_attribute WHERE (attrelid, attname) IN ("
    "(to_regclass('yibao.stored_events'), 'notification_id'), "
    "(to_regclass('yibao.refused_attempts'), 'attempt_id'), "
    "(to_regclass('yibao.counted_attempts'), 'changed')))"
)


def _one(connection: Connection, statement: LiteralString) -> TupleRow:
    found = connection.execute(statement).fetchone()
    assert found is not None
    return found
