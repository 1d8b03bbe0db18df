"""What any projection does that keeps tables of its own: batch by batch, exactly once."""

from yibao.adapters.following.derived.asked import AskedTables
from yibao.adapters.following.derived.batches import Batch, Fixes, OwnFacts
from yibao.adapters.following.derived.following import FactsFollowed
from yibao.adapters.following.derived.layout import (
    COMMON,
    PROGRESS,
    Layout,
    common_tables,
    instant_of,
    number_of,
)
from yibao.adapters.following.derived.opening import tables_of
from yibao.adapters.following.derived.sqlite import SqliteTables
from yibao.adapters.following.derived.store import Progress, Tables, Transaction, parked_in
from yibao.adapters.following.derived.whole import WholeBatch, WholeFollowed

__all__ = [
    "COMMON",
    "PROGRESS",
    "AskedTables",
    "Batch",
    "FactsFollowed",
    "Fixes",
    "Layout",
    "OwnFacts",
    "Progress",
    "SqliteTables",
    "Tables",
    "Transaction",
    "WholeBatch",
    "WholeFollowed",
    "common_tables",
    "instant_of",
    "number_of",
    "parked_in",
    "tables_of",
]
