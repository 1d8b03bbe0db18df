"""`yibao office template …`."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from yibao.adapters.cli.office.group import office
from yibao.adapters.cli.options import FILE, FORCE, examples, lang_option
from yibao.adapters.views import in_one_line, tell

Command = Callable[..., Any]


@office.group("template", epilog=examples("office template roster filled-in.xlsx"))
def templates() -> None:
    """Write empty tables to fill in."""


def _template(kind: str) -> Callable[[Command], Command]:
    """A command that writes an empty table of a kind."""

    def decorated(command: Command) -> Command:
        for option in (lang_option, FORCE, click.argument("file", type=FILE, default=_file(kind))):
            command = option(command)
        told = examples(f"office template {kind}", f"office template {kind} mine.xlsx --lang zh")
        return templates.command(kind, epilog=told)(command)

    return decorated


def _file(kind: str) -> Path:
    return Path(f"{kind}-template.xlsx")


@_template("roster")
def roster(**how: Any) -> None:
    """Write an empty roster into a new workbook.

    It is roster-template.xlsx here where no FILE is named. Its columns are explained, kinds of
    documents and students are chosen from lists, and every cell is text.
    """
    _write("roster", **how)


@_template("results")
def results(**how: Any) -> None:
    """Write an empty table of the bureau's checks.

    It is results-template.xlsx here where no FILE is named. Its columns are explained, and every
    cell is text.
    """
    _write("results", **how)


@_template("accounts")
def accounts(**how: Any) -> None:
    """Write an empty table of accounts that were built.

    It is accounts-template.xlsx here where no FILE is named. Its columns are explained, and every
    cell is text.
    """
    _write("accounts", **how)


@_template("proxies")
def proxies(**how: Any) -> None:
    """Write an empty table of proxies.

    It is proxies-template.xlsx here where no FILE is named. Its columns are explained, and every
    cell is text.
    """
    _write("proxies", **how)


@_template("payments")
def payments(**how: Any) -> None:
    """Write an empty table of premiums paid.

    It is payments-template.xlsx here where no FILE is named. Its columns are explained, and every
    cell is text.
    """
    _write("payments", **how)


def _write(kind: str, file: Path, force: bool, lang: Any) -> None:
    from yibao.adapters.office import check_office

    check_office()
    from yibao.adapters.office.workbooks import template
    from yibao.adapters.store.files import written
    from yibao.adapters.views.words import Words

    words = Words(lang)
    with written(file, force=force) as to:
        template(to, kind, words)
    tell(in_one_line(words("office", "written", file=file)))
