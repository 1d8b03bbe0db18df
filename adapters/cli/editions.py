"""`yibao policy …`."""

import sys
from pathlib import Path
from typing import Any

import click

from yibao.adapters.cli.group import main
from yibao.adapters.cli.options import FILE, lang_option, policies_option
from yibao.adapters.views import tell


@main.group()
def policy() -> None:
    """List, show and check policy editions."""


@policy.command("list")
@policies_option
@lang_option
def list_editions(policies: Path | None, lang: Any) -> None:
    """List the editions at hand."""
    from yibao.adapters.editions import Editions
    from yibao.adapters.views import console
    from yibao.adapters.views.console import policy_list
    from yibao.adapters.views.words import Words

    console.to(sys.stdout).print(policy_list(Editions(policies), Words(lang)))


@policy.command("show")
@click.argument("edition")
@policies_option
@lang_option
def show_edition(edition: str, policies: Path | None, lang: Any) -> None:
    """Show every parameter and rule of an EDITION with its citation."""
    from yibao.adapters.editions import Editions
    from yibao.adapters.views import console
    from yibao.adapters.views.console import policy_tables
    from yibao.adapters.views.words import Words

    found = Editions(policies).get(edition)
    console.to(sys.stdout).print(policy_tables(found, Words(lang)))


@policy.command("check")
@click.argument("file", type=FILE)
@policies_option
@lang_option
def check_edition(file: Path, policies: Path | None, lang: Any) -> None:
    """Check an edition in a FILE; a mistake is named with file, line and column."""
    from yibao.adapters.editions import Editions
    from yibao.adapters.views.words import Words

    found = Editions(policies).check(file)
    tell(Words(lang)("phrase", "edition_is_right", edition=found.edition))
