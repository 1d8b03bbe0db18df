"""Figures of a process, as Prometheus reads them: routes, commands and outcomes, and nobody's name.

They come from closed vocabularies, as everything that `telemetry` is told does.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from math import inf
from threading import Lock
from typing import Final

from yibao.adapters.telemetry import Outcome, Telemetry, Watched

CONTENT_TYPE: Final = "text/plain; version=0.0.4"
#: The bounds of what requests took, in seconds.
_BOUNDS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, inf)

Labels = tuple[tuple[str, str], ...]


class Metrics:
    """Counts what goes on; it is told as a Telemetry is, and passes all of that on to another."""

    def __init__(self, beside: Telemetry) -> None:
        self._beside = beside
        self._lock = Lock()
        self._counts: dict[str, Counter[Labels]] = {}
        self._took: Counter[tuple[str, float]] = Counter()
        self._seconds: defaultdict[str, float] = defaultdict(float)

    def answered(self, method: str, route: str, status: int, seconds: float) -> None:
        """A request was answered."""
        self._add("yibao_http_requests_total", method=method, route=route, status=str(status))
        with self._lock:
            self._seconds[route] += seconds
            self._took[route, next(bound for bound in _BOUNDS if seconds <= bound)] += 1

    @contextmanager
    def command(self, name: str) -> Iterator[Watched]:
        with self._beside.command(name) as watched:
            ending = _Ending(watched)
            try:
                yield ending
            finally:
                for command, what, code in ending.all_of(name):
                    told = {} if code is None else {"code": code}
                    self._add("yibao_commands_total", command=command, outcome=what, **told)

    def retried(self, error: str) -> None:
        self._beside.retried(error)
        self._add("yibao_retries_total", error=error)

    @contextmanager
    def question(self, name: str) -> Iterator[None]:
        with self._beside.question(name):
            self._add("yibao_questions_total", question=name)
            yield

    def followed(self, projection: str, facts: int, lag: int, seconds: float) -> None:
        self._beside.followed(projection, facts, lag, seconds)

    def parked(self, projection: str, code: str) -> None:
        self._beside.parked(projection, code)

    def _add(self, name: str, **labels: str) -> None:
        with self._lock:
            self._counts.setdefault(name, Counter())[tuple(sorted(labels.items()))] += 1

    def text(self) -> str:
        """All of them, in Prometheus's text format."""
        with self._lock:
            return "".join(self._lines())

    def _lines(self) -> Iterator[str]:
        for name, counts in sorted(self._counts.items()):
            yield f"# TYPE {name} counter\n"
            for labels, count in sorted(counts.items()):
                told = ",".join(f'{key}="{value}"' for key, value in labels)
                yield f"{name}{{{told}}} {count}\n"
        name = "yibao_http_request_duration_seconds"
        yield f"# TYPE {name} histogram\n"
        for route, seconds in sorted(self._seconds.items()):
            count = 0
            for bound in _BOUNDS:
                count += self._took[route, bound]
                below = "+Inf" if bound == inf else bound
                yield f'{name}_bucket{{route="{route}",le="{below}"}} {count}\n'
            yield f'{name}_sum{{route="{route}"}} {seconds}\n'
            yield f'{name}_count{{route="{route}"}} {count}\n'


class _Ending:
    """How a recording ended, as it is told; what tells it is told on."""

    def __init__(self, beside: Watched) -> None:
        self._beside = beside
        self._whole: tuple[Outcome, str | None] | None = None
        self._each: list[tuple[str, Outcome, str | None]] = []

    def outcome(self, what: Outcome, code: str | None = None, facts: int = 0) -> None:
        self._beside.outcome(what, code, facts)
        self._whole = what, code

    def within(self, name: str, what: Outcome, code: str | None = None) -> None:
        self._beside.within(name, what, code)
        self._each.append((name, what, code))

    def all_of(self, name: str) -> Iterable[tuple[str, Outcome, str | None]]:
        what, code = self._whole or ("failed", None)
        return self._each or [(name, what, code)]
