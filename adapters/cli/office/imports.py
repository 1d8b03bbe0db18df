"""`yibao office import …`."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from yibao.adapters.cli.office.group import SCHOOL, office
from yibao.adapters.cli.options import (
    FILE,
    FORCE,
    INSTANT,
    ONE_JSON,
    STORE,
    examples,
    lang_option,
    policies_option,
    print_json,
)
from yibao.adapters.views import tell

Command = Callable[..., Any]


@office.group(
    "import",
    epilog=examples("office import roster roster.xlsx --school sjtu\n--store season.db"),
)
def imports() -> None:
    """Record what a table says, row by row."""


def _import(kind: str) -> Callable[[Command], Command]:
    """A command that records a table of a kind."""

    def decorated(command: Command) -> Command:
        for option in reversed(_options(kind)):
            command = option(command)
        line = f"office import {kind} {kind}.xlsx --school sjtu\n--store season.db"
        told = examples(f"{line} --dry-run", f"{line} --errors errors.xlsx")
        return imports.command(kind, epilog=told)(command)

    return decorated


def _options(kind: str) -> list[Callable[[Command], Command]]:
    return [
        click.argument("file", type=FILE),
        SCHOOL,
        STORE,
        click.option(
            "--sheet", help="The sheet, by name or number (default: the one with the header)."
        ),
        click.option("--dry-run", is_flag=True, help="Record nothing (default: record)."),
        click.option(
            "--all-or-nothing",
            is_flag=True,
            help="Record nothing unless every row may be (default: those that may).",
        ),
        click.option(
            "--errors",
            type=FILE,
            help="Write refused rows and those told twice into this new workbook "
            "(default: do not).",
        ),
        FORCE,
        click.option(
            "--on-change",
            type=click.Choice(["report", "correct"]),
            default="report",
            show_default=True,
            help="Of who is known and has changed.",
        ),
        click.option(
            "--reason",
            default=f"{kind}-correction",
            show_default=True,
            help="Why something is corrected, as a word.",
        ),
        click.option(
            "--at",
            type=INSTANT,
            help="The instant at which it happened, or a day: its beginning (default: now).",
        ),
        click.option(
            "--by",
            envvar="YIBAO_BY",
            help="Who records it, an opaque key (default: $YIBAO_BY, else cli).",
        ),
        ONE_JSON,
        policies_option,
        lang_option,
    ]


@_import("roster")
def roster(**how: Any) -> None:
    """Register the students in a table, and declare the roster.

    The table is XLSX, XLS, ODS or CSV, its columns are student number, name, document type and
    number, category and registration date. Exit 1 where any row is refused, told twice or changed,
    2 where the table cannot be read. Imported again it changes nothing.
    """
    _record("roster", **how)


@_import("results")
def results(**how: Any) -> None:
    """Record the bureau's checks of earlier cover.

    The columns of the table are student number and lapsed years, and if need be years repaid, last
    waiting day, checked at and benefit year. Students are found by their numbers in the directory;
    options and exit codes are those of `import roster`.
    """
    _record("results", **how)


@_import("accounts")
def accounts(**how: Any) -> None:
    """Record the accounts that were seen built.

    The columns of the table are student number and the day on which the account was built, and if
    need be benefit year. Students are found by their numbers in the directory; options and exit
    codes are those of `import roster`.
    """
    _record("accounts", **how)


@_import("proxies")
def proxies(**how: Any) -> None:
    """Record what was confirmed by proxy, and keep what waits to be.

    The columns of the table are student number and proxy date, and if need be entered at and
    benefit year. A row without an instant of entry is no fact yet, and kept in the directory until
    it comes again with one. Students are found by their numbers in the directory; options and exit
    codes are those of `import roster`.
    """
    _record("proxies", **how)


@_import("payments")
def payments(**how: Any) -> None:
    """Record the premiums that were paid.

    The columns of the table are student number and benefit year, and if need be amount and paid
    at. Students are found by their numbers in the directory; options and exit codes are those of
    `import roster`.
    """
    _record("payments", **how)


def _record(
    kind: str,
    file: Path,
    as_json: bool,
    errors: Path | None,
    force: bool,
    policies: Path | None,
    lang: Any,
    **how: Any,
) -> None:
    from yibao.adapters.office import check_office

    check_office()
    from yibao.adapters.cli.office.running import imported_table
    from yibao.adapters.office.imports import imported_json
    from yibao.adapters.views.words import Words

    if force and errors is None:
        raise click.UsageError("--force says nothing without --errors")
    words = Words(lang)
    imported = imported_table(kind, file, errors, force, policies, words, **how)
    if as_json:
        print_json(imported_json(imported))
    else:
        from yibao.adapters.cli.office.telling import tell_imported

        for line in tell_imported(imported, words):
            tell(line)
    sys.exit(0 if imported.is_fine else 1)
