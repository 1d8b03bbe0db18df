"""`yibao office today`, `list` and `show`, from a roster that was imported."""

import json
import sqlite3
from datetime import date
from pathlib import Path
from typing import Any

import openpyxl
import pytest

import yibao
from yibao.adapters.office.season import LISTS
from yibao.adapters.views.words import LANGUAGES
from yibao.domain.facts import commands
from yibao.domain.vocabulary import ConfirmationChannel

from ...conftest import Run
from ..conftest import key_file
from ..tables import HEAD, by_xlsxwriter

ADA = ["0525001", "李雷", "居民身份证", "11010519491231002X", "本科生", date(2025, 9, 1)]
BO = ["0525002", "=韩梅梅", "护照", "E12345678", "研究生", date(2025, 8, 30)]
CY = ["0525003", "王五", "护照", "E12345679", "本科生", date(2025, 9, 2)]
SJTU = ("--school", "sjtu")


@pytest.fixture(autouse=True)
def _season(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two of a school and one of another; the first has confirmed, and waits three months."""
    monkeypatch.setenv("YIBAO_DIRECTORY", str(tmp_path / "people.db"))
    monkeypatch.setenv("YIBAO_DIRECTORY_KEY", str(key_file(tmp_path / "directory.key")))
    monkeypatch.setenv("YIBAO_STORE", str(tmp_path / "facts.db"))
    for school, rows in (("sjtu", [ADA, BO]), ("fudan", [CY])):
        file = by_xlsxwriter(tmp_path / school, [HEAD, *rows])
        at = ("--at", "2025-09-02 12:00")
        assert run("office", "import", "roster", file, "--school", school, *at).exit_code == 0
    with yibao.open(f"sqlite:///{tmp_path / 'facts.db'}") as service:
        how: dict[str, Any] = {"at": "2025-09-06 14:20", "by": "a"}
        asked = [
            commands.Confirm(channel=ConfirmationChannel.APP, **how),
            commands.VerifyPriorCoverage(lapsed_years=1, **how),
        ]
        whose = yibao.EnrollmentId(ref_of(run, ADA[0]), 2025)
        (reply,) = service.record_each([(whose, asked)])
        assert isinstance(reply, tuple | list), reply


def ref_of(run: Run, number: str, school: str = "sjtu") -> str:
    found = run("office", "find", "--school", school, "--number", number, "--by", "a", "--json")
    ref: str = json.loads(found.stdout)["ref"]
    return ref


def told(run: Run, *asked: object) -> Any:
    ended = run("office", *asked, "--json")
    assert (ended.exit_code, ended.stderr) == (0, "")
    return json.loads(ended.stdout)


def accesses(tmp_path: Path) -> list[tuple[str, str, str | None]]:
    with sqlite3.connect(tmp_path / "people.db") as file:
        return file.execute(
            "SELECT what, actor, ref FROM accesses WHERE what<>'find' OR actor<>'a' ORDER BY number"
        ).fetchall()


def test_the_page_tells_how_many_are_on_each_list(run: Run) -> None:
    counted = {"not-confirmed": 1, "waiting": 1, "next-premium": 1}
    assert told(run, "today", *SJTU, "--on", "2025-11-30") == {
        "school": "sjtu",
        "on": "2025-11-30",
        "at": "2025-11-30T12:00:00+08:00",
        "lists": [{"name": name, "count": counted.get(name, 0)} for name in LISTS],
    }


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_page_is_told_to_people(run: Run, lang: str) -> None:
    ended = run("office", "today", *SJTU, "--on", "2025-11-30", "--lang", lang)
    assert ended.exit_code == 0
    title, _, *rows = ended.stdout.splitlines()
    assert title.startswith("sjtu · 2025-11-30")
    assert [row.split()[-2:] for row in rows][1] == ["1", "not-confirmed"]
    assert len(rows) == len(LISTS)
    assert ("尚未参保确认" in ended.stdout) == (lang == "zh")


def test_without_a_day_it_is_today(run: Run) -> None:
    page = told(run, "today", *SJTU)
    assert page["at"] == f"{page['on']}T12:00:00+08:00"
    assert page["on"] > "2025-09-06"


def test_a_list_tells_numbers_and_names_and_each_look_is_noted(run: Run, tmp_path: Path) -> None:
    ref = ref_of(run, BO[0])
    assert told(run, "list", "not-confirmed", *SJTU, "--on", "2025-12-30", "--by", "officer-7") == {
        "name": "not-confirmed",
        "school": "sjtu",
        "at": "2025-12-30T12:00:00+08:00",
        "count": 1,
        "entries": [
            {
                "ref": ref,
                "year": 2025,
                "student_name": "=韩梅梅",
                "student_number": "0525002",
                "days_left": 2,
            }
        ],
    }
    assert accesses(tmp_path) == [("list", "officer-7", ref)]
    told(run, "list", "not-confirmed", *SJTU, "--on", "2025-12-30")
    assert accesses(tmp_path)[1:] == [("list", "cli", ref)]


def test_whoever_is_forgotten_is_counted_and_has_no_name(run: Run) -> None:
    ref = ref_of(run, BO[0])
    assert run("office", "forget", ref, "--by", "a", "--reason", "left").exit_code == 0
    (entry,) = told(run, "list", "not-confirmed", *SJTU, "--on", "2025-12-30")["entries"]
    assert entry == {
        "ref": ref,
        "year": 2025,
        "student_name": None,
        "student_number": None,
        "days_left": 2,
    }


@pytest.mark.parametrize("lang", LANGUAGES)
def test_a_list_is_a_workbook_of_text_without_formulas(run: Run, tmp_path: Path, lang: str) -> None:
    to = tmp_path / "list.xlsx"
    list_ = ("office", "list", "not-confirmed", *SJTU, "--on", "2025-12-30", "--xlsx", to)
    ended = run(*list_, "--lang", lang)
    assert ended.exit_code == 0
    assert str(to) in ended.stdout
    assert "韩梅梅" not in ended.output
    sheet = openpyxl.load_workbook(to).active
    assert sheet is not None
    assert sheet.freeze_panes == "A2"
    assert sheet.auto_filter.ref == "A1:E2"
    heads = [cell.value for cell in sheet[1]]
    assert (heads[0] == "学号") == (lang == "zh")
    row = sheet[2]
    assert [cell.value for cell in row] == ["0525002", "=韩梅梅", ref_of(run, BO[0]), 2025, 2]
    assert [cell.data_type for cell in row] == ["s", "s", "s", "n", "n"]
    assert [cell.number_format for cell in row[:3]] == ["@"] * 3
    assert not any(cell.hyperlink for cell in row)
    assert run(*list_).exit_code == 2
    assert run(*list_, "--force").exit_code == 0


def test_the_day_on_which_a_waiting_period_ends_is_a_day_in_a_workbook(
    run: Run, tmp_path: Path
) -> None:
    to = tmp_path / "list.xlsx"
    assert (
        run("office", "list", "waiting", *SJTU, "--on", "2025-11-01", "--xlsx", to).exit_code == 0
    )
    sheet = openpyxl.load_workbook(to).active
    assert sheet is not None
    cell = sheet["E2"]
    assert (cell.value.date(), cell.number_format) == (date(2025, 11, 30), "yyyy-mm-dd")


@pytest.mark.parametrize("lang", LANGUAGES)
def test_a_list_is_told_to_people(run: Run, lang: str) -> None:
    ended = run("office", "list", "waiting", *SJTU, "--on", "2025-11-01", "--lang", lang)
    assert ended.exit_code == 0
    assert all(each in ended.stdout for each in ("0525001", "李雷", "2025-11-30"))
    assert "王五" not in ended.stdout
    nobody = run("office", "list", "cards", *SJTU, "--on", "2025-11-01", "--lang", lang)
    assert (nobody.exit_code, len(nobody.stdout.splitlines())) == (0, 2)


def test_a_student_is_shown_by_number_with_what_to_tell_her(run: Run, tmp_path: Path) -> None:
    show = ("office", "show", *SJTU, "--number", ADA[0], "--on", "2025-11-01")
    zh = run(*show, "--lang", "zh", "--by", "officer-7")
    assert zh.exit_code == 0
    lines = zh.stdout.splitlines()
    assert lines[:2] == ["姓名：李雷", "学号：0525001"]
    why, tell = lines.index("依据"), lines.index("请告知学生")
    assert any("R13" in line for line in lines[why:tell])
    assert any("2025-09-01 至 2025-11-30" in line for line in lines[tell:])
    en = run(*show, "--lang", "en").stdout
    assert "What to tell her" in en
    assert "wait until the waiting period is over" in en.partition("What to tell her")[2]
    ref = ref_of(run, ADA[0])
    assert accesses(tmp_path)[:2] == [("find", "officer-7", ref), ("person", "officer-7", ref)]


def test_nobody_of_another_school_is_shown(run: Run) -> None:
    for number in (CY[0], "no such"):
        ended = run("office", "show", *SJTU, "--number", number)
        assert (ended.exit_code, ended.stdout) == (1, "")
    assert run("office", "show", "--school", "fudan", "--number", CY[0]).exit_code == 0


def test_who_has_moved_to_another_school_is_on_its_lists_without_a_name(
    run: Run, tmp_path: Path
) -> None:
    ref = ref_of(run, BO[0])
    with yibao.open(f"sqlite:///{tmp_path / 'facts.db'}") as service:
        moved = commands.ChangeSchool(school="fudan", at="2025-09-10 10:00", by="a")  # type: ignore[arg-type]
        (reply,) = service.record_each([(yibao.EnrollmentId(ref, 2025), [moved])])
        assert isinstance(reply, tuple | list), reply
    on = ("--on", "2025-10-01")
    assert told(run, "list", "not-declared", *SJTU, *on)["entries"] == []
    (entry,) = told(run, "list", "not-declared", "--school", "fudan", *on)["entries"]
    assert (entry["ref"], entry["student_name"], entry["student_number"]) == (ref, None, None)
    assert run("office", "show", *SJTU, "--number", BO[0], *on).exit_code == 1


def test_a_reason_is_given_where_one_is_asked_for(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("YIBAO_DIRECTORY_REASONS", "true")
    for asked in (("list", "waiting"), ("show", "--number", ADA[0])):
        assert run("office", *asked, *SJTU).exit_code == 2
        assert run("office", *asked, *SJTU, "--reason", "she-asked").exit_code == 0
    assert run("office", "today", *SJTU).exit_code == 0


@pytest.mark.parametrize(
    "asked",
    [
        ("today", "--on", "2025-9-31"),
        ("list", "everybody"),
        ("list", "waiting", "--json", "--xlsx", "x.xlsx"),
        ("list", "waiting", "--force"),
        ("today", "--store", "no.db"),
    ],
)
def test_what_cannot_be_asked_is_exit_2(run: Run, asked: tuple[str, ...]) -> None:
    ended = run("office", *asked, *SJTU)
    assert (ended.exit_code, ended.stdout) == (2, "")


def test_without_a_directory_there_are_counts_and_no_names(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("YIBAO_DIRECTORY")
    on = ("--on", "2025-11-01")
    assert sum(each["count"] for each in told(run, "today", *SJTU, *on)["lists"]) == 3
    (entry,) = told(run, "list", "waiting", *SJTU, *on)["entries"]
    assert entry["student_name"] is None
    assert run("office", "show", *SJTU, "--number", ADA[0]).exit_code == 2


def test_no_cell_is_logged(run: Run, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(0):
        told(run, "today", *SJTU)
        told(run, "list", "waiting", *SJTU, "--on", "2025-11-01")
        run("office", "show", *SJTU, "--number", ADA[0])
    assert not any(str(cell) in caplog.text for row in (ADA, BO) for cell in (*row[:2], row[3]))
