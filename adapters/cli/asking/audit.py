"""`yibao audit`."""

import sys
from pathlib import Path
from typing import Any

import click

from yibao.adapters.cli.group import main
from yibao.adapters.cli.options import (
    CODE,
    EDITION,
    FILE,
    FORCE,
    INSTANT,
    KIND,
    ONE_JSON,
    OR_STORE,
    PART,
    PROOFS,
    TRAIL,
    examples,
    lang_option,
    policies_option,
)


@main.command(
    epilog=examples(
        "audit story.yaml --changed coverage",
        "audit --store facts.db --corrections --voids --brief",
        "audit --store facts.db --kind refused --count code",
        "audit --store facts.db --late 7 --csv",
        "audit --store facts.db --recorded-from 2025-09-01 --xlsx audit.xlsx",
    )
)
@click.argument("file", type=FILE, required=False)
@OR_STORE
@TRAIL
@click.option("--ref", help="Of this student (default: of everybody).")
@click.option("--year", type=int, help="Of this benefit year (default: of every year).")
@click.option("--edition", type=EDITION, help="Under this edition (default: under any).")
@click.option("--school", help="Of students then at this school (default: at any).")
@click.option("--by", help="By this actor (default: by anybody, whatever $YIBAO_BY says).")
@click.option("--via", help="Via this channel (default: via any).")
@click.option(
    "--kind",
    type=KIND,
    metavar="KIND",
    help="Of this kind: confirmed, voided, … or refused (default: of any).",
)
@click.option(
    "--code",
    type=CODE,
    metavar="CODE",
    help="Refused, or not fitting, with this code (default: with any or none).",
)
@click.option("--correlation-id", help="Of this correlation id (default: of any).")
@click.option("--facts-only", is_flag=True, help="Without what was refused (default: with it).")
@click.option(
    "--corrections", is_flag=True, help="What took the place of another fact (default: all)."
)
@click.option(
    "--voids",
    is_flag=True,
    help="What took back a fact; beside --corrections either (default: all).",
)
@click.option(
    "--late",
    type=click.IntRange(0, 1_000_000),
    metavar="DAYS",
    help="Facts recorded more than so many days after they happened (default: all).",
)
@click.option(
    "--changed",
    type=PART,
    metavar="PART",
    help="That changed this part of the answer: coverage, state … (default: any or none).",
)
@click.option(
    "--recorded-from",
    type=INSTANT,
    help="Recorded at this instant or later; a day is its beginning (default: ever).",
)
@click.option(
    "--recorded-until",
    type=INSTANT,
    help="Recorded before this instant; a day is its beginning (default: until now).",
)
@click.option(
    "--happened-from",
    type=INSTANT,
    help="Happened at this instant or later; a day is its beginning (default: ever).",
)
@click.option(
    "--happened-until",
    type=INSTANT,
    help="Happened before this instant; a day is its beginning (default: until now).",
)
@click.option("--newest-first", is_flag=True, help="The newest first (default: the oldest).")
@click.option("--size", type=click.IntRange(1, 10000), help="Of a page (default: 50).")
@click.option(
    "--after", help="Go on after this key, with which the page before ended (default: begin)."
)
@click.option("--all", "every", is_flag=True, help="Every entry (default: a page).")
@click.option("--brief", is_flag=True, help="One line an entry (default: with what it changed).")
@click.option(
    "--count",
    type=click.Choice(["kind", "actor", "code", "school", "day"]),
    metavar="BY",
    help="How many there are by kind, actor, code, school or day of recording "
    "(default: list them).",
)
@ONE_JSON
@click.option(
    "--csv",
    "as_csv",
    is_flag=True,
    help="Print CSV, one line an entry: all of them (default: for people).",
)
@click.option(
    "--xlsx",
    type=FILE,
    help="Write all of them into this new file for Excel, in words (default: none).",
)
@click.option(
    "--accesses",
    is_flag=True,
    help="Who looked at whom instead, the newest first; by --ref, --by and when (default: facts).",
)
@PROOFS
@FORCE
@policies_option
@lang_option
def audit(policies: Path | None, lang: Any, accesses: bool, **asked: Any) -> None:
    """Ask who recorded what, when and why, and what was refused.

    The audit trail of a story's FILE or of a --store is asked, and tells what each fact changed.
    Everything given must fit.
    """
    from yibao.adapters.cli.running.audit_report import audited
    from yibao.adapters.editions import Editions
    from yibao.adapters.views.words import Words

    if accesses:
        from yibao.adapters.cli.running.accesses import accesses_listed

        accesses_listed(Words(lang), sys.stdout, **asked)
        return
    audited(Editions(policies), Words(lang), sys.stdout, sys.stderr, **asked)
