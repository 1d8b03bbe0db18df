"""What can go wrong with a store.

StoreError              the store could not be opened, read or written
└── Interrupted         what goes well when it is tried again, and was, until it took too long
"""

from yibao.domain.refusals import YibaoError


class StoreError(YibaoError):
    """The store could not be opened, read or written; nothing was half recorded."""


class Interrupted(StoreError):
    """The connection was lost, or somebody else came first; it may be recorded, or nothing was.

    Asking once more with the same command id is right in either case.
    """
