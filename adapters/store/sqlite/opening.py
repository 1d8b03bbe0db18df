"""How the file of a store is opened: to record in it, or only to ask it, and without a trace."""

import sqlite3
from contextlib import closing

from yibao.adapters.store import migrations
from yibao.adapters.store.errors import StoreError
from yibao.adapters.store.files import (
    PrivateFolder,
    ReadOnly,
    may_write,
    uri,
)
from yibao.adapters.store.sqlite.layout import prepare


class OpenFile:
    """A file as a store opens it: to record in, or where that cannot be, to ask only.

    What may only be asked is read where it is, or from a copy that nobody else sees.
    """

    def __init__(self, path: str, *, to_ask: bool) -> None:
        self.path = self.database = path
        #: Whether nothing can be recorded.
        self.is_read_only = False
        self._folder: PrivateFolder | None = None
        self._source: ReadOnly | None = None
        layout = migrations.layout_found(path)
        if layout is not None and layout not in migrations.LAYOUTS:
            raise migrations.newer(layout)
        if to_ask and layout is None:
            raise no_store(path)
        if may_write(path):
            if not to_ask:
                prepare(path)
                return
            if layout == migrations.HEAD:
                self.database = uri(path, "mode=rw")
                return
        if layout is not None:
            self._only_ask()

    def _only_ask(self) -> None:
        self.is_read_only = True
        self._folder = PrivateFolder()
        try:
            source = ReadOnly(self.path, self._folder)
            self.database = source.database
            with closing(sqlite3.connect(self.database, uri=True)) as connection:
                if migrations.layout_in(connection, self.path) != migrations.HEAD:
                    newest = str(self._folder.path / "newest.db")
                    with closing(sqlite3.connect(newest)) as copy:
                        connection.backup(copy)
                    migrations.upgrade(newest)
                    self.database = uri(newest, "mode=ro")
            source.check_still()
            if self.database == source.database:
                self._source = source
        except BaseException:
            self.close()
            raise

    def check_still(self) -> None:
        """Raises StoreError where somebody has written to what was taken to be at rest."""
        if self._source is not None:
            self._source.check_still()

    def close(self) -> None:
        if self._folder is not None:
            self._folder.close()


def no_store(path: str) -> StoreError:
    return StoreError(f"there is no store {path!r}: `yibao db init` creates one")
