"""The cohort's own store: counts and lists are what asking everybody one by one gives."""

import subprocess
import sys
from array import array
from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import yibao
from yibao.adapters.following.cohort import Cohort, open_cohort, working
from yibao.adapters.following.cohort.batches import CohortBatch
from yibao.adapters.following.cohort.following import CohortProjection
from yibao.adapters.following.cohort.layout import COHORT
from yibao.adapters.following.cohort.store import CohortTransaction, shapes_in, words_in
from yibao.adapters.following.derived import SqliteTables, instant_of
from yibao.adapters.service.service import Service
from yibao.adapters.store import StoreError
from yibao.domain.calendar import read_instant
from yibao.domain.facts import events
from yibao.projections.answer import Answer
from yibao.projections.cohort.shapes import Row, Shape, Words, known_of, numbered
from yibao.projections.record import EditionRecord, Knowledge, Log

from ..helpers.autumn import ADA, BO, CY, EDITIONS, POLICY, Clock, an_autumn, register
from ..helpers.stores import rows
from ..helpers.trail_killer import digest, digests_of_killed
from .test_trail_of_years import two_years

BY: tuple[Any, ...] = (
    "state",
    "school",
    "category",
    "next_step",
    "discrepancy",
    "year",
    "policy",
)


@pytest.fixture(autouse=True)
def over_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    """However few have a shape, what stands is worked out over columns."""
    monkeypatch.setattr(working, "MANY", 1)


in_files = pytest.mark.parametrize("store", ["sqlite"], indirect=True)


def opened(service: Service, where: str | None = None) -> Cohort:
    return open_cohort(service._store, service.editions, where)


def keys(answer: Answer, by: str) -> list[str]:
    """Under which keys an answer is counted."""
    if by == "discrepancy":
        return sorted({each.code for each in answer.discrepancies}) or ["none"]
    step = answer.next_step
    told: dict[str, Any] = {
        "state": answer.state,
        "school": answer.school,
        "category": answer.category,
        "next_step": step and step.code,
        "year": answer.enrollment.year,
        "policy": answer.edition,
    }
    return ["none" if told[by] is None else str(told[by])]


def one_by_one(service: Service, at: datetime, known_at: datetime | None) -> list[Answer]:
    """The answers for everybody of whom something was known."""
    everyone = service.everyone(at, known_at=known_at)
    return sorted((each for each in everyone if each.version), key=lambda each: each.enrollment)


def check(service: Service, cohort: Cohort, at: datetime, known_at: datetime | None) -> None:
    """Holds what a cohort tells against everybody's own answers."""
    answers = one_by_one(service, at, known_at)
    for by in BY:
        found = cohort.count(by, at, known_at)
        assert found.counts == Counter(key for each in answers for key in keys(each, by)), by
        assert found.total == len(answers)
    expected = [
        (each.enrollment, each.school, each.state, each.next_step and each.next_step.code)
        for each in answers
    ]
    assert listed(cohort, at, known_at) == expected
    ending = [
        each.enrollment
        for each in answers
        if each.next_step
        and each.next_step.until
        and at < each.next_step.until < at + timedelta(days=30)
    ]
    assert [each for each, *_ in listed(cohort, at, known_at, days_left_below=30)] == ending


def listed(cohort: Cohort, at: datetime, known_at: datetime | None, **asked: Any) -> list[Any]:
    found: list[Any] = []
    after: yibao.EnrollmentId | None = None
    while True:
        page = cohort.page(at, known_at, after=after, limit=2, **asked)
        found += page.entries
        after = page.following
        if after is None:
            return found


def instants(since: str, until: str) -> st.SearchStrategy[datetime]:
    """Whole minutes between two instants."""
    first, last = read_instant(since), read_instant(until)
    minutes = st.integers(0, (last - first) // timedelta(minutes=1))
    return minutes.map(lambda after: first + timedelta(minutes=after))


INSTANTS = instants("2025-08-20 00:00", "2027-01-31 00:00")
KNOWN = st.one_of(st.none(), instants("2025-08-31 00:00", "2025-10-18 00:00"))


def test_counts_and_lists_are_those_of_everybody_asked_one_by_one(
    service: Service, clock: Clock, small_batches: None
) -> None:
    an_autumn(service, clock)
    with opened(service) as cohort:

        @settings(
            max_examples=40,
            deadline=None,
            suppress_health_check=[HealthCheck.function_scoped_fixture],
        )
        @given(at=INSTANTS, known_at=KNOWN)
        def holds(at: datetime, known_at: datetime | None) -> None:
            check(service, cohort, at, known_at)

        holds()


def held(cohort: Cohort) -> dict[str, list[Any]]:
    """Everything a cohort tells of everybody, whatever numbers its rows have."""
    with cohort._tables.reading() as sql:
        p = cohort._prefix(sql)
        found = {
            "known": "SELECT ref, e.year, known_from, known_until, g.told, codes, shape, numbers "
            f"FROM {p}known "
            f"JOIN {p}enrollments AS e ON e.number=enrollment JOIN {p}groups AS g ON g.number=grp",
            "spans": "SELECT ref, e.year, known_from, known_until, begins, ends, g.told, s.told, "
            f"until FROM {p}spans JOIN {p}enrollments AS e ON e.number=enrollment "
            f"JOIN {p}groups AS g ON g.number=grp JOIN {p}standings AS s ON s.number=standing",
            "progress": f"SELECT * FROM {p}progress",
            **{
                table: f"SELECT * FROM {p}{table}"
                for table in COHORT.tables
                if table in ("schools", "editions", "parked")
            },
        }
        rows = {name: sql.rows(asked) for name, asked in found.items()}
        words, shapes = words_in(sql, p), shapes_in(sql, p)
        rows["known"] = [
            (*row, numbers and facts(cohort, shapes[shape], numbers, words))
            for *row, shape, numbers in rows["known"]
        ]
        return {name: sorted(some, key=repr) for name, some in rows.items()}


def facts(cohort: Cohort, shape: Shape, numbers: bytes, words: Words) -> list[Any]:
    """What stands in the columns of an enrollment, year by year."""
    editions = {each.edition: EditionRecord(each, Log(())) for each in cohort.editions}
    known: Knowledge | None
    known = known_of(shape, Row(array("q", numbers), words), editions.__getitem__)
    found: list[Any] = [shape]
    while known:
        for at, event in known.case.known if known.case else ():
            told = [*events.EVENTS[event.name].model_fields]
            said = {key: getattr(event, key, None) for key in told if key not in IN_THE_STORE}
            found.append((known.enrollment.year, *at, event.name, said))
        known = known.before
    return found


IN_THE_STORE = {*events.Fact.model_fields, "ref", "policy"}


def test_columns_are_what_the_store_knows(service: Service, clock: Clock) -> None:
    an_autumn(service, clock)
    with opened(service) as cohort:
        cohort.catch_up()
        records = {each.enrollment: each for each in service._store.records(EDITIONS, clock.now)}
        with cohort._tables.reading() as sql:
            p = cohort._prefix(sql)
            words, shapes = words_in(sql, p), shapes_in(sql, p)
            rows = sql.rows(
                f"SELECT ref, year, known_from, shape, numbers FROM {p}known "
                f"JOIN {p}enrollments ON number=enrollment"
            )
        assert len(rows) > 10
        for ref, year, known_from, shape, numbers in rows:
            known = records[yibao.EnrollmentId(ref, year)].known_by(instant_of(known_from))
            found = numbered(known, words)
            if known.cares:
                assert (found, shape, numbers) == (None, None, None)
            else:
                assert found == (shapes[shape], array("q", numbers).tolist())


def test_one_by_one_it_holds_the_same_and_goes_on_either_way(
    service: Service, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    an_autumn(service, clock)
    over_columns = made_at_once(service)
    monkeypatch.setattr(working, "has_columns", lambda: False)
    with opened(service) as cohort:
        cohort.catch_up()
        assert held(cohort) == over_columns
        monkeypatch.undo()
        service.change_school(BO, at=clock.at("2025-10-20 09:00"), school="fudan")
        cohort.catch_up()
        assert held(cohort) == made_at_once(service)


WITHOUT_NUMPY = """
import sys

sys.modules["numpy"] = None  # as where it is not installed
from yibao.adapters.following.cohort import open_cohort
from yibao.adapters.service.service import open_service

with open_service(sys.argv[1]) as service:
    with open_cohort(service._store, service.editions, sys.argv[2]) as cohort:
        cohort.catch_up()
    print(service.cohort("2025-12-01 10:00").count().counts)
"""


@in_files
def test_where_numpy_is_not_installed_it_holds_the_same(
    store: str, service: Service, clock: Clock, tmp_path: Path
) -> None:
    an_autumn(service, clock)
    with opened(service, str(tmp_path / "with.db")) as cohort:
        cohort.catch_up()
        over_columns = held(cohort)
    subprocess.run(
        [sys.executable, "-c", WITHOUT_NUMPY, store, str(tmp_path / "without.db")],
        env={"PYTHONPATH": str(Path(__file__).parents[3] / "src")},
        check=True,
    )
    with opened(service, str(tmp_path / "without.db")) as cohort:
        assert held(cohort) == over_columns
        assert cohort.kept() is not None


def made_at_once(service: Service) -> dict[str, list[Any]]:
    """What a cohort holds that was made of all the facts at once, elsewhere."""
    tables = SqliteTables(":memory:", COHORT)
    with Cohort(service._store, service.editions, tables) as cohort:
        cohort.catch_up()
        return held(cohort)


class _Followed:
    """A recording after each of whose commands a cohort is brought up to date."""

    def __init__(self, recording: Any, live: Cohort) -> None:
        self._recording = recording
        self._live = live

    def __getattr__(self, name: str) -> Any:
        act = getattr(self._recording, name)

        def followed(*values: Any) -> Any:
            try:
                return act(*values)
            finally:
                self._live.catch_up()

        return followed


def test_followed_live_it_holds_what_it_holds_made_at_once_and_made_anew(
    service: Service, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    with opened(service) as cohort:
        with monkeypatch.context() as small:
            small.setattr(CohortProjection, "size", 3)
            small.setattr(CohortBatch, "fan", 2)
            small.setattr(service, "_recording", _Followed(service._recording, cohort))
            an_autumn(service, clock)
        live = held(cohort)
        assert live == made_at_once(service)
        cohort.rebuild()
        assert held(cohort) == live


def test_what_is_learned_at_one_instant_is_known_at_once(service: Service, clock: Clock) -> None:
    register(service, ADA, clock.at("2025-09-01 08:30"))
    with opened(service) as cohort:
        cohort.catch_up()
        service.declare_roster(ADA, at=clock.now)
        service.confirm(ADA, at=clock.now, channel="app", observed=True)
        cohort.catch_up()
        assert held(cohort) == made_at_once(service)
        assert len(held(cohort)["known"]) == 1
        check(service, cohort, clock.now, clock.now)


def test_a_question_takes_in_what_is_new_and_tells_as_of_where(
    service: Service, clock: Clock
) -> None:
    with opened(service) as cohort:
        assert cohort.count("state", clock.now).total == 0
        register(service, ADA, clock.at("2025-09-01 08:30"))
        register(service, BO, clock.at("2025-09-01 08:40"), school="tongji")
        found = cohort.count("school", clock.now)
        assert (found.counts, found.total, found.as_of) == ({"sjtu": 1, "tongji": 1}, 2, 3)
        assert cohort.count("school", clock.now, school="sjtu").counts == {"sjtu": 1}
        assert cohort.count("state", clock.now, year=2026).counts == {}
        with pytest.raises(yibao.BadValue):
            cohort.count("weather", clock.now)  # type: ignore[arg-type]
        with pytest.raises(yibao.BadValue):
            cohort.page(clock.now, limit=0)


def test_lists_have_those_alone_who_fit(service: Service, clock: Clock) -> None:
    an_autumn(service, clock)
    with opened(service) as cohort:
        at = read_instant("2025-10-20 12:00")
        everybody = listed(cohort, at, None)
        for state in {each.state for each in everybody}:
            assert listed(cohort, at, None, state=state) == [
                e for e in everybody if e.state == state
            ]
        for step in {each.next_step for each in everybody}:
            wanted = [each for each in everybody if each.next_step == step]
            assert listed(cohort, at, None, next_step=step or "none") == wanted
        of_school = [each for each in everybody if each.school == "sjtu"]
        assert listed(cohort, at, None, school="sjtu") == of_school


def test_while_a_window_is_taken_in_for_many_that_is_told(
    service: Service, clock: Clock, small_batches: None
) -> None:
    for number in range(7):
        who = yibao.EnrollmentId(f"s{number}", 2025)
        register(service, who, clock.at(f"2025-09-01 08:3{number}"))
    with opened(service) as cohort:
        before = cohort.count("next_step", clock.now)
        service.fix_window(POLICY, at=clock.at("2025-09-02 09:00"), closes_on="2025-12-20")
        cohort.catch_up(enough=lambda: True)
        with pytest.MonkeyPatch.context() as held_up:
            held_up.setattr(cohort, "catch_up", lambda: 0)
            during = cohort.count("next_step", clock.now)
        assert during.is_counting
        assert (during.total, during.as_of) == (7, before.as_of)
        assert not cohort.count("next_step", clock.now).is_counting
        assert held(cohort) == made_at_once(service)


def spoil(store: str, position: int) -> Callable[[], object]:
    """Makes a fact unreadable; what sets it right."""
    ((state,),) = rows(store, "SELECT state FROM stored_events WHERE notification_id=?", position)
    write = "UPDATE stored_events SET state=? WHERE notification_id=?"
    rows(store, write, b"{}", position)
    return lambda: rows(store, write, bytes(state), position)


def test_who_is_parked_is_left_out_and_told_of_until_it_is_set_right(
    store: str, service: Service, clock: Clock
) -> None:
    an_autumn(service, clock)
    with opened(service) as cohort:
        expected = held(cohort) if cohort.catch_up() else {}
        last = service._store.recorded(BO.stream)[-1].position
        mend = spoil(store, last)
        cohort.rebuild()
        found = cohort.count("state", clock.now)
        assert (found.total, found.parked) == (2, 1)
        assert [each.ref for each in cohort.standing().parked] == ["bo"]
        assert BO not in [each.enrollment for each in listed(cohort, clock.now, None)]
        assert cohort.projection.retry() == 1
        mend()
        assert cohort.projection.retry() == 0
        assert held(cohort) == expected


def test_who_is_parked_later_is_counted_no_more(store: str, service: Service, clock: Clock) -> None:
    register(service, ADA, clock.at("2025-09-01 08:30"))
    register(service, BO, clock.at("2025-09-01 08:40"))
    with opened(service) as cohort:
        assert cohort.count("state", clock.now).total == 2
        service.declare_roster(BO, at=clock.at("2025-09-02 17:00"))
        spoil(store, service._store.recorded(BO.stream)[-1].position)
        found = cohort.count("state", clock.now)
        assert (found.total, found.parked) == (1, 1)


def test_going_back_asks_the_one_before_as_long_as_it_fits(service: Service, clock: Clock) -> None:
    register(service, ADA, clock.at("2025-09-01 08:30"))
    with opened(service) as cohort:
        cohort.catch_up()
        with pytest.raises(StoreError, match="no other cohort"):
            cohort.go_back()
        with cohort._tables.writing() as sql:
            sql.run(f"UPDATE {cohort._tables.prefix('a_')}groups SET school='made-up'")
        cohort.rebuild()
        assert cohort.count("school", clock.now).counts == {"sjtu": 1}
        register(service, BO, clock.at("2025-09-01 08:40"))
        cohort.go_back()
        assert cohort.count("school", clock.now).counts == {"made-up": 2}
        cohort.go_back()
        assert cohort.count("school", clock.now).counts == {"sjtu": 2}


def test_a_cohort_made_by_another_release_is_made_anew(
    service: Service, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    an_autumn(service, clock)
    with opened(service) as cohort:
        cohort.catch_up()
        before = held(cohort)
        with cohort._tables.writing() as sql:
            sql.run(f"UPDATE {cohort._tables.prefix('a_')}groups SET school='made-up'")
    monkeypatch.setattr(yibao, "__version__", "99")
    with opened(service) as cohort:
        cohort.catch_up()
        found = held(cohort)
        assert (found["known"], found["spans"]) == (before["known"], before["spans"])


@in_files
def test_looking_at_a_file_of_somebody_else_changes_nothing(
    service: Service, tmp_path: Path
) -> None:
    other = tmp_path / "other.db"
    with service.audit_trail(str(other)) as trail:
        trail.catch_up()
    before = other.read_bytes()
    with pytest.raises(StoreError, match="needs a file of its own"):
        opened(service, str(other))
    assert other.read_bytes() == before


@in_files
def test_where_the_folder_cannot_be_written_it_answers_from_a_temporary_one(
    service: Service, clock: Clock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    an_autumn(service, clock)
    monkeypatch.setattr("yibao.adapters.following.derived.sqlite.may_write", lambda path: False)
    with opened(service) as cohort:
        assert not cohort.is_kept
        check(service, cohort, clock.now, None)
    assert not (tmp_path / "facts.db.cohort").exists()


@in_files
def test_a_follower_killed_at_any_statement_goes_on_as_if_nothing_had_been(
    service: Service, clock: Clock, tmp_path: Path, small_batches: None
) -> None:
    for number, who in enumerate((ADA, BO, CY)):
        register(service, who, clock.at(f"2025-09-01 08:3{number}"))
    service.fix_window(POLICY, at=clock.at("2025-09-02 09:00"), closes_on="2025-12-20")
    service.change_school(CY, at=clock.at("2025-09-03 09:00"), school="fudan")
    with opened(service, str(tmp_path / "whole.db")) as whole:
        whole.catch_up()
        expected = digest(whole)
    digests = digests_of_killed(tmp_path / "facts.db", tmp_path / "killed.db", "cohort")
    assert len(digests) > 60
    assert set(digests) == {expected}


@in_files
def test_a_new_one_that_was_never_whole_is_never_asked(
    service: Service, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    an_autumn(service, clock)
    with opened(service) as cohort:
        cohort.catch_up()
        before = held(cohort)
        with monkeypatch.context() as failing:
            failing.setattr(CohortTransaction, "file", _fail)
            with pytest.raises(StoreError):
                cohort.rebuild()
        assert held(cohort) == before
        cohort.rebuild()
        assert held(cohort) == before


def _fail(*_: object) -> None:
    raise StoreError("failed")


def test_over_several_years_it_tells_what_everybody_is_told(
    service: Service, clock: Clock, small_batches: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    with opened(service) as cohort:
        with monkeypatch.context() as followed:
            followed.setattr(service, "_recording", _Followed(service._recording, cohort))
            two_years(service, clock)
        assert held(cohort) == made_at_once(service)

        @settings(max_examples=40, deadline=None)
        @given(
            at=instants("2025-08-20 00:00", "2027-12-31 00:00"),
            known_at=st.one_of(st.none(), instants("2025-08-31 00:00", "2025-11-25 00:00")),
        )
        def holds(at: datetime, known_at: datetime | None) -> None:
            check(service, cohort, at, known_at)

        holds()
