"""`yibao quote`."""

import sys
from pathlib import Path
from typing import Any

import click

from yibao.adapters.cli.group import main
from yibao.adapters.cli.options import (
    CUTOFF,
    FILE,
    INSTANT,
    lang_option,
    policies_option,
    print_json,
)


@main.command()
@click.option(
    "--setting",
    required=True,
    type=click.Choice(["campus_clinic", "village_clinic", "outpatient", "emergency", "inpatient"]),
    help="Where care is given.",
)
@click.option("--level", type=click.Choice(["first", "second", "third"]), help="Of the hospital.")
@click.option("--cost", required=True, help="The eligible cost in yuan, as 120.00.")
@click.option("--on", required=True, help="The day of care, or of admission.")
@click.option("--province", help="Where, if not in Shanghai.")
@click.option("--story", type=FILE, help="Of a student in a story.")
@click.option("--student", help="The student's name in the story, where it has several.")
@click.option("--store", help="Of a student in a store: sqlite:///PATH.")
@click.option("--ref", help="The student's reference in the store.")
@click.option("--year", type=int, help="The benefit year in the store.")
@click.option("--policy", default="shanghai-2025", show_default=True, help="Anybody's edition.")
@click.option("--registered", help="Anybody's registration day.")
@click.option("--confirmed", type=INSTANT, help="The instant of the confirmation.")
@click.option("--lapsed-years", type=int, help="What the check found.")
@click.option("--document", default="resident_id_card", show_default=True, help="Anybody's.")
@click.option("--category", default="undergraduate", show_default=True, help="Anybody's.")
@click.option("--employee-cover-stopped", help="The first day without employee cover.")
@click.option(
    "--medical-card", type=INSTANT, help="The instant at which a medical card was issued."
)
@click.option(
    "--filed", type=INSTANT, help="The instant at which care in the province was filed for."
)
@click.option("--withdrawn", help="The first day outside.")
@click.option("--at", type=INSTANT, help="The instant asked about (default: the end of that day).")
@click.option("--known-at", type=CUTOFF, help="What was known by then: an instant or a version.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@policies_option
@lang_option
def quote(as_json: bool, policies: Path | None, lang: Any, **asked: Any) -> None:
    """Tell what a piece of care would cost, without recording anything.

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
