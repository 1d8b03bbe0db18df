"""A store in a SQLite file."""

from yibao.adapters.store.sqlite.connections import (
    FactConnection,
    SqlitePool,
    SqliteTransaction,
    check_not_left,
    failure,
)
from yibao.adapters.store.sqlite.erasing import (
    ERASING,
    ERASING_WAITS,
    WITH_GAPS,
    finish_erasing,
    note_version,
    noted_version,
)
from yibao.adapters.store.sqlite.layout import altered, prepare
from yibao.adapters.store.sqlite.opening import OpenFile, no_store
from yibao.adapters.store.sqlite.recorder import FactFactory
from yibao.adapters.store.sqlite.sql import SqliteSql

__all__ = [
    "ERASING",
    "ERASING_WAITS",
    "WITH_GAPS",
    "FactConnection",
    "FactFactory",
    "OpenFile",
    "SqlitePool",
    "SqliteSql",
    "SqliteTransaction",
    "altered",
    "check_not_left",
    "failure",
    "finish_erasing",
    "no_store",
    "note_version",
    "noted_version",
    "prepare",
]
