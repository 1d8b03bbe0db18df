"""`yibao audit`, `history` and `timeline`: whatever is asked, just that is answered, and cleanly.

Of a story and of a store; for people, as JSON and as CSV; in processes of their own where what
stands around them counts: the encoding, a reader that goes away.
"""

import csv
import json
import os
import re
import shlex
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from io import StringIO
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from given import sheet
from jsonschema import Draft202012Validator

import yibao
from yibao.adapters.cli import main
from yibao.adapters.cli.running.audit_report import COLUMNS
from yibao.adapters.following.trail.questions import Question
from yibao.adapters.following.trail.shapes import trail_entry_json
from yibao.adapters.service.service import open_service
from yibao.adapters.stories.published import SCHEMAS
from yibao.domain.calendar import read_instant
from yibao.domain.refusals import Refused
from yibao.projections.parts import PARTS

from ..conftest import HEAD, Run, Write
from ..helpers.autumn import ADA, EDITIONS, Clock, an_autumn, register
from .test_cli import MINE, SEVERAL, STEPS, parsed, refused

ROOT = Path(__file__).parents[3]
SCENARIO = ROOT / "scenarios" / "audit" / "what-was-paid-stands-when-the-check-is-corrected.yaml"
#: What a spreadsheet would take for a formula.
FORMULA = "=cmd|' /C calc'!A1"

Entry = dict[str, Any]


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with an autumn of three students, refusals beyond the bound, and hostile names."""
    path = tmp_path_factory.mktemp("audited") / "facts.db"
    clock = Clock()
    with open_service(f"sqlite:///{path}", policies=EDITIONS, clock=clock) as service:
        an_autumn(service, clock)
    how: dict[str, Any] = {"policies": EDITIONS, "clock": clock, "via": "web", "attempts_kept": 2}
    with open_service(f"sqlite:///{path}", **how) as service:
        clock.at("2025-11-03 10:00")
        for minute in range(7):  # each another attempt: one that is equal is but counted
            at = f"2025-11-03 09:0{minute}"
            with pytest.raises(Refused):
                service.confirm(ADA, at=at, channel="app", by="bot", correlation_id="=1+1")
        service.change_school(
            ADA, at=clock.at("2025-11-04 10:00"), school=FORMULA, by="officer-1", reason="moved"
        )
    return path


@pytest.fixture
def store(path: Path) -> str:
    return f"sqlite:///{path}"


@pytest.fixture
def asked(run: Run, store: str) -> Callable[..., list[Entry]]:
    """Every entry of the store that fits, as JSON."""

    def asked(*options: object) -> list[Entry]:
        found: list[Entry] = page(run, store, "--all", *options)["entries"]
        return found

    return asked


def page(run: Run, store: str, *options: object) -> dict[str, Any]:
    told = parsed(run("audit", "--store", store, "--json", *options))
    assert told["format"] == 1
    return dict(told)


def in_a_process(*args: object, **environment: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-m", "yibao", *map(str, args)],
        env={"PYTHONPATH": str(ROOT / "src"), "PATH": os.environ["PATH"], **environment},
        capture_output=True,
    )


def _keys(entries: list[Entry]) -> list[str]:
    return [entry["key"] for entry in entries]


def _at(instant: str) -> Any:
    return read_instant(instant)


def _told_at(entry: Entry, key: str) -> Any:
    return read_instant(entry[key]) if entry.get(key) else None


def _is(key: str, value: Any) -> Callable[[Entry], bool]:
    return lambda entry: entry.get(key) == value


def _changed(name: str) -> Callable[[Entry], bool]:
    def fits(entry: Entry) -> bool:
        moved = [each["value"] for each in entry.get("changes", ())]
        return name in [*moved, *entry.get("students_by_part", ())]

    return fits


def _since(key: str, instant: str) -> Callable[[Entry], bool]:
    def fits(entry: Entry) -> bool:
        told = _told_at(entry, key)
        return told is not None and told >= _at(instant)

    return fits


def _until(key: str, instant: str) -> Callable[[Entry], bool]:
    def fits(entry: Entry) -> bool:
        told = _told_at(entry, key)
        return told is not None and told < _at(instant)

    return fits


#: An option, and whether an entry fits it.
OPTIONS: dict[str, tuple[str, Callable[[Entry], bool]]] = {
    "year": ("2025", _is("year", 2025)),
    "another year": ("2024", _is("year", 2024)),
    "edition": ("shanghai-2025", _is("edition", "shanghai-2025")),
    "another edition": ("shanghai-2024", _is("edition", "shanghai-2024")),
    "by": ("counter-2", _is("by", "counter-2")),
    "via": ("web", _is("via", "web")),
    "kind": ("registered", _is("kind", "registered")),
    "kind refused": ("refused", _is("kind", "refused")),
    "kind benefits-adopted": ("benefits-adopted", _is("kind", "benefits-adopted")),
    "code": ("bad_value", _is("code", "bad_value")),
    "code already_confirmed": ("already_confirmed", _is("code", "already_confirmed")),
    "code roster_not_declared": ("roster_not_declared", _is("code", "roster_not_declared")),
    "correlation-id": ("roster-7", _is("correlation_id", "roster-7")),
    "recorded-from": ("2025-09-06 14:20", _since("recorded_at", "2025-09-06 14:20")),
    "recorded-until": ("2025-09-06 14:20", _until("recorded_at", "2025-09-06 14:20")),
    "happened-from": ("2025-09-06 14:50", _since("happened_at", "2025-09-06 14:50")),
    "happened-until": ("2025-09-06 14:50", _until("happened_at", "2025-09-06 14:50")),
    **{f"changed {name}": (name, _changed(name)) for name in PARTS},
}


@pytest.mark.parametrize("option", OPTIONS)
def test_each_option_selects_what_fits_and_nothing_else(
    option: str, asked: Callable[..., list[Entry]]
) -> None:
    value, fits = OPTIONS[option]
    every = asked()
    name = option.removeprefix("another ").split()[0]
    found = asked(f"--{name}", value)
    assert _keys(found) == [entry["key"] for entry in every if fits(entry)]
    if not option.startswith("another") and option != "changed care":
        assert 0 < len(found) < len(every)


def test_options_given_together_must_all_fit(asked: Callable[..., list[Entry]]) -> None:
    every = asked()
    for names in (
        ("by", "kind refused"),
        ("via", "code already_confirmed"),
        ("changed state", "recorded-from"),
        ("recorded-from", "happened-until"),
        ("kind", "correlation-id", "year"),
        ("code", "recorded-until", "by"),
    ):
        options = [each for name in names for each in (f"--{name.split()[0]}", OPTIONS[name][0])]
        expected = [e["key"] for e in every if all(OPTIONS[name][1](e) for name in names)]
        assert _keys(asked(*options)) == expected, names


def test_what_was_refused_can_be_left_out_and_what_changed_too(
    asked: Callable[..., list[Entry]], run: Run, store: str
) -> None:
    facts = [entry for entry in asked() if entry["kind"] != "refused"]
    assert asked("--facts-only") == facts
    lines = run("audit", "--store", store, "--facts-only", "--brief", "--all").stdout.splitlines()
    assert len(lines) == len(facts)
    assert asked("--facts-only", "--kind", "refused") == []


def test_a_student_is_asked_for_with_the_windows_that_moved_her_answers(
    asked: Callable[..., list[Entry]],
) -> None:
    every = asked()
    for ref in ("ada", "bo", "cy"):
        found = asked("--ref", ref)
        assert {entry["ref"] for entry in found} == {ref}
        own = [entry for entry in every if entry.get("ref") == ref]
        moved = [entry for entry in found if entry["key"] not in _keys(own)]
        assert [entry for entry in found if entry not in moved] == own
        assert {entry["kind"] for entry in moved} <= {"window-fixed", "voided"}
        assert all(entry["changes"] for entry in moved)
    assert asked("--ref", "nobody") == []


def test_a_school_is_asked_for_with_who_left_it(asked: Callable[..., list[Entry]]) -> None:
    every = asked()
    for school in ("sjtu", "tongji", "fudan", FORMULA):
        found = asked("--school", school)
        assert found
        at_it = [entry["key"] for entry in every if entry.get("school") == school]
        rest = [entry for entry in found if entry["key"] not in at_it]
        assert [key for key in _keys(found) if key in at_it] == at_it
        assert {e["kind"] for e in rest} <= {"window-fixed", "voided", "school-changed"}
    left = [entry for entry in asked("--school", "sjtu") if entry["kind"] == "school-changed"]
    assert [entry["ref"] for entry in left] == ["cy", "ada"]


@pytest.mark.parametrize("size", [2, 7])
@pytest.mark.parametrize("more", [(), ("--newest-first",), ("--kind", "refused"), ("--ref", "ada")])
def test_pages_put_together_are_all_there_is(
    size: int, more: tuple[str, ...], run: Run, store: str, asked: Callable[..., list[Entry]]
) -> None:
    whole = asked(*more)
    found: list[Entry] = []
    after: list[str] = []
    while True:
        told = page(run, store, "--size", size, *more, *after)
        assert 0 < len(told["entries"]) <= size
        found += told["entries"]
        if told["following"] is None:
            break
        assert told["following"] == told["entries"][-1]["key"]
        after = ["--after", told["following"]]
    assert found == whole
    keys = [tuple(map(int, key.split("."))) for key in _keys(found)]
    assert keys == sorted(keys, reverse="--newest-first" in more)


def test_a_person_is_told_how_to_go_on_where_there_is_more(run: Run, store: str) -> None:
    told = page(run, store, "--size", 3)
    text = run("audit", "--store", store, "--size", 3).stdout
    assert f"--after {told['following']}" in text.splitlines()[-1]
    assert "--after" not in run("audit", "--store", store, "--all").stdout


def test_json_fits_the_published_schema_also_with_what_was_counted(run: Run, store: str) -> None:
    schema = SCHEMAS["audit"]()
    Draft202012Validator.check_schema(schema)
    validator = Draft202012Validator(schema)
    for options in (("--all",), ("--size", 2), ("--kind", "refused"), ("--by", "nobody")):
        validator.validate(page(run, store, *options))
    (counted,) = [e for e in page(run, store, "--by", "bot")["entries"] if "attempts" in e]
    assert (counted["command"], counted["code"], counted["attempts"]) == (
        "confirm",
        "already_confirmed",
        5,
    )
    assert "Traceback" not in run("schema", "audit").output


def test_csv_has_the_same_entries_as_json(
    run: Run, store: str, asked: Callable[..., list[Entry]]
) -> None:
    result = run("audit", "--store", store, "--all", "--csv")
    assert result.exit_code == 0
    rows = list(csv.DictReader(StringIO(result.stdout)))
    entries = asked()
    assert _keys(rows) == _keys(entries)
    for row, entry in zip(rows, entries, strict=True):
        # How to ask for the explanation follows from the other cells.
        assert set(entry) - set(COLUMNS) <= {"explain", "supersedes_version"}
        for column in COLUMNS:
            value = entry.get(column)
            if isinstance(value, dict | list):
                assert (json.loads(row[column]) if row[column] else type(value)()) == value
            else:
                expected = "" if value is None else str(value)
                assert row[column] in (expected, f"'{expected}"), column


def test_no_cell_of_an_export_is_a_formula(run: Run, store: str) -> None:
    text = run("audit", "--store", store, "--all", "--csv").stdout
    rows = list(csv.DictReader(StringIO(text)))
    for row in rows:
        for cell in row.values():
            assert not cell.startswith(("=", "+", "-", "@", "\t", "\r")), cell
    assert f"'{FORMULA}" in {row["school"] for row in rows}
    assert "'=1+1" in {row["correlation_id"] for row in rows}


def test_csv_keeps_one_entry_together_whatever_a_name_has_in_it(tmp_path: Path, run: Run) -> None:
    school = 'a "quoted", name; 同济'
    store = f"sqlite:///{tmp_path / 'facts.db'}"
    clock = Clock("2025-09-01 09:00")
    with open_service(store, policies=EDITIONS, clock=clock) as service:
        register(service, ADA, "2025-09-01 08:30")
        service.change_school(ADA, at="2025-09-01 08:40", school=school)
    rows = list(csv.DictReader(StringIO(run("audit", "--store", store, "--csv").stdout)))
    assert [row["school"] for row in rows] == ["", "sjtu", school]


@pytest.mark.parametrize(
    "options",
    [
        ("--json", "--csv"),
        ("--all", "--after", "1.2.3"),
        ("--changed", "everything"),
        ("--changed", ""),
        ("--kind", "refusal"),
        ("--code", "Refused"),
        ("--all", "--size", "3"),
        ("--after", "the last"),
        ("--after", "1.2"),
        ("--after", "1.2.3.4"),
        ("--size", "0"),
        ("--size", "-1"),
        ("--size", "many"),
        ("--year", "next"),
        ("--recorded-from", "yesterday"),
        ("--happened-until", "2025-02-30 10:00"),
        ("--lang", "fr"),
        ("--unknown",),
        ("--trail", "postgres://trail"),
        ("--policies", "/no/such/folder"),
    ],
    ids=" ".join,
)
def test_what_cannot_be_asked_is_a_clear_line_and_exit_2(
    options: tuple[str, ...], run: Run, store: str
) -> None:
    said = refused(run("audit", "--store", store, *options))
    assert said.strip()


@pytest.mark.parametrize(
    "options",
    [
        ("--year", "99999999999999999999"),
        ("--after", "99999999999999999999.1.1"),
        ("--ref", "\udcff"),
        ("--by", "\udcff"),
    ],
    ids=["year", "after", "ref", "by"],
)
def test_what_no_entry_can_have_is_found_nowhere_or_a_clear_line(
    options: tuple[str, ...], store: str
) -> None:
    result = CliRunner().invoke(main, ["audit", "--store", store, "--json", *options])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    assert result.exit_code in (0, 2)


def test_a_story_or_a_store_is_asked_and_not_both_nor_none(
    tell: Write, run: Run, store: str, tmp_path: Path
) -> None:
    story = tell(STEPS)
    assert "FILE" in refused(run("audit"))
    assert "FILE" in refused(run("audit", story, "--store", store))
    for command in ("explain", "history", "timeline", "dossier", "review"):
        refused(run(command))
        refused(run(command, story, "--store", store))
        refused(run(command, story, "--ref", "s1"))
        refused(run(command, story, "--year", "2025"))
        refused(run(command, "--store", store))
        every_year = run(command, "--store", store, "--ref", "ada")
        assert every_year.exit_code == (2 if command in ("explain", "review") else 0)
        refused(run(command, "--store", store, "--year", "2025"))
        whom = ("--store", store, "--ref", "ada", "--year", "2025")
        refused(run(command, *whom, "--student", "ada"))


def test_a_store_that_is_not_there_is_told_and_not_made(run: Run, tmp_path: Path) -> None:
    missing = tmp_path / "missing.db"
    none = f"there is no store '{missing}': `yibao db init` creates one"
    assert none in refused(run("audit", "--store", f"sqlite:///{missing}"))
    assert "is no store" in refused(run("audit", "--store", f"sqlite:///{tmp_path}"))
    refused(run("audit", "--store", "memory:"))
    refused(run("audit", tmp_path / "missing.yaml"))
    whom = ("--store", f"sqlite:///{missing}", "--ref", "ada", "--year", "2025")
    for command in ("explain", "history", "timeline", "dossier", "review"):
        refused(run(command, *whom))
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_no_store_is_told(run: Run, tmp_path: Path) -> None:
    other = tmp_path / "other.db"
    other.write_text("this is no database\n" * 100)
    refused(run("audit", "--store", f"sqlite:///{other}"))
    assert other.read_text() == "this is no database\n" * 100


def test_the_trail_is_kept_where_it_is_told_to_be(path: Path, run: Run, tmp_path: Path) -> None:
    copy, trail = tmp_path / "facts.db", tmp_path / "elsewhere" / "trail.db"
    trail.parent.mkdir()
    shutil.copy(path, copy)
    store = f"sqlite:///{copy}"
    told = page(run, store, "--trail", f"sqlite:///{trail}", "--all")
    assert trail.exists()
    assert not Path(f"{copy}.trail").exists()
    assert told == page(run, store, "--all")
    assert Path(f"{copy}.trail").exists()


def test_the_trail_is_never_kept_in_the_file_of_the_facts(
    path: Path, run: Run, tmp_path: Path
) -> None:
    copy = tmp_path / "facts.db"
    shutil.copy(path, copy)
    result = run("audit", "--store", f"sqlite:///{copy}", "--trail", f"sqlite:///{copy}")
    with closing(sqlite3.connect(copy)) as connection:
        tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master")}
    assert not tables & {"entries", "progress"}, "the facts' own file was written to"
    assert result.exit_code == 2


def test_each_entry_leads_to_the_explanation_as_of_then(
    run: Run, store: str, asked: Callable[..., list[Entry]]
) -> None:
    with (
        open_service(store, policies=EDITIONS) as service,
        service.audit_trail() as trail,
    ):
        as_of = {str(each.key): trail.as_of(each) for each in trail.all(Question(ref="ada"))}
    found = [entry for entry in asked("--ref", "ada") if entry["explain"]]
    assert {entry["kind"] for entry in found} > {"refused", "registered", "window-fixed"}
    for entry in found:
        at = entry["explain"]
        whom = ("--store", store, "--ref", at["ref"], "--year", at["year"])
        when = ("--at", at["at"], "--known-at", at["known_at"])
        (told,) = parsed(run("explain", *whom, *when, "--json"))
        answer = as_of[entry["key"]]
        assert answer is not None
        assert (told["state"], told["version"]) == (
            answer.state.value if answer.state else None,
            answer.version,
        )


def test_a_refusal_leads_to_an_answer_that_knows_why_it_was_refused(tell: Write, run: Run) -> None:
    story = tell("""
        - {at: 2025-09-02 17:00, declare_roster: {}}
        - {at: 2025-09-03 11:00, fix_window: {closes_on: 2025-09-20}}
        - {at: 2025-09-25 10:00, confirm: {channel: app}, refused: window_closed}
    """)
    told = parsed(run("audit", story, "--kind", "refused", "--json"))
    (entry,) = told["entries"]
    when = ("--at", entry["explain"]["at"], "--known-at", entry["explain"]["known_at"])
    (answer,) = parsed(run("explain", story, *when, "--json"))
    assert answer["state"] == "lapsed"


def test_a_story_has_the_trail_of_the_store_it_was_replayed_into(
    tell: Write, run: Run, tmp_path: Path
) -> None:
    story = tell(STEPS)
    store = f"sqlite:///{tmp_path / 'replayed.db'}"
    assert run("replay", story, "--store", store).exit_code == 0
    one = parsed(run("audit", story, "--json", "--all"))["entries"]
    other = page(run, store, "--all")["entries"]
    own = ("command_id", "event_id")
    assert [{k: v for k, v in e.items() if k not in own} for e in one] == [
        {k: v for k, v in e.items() if k not in own} for e in other
    ]
    assert [entry["kind"] for entry in one] == [
        "edition-adopted",
        "registered",
        "roster-declared",
        "confirmed",
        "prior-coverage-verified",
    ]


def test_a_person_reads_the_trail_in_both_languages(run: Run, store: str) -> None:
    english = run("audit", "--store", store, "--all").stdout
    chinese = run("audit", "--store", store, "--all", "--lang", "zh").stdout
    assert "refused confirm" in english
    assert "there is no current registration" in english
    assert "the confirmation window is not open yet" in english
    assert not any("\u4e00" <= char <= "\u9fff" for char in english)
    for word in (
        "拒绝 参保确认（途径：随申办市民云）",
        "院校已提交申报数据",
        "待遇享受期",
        "报到注册",
        "确认期或缴费期尚未开始",
    ):
        assert word in chinese
    for word in ("refused", "confirmed", "schedules", "report", "benefit window"):
        assert word not in chinese
    assert run("audit", "--store", store, "--by", "nobody").stdout.strip() != ""
    assert run("audit", "--store", store, "--by", "nobody", "--json").stdout.count("\n") == 1


def test_what_was_counted_beyond_the_bound_is_shown_with_how_often(
    run: Run, store: str, asked: Callable[..., list[Entry]]
) -> None:
    found = asked("--by", "bot")
    assert sum(entry.get("attempts", 1) for entry in found) == 7
    text = run("audit", "--store", store, "--by", "bot").stdout
    assert text.count("the student has confirmed already") == 3
    assert text.count("×5") == text.count("×") == 1
    (row,) = [
        row
        for row in csv.DictReader(
            StringIO(run("audit", "--store", store, "--by", "bot", "--csv").stdout)
        )
        if row["attempts"]
    ]
    assert (row["attempts"], row["command"], row["code"]) == ("5", "confirm", "already_confirmed")


def test_standard_output_holds_nothing_but_what_was_asked_for(path: Path) -> None:
    store = f"sqlite:///{path}"
    for options in (["--csv"], ["--all", "--json"]):
        done = in_a_process("audit", "--store", store, *options)
        assert done.returncode == 0
        assert done.stderr.strip() == b""
        text = done.stdout.decode()
        if "--json" in options:
            assert set(json.loads(text)) == {"format", "entries", "following"}
        else:
            assert text.startswith("key,")


@pytest.fixture(scope="module")
def long(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A store whose trail does not fit into a pipe."""
    store = f"sqlite:///{tmp_path_factory.mktemp('long') / 'facts.db'}"
    now = read_instant("2025-09-01 08:00")
    with open_service(store, policies=EDITIONS, clock=lambda: now) as service:
        for number in range(800):
            somebody = yibao.EnrollmentId(f"s{number}", 2025)
            with pytest.raises(Refused):
                service.confirm(somebody, at=now, channel="app", correlation_id="x" * 64)
    return store


@pytest.mark.parametrize("form", ["", "--json", "--csv"])
def test_a_reader_that_goes_away_ends_it_with_one_line(form: str, long: str) -> None:
    command = [sys.executable, "-m", "yibao", "audit", "--store", long, "--all"]
    command += [form] if form else []
    done = subprocess.run(
        ["bash", "-c", f"{shlex.join(command)} | head -c 20"],
        env={"PYTHONPATH": str(ROOT / "src"), "PATH": os.environ["PATH"]},
        capture_output=True,
    )
    assert len(done.stdout) == 20
    assert done.stderr.decode() == "yibao: the output cannot be written: Broken pipe\n"


def test_every_entry_of_a_long_trail_is_written(long: str, run: Run) -> None:
    assert len(page(run, long, "--all")["entries"]) == 800
    assert len(page(run, long)["entries"]) == 50
    assert len(run("audit", "--store", long, "--csv", "--all").stdout.splitlines()) == 801


def test_nothing_that_was_typed_steers_the_terminal(tell: Write, run: Run) -> None:
    story = tell(r"""
        - {at: 2025-09-02 17:00, note: "one \e[2J two", declare_roster: {}}
        - {at: 2025-09-03 09:00, change_school: {school: "a\e]0;b\e[31mc"}}
    """)
    for command in ("audit", "dossier"):
        result = run(command, story)
        assert "\x1b" not in result.output
        assert result.exit_code in (0, 2)


def test_an_edition_that_is_not_at_hand_is_a_clear_line(
    write: Write, run: Run, tmp_path: Path
) -> None:
    folder = write(MINE, "policies/mine.yaml").parent
    story = write(HEAD.replace("shanghai-2025", "mine"))
    store = f"sqlite:///{tmp_path / 'facts.db'}"
    with open_service(store, policies=folder, clock=Clock("2025-09-02 08:00")) as service:
        service.register("s1", **sheet(policy="mine", document="passport"))
    assert run("audit", "--store", store, "--policies", folder).exit_code == 0
    assert run("audit", story, "--policies", folder).exit_code == 0
    assert "mine" in refused(run("audit", "--store", store))
    assert "mine" in refused(run("dossier", "--store", store, "--ref", "s1", "--year", 2025))


# The history of a value


@pytest.mark.parametrize("value", PARTS)
@pytest.mark.parametrize("more", [(), ("--at", "2025-11-10 09:00")])
def test_the_history_of_a_value_goes_from_ever_until_now_without_a_gap(
    value: str, more: tuple[str, ...], run: Run
) -> None:
    (told,) = parsed(run("history", SCENARIO, "--value", value, "--json", *more))
    assert told["value"] == value
    assert told["at"] == ("2025-11-10T09:00:00+08:00" if more else None)
    held = told["held"]
    assert held[0]["known_from"] is None
    assert held[-1]["known_until"] is None
    for before, after in pairwise(held):
        assert before["known_until"] == after["known_from"]
        assert before["value"] != after["value"]
        assert bool(before["ended_by"]) != before["ended_by_time"]
    if more:  # about one instant nothing but a fact changes an answer
        assert not any(each["ended_by_time"] for each in held)
    language = "zh" if more else "en"
    text = run("history", SCENARIO, "--value", value, "--lang", language, *more).stdout
    assert len(text.splitlines()) >= len(held) + 1


@pytest.mark.parametrize("value", ["coverage", "state", "waiting"])
def test_each_answer_in_a_history_is_the_one_given_in_that_interval(value: str, run: Run) -> None:
    at = ("--at", "2025-11-10 09:00")
    (told,) = parsed(run("history", SCENARIO, "--value", value, "--json", *at))
    assert len(told["held"]) > 1
    for held in told["held"][1:]:
        (answer,) = parsed(
            run("explain", SCENARIO, "--json", *at, "--known-at", held["known_from"])
        )
        assert answer[value] == held["value"]


def test_a_value_there_is_none_of_has_no_history(run: Run) -> None:
    for value in ("everything", "", "COVERAGE"):
        said = refused(run("history", SCENARIO, "--value", value))
        assert "coverage" in said


def test_several_students_have_their_histories_one_after_the_other(write: Write, run: Run) -> None:
    path = write(SEVERAL)
    assert [one["student"] for one in parsed(run("history", path, "--json"))] == ["ada", "bo"]
    (one,) = parsed(run("history", path, "--student", "bo", "--json"))
    assert one["student"] == "bo"
    assert run("history", path).stdout.splitlines()[0] == "ada"
    refused(run("history", path, "--student", "cy"))


# The timeline


def test_the_timeline_is_drawn_in_characters_the_terminal_has(tell: Write) -> None:
    story = tell(STEPS)
    plainly = in_a_process("timeline", story, PYTHONIOENCODING="ascii")
    assert (plainly.returncode, plainly.stderr) == (0, b"")
    text = plainly.stdout.decode("ascii")
    blocks = in_a_process("timeline", story, PYTHONIOENCODING="utf-8")
    assert (blocks.returncode, blocks.stderr) == (0, b"")
    drawn = blocks.stdout.decode("utf-8")
    assert not drawn.isascii()
    assert "2025-12-02" in text
    assert len(text.splitlines()) == len(drawn.splitlines())


def test_the_timeline_as_known_then_stands_beneath_the_one_known_now(
    tell: Write, write: Write, run: Run
) -> None:
    story = tell(STEPS)
    once = run("timeline", story).stdout
    twice = run("timeline", story, "--known-at", "2").stdout
    assert once.count("as known at") == 1
    assert twice.count("as known at") == 2
    assert "as known at 2025-09-02 17:00" in twice
    several = run("timeline", write(SEVERAL, "several.yaml")).stdout
    assert several.splitlines()[0] == "ada"
    assert "bo" in several.splitlines()
    refused(run("timeline", story, "--known-at", "99"))


# Of a store as of a story


@pytest.mark.parametrize(
    ("command", "more"),
    [
        ("explain", ()),
        ("review", ()),
        ("compare", ("--known-at", "2")),
        ("history", ()),
    ],
)
def test_a_store_is_asked_as_the_story_it_came_from(
    command: str, more: tuple[str, ...], run: Run, tmp_path: Path
) -> None:
    store = f"sqlite:///{tmp_path / 'replayed.db'}"
    (played,) = parsed(run("replay", SCENARIO, "--store", store, "--json"))
    (student,) = played["students"]
    whom = ("--store", store, "--ref", student["ref"], "--year", "2025")
    end = ("2025-12-20 09:00", "2026-01-10 09:00")
    when = () if command == "history" else ("--known-at", end[1])
    options = ("--at", end[0], *more, *when)
    (of_story,) = parsed(run(command, SCENARIO, *options, "--json"))
    (of_store,) = parsed(run(command, *whom, *options, "--json"))
    assert _without_ids(of_story) == _without_ids(of_store)
    text = run(command, SCENARIO, *options).stdout
    assert text
    assert _told_alike(text) == _told_alike(run(command, *whom, *options).stdout)


def _without_ids(told: Any) -> Any:
    """The same without what is made up anew in each replay."""
    return json.loads(MADE_UP.sub("ID", json.dumps(told, ensure_ascii=False)))


def _told_alike(text: str) -> str:
    return MADE_UP.sub("ID", text)


#: Ids of events and commands, and the digests of commands that name an event.
MADE_UP = re.compile(r"\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b|\b[0-9a-f]{32}\b")


def test_a_comparison_in_which_care_was_settled_can_be_told_as_json(tell: Write, run: Run) -> None:
    story = tell("""
        - {at: 2025-09-06 14:20, observed: yes, confirm: {channel: app}}
        - {at: 2025-09-06 14:50, verify_prior_coverage: {lapsed_years: 0}}
        - {at: 2025-09-10 09:00, id: bill, receive_care:
            {on: 2025-09-10, setting: campus_clinic, cost: 60.00}}
        - {at: 2025-09-11 09:00, settle_care: {step: bill}}
    """)
    (told,) = parsed(run("compare", story, "--known-at", "3", "--json"))
    assert "care" in {each["value"] for each in told["differences"]}


def test_nothing_is_recorded_by_asking(path: Path, run: Run, tmp_path: Path) -> None:
    copy = tmp_path / "facts.db"
    shutil.copy(path, copy)
    store = f"sqlite:///{copy}"
    whom = ("--store", store, "--ref", "ada", "--year", "2025")
    with open_service(store, policies=EDITIONS) as service:
        before = service._store.reached()
    for command in ("explain", "history", "timeline", "dossier", "review"):
        assert run(command, *whom).exit_code == 0
    assert run("audit", "--store", store).exit_code == 0
    with open_service(store, policies=EDITIONS) as service:
        assert service._store.reached() == before


def test_the_library_tells_the_same_as_the_command_line(
    asked: Callable[..., list[Entry]], store: str
) -> None:
    with yibao.open(store) as service, service.audit_trail() as trail:
        found = [trail_entry_json(each, service.editions) for each in trail.all(Question())]
    assert json.loads(json.dumps(found)) == asked()
