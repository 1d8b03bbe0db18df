"""`yibao office find`, `person`, `forget` and `rekey`."""

import sys
from pathlib import Path
from typing import Any

import click

from yibao.adapters.cli.office.group import ACTOR, SCHOOL, office
from yibao.adapters.cli.options import FILE, ONE_JSON, examples, lang_option, print_json
from yibao.adapters.views import in_one_line, tell

WHY = click.option(
    "--reason", help="Why, as a word (default: none, where $YIBAO_DIRECTORY_REASONS asks for none)."
)


@office.command("find", epilog=examples("office find --school sjtu --number 525001 --by officer-7"))
@SCHOOL
@click.option("--number", required=True, help="Her student number.")
@ACTOR
@WHY
@ONE_JSON
@lang_option
def find(school: str, number: str, by: str, reason: str | None, as_json: bool, lang: Any) -> None:
    """Tell the reference behind a student number.

    Who looked up whom is noted; exit 1 where nobody is found.
    """
    from yibao.adapters.office import check_office

    check_office()
    from yibao.adapters.cli.office.running import found
    from yibao.adapters.views.words import Words

    ref = found(school, number, by, reason)
    if as_json:
        print_json({"ref": ref})
    elif ref is None:
        tell(Words(lang)("office", "nobody"), err=True)
    else:
        tell(ref)
    sys.exit(0 if ref else 1)


@office.command("person", epilog=examples("office person p-0123456789abcdef --by officer-7"))
@click.argument("ref")
@ACTOR
@WHY
@ONE_JSON
@lang_option
def person(ref: str, by: str, reason: str | None, as_json: bool, lang: Any) -> None:
    """Tell who stands behind a reference.

    Who looked up whom is noted; exit 1 where nobody is found.
    """
    from yibao.adapters.office import check_office

    check_office()
    from yibao.adapters.cli.office.running import person as who_is
    from yibao.adapters.views.words import Words

    words = Words(lang)
    entry = who_is(ref, by, reason)
    if entry is None:
        if as_json:
            print_json(None)
        else:
            tell(words("office", "nobody"), err=True)
        sys.exit(1)
    told = {key: getattr(entry, key) for key in ("name", "number", "document", "document_number")}
    if as_json:
        print_json(told)
        return
    for key, value in told.items():
        if key == "document" and words.knows("document", value):
            value = words("document", value)
        tell(in_one_line(words.named(words("roster", key), value)))


@office.command(
    "forget",
    epilog=examples("office forget p-0123456789abcdef --reason asked-for-it --by officer-7"),
)
@click.argument("ref")
@click.option("--reason", required=True, help="Why, as a word.")
@ACTOR
@ONE_JSON
@lang_option
def forget(ref: str, reason: str, by: str, as_json: bool, lang: Any) -> None:
    """Forget who stands behind a reference, for good.

    Name, numbers and the key to them are destroyed; what is recorded stands, and counts. Where
    $YIBAO_DIRECTORY_TWO_PERSONS is set, a second person has to ask for it as well. Exit 1 where
    nobody is found.
    """
    from yibao.adapters.office import check_office

    check_office()
    from yibao.adapters.cli.office.running import forgotten
    from yibao.adapters.views.words import Words

    ended = forgotten(ref, by, reason)
    if as_json:
        print_json({"ref": ref, "outcome": ended})
    else:
        tell(Words(lang)("office", ended), err=ended == "nobody")
    sys.exit(1 if ended == "nobody" else 0)


@office.command("rekey", epilog=examples("office rekey --new-key new.key"))
@click.option(
    "--new-key",
    type=FILE,
    required=True,
    help="The file with another key; afterwards $YIBAO_DIRECTORY_KEY has to name it.",
)
@lang_option
def rekey(new_key: Path, lang: Any) -> None:
    """Change the key that wraps everybody's keys.

    Nothing that is sealed is written anew.
    """
    from yibao.adapters.office import check_office

    check_office()
    from yibao.adapters.cli.office.running import rekeyed
    from yibao.adapters.views.words import Words

    tell(Words(lang)("office", "rekeyed", version=rekeyed(new_key)))
