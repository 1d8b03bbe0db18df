"""A store with nothing in it, followed in batches so small that there are many."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from yibao.adapters.following.cohort.batches import CohortBatch
from yibao.adapters.following.cohort.following import CohortProjection
from yibao.adapters.following.derived import Batch, FactsFollowed
from yibao.adapters.service.service import Service, open_service

from ..helpers.autumn import EDITIONS, Clock


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(params=["sqlite", "postgres"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty store beside which tables can be kept."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'facts.db'}"
    given: str = request.getfixturevalue("postgres_url")
    return given


@pytest.fixture
def service(store: str, clock: Clock) -> Iterator[Service]:
    with open_service(store, policies=EDITIONS, clock=clock) as it:
        yield it


@pytest.fixture
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(FactsFollowed, "size", 3)
    monkeypatch.setattr(CohortProjection, "size", 3)
    monkeypatch.setattr(Batch, "fan", 2)
    monkeypatch.setattr(CohortBatch, "fan", 2)
