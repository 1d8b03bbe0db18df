"""`yibao projections`: how far they are, keeping them up, and whom they had to leave out."""

import csv
import io
import json
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, NoReturn
from urllib.parse import quote

import pytest
from jsonschema import Draft202012Validator

import yibao
from yibao.adapters.following.trail import batches
from yibao.adapters.service.service import open_service
from yibao.adapters.store.facts import FactStore
from yibao.adapters.stories.published import SCHEMAS

from ..conftest import Run
from ..helpers.stores import lasting, rows
from ..helpers.writers import Step, filing, registration, told

ADA, BO = yibao.EnrollmentId("ada", 2025), yibao.EnrollmentId("bo", 2025)
SOURCES = str(Path(__file__).parents[3] / "src")

pytestmark = lasting


@pytest.fixture
def store(url: str) -> str:
    """A store with two students."""
    with open_service(url) as service:
        for ref in ("ada", "bo"):
            told(service, Step(ref, [registration(ref, f"{ref}-1"), filing(f"{ref}-2")]))
    return url


def every_status(run: Run, store: str) -> list[dict[str, Any]]:
    done = run("projections", "status", "--store", store, "--json")
    found: list[dict[str, Any]] = json.loads(done.stdout)["projections"]
    return found


def status(run: Run, store: str) -> tuple[int, dict[str, Any]]:
    done = run("projections", "status", "--store", store, "--json")
    found, cohort = json.loads(done.stdout)["projections"]
    assert (found["projection"], cohort["projection"]) == ("audit-trail", "cohort")
    return done.exit_code, found


def spoil(store: str, version: int = 2) -> bytes:
    """Makes a fact of Ada's unreadable; what stood there."""
    which = f"originator_id = ? AND originator_version = {version}"
    ((state,),) = rows(store, f"SELECT state FROM stored_events WHERE {which}", ADA.stream.hex)
    rows(store, f"UPDATE stored_events SET state = ? WHERE {which}", b"{}", ADA.stream.hex)
    return bytes(state)


def test_a_projection_tells_how_far_it_is_behind_and_takes_nothing_in_by_that(
    run: Run, store: str
) -> None:
    for _ in range(2):
        code, found = status(run, store)
        assert (code, found["position"], found["behind"], found["reached"]) == (0, 0, 5, 5)
        assert found["waits_since"] is not None
        assert found["led"] is False
        assert found["halted"] is None
    assert run("projections", "follow", "--store", store, "--once").exit_code == 0
    code, found = status(run, store)
    assert (found["position"], found["behind"], found["waits_since"]) == (5, 0, None)
    assert "audit-trail" in run("projections", "status", "--store", store).output


def test_a_student_that_is_parked_is_told_of_until_it_is_set_right(run: Run, store: str) -> None:
    state = spoil(store)
    code, found = status(run, store)
    assert (code, found["parked"]) == (0, [])
    for _ in range(2):  # each of them is told, whoever has taken it in
        once = run("projections", "follow", "--store", store, "--once")
        alarms = [line for line in map(json.loads, once.stderr.splitlines()) if "stream" in line]
        assert once.exit_code == 0
        assert [(line["event"], line["level"], line["projection"]) for line in alarms] == [
            ("parked", "error", "audit-trail"),
            ("parked", "error", "cohort"),
        ]
    code, found = status(run, store)
    (parked,) = found["parked"]
    assert (code, parked["ref"], parked["year"]) == (1, "ada", 2025)
    assert "remote-care-filed" in parked["told"]
    table = run("projections", "status", "--store", store)
    assert table.exit_code == 1
    assert "ada 2025 is parked from position 2" in table.output
    assert run("projections", "retry", "--store", store).exit_code == 1
    rows(
        store,
        "UPDATE stored_events SET state = ? WHERE originator_id = ? AND originator_version = 2",
        state,
        ADA.stream.hex,
    )
    done = run("projections", "retry", "--store", store)
    assert (done.exit_code, done.output) == (0, "0 students are still parked\n")
    assert status(run, store)[1]["parked"] == []
    entries = json.loads(run("audit", "--store", store, "--json").stdout)["entries"]
    assert [entry["ref"] for entry in entries if entry["ref"]] == ["ada", "ada", "bo", "bo"]
    assert not any("stale" in entry for entry in entries)


def test_how_far_it_is_can_be_asked_where_a_fact_of_a_newer_yibao_halts_it(
    run: Run, store: str
) -> None:
    rows(store, "UPDATE stored_events SET topic = 'of-tomorrow' WHERE notification_id = 3")
    halted = run("projections", "follow", "--store", store, "--once")
    assert halted.exit_code == 2
    assert "'of-tomorrow', which this version of yibao does not know" in halted.output
    code, found = status(run, store)
    assert (code, found["position"], found["behind"]) == (1, 2, 3)
    assert found["waits_since"] is not None
    assert "the fact at position 3 has the name 'of-tomorrow'" in found["halted"]
    text = run("projections", "status", "--store", store)
    assert text.exit_code == 1
    assert "goes no further: the fact at position 3 has" in " ".join(text.output.split())


def planted(monkeypatch: pytest.MonkeyPatch) -> None:
    """A mistake of the program's own, whoever's facts are taken in."""

    def mistaken(*_: object) -> NoReturn:
        raise KeyError("what nobody should read")

    monkeypatch.setattr(batches, "rows_of_entries", mistaken)


def test_a_mistake_of_the_programs_own_parks_nobody_and_whoever_asks_is_told_of_it(
    run: Run, store: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as mistaken:
        planted(mistaken)
        told = "a mistake of the program's own: KeyError in tests.adapters.cli.test_projections:"
        once = run("projections", "follow", "--store", store, "--once")
        *_, line, said = once.stderr.splitlines()
        assert (once.exit_code, "nobody should" in once.stderr) == (2, False)
        assert said.startswith(f"yibao: {told}")
        log = json.loads(line)
        assert (log["event"], log["level"]) == ("halted", "critical")
        assert log["reason"].startswith(told)
        frames = [frame.partition(":")[0] for frame in log["frames"]]
        assert "yibao.adapters.following.derived.following" in frames
        assert log["frames"][-1].endswith("mistaken")
        for asked in (["audit"], ["audit", "--ref", "bo", "--json"], ["projections", "retry"]):
            done = run(*asked, "--store", store)
            assert (done.exit_code, done.stdout) == (2, "")
            assert done.stderr.startswith(f"yibao: {told}")
        code, found = status(run, store)
        assert (code, found["position"], found["parked"]) == (1, 0, [])
        assert found["halted"].startswith(told)
        assert "goes no further" in run("projections", "status", "--store", store).output
    assert run("audit", "--store", store).exit_code == 0
    assert status(run, store)[1]["halted"] is None


def test_while_somebody_writes_the_facts_are_told_to_reach_at_least_as_far_as_the_projection(
    run: Run, store: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    reached = FactStore.reached
    monkeypatch.setattr(FactStore, "reached", lambda store, patience=0.1: reached(store, patience))
    assert run("projections", "follow", "--store", store, "--once").exit_code == 0
    with open_service(store) as service, service._store.transaction([ADA.stream]) as writing:
        # It has the lock of whoever inserts.
        writing.sql.rows("DELETE FROM stored_events WHERE false RETURNING 1")
        code, found = status(run, store)
    assert (code, found["position"], found["reached"]) == (0, 5, 5)


def test_the_rows_of_a_parked_student_are_told_as_stale(run: Run, store: str) -> None:
    with open_service(store) as service, service.audit_trail() as audit:
        audit.catch_up()
        told(service, Step("ada", [filing("ada-3")]))
        told(service, Step("bo", [filing("bo-3")]))
    spoil(store, version=3)
    found = json.loads(run("audit", "--store", store, "--json").stdout)["entries"]
    of_ada = [entry for entry in found if entry["ref"] == "ada"]
    assert [entry["version"] for entry in of_ada] == [1, 2]
    assert all(entry["stale"] for entry in of_ada)
    of_bo = [entry for entry in found if entry["ref"] == "bo"]
    assert [entry["version"] for entry in of_bo] == [1, 2, 3]
    assert not any("stale" in entry for entry in of_bo)
    table = list(csv.DictReader(io.StringIO(run("audit", "--store", store, "--csv").stdout)))
    assert {row["ref"]: row["stale"] for row in table if row["ref"]} == {"ada": "True", "bo": ""}
    text = run("audit", "--store", store, "--ref", "ada").stdout
    assert text.count("could not be taken in") == 2
    brief = run("audit", "--store", store, "--brief").stdout.splitlines()
    assert ["not up to date" in line for line in brief] == ["[ada/" in line for line in brief]


def test_who_asks_for_what_a_parked_student_might_have_is_told_that_it_may_be_lacking(
    run: Run, store: str
) -> None:
    spoil(store, version=1)
    for asked in (["--ref", "ada", "--facts-only"], ["--json"], ["--school", "sjtu", "--brief"]):
        lacking = run("audit", "--store", store, *asked).stderr
        assert "facts of 1 student could not be taken in" in lacking
    found = json.loads(run("audit", "--store", store, "--json").stdout)
    Draft202012Validator(SCHEMAS["audit"]()).validate(found)
    (parked,) = found["parked"]
    assert (parked["stream"], parked["position"]) == (ADA.stream.hex, 2)
    for asked in (["--ref", "bo", "--year", "2025"], ["--kind", "refused"]):
        told_of = run("audit", "--store", store, *asked).stderr
        assert ("could not be taken in" in told_of) == ("bo" in asked)


@pytest.mark.parametrize("form", ["{}", "sqlite:///{}"])
def test_the_file_of_a_trail_is_told_by_its_path_or_as_a_url(
    run: Run, store: str, tmp_path: Path, form: str
) -> None:
    path = tmp_path / "50% #1?.trail"
    told_as = form.format(path if form == "{}" else quote(str(path)))
    missing = run("projections", "status", "--store", store, "--trail", told_as)
    assert (missing.exit_code, missing.stderr) == (2, "yibao: there is no such trail\n")
    assert not path.exists()
    entries = run("audit", "--store", store, "--trail", told_as, "--json").stdout
    assert len(json.loads(entries)["entries"]) == 5
    assert path.is_file()
    done = run("projections", "status", "--store", store, "--trail", told_as, "--json")
    assert json.loads(done.stdout)["projections"][0]["position"] == 5
    assert run("projections", "retry", "--store", store, "--trail", told_as).exit_code == 0


@pytest.mark.parametrize("no_file", ["", ":memory:", "postgresql://host/database", "memory:"])
def test_what_is_no_file_of_a_trail_is_a_clear_error(run: Run, store: str, no_file: str) -> None:
    for command in (["audit"], ["projections", "status"], ["projections", "follow", "--once"]):
        done = run(*command, "--store", store, "--trail", no_file)
        assert done.exit_code == 2
        assert "a trail is kept in a file, told by its PATH or as sqlite:///PATH" in done.stderr


def test_a_follower_keeps_up_until_it_is_asked_to_end(run: Run, store: str) -> None:
    follower = subprocess.Popen(
        [sys.executable, "-m", "yibao", "projections", "follow", "--store", store],
        stderr=subprocess.PIPE,
        text=True,
        env={"PYTHONPATH": SOURCES},
    )
    try:
        ends = time.monotonic() + 60
        while not all(each["led"] and not each["behind"] for each in every_status(run, store)):
            assert time.monotonic() < ends, "nobody follows"
            time.sleep(0.1)
    finally:
        follower.send_signal(signal.SIGTERM)
        _, written = follower.communicate(timeout=30)
        log = [json.loads(line) for line in written.splitlines()]
    assert follower.returncode == 0
    for projection in ("audit-trail", "cohort"):
        told = [line for line in log if line["projection"] == projection]
        assert [line["event"] for line in told] == ["leading", "taken-in"]
        assert (told[1]["facts"], told[1]["behind"]) == (5, 0)
    assert not status(run, store)[1]["led"]
