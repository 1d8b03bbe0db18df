"""`yibao office today`, `list` and `show`."""

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import click

from yibao.adapters.cli.office.group import SCHOOL, office
from yibao.adapters.cli.options import (
    FILE,
    FORCE,
    ONE_JSON,
    STORE,
    Names,
    examples,
    lang_option,
    policies_option,
    print_json,
)
from yibao.adapters.views import in_one_line, tell

ON = click.option(
    "--on",
    metavar="DAY",
    help="The day asked about, at 12:00, as all is known now (default: this day).",
)
LOOKS = click.option(
    "--by", envvar="YIBAO_BY", help="Who looks, an opaque key (default: $YIBAO_BY, else cli)."
)
WHY = click.option(
    "--reason", help="Why, as a word (default: none, where $YIBAO_DIRECTORY_REASONS asks for none)."
)


def _lists() -> Iterable[str]:
    from yibao.adapters.office.season import LISTS

    return LISTS


@office.command(
    "today",
    epilog=examples(
        "office today --school sjtu --store season.db",
        "office today --school sjtu --store season.db\n--on 2025-11-30 --json",
    ),
)
@SCHOOL
@STORE
@ON
@ONE_JSON
@policies_option
@lang_option
def today(
    school: str, store: str, on: str | None, as_json: bool, policies: Path | None, lang: Any
) -> None:
    """Tell what is to be done today: how many are on each list.

    Somebody is on a list while that next step stands, of those whose school it is now.
    """
    from yibao.adapters.office import check_office

    check_office()
    from yibao.adapters.cli.office.running import morning
    from yibao.adapters.cli.office.telling import morning_report
    from yibao.adapters.editions import Editions
    from yibao.adapters.office.season import today_json
    from yibao.adapters.views import console
    from yibao.adapters.views.words import Words

    words = Words(lang)
    found = morning(store, Editions(policies), school, on)
    _warn(found.parked, words)
    if as_json:
        print_json(today_json(found))
    else:
        console.to(sys.stdout).print(morning_report(found, words))


@office.command(
    "list",
    epilog=examples(
        "office list not-confirmed --school sjtu --store season.db",
        "office list waiting --school sjtu --store season.db --on 2025-11-30\n--xlsx waiting.xlsx",
    ),
)
@click.argument("name", type=Names(_lists))
@SCHOOL
@STORE
@ON
@click.option("--xlsx", type=FILE, help="Write it into this new workbook (default: none).")
@FORCE
@LOOKS
@WHY
@ONE_JSON
@policies_option
@lang_option
def list_(
    name: str,
    school: str,
    store: str,
    on: str | None,
    xlsx: Path | None,
    force: bool,
    by: str | None,
    reason: str | None,
    as_json: bool,
    policies: Path | None,
    lang: Any,
) -> None:
    """Tell who is on the list NAME.

    By student number and name, of whom the school itself has entered; who looked up whom is noted.
    """
    from yibao.adapters.office import check_office

    check_office()
    from yibao.adapters.cli.office.running import list_of, written_list
    from yibao.adapters.cli.office.telling import list_report
    from yibao.adapters.editions import Editions
    from yibao.adapters.office.season import listed_json
    from yibao.adapters.views import console
    from yibao.adapters.views.words import Words

    if as_json and xlsx:
        raise click.UsageError("--json and --xlsx are two formats")
    if force and xlsx is None:
        raise click.UsageError("--force says nothing without --xlsx")
    words = Words(lang)
    found = list_of(store, Editions(policies), name, school, on, by, reason)
    _warn(found.parked, words)
    if as_json:
        print_json(listed_json(found))
    elif xlsx:
        written_list(found, xlsx, force, words)
        tell(in_one_line(words("office", "written", file=xlsx)))
    else:
        console.to(sys.stdout).print(list_report(found, words))


@office.command(
    "show",
    epilog=examples(
        "office show --school sjtu --number 525001 --store season.db",
        "office show --school sjtu --number 525001 --store season.db --lang zh",
    ),
)
@SCHOOL
@click.option("--number", required=True, help="Her student number.")
@STORE
@ON
@LOOKS
@WHY
@ONE_JSON
@policies_option
@lang_option
def show(
    school: str,
    number: str,
    store: str,
    on: str | None,
    by: str | None,
    reason: str | None,
    as_json: bool,
    policies: Path | None,
    lang: Any,
) -> None:
    """Tell what holds of one student, why, and what to tell her.

    Who looked up whom is noted; exit 1 where nobody of the school has the number.
    """
    from yibao.adapters.office import check_office

    check_office()
    from yibao.adapters.cli.office.running import shown
    from yibao.adapters.cli.office.telling import student_report
    from yibao.adapters.editions import Editions
    from yibao.adapters.office.season import shown_json
    from yibao.adapters.views import console
    from yibao.adapters.views.words import Words

    editions = Editions(policies)
    words = Words(lang, editions)
    found = shown(store, editions, school, number, on, by, reason)
    if found is None:
        tell(words("office", "nobody"), err=True)
        sys.exit(1)
    if as_json:
        print_json(shown_json(found, lang))
    else:
        console.to(sys.stdout).print(student_report(found, words))


def _warn(parked: int, words: Any) -> None:
    if parked:
        tell(words("cohort", "parked", count=parked), err=True)
