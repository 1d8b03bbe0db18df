"""`yibao projections …`."""

import sys
from pathlib import Path
from typing import Any

import click

from yibao.adapters.cli.group import main
from yibao.adapters.cli.options import (
    ONE_JSON,
    STORE,
    TRAIL,
    examples,
    lang_option,
    policies_option,
    print_json,
)
from yibao.adapters.views import tell


@main.group(epilog=examples("projections status --store facts.db"))
def projections() -> None:
    """See how far projections are, and keep them up."""


@projections.command("status", epilog=examples("projections status --store facts.db"))
@STORE
@TRAIL
@ONE_JSON
@policies_option
@lang_option
def projections_status(
    store: str, trail: str | None, as_json: bool, policies: Path | None, lang: Any
) -> None:
    """Tell how far each projection is.

    How far behind, too, and whom it could not take in. Nothing is
    taken in by asking. Exit 1 where anything is parked, or a projection halts.
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


@projections.command(
    "follow",
    epilog=examples("projections follow --store facts.db --once --log none"),
)
@STORE
@TRAIL
@click.option(
    "--once", is_flag=True, help="Take in what there is, and end (default: follow until stopped)."
)
@click.option(
    "--log",
    type=click.Choice(["json", "none"]),
    default="json",
    show_default=True,
    help="What is written to standard error; with none a bar is shown to who watches.",
)
@policies_option
@lang_option
def projections_follow(
    store: str, trail: str | None, once: bool, log: str, policies: Path | None, lang: Any
) -> None:
    """Keep the projections up with the facts, until stopped.

    Of several at once one works. It logs one line of JSON for what it takes in, and for every
    alarm.
    """
    from yibao.adapters.cli.running.projecting import follow
    from yibao.adapters.editions import Editions
    from yibao.adapters.telemetry import log_json
    from yibao.adapters.views.console import watched
    from yibao.adapters.views.words import Words

    if log == "json":
        log_json()
        follow(store, trail, Editions(policies), once=once)
        return
    with watched(sys.stderr, Words(lang)("audit", "catching_up")) as watch:
        follow(store, trail, Editions(policies), once=once, watch=watch)


@projections.command("retry", epilog=examples("projections retry --store facts.db"))
@STORE
@TRAIL
@policies_option
@lang_option
def projections_retry(store: str, trail: str | None, policies: Path | None, lang: Any) -> None:
    """Take in anew whom a projection had to park.

    Exit 1 where somebody still is.
    """
    from yibao.adapters.cli.running.projecting import retry
    from yibao.adapters.editions import Editions
    from yibao.adapters.views.console import watched
    from yibao.adapters.views.words import Words

    words = Words(lang)
    with watched(sys.stderr, words("audit", "catching_up")) as watch:
        left = retry(store, trail, Editions(policies), watch)
    tell(words("projections", "left", parked=left))
    sys.exit(1 if left else 0)


@projections.command("rebuild", epilog=examples("projections rebuild --store facts.db"))
@STORE
@click.option("--back", is_flag=True, help="Go back to the one before (default: make a new one).")
@policies_option
@lang_option
def projections_rebuild(store: str, back: bool, policies: Path | None, lang: Any) -> None:
    """Make the cohort anew beside the old, and switch over.

    Questions are answered from the old one until then. It stays, and --back returns to it.
    """
    from yibao.adapters.cli.running.projecting import rebuild
    from yibao.adapters.editions import Editions
    from yibao.adapters.views.console import watched
    from yibao.adapters.views.words import Words

    with watched(sys.stderr, Words(lang)("audit", "catching_up")) as watch:
        rebuild(store, Editions(policies), back=back, watch=watch)
