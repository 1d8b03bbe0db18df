"""The dossier as one self-contained web page that prints well."""

from collections.abc import Iterator
from typing import Any

from yibao.adapters.views.console import (
    history_cells,
    review_lines,
    settled,
    told_amounts,
    told_care,
    told_lines,
)
from yibao.adapters.views.dossier import Dossier, Dossiers
from yibao.adapters.views.pages.templates import environment
from yibao.adapters.views.pages.timelines import timeline_svg, timeline_table
from yibao.adapters.views.parts import DRAWN, lines_of
from yibao.adapters.views.telling import goes_on, shown
from yibao.adapters.views.trees import Node, told_trees
from yibao.adapters.views.words import Words
from yibao.domain.vocabulary import State
from yibao.projections.answer import Answer
from yibao.projections.parts import PARTS


def dossier_page(dossiers: Dossiers, words: Words, title: str | None = None) -> str:
    """The page; it needs no other file, runs no script and asks nobody.

    Of several years it has one picture, and then each year beneath a heading of its own. `title` is
    what a browser calls it, where it keeps what it saw: by default whose it is.
    """
    words = words.among(dossiers.years[0].editions)
    of_all = words.of(dossiers.years[-1].answer.policy)
    return (
        environment(words.language)
        .get_template("dossier.html.j2")
        .render(
            title=title,
            heading=words.named(words("audit", "dossier"), dossiers.whose),
            svg=timeline_svg(dossiers.answers, of_all),
            table=timeline_table(dossiers.answers, of_all),
            proofs=dossiers.proofs,
            years=[_year(dossiers, each, words.of(each.answer.policy)) for each in dossiers.years],
        )
    )


def _year(dossiers: Dossiers, dossier: Dossier, words: Words) -> dict[str, Any]:
    """What the page tells of one year; where there are several, under ids of its own."""
    answer, whose = dossier.answer, dossier.enrollment
    return {
        "title": f"{whose.ref}/{whose.year}",
        "of": f"{whose.year}-" if len(dossiers.years) > 1 else "",
        "answer": answer,
        "made_at": shown(answer.at, words),
        "told": list(_values(answer, dossiers.following(dossier), words)),
        "schedule": dossier.schedule(words),
        "histories": [
            (words("value", name), [history_cells(name, each, words, whose) for each in held])
            for name, held in dossier.histories.items()
        ],
        "trail": [list(told_lines(entry, words)) for entry in dossier.trail()],
        "care": [
            (
                told_care(each.care.fact.event, words),
                told_amounts(each.amounts, words),
                settled(each, words),
            )
            for each in answer.care
        ],
        "reviews": list(review_lines(dossier.reviews, words)),
        "explanations": list(_explanations(dossier, words)),
    }


def _values(answer: Answer, following: Answer | None, words: Words) -> Iterator[tuple[str, str]]:
    leads = goes_on(following, words) if answer.state is State.EXPIRED else ""
    for name, part in PARTS.items():
        if part.kind not in DRAWN:
            for line in lines_of(name, answer, words):
                leading = leads and name == "state"
                yield (
                    words("value", name),
                    words.joined([line, leads], "apart") if leading else line,
                )


def _explanations(dossier: Dossier, words: Words) -> Iterator[tuple[str, list[Node]]]:
    """The trees of the values, then those of each piece of care under what it was."""
    for assessed, nodes in told_trees(dossier.answer, words):
        yield told_care(assessed.care.fact.event, words) if assessed else "", nodes
