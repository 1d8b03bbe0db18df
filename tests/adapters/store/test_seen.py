"""Whoever embeds a service sees it run: spans, figures and a log, and nobody's data in them."""

import json
import logging
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from pgserver import Server

import yibao
from yibao.adapters.service.service import Service, open_service
from yibao.adapters.store.facts import StoreError
from yibao.adapters.telemetry.figures import Telemetry, open_telemetry
from yibao.domain.facts.commands import Confirm, DeclareRoster, Register

from ..helpers.proxy import Proxy
from ..helpers.stores import lasting, rows
from ..helpers.writers import registration

ADA = yibao.EnrollmentId("s-secret", 2025)
_, SHEET = registration("s-secret", "register-1")


class Seen:
    """What an embedder's own providers have been told."""

    def __init__(self) -> None:
        self.spans = InMemorySpanExporter()
        self.metrics = InMemoryMetricReader()
        tracers = TracerProvider()
        tracers.add_span_processor(SimpleSpanProcessor(self.spans))
        meters = MeterProvider([self.metrics])
        self.telemetry: Telemetry = open_telemetry(tracer_provider=tracers, meter_provider=meters)

    def everything(self) -> str:
        told = [span.to_json() for span in self.spans.get_finished_spans()]
        return "\n".join(told) + self.metrics_json()

    def metrics_json(self) -> str:
        found = self.metrics.get_metrics_data()
        return found.to_json() if found is not None else "{}"

    def counts(self, name: str) -> dict[str, int]:
        """The points of a counter by the values of their attributes."""
        return {
            " ".join(str(value) for _, value in sorted(point["attributes"].items())): point["value"]
            for resource in json.loads(self.metrics_json())["resource_metrics"]
            for scope in resource["scope_metrics"]
            for metric in scope["metrics"]
            if metric["name"] == name
            for point in metric["data"]["data_points"]
        }


@pytest.fixture
def seen() -> Seen:
    return Seen()


@pytest.fixture
def service(url: str, seen: Seen) -> Iterator[Service]:
    with open_service(url, by="officer-secret", telemetry=seen.telemetry) as service:
        yield service


def live(service: Service) -> None:
    service.register(**SHEET)
    assert service.register(**SHEET).repeated
    with pytest.raises(yibao.Refused):
        service.confirm(ADA, at="2025-09-06 10:00", channel="app", note="a secret note")
    with pytest.raises(yibao.Refused):
        service.confirm(ADA, at="2025-09-06 10:00", channel="pigeon")
    roster = DeclareRoster.model_validate({"at": "2025-09-02 17:00"})
    confirmed = Confirm.model_validate({"at": "2025-09-06 10:00", "channel": "app"})
    service.record_each([(ADA, roster), (ADA, confirmed)])
    service.at(ADA)
    service.history(ADA, "coverage")


def test_every_command_is_counted_once_by_how_it_ended(service: Service, seen: Seen) -> None:
    live(service)
    assert seen.counts("yibao.commands") == {
        "register recorded": 1,
        "register repeated": 1,
        "roster_not_declared confirm refused": 1,
        "bad_value confirm refused": 1,
        "declare_roster recorded": 1,
        "confirm recorded": 1,
    }
    names = [span.name for span in seen.spans.get_finished_spans()]
    assert names == ["yibao.command"] * 5 + ["yibao.question"] * 2


def test_nothing_is_told_of_whom_it_is_about_or_who_asks(service: Service, seen: Seen) -> None:
    live(service)
    told = seen.everything()
    assert "secret" not in told
    assert str(ADA.stream) not in told
    assert "sjtu" not in told


@lasting
def test_a_failure_of_the_store_is_told_by_its_kind(service: Service, seen: Seen, url: str) -> None:
    rows(url, "ALTER TABLE stored_events RENAME TO elsewhere")
    with pytest.raises(StoreError):
        service.register(**SHEET)
    assert seen.counts("yibao.commands") == {"StoreError register failed": 1}


def test_what_is_tried_again_is_counted(postgres: Server, postgres_url: str, seen: Seen) -> None:
    with (
        Proxy(postgres.folder) as proxy,
        open_service(proxy.through(postgres_url), telemetry=seen.telemetry) as service,
    ):
        service.register(**SHEET)
        proxy.cut_before_commit()
        service.declare_roster(ADA, at="2025-09-02 17:00")
    assert seen.counts("yibao.commands") == {
        "register recorded": 1,
        "declare_roster recorded": 1,
    }
    assert seen.counts("yibao.retries") == {"OperationalError": 1}


def test_a_service_is_silent_unless_it_is_told_otherwise(
    url: str, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    with caplog.at_level(logging.DEBUG, "yibao"), open_service(url) as service:
        live(service)
    assert [record for record in caplog.records if record.name.startswith("yibao")] == []
    assert capfd.readouterr() == ("", "")


def test_the_commands_of_a_batch_are_counted_each_by_its_own_end(
    service: Service, seen: Seen
) -> None:
    registered = Register(**SHEET)
    declared = DeclareRoster(at=registered.at, command_id="declare-1")
    bo = yibao.EnrollmentId("bo", 2025)
    somebody: Any = SimpleNamespace(name="Ada Secret")
    asked = [(ADA, registered), (ADA, declared), (ADA, declared), (bo, declared), (bo, somebody)]
    service.record_each(asked)
    assert seen.counts("yibao.commands") == {
        "bad_value unknown refused": 1,
        "register recorded": 1,
        "declare_roster recorded": 1,
        "declare_roster repeated": 1,
        "not_registered declare_roster refused": 1,
    }
