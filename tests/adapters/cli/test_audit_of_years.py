"""`yibao audit` of a student over several years: what moved another year says which it is of."""

import csv
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from yibao.adapters.cli.running.audit_report import COLUMNS

from ..conftest import Run
from .test_cli import parsed

Asked = Callable[..., list[dict[str, Any]]]

SCENARIOS = Path(__file__).parents[3] / "scenarios"
#: A check of 2025 that was wrong is corrected when the year after it has begun.
CORRECTED = next((SCENARIOS / "several-years").glob("a-check-of-2025-corrected-*.yaml"))
OF_ONE_YEAR = next((SCENARIOS / "corrections").glob("*.yaml"))


@pytest.fixture
def store(run: Run, tmp_path: Path) -> str:
    """A store with what was told of her."""
    url = f"sqlite:///{tmp_path / 'facts.db'}"
    assert run("replay", "--store", url, CORRECTED).exit_code == 0
    return url


@pytest.fixture
def asked(run: Run, store: str) -> Asked:
    """Asks for every entry of the store that fits."""

    def ask(*options: object) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = parsed(
            run("audit", "--store", store, "--json", "--all", *options)
        )["entries"]
        return found

    return ask


def test_a_correction_of_the_first_year_stands_in_both_with_the_year_it_is_of(asked: Asked) -> None:
    own, next_year = asked("--corrections")
    assert own["event_id"] == next_year["event_id"]
    assert (own["year"], "fact_year" in own) == (2025, False)
    assert (next_year["year"], next_year["fact_year"]) == (2026, 2025)
    assert own["version"] == next_year["version"]
    assert own["supersedes_version"] == next_year["supersedes_version"]
    assert next_year["key"] == f"{own['key']}~2026"
    assert "coverage" in {moved["value"] for moved in next_year["changes"]}
    # Of the next year's own versions the cut-off is none: the instant of the recording is.
    assert next_year["explain"] == {
        "ref": own["ref"],
        "year": 2026,
        "at": own["recorded_at"],
        "known_at": own["recorded_at"],
    }


@pytest.mark.parametrize("year", [2025, 2026])
def test_a_year_is_asked_for_by_the_answers_that_were_moved(asked: Asked, year: int) -> None:
    everything = asked()
    found = asked("--year", year)
    assert found == [entry for entry in everything if entry.get("year") == year]
    assert any(each["supersedes"] for each in found)


def test_pages_of_one_entry_are_all_there_is(run: Run, store: str, asked: Asked) -> None:
    everything, found = asked(), list[dict[str, Any]]()
    after: list[str] = []
    while True:
        page = parsed(run("audit", "--store", store, "--json", "--size", "1", *after))
        found += page["entries"]
        if page["following"] is None:
            break
        after = ["--after", page["following"]]
    assert found == everything


def test_a_fact_of_two_years_is_counted_once(run: Run) -> None:
    told = parsed(run("audit", CORRECTED, "--json", "--corrections", "--count", "kind"))
    assert told["counts"] == [{"kind": "prior-coverage-verified", "entries": 1}]


def test_a_table_has_a_column_more_only_where_it_is_filled(
    run: Run, store: str, asked: Asked, tmp_path: Path
) -> None:
    def columns(*options: object) -> list[str]:
        return next(csv.reader(StringIO(run("audit", *options, "--csv").stdout)))

    assert columns(CORRECTED) == [*COLUMNS, "fact_year"]
    assert columns(CORRECTED, "--year", 2025, "--kind", "confirmed") == [*COLUMNS]
    assert columns(OF_ONE_YEAR) == [*COLUMNS]
    rows = list(csv.DictReader(StringIO(run("audit", "--store", store, "--csv").stdout)))
    assert [row["fact_year"] for row in rows] == [
        str(entry.get("fact_year", "")) for entry in asked()
    ]
    run("audit", "--store", store, "--xlsx", tmp_path / "a.xlsx")
    sheet = openpyxl.load_workbook(tmp_path / "a.xlsx").active
    assert sheet is not None
    assert [row[-1] for row in sheet.iter_rows(values_only=True)] == [
        "benefit year of the fact",
        *(entry.get("fact_year") for entry in asked()),
    ]


@pytest.mark.parametrize(("lang", "told"), [("en", "2025 #5 ("), ("zh", "2025 年度 #5（")])
def test_a_person_reads_which_year_the_fact_is_of(run: Run, lang: str, told: str) -> None:
    line = run("audit", CORRECTED, "--year", 2026, "--corrections", "--brief", "--lang", lang)
    assert told in line.stdout
    assert "/2026" in line.stdout
