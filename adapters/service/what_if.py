"""What an edited edition would change for everybody, asked of the facts as they are."""

import os
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from yibao.adapters.service.given import instant_of
from yibao.adapters.service.opened import Opened
from yibao.adapters.store import StoreError
from yibao.domain.refusals import BadValue

if TYPE_CHECKING:  # what records and answers should not have to load these
    from yibao.adapters.following.cohort import Kept
    from yibao.projections.cohort.what_if import WhatIf


class WhatIfs(Opened):
    """What is asked of everybody under an edition that nobody has yet."""

    def what_if(
        self,
        *,
        edition: str | os.PathLike[str],
        instead_of: str = "shanghai-2025",
        known_at: datetime | str | None = None,
    ) -> "WhatIf":
        """What would change for everybody registered under an edition, were it the one in a file.

        Asked are the facts as known by an instant, and about that instant; by default everything
        recorded, and now. Nothing is recorded. The file may name its edition anything, and extend
        another. Raises SourceError, with line and column, where it is not right; BadValue where it
        is of another benefit year, and for a naive instant; UnknownEdition for one that is not at
        hand, UnreadableEvent where a fact cannot be read, and StoreError where the store fails.
        """
        from yibao.adapters.following.cohort import editions_known
        from yibao.projections.cohort.what_if import WhatIf

        self._store.check_process()
        with self._telemetry.question("what_if"):
            cutoff = None if known_at is None else instant_of(known_at, "known_at")
            if not isinstance(edition, str | os.PathLike):
                raise BadValue("edition", "must be the path of a file")
            replaced, edited = self.editions.get(instead_of), self.editions.check(Path(edition))
            if edited.year != replaced.year:
                told = f"is of the benefit year {edited.year}, and {instead_of} of {replaced.year}"
                raise BadValue("edition", told)
            now = self._clock()
            at, kept = cutoff or now, self._kept(cutoff, instead_of)
            if kept is None:
                records = self._store.records(self.editions, now)
                known = (record.known_by(cutoff or record.latest) for record in records)
                return WhatIf(known, replaced, edited, at)
            from yibao.adapters.service.columns import outcomes

            edition_of = editions_known(self._store, self.editions, kept.as_of, cutoff)
            together, apart = outcomes(kept, edition_of, replaced, edited, at)
            records = self._store.records_of(apart, self.editions, kept.as_of, now)
            known = (record.known_by(cutoff or record.latest) for record in records)
            return WhatIf(known, replaced, edited, at, together)

    def _kept(self, cutoff: datetime | None, policy: str) -> "Kept | None":
        """What is known of everybody under an edition, as columns, where there are such."""
        from yibao.adapters.following.cohort import Whose

        # Where the cohort is not to be had, the facts themselves are asked.
        with suppress(StoreError):
            return self._everybody().kept(cutoff, Whose(policy=policy))
        return None
