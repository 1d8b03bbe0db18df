"""All commands: what they raise is told in one line."""

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from io import StringIO, TextIOWrapper
from typing import TYPE_CHECKING, Any, TextIO

import click
from click.exceptions import Exit

from yibao import __version__
from yibao.adapters.cli.options import examples
from yibao.adapters.views import Group, Spoken, in_one_line, language_of, tell
from yibao.domain.refusals import YibaoError

if TYPE_CHECKING:
    from yibao.adapters.views.words import Language


class Commands(Group):
    """Turns what yibao raises on purpose, and what cannot be written, into one line and exit 2.

    What is not proven is an answer: exit 1.
    """

    def make_context(
        self, info_name: str | None, args: list[str], *rest: Any, **kwargs: Any
    ) -> click.Context:
        if sys.stdout is None:  # closed by whoever started us: nothing can be written to it
            sys.stdout = os.fdopen(os.open(os.devnull, os.O_RDONLY), "w", encoding="utf-8")
        if sys.stderr is None:
            sys.stderr = os.fdopen(os.open(os.devnull, os.O_WRONLY), "w", encoding="utf-8")
        for stream in (sys.stdout, sys.stderr):  # what they cannot write is told by its number
            if isinstance(stream, TextIOWrapper):
                stream.reconfigure(errors="backslashreplace")
        with _errors_told(language_of(args)):
            return super().make_context(info_name, args, *rest, **kwargs)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        assert isinstance(ctx, Spoken)
        ctx.speak(language_of(args))
        return super().parse_args(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        assert isinstance(ctx, Spoken)
        with _errors_told(ctx.language):
            return super().invoke(ctx)


@contextmanager
def _errors_told(language: "Language") -> Iterator[None]:
    """Tells in one line what is raised inside, and what cannot be written; exits with its code."""
    try:
        try:
            yield
        except click.ClickException as error:
            tell(_usage_told(error, language), err=True)
            raise Exit(error.exit_code) from None
        except YibaoError as error:
            tell(f"yibao: {in_one_line(_error_told(error, language))}", err=True)
            raise Exit(1 if error.code == "not_proven" else 2) from None
        except KeyboardInterrupt:
            tell(f"yibao: {_said('interrupted', language)}", err=True)
            raise Exit(128 + signal.SIGINT) from None
        finally:  # here, where it can be told, and not when the interpreter ends
            sys.stdout.flush()
            sys.stderr.flush()
    except OSError as error:
        if error.filename is not None:  # no stream, but a file, and a mistake of ours
            raise
        _let_go(sys.stdout)
        try:
            told = f"the output cannot be written: {error.strerror or error}"
            tell(f"yibao: {_said(told, language)}", err=True)
        except OSError:
            _let_go(sys.stderr)
        raise Exit(2) from None


def _usage_told(error: click.ClickException, language: "Language") -> str:
    """How click tells it: the usage, whom to ask, and what is wrong."""
    shown = StringIO()
    error.show(shown)
    told = shown.getvalue().rstrip()
    if language == "en":
        return told
    lines, error_, wrong = told.rpartition("Error: ")
    return "\n".join(
        [
            *(_said(line, language) for line in lines.split("\n")[:-1]),
            _said(error_ + wrong, language),
        ]
    )


def _error_told(error: YibaoError, language: "Language") -> str:
    if language == "en":  # nothing need be loaded to say it
        return str(error)
    from yibao.adapters.views.telling import error_told
    from yibao.adapters.views.words import Words

    return error_told(error, Words(language))


def _said(sentence: str, language: "Language") -> str:
    if language == "en":
        return sentence
    from yibao.adapters.views.words import Words

    return Words(language).said(sentence)


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
