"""A store may be closed while others use it: they are told so, and nothing falls down."""

import subprocess
import sys
from pathlib import Path

import pytest

from yibao.adapters.service.service import open_service
from yibao.adapters.store.facts import StoreError
from yibao.adapters.store.sqlite.connections import FactDatastore
from yibao.domain.vocabulary import EnrollmentId

SCRIPT = """
import sys, threading, time
from uuid import uuid4
from eventsourcing.persistence import PersistenceError, StoredEvent
from yibao.adapters.store.facts import open_store

def use(action):
    try:
        while True:
            action()
    except PersistenceError:
        pass

for _ in range(int(sys.argv[2])):
    store = open_store(sys.argv[1])
    facts = store.recorder
    actions = [lambda: facts.select_notifications(start=0, limit=10)] * 3
    actions += [lambda: facts.insert_events([StoredEvent(uuid4(), 1, "topic", b"state")])] * 2
    threads = [threading.Thread(target=use, args=(action,)) for action in actions]
    for thread in threads:
        thread.start()
    time.sleep(0.02)
    store.close()
    for thread in threads:
        thread.join()
print("closed")
"""


def test_whoever_asks_a_closed_store_is_told_so(url: str) -> None:
    service = open_service(url)
    service.close()
    with pytest.raises(StoreError, match=r"^the store is closed$"):
        service.at(EnrollmentId("s-1", 2025))


def test_what_was_interrupted_while_it_was_made_is_closed_without_a_word(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def interrupted(*args: object, **how: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("yibao.adapters.store.sqlite.connections.SqlitePool", interrupted)
    datastore = FactDatastore.__new__(FactDatastore)
    with pytest.raises(KeyboardInterrupt):
        FactDatastore.__init__(datastore, ":memory:")
    datastore.close()


def test_a_store_is_closed_while_threads_read_and_write(url: str) -> None:
    # In a process of its own: SQLite would take this one along.
    source = str(Path(__file__).parents[3] / "src")
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, url, "20"],
        capture_output=True,
        text=True,
        env={"PYTHONPATH": source},
        timeout=60,
    )
    assert (done.returncode, done.stdout) == (0, "closed\n"), done.stderr
