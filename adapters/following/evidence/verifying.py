"""Is every row of a store what a note held outside says?"""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from datetime import timedelta
from itertools import chain
from operator import itemgetter
from typing import Final, Literal, NamedTuple

from yibao.adapters.following.derived import instant_of
from yibao.adapters.following.evidence.following import Evidence
from yibao.adapters.following.evidence.logs import Logged, log_of
from yibao.adapters.following.evidence.store import KeptLog, KeptNote
from yibao.adapters.store import FactStore, stamp_in
from yibao.adapters.store.connections import SqlRow
from yibao.projections.evidence import (
    EMPTY,
    SIZE,
    WIDTH,
    Checkpoint,
    Hash,
    SignedCheckpoint,
    VerifierKey,
    cut,
    root_of,
)

#: How many rows are read at a time.
BATCH: Final = 20_000
#: How long before a note a fact may have been recorded that the note does not have.
ON_THE_WAY: Final = timedelta(minutes=2)
#: As many warnings are told one by one; how many more there are is told in the last.
MOST_WARNINGS: Final = 100


class Verified(NamedTuple):
    """What became of a log since a note of `size` entries; there are `rows` now.

    `kind` is `altered`, where some row is not what was signed, or `truncated`, where the last of
    them are lost, as in a backup that was restored; None where all stands. `leaf` is the index of
    the first difference, from 0, None where that cannot be told because the tiles do not fit the
    note either; `position` that of the row found there, if any. `warnings` are what no tree tells.
    """

    ok: bool
    size: int
    rows: int
    kind: Literal["altered", "truncated"] | None
    leaf: int | None
    position: int | None
    warnings: tuple[str, ...]


def verify(store: FactStore, evidence: Evidence | None, note: str, key: VerifierKey) -> Verified:
    """Holds every row of a store against a note.

    The tiles, where there are any, tell which row differs, as far as they fit the note. Raises
    NotProven where the note is not signed with the key, UnreadableEvidence where it is none.
    """
    checkpoint = SignedCheckpoint.checked(note, key).checkpoint
    logged = log_of(checkpoint.origin)
    tiles, notes, warnings = None, list[KeptNote](), list[str]()
    if evidence is not None:
        with evidence.reading(logged) as kept:
            tiles, notes = _tiles(kept, checkpoint), kept.notes()
        if tiles is None:
            warnings.append("the tiles kept beside the store do not fit the note")
    verification, late = _Verification(logged, checkpoint, tiles), _Late(notes)
    for batch in logged.batches(store, BATCH):
        verification.take(batch)
        if logged.name == "facts":
            late.take(batch)
    return verification.told([*warnings, *late.told()])


def _tiles(kept: KeptLog, checkpoint: Checkpoint) -> list[bytes] | None:
    """The tiles of leaves, where the note vouches for them: their root is the note's."""
    ends = range(WIDTH, checkpoint.size + WIDTH, WIDTH)
    tiles = [
        kept.tile(0, number)[: SIZE * (WIDTH - max(end - checkpoint.size, 0))]
        for number, end in enumerate(ends)
    ]
    if sum(map(len, tiles)) != checkpoint.size * SIZE:
        return None
    root = root_of([root_of(cut(tile)) for tile in tiles]) if tiles else EMPTY
    return tiles if root == checkpoint.root else None


class _Verification:
    """One pass over the rows of a log."""

    def __init__(self, logged: Logged, checkpoint: Checkpoint, tiles: list[bytes] | None) -> None:
        self._logged = logged
        self._checkpoint = checkpoint
        self._expected = chain.from_iterable(map(cut, tiles)) if tiles is not None else None
        #: The hashes of the rows, where nothing else tells what is to be expected.
        self._own: list[Hash] = []
        self._rows = 0
        self._differs: tuple[int, int] | None = None

    def take(self, batch: Sequence[SqlRow]) -> None:
        """Takes some more rows."""
        leaves = self._logged.leaves(batch[: max(self._checkpoint.size - self._rows, 0)])
        if self._expected is None:
            self._own += leaves
        elif self._differs is None:
            # The leaves first: where they end, nothing of what the next ones are to be is taken.
            for place, (found, told) in enumerate(zip(leaves, self._expected, strict=False)):
                if told != found:
                    self._differs = self._rows + place, batch[place][0]
                    break
        self._rows += len(batch)

    def told(self, warnings: Iterable[str]) -> Verified:
        size, root = self._checkpoint.size, self._checkpoint.root
        verified = Verified(True, size, self._rows, None, None, None, tuple(warnings))
        if self._differs:
            leaf, position = self._differs
            return verified._replace(ok=False, kind="altered", leaf=leaf, position=position)
        if self._rows < size:
            return verified._replace(ok=False, kind="truncated", leaf=self._rows)
        if self._expected is None and (root_of(self._own) if self._own else EMPTY) != root:
            return verified._replace(ok=False, kind="altered")
        return verified


class _Late:
    """Looks for facts that say they were recorded before a note that does not have them."""

    def __init__(self, notes: Sequence[KeptNote]) -> None:
        self._notes = [(note.size, instant_of(note.signed)) for note in notes]
        self._index = 0
        self._found = 0
        self._told: list[str] = []

    def take(self, batch: Sequence[SqlRow]) -> None:
        """Takes some more rows."""
        for position, *_, state in batch:
            note = bisect_right(self._notes, self._index, key=itemgetter(0)) - 1
            if note >= 0:
                size, signed = self._notes[note]
                stamp = stamp_in(state) if isinstance(state, bytes) else None
                if stamp is not None and stamp < signed - ON_THE_WAY:
                    self._found += 1
                    if self._found <= MOST_WARNINGS:
                        self._told.append(
                            f"the fact at position {position} says it was recorded at "
                            f"{stamp.isoformat()}, and the note of {size} entries, signed at "
                            f"{signed.isoformat()}, does not have it"
                        )
            self._index += 1

    def told(self) -> list[str]:
        more = self._found - MOST_WARNINGS
        return [*self._told, *([f"so it is with {more} more"] if more > 0 else ())]
