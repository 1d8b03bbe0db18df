"""The two logs: the facts, and the refused attempts that are kept."""

from collections.abc import Callable, Iterator, Sequence
from typing import Final, Literal, NamedTuple

from yibao.adapters.store import FactStore, Reached
from yibao.adapters.store.connections import LAST, SqlRow
from yibao.projections.evidence import (
    Hash,
    UnreadableEvidence,
    attempt_entry,
    fact_entry,
    fact_leaves,
    leaf_hash,
)

LogName = Literal["facts", "attempts"]
#: Before every position that a row can have.
FIRST: Final = -(2**63)


class Logged(NamedTuple):
    """Rows of a store that are the entries of a log, in the order of their positions."""

    name: LogName
    entry: Callable[..., bytes]
    #: The hashes of rows.
    leaves: Callable[[Sequence[SqlRow]], list[Hash]]
    #: Up to where the store is final.
    final: Callable[[Reached], int]

    def rows(self, store: FactStore, begins: int, until: int, limit: int) -> list[SqlRow]:
        """Some rows as they stand, from a position on, which comes first in each."""
        return store.as_stored(self.name, begins, until, limit)

    def batches(
        self, store: FactStore, size: int, begins: int = FIRST, until: int = LAST
    ) -> Iterator[list[SqlRow]]:
        """All rows from a position on, some at a time."""
        while rows := self.rows(store, begins, until, size):
            yield rows
            if rows[-1][0] == LAST:
                break
            begins = rows[-1][0] + 1


def _attempt_leaves(rows: Sequence[SqlRow]) -> list[Hash]:
    return [leaf_hash(attempt_entry(*row)) for row in rows]


FACTS: Final = Logged("facts", fact_entry, fact_leaves, lambda reached: reached.position)
ATTEMPTS: Final = Logged(
    "attempts", attempt_entry, _attempt_leaves, lambda reached: reached.attempt
)
LOGS: Final = (FACTS, ATTEMPTS)


def log_of(origin: str) -> Logged:
    """The log that a note is of; raises UnreadableEvidence for one of another kind of log."""
    for logged in LOGS:
        if origin.endswith(f"/{logged.name}"):
            return logged
    raise UnreadableEvidence("the note is of no log of yibao: its origin ends otherwise")
