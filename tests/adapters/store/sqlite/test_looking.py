"""A look at a file on which others are at work finds what is there, and leaves no trace of it."""

import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

import yibao
from yibao.adapters.following.derived.sqlite import SqliteTables
from yibao.adapters.following.trail import TRAIL
from yibao.adapters.service.service import open_service
from yibao.adapters.store import StoreError, migrations
from yibao.adapters.store.facts import open_store
from yibao.adapters.store.files import looked_at, looking

from .test_read_only import at_rest, bound, folder, given, live

__all__ = ["folder"]

PAGE = 4096


def in_checkpoint(made: Path, place: Path, *endings: str) -> list[Path]:
    """A database as it is after each page that a checkpoint writes, with what is beside it.

    SQLite writes them in their order: the first says where each table begins before that is so.
    """
    with closing(sqlite3.connect(made, isolation_level=None)) as connection:
        (name, sql), *_ = connection.execute(
            "SELECT name, sql FROM sqlite_master WHERE name IN ('alembic_version', 'progress')"
        )
        connection.execute(f"ALTER TABLE {name} RENAME TO older")
        connection.execute(sql)
        connection.execute(f"INSERT INTO {name} SELECT * FROM older")
        connection.execute("DROP TABLE older")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        connection.execute("PRAGMA wal_autocheckpoint=0")
        connection.execute("VACUUM")  # whatever comes after that table moves
        older = made.read_bytes()
        for ending in endings:
            shutil.copy(f"{made}{ending}", f"{place}{ending}")
        connection.execute("PRAGMA wal_checkpoint(PASSIVE)")
        newer = made.read_bytes()
    assert len(newer) <= len(older)
    moments = []
    for written in range(0, len(newer) + 1, PAGE):
        moment = place.with_name(f"{written // PAGE}-{place.name}")
        moment.write_bytes(newer[:written] + older[written:])
        for ending in endings:
            shutil.copy(f"{place}{ending}", f"{moment}{ending}")
        moments.append(moment)
    return moments


def contents(path: Path) -> dict[str, bytes]:
    """A database, and what is beside it but for the index, which is whoever's looks at it."""
    return {
        each.name: b"" if each.name.endswith("-shm") else each.read_bytes()
        for each in path.parent.glob(f"{path.name}*")
    }


@pytest.mark.parametrize("endings", [("-wal", "-shm"), ("-wal",)])
def test_a_store_is_known_at_every_moment_of_a_checkpoint(
    endings: tuple[str, ...], tmp_path: Path
) -> None:
    store = tmp_path / "store.db"
    open_store(f"sqlite:///{store}").close()
    for moment in in_checkpoint(store, tmp_path / "facts.db", *endings):
        before = contents(moment)
        assert migrations.layout_found(str(moment)) == migrations.HEAD, moment.name
        assert contents(moment) == before


def test_a_trail_is_known_at_every_moment_of_a_checkpoint(tmp_path: Path) -> None:
    trail = tmp_path / "made.db"
    with open_service("memory:") as service, service.audit_trail(f"sqlite:///{trail}") as made:
        made.count(yibao.Question())
    for moment in in_checkpoint(trail, tmp_path / "trail.db", "-wal", "-shm"):
        SqliteTables(str(moment), TRAIL).close()


class Database:
    """One at rest, which somebody opens, writes to and leaves while it is looked at."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.write("PRAGMA journal_mode=WAL", "CREATE TABLE things (name TEXT)")

    def write(self, *statements: str) -> None:
        with closing(sqlite3.connect(self.path, isolation_level=None)) as connection:
            for statement in statements:
                connection.execute(statement)

    def names(self, connection: sqlite3.Connection) -> list[str]:
        return [name for (name,) in connection.execute("SELECT name FROM things")]


@pytest.fixture
def database(tmp_path: Path) -> Database:
    return Database(tmp_path / "things.db")


@pytest.mark.parametrize("fails", [False, True])
def test_a_file_that_is_written_to_while_it_is_looked_at_is_looked_at_again(
    fails: bool, database: Database, tmp_path: Path
) -> None:
    looks = 0

    def look(connection: sqlite3.Connection) -> list[str]:
        nonlocal looks
        looks += 1
        found = database.names(connection)
        if looks == 1:
            database.write("INSERT INTO things VALUES ('one')")
            if fails:
                raise StoreError("half of it was found")
        return found

    assert looked_at(str(database.path), look) == ["one"]
    assert [path.name for path in tmp_path.iterdir()] == ["things.db"]


def test_a_file_on_which_somebody_is_at_work_is_read_with_what_is_in_its_log(
    database: Database,
) -> None:
    with closing(sqlite3.connect(database.path, isolation_level=None)) as writer:
        writer.execute("INSERT INTO things VALUES ('one')")

        def look(connection: sqlite3.Connection) -> list[str]:
            found = database.names(connection)
            writer.execute("INSERT INTO things VALUES ('two')")
            assert database.names(connection) == found, "it is not of one moment"
            return found

        assert looked_at(str(database.path), look) == ["one"]
        assert looked_at(str(database.path), database.names) == ["one", "two"]


def test_a_look_fails_where_somebody_writes_all_the_time(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(looking, "LOCK_TIMEOUT", 0)

    def look(connection: sqlite3.Connection) -> None:
        database.write("INSERT INTO things VALUES ('another')")

    with pytest.raises(sqlite3.OperationalError, match="all the time"):
        looked_at(str(database.path), look)


INSPECTED = """
import sys
from yibao.adapters.upkeep.inspecting import reading
with reading(sys.argv[1]) as store:
    print(store.last_number("stored_events", "notification_id"), flush=True)
    input()
    list(store.each("SELECT * FROM stored_events"))
"""
COPIED = """
import sys
from pathlib import Path
from yibao.adapters.upkeep.copying import backup
def wait(*done):
    print(4, flush=True)
    input()
backup(sys.argv[1], Path(sys.argv[2]), wait)
"""
ASKED = """
import sys
from yibao.adapters.store.facts import open_store
def ask(sql):
    print(4, flush=True)
    input()
    return sql.rows("SELECT * FROM stored_events")
open_store(sys.argv[1], to_ask=True)._asked(ask)
"""


@pytest.mark.parametrize("code", [INSPECTED, COPIED, ASKED])
def test_a_copy_that_is_written_to_while_it_is_read_is_not_told_from_half_of_it(
    code: str, folder: Path, tmp_path: Path
) -> None:
    path, to = at_rest(folder), tmp_path / "to" / "backup.db"
    to.parent.mkdir()
    reader = subprocess.Popen(
        [sys.executable, "-c", code, f"sqlite:///{path}", str(to)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=bound,
    )
    assert reader.stdout is not None
    assert reader.stdout.readline() == "4\n"
    folder.chmod(0o755)
    path.chmod(0o644)
    with open_service(f"sqlite:///{path}") as service:
        live(service, "three")
    _, said = reader.communicate("\n", timeout=60)
    assert "was written to by somebody else meanwhile: open it again" in said
    assert list(to.parent.iterdir()) == []


def test_what_nobody_may_write_is_known_at_every_moment_of_a_checkpoint(
    folder: Path, tmp_path: Path
) -> None:
    store = tmp_path / "store.db"
    open_store(f"sqlite:///{store}").close()
    moments = in_checkpoint(store, folder / "facts.db", "-wal", "-shm")
    given(folder)
    before = {path: path.read_bytes() for path in folder.iterdir()}
    code = (
        "import sys\n"
        "from yibao.adapters.store.migrations import layout_found\n"
        "print({layout_found(path) for path in sys.argv[1:]})\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *map(str, moments)],
        capture_output=True,
        text=True,
        preexec_fn=bound,
    )
    assert (done.stdout, done.stderr) == (f"{{'{migrations.HEAD}'}}\n", "")
    assert {path: path.read_bytes() for path in folder.iterdir()} == before
