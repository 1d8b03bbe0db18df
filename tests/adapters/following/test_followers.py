"""Whoever follows the facts is killed, cut off and doubled: the trail is what all facts give.

In the suite a follower is killed at some of its statements; with `YIBAO_TORTURE` in the
environment at each of them.
"""

import logging
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from pgserver import Server

from yibao.adapters.cli.running.projecting import statuses
from yibao.adapters.following.derived import Batch, FactsFollowed
from yibao.adapters.following.leading import lead_of
from yibao.adapters.following.supervisor import Stop, Supervisor
from yibao.adapters.following.trail.questions import Question
from yibao.adapters.following.trail.store import TrailRow
from yibao.adapters.service.service import Service, open_service
from yibao.adapters.store.errors import Halted
from yibao.adapters.store.urls import is_postgres
from yibao.adapters.telemetry.figures import SILENT
from yibao.adapters.upkeep.creating import grant, migrate
from yibao.domain.facts import events

from ..conftest import Run
from ..helpers.autumn import ADA, BO, CY, EDITIONS, POLICY, Clock, an_autumn, refused
from ..helpers.follower import (
    Follower,
    caught_up,
    eventually,
    held,
    made_anew,
    standing,
    supervised,
)
from ..helpers.stores import lasting, rows
from ..helpers.writers import Nursery
from ..store.sqlite.test_crashes import Kept

EVERY = 1 if "YIBAO_TORTURE" in os.environ else 29
#: How much each writer writes.
STEPS = 12
SOURCES = Path(__file__).parents[3] / "src"

on_postgres = pytest.mark.parametrize("url", ["postgres"], indirect=True)


@pytest.fixture
def nursery(tmp_path: Path) -> Iterator[Nursery]:
    with Nursery(tmp_path, preload=["yibao.adapters.store.postgres.recorder"]) as nursery:
        yield nursery


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def ready(url: str) -> str:
    """An empty store with all that a trail needs."""
    if is_postgres(url):
        migrate(url)
    return url


@pytest.fixture
def service(ready: str, clock: Clock) -> Iterator[Service]:
    """A store with an autumn in it."""
    with open_service(ready, policies=EDITIONS, clock=clock) as service:
        an_autumn(service, clock)
        yield service


@pytest.fixture
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(FactsFollowed, "size", 3)
    monkeypatch.setattr(Batch, "fan", 2)


@lasting
def test_a_trail_that_follows_eight_writers_live_is_the_one_made_of_all_facts_at_the_end(
    nursery: Nursery, ready: str, tmp_path: Path
) -> None:
    kept = Kept(ready, STEPS)
    with open_service(ready, policies=EDITIONS) as service:
        # The first of all is a fact, or a follower of a file has nothing to open.
        with Follower(ready, tmp_path / "follower.log") as follower:
            eventually(follower.leads, "a leader")
            writers = {lane: nursery.bear(ready, kept.plan(lane)) for lane in range(8)}
            assert [nursery.end_of(writer) for writer in writers.values()] == [0] * 8
            for lane, writer in writers.items():
                kept.learn(lane, writer)
            facts = kept.check()
            there = service._store.reached().position
            eventually(lambda: standing(ready, EDITIONS).position == there, "a follower at the end")
            assert follower.end() == 0
        with service.audit_trail() as trail:
            assert held(trail) == made_anew(service)
        taken = [each.values["facts"] for each in follower.told() if each.event == "taken-in"]
        assert sum(taken) == number_of_facts(ready)
        assert len(taken) > 1, "it did not follow while they wrote"
    print(f"\n{facts} facts by eight, followed live: 0 missed, 0 taken in twice")


def there_are(url: str) -> int:
    return int(rows(url, "SELECT MAX(notification_id) FROM stored_events")[0][0])


def number_of_facts(url: str) -> int:
    return int(rows(url, "SELECT COUNT(*) FROM stored_events")[0][0])


@lasting
def test_facts_are_told_as_they_are_taken_in_also_where_positions_are_missing(
    service: Service, ready: str, clock: Clock, monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture, small_batches: None,
) -> None:  # fmt: skip
    caplog.set_level(logging.INFO, logger="yibao.following")
    monkeypatch.setattr("yibao.adapters.following.supervisor.AT_A_STRETCH", 0)
    rows(ready, "UPDATE stored_events SET notification_id = notification_id + 100 "
         "WHERE notification_id > 9")  # fmt: skip
    if is_postgres(ready):
        rows(ready, "SELECT setval('stored_events_notification_id_seq', ?)", there_are(ready))
    with service.audit_trail() as trail, supervised(trail):
        eventually(lambda: trail.projection.standing().position == there_are(ready), "the end")
    told = [each.told for each in caplog.records if each.msg == "taken-in"]  # type: ignore[attr-defined]
    assert sum(each["facts"] for each in told) == number_of_facts(ready)
    assert len(told) > 3, "a long backlog was taken in without a word"


@lasting
def test_a_follower_that_is_asked_to_end_leaves_the_rest_of_a_backlog(
    service: Service, monkeypatch: pytest.MonkeyPatch, small_batches: None
) -> None:
    stop = Stop()
    with service.audit_trail() as trail:
        mark = service._store.mark

        def asked_to_end(*values: Any) -> str:
            stop.set()
            return mark(*values)

        # It is called within a batch.
        monkeypatch.setattr(service._store, "mark", asked_to_end)
        lead = lead_of(trail.store, trail.projection.name)
        Supervisor(trail.projection, lead).follow(stop)
        standing = trail.projection.standing()
        assert standing.position > 0
        assert standing.behind > 3
        assert caught_up(trail) == made_anew(service)


# Who leads


@lasting
def test_of_two_followers_one_leads_and_the_other_takes_over_when_that_one_is_killed(
    service: Service, ready: str, tmp_path: Path
) -> None:
    with (
        Follower(ready, tmp_path / "first.log") as first,
        Follower(ready, tmp_path / "second.log") as second,
    ):
        eventually(lambda: first.leads() or second.leads(), "a leader")
        leader, other = (first, second) if first.leads() else (second, first)
        eventually(lambda: leader.has("taken-in"))
        time.sleep(0.2)
        assert not other.leads()
        assert not other.has("taken-in")
        leader.kill()
        service.issue_medical_card(BO, at="2025-10-16 09:00")
        eventually(lambda: other.has("taken-in"), "somebody who takes over")
        service.issue_medical_card(ADA, at="2025-10-16 09:00")
        there = service._store.reached().position
        eventually(lambda: standing(ready, EDITIONS).position == there, "a follower at the end")
        assert statuses(ready, None, EDITIONS)[0].is_led
        assert other.end() == 0
    assert not statuses(ready, None, EDITIONS)[0].is_led
    with service.audit_trail() as trail:
        assert held(trail) == made_anew(service)


@on_postgres
def test_a_leader_whose_session_the_server_ends_stands_by_or_leads_again_and_one_leads(
    service: Service, ready: str, tmp_path: Path
) -> None:
    of_a_lead = "locktype = 'advisory' AND objsubid = 2 AND database = " + (
        "(SELECT oid FROM pg_database WHERE datname = current_database())"
    )
    with (
        Follower(ready, tmp_path / "first.log") as first,
        Follower(ready, tmp_path / "second.log") as second,
    ):
        both = (first, second)
        for turn in range(3):
            eventually(lambda: sum(each.leads() for each in both) == 1, "one leader")
            service.file_remote_care(BO, at="2025-10-16 09:00", province=f"p{turn}", observed=True)
            there = service._store.reached().position
            eventually(
                lambda at=there: standing(ready, EDITIONS).position == at, "a follower at the end"
            )  # type: ignore[misc]
            failures = sum(each.event == "store-failed" for f in both for each in f.told())
            ended = rows(ready, f"SELECT pg_terminate_backend(pid) FROM pg_locks WHERE {of_a_lead}")
            assert ended == [(True,)]
            eventually(
                lambda before=failures: (
                    before < sum(each.event == "store-failed" for f in both for each in f.told())
                ),
                "a leader that hears of it",
            )
        eventually(lambda: sum(each.leads() for each in both) == 1, "one leader")
        locks = rows(ready, f"SELECT COUNT(*) FROM pg_locks WHERE granted AND {of_a_lead}")
        assert locks == [(1,)]
    with service.audit_trail() as trail:
        assert caught_up(trail) == made_anew(service)


@on_postgres
def test_who_may_only_read_is_told_at_once_that_it_cannot_follow(
    service: Service, ready: str, postgres: Server, run: Run
) -> None:
    postgres.sql("CREATE ROLE onlooker LOGIN")
    grant(ready, "onlooker", reads_only=True)
    as_onlooker = ready.replace("postgres@", "onlooker@")
    for command in (["follow"], ["follow", "--once"], ["retry"]):
        done = run("projections", *command, "--store", as_onlooker)
        assert (done.exit_code, done.stdout) == (2, "")
        assert "this role may only read" in done.stderr
    assert statuses(as_onlooker, None, EDITIONS)[0].standing.position == 0


@on_postgres
def test_a_follower_whose_connections_the_server_ends_tells_of_it_in_json_alone(
    service: Service, ready: str, tmp_path: Path
) -> None:
    log = tmp_path / "follower.log"
    with Follower(ready, log) as follower:
        eventually(lambda: follower.has("taken-in"), "a follower")
        others = "pid <> pg_backend_pid() AND datname = current_database()"
        rows(ready, f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {others}")
        eventually(
            lambda: "yibao.postgres" in {each.values["logger"] for each in follower.told()},
            "a warning of the connections",
        )
        eventually(follower.leads, "a follower that goes on")
    assert log.with_suffix(".err").read_text() == ""


# Delivered twice, interrupted anywhere


def killed(url: str, *how: str) -> list[str]:
    """What followers held who came after one that was killed, at one of its statements each."""
    script = Path(__file__).parents[1] / "helpers" / "follower.py"
    done = subprocess.run(
        [sys.executable, str(script), "die", url, str(EVERY), "0", *how],
        env={**os.environ, "PYTHONPATH": str(SOURCES)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    digests = done.stdout.split()
    print(f"\n{len(digests)} followers killed at one of {len(digests) * EVERY} statements")
    return digests


@on_postgres
def test_a_follower_killed_at_any_statement_goes_on_as_if_nothing_had_been(
    service: Service, ready: str, small_batches: None
) -> None:
    digests = killed(ready)
    assert len(digests) * EVERY > 150
    with service.audit_trail() as trail:
        assert {digests[0]} == set(digests)
        assert caught_up(trail) == made_anew(service)


@lasting
def test_who_takes_in_student_by_student_may_be_killed_at_any_statement(
    service: Service, ready: str
) -> None:
    digests = killed(ready, "3")
    assert len(digests) * EVERY > 100
    assert {sha256(repr(made_anew(service)).encode()).hexdigest()} == set(digests)


@lasting
def test_what_is_delivered_twice_is_taken_in_once(service: Service, small_batches: None) -> None:
    with service.audit_trail() as trail, service.audit_trail() as other:
        first = caught_up(trail)
        assert caught_up(trail) == caught_up(other) == first == made_anew(service)
        service.issue_medical_card(BO, at="2025-10-16 09:00")
        reached = service._store.reached()
        # Both believe that the trail is where it was before either began.
        looked = other.projection.looked_at(other.projection.side())
        assert looked is not None
        trail.catch_up()
        other.projection.looked_at = lambda _: looked  # type: ignore[method-assign]
        other.catch_up()
        assert held(trail)["progress"][0][1] == reached.position
        assert held(trail) == made_anew(service)


FOLLOWS = """
import sys, yibao
from yibao.adapters.following.derived import Batch, FactsFollowed
FactsFollowed.size, Batch.fan = 3, 2
with yibao.open(sys.argv[1]) as service, service.audit_trail() as trail:
    trail.catch_up()
"""


@lasting
def test_several_who_catch_up_at_once_take_turns(service: Service, ready: str) -> None:
    running = [
        subprocess.Popen(
            [sys.executable, "-c", FOLLOWS, ready],
            env={**os.environ, "PYTHONPATH": str(SOURCES)},
            stderr=subprocess.PIPE,
        )
        for _ in range(3)
    ]
    told = [process.communicate()[1] for process in running]
    assert [process.returncode for process in running] == [0] * 3, told
    with service.audit_trail() as trail:
        assert held(trail) == made_anew(service)


# What cannot be taken in


class Heard:
    """What telemetry is told of whom a follower parks, and of how far behind it is."""

    def __init__(self) -> None:
        self.parkings: list[tuple[str, str]] = []
        self.lags: list[int] = []

    def followed(self, projection: str, facts: int, lag: int, seconds: float) -> None:
        self.lags.append(lag)

    def parked(self, projection: str, code: str) -> None:
        self.parkings.append((projection, code))

    def __getattr__(self, name: str) -> Any:
        return getattr(SILENT, name)


@contextmanager
def spoilt(url: str, position: int) -> Iterator[None]:
    """A fact that does not read, as long as the context lasts; then it is set right by hand."""
    where = "WHERE notification_id = ?"
    ((state,),) = rows(url, f"SELECT state FROM stored_events {where}", position)
    rows(url, f"UPDATE stored_events SET state = ? {where}", b"{}", position)
    yield
    rows(url, f"UPDATE stored_events SET state = ? {where}", state, position)


@lasting
def test_a_student_who_cannot_be_taken_in_is_parked_and_told_of_and_all_others_go_on(
    service: Service, ready: str, clock: Clock, caplog: pytest.LogCaptureFixture,
    small_batches: None,
) -> None:  # fmt: skip
    caplog.set_level(logging.INFO, logger="yibao.following")
    heard = Heard()
    with service.audit_trail() as trail:
        trail.catch_up()
        service.issue_medical_card(ADA, at=clock.at("2025-10-17 09:00"))
        position = there_are(ready)
        with spoilt(ready, position):
            with supervised(trail, telemetry=heard):
                eventually(lambda: trail.projection.standing().parked, "somebody parked")
                # Who is parked is left alone; the window moves her answers, and the others'.
                service.fix_window(POLICY, at=clock.at("2025-10-17 10:00"), closes_on="2025-12-31")
                service.issue_medical_card(BO, at=clock.at("2025-10-17 11:00"))
                refused(service.confirm, CY, at=clock.at("2025-10-17 12:00"), channel="fax")
                there = service._store.reached()
                eventually(lambda: trail.projection.standing().position == there.position)
            (parked,) = trail.projection.standing().parked
            assert parked[:4] == (ADA.stream.hex, ADA.ref, ADA.year, position)
            assert "medical-card-issued" in parked.told
            alarms = [each for each in caplog.records if each.levelno == logging.ERROR]
            assert [(each.name, each.msg) for each in alarms] == [("yibao.following", "parked")]
            assert heard.parkings == [("audit-trail", "unprocessable")]
            stale = [each for each in trail.all(Question()) if each.is_stale]
            assert {each.enrollment for each in stale} == {ADA}
            assert any(each.row.kind == "registered" for each in stale)
            told = [each.row.kind for each in trail.all(Question(ref=BO.ref))]
            assert "medical-card-issued" in told
            assert trail.projection.retry() == 1
            assert len(trail.projection.standing().parked) == 1
        assert trail.projection.retry() == 0
        assert trail.projection.standing().parked == ()
        assert held(trail) == made_anew(service)
        assert not any(each.is_stale for each in trail.all(Question()))


@lasting
def test_a_student_of_whom_there_is_too_much_is_parked_and_all_others_go_on(
    service: Service, ready: str, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    with service.audit_trail() as trail:
        trail.catch_up()
        there = len(service.facts(BO))
        longest = max(len(service.facts(who)) for who in (ADA, BO, CY))
        monkeypatch.setattr(Batch, "longest", longest)
        for number in range(longest):
            at = clock.at(f"2025-10-17 09:{number:02}")
            service.file_remote_care(BO, at=at, province=f"p{number}", observed=True)
            trail.catch_up()
        service.fix_window(POLICY, at=clock.at("2025-10-17 10:00"), closes_on="2025-12-31")
        service.issue_medical_card(CY, at=clock.at("2025-10-17 11:00"))
        trail.catch_up()
        (parked,) = trail.projection.standing().parked
        assert (parked.ref, parked.told) == (
            BO.ref, f"stream {BO.stream} is too long: {longest + 1} events"
        )  # fmt: skip
        assert trail.projection.standing().behind == 0
        assert trail.count(Question(ref=BO.ref, kind="remote-care-filed")) == longest - there
        assert trail.count(Question(ref=CY.ref, kind="medical-card-issued")) == 1
        monkeypatch.undo()
        assert trail.projection.retry() == 0
        assert held(trail) == made_anew(service)


def respelled(url: str, old: str, new: str) -> None:
    """Writes something otherwise in every fact and every refused attempt."""
    for table, key in (("stored_events", "notification_id"), ("refused_attempts", "attempt_id")):
        for number, state in rows(url, f"SELECT {key}, state FROM {table}"):
            anew = bytes(state).replace(old.encode(), new.encode())
            rows(url, f"UPDATE {table} SET state = ? WHERE {key} = ?", anew, number)


#: A school as a store copied from a file may name it; PostgreSQL takes no such text.
NUL = r"fu\u0000dan"


@lasting
def test_a_school_whose_name_the_trails_database_does_not_take_stops_nobody_else(
    service: Service, ready: str, clock: Clock
) -> None:
    service.issue_medical_card(BO, at=clock.at("2025-10-17 09:00"))
    refused(service.confirm, CY, at=clock.at("2025-10-17 10:00"), channel="fax")
    respelled(ready, "fudan", NUL)
    with service.audit_trail() as trail:
        of_bo = [each.row.kind for each in trail.all(Question(ref=BO.ref))]
        assert "medical-card-issued" in of_bo
        assert [each.attempt for each in trail.all(Question(ref=CY.ref, kind="refused"))]
        standing = trail.projection.standing()
        assert (standing.position, standing.behind) == (there_are(ready), 0)
        if is_postgres(ready):
            (parked,) = standing.parked
            assert (parked.ref, parked.year) == CY
            assert parked.told
        assert trail.projection.retry() == len(standing.parked)
        respelled(ready, NUL, "fudan")
        assert trail.projection.retry() == 0
        assert trail.projection.standing().parked == ()
        assert {each.row.school for each in trail.all(Question(ref=CY.ref))} >= {"fudan"}


@lasting
def test_a_window_fixed_for_a_school_whose_name_the_trails_database_does_not_take_is_listed(
    service: Service, ready: str, clock: Clock
) -> None:
    service.fix_window(
        POLICY, at=clock.at("2025-10-17 09:00"), closes_on="2025-12-31", school="nowhere"
    )
    respelled(ready, "nowhere", r"no\u0000where")
    with service.audit_trail() as trail:
        *_, fix = trail.all(Question(kind="window-fixed"))
        assert (fix.row.position, fix.changes["students"]) == (there_are(ready), 0)
        assert trail.projection.standing().parked == ()


@lasting
def test_of_a_student_whom_others_have_parked_whoever_leads_gives_the_alarm(
    service: Service, ready: str, clock: Clock
) -> None:
    heard = Heard()
    service.issue_medical_card(ADA, at=clock.at("2025-10-17 09:00"))
    with service.audit_trail() as trail, spoilt(ready, there_are(ready)):
        trail.catch_up()
        with supervised(trail, telemetry=heard):
            eventually(lambda: heard.parkings, "an alarm")
            passes = len(heard.lags)
            eventually(lambda: len(heard.lags) > passes + 3)
        assert heard.parkings == [("audit-trail", "unprocessable")]


@lasting
def test_a_student_who_is_parked_again_after_she_was_set_right_gives_another_alarm(
    service: Service, ready: str, clock: Clock
) -> None:
    heard: Any = Heard()
    with service.audit_trail() as trail:
        lead = lead_of(trail.store, trail.projection.name)
        supervisor = Supervisor(trail.projection, lead, telemetry=heard)
        for number in (1, 2):
            at = clock.at(f"2025-10-17 0{number}:00")
            service.file_remote_care(ADA, at=at, province=f"p{number}", observed=True)
            with spoilt(ready, there_are(ready)):
                supervisor.take_in(Stop())
                supervisor.take_in(Stop())
                assert len(heard.parkings) == number
            assert trail.projection.retry() == 0


@lasting
def test_the_lag_grows_while_nothing_can_be_taken_in(
    service: Service, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard = Heard()
    with service.audit_trail() as trail:
        trail.catch_up()
        # As with a transaction that has written and stays open elsewhere.
        there = service._store.reached()
        monkeypatch.setattr(service._store, "reached", lambda: there)
        with supervised(trail, telemetry=heard):
            eventually(lambda: heard.lags[-1:] == [0], "a pass")
            service.issue_medical_card(BO, at=clock.at("2025-10-17 09:00"))
            eventually(lambda: heard.lags[-1] == 1, "a lag of one")
            service.issue_medical_card(ADA, at=clock.at("2025-10-17 10:00"))
            eventually(lambda: heard.lags[-1] == 2, "a lag of two")


@lasting
def test_whichever_fact_of_a_student_does_not_read_set_right_it_is_as_if_nothing_had_been(
    service: Service, ready: str, small_batches: None
) -> None:
    store = service._store
    expected = made_anew(service)
    of_students = [
        each.position
        for who in (ADA, BO, CY)
        for stream in (who.stream, who.care_stream)
        for each in store.recorded(stream)
    ]
    with service.audit_trail() as trail:
        for position in of_students:
            with trail._tables.writing() as sql:
                trail._tables.empty(sql, trail.projection.side())
            with spoilt(ready, position):
                trail.catch_up()
                assert trail.projection.standing().parked
                assert trail.projection.standing().position == store.reached().position
            assert trail.projection.retry() == 0, position
            assert held(trail) == expected, position


@lasting
def test_who_retries_where_nobody_is_parked_leaves_the_trail_as_it_was(
    ready: str, clock: Clock
) -> None:
    how = {"policies": EDITIONS, "clock": clock, "attempts_kept": 1}
    with open_service(ready, **how) as service:  # type: ignore[arg-type]
        an_autumn(service, clock)
        for _ in range(3):
            refused(service.confirm, CY, at=clock.at("2025-10-17 12:00"), channel="fax")
        with service.audit_trail() as trail:
            before = caught_up(trail)
        with service.audit_trail() as trail:
            assert trail.projection.retry() == 0
            assert held(trail) == before == made_anew(service)


@lasting
def test_a_fact_of_a_newer_yibao_halts_the_follower_which_goes_on_after_the_upgrade(
    service: Service, ready: str, clock: Clock, tmp_path: Path, small_batches: None
) -> None:
    with service.audit_trail() as trail:
        before = caught_up(trail)
        service.issue_medical_card(BO, at=clock.at("2025-10-17 09:00"))
        unknown = there_are(ready)
        service.issue_medical_card(ADA, at=clock.at("2025-10-17 10:00"))
        rename(ready, unknown, "blessed")
        with Follower(ready, tmp_path / "follower.log") as follower:
            assert follower.wait() != 0
            last = [each for each in follower.told() if each.event == "halted"]
            assert [(each.level, each.values["projection"]) for each in last] == [
                ("critical", "audit-trail")
            ]
            assert f"position {unknown} has the name 'blessed'" in last[0].values["reason"]
        for _ in range(2):
            with pytest.raises(Halted, match="'blessed', which this version of yibao"):
                trail.catch_up()
        assert held(trail)["entries"] == before["entries"]
        assert held(trail)["progress"][0][1] == unknown - 1
        rename(ready, unknown, events.MedicalCardIssued.name)
        assert caught_up(trail) == made_anew(service)


def rename(url: str, position: int, topic: str) -> None:
    rows(url, "UPDATE stored_events SET topic=? WHERE notification_id=?", topic, position)


@lasting
def test_a_fact_that_an_upgrade_makes_known_is_taken_in_from_where_it_halted(
    service: Service, ready: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = made_anew(service)
    known = dict(events.EVENTS)
    with service.audit_trail() as trail:
        with monkeypatch.context() as older:
            older.setattr(
                events, "EVENTS", {k: v for k, v in known.items() if k != "school-changed"}
            )
            with pytest.raises(Halted, match="school-changed"):
                trail.catch_up()
        kinds = [TrailRow(*row).kind for row in held(trail)["entries"]]
        assert "benefits-adopted" in kinds
        assert "school-changed" not in kinds
        assert caught_up(trail) == whole


@lasting
def test_a_refused_attempt_that_does_not_read_halts_a_follower_and_somebody_is_told(
    service: Service, ready: str, tmp_path: Path
) -> None:
    rows(ready, "UPDATE refused_attempts SET state = ? WHERE attempt_id = 1", b"{}")
    with Follower(ready, tmp_path / "follower.log") as follower:
        assert follower.wait() != 0
        assert follower.told()[-1].level in ("error", "critical")


@lasting
def test_an_edition_that_does_not_read_halts_a_follower(service: Service, ready: str) -> None:
    rows(ready, "UPDATE stored_events SET state = ? WHERE topic = 'benefits-adopted'", b"{}")
    with service.audit_trail() as trail:
        with pytest.raises(Halted, match="cannot be read: event 3"):
            trail.catch_up()
        assert "cannot be read: event 3" in str(trail.projection.halted())
