"""SQLite files as they are found: looked at without a trace, and read where nobody may write.

SQLite by itself makes files beside the one it opens, and puts it in order. Who only looks
opens it as `immutable`, which does neither, and which passes over what is not in the file yet.
"""

import os
import shutil
import sqlite3
import stat
import tempfile
import weakref
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final, Self
from urllib.parse import quote

from yibao.domain.kept import kept

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


@contextmanager
def looked_at(path: str) -> Iterator[sqlite3.Connection | None]:
    """A file to look at; None where there is none, or nothing in it.

    Nothing is changed, made or left beside it. Raises OSError for what is no file, and
    sqlite3.DatabaseError for what is no database.
    """
    _check_apart(path)
    if not _size_of_file(path):
        yield None
        return
    with PrivateFolder() as folder:
        database = uri(path, AT_REST)
        if size(beside(path, LOG)) and not _tells_something(database):
            # Somebody is just creating it, or putting it in order: it is in the log.
            is_at_work = os.path.exists(beside(path, _INDEX))
            database = uri(path, "mode=ro") if is_at_work else _copied(path, folder)
        with closing(_connected(database)) as connection:
            yield None if _is_empty(connection) else connection


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


def read_only(path: str, folder: PrivateFolder) -> str:
    """How SQLite opens a file to read all that was committed, without changing the file.

    Where it could not make what it needs beside the file, and what is there cannot be passed
    over, it is a copy in the private folder.
    """
    is_shared = all(os.path.exists(beside(path, each)) for each in (LOG, _INDEX))
    if is_shared or may_write(path):
        return uri(path, "mode=ro")
    if size(beside(path, LOG)) or size(beside(path, _JOURNAL)):
        return _copied(path, folder)
    return uri(path, AT_REST)


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


def _connected(database: str) -> sqlite3.Connection:
    return sqlite3.connect(database, uri=True, timeout=LOCK_TIMEOUT)


def _tells_something(database: str) -> bool:
    try:
        with closing(_connected(database)) as connection:
            return not _is_empty(connection)
    except sqlite3.DatabaseError:
        return False


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
    """The size of what is there, 0 where nothing is."""
    return os.path.getsize(path) if os.path.exists(path) else 0
