"""What stood beside a store of an earlier release: a directory, and the signed log of its facts."""

import json
import shutil
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from golden.held import BESIDE, GOLDEN
from golden.keys import PEOPLE, SCHOOL, directory_in, signing_key

import yibao
from yibao.adapters.cli import main
from yibao.adapters.office.directory import Accessed, Directory, open_directory
from yibao.domain.calendar import read_instant
from yibao.domain.vocabulary import EnrollmentId

ADA, BO = PEOPLE
RELEASES = sorted({path.name.removesuffix(".people.db") for path in BESIDE.glob("*.people.db")})


@pytest.fixture(params=RELEASES)
def released(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> dict[str, Any]:
    """A store with what stood beside it, in the folder that is worked in; what was said of it."""
    release: str = request.param
    shutil.copy(GOLDEN / f"{release}.db", tmp_path / "store.db")
    for path in BESIDE.glob(f"{release}.*"):
        shutil.copy(path, tmp_path / path.name.removeprefix(f"{release}."))
    monkeypatch.chdir(tmp_path)
    for keys in tmp_path.glob("people.db*"):
        keys.chmod(0o600)
    told: dict[str, Any] = json.loads((GOLDEN / f"{release}.json").read_text(encoding="utf-8"))
    return told


def directory() -> Directory:
    found = open_directory(
        directory_in(Path()), lambda: read_instant("2026-03-01 09:00"), make=False
    )
    assert found is not None
    return found


def printed(*arguments: str) -> str:
    done = CliRunner().invoke(main, ["evidence", *arguments], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.stdout


def test_a_directory_of_an_earlier_release_tells_who_people_are(released: dict[str, Any]) -> None:
    with closing(directory()) as people:
        for whom in PEOPLE:
            assert people.find(SCHOOL, whom.entry.number, by="officer-7") == whom.ref
            assert people.person(whom.ref, by="officer-7") == whom.entry
        assert [each.ref for each in people.waiting_proxies(SCHOOL)] == [BO.ref]
        *_, kept = people.accesses.page(Accessed(ref=ADA.ref))[0]
        assert (kept.look.what, kept.look.actor) == ("find", "officer-7")
        assert kept.look.reason == "counter"


def test_who_was_entered_by_an_earlier_release_can_be_forgotten(released: dict[str, Any]) -> None:
    with closing(directory()) as people:
        assert people.forget(ADA.ref, by="privacy-1", reason="asked-for") == "forgotten"
        assert people.person(ADA.ref, by="officer-7") is None
        assert people.person(BO.ref, by="officer-7") == BO.entry


def test_a_log_of_an_earlier_release_proves_its_facts_and_goes_on(released: dict[str, Any]) -> None:
    Path("then.note").write_text(released["note"], encoding="utf-8")
    vkey = ("--vkey", released["vkey"])
    verified = json.loads(
        printed("verify", "--store", "store.db", "--note", "then.note", *vkey, "--json")
    )
    assert verified["ok"]
    with yibao.open("sqlite:///store.db", by="officer-7") as service:
        service.declare_other_cover(EnrollmentId("ada", 2025), kind="shanghai_resident")
    note = printed("checkpoint", "--key", str(signing_key(Path())), "--store", "store.db")
    Path("now.note").write_text(note, encoding="utf-8")
    notes = ("--from", "then.note", "--to", "now.note", "--out", "both")
    printed("consistency", "--store", "store.db", *notes, *vkey)
    printed("check", "both", *vkey)
