"""A comparison of two answers as plain JSON values."""

from typing import Any

from yibao.adapters.shapes.answer import answer_json
from yibao.adapters.shapes.values import event_json, plain
from yibao.projections.comparison import Comparison


def comparison_json(comparison: Comparison) -> dict[str, Any]:
    """Both answers, what differs between them, and what was recorded in between."""
    return {
        "format": 1,
        "then": {"known_at": plain(comparison.then.known_at), **answer_json(comparison.then)},
        "now": {"known_at": plain(comparison.now.known_at), **answer_json(comparison.now)},
        "differences": [
            {
                "value": found.name,
                "then": plain(found.then),
                "now": plain(found.now),
                "moved_by": [event_json(event) for event in found.moved_by],
            }
            for found in comparison.differences
        ],
        "facts_between": [event_json(event) for event in comparison.facts_between],
    }
