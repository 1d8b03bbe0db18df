"""All commands: what they raise is told in one line."""

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from io import StringIO, TextIOWrapper
from typing import Any, TextIO

import click
from click.exceptions import Exit

from yibao import __version__
from yibao.adapters.cli.options import examples
from yibao.adapters.views import in_one_line, tell
from yibao.domain.refusals import YibaoError


class Commands(click.Group):
    """Turns what yibao raises on purpose, and what cannot be written, into one line and exit 2."""

    def make_context(self, *args: Any, **kwargs: Any) -> click.Context:
        if sys.stdout is None:  # closed by whoever started us: nothing can be written to it
            sys.stdout = os.fdopen(os.open(os.devnull, os.O_RDONLY), "w", encoding="utf-8")
        if sys.stderr is None:
            sys.stderr = os.fdopen(os.open(os.devnull, os.O_WRONLY), "w", encoding="utf-8")
        for stream in (sys.stdout, sys.stderr):  # what they cannot write is told by its number
            if isinstance(stream, TextIOWrapper):
                stream.reconfigure(errors="backslashreplace")
        with _errors_told():
            return super().make_context(*args, **kwargs)

    def invoke(self, ctx: click.Context) -> Any:
        with _errors_told():
            return super().invoke(ctx)


@contextmanager
def _errors_told() -> Iterator[None]:
    """Tells in one line what is raised inside, and what cannot be written; exits with its code."""
    try:
        try:
            yield
        except click.ClickException as error:
            said = StringIO()
            error.show(said)
            tell(said.getvalue().rstrip(), err=True)
            raise Exit(error.exit_code) from None
        except YibaoError as error:
            tell(f"yibao: {in_one_line(str(error))}", err=True)
            raise Exit(2) from None
        except KeyboardInterrupt:
            tell("yibao: interrupted", err=True)
            raise Exit(128 + signal.SIGINT) from None
        finally:  # here, where it can be told, and not when the interpreter ends
            sys.stdout.flush()
            sys.stderr.flush()
    except OSError as error:
        if error.filename is not None:  # no stream, but a file, and a mistake of ours
            raise
        _let_go(sys.stdout)
        try:
            tell(f"yibao: the output cannot be written: {error.strerror or error}", err=True)
        except OSError:
            _let_go(sys.stderr)
        raise Exit(2) from None


def _let_go(stream: TextIO) -> None:
    """Lets what a stream still holds go nowhere: the interpreter would fail over it at its end."""
    with suppress(OSError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


@click.group(
    cls=Commands,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog=examples("replay scenarios", "show story.yaml", "completion bash"),
)
@click.version_option(__version__)
def main() -> None:
    """Who is covered, since when, until when, and why: enrollment of students in Shanghai."""
