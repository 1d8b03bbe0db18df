"""Counts the work of something: how many functions it calls, whoever else has the processor."""

import sys
from collections.abc import Callable
from typing import Any


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
