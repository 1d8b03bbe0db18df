"""The log beside a file: nobody who leaves an answer half read makes it grow."""

import sqlite3
from collections.abc import Generator
from contextlib import closing
from pathlib import Path
from typing import cast

import pytest

import yibao
from yibao.adapters.service.service import open_service
from yibao.adapters.store.facts import open_store
from yibao.adapters.store.sqlite import connections
from yibao.projections.answer import Answer

from ...helpers.writers import Step, filing, registration, told


def test_answers_for_everyone_that_are_not_all_drawn_keep_nothing_in_the_log(
    tmp_path: Path,
) -> None:
    with open_service(f"sqlite:///{tmp_path / 'facts.db'}") as service:
        asked = [registration("ada", "r"), filing("f", note="her father called")]
        assert not told(service, Step("ada", asked)).failed
        left = cast("Generator[Answer]", service.everyone())
        next(left)
        # It is True where the log could be emptied.
        assert service.erase_note(service.facts(yibao.EnrollmentId("ada", 2025))[-1].event_id)
        left.close()


def test_a_log_that_somebody_who_read_has_made_grow_is_cut_short_once_he_is_gone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "LOG_KEPT", 100_000)
    path, log = tmp_path / "facts.db", tmp_path / "facts.db-wal"
    with closing(open_store(f"sqlite:///{path}")) as store:

        def write() -> None:
            with store.transaction() as transaction:
                transaction.sql.run("INSERT INTO notes VALUES (hex(randomblob(9)), zeroblob(5e6))")

        with closing(sqlite3.connect(path, isolation_level=None)) as reader:
            reader.execute("BEGIN")
            reader.execute("SELECT * FROM notes").fetchall()
            write()
            write()
            assert log.stat().st_size > 10e6
        write()  # it is copied into the store, and begins anew with the next
        with store.transaction() as transaction:
            transaction.sql.run("DELETE FROM notes WHERE 0")
            transaction.sql.run("INSERT INTO notes VALUES ('a', 'b')")
        assert log.stat().st_size <= 100_000
