"""`yibao diagram` and `schema`."""

import sys

import click

from yibao.adapters.cli.group import main
from yibao.adapters.views import json_for, tell


@main.command()
def diagram() -> None:
    """Print the state machine as a Mermaid diagram, drawn from its table."""
    from yibao.domain.lifecycle import mermaid

    tell(mermaid())


@main.command()
@click.argument(
    "name",
    type=click.Choice(["events", "attempts", "story", "edition", "replay", "audit", "commands"]),
)
def schema(name: str) -> None:
    """Print the JSON Schema of what is stored, of stories and editions, or of answers."""
    from yibao.adapters.cli.running.schemas import SCHEMAS

    tell(json_for(sys.stdout.encoding, SCHEMAS[name](), indent=2, sort_keys=True))
