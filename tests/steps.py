"""Counts the work of something: how many functions it calls, whoever else has the processor."""

import sys
from collections.abc import Callable, Sequence
from typing import Any
from uuid import UUID

from yibao.domain.facts import events


def steps(run: Callable[[], object]) -> int:
    """How many calls of functions and methods, Python's own among them, it takes."""
    taken = 0

    def count(frame: Any, event: str, arg: Any) -> None:
        nonlocal taken
        taken += event in ("call", "c_call")

    before = sys.getprofile()
    sys.setprofile(count)
    try:
        run()
    finally:
        sys.setprofile(before)
    return taken


def again(recorded: Sequence[events.Event], times: int, after: int = 0) -> list[events.Event]:
    """The same events so many times, each time about what they themselves recorded.

    They come after so many events of their stream.
    """
    made: list[events.Event] = []
    for round_ in range(times):
        names = {each.event_id: UUID(int=round_ << 64 | n) for n, each in enumerate(recorded, 1)}
        for event in recorded:
            place = after + len(made) + 1
            named = {"originator_version": place, "event_id": names[event.event_id]}
            if isinstance(event, events.CareSettled):
                named["care"] = names[event.care]
            made.append(event.model_copy(update=named))
    return made
