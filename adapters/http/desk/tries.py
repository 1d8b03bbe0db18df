"""How many tries of each actor were refused: who tries all there is gets no further."""

from collections import Counter
from time import monotonic
from typing import Final

from yibao.adapters.http.wire import Problem

_HOUR: Final = 3600


class Tries:
    """The refused tries of each actor in the hour that is going on, in this process."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._hour = 0
        self._refused: Counter[str] = Counter()

    def check(self, actor: str) -> None:
        """Raises Problem where there were too many."""
        if (hour := int(monotonic() // _HOUR)) != self._hour:
            self._hour, self._refused = hour, Counter()
        if self._refused[actor] >= self._most:
            raise Problem("too_many_refused")

    def count(self, actor: str) -> None:
        """Notes that one was refused."""
        self._refused[actor] += 1
