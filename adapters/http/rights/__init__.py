"""Who asks, and what they may: one table of roles, which endpoints and console both go by."""

from yibao.adapters.http.rights.judging import allowed_by, allows, grants_of, school_of, sees
from yibao.adapters.http.rights.table import MAY, Grant, What, may
from yibao.adapters.http.rights.who import Identify, Role, Who

__all__ = [
    "MAY",
    "Grant",
    "Identify",
    "Role",
    "What",
    "Who",
    "allowed_by",
    "allows",
    "grants_of",
    "may",
    "school_of",
    "sees",
]
