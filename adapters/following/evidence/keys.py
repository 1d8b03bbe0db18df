"""Keys outside the database: in a file, or behind a command that signs."""

import os
import shlex
import subprocess
from collections.abc import Callable
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

from yibao.adapters.store import StoreError
from yibao.adapters.store.files import written
from yibao.projections.evidence import Signer, VerifierKey

_OTHERS_TOO = 0o077


def make_key(file: Path) -> None:
    """Makes a key in a file of its owner's alone; raises NotWritten where one is there."""
    key = Ed25519PrivateKey.generate()
    with written(file) as new:
        new.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))


def is_open_to_others(file: Path) -> bool:
    """Whether anybody but its owner may read or write a key."""
    return bool(file.stat().st_mode & _OTHERS_TOO)


def read_signer(file: Path, command: str | None = None) -> Signer:
    """Who signs with the key in a file or, where that is the public one, by a command.

    The command gets what is to be signed on standard input and writes the 64 bytes of the
    signature. Raises StoreError for what is no Ed25519 key.
    """
    told = repr(str(file))
    try:
        pem = file.read_bytes()
    except OSError as error:
        raise StoreError(f"the key {told} cannot be read: {error.strerror}") from error
    kind = Ed25519PrivateKey if command is None else Ed25519PublicKey
    try:
        key = load_pem_private_key(pem, None) if command is None else load_pem_public_key(pem)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        key = None
    if not isinstance(key, kind):
        what = "private key in PKCS8" if command is None else "public key"
        raise StoreError(f"{told} holds no Ed25519 {what}")
    where = os.path.abspath(file)
    if isinstance(key, Ed25519PrivateKey):
        return Signer(_raw(key.public_key()), key.sign, where)
    assert isinstance(key, Ed25519PublicKey)
    assert command is not None
    return Signer(_raw(key), _by_command(shlex.split(command), _raw(key)), where)


def _raw(key: Ed25519PublicKey) -> bytes:
    return key.public_bytes(Encoding.Raw, PublicFormat.Raw)


def _by_command(command: list[str], public: bytes) -> Callable[[bytes], bytes]:
    def sign(told: bytes) -> bytes:
        try:
            done = subprocess.run(command, input=told, stdout=subprocess.PIPE, check=True)
        except (OSError, subprocess.SubprocessError, IndexError) as error:
            raise StoreError(f"the command that signs has failed: {type(error).__name__}") from None
        if not VerifierKey("", public).has_signed(told.decode(), done.stdout):
            raise StoreError("the command that signs did so with another key")
        return done.stdout

    return sign
