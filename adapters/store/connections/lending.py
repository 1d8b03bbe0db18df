"""Connections that are lent: given back or thrown away whatever happens, and of one process alone.

An exception of a signal may come between any two steps, also in the middle of giving back. So no
step is trusted to follow another: a loan is noted before anything is taken, a connection that was
interrupted is closed, and a loan whose scope is over is taken back by whoever comes next, in
whichever thread. What is noted changes under a lock that `with` itself takes, by steps among which
there is no call, so that Python looks at no signal in between.

After a fork the child has everything and may use none of it: two processes would share one socket,
or one of them a file without its locks. It is told so before it waits for any lock, since a lock
may have been taken by a thread that is not there any more.
"""

import ctypes
import math
import os
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from contextlib import suppress
from os import getpid
from threading import Lock, get_ident
from types import TracebackType
from typing import Any, Final, Generic, TypeVar
from weakref import WeakSet

from eventsourcing.persistence import PersistenceError

from yibao.adapters.store.connections.retrying import ticking
from yibao.adapters.store.errors import Interrupted, StoreError
from yibao.domain.refusals import YibaoError

C = TypeVar("C")
R = TypeVar("R")

#: How often whoever waits looks whether what it waits for was left behind, in seconds.
GLANCE: Final = 0.02
#: How long a fork waits for threads that are using a file, in seconds.
FORK_PATIENCE: Final = 5.0


class NotLent(PersistenceError):
    """There is no connection to be had; `told` says why as an error of ours."""

    def __init__(self, told: StoreError) -> None:
        super().__init__(str(told))
        self.told = told


def elsewhere() -> NotLent:
    """What is told to another process than the one that opened something."""
    return NotLent(
        StoreError("was opened in another process, before a fork: open it anew in this one")
    )


class Scope:
    """Within which something was lent: once it is over, nobody has any of that any more."""

    __slots__ = ("is_over", "loans")

    def __init__(self) -> None:
        self.is_over = False
        self.loans: list[Loan[Any]] = []

    def take_back(self) -> None:
        """Throws away what was not given back, once it is over."""
        for loan in self.loans:
            if not loan.is_back:
                loan.pool.throw_away(loan)


class _Here(threading.local):
    scope: Scope | None = None


_HERE: Final = _Here()


def within(action: Callable[[], R]) -> R:
    """What an action returns; what it was lent is taken back when it ends, however it does."""
    scope, before = Scope(), _HERE.scope
    try:
        _HERE.scope = scope
        return action()
    finally:
        # Nothing can come in between here: where the rest is interrupted, others will do it.
        scope.is_over = True
        _HERE.scope = before
        scope.take_back()


class Loan(Generic[C]):
    """A connection of a pool, as long as one is inside."""

    __slots__ = ("connection", "is_back", "pool", "rests", "scope", "thread")

    def __init__(self, pool: "Pool[C]", scope: Scope | None = None) -> None:
        self.pool = pool
        self.scope = scope or _HERE.scope
        self.thread = get_ident()
        self.connection: C | None = None
        self.is_back = False
        #: Whether the connection is only kept open: nobody uses it, and no fork waits for it.
        self.rests = False

    def __enter__(self) -> C:
        try:
            if self.scope is not None:
                self.scope.loans.append(self)
            return self.pool.take(self)
        except BaseException:
            self.pool.throw_away(self)
            raise

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if kind is None or issubclass(kind, self.pool.harmless):
            self.pool.give_back(self)
        else:
            self.pool.throw_away(self)


class Pool(ABC, Generic[C]):
    """Connections of one process, lent to so many at a time."""

    #: Errors after which a connection is as good as before.
    harmless: tuple[type[BaseException], ...] = (YibaoError,)
    #: Whether a fork waits until nobody else is using one.
    has_forks_wait = False

    def __init__(self, size: int, pool_timeout: float, *, keep: int, rest: float = 0.0) -> None:
        """Of those that nobody uses, `keep` are kept, and others for `rest` seconds."""
        self.pool_timeout = pool_timeout
        self.closed = False
        self._size = size
        self._keep = keep
        self._rest = rest
        self._pid = getpid()
        self._lock = Lock()
        self._idle: list[tuple[C, float]] = []
        self._lent: dict[Loan[C], None] = {}
        #: Wakes somebody who waits; a hint, since whoever waits looks by himself as well.
        self._freed = Lock()
        _POOLS.add(self)

    @abstractmethod
    def _make(self) -> C: ...

    @abstractmethod
    def _close(self, connection: C) -> None:
        """Closes a connection, whatever state it is in; nothing if it is closed."""

    @abstractmethod
    def _is_clean(self, connection: C) -> bool:
        """Whether a connection may be lent again; it may be cleaned by that."""

    def lend(self, scope: Scope | None = None) -> Loan[C]:
        """A loan, to be entered. Its scope is by default what it is entered `within`."""
        return Loan(self, scope)

    def take(self, loan: Loan[C]) -> C:
        """A connection for a loan. Raises NotLent where there is none in time."""
        self.check_process()
        ends = 0.0
        while not self._note(loan):
            if self._take_back():
                continue
            lent = list(self._lent)
            if len(lent) >= self._size and all(each.thread == loan.thread for each in lent):
                told = "is being used already by what has called this, in the same thread"
                raise NotLent(StoreError(told))
            now = ticking()
            ends = ends or now + self.pool_timeout
            if now > ends:
                raise NotLent(Interrupted("failed: no connection could be had in time"))
            self._freed.acquire(timeout=GLANCE)
        if loan.connection is None:
            loan.connection = self._make()
        return loan.connection

    def _note(self, loan: Loan[C]) -> bool:
        """Notes a loan, with a connection if one is at hand; whether there is room."""
        with self._lock:
            if self.closed:
                raise NotLent(StoreError("is closed"))
            if len(self._lent) >= self._size or (_FORKING and self._waits_for_fork(loan.thread)):
                return False
            self._lent[loan] = None
            if self._idle:
                loan.connection = self._idle[-1][0]
                del self._idle[-1]
            return True

    def _take_back(self) -> bool:
        """Takes back what somebody was lent whose scope is over; whether there was any."""
        left = [loan for loan in list(self._lent) if loan.scope and loan.scope.is_over]
        for loan in left:
            self.throw_away(loan)
        return bool(left)

    def give_back(self, loan: Loan[C]) -> None:
        """Takes a connection back for others, or closes it."""
        connection = loan.connection
        if connection is None or not self.is_of_this_process:
            return
        if not self._is_clean(connection):
            self.throw_away(loan)
            return
        now = ticking()
        with self._lock:
            if loan in self._lent and not self.closed:
                del self._lent[loan]
                self._idle += [(connection, now)]
                loan.is_back = True
        if not loan.is_back:
            self.throw_away(loan)
            return
        self._wake()
        if len(self._idle) > self._keep:
            self._close_idle(self._keep, now - self._rest)

    def throw_away(self, loan: Loan[C]) -> None:
        """Closes what was lent. It may be done again where it was interrupted."""
        if not self.is_of_this_process:
            return
        if loan.connection is not None:
            self._close(loan.connection)
        with self._lock:
            if loan in self._lent:
                del self._lent[loan]
            loan.is_back = True
        self._wake()

    def _wake(self) -> None:
        if self._freed.locked():
            with suppress(RuntimeError):  # somebody else has done so meanwhile
                self._freed.release()

    def _close_idle(self, keep: int = 0, before: float = math.inf) -> None:
        """Closes those that nobody uses, the longest unused first, but for some."""
        while True:
            with self._lock:
                if len(self._idle) <= keep or self._idle[0][1] > before:
                    return
                connection = self._idle[0][0]
                del self._idle[0]
            self._close(connection)

    def close(self) -> None:
        """Closes every connection; one that is being used is closed when it is given back."""
        if self.is_of_this_process:
            self.closed = True
            self._close_idle()

    @property
    def is_of_this_process(self) -> bool:
        return getpid() == self._pid

    def check_process(self) -> None:
        """Raises NotLent in another process than the one that made it."""
        if not self.is_of_this_process:
            raise elsewhere()

    # Around a fork.

    def _waits_for_fork(self, thread: int) -> bool:
        """Whether a thread is to wait until a fork is done: one that has nothing that it awaits."""
        return (
            self.has_forks_wait
            and thread not in _FORKING
            and not any(
                loan.thread == thread and not loan.rests
                for pool in list(_POOLS)
                for loan in list(pool._lent)
            )
        )

    def pause(self, ends: float) -> bool:
        """Waits until no other thread is using a connection, and lets none begin; if in time."""
        mine = get_ident()
        while ticking() < ends:
            if self._lock.acquire(timeout=GLANCE):
                if all(loan.rests or loan.thread == mine for loan in self._lent):
                    return True
                self._lock.release()
            time.sleep(GLANCE / 10)
        return False

    def go_on(self) -> None:
        """Lets others use connections again, in the parent."""
        self._lock.release()

    def leave_behind(self, was_paused: bool) -> None:
        """In the child: sees to it that what the parent uses is never closed here."""
        for connection in [each for each, _ in self._idle] + [
            each.connection for each in self._lent
        ]:
            if connection is not None:
                keep_for_ever(connection)


class Turn(Pool[object]):
    """A turn that one thread has at a time."""

    def __init__(self) -> None:
        super().__init__(1, math.inf, keep=0)

    def _make(self) -> object:
        return self

    def _close(self, connection: object) -> None:
        pass

    def _is_clean(self, connection: object) -> bool:
        return False


def keep_for_ever(thing: object) -> None:
    """Has something never be finalized, not even when the process ends."""
    ctypes.pythonapi.Py_IncRef(ctypes.py_object(thing))


_POOLS: "Final[WeakSet[Pool[Any]]]" = WeakSet()


class _Fork(threading.local):
    """A fork that is under way: the pools, and whether each could be paused."""

    def __init__(self) -> None:
        self.pools: list[tuple[Pool[Any], bool]] = []


_FORK: Final = _Fork()
#: The threads that are forking.
_FORKING: Final[set[int]] = set()


def _before_fork() -> None:
    _FORKING.add(get_ident())
    ends = ticking() + FORK_PATIENCE
    for pool in list(_POOLS):
        if pool.is_of_this_process:
            _FORK.pools.append((pool, pool.has_forks_wait and pool.pause(ends)))


def _after_fork_in_parent() -> None:
    while _FORK.pools:
        pool, was_paused = _FORK.pools.pop()
        if was_paused:
            pool.go_on()
    _FORKING.discard(get_ident())


def _after_fork_in_child() -> None:
    while _FORK.pools:
        pool, was_paused = _FORK.pools.pop()
        pool.leave_behind(was_paused)
    _FORKING.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(
        before=_before_fork,
        after_in_parent=_after_fork_in_parent,
        after_in_child=_after_fork_in_child,
    )
