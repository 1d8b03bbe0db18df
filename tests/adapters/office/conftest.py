"""A directory for each test: its settings, and a clock that stands."""

import os
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pytest
from pgserver import Server

from yibao.adapters.office.directory import Directory, DirectorySettings, open_directory
from yibao.domain.calendar import SHANGHAI

NOW = datetime(2025, 9, 1, 9, 0, tzinfo=SHANGHAI)

Open = Callable[..., Directory]


def key_file(path: Path, key: bytes | None = None) -> Path:
    """A file with a key that its owner alone may read."""
    path.write_bytes(os.urandom(32) if key is None else key)
    path.chmod(0o600)
    return path


@pytest.fixture
def settings(tmp_path: Path) -> DirectorySettings:
    """A directory in files."""
    return DirectorySettings(
        directory=str(tmp_path / "people.db"), directory_key=key_file(tmp_path / "directory.key")
    )


@pytest.fixture(params=["sqlite", "postgres"])
def each_settings(request: pytest.FixtureRequest, settings: DirectorySettings) -> DirectorySettings:
    """A directory of each kind in turn."""
    if request.param == "sqlite":
        return settings
    url: str = request.getfixturevalue("postgres_url")
    return settings.model_copy(update={"directory": url})


def opened(settings: DirectorySettings) -> Directory:
    """The directory of some settings, made where there is none."""
    found = open_directory(settings, lambda: NOW, make=True)
    assert found is not None
    return found


__all__ = ["NOW", "Server", "key_file", "opened"]
