"""An autumn on a service: a clock that a test moves, students, and what is recorded of them."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from given import sheet

import yibao
from yibao.adapters.editions.files import Editions
from yibao.adapters.service.recording import Receipt
from yibao.adapters.service.service import Service
from yibao.domain.calendar import read_instant

POLICY = "shanghai-2025"
EDITIONS = Editions()
ADA, BO, CY = (yibao.EnrollmentId(ref, 2025) for ref in ("ada", "bo", "cy"))


class Clock:
    """A clock that stands until it is set."""

    def __init__(self, now: datetime | str = "2025-09-01 08:00") -> None:
        self.now = read_instant(now) if isinstance(now, str) else now

    def __call__(self) -> datetime:
        return self.now

    def at(self, now: str) -> str:
        """Sets it, and tells to what."""
        self.now = read_instant(now)
        return now


def refused(act: Callable[..., Any], *values: Any, **named: Any) -> None:
    """Asks for something that is refused."""
    with pytest.raises(yibao.Refused):
        act(*values, **named)


def register(
    service: Service,
    student: yibao.EnrollmentId = ADA,
    at: str = "2025-09-01 08:30",
    **values: Any,
) -> Receipt:
    """Whoever registers on the day on which that is told."""
    return service.register(student.ref, **sheet(at=at, on=at[:10], **values))


def roster(service: Service, student: yibao.EnrollmentId = ADA) -> Receipt:
    return service.declare_roster(student, at="2025-09-02 17:00")


def visit(service: Service, student: yibao.EnrollmentId = ADA) -> Receipt:
    return service.receive_care(
        student, at="2025-09-22 10:00", on="2025-09-22", setting="campus_clinic", cost="60.00"
    )


def fix(service: Service, closes_on: str = "2025-10-19") -> Receipt:
    return service.fix_window(POLICY, at="2025-09-03 10:00", closes_on=closes_on)


def an_autumn(service: Service, clock: Clock) -> None:
    """Three students, a refusal, care, a window fixed twice, a move, a correction and a void."""
    refused(service.confirm, ADA, at=clock.at("2025-09-01 08:10"), channel="app", by="counter-2")
    register(service, ADA, clock.at("2025-09-01 08:30"), by="officer-1")
    bo = {"school": "tongji", "correlation_id": "roster-7"}
    register(service, BO, clock.at("2025-09-01 08:40"), by="officer-1", **bo)
    service.fix_window(POLICY, at=clock.at("2025-09-02 09:00"), closes_on="2025-12-20", by="bureau")
    service.declare_roster(ADA, at=clock.at("2025-09-02 17:00"), by="school-1")
    register(service, CY, clock.at("2025-09-03 08:00"), by="officer-2")
    refused(service.confirm, ADA, at=clock.at("2025-09-03 10:00"), channel="app", by="counter-2")
    refused(service.confirm, ADA, at=clock.at("2025-09-03 10:00"), channel="fax", by="counter-2")
    service.confirm(ADA, at=clock.at("2025-09-06 14:20"), channel="app", by="app")
    check = service.verify_prior_coverage(
        ADA, at=clock.at("2025-09-06 14:50"), lapsed_years=1, by="counter-4"
    )
    service.confirm(
        BO, at=clock.at("2025-09-07 10:00:00.25"), channel="app", observed=True, by="app"
    )
    service.receive_care(
        ADA, at=clock.at("2025-09-10 09:00"), on="2025-09-10", setting="campus_clinic", cost="60.00"
    )
    service.fix_window(
        POLICY, at=clock.at("2025-10-01 09:00"), closes_on="2025-10-10", school="sjtu", by="bureau"
    )
    service.change_school(CY, at=clock.at("2025-10-02 09:00"), school="fudan", by="officer-2")
    service.correct(
        ADA,
        check.event_id,
        at=clock.at("2025-10-15 10:00"),
        reason="wrong-line",
        changes={"lapsed_years": 0},
        by="officer-3",
    )
    fix = service.window_facts(POLICY)[-1]
    service.void(
        POLICY, fix.event_id, at=clock.at("2025-10-16 10:00"), reason="mistake", by="bureau"
    )
