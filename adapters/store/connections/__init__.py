"""What every database here has: connections lent and taken back, statements, and trying again."""

from yibao.adapters.store.connections.lending import (
    Loan,
    NotLent,
    Pool,
    Scope,
    Turn,
    elsewhere,
    keep_for_ever,
    within,
)
from yibao.adapters.store.connections.retrying import again, ticking
from yibao.adapters.store.connections.sql import (
    AT_ONCE,
    LAST,
    Database,
    Frontier,
    Sql,
    SqlRow,
    first_of,
    in_parts,
    notifications,
    stream_of,
)
from yibao.adapters.store.connections.subscribing import FactSubscription

__all__ = [
    "AT_ONCE",
    "LAST",
    "Database",
    "FactSubscription",
    "Frontier",
    "Loan",
    "NotLent",
    "Pool",
    "Scope",
    "Sql",
    "SqlRow",
    "Turn",
    "again",
    "elsewhere",
    "first_of",
    "in_parts",
    "keep_for_ever",
    "notifications",
    "stream_of",
    "ticking",
    "within",
]
