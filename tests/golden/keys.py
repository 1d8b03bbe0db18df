"""What stands beside a store and cannot be made anew of it: the directory, and the signed log.

Its keys are written here, as they keep nothing that is a secret.
"""

from hashlib import sha256
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from yibao.adapters.office.directory import DirectorySettings, Entry, Person

ORIGIN = "school.example/yibao/golden"
SCHOOL = "sjtu"
#: Plainly nobody: county 99 is none.
PEOPLE = (
    Person("ada", Entry(SCHOOL, "525001", "样本一", "resident_id_card", "990101200601010018")),
    Person("bo", Entry(SCHOOL, "525002", "样本二", "passport", "E99000001")),
)


def directory_in(folder: Path) -> DirectorySettings:
    """The settings of a directory in a folder, with its key."""
    key = _secret(folder / "directory.key", sha256(b"the golden directory").digest())
    return DirectorySettings(directory=str(folder / "people.db"), directory_key=key)


def signing_key(folder: Path) -> Path:
    """The key that signs the log."""
    private = Ed25519PrivateKey.from_private_bytes(sha256(b"the golden log").digest())
    told = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return _secret(folder / "log.key", told)


def _secret(path: Path, content: bytes) -> Path:
    path.touch(mode=0o600)
    path.write_bytes(content)
    return path
