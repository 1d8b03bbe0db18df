"""What is asked of columns is what is asked one by one, of whomever anything was told."""

from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from given.cohort import LEARNED
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from yibao.adapters.following.cohort import working
from yibao.adapters.service.cohorts import CohortView
from yibao.adapters.service.service import Service, open_service
from yibao.adapters.shapes import VALUES, value_row
from yibao.domain.calendar import read_instant
from yibao.projections.answer import answered
from yibao.projections.cohort.what_if import WhatIf

from ..helpers.crowd import MadeUp, crowd

HARD = settings(
    max_examples=12,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
FIRST = read_instant("2025-07-01 00:00")
INSTANTS = st.integers(0, 4 * 365 * 1440).map(lambda after: FIRST + timedelta(minutes=after))
KNOWN = st.none() | st.integers(0, 30).map(
    lambda after: LEARNED - timedelta(days=100) + timedelta(minutes=after)
)
MINE = """\
edition: mine
title: {en: One month, zh: 一个月}
extends: shanghai-2025
parameters:
  waiting_months_per_lapsed_year:
    {value: 1, unit: months, clause: a draft, basis: stated}
"""


@pytest.fixture(params=["sqlite", "postgres"])
def service(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Service]:
    monkeypatch.setattr(working, "MANY", 2)
    url = f"sqlite:///{tmp_path / 'facts.db'}"
    if request.param == "postgres":
        url = request.getfixturevalue("postgres_url")
    with open_service(url, policies=MadeUp(), clock=lambda: LEARNED) as it:
        crowd(it, 60)
        yield it


def one_by_one(cohort: CohortView) -> list[dict[str, Any]]:
    """The values of everybody, from her own answer."""
    found = (answered(known, cohort.at) for _, known in cohort.known())
    rows = sorted((value_row(each) for each in found), key=lambda row: row[:2])
    return [dict(zip(VALUES, row, strict=True)) for row in rows]


def test_values_and_counts_are_those_of_everybody_asked_one_by_one(service: Service) -> None:
    @HARD
    @given(at=INSTANTS, known_at=KNOWN)
    def holds(at: datetime, known_at: datetime | None) -> None:
        cohort = service.cohort(at, known_at=known_at)
        expected = one_by_one(cohort)
        assert cohort.values().to_pylist() == expected
        states = Counter(row["state"] or "none" for row in expected)
        assert cohort.count().counts == states
        for school in ("sjtu", "none"):
            of_school = service.cohort(at, known_at=known_at, school=school)
            assert of_school.values().to_pylist() == one_by_one(of_school)

    holds()
    kept = service._everybody().kept()
    assert kept is not None
    assert sum(len(each.refs) for each in kept.alike) > 60
    assert len(kept.apart) > 3


def test_a_what_if_is_that_of_everybody_asked_one_by_one(service: Service, tmp_path: Path) -> None:
    mine = tmp_path / "mine.yaml"
    mine.write_text(MINE, encoding="utf-8")
    replaced, edited = service.editions.get("shanghai-2025"), service.editions.check(mine)

    @HARD
    @given(known_at=KNOWN)
    def holds(known_at: datetime | None) -> None:
        found = service.what_if(edition=mine, known_at=known_at)
        known = [each for _, each in service.cohort(known_at=known_at).known()]
        expected = WhatIf(known, replaced, edited, known_at or LEARNED)
        assert sorted(found.everybody()) == sorted(expected.everybody())
        assert (found.gains, found.loses) == (expected.gains, expected.loses)
        for by in ("school", "category"):
            assert found.by(by) == expected.by(by)
        told = [each.outcome.days_more for each in found.examples()]
        assert told == [each.outcome.days_more for each in expected.examples()]
        for example in found.examples():
            whose = example.outcome.enrollment
            assert example.before == service.at(whose, example.before.at, known_at=known_at)

    holds()


def test_who_has_no_columns_is_told_the_same(
    service: Service, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine = tmp_path / "mine.yaml"
    mine.write_text(MINE, encoding="utf-8")
    values = service.cohort(LEARNED).values()
    outcomes = sorted(service.what_if(edition=mine).everybody())
    monkeypatch.setattr("yibao.adapters.following.cohort.cohort.has_columns", lambda: False)
    assert service.cohort(LEARNED).values() == values
    assert sorted(service.what_if(edition=mine).everybody()) == outcomes
