"""How things are measured and told: one row of the table for each."""

import gc
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

ROUNDS = 5
Clock = Callable[[], float]


@dataclass
class Row:
    """One line of the table: ours, theirs, what is compared, and what was aimed at."""

    what: str
    ours: str
    against: str
    theirs: str
    ratio: float | None
    aim: str


def rate(count: int, seconds: float) -> float:
    return count / seconds


def told(per_second: float) -> str:
    return f"{per_second:,.0f}/s"


@contextmanager
def timed(clock: Clock = time.perf_counter) -> Iterator[list[float]]:
    taken: list[float] = []
    gc.collect()
    began = clock()
    yield taken
    taken.append(clock() - began)


def in_turn(
    ours: Callable[[], int],
    theirs: Callable[[], int],
    *,
    rounds: int = ROUNDS,
    clock: Clock = time.perf_counter,
) -> tuple[float, float, float]:
    """Both rates and the median of the ratios, measured in turn so that a drift hits both.

    `clock` may be `time.process_time`, where others are at work on the machine.
    """
    pairs = []
    for _ in range(rounds):
        with timed(clock) as a:
            count_a = ours()
        with timed(clock) as b:
            count_b = theirs()
        pairs.append((rate(count_a, a[0]), rate(count_b, b[0])))
    return (
        statistics.median(x for x, _ in pairs),
        statistics.median(y for _, y in pairs),
        statistics.median(x / y for x, y in pairs),
    )
