"""A store of an older layout is brought to the newest when it is opened; nothing is lost."""

import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from uuid import UUID

import pytest
from given import given, registered, roster

from yibao.adapters.service.service import open_service
from yibao.adapters.store.facts import StoreError
from yibao.adapters.store.migrations import HEAD
from yibao.adapters.store.tables.mapping import FactMapper
from yibao.domain.vocabulary import EnrollmentId

ADA = EnrollmentId("s1", 2025)


@pytest.fixture
def old_store(tmp_path: Path) -> Path:
    """A file as the event-sourcing library alone would lay it out, with two facts in it."""
    path = tmp_path / "old.db"
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute(
        "CREATE TABLE stored_events (originator_id TEXT, originator_version INTEGER, "
        "topic TEXT, state BLOB, PRIMARY KEY (originator_id, originator_version))"
    )
    mapper = FactMapper()
    for event in given(registered("2025-09-01"), roster()).recorded:
        row = mapper.to_stored_event(event)
        connection.execute(
            "INSERT INTO stored_events VALUES (?,?,?,?)",
            (UUID(str(row.originator_id)).hex, row.originator_version, row.topic, row.state),
        )
    connection.commit()
    connection.close()
    return path


def layout(path: Path) -> str:
    with closing(sqlite3.connect(path)) as connection:
        return str(connection.execute("SELECT version_num FROM alembic_version").fetchone()[0])


def test_an_older_store_is_read_as_it_was_and_goes_on(old_store: Path) -> None:
    with open_service(f"sqlite:///{old_store}") as service:
        assert [fact.name for fact in service.facts(ADA)] == ["registered", "roster-declared"]
        service.confirm(ADA, at="2025-09-06 14:20", channel="app", note="by phone")
        assert [fact.originator_version for fact in service.facts(ADA)] == [1, 2, 3]
    assert layout(old_store) == HEAD


def test_a_new_store_and_an_upgraded_one_are_laid_out_alike(
    old_store: Path, tmp_path: Path
) -> None:
    new_store = tmp_path / "new.db"
    for path in (old_store, new_store):
        open_service(f"sqlite:///{path}").close()

    def columns(path: Path) -> list[tuple[str, list[tuple[object, ...]]]]:
        with closing(sqlite3.connect(path)) as connection:
            tables = [
                row[0]
                for row in connection.execute(
                    "SELECT name FROM sqlite_master WHERE type='table' ORDER BY name"
                )
            ]
            return [
                (name, list(connection.execute(f"PRAGMA table_info({name})"))) for name in tables
            ]

    assert columns(old_store) == columns(new_store)


def test_two_processes_may_open_an_older_store_at_once(old_store: Path) -> None:
    code = f"import yibao; yibao.open('sqlite:///{old_store}').close()"
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
    assert layout(old_store) == HEAD


def test_a_store_of_a_newer_yibao_is_left_alone(old_store: Path) -> None:
    open_service(f"sqlite:///{old_store}").close()
    with closing(sqlite3.connect(old_store)) as connection, connection:
        connection.execute("UPDATE alembic_version SET version_num='0099'")
    with pytest.raises(StoreError, match="0099"):
        open_service(f"sqlite:///{old_store}")
