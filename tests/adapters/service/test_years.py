"""A student over several years: whatever is asked of one year knows the others."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from yibao.adapters.service.service import Service, open_service
from yibao.domain.calendar import read_instant
from yibao.domain.vocabulary import EnrollmentId, Seen
from yibao.projections.answer import Answer
from yibao.testing import clock_at

from ..helpers.years import IN_2025, IN_2026, IN_2027, REF, SHEET, editions_of

LATER = "2026-06-01 12:00"


@pytest.fixture
def policies(tmp_path: Path) -> Path:
    return editions_of(tmp_path / "policies", 2026, 2027)


@pytest.fixture
def service(url: str, policies: Path) -> Iterator[Service]:
    """Worked example 6, two lapsed years: waiting until 28 February 2026; paid for 2026."""
    clock = clock_at("2025-09-01 09:00")
    with open_service(url, clock=clock, policies=policies) as service:
        service.register(policy="shanghai-2025", on="2025-09-01", **SHEET)
        service.declare_roster(IN_2025)
        clock.move_to("2025-09-06 10:00")
        service.confirm(IN_2025, channel="app")
        service.verify_prior_coverage(IN_2025, lapsed_years=2)
        clock.move_to("2025-11-20 10:00")
        service.register(policy="continuing-2026", on="2025-09-01", **SHEET)
        service.pay_premium(IN_2026, year=2026)
        clock.move_to(LATER)
        yield service


def coverage(answer: Answer) -> object:
    assert answer.values
    return answer.values.coverage.value


def test_the_year_before_is_read_with_a_year(service: Service) -> None:
    record = service.read(IN_2026)
    assert record.before
    assert (len(record.before.enrolled), record.before.before, record.following) == (4, None, None)
    assert service.at(IN_2026).seen == Seen(2, 0, 0, Seen(4, 0, 0))
    assert str(coverage(service.at(IN_2026))).startswith(
        "DayRange(first=datetime.date(2026, 3, 2), last=datetime.date(2026, 12, 31)"
    )


def test_the_next_year_is_read_with_the_one_before(service: Service) -> None:
    record = service.read(IN_2025)
    assert record.following
    assert (record.before, len(record.following)) == (None, 2)
    assert service.at(IN_2025).seen == Seen(4, 0, 0)


def test_a_year_without_facts_has_those_before_it(service: Service) -> None:
    record = service.read(IN_2027)
    assert record.before
    assert record.before.before
    assert (len(record.enrolled), len(record.before.enrolled)) == (0, 2)
    assert service.at(IN_2027).policy is None


def test_of_a_year_without_an_edition_nothing_else_is_read(service: Service) -> None:
    assert service.read(EnrollmentId(REF, 2028)).before is None
    assert service.at(EnrollmentId(REF, 10**9)).policy is None


def test_everyone_is_answered_as_if_asked_one_by_one(service: Service) -> None:
    at = read_instant(LATER)
    found = {answer.enrollment: answer for answer in service.everyone(at)}
    assert found == {whose: service.at(whose, at) for whose in (IN_2025, IN_2026)}


def test_care_and_notes_of_the_year_before_are_read_as_well(service: Service) -> None:
    receipt = service.issue_medical_card(IN_2025, at="2025-11-01 09:00", note="sent by post")
    care = {"on": "2025-11-10", "setting": "campus_clinic", "cost": "20.00"}
    service.receive_care(IN_2025, at="2025-11-10 09:00", **care)
    record = service.read(IN_2026)
    assert record.before
    assert record.notes == {receipt.event_id: "sent by post"}
    assert service.at(IN_2026).seen.before == Seen(5, 1, 0)
