"""`yibao replay`: the agreed example to the letter, and everything else it promises."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from freezegun import freeze_time

import yibao

from ..conftest import Run, Write

ROOT = Path(__file__).parents[3]

AGREED = """\
title: One lapsed year means three months of waiting
rules: [R12, R13, R14]
policy: shanghai-2025
student: {ref: s1, school: sjtu, category: undergraduate, document: resident_id_card}
story:
  - id: registration
    at: 2025-09-01 08:30
    register: {on: 2025-09-01}
  - at: 2025-09-02 17:00
    declare_roster: {}
  - at: 2025-09-03 10:00
    confirm: {channel: app}
    refused: window_not_open
  - at: 2025-09-06 14:20
    confirm: {channel: app}
  - at: 2025-09-06 14:50
    verify_prior_coverage: {lapsed_years: 1}
  - at: 2025-12-02 00:00
    expect:
      state: active
      waiting: {from: 2025-09-01, to: 2025-11-30}
      account_built_on: 2025-12-01
      evoucher_available_at: 2025-12-01 09:00
      coverage: {from: 2025-12-02, to: 2025-12-31}
  - at: 2025-12-02 00:00
    known_at: 2025-09-06 14:30
    expect: {state: confirmed, coverage: pending}
"""
CORRECTION = """\
  - at: 2025-12-05 09:00
    correct: {step: registration, on: 2025-09-02}
    reason: sheet-misread
"""
TOLD: dict[str, Any] = {
    "format": 1,
    "title": "One lapsed year means three months of waiting",
    "policy": "shanghai-2025",
    "ok": True,
    "failures": [],
    "students": [
        {
            "student": "s1",
            "ref": "s1",
            "state": "active",
            "version": 4,
            "assumes_no_further_facts": True,
            "waiting": {"from": "2025-09-01", "to": "2025-11-30", "months": 3},
            "account_built_on": "2025-12-01",
            "evoucher_available_at": "2025-12-01T09:00:00+08:00",
            "coverage": {"from": "2025-12-02", "to": "2025-12-31"},
            "next_steps": ["look_at_result", "activate_evoucher", "pay_next_premium"],
            "discrepancies": [],
            "timeline": [
                {"at": "2025-09-01T00:00:00+08:00", "state": "registered"},
                {"at": "2025-09-06T14:20:00+08:00", "state": "confirmed"},
                {"at": "2025-09-06T14:50:00+08:00", "state": "in_waiting_period"},
                {"at": "2025-12-01T00:00:00+08:00", "state": "account_built"},
                {"at": "2025-12-01T09:00:00+08:00", "state": "evoucher_eligible"},
                {"at": "2025-12-02T00:00:00+08:00", "state": "active"},
                {"at": "2026-01-01T00:00:00+08:00", "state": "expired"},
            ],
            "care": [],
        }
    ],
}
#: Where a story goes wrong in every way a step can; the registration is on lines 5 to 7.
FAILING = """
    - id: roster
      at: 2025-09-02 17:00
      declare_roster: {}
      refused: withdrawn
    - at: 2025-09-03 10:00
      confirm: {channel: app}
    - at: 2025-09-04 10:00
      confirm: {channel: app}
      refused: roster_not_declared
    - at: 2025-09-06 14:20
      confirm: {channel: app}
    - at: 2025-09-07 09:00
      expect: {state: active, coverage: pending}
    - at: 2025-09-07 09:00
      known_at: 17
      expect: {state: active}
"""


def told(result: Result | subprocess.CompletedProcess[str]) -> list[dict[str, Any]]:
    """The standard output of a replay with --json, which is one JSON array and nothing else."""
    parsed = json.loads(result.stdout)
    assert isinstance(parsed, list)
    return parsed


def student(result: Result) -> dict[str, Any]:
    """What a replay of one story tells of its only student."""
    return told(result)[0]["students"][0]


def process(*args: object, cwd: Path) -> "subprocess.CompletedProcess[str]":
    """`python -m yibao`, as somebody runs it from another folder."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src"), "PYTHONIOENCODING": "utf-8"}
    return subprocess.run(
        [sys.executable, "-W", "error", "-m", "yibao", *map(str, args)],
        cwd=cwd,
        env=environment,
        capture_output=True,
        encoding="utf-8",
        timeout=60,
        check=False,
    )


def test_the_agreed_example_is_told_field_by_field(write: Write, run: Run) -> None:
    path = write(AGREED)
    result = run("replay", path, "--json")
    (found,) = told(result)
    found["students"][0]["next_steps"] = [s["code"] for s in found["students"][0]["next_steps"]]
    assert found == {**TOLD, "file": str(path)}
    assert list(found) == ["format", "file", "title", "policy", "ok", "failures", "students"]
    assert result.exit_code == 0


def test_a_next_step_has_who_where_from_until_and_whether_it_is_estimated(
    write: Write, run: Run
) -> None:
    look, activate, pay = student(run("replay", write(AGREED), "--json"))["next_steps"]
    assert look == {
        "code": "look_at_result",
        "who": "student",
        "where": ["city_services_app", "wechat_mini_program", "alipay_mini_program"],
        "from": "2025-12-01T00:00:00+08:00",
        "until": None,
        "estimated": True,
        "ask": ["12393", "021-12393"],
    }
    assert activate["from"] == "2025-12-01T09:00:00+08:00"
    assert (pay["where"], pay["from"], pay["until"]) == (["school"], None, None)


def test_the_whole_example_with_its_correction_holds_and_moves_everything_by_a_day(
    write: Write, run: Run
) -> None:
    found = student(run("replay", write(AGREED + CORRECTION), "--json"))
    assert found["version"] == 5
    assert found["assumes_no_further_facts"] is False
    assert found["waiting"] == {"from": "2025-09-02", "to": "2025-12-01", "months": 3}
    assert found["coverage"] == {"from": "2025-12-03", "to": "2025-12-31"}
    assert found["timeline"][0] == {"at": "2025-09-02T00:00:00+08:00", "state": "registered"}


def test_in_another_process_the_same_is_told(write: Write) -> None:
    path = write(AGREED)
    result = process("replay", "story.yaml", "--json", cwd=path.parent)
    (found,) = told(result)
    found["students"][0]["next_steps"] = [s["code"] for s in found["students"][0]["next_steps"]]
    assert found == {**TOLD, "file": "story.yaml"}
    assert (result.returncode, result.stderr) == (0, "")


def test_a_process_ends_with_2_where_one_file_failed_and_one_could_not_be_read(
    write: Write, tell: Write
) -> None:
    write(AGREED, "stories/a.yaml")
    tell(FAILING, "stories/b.yaml")
    folder = write("title: T\ntitle: U\n", "stories/c.yaml").parent
    result = process("replay", "stories", "--json", cwd=folder.parent)
    assert result.returncode == 2
    assert [item["ok"] for item in told(result)] == [True, False, False]
    assert told(result)[2]["error"].startswith(f"{Path('stories/c.yaml')}:2:1: duplicate key")


def test_a_process_that_is_called_wrongly_ends_with_2_and_without_a_traceback(
    tmp_path: Path,
) -> None:
    for arguments in (["replay"], ["replay", ".", "--at", "soon"], ["nothing"]):
        result = process(*arguments, cwd=tmp_path)
        assert (result.returncode, result.stdout) == (2, "")
        assert "Traceback" not in result.stderr


@pytest.mark.parametrize(
    ("names", "code"),
    [
        (["good"], 0),
        (["good", "good"], 0),
        (["failing"], 1),
        (["good", "failing", "good"], 1),
        (["unreadable"], 2),
        (["unreadable", "failing", "good"], 2),
        (["failing", "unreadable"], 2),
        (["missing", "good"], 2),
    ],
)
def test_the_exit_code_is_the_worst_of_all_files_and_every_file_is_told(
    names: list[str], code: int, write: Write, tell: Write, run: Run
) -> None:
    write(AGREED, "good.yaml")
    tell(FAILING, "failing.yaml")
    folder = write("title: [", "unreadable.yaml").parent
    paths = [folder / f"{name}.yaml" for name in names]
    result = run("replay", *paths, "--json")
    assert result.exit_code == code
    assert [item["file"] for item in told(result)] == [str(path) for path in paths]
    assert [item["ok"] for item in told(result)] == [name == "good" for name in names]
    assert run("replay", *paths).exit_code == code


def test_a_file_that_cannot_be_read_has_an_error_with_its_place_and_nothing_else(
    tell: Write, run: Run
) -> None:
    path = tell("- at: 2025-09-02 10:00\n  confrim: {}")
    assert told(run("replay", path, "--json")) == [
        {
            "format": 1,
            "file": str(path),
            "ok": False,
            "error": f"{path}:9:5: unknown key 'confrim'",
        }
    ]


def test_every_failed_step_is_told_with_line_what_was_expected_and_what_came(
    tell: Write, run: Run
) -> None:
    path = tell(FAILING)
    result = run("replay", path, "--json")
    (found,) = told(result)
    failures = found["failures"]
    assert result.exit_code == 1
    assert found["ok"] is False
    assert {failure["file"] for failure in failures} == {str(path)}
    assert [(failure["line"], failure["step"]) for failure in failures] == [
        (8, "roster"),
        (12, None),
        (14, None),
        (19, None),
        (21, None),
    ]
    assert [(failure["expected"], failure["came"]) for failure in failures] == [
        ({"refused": "withdrawn"}, {"refused": None}),
        ({"refused": None}, {"refused": "window_not_open"}),
        ({"refused": "roster_not_declared"}, {"refused": "window_not_open"}),
        ({"state": "active"}, {"state": "confirmed"}),
        ({"known_at": 17}, {"known_at": None}),
    ]


def test_a_failure_says_why(tell: Write, run: Run) -> None:
    failures = told(run("replay", tell(FAILING), "--json"))[0]["failures"]
    assert "the confirmation window is not open yet" in failures[1]["why"]
    assert "R24" in failures[3]["why"]
    assert "version 17" in failures[4]["why"]


def test_an_expected_value_that_did_not_come_is_explained_by_rule_and_clause(
    tell: Write, run: Run
) -> None:
    path = tell("""
        - at: 2025-09-02 17:00
          declare_roster: {}
        - at: 2025-09-06 14:20
          confirm: {channel: app}
        - at: 2025-09-07 09:00
          expect:
            coverage: {from: 2025-09-01, to: 2025-12-31}
    """)
    (failure,) = told(run("replay", path, "--json"))[0]["failures"]
    assert failure["expected"] == {"coverage": {"from": "2025-09-01", "to": "2025-12-31"}}
    assert failure["came"] == {"coverage": "pending"}
    assert "the result of the check is missing" in failure["why"]
    assert "shanghai-2025" in failure["why"]


@pytest.mark.parametrize(
    "steps",
    [
        "- at: 2025-09-02 10:00\n  expect: {next_step: confirm}",
        "- at: 2025-09-02 10:00\n  expect: {discrepancies: [withdrawn]}",
        "- at: 2025-08-31 10:00\n  expect: {state: registered}",
        "- at: 2025-09-02 10:00\n  known_at: 0\n  expect: {coverage: pending}",
    ],
    ids=["next step", "discrepancies", "no state", "no enrollment"],
)
def test_every_failed_expectation_says_why(steps: str, tell: Write, run: Run) -> None:
    (failure,) = told(run("replay", tell(steps), "--json"))[0]["failures"]
    assert failure["why"]


def test_after_a_failure_the_following_steps_still_run(tell: Write, run: Run) -> None:
    found = student(run("replay", tell(FAILING), "--json"))
    assert (found["state"], found["version"]) == ("confirmed", 3)


def test_what_was_to_be_refused_and_was_not_can_be_corrected_no_more(tell: Write, run: Run) -> None:
    """A step that rests on one which unexpectedly recorded nothing fails on its own."""
    path = tell("""
        - id: too_early
          at: 2025-09-03 10:00
          confirm: {channel: app}
        - at: 2025-09-04 10:00
          correct: {step: too_early, channel: wechat}
          reason: misread
    """)
    first, second = told(run("replay", path, "--json"))[0]["failures"]
    assert first["came"] == {"refused": "window_not_open"} or first["came"] == {
        "refused": "roster_not_declared"
    }
    assert second["came"] == {"refused": "no_such_fact"}


def test_by_default_the_latest_at_of_the_story_is_asked_about(tell: Write, run: Run) -> None:
    path = tell("""
        - at: 2025-12-31 23:59
          expect: {state: registered}
        - at: 2025-09-02 17:00
          declare_roster: {}
    """)
    assert student(run("replay", path, "--json"))["state"] == "registered"
    later = run("replay", path, "--json", "--at", "2026-01-01 00:00")
    assert student(later)["state"] == "lapsed"


def test_at_an_earlier_instant_the_state_is_the_one_then(write: Write, run: Run) -> None:
    found = student(run("replay", write(AGREED), "--json", "--at", "2025-09-06 14:30"))
    assert found["state"] == "confirmed"
    assert found["assumes_no_further_facts"] is False
    assert found["coverage"] == {"from": "2025-12-02", "to": "2025-12-31"}


@pytest.mark.parametrize(
    ("cutoff", "version", "coverage"),
    [
        ("2025-09-06 14:49", 3, "pending"),
        ("2025-09-06 14:50", 4, {"from": "2025-12-02", "to": "2025-12-31"}),
        ("2025-09-06T06:50:00Z", 4, {"from": "2025-12-02", "to": "2025-12-31"}),
        ("3", 3, "pending"),
        ("4", 4, {"from": "2025-12-02", "to": "2025-12-31"}),
    ],
)
def test_known_at_is_an_inclusive_instant_or_a_version(
    cutoff: str, version: int, coverage: Any, write: Write, run: Run
) -> None:
    found = student(run("replay", write(AGREED + CORRECTION), "--json", "--known-at", cutoff))
    assert (found["version"], found["coverage"]) == (version, coverage)


def test_version_0_knows_nothing(write: Write, run: Run) -> None:
    found = student(run("replay", write(AGREED), "--json", "--known-at", "0"))
    assert found["state"] is None
    assert {found[name] for name in ("waiting", "account_built_on", "coverage")} == {None}
    assert (found["timeline"], found["next_steps"], found["version"]) == ([], [], 0)


def test_a_version_the_stream_does_not_have_is_an_error_of_that_file(
    write: Write, tell: Write, run: Run
) -> None:
    long, short = write(AGREED, "long.yaml"), tell(name="short.yaml")
    result = run("replay", long, short, "--json", "--known-at", "3")
    assert result.exit_code == 2
    assert [item["ok"] for item in told(result)] == [True, False]
    assert "version 3 is not in the stream" in told(result)[1]["error"]


def test_a_story_is_replayed_under_another_edition(tell: Write, run: Run) -> None:
    path = tell("- at: 2025-09-02 17:00\n  declare_roster: {}")
    result = run("replay", path, "--json", "--policy", "shanghai-2024")
    (found,) = told(result)
    assert found["policy"] == "shanghai-2024"
    # Who registers in 2025 is no new student of 2024.
    assert found["failures"][0]["came"] == {"refused": "not_a_new_student"}
    assert found["students"][0]["state"] is None


def test_an_unknown_edition_runs_nothing(write: Write, run: Run) -> None:
    result = run("replay", write(AGREED), "--json", "--policy", "shanghai-1999")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "no edition 'shanghai-1999'" in result.stderr


def test_what_is_recorded_in_a_store_stays_there_and_is_not_recorded_again(
    write: Write, run: Run, tmp_path: Path
) -> None:
    path, url = write(AGREED), f"sqlite:///{tmp_path / 'facts.db'}"
    assert run("replay", path, "--store", url).exit_code == 0
    again = run("replay", path, "--store", url, "--json")
    assert again.exit_code == 2
    assert told(again)[0]["error"].startswith(f"{path}:4:10: ")
    assert "in the store already" in told(again)[0]["error"]
    with yibao.open(url) as service:
        facts = service.facts(yibao.EnrollmentId("s1", 2025))
    assert [fact.name for fact in facts] == [
        "registered",
        "roster-declared",
        "confirmed",
        "prior-coverage-verified",
    ]
    assert {fact.via for fact in facts} == {"replay"}


def test_without_a_store_every_file_has_a_fresh_one(write: Write, run: Run) -> None:
    paths = [write(AGREED, "a.yaml"), write(AGREED, "b.yaml")]
    assert run("replay", *paths).exit_code == 0


def test_a_story_knows_its_own_facts_also_in_a_store_that_is_ahead_of_it(
    tell: Write, write: Write, run: Run, tmp_path: Path
) -> None:
    url = f"sqlite:///{tmp_path / 'facts.db'}"
    ahead = tell("- at: 2025-11-20 09:00\n  fix_window: {closes_on: 2025-12-19, school: ecnu}")
    behind = tell("""
        - at: 2025-09-02 09:00
          fix_window: {closes_on: 2025-10-19}
        - at: 2025-10-20 09:00
          expect: {state: lapsed}
    """)
    behind = write(behind.read_text(encoding="utf-8").replace("s1", "s2"), "behind.yaml")
    ahead = tell(
        "- at: 2025-11-20 09:00\n  fix_window: {closes_on: 2025-12-19, school: ecnu}", "ahead.yaml"
    )
    assert run("replay", behind).exit_code == 0
    assert run("replay", ahead, behind, "--store", url).exit_code == 0


def test_a_store_that_cannot_be_opened_ends_with_2(write: Write, run: Run) -> None:
    path = write(AGREED)
    for url in ("postgresql://host/db", "sqlite:///", f"sqlite:///{path}", f"sqlite:///{path}/x"):
        result = run("replay", path, "--store", url)
        assert result.exit_code == 2
        assert result.stderr.startswith("yibao: ")


def test_a_folder_is_replayed_in_the_order_of_names_with_its_subfolders(
    write: Write, tell: Write, run: Run
) -> None:
    write(AGREED, "stories/b.yml")
    write(AGREED, "stories/a/late.yaml")
    write(AGREED, "stories/c.yaml")
    folder = write("no story", "stories/readme.txt").parent
    files = [Path(item["file"]) for item in told(run("replay", folder, "--json"))]
    assert [file.relative_to(folder).as_posix() for file in files] == [
        "a/late.yaml",
        "b.yml",
        "c.yaml",
    ]


def test_the_bad_examples_are_all_told_and_end_with_2(run: Run) -> None:
    result = run("replay", ROOT / "tests" / "scenarios", "--json")
    assert result.exit_code == 2
    assert len(told(result)) >= 12
    assert all(item["error"].startswith(f"{item['file']}:") for item in told(result))


def test_with_json_standard_output_is_one_line_and_nothing_is_said_beside_it(
    write: Write, tell: Write, run: Run
) -> None:
    paths = [write(AGREED, "a.yaml"), tell(FAILING, "b.yaml"), write("[", "c.yaml")]
    for languages in ([], ["--lang", "zh"]):
        result = run("replay", *paths, "--json", *languages)
        assert len(told(result)) == 3
        assert result.stdout.count("\n") == 1
        assert result.stderr == ""


def test_a_person_reads_title_values_next_steps_and_timeline(write: Write, run: Run) -> None:
    text = run("replay", write(AGREED)).stdout
    for told_ in (
        "✓ One lapsed year means three months of waiting",
        "shanghai-2025",
        "2025-09-01 to 2025-11-30",
        "assumes no further facts",
        "estimated, ask 12393",
        "activate the e-voucher",
        "●  2025-12-02 00:00  active",
        "○  2026-01-01 00:00  expired",
        "all stories hold (1)",
    ):
        assert told_ in text


def test_what_the_notice_states_is_not_called_an_estimate(tell: Write, run: Run) -> None:
    path = tell("""
        - at: 2025-09-02 17:00
          declare_roster: {}
        - at: 2025-09-06 14:20
          confirm: {channel: app}
        - at: 2025-09-06 14:50
          verify_prior_coverage: {lapsed_years: 0}
    """)
    lines = run("replay", path).stdout.splitlines()
    (account,) = [line for line in lines if line.startswith("account built on")]
    (waiting,) = [line for line in lines if line.startswith("waiting period")]
    assert account.split() == ["account", "built", "on", "2025-09-06"]
    assert "because the check found no lapsed year" in waiting


def test_a_person_reads_chinese_where_it_is_asked_for(write: Write, run: Run) -> None:
    text = run("replay", write(AGREED), "--lang", "zh").stdout
    assert "待遇等待期" in text
    assert "2025-09-01 至 2025-11-30" in text
    assert "待遇享受中" in text
    assert "waiting period" not in text


def test_a_person_reads_what_failed_with_file_and_line(tell: Write, run: Run) -> None:
    path = tell(FAILING)
    text = run("replay", path).stdout
    assert "✗ A story" in text
    assert f"{path}:8 (roster)" in text.replace("\n", "")
    assert "refused: expected none, came window_not_open" in text
    assert "state: expected active, came confirmed" in text
    assert "why: the confirmation window is not open yet" in text
    assert "1 of 1 story fails" in text
    assert "确认期或缴费期尚未开始" in run("replay", path, "--lang", "zh").stdout


#: What can never be right, which only what is known by then tells: where, and why in Chinese.
BAD = [
    ("fix_window: {closes_on: 2025-09-01}", ":9:29: ", "参保确认期将在起始之前截止"),
    ("fix_window: {school: sjtu, opens_on: 2025-12-31}\n- at: 2025-09-02 11:00\n  "
     "fix_window: {closes_at: 2025-12-30 15:00}", ":11:29: ", "参保确认期将在起始之前截止"),
    ("verify_prior_coverage: {lapsed_years: 1, waiting_ends_on: 2025-08-31}", ":9:63: ", "等待期"),
]  # fmt: skip


@pytest.mark.parametrize(("step", "place", "told"), BAD)
def test_a_value_that_what_is_known_makes_wrong_is_told_with_its_place_and_the_reason(
    tell: Write, run: Run, step: str, place: str, told: str
) -> None:
    path = tell(f"- at: 2025-09-02 10:00\n  {step}")
    (ran,) = json.loads(run("replay", path, "--json").stdout)
    (failed,) = ran["failures"]
    assert failed["came"] == {"refused": "bad_value"}
    assert failed["why"].startswith(f"{path}{place}")
    assert place in run("replay", path).stdout.replace("\n", "")
    assert told in run("replay", path, "--lang", "zh").stdout.replace("\n", "")


def test_a_person_reads_what_cannot_be_read_and_the_count_of_it(
    write: Write, tell: Write, run: Run
) -> None:
    paths = [tell(FAILING, "b.yaml"), write("title: [", "c.yaml"), write(AGREED, "d.yaml")]
    text = run("replay", *paths).stdout
    assert f"! {paths[1]}:2:1: " in text.replace("\n", "") or f"! {paths[1]}:1:" in text
    assert "1 of 3 stories fails; 1 cannot be read" in text


def test_discrepancies_are_told_with_the_place_of_their_fact(tell: Write, run: Run) -> None:
    path = tell("""
        - at: 2025-09-03 10:00
          observed: true
          confirm: {channel: app}
    """)
    found = student(run("replay", path, "--json"))
    assert found["discrepancies"] == [{"code": "window_not_open", "version": 2}]
    assert "#2" in run("replay", path).stdout


def test_values_are_null_or_pending_and_before_the_registration_day_there_is_no_state(
    tell: Write, run: Run
) -> None:
    found = student(run("replay", tell(), "--json", "--at", "2025-08-31 23:59"))
    assert found["state"] is None
    assert found["coverage"] == "pending"
    late = student(run("replay", tell(), "--json", "--at", "2026-01-01 00:00"))
    assert (late["state"], late["coverage"], late["waiting"]) == ("lapsed", None, "pending")


def test_after_a_void_of_the_registration_there_is_no_enrollment(tell: Write, run: Run) -> None:
    path = tell("- at: 2025-09-02 10:00\n  void: {step: registration}\n  reason: wrong-person")
    found = student(run("replay", path, "--json"))
    assert (found["state"], found["coverage"], found["timeline"]) == (None, None, [])
    assert found["version"] == 2


def test_states_of_no_duration_are_not_in_the_timeline(run: Run) -> None:
    (file,) = (ROOT / "scenarios" / "worked-examples").glob("01-*.yaml")
    states = [change["state"] for change in student(run("replay", file, "--json"))["timeline"]]
    assert states == ["registered", "confirmed", "account_built", "active", "expired"]


def test_several_students_are_told_by_their_names_in_the_order_of_the_file(
    write: Write, run: Run
) -> None:
    path = write("""\
title: Two of them
policy: shanghai-2025
students:
  zoe: {ref: a1, school: sjtu, category: undergraduate, document: resident_id_card}
  ada: {ref: b1, school: sjtu, category: postgraduate, document: passport}
story:
  - {student: zoe, at: 2025-09-01 08:30, register: {on: 2025-09-01}}
""")
    found = told(run("replay", path, "--json"))[0]["students"]
    assert [(one["student"], one["ref"]) for one in found] == [("zoe", "a1"), ("ada", "b1")]
    # Nobody registered ada: no enrollment.
    assert (found[1]["state"], found[1]["version"], found[1]["timeline"]) == (None, 0, [])
    text = run("replay", path).stdout
    assert "\nzoe\n" in text
    assert "not enrolled" in text


@pytest.mark.parametrize("machine", ["2001-01-01", "2999-01-01"])
def test_a_replay_does_not_look_at_the_machines_clock(machine: str, write: Write, run: Run) -> None:
    path = write(AGREED + CORRECTION)
    today = told(run("replay", path, "--json"))
    with freeze_time(machine):
        assert told(run("replay", path, "--json")) == today
