"""Proofs that stand by themselves: whoever checks them has neither a store nor its code."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple
from uuid import UUID

from pydantic import ValidationError

from yibao.adapters.shapes import fact_json
from yibao.adapters.views.words import Language, Words
from yibao.domain.facts.events import EVENTS, StreamKind
from yibao.domain.refusals import BadValue
from yibao.domain.vocabulary import EnrollmentId, edition_stream
from yibao.projections.evidence import (
    LONGEST,
    Consistency,
    Entry,
    NotProven,
    Proof,
    SignedCheckpoint,
    UnreadableEvidence,
    VerifierKey,
    fact_in,
)

#: How much of a document is read at most, in characters.
LARGEST: Final = 1 << 28
#: What is told of every fact in a dossier and an export, whether it is proven there or not.
_OF_A_FACT: Final = {"kind", "event_id", "recorded_at", "values"}
#: With what a proof begins, and all of one that stands in a text or a page.
_PROOF: Final = "c2sp.org/tlog-proof"
_PROOFS: Final = re.compile(
    r"c2sp\.org/tlog-proof@v1\n(?:\S.*\n)+\n(?:\S.*\n)+\n(?:\N{EM DASH} \S+ [\w+/=]+\n)+"
)


class Checked(NamedTuple):
    """What a file proves, if it does: `kind` is `proof`, `consistency` or `note`.

    It is None where that cannot be read.

    `size` are the entries of the note that vouches, `leaf` the index of the proven one from 0, and
    `position`, `version` and `name` those of the fact in it. `why` is what is not proven. A
    `document` carries `proofs`, and is proven where all of them hold and no fact lacks one.
    """

    ok: bool
    kind: str | None
    origin: str | None = None
    size: int | None = None
    earlier: int | None = None
    leaf: int | None = None
    position: int | None = None
    version: int | None = None
    name: str | None = None
    why: str | None = None
    proofs: int | None = None

    def as_json(self) -> dict[str, Any]:
        """Plain JSON values; what only a document has is told of a document alone."""
        told = self._asdict()
        if self.kind != "document":
            del told["proofs"]
        return told


def checked(file: Path, vkey: str) -> Checked:
    """Checks a proof, a consistency file, a note, or all proofs in a dossier or an audit export.

    Raises UnreadableEvidence for anything else.
    """
    told = read_text(file, LARGEST)
    if (carried := list(_carried(told))) and not told.startswith(_PROOF):
        return _document(carried, vkey)
    kind = "note"
    try:
        if told.startswith(_PROOF):
            kind = "proof"
            proof = Proof.parse(told)
            return _proof(proof, key_given(vkey, proof.note))
        if told.startswith("yibao-consistency"):
            kind = "consistency"
            found = Consistency.parse(told)
            keys = key_given(vkey, found.earlier), key_given(vkey, found.later)
            origin, size, _ = found.check(*keys).checkpoint
            earlier = SignedCheckpoint.parse(found.earlier).checkpoint.size
            return Checked(True, kind, origin, size, earlier=earlier)
        origin, size, _ = SignedCheckpoint.checked(told, key_given(vkey, told)).checkpoint
        return Checked(True, kind, origin, size)
    except NotProven as error:
        return Checked(False, kind, why=str(error))


def unreadable(why: str) -> Checked:
    """What stands in the place of what was checked, where that could not be read."""
    return Checked(False, None, why=why)


def _proof(proof: Proof, key: VerifierKey) -> Checked:
    origin, size, _ = proof.check(key).checkpoint
    found = Checked(True, "proof", origin, size, leaf=proof.leaf)
    fact = fact_in(proof.entry)
    if fact is None:
        return found
    return found._replace(position=fact.position, version=fact.version, name=fact.name)


def key_given(given: str, note: str) -> VerifierKey:
    """The key that was given to verify a note with, or that for its log in a file of keys.

    Of several for its log, which was handed over, that with which it is signed. Raises
    UnreadableEvidence for what is neither.
    """
    if "+" in given:
        return VerifierKey.parse(given)
    keys = [VerifierKey.parse(line) for line in read_text(Path(given)).splitlines()]
    (origin, *_), told = SignedCheckpoint.parse(note)
    of_log = [key for key in keys if key.name == origin]
    if not of_log:
        raise UnreadableEvidence(f"{given!r} holds no key of the note's log")
    signed = {each[:2] for each in told.signatures}
    return next((key for key in of_log if (key.name, key.key_id) in signed), of_log[0])


def read_text(file: Path, most: int = LONGEST) -> str:
    """The text of a file; raises UnreadableEvidence where it cannot be read, or is none."""
    try:
        with file.open(encoding="utf-8", newline="") as opened:
            return opened.read(most + 1)
    except UnicodeDecodeError:
        raise UnreadableEvidence(f"{str(file)!r} is no text in UTF-8") from None
    except OSError as error:
        raise UnreadableEvidence(f"{str(file)!r} cannot be read: {error.strerror}") from error


def told_of(found: Checked, language: Language) -> str:
    """What a file proves, in a sentence."""
    words = Words(language)
    if not found.ok:
        return words("evidence", "not_proven", why=words.said(found.why or ""))
    kind = "entry" if found.kind == "proof" and found.name is None else str(found.kind)
    return words("evidence", kind, **found._asdict())


class _Carried(NamedTuple):
    """A proof in a document: what is told of the fact beside it, where that stands in JSON."""

    proof: str | None
    told: Mapping[str, Any] | None = None


def _carried(told: str) -> Iterator[_Carried]:
    try:
        document = json.loads(told) if told.lstrip().startswith("{") else None
    except (ValueError, RecursionError) as error:
        raise UnreadableEvidence("the document is no JSON") from error
    if document is None:
        yield from (_Carried(found.group()) for found in _PROOFS.finditer(told))
        return
    waiting = [document]
    while waiting:
        each = waiting.pop()
        if isinstance(each, dict) and ("proof" in each or each.keys() >= _OF_A_FACT):
            yield _Carried(each.get("proof"), each)
        elif isinstance(each, dict | list):
            waiting += reversed(each.values() if isinstance(each, dict) else each)


def _document(carried: Sequence[_Carried], vkey: str) -> Checked:
    """Whether each fact in a document has a proof that holds, and is told as it was signed.

    What was refused is no fact, and has none.
    """
    facts = [each for each in carried if each.told is None or each.told.get("event_id")]
    found = Checked(True, "document", proofs=len(facts))
    for each in facts:
        if each.proof is None:
            told = "was it made up, or newer than the last note?"
            return found._replace(ok=False, why=f"a fact in the document has no proof: {told}")
        if not isinstance(each.proof, str):
            raise UnreadableEvidence("a proof in the document is no text")
        proof = Proof.parse(each.proof)
        try:
            one = _proof(proof, key_given(vkey, proof.note))
            if each.told is not None:
                _check_told(proof.entry, each.told)
        except NotProven as error:
            return found._replace(ok=False, why=str(error))
        found = found._replace(origin=one.origin, size=one.size)
    return found


def _check_told(entry: Entry, told: Mapping[str, Any]) -> None:
    """Raises NotProven where a fact is told otherwise than it was signed, or of somebody else.

    What follows from facts, as what each changed, stands in no entry.
    """
    hashed = fact_in(entry)
    if hashed is None or hashed.name not in EVENTS:
        raise NotProven("what is proven is no fact")
    kind = EVENTS[hashed.name]
    columns = {"originator_id": hashed.stream, "originator_version": hashed.version}
    try:
        event = kind.model_validate_json(hashed.state).model_copy(update=columns)
    except ValidationError:
        raise NotProven("what is proven is no fact") from None
    signed = {**fact_json(event), "stream": hashed.stream}
    of_told = {**told, "stream": _stream_told(kind.stands_in, told, hashed.stream)}
    for name, value in signed.items():
        if of_told.get(name) != value:
            where = f"the fact at position {hashed.position}"
            raise NotProven(f"{where} is told otherwise than it was signed: {name}")


def _stream_told(kind: StreamKind, told: Mapping[str, Any], signed: UUID) -> UUID | None:
    """The stream in which a fact stands that is told of so."""
    try:
        if kind is StreamKind.EDITION or told.get("ref") is None:
            return edition_stream(told["edition"]) if told.get("edition") else signed
        whose = EnrollmentId(told["ref"], told.get("fact_year") or told["year"])
        streams = {whose.stream, whose.care_stream}
    except (BadValue, KeyError):
        return None
    return signed if signed in streams else None
