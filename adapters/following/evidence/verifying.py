"""Is every row of a store what a note held outside says?"""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from operator import itemgetter
from typing import Final, Literal, NamedTuple

from yibao.adapters.following.derived import instant_of
from yibao.adapters.following.evidence.following import Evidence
from yibao.adapters.following.evidence.logs import Logged, log_of
from yibao.adapters.following.evidence.store import KeptLog, KeptNote
from yibao.adapters.store import FactStore, stamp_in, stamp_told
from yibao.adapters.store.connections import SqlRow
from yibao.projections.evidence import (
    EMPTY,
    SIZE,
    WIDTH,
    Checkpoint,
    Hash,
    SignedCheckpoint,
    VerifierKey,
    root_of,
)

#: How many rows are read at a time: more of them would not stay in the processor's cache.
BATCH: Final = 1024
#: How many bytes of hashes are made one at a time: those of full tiles, a power of two.
PART: Final = 64 * WIDTH * SIZE
#: How long before a note a fact may have been recorded that the note does not have.
ON_THE_WAY: Final = timedelta(minutes=2)
_ZONE: Final = b"+08:00"
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
    expected, notes, warnings = None, list[KeptNote](), list[str]()
    if evidence is not None:
        with evidence.reading(logged) as kept:
            expected, notes = _expected(kept, checkpoint), kept.notes()
            is_kept = kept.progress() is not None
        if expected is None and is_kept:
            warnings.append("the tiles kept beside the store do not fit the note")
    verification, late = _Verification(logged, checkpoint, expected), _Late(notes)
    for batch in logged.batches(store, BATCH):
        verification.take(batch)
        if logged.name == "facts":
            late.take(batch)
    return verification.told([*warnings, *late.told()])


def _expected(kept: KeptLog, checkpoint: Checkpoint) -> bytes | None:
    """The hashes of the entries, where the note vouches for them: their root is the note's."""
    leaves = kept.leaves(checkpoint.size)
    is_whole = len(leaves) == checkpoint.size * SIZE
    return leaves if is_whole and _root(leaves) == checkpoint.root else None


def _root(leaves: bytes | bytearray) -> Hash:
    """The root over the hashes of entries."""
    # A power of two at a time: of all at once the level above would not fit beside them.
    tops = [root_of(bytes(leaves[at : at + PART])) for at in range(0, len(leaves), PART)]
    return root_of(b"".join(tops)) if tops else EMPTY


class _Verification:
    """One pass over the rows of a log."""

    def __init__(self, logged: Logged, checkpoint: Checkpoint, expected: bytes | None) -> None:
        self._logged = logged
        self._checkpoint = checkpoint
        self._expected = expected
        #: The hashes of the rows, where nothing else tells what is to be expected.
        self._own = bytearray()
        self._rows = 0
        self._differs: tuple[int, int] | None = None

    def take(self, batch: Sequence[SqlRow]) -> None:
        """Takes some more rows."""
        if self._differs is None:
            leaves = self._logged.leaves(batch[: max(self._checkpoint.size - self._rows, 0)])
            found = b"".join(leaves)
            if self._expected is None:
                self._own += found
            else:
                begins = self._rows * SIZE
                told = self._expected[begins : begins + len(found)]
                if found != told:
                    same = (told[at * SIZE :].startswith(leaf) for at, leaf in enumerate(leaves))
                    place = [*same].index(False)
                    self._differs = self._rows + place, batch[place][0]
        self._rows += len(batch)

    def told(self, warnings: Iterable[str]) -> Verified:
        size, root = self._checkpoint.size, self._checkpoint.root
        verified = Verified(True, size, self._rows, None, None, None, tuple(warnings))
        if self._differs:
            leaf, position = self._differs
            return verified._replace(ok=False, kind="altered", leaf=leaf, position=position)
        if self._rows < size:
            return verified._replace(ok=False, kind="truncated", leaf=self._rows)
        if self._expected is None and _root(self._own) != root:
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
        taken = 0
        while taken < len(batch):
            following = bisect_right(self._notes, self._index, key=itemgetter(0))
            of_note = len(batch) - taken
            if following < len(self._notes):
                of_note = min(of_note, self._notes[following][0] - self._index)
            if following:
                self._look(batch[taken : taken + of_note], *self._notes[following - 1])
            taken += of_note
            self._index += of_note

    def _look(self, rows: Sequence[SqlRow], size: int, signed: datetime) -> None:
        """Looks through rows that come after a note and before the next."""
        earliest = signed - ON_THE_WAY
        spelt = earliest.isoformat().encode()
        for position, *_, state in rows:
            # As stamps are spelt, a later one is the larger text: that tells of nearly all.
            if (
                type(state) is bytes
                and (told := stamp_told(state)).endswith(_ZONE)
                and told > spelt
            ):
                continue
            stamp = stamp_in(state) if isinstance(state, bytes) else None
            if stamp is not None and stamp < earliest:
                self._found += 1
                if self._found <= MOST_WARNINGS:
                    self._told.append(
                        f"the fact at position {position} says it was recorded at "
                        f"{stamp.isoformat()}, and the note of {size} entries, signed at "
                        f"{signed.isoformat()}, does not have it"
                    )

    def told(self) -> list[str]:
        more = self._found - MOST_WARNINGS
        return [*self._told, *([f"so it is with {more} more"] if more > 0 else ())]
