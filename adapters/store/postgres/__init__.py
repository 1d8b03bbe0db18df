"""A store in a PostgreSQL database."""

from yibao.adapters.store.postgres import driver  # isort: skip  # before whatever needs psycopg
from yibao.adapters.store.postgres.connections import Connections, conninfo, failure, place_of
from yibao.adapters.store.postgres.layout import Connection, altered, layout_of
from yibao.adapters.store.postgres.recorder import PostgresFactory, PostgresRecorder
from yibao.adapters.store.postgres.settings import StoreSettings, settings_here
from yibao.adapters.store.postgres.sql import EVERYBODY, PostgresSql

__all__ = [
    "EVERYBODY",
    "Connection",
    "Connections",
    "PostgresFactory",
    "PostgresRecorder",
    "PostgresSql",
    "StoreSettings",
    "altered",
    "conninfo",
    "driver",
    "failure",
    "layout_of",
    "place_of",
    "settings_here",
]
