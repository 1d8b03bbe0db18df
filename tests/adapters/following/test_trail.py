"""The trail's own store: it follows exactly once, and finds what fits, whatever is asked."""

import itertools
import random
import sqlite3
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import yibao
from yibao.adapters.following.derived import instant_of
from yibao.adapters.following.trail.audit import AuditTrail, TrailEntry
from yibao.adapters.following.trail.changes import changes_of
from yibao.adapters.following.trail.layout import BITS
from yibao.adapters.following.trail.questions import Question
from yibao.adapters.following.trail.store import TrailRow
from yibao.adapters.service.service import Service, open_service
from yibao.adapters.store.postgres.settings import StoreSettings
from yibao.domain.calendar import read_instant
from yibao.domain.refusals import BadValue, YibaoError
from yibao.projections.answer import Answer, answered
from yibao.projections.audit_trail import Entry
from yibao.projections.history import turning
from yibao.projections.record import Knowledge

from ..helpers.autumn import ADA, BO, CY, EDITIONS, POLICY, Clock, an_autumn, refused, register
from ..helpers.follower import held, made_anew
from ..helpers.stores import rows
from ..helpers.trail_killer import digest, digests_of_killed
from ..helpers.writers import Step, registration, told

#: For tests that look at the files themselves.
in_files = pytest.mark.parametrize("store", ["sqlite"], indirect=True)


def listed(trail: AuditTrail, **asked: Any) -> list[TrailEntry]:
    return list(trail.all(Question(**asked), size=4))


def kinds(entries: list[TrailEntry]) -> list[str]:
    return [
        f"{each.row.ref or ''}:{each.attempt.command if each.attempt else each.row.kind}"
        for each in entries
    ]


def test_the_trail_lists_every_fact_and_every_refusal_in_the_order_of_recording(
    service: Service, clock: Clock
) -> None:
    an_autumn(service, clock)
    with service.audit_trail() as trail:
        found = listed(trail)
        assert kinds(found) == [
            "ada:confirm",
            ":edition-adopted",
            "ada:registered",
            "bo:registered",
            ":window-fixed",
            "ada:roster-declared",
            "cy:registered",
            "ada:confirm",
            "ada:confirm",
            "ada:confirmed",
            "ada:prior-coverage-verified",
            "bo:confirmed",
            ":benefits-adopted",
            "ada:care-received",
            ":window-fixed",
            "cy:school-changed",
            "ada:prior-coverage-verified",
            ":voided",
        ]
        assert listed(trail, newest_first=True) == found[::-1]


def test_what_a_fact_changed_is_told_as_the_students_own_trail_tells_it(
    service: Service, clock: Clock
) -> None:
    an_autumn(service, clock)
    with service.audit_trail() as trail:
        for who in (ADA, BO, CY):
            own: list[Entry] = list(service.trail_of(who))
            found = [each for each in listed(trail, ref=who.ref) if not each.is_refused]
            assert [each.row.position for each in found] == [e.recorded.position for e in own]
            for here, there in zip(found, own, strict=True):
                assert here.changes == changes_of(there)


def test_a_window_fixed_for_many_is_listed_once_and_with_each_student_it_moved(
    service: Service, clock: Clock
) -> None:
    an_autumn(service, clock)
    with service.audit_trail() as trail:
        first, second = listed(trail, kind="window-fixed")
        assert first.changes["students"] == 2
        assert second.changes["students"] == 1
        assert second.row.school == "sjtu"
        assert "bo:window-fixed" in kinds(listed(trail, ref="bo"))
        # cy had not registered when the first was fixed, and ada had confirmed before the second.
        assert kinds(listed(trail, ref="cy")).count("cy:window-fixed") == 1
        assert kinds(listed(trail, ref="ada")).count("ada:window-fixed") == 1
        assert [each.row.position for each in listed(trail, school="tongji", kind="window-fixed")]
        assert [each.enrollment for each in listed(trail, school="sjtu", kind="window-fixed")] == [
            None,
            None,
        ]


def test_for_whom_a_window_cannot_have_moved_anything_no_answer_is_made(
    service: Service, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def counted(known: Knowledge, at: datetime, *, whole: bool) -> Answer:
        asked.append(known.enrollment.ref)
        return answered(known, at, whole=whole)

    an_autumn(service, clock)
    late = yibao.EnrollmentId("late", 2025)
    register(service, late, clock.at("2025-10-17 08:00"))
    service.declare_roster(late, at=clock.at("2025-10-17 08:00"))
    service.confirm(late, at=clock.at("2025-10-17 08:10"), channel="app")
    with service.audit_trail() as trail:
        trail.catch_up()
        monkeypatch.setattr(turning, "answered", counted)
        at = clock.at("2025-10-18 09:00")
        # Nobody is one; who has confirmed asks for no window but of her care; then a nearer fix
        # stands for her school.
        service.fix_window(POLICY, at=at, closes_on="2025-12-31", category="postgraduate")
        service.fix_window(
            POLICY, at=at, closes_on="2025-12-30", category="undergraduate", school="sjtu"
        )
        service.fix_window(POLICY, at=at, closes_on="2025-12-29")
        trail.catch_up()
        assert Counter(asked) == {ADA.ref: 2, CY.ref: 4}
        assert held(trail)["entries"] == made_anew(service)["entries"]


def test_a_move_to_another_school_is_in_the_trail_of_both(service: Service, clock: Clock) -> None:
    an_autumn(service, clock)
    with service.audit_trail() as trail:
        assert "cy:school-changed" in kinds(listed(trail, school="sjtu"))
        assert "cy:school-changed" in kinds(listed(trail, school="fudan"))
        assert kinds(listed(trail)).count("cy:school-changed") == 1


def test_whatever_name_a_school_was_recorded_by_it_can_be_asked_for(
    service: Service, clock: Clock
) -> None:
    an_autumn(service, clock)
    # The space between two words as an input method for Chinese writes it.
    wide = "上海\u3000大学"
    service.change_school(BO, at=clock.at("2025-10-17 09:00"), school=wide, by="officer-1")
    with service.audit_trail() as trail:
        assert kinds(listed(trail, school=wide)) == ["bo:school-changed"]


def test_each_entry_leads_to_the_answer_as_of_then(service: Service, clock: Clock) -> None:
    an_autumn(service, clock)
    with service.audit_trail() as trail:
        wrong, right = listed(trail, kind="prior-coverage-verified")
        then, now = trail.as_of(wrong), trail.as_of(right)
        assert then is not None
        assert now is not None
        assert str(then.values.coverage.value.first) == "2025-12-02"  # type: ignore[union-attr]
        assert str(now.values.coverage.value.first) == "2025-09-01"  # type: ignore[union-attr]
        refusal = listed(trail, kind="refused")[-1]
        turned_away = trail.as_of(refusal)
        assert turned_away is not None
        assert turned_away.at == read_instant("2025-09-03 10:00")
        assert turned_away.version == 2
        assert trail.as_of(listed(trail, kind="edition-adopted")[0]) is None


def test_the_trail_followed_live_is_the_trail_rebuilt(
    service: Service, clock: Clock, tmp_path: Path, small_batches: None
) -> None:
    with (
        service.audit_trail() as live,
        service.audit_trail(f"sqlite:///{tmp_path / 'rebuilt.db'}") as rebuilt,
    ):
        service._recording = _Followed(service._recording, live)  # type: ignore[assignment]
        an_autumn(service, clock)
        rebuilt.catch_up()
        assert digest(live) == digest(rebuilt)


class _Followed:
    """A recording after each of whose commands a trail is brought up to date."""

    def __init__(self, recording: Any, live: AuditTrail) -> None:
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


@in_files
def test_a_follower_killed_at_any_statement_goes_on_as_if_nothing_had_been(
    service: Service, clock: Clock, tmp_path: Path, small_batches: None
) -> None:
    an_autumn(service, clock)
    with service.audit_trail(f"sqlite:///{tmp_path / 'whole.db'}") as whole:
        whole.catch_up()
        expected = digest(whole)
    digests = digests_of_killed(tmp_path / "facts.db", tmp_path / "killed.db")
    assert len(digests) > 100
    assert set(digests) == {expected}


def test_a_trail_of_another_store_is_made_anew(
    service: Service, clock: Clock, tmp_path: Path
) -> None:
    an_autumn(service, clock)
    url = f"sqlite:///{tmp_path / 'trail.db'}"
    with service.audit_trail(url) as trail:
        assert len(listed(trail)) == 18
    with open_service(
        f"sqlite:///{tmp_path / 'other.db'}", policies=EDITIONS, clock=clock
    ) as other:
        register(other, BO, "2025-09-01 08:30")
        with other.audit_trail(url) as trail:
            assert kinds(listed(trail)) == [":edition-adopted", "bo:registered"]


@in_files
def test_a_trail_ahead_of_a_store_that_was_restored_is_made_anew(
    service: Service, clock: Clock, tmp_path: Path
) -> None:
    register(service, ADA, clock.at("2025-09-01 08:30"))
    backup = sqlite3.connect(tmp_path / "backup.db")
    with sqlite3.connect(tmp_path / "facts.db") as connection:
        connection.backup(backup)
    backup.close()
    connection.close()
    register(service, BO, clock.at("2025-09-01 08:40"))
    url = f"sqlite:///{tmp_path / 'trail.db'}"
    with service.audit_trail(url) as trail:
        assert kinds(listed(trail, kind="registered")) == ["ada:registered", "bo:registered"]
    with open_service(f"sqlite:///{tmp_path / 'backup.db'}", policies=EDITIONS, clock=clock) as old:
        register(old, CY, "2025-09-01 08:30")
        with old.audit_trail(url) as trail:
            assert kinds(listed(trail, kind="registered")) == ["ada:registered", "cy:registered"]


def test_a_trail_made_by_another_release_is_made_anew(
    service: Service, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    an_autumn(service, clock)
    with service.audit_trail() as trail:
        before = listed(trail)
        with trail._tables.writing() as sql:
            sql.run("UPDATE entries SET kind='made-up'")
    with service.audit_trail() as trail:
        assert {each.row.kind for each in listed(trail)} == {"made-up"}
    monkeypatch.setattr(yibao, "__version__", "99")
    with service.audit_trail() as trail:
        assert listed(trail) == before


@in_files
def test_a_trail_of_an_older_layout_is_made_anew(
    service: Service, clock: Clock, tmp_path: Path
) -> None:
    an_autumn(service, clock)
    url = f"sqlite:///{tmp_path / 'trail.db'}"
    with service.audit_trail(url) as trail:
        before = listed(trail)
        with trail._tables.writing() as sql:
            for name, *_ in sql.rows("SELECT name FROM sqlite_master WHERE sql LIKE '%elsewhere%'"):
                kind = "TABLE" if name == "entries" else "INDEX"
                sql.run(f"DROP {kind} IF EXISTS {name}")
            # As 0.5.0 had it, as far as that goes.
            sql.run("CREATE TABLE entries (entry INTEGER PRIMARY KEY, listing INTEGER, ref TEXT)")
            sql.run("UPDATE progress SET fingerprint = 'of 0.5.0'")
    with service.audit_trail(url) as trail:
        assert listed(trail) == before


@in_files
def test_two_followers_of_one_trail_take_turns(
    service: Service, clock: Clock, tmp_path: Path, small_batches: None
) -> None:
    an_autumn(service, clock)
    url = f"sqlite:///{tmp_path / 'shared.db'}"
    code = (
        "import sys, yibao\n"
        f"with yibao.open('sqlite:///{tmp_path / 'facts.db'}') as service:\n"
        f"    with service.audit_trail('{url}') as trail:\n"
        "        trail.catch_up()\n"
    )
    running = [
        subprocess.Popen(
            [sys.executable, "-c", code],
            env={"PYTHONPATH": str(Path(__file__).parents[3] / "src")},
            stderr=subprocess.PIPE,
        )
        for _ in range(3)
    ]
    told = [process.communicate()[1] for process in running]
    assert [process.returncode for process in running] == [0, 0, 0], told
    with service.audit_trail(url) as shared, service.audit_trail() as alone:
        shared.catch_up()
        alone.catch_up()
        assert digest(shared) == digest(alone)


def test_more_threads_than_there_are_connections_ask_a_trail_that_each_has_opened(
    store: str, clock: Clock
) -> None:
    settings = StoreSettings(pool_max=4)
    clock.at("2026-01-15 12:00")
    with open_service(store, policies=EDITIONS, clock=clock, settings=settings) as service:

        def registers_and_asks(number: int) -> int:
            who = yibao.EnrollmentId(f"s-{number}", 2025)
            assert not told(service, Step(who.ref, [registration(who.ref, f"c-{number}")])).refused
            with service.audit_trail() as trail:
                return trail.count(Question(ref=who.ref))

        with ThreadPoolExecutor(16) as threads:
            assert list(threads.map(registers_and_asks, range(16))) == [1] * 16
        with service.audit_trail() as trail:
            assert trail.count(Question(kind="registered")) == 16


def test_beyond_the_bound_refusals_are_counted_and_stand_in_the_trail(clock: Clock) -> None:
    with (
        open_service("memory:", policies=EDITIONS, clock=clock, attempts_kept=3) as service,
        service.audit_trail() as trail,
    ):
        for minute in range(8):
            at = clock.at(f"2025-09-01 08:{minute:02d}")
            refused(service.confirm, ADA, at=at, channel="app", by="counter-2")
            assert sum(_attempts(each) for each in listed(trail, kind="refused")) == minute + 1
        refused(service.withdraw, ADA, at="2025-09-01 08:07", on="2025-09-02", by="counter-2")
        refused(service.confirm, ADA, at="2025-09-01 08:07", channel="app", by="counter-3")
        found = [
            (each.row.actor, each.row.code, _attempts(each))
            for each in listed(trail, kind="refused")
        ]
        assert sorted(found) == [
            ("counter-2", "not_registered", 1),
            ("counter-2", "not_registered", 1),
            ("counter-2", "not_registered", 1),
            ("counter-2", "not_registered", 1),
            ("counter-2", "not_registered", 5),
            ("counter-3", "not_registered", 1),
        ]
        clock.at("2025-09-01 09:00")
        refused(service.confirm, ADA, at="2025-09-01 09:00", channel="app", by="counter-2")
        assert len(listed(trail, kind="refused")) == 7


def test_of_a_store_that_was_restored_the_trail_counts_what_was_refused_since(
    store: str, clock: Clock
) -> None:
    columns = "number, actor, hour, command, code, attempts, changed"
    with (
        open_service(store, policies=EDITIONS, clock=clock, attempts_kept=1) as service,
        service.audit_trail() as trail,
    ):

        def ask(command: Callable[..., Any], times: int, **values: Any) -> dict[str, int]:
            for _ in range(times):
                refused(command, ADA, at="2025-09-01 08:00", by="counter-2", **values)
            found = [each.changes for each in listed(trail, kind="refused") if not each.attempt]
            return {each["command"]: each["attempts"] for each in found}

        assert ask(service.confirm, 3, channel="app") == {"confirm": 2}
        kept = rows(store, f"SELECT {columns} FROM counted_attempts")
        assert ask(service.confirm, 10, channel="app") == {"confirm": 12}
        rows(store, "DELETE FROM counted_attempts")
        for each in kept:
            rows(store, f"INSERT INTO counted_attempts ({columns}) VALUES (?,?,?,?,?,?,?)", *each)
        # There are as many changes again, of other counts.
        assert ask(service.declare_roster, 10) == {"confirm": 2, "declare_roster": 10}


def _attempts(entry: TrailEntry) -> int:
    return int(entry.changes.get("attempts", 1))


# What is asked, beside a model that looks at every entry.

_MOMENTS = [
    f"2025-{month}-{day} 09:00"
    for month, day in itertools.product(("09", "10"), ("01", "06", "15"))
]
_QUESTIONS = st.fixed_dictionaries(
    {},
    optional={
        "ref": st.sampled_from(["ada", "bo", "cy", "nobody"]),
        "year": st.sampled_from([2025, 2024]),
        "edition": st.sampled_from([POLICY, "shanghai-2024"]),
        "school": st.sampled_from(["sjtu", "tongji", "fudan"]),
        "by": st.sampled_from(["officer-1", "bureau", "counter-2", "app"]),
        "via": st.sampled_from(["library", "web"]),
        "kind": st.sampled_from(["registered", "refused", "window-fixed", "voided", "confirmed"]),
        "code": st.sampled_from(["bad_value", "roster_not_declared", "not_registered"]),
        "correlation_id": st.just("roster-7"),
        "changed": st.sampled_from(sorted(BITS)),
        "facts_only": st.booleans(),
        "recorded_from": st.sampled_from(_MOMENTS).map(read_instant),
        "recorded_until": st.sampled_from(_MOMENTS).map(read_instant),
        "happened_from": st.sampled_from(_MOMENTS).map(read_instant),
        "happened_until": st.sampled_from(_MOMENTS).map(read_instant),
    },
)


@pytest.fixture(scope="module")
def autumn() -> Iterator[AuditTrail]:
    clock = Clock()
    with open_service("memory:", policies=EDITIONS, clock=clock) as service:
        an_autumn(service, clock)
        with service.audit_trail() as trail:
            yield trail


@given(_QUESTIONS, st.integers(1, 7), st.booleans())
@settings(max_examples=120, deadline=None)
def test_pages_hold_all_that_fits_and_nothing_else(
    autumn: AuditTrail, asked: dict[str, Any], size: int, newest_first: bool
) -> None:
    question = Question(**asked, newest_first=newest_first)
    found: list[TrailEntry] = []
    after = None
    while True:
        page = autumn.page(question, after=after, size=size)
        assert len(page.entries) <= size
        found.extend(page.entries)
        if page.following is None:
            break
        after = str(page.following)
    expected = [row for row in _every_row(autumn) if _fits(row, asked)]
    assert [tuple(each.row) for each in found] == expected[:: -1 if newest_first else 1]
    assert autumn.count(question) == len(expected)


@pytest.mark.parametrize("newest_first", [True, False])
def test_pages_of_what_happened_on_some_days_hold_all_that_happened_then(
    service: Service, clock: Clock, newest_first: bool
) -> None:
    an_autumn(service, clock)
    begins = read_instant("2025-08-20 00:00")
    with service.audit_trail() as trail:
        everything = list(trail.all(Question()))
        for day, more in itertools.product(range(0, 75, 4), (1, 30, 4 * 24, 45 * 24)):
            start = begins + timedelta(days=day)
            end = start + timedelta(hours=more)
            question = Question(happened_from=start, happened_until=end, newest_first=newest_first)
            fitting = [
                each.row
                for each in everything
                if each.row.occurred and start <= instant_of(each.row.occurred) < end
            ]
            found = [each.row for each in trail.all(question, size=2)]
            assert found == fitting[:: -1 if newest_first else 1]


def test_what_happened_on_a_day_is_read_in_order_from_an_index(autumn: AuditTrail) -> None:
    start = read_instant("2025-09-06 00:00")
    asked = Question(happened_from=start, happened_until=start + timedelta(days=1))
    statement, values = asked.sql(None, 51)
    autumn.catch_up()
    with autumn._tables.reading() as sql:
        plan = [
            row[3]
            for row in sql.rows(f"EXPLAIN QUERY PLAN {statement}".format(columns="entry"), values)
        ]
    assert "SEARCH entries USING INDEX by_occurrence (<expr>=?)" in plan
    inner = plan[plan.index("CO-ROUTINE d0") : plan.index("SCAN d0")]
    assert not any("TEMP B-TREE" in step for step in inner), plan


def _every_row(trail: AuditTrail) -> list[tuple[Any, ...]]:
    with trail._tables.reading() as sql:
        rows = sql.rows("SELECT * FROM entries")
    return sorted((tuple(row[1:]) for row in rows), key=lambda row: row[1:4])


def _fits(row: tuple[Any, ...], asked: dict[str, Any]) -> bool:
    names = TrailRow._fields
    has = dict(zip(names, row, strict=True))
    if has["listing"] not in ({0, 1} if "ref" in asked else {0, 2} if "school" in asked else {0}):
        return False
    columns = {"by": "actor", "edition": "policy", "correlation_id": "correlation"}
    for key, value in asked.items():
        if key == "changed":
            if not has["moved"] & BITS[value]:
                return False
        elif key == "facts_only":
            if value and has["kind"] == "refused":
                return False
        elif key.startswith(("recorded_", "happened_")):
            number = has["recorded" if key.startswith("recorded") else "occurred"]
            bound = (value - read_instant("1970-01-01 08:00")) // timedelta(microseconds=1)
            if number is None or (number < bound if key.endswith("from") else number >= bound):
                return False
        elif has[columns.get(key, key)] != value:
            return False
    return True


def test_what_cannot_be_asked_is_a_clear_error(autumn: AuditTrail) -> None:
    with pytest.raises(BadValue, match="changed, why: there is none of that name"):
        Question(changed="everything")
    with pytest.raises(BadValue, match="there are registered, roster-declared"):
        Question(kind="confirm")
    with pytest.raises(BadValue, match="code, why"):
        Question(code="nonsense")
    for size in (0, -1):
        with pytest.raises(BadValue, match="size, why: a page has at least one entry"):
            autumn.page(Question(), size=size)
        with pytest.raises(BadValue, match="size, why"):
            next(autumn.all(Question(), size=size))
    for bound in ("recorded_from", "recorded_until", "happened_from", "happened_until"):
        with pytest.raises(BadValue, match=f"{bound}, why: is an instant without a time zone"):
            Question(**{bound: datetime(2025, 9, 1)})  # type: ignore[arg-type]  # noqa: DTZ001
    for name in ("ref", "school", "by", "correlation_id"):
        for text in ("a\0b", "a\nb", "a\ud800"):
            with pytest.raises(BadValue, match=f"{name}|actor|correlation"):
                Question(**{name: text})  # type: ignore[arg-type]
    wrong: list[Any] = [5, "x", [], True, object()]
    for it in wrong:
        for name in ("recorded_from", "happened_until", "changed", "kind", "code"):
            with pytest.raises(BadValue, match=f"where: {name}"):
                Question(**{name: it})
        asks = (autumn.page, autumn.count, autumn.parked, lambda asked: next(autumn.all(asked)))
        for ask in asks:
            with pytest.raises(BadValue, match="where: question"):
                ask(it)
        with pytest.raises(BadValue, match="where: entry"):
            autumn.as_of(it)
        with pytest.raises(BadValue, match="where: after"):
            autumn.page(Question(), after=it)
    for year in ("2025", 2025.0, [], -1):
        with pytest.raises(BadValue, match="where: year"):
            Question(year=year)  # type: ignore[arg-type]
    with pytest.raises(BadValue, match="is not where a page of the trail ends"):
        autumn.page(Question(), after="the last one")


def test_a_trail_that_cannot_be_kept_is_a_store_error(service: Service, tmp_path: Path) -> None:
    with pytest.raises(YibaoError, match="the trail"):
        service.audit_trail(f"sqlite:///{tmp_path / 'no' / 'such' / 'folder.db'}")
    broken = tmp_path / "broken.db"
    broken.write_bytes(b"this is no database" * 100)
    with pytest.raises(YibaoError, match="the trail"):
        service.audit_trail(f"sqlite:///{broken}")


@in_files
def test_a_trail_never_shares_a_file_with_facts(service: Service, tmp_path: Path) -> None:
    with pytest.raises(YibaoError, match="a file of its own; this one holds 'stored_events'"):
        service.audit_trail(f"sqlite:///{tmp_path / 'facts.db'}")


def test_a_store_in_memory_has_its_trail_in_memory(clock: Clock, tmp_path: Path) -> None:
    with open_service("memory:", policies=EDITIONS, clock=clock) as service:
        an_autumn(service, clock)
        with service.audit_trail() as trail:
            assert len(listed(trail)) == 18
    assert list(tmp_path.iterdir()) == []


@in_files
def test_the_trail_lies_beside_the_store_and_may_be_deleted(
    service: Service, clock: Clock, tmp_path: Path
) -> None:
    an_autumn(service, clock)
    with service.audit_trail() as trail:
        before = listed(trail)
    for path in tmp_path.glob("facts.db.trail*"):
        path.unlink()
    with service.audit_trail() as trail:
        assert listed(trail) == before


def test_whatever_is_recorded_in_whatever_order_the_trail_followed_is_the_trail_rebuilt(
    tmp_path: Path, small_batches: None
) -> None:
    chance = random.Random(20251120)
    for life in range(6):
        clock = Clock()
        url = f"sqlite:///{tmp_path / f'{life}.db'}"
        with (
            open_service(url, policies=EDITIONS, clock=clock) as service,
            service.audit_trail() as live,
            service.audit_trail(f"sqlite:///{tmp_path / f'{life}.again'}") as again,
        ):
            for _ in range(40):
                clock.now += timedelta(hours=chance.choice([0, 1, 30]))
                _anything(service, clock, chance)
                if chance.random() < 0.4:
                    live.catch_up()
            live.catch_up()
            again.catch_up()
            assert digest(live) == digest(again)
            for who in (ADA, BO, CY):
                facts = [each for each in listed(live, ref=who.ref) if not each.is_refused]
                own = service.trail_of(who)
                assert [each.changes for each in facts] == [changes_of(each) for each in own]
                for entry in listed(live, ref=who.ref):
                    known = service.read(who).known_at(entry.row.position)
                    tried = entry.attempt.occurred_at if entry.attempt else None
                    assert live.as_of(entry) == answered(known, tried or entry.recorded_at)


def _some_windows(service: Service, at: datetime, chance: random.Random) -> None:
    for _ in range(chance.choice([1, 1, 4])):
        opens, closes = chance.choice(["01", "06", "20"]), chance.randrange(3)
        ends = {"opens_on": f"2025-09-{opens}", "closes_on": f"2025-1{closes}-10"}
        named: dict[str, Any] = dict(chance.sample(sorted(ends.items()), chance.choice([1, 2])))
        service.fix_window(
            POLICY,
            at=at,
            school=chance.choice([None, "sjtu", "fudan"]),
            category=chance.choice([None, "undergraduate", "postgraduate"]),
            **named,
        )


def _anything(service: Service, clock: Clock, chance: random.Random) -> None:
    who = chance.choice([ADA, BO, CY])
    at = clock.now - timedelta(days=chance.choice([0, 0, 3, 400]))
    facts = [*service.facts(who), *service.care_facts(who)]
    fixes = service.window_facts(POLICY)[1:]
    act: Any = chance.choice(
        [
            lambda: register(service, who, f"{at:%Y-%m-%d %H:%M}"),
            lambda: service.declare_roster(who, at=at),
            lambda: service.confirm(who, at=at, channel="app", observed=chance.random() < 0.5),
            lambda: service.keep_other_cover(who, at=at, observed=True),
            lambda: service.verify_prior_coverage(who, at=at, lapsed_years=chance.randrange(3)),
            lambda: service.change_school(who, at=at, school=chance.choice(["sjtu", "fudan"])),
            lambda: service.withdraw(who, at=at, on=at.date(), observed=True),
            lambda: service.receive_care(
                who, at=at, on=at.date(), setting="campus_clinic", cost="10.00"
            ),
            lambda: _some_windows(service, at, chance),
            lambda: service.void(who, chance.choice(facts).event_id, at=at, reason="mistake"),
            lambda: service.void(POLICY, chance.choice(fixes).event_id, at=at, reason="mistake"),
        ]
    )
    with suppress(yibao.Refused, IndexError):
        act()
