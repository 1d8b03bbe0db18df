"""`yibao office`: a roster through the command line, and the people in it found and forgotten."""

import json
import stat
import subprocess
import sys
from datetime import date
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from click.testing import CliRunner

import yibao
from yibao.adapters.cli import main

from ..conftest import Run
from .conftest import key_file
from .tables import HAS_LIBREOFFICE, HEAD, WRITERS, as_csv, by_openpyxl, by_xlsxwriter

ADA = ["525001", "李雷", "居民身份证", "11010519491231002X", "本科生", date(2025, 9, 1)]
BO = ["525002", "韩梅梅", "护照", "E12345678", "研究生", date(2025, 8, 30)]
CY = ["525003", "王五", "护照", "E12345679", "本科生", date(2025, 9, 2)]


@pytest.fixture(autouse=True)
def _office(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("YIBAO_DIRECTORY", str(tmp_path / "people.db"))
    monkeypatch.setenv("YIBAO_DIRECTORY_KEY", str(key_file(tmp_path / "directory.key")))
    monkeypatch.setenv("YIBAO_STORE", str(tmp_path / "facts.db"))


def imported(run: Run, file: Path, *how: object, kind: str = "roster") -> tuple[int, Any]:
    """The exit code of an import, and its JSON."""
    ended = run("office", "import", kind, file, "--school", "sjtu", "--json", *how)
    assert ended.stderr == ""
    return ended.exit_code, json.loads(ended.stdout)


def verdicts(told: Any) -> list[tuple[int, str, str | None]]:
    return [(row["row"], row["verdict"], row["code"]) for row in told["rows"]]


def ref_of(run: Run, number: str) -> str:
    found = run("office", "find", "--school", "sjtu", "--number", number, "--by", "a", "--json")
    assert found.exit_code == 0
    ref: str = json.loads(found.stdout)["ref"]
    return ref


@pytest.mark.parametrize("writer", WRITERS)
def test_whoever_wrote_the_file_the_verdicts_are_the_same(
    run: Run, tmp_path: Path, writer: str
) -> None:
    if writer.startswith("libreoffice") and not HAS_LIBREOFFICE:
        pytest.skip("LibreOffice is not installed")
    rows = [["新生名单"], HEAD, ADA, [*BO[:3], "110105194912310021", *BO[4:]], CY, CY]
    file = WRITERS[writer](tmp_path / "roster", [[*row, *[None] * (6 - len(row))] for row in rows])
    code, told = imported(run, file)
    assert code == 1
    assert verdicts(told) == [
        (3, "registered", None),
        (4, "registered", None),  # a passport may have such a number, by its form
        (5, "registered", None),
        (6, "twice", None),
    ]


def test_a_roster_is_recorded_once_however_often_it_is_imported(run: Run, tmp_path: Path) -> None:
    file = by_xlsxwriter(tmp_path / "roster", [HEAD, ADA, BO])
    code, told = imported(run, file)
    assert (code, told["dry_run"], told["counts"]["registered"]) == (0, False, 2)
    code, told = imported(run, file)
    assert (code, told["counts"]["known"]) == (0, 2)
    with yibao.open(f"sqlite:///{tmp_path / 'facts.db'}") as service:
        whose = yibao.EnrollmentId(ref_of(run, "525001"), 2025)
        assert [fact.name for fact in service.facts(whose)] == ["registered", "roster-declared"]
    for file in (tmp_path / "facts.db", tmp_path / "people.db"):
        assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_a_dry_run_makes_nothing(run: Run, tmp_path: Path) -> None:
    file = by_xlsxwriter(tmp_path / "roster", [HEAD, ADA, BO])
    before = sorted(tmp_path.iterdir())
    code, told = imported(run, file, "--dry-run")
    assert (code, told["dry_run"], told["counts"]["registered"]) == (0, True, 2)
    assert sorted(tmp_path.iterdir()) == before
    imported(run, file)
    contents = {each: each.read_bytes() for each in tmp_path.glob("*.db*")}
    code, told = imported(run, file, "--dry-run")
    assert (code, told["counts"]["known"]) == (0, 2)
    assert {each: each.read_bytes() for each in tmp_path.glob("*.db*")} == contents


def test_rows_that_were_not_recorded_are_mended_and_imported_again(
    run: Run, tmp_path: Path
) -> None:
    rows = [["2025级"], HEAD, ADA, [*BO[:4], "旁听生", *BO[5:]], CY, [*CY[:1], "王六", *CY[2:]]]
    file, errors = by_openpyxl(tmp_path / "roster", rows), tmp_path / "errors.xlsx"
    told = run(
        *("office", "import", "roster", file, "--school", "sjtu"),
        *("--errors", errors, "--lang", "zh"),
    )
    assert told.exit_code == 1
    assert told.stdout.splitlines() == [
        "已登记：1",
        "未通过：1",
        "重复：2",
        "第 4 行，未通过：学生类别：没有这种学生类别；请填写其中之一：本科生，高职高专学生，"
        "非在职研究生，在职研究生，外国留学生",
        "第 5 行，重复：另有行学号相同而内容不同：6；请查明哪一行正确，删去其余各行",
        "第 6 行，重复：另有行学号相同而内容不同：5；请查明哪一行正确，删去其余各行",
    ]
    book = openpyxl.load_workbook(errors)
    sheet = book.active
    assert sheet is not None
    found = [[cell.value for cell in row] for row in sheet.iter_rows()]
    assert found[0] == [*HEAD, "行号", "原因", "处理办法"]
    assert [row[:2] + row[6:7] for row in found[1:]] == [
        ["525002", "韩梅梅", 4],
        ["525003", "王五", 5],
        ["525003", "王六", 6],
    ]
    assert {cell.number_format for cell in sheet[2][:6]} == {"@"}
    coloured = [cell.column for cell in sheet[2] if cell.fill.fgColor.rgb == "FFFFC7CE"]
    assert coloured == [HEAD.index("学生类别") + 1]
    assert all(cell.data_type != "f" for row in sheet.iter_rows() for cell in row)
    sheet["E2"] = "研究生"
    sheet.delete_rows(4)
    book.save(tmp_path / "mended.xlsx")
    code, told = imported(run, tmp_path / "mended.xlsx")
    assert (code, told["counts"]["registered"]) == (0, 2)


def test_nothing_in_the_workbook_of_errors_is_a_formula_or_a_link(run: Run, tmp_path: Path) -> None:
    evil = ["=1+1", "https://example.org", "@SUM(A1)", "+1", "旁听生", "mailto:a@example.org"]
    file = by_xlsxwriter(tmp_path / "roster", [HEAD, evil])
    assert imported(run, file, "--errors", tmp_path / "e.xlsx")[0] == 1
    sheet = openpyxl.load_workbook(tmp_path / "e.xlsx").active
    assert sheet is not None
    assert [(cell.value, cell.data_type, cell.hyperlink) for cell in sheet[2][:6]] == [
        (told, "s", None) for told in evil
    ]


def test_the_workbook_of_errors_is_no_file_that_is_there(run: Run, tmp_path: Path) -> None:
    file = by_xlsxwriter(tmp_path / "roster", [HEAD, ADA])
    import_ = ("office", "import", "roster", file, "--school", "sjtu", "--errors")
    for to, how, why in (
        (file, ("--force",), "over the table itself"),
        (tmp_path / "directory.key", (), "there is a file"),
        (tmp_path / "no" / "e.xlsx", (), "could not be written"),
    ):
        ended = run(*import_, to, *how)
        assert (ended.exit_code, why in ended.stderr) == (2, True)
    assert not (tmp_path / "facts.db").exists() or imported(run, file)[1]["counts"]["known"] == 0


def test_all_or_nothing_records_nothing_where_one_row_may_not(run: Run, tmp_path: Path) -> None:
    file = by_xlsxwriter(tmp_path / "a", [HEAD, ADA, [*BO[:4], "留学生", BO[5]]])
    code, told = imported(run, file, "--all-or-nothing")
    assert (code, told["dry_run"]) == (1, True)
    code, told = imported(run, by_xlsxwriter(tmp_path / "b", [HEAD, ADA, BO]), "--all-or-nothing")
    assert (code, told["dry_run"], told["counts"]["registered"]) == (0, False, 2)


def test_what_has_changed_is_corrected_where_that_is_asked_for(run: Run, tmp_path: Path) -> None:
    imported(run, by_xlsxwriter(tmp_path / "a", [HEAD, ADA]), "--at", "2025-09-01 12:00")
    changed = by_xlsxwriter(tmp_path / "b", [HEAD, [ADA[0], "李蕾", *ADA[2:4], "研究生", ADA[5]]])
    expected = [
        {"column": "name", "from": None, "to": None},
        {"column": "category", "from": "undergraduate", "to": "postgraduate"},
    ]
    for how in ([], ["--on-change", "report"], ["--on-change", "correct", "--reason", "moved"]):
        code, told = imported(run, changed, *how)
        assert (code, told["rows"][0]["with"]) == (1, expected)
    assert imported(run, changed)[0] == 0
    person = run("office", "person", ref_of(run, "525001"), "--by", "a", "--json")
    assert json.loads(person.stdout)["name"] == "李蕾"


@pytest.mark.parametrize(
    ("name", "content", "why"),
    [
        ("a.xlsx", b"PK\x03\x04" + bytes(100), "it is damaged"),
        ("a.csv", b"a,b\n1,2\n", "has the header"),
        ("a.csv", "学号,姓名\n1,".encode() + b"\xff\n", "line 2 has a byte"),
        ("no.csv", None, "No such file"),
    ],
)
def test_what_cannot_be_read_is_one_sentence_and_exit_2(
    run: Run, tmp_path: Path, name: str, content: bytes | None, why: str
) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    for lang in ("en", "zh"):
        ended = run(
            *("office", "import", "roster", tmp_path / name, "--school", "sjtu", "--lang", lang)
        )
        assert ended.exit_code == 2
        assert ended.stdout == ""
        assert ended.stderr.count("\n") == 1
        if lang == "en":
            assert why in ended.stderr
        else:
            assert "无法读取表格" in ended.stderr
    assert not (tmp_path / "people.db").exists()


def test_no_cell_is_told_and_none_is_logged(
    run: Run, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    rows = [HEAD, ADA, [*BO[:4], "旁听生", BO[5]], CY, [*CY[:1], "王六", *CY[2:]]]
    file = as_csv(tmp_path / "r", rows)
    with caplog.at_level(0):
        ended = [
            run("office", "import", "roster", file, "--school", "sjtu", *how)
            for how in (["--dry-run"], [], ["--json"], ["--lang", "zh"])
        ]
    told = "".join(each.output for each in ended) + caplog.text
    for row in (ADA, BO, CY):
        assert not any(str(cell) in told for cell in (*row[:2], row[3]))
    assert "旁听生" not in told


def test_people_are_found_told_and_forgotten(run: Run, tmp_path: Path) -> None:
    imported(run, by_xlsxwriter(tmp_path / "r", [HEAD, ADA, BO]))
    ref = ref_of(run, "525001")
    person = run("office", "person", ref, "--by", "officer-7", "--json")
    assert json.loads(person.stdout) == {
        "name": "李雷",
        "number": "525001",
        "document": "resident_id_card",
        "document_number": "11010519491231002X",
    }
    shown = run("office", "person", ref, "--by", "officer-7", "--lang", "zh").stdout
    assert shown.splitlines()[:3] == ["姓名：李雷", "学号：525001", "证件类型：居民身份证"]
    assert run("office", "forget", ref, "--by", "officer-7", "--reason", "left").exit_code == 0
    assert run("office", "forget", ref, "--by", "officer-7", "--reason", "left").exit_code == 1
    assert run("office", "person", ref, "--by", "officer-7").exit_code == 1
    number = ("--school", "sjtu", "--number", "525001", "--by", "officer-7")
    assert run("office", "find", *number).exit_code == 1
    with yibao.open(f"sqlite:///{tmp_path / 'facts.db'}") as service:
        assert len(service.facts(yibao.EnrollmentId(ref, 2025))) == 2
    code, told = imported(run, by_xlsxwriter(tmp_path / "r", [HEAD, ADA, BO]))
    assert (code, told["counts"]["registered"], told["counts"]["known"]) == (0, 1, 1)
    assert ref_of(run, "525001") != ref


def test_without_an_actor_or_a_reason_that_is_asked_for_it_is_exit_2(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    imported(run, by_xlsxwriter(tmp_path / "r", [HEAD, ADA]))
    ref = ref_of(run, "525001")
    find = ("office", "find", "--school", "sjtu", "--number", "525001")
    assert run(*find).exit_code == 2
    assert run("office", "person", ref).exit_code == 2
    assert run("office", "forget", ref, "--reason", "x").exit_code == 2
    assert run("office", "forget", ref, "--by", "a").exit_code == 2
    monkeypatch.setenv("YIBAO_BY", "officer-7")
    assert run(*find).exit_code == 0
    monkeypatch.setenv("YIBAO_DIRECTORY_REASONS", "true")
    assert run(*find).exit_code == 2
    assert run("office", "person", ref).exit_code == 2
    assert run(*find, "--reason", "she-asked").exit_code == 0


def test_where_there_is_no_directory_nobody_is_found_and_none_is_made(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = sorted(tmp_path.iterdir())
    number = ("--school", "sjtu", "--number", "525001", "--by", "a")
    assert run("office", "find", *number).exit_code == 1
    assert run("office", "person", "p-1", "--by", "a").exit_code == 1
    assert run("office", "forget", "p-1", "--by", "a", "--reason", "x").exit_code == 1
    assert run("office", "rekey", "--new-key", tmp_path / "directory.key").exit_code == 2
    assert sorted(tmp_path.iterdir()) == before
    monkeypatch.delenv("YIBAO_DIRECTORY")
    ended = run("office", "find", *number)
    assert (ended.exit_code, "YIBAO_DIRECTORY in the environment" in ended.stderr) == (2, True)


def test_the_key_is_changed(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    imported(run, by_xlsxwriter(tmp_path / "r", [HEAD, ADA]))
    ref = ref_of(run, "525001")
    new = key_file(tmp_path / "new.key")
    assert run("office", "rekey", "--new-key", new).exit_code == 0
    number = ("--school", "sjtu", "--number", "525001", "--by", "a")
    assert run("office", "find", *number).exit_code == 2
    monkeypatch.setenv("YIBAO_DIRECTORY_KEY", str(new))
    assert ref_of(run, "525001") == ref
    assert imported(run, by_xlsxwriter(tmp_path / "r", [HEAD, ADA]))[1]["counts"]["known"] == 1


@pytest.mark.parametrize("module", ["cryptography", "python_calamine", "xlsxwriter"])
def test_what_is_not_installed_is_named(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, module: str
) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    ended = run("office", "find", "--school", "s", "--number", "1", "--by", "a")
    assert ended.exit_code == 2
    assert "pip install 'yibao[office]'" in ended.stderr


def test_its_help_is_told_without_what_it_needs() -> None:
    loaded = (
        "import sys, yibao.adapters.cli; "
        "print({'cryptography', 'python_calamine', 'xlsxwriter'} & {*sys.modules})"
    )
    told = subprocess.run([sys.executable, "-c", loaded], capture_output=True, check=True)
    assert told.stdout == b"set()\n"


def test_the_group_lists_its_commands() -> None:
    told = CliRunner().invoke(main, ["office", "--help"]).stdout
    assert all(name in told for name in ("import", "find", "person", "forget", "rekey"))


def test_facts_and_people_may_be_on_a_server(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, postgres_url: str
) -> None:
    monkeypatch.setenv("YIBAO_STORE", postgres_url)
    monkeypatch.setenv("YIBAO_DIRECTORY", postgres_url)
    file = by_xlsxwriter(tmp_path / "r", [HEAD, ADA, BO])
    code, told = imported(run, file, "--dry-run")
    assert (code, told["counts"]["registered"]) == (0, 2)
    assert not (tmp_path / "yibao-directory.keys").exists()
    code, told = imported(run, file)
    assert (code, told["counts"]["registered"]) == (0, 2)
    assert (tmp_path / "yibao-directory.keys").exists()
    code, told = imported(run, file, "--dry-run")
    assert (code, told["counts"]["known"]) == (0, 2)
    ref = ref_of(run, "525001")
    assert run("office", "forget", ref, "--by", "a", "--reason", "left").exit_code == 0
    assert run("office", "person", ref, "--by", "a").exit_code == 1


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_a_template_is_read_once_it_is_filled_in(run: Run, tmp_path: Path, lang: str) -> None:
    file = tmp_path / "template.xlsx"
    ended = run("office", "template", "roster", file, "--lang", lang)
    assert (ended.exit_code, str(file) in ended.stdout) == (0, True)
    assert imported(run, file)[1]["rows"] == []
    book = openpyxl.load_workbook(file)
    sheet, choices = book.worksheets
    heads = [cell.value for cell in sheet[1]]
    assert len(heads) == 6
    assert all(cell.comment for cell in sheet[1])
    lists = {str(each.sqref)[0]: each.formula1 for each in sheet.data_validations.dataValidation}
    assert lists == {"C": f"'{choices.title}'!$A$1:$A$7", "E": f"'{choices.title}'!$B$1:$B$5"}
    documents, categories = ([cell.value for cell in column] for column in choices.columns)
    row = ["0525001", "李雷", documents[0], ADA[3], categories[0], "2025-09-01"]
    for place, cell in enumerate(row, 1):
        sheet.cell(2, place, cell)
    columns = sheet.column_dimensions["A"]
    assert (columns.min, columns.max, columns.number_format) == (1, 6, "@")
    book.save(file)
    code, told = imported(run, file)
    assert (code, told["counts"]["registered"]) == (0, 1)
    person = run("office", "person", ref_of(run, "0525001"), "--by", "a", "--json")
    assert json.loads(person.stdout)["number"] == "0525001"
    again = run("office", "template", "roster", file)
    assert (again.exit_code, "there is a file" in again.stderr) == (2, True)


#: Tables of each kind about ADA, BO and somebody unknown, as people write them.
TABLES: dict[str, Any] = {
    "results": [
        ["核验结果"],
        ["序号", "学号", "断保年数", "等待期截止日期"],
        [1, "525001", 1, "2025-11-30"],
        [2, "525002", "０", None],
        [3, "525009", "一年", None],
    ],
    "accounts": [
        ["Student number", "Account built on"],
        ["525001", date(2025, 12, 1)],
        ["525002", "2025年9月8日"],
        ["525009", "已建"],
    ],
    "proxies": [
        ["学号", "委托日期", "录入时间"],
        ["525001", date(2025, 9, 5), None],
        ["525002", "2025-09-05", "2025/9/8 14:20"],
        ["525009", None, None],
    ],
    "payments": [
        ["学号", "姓名", "缴费年度", "缴费金额（元）", "缴费日期"],
        ["525001", "李雷", 2026, 355.5, date(2025, 9, 20)],
        ["525002", "韩梅梅", "2026年度", "1,355.00", None],
        ["525009", "王五", "明年", None, None],
    ],
}
#: What they come to in the facts of ADA and BO.
RECORDED = {
    "results": (["prior-coverage-verified"], ["prior-coverage-verified"]),
    "accounts": (["account-built"], ["account-built"]),
    "proxies": ([], ["confirmed"]),
    "payments": (["premium-paid"], ["premium-paid"]),
}
every_kind = pytest.mark.parametrize("kind", TABLES)


def facts_of(folder: Path, ref: str) -> list[str]:
    with yibao.open(f"sqlite:///{folder / 'facts.db'}") as service:
        return [fact.name for fact in service.facts(yibao.EnrollmentId(ref, 2025))][2:]


@pytest.mark.parametrize("writer", WRITERS)
@every_kind
def test_what_tables_tell_of_who_is_known_is_recorded_once_whoever_wrote_them(
    run: Run, tmp_path: Path, kind: str, writer: str
) -> None:
    if writer.startswith("libreoffice") and not HAS_LIBREOFFICE:
        pytest.skip("LibreOffice is not installed")
    imported(run, as_csv(tmp_path / "roster", [HEAD, ADA, BO]), "--at", "2025-09-02")
    width = max(map(len, TABLES[kind]))
    rows = [[*row, *[None] * (width - len(row))] for row in TABLES[kind]]
    file = WRITERS[writer](tmp_path / kind, rows)
    first = "declared" if kind == "proxies" else "registered"
    for dry_run in (["--dry-run"], []):
        code, told = imported(run, file, *dry_run, kind=kind)
        assert code == 1
        assert [verdict for _, verdict, _ in verdicts(told)] == [first, "registered", "refused"]
    code, told = imported(run, file, kind=kind)
    assert (code, told["counts"]["known"], told["counts"]["refused"]) == (1, 2, 1)
    refs = [ref_of(run, number) for number in ("525001", "525002")]
    assert tuple(facts_of(tmp_path, ref) for ref in refs) == RECORDED[kind]


@every_kind
def test_their_rows_that_were_not_recorded_are_mended_and_imported_again(
    run: Run, tmp_path: Path, kind: str
) -> None:
    imported(run, as_csv(tmp_path / "roster", [HEAD, ADA, BO]), "--at", "2025-09-02")
    file, errors = by_openpyxl(tmp_path / kind, TABLES[kind]), tmp_path / "errors.xlsx"
    for lang in ("zh", "en"):
        ended = run(
            *("office", "import", kind, file, "--school", "sjtu", "--lang", lang),
            *("--errors", errors, "--force"),
        )
        assert ended.exit_code == 1
        recorded = 1 if kind == "proxies" else 2
        first = {"zh": f"已记录：{recorded}", "en": "known: 2"}[lang]
        assert ended.stdout.splitlines()[0] == first
        assert not any(cell in ended.output for cell in ("李雷", "王五", "525009", "一年"))
    book = openpyxl.load_workbook(errors)
    sheet = book.active
    assert sheet is not None
    assert sheet.max_row == 2
    heads = [cell.value for cell in sheet[1]]
    place = next(n for n, head in enumerate(heads, 1) if head in ("学号", "Student number"))
    assert sheet.cell(2, place).value == "525009"
    for column, cell in enumerate(TABLES[kind][-3], 1):
        sheet.cell(2, column, str(cell) if cell is not None else None)
    book.save(tmp_path / "mended.xlsx")
    code, told = imported(run, tmp_path / "mended.xlsx", kind=kind)
    assert (code, told["counts"]["known"]) == (0, 1)


@every_kind
@pytest.mark.parametrize("lang", ["en", "zh"])
def test_their_templates_are_read_once_they_are_filled_in(
    run: Run, tmp_path: Path, kind: str, lang: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    imported(run, as_csv(tmp_path / "roster", [HEAD, ADA, BO]), "--at", "2025-09-02")
    assert run("office", "template", kind, "--lang", lang).exit_code == 0
    file = tmp_path / f"{kind}-template.xlsx"
    assert imported(run, file, kind=kind)[1]["rows"] == []
    book = openpyxl.load_workbook(file)
    (sheet,) = book.worksheets
    assert all(cell.comment for cell in sheet[1])
    assert sheet.column_dimensions["A"].number_format == "@"
    row = {
        "results": ["525001", "1", "", "2025-11-30", "2025-09-09 10:00", "2025"],
        "accounts": ["525001", "2025-12-01", "2025"],
        "proxies": ["525001", "2025-09-05", "2025-09-08 14:20", ""],
        "payments": ["525001", "2026", "355.00", "2025-11-01"],
    }[kind]
    assert len(row) == sheet.max_column
    for place, cell in enumerate(row, 1):
        sheet.cell(2, place, cell)
    book.save(file)
    code, told = imported(run, file, kind=kind)
    assert (code, told["counts"]["registered"]) == (0, 1)


@every_kind
def test_a_dry_run_of_any_kind_makes_nothing(run: Run, tmp_path: Path, kind: str) -> None:
    file = by_openpyxl(tmp_path / kind, TABLES[kind])
    before = sorted(tmp_path.iterdir())
    code, told = imported(run, file, "--dry-run", kind=kind)
    assert (code, told["dry_run"], told["counts"]["refused"]) == (1, True, 3)
    assert sorted(tmp_path.iterdir()) == before


def test_a_table_of_another_kind_is_told(run: Run, tmp_path: Path) -> None:
    file = by_openpyxl(tmp_path / "payments", TABLES["payments"])
    ended = run("office", "import", "results", file, "--school", "sjtu")
    assert ended.exit_code == 2
    assert "'断保年数'" in ended.stderr
