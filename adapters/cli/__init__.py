"""The command line: `yibao replay | explain | compare | audit | history | dossier | …`.

A module a group of commands; what they do is loaded when one of them runs.
"""

from yibao.adapters.cli import (  # noqa: F401 - each adds its commands
    asking,
    daemons,
    editions,
    everybody,
    evidence,
    office,
    shapes,
    stores,
    stories,
)
from yibao.adapters.cli.group import main

__all__ = ["main"]
