"""What a projection is to whoever asks it: opened, closed, and read in one turn."""

from collections.abc import Callable
from types import TracebackType
from typing import NoReturn, Self, TypeVar

from yibao.adapters.following.derived.store import Tables
from yibao.adapters.store import FactStore
from yibao.adapters.store.connections import Sql

R = TypeVar("R")


class AskedTables:
    """The tables of a projection of a store; they are its process's own."""

    def __init__(self, store: FactStore, tables: Tables) -> None:
        self.store = store
        self._tables = tables

    def __reduce__(self) -> NoReturn:
        told = self._tables.layout.told
        raise TypeError(f"a {told} is its process's own: open it again where it is needed")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    @property
    def is_writable(self) -> bool:
        """Whether we may follow; else it is as far as others have brought it."""
        return self._tables.is_writable

    @property
    def is_kept(self) -> bool:
        """Whether what is taken in is there for others; else it is for our own questions."""
        return self._tables.is_kept

    def close(self) -> None:
        """Closes what it is kept in; the store of the facts stays open."""
        self._tables.close()

    def _asked(self, question: Callable[[Sql], R]) -> R:
        """What is read in one turn; read again where that was interrupted."""

        def ask() -> R:
            with self._tables.reading() as sql:
                return question(sql)

        return self.store.again(ask)
