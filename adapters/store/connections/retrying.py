"""Trying again what was interrupted, for some time; by tenacity."""

import sys
import time
from collections.abc import Callable
from typing import Any, Final, TypeVar

from yibao.adapters.store.errors import Interrupted

R = TypeVar("R")

#: The first pause in seconds, by and by doubled, and the longest; each by chance somewhat less.
FIRST_PAUSE: Final = 0.02
LONGEST_PAUSE: Final = 1.0


def again(action: Callable[[], R], patience: float, watch: Callable[[str], Any] | None = None) -> R:
    """What an action returns, tried again for so many seconds while it is interrupted.

    `watch` is told, before each new try, the type of error that has interrupted the last. Raises
    the last Interrupted when the time is over.
    """
    try:
        return action()
    except Interrupted as error:
        if not patience:
            raise
        if watch is not None:
            watch(_kind(error))
    from tenacity import (
        RetryCallState,
        Retrying,
        retry_if_exception_type,
        wait_random_exponential,
    )

    ends = ticking() + patience

    def told(state: RetryCallState) -> None:
        if watch is not None and state.outcome is not None:
            watch(_kind(state.outcome.exception()))

    trying = Retrying(
        retry=retry_if_exception_type(Interrupted),
        stop=lambda _: ticking() >= ends,
        wait=wait_random_exponential(multiplier=FIRST_PAUSE, max=LONGEST_PAUSE),
        before_sleep=told,
        reraise=True,
    )
    return trying(action)


def ticking() -> float:
    """The seconds of a clock that goes on where a test has frozen all that people look at."""
    if sys.platform == "win32":
        return time.monotonic()
    return time.clock_gettime(time.CLOCK_MONOTONIC)


def _kind(error: BaseException | None) -> str:
    cause = error.__cause__ if error is not None else None
    return type(cause or error).__name__
