"""Follows the facts into the cohort, makes it anew beside the old, and goes back."""

from typing import ClassVar

from yibao.adapters.following.cohort.batches import CohortBatch
from yibao.adapters.following.cohort.store import CohortTransaction
from yibao.adapters.following.derived import Progress, Tables, WholeFollowed
from yibao.adapters.store import Reached, StoreError
from yibao.adapters.store.connections import Sql
from yibao.adapters.telemetry import Watch


class CohortProjection(WholeFollowed[CohortTransaction]):
    """Keeps a cohort up with a store."""

    name = "cohort"
    #: Over columns, many are quicker than few.
    size: ClassVar[int] = 20_000

    def transaction(self, tables: Tables, sql: Sql, side: str) -> CohortTransaction:
        return CohortTransaction(tables, sql, side)

    def batch(self, transaction: CohortTransaction) -> CohortBatch:
        return CohortBatch(self.store, self.editions, transaction)

    def is_at(self, progress: Progress, there: Reached) -> bool:
        return progress.fanned is None and progress.position >= there.position

    def beyond_facts(
        self, transaction: CohortTransaction, progress: Progress, there: Reached
    ) -> Progress:
        return progress

    def side(self) -> str:
        with self.tables.reading() as sql:
            return side_in(self.tables, sql)

    def rebuild(self, watch: Watch | None = None) -> None:
        """Makes it anew beside the old, which is asked meanwhile, and switches over.

        The old stays, as it was then.
        """
        other = self._other_side()
        with self._writing(other) as transaction:
            transaction.begin_anew(self.fingerprint)
        self.take_in(other, watch)
        self._switch(other)

    def go_back(self) -> None:
        """Switches over to the other side, as it was before it was made anew.

        What was recorded since is taken in with the next question. Raises StoreError where there
        is none of this store, these editions and this version.
        """
        other = self._other_side()
        if self.looked_at(other) is None:
            raise StoreError("there is no other cohort to go back to")
        self._switch(other)

    def _other_side(self) -> str:
        first, second = self.tables.layout.sides
        return second if self.side() == first else first

    def _switch(self, side: str) -> None:
        with self.tables.writing() as sql:
            current = self.tables.prefix("")
            sql.run(f"DELETE FROM {current}current")
            sql.run(f"INSERT INTO {current}current VALUES (?)", (side,))


def side_in(tables: Tables, sql: Sql) -> str:
    """The side that is asked and kept up: the first, until there was a switch."""
    first = tables.layout.sides[0]
    if not tables.has_tables(sql, first):
        return first
    found = sql.rows(f"SELECT side FROM {tables.prefix('')}current")
    return str(found[0][0]) if found else first
