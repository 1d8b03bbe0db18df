"""`yibao office import …`."""

import sys
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


@office.group(
    "import",
    epilog=examples("office import roster roster.xlsx --school sjtu\n--store season.db"),
)
def imports() -> None:
    """Record what a table says, row by row."""


@imports.command(
    "roster",
    epilog=examples(
        "office import roster roster.xlsx --school sjtu\n--store season.db --dry-run",
        "office import roster roster.xlsx --school sjtu\n--store season.db --errors errors.xlsx",
    ),
)
@click.argument("file", type=FILE)
@SCHOOL
@STORE
@click.option("--sheet", help="The sheet, by name or number (default: the one with the header).")
@click.option("--dry-run", is_flag=True, help="Record nothing (default: record).")
@click.option(
    "--all-or-nothing",
    is_flag=True,
    help="Record nothing unless every row may be (default: those that may).",
)
@click.option(
    "--errors",
    type=FILE,
    help="Write refused rows and those told twice into this new workbook (default: do not).",
)
@FORCE
@click.option(
    "--on-change",
    type=click.Choice(["report", "correct"]),
    default="report",
    show_default=True,
    help="Of who is known and has changed.",
)
@click.option(
    "--reason",
    default="roster-correction",
    show_default=True,
    help="Why something is corrected, as a word.",
)
@click.option(
    "--at",
    type=INSTANT,
    help="The instant at which it happened, or a day: its beginning (default: now).",
)
@click.option(
    "--by", envvar="YIBAO_BY", help="Who records it, an opaque key (default: $YIBAO_BY, else cli)."
)
@ONE_JSON
@policies_option
@lang_option
def import_roster(
    file: Path,
    as_json: bool,
    errors: Path | None,
    force: bool,
    policies: Path | None,
    lang: Any,
    **how: Any,
) -> None:
    """Register the students in a table, and declare the roster.

    The table is XLSX, XLS, ODS or CSV, its columns are student number, name, document type and
    number, category and registration date. Exit 1 where any row is refused, told twice or changed,
    2 where the table cannot be read. Imported again it changes nothing.
    """
    from yibao.adapters.office import check_office

    check_office()
    from yibao.adapters.cli.office.running import imported_roster
    from yibao.adapters.office.imports import imported_json
    from yibao.adapters.views.words import Words

    if force and errors is None:
        raise click.UsageError("--force says nothing without --errors")
    words = Words(lang)
    imported = imported_roster(file, errors, force, policies, words, **how)
    if as_json:
        print_json(imported_json(imported))
    else:
        from yibao.adapters.cli.office.telling import tell_imported

        for line in tell_imported(imported, words):
            tell(line)
    sys.exit(0 if imported.is_fine else 1)
