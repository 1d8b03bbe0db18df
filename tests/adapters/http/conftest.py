"""A server on each kind of store, for all tests of a session; its students have their own names."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from pgserver import Server

from yibao.adapters.office.directory import DirectorySettings

from ...conftest import TEMPLATE
from ..helpers.web import Web, serving
from ..office.conftest import key_file


@pytest.fixture(scope="session", params=["sqlite", "postgres"])
def web(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Web]:
    """The service on the web, on each kind of store in turn."""
    folder = tmp_path_factory.mktemp("web")
    if request.param == "sqlite":
        with serving(f"sqlite:///{folder / 'facts.db'}", folder, people_of(folder)) as found:
            yield found
        return
    server: Server = request.getfixturevalue("postgres")
    url = server.database(TEMPLATE)
    with serving(url, folder, people_of(folder, url)) as found:
        yield found
    server.drop(url)


@pytest.fixture(scope="session")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Web]:
    """The same in memory, for what is tried many times and knows no store."""
    folder = tmp_path_factory.mktemp("small")
    with serving("memory:", folder, people_of(folder)) as found:
        yield found


def people_of(folder: Path, url: str | None = None) -> DirectorySettings:
    return DirectorySettings(
        directory=url or str(folder / "people.db"), directory_key=key_file(folder / "directory.key")
    )
