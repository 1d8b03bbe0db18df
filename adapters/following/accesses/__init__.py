"""Who looked at whom, and what the web shares: tables of which none follows from the facts."""

from yibao.adapters.following.accesses.layout import ACCESSES, ACCESSES_TABLE, SHARED_TABLES

__all__ = ["ACCESSES", "ACCESSES_TABLE", "SHARED_TABLES"]
