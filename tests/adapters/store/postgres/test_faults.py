"""Connections cut in the worst moment, locks that are held, disks that are full, roles.

What was recorded is one fact, whatever became of the answer; what was not is a clear StoreError.
Everything happens to a PostgreSQL that is really there. In the suite a connection is cut some
fifteen times at random; `YIBAO_TORTURE=1000` in the environment cuts as often as it says.
"""

import os
import random
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psycopg
import pytest
from conftest import TEMPLATE
from pgserver import Server
from psycopg.conninfo import conninfo_to_dict

from yibao.adapters.service.recording import Receipt
from yibao.adapters.service.service import Service, open_service
from yibao.adapters.store.errors import Interrupted
from yibao.adapters.store.facts import Reached, StoreError
from yibao.adapters.store.postgres.connections import POOL_PATIENCE
from yibao.adapters.store.postgres.settings import StoreSettings
from yibao.adapters.store.postgres.sql import lock_of
from yibao.adapters.upkeep.checking import check
from yibao.adapters.upkeep.creating import grant, init, migrate
from yibao.domain.facts.commands import COMMANDS, Command
from yibao.domain.refusals import Refused
from yibao.domain.vocabulary import EnrollmentId

from ...helpers.autumn import EDITIONS
from ...helpers.follower import caught_up, eventually, held, made_anew
from ...helpers.proxy import Cut, Proxy
from ...helpers.stores import rows
from ...helpers.writers import Asked, Nursery, filing, registration
from ..sqlite.test_faults import NAMESPACE, needs_private_mounts

CUTS = int(os.environ.get("YIBAO_TORTURE", "15"))
REF, OTHER = "s-faulty", "s-other"
ADA, BO = EnrollmentId(REF, 2025), EnrollmentId(OTHER, 2025)
SOURCES = Path(__file__).parents[4] / "src"

Act = Callable[[Service], Any]


@pytest.fixture(scope="module")
def prepared(postgres: Server) -> str:
    """The database of a store with its trail, and in it two students, one on the roster."""
    url = postgres.database(TEMPLATE)
    migrate(url)
    with opened(url) as service:
        record(service, registration(REF, "r"))
        record(service, registration(OTHER, "r-other"), to=BO)
        service.declare_roster(ADA, at="2025-09-02 17:00", command_id="roster")
    return str(conninfo_to_dict(url)["dbname"])


@pytest.fixture
def url(postgres: Server, prepared: str) -> Iterator[str]:
    """A copy of that store."""
    url = postgres.database(prepared)
    yield url
    postgres.drop(url)


@pytest.fixture
def proxy(postgres: Server) -> Iterator[Proxy]:
    with Proxy(postgres.folder) as proxy:
        yield proxy


@pytest.fixture
def service(proxy: Proxy, url: str) -> Iterator[Service]:
    """A service behind the proxy."""
    with opened(proxy.through(url)) as service:
        yield service


def opened(url: str, **how: Any) -> Service:
    named = {name: how.pop(name) for name in ("attempts_kept",) if name in how}
    settings = StoreSettings(**{"retry_for": 20, **how})
    return open_service(url, policies=EDITIONS, settings=settings, **named)


def command(asked: Asked) -> Command:
    name, values = asked
    return COMMANDS[name](**values)


def record(service: Service, *asked: Asked, to: EnrollmentId = ADA) -> list[Receipt]:
    return service.record_together(to, [command(each) for each in asked])


def ids(url: str) -> list[str]:
    """The commands of all facts but those that an edition is adopted by, in their order."""
    found = rows(
        url,
        "SELECT convert_from(state, 'UTF8')::json ->> 'command_id' FROM stored_events "
        "WHERE topic <> 'edition-adopted' ORDER BY notification_id",
    )
    return [command_id for (command_id,) in found]


BEFORE = ["r", "r-other", "roster"]


def times_counted(url: str) -> int:
    ((found,),) = rows(url, "SELECT COALESCE(SUM(attempts), 0) FROM counted_attempts")
    return int(found)


def attempts(url: str) -> list[str]:
    """Which commands were refused, as far as it was kept."""
    state = "convert_from(state, 'UTF8')::json"
    found = rows(url, f"SELECT {state} ->> 'command' FROM refused_attempts ORDER BY attempt_id")
    return [name for (name,) in found]


# The connection is lost in the middle


def one(service: Service) -> list[Receipt]:
    return record(service, filing("f", note="told by phone"))


def together(service: Service) -> list[Receipt]:
    return record(service, *(filing(f"f{n}", note=f"note {n}") for n in range(5)))


def each(service: Service) -> list[Receipt]:
    """So many that they are copied in, with their notes."""
    asked = [((ADA, BO)[n % 2], command(filing(f"f{n}", note=f"note {n}"))) for n in range(300)]
    outcomes = service.record_each(asked)
    assert all(isinstance(outcome, Receipt) for outcome in outcomes)
    return outcomes  # type: ignore[return-value]


def for_an_edition(service: Service) -> list[Receipt]:
    fixed = {"at": "2025-09-01 08:00", "opens_on": "2025-09-05", "command_id": "f"}
    return service.record_together("shanghai-2025", [command(("fix_window", fixed))])


RECORDINGS = [one, together, each, for_an_edition]
recordings = pytest.mark.parametrize("act", RECORDINGS)
CUTTING = {Cut.AFTER_COMMIT: Proxy.cut_after_commit, Cut.BEFORE_COMMIT: Proxy.cut_before_commit}
cuts = pytest.mark.parametrize(("cut", "times"), [(cut, n) for cut in CUTTING for n in (1, 3)])


def was_cut(proxy: Proxy, cut: Cut, times: int) -> None:
    """As often as it was to be; a commit that was made is not made again. Then no more."""
    assert proxy.cuts == {cut: times if cut is Cut.BEFORE_COMMIT else 1}
    CUTTING[cut](proxy, 0)


@cuts
@recordings
def test_what_was_cut_at_its_commit_is_recorded_once_and_not_told_as_repeated(
    proxy: Proxy, service: Service, url: str, act: Callable[[Service], list[Receipt]], cut: Cut,
    times: int,
) -> None:  # fmt: skip
    CUTTING[cut](proxy, times)
    receipts = act(service)
    was_cut(proxy, cut, times)
    assert not any(receipt.repeated for receipt in receipts)
    named = sorted(ids(url))
    assert len(named) == len(set(named)) == len(BEFORE) + len(receipts)
    notes = dict(rows(url, "SELECT event_id, note FROM notes"))
    assert len(notes) == (0 if act is for_an_edition else len(receipts))
    again = act(service)
    assert all(receipt.repeated for receipt in again)
    assert [r.event_id for r in again] == [r.event_id for r in receipts]
    assert [r.version for r in again] == [r.version for r in receipts]
    assert sorted(ids(url)) == named
    assert check(url, EDITIONS).findings == ()


def too_early(service: Service) -> None:
    service.confirm(BO, at="2025-09-06 10:00", channel="app", command_id="c")


def unreadable(service: Service) -> None:
    """About nobody: it cannot be read about whom it is."""
    service.register(
        "", at="2025-09-01 08:30", policy="shanghai-2025", on="2025-09-01", school="sjtu",
        category="undergraduate", document="resident_id_card", command_id="c",
    )  # fmt: skip


@cuts
@pytest.mark.parametrize("act", [too_early, unreadable])
def test_a_refusal_that_was_cut_at_its_commit_is_kept_once(
    proxy: Proxy, service: Service, url: str, act: Act, cut: Cut, times: int
) -> None:
    CUTTING[cut](proxy, times)
    with pytest.raises(Refused):
        act(service)
    was_cut(proxy, cut, times)
    assert len(attempts(url)) == 1
    with pytest.raises(Refused):
        act(service)
    assert len(attempts(url)) == 1
    assert times_counted(url) == 1, "who asks again is refused again"
    assert sorted(ids(url)) == sorted(BEFORE)


def confirmation(command_id: str | None = None) -> Command:
    told = {"at": "2025-09-06 10:00", "channel": "app", "command_id": command_id}
    return command(("confirm", {key: value for key, value in told.items() if value}))


@cuts
def test_of_a_batch_cut_at_its_commit_each_command_is_recorded_or_kept_as_refused_once(
    proxy: Proxy, service: Service, url: str, cut: Cut, times: int
) -> None:
    asked = [(ADA, command(filing(f"f{n}"))) for n in range(3)]
    asked.insert(1, (BO, confirmation("c")))
    CUTTING[cut](proxy, times)
    outcomes = service.record_each(asked)
    assert [type(outcome) is Receipt and outcome.repeated for outcome in outcomes] == [False] * 4
    was_cut(proxy, cut, times)
    assert ids(url) == [*BEFORE, "f0", "f1", "f2"]
    assert attempts(url) == ["confirm"]


def test_a_batch_cut_after_its_commit_has_the_outcomes_with_which_it_was_committed(
    proxy: Proxy, service: Service, url: str
) -> None:
    roster = {"at": "2025-09-02 17:00", "command_id": "roster-other"}
    proxy.cut_after_commit()
    outcomes = service.record_each(
        [(BO, confirmation("c")), (BO, command(("declare_roster", roster)))]
    )
    assert [type(outcome) is Receipt for outcome in outcomes] == [False, True]
    assert ids(url) == [*BEFORE, "roster-other"]
    assert attempts(url) == ["confirm"]


def test_a_batch_tried_again_keeps_or_counts_every_refusal_of_those_that_are_alike(
    proxy: Proxy, service: Service, url: str
) -> None:
    proxy.cut_before_commit()
    outcomes = service.record_each([(BO, confirmation()), (BO, confirmation())])
    assert [type(outcome) is Receipt for outcome in outcomes] == [False, False]
    assert (attempts(url), times_counted(url)) == (["confirm"], 1)


def test_a_refusal_that_is_only_counted_is_counted_once(proxy: Proxy, url: str) -> None:
    with opened(proxy.through(url), attempts_kept=1) as service:
        with pytest.raises(Refused):
            too_early(service)
        proxy.cut_after_commit()
        with pytest.raises(Refused):
            too_early(service)
    assert times_counted(url) == 1


def test_a_note_is_erased_though_the_connection_is_lost_before_and_while_it_is(
    proxy: Proxy, service: Service, url: str
) -> None:
    (receipt,) = one(service)
    proxy.cut_now()
    with psycopg.connect(url) as other:
        other.execute("SELECT * FROM yibao.notes FOR UPDATE")
        erasing = threading.Thread(target=service.erase_note, args=(receipt.event_id,))
        erasing.start()
        eventually(lambda: waiting_for_a_lock(url), "somebody who erases")
        proxy.cut_now()
    erasing.join()
    assert rows(url, "SELECT * FROM notes") == []
    assert service.note(receipt.event_id) is None
    service.erase_note(receipt.event_id)
    assert ids(url) == [*BEFORE, "f"]


def waiting_for_a_lock(url: str) -> bool:
    return rows(url, "SELECT COUNT(*) FROM pg_locks WHERE NOT granted") != [(0,)]


@cuts
def test_a_trail_cut_at_its_commit_takes_everything_in_once(
    proxy: Proxy, service: Service, cut: Cut, times: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("yibao.adapters.following.derived.FactsFollowed.size", 2)
    together(service)
    for_an_edition(service)
    with pytest.raises(Refused):
        too_early(service)
    with service.audit_trail() as trail:
        CUTTING[cut](proxy, times)
        found = caught_up(trail)
        assert proxy.cuts == {cut: times}
        assert found == made_anew(service)


def test_whatever_is_cut_whenever_each_command_is_one_fact_and_each_refusal_kept_once(
    proxy: Proxy, service: Service, url: str
) -> None:
    chance = random.Random(20250907)
    recorded: list[str] = []
    refused = 0
    while sum(proxy.cuts.values()) < CUTS:
        cut = chance.choice([proxy.cut_after_commit, proxy.cut_before_commit])
        cut(chance.choice((0, 0, 1, 2)))
        # Also in the middle; not so often that whoever tries again never gets anywhere.
        cutting = threading.Timer(0.015 * chance.random(), proxy.cut_now)
        cutting.start()
        names = [f"f{len(recorded)}.{n}" for n in range(chance.choice((1, 1, 3)))]
        receipts = record(service, *(filing(name, note="x" * 500) for name in names))
        assert not any(receipt.repeated for receipt in receipts)
        recorded += names
        values: dict[str, Any] = {"channel": "app", "reason": f"try-{refused}"}
        with pytest.raises(Refused):
            service.confirm(BO, at="2025-09-06 10:00", command_id=names[0], **values)
        refused += 1
        cutting.join()
    assert ids(url) == BEFORE + recorded
    assert len(attempts(url)) == refused
    with opened(url) as healthy, healthy.audit_trail() as trail:
        assert caught_up(trail) == made_anew(healthy)
    told = ", ".join(f"{number} {why}" for why, number in sorted(proxy.cuts.items()))
    print(f"\nconnections cut: {told}; {len(recorded)} facts and {refused} refusals, 0 lost")


@pytest.mark.parametrize("away", [0.5, 1.7, 4.0])
def test_what_was_cut_after_its_commit_is_one_fact_however_long_nobody_can_be_asked(
    proxy: Proxy, url: str, away: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a command id, and with a server that is away before one knows how it ended."""
    monkeypatch.setattr("yibao.adapters.store.postgres.connections.POOL_PATIENCE", 0.2)
    told = {"at": "2025-09-10 12:00", "province": "jiangsu", "observed": True}
    # Of two connections one is lent, so that who asks needs a new one.
    with (
        opened(proxy.through(url), retry_for=1, pool_max=2) as service,
        service._store._facts.reading(),
    ):
        before = service.at(ADA).version
        proxy.refuse()
        proxy.cut_after_commit()
        back = threading.Timer(away, proxy.refuse, [False])
        back.start()
        with suppress(StoreError):
            assert not service.file_remote_care(ADA, **told).repeated  # type: ignore[arg-type]
        back.join()
    assert len(ids(url)) == len(BEFORE) + 1
    assert before == 2


# The server is away


def test_a_server_that_is_away_too_long_is_a_clear_error_and_nothing_was_recorded(
    proxy: Proxy, url: str
) -> None:
    with opened(proxy.through(url), retry_for=1) as service:
        proxy.refuse()
        proxy.cut_now()
        began = time.monotonic()
        with pytest.raises(Interrupted, match=r"^the store failed: "):
            one(service)
        took = time.monotonic() - began
        assert 0.9 < took < 1 + POOL_PATIENCE + 1
        proxy.refuse(False)
        assert ids(url) == BEFORE
        (receipt,) = one(service)
        assert not receipt.repeated


def test_a_server_that_comes_back_in_time_was_never_away(
    proxy: Proxy, service: Service, url: str
) -> None:
    proxy.refuse()
    proxy.cut_now()
    back = threading.Timer(1.0, proxy.refuse, [False])
    back.start()
    (receipt,) = one(service)
    back.join()
    assert not receipt.repeated
    assert service.at(ADA).version == 3


def test_a_store_whose_server_is_away_cannot_be_opened_and_says_so(proxy: Proxy, url: str) -> None:
    proxy.refuse()
    with pytest.raises(StoreError, match=r"^the store .*/db\d+ failed: "):
        opened(proxy.through(url))


# Transactions that stay open


@contextmanager
def inserting(url: str) -> Iterator[psycopg.Connection]:
    """Somebody's psql: a fact inserted, and no end of the transaction."""
    with psycopg.connect(url) as somebody:
        somebody.execute(
            "INSERT INTO yibao.stored_events (originator_id, originator_version, topic, state) "
            "SELECT originator_id, 3, topic, state FROM yibao.stored_events "
            "WHERE topic='roster-declared'"
        )
        yield somebody
        somebody.rollback()


def test_an_open_transaction_elsewhere_holds_up_nobody(url: str) -> None:
    with psycopg.connect(url) as somebody, opened(url) as service, service.audit_trail() as trail:
        somebody.execute("CREATE TABLE public.other (value int)")
        somebody.execute("INSERT INTO public.other VALUES (1)")
        somebody.execute("SELECT * FROM yibao.stored_events")
        began = time.monotonic()
        one(service)
        assert service._store.reached(patience=0) == Reached(5, 0, 0)
        assert caught_up(trail) == made_anew(service)
        assert time.monotonic() - began < 2


@pytest.mark.parametrize("ends", ["commit", "rollback"])
def test_the_feed_does_not_pass_a_fact_that_somebody_has_inserted_and_not_committed(
    url: str, ends: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with opened(url) as service, inserting(url) as somebody:
        assert service._store.reached(patience=0.2) == Reached(0, 0, 0), "it knows of nothing yet"
    with opened(url) as service, service.audit_trail() as trail:
        before = caught_up(trail)
        assert service._store.reached().position == 4
        with inserting(url) as somebody:
            record(service, filing("f"), to=BO)
            for _ in range(2):
                assert service._store.reached(patience=0.2).position == 4
            monkeypatch.setattr(service._store, "reached", impatient(service))
            assert trail.projection.catch_up() == 0
            monkeypatch.undo()
            assert held(trail) == before
            getattr(somebody, ends)()
            assert service._store.reached(patience=0.2).position == 7
            taken = [each.position for each in service._store.taken(4, 7, 100)]
            assert taken == ([6, 7] if ends == "commit" else [7])
        if ends == "rollback":
            assert caught_up(trail) == made_anew(service)


def impatient(service: Service) -> Callable[[], Reached]:
    reached = service._store.reached
    return lambda: reached(0.2)


STOPS = """
import os, signal, sys
import yibao
from yibao.adapters.service.recording.work import Work

save = Work.save

def stopped(work):
    Work.save = save
    os.kill(os.getpid(), signal.SIGSTOP)
    save(work)

with yibao.open(sys.argv[1]) as service:
    Work.save = stopped
    told = {"province": "jiangsu", "command_id": "stopped", "observed": True}
    print(service.file_remote_care(
        yibao.EnrollmentId("s-faulty", 2025), at="2025-09-10 12:00", **told
    ).repeated)
"""


@contextmanager
def stopped(url: str, idle: float) -> Iterator[subprocess.Popen[str]]:
    """A process that has been stopped in the middle of a transaction."""
    told = {"PYTHONPATH": str(SOURCES), "YIBAO_IDLE_IN_TRANSACTION_TIMEOUT": str(idle)}
    with subprocess.Popen(
        [sys.executable, "-c", STOPS, url], env=os.environ | told, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            _, status = os.waitpid(process.pid, os.WUNTRACED)
            assert os.WIFSTOPPED(status)
            yield process
        finally:
            process.send_signal(signal.SIGCONT)


def test_a_process_stopped_in_the_middle_holds_up_the_others_only_for_a_while(url: str) -> None:
    with opened(url) as service, stopped(url, idle=1) as process:
        record(service, filing("at-once"), to=BO)
        began = time.monotonic()
        record(service, filing("after-a-while"))
        assert 0.1 < time.monotonic() - began < 5
        process.send_signal(signal.SIGCONT)
        told, _ = process.communicate(timeout=60)
        assert told == "False\n", "it tries again by itself"
    assert ids(url) == [*BEFORE, "at-once", "after-a-while", "stopped"]


def test_a_batch_of_the_trail_may_take_longer_than_others_may_be_idle(url: str) -> None:
    """All that a student's facts changed is worked out without a word to the server."""
    with opened(url, retry_for=1, idle_in_transaction_timeout=0.05) as service:
        for first in range(0, 500, 10):
            record(service, *(filing(f"f{n}") for n in range(first, first + 10)))
        with service.audit_trail() as trail:
            assert caught_up(trail) == made_anew(service)


@contextmanager
def holding(url: str, enrollment: EnrollmentId) -> Iterator[None]:
    """Somebody else is recording on a student, and does not end."""
    with psycopg.connect(url) as somebody:
        somebody.execute("SELECT pg_advisory_xact_lock(%s)", [lock_of(enrollment.stream)])
        yield


def test_a_student_on_whom_somebody_records_too_long_is_a_clear_error(url: str) -> None:
    with opened(url, lock_timeout=0.3) as service:
        with holding(url, ADA):
            for act in (one, each):
                with pytest.raises(StoreError, match="canceling statement due to lock timeout"):
                    act(service)
            record(service, filing("g"), to=BO)
            assert service.at(ADA).version == 2
        one(service)
    assert ids(url) == [*BEFORE, "g", "f"]


def test_a_statement_that_takes_too_long_is_a_clear_error(url: str) -> None:
    with opened(url, statement_timeout=0.3) as service:
        with holding(url, ADA), pytest.raises(StoreError, match="due to statement timeout"):
            one(service)
        one(service)
    assert ids(url) == [*BEFORE, "f"]


# Where nothing may be written, or nothing has room


def test_a_read_only_database_answers_and_commands_are_a_clear_error(
    postgres: Server, url: str
) -> None:
    name = conninfo_to_dict(url)["dbname"]
    with opened(url) as service, service.audit_trail() as trail:
        before = caught_up(trail)
        (receipt,) = one(service)
        trail.catch_up()
        answer = service.at(ADA, "2025-09-20 12:00")
    postgres.sql(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
    with opened(url) as service, service.audit_trail() as trail:
        assert service.at(ADA, "2025-09-20 12:00", known_at=answer.known_at) == answer
        assert len(list(service.everyone())) == 2
        assert len(held(trail)["entries"]) == len(before["entries"]) + 1
        assert caught_up(trail) == made_anew(service)
        for act in (together, each, for_an_edition, too_early, unreadable):
            with pytest.raises(StoreError, match="read-only transaction"):
                act(service)
        with pytest.raises(StoreError, match="read-only transaction"):
            service.erase_note(receipt.event_id)
        assert service.note(receipt.event_id) == "told by phone"
    postgres.sql(f"ALTER DATABASE {name} RESET default_transaction_read_only")
    with opened(url) as service:
        together(service)
    assert len(ids(url)) == len(BEFORE) + 6
    assert attempts(url) == []


@pytest.fixture
def roles(postgres: Server, url: str) -> Iterator[dict[str, str]]:
    """The store as a role opens it that appends, and as one that only reads."""
    named = [f"{what}_{conninfo_to_dict(url)['dbname']}" for what in ("appends", "reads")]
    postgres.sql(*(f"CREATE ROLE {name} LOGIN" for name in named))
    grant(url, named[0])
    grant(url, named[1], reads_only=True)
    yield {name.partition("_")[0]: url.replace("postgres@", f"{name}@") for name in named}
    for name in named:
        rows(url, f"DROP OWNED BY {name}")
    postgres.sql(*(f"DROP ROLE {name}" for name in named))


FORBIDDEN = [
    *(
        f"{statement} yibao.{table}{rest}"
        for table in ("stored_events", "refused_attempts")
        for statement, rest in (
            ("UPDATE", " SET state = state"),
            ("DELETE FROM", ""),
            ("TRUNCATE", ""),
            ("ALTER TABLE", " ADD COLUMN more int"),
            ("DROP TABLE", ""),
        )
    ),
    "UPDATE yibao.notes SET note = 'another'",
    "DELETE FROM yibao.counted_attempts",
    "UPDATE yibao.alembic_version SET version_num = '0001'",
    "DROP SCHEMA yibao CASCADE",
    "SELECT setval('yibao.stored_events_notification_id_seq', 1)",
    "CREATE FUNCTION yibao.f() RETURNS int LANGUAGE sql AS 'SELECT 1'",
    "CREATE TRIGGER t BEFORE INSERT ON yibao.stored_events EXECUTE FUNCTION "
    "suppress_redundant_updates_trigger()",
]


@pytest.mark.parametrize("role", ["appends", "reads"])
def test_no_role_changes_or_deletes_what_was_recorded(
    roles: dict[str, str], url: str, role: str
) -> None:
    with psycopg.connect(roles[role], autocommit=True) as connection:
        for statement in FORBIDDEN:
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(statement.encode())
    assert ids(url) == BEFORE


def test_who_may_append_does_all_that_a_service_does(roles: dict[str, str], url: str) -> None:
    with opened(roles["appends"], attempts_kept=1) as service, service.audit_trail() as trail:
        receipts = [*together(service), *each_of(service), *for_an_edition(service)]
        for act in (too_early, too_early, unreadable):
            with pytest.raises(Refused):
                act(service)
        service.erase_note(receipts[0].event_id)
        assert service.note(receipts[0].event_id) is None
        assert len(list(service.everyone())) == 2
        assert caught_up(trail) == made_anew(service)
        assert trail.projection.retry() == 0
        assert service._store.reached()[:2] == (11, 1)
        assert [each.attempts for each in service._store.attempts_counted()] == [1, 1]
    assert len(ids(url)) == len(BEFORE) + len(receipts)


def each_of(service: Service) -> list[Receipt]:
    outcomes = service.record_each([(BO, command(filing("g", note="noted")))])
    assert all(isinstance(outcome, Receipt) for outcome in outcomes)
    return outcomes  # type: ignore[return-value]


def test_who_may_read_asks_and_records_nothing_and_sees_the_trail_that_is_there(
    roles: dict[str, str], url: str
) -> None:
    with opened(url) as service, service.audit_trail() as trail:
        there = caught_up(trail)
        one(service)
    with opened(roles["reads"]) as service, service.audit_trail() as trail:
        assert service.at(ADA).version == 3
        assert len(list(service.everyone())) == 2
        assert caught_up(trail) == there
        for act in (together, each, for_an_edition, too_early, unreadable):
            with pytest.raises(StoreError, match="permission denied"):
                act(service)
        with pytest.raises(StoreError, match="permission denied"):
            service.erase_note(service.facts(ADA)[2].event_id)
    assert ids(url) == [*BEFORE, "f"]


# A full disk


class Confined(Server):
    """A server that sees a small file system of its own, in which a test can leave no room."""

    def __init__(self, nursery: Nursery) -> None:
        super().__init__()
        self._nursery = nursery
        self.small = self.folder / "small"
        self.small.mkdir()
        self.grow("12m", "mount")

    def grow(self, size: str, how: str = "remount") -> None:
        told = f"size={size}" if how == "mount" else f"remount,size={size}"
        assert not self._nursery.run("mount", "-t", "tmpfs", "-o", told, "none", str(self.small))

    def run(self, program: str, *arguments: object) -> str:
        # Not as whoever is root in there, which PostgreSQL refuses.
        inside = ("unshare", "--user", "--map-user=65534", "--")
        told = [*inside, str(self.bin / program), *map(str, arguments)]
        if done := self._nursery.run(*told):
            raise subprocess.CalledProcessError(done, told)
        return ""

    def _allow(self, path: Path) -> None:
        pass


@pytest.fixture
def confined(tmp_path: Path) -> Iterator[Confined]:
    with Nursery(tmp_path, inside=NAMESPACE) as nursery, Confined(nursery) as server:
        yield server


@needs_private_mounts
def test_a_database_without_room_is_a_clear_error_and_loses_nothing_that_was_acknowledged(
    confined: Confined,
) -> None:
    confined.sql(
        f"CREATE TABLESPACE small LOCATION '{confined.small}'",
        "CREATE DATABASE small TABLESPACE small",
    )
    url = confined.url("small")
    init(url)
    with opened(url) as service, service.audit_trail() as trail:
        trail.catch_up()
        done = filled(service)
        assert done
        with pytest.raises(StoreError, match="No space left on device"):
            record(service, *full(done), to=whom(done))
        assert service.facts(whom(done)) == []
        confined.grow("64m")
        receipts = record(service, *full(done), to=whom(done))
        assert not any(receipt.repeated for receipt in receipts)
        for number in range(done + 1):
            found = service.facts(whom(number))
            assert [e.command_id for e in found] == [v["command_id"] for _, v in full(number)]
            assert [len(service.note(e.event_id) or "") for e in found] == [0] + [4000] * 9
        assert caught_up(trail) == made_anew(service)
    assert check(url, EDITIONS).findings == ()


def whom(number: int) -> EnrollmentId:
    return EnrollmentId(f"s-{number}", 2025)


def full(number: int) -> list[Asked]:
    """A student with as long notes as there may be, which no database makes shorter."""
    chance = random.Random(number)
    begun = registration(whom(number).ref, f"fill-{number}")
    notes = [chance.randbytes(2000).hex() for _ in range(9)]
    return [begun, *(filing(f"fill-{number}-{n}", note=note) for n, note in enumerate(notes))]


def filled(service: Service) -> int:
    """Records students until the store fails; how many were acknowledged."""
    for number in range(1000):
        try:
            record(service, *full(number), to=whom(number))
        except StoreError:
            return number
    raise AssertionError("there is room for everything")


@needs_private_mounts
def test_a_server_whose_log_has_no_room_is_a_clear_error_and_loses_nothing_that_was_acknowledged(
    tmp_path: Path,
) -> None:
    """Without room for its log a server crashes, and cannot start before there is."""
    with Nursery(tmp_path, inside=NAMESPACE) as nursery, CrampedLog(nursery) as server:
        url = server.url()
        init(url)
        with opened(url, retry_for=1) as service:
            server.grow("5m")
            done = filled(service)
            assert done
        server.grow("100m")
        with suppress(subprocess.CalledProcessError):
            server.stop("immediate")
        server.start()
        assert check(url, EDITIONS).findings == ()
        with opened(url) as service, service.audit_trail() as trail:
            for number in range(done):
                found = service.facts(whom(number))
                assert [e.command_id for e in found] == [v["command_id"] for _, v in full(number)]
            # The last was not acknowledged: it is there as a whole, or not at all.
            receipts = record(service, *full(done), to=whom(done))
            assert len({receipt.repeated for receipt in receipts}) == 1
            assert caught_up(trail) == made_anew(service)


class CrampedLog(Confined):
    """Only its log, in small pieces, is where there is little room."""

    def run(self, program: str, *arguments: object) -> str:
        pieces = ["--wal-segsize=1"] if program == "initdb" else []
        return super().run(program, *arguments, *pieces)

    def create(self) -> None:
        super().create()
        self.configure(max_wal_size="1GB", min_wal_size="2MB")
        kept = self.data / "pg_wal"
        self.grow("100m")
        assert not self._nursery.run("cp", "-r", f"{kept}/.", str(self.small))
        shutil.rmtree(kept)
        kept.symlink_to(self.small)
