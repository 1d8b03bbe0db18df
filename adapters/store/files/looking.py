"""SQLite files as they are found: looked at without a trace, and read where nobody may write.

SQLite by itself makes files beside the one it opens, and puts it in order. Who only looks at a
file at rest opens it as `immutable`, which does neither, but passes over the log and every lock:
while a checkpoint goes on, the first pages are newer than the others.
"""

import os
import shutil
import sqlite3
import stat
import tempfile
import weakref
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Final, Self, TypeVar
from urllib.parse import quote

from yibao.adapters.store.connections import ticking
from yibao.adapters.store.errors import StoreError
from yibao.domain.kept import kept

T = TypeVar("T")

#: How long is waited for whoever has a file locked, in seconds.
LOCK_TIMEOUT: Final = 30

#: What SQLite keeps beside a file: the log and its index, or what a transaction has replaced.
LOG, _INDEX, _JOURNAL = "-wal", "-shm", "-journal"
BESIDE: Final = (LOG, _INDEX, _JOURNAL)

#: How SQLite opens a file that nobody writes to: nothing is made beside it, and nothing read there.
AT_REST: Final = "mode=ro&immutable=1"

#: The tables and views in a file, but for SQLite's own.
EVERY_TABLE: Final = (
    "SELECT name FROM sqlite_master WHERE type IN ('table', 'view') "
    "AND name NOT LIKE 'sqlite!_%' ESCAPE '!'"
)


class PrivateFolder:
    """A folder that nobody else can look into, once it is needed; removed with all in it."""

    _remove: "weakref.finalize[..., PrivateFolder] | None" = None

    @kept
    def path(self) -> Path:
        path = Path(tempfile.mkdtemp(prefix="yibao-"))
        self._remove = weakref.finalize(self, _remove, path, os.getpid())
        return path

    def close(self) -> None:
        if self._remove is not None:
            self._remove()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()


def _remove(folder: Path, owner: int) -> None:
    """Of a process that was forked off the folder is not."""
    if os.getpid() == owner:
        shutil.rmtree(folder, ignore_errors=True)


def uri(path: str | Path, how: str) -> str:
    """A file as SQLite opens it with options, whatever characters its path has."""
    return f"file://{quote(os.path.realpath(path))}?{how}"


def beside(path: str, ending: str) -> str:
    """What SQLite keeps beside a file: of a link beside what it leads to."""
    return os.path.realpath(path) + ending


def looked_at(path: str, look: Callable[[sqlite3.Connection], T]) -> T | None:
    """What a look at a file finds; None where there is none, or nothing in it.

    Nothing is changed, made or left beside it. A file at rest is looked at again where somebody
    has been at work on it meanwhile: half of what he writes may have been found. Raises OSError
    for what is no file, sqlite3.DatabaseError for what is no database, and what `look` raises.
    """
    _check_apart(path)
    ends, left = ticking() + LOCK_TIMEOUT, None
    while _size_of_file(path):
        before, failure, found = _rest_of(path), None, None
        try:
            with PrivateFolder() as folder:
                if before is None:  # SQLite makes log and index only if they go just now
                    database = uri(path, "mode=ro")
                else:
                    database = _copied(path, folder) if before == left else uri(path, AT_REST)
                found = _found(database, look)
        except Exception as error:
            failure = error
        if _rest_of(path) != before:
            if ticking() > ends:
                raise sqlite3.OperationalError("somebody is writing to it all the time")
        elif before and before != left and size(beside(path, LOG)):
            left = before  # nobody is just leaving it: what it lacks is in the log
        elif failure is not None:
            raise failure
        else:
            return found
    return None


def _rest_of(path: str) -> tuple[int, ...] | None:
    """The state of a file at rest, None where somebody is at work on it, or was until he died."""
    return None if _has_log_and_index(path) else state_of(path)


def _has_log_and_index(path: str) -> bool:
    return all(os.path.exists(beside(path, each)) for each in (LOG, _INDEX))


def _found(database: str, look: Callable[[sqlite3.Connection], T]) -> T | None:
    with closing(sqlite3.connect(database, uri=True, timeout=LOCK_TIMEOUT)) as connection:
        connection.execute("BEGIN")  # all of one moment
        return None if _is_empty(connection) else look(connection)


def _check_apart(path: str) -> None:
    """Raises OSError for what SQLite keeps, or would keep, beside a database that is there."""
    place = os.path.realpath(path)
    for ending in BESIDE:
        if place.endswith(ending) and os.path.exists(place.removesuffix(ending)):
            raise OSError("it belongs to the database beside it")


def may_write(path: str) -> bool:
    """Whether this process may write a file and what SQLite keeps beside it, or create them."""
    folder = os.path.dirname(os.path.realpath(path))
    others = (beside(path, LOG), beside(path, _INDEX))
    return os.access(path if os.path.exists(path) else folder, os.W_OK) and (
        os.access(folder, os.W_OK | os.X_OK) or all(os.access(each, os.W_OK) for each in others)
    )


class ReadOnly:
    """How SQLite opens a file to read all that was committed, without changing the file.

    Where it could not make what it needs beside the file, and what is there cannot be passed
    over, it is a copy in the private folder. Raises StoreError where that is not of one moment.
    """

    def __init__(self, path: str, folder: PrivateFolder) -> None:
        self._path = path
        self._state: tuple[int, ...] | None = state_of(path)
        if _has_log_and_index(path) or may_write(path):
            self.database, self._state = uri(path, "mode=ro"), None
        elif size(beside(path, LOG)) or size(beside(path, _JOURNAL)):
            try:
                self.database = _copied(path, folder)
            finally:
                self.check_still()
            self._state = None
        else:
            self.database = uri(path, AT_REST)

    def check_still(self) -> None:
        """Raises StoreError where somebody has written to what was taken to be at rest."""
        if self._state is not None and self._state != state_of(self._path):
            raise StoreError(
                f"the store {self._path!r} was written to by somebody else meanwhile: open it again"
            )


def state_of(path: str) -> tuple[int, ...]:
    """By what a file is told from what it was or will be, without reading it."""
    found = os.stat(path)
    return found.st_ino, found.st_mtime_ns, found.st_size, size(beside(path, LOG))


def _copied(path: str, folder: PrivateFolder) -> str:
    """A copy of a file that nobody writes to, with all that was committed in it."""
    copy = folder.path / "copy.db"
    for ending in ("", LOG, _JOURNAL):
        if os.path.exists(beside(path, ending)):
            shutil.copyfile(beside(path, ending), f"{copy}{ending}")
    with closing(sqlite3.connect(copy)) as connection:
        connection.execute("SELECT 1 FROM sqlite_master")  # puts it in order
    return uri(copy, "mode=ro")


def _is_empty(connection: sqlite3.Connection) -> bool:
    """Whether there is nothing in a database, not even a mark of whose it is."""
    ((is_used,),) = connection.execute(
        "SELECT EXISTS (SELECT 1 FROM sqlite_master) OR application_id OR user_version "
        "FROM pragma_application_id, pragma_user_version"
    )
    return not is_used


def _size_of_file(path: str) -> int:
    """The size of a file, 0 where there is none; raises OSError for what is no file."""
    try:
        found = os.stat(path)
    except FileNotFoundError:
        return 0
    if not stat.S_ISREG(found.st_mode):
        raise OSError("it is no file")
    return found.st_size


def size(path: str) -> int:
    """The size of what is there, 0 where nothing is, or is any more."""
    try:
        return os.path.getsize(path)
    except FileNotFoundError:
        return 0
