"""Stories go into a rehearsal store alone: nothing a story tells reaches what has happened."""

import json
import shutil
from contextlib import closing
from pathlib import Path

import pytest
from given import sheet
from golden.held import GOLDEN
from pgserver import Server

import yibao
from yibao.adapters.editions.files import Editions
from yibao.adapters.service.service import Service
from yibao.adapters.store.facts import StoreError, open_store
from yibao.adapters.store.urls import file_of, is_postgres
from yibao.adapters.upkeep.checking import check
from yibao.adapters.upkeep.creating import init

from ..conftest import Run, Write
from ..helpers.stores import content, for_stories, lasting, on_sqlite, rows

#: What was tried from outside: it moved everybody's window, and everything was stamped 2099 after.
REWRITING = """
- at: 2025-09-03 10:00
  recorded: 2099-01-01 00:00
  fix_window: {closes_on: 2025-09-08}
"""


def register(service: Service, ref: str) -> yibao.EnrollmentId:
    service.register(ref, **sheet())
    return yibao.EnrollmentId(ref, 2025)


def live(url: str) -> str:
    """A store in which something has happened."""
    with yibao.open(url) as service:
        register(service, "ada")
    return url


def at_rest(url: str) -> bytes:
    """What lies in a store that nobody has open."""
    return Path(file_of(url)).read_bytes() if not is_postgres(url) else content(url)


@lasting
def test_a_story_does_not_go_into_a_store_of_what_has_happened(
    url: str, tell: Write, run: Run
) -> None:
    before = at_rest(live(url))
    ended = run("replay", tell(REWRITING), "--store", url)
    assert (ended.exit_code, ended.stdout) == (2, "")
    assert ended.stderr.startswith("yibao: stories go into a rehearsal store alone, and ")
    assert "`yibao db init --rehearsal` makes one" in ended.stderr
    assert ended.stderr.count("\n") == 1
    assert at_rest(url) == before
    with yibao.open(url) as service:
        assert service.at(yibao.EnrollmentId("ada", 2025), "2025-09-20 10:00").state is (
            yibao.State.REGISTERED
        )
        assert service.at(yibao.EnrollmentId("s1", 2025)).state is None


@lasting
def test_a_store_that_is_still_empty_is_no_rehearsal_store_either(
    url: str, tell: Write, run: Run
) -> None:
    open_store(url).close()
    assert run("replay", tell(), "--store", url).exit_code == 2


@pytest.mark.parametrize("release", ["v0.1.0", "v0.4.0"])
def test_a_store_of_an_earlier_release_is_refused_as_it_is(
    release: str, tell: Write, run: Run, tmp_path: Path
) -> None:
    path = tmp_path / "facts.db"
    shutil.copy(GOLDEN / f"{release}.db", path)
    before = path.read_bytes()
    assert run("replay", tell(), "--store", f"sqlite:///{path}").exit_code == 2
    assert path.read_bytes() == before


@lasting
def test_no_service_rehearses_in_a_store_of_what_has_happened(url: str) -> None:
    live(url)
    with closing(open_store(url)) as store, pytest.raises(StoreError, match="no rehearsal store"):
        Service(store, Editions(), rehearsing=True)


@lasting
def test_nothing_that_has_happened_goes_into_a_rehearsal_store(
    url: str, tell: Write, run: Run
) -> None:
    store = for_stories(url)
    assert run("replay", tell(), "--store", store).exit_code == 0
    before = rows(store, "SELECT COUNT(*) FROM stored_events")
    with yibao.open(store) as service:
        for record in (lambda: register(service, "ada"), lambda: register(service, "s1")):
            with pytest.raises(StoreError, match="a rehearsal store: nothing but stories"):
                record()
        assert service.at(yibao.EnrollmentId("s1", 2025)).version
        assert service.refused_attempts(yibao.EnrollmentId("s1", 2025)) == []
    assert rows(store, "SELECT COUNT(*) FROM stored_events") == before


@lasting
def test_stories_go_into_a_rehearsal_store_one_after_another(
    url: str, tell: Write, write: Write, run: Run
) -> None:
    store = for_stories(url)
    first = tell(REWRITING)
    second = write(tell().read_text(encoding="utf-8").replace("s1", "s2"), "second.yaml")
    assert run("replay", first, second, "--store", store).exit_code == 0
    again = run("replay", second, "--store", store)
    assert again.exit_code == 2
    assert "in the store already" in again.stdout
    with yibao.open(store) as service:
        assert [service.at(yibao.EnrollmentId(ref, 2025)).version for ref in ("s1", "s2")] == [1, 1]


@on_sqlite
@pytest.mark.parametrize("there", [False, True])
def test_a_replay_makes_a_rehearsal_store_where_there_is_none(
    there: bool, url: str, tell: Write, run: Run
) -> None:
    if there:
        Path(file_of(url)).touch()
    assert run("replay", tell(), "--store", url).exit_code == 0
    assert check(url, Editions()).rehearsal


def test_of_a_database_without_a_store_it_is_told_how_to_make_one(
    postgres: Server, tell: Write, run: Run
) -> None:
    url = postgres.database("template0")
    try:
        ended = run("replay", tell(), "--store", url)
        assert ended.exit_code == 2
        assert "`yibao db init --rehearsal` makes one" in ended.stderr
        assert run("db", "init", "--rehearsal", "--store", url).exit_code == 0
        assert run("replay", tell(), "--store", url).exit_code == 0
        assert run("db", "init", "--store", url).exit_code == 2
        assert check(url, Editions()).rehearsal
    finally:
        postgres.drop(url)


@lasting
def test_a_store_that_is_there_is_not_made_a_rehearsal_store(url: str, run: Run) -> None:
    live(url)
    assert run("db", "init", "--rehearsal", "--store", url).exit_code == 2
    assert not check(url, Editions()).rehearsal
    with closing(open_store(url, rehearsal=True)) as store:
        assert not store.is_rehearsal


@on_sqlite
def test_it_is_told_that_a_store_is_for_stories_and_that_is_no_finding(url: str, run: Run) -> None:
    created = run("db", "init", "--rehearsal", "--store", url)
    assert created.output.endswith("a rehearsal store: it is for stories alone\n")
    looked = run("db", "check", "--store", url)
    assert looked.exit_code == 0
    assert "a rehearsal store" in looked.stdout
    assert json.loads(run("db", "check", "--store", url, "--json").stdout)["rehearsal"] is True


def test_a_backup_of_a_rehearsal_store_is_one(tell: Write, run: Run, tmp_path: Path) -> None:
    store, copied = f"sqlite:///{tmp_path / 'played.db'}", tmp_path / "copy.db"
    assert run("replay", tell(), "--store", store).exit_code == 0
    assert run("db", "backup", "--store", store, copied).exit_code == 0
    assert check(f"sqlite:///{copied}", Editions()).rehearsal


@lasting
@pytest.mark.parametrize("played", [False, True])
def test_what_was_rehearsed_and_what_has_happened_are_not_copied_into_each_other(
    played: bool, url: str, tell: Write, run: Run, tmp_path: Path
) -> None:
    source = f"sqlite:///{tmp_path / 'source.db'}"
    if played:
        assert run("replay", tell(), "--store", source).exit_code == 0
    else:
        live(source)
        for_stories(url)
        if not is_postgres(url):
            init(url, rehearsal=True)
    open_store(url).close()
    before = at_rest(url)
    ended = run("db", "copy", "--store", source, "--to", url)
    assert ended.exit_code == 2
    assert ("init --rehearsal" in ended.stderr) is played
    assert at_rest(url) == before


@lasting
def test_a_rehearsal_store_is_copied_into_another(
    url: str, tell: Write, run: Run, tmp_path: Path
) -> None:
    source = f"sqlite:///{tmp_path / 'source.db'}"
    assert run("replay", tell(), "--store", source).exit_code == 0
    assert run("db", "copy", "--store", source, "--to", for_stories(url)).exit_code == 0
    assert check(url, Editions()).rehearsal
    assert len(rows(url, "SELECT 1 FROM stored_events")) == check(source, Editions()).facts
