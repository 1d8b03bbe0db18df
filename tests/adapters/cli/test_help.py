"""Help: one line a command, a default an option, and examples that run as they stand."""

import json
import os
import shlex
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner
from pgserver import Server

from yibao.adapters.cli import main
from yibao.adapters.office.directory import DirectorySettings, Entry, Person
from yibao.adapters.office.judging import KINDS

from ..conftest import HEAD, Run
from ..office.conftest import key_file, opened
from ..office.tables import HEAD as HEADS
from ..office.tables import by_xlsxwriter
from .test_cli import MINE, STEPS, commands

ROOT = Path(__file__).parents[3]
EVERY = commands(main)
every = pytest.mark.parametrize("names", EVERY, ids=lambda names: " ".join(names) or "yibao")


def found(names: tuple[str, ...]) -> Any:
    command: Any = main
    for name in names:
        command = command.commands[name]
    return command


def examples(names: tuple[str, ...]) -> list[str]:
    """The command lines at the end of a command's help."""
    epilog = found(names).epilog or ""
    lines = epilog.replace("\\\n", "").splitlines()
    assert lines[:2] == ["\b", "Examples:"], names
    return [" ".join(line.split()) for line in lines[2:]]


@every
def test_every_help_fits_80_columns_and_names_each_command_in_one_line(
    names: tuple[str, ...], run: Run
) -> None:
    help_ = CliRunner(env={"COLUMNS": "80"}).invoke(main, [*names, "--help"]).stdout
    assert [line for line in help_.splitlines() if len(line) > 80] == []
    listed = help_.partition("\nCommands:\n")[2].partition("\n\n")[0].splitlines()
    assert len(listed) == len(getattr(found(names), "commands", {}))
    assert [line for line in listed if line.endswith("...")] == []


@every
def test_every_option_says_its_default(names: tuple[str, ...]) -> None:
    for parameter in found(names).params:
        if isinstance(parameter, click.Option) and parameter.name not in ("version", "help"):
            says = "(default: " in (parameter.help or "") or parameter.show_default
            assert parameter.required or says, parameter.name


@every
def test_every_help_ends_with_examples_of_the_command(names: tuple[str, ...], run: Run) -> None:
    shown = examples(names)
    assert shown
    for line in shown:
        words = shlex.split(line)
        assert tuple(words[: len(names) + 1]) == ("yibao", *names), line
    last = run(*names, "--help").stdout.rstrip().splitlines()[-1]
    assert shown[-1].split()[-1] == last.split()[-1]


LINES = [line for names in EVERY for line in examples(names)]


@pytest.mark.parametrize("line", dict.fromkeys(LINES))
def test_every_example_runs_as_it_stands(
    line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    """In a folder with the stories, a story, an edition and a store; never exit 2."""
    monkeypatch.chdir(tmp_path)
    steps = STEPS.replace("\n    ", "\n  ")
    Path("story.yaml").write_text(HEAD + steps.strip("\n") + "\n", encoding="utf-8")
    Path("scenarios").symlink_to(ROOT / "scenarios" / "worked-examples", target_is_directory=True)
    Path("editions").mkdir()
    Path("editions", "mine.yaml").write_text(MINE, encoding="utf-8")
    assert _run("yibao replay story.yaml --store facts.db") == 0
    if "postgresql://" in line:
        _on_postgres(line, request)
        return
    if line.startswith("yibao evidence"):
        _with_evidence()
    if "yibao office" in line:
        _in_an_office(tmp_path, monkeypatch)
    if line.startswith("yibao serve"):
        _with_tokens(monkeypatch)
    assert _run(line) == 0


def _with_tokens(monkeypatch: pytest.MonkeyPatch) -> None:
    """A file of tokens, and a server that is stopped as soon as it begins."""
    told = {"sha256": "0" * 64, "actor": "officer-1", "roles": ["officer"], "schools": ["sjtu"]}
    Path("tokens.yaml").write_text(json.dumps({"tokens": [told]}), encoding="utf-8")
    for serves in ("uvicorn.run", "uvicorn.Server.run"):
        monkeypatch.setattr(serves, lambda *_, **__: None)
    for name in ("YIBAO_HTTP_STORE", "YIBAO_HTTP_TOKENS"):  # set to serve, and unset after the test
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)


def _with_evidence() -> None:
    """A key, a note in some files, and a proof."""
    named = "--key main.pem --origin insurance.example.edu.cn/yibao/main"
    assert _run(f"yibao evidence init {named}") == 0
    follow = "yibao evidence follow --store facts.db --key main.pem --once --publish notes/"
    assert _run(follow) == 0
    for name in ("main.note", "old.note", "new.note"):
        Path(name).write_bytes(Path("notes", "facts", "checkpoint").read_bytes())
    assert _run("yibao evidence prove --store facts.db --ref s1 --year 2025 --out .") == 0


def _in_an_office(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A roster, empty tables of the other kinds, and somebody who is known and recorded."""
    keys = [key_file(folder / name) for name in ("directory.key", "new.key")]
    settings = DirectorySettings(directory=str(folder / "people.db"), directory_key=keys[0])
    monkeypatch.setenv("YIBAO_DIRECTORY", settings.directory)
    monkeypatch.setenv("YIBAO_DIRECTORY_KEY", str(settings.directory_key))
    entry = Entry("sjtu", "525001", "李雷", "passport", "E12345678")
    with opened(settings) as directory, directory.importing(lambda ref: True) as importing:
        importing.add([Person("p-0123456789abcdef", entry)])
        importing.keep(["p-0123456789abcdef"])
    early = ["525001", "李雷", "护照", "E12345678", "本科生", "2025-09-01"]
    by_xlsxwriter(folder / "early", [HEADS, early])
    assert _run("yibao office import roster early.xlsx --school sjtu --store season.db") == 0
    row = ["525002", "韩梅梅", "护照", "E12345679", "本科生", "2025-09-01"]
    by_xlsxwriter(folder / "roster", [HEADS, row])
    for kind in KINDS:
        assert _run(f"yibao office template {kind} {kind}.xlsx") == 0


def _on_postgres(line: str, request: pytest.FixtureRequest) -> None:
    server: Server = request.getfixturevalue("postgres")
    url = request.getfixturevalue("postgres_url")
    for role in ("counter", "auditor"):
        if role in line:
            server.sql(f"DROP ROLE IF EXISTS {role}")
            server.sql(f"CREATE ROLE {role}")
    if "db copy" in line:
        os.remove("facts.db")
        assert _run("yibao db init --store facts.db") == 0
    assert _run(line.replace("postgresql://owner@db.example.org/yibao", url)) == 0


def _run(line: str) -> int:
    program, *arguments = shlex.split(line)
    assert program == "yibao"
    return CliRunner().invoke(main, arguments, catch_exceptions=False).exit_code
