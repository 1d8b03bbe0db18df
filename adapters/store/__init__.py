"""Facts in a file or a database: kept by `eventsourcing`, read in turns, never changed."""

from yibao.adapters.store.collecting import not_collecting
from yibao.adapters.store.errors import AheadOfClock, Halted, Interrupted, StoreError
from yibao.adapters.store.facts import FactStore, Reached, Transaction, open_store
from yibao.adapters.store.findings import Examination, Finding, is_as_written
from yibao.adapters.store.tables import (
    CountedAttempts,
    Taken,
    decoded,
    digest_of,
    from_row,
    positioned,
    stamp_in,
    stamp_told,
)
from yibao.adapters.store.urls import MEMORY, file_of, is_postgres, shown, url_given, url_of

__all__ = [
    "MEMORY",
    "AheadOfClock",
    "CountedAttempts",
    "Examination",
    "FactStore",
    "Finding",
    "Halted",
    "Interrupted",
    "Reached",
    "StoreError",
    "Taken",
    "Transaction",
    "decoded",
    "digest_of",
    "file_of",
    "from_row",
    "is_as_written",
    "is_postgres",
    "not_collecting",
    "open_store",
    "positioned",
    "shown",
    "stamp_in",
    "stamp_told",
    "url_given",
    "url_of",
]
