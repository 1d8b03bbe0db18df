"""`yibao policy …`."""

import sys
from pathlib import Path
from typing import Any

import click

from yibao.adapters.cli.group import main
from yibao.adapters.cli.options import (
    EDITION,
    FILE,
    ONE_JSON,
    examples,
    lang_option,
    policies_option,
    print_json,
)
from yibao.adapters.views import tell


@main.group(epilog=examples("policy list", "policy diff shanghai-2024 shanghai-2025"))
def policy() -> None:
    """List, show, compare and check policy editions."""


@policy.command("list", epilog=examples("policy list"))
@policies_option
@lang_option
def list_editions(policies: Path | None, lang: Any) -> None:
    """List the editions at hand."""
    from yibao.adapters.editions import Editions
    from yibao.adapters.views import console
    from yibao.adapters.views.console import policy_list
    from yibao.adapters.views.words import Words

    console.to(sys.stdout).print(policy_list(Editions(policies), Words(lang)))


@policy.command("show", epilog=examples("policy show shanghai-2025"))
@click.argument("edition", type=EDITION)
@policies_option
@lang_option
def show_edition(edition: str, policies: Path | None, lang: Any) -> None:
    """Show every parameter and rule of an EDITION, each cited."""
    from yibao.adapters.editions import Editions
    from yibao.adapters.views import console
    from yibao.adapters.views.console import policy_tables
    from yibao.adapters.views.words import Words

    found = Editions(policies).get(edition)
    console.to(sys.stdout).print(policy_tables(found, Words(lang)))


@policy.command(
    "diff",
    epilog=examples(
        "policy diff shanghai-2024 shanghai-2025", "policy diff shanghai-2024 shanghai-2025 --json"
    ),
)
@click.argument("a", type=EDITION)
@click.argument("b", type=EDITION)
@ONE_JSON
@policies_option
@lang_option
def compare_editions(a: str, b: str, as_json: bool, policies: Path | None, lang: Any) -> None:
    """Tell what edition B says otherwise than A.

    Its values, its shares, and where each value and rule stands: the clause, and whether that is
    stated or assumed.
    """
    from yibao.adapters.editions import Editions
    from yibao.adapters.shapes import edition_differences
    from yibao.adapters.views import console
    from yibao.adapters.views.console import policy_differences
    from yibao.adapters.views.words import Words

    editions = Editions(policies)
    before, after = editions.get(a), editions.get(b)
    if as_json:
        print_json(edition_differences(before, after))
        return
    console.to(sys.stdout).print(policy_differences(before, after, Words(lang)))


@policy.command("check", epilog=examples("policy check editions/mine.yaml"))
@click.argument("file", type=FILE)
@policies_option
@lang_option
def check_edition(file: Path, policies: Path | None, lang: Any) -> None:
    """Check an edition in a FILE.

    A mistake is named with file, line and column.
    """
    from yibao.adapters.editions import Editions
    from yibao.adapters.views.words import Words

    found = Editions(policies).check(file)
    tell(Words(lang)("phrase", "edition_is_right", edition=found.edition))
