"""Who asks, and what they may: one table of roles, which endpoints and console both go by."""

from yibao.adapters.http.rights.judging import (
    ELSEWHERE,
    allows,
    ever_may,
    grants_of,
    school_of,
    sees,
)
from yibao.adapters.http.rights.table import MAY, Grant, What, may
from yibao.adapters.http.rights.who import Identify, Role, Who

__all__ = [
    "ELSEWHERE",
    "MAY",
    "Grant",
    "Identify",
    "Role",
    "What",
    "Who",
    "allows",
    "ever_may",
    "grants_of",
    "may",
    "school_of",
    "sees",
]
