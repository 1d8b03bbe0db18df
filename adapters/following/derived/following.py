"""Follows what is recorded, batch by batch, exactly once.

Each batch is one transaction on the projection's own tables that also remembers how far it is;
whoever is killed in the middle leaves them as they were before the batch. Two processes take turns.
"""

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from typing import ClassVar, Generic, TypeVar

import yibao
from yibao.adapters.editions import Editions
from yibao.adapters.following.derived.batches import Batch
from yibao.adapters.following.derived.sqlite import SqliteTables
from yibao.adapters.following.derived.store import (
    Progress,
    Tables,
    Transaction,
    parked_in,
    progress_in,
)
from yibao.adapters.following.supervisor import Standing, mistakes_halt
from yibao.adapters.store import FactStore, Halted, Reached
from yibao.adapters.store.connections import Sql
from yibao.adapters.telemetry import Watch

T = TypeVar("T", bound=Transaction)


class FactsFollowed(ABC, Generic[T]):
    """Keeps the tables of a projection up with a store."""

    name: ClassVar[str]
    #: How many facts, or refused attempts, a transaction takes in.
    size: ClassVar[int] = 5000

    def __init__(self, store: FactStore, editions: Editions, tables: Tables) -> None:
        self.store = store
        self.editions = editions
        self.tables = tables

    @abstractmethod
    def transaction(self, tables: Tables, sql: Sql, side: str) -> T:
        """A transaction on the tables of a side."""

    @abstractmethod
    def batch(self, transaction: T) -> Batch[T]:
        """What takes in facts in a transaction."""

    @abstractmethod
    def is_at(self, progress: Progress, there: Reached) -> bool:
        """Whether everything up to there is in it."""

    @abstractmethod
    def beyond_facts(self, transaction: T, progress: Progress, there: Reached) -> Progress:
        """Takes in what else there is once all facts are taken in, up to there."""

    def at_once(self, facts: int) -> int:
        """How many facts the next transaction takes in, of so many that there are at most."""
        return self.size

    def side(self) -> str:
        """The side that is asked and kept up."""
        return self.tables.layout.sides[0]

    def catch_up(
        self, watch: Watch | None = None, *, enough: Callable[[], bool] = lambda: False
    ) -> int:
        """Takes in everything recorded by now, and makes anew what is of something else.

        How many facts that were. After each batch it may be `enough`, and the rest is left.
        Raises Halted where a fact is of a newer yibao.
        """
        return self.take_in(self.side(), watch, enough)

    def take_in(
        self, side: str, watch: Watch | None = None, enough: Callable[[], bool] = lambda: False
    ) -> int:
        """The same for the tables of one side."""
        there = self.store.reached()
        progress = self.looked_at(side)
        taken_in = 0
        while progress is None or not self.is_at(progress, there):
            with self._writing(side) as transaction:
                before = self._checked_progress(transaction)
                if before is None:
                    # By itself: what empties the tables keeps out even those who read them, and
                    # they may have all the connections by which the facts could be read.
                    transaction.begin_anew(self.fingerprint)
                    continue
                progress, facts = self._next_batch(transaction, before, there)
                if progress != before:
                    mark = self.store.mark(progress.position, progress.attempt)
                    progress = progress._replace(mark=mark)
                    transaction.reach(progress)
            taken_in += facts
            if watch:
                # From the beginning students may be taken in, and not facts in their order.
                so_far = max(progress.position, taken_in)
                watch(min(so_far, there.position), there.position)
            if progress == before or enough():
                break
        if taken_in >= self.size:
            self.tables.optimize()
        return taken_in

    def standing(self) -> Standing:
        """How far it is, and who is left out of it; nothing is taken in."""
        side = self.side()
        progress = self.looked_at(side) or Progress()
        with self.tables.reading() as sql:
            has_tables = self.tables.has_tables(sql, side)
            parked = parked_in(sql, self.tables.prefix(side)) if has_tables else []
        return Standing(
            self.name,
            progress.position,
            self.store.facts_after(progress.position),
            tuple(parked),
        )

    def halted(self) -> str | None:
        """Why it goes no further, if the next batch cannot be taken in; nothing is taken in.

        What is being recorded at this moment is not waited for.
        """
        side = self.side()
        scratch = SqliteTables(":memory:", self.tables.layout)
        with closing(scratch), scratch.writing() as sql:
            transaction = self.transaction(scratch, sql, side)
            transaction.begin_anew("")
            try:
                with mistakes_halt():
                    self._next_batch(
                        transaction, self.looked_at(side) or Progress(), self.store.reached(0)
                    )
            except Halted as error:
                return str(error)
        return None

    def retry(self) -> int:
        """Takes in anew the students that are parked; how many still are.

        Whoever set right what was wrong, or has upgraded, calls it.
        """
        self.catch_up()
        with self._writing(self.side()) as transaction:
            progress = transaction.progress(self.fingerprint)
            if progress is not None and progress.fanned is None:
                batch = self.batch(transaction)
                for parked in transaction.parked():
                    batch.unpark(parked, progress.position)
            return len(transaction.parked())

    @property
    def fingerprint(self) -> str:
        """What the rows depend on beside the facts: this program's version and the editions."""
        known = [
            f"{policy.edition}:{policy.digest}:{policy.benefits_digest}" for policy in self.editions
        ]
        told = "\n".join([str(self.tables.layout.format), yibao.__version__, *sorted(known)])
        return hashlib.sha256(told.encode()).hexdigest()

    def looked_at(self, side: str) -> Progress | None:
        """How far a side is; None where it is of another store, or of another version."""
        with self.tables.reading() as sql:
            progress = progress_in(self.tables, sql, side, self.fingerprint)
        return progress if progress and self._is_of_this_store(progress) else None

    @contextmanager
    def _writing(self, side: str) -> Iterator[T]:
        with self.tables.writing() as sql:
            yield self.transaction(self.tables, sql, side)

    def _is_of_this_store(self, progress: Progress) -> bool:
        return progress.mark == self.store.mark(progress.position, progress.attempt)

    def _checked_progress(self, transaction: T) -> Progress | None:
        """How far it is; None if it followed another store, or an earlier state of it."""
        progress = transaction.progress(self.fingerprint)
        if progress is None:
            return None
        if progress.mark is not None and not self._is_of_this_store(progress):
            return None
        return progress

    def _next_batch(
        self, transaction: T, progress: Progress, there: Reached
    ) -> tuple[Progress, int]:
        """The progress after one more batch, and its facts; the same where there is no more."""
        size = self.at_once(there.position - progress.position)
        taken = self.store.taken(progress.position, there.position, size)
        if taken:
            progress = self.batch(transaction).of_facts(progress, taken)
            return progress, sum(each.position <= progress.position for each in taken)
        # There may be numbers that nobody has: whoever took them recorded nothing.
        position = max(progress.position, there.position)
        progress = progress._replace(position=position)
        return self.beyond_facts(transaction, progress, there), 0
