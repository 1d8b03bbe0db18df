"""A bar for whoever watches something that takes long."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

from rich.progress import Progress

from yibao.adapters.telemetry import Watch
from yibao.adapters.views.console.writing import to


@contextmanager
def watched(stream: TextIO, told: str) -> Iterator[Watch | None]:
    """Shows how far it is, where somebody watches; what is done at once shows nothing."""
    watching = to(stream)
    if not watching.is_terminal:
        yield None
        return
    with Progress(console=watching, transient=True) as progress:
        task = progress.add_task(told, total=None, visible=False)

        def watch(done: int, total: int) -> None:
            progress.update(task, completed=done, total=total, visible=done < total)

        yield watch
