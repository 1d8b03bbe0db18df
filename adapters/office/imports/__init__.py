"""Tables recorded: what becomes of each row, told by row numbers and codes, never by a cell."""

from yibao.adapters.office.imports.editions import edition_of, own_words
from yibao.adapters.office.imports.kinds import record_table
from yibao.adapters.office.imports.known import import_known
from yibao.adapters.office.imports.roster import import_roster
from yibao.adapters.office.imports.rows import Asked
from yibao.adapters.office.imports.verdicts import (
    FINE,
    VERDICTS,
    Change,
    Imported,
    RowVerdict,
    Verdict,
    imported_json,
    row_told,
    verdict_told,
    warning_told,
    warnings_told,
)

__all__ = [
    "FINE",
    "VERDICTS",
    "Asked",
    "Change",
    "Imported",
    "RowVerdict",
    "Verdict",
    "edition_of",
    "import_known",
    "import_roster",
    "imported_json",
    "own_words",
    "record_table",
    "row_told",
    "verdict_told",
    "warning_told",
    "warnings_told",
]
