"""Looking after a store: it is created, upgraded, checked and copied while it is at work."""

import ast
import json
import shutil
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from given import sheet
from golden.held import GOLDEN

import yibao
from yibao.adapters.editions.files import Editions
from yibao.adapters.service.service import Service, open_service
from yibao.adapters.shapes.answer import answer_json
from yibao.adapters.store.facts import StoreError
from yibao.adapters.store.migrations import HEAD
from yibao.adapters.upkeep.checking import check
from yibao.adapters.upkeep.copying import backup
from yibao.adapters.upkeep.creating import init, migrate
from yibao.adapters.views.words import Words
from yibao.domain.calendar import read_instant

from ..conftest import Run
from ..helpers.autumn import ADA, EDITIONS
from ..helpers.writers import Nursery, Step, filing, registration

NOW = read_instant("2025-12-20 12:00")


def url(path: Path) -> str:
    return f"sqlite:///{path}"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A store with a student, a correction, care, a fixed window and a refusal."""
    path = tmp_path / "facts.db"
    with open_service(url(path), clock=lambda: NOW) as service:
        _live(service)
    return path


def _live(service: Service) -> None:
    service.register("ada", **sheet())
    with pytest.raises(yibao.Refused):
        service.confirm(ADA, at="2025-09-06 10:00", channel="app")
    service.declare_roster(ADA, at="2025-09-02 17:00")
    check = service.verify_prior_coverage(ADA, at="2025-09-06 14:50", lapsed_years=1)
    service.correct(
        ADA, check.event_id, at="2025-10-15 10:00", reason="misread", changes={"lapsed_years": 0}
    )
    service.fix_window("shanghai-2025", at="2025-09-03 10:00", closes_on="2025-12-28")
    service.receive_care(
        ADA, at="2025-09-10 10:00", on="2025-09-10", setting="campus_clinic", cost="60.00"
    )


def codes(path: Path, editions: Editions = EDITIONS) -> list[str]:
    return [finding.code for finding in check(url(path), editions).findings]


def spoilt(path: Path, *statements: str) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        for statement in statements:
            connection.execute(statement)


def test_a_store_is_whole_as_it_was_written(path: Path) -> None:
    health = check(url(path), EDITIONS)
    assert health._replace(findings=()) == health
    assert (health.layout, health.facts, health.streams, health.attempts) == (HEAD, 8, 3, 1)


REPLACED = "state=CAST(replace(CAST(state AS TEXT), "
OF_ADA = f"originator_id='{ADA.stream.hex}'"


@pytest.mark.parametrize(
    ("statement", "found"),
    [
        (
            f"DELETE FROM stored_events WHERE {OF_ADA} AND originator_version=2",
            "number_missing gap",
        ),
        (
            f"DELETE FROM stored_events WHERE {OF_ADA} AND originator_version=1",
            "number_missing gap",
        ),
        (
            f"UPDATE stored_events SET topic='enrolled' WHERE {OF_ADA} AND originator_version=2",
            "unreadable",
        ),
        ("UPDATE stored_events SET state='{}' WHERE topic='registered'", "unreadable"),
        (
            f"UPDATE stored_events SET {REPLACED} "
            '\'"recorded_at":"2025-12\', \'"recorded_at":"2025-11\') AS BLOB) '
            f"WHERE {OF_ADA} AND originator_version=4",
            "stamp_runs_back",
        ),
        (
            f"UPDATE stored_events SET notification_id=-1 WHERE {OF_ADA} AND originator_version=3",
            "number_missing taken_out_of_order",
        ),
        (
            f"UPDATE stored_events SET {REPLACED} '\"by\":', "
            f'\'"goes_on":true,"by":\') AS BLOB) WHERE {OF_ADA} AND originator_version=4',
            "torn_transaction",
        ),
        (
            f"UPDATE stored_events SET {REPLACED} "
            '\'"policy":"shanghai-2025"\', \'"policy":"shanghai-1999"\') AS BLOB) '
            "WHERE topic='edition-adopted'",
            "edition_missing wrong_stream",
        ),
        (
            f"UPDATE stored_events SET {REPLACED} "
            "'\"digest\":\"', '\"digest\":\"0') AS BLOB) WHERE topic='benefits-adopted'",
            "edition_altered",
        ),
        ("UPDATE refused_attempts SET state='{}'", "unreadable"),
        ("UPDATE alembic_version SET version_num='0002'", "other_layout"),
        ("UPDATE stored_events SET originator_id='nobody' WHERE " + OF_ADA, "unreadable"),
    ],
)
def test_what_is_not_right_is_found(path: Path, statement: str, found: str) -> None:
    spoilt(path, statement)
    assert codes(path) == found.split()


@pytest.mark.parametrize("table", ["notes", "refused_attempts", "counted_attempts"])
def test_a_table_that_is_missing_is_found_and_the_others_are_read(path: Path, table: str) -> None:
    spoilt(path, f"DROP TABLE {table}")
    health = check(url(path), EDITIONS)
    assert health.findings == (("table_missing", table),)
    assert (health.facts, health.streams) == (8, 3)
    assert health.attempts == (0 if table == "refused_attempts" else 1)


def test_a_damaged_file_is_found_or_a_clear_error(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    whole = path.read_bytes()
    found = 0
    for page in range(1, len(whole) // 4096):
        damaged = bytearray(whole)
        damaged[page * 4096 : page * 4096 + 64] = b"\xff" * 64
        path.write_bytes(damaged)
        try:
            found += bool(codes(path))
        except StoreError:
            found += 1
    assert found > 5


def test_checking_changes_nothing(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    before = path.read_bytes()
    check(url(path), EDITIONS)
    assert path.read_bytes() == before


def test_what_is_no_store_is_not_checked(tmp_path: Path) -> None:
    other = tmp_path / "other.db"
    spoilt(other, "CREATE TABLE things (name TEXT)")
    (tmp_path / "text.db").write_text("no database" * 999)
    for path, why in (
        (other, "is no store"),
        (tmp_path / "text.db", "is no store"),
        (tmp_path / "none.db", "there is no store"),
    ):
        with pytest.raises(StoreError, match=why):
            check(url(path), EDITIONS)


def test_every_finding_has_words() -> None:
    adapters = Path(__file__).parents[3] / "adapters"
    told = {
        str(node.args[0].value)
        for path in adapters.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id == "Finding"
        and isinstance(node.args[0], ast.Constant)
    }
    assert len(told) == 24
    for language in ("en", "zh"):
        assert Words(language).codes()["finding"] == told  # type: ignore[arg-type]


def test_a_store_is_created_once(tmp_path: Path) -> None:
    path = tmp_path / "new.db"
    assert init(url(path)) == HEAD
    assert check(url(path), EDITIONS).facts == 0
    with pytest.raises(StoreError, match="already"):
        init(url(path))


@pytest.mark.parametrize("release", ["v0.1.0", "v0.2.0"])
def test_an_older_store_is_found_out_and_brought_up(release: str, tmp_path: Path) -> None:
    path = tmp_path / "facts.db"
    shutil.copy(GOLDEN / f"{release}.db", path)
    assert codes(path) == ["other_layout"]
    assert migrate(url(path)) == ("0002", HEAD)
    assert codes(path) == []
    assert migrate(url(path)) == (HEAD, HEAD)


def test_a_copy_answers_as_the_store_did(path: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy.db"
    assert backup(url(path), copy) == 8
    with (
        open_service(url(path), clock=lambda: NOW) as service,
        open_service(url(copy), clock=lambda: NOW) as copied,
    ):
        assert answer_json(copied.at(ADA)) == answer_json(service.at(ADA))
        assert copied.refused_attempts(ADA) == service.refused_attempts(ADA)
        assert copied.history(ADA, "coverage") == service.history(ADA, "coverage")


def test_a_copy_never_takes_the_place_of_a_file(path: Path, tmp_path: Path) -> None:
    there = tmp_path / "there.db"
    there.write_text("mine")
    with pytest.raises(StoreError, match="already"):
        backup(url(path), there)
    assert there.read_text() == "mine"
    with pytest.raises(StoreError, match="could not be written"):
        backup(url(path), tmp_path / "no" / "such" / "folder.db")
    assert [each.name for each in tmp_path.iterdir() if "partial" in each.name] == []


@pytest.fixture
def nursery(tmp_path: Path) -> Iterator[Nursery]:
    with Nursery(tmp_path) as nursery:
        yield nursery


def test_a_store_is_copied_whole_while_others_write(nursery: Nursery, tmp_path: Path) -> None:
    path = tmp_path / "busy.db"
    plans = [
        [
            Step(f"s-{lane}-{number}", [registration(f"s-{lane}-{number}", f"r-{lane}-{number}")])
            if number % 2 == 0
            else Step(
                f"s-{lane}-{number - 1}",
                [filing(f"f-{lane}-{number}-{each}") for each in range(6)],
            )
            for number in range(60)
        ]
        for lane in range(2)
    ]
    open_service(url(path)).close()
    writers = [nursery.bear(url(path), plan) for plan in plans]
    held = []
    for number in range(8):
        copy = tmp_path / f"copy-{number}.db"
        acknowledged = {each for writer in writers for told in writer.told() for each in told.ids}
        held.append(backup(url(path), copy))
        assert codes(copy) == []
        with closing(sqlite3.connect(copy)) as connection:
            there = {
                command_id
                for (command_id,) in connection.execute(
                    "SELECT CAST(state AS TEXT) ->> 'command_id' FROM stored_events"
                )
            }
        assert acknowledged <= there
        time.sleep(0.02)
    assert [nursery.end_of(writer) for writer in writers] == [0, 0]
    assert held == sorted(held)
    assert held[0] < held[-1], "nobody wrote meanwhile"
    assert codes(path) == []


def test_a_store_restored_from_its_copy_goes_on_and_its_trail_with_it(
    path: Path, tmp_path: Path
) -> None:
    copy = tmp_path / "copy.db"
    backup(url(path), copy)
    with open_service(url(path), clock=lambda: NOW) as service, service.audit_trail() as trail:
        service.confirm(ADA, at="2025-09-07 10:00", channel="app")
        assert trail.count(yibao.Question(kind="confirmed")) == 1
    for each in tmp_path.glob("facts.db-*"):
        each.unlink()
    shutil.copy(copy, path)
    with open_service(url(path), clock=lambda: NOW) as service, service.audit_trail() as trail:
        assert trail.count(yibao.Question(kind="confirmed")) == 0
        service.withdraw(ADA, at="2025-11-01 10:00", on="2025-11-02")
        assert trail.count(yibao.Question(kind="withdrawn")) == 1
    assert codes(path) == []


def test_the_command_line_tells_what_it_did(path: Path, tmp_path: Path, run: Run) -> None:
    new, copy = tmp_path / "new.db", tmp_path / "copy.db"
    assert run("db", "init", "--store", url(new)).stdout == f"created, at layout {HEAD}\n"
    assert run("db", "init", "--store", url(new)).exit_code == 2
    assert run("db", "migrate", "--store", url(new)).stdout == (
        f"was at layout {HEAD}, is at layout {HEAD}\n"
    )
    assert run("db", "backup", "--store", url(path), copy).stdout == f"8 facts copied to {copy}\n"
    checked = run("db", "check", "--store", url(copy))
    assert checked.exit_code == 0
    assert checked.stdout.splitlines() == [
        f"layout {HEAD}: 8 facts in 3 streams, 1 refused attempt",
        "everything is as it should be",
    ]
    spoilt(copy, "DELETE FROM stored_events WHERE topic='roster-declared'")
    checked = run("db", "check", "--store", url(copy))
    assert checked.exit_code == 1
    assert checked.stdout.splitlines()[2].startswith("an event is missing before: event 3 of")
    told = json.loads(run("db", "check", "--store", url(copy), "--json").stdout)
    assert [finding["code"] for finding in told["findings"]] == ["number_missing", "gap"]
    assert "事件" in run("db", "check", "--store", url(copy), "--lang", "zh").stdout
    assert run("db", "check", "--store", url(tmp_path / "none.db")).exit_code == 2
