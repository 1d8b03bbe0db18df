"""Disks that are full, files that are not what they should be, clocks that jump.

What goes wrong is a StoreError or an UnreadableEvent that says what it is, and once it is put
right everything that was ever acknowledged is there. All of it happens to real files.
"""

import os
import random
import resource
import shutil
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from eventsourcing.sqlite import SQLiteDatastore

from yibao.adapters.editions.files import Editions
from yibao.adapters.service.service import Service, open_service
from yibao.adapters.store.facts import FactStore, StoreError
from yibao.adapters.store.sqlite.recorder import FactRecorder
from yibao.domain.calendar import SHANGHAI
from yibao.domain.refusals import AlteredEdition, BadValue, UnreadableEvent, YibaoError
from yibao.domain.vocabulary import EnrollmentId

from ...conftest import Run, Write
from ...helpers.writers import Nursery, Step, filing, registration, told

REF = "s-faulty"
ADA = EnrollmentId(REF, 2025)
#: What a test that needs a file system of its own is started inside.
NAMESPACE = ("unshare", "--user", "--map-root-user", "--mount", "--")


def private_mounts() -> bool:
    """Whether this machine lets a test mount a file system where nobody else sees it."""
    try:
        mount = ["mount", "-t", "tmpfs", "none", "/mnt"]
        return subprocess.run([*NAMESPACE, *mount], capture_output=True).returncode == 0
    except OSError:
        return False


needs_private_mounts = pytest.mark.skipif(
    not private_mounts(), reason="this machine gives no mount namespaces to its users"
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A file that holds a student with three facts, closed."""
    path = tmp_path / "faulty.db"
    with open_service(at(path)) as service:
        record(service, registration(REF, "registration"))
        record(service, filing("first", note="told by phone"), filing("second"))
    return path


@pytest.fixture
def service(path: Path) -> Iterator[Service]:
    with open_service(at(path)) as service:
        yield service


def at(path: Path | str) -> str:
    return f"sqlite:///{quote(str(path))}"


def record(service: Service, *asked: Any) -> None:
    answer = told(service, Step(REF, list(asked)))
    assert not answer.refused, answer
    if answer.failed:
        raise StoreError(answer.failed)


def ids(service: Service) -> list[str]:
    """The commands that have become facts of the student, in their order."""
    recorded = service.facts(ADA)
    assert [e.originator_version for e in recorded] == list(range(1, len(recorded) + 1))
    return [event.command_id for event in recorded]


BEFORE = ["registration", "first", "second"]


def datastore(service: Service) -> SQLiteDatastore:
    """The connections of a service."""
    recorder = service._store.recorder
    assert isinstance(recorder, FactRecorder)
    return recorder.datastore


def pragma(service: Service, text: str) -> int:
    """Sets something on the one connection that a service used by one thread has."""
    with datastore(service).get_connection(commit=True) as connection, connection.cursor() as c:
        c.execute(f"PRAGMA {text}")
        row = c.fetchone()
    return int(row[0]) if row else 0


def fill(service: Service) -> list[str]:
    """Records transactions of two large facts until the store fails; what was acknowledged."""
    done: list[str] = []
    for number in range(1000):
        both = [f"fill-{number}-{place}" for place in range(2)]
        try:
            record(service, *(filing(command_id, note="x" * 3000) for command_id in both))
        except StoreError:
            return done
        done += both
    raise AssertionError("the disk has room for everything")


def test_a_full_disk_is_an_error_and_loses_nothing_that_was_acknowledged(
    service: Service,
) -> None:
    limit = pragma(service, "page_count") + 12
    assert pragma(service, f"max_page_count={limit}") == limit
    done = fill(service)
    assert done
    with pytest.raises(StoreError, match="database or disk is full"):
        record(service, filing("too-large", note="x" * 4000), filing("too"))
    assert ids(service) == BEFORE + done
    assert service.at(ADA).version == len(BEFORE + done)


def test_once_there_is_room_again_a_full_store_goes_on_where_it_stopped(service: Service) -> None:
    pragma(service, f"max_page_count={pragma(service, 'page_count') + 12}")
    done = fill(service)
    pragma(service, "max_page_count=1000000")
    refused = [f"fill-{len(done) // 2}-{place}" for place in range(2)]
    record(service, *(filing(command_id, note="x" * 3000) for command_id in refused))
    assert ids(service) == BEFORE + done + refused


def test_a_writer_whose_files_may_not_grow_fails_clearly_and_keeps_what_it_acknowledged(
    tmp_path: Path, path: Path
) -> None:
    steps = [Step(REF, [filing(f"grow-{n}-{place}") for place in range(3)]) for n in range(200)]
    with Nursery(tmp_path) as nursery:
        writer = nursery.bear(at(path), steps, file_size=300_000)
        assert nursery.end_of(writer) == 0
    answers = writer.told()
    done = [command_id for a in answers if not a.failed for command_id in a.ids]
    failed = [a for a in answers if a.failed]
    assert done
    assert failed
    assert all(str(a.failed).startswith("StoreError: ") for a in failed)
    with open_service(at(path)) as service:
        assert ids(service) == BEFORE + done
        for step in steps:
            record(service, *step.asked)
        assert sorted(ids(service)) == sorted(
            [*BEFORE, *(command_id for step in steps for command_id in step.ids)]
        )


@pytest.fixture
def mounted(tmp_path: Path) -> Iterator[tuple[Nursery, str]]:
    """A nursery that sees a small file system of its own, and the folder where it does."""
    folder = tmp_path / "mounted"
    folder.mkdir()
    with Nursery(tmp_path, inside=NAMESPACE) as nursery:
        mount = ("mount", "-t", "tmpfs", "-o", "size=400k", "none", str(folder))
        assert nursery.run(*mount) == 0
        yield nursery, str(folder)


@needs_private_mounts
def test_a_file_system_without_room_is_an_error_and_nothing_is_lost_once_it_has_more(
    mounted: tuple[Nursery, str],
) -> None:
    nursery, folder = mounted
    first = Step(REF, [registration(REF, "registration")])
    steps = [Step(REF, [filing(f"grow-{n}-{place}") for place in range(3)]) for n in range(100)]
    url = at(f"{folder}/small.db")
    (answers,) = nursery.race(url, [[first, *steps]])
    done = [a for a in answers if not a.failed]
    failed = [a for a in answers if a.failed]
    assert done
    assert failed
    assert all(str(a.failed).startswith("StoreError: ") for a in failed)
    assert nursery.run("mount", "-o", "remount,size=40m", folder) == 0
    (again,) = nursery.race(url, [[first, *steps]])
    assert [a for a in again if a.failed or a.refused] == []
    versions = {tuple(a.ids): a.versions for a in again}
    for answer in done:
        assert versions[tuple(answer.ids)] == answer.versions, "acknowledged, and lost"
    for answer in failed:
        repeated = next(a for a in again if a.ids == answer.ids).repeated
        assert set(repeated) in ({True}, {False}), "half a transaction"
    places = sorted(version for a in again for version in a.versions)
    assert places == list(range(1, len(steps) * 3 + 2))


@needs_private_mounts
def test_a_file_system_that_becomes_read_only_is_an_error_and_loses_nothing(
    mounted: tuple[Nursery, str],
) -> None:
    nursery, folder = mounted
    url = at(f"{folder}/small.db")
    first = Step(REF, [registration(REF, "registration")])
    (before,) = nursery.race(url, [[first]])
    assert nursery.run("mount", "-o", "remount,ro", folder) == 0
    (answers,) = nursery.race(url, [[Step(REF, [filing("later")])]])
    assert [str(a.failed).partition(":")[0] for a in answers] == ["StoreError"]
    assert nursery.run("mount", "-o", "remount,rw", folder) == 0
    (again,) = nursery.race(url, [[first, Step(REF, [filing("later")])]])
    assert [a.versions for a in before + again] == [[1], [1], [2]]
    assert [a.repeated for a in again] == [[True], [False]]


def test_a_file_opened_for_reading_alone_answers_and_refuses_to_record(path: Path) -> None:
    with Service(FactStore(f"file:{path}?mode=ro"), Editions()) as service:
        for _ in range(3):
            with pytest.raises(StoreError, match="attempt to write a readonly database"):
                record(service, filing("third"))
        with pytest.raises(StoreError, match="attempt to write a readonly database"):
            service.erase_note(service.facts(ADA)[1].event_id)
        assert ids(service) == BEFORE
        assert service.at(ADA).version == 3
    with open_service(at(path)) as service:
        assert service.note(service.facts(ADA)[1].event_id) == "told by phone"
        record(service, filing("third"))
        assert ids(service) == [*BEFORE, "third"]


OLDER = """
    ALTER TABLE stored_events RENAME TO newer;
    CREATE TABLE stored_events (originator_id TEXT, originator_version INTEGER, topic TEXT,
        state BLOB, PRIMARY KEY (originator_id, originator_version));
    INSERT INTO stored_events SELECT originator_id, originator_version, topic, state FROM newer
        ORDER BY notification_id;
    DROP TABLE newer;
    DROP TABLE notes;
    DROP TABLE refused_attempts;
    DROP TABLE counted_attempts;
    DROP TABLE alembic_version;
"""


@pytest.fixture
def older(path: Path) -> Path:
    """The file as the first layout had it."""
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(OLDER)
    return path


def test_an_older_store_that_cannot_be_brought_to_the_newest_layout_is_a_store_error(
    older: Path,
) -> None:
    with pytest.raises(StoreError, match="attempt to write a readonly database"):
        FactStore(f"file:{older}?mode=ro")


def test_a_process_killed_while_it_brings_an_older_store_to_the_newest_layout_loses_nothing(
    tmp_path: Path, older: Path
) -> None:
    chance = random.Random(20250912)
    layouts = set()
    with Nursery(
        tmp_path, preload=("yibao.adapters.store.migrations", "alembic.command")
    ) as nursery:
        for life in range(12):
            copy = tmp_path / f"older-{life}.db"
            shutil.copy(older, copy)
            writer = nursery.bear(at(copy), [])
            time.sleep(0.08 * chance.random())
            writer.kill()
            nursery.end_of(writer)
            with closing(sqlite3.connect(copy)) as connection:
                tables = connection.execute("SELECT name FROM sqlite_master WHERE type='table'")
                layouts.add(tuple(sorted(name for (name,) in tables)))
            with open_service(at(copy)) as service:
                assert ids(service) == BEFORE
                record(service, filing("third", note="told again"))
    whole = (
        "alembic_version",
        "counted_attempts",
        "notes",
        "refused_attempts",
        "sqlite_sequence",
        "stored_events",
    )
    assert layouts <= {("sqlite_sequence", "stored_events"), whole}


@contextmanager
def held(path: Path, how: str) -> Iterator[sqlite3.Connection]:
    """Somebody else has the file locked."""
    with closing(
        sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    ) as connection:
        connection.execute(f"BEGIN {how}")
        yield connection
        if connection.in_transaction:
            connection.execute("ROLLBACK")


def test_a_store_that_somebody_holds_too_long_is_an_error_and_nothing_is_lost(
    path: Path, service: Service
) -> None:
    # A store waits for half a minute; its connection need not.
    pragma(service, "busy_timeout=50")
    with held(path, "IMMEDIATE"):
        with pytest.raises(StoreError, match="database is locked"):
            record(service, filing("third"))
        assert ids(service) == BEFORE
    record(service, filing("third"))
    assert ids(service) == [*BEFORE, "third"]


def test_whoever_comes_while_somebody_writes_waits_until_they_are_done(
    path: Path, service: Service
) -> None:
    with held(path, "IMMEDIATE") as holder:
        release = threading.Timer(0.3, holder.execute, ["COMMIT"])
        release.start()
        record(service, filing("third"))
        release.join()
    assert ids(service) == [*BEFORE, "third"]


@pytest.mark.parametrize("how", ["IMMEDIATE", "EXCLUSIVE"])
def test_a_store_that_somebody_is_writing_to_can_be_opened_and_read(path: Path, how: str) -> None:
    with open_service(at(path)), held(path, how), open_service(at(path)) as service:
        assert ids(service) == BEFORE


def test_whoever_opens_a_file_that_somebody_is_just_creating_waits_until_they_are_done(
    tmp_path: Path,
) -> None:
    path = tmp_path / "new.db"
    with held(path, "IMMEDIATE") as holder:
        release = threading.Timer(0.3, holder.execute, ["COMMIT"])
        release.start()
        try:
            open_service(at(path)).close()
        finally:
            release.join()


@contextmanager
def no_more_files() -> Iterator[None]:
    """The process may open no further file."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (3, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def busy(service: Service) -> AbstractContextManager[object]:
    """Somebody is still reading, on the one connection that there is."""
    return datastore(service).get_connection(commit=False)


def test_a_process_that_has_too_many_files_open_reads_and_records_again_once_it_has_fewer(
    service: Service,
) -> None:
    failing = pytest.raises(StoreError, match="unable to open database file")
    with busy(service), no_more_files(), failing:
        ids(service)
    record(service, filing("third"))
    assert ids(service) == [*BEFORE, "third"]


def test_a_write_for_which_no_connection_could_be_made_does_not_end_all_writing(
    service: Service,
) -> None:
    datastore(service).pool.pool_timeout = 0.1
    fact = service.facts(ADA)[1].event_id
    failing = pytest.raises(StoreError, match="unable to open database file")
    with busy(service), no_more_files(), failing:
        service.erase_note(fact)
    record(service, filing("third"))
    assert ids(service) == [*BEFORE, "third"]


def test_readers_are_answered_while_several_writers_wait_for_somebody_else(
    path: Path, service: Service
) -> None:
    datastore(service).pool.pool_timeout = 3
    answered = threading.Event()
    notes = [service.facts(ADA)[place].event_id for place in (1, 2)]
    writers = [threading.Thread(target=service.erase_note, args=(note,)) for note in notes]

    def read() -> None:
        if ids(service) == BEFORE:
            answered.set()

    reader = threading.Thread(target=read)
    with held(path, "IMMEDIATE"):
        for writer in writers:
            writer.start()
            writer.join(0.2)
        reader.start()
        in_time = answered.wait(2)
    for thread in (*writers, reader):
        thread.join()
    assert in_time


@pytest.fixture
def left_behind(tmp_path: Path, path: Path) -> tuple[Path, list[Step]]:
    """What a killed writer has left: a file, its write-ahead log, and what it acknowledged."""
    steps = [Step(REF, [filing(f"wal-{n}-{place}") for place in range(2)]) for n in range(100)]
    with Nursery(tmp_path) as nursery:
        writer = nursery.bear(at(path), steps)
        writer.wait_for(12)
        writer.kill()
        nursery.end_of(writer)
    assert beside(path, "-wal").stat().st_size
    return path, steps[: len(writer.told())]


def beside(path: Path, suffix: str) -> Path:
    return path.with_name(path.name + suffix)


def copied(path: Path, name: str) -> Path:
    """The same file with its write-ahead log, elsewhere."""
    for suffix in ("", "-wal"):
        shutil.copy(beside(path, suffix), beside(path.with_name(name), suffix))
    return path.with_name(name)


def whole_prefix(path: Path, steps: list[Step]) -> int:
    """How many of the steps are there; the first ones, each whole, and all can be repeated."""
    with open_service(at(path)) as service:
        found = ids(service)
        # What was being written when the writer was killed may be there, or not.
        steps = [step for step in steps if step.ids[0] in found] or steps[:0]
        found_ids = [command_id for step in steps for command_id in step.ids]
        assert found[: len(BEFORE) + len(found_ids)] == BEFORE + found_ids
        assert not service.facts(ADA)[-1].goes_on
    return len(steps)


def test_what_a_killed_writer_left_in_the_log_is_there_with_and_without_the_index_beside_it(
    left_behind: tuple[Path, list[Step]],
) -> None:
    path, steps = left_behind
    for name, index in (("none", None), ("empty", b""), ("garbage", os.urandom(32768))):
        copy = copied(path, f"{name}.db")
        if index is not None:
            beside(copy, "-shm").write_bytes(index)
        assert whole_prefix(copy, steps) == len(steps)
    assert whole_prefix(path, steps) == len(steps)


def test_a_log_that_is_cut_off_leaves_the_first_whole_transactions_and_the_rest_can_be_repeated(
    left_behind: tuple[Path, list[Step]],
) -> None:
    path, steps = left_behind
    size = beside(path, "-wal").stat().st_size
    kept = []
    for cut in (0, 1, 31, 32, 4152, *range(5000, size, size // 9), size):
        copy = copied(path, f"cut-{cut}.db")
        os.truncate(beside(copy, "-wal"), cut)
        kept.append(whole_prefix(copy, steps))
        with open_service(at(copy)) as service:
            for step in steps:
                record(service, *step.asked)
            assert sorted(ids(service)) == sorted(
                {*BEFORE, *(command_id for step in steps for command_id in step.ids), *ids(service)}
            )
        assert whole_prefix(copy, steps) == len(steps)
    assert kept == sorted(kept)
    assert (kept[0], kept[-1]) == (0, len(steps))
    assert whole_prefix(path, steps) == len(steps), "the log itself was put back"


def test_a_log_that_is_gone_or_altered_leaves_the_first_whole_transactions(
    left_behind: tuple[Path, list[Step]],
) -> None:
    path, steps = left_behind
    copy = copied(path, "gone.db")
    beside(copy, "-wal").unlink()
    assert whole_prefix(copy, steps) == 0
    log = bytearray(beside(path, "-wal").read_bytes())
    log[len(log) // 2] ^= 0xFF
    copy = copied(path, "altered.db")
    beside(copy, "-wal").write_bytes(log)
    assert 0 < whole_prefix(copy, steps) < len(steps)
    assert whole_prefix(path, steps) == len(steps)


def test_a_file_that_is_cut_off_is_an_error_and_all_is_there_once_it_is_put_back(
    path: Path,
) -> None:
    content = path.read_bytes()
    for size in (50, 100, 4096, len(content) // 2 // 4096 * 4096):
        path.write_bytes(content[:size])
        with pytest.raises(StoreError, match=r"not a database|malformed|failed"):
            _everything(at(path))
    path.write_bytes(content)
    with open_service(at(path)) as service:
        assert ids(service) == BEFORE


def _everything(url: str) -> None:
    with open_service(url) as service:
        ids(service)
        list(service.everyone())


def garbage(folder: Path) -> Path:
    path = folder / "garbage.db"
    path.write_text("this is no database, whatever its name says\n" * 100)
    return path


def fifo(folder: Path) -> Path:
    os.mkfifo(folder / "fifo")
    return folder / "fifo"


#: What somebody may name as a store that can be none.
NO_STORES: dict[str, Callable[[Path], str]] = {
    "a file that is not a database": lambda folder: at(garbage(folder)),
    "a directory": lambda folder: at(folder),
    "a folder that does not exist": lambda folder: at(folder / "nowhere" / "x.db"),
    "a file taken for a folder": lambda folder: at(garbage(folder) / "x.db"),
    "a pipe": lambda folder: at(fifo(folder)),
    "a device without room": lambda _: "sqlite:////dev/full",
    "a device that forgets": lambda _: "sqlite:////dev/null",
    "a name too long": lambda folder: at(folder / ("x" * 300)),
    "no path": lambda _: "sqlite:///",
    "another kind of store": lambda _: "postgresql://localhost/yibao",
    "options": lambda folder: at(folder / "x.db") + "?mode=rwc",
    "nothing": lambda _: "",
}
#: The same, but what comes is Python's own error.
LEAKING: dict[str, Callable[[Path], str]] = {
    "a NUL in the path": lambda folder: at(folder / "x") + "%00.db",
    "a lone surrogate": lambda folder: f"sqlite:///{folder}/\ud800.db",
    "half a bracket": lambda _: "sqlite://[/x.db",
}
no_store = pytest.mark.parametrize(
    "named",
    [
        *(pytest.param(url, id=name) for name, url in NO_STORES.items()),
        *(
            pytest.param(
                url,
                id=name,
            )
            for name, url in LEAKING.items()
        ),
    ],
)


@no_store
def test_what_cannot_be_a_store_is_a_store_error(
    named: Callable[[Path], str], tmp_path: Path
) -> None:
    with pytest.raises(StoreError) as caught:
        open_service(named(tmp_path))
    assert str(caught.value)


@no_store
def test_what_cannot_be_a_store_ends_the_command_line_with_two_and_one_line(
    named: Callable[[Path], str], tmp_path: Path, tell: Write, run: Run
) -> None:
    ended = run("replay", tell(), "--store", named(tmp_path))
    assert ended.exit_code == 2
    assert ended.stdout == ""
    assert ended.stderr.startswith("yibao: ")
    assert ended.stderr.count("\n") == 1


def test_a_process_of_the_command_line_ends_with_two_and_no_traceback_where_the_store_fails(
    tmp_path: Path, tell: Write
) -> None:
    command = [sys.executable, "-m", "yibao", "replay", str(tell()), "--store"]
    ended = subprocess.run([*command, at(garbage(tmp_path))], capture_output=True, text=True)
    assert ended.returncode == 2
    assert ended.stderr == (
        f"yibao: '{tmp_path / 'garbage.db'}' is no store of yibao: file is not a database\n"
    )


def test_an_opening_that_fails_leaves_what_it_found_as_it_was(tmp_path: Path) -> None:
    path = garbage(tmp_path)
    before = path.read_bytes()
    with pytest.raises(StoreError):
        open_service(at(path))
    assert path.read_bytes() == before
    assert sorted(found.name for found in tmp_path.iterdir()) == ["garbage.db"]


def open_files(path: Path) -> int:
    """How many times this process has a file open."""
    links = [f"/proc/self/fd/{number}" for number in os.listdir("/proc/self/fd")]
    return sum(os.path.realpath(link) == str(path) for link in links if os.path.islink(link))


def change(path: Path, statement: str) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        assert connection.execute(statement).rowcount != 0


ONE_FACT = "WHERE originator_version=2"


def test_an_opening_that_is_refused_lets_go_of_the_file(path: Path) -> None:
    altered = 'replace(CAST(state AS TEXT), \'"digest":"\', \'"digest":"0\')'
    change(path, f"UPDATE stored_events SET state={altered} WHERE topic='edition-adopted'")
    with pytest.raises(AlteredEdition) as kept:
        open_service(at(path))
    assert (open_files(path), kept.type) == (0, AlteredEdition)


#: What may have become of a stored event, and what is said about it.
UNREADABLE = {
    "topic='enrolled'": "has the unknown name 'enrolled'",
    "topic='os.system'": "has the unknown name 'os.system'",
    "topic=x'00ff'": "has the unknown name",
    "topic='confirmed'": "confirmed: channel: Field required",
    "state='{'": "remote-care-filed: state: Invalid JSON",
    "state=''": "remote-care-filed: state: Invalid JSON",
    "state='[]'": "remote-care-filed: state: Input should be an object",
    "state='{}'": "remote-care-filed: event_id: Field required",
    "state=5": "remote-care-filed: state: JSON input should be string, bytes or bytearray",
    "state=x'ff00fe'": "remote-care-filed: state: Invalid JSON",
    f"state='{'[' * 5000}'": "remote-care-filed: state: Invalid JSON: recursion limit",
    "state=replace(CAST(state AS TEXT), '\"schema\":1', '\"schema\":2')": "schema",
    "state=replace(CAST(state AS TEXT), '\"via\"', '\"how\"')": "via: Field required",
    "state=replace(CAST(state AS TEXT), '+08:00', '')": "occurred_at: .* timezone",
}


@pytest.mark.parametrize(("became", "says"), UNREADABLE.items())
def test_a_stored_event_that_cannot_be_read_is_an_error_that_names_it(
    became: str, says: str, path: Path, service: Service
) -> None:
    whole = path.read_bytes(), service.facts(ADA)
    change(path, f"UPDATE stored_events SET {became} {ONE_FACT} AND topic='remote-care-filed'")
    named = f"event 2 of stream {ADA.stream}.*{says}"
    for ask in (
        lambda: service.facts(ADA),
        lambda: service.at(ADA),
        lambda: list(service.everyone()),
        lambda: service.issue_medical_card(ADA, at="2025-09-11 08:00"),
    ):
        with pytest.raises(UnreadableEvent, match=named):
            ask()
    with closing(sqlite3.connect(path)) as connection:
        (count,) = connection.execute("SELECT count(*) FROM stored_events").fetchone()
    assert count == len(whole[1]) + 1


def test_an_unreadable_event_in_an_edition_is_named_when_the_store_is_opened(path: Path) -> None:
    change(path, "UPDATE stored_events SET state='{}' WHERE topic='edition-adopted'")
    with pytest.raises(UnreadableEvent, match=r"event 1 of stream .*, edition-adopted: event_id"):
        open_service(at(path))


@pytest.mark.parametrize(
    "became",
    [
        pytest.param("state=CAST(x'ff00fe' AS TEXT)", id="text that is no text"),
        pytest.param("topic=CAST(x'ff00fe' AS TEXT)", id="a name that is no text"),
        pytest.param(
            "originator_id='zzz'",
            id="a stream that is none",
        ),
        pytest.param(
            "originator_version='two'",
            id="a place that is no number",
        ),
    ],
)
def test_a_row_that_is_no_event_at_all_is_an_error_of_ours(
    became: str, path: Path, service: Service
) -> None:
    change(path, f"UPDATE stored_events SET {became} {ONE_FACT} AND topic='remote-care-filed'")
    with pytest.raises(YibaoError):
        list(service.everyone())


class Clock:
    """A clock that is set by hand."""

    def __init__(self, text: str = "2025-09-10 12:00") -> None:
        self.now = datetime.fromisoformat(text).replace(tzinfo=SHANGHAI)

    def __call__(self) -> datetime:
        return self.now

    def jump(self, **by: float) -> datetime:
        self.now += timedelta(**by)
        return self.now


def confirmed_on_time(service: Service, at: str = "2025-09-06 14:20") -> None:
    service.fix_window("shanghai-2025", at="2025-09-01 08:00", opens_on="2025-09-05")
    record(service, registration(REF, "registration"))
    service.declare_roster(ADA, at="2025-09-02 17:00")
    service.confirm(ADA, at=at, channel="app")


def stamps(service: Service) -> list[datetime]:
    return [event.recorded_at for event in service.facts(ADA)]


def test_stamps_do_not_fall_when_the_clock_jumps_back(tmp_path: Path) -> None:
    clock = Clock()
    with open_service(at(tmp_path / "x.db"), clock=clock) as service:
        confirmed_on_time(service)
        latest = clock.now
        clock.jump(hours=-1)
        service.issue_medical_card(ADA, at="2025-09-10 10:00")
        assert stamps(service)[-1] == latest
        clock.jump(minutes=30)
        service.issue_medical_card(ADA, at="2025-09-10 10:00")
        assert stamps(service)[-1] == latest
        clock.jump(minutes=31)
        service.issue_medical_card(ADA, at="2025-09-10 10:00")
        assert stamps(service)[-1] == clock.now > latest
        assert stamps(service) == sorted(stamps(service))
        window = service.fix_window("shanghai-2025", at="2025-09-01 09:00", opens_on="2025-09-04")
        assert window.recorded_at == clock.now + timedelta(microseconds=1)  # after every stamp


def test_stamps_do_not_fall_where_two_processes_disagree_about_the_hour(tmp_path: Path) -> None:
    fast, slow = Clock("2025-09-10 13:00"), Clock("2025-09-10 12:00")
    url = at(tmp_path / "x.db")
    with open_service(url, clock=fast) as ahead, open_service(url, clock=slow) as behind:
        confirmed_on_time(ahead)
        for number in range(10):
            writer = (ahead, behind)[number % 2]
            record(writer, filing(f"by-turns-{number}", at="2025-09-10 11:00"))
            fast.jump(seconds=1)
            slow.jump(seconds=1)
        assert len(stamps(behind)) == 13
        assert stamps(behind) == sorted(stamps(behind))
        assert max(stamps(behind)) < fast.now


def test_every_cut_off_stays_a_prefix_when_the_clock_jumps_back(tmp_path: Path) -> None:
    clock = Clock()
    with open_service(at(tmp_path / "x.db"), clock=clock) as service:
        confirmed_on_time(service)
        clock.jump(minutes=10)
        service.verify_prior_coverage(ADA, at="2025-09-07 09:00", lapsed_years=1)
        asked = [*range(5), *(clock.now - timedelta(minutes=m) for m in (120, 10, 9, 1))]
        then = [service.at(ADA, clock.now, known_at=cutoff) for cutoff in asked]
        clock.jump(hours=-1)
        service.pay_premium(ADA, at="2025-09-08 09:00", year=2026)
        service.void(ADA, service.facts(ADA)[3].event_id, at="2025-09-09 09:00", reason="misread")
        clock.jump(hours=2)
        service.verify_prior_coverage(ADA, at="2025-09-09 09:00", lapsed_years=0)
        now = [service.at(ADA, then[0].at, known_at=cutoff) for cutoff in asked]
        assert now == then
        recorded = stamps(service)
        for stamp in recorded:
            for moment in (stamp - timedelta(microseconds=1), stamp, stamp + timedelta(minutes=1)):
                known = service.at(ADA, clock.now, known_at=moment).version
                assert [s <= moment for s in recorded] == [
                    place < known for place in range(len(recorded))
                ]


def test_everything_is_known_by_default_while_the_clock_is_behind(tmp_path: Path) -> None:
    clock = Clock()
    with open_service(at(tmp_path / "x.db"), clock=clock) as service:
        confirmed_on_time(service)
        latest = clock.now
        clock.jump(hours=-1)
        answer = service.at(ADA)
        assert (answer.version, answer.at, answer.known_at) == (3, clock.now, latest)
        assert [found.version for found in service.everyone()] == [3]
        assert service.compare(ADA, 2).now.version == 3


def test_what_lies_ahead_of_a_clock_that_jumped_back_is_refused_and_can_be_told_again_later(
    tmp_path: Path,
) -> None:
    clock = Clock()
    with open_service(at(tmp_path / "x.db"), clock=clock) as service:
        confirmed_on_time(service)
        clock.jump(hours=-1)
        with pytest.raises(BadValue, match="lies in the future of this service") as caught:
            record_or_raise(service)
        assert caught.value.code == "bad_value"
        fact = service.facts(ADA)[2].event_id
        with pytest.raises(BadValue, match="future"):
            service.correct(
                ADA, fact, at="2025-09-10 10:00", reason="misread", occurred_at="2025-09-10 11:30"
            )
        assert len(service.facts(ADA)) == 3
        clock.jump(hours=1)
        assert record_or_raise(service) == 4


def record_or_raise(service: Service) -> int:
    return service.issue_medical_card(ADA, at="2025-09-10 11:30", command_id="card").version
