"""`yibao due`: what has come due of everybody, until somebody takes note of it."""

import sys
from pathlib import Path
from typing import Any

import click

from yibao.adapters.cli.group import main
from yibao.adapters.cli.options import (
    INSTANT,
    ONE_JSON,
    STORE,
    examples,
    lang_option,
    policies_option,
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
    from yibao.adapters.cli.running.everybody.due_report import due_listed
    from yibao.adapters.editions import Editions
    from yibao.adapters.views.words import Words

    due_listed(Editions(policies), Words(lang), sys.stdout, sys.stderr, **asked)
