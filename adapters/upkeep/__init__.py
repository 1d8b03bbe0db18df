"""Looks after a store: create, migrate, check, back up, copy, grant."""

from yibao.adapters.upkeep.checking import check
from yibao.adapters.upkeep.copying import backup, copy
from yibao.adapters.upkeep.creating import grant, init, migrate, open_rehearsal

__all__ = [
    "backup",
    "check",
    "copy",
    "grant",
    "init",
    "migrate",
    "open_rehearsal",
]
