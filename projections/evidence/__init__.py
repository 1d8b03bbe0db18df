"""The log's tree of hashes, its signed notes, and the proofs that stand by themselves."""

from yibao.projections.evidence.entries import (
    Entry,
    HashedFact,
    attempt_entry,
    fact_entry,
    fact_in,
    fact_leaves,
)
from yibao.projections.evidence.errors import NotProven, UnreadableEvidence
from yibao.projections.evidence.files import Consistency, Proof
from yibao.projections.evidence.notes import (
    LONGEST,
    ORIGIN,
    Checkpoint,
    Note,
    SignedCheckpoint,
    Signer,
    VerifierKey,
)
from yibao.projections.evidence.proofs import check_consistency, check_inclusion
from yibao.projections.evidence.tree import (
    EMPTY,
    SIZE,
    WIDTH,
    Hash,
    Tree,
    appended,
    leaf_hash,
    root_of,
)

__all__ = [
    "EMPTY",
    "LONGEST",
    "ORIGIN",
    "SIZE",
    "WIDTH",
    "Checkpoint",
    "Consistency",
    "Entry",
    "Hash",
    "HashedFact",
    "NotProven",
    "Note",
    "Proof",
    "SignedCheckpoint",
    "Signer",
    "Tree",
    "UnreadableEvidence",
    "VerifierKey",
    "appended",
    "attempt_entry",
    "check_consistency",
    "check_inclusion",
    "fact_entry",
    "fact_in",
    "fact_leaves",
    "leaf_hash",
    "root_of",
]
