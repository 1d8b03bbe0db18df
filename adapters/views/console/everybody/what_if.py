"""What another edition would change, in the terminal."""

from collections.abc import Iterator

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from yibao.adapters.views.console.explanations import explanation
from yibao.adapters.views.words import Words
from yibao.projections.cohort.what_if import BY, Effects, Example, Moved, WhatIf


def what_if_report(found: WhatIf, words: Words) -> RenderableType:
    """Who gains and loses, together and by school and category; who does the most, explained."""
    edited, replaced = found.edition.edition, found.instead_of.edition
    table = Table(box=None, pad_edge=False)
    for column in ("among", *_COLUMNS):
        is_text = column == "among"
        head = words("what_if", column)
        table.add_column(head, justify="left" if is_text else "right", overflow="fold")
    table.add_row(words("what_if", "everybody"), *_cells(Effects(found.gains, found.loses)))
    for what in BY:
        for name, effects in found.by(what).items():
            told = words(what, name) if words.knows(what, name) else name
            table.add_row(f"{words('what_if', what)} {told}", *_cells(effects))
    title = words("what_if", "title", edited=edited, replaced=replaced)
    examples = (part for each in found.examples(1) for part in _example(each, words))
    return Group(Text(title, style="bold"), table, *examples)


_COLUMNS = tuple(f"{side}_{what}" for side in Effects._fields for what in Moved._fields)


def _cells(effects: Effects) -> Iterator[str]:
    for moved in effects:
        yield from map(str, moved)


def _example(example: Example, words: Words) -> Iterator[RenderableType]:
    """Both explanations of one, each under the name of its edition."""
    told = example.outcome
    yield Text()
    yield Text(
        words(
            "what_if",
            "example",
            ref=told.enrollment.ref,
            before=told.days_before,
            after=told.days_after,
        ),
        style="bold",
    )
    for answer in (example.before, example.after):
        assert answer.policy is not None
        yield Text(words("what_if", "under", edition=answer.policy.edition))
        yield explanation(answer, words.of(answer.policy))
