"""Whose a file is, found without changing it; and how every file of ours is written."""

from yibao.adapters.store.files.looking import (
    EVERY_TABLE,
    LOCK_TIMEOUT,
    LOG,
    PrivateFolder,
    ReadOnly,
    beside,
    looked_at,
    may_write,
    size,
    uri,
)
from yibao.adapters.store.files.writing import NotWritten, claim, written

__all__ = [
    "EVERY_TABLE",
    "LOCK_TIMEOUT",
    "LOG",
    "NotWritten",
    "PrivateFolder",
    "ReadOnly",
    "beside",
    "claim",
    "looked_at",
    "may_write",
    "size",
    "uri",
    "written",
]
