"""The dossier as one self-contained web page that prints well."""

from collections.abc import Iterator

from yibao.adapters.views.console import (
    history_cells,
    review_lines,
    settled,
    told_amounts,
    told_care,
    told_lines,
)
from yibao.adapters.views.dossier import Dossier
from yibao.adapters.views.pages.templates import environment
from yibao.adapters.views.pages.timelines import timeline_svg, timeline_table
from yibao.adapters.views.parts import DRAWN, lines_of
from yibao.adapters.views.telling import shown
from yibao.adapters.views.trees import Node, told_trees
from yibao.adapters.views.words import Words
from yibao.projections.parts import PARTS


def dossier_page(dossier: Dossier, words: Words) -> str:
    """The page; it needs no other file, runs no script and asks nobody."""
    answer, words = dossier.answer, words.among(dossier.editions).of(dossier.answer.policy)
    return (
        environment(words.language)
        .get_template("dossier.html.j2")
        .render(
            dossier=dossier,
            answer=answer,
            made_at=shown(answer.at, words),
            values=list(_values(dossier, words)),
            svg=timeline_svg(dossier.answers, words),
            table=timeline_table(dossier.answers, words),
            schedule=dossier.schedule(words),
            histories=[
                (words("value", name), [history_cells(name, each, words) for each in held])
                for name, held in dossier.histories.items()
            ],
            trail=[list(told_lines(entry, words)) for entry in dossier.trail()],
            care=[
                (
                    told_care(each.care.fact.event, words),
                    told_amounts(each.amounts, words),
                    settled(each, words),
                )
                for each in answer.care
            ],
            reviews=list(review_lines(dossier.reviews, words)),
            explanations=list(_explanations(dossier, words)),
        )
    )


def _values(dossier: Dossier, words: Words) -> Iterator[tuple[str, str]]:
    for name, part in PARTS.items():
        if part.kind not in DRAWN:
            for line in lines_of(name, dossier.answer, words):
                yield words("value", name), line


def _explanations(dossier: Dossier, words: Words) -> Iterator[tuple[str, list[Node]]]:
    """The trees of the values, then those of each piece of care under what it was."""
    for assessed, nodes in told_trees(dossier.answer, words):
        yield told_care(assessed.care.fact.event, words) if assessed else "", nodes
