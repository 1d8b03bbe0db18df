"""What can go wrong with a store.

StoreError              the store could not be opened, read or written
├── NotWritten          a file for a person was not written (adapters/store/files/writing.py)
├── AheadOfClock        it was not recorded behind a stamp that lies far ahead of the clock
├── Interrupted         what goes well when it is tried again, and was, until it took too long
└── Halted              a projection goes no further until yibao is upgraded or set right
"""

from typing import ClassVar

from yibao.domain.refusals import Failure, YibaoError


class StoreError(YibaoError):
    """The store could not be opened, read or written; nothing was half recorded."""

    failure: ClassVar[Failure] = "store_failed"


class AheadOfClock(StoreError):
    """The last stamp of what something stands on lies far ahead of the clock; it is not recorded.

    Either the clock has gone back, or one was ahead once: then every later stamp would be, too.
    """

    failure = "ahead_of_clock"


class Interrupted(StoreError):
    """The connection was lost, or somebody else came first; it may be recorded, or nothing was.

    Asking once more with the same command id is right in either case.
    """

    failure = "interrupted"


class Halted(StoreError):
    """A projection goes no further, and nothing of it is lost; the facts stand as they are.

    There is a fact that this version of yibao does not know, or an edition is not at hand.
    """

    failure = "halted"
