"""The season as a library: what the commands do, each as a function, with names of its own."""

import copy
import inspect
import json
import pickle
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import openpyxl
import pytest
import xlsxwriter
from click.testing import CliRunner

import yibao
from yibao import office
from yibao.adapters.cli import main
from yibao.domain.refusals import BadValue

from .conftest import key_file

CSV = """学号,姓名,证件类型,证件号码,学生类别,报到日期
0525001,李雷,居民身份证,11010519491231002X,本科生,2025-09-01
0525002,韩梅梅,护照,E12345678,研究生,2025/9/1
0525003,王五,居民身份证,110105194912310041,本科生,2025年9月1日
"""
AT = "2025-09-02 09:00"


@pytest.fixture
def service(tmp_path: Path) -> Iterator[yibao.Service]:
    with yibao.open(f"sqlite:///{tmp_path / 'facts.db'}", by="office") as service:
        yield service


@pytest.fixture
def people(tmp_path: Path) -> Iterator[office.Directory]:
    key = key_file(tmp_path / "directory.key")
    with office.open_directory(str(tmp_path / "people.db"), key) as people:
        yield people


@pytest.fixture
def imported(service: yibao.Service, people: office.Directory, tmp_path: Path) -> office.Imported:
    file = tmp_path / "roster.csv"
    file.write_text(CSV, encoding="utf-8")
    errors = tmp_path / "errors.xlsx"
    return office.import_table(
        service, people, "roster", file, school="sjtu", at=AT, errors=errors, lang="zh"
    )


def returned(service: yibao.Service, people: office.Directory) -> Iterator[object]:
    """Something of each kind that a function returns, but for what was imported."""
    yield office.today(service, people, "sjtu", "2025-11-03")
    yield office.listed(service, people, "not-confirmed", "sjtu", "2025-11-03", by="a")
    yield office.shown(service, people, "sjtu", "0525001", "2025-11-03", by="a")


def test_a_table_is_recorded_and_asked_about(
    imported: office.Imported, service: yibao.Service, people: office.Directory, tmp_path: Path
) -> None:
    assert (imported.counts["registered"], imported.counts["refused"]) == (2, 1)
    assert (tmp_path / "errors.xlsx").stat().st_size > 1000
    morning = office.today(service, people, "sjtu", "2025-11-03")
    assert dict(morning.lists)["not-confirmed"] == 2
    found = office.listed(service, people, "not-confirmed", "sjtu", "2025-11-03", by="a")
    assert [each.person and each.person.name for each in found.entries] == ["李雷", "韩梅梅"]
    office.write_list(found, tmp_path / "list.xlsx")
    again = office.import_table(
        service, people, "roster", CSV.encode("gb18030"), school="sjtu", at=AT
    )
    assert again.counts["known"] == 2
    shown = office.shown(service, people, "sjtu", "０５２５００２", "2025-11-03", by="a")
    assert shown is not None
    assert [answer.state for answer in shown.answers] == ["registered"]
    assert office.shown(service, people, "sjtu", "", by="a") is None


def test_as_json_is_what_the_commands_print(
    imported: office.Imported, service: yibao.Service, people: office.Directory, tmp_path: Path
) -> None:
    env = {
        "YIBAO_DIRECTORY": str(tmp_path / "people.db"),
        "YIBAO_DIRECTORY_KEY": str(tmp_path / "directory.key"),
        "YIBAO_STORE": str(tmp_path / "facts.db"),
    }
    by_command = [
        ["today"],
        ["list", "not-confirmed"],
        ["show", "--number", "0525001"],
    ]
    for asked, found in zip(by_command, returned(service, people), strict=True):
        line = ["office", *asked, "--school", "sjtu", "--on", "2025-11-03", "--json"]
        ended = CliRunner(env=env).invoke(main, [*line, "--lang", "en"], catch_exceptions=False)
        told = office.as_json(found, "en" if asked[0] == "show" else None)  # type: ignore[arg-type]
        assert _without_now(json.loads(ended.stdout)) == _without_now(told)


def _without_now(told: dict[str, Any]) -> dict[str, Any]:
    """What is told but for the instant at which it was asked."""
    return {
        **told,
        "answers": [{**each, "known_at": None} for each in told.get("answers", [])],
    }


def test_what_is_returned_is_pickled_and_copied_and_shows_nobody(
    imported: office.Imported, service: yibao.Service, people: office.Directory
) -> None:
    for found in (imported, *returned(service, people)):
        for way in range(6):
            assert pickle.loads(pickle.dumps(found, way)) == found
        assert copy.deepcopy(found) == found
        told = repr(found) + repr(people)
        assert [each for each in ("李雷", "0525001", "11010519491231002X") if each in told] == []


def test_a_directory_is_its_process_s_own(people: office.Directory) -> None:
    with pytest.raises(TypeError, match="process's own: open"):
        pickle.dumps(people)


def test_what_can_never_be_right_is_told(
    service: yibao.Service, people: office.Directory, tmp_path: Path
) -> None:
    with pytest.raises(BadValue, match="kind"):
        office.import_table(service, people, "rosters", b"", school="sjtu")  # type: ignore[arg-type]
    with pytest.raises(BadValue, match="people"):
        office.import_table(service, None, "roster", CSV.encode(), school="sjtu")
    with pytest.raises(yibao.UnreadableTable, match=r"^the table cannot be read: it is empty$"):
        office.import_table(service, people, "roster", b"", school="sjtu")
    with pytest.raises(BadValue, match="on"):
        office.today(service, people, "sjtu", "soon")
    with pytest.raises(BadValue, match="name"):
        office.listed(service, people, "everybody", "sjtu", by="a")


def test_every_name_says_what_it_is() -> None:
    for name in office.__all__:
        found = getattr(office, name)
        told = inspect.getdoc(found) or ""
        assert (
            name == "LISTS" or told.partition("\n")[0].endswith((".", ":", ",")) or len(told) > 60
        )
        if inspect.isclass(found):
            assert not told.startswith(f"{name}(")


MINE = """\
edition: mine-2025
title: {en: Mine, zh: 本市}
extends: shanghai-2025
words:
  border_pass: {en: border pass, zh: 边民证}
"""


def test_a_table_may_say_what_an_edition_has_words_of_its_own_for(
    people: office.Directory, tmp_path: Path
) -> None:
    policies = tmp_path / "editions"
    policies.mkdir()
    (policies / "mine-2025.yaml").write_text(MINE, encoding="utf-8")
    kinds = ["边民证", "Border Pass", "border_pass", "学生证"]
    rows = [f"052500{n},李雷,{kind},B123456{n},本科生,2025-09-01" for n, kind in enumerate(kinds)]
    table = "\n".join([CSV.partition("\n")[0], *rows]).encode()
    with yibao.open(f"sqlite:///{tmp_path / 'mine.db'}", policies=policies) as service:
        imported = office.import_table(service, people, "roster", table, school="sjtu", at=AT)
        told = [(row.verdict, row.column) for row in imported.rows]
        assert told == [("registered", None)] * 3 + [("refused", "document")]
        assert imported.rows[-1].code == "unknown_document"
        shown = office.shown(service, people, "sjtu", "0525000", "2025-11-03", by="a")
        assert shown is not None
        assert shown.answers[0].document == "border_pass"


def test_days_are_read_from_a_workbook_that_counts_from_1904(
    service: yibao.Service, people: office.Directory, tmp_path: Path
) -> None:
    file, errors = tmp_path / "mac.xlsx", tmp_path / "errors.xlsx"
    with xlsxwriter.Workbook(str(file), {"date_1904": True}) as book:
        sheet = book.add_worksheet()
        day = book.add_format({"num_format": "yyyy-mm-dd"})
        head, *rows = (line.split(",")[:5] for line in CSV.splitlines())
        sheet.write_row(0, 0, [*head, "报到日期"])
        for number, row in enumerate(rows, 1):
            sheet.write_row(number, 0, row)
            # Of the first it is shown as a day, of the others as a number.
            sheet.write(number, 5, date(2025, 9, 1), *([day] if number == 1 else []))
    imported = office.import_table(
        service, people, "roster", file, school="sjtu", at=AT, errors=errors
    )
    assert (imported.counts["registered"], imported.counts["refused"]) == (2, 1)
    shown = office.shown(service, people, "sjtu", "0525002", "2025-11-03", by="a")
    assert shown is not None
    assert service.facts(shown.answers[0].enrollment)[0].on == date(2025, 9, 1)  # type: ignore[attr-defined]
    again = openpyxl.load_workbook(errors).active
    assert again is not None
    assert again.cell(2, 6).value == (date(2025, 9, 1) - date(1899, 12, 30)).days
