"""`yibao quote`."""

import sys
from pathlib import Path
from typing import Any

import click

from yibao.adapters.cli.group import main
from yibao.adapters.cli.options import (
    ASKED,
    EDITION,
    FILE,
    HER_YEAR,
    INSTANT,
    KNOWN_AT,
    ONE_JSON,
    OR_STORE,
    examples,
    lang_option,
    policies_option,
    print_json,
)


@main.command(
    epilog=examples(
        "quote --setting outpatient --level third --cost 500 --on 2025-10-01\n"
        "--registered 2025-09-01 --confirmed 2025-09-06 --lapsed-years 0",
        "quote --setting campus_clinic --cost 120 --on 2025-12-09\n--story story.yaml",
        "quote --setting campus_clinic --cost 120 --on 2025-12-09\n"
        "--store facts.db --ref s1 --year 2025",
    )
)
@click.option(
    "--setting",
    required=True,
    type=click.Choice(["campus_clinic", "village_clinic", "outpatient", "emergency", "inpatient"]),
    help="Where care is given.",
)
@click.option(
    "--level",
    type=click.Choice(["first", "second", "third"]),
    help="Of the hospital (default: none, as a clinic has).",
)
@click.option("--cost", required=True, help="The eligible cost in yuan, as 120.00.")
@click.option("--on", required=True, help="The day of care, or of admission.")
@click.option("--province", help="Where it is (default: in Shanghai).")
@click.option("--story", type=FILE, help="Of a student in a story (default: none).")
@click.option("--student", help="Her name in the story (default: the only one in it).")
@OR_STORE
@click.option("--ref", help="Her reference in the store (default: none).")
@click.option("--year", type=int, help=f"{HER_YEAR} (default: none).")
@click.option(
    "--policy",
    type=EDITION,
    default="shanghai-2025",
    show_default=True,
    help="Anybody's edition.",
)
@click.option("--registered", help="Anybody's registration day (default: nobody's).")
@click.option(
    "--confirmed",
    type=INSTANT,
    help="The instant of the confirmation, or a day: its beginning (default: none).",
)
@click.option("--lapsed-years", type=int, help="What the check found (default: nothing yet).")
@click.option("--document", default="resident_id_card", show_default=True, help="Anybody's.")
@click.option("--category", default="undergraduate", show_default=True, help="Anybody's.")
@click.option(
    "--employee-cover-stopped", help="The first day without employee cover (default: none)."
)
@click.option(
    "--medical-card",
    type=INSTANT,
    help="When a medical card was issued, or a day: its beginning (default: never).",
)
@click.option(
    "--filed",
    type=INSTANT,
    help="When care in the province was filed for, or a day: its beginning (default: never).",
)
@click.option("--withdrawn", help="The first day outside (default: none).")
@click.option(
    "--at",
    type=ASKED,
    help="The instant asked about, or a day: its end (default: the end of the day of care).",
)
@KNOWN_AT
@ONE_JSON
@policies_option
@lang_option
def quote(as_json: bool, policies: Path | None, lang: Any, **asked: Any) -> None:
    """Tell what a piece of care would cost, recording nothing.

    For a student of a --story, for one in a --store, or for anybody described by --registered,
    --confirmed and what else is known.
    """
    from yibao.adapters.cli.running.quotes import quoted
    from yibao.adapters.editions import Editions
    from yibao.adapters.shapes import care_json
    from yibao.adapters.views import console
    from yibao.adapters.views.console import quote_report
    from yibao.adapters.views.words import Words

    assessed = quoted(Editions(policies), **asked)
    if as_json:
        left = {"deductible_left": str(assessed.deductible_left.value)}
        covered_from = assessed.covered_from.isoformat() if assessed.covered_from else None
        told = care_json(assessed) | left | {"covered_from": covered_from}
        print_json(told)
        return
    console.to(sys.stdout).print(quote_report(assessed, Words(lang)))
