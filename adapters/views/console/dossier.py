"""The dossier as one reads it in a terminal or prints it as text."""

from collections.abc import Iterable
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
from yibao.adapters.views.dossier import Dossier, Dossiers
from yibao.adapters.views.words import Words

WIDTH: Final = 120


def dossier_text(dossiers: Dossiers, words: Words, encoding: str = "utf-8") -> str:
    """The dossiers as plain text, to be written in an encoding; no line of a proof is folded."""
    out = Plain(StringIO(), WIDTH)
    with out.capture() as captured:
        out.print(dossier_report(dossiers, words, ascii=not carries_blocks(encoding)))
    lines = [line.rstrip() for line in captured.get().splitlines()]
    if dossiers.proofs:
        lines += ["", words("audit", "proofs"), "", *dossiers.proofs]
    return "\n".join(lines)


def dossier_report(dossiers: Dossiers, words: Words, *, ascii: bool = False) -> RenderableType:
    """The dossiers as one reads them in a terminal: one picture of all years, then each year."""
    words = words.among(dossiers.years[0].editions)
    title = Text(words.named(words("audit", "dossier"), dossiers.whose), style="bold")
    picture = _section(
        words("value", "timeline"), timeline_report(dossiers.answers, words, WIDTH, ascii)
    )
    if len(dossiers.years) == 1:
        return Group(title, *_year(dossiers, dossiers.years[0], picture, words))
    parts = [title, *picture]
    for dossier in dossiers.years:
        parts.append(Text("\n{}/{}".format(*dossier.enrollment), style="bold"))
        parts += _year(dossiers, dossier, [], words)
    return Group(*parts)


def _year(
    dossiers: Dossiers, dossier: Dossier, picture: Iterable[RenderableType], words: Words
) -> list[RenderableType]:
    """All of one year, the picture in its place."""
    following = dossiers.following(dossier)
    parts: list[RenderableType] = [
        *_section(words("audit", "answers"), answer_report(dossier.answer, words, following)),
        *picture,
        *(Text(line) for line in dossier.schedule(words)),
        *_section(words("audit", "histories")),
    ]
    parts += [
        history_report(name, held, words, dossier.enrollment)
        for name, held in dossier.histories.items()
    ]
    trail = dossier.trail()
    parts += _section(words("audit", "trail"), trail_report(trail, words))
    if dossier.reviews:
        parts += _section(words("audit", "reviews"), review_report(dossier.reviews, words))
    parts += _section(
        words("audit", "explanations"), explanation(dossier.answer, words, numbered=True)
    )
    return parts


def _section(title: str, *parts: RenderableType) -> list[RenderableType]:
    return [Text(f"\n{title}", style="bold"), *parts]
