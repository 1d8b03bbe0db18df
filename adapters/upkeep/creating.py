"""Stores are made, brought to the newest layout, opened for stories, and granted to others."""

import os
from pathlib import Path

from yibao.adapters.store import (
    MEMORY,
    FactStore,
    StoreError,
    file_of,
    is_postgres,
    migrations,
    open_store,
    shown,
    url_of,
)
from yibao.adapters.store.files import written
from yibao.adapters.upkeep.inspecting import is_rehearsal, reading


def init(url: str, *, rehearsal: bool = False) -> str:
    """Creates a store where there is none, on request one for stories alone; its layout.

    Raises StoreError where there is one.
    """
    if is_postgres(url):
        from yibao.adapters.upkeep import postgres as upkeep_postgres

        return upkeep_postgres.init(url, rehearsal=rehearsal)
    path = file_of(url)
    if migrations.layout_found(path) is not None:
        raise StoreError(f"there is a store {path!r} already")
    if stands(path):  # an empty one, which somebody may have made with permissions of his
        open_store(url, rehearsal=rehearsal).close()
        return migrations.HEAD
    with written(Path(path)) as new:
        open_store(url_of(new), rehearsal=rehearsal).close()
    return migrations.HEAD


def stands(path: str) -> bool:
    """Whether there is a file to open; an empty one behind a link is somebody else's."""
    return os.path.isfile(path) and not (os.path.islink(path) and not os.path.getsize(path))


def open_rehearsal(url: str) -> FactStore:
    """The rehearsal store behind a URL; a file is made one where there is none.

    Raises StoreError for any other store, which is not touched.
    """
    if not _may_rehearse(url):
        raise StoreError(
            f"stories go into a rehearsal store alone, and {shown(url)} is none: "
            "`yibao db init --rehearsal` makes one"
        )
    return open_store(url, rehearsal=True)


def _may_rehearse(url: str) -> bool:
    """Whether there is a rehearsal store, or a file that can become one."""
    if url == MEMORY:
        return True
    if is_postgres(url):
        from yibao.adapters.upkeep import postgres as upkeep_postgres

        return upkeep_postgres.is_rehearsal(url)
    path = file_of(url)
    if not os.path.isfile(path) or not os.path.getsize(path):
        return True  # what else it may be is told by opening it
    with reading(url) as store:
        return is_rehearsal(store)


def migrate(url: str) -> tuple[str, str]:
    """Brings a store to the newest layout; the layout it had and the one it has.

    Raises StoreError where there is no store: it may have failed to be restored.
    """
    if is_postgres(url):
        from yibao.adapters.upkeep import postgres as upkeep_postgres

        return upkeep_postgres.migrate(url)
    with reading(url) as store:
        before = store.layout
    open_store(url).close()
    with reading(url) as store:
        return before, store.layout


def grant(url: str, role: str, *, reads_only: bool = False) -> None:
    """Lets a role of a PostgreSQL server append and read, or read only.

    It may neither change nor delete a fact or a refused attempt. Raises StoreError where there
    is no such role, or the URL is of one who may not act for the owner.
    """
    if not is_postgres(url):
        raise StoreError("a file has no roles: its permissions are the file system's")
    from yibao.adapters.upkeep import postgres as upkeep_postgres

    upkeep_postgres.grant(url, role, reads_only=reads_only)
