"""How a process that goes on by itself is asked to end."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from yibao.adapters.following import Stop


@contextmanager
def ended_by_signals(stop: Stop) -> Iterator[None]:
    """Sets `stop` when the process is asked to end; afterwards signals do what they did before."""

    def asked_to_end(number: int, frame: FrameType | None) -> None:
        stop.set()

    asking = (signal.SIGINT, signal.SIGTERM)
    before = {number: signal.signal(number, asked_to_end) for number in asking}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
