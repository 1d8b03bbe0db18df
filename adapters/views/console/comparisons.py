"""Two states of knowledge side by side in the terminal."""

from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from yibao.adapters.shapes import brief_json
from yibao.adapters.views.parts import part_lines
from yibao.adapters.views.telling import fact_line, numbered, of_year, shown
from yibao.adapters.views.words import Words
from yibao.projections.comparison import Comparison


def comparison_report(comparison: Comparison, words: Words) -> RenderableType:
    """What differs between two states of knowledge, and which facts moved it."""
    then, now = comparison.then, comparison.now
    words = words.of(now.policy or then.policy)
    parts: list[RenderableType] = []
    if comparison.differences:
        table = Table(box=None, pad_edge=False)
        table.add_column("")
        for phrase, answer in (("then", then), ("now", now)):
            known = words("phrase", "as_known", known_at=shown(answer.known_at, words))
            table.add_column(words("phrase", phrase) + words.aside(known), overflow="fold")
        table.add_column(words("phrase", "moved_by"), overflow="fold")
        for found in comparison.differences:
            moved_by = words.joined(
                numbered(event, now.enrollment, words) for event in found.moved_by
            )
            table.add_row(
                words("value", found.name),
                _part(found.name, found.then, words),
                _part(found.name, found.now, words),
                moved_by,
            )
        parts.append(table)
    else:
        parts.append(Text(words("phrase", "no_difference")))
    if comparison.facts_between:
        parts.append(
            Text(f"\n{words.named(words('phrase', 'recorded_between'), '').rstrip()}", style="bold")
        )
        parts.extend(
            Text(
                "  "
                + of_year(
                    now.enrollment.year_of(event.originator_id),
                    fact_line(
                        event.name, event.payload(), event.occurred_at, event.recorded_at, words
                    ),
                    words,
                )
            )
            for event in comparison.facts_between
        )
    return Group(*parts)


def _part(name: str, value: Any, words: Words) -> str:
    return "\n".join(part_lines(name, brief_json(name, value), words))
