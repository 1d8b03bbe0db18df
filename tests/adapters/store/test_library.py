"""Whoever knows `eventsourcing` follows our facts by its own means: the log, and projections."""

from collections import Counter
from typing import Any

import pytest
from eventsourcing.dispatch import singledispatchmethod
from eventsourcing.interface import NotificationLogJSONClient, NotificationLogJSONService
from eventsourcing.persistence import Tracking
from eventsourcing.popo import POPOTrackingRecorder
from eventsourcing.projection import Projection, ProjectionRunner

from yibao.adapters.service.service import Service, open_service
from yibao.adapters.store.facts import FactStore
from yibao.domain.facts.events import Event

from ..helpers.stores import lasting
from ..helpers.writers import Step, filing, registration, told

pytestmark = lasting


def autumn(service: Service) -> None:
    """Four students, of whom each has registered and filed three times."""
    for ref in ("ada", "bo", "cy", "di"):
        asked = [registration(ref, f"{ref}-r"), *(filing(f"{ref}-{n}") for n in range(3))]
        assert not told(service, Step(ref, asked)).failed


def recorded(store: FactStore) -> list[tuple[int, Event]]:
    return [(each.position, each.event) for each in store.feed(0, store.reached().position, 1000)]


def test_the_notification_log_of_the_library_has_every_fact_once_and_in_order(url: str) -> None:
    with open_service(url) as service:
        autumn(service)
        store = service._store
        found, section_id = [], "1,10"
        while section_id:
            section = store.notification_log[section_id]
            found += section.items
            section_id = section.next_id or ""
        assert [(each.id, store.mapper.to_domain_event(each)) for each in found] == recorded(store)
        assert len(found) == 17
        # Over a wire as well, in the library's own JSON.
        remote = NotificationLogJSONClient(NotificationLogJSONService(store))
        assert remote["1,10"].items == found[:10]
        assert remote.select(11, 10) == found[10:]
        topics = [events_of.topic for events_of in remote.select(1, 10, topics=["registered"])]
        assert topics == ["registered"] * 4


class Facts(FactStore):
    """The store as the library opens it: by an environment."""

    name = "yibao"

    def __init__(self, env: Any = None) -> None:
        super().__init__(env["FACTS"])


class Filings(POPOTrackingRecorder):
    """A view of the library's own: how often each student has filed."""

    def __init__(self) -> None:
        super().__init__()
        self.counts: Counter[str] = Counter()
        self.positions: list[int] = []


class CountsFilings(Projection[Filings]):
    name = "filings"
    topics = ("registered", "remote-care-filed")

    @singledispatchmethod
    def process_event(self, domain_event: Any, tracking: Tracking) -> None:
        self.view.counts[domain_event.name] += 1
        self.view.positions.append(tracking.notification_id)
        self.view.insert_tracking(tracking)


def test_a_projection_of_the_library_follows_the_facts_while_they_are_recorded(url: str) -> None:
    with open_service(url) as service:
        autumn(service)
        runner: ProjectionRunner[Any, Filings] = ProjectionRunner(
            application_class=Facts,
            projection_class=CountsFilings,
            view_class=Filings,
            env={"FACTS": service._store.database},
        )
        with runner:
            runner.wait(service._store.reached().position, timeout=30)
            assert runner.view.counts == {"registered": 4, "remote-care-filed": 12}
            assert not told(service, Step("ada", [filing("later")])).failed
            runner.wait(service._store.reached().position, timeout=30)
            assert runner.view.counts["remote-care-filed"] == 13
            followed = [at for at, event in recorded(service._store)
                        if event.name in CountsFilings.topics]  # fmt: skip
            assert runner.view.positions == followed


def test_a_mistake_in_a_projection_of_the_library_is_told(url: str) -> None:
    class Mistaken(CountsFilings):
        @singledispatchmethod
        def process_event(self, domain_event: Any, tracking: Tracking) -> None:
            raise KeyError(domain_event.name)

    with open_service(url) as service:
        autumn(service)
        with (
            pytest.raises(KeyError),
            ProjectionRunner(
                application_class=Facts,
                projection_class=Mistaken,
                view_class=Filings,
                env={"FACTS": service._store.database},
            ) as runner,
        ):
            runner.run_forever(timeout=30)
