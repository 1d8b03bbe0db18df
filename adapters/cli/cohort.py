"""What is asked of everybody at once: `yibao cohort …`, `yibao whatif`, `yibao due`."""

import sys
from collections.abc import Callable, Iterable
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

import click

from yibao.adapters.cli.group import main
from yibao.adapters.cli.options import (
    ASKED,
    EDITION,
    FILE,
    FORCE,
    INSTANT,
    ONE_JSON,
    STORE,
    STORE_URL,
    Names,
    examples,
    lang_option,
    policies_option,
    store_here,
)

F = TypeVar("F", bound=Callable[..., Any])

#: As many as a page has at most; held by a test to what the cohort says.
LARGEST = 100_000


def _by() -> Iterable[str]:
    from typing import get_args

    from yibao.adapters.following.cohort import By

    return get_args(By)


def _states() -> Iterable[str]:
    from yibao.domain.vocabulary import State

    return (*map(str, State), "none")


def _steps() -> Iterable[str]:
    from yibao.projections.next_step import CODES

    return (*CODES, "none")


def _whom(command: F) -> F:
    """Which store, which instants, and whose enrollments."""
    return STORE(_AT(_among(command)))


_AT = click.option(
    "--at", type=ASKED, help="The instant asked about, or a day: its end (default: now)."
)


def _among(command: F) -> F:
    """Whose enrollments, and as known when."""
    for option in (
        click.option(
            "--year", type=int, help="Of this benefit year alone (default: of every year)."
        ),
        click.option(
            "--edition", type=EDITION, help="Under this edition alone (default: under any)."
        ),
        click.option("--category", help="Of this category alone, or of none (default: of any)."),
        click.option("--school", help="At this school alone, or at none (default: at any)."),
        click.option(
            "--known-at",
            type=ASKED,
            help="What was known by then: an instant, or a day's end (default: everything).",
        ),
    ):
        command = option(command)
    return command


def _formats(command: F) -> F:
    for option in (
        lang_option,
        policies_option,
        FORCE,
        click.option(
            "--xlsx",
            type=FILE,
            help="Write it into this new file for Excel, in words (default: none).",
        ),
        click.option(
            "--csv", "as_csv", is_flag=True, help="Print CSV, in codes (default: for people)."
        ),
        ONE_JSON,
    ):
        command = option(command)
    return command


def _parquet(what: str) -> Callable[[F], F]:
    return click.option("--parquet", type=FILE, help=what)


@main.group(epilog=examples("cohort count --store facts.db"))
def cohort() -> None:
    """Count, list, export and draw everybody at once."""


@cohort.command(
    "count",
    epilog=examples(
        "cohort count --store facts.db --at 2025-11-01",
        "cohort count --store facts.db --by next_step --school sjtu --json",
        "cohort count --store facts.db --known-at 2025-10-01 --csv",
    ),
)
@_whom
@click.option(
    "--by",
    type=Names(_by),
    default="state",
    metavar="BY",
    help="By state, school, category, next_step, discrepancy, year or policy (default: state).",
)
@_parquet("Write it into this new Parquet file, in codes (default: none).")
@_formats
def count(policies: Path | None, lang: Any, **asked: Any) -> None:
    """Count enrollments at an instant by what they have in common.

    One with several discrepancies counts under each; the total is that of enrollments.
    """
    from yibao.adapters.cli.running.cohorts import counted
    from yibao.adapters.editions import Editions
    from yibao.adapters.views.words import Words

    counted(Editions(policies), Words(lang), sys.stdout, sys.stderr, **asked)


@cohort.command(
    "list",
    epilog=examples(
        "cohort list --store facts.db --state in_waiting_period",
        "cohort list --store facts.db --next-step confirm --csv",
        "cohort list --store facts.db --size 2 --after s-0002/2025 --json",
    ),
)
@_whom
@click.option(
    "--state",
    type=Names(_states),
    metavar="STATE",
    help="In this state alone, or in none (default: in any).",
)
@click.option(
    "--next-step",
    type=Names(_steps),
    metavar="STEP",
    help="With this first next step alone, or with none (default: with any).",
)
@click.option(
    "--days-left-below",
    type=int,
    metavar="DAYS",
    help="Whose first next step is too late in fewer days alone (default: whenever).",
)
@click.option("--size", type=click.IntRange(1, LARGEST), help="Of a page (default: 100).")
@click.option(
    "--after", help="Go on after this key, with which the page before ended (default: begin)."
)
@click.option("--all", "every", is_flag=True, help="Everybody (default: a page).")
@_parquet("Write all of them into this new Parquet file, in codes (default: none).")
@_formats
def list_(policies: Path | None, lang: Any, **asked: Any) -> None:
    """List enrollments at an instant, by reference and benefit year.

    Each with school, state and first next step. A file has all of them; so has CSV, unless a page
    is asked for.
    """
    from yibao.adapters.cli.running.cohorts import listed
    from yibao.adapters.editions import Editions
    from yibao.adapters.views.words import Words

    listed(Editions(policies), Words(lang), sys.stdout, sys.stderr, **asked)


@cohort.command(
    "export",
    epilog=examples(
        "cohort export --store facts.db --at 2025-11-01 --csv",
        "cohort export --store facts.db --parquet values.parquet",
        "cohort export --store facts.db --parquet autumn --by-school",
    ),
)
@_whom
@_parquet(
    "Write the values into this new file if it ends in .parquet, "
    "else values, spans and facts into this new folder (default: none)."
)
@click.option(
    "--by-school",
    is_flag=True,
    help="Part the folder's tables by school, a folder each (default: a file each).",
)
@_formats
def export(policies: Path | None, lang: Any, **asked: Any) -> None:
    """Write out the values of everybody, a row an enrollment.

    The state, waiting period, account, e-voucher and benefit window at an instant. A folder of
    Parquet has the spans of state and first next step as well, as known at any instant, the facts,
    and the windows that were fixed; who told them is not in it, and no note.
    """
    from yibao.adapters.cli.running.cohorts import exported
    from yibao.adapters.editions import Editions
    from yibao.adapters.views.words import Words

    exported(Editions(policies), Words(lang), sys.stdout, sys.stderr, **asked)


def _kinds() -> Iterable[str]:
    from typing import get_args

    from yibao.adapters.following.cohort import Counted

    return get_args(Counted)


@cohort.command(
    "plot",
    epilog=examples(
        "cohort plot --store facts.db --svg autumn.svg",
        "cohort plot --store facts.db --first 2025-09-01 --last 2025-12-31\n--png autumn.png",
        "cohort plot --store facts.db --kind covered --known-at 2025-10-01\n--svg covered.svg",
    ),
)
@STORE
@_among
@click.option(
    "--kind",
    type=Names(_kinds),
    default="states",
    metavar="KIND",
    help="What is drawn: states, or who is covered (default: states).",
)
@click.option(
    "--first", metavar="DAY", help="The first day (default: on which anything changes first)."
)
@click.option(
    "--last", metavar="DAY", help="The last day (default: on which anything changes last)."
)
@click.option("--svg", type=FILE, help="Draw it into this new SVG file (default: none).")
@click.option("--png", type=FILE, help="Draw it into this new PNG file (default: none).")
@FORCE
@policies_option
@lang_option
def plot(policies: Path | None, lang: Any, **asked: Any) -> None:
    """Tell and draw, day by day, how states flow, or who is covered.

    What is drawn is told in words as well, also in a file that ends in .txt beside the picture. A
    state is that at the end of a day. Who is covered is told as known now, and with --known-at
    beside that as known then.
    """
    from yibao.adapters.cli.running.plots import plotted
    from yibao.adapters.editions import Editions
    from yibao.adapters.views.words import Words

    plotted(Editions(policies), Words(lang), sys.stdout, sys.stderr, **asked)


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
    from yibao.adapters.cli.running.what_ifs import asked
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


@main.command(
    epilog=examples(
        "due --store facts.db",
        "due --store facts.db --until 2025-12-29 --json",
        "due --store facts.db --cloudevents --size 1000",
    )
)
@STORE
@click.option(
    "--until",
    type=INSTANT,
    help="What has come by this instant; a day is its beginning (default: now).",
)
@click.option(
    "--acknowledge",
    "acknowledged",
    multiple=True,
    type=click.IntRange(min=1),
    metavar="ID",
    help="First take note that this was delivered; may be given often (default: nothing).",
)
@click.option(
    "--days-before",
    type=click.IntRange(0, 365),
    metavar="DAYS",
    help="Tell so many days before the window closes, from now on (default: as set, at first 3).",
)
@click.option("--size", type=click.IntRange(1, 10000), help="Of a page (default: 100).")
@click.option(
    "--after",
    type=click.IntRange(min=0),
    help="Go on after this id, with which the page before ended (default: begin).",
)
@ONE_JSON
@click.option(
    "--cloudevents",
    is_flag=True,
    help="Print a JSON array of CloudEvents 1.0 (default: for people).",
)
@click.option(
    "--source",
    help="What the CloudEvents say they come from, a URI (default: /yibao).",
)
@policies_option
@lang_option
def due(policies: Path | None, lang: Any, **asked: Any) -> None:
    """Notice what has come due, and list what is not acknowledged.

    Each is noticed once; a correction withdraws what was not acknowledged, and tells the change of
    what was. Listing delivers nothing.
    """
    from yibao.adapters.cli.running.due_report import due_listed
    from yibao.adapters.editions import Editions
    from yibao.adapters.views.words import Words

    due_listed(Editions(policies), Words(lang), sys.stdout, sys.stderr, **asked)
