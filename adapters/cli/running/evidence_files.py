"""Proofs that stand by themselves: whoever checks them has neither a store nor its code."""

from pathlib import Path
from typing import NamedTuple

from yibao.adapters.views.words import Language, Words
from yibao.projections.evidence import (
    LONGEST,
    Consistency,
    NotProven,
    Proof,
    SignedCheckpoint,
    UnreadableEvidence,
    VerifierKey,
)

#: What is before the name of a fact in its entry: the mark, position, stream and version.
_BEFORE_NAME = len(b"yibao-fact-v1") + 8 + 16 + 8


class Checked(NamedTuple):
    """What a file proves, if it does: `kind` is `proof`, `consistency` or `note`.

    `size` are the entries of the note that vouches, `leaf` the index of the proven one from 0, and
    `position`, `version` and `name` those of the fact in it. `why` is what is not proven.
    """

    ok: bool
    kind: str
    origin: str | None = None
    size: int | None = None
    earlier: int | None = None
    leaf: int | None = None
    position: int | None = None
    version: int | None = None
    name: str | None = None
    why: str | None = None


def checked(file: Path, vkey: str) -> Checked:
    """Checks a proof, a consistency file or a note; raises UnreadableEvidence for anything else."""
    told = read_text(file)
    kind = "note"
    try:
        if told.startswith("c2sp.org/tlog-proof"):
            kind = "proof"
            proof = Proof.parse(told)
            return _proof(proof, key_given(vkey, proof.note))
        if told.startswith("yibao-consistency"):
            kind = "consistency"
            found = Consistency.parse(told)
            origin, size, _ = found.check(key_given(vkey, found.later)).checkpoint
            earlier = SignedCheckpoint.parse(found.earlier).checkpoint.size
            return Checked(True, kind, origin, size, earlier=earlier)
        origin, size, _ = SignedCheckpoint.checked(told, key_given(vkey, told)).checkpoint
        return Checked(True, kind, origin, size)
    except NotProven as error:
        return Checked(False, kind, why=str(error))


def _proof(proof: Proof, key: VerifierKey) -> Checked:
    origin, size, _ = proof.check(key).checkpoint
    found = Checked(True, "proof", origin, size, leaf=proof.leaf)
    entry = proof.entry
    if not entry.startswith(b"yibao-fact-v1") or len(entry) < _BEFORE_NAME + 2:
        return found
    position = int.from_bytes(entry[13:21])
    version = int.from_bytes(entry[37:45])
    ends = _BEFORE_NAME + 2 + int.from_bytes(entry[45:47])
    name = entry[_BEFORE_NAME + 2 : ends].decode("utf-8", "replace")
    return found._replace(position=position, version=version, name=name)


def key_given(given: str, note: str) -> VerifierKey:
    """The key that was given to verify a note with, or that for its log in a file of keys.

    Raises UnreadableEvidence for what is neither.
    """
    if "+" in given:
        return VerifierKey.parse(given)
    keys = [VerifierKey.parse(line) for line in read_text(Path(given)).splitlines()]
    origin = SignedCheckpoint.parse(note).checkpoint.origin
    for key in keys:
        if key.name == origin:
            return key
    raise UnreadableEvidence(f"{given!r} holds no key of the note's log")


def read_text(file: Path) -> str:
    """The text of a file; raises UnreadableEvidence where it cannot be read, or is none."""
    try:
        with file.open(encoding="utf-8", newline="") as opened:
            return opened.read(LONGEST + 1)
    except UnicodeDecodeError:
        raise UnreadableEvidence(f"{str(file)!r} is no text in UTF-8") from None
    except OSError as error:
        raise UnreadableEvidence(f"{str(file)!r} cannot be read: {error.strerror}") from error


def told_of(found: Checked, language: Language) -> str:
    """What a file proves, in a sentence."""
    words = Words(language)
    if not found.ok:
        return words("evidence", "not_proven", why=words.said(found.why or ""))
    kind = "entry" if found.kind == "proof" and found.name is None else found.kind
    return words("evidence", kind, **found._asdict())
