"""What very many facts changed is asked at once: the rows are those of asking one by one."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from given.cohort import anybody, everybody
from hypothesis import event, given, settings
from hypothesis import strategies as st

from yibao.adapters.editions.files import Editions
from yibao.adapters.following.derived import SqliteTables
from yibao.adapters.following.trail import batches, following
from yibao.adapters.following.trail.audit import AuditTrail
from yibao.adapters.following.trail.batches import rows_of_entries
from yibao.adapters.following.trail.bulk import Bulk
from yibao.adapters.following.trail.layout import TRAIL
from yibao.adapters.following.trail.store import TrailRow
from yibao.adapters.service.service import Service
from yibao.adapters.store.facts import FactStore, open_store
from yibao.domain.facts.events import Event
from yibao.domain.refusals import BadValue
from yibao.projections.audit_trail import entries, felt
from yibao.projections.cohort.shapes import Apart
from yibao.projections.record import Record

from ..helpers.autumn import Clock, an_autumn
from ..helpers.crowd import MadeUp
from ..helpers.follower import Held, caught_up, made_anew

#: So many students are compared in the suite; many more in `make torture`.
STUDENTS = 20_000 if "YIBAO_TORTURE" in os.environ else 600
#: So many are like one another, and come in two batches.
ALIKE = 50
EVER = 10**9


def at_once(bulk: Bulk, records: list[Record]) -> tuple[list[TrailRow], list[Record]]:
    """The rows of those who can be asked together, and who is asked apart."""
    apart = []
    with bulk.gathering():
        for record in records:
            try:
                bulk.take(record, felt(record, 0, EVER))
            except Apart:
                apart.append(record)
        return bulk.rows(records[0].edition_of), apart


@given(like=st.integers(0, 10**6), first=st.integers(0, ALIKE - 1))
@settings(max_examples=STUDENTS // ALIKE, deadline=None)
def test_of_anybody_the_rows_are_those_of_asking_one_by_one(like: int, first: int) -> None:
    bulk = Bulk()
    students = [anybody(like * ALIKE + n, like) for n in range(ALIKE)]
    for some in filter(None, (students[:first], students[first:])):
        records = [record for years in some for record in years]
        found, apart = at_once(bulk, records)
        whom = [record for record in records if not any(record is each for each in apart)]
        expected = [row for record in whom for row in rows_of_entries(entries(record))]
        assert sorted(found, key=repr) == sorted(expected, key=repr)
        event(f"asked apart: {bool(apart)}")
        event(f"told: {bool(found)}")


@pytest.fixture
def filled(tmp_path: Path) -> Iterator[FactStore]:
    """A store with the facts of some hundred students in the order of recording."""
    with closing(open_store(f"sqlite:///{tmp_path / 'facts.db'}")) as store:
        facts = [fact for told in everybody(300) for fact in told]
        facts.sort(key=lambda fact: (fact.recorded_at, fact.originator_id))
        with store.transaction() as transaction:
            transaction.append(facts)
        yield store


def rows(store: FactStore, known: Any) -> Held:
    with closing(AuditTrail(store, known, SqliteTables(":memory:", TRAIL))) as trail:
        return caught_up(trail)


def test_a_store_is_taken_in_alike_with_and_without_numpy(
    filled: FactStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = Editions()
    taken: list[str] = []

    def count(method: str) -> None:
        take = getattr(Bulk, method)

        def counted(*told: Any) -> None:
            taken.append(method)
            take(*told)

        monkeypatch.setattr(Bulk, method, counted)

    count("take")  # who is read, and else as it is spelt
    count("take_added")
    found = rows(filled, known)
    assert taken.count("take_added") >= 300
    assert 0 < taken.count("take") < 150
    taken.clear()
    monkeypatch.setattr(following, "find_spec", lambda _: None)
    assert rows(filled, known) == found
    assert not taken


def test_who_is_told_the_same_under_two_editions_of_a_year_is_asked_under_her_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    facts: list[Event] = []
    for number, told in enumerate(everybody(200)):
        under = {"policy": "shanghai-2025-revised"} if number % 2 else {}
        facts += (fact.model_copy(update=under if n == 0 else {}) for n, fact in enumerate(told))
    facts.sort(key=lambda fact: (fact.recorded_at, fact.originator_id))
    with closing(open_store(f"sqlite:///{tmp_path / 'facts.db'}")) as store:
        with store.transaction() as transaction:
            transaction.append(facts)
        found = rows(store, MadeUp())
        monkeypatch.setattr(following, "find_spec", lambda _: None)
        assert rows(store, MadeUp()) == found


def test_where_somebody_cannot_be_told_all_are_asked_one_by_one(
    filled: FactStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = Editions()
    expected = rows(filled, known)

    def refused(bulk: Bulk, edition_of: Any) -> list[TrailRow]:
        raise BadValue("on", "is none that anybody could tell")

    monkeypatch.setattr(Bulk, "rows", refused)
    assert rows(filled, known) == expected


def test_an_autumn_taken_in_at_once_is_that_taken_in_one_by_one(
    service: Service, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    an_autumn(service, clock)
    expected = made_anew(service)
    monkeypatch.setattr(batches, "FEW", 0)
    assert made_anew(service) == expected


def test_asking_the_trail_of_a_few_loads_no_numpy(tmp_path: Path) -> None:
    told = (
        "import sys, yibao\n"
        "with yibao.open(sys.argv[1]) as service, service.audit_trail() as trail:\n"
        "    trail.catch_up()\n"
        "assert 'numpy' not in sys.modules\n"
    )
    url = f"sqlite:///{tmp_path / 'facts.db'}"
    subprocess.run([sys.executable, "-c", told, url], check=True)
