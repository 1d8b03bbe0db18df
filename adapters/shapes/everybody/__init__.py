"""Everybody at once as plain JSON and as rows: counts, lists, values, and what if."""

from yibao.adapters.shapes.everybody.cohort import (
    FACTS,
    LISTED,
    SPANS,
    VALUES,
    WINDOWS,
    cohort_schema,
    counts_json,
    cursor_of,
    fact_rows,
    page_json,
    value_row,
    window_rows,
)
from yibao.adapters.shapes.everybody.what_if import (
    OUTCOMES,
    outcome_row,
    what_if_json,
    what_if_schema,
)

__all__ = [
    "FACTS",
    "LISTED",
    "OUTCOMES",
    "SPANS",
    "VALUES",
    "WINDOWS",
    "cohort_schema",
    "counts_json",
    "cursor_of",
    "fact_rows",
    "outcome_row",
    "page_json",
    "value_row",
    "what_if_json",
    "what_if_schema",
    "window_rows",
]
