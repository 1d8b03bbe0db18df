"""The tree behind each value in the terminal."""

import json
from typing import Any

from rich.console import Group, RenderableType
from rich.text import Text
from rich.tree import Tree

from yibao.adapters.shapes import care_trees, trees
from yibao.adapters.views.console.care import told_care
from yibao.adapters.views.telling import fact_line, shown, told
from yibao.adapters.views.words import Words
from yibao.projections.answer import Answer


def explanation(answer: Answer, words: Words) -> RenderableType:
    """The tree behind each value, with rule, clause, basis, facts and parameters."""
    parts: list[RenderableType] = []
    known = shown(answer.known_at, words)
    parts.append(
        Text(
            f"{answer.enrollment.ref} · {shown(answer.at, words)} · "
            f"{words('phrase', 'as_known', known_at=known)}",
            style="bold",
        )
    )
    seen: set[str] = set()
    if answer.values is None:
        return Group(*parts, Text(words("because", "not_registered")))
    parts += [_tree(node, words, seen) for _, node in trees(answer)]
    for assessed in answer.care:
        parts.append(Text(f"\n{told_care(assessed.care.fact.event, words)}", style="bold"))
        parts += [_tree(node, words, seen) for _, node in care_trees(assessed, answer.policy)]
    return Group(*parts)


def _tree(node: dict[str, Any], words: Words, seen: set[str]) -> Tree:
    """A tree in which what was told once is not told again."""
    label = Text()
    section = "value" if words.knows("value", node["name"]) else "name"
    label.append(f"{words(section, node['name'])}: ", style="bold")
    label.append(told(node["value"], words, node["name"]))
    if node.get("missing"):
        label.append(
            f"  {words('phrase', 'missing', reason=words('because', node['missing']))}", "yellow"
        )
    if node.get("because"):
        label.append(
            f"  {words('phrase', 'because', reason=words('because', node['because']))}", "yellow"
        )
    same = json.dumps(node, sort_keys=True)
    if same in seen and node["inputs"]:
        label.append(f"  ({words('phrase', 'as_above')})", style="dim")
        return Tree(label)
    seen.add(same)
    branch = Tree(_with_citation(label, node, words, node["rule"]))
    for part in node["inputs"]:
        if "fact" in part:
            branch.add(
                Text(
                    fact_line(
                        part["fact"],
                        part["values"],
                        part["occurred_at"],
                        part["recorded_at"],
                        words,
                    ),
                    style="cyan",
                )
            )
        elif "parameter" in part:
            text = words(
                "phrase",
                "parameter",
                name=words("parameter", part["parameter"]),
                value=told(part["value"], words),
                unit=words("unit", part["unit"]),
            )
            branch.add(_with_citation(Text(text), part, words))
        else:
            branch.add(_tree(part, words, seen))
    return branch


def _with_citation(label: Text, node: dict[str, Any], words: Words, rule: str = "") -> Text:
    named = f"{rule}, " if rule else ""
    label.append(f"  [{named}{node['notice']} {node['clause']}] ", style="dim")
    assumed = node["basis"] == "assumed"
    label.append(words("phrase", node["basis"]), style="magenta" if assumed else "dim")
    if assumed and node["assumption"]:
        label.append(f": {node['assumption'][words.language]}", style="magenta")
    return label
