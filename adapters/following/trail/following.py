"""Follows the facts and the refused attempts into the trail."""

from importlib.util import find_spec
from typing import TYPE_CHECKING, Final

from yibao.adapters.following.derived import Progress, Tables, WholeFollowed
from yibao.adapters.following.trail.batches import TrailBatch
from yibao.adapters.following.trail.rows import attempt_row, counted_row
from yibao.adapters.following.trail.store import TrailTransaction
from yibao.adapters.store import Halted, Reached, digest_of
from yibao.adapters.store.connections import Sql
from yibao.domain.kept import kept
from yibao.domain.refusals import UnreadableEvent

if TYPE_CHECKING:
    from yibao.adapters.following.trail.bulk import Bulk

#: So many facts are taken in at once where there are as many.
MANY: Final = 20_000


class TrailProjection(WholeFollowed[TrailTransaction]):
    """Keeps a trail up with a store."""

    name = "audit-trail"

    def transaction(self, tables: Tables, sql: Sql, side: str) -> TrailTransaction:
        return TrailTransaction(tables, sql, side)

    def batch(self, transaction: TrailTransaction) -> TrailBatch:
        return TrailBatch(self.store, self.editions, transaction, lambda: self._bulk)

    @property
    def whole_size(self) -> int:
        return MANY

    def at_once(self, facts: int) -> int:
        # Of very many it is asked together what they changed, of all who are like one another.
        return MANY if facts >= MANY and find_spec("numpy") else self.size

    @kept
    def _bulk(self) -> "Bulk | None":
        """Loaded for the first who need it; None where numpy is not installed."""
        if not find_spec("numpy"):
            return None
        from yibao.adapters.following.trail.bulk import Bulk

        return Bulk()

    def is_at(self, progress: Progress, there: Reached) -> bool:
        mine = (progress.position, progress.attempt, progress.counted)
        return progress.fanned is None and mine == tuple(there)

    def beyond_facts(
        self, transaction: TrailTransaction, progress: Progress, there: Reached
    ) -> Progress:
        try:
            kept = self.store.attempts_between(progress.attempt, there.attempt, self.size)
        except UnreadableEvent as error:
            raise Halted(f"a refused attempt cannot be read: {error}") from error
        transaction.insert(attempt_row(each) for each in kept)
        counted = progress.counted
        if counted != there.counted:
            counts = self.store.attempts_counted()
            transaction.replace_counted(counted_row(each) for each in counts)
            counted = digest_of(counts)
        all_kept = len(kept) < self.size
        return progress._replace(
            attempt=max(progress.attempt, there.attempt if all_kept else kept[-1].attempt_id),
            counted=counted,
        )
