"""`yibao policy …`."""

import sys
from pathlib import Path
from typing import Any

import click

from yibao.adapters.cli.group import main
from yibao.adapters.cli.options import (
    EDITION,
    FILE,
    FORCE,
    ONE_JSON,
    examples,
    lang_option,
    policies_option,
    print_json,
)
from yibao.adapters.views import in_one_line, tell


@main.group(epilog=examples("policy list", "policy diff shanghai-2024 shanghai-2025"))
def policy() -> None:
    """List, show, compare, begin and check policy editions."""


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


@policy.command(
    "new",
    epilog=examples("policy new --extends shanghai-2025 --out editions/shanghai-2026.yaml"),
)
@click.option("--extends", "base", type=EDITION, required=True, help="The edition to begin from.")
@click.option(
    "--out", type=FILE, help="A new file to write, named as the edition (default: standard output)."
)
@FORCE
@policies_option
@lang_option
def draft_edition(
    base: str, out: Path | None, force: bool, policies: Path | None, lang: Any
) -> None:
    """Begin an edition of one's own.

    The file names what must be looked up in the notices of the new year or city, with what it was
    before, in both languages; `policy check` tells what is still to be filled in.
    """
    from yibao.adapters.editions import Editions
    from yibao.adapters.store.files import written
    from yibao.adapters.views.drafts import draft
    from yibao.adapters.views.words import Words

    text = draft(Editions(policies).get(base), out)
    if out is None:
        tell(text.rstrip())
        return
    with written(out, force=force) as new:
        new.write_text(text, encoding="utf-8")
    tell(in_one_line(Words(lang)("audit", "written", file=out)), err=True)


@policy.command(
    "check",
    epilog=examples("policy check editions/mine.yaml", "policy check editions/mine.yaml --json"),
)
@click.argument("file", type=FILE)
@ONE_JSON
@policies_option
@lang_option
def check_edition(file: Path, as_json: bool, policies: Path | None, lang: Any) -> None:
    """Check an edition in a FILE.

    A mistake is named with file, line and column, and so is what is still to be filled in. What
    is right but should be looked at again is warned of on standard error: citations taken over
    from a notice of another city or year, periods that contradict each other, days between two
    years.
    """
    from yibao.adapters.editions import Editions, SourceError, warnings
    from yibao.adapters.shapes import edition_checked, edition_mistaken
    from yibao.adapters.views.telling import error_told, warned
    from yibao.adapters.views.words import Words

    editions, words = Editions(policies), Words(lang)
    mistakes: list[SourceError] = []
    try:
        mistakes = editions.left_open(file)
        found = None if mistakes else editions.check(file)
    except SourceError as error:
        mistakes, found = [error], None
    if found is None:
        told = [error_told(error, words) for error in mistakes]
        if as_json:
            print_json(edition_mistaken(file, told))
        else:
            for line in told:
                tell(f"yibao: {in_one_line(line)}", err=True)
        sys.exit(2)
    if as_json:
        print_json(edition_checked(file, found, warnings(found, editions)))
        return
    for each in warnings(found, editions):
        tell(in_one_line(f"{file}: {warned(each, words)}"), err=True)
    tell(words("phrase", "edition_is_right", edition=found.edition))
