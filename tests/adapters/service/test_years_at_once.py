"""Two who record on two years of one student: neither decides on what the other just changes."""

from collections.abc import Iterator
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from yibao.adapters.service.recording import Receipt
from yibao.adapters.service.service import Service, open_service
from yibao.domain.calendar import read_instant
from yibao.domain.facts import commands
from yibao.domain.refusals import Refused
from yibao.domain.vocabulary import EnrollmentId
from yibao.projections.answer import Answer
from yibao.projections.record import Record

from ..helpers.stores import lasting, rows
from ..helpers.writers import together
from ..helpers.years import SHEET, editions_of

on_postgres = pytest.mark.parametrize("url", ["postgres"], indirect=True)

NOW = read_instant("2025-11-20 10:00")
STUDENTS = 12


@pytest.fixture
def policies(tmp_path: Path) -> Path:
    return editions_of(tmp_path / "policies", 2026)


@pytest.fixture
def service(url: str, policies: Path) -> Iterator[Service]:
    """Students who are registered for two years, and have paid nothing."""
    with open_service(url, clock=lambda: NOW, policies=policies) as service:
        service.record_each(
            [
                (EnrollmentId(ref, year), commands.Register(**sheet(ref, policy)))
                for ref in refs()
                for year, policy in ((2025, "shanghai-2025"), (2026, "continuing-2026"))
            ]
        )
        yield service


def sheet(ref: str, policy: str) -> dict[str, Any]:
    return {**SHEET, "ref": ref, "policy": policy, "on": "2025-09-01"}


def refs() -> list[str]:
    return [f"s-{number}" for number in range(STUDENTS)]


def paid(service: Service, year: int) -> list[Receipt | Refused]:
    """Each pays for 2026, as told in the stream of a year."""
    replies: list[Receipt | Refused] = []
    for ref in refs():
        try:
            replies.append(service.pay_premium(EnrollmentId(ref, year), year=2026))
        except Refused as refused:
            replies.append(refused)
    return replies


@lasting
def test_one_of_two_years_is_judged_on_the_other_as_it_stands(
    service: Service, url: str, policies: Path
) -> None:
    with open_service(url, clock=lambda: NOW, policies=policies) as other:
        told, own = together([lambda: paid(service, 2025), lambda: paid(other, 2026)])
    assert all(isinstance(reply, Receipt) for reply in told)
    for ref, reply in zip(refs(), own, strict=True):
        year_before, year = (payment(service, EnrollmentId(ref, year)) for year in (2025, 2026))
        assert year_before
        if isinstance(reply, Receipt):
            assert year
            assert year < year_before
        else:
            assert (reply.code, year) == ("already_confirmed", None)


def payment(service: Service, whose: EnrollmentId) -> int | None:
    """Where the payment stands that was recorded in a year's stream, if one was."""
    recorded = service._store.recorded(whose.stream)
    found = [each.position for each in recorded if each.event.name == "premium-paid"]
    return found[0] if found else None


@on_postgres
def test_who_is_judged_on_one_year_holds_up_who_records_on_another(
    service: Service, url: str, policies: Path
) -> None:
    """Asked inside the transaction, the one sees the other wait for the student's lock."""
    in_2025, in_2026 = (EnrollmentId("s-0", year) for year in (2025, 2026))
    with open_service(url, clock=lambda: NOW, policies=policies) as other:
        waiting = Thread(target=lambda: other.pay_premium(in_2025, year=2026))

        def allowed(found: Answer, record: Record) -> None:
            waiting.start()
            while not rows(url, "SELECT 1 FROM pg_locks WHERE locktype='advisory' AND NOT granted"):
                assert waiting.is_alive()

        service.pay_premium(in_2026, year=2026, allowed=allowed)
        waiting.join()
    first, second = payment(service, in_2026), payment(service, in_2025)
    assert first
    assert second
    assert first < second
