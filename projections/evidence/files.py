"""The files that prove something to whoever holds a key (C2SP tlog-proof, and our own)."""

from base64 import b64encode
from typing import Final, NamedTuple, Self

from yibao.projections.evidence.errors import NotProven, UnreadableEvidence
from yibao.projections.evidence.notes import (
    LONGEST,
    SignedCheckpoint,
    VerifierKey,
    b64,
    whole_number,
)
from yibao.projections.evidence.proofs import check_consistency, check_inclusion
from yibao.projections.evidence.tree import SIZE, Hash, leaf_hash

_PROOF: Final = "c2sp.org/tlog-proof@v1"
_CONSISTENCY: Final = "yibao-consistency-v1"
#: More than any path has: a log is numbered in 64 bits.
_LONGEST_PATH: Final = 64


class Proof(NamedTuple):
    """An entry stands in the log at an index, says the note (`.tlog-proof`)."""

    entry: bytes
    leaf: int
    path: tuple[Hash, ...]
    note: str

    def __str__(self) -> str:
        extra = f"extra {b64encode(self.entry).decode()}"
        return "\n".join([_PROOF, extra, f"index {self.leaf}", *_spelt(self.path), "", self.note])

    @classmethod
    def parse(cls, told: str) -> Self:
        """Raises UnreadableEvidence for what is no proof, or has no entry in it."""
        head, note = _parted(told)
        if head[0] != _PROOF or len(head) < 3 or not head[1].startswith("extra "):
            raise UnreadableEvidence(f"is no proof: {_PROOF}, with the entry as its extra")
        entry, index = b64(head[1].removeprefix("extra ")), _numbered(head[2], "index ")
        return cls(entry, index, _path(head[3:]), note)

    def check(self, key: VerifierKey) -> SignedCheckpoint:
        """The checkpoint in whose log the entry stands; raises NotProven where it does not."""
        signed = SignedCheckpoint.checked(self.note, key)
        _, size, root = signed.checkpoint
        check_inclusion(self.leaf, size, leaf_hash(self.entry), self.path, root)
        return signed


class Consistency(NamedTuple):
    """The log of the later note goes on from that of the earlier one."""

    path: tuple[Hash, ...]
    earlier: str
    later: str

    def __str__(self) -> str:
        sizes = [SignedCheckpoint.parse(note).checkpoint.size for note in self[1:]]
        head = [_CONSISTENCY, f"from {sizes[0]}", f"to {sizes[1]}", *_spelt(self.path)]
        return "\n".join([*head, "", self.earlier, self.later])

    @classmethod
    def parse(cls, told: str) -> Self:
        """Raises UnreadableEvidence for what is no such file."""
        head, notes = _parted(told)
        if head[0] != _CONSISTENCY or len(head) < 3:
            raise UnreadableEvidence(f"is no proof: {_CONSISTENCY}")
        # Behind the signatures of the earlier note stands an empty line, and no other in them.
        text, _, rest = notes.partition("\n\n")
        signatures, _, later = rest.partition("\n\n")
        earlier = f"{text}\n\n{signatures}\n"
        found = cls(_path(head[3:]), earlier, later)
        sizes = [SignedCheckpoint.parse(note).checkpoint.size for note in (earlier, later)]
        if sizes != [_numbered(head[1], "from "), _numbered(head[2], "to ")]:
            raise UnreadableEvidence("the sizes are not those of the notes")
        return found

    def check(self, key: VerifierKey, later_key: VerifierKey | None = None) -> SignedCheckpoint:
        """The later checkpoint; raises NotProven where it does not go on from the earlier.

        `later_key` is that of the later note, where the key was handed over in between.
        """
        earlier = SignedCheckpoint.checked(self.earlier, key).checkpoint
        signed = SignedCheckpoint.checked(self.later, later_key or key)
        later = signed.checkpoint
        if earlier.origin != later.origin:
            raise NotProven(f"the notes are of two logs, {earlier.origin} and {later.origin}")
        check_consistency(earlier.size, later.size, self.path, earlier.root, later.root)
        return signed


def _parted(told: str) -> tuple[list[str], str]:
    if len(told) > LONGEST:
        raise UnreadableEvidence("the proof is longer than any")
    head, _, rest = told.partition("\n\n")
    return head.split("\n"), rest


def _numbered(line: str, name: str) -> int:
    if not line.startswith(name):
        raise UnreadableEvidence(f"a line of the proof does not begin with {name.strip()!r}")
    return whole_number(line.removeprefix(name))


def _spelt(path: tuple[Hash, ...]) -> list[str]:
    return [b64encode(each).decode() for each in path]


def _path(lines: list[str]) -> tuple[Hash, ...]:
    if len(lines) > _LONGEST_PATH:
        raise UnreadableEvidence("the proof is longer than any")
    found = tuple(b64(line) for line in lines)
    if any(len(each) != SIZE for each in found):
        raise UnreadableEvidence("a line of the proof is no hash")
    return found
