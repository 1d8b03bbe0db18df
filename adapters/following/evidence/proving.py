"""What proves to whoever holds a key that a fact stands in the log, and that the log went on."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

from yibao.adapters.following.evidence.following import Evidence
from yibao.adapters.following.evidence.logs import FACTS, log_of
from yibao.adapters.following.evidence.store import KeptLog
from yibao.adapters.store import FactStore, StoreError
from yibao.adapters.store.connections import SqlRow
from yibao.domain.refusals import BadValue
from yibao.domain.vocabulary import EnrollmentId
from yibao.projections.evidence import (
    WIDTH,
    Consistency,
    NotProven,
    Proof,
    SignedCheckpoint,
    VerifierKey,
)


class Proven(NamedTuple):
    """The proof of a fact; None where it is newer than the last note. `version` is its own.

    `is_care` tells that it stands in the stream of the care.
    """

    version: int
    is_care: bool
    proof: Proof | None


class Prover:
    """Proves facts by the last note that was signed, and by it alone."""

    def __init__(self, store: FactStore, kept: KeptLog) -> None:
        """Raises StoreError where no note was signed yet."""
        there, last = kept.progress(), kept.last_note()
        if there is None or last is None:
            raise StoreError("no note was signed yet: `yibao evidence checkpoint` signs one")
        self._store = store
        self._kept = kept
        self._last = last
        self._key = VerifierKey.parse(there.vkey)
        self._tree = kept.tree(last.size)

    def of(self, row: SqlRow) -> Proof | None:
        """The proof of a row as it is stored; None where it is newer than the note.

        Raises NotProven where it is not what was signed.
        """
        if row[0] > self._last.position:
            return None
        leaf = self._leaf_of(row[0])
        path = tuple(self._tree.inclusion(leaf))
        proof = Proof(FACTS.entry(*row), leaf, path, self._last.note)
        proof.check(self._key)
        return proof

    def at(self, position: int) -> Proof | None:
        """The proof of the fact at a position, as of its row."""
        (row,) = FACTS.rows(self._store, position, position, 1)
        return self.of(row)

    def _leaf_of(self, position: int) -> int:
        """The index of the entry there: of the first of its tile, and of those in between."""
        tile = self._kept.tile_of(position)
        if tile is None:
            raise NotProven(f"the fact at position {position} lies before the first of the log")
        number, first = tile
        between = FACTS.rows(self._store, first, position, WIDTH + 1)
        return number * WIDTH + len(between) - 1


@contextmanager
def open_prover(store: FactStore, evidence: Evidence) -> Iterator[Prover]:
    """What proves facts of a store; raises StoreError where no note was signed yet."""
    with evidence.reading(FACTS) as kept:
        yield Prover(store, kept)


def proofs(
    store: FactStore, evidence: Evidence, whose: EnrollmentId, version: int | None = None
) -> list[Proven]:
    """The proof of each fact of an enrollment, of its care after the others; or of one alone.

    A `version` is one of the enrollment's own stream. Raises NotProven where a fact is not what
    was signed, StoreError where no note was signed yet, BadValue where there is no such fact.
    """
    streams = [(whose.stream, False), *([(whose.care_stream, True)] if version is None else ())]
    with open_prover(store, evidence) as prover:
        found = [
            Proven(row[2], is_care, prover.of(row))
            for stream, is_care in streams
            for row in store.stored_of(stream)
            if version in (None, row[2])
        ]
    if not found:
        raise BadValue("version" if version else "ref", "there is no such fact")
    return found


def consistency(
    evidence: Evidence,
    earlier: str,
    later: str,
    key: VerifierKey,
    later_key: VerifierKey | None = None,
) -> Consistency:
    """What proves that the log of the later note goes on from that of the earlier one.

    `later_key` is that of the later note, where the key was handed over in between. Raises
    NotProven where it does not, or a note is not signed with its key.
    """
    was = SignedCheckpoint.checked(earlier, key).checkpoint
    now = SignedCheckpoint.checked(later, later_key or key).checkpoint
    if was.origin != now.origin:
        raise NotProven(f"the notes are of two logs, {was.origin} and {now.origin}")
    if was.size > now.size:
        raise NotProven("the note that is to be the later one has fewer entries")
    with evidence.reading(log_of(now.origin)) as kept:
        found = Consistency(tuple(kept.tree(now.size).consistency(was.size)), earlier, later)
    found.check(key, later_key)
    return found
