"""A store in a SQLite file."""

from yibao.adapters.store.sqlite.connections import (
    FactConnection,
    SqlitePool,
    SqliteTransaction,
    check_not_left,
    failure,
)
from yibao.adapters.store.sqlite.erasing import ERASING, WITH_GAPS, noted_version
from yibao.adapters.store.sqlite.layout import altered, prepare
from yibao.adapters.store.sqlite.opening import OpenFile, no_store
from yibao.adapters.store.sqlite.recorder import FactFactory
from yibao.adapters.store.sqlite.sql import SqliteSql

__all__ = [
    "ERASING",
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
    "no_store",
    "noted_version",
    "prepare",
]
