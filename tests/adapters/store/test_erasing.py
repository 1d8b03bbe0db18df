"""A note that is erased: what of it is left where, until when, and that it goes by itself."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from uuid import UUID

from yibao.adapters.editions.files import Editions
from yibao.adapters.service.service import Service, open_service
from yibao.adapters.upkeep.checking import check

from ..helpers.autumn import ADA
from ..helpers.stores import content, on_sqlite
from ..helpers.writers import Step, filing, registration, told

TEXT = b"her father called"


def noted(service: Service, command_id: str = "noted") -> UUID:
    """A fact beside which a note is kept."""
    asked = [registration("ada", "r"), filing(command_id, note=TEXT.decode())]
    assert not told(service, Step("ada", asked)).failed
    return service.facts(ADA)[-1].event_id


@contextmanager
def reader(url: str) -> Iterator[None]:
    """Somebody who began to read before, and goes on."""
    path = url.removeprefix("sqlite:///")
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("BEGIN")
        connection.execute("SELECT * FROM notes").fetchall()
        yield


def unfinished(url: str) -> list[str]:
    return [finding.code for finding in check(url, Editions()).findings]


def test_whether_a_note_is_gone_is_told(url: str) -> None:
    with open_service(url) as service:
        fact = noted(service)
        is_gone = service.erase_note(fact)
        assert service.note(fact) is None
        assert is_gone == (not url.startswith("postgresql"))
        if url.startswith("sqlite"):
            assert TEXT not in content(url)
            assert unfinished(url) == []


@on_sqlite
def test_a_note_that_a_reader_keeps_in_the_log_is_told_of_and_goes_with_the_next_erasure(
    url: str,
) -> None:
    with open_service(url) as service:
        fact = noted(service)
        with reader(url):
            assert service.erase_note(fact) is False
            assert service.note(fact) is None
            assert TEXT in content(url)
            assert unfinished(url) == ["erasure_unfinished"]
        assert service.erase_note(fact) is True
        assert TEXT not in content(url)
        assert unfinished(url) == []


@on_sqlite
def test_it_goes_when_the_store_next_records(url: str) -> None:
    with open_service(url) as service:
        fact = noted(service)
        with reader(url):
            assert service.erase_note(fact) is False
            service.pay_premium(ADA, at="2025-09-10 09:00", year=2026, observed=True)
            assert TEXT in content(url)
        service.issue_medical_card(ADA, at="2025-09-10 10:00")
        assert TEXT not in content(url)
        assert unfinished(url) == []


@on_sqlite
def test_it_goes_when_the_store_is_closed_though_others_have_it_open(url: str) -> None:
    with open_service(url) as other:
        assert list(other.everyone()) == []
        with open_service(url) as service:
            fact = noted(service)
            with reader(url):
                assert service.erase_note(fact) is False
        assert TEXT not in content(url)


@on_sqlite
def test_it_goes_when_the_store_is_opened_again_by_anybody(url: str) -> None:
    with open_service(url) as other:
        with open_service(url) as service:
            fact = noted(service)
        with reader(url), open_service(url) as service:
            assert service.erase_note(fact) is False
        assert list(other.everyone())
        assert TEXT in content(url)
        assert unfinished(url) == ["erasure_unfinished"]
        open_service(url).close()
        assert TEXT not in content(url)
        assert unfinished(url) == []
