"""The history of a part of the answer as plain JSON values."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from yibao.adapters.shapes.parts import brief_json
from yibao.adapters.shapes.values import event_json, plain
from yibao.projections.history import Held


def history_json(name: str, at: datetime | None, held: Iterable[Held]) -> dict[str, Any]:
    """Every answer given for a part of the answer, with the interval in which it held."""
    return {
        "format": 1,
        "value": name,
        "at": plain(at),
        "held": [
            {
                "value": brief_json(name, each.value),
                "because": each.derived.because if each.derived else None,
                "rule": each.derived.rule.partition("-")[0] if each.derived else None,
                "version": each.version,
                "known_from": plain(each.known_from),
                "known_until": plain(each.known_until),
                "ended_by": [event_json(event) for event in each.ended_by],
                "ended_by_time": each.known_until is not None and not each.ended_by,
            }
            for each in held
        ],
    }
