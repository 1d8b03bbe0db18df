"""The help of every command at 80 columns, in both languages, is what is held.

`python tests/golden/write.py help` writes it anew.
"""

from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner
from rich.cells import cell_len

from yibao.adapters.cli import main
from yibao.adapters.views.words import LANGUAGES

HELD = Path(__file__).parent / "help"
WIDTH = 80


def commands(command: click.Command, *named: str) -> Iterator[tuple[str, ...]]:
    """The words that lead to each command, groups before what is in them."""
    yield named
    if isinstance(command, click.Group):
        for name, each in sorted(command.commands.items()):
            yield from commands(each, *named, name)


def help_of(language: str, *named: str) -> str:
    env = {"COLUMNS": str(WIDTH), "YIBAO_LANG": language}
    result = CliRunner().invoke(main, [*named, "--help"], prog_name="yibao", env=env)
    assert result.exit_code == 0, result.output
    return result.stdout


def pages(language: str) -> str:
    """Every page of help, one after the other."""
    return "\n".join(
        f"$ {' '.join(('yibao', *named))} --help\n{help_of(language, *named)}"
        for named in commands(main)
    )


def write() -> None:
    """Holds the help as it is now."""
    HELD.mkdir(exist_ok=True)
    for language in LANGUAGES:
        (HELD / f"{language}.txt").write_text(pages(language), encoding="utf-8")


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_help_of_every_command_is_what_is_held(language: str) -> None:
    told = "`python tests/golden/write.py help` holds it as it is now"
    assert pages(language) == (HELD / f"{language}.txt").read_text(encoding="utf-8"), told


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_line_of_help_is_wider_than_a_terminal(language: str) -> None:
    wide = [line for line in pages(language).splitlines() if cell_len(line) > WIDTH]
    assert wide == []


def test_no_line_begins_with_what_closes() -> None:
    told = [line.strip() for line in pages("zh").splitlines()]
    assert [line for line in told if line and line[0] in "）。，；：、”"] == []
