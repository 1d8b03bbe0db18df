"""The officer's season, as its pages tell it: every command is run, in order, in both languages."""

import re
import shlex
import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner
from shown import Shown, blocks, shown

from yibao.adapters.cli import main

ROOT = Path(__file__).parents[2]
PAGES = {
    name: (ROOT / "docs" / f"{name}.md").read_text(encoding="utf-8")
    for name in ("officer", "officer.zh-CN")
}


def came(command: str) -> str:
    """What a command writes; a table with rows to mend is exit 1, and no failure."""
    _, *arguments = shlex.split(command)
    done = CliRunner().invoke(main, arguments, catch_exceptions=False)
    assert done.exit_code in (0, 1), done.output
    assert done.stderr == ""
    return done.stdout


def carried_out(page: str, folder: Path, patch: pytest.MonkeyPatch) -> list[tuple[Shown, str]]:
    """What a page shows, and what came out, step by step in a folder of its own."""
    patch.chdir(folder)
    found: list[tuple[Shown, str]] = []
    table = ""
    for language, body in blocks(page):
        if language == "csv":
            table = body
        elif language == "sh":
            for name, value in re.findall(r"^export (\w+)=(.*)$", body, re.MULTILINE):
                patch.setenv(name, value)
            subprocess.run(["sh", "-ec", f"umask 077\n{body}"], check=True)
        else:
            for each in shown(f"```{language}\n{body}```\n"):
                for file in re.findall(r"\w+\.csv", each.code):  # the table above
                    Path(file).write_text(table, encoding="utf-8")
                found.append((each, came(each.code)))
    return found


@pytest.mark.parametrize("name", PAGES)
def test_what_the_page_shows_is_what_comes_out(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = carried_out(PAGES[name], tmp_path, monkeypatch)
    assert len(found) > 8
    for each, output in found:
        assert each.drifted(output) == [], each.code


def test_both_pages_show_the_same_commands() -> None:
    english, chinese = ([each.code for each in shown(page)] for page in PAGES.values())
    assert english == chinese


@pytest.mark.parametrize("name", PAGES)
def test_every_block_on_the_page_is_run(name: str) -> None:
    found = blocks(PAGES[name])
    assert {language for language, _ in found} <= {"console", "csv", "sh"}
    assert PAGES[name].count("```") == 2 * len(found)
