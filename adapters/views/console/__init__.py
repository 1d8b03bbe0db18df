"""What a person sees in a terminal, in Chinese or English."""

from yibao.adapters.views.console.answers import (
    failures_report,
    reason_lines,
    short_report,
    step_and_remark,
    story_line,
    story_report,
    to_tell,
    value_and_remark,
    why_failed,
)
from yibao.adapters.views.console.audit import (
    counted,
    counts_report,
    entry_lines,
    history_cells,
    history_report,
    moved_lines,
    told_lines,
    values_line,
)
from yibao.adapters.views.console.care import (
    quote_report,
    review_lines,
    review_report,
    settled,
    told_amounts,
    told_care,
)
from yibao.adapters.views.console.comparisons import comparison_report
from yibao.adapters.views.console.dossier import dossier_text
from yibao.adapters.views.console.editions import policy_differences, policy_list, policy_tables
from yibao.adapters.views.console.everybody import (
    cohort_heads,
    cohort_row,
    due_report,
    parked_told,
    rows_report,
    what_if_report,
)
from yibao.adapters.views.console.explanations import explanation
from yibao.adapters.views.console.progress import watched
from yibao.adapters.views.console.projections import status_report
from yibao.adapters.views.console.timelines import (
    Legend,
    carries_blocks,
    entries,
    heading,
    month,
    timeline_report,
)
from yibao.adapters.views.console.writing import to

__all__ = [
    "Legend",
    "carries_blocks",
    "cohort_heads",
    "cohort_row",
    "comparison_report",
    "counted",
    "counts_report",
    "dossier_text",
    "due_report",
    "entries",
    "entry_lines",
    "explanation",
    "failures_report",
    "heading",
    "history_cells",
    "history_report",
    "month",
    "moved_lines",
    "parked_told",
    "policy_differences",
    "policy_list",
    "policy_tables",
    "quote_report",
    "reason_lines",
    "review_lines",
    "review_report",
    "rows_report",
    "settled",
    "short_report",
    "status_report",
    "step_and_remark",
    "story_line",
    "story_report",
    "timeline_report",
    "to",
    "to_tell",
    "told_amounts",
    "told_care",
    "told_lines",
    "value_and_remark",
    "values_line",
    "watched",
    "what_if_report",
    "why_failed",
]
