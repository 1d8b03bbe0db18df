"""The help of the command line in the language asked for: click's, with what it says in Chinese."""

import inspect
import os
import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final
from unicodedata import east_asian_width

import click

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

    from yibao.adapters.views.words import Language, Words

#: Where a context keeps the language.
_LANGUAGE: Final = "yibao.language"
#: What stands before a wide character while click counts characters, and is gone once it has.
_FILL: Final = "\0"
#: Behind the help of an option click tells in brackets what else there is to it.
_EXTRA: Final = re.compile(r"(?s)(?P<help>.*?)(?:  \[(?P<extra>[^\[\]]*)\])?")
#: No line begins with what closes: such a mark hangs behind the line before.
_CLOSES: Final = re.compile(r"(?<=\S)(?P<break>\n +)(?P<mark>[）。，；：、”])(?P<end> *\n)?")


def language_of(arguments: Sequence[str]) -> "Language":
    """The language of a command line, before anything else of it is understood.

    That of the last `--lang`, else of `$YIBAO_LANG`, else of the locale.
    """
    asked = [language_here(), os.environ.get("YIBAO_LANG", "")]
    for argument, following in pairwise((*arguments, "")):
        if argument == "--lang":
            asked.append(following)
        elif argument.startswith("--lang="):
            asked.append(argument.removeprefix("--lang="))
    known = [each for each in asked if each in ("en", "zh")]
    return "zh" if known[-1] == "zh" else "en"


def language_here() -> "Language":
    """Chinese where the locale is; the first variable that is set decides, as POSIX has it."""
    names = (os.environ.get(name) for name in ("LC_ALL", "LC_MESSAGES", "LANG"))
    return "zh" if next(filter(None, names), "").lower().startswith("zh") else "en"


class Spoken(click.Context):
    """A context that knows the language its help is in."""

    def speak(self, language: "Language") -> None:
        """It, and what comes of it, is told in this language from now on."""
        self.meta[_LANGUAGE] = language

    @property
    def language(self) -> "Language":
        found: Language = self.meta.get(_LANGUAGE, "en")
        return found

    def make_formatter(self) -> click.HelpFormatter:
        if self.language == "en":
            return super().make_formatter()
        from yibao.adapters.views.words import Words

        return _Formatter(Words(self.language), self.terminal_width, self.max_content_width)


class Command(click.Command):
    """A command whose help is in the language asked for."""

    context_class = Spoken

    def get_short_help_str(self, limit: int = 45) -> str:
        return _in_short(self) or super().get_short_help_str(limit)

    def shell_complete(self, ctx: click.Context, incomplete: str) -> "list[CompletionItem]":
        return _spoken(ctx, super().shell_complete(ctx, incomplete))


class Group(click.Group):
    """A group whose help, and that of its commands, is in the language asked for."""

    context_class = Spoken
    command_class = Command

    def get_short_help_str(self, limit: int = 45) -> str:
        return _in_short(self) or super().get_short_help_str(limit)

    def shell_complete(self, ctx: click.Context, incomplete: str) -> "list[CompletionItem]":
        with ctx.scope(cleanup=False):  # in whose language its commands are told of
            return _spoken(ctx, super().shell_complete(ctx, incomplete))


Group.group_class = Group


def _spoken(context: click.Context, items: "list[CompletionItem]") -> "list[CompletionItem]":
    """What may be completed, with what a shell shows beside it in the language asked for."""
    if isinstance(context, Spoken) and context.language != "en":
        from yibao.adapters.views.words import Words

        words = Words(context.language)
        for item in items:
            item.help = item.help and words.help(item.help)
    return items


def _in_short(command: click.Command) -> str | None:
    """The first sentence in Chinese, found by the whole paragraph in which it stands."""
    context = click.get_current_context(silent=True)
    if not isinstance(context, Spoken) or context.language == "en":
        return None
    from yibao.adapters.views.words import Words

    paragraph = inspect.cleandoc(command.short_help or command.help or "").partition("\n\n")[0]
    return Words(context.language).help(paragraph).partition("。")[0]


class _Formatter(click.HelpFormatter):
    """Writes in Chinese what it is given in English, and counts the cells that this takes."""

    def __init__(self, words: "Words", width: int | None, max_width: int | None) -> None:
        super().__init__(width=width, max_width=max_width)
        self.width -= 2  # a line may be broken in a wide character, and a mark hang behind it
        self.words = words

    def write_usage(self, prog: str, args: str = "", prefix: str | None = None) -> None:
        super().write_usage(prog, self._names(args), prefix or self._told("Usage:"))

    def write_heading(self, heading: str) -> None:
        self.write(f"{'':>{self.current_indent}}{self._told(heading)}：\n")

    def write_text(self, text: str) -> None:
        paragraphs = inspect.cleandoc(text).split("\n\n")
        super().write_text("\n\n".join(map(self._paragraph, paragraphs)))

    def write_dl(self, rows: Iterable[tuple[str, str]], *sizes: Any, **named: Any) -> None:
        told = [(self._names(name), self._described(text)) for name, text in rows]
        super().write_dl(told, *sizes, **named)

    def getvalue(self) -> str:
        told = super().getvalue().replace(_FILL, "")
        return _CLOSES.sub(lambda found: found["mark"] + (found["end"] or found["break"]), told)

    def _paragraph(self, text: str) -> str:
        """A paragraph; of one that click leaves as it is, such as of examples, line by line."""
        if not text.startswith("\b"):
            return self._told(text)
        known = ((line, line.strip()) for line in text.split("\n"))
        return "\n".join(line.replace(told, self._told(told)) for line, told in known if told)

    def _names(self, text: str) -> str:
        """Options and what they take: `--size INTEGER`, `[OPTIONS] [FILE]`."""
        return " ".join(filter(None, map(self._told, text.split(" "))))

    def _described(self, text: str) -> str:
        """The help of an option, and what click adds in brackets."""
        fits = _EXTRA.fullmatch(text)
        assert fits is not None
        told = self._told(fits["help"]).removesuffix("。")
        if fits["extra"]:
            told += f"  [{'; '.join(map(self._told, fits['extra'].split('; ')))}]"
        return told

    def _told(self, text: str) -> str:
        return _filled(self.words.help(text) if text.strip() else text)


def _filled(text: str) -> str:
    """The text, as many characters long as it is wide."""
    return "".join(_cells(text))


def _cells(text: str) -> Iterator[str]:
    for character in text:
        yield _FILL + character if east_asian_width(character) in "WF" else character
