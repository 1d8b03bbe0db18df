"""What is paid: how care is assessed, settled and taken back."""

from yibao.domain.care.assessing import Amounts, Assessed, assessments
from yibao.domain.care.claims import Ground, decide_care
from yibao.domain.care.cover import filing_for
from yibao.domain.care.ledger import Care, Ledger, cares, settlements

__all__ = [
    "Amounts",
    "Assessed",
    "Care",
    "Ground",
    "Ledger",
    "assessments",
    "cares",
    "decide_care",
    "filing_for",
    "settlements",
]
