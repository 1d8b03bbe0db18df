"""Options that several commands have, and what they read."""

import os
import sys
from collections.abc import Callable, Iterable
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path
from typing import Any, TypeVar

import click
from click.shell_completion import CompletionItem

from yibao.adapters.views import in_one_line, json_for, language_here, tell
from yibao.domain.refusals import REASONS, YibaoError

F = TypeVar("F", bound=Callable[..., Any])


class _Instant(click.ParamType[Any]):
    """An instant as people write it, or a day; with `versions` also a version of the stream.

    A day is the instant at which it begins, and with `ends` the last one of it: whoever asks about
    a day, or what was known by it, means all that it brought.
    """

    name = "instant"

    def __init__(self, *, versions: bool = False, ends: bool = False) -> None:
        self.versions = versions
        self.ends = ends

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        from yibao.domain.calendar import end_of, in_shanghai, midnight, read_day, read_instant

        if not isinstance(value, str):
            return value
        if self.versions and value.isascii() and value.isdigit() and len(value) < 10:
            return int(value)
        try:
            if len(value) == len("2025-09-01"):
                begins = in_shanghai(midnight(read_day(value)))
                return end_of(begins.date()) if self.ends else begins
            return read_instant(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)


class _Store(click.ParamType[str]):
    """A store by its URL, or by the path of its file."""

    name = "path|url"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        from yibao.adapters.store import url_given

        try:
            return url_given(value)
        except ValueError:
            self.fail("a path that is no UTF-8 cannot be told to the database", param, ctx)


class Names(click.Choice[str]):
    """One of some names, which are loaded where one is looked up or completed."""

    def __init__(self, load: Callable[[], Iterable[str]]) -> None:
        self._load = load
        self.case_sensitive = True

    @cached_property
    def choices(self) -> tuple[str, ...]:  # type: ignore[override]
        return tuple(self._load())


class _Edition(click.ParamType[str]):
    """An edition by its id; those at hand are completed."""

    name = "edition"

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        from yibao.adapters.editions import Editions
        from yibao.domain.refusals import YibaoError

        try:
            names = Editions(ctx.params.get("policies")).names()
        except YibaoError:  # nobody reads an error here
            return []
        fit = (name for name in names if name.startswith(incomplete) and in_one_line(name) == name)
        return [CompletionItem(name) for name in fit]


#: What happened, or where an interval begins or ends: a day is its beginning.
INSTANT = _Instant()


#: What is asked about, and what was known by then: a day is its end.
ASKED = _Instant(ends=True)


CUTOFF = _Instant(versions=True, ends=True)


def _parts() -> Iterable[str]:
    from yibao.projections.parts import PARTS

    return PARTS


def _kinds() -> Iterable[str]:
    from yibao.adapters.following.trail import KINDS

    return KINDS


PART = Names(_parts)


KIND = Names(_kinds)


CODE = click.Choice(tuple(REASONS))


STORE_URL = _Store()


EDITION = _Edition()


FILE = click.Path(path_type=Path)


def lang_option(command: F) -> F:
    return click.option(
        "--lang",
        type=click.Choice(["en", "zh"]),
        default=language_here,
        envvar="YIBAO_LANG",
        show_default=False,
        help="The language of what is told to people (default: $YIBAO_LANG, else the locale's).",
    )(command)


def policies_option(command: F) -> F:
    return click.option(
        "--policies",
        type=click.Path(file_okay=False, path_type=Path),
        help="A folder with editions of your own (default: $YIBAO_POLICIES).",
    )(command)


def subjects_options(command: F) -> F:
    """Whom it is about: a story's FILE and a --student of it, or one in a --store."""
    return _whom(command, "none")


def latest_options(command: F) -> F:
    """The same where the benefit year may be left out."""
    return _whom(command, "her latest")


def years_options(command: F) -> F:
    """The same where it is about every benefit year if none is named."""
    return _whom(command, "all of them")


#: For a story, `--policy`.
ANOTHER_EDITION = "Replay a story under another edition; of several it replaces that of its year"


#: Of a student in a store, and in a story that has several editions.
HER_YEAR = "Her benefit year in the store, or in a story of several"


def _whom(command: F, year: str) -> F:
    for option in (
        click.option("--year", type=int, help=f"{HER_YEAR} (default: {year})."),
        click.option("--ref", help="Her reference in the store (default: none)."),
        OR_STORE,
        click.option("--student", help="Her name in the story (default: everybody in it)."),
        click.argument("file", type=FILE, required=False),
    ):
        command = option(command)
    return command


AT = click.option(
    "--at",
    type=ASKED,
    help="The instant asked about, or a day: its end (default: a story's latest, or now).",
)


KNOWN_AT = click.option(
    "--known-at",
    type=CUTOFF,
    help="What was known by then: an instant, a day's end or a version (default: everything).",
)


FORCE = click.option(
    "--force",
    is_flag=True,
    help="Replace a file that is there already; a store never is (default: refuse).",
)


JSON = click.option(
    "--json",
    "as_json",
    is_flag=True,
    help="Print one JSON array, one object a student (default: for people).",
)


ONE_JSON = click.option(
    "--json", "as_json", is_flag=True, help="Print one JSON object (default: for people)."
)


STORE = click.option(
    "--store",
    type=STORE_URL,
    envvar="YIBAO_STORE",
    required=True,
    help="The store: a file's PATH, sqlite:///PATH or postgresql://HOST/DATABASE "
    "(default: $YIBAO_STORE).",
)


#: Where something else may be asked instead, so that a variable does not stand in its way.
OR_STORE = click.option(
    "--store",
    type=STORE_URL,
    help="Of a store instead: a PATH or a URL (default: $YIBAO_STORE where no story is given).",
)


def store_here() -> str | None:
    """The store of $YIBAO_STORE."""
    found = os.environ.get("YIBAO_STORE")
    return STORE_URL.convert(found, None, None) if found else None


TRAIL = click.option(
    "--trail",
    help="The file of the audit trail, a path or sqlite:///PATH (default: beside the store).",
)


def check_cryptography() -> None:
    """Raises YibaoError where the extra that signs and proves is not installed."""
    if find_spec("cryptography") is None:
        raise YibaoError("for evidence yibao needs cryptography: pip install 'yibao[evidence]'")


def _proofs(context: click.Context, option: click.Parameter, value: bool) -> bool:
    if value:
        check_cryptography()
    return value


PROOFS = click.option(
    "--proofs",
    is_flag=True,
    callback=_proofs,
    help="With what proves each fact, for `evidence check`; of a --store alone (default: without).",
)


def print_json(told: Any) -> None:
    tell(json_for(sys.stdout.encoding, told))


def examples(*lines: str) -> str:
    """What stands at the end of a command's help: command lines to try, in a block click keeps."""
    told = (line.replace("\n", " \\\n      ") for line in lines)
    return "\b\nExamples:\n" + "\n".join(f"  yibao {line}" for line in told)
