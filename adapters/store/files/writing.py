"""The one way in which yibao makes files: its owner's alone, whole or not at all, onto nothing."""

import os
import re
import sqlite3
import stat
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from yibao.adapters.store.errors import StoreError
from yibao.adapters.store.files.looking import AT_REST, BESIDE, uri

#: The permissions of what yibao makes: its owner alone may read and write it.
_PRIVATE: Final = 0o600

#: How what is kept beside a database is named, and by whose name.
_ENDINGS: Final = "|".join([*BESIDE, r"\.(trail|cohort|due|evidence)", r"\.[^.]+\.lead"])
_BESIDE: Final = re.compile(rf"(.+)(?:{_ENDINGS})", re.DOTALL)


class NotWritten(StoreError):
    """A file was not written, and nothing is left of it."""

    failure = "not_written"


def claim(file: str) -> None:
    """Makes an empty file where there is none, which SQLite is to fill in.

    What SQLite keeps beside a database has the permissions of that; a file that is there keeps
    its own. Where it cannot be made, SQLite tells why.
    """
    with suppress(OSError):
        _make(os.path.realpath(file))


@contextmanager
def written(to: Path, *, force: bool = False) -> Iterator[Path]:
    """An empty file to be filled in, which stands at `to` when the block ends.

    Its owner alone may read and write it. A file that stands there is replaced with `force`
    only, and of a link the link, never what it leads to. A database of SQLite, whosever it is,
    what belongs to one, and what is no file are never replaced. Raises NotWritten then, and where
    it cannot be written; nothing is left then, nor of what the block itself raises.
    """
    told = repr(str(to))
    try:
        _check_free(to, told, force=force)
        # SQLite finds what it fills in by its name, and writes beside it: a folder of our own.
        with TemporaryDirectory(prefix=".yibao-", dir=to.parent) as folder:
            new = Path(folder, "new")
            _make(new)
            yield new
            if os.listdir(folder) != [new.name]:
                raise NotWritten(f"{told} was not written: it is more than one file")
            _flush(new)
            _check_free(to, told, force=force)
            _publish(new, to, force=force)
            with suppress(OSError):  # not every file system can, and the file is there
                _flush(to.parent)
    except FileExistsError:
        raise NotWritten(_there(told)) from None
    except OSError as error:
        raise NotWritten(f"{told} could not be written: {error.strerror or error}") from error


def _check_free(to: Path, told: str, *, force: bool) -> None:
    """Raises NotWritten where nothing may be written."""
    leads_nowhere = not os.path.exists(to)
    if not (os.path.isfile(to) or leads_nowhere) or os.path.realpath(to.parent) == "/dev":
        raise NotWritten(f"{told} is no file that could be written")
    beside = _BESIDE.fullmatch(to.name)
    if _is_database(to) or (beside and _is_database(to.with_name(beside[1]))):
        raise NotWritten(f"{told} is a store already, or belongs to one: nothing is written")
    for ending in BESIDE:  # SQLite would take it for a part of what is written
        if os.path.lexists(f"{to}{ending}"):
            raise NotWritten(f"{told} was not written: there is a {ending} beside it already")
    if os.path.lexists(to) and not force:
        raise NotWritten(_there(told))


def _is_database(path: Path) -> bool:
    """Whether a file is a database of SQLite; by its own eyes, since of one that is open here
    nobody else may open and close the file: the locks of the process would be gone."""
    if not os.path.isfile(path) or not os.path.getsize(path):
        return False
    try:
        with closing(sqlite3.connect(uri(path, AT_REST), uri=True)) as connection:
            connection.execute("PRAGMA schema_version")
    except sqlite3.Error as error:
        return error.sqlite_errorcode != sqlite3.SQLITE_NOTADB  # what cannot be read may be one
    return True


def _make(file: str | Path) -> None:
    """Makes a new, empty file for its owner alone; raises FileExistsError where there is one."""
    try:
        # Not opened: to close it again would free the locks of a thread that has opened it by now.
        os.mknod(file, stat.S_IFREG | _PRIVATE)
    except PermissionError:  # where only root may make files so
        how = os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        os.close(os.open(file, how, _PRIVATE))


def _publish(new: Path, to: Path, *, force: bool) -> None:
    """Gives the file its name, at once; raises FileExistsError where there is one by now."""
    if force:
        new.replace(to)
        return
    try:
        to.hardlink_to(new)
    except FileExistsError:
        raise
    except OSError:  # a file system without such links: hold the name, then take its place
        _make(to)
        new.replace(to)


def _flush(path: Path) -> None:
    """Waits until what is there is on the disk."""
    opened = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)


def _there(told: str) -> str:
    return f"there is a file {told} already"
