"""What proves to whoever holds a key that a fact stands in the log, and that the log went on."""

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


def proofs(
    store: FactStore, evidence: Evidence, whose: EnrollmentId, version: int | None = None
) -> list[Proven]:
    """The proof of each fact of an enrollment, of its care after the others; or of one alone.

    A `version` is one of the enrollment's own stream. Raises NotProven where a fact is not what
    was signed, StoreError where no note was signed yet, BadValue where there is no such fact.
    """
    with evidence.reading(FACTS) as kept:
        last = kept.last_note()
        if last is None:
            raise StoreError("no note was signed yet: `yibao evidence checkpoint` signs one")
        tree = kept.tree(last.size)
        found: list[Proven] = []
        streams = [(whose.stream, False), *([(whose.care_stream, True)] if version is None else ())]
        for stream, is_care in streams:
            for row in store.stored_of(stream):
                if version in (None, row[2]):
                    proof = None
                    if row[0] <= last.position:
                        leaf = _leaf_of(kept, store, row)
                        proof = Proof(
                            FACTS.entry(*row), leaf, tuple(tree.inclusion(leaf)), last.note
                        )
                        proof.check(_key_in(kept))
                    found.append(Proven(row[2], is_care, proof))
    if not found:
        raise BadValue("version" if version else "ref", "there is no such fact")
    return found


def _key_in(kept: KeptLog) -> VerifierKey:
    there = kept.progress()
    assert there is not None  # a note was signed
    return VerifierKey.parse(there.vkey)


def _leaf_of(kept: KeptLog, store: FactStore, row: SqlRow) -> int:
    """The index of the row's entry: of the first of its tile, and of those in between."""
    position = row[0]
    tile = kept.tile_of(position)
    if tile is None:
        raise NotProven(f"the fact at position {position} lies before the first of the log")
    number, first = tile
    between = FACTS.rows(store, first, position, WIDTH + 1)
    return number * WIDTH + len(between) - 1


def consistency(evidence: Evidence, earlier: str, later: str, key: VerifierKey) -> Consistency:
    """What proves that the log of the later note goes on from that of the earlier one.

    Raises NotProven where it does not, or a note is not signed with the key.
    """
    notes = [SignedCheckpoint.checked(note, key).checkpoint for note in (earlier, later)]
    was, now = notes
    if was.origin != now.origin:
        raise NotProven(f"the notes are of two logs, {was.origin} and {now.origin}")
    if was.size > now.size:
        raise NotProven("the note that is to be the later one has fewer entries")
    with evidence.reading(log_of(now.origin)) as kept:
        found = Consistency(tuple(kept.tree(now.size).consistency(was.size)), earlier, later)
    found.check(key)
    return found
