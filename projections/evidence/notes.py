"""Signed notes, and the checkpoints that a log signs (C2SP signed-note, tlog-checkpoint)."""

import re
from base64 import b64decode, b64encode
from binascii import Error
from collections.abc import Callable, Iterable
from hashlib import sha256
from typing import Final, NamedTuple, Self

from yibao.projections.evidence.errors import NotProven, UnreadableEvidence
from yibao.projections.evidence.tree import SIZE, Hash

#: Signs some bytes with an Ed25519 key.
Sign = Callable[[bytes], bytes]

_ED25519: Final = b"\x01"
_DASH: Final = "\u2014 "
#: As many signatures as a note may have, and characters, before we read no further.
MOST_SIGNATURES, LONGEST = 32, 1 << 20
#: What stands before the name of each log of a store.
ORIGIN: Final = re.compile(r"[^\s+/]+/yibao/[^\s+/]+")
_NAME: Final = re.compile(r"[^\s+]+")
_NUMBER: Final = re.compile(r"0|[1-9][0-9]{0,19}")


class VerifierKey(NamedTuple):
    """A public Ed25519 key with the name of whose it is; spelt as in `NAME+ID+KEY`."""

    name: str
    public: bytes

    @property
    def key_id(self) -> bytes:
        """By which signatures name the key."""
        return sha256(self.name.encode() + b"\n" + _ED25519 + self.public).digest()[:4]

    def __str__(self) -> str:
        return f"{self.name}+{self.key_id.hex()}+{b64encode(_ED25519 + self.public).decode()}"

    @classmethod
    def parse(cls, told: str) -> Self:
        """Raises UnreadableEvidence for what is no such key."""
        name, _, rest = told.strip().partition("+")
        key_id, _, spelt = rest.partition("+")
        key = b64(spelt)
        found = cls(name, key[1:])
        is_ours = key[:1] == _ED25519 and len(key) == 33 and _NAME.fullmatch(name)
        if not is_ours or found.key_id.hex() != key_id:
            raise UnreadableEvidence("is no verifier key of Ed25519, NAME+ID+KEY")
        return found

    def has_signed(self, text: str, signature: bytes) -> bool:
        """Whether a signature over a text is this key's."""
        from cryptography.exceptions import InvalidSignature
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

        try:
            Ed25519PublicKey.from_public_bytes(self.public).verify(signature, text.encode())
        except (InvalidSignature, ValueError):
            return False
        return True


class Signer(NamedTuple):
    """Who signs notes: the public key, what signs with it, and where the key is."""

    public: bytes
    sign: Sign
    file: str

    def key_of(self, origin: str) -> VerifierKey:
        """The key as those know it who verify a log."""
        return VerifierKey(origin, self.public)


class Signature(NamedTuple):
    """A line under a note: who signed, with which key, and how."""

    name: str
    key_id: bytes
    signature: bytes


class Note(NamedTuple):
    """A text, which ends its last line, and the signatures under it."""

    text: str
    signatures: tuple[Signature, ...]

    @classmethod
    def parse(cls, told: str) -> Self:
        """Raises UnreadableEvidence for what is no signed note."""
        if len(told) > LONGEST:
            raise UnreadableEvidence("the note is longer than any")
        if any(ord(each) < 32 and each != "\n" for each in told):
            raise UnreadableEvidence("the note holds control characters")
        text, blank, lines = told.rpartition("\n\n")
        if not blank or not lines.endswith("\n"):
            raise UnreadableEvidence("the note has no text with signatures behind an empty line")
        signed = lines[:-1].split("\n")
        if len(signed) > MOST_SIGNATURES:
            raise UnreadableEvidence("the note has more signatures than are read")
        return cls(text + "\n", tuple(map(_signature, signed)))

    @classmethod
    def signed(cls, text: str, signers: Iterable[tuple[VerifierKey, Sign]]) -> Self:
        """A text, signed by some in this order."""
        told = text.encode()
        return cls(
            text, tuple(Signature(key.name, key.key_id, sign(told)) for key, sign in signers)
        )

    def __str__(self) -> str:
        lines = (
            f"{_DASH}{name} {b64encode(key_id + signature).decode()}\n"
            for name, key_id, signature in self.signatures
        )
        return f"{self.text}\n{''.join(lines)}"

    def check_signed(self, *keys: VerifierKey) -> None:
        """Raises NotProven unless each of these keys has signed it."""
        for key in keys:
            own = [each for each in self.signatures if each[:2] == (key.name, key.key_id)]
            if not own:
                raise NotProven(f"the note is not signed with the key of {key.name}")
            if not all(key.has_signed(self.text, each.signature) for each in own):
                raise NotProven(f"the signature of {key.name} under the note is not over this text")


class Checkpoint(NamedTuple):
    """A log, named by its origin, had so many entries and this root."""

    origin: str
    size: int
    root: Hash

    @property
    def text(self) -> str:
        """As it is signed."""
        return f"{self.origin}\n{self.size}\n{b64encode(self.root).decode()}\n"

    @classmethod
    def parse(cls, text: str) -> Self:
        """Raises UnreadableEvidence for a text that is no checkpoint; further lines are left."""
        lines = text.removesuffix("\n").split("\n")
        if len(lines) < 3 or "" in lines:
            raise UnreadableEvidence(
                "the note is no checkpoint: origin, size and root, a line each"
            )
        origin, size, root = lines[0], whole_number(lines[1]), b64(lines[2])
        if len(root) != SIZE:
            raise UnreadableEvidence("the root in the note is no hash")
        return cls(origin, size, root)


class SignedCheckpoint(NamedTuple):
    """A checkpoint in its note."""

    checkpoint: Checkpoint
    note: Note

    @classmethod
    def parse(cls, told: str) -> Self:
        """Raises UnreadableEvidence for what is no note with a checkpoint; who signed is open."""
        note = Note.parse(told)
        return cls(Checkpoint.parse(note.text), note)

    @classmethod
    def checked(cls, told: str, key: VerifierKey) -> Self:
        """The same, signed by the log itself; raises NotProven where it is not."""
        found = cls.parse(told)
        if found.checkpoint.origin != key.name:
            raise NotProven(f"the note is of {found.checkpoint.origin}, and the key of {key.name}")
        found.note.check_signed(key)
        return found


def b64(spelt: str) -> bytes:
    """The bytes of a text in base64; raises UnreadableEvidence for any other spelling of them."""
    try:
        found = b64decode(spelt, validate=True)
    except (Error, ValueError):
        raise UnreadableEvidence("is not spelt in base64") from None
    if b64encode(found).decode() != spelt:
        raise UnreadableEvidence("is not spelt in base64")
    return found


def whole_number(spelt: str) -> int:
    """The number of digits without a zero in front; raises UnreadableEvidence for anything else."""
    if not _NUMBER.fullmatch(spelt):
        raise UnreadableEvidence("is no whole number")
    return int(spelt)


def _signature(line: str) -> Signature:
    name, _, spelt = line.removeprefix(_DASH).partition(" ")
    if not line.startswith(_DASH) or not _NAME.fullmatch(name):
        raise UnreadableEvidence("a line under the note is no signature")
    told = b64(spelt)
    if len(told) < 5:
        raise UnreadableEvidence("a line under the note is no signature")
    return Signature(name, told[:4], told[4:])
