"""How whoever embeds yibao sees it run: counts, durations and spans.

All of it is off until it is asked for, and costs nothing then: OpenTelemetry is not even
imported. What is told comes from closed vocabularies, which are the names of commands, questions
and projections, outcomes, codes, types of errors, and counts. Nothing is told that could say about
whom, by whom or what: there is no place for it, and the message of an exception is left out, since
a database may quote a row in it.
"""

from collections import Counter
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from os import getpid
from time import perf_counter
from typing import TYPE_CHECKING, Final, Literal, Protocol

import yibao
from yibao.adapters.store import StoreError

if TYPE_CHECKING:
    from opentelemetry.metrics import MeterProvider
    from opentelemetry.trace import Span, TracerProvider

#: `repeated` was recorded before under the same command id; `failed` is neither recorded nor
#: refused, as far as can be known here.
Outcome = Literal["recorded", "repeated", "refused", "failed"]

#: The code of a command about whose end nothing was told: a mistake of this program.
UNTOLD: Final = "untold"

#: In seconds: from a fact on a warm connection to a transaction that waited for others.
_BOUNDARIES: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


class Watched(Protocol):
    """A recording that is going on."""

    def outcome(self, what: Outcome, code: str | None = None, facts: int = 0) -> None:
        """How it ended: a refusal with its code, a record with the number of its new facts.

        The last one told counts. Where none is, an exception is `failed`, its type the code.
        """
        ...

    def within(self, name: str, what: Outcome, code: str | None = None) -> None:
        """How one of several commands ended that are recorded as a `batch`."""
        ...


class Telemetry(Protocol):
    """What yibao tells about itself while it runs; an embedder may bring its own.

    Its methods are called by whatever threads use the service, and must not raise.
    """

    def command(self, name: str) -> AbstractContextManager[Watched]:
        """Around the recording of a command, `confirm`, or of several, `batch`."""
        ...

    def retried(self, error: str) -> None:
        """A transaction is tried again, after an error of this type or SQLSTATE."""
        ...

    def question(self, name: str) -> AbstractContextManager[None]:
        """Around the answer to a question."""
        ...

    def followed(self, projection: str, facts: int, lag: int, seconds: float) -> None:
        """Facts were taken in, which took so long; `lag` facts are still to come.

        It is told as well, again and again, where there was nothing new, or nothing could be
        taken in: the facts are 0 then.
        """
        ...

    def parked(self, projection: str, code: str) -> None:
        """A fact was put aside, which the projection could not take in."""
        ...


class _Unwatched:
    def outcome(self, what: Outcome, code: str | None = None, facts: int = 0) -> None:
        pass

    def within(self, name: str, what: Outcome, code: str | None = None) -> None:
        pass


#: One for all calls: they have no state, so may be entered by any number of threads at once.
_COMMAND: Final[AbstractContextManager[Watched]] = nullcontext(_Unwatched())
_QUESTION: Final[AbstractContextManager[None]] = nullcontext()


class _Silent:
    def __repr__(self) -> str:
        return "SILENT"

    def command(self, name: str) -> AbstractContextManager[Watched]:
        return _COMMAND

    def retried(self, error: str) -> None:
        pass

    def question(self, name: str) -> AbstractContextManager[None]:
        return _QUESTION

    def followed(self, projection: str, facts: int, lag: int, seconds: float) -> None:
        pass

    def parked(self, projection: str, code: str) -> None:
        pass


#: Tells nobody anything.
SILENT: Final[Telemetry] = _Silent()


def open_telemetry(
    *,
    tracer_provider: "TracerProvider | None" = None,
    meter_provider: "MeterProvider | None" = None,
) -> Telemetry:
    """Tells OpenTelemetry: the providers given, or those the process has set up by its API."""
    return _OpenTelemetry(tracer_provider, meter_provider)


class _Ending:
    """What was told about the end of a recording."""

    def __init__(self) -> None:
        self.what: Outcome | None = None
        self.code: str | None = None
        self.facts = 0
        self.by_command: Counter[tuple[str, Outcome, str | None]] = Counter()

    def outcome(self, what: Outcome, code: str | None = None, facts: int = 0) -> None:
        self.what, self.code, self.facts = what, code, facts

    def within(self, name: str, what: Outcome, code: str | None = None) -> None:
        self.by_command[name, what, code] += 1


class _OpenTelemetry:
    def __init__(
        self, tracer_provider: "TracerProvider | None", meter_provider: "MeterProvider | None"
    ) -> None:
        from opentelemetry.metrics import get_meter
        from opentelemetry.trace import StatusCode, get_tracer

        version = yibao.__version__
        self._pid = getpid()
        self._error = StatusCode.ERROR
        self._tracer = get_tracer("yibao", version, tracer_provider)
        meter = get_meter("yibao", version, meter_provider)
        self._commands = meter.create_counter(
            "yibao.commands", "{command}", "Commands by how their recording ended."
        )
        self._duration = meter.create_histogram(
            "yibao.command.duration",
            "s",
            "How long a recording took, tries and waits included.",
            explicit_bucket_boundaries_advisory=_BOUNDARIES,
        )
        self._retries = meter.create_counter(
            "yibao.retries", "{retry}", "Transactions tried again, by the error that undid them."
        )
        self._facts = meter.create_counter(
            "yibao.follower.facts", "{fact}", "Facts that a projection has taken in."
        )
        self._lag = meter.create_gauge(
            "yibao.follower.lag", "{fact}", "Facts that a projection has still to take in."
        )
        self._batches = meter.create_histogram(
            "yibao.follower.duration",
            "s",
            "How long a projection took for a batch.",
            explicit_bucket_boundaries_advisory=_BOUNDARIES,
        )
        self._parked = meter.create_counter(
            "yibao.follower.parked", "{fact}", "Facts that a projection has put aside."
        )

    def _check_process(self) -> None:
        """Raises StoreError after a fork: what it tells is the parent's, and so are its locks."""
        if getpid() != self._pid:
            raise StoreError(
                "the telemetry was opened in another process, before a fork: "
                "open it anew in this one"
            )

    @contextmanager
    def command(self, name: str) -> Iterator[Watched]:
        self._check_process()
        ending = _Ending()
        began = perf_counter()
        with self._span("yibao.command", {"command": name}) as span:
            try:
                yield ending
            except BaseException as error:
                if ending.what is None:
                    ending.outcome("failed", type(error).__name__)
                raise
            finally:
                self._ended(name, ending, perf_counter() - began, span)

    def retried(self, error: str) -> None:
        self._check_process()
        self._retries.add(1, {"error": error})

    @contextmanager
    def question(self, name: str) -> Iterator[None]:
        self._check_process()
        with self._span("yibao.question", {"question": name}) as span:
            try:
                yield
            except BaseException as error:
                span.set_attribute("code", type(error).__name__)
                span.set_status(self._error)
                raise

    def followed(self, projection: str, facts: int, lag: int, seconds: float) -> None:
        self._check_process()
        whose = {"projection": projection}
        self._lag.set(lag, whose)
        if facts:
            self._facts.add(facts, whose)
            self._batches.record(seconds, whose)

    def parked(self, projection: str, code: str) -> None:
        self._check_process()
        self._parked.add(1, {"projection": projection, "code": code})

    def _span(self, name: str, told: dict[str, str]) -> "AbstractContextManager[Span]":
        # Left to itself a span keeps the message and the traceback of what passes through it.
        return self._tracer.start_as_current_span(
            name, attributes=told, record_exception=False, set_status_on_exception=False
        )

    def _ended(self, name: str, ending: _Ending, seconds: float, span: "Span") -> None:
        if ending.what is None:
            ending.outcome("failed", UNTOLD)
        told = {"outcome": str(ending.what)}
        self._duration.record(seconds, {"command": name} | told)
        if ending.code is not None:
            told["code"] = ending.code
        # Of a batch that has ended the commands are counted, each by its own name.
        if not ending.by_command:
            self._commands.add(1, {"command": name} | told)
        for (each, what, code), count in ending.by_command.items():
            because = {} if code is None else {"code": code}
            self._commands.add(count, {"command": each, "outcome": what} | because)
        span.set_attributes({**told, "facts": ending.facts})
        # A refusal is an answer, not an error.
        if ending.what == "failed":
            span.set_status(self._error)
