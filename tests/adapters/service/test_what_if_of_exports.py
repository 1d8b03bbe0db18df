"""What an edited edition would change, asked of an export: what the store itself says."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from distributed import LocalCluster
from given import sheet

import yibao
from yibao.adapters.cli import main
from yibao.adapters.editions import Editions
from yibao.adapters.following.cohort import exported
from yibao.adapters.following.cohort.exported import Exported
from yibao.adapters.service.arrow import export
from yibao.adapters.service.service import Service, open_service
from yibao.projections.cohort.what_if import WhatIf

from ..helpers.autumn import Clock

STORIES = Path(__file__).parents[3] / "scenarios"
NOW = "2027-01-10 10:00"
EDITED = """\
edition: mine-{name}
title: {{en: Another, zh: 另一版本}}
extends: {name}
parameters:
  {parameter}: {{value: {value}, unit: {unit}, clause: a draft, basis: stated}}
"""
LATE = (
    "{opens: 2026-01-01, closes: 2026-12-31, cover_from: enrollment_day, fixed_waiting_months: 1}"
)
PARAMETERS = {
    "shanghai-2025": {
        "parameter": "waiting_months_per_lapsed_year",
        "value": "1",
        "unit": "months",
    },
    "shanghai-2026-continuing": {"parameter": "late_period", "value": LATE, "unit": "period"},
}
REPLACED = tuple(PARAMETERS)


@pytest.fixture(scope="module")
def mine(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with an edited edition for each year."""
    folder = tmp_path_factory.mktemp("mine")
    for name, other in PARAMETERS.items():
        text = EDITED.format(name=name, **other)
        (folder / f"{name}.yaml").write_text(text, encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """Stories of one autumn, of care, of several years, and of windows that are fixed.

    A window is fixed for all in a store, so that not all that they expect holds together.
    """
    file = tmp_path_factory.mktemp("stories") / "facts.db"
    told = [str(STORIES / each) for each in ("a-school", "care", "several-years", "window")]
    CliRunner().invoke(main, ["replay", *told, "--store", str(file)])
    with open_service(f"sqlite:///{file}", clock=Clock(NOW)) as it:
        yield it


@pytest.fixture(scope="module")
def autumn(tmp_path_factory: pytest.TempPathFactory, service: Service) -> Path:
    """An export of it by school."""
    folder = tmp_path_factory.mktemp("exports") / "autumn"
    export(service.cohort(), folder, by_school=True)
    return folder


def told(found: WhatIf) -> dict[str, Any]:
    """All that is told: of an example who it is may differ, not by how much."""
    return {
        "gains": found.gains,
        "loses": found.loses,
        "school": found.by("school"),
        "category": found.by("category"),
        "everybody": sorted(found.everybody()),
        "examples": [each.outcome.days_more for each in found.examples()],
    }


def check_examples(found: WhatIf, service: Service) -> None:
    """Holds the answers of examples against what the store says, but for who told the facts."""
    for each in found.examples():
        asked = service.at(each.outcome.enrollment, found.at)
        told, expected = (
            without_who(yibao.as_json(one, None, True)) for one in (each.before, asked)
        )
        assert told["known_at"] is not None
        assert {**told, "known_at": None} == {**expected, "known_at": None}


@pytest.mark.parametrize("name", REPLACED)
@pytest.mark.parametrize("known_at", [None, "2025-11-01 10:00"])
def test_an_export_says_what_the_store_says(
    service: Service, autumn: Path, mine: Path, name: str, known_at: str | None
) -> None:
    asked: dict[str, Any] = {"edition": mine / f"{name}.yaml", "instead_of": name}
    expected = service.what_if(known_at=known_at, **asked)
    found = yibao.what_if_of(autumn, known_at=known_at or NOW, **asked)
    assert told(found) == told(expected)
    if known_at is None:
        assert found.gains.students > 0
        check_examples(found, service)


def test_an_export_that_is_not_parted_by_school_says_the_same(
    service: Service, autumn: Path, mine: Path, tmp_path: Path
) -> None:
    export(service.cohort(), tmp_path / "whole")
    asked: dict[str, Any] = {"edition": mine / "shanghai-2025.yaml", "known_at": NOW}
    assert told(yibao.what_if_of(tmp_path / "whole", **asked)) == told(
        yibao.what_if_of(autumn, **asked)
    )


@pytest.fixture
def moving(tmp_path: Path) -> Path:
    """An export of two who go on at another school; of one a payment there tells of the first."""
    clock = Clock("2025-09-01 08:00")
    with open_service(f"sqlite:///{tmp_path / 'moving.db'}", clock=clock) as service:
        for ref, lapsed in (("gil", 2), ("hal", 0)):
            first, second = (yibao.EnrollmentId(ref, year) for year in (2025, 2026))
            service.register(ref, **sheet(at=clock.at("2025-09-01 08:30"), school="sjtu"))
            service.declare_roster(first, at=clock.at("2025-09-02 17:00"))
            service.confirm(first, at=clock.at("2025-09-06 14:20"), channel="app")
            service.verify_prior_coverage(
                first, at=clock.at("2025-09-06 15:00"), lapsed_years=lapsed
            )
            go_on = {"policy": REPLACED[1], "school": "fudan", "on": "2025-09-01"}
            service.register(ref, **sheet(at=clock.at("2025-11-15 09:00"), **go_on))
            service.pay_premium(second, at=clock.at("2025-11-20 10:00"), year=2026)
            clock.at("2025-09-01 08:00")
        clock.at(NOW)
        export(service.cohort(), tmp_path / "moving", by_school=True)
    return tmp_path / "moving"


def test_who_has_years_at_several_schools_is_asked_with_all_of_them(
    moving: Path, mine: Path, tmp_path: Path
) -> None:
    with open_service(f"sqlite:///{tmp_path / 'moving.db'}", clock=Clock(NOW)) as service:
        for name in REPLACED:
            asked: dict[str, Any] = {"edition": mine / f"{name}.yaml", "instead_of": name}
            expected = service.what_if(**asked)
            assert told(yibao.what_if_of(moving, known_at=NOW, **asked)) == told(expected)
    found = yibao.what_if_of(moving, edition=mine / f"{REPLACED[1]}.yaml", instead_of=REPLACED[1])
    days = {each.enrollment.ref: each.days_before for each in found.everybody()}
    assert days == {"gil": 305, "hal": 365}, "what the year before left is not what was meant"
    (part,) = (each for each in Exported(moving, Editions()).parts if each.school == "fudan")
    assert (sorted(part.refs), part.elsewhere) == (["gil", "hal"], ("sjtu",))


def test_two_workers_of_a_cluster_say_what_is_said_here(
    service: Service, autumn: Path, mine: Path
) -> None:
    asked: dict[str, Any] = {"edition": mine / "shanghai-2025.yaml", "known_at": NOW}
    workers: Any = LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=":0")
    with workers as cluster:
        found = yibao.what_if_of(autumn, dask=cluster.scheduler_address, **asked)
        store = service._store.database
        command = ["whatif", "--edition", str(asked["edition"]), "--known-at", NOW, "--json"]
        there = ["--store", store, "--dask", cluster.scheduler_address]
        by_command = CliRunner().invoke(main, [*command, *there])
    assert told(found) == told(service.what_if(**asked))
    check_examples(found, service)
    here = CliRunner().invoke(main, [*command, "--store", store])
    of_export = CliRunner().invoke(main, [*command, "--export", str(autumn)])
    assert here.exit_code == by_command.exit_code == of_export.exit_code == 0, by_command.output
    for done in (by_command, of_export):
        assert printed(done.stdout) == printed(here.stdout)


def without_who(told: Any) -> Any:
    """The same but for who told the facts, which is in no export."""
    if isinstance(told, dict):
        return {name: without_who(each) for name, each in told.items() if name != "by"} | (
            {"by": without_who(told["by"])} if isinstance(told.get("by"), dict) else {}
        )
    return [without_who(each) for each in told] if isinstance(told, list) else told


def printed(output: str) -> dict[str, Any]:
    """All that is printed: of an example who it is may differ, not by how much."""
    found: dict[str, Any] = json.loads(output)
    examples = [each["days_after"] - each["days_before"] for each in found.pop("examples")]
    return {**found, "examples": examples}


def test_what_cannot_be_asked_is_told(
    service: Service, autumn: Path, mine: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    edition = mine / "shanghai-2025.yaml"
    export(service.cohort(year=2025), tmp_path / "some", by_school=True)
    for folder, why in ((tmp_path / "some", "some enrollments alone"), (tmp_path, "no export")):
        with pytest.raises(yibao.BadValue, match=why):
            yibao.what_if_of(folder, edition=edition)
    with pytest.raises(yibao.BadValue, match="benefit year 2025"):
        yibao.what_if_of(autumn, edition=edition, instead_of=REPLACED[1])
    monkeypatch.setattr(exported, "PATIENCE", 1)
    with pytest.raises(yibao.StoreError, match="cannot be reached"):
        yibao.what_if_of(autumn, edition=edition, dask="tcp://127.0.0.1:9")
    monkeypatch.setattr(exported, "find_spec", lambda _: None)
    with pytest.raises(yibao.NotWritten, match=r"yibao\[dask\]"):
        yibao.what_if_of(autumn, edition=edition, dask="tcp://127.0.0.1:9")
    refused = CliRunner().invoke(
        main, ["whatif", "--edition", str(edition)], env={"YIBAO_STORE": ""}
    )
    assert (refused.exit_code, refused.stdout) == (2, "")
