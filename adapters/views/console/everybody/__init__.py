"""Everybody at once for people: counts and lists, what if, and what falls due."""

from yibao.adapters.views.console.everybody.cohort import cohort_heads, cohort_row, rows_report
from yibao.adapters.views.console.everybody.due import due_report, parked_told
from yibao.adapters.views.console.everybody.what_if import what_if_report

__all__ = [
    "cohort_heads",
    "cohort_row",
    "due_report",
    "parked_told",
    "rows_report",
    "what_if_report",
]
