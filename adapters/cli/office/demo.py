"""`yibao office demo`."""

import shlex
import sys
from pathlib import Path
from typing import Any

import click

from yibao.adapters.cli.office.group import office
from yibao.adapters.cli.options import examples, lang_option
from yibao.adapters.views import in_one_line, tell


@office.command(
    "demo",
    epilog=examples(
        "office demo --out school", "office demo --students 2000 --out school --lang zh"
    ),
)
@click.option(
    "--students",
    type=click.IntRange(30, 100_000),
    default=200,
    show_default=True,
    help="How many there are.",
)
@click.option(
    "--out", type=click.Path(path_type=Path), required=True, help="A new or an empty folder."
)
@click.option(
    "--seed", type=int, default=1, show_default=True, help="The same tables for the same number."
)
@lang_option
def demo(students: int, out: Path, seed: int, lang: Any) -> None:
    """Make a school to look at, of people who are not real.

    Into the folder come its tables as registries write them, mess included, a directory with its
    key, and a store of the autumn of 2025, with what was told late or wrong at first.
    """
    from yibao.adapters.office import check_office

    check_office()
    from yibao.adapters.office.demo import make_school
    from yibao.adapters.views.console import watched
    from yibao.adapters.views.words import Words

    words = Words(lang)
    with watched(sys.stderr, words("office", "making")) as watch:
        made = make_school(out, students, seed=seed, watch=watch)
    tell(in_one_line(words("office", "demo_made", folder=out, count=students, day=made.on)))
    for name, value in made.environment().items():
        tell(f"export {name}={shlex.quote(in_one_line(value))}")
    tell(f"yibao office today --school {made.school} --on {made.on}")
