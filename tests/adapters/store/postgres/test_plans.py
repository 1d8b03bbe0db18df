"""How PostgreSQL reads what a command stands on."""

from collections.abc import Sequence
from typing import Any
from uuid import uuid4

import psycopg

from yibao.adapters.store.connections import SqlRow
from yibao.adapters.store.postgres import PostgresSql
from yibao.adapters.store.tables.rows import rows_of_streams


def test_a_table_that_has_just_grown_is_not_read_whole_for_a_command(postgres_url: str) -> None:
    """PostgreSQL looks how a table is filled only once in a while; until then it guesses."""
    plans: list[str] = []

    class Explained(PostgresSql):
        def rows(self, statement: str, values: Sequence[Any] = ()) -> list[SqlRow]:
            plans.extend(str(line) for (line,) in super().rows(f"EXPLAIN {statement}", values))
            return []

    with psycopg.connect(postgres_url, options="-c search_path=yibao") as connection:
        connection.execute(
            "INSERT INTO stored_events (originator_id, originator_version, topic, state) "
            "SELECT gen_random_uuid(), 1, 'registered', '' FROM generate_series(1, 3000)"
        )
        rows_of_streams(Explained(connection), [uuid4()], [uuid4() for _ in range(6)])
    assert any("Index Scan" in line for line in plans)
    assert not [line for line in plans if "Seq Scan" in line]
