"""`yibao diagram`, `schema` and `completion`."""

import sys

import click
from click.shell_completion import get_completion_class

from yibao.adapters.cli.group import main
from yibao.adapters.cli.options import examples
from yibao.adapters.views import json_for, tell


@main.command(epilog=examples("diagram"))
def diagram() -> None:
    """Print the state machine as a Mermaid diagram.

    It is drawn from the table that commands and timelines use.
    """
    from yibao.domain.lifecycle import mermaid

    tell(mermaid())


@main.command(epilog=examples("schema story"))
@click.argument(
    "name",
    type=click.Choice(
        [
            "events",
            "attempts",
            "story",
            "edition",
            "replay",
            "answer",
            "audit",
            "due",
            "commands",
            "cohort",
            "whatif",
        ]
    ),
)
def schema(name: str) -> None:
    """Print a JSON Schema, by the name of what it describes.

    There is one of what is stored, of stories and editions, and of answers.
    """
    from yibao.adapters.stories.published import SCHEMAS

    tell(json_for(sys.stdout.encoding, SCHEMAS[name](), indent=2, sort_keys=True))


@main.command(epilog=examples("completion bash", "completion fish"))
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(shell: str) -> None:
    """Print what completes commands and names in a SHELL.

    Have the shell read it: eval "$(yibao completion bash)" in ~/.bashrc, the same with zsh in
    ~/.zshrc, and yibao completion fish > ~/.config/fish/completions/yibao.fish. What is completed
    are commands, options, kinds, codes, parts of an answer and editions.
    """
    found = get_completion_class(shell)
    assert found is not None
    tell(found(main, {}, "yibao", "_YIBAO_COMPLETE").source().rstrip())
