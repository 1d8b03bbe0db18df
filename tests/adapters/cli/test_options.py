"""What is said once for all commands: variables, paths, days, and what the shell completes."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

import yibao
from yibao.adapters.cli import main
from yibao.adapters.editions.files import Editions
from yibao.domain.facts.events import EVENTS
from yibao.domain.refusals import REASONS
from yibao.projections.parts import PARTS

from ..conftest import Run, Write
from .test_cli import STEPS, parsed, refused
from .test_show import store  # noqa: F401 - a fixture

ROOT = Path(__file__).parents[3]
WHOM = ("--ref", "s1", "--year", "2025")


# Variables


def test_the_store_is_taken_from_a_variable_where_none_is_named(
    store: str,  # noqa: F811
    tell: Write,
    run: Run,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked = ("show", "--ref", "s1", "--at", "2025-10-01")
    told = run(*asked, "--store", store).stdout
    monkeypatch.setenv("YIBAO_STORE", store)
    assert run(*asked).stdout == told
    assert run("db", "check").exit_code == 0
    assert run("projections", "status").exit_code == 0
    assert len(parsed(run("audit", "--json", "--kind", "registered"))["entries"]) == 2
    for command in ("explain", "history", "timeline", "dossier", "review"):
        assert run(command, *WHOM).exit_code == 0, command
    quote = ("quote", "--setting", "campus_clinic", "--cost", "120", "--on", "2025-12-09")
    assert run(*quote, *WHOM).exit_code == 0


def test_a_story_is_asked_whatever_store_a_variable_names(
    store: str,  # noqa: F811
    tell: Write,
    run: Run,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    story = tell(STEPS)
    commands = (["show"], ["explain"], ["audit"], ["replay"], ["history"])
    before = [run(*command, story).stdout for command in commands]
    monkeypatch.setenv("YIBAO_STORE", store)
    assert [run(*command, story).stdout for command in commands] == before


def test_another_store_that_is_named_wins_over_the_variable(
    store: str,  # noqa: F811
    run: Run,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("YIBAO_STORE", "nowhere.db")
    assert run("show", "--store", store, "--ref", "s1").exit_code == 0
    assert "no store 'nowhere.db'" in refused(run("show", "--ref", "s1"))


@pytest.mark.parametrize(
    ("variables", "language"),
    [
        ({"LC_ALL": "zh_CN.UTF-8"}, "zh"),
        ({"LC_ALL": "", "LC_MESSAGES": "zh_TW"}, "zh"),
        ({"LC_ALL": "", "LANG": "zh_CN.GBK"}, "zh"),
        ({"LC_ALL": "en_US.UTF-8", "LANG": "zh_CN.UTF-8"}, "en"),
        ({"LC_ALL": "", "LANG": ""}, "en"),
        ({"LC_ALL": "de_DE.UTF-8"}, "en"),
        ({"LC_ALL": "zh_CN.UTF-8", "YIBAO_LANG": "en"}, "en"),
        ({"LC_ALL": "C", "YIBAO_LANG": "zh"}, "zh"),
    ],
    ids=str,
)
def test_the_language_is_the_variable_s_or_the_locale_s(
    variables: dict[str, str], language: str, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert ("参保年度" in run("policy", "list").stdout) == (language == "zh")
    assert "参保年度" not in run("policy", "list", "--lang", "en").stdout


def test_who_records_may_be_a_variable_s_and_filters_nothing(
    tell: Write, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    story, played = tell(STEPS), tmp_path / "played.db"
    monkeypatch.setenv("YIBAO_BY", "counter-7")
    assert run("replay", story, "--store", played).exit_code == 0
    monkeypatch.setenv("YIBAO_BY", "counter-8")
    entries = parsed(run("audit", "--store", played, "--json"))["entries"]
    assert {entry["by"] for entry in entries} == {"counter-7"}
    assert len(entries) > 3
    other = ("replay", story, "--store", tmp_path / "other.db", "--by", "counter-9")
    assert run(*other).exit_code == 0
    found = parsed(run("audit", "--store", tmp_path / "other.db", "--json"))["entries"]
    assert {entry["by"] for entry in found} == {"counter-9"}


# Paths


@pytest.mark.parametrize("name", ["facts.db", "my facts%20.db", "a:b.db", "同济?#.db", "memory"])
def test_a_store_is_a_file_by_its_path(
    name: str, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run("db", "init", "--store", name).exit_code == 0
    assert (tmp_path / name).is_file()
    for path in (name, f"./{name}", tmp_path / name):
        assert run("db", "check", "--store", path).exit_code == 0
        assert run("audit", "--store", path).exit_code == 0
    assert run("db", "copy", "--store", name, "--to", "copy.db").exit_code == 0
    assert (tmp_path / "copy.db").is_file()


@pytest.mark.parametrize("name", ["", "postgres:/x", "mysql://x", "sqlite:x", "a\0b", "\udcff"])
def test_what_is_neither_a_path_nor_a_url_is_a_clear_line(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(main, ["db", "check", "--store", name])
    assert result.exit_code == 2
    assert result.exception is None or isinstance(result.exception, SystemExit)


# Days


def test_a_day_that_is_asked_about_is_its_end(tell: Write, run: Run) -> None:
    story = tell(STEPS)
    for option in ("--at", "--known-at"):
        by_day = run("explain", story, option, "2025-09-10")
        by_instant = run("explain", story, option, "2025-09-10 23:59:59.999999")
        assert by_day.stdout == by_instant.stdout
    (told,) = parsed(run("explain", story, "--at", "2025-09-06", "--json"))
    assert told["at"] == "2025-09-06T23:59:59.999999+08:00"
    assert "its end" in run("explain", "--help").stdout
    (cut,) = parsed(run("explain", story, "--known-at", "3", "--json"))
    assert cut["version"] == 3


def test_a_day_at_which_something_happened_or_an_interval_begins_is_its_beginning(
    tell: Write, run: Run
) -> None:
    quote = ("quote", "--setting", "campus_clinic", "--cost", "120", "--on", "2025-12-09")
    whom = ("--registered", "2025-09-01", "--lapsed-years", "0", "--json")
    by_day = run(*quote, *whom, "--confirmed", "2025-09-06")
    assert by_day.stdout == run(*quote, *whom, "--confirmed", "2025-09-06 00:00").stdout
    assert by_day.exit_code == 0
    story = tell(STEPS)
    from_day = run("audit", story, "--brief", "--recorded-from", "2025-09-06").stdout
    assert from_day == run("audit", story, "--brief", "--recorded-from", "2025-09-06 00:00").stdout
    assert from_day != run("audit", story, "--brief").stdout


# What the shell completes


def completed(line: str, **environment: str) -> set[str]:
    """What stands there to choose from, as the shell asks for it; the last word is incomplete."""
    words = line.split(" ")
    done = subprocess.run(
        [sys.executable, "-m", "yibao"],
        env={
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(ROOT / "src"),
            "_YIBAO_COMPLETE": "bash_complete",
            "COMP_WORDS": line,
            "COMP_CWORD": str(len(words) - 1),
            **environment,
        },
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert done.stderr == ""
    return {each.partition(",")[2] for each in done.stdout.splitlines() if each}


def test_commands_kinds_codes_parts_and_editions_are_completed(write: Write) -> None:
    assert completed("yibao ") == set(main.commands)
    assert completed("yibao cohort list --state in") == {"in_waiting_period"}
    assert completed("yibao cohort list --next-step no") == {"none"}
    assert completed("yibao policy ") == {"list", "show", "diff", "new", "check"}
    assert completed("yibao audit --kind ") == {*EVENTS, "refused"}
    assert completed("yibao audit --kind care-") == {
        "care-received",
        "care-settled",
        "care-reversed",
    }
    assert completed("yibao audit --code ") == set(REASONS)
    assert completed("yibao audit --changed ") == set(PARTS)
    assert completed("yibao audit --count ") == {"kind", "actor", "code", "school", "day"}
    for line in ("policy show ", "policy diff ", "policy diff shanghai-2024 ", "audit --edition "):
        assert completed(f"yibao {line}") == set(Editions().names())
    mine = write("edition: mine\ntitle: {en: A, zh: A}\nextends: shanghai-2025\n", "own/mine.yaml")
    for line in (f"--policies {mine.parent} ", ""):
        environment = {} if line else {"YIBAO_POLICIES": str(mine.parent)}
        assert completed(f"yibao policy show {line}m", **environment) == {"mine"}
    assert completed("yibao policy show --policies /no/where s") == set()
    mine.rename(mine.with_name("m\x1b[31m.yaml"))
    assert completed("yibao policy show m", YIBAO_POLICIES=str(mine.parent)) == set()


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_each_shell_is_told_how_to_ask(shell: str, run: Run) -> None:
    text = run("completion", shell).stdout
    assert f"_YIBAO_COMPLETE={shell}_complete" in text
    assert "yibao" in text
    refused(run("completion", "tcsh"))


@pytest.mark.skipif(shutil.which("bash") is None, reason="there is no bash here")
def test_a_real_bash_completes(tmp_path: Path, run: Run) -> None:
    program = tmp_path / "yibao"
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m yibao "$@"\n')
    program.chmod(0o755)
    script = f"""
        {run("completion", "bash").stdout}
        COMP_WORDS=(yibao audit --kind con) COMP_CWORD=3
        $(complete -p yibao | sed 's/.* -F \\([^ ]*\\) .*/\\1/') yibao con --kind
        printf '%s\\n' "${{COMPREPLY[@]}}"
    """
    done = subprocess.run(
        ["bash", "--norc", "-c", script],
        env={"PATH": f"{tmp_path}:{os.environ['PATH']}", "PYTHONPATH": str(ROOT / "src")},
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert (done.stdout, done.stderr) == ("confirmed\n", "")


def test_the_short_option_for_help_is_there(run: Run) -> None:
    for command in ([], ["audit"], ["db"], ["db", "check"]):
        assert run(*command, "-h").stdout == run(*command, "--help").stdout
    assert yibao.__version__ in run("--version").stdout
