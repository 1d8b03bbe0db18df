"""Whose a file is, found without changing it; and how every file of ours is written."""

from yibao.adapters.store.files.looking import (
    AT_REST,
    EVERY_TABLE,
    LOCK_TIMEOUT,
    LOG,
    PrivateFolder,
    beside,
    looked_at,
    may_write,
    read_only,
    size,
    state_of,
    uri,
)
from yibao.adapters.store.files.writing import NotWritten, claim, written

__all__ = [
    "AT_REST",
    "EVERY_TABLE",
    "LOCK_TIMEOUT",
    "LOG",
    "NotWritten",
    "PrivateFolder",
    "beside",
    "claim",
    "looked_at",
    "may_write",
    "read_only",
    "size",
    "state_of",
    "uri",
    "written",
]
