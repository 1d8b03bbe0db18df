"""`yibao whatif`: who would gain and lose days of cover under an edited edition."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from given import sheet
from jsonschema import Draft202012Validator

import yibao
from yibao.adapters.service.service import open_service
from yibao.adapters.stories.published import SCHEMAS

from ..conftest import Run, Write

MINE = """\
edition: mine
title: {en: One month, zh: 一个月}
extends: shanghai-2025
parameters:
  waiting_months_per_lapsed_year:
    {value: 1, unit: months, clause: a draft, basis: stated}
"""


@pytest.fixture
def store(tmp_path: Path) -> str:
    """Four students: of none to two lapsed years, and one whose check is missing."""
    path = str(tmp_path / "facts.db")
    with open_service(f"sqlite:///{path}") as service:
        for number, lapsed in enumerate((0, 1, 2, None)):
            whose = yibao.EnrollmentId(f"s{number}", 2025)
            service.register(whose.ref, **sheet(school=("ecnu", "sjtu")[number % 2]))
            service.declare_roster(whose, at="2025-09-02 17:00")
            service.confirm(whose, at="2025-09-06 10:00", channel="app")
            if lapsed is not None:
                service.verify_prior_coverage(whose, at="2025-09-06 10:30", lapsed_years=lapsed)
            service.receive_care(
                whose, at="2025-11-05 12:00", on="2025-11-05", setting="campus_clinic", cost="100"
            )
    return path


@pytest.fixture
def mine(write: Write) -> Path:
    return write(MINE, "mine.yaml")


def told(run: Run, *args: object) -> dict[str, Any]:
    done = run("whatif", *args, "--json")
    assert done.exit_code == 0, done.output
    found: dict[str, Any] = json.loads(done.stdout)
    Draft202012Validator(SCHEMAS["whatif"]()).validate(found)
    return found


def test_json_tells_both_sides_and_both_answers_of_examples(
    run: Run, store: str, mine: Path
) -> None:
    found = told(run, "--edition", mine, "--store", store)
    # Of one lapsed year from 2 October instead of 2 December, of two from 1 November for none.
    assert found["gains"] == {"students": 2, "days": 121, "money": "160.00"}
    assert found["loses"] == {"students": 0, "days": 0, "money": "0.00"}
    assert found["by"]["school"]["sjtu"]["gains"] == {"students": 1, "days": 61, "money": "80.00"}
    assert found["by"]["category"]["undergraduate"]["gains"] == found["gains"]
    assert (found["students"], found["edition"]["id"]) == (4, "mine")
    first, second = found["examples"]
    assert (first["ref"], first["days_before"], first["days_after"]) == ("s1", 30, 91)
    assert first["before"]["explanations"]["coverage"]["value"]["from"] == "2025-12-02"
    assert first["after"]["explanations"]["coverage"]["value"]["from"] == "2025-10-02"
    assert (second["ref"], second["days_before"], second["days_after"]) == ("s2", 0, 60)


def test_people_are_told_with_reasons_in_their_language(run: Run, store: str, mine: Path) -> None:
    done = run("whatif", "--edition", mine, "--store", store)
    assert done.exit_code == 0
    assert "mine instead of shanghai-2025" in done.stdout
    assert "s1: 30 days of cover, and 91 then" in done.stdout
    assert "benefit window: 2025-12-02 to 2025-12-31" in done.stdout
    assert "benefit window: 2025-10-02 to 2025-12-31" in done.stdout
    assert "增加天数" in run("whatif", "--edition", mine, "--store", store, "--lang", "zh").stdout


def test_everybody_goes_into_parquet(run: Run, store: str, mine: Path, tmp_path: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    to = tmp_path / "everybody.parquet"
    asked = ("whatif", "--edition", mine, "--store", store, "--parquet", to)
    assert run(*asked).exit_code == 0
    rows = {row["ref"]: row for row in parquet.read_table(to).to_pylist()}
    assert rows["s1"] == {
        "ref": "s1",
        "year": 2025,
        "school": "sjtu",
        "category": "undergraduate",
        "days_before": 30,
        "days_after": 91,
        "fund_before": Decimal("0.00"),
        "fund_after": Decimal("80.00"),
    }
    assert (rows["s3"]["days_before"], rows["s3"]["days_after"]) == (None, None)
    again = run(*asked)
    assert (again.exit_code, "everybody.parquet" in again.stderr) == (2, True)
    assert run(*asked, "--force").exit_code == 0


def test_what_cannot_be_asked_is_told_in_one_line(run: Run, store: str, mine: Path) -> None:
    asked = ("whatif", "--edition", mine, "--store", store)
    other = run(*asked, "--instead-of", "shanghai-2024")
    assert other.exit_code == 2
    assert "benefit year 2025, and shanghai-2024 of 2024" in other.stderr
    unknown = run(*asked, "--instead-of", "shanghai-1999")
    assert (unknown.exit_code, "shanghai-1999" in unknown.stderr) == (2, True)
    assert run(*asked, "--force").exit_code == 2
    assert run(*asked, "--json", "--parquet", "x.parquet").exit_code == 2
    mine.write_text(MINE.replace("value: 1,", "value: soon,"), encoding="utf-8")
    wrong = run(*asked)
    assert wrong.exit_code == 2
    assert f"{mine}:6" in wrong.stderr
    assert len(wrong.stderr.splitlines()) == 1
