"""`yibao projections …`."""

import sys
from pathlib import Path
from typing import Any

import click

from yibao.adapters.cli.group import main
from yibao.adapters.cli.options import STORE, TRAIL, lang_option, policies_option, print_json
from yibao.adapters.views import tell


@main.group()
def projections() -> None:
    """See how far projections are, and keep them up with the facts."""


@projections.command("status")
@STORE
@TRAIL
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@policies_option
@lang_option
def projections_status(
    store: str, trail: str | None, as_json: bool, policies: Path | None, lang: Any
) -> None:
    """Tell how far each projection is, how far behind, and whom it could not take in.

    Nothing is taken in by asking. Exit 1 where anything is parked, or a projection halts.
    """
    from yibao.adapters.cli.running.projecting import status_json, statuses
    from yibao.adapters.editions import Editions
    from yibao.adapters.views.console import status_report
    from yibao.adapters.views.words import Words

    found = statuses(store, trail, Editions(policies))
    if as_json:
        print_json({"format": 1, "projections": [status_json(each) for each in found]})
    else:
        from yibao.adapters.views import console

        console.to(sys.stdout).print(status_report(found, Words(lang)))
    sys.exit(1 if any(each.standing.parked or each.halted for each in found) else 0)


@projections.command("follow")
@STORE
@TRAIL
@click.option("--once", is_flag=True, help="Take in what there is, and end.")
@click.option(
    "--log",
    type=click.Choice(["json", "none"]),
    default="json",
    show_default=True,
    help="What is written to standard error.",
)
@policies_option
def projections_follow(
    store: str, trail: str | None, once: bool, log: str, policies: Path | None
) -> None:
    """Keep the projections up with the facts, until stopped; of several at once one works.

    It logs one line of JSON for what it takes in, and for every alarm.
    """
    from yibao.adapters.cli.running.projecting import follow
    from yibao.adapters.editions import Editions
    from yibao.adapters.telemetry import log_json

    if log == "json":
        log_json()
    follow(store, trail, Editions(policies), once=once)


@projections.command("retry")
@STORE
@TRAIL
@policies_option
@lang_option
def projections_retry(store: str, trail: str | None, policies: Path | None, lang: Any) -> None:
    """Take in anew whom a projection had to park; exit 1 where somebody still is."""
    from yibao.adapters.cli.running.projecting import retry
    from yibao.adapters.editions import Editions
    from yibao.adapters.views.words import Words

    left = retry(store, trail, Editions(policies))
    tell(Words(lang)("projections", "left", parked=left))
    sys.exit(1 if left else 0)
