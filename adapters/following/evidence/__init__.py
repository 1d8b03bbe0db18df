"""The evidence: a log of hashes beside the store, signed, published, and held against its rows."""

from yibao.adapters.following.evidence.following import Evidence
from yibao.adapters.following.evidence.layout import EVIDENCE
from yibao.adapters.following.evidence.logs import LOGS, Logged, LogName
from yibao.adapters.following.evidence.opening import (
    Everything,
    kept_evidence,
    open_evidence,
    take_along,
    there_is_evidence,
)
from yibao.adapters.following.evidence.proving import (
    Proven,
    Prover,
    consistency,
    open_prover,
    proofs,
)
from yibao.adapters.following.evidence.publishing import lacks, publish
from yibao.adapters.following.evidence.store import KeptNote
from yibao.adapters.following.evidence.verifying import Verified, verify

__all__ = [
    "EVIDENCE",
    "LOGS",
    "Everything",
    "Evidence",
    "KeptNote",
    "LogName",
    "Logged",
    "Proven",
    "Prover",
    "Verified",
    "consistency",
    "kept_evidence",
    "lacks",
    "open_evidence",
    "open_prover",
    "proofs",
    "publish",
    "take_along",
    "there_is_evidence",
    "verify",
]
