"""What a person sees in a terminal, in Chinese or English."""

from typing import Any

from rich.console import Console


def to(stream: Any) -> Console:
    """A console on a stream; where nobody watches, wide enough for what a pipe reads."""
    watched = Console(file=stream).is_terminal
    return Console(
        file=stream, highlight=False, markup=False, emoji=False, width=None if watched else 200
    )
