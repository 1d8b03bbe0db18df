"""Stores brought back from a copy: they answer as they did, and go on, and so do their trails.

A copy is taken while others write; it is put beside the store, or in its place under whoever
has it open.
"""

from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
import pytest
from conftest import TEMPLATE
from pgserver import PORT, Server
from psycopg.conninfo import conninfo_to_dict

from yibao.adapters.service.service import Service, open_service, shanghai_now
from yibao.adapters.shapes.answer import answer_json
from yibao.adapters.store.facts import StoreError, open_store
from yibao.adapters.upkeep.checking import check
from yibao.adapters.upkeep.copying import backup
from yibao.adapters.upkeep.creating import migrate
from yibao.domain.calendar import read_instant
from yibao.domain.facts import events
from yibao.domain.vocabulary import EnrollmentId

from ..helpers.autumn import EDITIONS
from ..helpers.follower import Follower, caught_up, eventually, held, made_anew
from ..helpers.stores import rows
from ..helpers.writers import Nursery, Step, filing, registration, told
from ..store.sqlite.test_crashes import Kept

NOON = read_instant("2026-01-15 12:00")
STEPS = 18
LANES = 3


@pytest.fixture
def nursery(tmp_path: Path) -> Iterator[Nursery]:
    with Nursery(tmp_path, preload=["yibao.adapters.store.postgres.recorder"]) as nursery:
        yield nursery


class Database:
    """One database of a server, to be dumped, dropped and restored."""

    def __init__(self, server: Server, url: str) -> None:
        self.server = server
        self.url = url
        self.name = str(conninfo_to_dict(url)["dbname"])

    def dump(self, number: int = 0, *how: str) -> Path:
        """Dumps it, where the server's account may write."""
        file = self.server.folder / f"{self.name}-{number}.dump"
        self.server.run("pg_dump", *self._where(), *how, "--format=custom", "-f", file, self.name)
        return file

    def restore(self, dump: Path) -> None:
        """Fills it, new and empty as it is."""
        # At once: a follower that looks in between would take half a trail for one to go on with.
        self.server.run("pg_restore", *self._where(), "--single-transaction", "-d", self.name, dump)

    def replace(self, dump: Path) -> None:
        """Puts what was dumped in its place, whoever has it open."""
        self.server.sql(f"DROP DATABASE {self.name} WITH (FORCE)", f"CREATE DATABASE {self.name}")
        self.restore(dump)

    def _where(self) -> tuple[str, ...]:
        return "-h", str(self.server.folder), "-p", str(PORT), "-U", "postgres"


@pytest.fixture
def database(postgres: Server) -> Iterator[Database]:
    url = postgres.database(TEMPLATE)
    migrate(url)
    yield Database(postgres, url)
    postgres.drop(url)


def another(database: Database, dump: Path) -> str:
    """A new database with what was dumped in it."""
    restored = Database(database.server, database.server.database("template0"))
    restored.restore(dump)
    return restored.url


def opened(url: str) -> Service:
    # What the writers recorded is stamped by the machine's clock, which is not at this noon.
    until = shanghai_now()
    return open_service(url, policies=EDITIONS, clock=lambda: NOON, accept_stamps_until=until)


def streams(url: str) -> dict[UUID, list[events.Event]]:
    with closing(open_store(url)) as store:
        return dict(store.streams())


def answers(service: Service) -> list[Any]:
    """What is answered about every student, as anybody could be told."""
    return sorted((answer_json(each) for each in service.everyone()), key=repr)


def is_whole(url: str, acknowledged: set[str], before: dict[UUID, list[events.Event]]) -> None:
    """A copy has all that was acknowledged when it was begun, and nothing that never was."""
    assert check(url, EDITIONS).findings == ()
    found = streams(url)
    there = {event.command_id for recorded in found.values() for event in recorded}
    assert acknowledged <= there
    for stream, recorded in found.items():
        assert recorded == before[stream][: len(recorded)]


def goes_on(url: str) -> None:
    """A restored store takes new facts after all that it has, and its trail follows."""
    (last,) = rows(url, "SELECT MAX(notification_id) FROM stored_events")[0]
    with opened(url) as service, service.audit_trail() as trail:
        assert caught_up(trail) == made_anew(service)
        answer = told(service, Step("s-new", [registration("s-new", f"new-{last}")]))
        assert (answer.versions, answer.failed) == ([1], None)
        (new,) = service._store.recorded(EnrollmentId("s-new", 2025).stream)
        assert new.position > last
        assert caught_up(trail) == made_anew(service)


@pytest.mark.parametrize("how", [(), ("--exclude-schema=yibao_trail",)])
def test_a_database_dumped_under_load_and_restored_is_whole_and_goes_on(
    nursery: Nursery, database: Database, tmp_path: Path, how: tuple[str, ...]
) -> None:
    kept = Kept(database.url, STEPS)
    dumps: list[tuple[Path, set[str]]] = []
    with Follower(database.url, tmp_path / "follower.log") as follower:
        writers = {lane: nursery.bear(database.url, kept.plan(lane)) for lane in range(LANES)}
        for number in range(3):
            for writer in writers.values():
                writer.wait_for(1 + 4 * number)
            told_of = {each for w in writers.values() for told in w.told() for each in told.ids}
            dumps.append((database.dump(number, *how), told_of))
        assert [nursery.end_of(writer) for writer in writers.values()] == [0] * LANES
        eventually(lambda: follower.has("taken-in"), "somebody who follows")
    for lane, writer in writers.items():
        kept.learn(lane, writer)
    facts = kept.check()
    whole = streams(database.url)
    for dump, told_of in dumps:
        url = another(database, dump)
        if how:
            with (
                pytest.raises(StoreError, match="`yibao db migrate` makes it anew"),
                opened(url) as service,
            ):
                service.audit_trail()
        migrate(url)
        is_whole(url, told_of, whole)
        goes_on(url)
        database.server.drop(url)
    print(f"\n{len(dumps)} dumps while {LANES} wrote {facts} facts: each of them whole")


def test_a_restored_database_answers_about_every_student_as_the_one_that_was_dumped(
    database: Database,
) -> None:
    with opened(database.url) as service:
        for lane in range(2):
            for step in Kept(database.url, 6).plan(lane):
                assert not told(service, step).failed
        fact = service.facts(EnrollmentId("s-0-0", 2025))[-1]
        service.void(EnrollmentId("s-0-0", 2025), fact.event_id, at="2025-10-01 09:00", reason="x")
        before = answers(service)
        notes = rows(database.url, "SELECT * FROM notes ORDER BY event_id")
    assert len(before) == 3
    url = another(database, database.dump())
    with opened(url) as service:
        assert answers(service) == before
        assert rows(url, "SELECT * FROM notes ORDER BY event_id") == notes != []
        # A command that was repeated before is still a repeated one.
        assert told(service, Step("s-0-0", [registration("s-0-0", "0.0.0")])).repeated == [True]
    goes_on(url)
    database.server.drop(url)


def students(service: Service, *refs: str) -> None:
    for ref in refs:
        assert not told(service, Step(ref, [registration(ref, f"of-{ref}")])).failed


def refs(service: Service) -> list[str]:
    return sorted(each.enrollment.ref for each in service.everyone())


@pytest.mark.parametrize("how", [(), ("--exclude-schema=yibao_trail",)])
def test_a_follower_under_which_an_earlier_dump_is_restored_notices_and_begins_anew(
    database: Database, tmp_path: Path, how: tuple[str, ...]
) -> None:
    with opened(database.url) as service, service.audit_trail() as trail:
        students(service, "s-1", "s-2")
        trail.catch_up()
    dump = database.dump(0, *how)
    with Follower(database.url, tmp_path / "follower.log") as follower:
        with opened(database.url) as service:
            students(service, *(f"s-{number}" for number in range(3, 10)))
            there = service._store.reached().position
        eventually(lambda: reached_by(database.url) == there, "a follower at the end")
        database.replace(dump)
        migrate(database.url)
        with opened(database.url) as service, service.audit_trail() as trail:
            assert refs(service) == ["s-1", "s-2"]
            students(service, *(f"s-again-{number}" for number in range(3)))
            eventually(
                lambda: held(trail)["entries"] == made_anew(service)["entries"],
                "a trail of what was restored",
            )
            eventually(follower.leads, "a leader")


def reached_by(url: str) -> int:
    """How far the trail in a database is."""
    with suppress(psycopg.Error):
        found = rows(url, "SELECT position FROM yibao_trail.progress")
        return int(found[0][0]) if found else 0
    return 0


def test_who_has_a_store_open_under_which_an_earlier_dump_is_restored_passes_nobody(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    with opened(database.url) as service, service.audit_trail() as trail:
        students(service, "s-1", "s-2")
        dump = database.dump()
        students(service, "s-3", "s-4", "s-5")
        trail.catch_up()
        database.replace(dump)
        # Two who record on the restored store; the first is the last to end.
        with opened(database.url) as other:
            registered = other.facts(EnrollmentId("s-2", 2025))[0]
            late = EnrollmentId("s-late", 2025)
            copied = {"originator_id": late.stream, "ref": late.ref, "event_id": UUID(int=1)}
            with other._store.transaction([late.stream], many=True) as slow:
                slow.append([registered.model_copy(update=copied)])
                students(other, "s-early")
                # Nobody need wait for the first as long as one usually does.
                reached = service._store.reached
                monkeypatch.setattr(service._store, "reached", lambda: reached(0.2))
                trail.projection.catch_up()
        assert caught_up(trail) == made_anew(service)


def test_a_copy_of_a_file_taken_under_load_beside_a_newer_trail_is_followed_anew(
    nursery: Nursery, tmp_path: Path
) -> None:
    path, url = tmp_path / "busy.db", f"sqlite:///{tmp_path / 'busy.db'}"
    open_service(url, policies=EDITIONS).close()
    kept = Kept(url, STEPS)
    copies: list[tuple[Path, set[str]]] = []
    with Follower(url, tmp_path / "follower.log") as follower:
        writers = {lane: nursery.bear(url, kept.plan(lane)) for lane in range(LANES)}
        for number in range(3):
            for writer in writers.values():
                writer.wait_for(1 + 4 * number)
            told_of = {each for w in writers.values() for told in w.told() for each in told.ids}
            copy = tmp_path / f"copy-{number}.db"
            backup(url, copy)
            copies.append((copy, told_of))
        assert [nursery.end_of(writer) for writer in writers.values()] == [0] * LANES
        eventually(lambda: follower.has("taken-in"), "somebody who follows")
        assert follower.end() == 0
    for lane, writer in writers.items():
        kept.learn(lane, writer)
    kept.check()
    whole = streams(url)
    with opened(url) as service, service.audit_trail() as trail:
        trail.catch_up()
    newer = Path(f"{path}.trail").read_bytes()
    for copy, told_of in copies:
        Path(f"{copy}.trail").write_bytes(newer)
        is_whole(f"sqlite:///{copy}", told_of, whole)
        goes_on(f"sqlite:///{copy}")


def test_a_copy_of_a_file_answers_about_every_student_as_the_file_did(tmp_path: Path) -> None:
    url, copy = f"sqlite:///{tmp_path / 'facts.db'}", tmp_path / "copy.db"
    with opened(url) as service:
        for step in Kept(url, 6).plan(0):
            assert not told(service, step).failed
        before = answers(service)
        backup(url, copy)
        told(service, Step("s-0-0", [filing("later")]))
    with opened(f"sqlite:///{copy}") as service:
        assert answers(service) == before
