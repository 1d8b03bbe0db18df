"""How many tries of each actor were refused: who tries all there is gets no further."""

from collections.abc import Callable

from anyio import to_thread

from yibao.adapters.http.wire import Problem
from yibao.adapters.office.directory import Shared, hour_of
from yibao.adapters.service import shanghai_now


class Tries:
    """The refused tries of each actor in the hour that is going on, whichever worker refused them.

    That there were too many a worker learns with the first that it refuses itself, and then tells
    that in the place of why: so no more than so many are told anything. What succeeds costs a look
    at what this worker knows already.
    """

    def __init__(self, most: int, shared: Callable[[], Shared]) -> None:
        self._most = most
        self._shared = shared
        self._stopped: dict[str, int] = {}

    def check(self, actor: str) -> None:
        """Raises Problem where there are known to be too many."""
        if actor in self._stopped:
            if self._stopped[actor] == hour_of(shanghai_now()):
                raise Problem("too_many_refused")
            del self._stopped[actor]

    async def count(self, actor: str) -> None:
        """Notes that one was refused; raises Problem where it is one too many."""
        now = shanghai_now()
        refused = await to_thread.run_sync(self._shared().refused, actor, now)
        if refused >= self._most:
            self._stopped[actor] = hour_of(now)
        if refused > self._most:
            raise Problem("too_many_refused")
