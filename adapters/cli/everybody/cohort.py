"""`yibao cohort count | list | export | plot`: what holds of everybody at an instant."""

import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, TypeVar

import click

from yibao.adapters.cli.group import main
from yibao.adapters.cli.options import (
    ASKED,
    EDITION,
    FILE,
    FORCE,
    ONE_JSON,
    STORE,
    Names,
    examples,
    lang_option,
    policies_option,
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
    from yibao.adapters.cli.running.everybody.cohorts import counted
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
    from yibao.adapters.cli.running.everybody.cohorts import listed
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
    from yibao.adapters.cli.running.everybody.cohorts import exported
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
    from yibao.adapters.cli.running.everybody.plots import plotted
    from yibao.adapters.editions import Editions
    from yibao.adapters.views.words import Words

    plotted(Editions(policies), Words(lang), sys.stdout, sys.stderr, **asked)
