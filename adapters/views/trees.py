"""The trees behind the values of an answer; what was told once is referred to from then on."""

import json
from collections import Counter
from collections.abc import Iterator
from typing import Any, NamedTuple

from yibao.adapters.shapes import care_trees, trees
from yibao.adapters.views.telling import fact_line, left, of_year, parameter, told
from yibao.adapters.views.words import Words
from yibao.domain.care import Assessed
from yibao.domain.vocabulary import Leaving, State
from yibao.projections.answer import Answer


class Node(NamedTuple):
    """A node of an explanation: what it says, the clause behind it, and what it rests on.

    `name` is that of a value, and `text` the rest; a fact and a parameter have a text alone.
    `number` is what it is referred to by, 0 where nobody does; `again` says that it was told before
    under that number: it has no inputs then, and `brief` is enough.
    """

    name: str
    text: str
    brief: str
    remark: str = ""
    cited: str = ""
    basis: str = ""
    assumption: str = ""
    is_fact: bool = False
    is_assumed: bool = False
    number: int = 0
    again: bool = False
    rests_on: bool = False
    inputs: tuple["Node", ...] = ()


#: What the trees are of: the values of the answer, or a piece of care.
Told = tuple[Assessed | None, list[Node]]


def told_trees(answer: Answer, words: Words) -> list[Told]:
    """The tree of each value and of the state, then those of each piece of care."""
    roots: list[tuple[Assessed | None, list[dict[str, Any]]]] = [
        (None, [tree for _, tree in trees(answer)])
    ]
    for assessed in answer.care:
        roots.append(
            (assessed, [tree for _, tree in care_trees(assessed, answer.policy, answer.enrollment)])
        )
    often = Counter(_keys([tree for _, found in roots for tree in found], set()))
    numbers = {key: 0 for key, times in often.items() if times > 1}
    teller = _Teller(words.of(answer.policy), numbers, answer.leaving)
    return [(assessed, [teller.node(tree) for tree in found]) for assessed, found in roots]


def _keys(nodes: list[dict[str, Any]], seen: set[str]) -> Iterator[str]:
    """Each node as often as it is told or referred to: not beneath what was told before."""
    for node in nodes:
        key = _key(node)
        yield key
        if key not in seen:
            seen.add(key)
            yield from _keys(node.get("inputs", []), seen)


def _key(node: dict[str, Any]) -> str:
    return json.dumps(node, sort_keys=True)


class _Teller(NamedTuple):
    """Tells nodes one after the other; `numbers` holds what is referred to, 0 until it is told."""

    words: Words
    numbers: dict[str, int]
    leaving: Leaving | None

    def node(self, tree: dict[str, Any]) -> Node:
        key = _key(tree)
        told_before = self.numbers.get(key, 0)
        if not told_before and key in self.numbers:
            self.numbers[key] = max(self.numbers.values()) + 1
        node = self._told(tree)._replace(
            number=self.numbers.get(key, 0),
            again=bool(told_before),
            rests_on=bool(tree.get("inputs")),
        )
        if told_before:
            return node
        return node._replace(inputs=tuple(self.node(part) for part in tree.get("inputs", ())))

    def _told(self, tree: dict[str, Any]) -> Node:
        """What a node says by itself."""
        words, year = self.words, tree.get("year")
        if "fact" in tree:
            name, at, recorded = tree["fact"], tree["occurred_at"], tree["recorded_at"]
            line = fact_line(name, tree["values"], at, recorded, words)
            number = of_year(year, f"#{tree['version']}", words)
            brief = f"{words('event', name)} {number}"
            return Node("", of_year(year, line, words), brief, is_fact=True)
        if "parameter" in tree:
            text = parameter(tree["parameter"], tree["value"], tree["unit"], words).rstrip()
            return self._cited(Node("", text, text), tree)
        section = "value" if words.knows("value", tree["name"]) else "name"
        name = of_year(year, words(section, tree["name"]), words)
        value = told(tree["value"], words, tree["name"])
        if tree["name"] == "state" and tree["value"] == State.WITHDRAWN:
            value += left(self.leaving, words)
        remarks = [
            words("phrase", phrase, reason=words("because", tree[phrase]))
            for phrase in ("missing", "because")
            if tree.get(phrase)
        ]
        return self._cited(Node(name, value, f"{name}: {value}", "  ".join(remarks)), tree)

    def _cited(self, node: Node, tree: dict[str, Any]) -> Node:
        """With the notice, the clause and the basis; an assumption with its reason."""
        number = f"{tree['rule']}, " if "rule" in tree else ""
        is_assumed = tree["basis"] == "assumed"
        reason = tree["assumption"][self.words.language] if tree["assumption"] else ""
        return node._replace(
            cited=f"{number}{tree['notice']} {self.words.clause(tree['clause'])}",
            basis=self.words("phrase", tree["basis"]),
            assumption=reason,
            is_assumed=is_assumed,
        )
