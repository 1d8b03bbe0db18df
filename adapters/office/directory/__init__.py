"""The directory: who stands behind a reference, in a store of its own that can forget.

People are in SQLite or PostgreSQL, sealed; each has a key of her own, and the keys are in another
file. Where that key is destroyed nobody can read what is sealed, wherever a copy of it lies.
"""

from yibao.adapters.office.directory.accesses import (
    Access,
    Accessed,
    Accesses,
    Look,
    accesses_there,
    open_accesses,
)
from yibao.adapters.office.directory.directory import (
    Directory,
    Forgotten,
    Importing,
    Person,
    draw,
    open_directory,
)
from yibao.adapters.office.directory.people import WaitingProxy
from yibao.adapters.office.directory.sealing import Entry
from yibao.adapters.office.directory.settings import DirectorySettings, directory_settings
from yibao.adapters.office.directory.shared import InProcess, Shared, hour_of, open_shared

__all__ = [
    "Access",
    "Accessed",
    "Accesses",
    "Directory",
    "DirectorySettings",
    "Entry",
    "Forgotten",
    "Importing",
    "InProcess",
    "Look",
    "Person",
    "Shared",
    "WaitingProxy",
    "accesses_there",
    "directory_settings",
    "draw",
    "hour_of",
    "open_accesses",
    "open_directory",
    "open_shared",
]
