"""The group of the office's commands, and the options they share."""

import click

from yibao.adapters.cli.group import main
from yibao.adapters.cli.options import examples


@main.group(
    epilog=examples(
        "office import roster roster.xlsx --school sjtu\n--store season.db --dry-run",
        "office find --school sjtu --number 525001 --by officer-7",
    )
)
def office() -> None:
    """Import rosters, and find and forget the people in them.

    Names and numbers are in the directory of $YIBAO_DIRECTORY, sealed with the key in the file of
    $YIBAO_DIRECTORY_KEY, and never among the facts.
    """


ACTOR = click.option(
    "--by", required=True, envvar="YIBAO_BY", help="Who asks, an opaque key (default: $YIBAO_BY)."
)

SCHOOL = click.option("--school", required=True, help="The school, as its owner writes it.")
