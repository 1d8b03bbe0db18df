"""Follows the facts and the refused attempts, batch by batch, exactly once.

Each batch is one transaction of the trail that also remembers how far it is; whoever is killed
in the middle leaves the trail as it was before the batch. Two processes take turns.
"""

import hashlib
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from typing import Final

import yibao
from yibao.adapters.editions import Editions
from yibao.adapters.following.supervisor import Standing, mistakes_halt
from yibao.adapters.following.trail.batches import Batch
from yibao.adapters.following.trail.layout import FORMAT
from yibao.adapters.following.trail.rows import (
    attempt_row,
    counted_row,
)
from yibao.adapters.following.trail.sqlite import SqliteTrail
from yibao.adapters.following.trail.store import (
    Progress,
    TrailStore,
    TrailTransaction,
    parked_in,
)
from yibao.adapters.store import (
    FactStore,
    Halted,
    Reached,
    digest_of,
)
from yibao.adapters.telemetry import Watch
from yibao.domain.refusals import UnreadableEvent

#: How many facts a transaction of the trail takes in.
BATCH: Final = 5000


class TrailProjection:
    """Keeps a trail up with a store."""

    name = "audit-trail"

    def __init__(self, store: FactStore, editions: Editions, trail: TrailStore) -> None:
        self.store = store
        self.editions = editions
        self.trail = trail

    def catch_up(
        self, watch: Watch | None = None, *, enough: Callable[[], bool] = lambda: False
    ) -> int:
        """Takes in everything recorded by now, and makes anew a trail of something else.

        How many facts that were. After each batch it may be `enough`, and the rest is left.
        Raises Halted where a fact is of a newer yibao.
        """
        there = self.store.reached()
        progress = self._looked_at()
        taken_in = 0
        while progress is None or not progress.is_at(there):
            with self._writing() as transaction:
                before = self._checked_progress(transaction)
                if before is None:
                    # By itself: what empties a trail keeps out even those who read it, and they
                    # may have all the connections by which the facts could be read.
                    transaction.begin_anew(_fingerprint(self.editions))
                    continue
                progress, facts = self._next_batch(transaction, before, there)
                if progress != before:
                    mark = self.store.mark(progress.position, progress.attempt)
                    progress = progress._replace(mark=mark)
                    transaction.reach(progress)
            taken_in += facts
            if watch:
                watch(min(progress.position, there.position), there.position)
            if progress == before or enough():
                break
        if taken_in >= BATCH:
            self.trail.optimize()
        return taken_in

    def standing(self) -> Standing:
        """How far the trail is, and who is left out of it; nothing is taken in."""
        progress = self._looked_at() or Progress()
        with self.trail.reading() as sql:
            parked = parked_in(sql) if self.trail.has_tables(sql) else []
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
        scratch = SqliteTrail(":memory:")
        with closing(scratch), scratch.writing() as sql:
            transaction = TrailTransaction(scratch, sql)
            transaction.begin_anew("")
            try:
                with mistakes_halt():
                    self._next_batch(
                        transaction, self._looked_at() or Progress(), self.store.reached(0)
                    )
            except Halted as error:
                return str(error)
        return None

    def retry(self) -> int:
        """Takes in anew the students that are parked; how many still are.

        Whoever set right what was wrong, or has upgraded, calls it.
        """
        self.catch_up()
        with self._writing() as transaction:
            progress = transaction.progress(_fingerprint(self.editions))
            if progress is not None and progress.fanned is None:
                batch = Batch(self.store, self.editions, transaction)
                for parked in transaction.parked():
                    batch.unpark(parked, progress.position)
            return len(transaction.parked())

    @contextmanager
    def _writing(self) -> Iterator[TrailTransaction]:
        with self.trail.writing() as sql:
            yield TrailTransaction(self.trail, sql)

    def _looked_at(self) -> Progress | None:
        """How far the trail is; None where it is of another store, or of another version."""
        with self.trail.reading() as sql:
            there = self.trail.has_tables(sql)
            rows = sql.rows("SELECT * FROM progress") if there else []
        for found, *reached in rows:
            progress = Progress(*reached)
            if found == _fingerprint(self.editions) and self._is_of_this_store(progress):
                return progress
        return None

    def _is_of_this_store(self, progress: Progress) -> bool:
        return progress.mark == self.store.mark(progress.position, progress.attempt)

    def _checked_progress(self, transaction: TrailTransaction) -> Progress | None:
        """How far the trail is; None if it followed another store, or an earlier state of it."""
        progress = transaction.progress(_fingerprint(self.editions))
        if progress is None:
            return None
        if progress.mark is not None and not self._is_of_this_store(progress):
            return None
        return progress

    def _next_batch(
        self, transaction: TrailTransaction, progress: Progress, there: Reached
    ) -> tuple[Progress, int]:
        """The progress after one more batch, and its facts; the same where there is no more."""
        taken = self.store.taken(progress.position, there.position, BATCH)
        if taken:
            progress = Batch(self.store, self.editions, transaction).of_facts(progress, taken)
            return progress, sum(each.position <= progress.position for each in taken)
        try:
            kept = self.store.attempts_between(progress.attempt, there.attempt, BATCH)
        except UnreadableEvent as error:
            raise Halted(f"a refused attempt cannot be read: {error}") from error
        transaction.insert(attempt_row(each) for each in kept)
        counted = progress.counted
        if counted != there.counted:
            counts = self.store.attempts_counted()
            transaction.replace_counted(counted_row(each) for each in counts)
            counted = digest_of(counts)
        all_kept = len(kept) < BATCH
        progress = progress._replace(
            # There may be numbers that nobody has: whoever took them recorded nothing.
            position=max(progress.position, there.position),
            attempt=max(progress.attempt, there.attempt if all_kept else kept[-1].attempt_id),
            counted=counted,
        )
        return progress, 0


def _fingerprint(editions: Editions) -> str:
    """What the rows depend on beside the facts: this program's version and the editions."""
    known = [f"{policy.edition}:{policy.digest}:{policy.benefits_digest}" for policy in editions]
    told = "\n".join([str(FORMAT), yibao.__version__, *sorted(known)])
    return hashlib.sha256(told.encode()).hexdigest()
