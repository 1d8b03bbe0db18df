"""Student by student a store is taken in as fact after fact."""

from pathlib import Path
from typing import Any

import pytest

from yibao.adapters.following.cohort import working
from yibao.adapters.following.cohort.following import CohortProjection
from yibao.adapters.following.derived import SqliteTables, tables_of
from yibao.adapters.following.trail import following
from yibao.adapters.following.trail.audit import AuditTrail
from yibao.adapters.following.trail.layout import TRAIL
from yibao.adapters.following.trail.store import TrailRow
from yibao.adapters.service.service import Service, open_service
from yibao.domain.vocabulary import EnrollmentId

from ..helpers.crowd import MadeUp, crowd
from ..helpers.follower import Held, held, made_anew
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


def trail_made(service: Service, size: int) -> Held:
    """What a trail holds that takes in so many streams, and students, at a time.

    After every transaction somebody else goes on.
    """
    there = service._store.reached()
    with pytest.MonkeyPatch.context() as sized:
        sized.setattr(following, "MANY", size)
        tables = tables_of(service._store, TRAIL)
        try:
            trail = AuditTrail(service._store, service.editions, tables)
            with tables.writing() as sql:
                trail.projection.transaction(tables, sql, "").begin_anew("")
            while not (progress := trail.projection.looked_at("")) or not trail.projection.is_at(
                progress, there
            ):
                trail = AuditTrail(service._store, service.editions, tables)
                trail.projection.catch_up(enough=lambda: True)
            return held(trail)
        finally:
            tables.close()


@pytest.mark.parametrize("has_numpy", [True, False])
def test_student_by_student_a_trail_is_the_one_made_fact_after_fact(
    store: str, has_numpy: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    with open_service(store, policies=MadeUp()) as service:
        crowd(service, 20)
        fact_after_fact = made_anew(service)
        if not has_numpy:
            monkeypatch.setattr(following, "find_spec", lambda _: None)
        assert trail_made(service, 7) == fact_after_fact
        kinds = {row[0] for row in fact_after_fact["entries"]}
        assert kinds == {0, 1, 2}, "there are windows that moved somebody"


def test_a_trail_leaves_out_the_same_students_for_the_same_reasons(tmp_path: Path) -> None:
    store = f"sqlite:///{tmp_path / 'facts.db'}"
    with open_service(store, policies=MadeUp()) as service:
        crowd(service, 20)
        for (position,) in rows(store, STUDENTS_OWN)[::8]:
            spoil(store, position)
        fact_after_fact, by_student = made_anew(service), trail_made(service, 7)
    parked, same = (
        [(stream, told) for stream, _, _, _, told in map(tuple, kept["parked"])]
        for kept in (by_student, fact_after_fact)
    )
    assert parked == same
    assert len(parked) > 2
    # Fact after fact there may be entries of one who is parked, of what came before.
    left_out = {stream for stream, _ in parked}
    of_others, same = (
        [row for row in kept["entries"] if _stream_of(row) not in {None, *left_out}]
        for kept in (by_student, fact_after_fact)
    )
    assert of_others == same
    assert not left_out & {_stream_of(row) for row in by_student["entries"]}


def _stream_of(row: tuple[Any, ...]) -> str | None:
    whose = dict(zip(TrailRow._fields, row, strict=True))
    return EnrollmentId(whose["ref"], whose["year"]).stream.hex if whose["ref"] else None


def test_the_indexes_of_a_trail_that_was_made_student_by_student_are_those_of_any(
    tmp_path: Path,
) -> None:
    def indexes(tables: SqliteTables) -> list[tuple[str, str]]:
        with tables.reading() as sql:
            found = sql.rows("SELECT name, sql FROM sqlite_master WHERE type='index'")
        return sorted(found, key=repr)

    with open_service(f"sqlite:///{tmp_path / 'facts.db'}", policies=MadeUp()) as service:
        crowd(service, 5)
        trail_made(service, 7)
        made = SqliteTables(f"{tmp_path / 'facts.db'}.trail", TRAIL)
        anew = SqliteTables(":memory:", TRAIL)
        with anew.writing() as sql:
            anew.empty(sql, "")
        assert indexes(made) == indexes(anew)
        made.close()
        anew.close()
