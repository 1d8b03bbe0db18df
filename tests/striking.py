"""What the handler of a signal raises, at each of the moments at which Python runs one."""

import gc
import sys
from collections.abc import Callable, Iterator
from itertools import count
from types import FrameType
from typing import Any, TypeVar

R = TypeVar("R")


class Struck(Exception):
    """What anybody may catch who catches anything."""


class Strike:
    """Raises Struck at one of the moments of an action, if there are so many."""

    def __init__(self, moment: int) -> None:
        self.moment = self._left = moment

    @property
    def has_come(self) -> bool:
        return self._left <= 0

    def during(self, action: Callable[[], R]) -> R | None:
        """What an action returns; None where it was interrupted. Raises what it makes of that."""
        gc.disable()  # what is raised while it collects comes out nowhere
        try:
            sys.setprofile(self._look)
            return action()
        except Struck:
            return None
        finally:
            sys.setprofile(None)
            gc.enable()

    def _look(self, frame: FrameType, event: str, of: Any) -> None:
        """Python looks for signals where a function begins, and where one written in C has ended.

        A generator that is closed seems to begin once more.
        """
        if event in ("call", "c_return") and frame.f_code.co_name != "<genexpr>":
            self._left -= 1
            if self._left == 0:
                raise Struck


def strikes(every: int = 1) -> Iterator[Strike]:
    """A strike at one moment after the other, each to be used once, until there are no more."""
    for moment in count(1, every):
        strike = Strike(moment)
        yield strike
        if not strike.has_come:
            assert moment > 20, "it is over too soon to tell anything"
            return
