"""Files and databases of others: whoever is asked about one leaves it, byte for byte, as it is."""

import os
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import psycopg
import pytest
from eventsourcing.application import Application
from eventsourcing.domain import Aggregate
from golden.held import GOLDEN
from pgserver import Server

import yibao
from yibao.adapters.following.derived import SqliteTables
from yibao.adapters.following.trail.layout import TRAIL
from yibao.adapters.service.service import open_service
from yibao.adapters.store.facts import StoreError
from yibao.adapters.upkeep.creating import init, migrate

from ...conftest import Run
from ...helpers.stores import rows

WHOM = ("--ref", "ada", "--year", "2025")
#: Every command that asks a store and changes nothing in it.
QUESTIONS = (
    ("explain", *WHOM),
    ("compare", *WHOM, "--known-at", "1"),
    ("review", *WHOM),
    ("history", *WHOM),
    ("timeline", *WHOM),
    ("dossier", *WHOM),
    ("audit",),
    ("quote", *WHOM, "--setting", "campus_clinic", "--cost", "9.00", "--on", "2025-12-09"),
    ("projections", "status"),
    ("projections", "follow", "--once"),
    ("projections", "retry"),
    ("db", "check"),
    ("db", "migrate"),
    ("db", "backup", "BACKUP"),
    ("db", "copy", "--to", "COPY"),
)


def database(path: Path, *statements: str, mode: str = "DELETE") -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(f"PRAGMA journal_mode={mode}")
        for statement in statements:
            connection.execute(statement)
        connection.commit()


def of_a_framework(path: Path) -> None:
    database(
        path,
        "CREATE TABLE django_migrations (id INTEGER PRIMARY KEY, app TEXT, name TEXT)",
        "CREATE TABLE notes (event_id TEXT PRIMARY KEY, note TEXT NOT NULL)",
        "INSERT INTO django_migrations VALUES (1, 'auth', '0001_initial')",
    )


class Dog(Aggregate):
    """Somebody else's."""


class Kennel(Application):  # type: ignore[type-arg]
    """Another application of the event-sourcing library."""


def of_another_application(path: Path) -> None:
    kennel = Kennel({"PERSISTENCE_MODULE": "eventsourcing.sqlite", "SQLITE_DBNAME": str(path)})
    kennel.save(Dog())
    kennel.close()


def of_an_application_that_migrates(path: Path) -> None:
    of_another_application(path)
    database(
        path,
        "CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL)",
        "INSERT INTO alembic_version VALUES ('0002')",
    )


def of_a_publisher(path: Path) -> None:
    """Its tables have the names of a trail's."""
    database(
        path,
        "CREATE TABLE entries (entry INTEGER PRIMARY KEY, title TEXT)",
        "CREATE TABLE editions (stream TEXT PRIMARY KEY, policy TEXT)",
        "CREATE TABLE progress (id INTEGER PRIMARY KEY)",
        "INSERT INTO entries VALUES (1, 'A history of Shanghai')",
    )


def in_a_log(path: Path) -> None:
    """A database whose tables are in its write-ahead log alone, as it was copied."""
    at_work = path.with_name("at-work.db")
    with closing(sqlite3.connect(at_work)) as connection:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("CREATE TABLE things (name TEXT)")
        connection.commit()
        for ending in ("", "-wal"):
            shutil.copy(f"{at_work}{ending}", f"{path}{ending}")
    at_work.unlink()


STRANGERS: dict[str, Callable[[Path], object]] = {
    "text": lambda path: shutil.copy(__file__, path),
    "of a framework": of_a_framework,
    "of another application": of_another_application,
    "of an application that migrates": of_an_application_that_migrates,
    "of a publisher": of_a_publisher,
    "marked as somebody's": lambda path: database(path, "PRAGMA application_id=77"),
    "with a log": lambda path: database(path, "CREATE TABLE things (name TEXT)", mode="WAL"),
    "in a log": in_a_log,
    "a trail": lambda path: made_trail(path),
}


def made_trail(path: Path) -> None:
    with open_service("memory:") as service, service.audit_trail(f"sqlite:///{path}") as trail:
        trail.count(yibao.Question())


@pytest.fixture(params=STRANGERS)
def stranger(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A file of somebody else."""
    folder = tmp_path / "theirs"
    folder.mkdir()
    STRANGERS[request.param](folder / "file.db")
    return folder / "file.db"


def everything(folder: Path) -> dict[str, tuple[bytes, int]]:
    """The files in a folder, what is in each and when it was written."""
    return {path.name: (path.read_bytes(), path.stat().st_mtime_ns) for path in folder.iterdir()}


def asked(run: Run, store: str, tmp_path: Path) -> Iterator[tuple[int, str]]:
    """How each question ended, and what it said of a failure."""
    for number, (command, *options) in enumerate(QUESTIONS):
        places = {
            "BACKUP": str(tmp_path / f"backup-{number}.db"),
            "COPY": f"sqlite:///{tmp_path / f'copy-{number}.db'}",
        }
        arguments = [command, *(places.get(option, option) for option in options)]
        done = run(*arguments, "--store", store)
        yield done.exit_code, done.stderr


def test_a_strangers_file_is_no_store_and_stays_as_it_is(stranger: Path) -> None:
    before = everything(stranger.parent)
    for make in (yibao.open, init, migrate):
        with pytest.raises(StoreError, match="is no store of yibao"):
            make(f"sqlite:///{stranger}")
    assert everything(stranger.parent) == before


def test_a_question_about_a_strangers_file_leaves_it_as_it_is(
    stranger: Path, run: Run, tmp_path: Path
) -> None:
    before = everything(stranger.parent)
    for exit_code, said in asked(run, f"sqlite:///{stranger}", tmp_path):
        assert (exit_code, "is no store of yibao" in said) == (2, True), said
        assert said.count("\n") == 1
    assert everything(stranger.parent) == before
    assert [path.name for path in tmp_path.iterdir()] == ["theirs"]


def test_a_strangers_file_is_no_trail_and_stays_as_it_is(
    stranger: Path, run: Run, tmp_path: Path
) -> None:
    store = tmp_path / "facts.db"
    yibao.open(f"sqlite:///{store}").close()
    if stranger.read_bytes()[:6] == b"SQLite" and "entries" in _tables(stranger):
        with closing(sqlite3.connect(stranger)) as connection:
            connection.execute("CREATE TABLE others (name TEXT)")
    before = everything(stranger.parent)
    for command in (("audit",), ("projections", "status"), ("projections", "follow", "--once")):
        done = run(*command, "--store", f"sqlite:///{store}", "--trail", stranger)
        assert done.exit_code == 2
        assert "the trail" in done.stderr
    with pytest.raises(StoreError, match="the trail"):
        SqliteTables(str(stranger), TRAIL)
    assert everything(stranger.parent) == before


def _tables(path: Path) -> set[str]:
    with closing(sqlite3.connect(f"file:{path}?mode=ro&immutable=1", uri=True)) as connection:
        return {name for (name,) in connection.execute("SELECT name FROM sqlite_master")}


@pytest.mark.parametrize("size", [None, 0])
def test_a_question_makes_no_store_where_there_is_none_and_opening_does(
    size: int | None, run: Run, tmp_path: Path
) -> None:
    folder = tmp_path / "ours"
    folder.mkdir()
    path = folder / "facts.db"
    if size is not None:
        path.touch()
    before = everything(folder)
    for exit_code, said in asked(run, f"sqlite:///{path}", tmp_path):
        assert exit_code == 2
        assert said == f"yibao: there is no store '{path}': `yibao db init` creates one\n"
    assert everything(folder) == before
    if size is None:
        yibao.open(f"sqlite:///{path}").close()
    else:
        assert run("db", "init", "--store", f"sqlite:///{path}").exit_code == 0
    assert run("db", "check", "--store", f"sqlite:///{path}").exit_code == 0


def test_what_a_process_left_that_was_killed_while_it_made_a_store_becomes_one(
    tmp_path: Path,
) -> None:
    database(tmp_path / "facts.db", mode="WAL")
    with yibao.open(f"sqlite:///{tmp_path / 'facts.db'}") as service:
        assert list(service.everyone()) == []


def test_a_store_that_is_only_in_its_log_yet_is_found_there(tmp_path: Path) -> None:
    path = tmp_path / "facts.db"
    with yibao.open(f"sqlite:///{path}") as service:
        service.fix_window("shanghai-2025", at="2025-09-01 08:00", opens_on="2025-09-05")
        assert path.stat().st_size == 4096
        with yibao.open(f"sqlite:///{path}") as second:
            assert len(second.window_facts("shanghai-2025")) == 2
        for ending in ("", "-wal"):
            shutil.copy(f"{path}{ending}", f"{tmp_path / 'copied.db'}{ending}")
    with yibao.open(f"sqlite:///{tmp_path / 'copied.db'}") as copied:
        assert len(copied.window_facts("shanghai-2025")) == 2


@pytest.mark.parametrize("ending", ["-wal", "-shm", "-journal"])
def test_what_sqlite_keeps_beside_a_store_becomes_neither_a_store_nor_a_trail(
    ending: str, tmp_path: Path
) -> None:
    """The log of a store at work is empty after each checkpoint."""
    folder, other = tmp_path / "own", tmp_path / "link"
    folder.mkdir()
    store, beside = folder / "facts.db", folder / f"facts.db{ending}"
    with yibao.open(f"sqlite:///{store}") as service:
        with closing(sqlite3.connect(store)) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        other.symlink_to(beside)
        before = everything(folder)
        for name in (beside, other):
            with pytest.raises(StoreError, match="belongs to the database beside it"):
                yibao.open(f"sqlite:///{name}")
            with pytest.raises(StoreError, match="belongs to the database beside it"):
                init(f"sqlite:///{name}")
            with pytest.raises(StoreError, match="belongs to the database beside it"):
                service.audit_trail(f"sqlite:///{name}")
        assert everything(folder) == before


@pytest.mark.parametrize("release", sorted(path.stem for path in GOLDEN.glob("*.db")))
def test_a_question_about_an_older_store_of_ours_is_answered_and_leaves_it_as_it_is(
    release: str, run: Run, tmp_path: Path
) -> None:
    path = tmp_path / "facts.db"
    shutil.copy(GOLDEN / f"{release}.db", path)
    before = path.read_bytes(), path.stat().st_mtime_ns
    store = ("--store", f"sqlite:///{path}")
    for command, *options in QUESTIONS[:8]:
        done = run(command, *options, *store)
        assert done.exit_code == 0, done.output
    assert "ada" in run("audit", *store).stdout
    assert (path.read_bytes(), path.stat().st_mtime_ns) == before
    assert not {"facts.db-wal", "facts.db-shm"} & set(os.listdir(tmp_path))
    with yibao.open(f"sqlite:///{path}") as service:
        assert service.facts(yibao.EnrollmentId("ada", 2025))


@pytest.fixture
def foreign(postgres: Server) -> Iterator[str]:
    """A database in which others have schemas of our names."""
    url = postgres.database()
    yield url
    postgres.drop(url)


def schemas(url: str) -> list[tuple[object, ...]]:
    return rows(
        url,
        "SELECT nspname, relname, relkind, relfilenode FROM pg_class "
        "RIGHT JOIN pg_namespace ON relnamespace = pg_namespace.oid "
        "WHERE nspname LIKE 'yibao%%' ORDER BY 1, 2",
    )


@pytest.mark.parametrize(
    "theirs",
    [
        ("CREATE SCHEMA yibao", "CREATE TABLE yibao.alembic_version (version_num text)"),
        (
            "CREATE SCHEMA yibao",
            "CREATE TABLE yibao.alembic_version AS SELECT '0003' AS version_num",
            "CREATE TABLE yibao.stored_events (originator_id uuid, topic text)",
        ),
        ("CREATE SCHEMA yibao", "CREATE VIEW yibao.stored_events AS SELECT 1 AS id"),
        ("CREATE SCHEMA yibao_trail", "CREATE TABLE yibao_trail.things (name text)"),
        ("CREATE SCHEMA yibao_trail", "CREATE TABLE yibao_trail.entries (title text)"),
        ("CREATE SCHEMA yibao_trail", "CREATE TABLE yibao_trail.layout (x int, y int)"),
    ],
)
def test_what_others_have_in_a_database_stays_as_it_is(
    theirs: tuple[str, ...], foreign: str, run: Run, tmp_path: Path
) -> None:
    for statement in theirs:
        rows(foreign, statement)
    before = schemas(foreign)
    for exit_code, said in asked(run, foreign, tmp_path):
        assert exit_code == 2
        assert said.count("\n") == 1
    for make in (init, migrate, yibao.open):
        with pytest.raises(StoreError):
            make(foreign)
    assert schemas(foreign) == before


def test_a_question_about_a_database_without_a_store_changes_nothing(
    foreign: str, run: Run, tmp_path: Path
) -> None:
    for exit_code, said in asked(run, foreign, tmp_path):
        assert exit_code == 2
        assert "`yibao db init` creates one" in said or "is copied by pg_dump" in said
    assert schemas(foreign) == []


def test_what_somebody_has_built_on_the_trails_tables_is_not_dropped_with_them(
    postgres_url: str,
) -> None:
    rows(postgres_url, "CREATE VIEW public.report AS SELECT kind FROM yibao_trail.entries")
    rows(postgres_url, "UPDATE yibao_trail.layout SET format = 1")
    with pytest.raises(StoreError, match="other objects depend on it"):
        migrate(postgres_url)
    with psycopg.connect(postgres_url) as connection:
        assert connection.execute("SELECT * FROM public.report").fetchall() == []
