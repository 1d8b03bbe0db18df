"""An embedder sees how yibao runs, and never about whom: by OpenTelemetry, and by lines of JSON."""

import io
import json
import logging
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode

import yibao
from yibao.adapters.telemetry.figures import SILENT, UNTOLD, Telemetry, Watched, open_telemetry
from yibao.adapters.telemetry.logs import LOGGER, log_json, tell
from yibao.domain.refusals import Refused

SRC = Path(__file__).parents[3] / "src"
#: What nobody should find anywhere: it looks like the number of an identity card.
IDENTITY = "110101199003074514"
CHILD = logging.getLogger("yibao.store")

Points = dict[frozenset[tuple[str, Any]], Any]
Line = Callable[[], dict[str, Any]]


@dataclass
class Seen:
    """What reached OpenTelemetry."""

    telemetry: Telemetry
    spans: InMemorySpanExporter
    metrics: InMemoryMetricReader

    def span(self) -> ReadableSpan:
        (span,) = self.spans.get_finished_spans()
        return span

    def ended(self) -> dict[str, Any]:
        return dict(self.span().attributes or {})

    def points(self, name: str) -> Points:
        """The points of one instrument by their attributes; of a histogram, its count."""
        return {
            point(**each.attributes): each.value if hasattr(each, "value") else each.count
            for metric in self.instruments()
            if metric.name == name
            for each in metric.data.data_points
        }

    def instruments(self) -> list[Any]:
        data = self.metrics.get_metrics_data()
        assert data is not None
        (resource,) = data.resource_metrics
        (scope,) = resource.scope_metrics
        assert (scope.scope.name, scope.scope.version) == ("yibao", yibao.__version__)
        return list(scope.metrics)

    def everything(self) -> str:
        data = self.metrics.get_metrics_data()
        spans = [span.to_json() for span in self.spans.get_finished_spans()]
        return "\n".join([*spans, data.to_json() if data else ""])


def point(**attributes: Any) -> frozenset[tuple[str, Any]]:
    return frozenset(attributes.items())


@pytest.fixture
def seen() -> Iterator[Seen]:
    exporter, reader = InMemorySpanExporter(), InMemoryMetricReader()
    tracers, meters = TracerProvider(), MeterProvider([reader])
    tracers.add_span_processor(SimpleSpanProcessor(exporter))
    yield Seen(open_telemetry(tracer_provider=tracers, meter_provider=meters), exporter, reader)
    tracers.shutdown()
    meters.shutdown()


@pytest.fixture
def written() -> Iterator[io.StringIO]:
    """What the log says, of every level."""
    loggers = [LOGGER, logging.getLogger("psycopg")]
    before = [(logger.handlers[:], logger.level) for logger in loggers]
    stream = io.StringIO()
    log_json(stream, logging.DEBUG)
    yield stream
    for logger, (handlers, level) in zip(loggers, before, strict=True):
        logger.handlers[:] = handlers
        logger.setLevel(level)


@pytest.fixture
def line(written: io.StringIO) -> Line:
    """The one line that was written."""

    def line() -> dict[str, Any]:
        (text,) = written.getvalue().splitlines()
        told: dict[str, Any] = json.loads(text)
        return told

    return line


def test_who_does_not_ask_for_telemetry_does_not_load_it() -> None:
    program = """
import sys
from yibao.adapters.telemetry.figures import SILENT
with SILENT.command("confirm") as watched:
    watched.outcome("recorded", facts=1)
with SILENT.question("at"):
    SILENT.retried("40001")
SILENT.followed("trail", 1, 0, 0.1)
SILENT.parked("trail", "UnreadableEvent")
print([name for name in sys.modules if name.startswith("opentelemetry")])
"""
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={"PYTHONPATH": str(SRC)}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert (done.stdout, done.stderr) == ("[]\n", "")


def test_silence_makes_nothing_anew() -> None:
    with SILENT.command("confirm") as one, SILENT.command("batch") as another:
        one.outcome("refused", "window_closed")
        assert one is another
    assert SILENT.command("confirm") is SILENT.command("batch")
    assert SILENT.question("at") is SILENT.question("review")


def test_silence_lets_errors_pass() -> None:
    with pytest.raises(KeyError), SILENT.command("confirm"):
        raise KeyError
    with pytest.raises(KeyError), SILENT.question("at"):
        raise KeyError


def test_a_recorded_command_is_a_span_with_the_number_of_its_facts(seen: Seen) -> None:
    with seen.telemetry.command("confirm") as watched:
        watched.outcome("recorded", facts=2)
    assert seen.span().name == "yibao.command"
    assert seen.ended() == {"command": "confirm", "outcome": "recorded", "facts": 2}
    assert seen.span().status.status_code is StatusCode.UNSET


def test_commands_are_counted_by_how_they_ended(seen: Seen) -> None:
    for _ in range(2):
        with seen.telemetry.command("confirm") as watched:
            watched.outcome("recorded", facts=1)
    with seen.telemetry.command("confirm") as watched:
        watched.outcome("repeated")
    with seen.telemetry.command("opt_out") as watched:
        watched.outcome("refused", "window_closed")
    assert seen.points("yibao.commands") == {
        point(command="confirm", outcome="recorded"): 2,
        point(command="confirm", outcome="repeated"): 1,
        point(command="opt_out", outcome="refused", code="window_closed"): 1,
    }


def test_durations_are_in_seconds_and_their_buckets_fit_them(seen: Seen) -> None:
    with seen.telemetry.command("confirm") as watched:
        watched.outcome("refused", "window_closed")
    assert seen.points("yibao.command.duration") == {point(command="confirm", outcome="refused"): 1}
    (duration,) = [each for each in seen.instruments() if each.name == "yibao.command.duration"]
    (only,) = duration.data.data_points
    assert duration.unit == "s"
    assert 0 < only.sum < 60
    assert only.explicit_bounds[0] < 0.01 < only.explicit_bounds[-1] <= 60


def test_a_refusal_is_no_error_of_the_span(seen: Seen) -> None:
    def refuse(watched: Watched) -> None:
        watched.outcome("refused", "window_closed")
        raise Refused("window_closed")

    with pytest.raises(Refused), seen.telemetry.command("confirm") as watched:
        refuse(watched)
    assert seen.ended()["code"] == "window_closed"
    assert seen.span().status.status_code is StatusCode.UNSET
    assert not seen.span().events


def test_what_is_left_by_an_exception_failed_by_its_type_and_not_its_message(seen: Seen) -> None:
    with pytest.raises(RuntimeError), seen.telemetry.command("confirm"):
        raise RuntimeError(f"Key (ref)=({IDENTITY}) already exists")
    with pytest.raises(RuntimeError), seen.telemetry.question("at"):
        raise RuntimeError(f"Failing row contains ({IDENTITY})")
    command, question = seen.spans.get_finished_spans()
    failed = {"command": "confirm", "outcome": "failed", "code": "RuntimeError"}
    assert dict(command.attributes or {}) == failed | {"facts": 0}
    assert seen.points("yibao.commands") == {point(**failed): 1}
    assert dict(question.attributes or {}) == {"question": "at", "code": "RuntimeError"}
    for span in (command, question):
        assert span.status.status_code is StatusCode.ERROR
        assert span.status.description is None
        assert not span.events
    assert IDENTITY not in seen.everything()


def test_an_interrupted_command_failed(seen: Seen) -> None:
    with pytest.raises(KeyboardInterrupt), seen.telemetry.command("confirm"):
        raise KeyboardInterrupt
    assert seen.ended()["code"] == "KeyboardInterrupt"


def test_the_last_outcome_told_counts(seen: Seen) -> None:
    with seen.telemetry.command("batch") as watched:
        watched.outcome("refused", "window_closed")
        watched.outcome("recorded", facts=3)
    assert seen.ended() == {"command": "batch", "outcome": "recorded", "facts": 3}


def test_a_command_about_whose_end_nothing_was_told_is_not_taken_for_recorded(seen: Seen) -> None:
    with seen.telemetry.command("confirm"):
        pass
    assert seen.ended() == {"command": "confirm", "outcome": "failed", "code": UNTOLD, "facts": 0}


def test_a_question_asked_while_a_command_is_recorded_stands_below_it(seen: Seen) -> None:
    with seen.telemetry.command("batch") as watched:
        with seen.telemetry.question("at"):
            pass
        watched.outcome("recorded", facts=1)
    question, command = seen.spans.get_finished_spans()
    assert (question.name, dict(question.attributes or {})) == (
        "yibao.question",
        {"question": "at"},
    )
    assert question.parent is not None
    assert command.context is not None
    assert question.parent.span_id == command.context.span_id


def test_retries_are_counted_by_error(seen: Seen) -> None:
    seen.telemetry.retried("40001")
    seen.telemetry.retried("40001")
    seen.telemetry.retried("OperationalError")
    assert seen.points("yibao.retries") == {
        point(error="40001"): 2,
        point(error="OperationalError"): 1,
    }


def test_a_follower_tells_its_facts_its_last_lag_and_what_it_parked(seen: Seen) -> None:
    seen.telemetry.followed("trail", 500, 700, 0.25)
    seen.telemetry.followed("trail", 500, 200, 0.5)
    seen.telemetry.followed("trail", 0, 300, 0.125)
    seen.telemetry.parked("trail", "UnreadableEvent")
    assert seen.points("yibao.follower.facts") == {point(projection="trail"): 1000}
    assert seen.points("yibao.follower.lag") == {point(projection="trail"): 300}
    assert seen.points("yibao.follower.duration") == {point(projection="trail"): 2}
    parked = point(projection="trail", code="UnreadableEvent")
    assert seen.points("yibao.follower.parked") == {parked: 1}


def test_without_providers_the_process_own_are_told() -> None:
    telemetry = open_telemetry()
    with telemetry.command("confirm") as watched, telemetry.question("at"):
        watched.outcome("recorded", facts=1)
    telemetry.retried("40001")
    telemetry.followed("trail", 1, 0, 0.1)
    telemetry.parked("trail", "UnreadableEvent")


def test_nobody_who_did_not_ask_for_a_log_sees_one() -> None:
    program = """
import logging
from yibao.adapters.telemetry.logs import (tell)
tell(logging.getLogger("yibao.store"), logging.CRITICAL, "store-lost", code="57P01")
"""
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={"PYTHONPATH": str(SRC)}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert (done.stdout, done.stderr) == ("", "")


def test_a_line_says_when_where_what_and_what_belongs_to_it(line: Line) -> None:
    before = datetime.now().astimezone()
    tell(CHILD, logging.WARNING, "transaction-retried", error="40001", attempt=2)
    told = line()
    time = datetime.fromisoformat(told.pop("time"))
    assert time.utcoffset() == timedelta(hours=8)
    assert before - timedelta(seconds=1) < time < before + timedelta(minutes=1)
    assert told == {
        "level": "warning",
        "logger": "yibao.store",
        "event": "transaction-retried",
        "error": "40001",
        "attempt": 2,
    }


def test_a_line_begins_with_when_and_what_is_told_does_not_replace_it(line: Line) -> None:
    tell(CHILD, logging.INFO, "followed", time="never", level=9, event="other", facts=1)
    told = line()
    assert list(told) == ["time", "level", "logger", "event", "facts"]
    assert (told["level"], told["event"]) == ("info", "followed")


def test_of_an_exception_only_the_type_is_logged(written: io.StringIO, line: Line) -> None:
    try:
        raise KeyError(IDENTITY)
    except KeyError as error:
        CHILD.exception("follower-stopped", extra={"told": {"cause": error, "all": [error]}})
    told = line()
    assert (told["error"], told["cause"], told["all"]) == ("KeyError", "KeyError", ["KeyError"])
    assert IDENTITY not in written.getvalue()


def test_an_exception_that_is_none_is_not_logged(line: Line) -> None:
    CHILD.error("follower-stopped", exc_info=True)
    assert "error" not in line()


def test_what_others_log_in_their_way_does_not_show_values(
    written: io.StringIO, line: Line
) -> None:
    CHILD.info("registered %s", IDENTITY)
    assert line()["event"] == "registered %s"
    written.truncate(written.seek(0))
    CHILD.error(ValueError(IDENTITY))
    assert line()["event"] == "ValueError"
    assert IDENTITY not in written.getvalue()


def test_of_a_value_nobody_foresaw_the_type_is_told(line: Line) -> None:
    @dataclass
    class Student:
        ref: str

    day, key = date(2025, 9, 1), UUID(int=7)
    tell(CHILD, logging.INFO, "x", who=Student(IDENTITY), on=day, key=key, fen=Decimal("1.50"))
    told = line()
    assert told["who"] == "Student"
    assert (told["on"], told["key"], told["fen"]) == ("2025-09-01", str(key), "1.50")


def test_a_line_stays_one_line(written: io.StringIO) -> None:
    tell(CHILD, logging.INFO, "x", text="one\ntwo\u2028three 学生")
    assert len(written.getvalue().splitlines()) == 1
    assert json.loads(written.getvalue())["text"] == "one\ntwo\u2028three 学生"


def test_what_lies_below_the_level_is_not_made_up(written: io.StringIO) -> None:
    log_json(written, logging.WARNING)

    class Refusing(logging.Handler):
        def handle(self, record: logging.LogRecord) -> bool:
            raise AssertionError("no record should have been made")

    CHILD.addHandler(handler := Refusing())
    try:
        tell(CHILD, logging.INFO, "followed")
    finally:
        CHILD.removeHandler(handler)
    assert written.getvalue() == ""


def test_what_the_driver_tells_of_is_a_line_without_values(line: Line) -> None:
    logging.getLogger("psycopg").warning("error ignored in rollback on %s", IDENTITY)
    told = line()
    assert (told["logger"], told["level"]) == ("psycopg", "warning")
    assert told["event"] == "error ignored in rollback on %s"


def test_asking_for_lines_again_does_not_double_them(written: io.StringIO) -> None:
    other = io.StringIO()
    log_json(other)
    tell(CHILD, logging.INFO, "followed")
    logging.getLogger("psycopg").warning("error ignored in rollback")
    assert written.getvalue() == ""
    assert len(other.getvalue().splitlines()) == 2


def test_without_a_stream_lines_go_to_standard_error_as_it_is_by_then(
    written: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    log_json()
    monkeypatch.setattr(sys, "stderr", later := io.StringIO())
    tell(CHILD, logging.INFO, "followed")
    assert json.loads(later.getvalue())["event"] == "followed"


def test_a_log_that_cannot_be_written_stops_nothing(
    written: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logging, "raiseExceptions", False)
    written.close()
    tell(CHILD, logging.INFO, "followed")


class Slow(io.StringIO):
    """A stream to which others write in between."""

    def write(self, text: str) -> int:
        written = super().write(text)
        time.sleep(0.0001)
        return written


def test_lines_are_whole_whichever_threads_and_libraries_log_at_once(written: io.StringIO) -> None:
    stream = Slow()
    log_json(stream)
    loggers = [CHILD, logging.getLogger("psycopg")]
    with ThreadPoolExecutor() as pool:
        for logger in loggers * 50:
            pool.submit(logger.error, "store-failed")
    lines = stream.getvalue().splitlines()
    assert [json.loads(line)["event"] for line in lines] == ["store-failed"] * 100
