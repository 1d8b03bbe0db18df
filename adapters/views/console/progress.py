"""A bar for whoever watches something that takes long."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

from rich.progress import Progress

from yibao.adapters.telemetry import Watch
from yibao.adapters.views.console.writing import to


@contextmanager
def watched(stream: TextIO, told: str, beside: TextIO | None = None) -> Iterator[Watch | None]:
    """Shows how far it is, where somebody watches; what is done at once shows nothing.

    Where what is written meanwhile, `beside`, is seen as well, that tells how far it is.
    """
    if not stream.isatty() or (beside is not None and beside.isatty()):
        yield None
        return
    with Progress(
        console=to(stream), transient=True, redirect_stdout=False, redirect_stderr=False
    ) as progress:
        task = progress.add_task(told, total=None, visible=False)

        def watch(done: int, total: int) -> None:
            progress.update(task, completed=done, total=total, visible=done < total)

        yield watch
