"""What is sealed and how: AES-256-GCM, under a key of each person's own, wrapped by another.

The key in a file wraps the others and does nothing else, so that it can be changed (`rekey`)
without any of what is sealed being written anew.
"""

import hashlib
import hmac
import json
import secrets
from typing import Final, NamedTuple

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from yibao.adapters.store import StoreError

#: A key, and what is drawn anew for each sealing, in bytes.
KEY, NONCE = 32, 12


class Entry(NamedTuple):
    """Who somebody is, as her school's registry has it; `document` is the kind of it."""

    school: str
    number: str
    name: str
    document: str
    document_number: str

    def __repr__(self) -> str:
        return "<Entry of a person>"  # nothing of her stands in a log


class Wrapping:
    """Wraps keys under one derived from the key in a file."""

    def __init__(self, master: bytes) -> None:
        derived = HKDF(SHA256(), KEY, None, b"yibao directory: wrapping of keys").derive(master)
        self._cipher = AESGCM(derived)

    def wrapped(self, key: bytes, bound: str) -> bytes:
        """A key wrapped, bound to whose it is."""
        return _encrypted(self._cipher, key, bound)

    def unwrapped(self, wrapped: bytes, bound: str) -> bytes:
        """The key; raises StoreError where it was wrapped under another, or for somebody else."""
        try:
            return _decrypted(self._cipher, wrapped, bound)
        except InvalidTag:
            raise StoreError(
                "the directory's key is not the one that its keys are wrapped with"
            ) from None


def new_key() -> bytes:
    return secrets.token_bytes(KEY)


def new_ref() -> str:
    """A reference that tells nothing of whose it is."""
    return f"p-{secrets.token_hex(8)}"


def sealed(entry: Entry, key: bytes, ref: str) -> bytes:
    """An entry sealed under a person's key, bound to her reference."""
    told = json.dumps(entry, ensure_ascii=False, separators=(",", ":")).encode()
    return _encrypted(AESGCM(key), told, ref)


def opened(sealing: bytes, key: bytes, ref: str) -> Entry:
    """The entry; raises StoreError where it is not as it was sealed, or somebody else's."""
    try:
        return Entry(*json.loads(_decrypted(AESGCM(key), sealing, ref)))
    except InvalidTag:
        raise StoreError(f"the entry of {ref} in the directory was altered") from None


def lookup(key: bytes, school: str, number: str) -> bytes:
    """By what a student number of a school is found, and nothing of it read."""
    return hmac.digest(key, _joined(school, number), hashlib.sha256)


def keyed(key: bytes, *parts: str) -> str:
    """A word of 32 digits, the same for the same parts, of which nothing can be read."""
    return hmac.digest(key, _joined(*parts), hashlib.sha256).hex()[:32]


def _joined(*parts: str) -> bytes:
    return json.dumps(parts).encode()


def _encrypted(cipher: AESGCM, told: bytes, bound: str) -> bytes:
    nonce = secrets.token_bytes(NONCE)
    return nonce + cipher.encrypt(nonce, told, bound.encode())


def _decrypted(cipher: AESGCM, sealing: bytes, bound: str) -> bytes:
    return cipher.decrypt(sealing[:NONCE], sealing[NONCE:], bound.encode())


#: The keys beside those of people: of look-ups, and of the ids of commands.
SECRETS: Final = ("lookup", "commands")
