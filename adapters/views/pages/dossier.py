"""The dossier as one self-contained web page that prints well."""

from collections.abc import Iterator
from typing import Any, NamedTuple

from yibao.adapters.shapes import care_trees, trees
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
from yibao.adapters.views.telling import fact_line, shown, told
from yibao.adapters.views.words import Words
from yibao.projections.parts import PARTS


class Node(NamedTuple):
    """A node of an explanation: what it says, the clause behind it, and what it rests on."""

    text: str
    clause: str
    is_assumed: bool
    inputs: tuple["Node", ...] = ()


def dossier_page(dossier: Dossier, words: Words) -> str:
    """The page; it needs no other file, runs no script and asks nobody."""
    answer = dossier.answer
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


def _explanations(dossier: Dossier, words: Words) -> Iterator[Node]:
    for _, tree in trees(dossier.answer):
        yield _node(tree, words)
    for assessed in dossier.answer.care:
        inputs = tuple(
            _node(tree, words) for _, tree in care_trees(assessed, dossier.answer.policy)
        )
        yield Node(told_care(assessed.care.fact.event, words), "", False, inputs)


def _node(tree: dict[str, Any], words: Words) -> Node:
    if "fact" in tree:
        line = fact_line(
            tree["fact"], tree["values"], tree["occurred_at"], tree["recorded_at"], words
        )
        return Node(line, "", False)
    if "parameter" in tree:
        value = told(tree["value"], words)
        unit = words("unit", tree["unit"])
        name = words("parameter", tree["parameter"])
        text = words("phrase", "parameter", name=name, value=value, unit=unit)
        return Node(text, *_clause(tree, words))
    section = "value" if words.knows("value", tree["name"]) else "name"
    text = f"{words(section, tree['name'])}: {told(tree['value'], words, tree['name'])}"
    for key, phrase in (("missing", "missing"), ("because", "because")):
        if tree.get(key):
            text += f" ({words('phrase', phrase, reason=words('because', tree[key]))})"
    inputs = tuple(_node(each, words) for each in tree["inputs"])
    return Node(text, *_clause(tree, words), inputs)


def _clause(tree: dict[str, Any], words: Words) -> tuple[str, bool]:
    """Notice, clause and basis; an assumption with its reason."""
    number = f"{tree['rule']}, " if "rule" in tree else ""
    told_clause = f"{number}{tree['notice']} {tree['clause']}, {words('phrase', tree['basis'])}"
    if tree["assumption"]:
        told_clause += f": {tree['assumption'][words.language]}"
    return told_clause, tree["basis"] == "assumed"
