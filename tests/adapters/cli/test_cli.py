"""The command line beside `replay`: editions, diagram, explanations and comparisons."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from yibao.adapters.cli import main
from yibao.adapters.editions.files import Editions
from yibao.domain.editions.policy import RULES, Parameters
from yibao.domain.lifecycle.table import mermaid

from ..conftest import TWO, Run, Write

ROOT = Path(__file__).parents[3]
MINE = """\
edition: mine
title: {en: Ten o'clock, zh: 十点}
extends: shanghai-2025
parameters:
  evoucher_hour: {value: 10:00, unit: time of day, clause: circular 7, basis: stated}
"""
#: After the registration: confirmed, and only later known that a year had lapsed.
STEPS = """
    - at: 2025-09-02 17:00
      declare_roster: {}
    - at: 2025-09-06 14:20
      confirm: {channel: app}
    - at: 2025-09-06 14:50
      recorded: 2025-09-10 09:00
      verify_prior_coverage: {lapsed_years: 1}
"""
SEVERAL = TWO + "  - {student: bo, at: 2025-09-06 10:00, observed: yes, confirm: {channel: app}}\n"


def parsed(result: Result) -> Any:
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def nodes(tree: dict[str, Any]) -> list[dict[str, Any]]:
    """A tree's nodes, from the root down."""
    return [tree, *(node for part in tree.get("inputs", []) for node in nodes(part))]


def refused(result: Result) -> str:
    """What is said about arguments or files that do not fit; nothing goes to standard output."""
    assert result.exit_code == 2
    assert result.stdout == ""
    assert "Traceback" not in result.stderr
    return result.stderr


def test_the_editions_at_hand_are_listed_with_year_title_and_digest(run: Run) -> None:
    text = run("policy", "list").stdout
    for policy in Editions():
        (line,) = [line for line in text.splitlines() if line.startswith(policy.edition)]
        assert str(policy.year) in line
        assert policy.title.en in line
        assert policy.digest[:12] in line


def test_the_editions_are_listed_in_chinese(run: Run) -> None:
    text = run("policy", "list", "--lang", "zh").stdout
    assert "参保年度" in text
    assert "上海市大学生居民医保" in text


def test_ones_own_editions_are_found_by_option_and_by_variable(
    write: Write, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = write(MINE, "policies/mine.yaml").parent
    assert "mine" not in run("policy", "list").stdout
    assert "Ten o'clock" in run("policy", "list", "--policies", folder).stdout
    monkeypatch.setenv("YIBAO_POLICIES", str(folder))
    assert "Ten o'clock" in run("policy", "list").stdout
    assert "circular 7" in run("policy", "show", "mine").stdout


@pytest.mark.parametrize("edition", ["shanghai-2024", "shanghai-2025"])
def test_an_edition_is_shown_with_every_parameter_and_rule_and_its_clause(
    edition: str, run: Run
) -> None:
    policy = Editions().get(edition)
    text = run("policy", "show", edition).stdout
    lines = {line.split()[0]: line for line in text.splitlines() if line.strip()}
    assert policy.digest in text
    for name in Parameters.model_fields:
        if getattr(policy.parameters, name) is not None:
            assert name in lines
    for rule in RULES:
        assert f"{edition} {policy.rules[rule].clause[:8]}" in lines[rule]


def test_assumptions_stand_out_where_an_edition_is_shown(run: Run) -> None:
    assert (
        "ASSUMED: provisionally 5 or 6 September" in run("policy", "show", "shanghai-2025").stdout
    )
    assert "推定" in run("policy", "show", "shanghai-2025", "--lang", "zh").stdout


def test_an_edition_is_checked_wherever_its_file_lies(write: Write, run: Run) -> None:
    good = write(MINE)
    result = run("policy", "check", good)
    assert (result.exit_code, result.stdout) == (0, "mine is right\n")
    assert run("policy", "check", good, "--lang", "zh").stdout != result.stdout


def test_a_mistake_in_an_edition_is_told_with_file_line_and_column(write: Write, run: Run) -> None:
    bad = write(MINE.replace("value: 10:00", "value: 25:00"))
    assert f"yibao: {bad}:5:26: " in refused(run("policy", "check", bad))


def test_an_unknown_edition_is_told_with_those_there_are(run: Run) -> None:
    said = refused(run("policy", "show", "shanghai-1999"))
    assert said == (
        "yibao: no edition 'shanghai-1999'; there are shanghai-2024, shanghai-2025, "
        "shanghai-2026-continuing\n"
    )


def test_the_diagram_is_drawn_from_the_table(run: Run) -> None:
    text = run("diagram").stdout
    assert text == mermaid() + "\n"
    assert "stateDiagram-v2" in text
    for row in (
        "registered --> confirmed: confirm",
        "registered --> lapsed: window_closes",
        "lapsed --> confirmed: confirm",
        "opted_out --> confirmed: confirm",
        "active --> expired: benefit_year_ends",
    ):
        assert row in text


def test_an_explanation_has_for_each_value_the_tree_behind_it(tell: Write, run: Run) -> None:
    (told,) = parsed(run("explain", tell(STEPS), "--json", "--at", "2025-12-02 00:00"))
    assert list(told["explanations"]) == [
        "waiting",
        "account_built_on",
        "evoucher_available_at",
        "coverage",
        "state",
    ]
    for name in ("waiting", "account_built_on", "evoucher_available_at", "coverage", "state"):
        assert told["explanations"][name]["value"] == told[name]
    assert told["explanations"]["waiting"]["rule"] == "R13"
    assert told["explanations"]["coverage"]["rule"] == "R21"


def test_an_explanation_names_both_versions_the_edition_and_its_digest(
    tell: Write, run: Run
) -> None:
    (told,) = parsed(run("explain", tell(STEPS), "--json"))
    digest = Editions().get("shanghai-2025").digest
    assert told["edition"] == {"id": "shanghai-2025", "version": 1, "digest": digest}
    assert told["version"] == 4
    assert told["known_at"] == "2025-09-10T09:00:00+08:00"


def test_a_fact_in_an_explanation_says_when_it_happened_and_when_it_was_recorded(
    tell: Write, run: Run
) -> None:
    (told,) = parsed(run("explain", tell(STEPS), "--json"))
    (fact,) = [n for n in nodes(told["explanations"]["waiting"]) if n.get("version") == 4]
    assert fact["fact"] == "prior-coverage-verified"
    assert fact["occurred_at"] == "2025-09-06T14:50:00+08:00"
    assert fact["recorded_at"] == "2025-09-10T09:00:00+08:00"
    assert fact["values"] == {"lapsed_years": 1}


def test_a_pending_value_says_what_is_missing(tell: Write, run: Run) -> None:
    (told,) = parsed(run("explain", tell(STEPS), "--json", "--known-at", "3"))
    assert told["waiting"] == "pending"
    for name in ("waiting", "account_built_on", "evoucher_available_at", "coverage"):
        assert told["explanations"][name]["missing"] == "check_missing"
    text = run("explain", tell(STEPS), "--known-at", "3").stdout
    assert "waiting period: pending  missing: the result of the check is missing" in text


def test_a_value_that_does_not_exist_says_why_not(tell: Write, run: Run) -> None:
    late = STEPS.replace("2025-09-06", "2025-12-31").replace("2025-09-10", "2025-12-31")
    story = tell(late.replace("09:00", "15:00").replace("lapsed_years: 1", "lapsed_years: 2"))
    (told,) = parsed(run("explain", story, "--json"))
    assert told["coverage"] is None
    assert told["explanations"]["coverage"]["because"] == "cover_too_late"
    assert "cover would begin after the benefit year" in run("explain", story).stdout
    assert "自次年 1 月起" in run("explain", story, "--lang", "zh").stdout


def test_a_person_reads_rule_clause_basis_facts_and_parameters(tell: Write, run: Run) -> None:
    text = run("explain", tell(STEPS), "--at", "2025-12-02 00:00").stdout
    assert text.startswith("s1 · 2025-12-02 00:00 · as known at 2025-09-10 09:00\n")
    assert "waiting period: 2025-09-01 to 2025-11-30  [R13, shanghai-2025 Q5]" in text
    assert "(lapsed years: 1); happened 2025-09-06 14:50, recorded 2025-09-10 09:00" in text
    assert "[shanghai-2025 Q5] stated" in text
    assert "ASSUMED: months by the calendar" in text
    assert "state: active" in text


def test_what_was_told_once_is_not_told_again(tell: Write, run: Run) -> None:
    text = run("explain", tell(STEPS)).stdout
    assert "(as told above)" in text
    assert text.count("ASSUMED: months by the calendar") == 1


def test_an_explanation_is_told_in_chinese(
    tell: Write, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    story = tell(STEPS)
    asked = run("explain", story, "--lang", "zh").stdout
    assert "待遇等待期: 2025-09-01 至 2025-11-30" in asked
    assert "ASSUMED" not in asked
    monkeypatch.setenv("YIBAO_LANG", "zh")
    assert run("explain", story).stdout == asked


def test_each_of_several_students_is_explained_or_the_one_named(write: Write, run: Run) -> None:
    path = write(SEVERAL)
    assert [one["student"] for one in parsed(run("explain", path, "--json"))] == ["ada", "bo"]
    (one,) = parsed(run("explain", path, "--student", "bo", "--json"))
    assert (one["student"], one["ref"]) == ("bo", "b1")
    assert one["explanations"]["evoucher_available_at"]["because"] == "document_without_evoucher"


def test_a_student_nobody_registered_is_explained_by_that(tell: Write, run: Run) -> None:
    assert "no current registration" in run("explain", tell(), "--known-at", "0").stdout


def test_an_explanation_can_be_asked_under_another_edition(
    tell: Write, write: Write, run: Run
) -> None:
    folder = write(MINE, "policies/mine.yaml").parent
    result = run("explain", tell(STEPS), "--policy", "mine", "--policies", folder, "--json")
    (told,) = parsed(result)
    assert told["edition"]["id"] == "mine"
    (hour,) = [
        node
        for node in nodes(told["explanations"]["evoucher_available_at"])
        if node.get("parameter") == "evoucher_hour"
    ]
    assert (hour["value"], hour["clause"], hour["notice"]) == ("10:00", "circular 7", "mine")


def test_a_comparison_tells_what_differs_and_which_facts_moved_it(tell: Write, run: Run) -> None:
    story = tell(STEPS)
    (told,) = parsed(run("compare", story, "--known-at", "3", "--known-at", "4", "--json"))
    assert told["then"]["known_at"] == "2025-09-06T14:20:00+08:00"
    assert told["now"]["known_at"] == "2025-09-10T09:00:00+08:00"
    found = {one["value"]: one for one in told["differences"]}
    assert found["waiting"]["then"] == "pending"
    assert found["waiting"]["now"] == {"from": "2025-09-01", "to": "2025-11-30", "months": 3}
    assert {event["version"] for one in found.values() for event in one["moved_by"]} == {4}
    assert [event["name"] for event in told["facts_between"]] == ["prior-coverage-verified"]


def test_given_once_the_cut_off_is_compared_with_everything(tell: Write, run: Run) -> None:
    story = tell(STEPS)
    once = parsed(run("compare", story, "--known-at", "2025-09-09 00:00", "--json"))
    assert once[0]["now"]["version"] == 4
    assert [event["version"] for event in once[0]["facts_between"]] == [4]


def test_a_person_reads_a_comparison_in_both_languages(tell: Write, run: Run) -> None:
    story = tell(STEPS)
    text = run("compare", story, "--known-at", "3").stdout
    assert "as known at 2025-09-06 14:20" in text
    assert "2025-09-01 to 2025-11-30" in text
    assert "check recorded #4" in text
    assert "recorded in between" in text
    assert "核验结果 #4" in run("compare", story, "--known-at", "3", "--lang", "zh").stdout


def test_two_states_of_knowledge_may_be_the_same(tell: Write, run: Run) -> None:
    arguments = ("compare", tell(STEPS), "--known-at", "3", "--known-at", "3")
    assert parsed(run(*arguments, "--json"))[0]["differences"] == []
    assert run(*arguments).stdout == "both answers are the same\n"


def test_a_window_fixed_in_between_is_among_what_moved_an_answer(tell: Write, run: Run) -> None:
    story = tell("- at: 2025-09-03 10:00\n  fix_window: {closes_on: 2025-10-19}")
    result = run(
        "compare", story, "--known-at", "2025-09-02 00:00", "--at", "2025-10-20 00:00", "--json"
    )
    (told,) = parsed(result)
    (state,) = [one for one in told["differences"] if one["value"] == "state"]
    assert (state["then"], state["now"]) == ("registered", "lapsed")
    assert [event["name"] for event in state["moved_by"]] == ["window-fixed"]


def test_the_students_of_a_story_are_compared_one_by_one(write: Write, run: Run) -> None:
    path = write(SEVERAL)
    found = parsed(run("compare", path, "--known-at", "1", "--json"))
    assert [(one["student"], len(one["facts_between"])) for one in found] == [("ada", 0), ("bo", 1)]
    text = run("compare", path, "--known-at", "1").stdout
    assert text.startswith("ada\nboth answers are the same\nbo\n")
    assert "ada" not in run("compare", path, "--known-at", "1", "--student", "bo").stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["replay"], "Missing argument"),
        (["replay", "STORY", "--at", "yesterday"], "'--at': an instant is written"),
        (["replay", "STORY", "--at", "2025-09-31"], "'--at': day is out of range"),
        (["replay", "STORY", "--at", "9999-12-31"], "'--at': the year must lie between"),
        (["replay", "STORY", "--at", "2025-02-30 10:00"], "'--at': day is out of range"),
        (["replay", "STORY", "--at", "2025-09-02 10:00+08:60"], "'--at': an instant is written"),
        (["replay", "STORY", "--at", "3"], "'--at': an instant is written"),
        (["replay", "STORY", "--known-at", "-1"], "'--known-at': "),
        (["replay", "STORY", "--known-at", "3.0"], "'--known-at': "),
        (["replay", "STORY", "--lang", "fr"], "'--lang'"),
        (["replay", "STORY", "--jsn"], "--jsn"),
        (["replay", "STORY", "--policies", "nowhere"], "nowhere:1:1: no such directory"),
        (["explain", "nowhere.yaml"], "nowhere.yaml:1:1: no such file or directory"),
        (["explain", "STORY", "--student", "zoe"], "no such student"),
        (["explain", "STORY", "--known-at", "99"], "version 99 is not in the stream"),
        (["explain", "STORY", "--policy", "nope"], "no edition 'nope'"),
        (["compare", "STORY"], "--known-at"),
        (["compare", "STORY", *["--known-at", "1"] * 3], "once or twice"),
        (["compare", "STORY", "--known-at", "1", "--known-at", "0"], "knows more than the later"),
        (["compare", "STORY", "--known-at", "9"], "version 9 is not in the stream"),
        (["policy"], "Usage"),
        (["policy", "show"], "Missing argument"),
        (["policy", "check", "nowhere.yaml"], "nowhere.yaml:1:1: "),
        (["policy", "check", "."], ".:1:1: is a directory"),
        (["diagram", "extra"], "unexpected extra argument"),
        (["rply"], "No such command"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_what_cannot_be_understood_ends_with_2_and_one_clear_line(
    arguments: list[str], said: str, tell: Write, run: Run
) -> None:
    story = str(tell(STEPS))
    result = run(*(story if argument == "STORY" else argument for argument in arguments))
    assert said in refused(result)


def test_an_unreadable_story_cannot_be_explained_or_compared(write: Write, run: Run) -> None:
    path = write("title: T\ntitle: U\n")
    for command in (["explain", path], ["compare", path, "--known-at", "1"]):
        assert refused(run(*command)) == f"yibao: {path}:2:1: duplicate key 'title'\n"


def commands(group: Any, *names: str) -> list[tuple[str, ...]]:
    found: list[tuple[str, ...]] = [names]
    for name, command in getattr(group, "commands", {}).items():
        found += commands(command, *names, name)
    return found


@pytest.mark.parametrize("names", commands(main), ids=lambda names: " ".join(names) or "yibao")
def test_every_command_and_every_option_says_what_it_does(names: tuple[str, ...], run: Run) -> None:
    result = run(*names, "--help")
    assert result.exit_code == 0
    command: Any = main
    for name in names:
        command = command.commands[name]
    assert command.help
    for parameter in command.params:
        if parameter.param_type_name == "option" and parameter.name != "version":
            assert parameter.help, parameter.name


def test_python_m_yibao_is_the_command_line() -> None:
    result = subprocess.run(
        [sys.executable, "-m", "yibao", "--help"],
        env={**os.environ, "PYTHONPATH": str(ROOT / "src")},
        capture_output=True,
        encoding="utf-8",
        timeout=60,
        check=False,
    )
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout.startswith("Usage: yibao ")
    for command in ("replay", "explain", "compare", "policy", "diagram"):
        assert f"\n  {command} " in result.stdout
