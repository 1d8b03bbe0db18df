"""What is paid: how care is assessed, settled and taken back."""

from yibao.domain.care.assessing import (
    Amounts,
    Assessed,
    assessments,
    cares,
    filings_for,
    settlements,
)
from yibao.domain.care.claims import Ground, decide_care

__all__ = [
    "Amounts",
    "Assessed",
    "Ground",
    "assessments",
    "cares",
    "decide_care",
    "filings_for",
    "settlements",
]
