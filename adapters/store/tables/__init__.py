"""What stands in the tables of a store: facts and refused attempts, and rows as they are read."""

from yibao.adapters.store.tables.attempts import CountedAttempts, digest_of, kept_in
from yibao.adapters.store.tables.mapping import FactMapper, from_row, to_row
from yibao.adapters.store.tables.rows import (
    AT,
    BEGUN,
    FEED,
    LENGTHS,
    POSITIONED,
    POSITIONED_OF_MANY,
    STREAM,
    STREAM_FROM,
    Taken,
    decoded,
    positioned,
    rows_of_streams,
    stamp_in,
    stamp_told,
    stream_in,
)

__all__ = [
    "AT",
    "BEGUN",
    "FEED",
    "LENGTHS",
    "POSITIONED",
    "POSITIONED_OF_MANY",
    "STREAM",
    "STREAM_FROM",
    "CountedAttempts",
    "FactMapper",
    "Taken",
    "decoded",
    "digest_of",
    "from_row",
    "kept_in",
    "positioned",
    "rows_of_streams",
    "stamp_in",
    "stamp_told",
    "stream_in",
    "to_row",
]
