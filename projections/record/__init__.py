"""Everything recorded of one student, of one moment; and what of it was known by a cut-off.

A question is a function of a record, an instant and a cut-off. A cut-off selects a prefix of each
stream, always whole transactions: of her enrollment, of her care, and of the edition she is
registered under, in whose stream windows are fixed for everybody.
"""

from yibao.domain.vocabulary import Seen
from yibao.projections.record.fixing import EditionRecord, Fixed, Whom
from yibao.projections.record.following import TELLING
from yibao.projections.record.knowledge import Cutoff, Knowledge
from yibao.projections.record.log import FEW, NOTHING, Log
from yibao.projections.record.record import Record

__all__ = [
    "FEW",
    "NOTHING",
    "TELLING",
    "Cutoff",
    "EditionRecord",
    "Fixed",
    "Knowledge",
    "Log",
    "Record",
    "Seen",
    "Whom",
]
