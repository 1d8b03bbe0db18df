"""Options that several commands have, and what they read."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from yibao.adapters.views import json_for, tell

F = TypeVar("F", bound=Callable[..., Any])


class _Instant(click.ParamType[Any]):
    """An instant as people write it; with `versions` also a version of the stream.

    With `days` a day is the instant at which it begins.
    """

    name = "instant"

    def __init__(self, *, versions: bool = False, days: bool = False) -> None:
        self.versions = versions
        self.days = days

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        from yibao.domain.calendar import midnight, read_day, read_instant

        if not isinstance(value, str):
            return value
        if self.versions and value.isascii() and value.isdigit() and len(value) < 10:
            return int(value)
        try:
            if self.days and len(value) == len("2025-09-01"):
                return midnight(read_day(value))
            return read_instant(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)


INSTANT = _Instant()


CUTOFF = _Instant(versions=True)


BOUND = _Instant(days=True)


FILE = click.Path(path_type=Path)


def lang_option(command: F) -> F:
    return click.option(
        "--lang",
        type=click.Choice(["en", "zh"]),
        default="en",
        envvar="YIBAO_LANG",
        show_default=True,
        help="The language in which yibao speaks to people.",
    )(command)


def policies_option(command: F) -> F:
    return click.option(
        "--policies",
        type=click.Path(file_okay=False, path_type=Path),
        help="A directory of policy editions of your own (default: $YIBAO_POLICIES).",
    )(command)


def subjects_options(command: F) -> F:
    """Whom it is about: a story's FILE and a --student of it, or one in a --store."""
    for option in (
        click.option("--year", type=int, help="The benefit year in the store."),
        click.option("--ref", help="The student's reference in the store."),
        click.option("--store", help="Of a student in a store instead: sqlite:///PATH."),
        click.option("--student", help="The student's name in the story, where it has several."),
        click.argument("file", type=FILE, required=False),
    ):
        command = option(command)
    return command


AT = click.option(
    "--at", type=INSTANT, help="The instant asked about (default: a story's latest, or now)."
)


KNOWN_AT = click.option(
    "--known-at", type=CUTOFF, help="What was known by then: an instant or a version."
)


FORCE = click.option(
    "--force", is_flag=True, help="Replace a file that is there already; a store never is."
)


JSON = click.option(
    "--json", "as_json", is_flag=True, help="Print one JSON array, one object a student."
)


STORE = click.option(
    "--store", required=True, help="The store: sqlite:///PATH, or postgresql://HOST/DATABASE."
)


TRAIL = click.option(
    "--trail", help="The file of the audit trail, a path or sqlite:///PATH (default: the store's)."
)


def print_json(told: Any) -> None:
    tell(json_for(sys.stdout.encoding, told))
