"""Who is on which lists: the same of all at once and one by one, and from one page to the next."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest

import yibao.adapters.office.season.standing as room
from yibao.adapters.office.demo import SCHOOL, UNTIL, Made, make_school
from yibao.adapters.office.season import LISTS, Listed, listed
from yibao.adapters.service import CohortView, Service, open_service


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    return make_school(tmp_path_factory.mktemp("standing") / "school", 100)


@pytest.fixture
def service(made: Made) -> Iterator[Service]:
    def clock() -> datetime:
        nonlocal now
        now += timedelta(seconds=1)
        return now

    now = made.at
    with open_service(f"sqlite:///{made.store}", by="clerk", clock=clock) as service:
        yield service


NEW: dict[str, Any] = {
    **{"at": "2025-12-15 09:00", "on": "2025-12-14", "school": SCHOOL},
    **{"category": "undergraduate", "document": "passport"},
}


def lists(service: Service) -> dict[str, Listed]:
    found = (listed(service, None, name, SCHOOL, UNTIL, by="officer-1") for name in LISTS)
    return {each.name: each for each in found}


def anew(service: Service, patch: pytest.MonkeyPatch, **instead: Any) -> dict[str, Listed]:
    """What is told where nothing was kept from a page before."""
    with patch.context() as here:
        for name, value in instead.items():
            here.setattr(CohortView, name, value)
        room._KEPT.clear()
        found = lists(service)
    room._KEPT.clear()
    return found


def test_asked_of_all_at_once_it_is_what_each_is_told(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    together = lists(service)
    assert service.cohort(UNTIL.isoformat() + " 12:00", school=SCHOOL).steps() is not None
    assert anew(service, monkeypatch, steps=lambda _: None) == together
    assert {name for name, each in together.items() if each.entries} > {"waiting", "care-review"}


def test_a_page_that_was_kept_is_what_it_would_be_anew(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    lists(service)
    whom = [each.enrollment for each in service.cohort(school=SCHOOL).page(limit=100).entries]
    at: dict[str, Any] = {"at": "2025-12-15 09:00", "observed": True}
    receipt = service.receive_care(whom[0], at="2025-12-15 09:00", on="2025-12-15", cost="80.00",
        setting="campus_clinic")  # fmt: skip
    steps = [
        lambda: service.confirm(whom[1], channel="app", **at),
        lambda: service.settle_care(whom[0], receipt.event_id, **at),
        lambda: service.pay_premium(whom[2], year=2026, **at),
        lambda: service.change_school(whom[3], school="another", **at),
        lambda: service.change_school(whom[3], school=SCHOOL, **at),
        lambda: service.withdraw(whom[4], on="2025-12-01", **at),
        lambda: service.verify_prior_coverage(whom[5], lapsed_years=3, at="2025-12-15 09:00"),
        lambda: service.fix_window("shanghai-2025", at="2025-12-15 09:00", closes_on="2025-12-20"),
        lambda: service.correct(
            whom[6],
            service.facts(whom[6])[0].event_id,
            at="2025-12-15 09:00",
            reason="misread",
            changes={"document": "passport"},
        ),
        lambda: service.register("s-new", policy="shanghai-2025", **NEW),
    ]
    moved = 0
    for step in steps:
        before = lists(service)
        step()
        after = lists(service)
        moved += before != after
        kept, the_same = after, anew(service, monkeypatch)
        assert kept == the_same
        lists(service)
    assert moved > 3  # references are drawn: it depends on who these are


def test_so_many_entries_are_kept_and_one_page_at_least(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    days = [UNTIL - timedelta(days=days) for days in range(4)]
    for most, kept in ((10_000, days), (50, days[-1:])):
        monkeypatch.setattr(room, "_ENTRIES", most)
        for day in days:
            listed(service, None, "waiting", SCHOOL, day, by="officer-1")
        assert [at.date() for _, at in room._KEPT[service]] == kept
