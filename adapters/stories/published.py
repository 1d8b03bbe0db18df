"""Every published schema, by its name."""

from collections.abc import Callable
from typing import Any, Final

from yibao.adapters.editions import edition_schema
from yibao.adapters.shapes import (
    attempts_schema,
    audit_schema,
    cohort_schema,
    commands_schema,
    due_schema,
    events_schema,
    models,
    replay_schema,
    what_if_schema,
)
from yibao.adapters.stories.schema import story_schema

#: What `yibao schema` publishes, by name.
SCHEMAS: Final[dict[str, Callable[[], dict[str, Any]]]] = {
    "events": events_schema,
    "story": story_schema,
    "edition": edition_schema,
    "replay": replay_schema,
    "answer": models.Answer.model_json_schema,
    "audit": audit_schema,
    "due": due_schema,
    "attempts": attempts_schema,
    "commands": commands_schema,
    "cohort": cohort_schema,
    "whatif": what_if_schema,
}
