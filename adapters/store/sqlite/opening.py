"""How the file of a store is opened: to record in it, or only to ask it, and without a trace."""

import sqlite3
from contextlib import closing

from yibao.adapters.store import migrations
from yibao.adapters.store.errors import StoreError
from yibao.adapters.store.files import (
    AT_REST,
    PrivateFolder,
    may_write,
    read_only,
    state_of,
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
        self._state: tuple[int, ...] | None = None
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
            self.database = read_only(self.path, self._folder)
            with closing(sqlite3.connect(self.database, uri=True)) as connection:
                if migrations.layout_in(connection, self.path) != migrations.HEAD:
                    newest = str(self._folder.path / "newest.db")
                    with closing(sqlite3.connect(newest)) as copy:
                        connection.backup(copy)
                    migrations.upgrade(newest)
                    self.database = uri(newest, "mode=ro")
            if self.database.endswith(AT_REST):
                self._state = state_of(self.path)
        except BaseException:
            self.close()
            raise

    def check_still(self) -> None:
        """Raises StoreError where somebody has written to what was taken to be at rest."""
        if self._state is not None and self._state != state_of(self.path):
            raise StoreError(
                f"the store {self.path!r} was written to by somebody else meanwhile: open it again"
            )

    def close(self) -> None:
        if self._folder is not None:
            self._folder.close()


def no_store(path: str) -> StoreError:
    return StoreError(f"there is no store {path!r}: `yibao db init` creates one")
