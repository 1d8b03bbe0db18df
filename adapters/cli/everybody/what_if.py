"""`yibao whatif`: who would gain, and who lose, under an edition that is not in force."""

import sys
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from yibao.adapters.cli.group import main
from yibao.adapters.cli.options import (
    ASKED,
    EDITION,
    FILE,
    FORCE,
    ONE_JSON,
    STORE_URL,
    examples,
    lang_option,
    policies_option,
    store_here,
)


@main.command(
    epilog=examples(
        "whatif --edition editions/mine.yaml --store facts.db",
        "whatif --edition editions/mine.yaml --store facts.db\n--known-at 2025-11-01 --json",
        "whatif --edition editions/mine.yaml --store facts.db\n--parquet everybody.parquet",
    )
)
@click.option("--edition", type=FILE, required=True, help="The file of the edited edition.")
@click.option(
    "--instead-of",
    type=EDITION,
    default="shanghai-2025",
    show_default=True,
    help="The edition whose place it takes.",
)
@click.option(
    "--store",
    type=STORE_URL,
    help="The store: a PATH or a URL (default: $YIBAO_STORE where no export is given).",
)
@click.option(
    "--export",
    type=click.Path(file_okay=False, path_type=Path),
    help="The folder of `cohort export --by-school` to ask in place of a store (default: none).",
)
@click.option(
    "--dask",
    metavar="ADDRESS",
    help="Have the workers of this Dask scheduler ask a school each (default: ask here).",
)
@click.option(
    "--known-at",
    type=ASKED,
    help="What was known by then: an instant, or a day's end (default: everything).",
)
@ONE_JSON
@click.option(
    "--parquet",
    type=FILE,
    help="Write a row an enrollment into this new Parquet file (default: none).",
)
@FORCE
@policies_option
@lang_option
def whatif(
    edition: Path,
    instead_of: str,
    store: str | None,
    export: Path | None,
    dask: str | None,
    known_at: datetime | None,
    as_json: bool,
    parquet: Path | None,
    force: bool,
    policies: Path | None,
    lang: Any,
) -> None:
    """Tell who gains and who loses cover under an edited edition.

    Everybody registered under the edition it replaces is asked, and nothing is recorded. Money is
    what the fund pays more or less for those whose days change, whatever was settled. Who gains or
    loses the most is explained. The workers of a Dask scheduler need yibao and the export at the
    same place; of a store one is written into a temporary folder first.
    """
    from yibao.adapters.cli.running.everybody.what_ifs import asked
    from yibao.adapters.editions import Editions
    from yibao.adapters.views.words import Words

    if force and parquet is None:
        raise click.UsageError("--force says nothing without --parquet")
    if as_json and parquet is not None:
        raise click.UsageError("--json and --parquet are two formats")
    if export is not None and store is not None:
        raise click.UsageError("--store says nothing beside --export")
    if export is None and (store := store or store_here()) is None:
        raise click.UsageError("give a --store or an --export")
    asked(
        store,
        export,
        Editions(policies),
        Words(lang),
        sys.stdout,
        sys.stderr,
        edition=edition,
        instead_of=instead_of,
        dask=dask,
        known_at=known_at,
        as_json=as_json,
        parquet=parquet,
        force=force,
    )
