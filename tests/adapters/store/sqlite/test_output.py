"""What yibao writes for a person is whole or not there, and takes the place of nothing else."""

import os
import re
import shutil
import signal
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

import yibao
from yibao.adapters.cli.group import Commands
from yibao.adapters.cli.running.signals import ended_by_signals
from yibao.adapters.following import Stop
from yibao.adapters.following.leading import lead_of
from yibao.adapters.store.facts import StoreError
from yibao.adapters.store.files.writing import NotWritten, written
from yibao.adapters.upkeep.checking import check
from yibao.adapters.upkeep.copying import backup, copy
from yibao.adapters.upkeep.creating import init

from ...conftest import Run
from ...helpers.autumn import EDITIONS
from ...helpers.writers import Step, registration, told

SHARED = "facts.db-shm"
#: What a command writes to, by name: given a store and a target, its arguments.
Writing = Callable[[Path, Path], list[str]]


def url(path: Path) -> str:
    return f"sqlite:///{path}"


def dossier(store: Path, to: Path) -> list[str]:
    whom = ["--store", url(store), "--ref", "ada", "--year", "2025"]
    return ["dossier", *whom, "--output", str(to)]


def saved(store: Path, to: Path) -> list[str]:
    return ["db", "backup", "--store", url(store), str(to)]


both = pytest.mark.parametrize("writing", [dossier, saved], ids=["dossier", "db backup"])


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """A store with facts in it, and its trail beside it."""
    path = tmp_path / "facts.db"
    with yibao.open(url(path)) as service:
        told(service, Step("ada", [registration("ada", "r1")]))
        with service.audit_trail() as trail:
            trail.catch_up()
    return path


def content(folder: Path) -> dict[str, bytes | str]:
    """What is in a folder: the bytes of files, where links lead. But for what SQLite has of a
    store that is asked, which may stay empty beside it."""
    return {
        each.name: os.readlink(each) if each.is_symlink() else each.read_bytes()
        for each in folder.iterdir()
        if each.is_symlink() or (each.is_file() and each.name not in ("facts.db-wal", SHARED))
    }


def refused(run: Run, *arguments: str) -> str:
    done = run(*arguments)
    assert (done.exit_code, done.stdout) == (2, "")
    (line,) = done.stderr.splitlines()
    return line


@both
@pytest.mark.parametrize("force", [[], ["--force"]], ids=["", "--force"])
@pytest.mark.parametrize(
    "name",
    [
        "facts.db",
        "facts.db.trail",
        "facts.db-wal",
        "facts.db-shm",
        "facts.db-journal",
        "facts.db.trail-wal",
        "facts.db.audit-trail.lead",
        "folder/../facts.db",
        "there/facts.db",
        "linked.db",
        "symbolic.db",
    ],
)
def test_nothing_is_ever_written_onto_a_store_or_what_belongs_to_one(
    writing: Writing, force: list[str], name: str, store: Path, run: Run
) -> None:
    os.link(store, store.with_name("linked.db"))
    store.with_name("symbolic.db").symlink_to(store)
    store.with_name("there").symlink_to(store.parent)
    store.with_name("folder").mkdir()
    before = content(store.parent)
    target = Path(f"{store.parent}/{name}")
    assert "is a store already, or belongs to one" in refused(run, *writing(store, target), *force)
    assert content(store.parent) == before
    wal = store.with_name("facts.db-wal")
    assert not wal.exists() or wal.read_bytes() == b""
    assert check(url(store), EDITIONS).findings == ()


def test_a_store_at_work_keeps_its_locks_when_something_is_to_be_written_onto_it(
    store: Path,
) -> None:
    """Whoever opens and closes the file beside SQLite takes the locks of the whole process."""
    with closing(sqlite3.connect(store, isolation_level=None)) as mine:
        mine.execute("BEGIN IMMEDIATE")
        with pytest.raises(NotWritten):
            backup(url(store), store)
        code = "import sqlite3, sys; sqlite3.connect(sys.argv[1], 0).execute('BEGIN IMMEDIATE')"
        other = subprocess.run([sys.executable, "-c", code, str(store)], capture_output=True)
        assert b"database is locked" in other.stderr


@both
def test_a_file_that_is_there_is_replaced_when_that_is_asked_for_and_only_then(
    writing: Writing, store: Path, run: Run, tmp_path: Path
) -> None:
    there = tmp_path / "there"
    there.write_text("mine")
    assert refused(run, *writing(store, there)) == f"yibao: there is a file '{there}' already"
    assert there.read_text() == "mine"
    assert run(*writing(store, there), "--force").exit_code == 0
    assert b"mine" not in there.read_bytes()
    assert len(there.read_bytes()) > 1000


@both
@pytest.mark.parametrize("leads", ["to a file", "to a file that is not there"])
def test_a_planted_link_is_never_followed(
    writing: Writing, leads: str, store: Path, run: Run, tmp_path: Path
) -> None:
    strangers = tmp_path / "elsewhere" / "strangers"
    strangers.parent.mkdir()
    if leads == "to a file":
        strangers.write_text("a stranger's")
    before = content(strangers.parent)
    planted = tmp_path / "copy"
    planted.symlink_to(strangers)
    assert refused(run, *writing(store, planted)).endswith("already")
    assert (planted.is_symlink(), content(strangers.parent)) == (True, before)
    assert run(*writing(store, planted), "--force").exit_code == 0
    assert (planted.is_symlink(), content(strangers.parent)) == (False, before)
    for name in ("partial", "copy.partial", "copy.tmp"):  # by which 0.4.0 could be led astray
        (tmp_path / name).unlink(missing_ok=True)
        (tmp_path / name).symlink_to(strangers)
    assert run(*writing(store, tmp_path / "copy2")).exit_code == 0
    assert content(strangers.parent) == before


def test_a_link_planted_where_the_half_made_copy_was_is_not_followed(
    store: Path, run: Run, tmp_path: Path
) -> None:
    strangers = tmp_path / "strangers"
    strangers.write_bytes(b"")
    (tmp_path / "copy.db.partial").symlink_to(strangers)
    assert run(*saved(store, tmp_path / "copy.db")).exit_code == 0
    assert strangers.read_bytes() == b""


@pytest.mark.parametrize("command", ["init", "copy"])
def test_an_empty_file_behind_a_link_is_not_filled(
    command: str, store: Path, run: Run, tmp_path: Path
) -> None:
    strangers, link = tmp_path / "strangers", tmp_path / "link.db"
    strangers.touch()
    link.symlink_to(strangers)
    words = (
        ["init", "--store"]
        if command == "init"
        else ["copy", "--store", f"sqlite:///{store}", "--to"]
    )
    assert refused(run, "db", *words, f"sqlite:///{link}").endswith("already")
    assert (link.is_symlink(), strangers.read_bytes()) == (True, b"")
    assert run("db", *words, f"sqlite:///{strangers}").exit_code == 0  # one's own, made ahead
    assert strangers.stat().st_size


@both
@pytest.mark.parametrize("force", [[], ["--force"]], ids=["", "--force"])
@pytest.mark.parametrize(
    "what", ["/dev/stdout", "/dev/null", "/dev/full", "folder", "to a folder", "fifo", "to a fifo"]
)
def test_what_is_no_file_is_not_written_to(
    writing: Writing, force: list[str], what: str, store: Path, run: Run, tmp_path: Path
) -> None:
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "to a folder").symlink_to(tmp_path / "folder")
    (tmp_path / "to a fifo").symlink_to(tmp_path / "fifo")
    before = content(tmp_path)
    assert refused(run, *writing(store, tmp_path / what), *force).endswith(
        "is no file that could be written"
    )
    assert content(tmp_path) == before


@both
@pytest.mark.parametrize("to", ["no/such/folder", "facts.db/below", "x" * 300])
def test_what_cannot_be_written_is_told_with_its_reason_and_leaves_nothing(
    writing: Writing, to: str, store: Path, run: Run, tmp_path: Path
) -> None:
    before = content(tmp_path)
    assert "could not be written: " in refused(run, *writing(store, tmp_path / to))
    assert content(tmp_path) == before


@pytest.mark.parametrize("ending", ["-wal", "-journal", "-shm"])
def test_a_copy_is_not_put_beside_what_sqlite_would_take_for_a_part_of_it(
    ending: str, store: Path, run: Run, tmp_path: Path
) -> None:
    (tmp_path / f"copy.db{ending}").write_bytes(b"of a store that was here before")
    told = refused(run, *saved(store, tmp_path / "copy.db"), "--force")
    assert f"there is a {ending} beside it already" in told
    assert not (tmp_path / "copy.db").exists()


def fill(to: Path, meanwhile: Callable[[], object], *, force: bool = False) -> None:
    """Writes a file, while something happens."""
    with written(to, force=force) as new:
        new.write_text("mine")
        meanwhile()


@pytest.mark.parametrize(
    ("fails", "as_what"),
    [
        (OSError(28, "No space left on device"), NotWritten),
        (ValueError("something else"), ValueError),
        (KeyboardInterrupt(), KeyboardInterrupt),
    ],
    ids=["a full disk", "something else", "Ctrl-C"],
)
def test_what_fails_on_the_way_leaves_nothing(
    fails: BaseException, as_what: type[BaseException], tmp_path: Path
) -> None:
    def fail() -> None:
        raise fails

    with pytest.raises(as_what):
        fill(tmp_path / "new", fail)
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_appears_meanwhile_is_not_replaced(tmp_path: Path) -> None:
    there = tmp_path / "new"
    with pytest.raises(NotWritten, match="already"):
        fill(there, lambda: there.write_text("theirs"))
    assert content(tmp_path) == {"new": b"theirs"}


def test_a_store_that_appears_meanwhile_is_not_replaced_whatever_is_asked_for(
    store: Path, tmp_path: Path
) -> None:
    there = tmp_path / "new"
    with pytest.raises(NotWritten, match="is a store already"):
        fill(there, lambda: shutil.copy(store, there), force=True)
    assert there.read_bytes() == store.read_bytes()


def test_where_there_are_no_hard_links_the_file_comes_to_its_place_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def without(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")  # as FAT has it

    monkeypatch.setattr(os, "link", without)
    fill(tmp_path / "new", lambda: None)
    assert content(tmp_path) == {"new": b"mine"}
    other = tmp_path / "other"
    with pytest.raises(NotWritten, match="already"):
        fill(other, lambda: other.write_text("theirs"))
    assert content(tmp_path) == {"new": b"mine", "other": b"theirs"}


def test_a_dossier_goes_to_standard_output_when_asked(store: Path, run: Run) -> None:
    whom = dossier(store, Path("-"))
    assert "ada/2025" in run(*whom).stdout
    then = ("--at", "2025-12-20 12:00", "--known-at", "1")
    asked, left_out = (run(*each, *then).stdout for each in (whom, whom[:-2]))
    second = r"as known at [0-9: -]+"  # in which it was asked
    assert re.sub(second, "", asked) == re.sub(second, "", left_out)
    assert "--force says nothing" in run(*whom, "--force").stderr


def test_a_store_is_created_and_copied_to_where_nothing_is_and_nowhere_else(
    store: Path, tmp_path: Path
) -> None:
    strangers = tmp_path / "elsewhere" / "strangers"
    strangers.parent.mkdir()
    planted = tmp_path / "planted.db"
    planted.symlink_to(strangers)
    os.mkfifo(tmp_path / "fifo")
    for name in ("planted.db", "elsewhere", "fifo", "facts.db-journal", "facts.db.trail-wal"):
        with pytest.raises(StoreError):
            init(url(tmp_path / name))
        with pytest.raises(StoreError):
            copy(url(store), url(tmp_path / name))
    assert list(strangers.parent.iterdir()) == []
    assert copy(url(store), url(tmp_path / "new.db")) == 2
    assert check(url(tmp_path / "new.db"), EDITIONS).facts == 2


def test_a_copy_that_fails_leaves_no_store(store: Path, tmp_path: Path) -> None:
    with closing(sqlite3.connect(store)) as connection, connection:
        connection.execute("UPDATE alembic_version SET version_num='0002'")
    with pytest.raises(StoreError, match="has layout 0002"):
        copy(url(store), url(tmp_path / "new.db"))
    assert not (tmp_path / "new.db").exists()


@pytest.fixture
def usual() -> Iterator[None]:
    """The umask of most systems."""
    before = os.umask(0o022)
    yield
    os.umask(before)


def modes(folder: Path) -> dict[str, str]:
    return {
        each.name: oct(stat.S_IMODE(each.stat().st_mode))
        for each in folder.iterdir()
        if each.is_file()
    }


@both
@pytest.mark.usefixtures("usual")
def test_what_is_written_is_its_owners_alone(
    writing: Writing, store: Path, run: Run, tmp_path: Path
) -> None:
    assert run(*writing(store, tmp_path / "new")).exit_code == 0
    (tmp_path / "there").write_text("for all to read")
    assert run(*writing(store, tmp_path / "there"), "--force").exit_code == 0
    found = modes(tmp_path)
    assert (found["new"], found["there"]) == ("0o600", "0o600")


@pytest.mark.usefixtures("usual")
@pytest.mark.parametrize("kept", ["beside the store", "elsewhere"])
def test_a_store_and_its_trail_are_their_owners_alone(kept: str, tmp_path: Path) -> None:
    trail = None if kept == "beside the store" else str(tmp_path / "elsewhere.trail")
    with yibao.open(url(tmp_path / "facts.db")) as service, service.audit_trail(trail) as asked:
        told(service, Step("ada", [registration("ada", "r1")]))
        asked.catch_up()
        lead = lead_of(asked.store, "audit-trail")
        assert lead.is_mine()
        found = modes(tmp_path)
        lead.release()
    ending = "facts.db.trail" if trail is None else "elsewhere.trail"
    assert {"facts.db", "facts.db-wal", "facts.db-shm", "facts.db.audit-trail.lead"} < set(found)
    assert {ending, f"{ending}-wal"} < set(found)
    assert set(found.values()) == {"0o600"}


@pytest.mark.usefixtures("usual")
def test_a_store_is_its_owners_alone_whatever_makes_it(
    store: Path, run: Run, tmp_path: Path
) -> None:
    folder = tmp_path / "made"
    folder.mkdir()
    assert run("db", "init", "--store", url(folder / "init.db")).exit_code == 0
    assert run("db", "copy", "--store", url(store), "--to", url(folder / "copy.db")).exit_code == 0
    (folder / "link.db").symlink_to(folder / "open.db")
    yibao.open(url(folder / "link.db")).close()
    assert modes(folder) == dict.fromkeys(("init.db", "copy.db", "open.db", "link.db"), "0o600")


@pytest.mark.usefixtures("usual")
def test_a_file_that_somebody_made_keeps_the_permissions_he_gave_it(tmp_path: Path) -> None:
    for name in ("facts.db", "facts.db.trail"):
        (tmp_path / name).touch()
        (tmp_path / name).chmod(0o640)
    for _ in range(2):
        with yibao.open(url(tmp_path / "facts.db")) as service, service.audit_trail() as trail:
            trail.catch_up()
            assert set(modes(tmp_path).values()) == {"0o640"}


def test_whoever_presses_control_c_is_told_so_in_one_line() -> None:
    interrupted = click.Command("wait", callback=lambda: signal.raise_signal(signal.SIGINT))
    # Where a shell runs the tests in the background, they ignore what is then pressed.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        done = CliRunner().invoke(Commands(commands=[interrupted]), ["wait"])
    finally:
        signal.signal(signal.SIGINT, before)
    assert (done.exit_code, done.output) == (130, "yibao: interrupted\n")


def test_when_what_follows_has_ended_signals_do_what_they_did_before() -> None:
    asking = (signal.SIGINT, signal.SIGTERM)
    before = [signal.getsignal(each) for each in asking]
    stop = Stop()
    with ended_by_signals(stop):
        signal.raise_signal(signal.SIGTERM)
        assert stop.is_set()
    assert [signal.getsignal(each) for each in asking] == before
