"""The library's own cases for recorders, against ours on every kind of store."""

from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from eventsourcing.persistence import ApplicationRecorder
from eventsourcing.tests.persistence import ApplicationRecorderTestCase
from pgserver import Server

from yibao.adapters.store.facts import FactStore, open_store


class Recorders(ApplicationRecorderTestCase[ApplicationRecorder]):
    """The cases, and a store that is closed after each."""

    __test__ = False
    store: FactStore

    def url(self) -> str:
        raise NotImplementedError

    def create_recorder(self) -> ApplicationRecorder:
        self.store = open_store(self.url())
        self.addCleanup(self.store.close)
        return self.store.recorder

    def test_insert_subscribe(self) -> None:
        self.optional_test_insert_subscribe()


class TestInMemory(Recorders):
    __test__ = True

    def url(self) -> str:
        return "memory:"


class TestSQLite(Recorders):
    __test__ = True

    def url(self) -> str:
        folder = TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        return f"sqlite:///{Path(folder.name) / 'facts.db'}"


class TestPostgres(Recorders):
    __test__ = True
    # An insert that fails has taken its number nevertheless.
    EXPECT_CONTIGUOUS_NOTIFICATION_IDS = False

    @pytest.fixture(autouse=True)
    def _database(self, postgres_url: str, postgres: Server) -> None:
        self._url = postgres_url

    def url(self) -> str:
        return self._url
