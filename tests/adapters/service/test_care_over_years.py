"""Care of a student who goes on: what the year before handed on settles it (R33, R38)."""

from collections.abc import Iterator
from typing import Any

import pytest
from given import sheet

import yibao
from yibao import EnrollmentId, Service
from yibao.domain.refusals import NotPermitted

from ..helpers.autumn import Clock

IN_2025, IN_2026 = EnrollmentId("s1", 2025), EnrollmentId("s1", 2026)
CLINIC: dict[str, Any] = {"setting": "campus_clinic", "cost": "100.00"}


@pytest.fixture
def clock() -> Clock:
    return Clock("2026-12-31 12:00")


@pytest.fixture
def service(url: str, clock: Clock) -> Iterator[Service]:
    with yibao.open(url, by="counter", clock=clock) as opened:
        yield opened


def enrolled(service: Service, lapsed_years: int = 0, **student: str) -> None:
    """A student covered in 2025, if she need not wait, who has paid for 2026."""
    service.register("s1", **sheet(**student))
    service.declare_roster(IN_2025, at="2025-09-02 17:00")
    service.confirm(IN_2025, at="2025-09-06 10:00", channel="app")
    service.verify_prior_coverage(IN_2025, at="2025-09-06 10:30", lapsed_years=lapsed_years)
    going_on = sheet(policy="shanghai-2026-continuing", at="2025-11-18 09:00", **student)
    service.register("s1", **going_on)
    service.pay_premium(IN_2026, at="2025-11-20 10:00", year=2026)


def settled(service: Service) -> list[str | None]:
    found = service.at(IN_2026, "2026-12-31 12:00").care
    return [each.refused or each.settlement.value for each in found]


def test_care_is_settled_from_the_first_day_of_the_year_that_follows(service: Service) -> None:
    enrolled(service)
    for day in ("2025-12-31", "2026-01-01"):
        care = service.receive_care(IN_2026, at=f"{day} 12:00", on=day, **CLINIC)
    assert settled(service) == ["outside_benefit_year", "direct"]
    service.settle_care(IN_2026, care.event_id, at="2026-01-02 09:00")
    found = service.at(IN_2026).care[1].care.settled
    assert found
    assert str(found.fund_paid) == "80.00"


def test_a_card_of_the_year_before_settles_until_it_is_taken_back(service: Service) -> None:
    enrolled(service, document="passport")
    card = service.issue_medical_card(IN_2025, at="2025-10-01 09:00")
    service.receive_care(IN_2026, at="2026-03-01 12:00", on="2026-03-01", **CLINIC)
    assert settled(service) == ["direct"]
    quote = service.quote(IN_2026, on="2026-03-02", **CLINIC)
    assert quote.settlement.value == "direct"
    service.void(IN_2025, card.event_id, at="2026-03-03 09:00", reason="wrong-student")
    assert settled(service) == ["claim"]


def test_who_still_waits_is_refused_for_it_and_settled_once_it_is_over(service: Service) -> None:
    enrolled(service, lapsed_years=2)
    early, later = (
        service.receive_care(IN_2026, at=f"{day} 12:00", on=day, **CLINIC)
        for day in ("2026-02-28", "2026-03-02")
    )
    assert settled(service) == ["in_waiting_period", "direct"]
    with pytest.raises(NotPermitted) as refused:
        service.settle_care(IN_2026, early.event_id, at="2026-03-05 09:00")
    assert refused.value.code == "in_waiting_period"
    service.settle_care(IN_2026, later.event_id, at="2026-03-05 09:00")


def test_who_left_in_the_year_before_is_covered_in_none(service: Service) -> None:
    enrolled(service)
    service.withdraw(IN_2025, at="2025-12-01 09:00", on="2025-12-01", kind="suspended")
    service.verify_prior_coverage(IN_2026, at="2025-12-02 09:00", lapsed_years=0)
    service.receive_care(IN_2026, at="2026-01-05 12:00", on="2026-01-05", **CLINIC)
    assert settled(service) == ["withdrawn"]


def test_each_enrollment_has_a_deductible_of_its_own(service: Service) -> None:
    enrolled(service)
    visit: dict[str, Any] = {"setting": "outpatient", "level": "third", "cost": "400.00"}
    for whose, day in ((IN_2025, "2025-12-31"), (IN_2026, "2026-01-01")):
        service.receive_care(whose, at=f"{day} 12:00", on=day, **visit)
        (found,) = service.at(whose).care
        assert (str(found.deductible_used.value), found.cap_left.value) == ("300.00", None)


def test_a_review_names_the_fact_of_the_year_before_that_moved_the_care(
    service: Service, clock: Clock
) -> None:
    clock.at("2026-01-06 09:00")
    enrolled(service)
    care = service.receive_care(IN_2026, at="2026-01-05 12:00", on="2026-01-05", **CLINIC)
    service.settle_care(IN_2026, care.event_id)
    (check,) = (fact for fact in service.facts(IN_2025) if "prior" in fact.name)
    clock.at("2026-02-01 09:00")
    found: dict[str, Any] = {"changes": {"lapsed_years": 2}, "reason": "misread"}
    corrected = service.correct(IN_2025, check.event_id, **found)
    (changed,) = service.review(IN_2026)
    assert changed.now
    assert changed.now.refused == "in_waiting_period"
    assert [event.event_id for event in changed.moved_by] == [corrected.event_id]
