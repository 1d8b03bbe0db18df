"""Where the directory is, and the file with the key to it: as the environment says."""

import os
import stat
from pathlib import Path
from typing import Final

from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from yibao.adapters.store import StoreError, file_of, is_postgres, url_given
from yibao.domain.refusals import place, reason

#: A key is at least, and at most, so many bytes long.
SHORTEST, LONGEST = 32, 65536

_PREFIX: Final = "YIBAO_"


class DirectorySettings(BaseSettings):
    """Each stands in the environment, in capitals after `YIBAO_`."""

    model_config = SettingsConfigDict(env_prefix=_PREFIX, frozen=True, extra="forbid")

    directory: str = Field(min_length=1)
    """The directory: the path of a SQLite file, its URL, or that of a PostgreSQL database."""
    directory_key: Path
    """The file with the key, of at least 32 bytes, which its owner alone may read."""
    directory_keys: Path | None = None
    """The file of the keys of the people.

    By default it is beside the directory, and of one in a PostgreSQL database beside its key.
    """
    directory_reasons: bool = False
    """Whether who looks somebody up has to say why."""
    directory_two_persons: bool = False
    """Whether a second person has to agree where somebody is to be forgotten."""

    @property
    def url(self) -> str:
        return url_given(self.directory)

    @property
    def keys(self) -> str:
        """The path of the file with the keys of the people."""
        if self.directory_keys is not None:
            return str(self.directory_keys)
        if is_postgres(self.url):
            return str(self.directory_key.with_name("yibao-directory.keys"))
        return f"{file_of(self.url)}.keys"

    def key(self) -> bytes:
        """The key to everybody's; raises StoreError where it cannot be had, or anybody could."""
        return read_key(self.directory_key)


def directory_settings() -> DirectorySettings:
    """The settings of the environment; raises StoreError for what is lacking or cannot be read."""
    try:
        return DirectorySettings()  # type: ignore[call-arg]
    except ValidationError as error:
        where = f"{_PREFIX}{place(error).upper()}"
        if error.errors()[0]["type"] == "missing":
            raise StoreError(f"{where} in the environment is lacking: {_MEANS[where]}") from None
        raise StoreError(f"{where} in the environment: {reason(error)}") from None


_MEANS: Final = {
    "YIBAO_DIRECTORY": "it names the directory of people, a file or a PostgreSQL database",
    "YIBAO_DIRECTORY_KEY": "it names a file of at least 32 random bytes, the directory's key",
}


def read_key(file: Path) -> bytes:
    """The key in a file; raises StoreError where it cannot be had, or is no secret."""
    check_private(str(file), _KEY)
    try:
        with file.open("rb") as opened:
            key = opened.read(LONGEST + 1)
    except OSError as error:
        raise StoreError(f"{_KEY} {str(file)!r} cannot be read: {error.strerror}") from None
    if not SHORTEST <= len(key) <= LONGEST:
        raise StoreError(f"{_KEY} {str(file)!r} must have {SHORTEST} to {LONGEST} bytes")
    return key


_KEY: Final = "the directory's key"


def check_private(path: str, told: str) -> None:
    """Raises StoreError where a file of ours is none, another's, or anybody's to read or change."""
    try:
        found = os.stat(path)
    except OSError as error:
        raise StoreError(f"{told} {path!r} cannot be read: {error.strerror}") from None
    if not stat.S_ISREG(found.st_mode):
        raise StoreError(f"{told} {path!r} is no file")
    if found.st_uid != os.geteuid():
        raise StoreError(f"{told} {path!r} belongs to another user than the one who runs this")
    if stat.S_IMODE(found.st_mode) & 0o077:
        raise StoreError(f"{told} {path!r} is open to other users: chmod 600 it")
