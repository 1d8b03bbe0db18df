"""`yibao audit`."""

import sys
from pathlib import Path
from typing import Any

import click

from yibao.adapters.cli.group import main
from yibao.adapters.cli.options import BOUND, FILE, TRAIL, lang_option, policies_option


@main.command()
@click.argument("file", type=FILE, required=False)
@click.option("--store", help="The store to ask: sqlite:///PATH.")
@TRAIL
@click.option("--ref", help="Of this student.")
@click.option("--year", type=int, help="Of this benefit year.")
@click.option("--edition", help="Under this edition.")
@click.option("--school", help="Of students then at this school.")
@click.option("--by", help="By this actor.")
@click.option("--via", help="Via this channel.")
@click.option("--kind", help="Of this kind: confirmed, voided, … or refused.")
@click.option("--code", help="Refused, or not fitting, with this code.")
@click.option("--correlation-id", help="Of this correlation id.")
@click.option("--facts-only", is_flag=True, help="Without what was refused.")
@click.option("--changed", help="That changed this part of the answer: coverage, state …")
@click.option("--recorded-from", type=BOUND, help="Recorded at this instant or later.")
@click.option("--recorded-until", type=BOUND, help="Recorded before this instant.")
@click.option("--happened-from", type=BOUND, help="Happened at this instant or later.")
@click.option("--happened-until", type=BOUND, help="Happened before this instant.")
@click.option("--newest-first", is_flag=True, help="The newest first (default: the oldest).")
@click.option("--size", type=click.IntRange(1, 10000), help="Of a page (default: 50).")
@click.option("--after", help="Go on after this key, with which the page before ended.")
@click.option("--all", "every", is_flag=True, help="Every entry, page after page.")
@click.option("--brief", is_flag=True, help="One line an entry.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.option("--csv", "as_csv", is_flag=True, help="Print CSV, one line an entry: all of them.")
@policies_option
@lang_option
def audit(policies: Path | None, lang: Any, **asked: Any) -> None:
    """Ask the audit trail: who recorded what, when and why, what it changed, what was refused.

    Of a story's FILE or a --store. Everything given must fit.
    """
    from yibao.adapters.cli.running.audit_report import audited
    from yibao.adapters.editions import Editions
    from yibao.adapters.views.words import Words

    audited(Editions(policies), Words(lang), sys.stdout, sys.stderr, **asked)
