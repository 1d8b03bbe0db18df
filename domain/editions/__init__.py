"""What a notice says: the model of an edition, citations, the table of benefits, and the files."""

from yibao.domain.editions.benefits import (
    BENEFIT_RULES,
    OPTIONAL_BENEFIT_RULES,
    Benefits,
    Row,
    needs_level,
)
from yibao.domain.editions.citation import Citation, Parameter, Text
from yibao.domain.editions.periods import CoverFrom, Period
from yibao.domain.editions.policy import OPTIONAL_RULES, RULES, Parameters, Policy, Words

__all__ = [
    "BENEFIT_RULES",
    "OPTIONAL_BENEFIT_RULES",
    "OPTIONAL_RULES",
    "RULES",
    "Benefits",
    "Citation",
    "CoverFrom",
    "Parameter",
    "Parameters",
    "Period",
    "Policy",
    "Row",
    "Text",
    "Words",
    "needs_level",
]
