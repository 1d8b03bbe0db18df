"""Student by student a store is taken in as fact after fact."""

from pathlib import Path
from typing import Any

import pytest

from yibao.adapters.following.cohort import working
from yibao.adapters.following.cohort.following import CohortProjection
from yibao.adapters.service.service import Service, open_service

from ..helpers.crowd import MadeUp, crowd
from ..helpers.stores import rows
from .test_cohort import made_at_once, spoil

STUDENTS_OWN = (
    "SELECT notification_id FROM stored_events WHERE topic IN "
    "('registered', 'confirmed', 'premium-paid', 'care-received') ORDER BY notification_id"
)


@pytest.fixture(autouse=True)
def over_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(working, "MANY", 2)


def made(service: Service, size: int) -> dict[str, list[Any]]:
    """What a cohort holds that takes in so many facts, or students, at a time."""
    with pytest.MonkeyPatch.context() as sized:
        sized.setattr(CohortProjection, "size", size)
        return made_at_once(service)


def test_student_by_student_it_holds_what_it_holds_fact_after_fact(store: str) -> None:
    with open_service(store, policies=MadeUp()) as service:
        crowd(service, 40)
        fact_after_fact = made(service, 10_000)
        assert made(service, 7) == fact_after_fact
        assert len(fact_after_fact["known"]) > 200


def test_it_leaves_out_the_same_students_for_the_same_reasons(tmp_path: Path) -> None:
    store = f"sqlite:///{tmp_path / 'facts.db'}"
    with open_service(store, policies=MadeUp()) as service:
        crowd(service, 40)
        for (position,) in rows(store, STUDENTS_OWN)[::25]:
            spoil(store, position)
        fact_after_fact, by_student = made(service, 10_000), made(service, 7)
    for kept in (fact_after_fact, by_student):
        del kept["progress"], kept["schools"]
        # Fact after fact one is parked where the batch begins in which that was found.
        kept["parked"] = [(stream, *told) for stream, _, _, _, *told in map(tuple, kept["parked"])]
    assert by_student == fact_after_fact
    assert len(by_student["parked"]) > 2
