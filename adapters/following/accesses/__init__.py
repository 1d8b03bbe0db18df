"""Who looked at whom: the table of it, beside what follows the facts, which it does not."""

from yibao.adapters.following.accesses.layout import ACCESSES, ACCESSES_TABLE

__all__ = ["ACCESSES", "ACCESSES_TABLE"]
