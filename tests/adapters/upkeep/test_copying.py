"""A store is copied into another of either kind: everything, in its place, or nothing."""

import shutil
from pathlib import Path

import pytest
from golden.held import GOLDEN

import yibao
from yibao.adapters.editions.files import Editions
from yibao.adapters.service.service import Service, open_service
from yibao.adapters.store.facts import StoreError
from yibao.adapters.upkeep.checking import check
from yibao.adapters.upkeep.copying import copy

from ..conftest import Run
from ..helpers.autumn import ADA
from ..helpers.stores import lasting, rows
from ..helpers.writers import Step, filing, registration, told

TABLES = ("stored_events", "notes", "refused_attempts", "counted_attempts")


@pytest.fixture
def golden(tmp_path: Path) -> str:
    """A store with every shape there is, brought to the layout of now."""
    path = tmp_path / "golden.db"
    shutil.copy(GOLDEN / "v0.3.0.db", path)
    url = f"sqlite:///{path}"
    with open_service(url, attempts_kept=1, by="counter-2") as service:
        for _ in range(3):
            with pytest.raises(yibao.Refused):
                service.confirm(ADA, at="2025-12-15 10:00", channel="app")
    return url


def all_of(url: str) -> dict[str, list[str]]:
    """Every row of every table, as either kind of store writes it."""
    return {
        table: sorted(str(row).replace("-", "") for row in rows(url, f"SELECT * FROM {table}"))
        for table in TABLES
    }


def comparable(found: dict[str, list[str]]) -> dict[str, list[str]]:
    unquoted = {"UUID('": "'", "')": "'"}
    for was, now in unquoted.items():
        found = {name: [row.replace(was, now) for row in each] for name, each in found.items()}
    return {name: [row.replace("'", "") for row in each] for name, each in found.items()}


def test_everything_is_there_in_its_place_and_there_and_back_it_is_the_same(
    run: Run, golden: str, postgres_url: str, tmp_path: Path
) -> None:
    before = comparable(all_of(golden))
    assert all(before.values())
    done = run("db", "copy", "--store", golden, "--to", postgres_url)
    assert done.exit_code == 0
    assert done.output.startswith(f"{len(before['stored_events'])} facts copied to postgresql://")
    assert comparable(all_of(postgres_url)) == before
    assert check(postgres_url, Editions()).findings == ()
    back = f"sqlite:///{tmp_path / 'back.db'}"
    copy(postgres_url, back)
    assert comparable(all_of(back)) == before


def test_what_is_recorded_afterwards_takes_the_next_place(golden: str, postgres_url: str) -> None:
    copy(golden, postgres_url)
    told = []
    for url in (golden, postgres_url):
        with open_service(url) as service, service.audit_trail() as audit:
            assert service.at(ADA, "2025-12-20 12:00").version == len(service.facts(ADA))
            service.pay_premium(ADA, at="2025-12-15 10:00", year=2026, observed=True)
            audit.catch_up()
            told.append([entry.row.kind for entry in audit.all(yibao.Question())])
            assert service._store.recorded(ADA.stream)[-1].position == len(
                service._store.feed(0, 2**62, 1000)
            )
    assert told[0] == told[1]


@lasting
def test_a_copy_is_of_one_moment_whoever_records_meanwhile(url: str, tmp_path: Path) -> None:
    with open_service(url) as service:
        noted(service, "before")
        before = comparable(all_of(url))

        def watch(done: int, of: int) -> None:
            """Once the facts are copied somebody is registered, and somebody else refused."""
            noted(service, "meanwhile")
            with pytest.raises(yibao.Refused):
                service.confirm(ADA, at="2025-12-15 10:00", channel="app")

        there = f"sqlite:///{tmp_path / 'copy.db'}"
        copied = copy(url, there, watch)
        assert len(service.facts(yibao.EnrollmentId("meanwhile", 2025))) == 2
    assert copied == len(before["stored_events"])
    assert comparable(all_of(there)) == before


def noted(service: Service, ref: str) -> None:
    """Registers a student, with a note."""
    asked = [registration(ref, ref), filing(f"{ref}-filed", note="by phone")]
    assert told(service, Step(ref, asked)).versions == [1, 2]


def test_a_copy_that_would_be_gone_at_once_is_refused(run: Run, golden: str) -> None:
    done = run("db", "copy", "--store", golden, "--to", "memory:")
    assert done.exit_code == 2
    assert "gone at once" in done.output


def test_nothing_is_copied_over_anything(golden: str, postgres_url: str) -> None:
    with open_service(postgres_url) as service, pytest.raises(yibao.Refused):
        service.confirm(ADA, at="2025-12-15 10:00", channel="app")
    before = all_of(postgres_url)
    with pytest.raises(StoreError, match="is not empty"):
        copy(golden, postgres_url)
    assert all_of(postgres_url) == before


def test_a_copy_that_fails_leaves_an_empty_store(golden: str, postgres_url: str) -> None:
    rows(golden, "UPDATE counted_attempts SET attempts='many'")
    with pytest.raises(StoreError, match="invalid input syntax"):
        copy(golden, postgres_url)
    assert not any(all_of(postgres_url).values())


def test_a_store_of_an_older_layout_is_not_copied(postgres_url: str) -> None:
    with pytest.raises(StoreError, match="has layout 0002: bring it to 0003"):
        copy(f"sqlite:///{GOLDEN / 'v0.2.0.db'}", postgres_url)
