"""Answers as plain JSON, and the schemas of what others rely on."""

from yibao.adapters.shapes.answer import answer_json
from yibao.adapters.shapes.care import care_expected, care_json, review_json, settled_json
from yibao.adapters.shapes.commands import command_schema, commands_schema
from yibao.adapters.shapes.comparison import comparison_json
from yibao.adapters.shapes.editions import edition_checked, edition_differences, edition_mistaken
from yibao.adapters.shapes.everybody import (
    FACTS,
    LISTED,
    OUTCOMES,
    SPANS,
    VALUES,
    WINDOWS,
    cohort_schema,
    counts_json,
    cursor_of,
    fact_rows,
    outcome_row,
    page_json,
    value_row,
    what_if_json,
    what_if_schema,
    window_rows,
)
from yibao.adapters.shapes.explanation import care_trees, explained, tree, trees
from yibao.adapters.shapes.history import history_json
from yibao.adapters.shapes.parts import brief_json, part_json
from yibao.adapters.shapes.schemas import (
    DIALECT,
    attempts_schema,
    audit_schema,
    due_schema,
    events_schema,
    part,
    replay_schema,
)
from yibao.adapters.shapes.values import event_json, fact_json, plain

__all__ = [
    "DIALECT",
    "FACTS",
    "LISTED",
    "OUTCOMES",
    "SPANS",
    "VALUES",
    "WINDOWS",
    "answer_json",
    "attempts_schema",
    "audit_schema",
    "brief_json",
    "care_expected",
    "care_json",
    "care_trees",
    "cohort_schema",
    "command_schema",
    "commands_schema",
    "comparison_json",
    "counts_json",
    "cursor_of",
    "due_schema",
    "edition_checked",
    "edition_differences",
    "edition_mistaken",
    "event_json",
    "events_schema",
    "explained",
    "fact_json",
    "fact_rows",
    "history_json",
    "outcome_row",
    "page_json",
    "part",
    "part_json",
    "plain",
    "replay_schema",
    "review_json",
    "settled_json",
    "tree",
    "trees",
    "value_row",
    "what_if_json",
    "what_if_schema",
    "window_rows",
]
