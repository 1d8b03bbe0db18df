"""Stores for the tests: in memory, in a file, and on a PostgreSQL that is really there."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest
from pgserver import Server

from yibao.adapters.upkeep import postgres as upkeep_postgres

#: Where the files of tests lie, if it is there and has room: in memory. A database of PostgreSQL is
#: hundreds of files, and to make them on a disk is most of what many a test takes.
MEMORY: Final = Path("/dev/shm")
if os.access(MEMORY, os.W_OK | os.X_OK) and shutil.disk_usage(MEMORY).free > 8 << 30:
    tempfile.tempdir = os.environ["TMPDIR"] = str(MEMORY)

#: Set where all is at hand that any test needs: there a test that is skipped has failed.
NO_SKIPS: Final = "YIBAO_NO_SKIPS"


def pytest_sessionfinish(session: pytest.Session) -> None:
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if os.environ.get(NO_SKIPS) and reporter is not None and reporter.stats.get("skipped"):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


#: Run as programs, with their own folder to import from.
collect_ignore = [
    "adapters/helpers/forker.py",
    "adapters/helpers/interrupted.py",
    "golden/write.py",
]

#: A database with an empty store in it, from which others are copied.
TEMPLATE = "yibao_template"


@pytest.fixture(scope="session")
def postgres() -> Iterator[Server]:
    """A server for all tests of a worker."""
    with Server() as server:
        server.sql(f"CREATE DATABASE {TEMPLATE}")
        upkeep_postgres.init(server.url(TEMPLATE))
        yield server


@pytest.fixture
def postgres_url(postgres: Server) -> Iterator[str]:
    """An empty store on PostgreSQL."""
    url = postgres.database(TEMPLATE)
    yield url
    postgres.drop(url)


@pytest.fixture(params=["memory", "sqlite", "postgres"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty store of each kind in turn."""
    match request.param:
        case "memory":
            return "memory:"
        case "sqlite":
            return f"sqlite:///{tmp_path / 'facts.db'}"
        case _:
            given: str = request.getfixturevalue("postgres_url")
            return given
