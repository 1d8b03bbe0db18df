"""`yibao cohort`, as people and programs ask it."""

import csv
import json
import subprocess
import sys
from io import StringIO
from pathlib import Path
from typing import Any

import jsonschema
import openpyxl
import pyarrow.parquet as pq
import pytest
from matplotlib import font_manager

import yibao
from yibao.adapters.cli.everybody import cohort as options
from yibao.adapters.following.cohort import LARGEST
from yibao.adapters.service import cohorts
from yibao.adapters.stories.published import SCHEMAS
from yibao.adapters.views.pages import plots

from ..conftest import Run
from .test_cli import refused

STORIES = Path(__file__).parents[3] / "scenarios"
AT = ("--at", "2025-12-01 10:00")
WHOM: dict[str, Any] = {
    "policy": "shanghai-2025",
    "on": "2025-09-01",
    "at": "2025-09-01 08:30",
    "category": "undergraduate",
    "document": "resident_id_card",
}


@pytest.fixture
def store(tmp_path: Path) -> str:
    """Three students of two schools."""
    path = tmp_path / "facts.db"
    with yibao.open(f"sqlite:///{path}") as service:
        for number, school in enumerate(("north", "south", "north"), 1):
            service.register(f"s-{number}", school=school, **WHOM)
    return str(path)


def test_counts_are_printed_for_people_in_both_languages(run: Run, store: str) -> None:
    told = run("cohort", "count", "--store", store, *AT, "--by", "school", "--lang", "en").stdout
    assert [line.split() for line in told.splitlines()] == [
        ["school", "enrollments"],
        ["north", "2"],
        ["south", "1"],
        ["total", "3"],
    ]
    told = run("cohort", "count", "--store", store, *AT, "--lang", "zh").stdout
    assert "已报到注册" in told
    assert "合计" in told


def test_json_is_as_its_schema_says(run: Run, store: str) -> None:
    schema = SCHEMAS["cohort"]()
    counts = json.loads(run("cohort", "count", "--store", store, *AT, "--json").stdout)
    assert counts == {
        "at": "2025-12-01T10:00:00+08:00",
        "known_at": None,
        "as_of": counts["as_of"],
        "by": "state",
        "counts": {"registered": 3},
        "total": 3,
    }
    page = json.loads(run("cohort", "list", "--store", store, *AT, "--size", "2", "--json").stdout)
    assert page["following"] == "s-2/2025"
    assert page["entries"][0] == {
        "ref": "s-1",
        "year": 2025,
        "school": "north",
        "state": "registered",
        "next_step": "await_roster_declaration",
    }
    for told in (counts, page):
        jsonschema.validate(told, schema)
    after = ("--after", page["following"], "--json")
    rest = json.loads(run("cohort", "list", "--store", store, *AT, *after).stdout)
    assert [each["ref"] for each in rest["entries"]] == ["s-3"]
    assert rest["following"] is None


def test_a_process_of_its_own_counts_what_was_known_then(store: str) -> None:
    def counted(*more: str) -> Any:
        command = [sys.executable, "-m", "yibao", "cohort", "count", "--store", store, "--json"]
        told = subprocess.run([*command, *more], check=True, capture_output=True, text=True)
        return json.loads(told.stdout)

    assert counted(*AT)["total"] == 3
    assert counted(*AT, "--school", "north")["total"] == 2
    assert counted(*AT, "--school", "nowhere") | {"as_of": 0, "at": ""} == {
        "at": "",
        "known_at": None,
        "as_of": 0,
        "by": "state",
        "counts": {},
        "total": 0,
    }
    assert counted(*AT, "--known-at", "2000-01-01")["total"] == 0
    assert Path(f"{store}.cohort").exists()


def test_tables_are_written_as_csv_for_excel_and_as_parquet(
    run: Run, store: str, tmp_path: Path
) -> None:
    told = run("cohort", "list", "--store", store, *AT, "--csv").stdout
    rows = list(csv.DictReader(StringIO(told)))
    assert [(row["ref"], row["school"]) for row in rows] == [
        ("s-1", "north"),
        ("s-2", "south"),
        ("s-3", "north"),
    ]
    for command, columns in (("count", 2), ("list", 5), ("export", 14)):
        book, table = tmp_path / f"{command}.xlsx", tmp_path / f"{command}.parquet"
        asked = ("cohort", command, "--store", store, *AT, "--lang", "en")
        assert run(*asked, "--xlsx", str(book)).exit_code == 0
        assert run(*asked, "--parquet", str(table)).exit_code == 0
        sheet = openpyxl.load_workbook(book).worksheets[0]
        found = pq.read_table(table)
        assert sheet.max_column == found.num_columns == columns
        assert sheet.max_row == found.num_rows + 1
        refused(run(*asked, "--parquet", str(table)))
        assert run(*asked, "--parquet", str(table), "--force").exit_code == 0


def test_an_export_into_a_folder_has_its_tables(run: Run, store: str, tmp_path: Path) -> None:
    folder = tmp_path / "autumn"
    asked = ("cohort", "export", "--store", store, *AT, "--parquet", str(folder))
    assert run(*asked, "--by-school").exit_code == 0
    assert {each.name for each in folder.iterdir()} == {
        "values",
        "spans",
        "facts",
        "windows.parquet",
    }
    assert pq.read_table(folder / "values").num_rows == 3
    refused(run(*asked))
    values = json.loads(run("cohort", "export", "--store", store, *AT, "--json").stdout)["values"]
    assert [each["ref"] for each in values] == ["s-1", "s-2", "s-3"]


def test_a_plot_is_told_in_both_languages_and_drawn_with_the_words_beside_it(
    run: Run, store: str, tmp_path: Path
) -> None:
    files = [str(tmp_path / name) for name in ("autumn.svg", "autumn.png")]
    asked = ("cohort", "plot", "--store", store, "--first", "2025-09-01", "--last", "2025-09-30")
    told = run(*asked, "--svg", files[0], "--png", files[1], "--lang", "en")
    assert told.stdout.startswith(
        "States of enrollments, day by day, 2025-09-01 to 2025-09-30, as known now\n"
        "registered: 3 on 2025-09-01, 3 on 2025-09-30; at most 3 on 2025-09-01\n"
    )
    assert told.stderr.splitlines() == [f"{file} is written" for file in files]
    assert (tmp_path / "autumn.txt").read_text() == told.stdout
    assert {file.name for file in tmp_path.glob("autumn.*")} == {
        "autumn.svg",
        "autumn.png",
        "autumn.txt",
    }
    refused(run(*asked, "--svg", files[0]))
    assert run(*asked, "--svg", files[0], "--force").exit_code == 0
    assert "已报到注册：2025-09-01 3 人" in run(*asked, "--lang", "zh").stdout
    of_a_school = run(*asked, "--school", "south", "--lang", "en").stdout
    assert "registered: 1 on 2025-09-01" in of_a_school
    long_ago = run(*asked, "--known-at", "2000-01-01", "--lang", "en").stdout
    assert long_ago.splitlines()[1:] == ["nobody fits"]
    assert "as known on 2000-01-01" in long_ago


def test_a_plot_of_who_is_covered_has_then_beside_now(run: Run, tmp_path: Path) -> None:
    store = str(tmp_path / "school.db")
    story = STORIES / "a-school/thirty-students-of-one-autumn.yaml"
    run("replay", str(story), "--store", store)
    asked = ("cohort", "plot", "--store", store, "--kind", "covered", "--lang", "en")
    now = run(*asked).stdout.splitlines()
    both = run(*asked, "--known-at", "2025-10-10").stdout.splitlines()
    assert both[:2] == now
    assert both[2].startswith("as known on 2025-10-10: 18 on 2025-09-01, ")
    assert both[3] == "they differ most on 2025-09-01: 18 as known then, 19 as known now"


def test_where_no_font_has_chinese_that_is_told_of_a_png(
    run: Run, store: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(font_manager.fontManager, "ttflist", [])
    asked = ("cohort", "plot", "--store", store, "--lang", "zh")
    assert "字体" in run(*asked, "--png", str(tmp_path / "it.png")).stderr
    assert "字体" not in run(*asked, "--svg", str(tmp_path / "other.svg")).stderr


@pytest.mark.parametrize(
    "asked",
    [
        ("plot", "--kind", "hair"),
        ("plot", "--first", "yesterday"),
        ("plot", "--first", "2025-09-02", "--last", "2025-09-01"),
        ("plot", "--svg", "autumn.png"),
        ("plot", "--png", "autumn.svg"),
        ("plot", "--force"),
        ("count", "--by", "hair"),
        ("count", "--csv", "--json"),
        ("count", "--force"),
        ("list", "--size", "0"),
        ("list", "--after", "s-1"),
        ("list", "--after", "/2025"),
        ("list", "--all", "--size", "3"),
        ("list", "--size", "3", "--xlsx", "new.xlsx"),
        ("export",),
        ("export", "--by-school", "--csv"),
        ("export", "--by-school", "--parquet", "new.parquet"),
        ("count", "--at", "yesterday"),
    ],
)
@pytest.mark.parametrize("language", ["en", "zh"])
def test_what_says_nothing_is_refused(
    run: Run, store: str, asked: tuple[str, ...], language: str
) -> None:
    refused(run("cohort", asked[0], "--store", store, *asked[1:], "--lang", language))


def test_a_store_that_is_not_there_is_not_made(run: Run, tmp_path: Path) -> None:
    for command in ("count", "list"):
        refused(run("cohort", command, "--store", str(tmp_path / "none.db")))
    assert list(tmp_path.iterdir()) == []


def test_without_the_extra_parquet_names_it_and_counts_are_told(
    run: Run, store: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (cohorts, plots):
        monkeypatch.setattr(module, "find_spec", lambda _: None)
    assert "yibao[analysis]" in refused(run("cohort", "plot", "--store", store, "--svg", "new.svg"))
    assert run("cohort", "plot", "--store", store).exit_code == 0
    said = refused(run("cohort", "count", "--store", store, "--parquet", "new.parquet"))
    assert "yibao[analysis]" in said
    assert run("cohort", "count", "--store", store).exit_code == 0
    assert run("cohort", "export", "--store", store, "--csv").exit_code == 0


def test_a_page_may_be_as_large_as_the_cohort_allows() -> None:
    assert options.LARGEST == LARGEST
