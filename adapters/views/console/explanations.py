"""The tree behind each value in the terminal."""

from rich.console import Group, RenderableType
from rich.text import Text
from rich.tree import Tree

from yibao.adapters.views.console.care import told_care
from yibao.adapters.views.telling import shown
from yibao.adapters.views.trees import Node, told_trees
from yibao.adapters.views.words import Words
from yibao.projections.answer import Answer


def explanation(
    answer: Answer, words: Words, *, year: int | None = None, numbered: bool = False
) -> RenderableType:
    """The tree behind each value, with rule, clause, basis, facts and parameters.

    `year` is told beside the reference where there may be several. `numbered` for what is read on
    paper: what is told again, whatever it is, is referred to by a number.
    """
    parts: list[RenderableType] = []
    ref = answer.enrollment.ref
    known = shown(answer.known_at, words)
    parts.append(
        Text(
            f"{ref if year is None else f'{ref} · {year}'} · {shown(answer.at, words)} · "
            f"{words('phrase', 'as_known', known_at=known)}",
            style="bold",
        )
    )
    if answer.values is None:
        return Group(*parts, Text(words("because", "not_registered")))
    for assessed, nodes in told_trees(answer, words):
        if assessed is not None:
            parts.append(Text(f"\n{told_care(assessed.care.fact.event, words)}", style="bold"))
        parts += [_tree(node, words, numbered) for node in nodes]
    return Group(*parts)


def _tree(node: Node, words: Words, numbered: bool) -> Tree:
    """A tree in which what was told once is not told again."""
    number = f"§{node.number}"
    if numbered and node.again:
        return Tree(
            Text.assemble(node.brief, (f"  {words('phrase', 'see', number=number)}", "dim"))
        )
    label = Text()
    if numbered and node.number:
        label.append(f"{number} ", style="dim")
    if node.name:
        label.append(f"{node.name}: ", style="bold")
    label.append(node.text, style="cyan" if node.is_fact else "")
    if node.remark:
        label.append(f"  {node.remark}", "yellow")
    if node.again and node.rests_on:
        label.append(f" {words.aside(words('phrase', 'as_above'))}", style="dim")
        return Tree(label)
    if node.cited:
        label.append(f"  [{node.cited}] ", style="dim")
        label.append(node.basis, style="magenta" if node.is_assumed else "dim")
    if node.assumption:
        label.append(words.named("", node.assumption), style="magenta")
    branch = Tree(label)
    for part in node.inputs:
        branch.children.append(_tree(part, words, numbered))
    return branch
