"""A comparison of two answers as plain JSON values."""

from typing import Any

from yibao.adapters.answer_json import answer_json, plain
from yibao.domain.events import Event
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


def event_json(event: Event) -> dict[str, Any]:
    """An event with its stored name, its place and its stored fields."""
    return {
        "name": event.name,
        "version": event.originator_version,
        **event.model_dump(mode="json", by_alias=True, exclude_none=True),
    }
