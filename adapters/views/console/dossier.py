"""The dossier as one reads it in a terminal or prints it as text."""

from io import StringIO
from typing import Final

from rich.console import Group, RenderableType
from rich.text import Text

from yibao.adapters.views.console.answers import answer_report
from yibao.adapters.views.console.audit import history_report, trail_report
from yibao.adapters.views.console.care import review_report
from yibao.adapters.views.console.explanations import explanation
from yibao.adapters.views.console.timelines import carries_blocks, timeline_report
from yibao.adapters.views.console.writing import Plain
from yibao.adapters.views.dossier import Dossier
from yibao.adapters.views.words import Words

WIDTH: Final = 120


def dossier_text(dossier: Dossier, words: Words, encoding: str = "utf-8") -> str:
    """The dossier as plain text, to be written in an encoding."""
    out = Plain(StringIO(), WIDTH)
    with out.capture() as captured:
        out.print(dossier_report(dossier, words, ascii=not carries_blocks(encoding)))
    return "\n".join(line.rstrip() for line in captured.get().splitlines())


def dossier_report(dossier: Dossier, words: Words, *, ascii: bool = False) -> RenderableType:
    """The dossier as one reads it in a terminal."""
    ref, year = dossier.enrollment
    words = words.among(dossier.editions)
    parts: list[RenderableType] = [
        Text(words.named(words("audit", "dossier"), f"{ref}/{year}"), style="bold"),
        *_section(words("audit", "answers"), answer_report(dossier.answer, words)),
        *_section(
            words("value", "timeline"), timeline_report(dossier.answers, words, WIDTH, ascii)
        ),
        *(Text(line) for line in dossier.schedule(words)),
        *_section(words("audit", "histories")),
    ]
    parts += [history_report(name, held, words) for name, held in dossier.histories.items()]
    trail = dossier.trail()
    parts += _section(words("audit", "trail"), trail_report(trail, words))
    if dossier.reviews:
        parts += _section(words("audit", "reviews"), review_report(dossier.reviews, words))
    parts += _section(
        words("audit", "explanations"), explanation(dossier.answer, words, numbered=True)
    )
    return Group(*parts)


def _section(title: str, *parts: RenderableType) -> list[RenderableType]:
    return [Text(f"\n{title}", style="bold"), *parts]
