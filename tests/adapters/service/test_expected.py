"""What somebody has seen: what is decided on it is refused where any of it has moved."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

import yibao
from yibao.adapters.service.recording import Receipt
from yibao.adapters.service.service import Service, open_service
from yibao.domain.calendar import read_instant
from yibao.domain.facts import commands
from yibao.domain.refusals import BadValue, OutOfStep
from yibao.projections.record import Seen

from ..helpers.autumn import ADA, BO, POLICY, Clock, fix, register, roster, visit
from ..helpers.stores import lasting, rows

NOW = "2025-09-25 12:00"
AT = read_instant("2025-09-24 09:00")


@pytest.fixture
def clock() -> Clock:
    return Clock(NOW)


@pytest.fixture
def service(url: str, clock: Clock) -> Iterator[Service]:
    with open_service(url, clock=clock) as service:
        register(service)
        roster(service)
        register(service, BO, school="tongji")
        yield service


def conflict(act: Callable[..., Any], *values: Any, **named: Any) -> dict[str, Any]:
    with pytest.raises(OutOfStep, match="version_conflict") as caught:
        act(*values, **named)
    return caught.value.details


MOVED: dict[str, tuple[Callable[[Service], Any], Seen]] = {
    "facts": (lambda service: service.declare_roster(ADA, at=AT), Seen(3, 0, 0)),
    "care": (visit, Seen(2, 1, 0)),
    "window": (fix, Seen(2, 0, 1)),
    "window of her school": (
        lambda service: service.fix_window(POLICY, at=AT, closes_on="2025-12-20", school="sjtu"),
        Seen(2, 0, 1),
    ),
}


@pytest.mark.parametrize("what", MOVED)
def test_where_any_of_it_has_moved_it_is_refused(what: str, service: Service) -> None:
    move, found = MOVED[what]
    seen = service.at(ADA).seen
    assert seen == Seen(2, 0, 0, None)
    move(service)
    told = conflict(service.pay_premium, ADA, at=AT, year=2026, expected=seen)
    assert told == {"expected": seen, "found": found}
    assert service.at(ADA).seen == found
    accepted = service.pay_premium(ADA, at=AT, year=2026, expected=found)
    assert accepted.seen == service.at(ADA).seen == found._replace(facts=found.facts + 1)


def test_what_concerns_others_alone_is_not_looked_at(service: Service) -> None:
    seen = service.at(ADA).seen
    service.fix_window(POLICY, at=AT, closes_on="2025-12-20", school="tongji")
    service.fix_window(POLICY, at=AT, closes_on="2025-12-20", category="postgraduate")
    service.declare_roster(BO, at=AT)
    visit(service, BO)
    assert service.pay_premium(ADA, at=AT, year=2026, expected=seen).seen == Seen(3, 0, 0)
    assert service.at(BO).seen == Seen(2, 1, 1)


def told(service: Service) -> dict[str, Callable[..., Receipt]]:
    """What ADA's enrollment and her care are asked."""
    fact, care = service.facts(ADA)[-1].event_id, visit(service).event_id
    fix(service)
    bill = {"on": "2025-09-22", "setting": "campus_clinic", "cost": "1.00"}
    about = {"reason": "misread", "at": AT}
    observed = {"observed": True, "at": AT}
    return {
        "correct": lambda **how: service.correct(ADA, fact, **about, **how),  # type: ignore[arg-type]
        "void": lambda **how: service.void(ADA, fact, **about, **how),  # type: ignore[arg-type]
        "correct care": lambda **how: service.correct(ADA, care, **about, **how),  # type: ignore[arg-type]
        "receive_care": lambda **how: service.receive_care(ADA, at=AT, **bill, **how),  # type: ignore[arg-type]
        "settle_care": lambda **how: service.settle_care(ADA, care, **observed, **how),  # type: ignore[arg-type]
        "withdraw": lambda **how: service.withdraw(ADA, on="2025-12-01", **observed, **how),  # type: ignore[arg-type]
        "change_school": lambda **how: service.change_school(ADA, school="fudan", at=AT, **how),
    }


@pytest.mark.parametrize(
    "name",
    ["correct", "void", "correct care", "receive_care", "settle_care", "withdraw", "change_school"],
)
def test_every_command_takes_it_and_tells_what_follows(name: str, service: Service) -> None:
    ask = told(service)[name]
    seen = service.at(ADA).seen
    for other in (seen._replace(facts=1), seen._replace(care=7), seen._replace(window=0)):
        conflict(ask, expected=other)
    conflict(ask, expected=seen._replace(before=Seen(1, 0, 0)))
    assert ask(expected=seen).seen == service.at(ADA).seen != seen


def test_of_an_edition_all_that_is_fixed_is_counted(service: Service) -> None:
    first = fix(service)
    assert first.seen == Seen(0, 0, 1)
    named = {"at": AT, "closes_on": "2025-12-21", "school": "tongji"}
    second = service.fix_window(POLICY, **named, expected=first.seen)  # type: ignore[arg-type]
    assert second.seen == Seen(0, 0, 2)
    conflict(service.void, POLICY, first.event_id, at=AT, reason="mistake", expected=first.seen)
    void = service.void(POLICY, first.event_id, at=AT, reason="mistake", expected=second.seen)
    assert void.seen == Seen(0, 0, 3)


def test_before_her_registration_nothing_is_seen(service: Service) -> None:
    fix(service)
    cy = yibao.EnrollmentId("cy", 2025)
    assert service.at(cy).seen == Seen(0, 0, 0)
    conflict(register, service, cy, expected=Seen(1, 0, 0))
    assert register(service, cy, expected=Seen(0, 0, 0)).seen == Seen(1, 0, 1)
    conflict(register, service, cy, expected=Seen(0, 0, 0), observed=True)


def test_a_command_object_carries_it_among_many(service: Service) -> None:
    seen = service.at(ADA).seen
    made = [
        commands.PayPremium(at=AT, year=2026, expected=seen),
        commands.PayPremium(at=AT, year=2027, expected=seen),
        commands.PayPremium(at=AT, year=2027, expected=seen._replace(facts=3)),
    ]
    first, conflicting, third = service.record_each([(ADA, each) for each in made])
    assert isinstance(first, Receipt)
    assert isinstance(third, Receipt)
    assert (first.seen, third.seen) == (Seen(3, 0, 0), Seen(4, 0, 0))
    assert isinstance(conflicting, OutOfStep)
    with pytest.raises(OutOfStep):
        service.record(ADA, made[1])
    with pytest.raises(OutOfStep):
        service.record_together(ADA, [commands.DeclareRoster(at=AT), made[1]])


def test_a_repetition_is_one_whatever_was_seen_and_tells_what_it_told(service: Service) -> None:
    seen = service.at(ADA).seen
    visit(service)
    fix(service)
    first = service.pay_premium(ADA, at=AT, year=2026, command_id="one")
    assert first.seen == Seen(3, 1, 1)
    visit(service)
    fix(service)
    service.declare_roster(ADA, at=AT)
    again = service.pay_premium(ADA, at=AT, year=2026, command_id="one", expected=seen)
    assert again.repeated
    assert again.seen == first.seen
    # Whoever goes on from it is told that there is more by now.
    conflict(service.declare_roster, ADA, at=AT, expected=again.seen)


def test_what_was_seen_is_no_content(service: Service) -> None:
    for expected in (Seen(2, 0, 0), None, Seen(9, 9, 9)):
        receipt = service.pay_premium(ADA, at=AT, year=2026, command_id="one", expected=expected)
        assert receipt.version == 3


def test_it_may_come_as_a_form_or_json_has_it(service: Service) -> None:
    for expected in ([2, 0, 0], {"facts": "2", "care": 0, "window": 0, "before": None}):
        read = commands.read(commands.DeclareRoster, {"expected": expected})
        assert read.expected == Seen(2, 0, 0)
    for expected in ([2, 0], {"facts": 2}, [2, 0, -1], [2, 0, True], "2.0.0", [2, 0, 0, [1]]):
        with pytest.raises(BadValue, match="expected"):
            service.declare_roster(ADA, at=AT, expected=expected)  # type: ignore[arg-type]


@lasting
def test_where_what_is_fixed_cannot_be_read_whatever_needs_none_is_recorded(
    url: str, service: Service
) -> None:
    fix(service)
    seen = service.at(ADA).seen
    rows(url, "UPDATE stored_events SET topic='nothing' WHERE topic='window-fixed'")
    receipt = service.declare_roster(ADA, at=AT)
    assert receipt.seen == Seen(3, 0, 2)
    conflict(service.declare_roster, ADA, at=AT, expected=seen._replace(facts=3))
