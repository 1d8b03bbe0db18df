"""Servers crash and fail over while several write and one follows: nothing is lost.

The suite crashes a server four times; `YIBAO_TORTURE=1000` in the environment crashes it as
often as it says.
"""

import os
import random
import signal
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from pgserver import CARELESS, PORT, Server

from yibao.adapters.following.derived import SqliteTables
from yibao.adapters.following.trail.audit import AuditTrail
from yibao.adapters.following.trail.layout import TRAIL
from yibao.adapters.service.recording import Receipt
from yibao.adapters.service.service import open_service
from yibao.adapters.store.facts import StoreError, open_store
from yibao.adapters.store.postgres.settings import StoreSettings
from yibao.adapters.store.postgres.sql import PostgresTransaction
from yibao.adapters.upkeep.checking import check
from yibao.adapters.upkeep.creating import init
from yibao.domain.facts.commands import COMMANDS
from yibao.domain.refusals import Refused
from yibao.domain.vocabulary import EnrollmentId

from ...helpers.autumn import EDITIONS
from ...helpers.follower import Follower, caught_up, eventually, made_anew, standing
from ...helpers.proxy import Proxy
from ...helpers.stores import rows
from ...helpers.writers import Nursery, Step, Told, Writer, filing, registration, told
from ..sqlite.test_crashes import Kept

CRASHES = int(os.environ.get("YIBAO_TORTURE", "4"))
LANES = 4
#: How much each of them writes.
STEPS = 100
#: How many crashes share a database before the next one begins with nothing.
CRASHES_A_DATABASE = 12
REF = "s-0"
ADA = EnrollmentId(REF, 2025)


@pytest.fixture
def nursery(tmp_path: Path) -> Iterator[Nursery]:
    with Nursery(tmp_path, preload=["yibao.adapters.store.postgres.recorder"]) as nursery:
        yield nursery


@pytest.fixture
def server() -> Iterator[Server]:
    """A server of a test's own. It loses what was committed carelessly when it crashes."""
    with Server() as server:
        yield server


@pytest.fixture
def store(server: Server) -> str:
    url = server.database()
    init(url)
    return url


def have_ended(writers: dict[int, Writer]) -> bool:
    return all(len(writer.told()) == STEPS for writer in writers.values())


def test_what_is_acknowledged_is_on_the_disk_whatever_the_server_is_told(
    server: Server, store: str
) -> None:
    with psycopg.connect(store) as connection:
        assert connection.execute("SHOW synchronous_commit").fetchone() == ("off",)
    with closing(open_store(store)) as opened, opened._facts.reading() as sql:
        assert sql.rows("SHOW synchronous_commit") == [("on",)]
    # What somebody chose beside it stays.
    server.sql(
        f"ALTER DATABASE {store.partition('@/')[2].partition('?')[0]} "
        "SET synchronous_commit = remote_apply"
    )
    with closing(open_store(store)) as opened, opened._facts.reading() as sql:
        assert sql.rows("SHOW synchronous_commit") == [("remote_apply",)]


def test_a_server_that_crashes_again_and_again_has_everything_it_acknowledged(
    nursery: Nursery, server: Server, store: str, tmp_path: Path
) -> None:
    chance = random.Random(20250903)
    crashes = under_way = facts = 0
    url = store
    while crashes < CRASHES:
        kept = Kept(url, STEPS)
        with Follower(url, tmp_path / "follower.log") as follower:
            eventually(follower.leads, "a leader")
            writers = {lane: nursery.bear(url, kept.plan(lane)) for lane in range(LANES)}
            for writer in writers.values():
                writer.wait_for(1)  # a store is not opened while its server is away
            for _ in range(min(CRASHES - crashes, CRASHES_A_DATABASE)):
                time.sleep(0.2 * chance.random())
                chance.choice([stopped, stopped, killed])(server)
                crashes += 1
                under_way += not have_ended(writers)
            assert [nursery.end_of(writer) for writer in writers.values()] == [0] * LANES
            for lane, writer in writers.items():
                kept.learn(lane, writer)
                assert not any(any(each.repeated) for each in writer.told() if not is_shared(each))
            eventually(lambda: follower.has("store-failed", "taken-in"), "a follower that goes on")
        facts += kept.check()
        kept.settle()
        assert check(url, EDITIONS).findings == ()
        with open_service(url, policies=EDITIONS) as service, service.audit_trail() as trail:
            assert caught_up(trail) == made_anew(service)
        url = server.database()
        init(url)
    assert under_way > crashes // 2, "they had nothing more to write"
    print(f"\n{crashes} crashes of a server; {facts} facts acknowledged, 0 lost, 0 recorded twice")


@pytest.mark.parametrize("is_refused", [False, True])
@pytest.mark.parametrize("meanwhile", [REF, "s-other"])
def test_what_was_lost_in_a_crash_is_not_taken_for_what_had_its_number_afterwards(
    server: Server, store: str, monkeypatch: pytest.MonkeyPatch, is_refused: bool, meanwhile: str
) -> None:
    """The server gives the numbers of what it has lost again, and whoever comes first has them.

    That may be somebody who records on the same student.
    """
    monkeypatch.setattr("yibao.adapters.store.postgres.connections.POOL_PATIENCE", 0.3)
    commit = PostgresTransaction.commit

    def after_a_crash(transaction: PostgresTransaction) -> None:
        monkeypatch.setattr(PostgresTransaction, "commit", commit)
        stopped(server)
        with open_service(store, policies=EDITIONS) as other:
            for number in range(3):
                told(other, Step(meanwhile, [filing(f"other-{number}")]))
        commit(transaction)

    with open_service(store, policies=EDITIONS) as service:
        for ref in (REF, "s-other"):
            told(service, Step(ref, [registration(ref, f"of-{ref}")]))
        # What is asked for is refused where it was asked for before, of another.
        asked = registration(REF, "again") if is_refused else filing("again")
        monkeypatch.setattr(PostgresTransaction, "commit", after_a_crash)
        answer = told(service, Step(REF, [asked]))
        assert not answer.failed
        assert bool(answer.refused) == is_refused
        own = [event.command_id for event in service.facts(ADA)]
        others = [f"other-{number}" for number in range(3)] if meanwhile == REF else []
        assert own == [f"of-{REF}", *others, *([] if is_refused else ["again"])]
        assert len(service.refused_attempts(ADA)) == is_refused
        assert len(service.facts(EnrollmentId("s-other", 2025))) == 4 - len(others)


def test_a_server_that_crashes_has_every_refusal_that_it_told_once(
    nursery: Nursery, server: Server, store: str
) -> None:
    chance = random.Random(20250904)
    crashes = kept = 0
    while crashes < CRASHES:
        # Who was not registered is refused, as often as they ask.
        plans = [
            # Of one actor only so many are kept in an hour.
            [
                Step(f"s-{lane}", [filing(f"{crashes}.{lane}.{n}", by=f"clerk-{crashes}-{lane}")])
                for n in range(STEPS)
            ]
            for lane in range(LANES)
        ]
        writers = [nursery.bear(store, plan) for plan in plans]
        for writer in writers:
            writer.wait_for(1)
        for _ in range(min(CRASHES - crashes, CRASHES_A_DATABASE)):
            time.sleep(0.1 * chance.random())
            stopped(server)
            crashes += 1
        assert [nursery.end_of(writer) for writer in writers] == [0] * LANES
        answers = [answer for writer in writers for answer in writer.told()]
        assert {answer.refused for answer in answers} == {"not_registered"}
        found = rows(
            store, "SELECT convert_from(state, 'UTF8')::json ->> 'command_id' FROM refused_attempts"
        )
        there = Counter(command_id for (command_id,) in found)
        kept += len(answers)
        assert {each for answer in answers for each in answer.ids} <= there.keys(), "told, and lost"
        assert set(there.values()) == {1}, "kept twice"
    print(f"\n{crashes} crashes of a server; {kept} refusals told, 0 lost, 0 kept twice")


def stopped(server: Server) -> None:
    server.stop("immediate")
    time.sleep(0.05)
    server.start()


def killed(server: Server) -> None:
    """Kills one who serves a client: the server ends all others and recovers by itself."""
    eventually(lambda: answers(server), "a server that has recovered")
    serving = rows(
        server.url(), "SELECT pid FROM pg_stat_activity WHERE position('yibao' in query) > 0"
    )
    for (pid,) in serving[:1]:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    eventually(lambda: answers(server), "a server that recovers")


def answers(server: Server) -> bool:
    try:
        return rows(server.url(), "SELECT 1") == [(1,)]
    except psycopg.OperationalError:
        return False


def is_shared(answer: Told) -> bool:
    return answer.ids == ["shared"]


# A standby takes over


@contextmanager
def standby_of(primary: Server) -> Iterator[Server]:
    """A second server that has all that the first one acknowledges, before it does."""
    standby = Server({})
    try:
        where = f"host={primary.folder} port={PORT} user=postgres application_name=second"
        standby.run(
            "pg_basebackup", "-D", standby.data, "-d", where,
            "--checkpoint=fast", "--write-recovery-conf", "--no-sync",
        )  # fmt: skip
        standby.configure(unix_socket_directories=str(standby.folder))
        standby.start()
        waits_for(primary, "second")
        yield standby
    finally:
        standby.destroy()


def waits_for(primary: Server, standby: str) -> None:
    """Has a commit wait until a standby has it; nobody's name is empty."""
    primary.sql(
        f"ALTER SYSTEM SET synchronous_standby_names = '{standby}'", "SELECT pg_reload_conf()"
    )
    time.sleep(0.5)  # one of the server's processes tells it to all others


@pytest.fixture
def primary() -> Iterator[Server]:
    with Server({**CARELESS, "wal_level": "replica", "max_wal_senders": "4"}) as primary:
        yield primary


def of_both(url: str, *servers: Server) -> str:
    """A database, on whichever of some servers can be written to."""
    hosts = ",".join(str(server.folder) for server in servers)
    ports = ",".join([str(PORT)] * len(servers))
    name = url.partition("@/")[2].partition("?")[0]
    return (
        f"postgresql:///{name}?user=postgres&host={hosts}&port={ports}"
        "&target_session_attrs=read-write"
    )


def test_writers_go_on_with_the_standby_that_takes_over_and_nothing_acknowledged_is_lost(
    nursery: Nursery, primary: Server, tmp_path: Path
) -> None:
    url = primary.database()
    init(url)
    with standby_of(primary) as standby:
        both = of_both(url, primary, standby)
        kept = Kept(both, STEPS)
        with Follower(both, tmp_path / "follower.log") as follower:
            eventually(follower.leads, "a leader")  # not opened while its server is away
            writers = {lane: nursery.bear(both, kept.plan(lane)) for lane in range(LANES)}
            for writer in writers.values():
                writer.wait_for(10)
            primary.stop("immediate")
            before = sum(len(writer.told()) for writer in writers.values())
            assert before < LANES * STEPS, "they had nothing more to write"
            standby.promote()
            assert [nursery.end_of(writer) for writer in writers.values()] == [0] * LANES
            for lane, writer in writers.items():
                kept.learn(lane, writer)
            eventually(
                lambda: follower.has("store-failed") and follower.leads(),
                "a leader on the other server",
            )
            eventually(lambda: standing(both, EDITIONS).behind == 0, "a follower at the end")
        facts = kept.check()
        kept.settle()
        assert check(both, EDITIONS).findings == ()
        with open_service(both, policies=EDITIONS) as service, service.audit_trail() as trail:
            assert caught_up(trail) == made_anew(service)
    print(f"\na fail-over; {facts} facts acknowledged, 0 lost")


def test_a_fact_is_not_acknowledged_before_the_standby_has_it_however_long_that_takes(
    primary: Server,
) -> None:
    """A statement that takes too long is ended by the server; a COMMIT must not be."""
    url = primary.database()
    init(url)
    with (
        standby_of(primary) as standby,
        open_service(url, policies=EDITIONS, settings=HASTY) as service,
        ThreadPoolExecutor() as pool,
    ):
        told(service, Step(REF, [registration(REF, "r")]))
        standby.stop("immediate")
        waiting = pool.submit(told, service, Step(REF, [filing("f")]))
        time.sleep(3 * HASTY.statement_timeout)
        early = waiting.done()
        standby.start()
        assert waiting.result().versions == [2]
        assert not early


#: Less patient with a statement than with a standby.
HASTY = StoreSettings(statement_timeout=0.3, lock_timeout=0.2)


def committing(url: str) -> bool:
    """Whether somebody has committed and waits for a standby."""
    return rows(url, "SELECT 1 FROM pg_stat_activity WHERE wait_event = 'SyncRep'") != []


@pytest.mark.parametrize("of_nobody", [False, True])
def test_what_was_cut_while_it_committed_is_found_by_the_next_try_and_not_done_twice(
    server: Server, store: str, of_nobody: bool
) -> None:
    """What was asked for is on its way for as long as the server takes, whoever has hung up."""
    with (
        Proxy(server.folder) as proxy,
        open_service(proxy.through(store), policies=EDITIONS) as service,
        ThreadPoolExecutor() as pool,
    ):
        told(service, Step(REF, [registration(REF, "r")]))
        _, filed = filing("f")
        waits_for(server, "nobody")
        if of_nobody:
            waiting = pool.submit(pytest.raises, Refused, service.register, "", **ASKED)
        else:
            waiting = pool.submit(service.record, ADA, COMMANDS["file_remote_care"](**filed))
        eventually(lambda: committing(store), "somebody who commits")
        proxy.cut_now()
        time.sleep(0.5)
        waits_for(server, "")
        answer = waiting.result()
        if isinstance(answer, Receipt):
            assert not answer.repeated
            assert [e.command_id for e in service.facts(ADA)] == ["r", "f"]
        else:
            assert rows(store, "SELECT COUNT(*) FROM refused_attempts") == [(1,)]


ASKED: dict[str, Any] = {
    name: value for name, value in registration("", "c")[1].items() if name != "ref"
}


def test_a_standby_cannot_be_followed_as_it_does_not_tell_who_is_writing_on_the_primary(
    primary: Server,
) -> None:
    url = primary.database()
    init(url)
    with (
        standby_of(primary) as standby,
        open_service(url, policies=EDITIONS) as service,
        open_service(url.replace(str(primary.folder), str(standby.folder))) as reading,
        AuditTrail(reading._store, EDITIONS, SqliteTables(":memory:", TRAIL)) as trail,
    ):
        told(service, Step("s-1", [registration("s-1", "r1")]))
        registered = service.facts(EnrollmentId("s-1", 2025))[0]
        of_ada = {"originator_id": ADA.stream, "ref": REF, "event_id": uuid4()}
        with service._store.transaction([ADA.stream], many=True) as slow:
            slow.append([registered.model_copy(update=of_ada)])
            told(service, Step("s-2", [registration("s-2", "r2")]))
            eventually(lambda: reading.facts(EnrollmentId("s-2", 2025)), "what was recorded last")
            with pytest.raises(StoreError, match="a standby does not tell who is writing"):
                trail.catch_up()
            assert reading.at(EnrollmentId("s-2", 2025)).version == 1
        with open_service(url, policies=EDITIONS) as service:
            assert len(service.facts(ADA)) == 1
