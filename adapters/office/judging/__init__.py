"""Rows of tables: what each says, or why it cannot be so and how to mend it.

Pure: no file, no clock, no store. Beside the adapters that read rows and record them, since what a
registry writes into a cell is no law.
"""

from yibao.adapters.office.judging.counties import knows_county
from yibao.adapters.office.judging.documents import document_refused, is_county_unknown
from yibao.adapters.office.judging.kinds import HEADINGS, KINDS, Kind, Told, told_by
from yibao.adapters.office.judging.lengths import usual_length
from yibao.adapters.office.judging.refusals import (
    REASONS,
    Judged,
    Reason,
    RowRefused,
)
from yibao.adapters.office.judging.roster import ROSTER, Student, columns_with, judged
from yibao.adapters.office.judging.twice import told_twice
from yibao.adapters.office.judging.written import CATEGORIES, DOCUMENTS

__all__ = [
    "CATEGORIES",
    "DOCUMENTS",
    "HEADINGS",
    "KINDS",
    "REASONS",
    "ROSTER",
    "Judged",
    "Kind",
    "Reason",
    "RowRefused",
    "Student",
    "Told",
    "columns_with",
    "document_refused",
    "is_county_unknown",
    "judged",
    "knows_county",
    "told_by",
    "told_twice",
    "usual_length",
]
