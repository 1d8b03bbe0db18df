"""`yibao audit`: corrections, voids, what came late, counts, Excel, and what nobody knows."""

import csv
import sqlite3
import sys
from collections import Counter
from contextlib import closing
from datetime import datetime, timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import openpyxl
import pytest

import yibao
from yibao.adapters.cli.running.audit_report import COLUMNS
from yibao.adapters.following.trail.questions import COUNTED
from yibao.adapters.service.service import open_service
from yibao.adapters.views import workbooks
from yibao.adapters.views.words import Words
from yibao.domain.refusals import BadValue

from ..conftest import Run, Write
from ..helpers.autumn import EDITIONS, Clock, an_autumn
from .test_audit import FORMULA, Entry, asked, page, path, store  # noqa: F401 - fixtures
from .test_cli import STEPS, parsed, refused

# What was asked for that is another fact's successor


def _is_correction(entry: Entry) -> bool:
    return bool(entry.get("supersedes")) and entry["kind"] != "voided"


def _is_void(entry: Entry) -> bool:
    return bool(entry["kind"] == "voided")


def _late(entry: Entry) -> timedelta:
    recorded, happened = (
        datetime.fromisoformat(entry[key]) for key in ("recorded_at", "happened_at")
    )
    return recorded - happened


def test_corrections_and_voids_are_asked_for(asked: Any) -> None:  # noqa: F811
    everything = asked()
    for options, fits in (
        (["--corrections"], _is_correction),
        (["--voids"], _is_void),
        (["--corrections", "--voids"], lambda each: _is_correction(each) or _is_void(each)),
    ):
        found = asked(*options)
        assert found == [entry for entry in everything if fits(entry)]
        assert found
    (actor, *_) = {entry["by"] for entry in asked("--corrections")}
    assert {entry["by"] for entry in asked("--corrections", "--by", actor)} == {actor}


@pytest.mark.parametrize("days", [0, 1, 7, 1_000_000])
def test_what_was_recorded_late_is_asked_for(days: int, asked: Any) -> None:  # noqa: F811
    facts = [entry for entry in asked() if entry["kind"] != "refused"]
    late = [entry for entry in facts if _late(entry) > timedelta(days=days)]
    assert asked("--late", days) == late
    assert bool(late) == (days < 1_000_000)


@pytest.mark.parametrize("options", [("--late", "-1"), ("--late", "x"), ("--late", "1000001")])
def test_days_are_a_number(options: tuple[str, ...], run: Run, store: str) -> None:  # noqa: F811
    assert "--late" in refused(run("audit", "--store", store, *options))


# Counts

KEYS = {"kind": "kind", "actor": "by", "code": "code", "school": "school", "day": "recorded_at"}


@pytest.mark.parametrize("by", KEYS)
@pytest.mark.parametrize("options", [(), ("--kind", "refused"), ("--school", "sjtu")])
def test_entries_are_counted_by_what_they_have_in_common(
    by: str,
    options: tuple[str, ...],
    asked: Any,  # noqa: F811
    run: Run,
    store: str,  # noqa: F811
) -> None:
    expected: Counter[str | None] = Counter()
    for entry in asked(*options):
        if options[:1] == ("--school",) and by == "school":
            expected["sjtu"] += 1  # a change of school is listed under both
            continue
        name = entry.get(KEYS[by])
        expected[name[:10] if by == "day" else name] += entry.get("attempts", 1)
    told = parsed(run("audit", "--store", store, "--count", by, "--json", *options))
    assert (told["format"], told["by"]) == (1, by)
    assert {each[by]: each["entries"] for each in told["counts"]} == expected
    numbers = [each["entries"] for each in told["counts"]]
    if by == "day":
        assert [each["day"] for each in told["counts"]] == sorted(expected, key=str)
    else:
        assert numbers == sorted(numbers, reverse=True)
    rows = list(csv.reader(StringIO(run(
        "audit", "--store", store, "--count", by, "--csv", *options
    ).stdout)))  # fmt: skip
    assert rows[0] == [by, "entries"]
    assert [int(row[1]) for row in rows[1:]] == numbers


def test_counts_are_told_in_words(run: Run, store: str) -> None:  # noqa: F811
    asked_ = ("audit", "--store", store, "--count")
    assert "confirmed" in run(*asked_, "kind").stdout
    english = run(*asked_, "code").stdout
    assert "the student has confirmed already" in english
    assert "\n-" in english  # what was not refused has no code
    chinese = run(*asked_, "kind", "--lang", "zh").stdout
    assert "参保确认" in chinese
    assert "被拒绝" in chinese
    assert "counter-2" in run(*asked_, "actor").stdout


@pytest.mark.parametrize("more", [("--size", "3"), ("--after", "1.2.3"), ("--all",), ("--brief",)])
def test_a_count_lists_no_entries(more: tuple[str, ...], run: Run, store: str) -> None:  # noqa: F811
    said = refused(run("audit", "--store", store, "--count", "kind", *more))
    assert "--count lists no entries" in said


def test_every_kind_of_store_counts_and_finds_alike(url: str) -> None:
    clock = Clock("2025-09-01 09:00")
    with open_service(url, policies=EDITIONS, clock=clock) as service:
        an_autumn(service, clock)
        with service.audit_trail() as trail:
            everything = list(trail.all(yibao.Question()))
            for question in (
                yibao.Question(corrections=True),
                yibao.Question(voids=True),
                yibao.Question(late=0),
            ):
                fits = [entry.key for entry in everything if _fits(entry, question)]
                assert [entry.key for entry in trail.all(question)] == fits
                assert fits
            for by in COUNTED:
                assert sum(trail.counts(yibao.Question(), by).values()) == len(everything)


def _fits(entry: Any, question: yibao.Question) -> bool:
    if entry.event is None:
        return False
    if question.late is not None:
        late = entry.event.recorded_at - entry.event.occurred_at
        return bool(late > timedelta(days=question.late))
    superseded = getattr(entry.event, "supersedes", None) is not None
    return superseded and (entry.row.kind == "voided") == question.voids


def test_the_library_counts_too(store: str) -> None:  # noqa: F811
    with yibao.open(store) as service, service.audit_trail() as trail:
        counts = trail.counts(yibao.Question(kind="refused"), "actor")
        assert sum(counts.values()) > len(counts) > 1
        with pytest.raises(BadValue, match="by"):
            trail.counts(yibao.Question(), "weather")  # type: ignore[arg-type]
        with pytest.raises(BadValue, match="late"):
            yibao.Question(late=-1)


# Excel


def sheet(file: Path) -> list[tuple[Any, ...]]:
    book = openpyxl.load_workbook(file)
    (only,) = book.worksheets
    return [tuple(cell for cell in row) for row in only.iter_rows()]


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_everything_is_written_for_excel_in_words(
    lang: Any,
    run: Run,
    store: str,  # noqa: F811
    asked: Any,  # noqa: F811
    tmp_path: Path,
) -> None:
    file, words = tmp_path / "audit.xlsx", Words(lang)
    done = run("audit", "--store", store, "--xlsx", file, "--lang", lang)
    assert (done.exit_code, done.stdout) == (0, "")
    assert str(file) in done.stderr
    heads, *rows = sheet(file)
    assert [cell.value for cell in heads] == [words("column", name) for name in COLUMNS]
    entries = asked()
    assert len(rows) == len(entries)
    for row, entry in zip(rows, entries, strict=True):
        cells = dict(zip(COLUMNS, row, strict=True))
        recorded = cells["recorded_at"].value
        assert recorded == datetime.fromisoformat(entry["recorded_at"]).replace(tzinfo=None)
        assert cells["recorded_at"].is_date
        kind = entry["kind"]
        expected = words("column", kind) if kind == "refused" else words("event", kind)
        assert cells["kind"].value == expected
        assert cells["by"].value == entry["by"]
        if kind == "refused":
            assert cells["command"].value == words("command", entry["command"])
        if entry["code"]:
            assert cells["code"].value == words("refusal", entry["code"])
    told = "\n".join(str(cell.value) for row in rows for cell in row)
    assert words("value", "coverage") in told
    assert file.stat().st_mode & 0o077 == 0


def test_no_cell_for_excel_is_a_formula(run: Run, store: str, tmp_path: Path) -> None:  # noqa: F811
    file = tmp_path / "audit.xlsx"
    run("audit", "--store", store, "--xlsx", file)
    cells = [cell for row in sheet(file) for cell in row]
    assert {cell.data_type for cell in cells} <= {"s", "n", "d"}
    formulas = [cell for cell in cells if cell.value == FORMULA]
    assert formulas
    assert all(cell.quotePrefix for cell in formulas)


def test_what_was_typed_stands_in_excel_without_what_steers(
    tell: Write, run: Run, tmp_path: Path
) -> None:
    story = tell(r"""
        - {at: 2025-09-03 09:00, change_school: {school: "a\u202Eb"}}
    """)
    file = tmp_path / "audit.xlsx"
    assert run("audit", story, "--xlsx", file).exit_code == 0
    assert "a\ufffdb" in {cell.value for row in sheet(file) for cell in row}


def test_counts_are_written_for_excel(run: Run, store: str, tmp_path: Path) -> None:  # noqa: F811
    file = tmp_path / "counts.xlsx"
    assert run("audit", "--store", store, "--count", "kind", "--xlsx", file).exit_code == 0
    heads, *rows = [tuple(cell.value for cell in row) for row in sheet(file)]
    assert heads == ("kind", "entries")
    told = parsed(run("audit", "--store", store, "--count", "kind", "--json"))["counts"]
    assert [row[1] for row in rows] == [each["entries"] for each in told]


def test_a_file_that_is_there_is_replaced_by_force_only(
    run: Run,
    store: str,  # noqa: F811
    path: Path,  # noqa: F811
    tmp_path: Path,
) -> None:
    file = tmp_path / "audit.xlsx"
    file.write_text("mine")
    asked_ = ("audit", "--store", store, "--xlsx")
    assert "there is a file" in refused(run(*asked_, file))
    assert file.read_text() == "mine"
    assert run(*asked_, file, "--force").exit_code == 0
    assert len(sheet(file)) > 1
    assert "is a store already" in refused(run(*asked_, path, "--force"))
    assert "could not be written" in refused(run(*asked_, tmp_path / "no" / "where.xlsx"))
    refused(run(*asked_, "/dev/full"))
    assert "--force says nothing" in refused(run("audit", "--store", store, "--force"))


@pytest.mark.parametrize("more", [("--json",), ("--csv",), ("--size", "3"), ("--after", "1.2.3")])
def test_excel_is_one_format_and_whole(
    more: tuple[str, ...],
    run: Run,
    store: str,  # noqa: F811
    tmp_path: Path,
) -> None:
    refused(run("audit", "--store", store, "--xlsx", tmp_path / "a.xlsx", *more))
    assert not (tmp_path / "a.xlsx").exists()


def test_where_xlsxwriter_is_lacking_it_is_named(
    run: Run,
    store: str,  # noqa: F811
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "xlsxwriter", None)
    said = refused(run("audit", "--store", store, "--xlsx", tmp_path / "a.xlsx"))
    assert said == "yibao: for Excel yibao needs XlsxWriter: pip install 'yibao[office]'\n"
    assert run("audit", "--store", store).exit_code == 0


def test_what_a_sheet_does_not_hold_is_a_clear_line(
    run: Run,
    store: str,  # noqa: F811
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(workbooks, "ROWS", 3)
    said = refused(run("audit", "--store", store, "--xlsx", tmp_path / "a.xlsx"))
    assert "a sheet has 3 rows" in said
    assert not (tmp_path / "a.xlsx").exists()


# Nothing found


@pytest.mark.parametrize("form", [(), ("--json",), ("--csv",), ("--count", "kind")])
@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("--by", "counter-22"),
        ("--ref", "adda"),
        ("--school", "stju"),
        ("--via", "post"),
        ("--edition", "shanghai-1999"),
        ("--correlation-id", "roster-77"),
    ],
)
def test_what_is_mistyped_is_told_as_unknown(
    option: str,
    value: str,
    form: tuple[str, ...],
    run: Run,
    store: str,  # noqa: F811
) -> None:
    done = run("audit", "--store", store, option, value, *form)
    assert done.exit_code == 0
    assert f"nothing in the trail has {option} {value}\n" in done.stderr
    nothing = "the trail has no such entry"
    assert (nothing in done.stderr) == bool(form)
    assert (nothing in done.stdout) == (not form)
    chinese = run("audit", "--store", store, option, value, "--lang", "zh")
    assert f"审计记录中没有 {option} {value}" in chinese.stderr


def test_of_what_is_known_it_is_said_only_that_nothing_fits(
    run: Run,
    store: str,  # noqa: F811
) -> None:
    done = run("audit", "--store", store, "--by", "counter-2", "--year", "1999", "--json")
    assert done.stderr == "the trail has no such entry\n"
    assert run("audit", "--store", store, "--by", "counter-2", "--json").stderr == ""


def test_a_kind_or_code_is_one_of_those_there_are(run: Run, tell: Write) -> None:
    story = tell(STEPS)
    assert "is not one of 'registered'" in refused(run("audit", story, "--kind", "corrected"))
    assert "is not one of 'not_registered'" in refused(run("audit", story, "--code", "wrong"))


def test_the_trail_s_tables_are_as_they_were(path: Path, run: Run, store: str) -> None:  # noqa: F811
    """What can be asked anew needs no other layout: a trail of the last release stays."""
    run("audit", "--store", store, "--corrections")
    with closing(sqlite3.connect(f"{path}.trail")) as trail:
        columns = [row[1] for row in trail.execute("PRAGMA table_info(entries)")]
    assert "supersedes" not in columns
