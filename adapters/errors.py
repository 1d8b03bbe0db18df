"""What can go wrong with a store."""

from yibao.domain.refusals import YibaoError


class StoreError(YibaoError):
    """The store could not be opened, read or written; nothing was half recorded."""
