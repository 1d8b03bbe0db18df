"""Where the tables of a projection are kept."""

from yibao.adapters.following.derived.layout import Layout
from yibao.adapters.following.derived.sqlite import SqliteTables
from yibao.adapters.following.derived.store import Tables
from yibao.adapters.store import FactStore


def tables_of(store: FactStore, layout: Layout, file: str | None = None) -> Tables:
    """The tables beside the store, or in a file; of a store on PostgreSQL in its database."""
    if file is None and store.is_postgres:
        from yibao.adapters.following.derived.postgres import PostgresTables
        from yibao.adapters.store.postgres import PostgresRecorder

        assert isinstance(store.recorder, PostgresRecorder)
        return PostgresTables(store.recorder.connections, layout)
    return SqliteTables(store.beside(f".{layout.told}") if file is None else file, layout)
