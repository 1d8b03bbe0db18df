"""A time that is left out is now, and no part of what is asked."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from given import sheet

import yibao
from yibao.adapters.service.recording import Receipt
from yibao.adapters.service.service import Service, open_service
from yibao.domain.calendar import read_instant
from yibao.domain.facts import commands
from yibao.domain.refusals import BadValue, OutOfStep, Refused

from ..helpers.autumn import ADA, POLICY, Clock, register, roster
from ..helpers.stores import lasting

NOON = read_instant("2025-09-20 12:00")
LATER = "2025-09-20 13:00"

Asking = Callable[..., Receipt]


@pytest.fixture
def clock() -> Clock:
    return Clock(NOON)


@pytest.fixture
def service(url: str, clock: Clock) -> Iterator[Service]:
    with open_service(url, clock=clock) as service:
        yield service


def _of_care(service: Service, name: str) -> Asking:
    register(service)
    roster(service)
    service.confirm(ADA, at="2025-09-06 14:20", channel="app")
    service.verify_prior_coverage(ADA, at="2025-09-06 14:50", lapsed_years=0)
    care = service.receive_care(
        ADA, at="2025-09-19 10:00", on="2025-09-19", setting="campus_clinic", cost="60.00"
    ).event_id
    if name == "reverse_care":
        service.settle_care(ADA, care, at="2025-09-20 11:00")
    return lambda **how: getattr(service, name)(ADA, care, **how)


def _registering(service: Service) -> Asking:
    values = {key: value for key, value in sheet().items() if key not in ("at", "ref")}
    return lambda **how: service.register("ada", **(values | how))


def _of_the_enrollment(service: Service, name: str, **values: Any) -> Asking:
    register(service)
    return lambda **how: getattr(service, name)(ADA, **(values | how))


def _amending(service: Service, name: str, **values: Any) -> Asking:
    fact = register(service).event_id
    return lambda **how: getattr(service, name)(ADA, fact, reason="misread", **(values | how))


def _of_the_window(service: Service) -> Asking:
    def ask(**how: Any) -> Receipt:
        return service.fix_window(POLICY, closes_on="2025-12-20", **how)

    return ask


ASKING: dict[str, Callable[[Service], Asking]] = {
    "register": _registering,
    "declare_roster": lambda service: _of_the_enrollment(service, "declare_roster"),
    "confirm": lambda service: _of_the_enrollment(service, "confirm", channel="app", observed=True),
    "receive_care": lambda service: _of_the_enrollment(
        service, "receive_care", on="2025-09-19", setting="campus_clinic", cost="60.00"
    ),
    "settle_care": lambda service: _of_care(service, "settle_care"),
    "reverse_care": lambda service: _of_care(service, "reverse_care"),
    "correct": lambda service: _amending(service, "correct", changes={"school": "fudan"}),
    "void": lambda service: _amending(service, "void"),
    "fix_window": _of_the_window,
}


def recorded(service: Service, receipt: Receipt) -> Any:
    """The event of a receipt, in whichever stream it stands."""
    everything = [*service.facts(ADA), *service.care_facts(ADA), *service.window_facts(POLICY)]
    return next(event for event in everything if event.event_id == receipt.event_id)


@pytest.mark.parametrize("name", ASKING)
def test_it_is_the_stamp_and_again_at_another_moment_it_is_a_repetition(
    name: str, service: Service, clock: Clock
) -> None:
    ask = ASKING[name](service)
    clock.at("2025-09-20 12:30")
    first = ask(command_id="once")
    event = recorded(service, first)
    told = getattr(event, "corrected_at", None) or event.occurred_at
    assert told == first.recorded_at == event.recorded_at
    assert first.recorded_at >= clock.now
    clock.at(LATER)
    again = ask(command_id="once")
    assert again.repeated
    assert (again.event_id, again.version, again.recorded_at, again.seen) == (
        first.event_id,
        first.version,
        first.recorded_at,
        first.seen,
    )


@pytest.mark.parametrize("name", ASKING)
def test_given_it_is_part_of_the_content_and_the_conflict_names_it_and_not_the_value(
    name: str, service: Service, clock: Clock
) -> None:
    ask = ASKING[name](service)
    clock.at("2025-09-20 12:30")
    first = ask(command_id="once")
    for at in (LATER, first.recorded_at):
        clock.at(LATER)
        with pytest.raises(OutOfStep, match="command_id_reused") as caught:
            ask(command_id="once", at=at)
        assert caught.value.details == {"version": first.version, "differing": "at"}


def test_left_out_where_it_was_given_it_is_named_as_well(service: Service, clock: Clock) -> None:
    register(service)
    service.declare_roster(ADA, at="2025-09-02 09:00", command_id="earlier")
    service.declare_roster(ADA, at=clock.now, command_id="now")
    for command_id in ("earlier", "now"):
        with pytest.raises(OutOfStep) as caught:
            service.declare_roster(ADA, command_id=command_id)
        assert caught.value.details["differing"] == "at"


def test_a_command_object_may_leave_it_out_and_a_digest_tells_nothing_of_it() -> None:
    left_out, given = commands.DeclareRoster(), commands.DeclareRoster(at=NOON)
    assert left_out.at is None
    assert left_out.digest() == commands.DeclareRoster(at=None).digest() != given.digest()


def test_with_a_clock_that_went_back_it_is_the_stamp_that_stands(
    service: Service, clock: Clock
) -> None:
    register(service)
    clock.at("2025-09-20 09:00")
    receipt = service.declare_roster(ADA)
    assert recorded(service, receipt).occurred_at == receipt.recorded_at == NOON
    with pytest.raises(BadValue, match="lies in the future"):
        service.declare_roster(ADA, at=NOON)


def test_what_was_refused_at_first_is_judged_by_the_time_at_which_it_is_tried_again(
    service: Service, clock: Clock
) -> None:
    clock.at("2025-09-03 09:00")
    register(service)
    roster_at = service.declare_roster(ADA)
    assert roster_at.recorded_at == clock.now
    with pytest.raises(Refused, match="window_not_open"):
        service.confirm(ADA, channel="app", command_id="mine")
    clock.at("2025-09-06 09:00")
    accepted = service.confirm(ADA, channel="app", command_id="mine")
    assert not accepted.repeated
    assert service.confirm(ADA, channel="app", command_id="mine").repeated
    assert [kept.attempt.occurred_at for kept in service.refused_attempts(ADA)] == [None]


def test_many_that_are_recorded_together_have_the_one_stamp(service: Service) -> None:
    made = commands.Register(**{**sheet(ref="ada"), "at": None})
    replies = service.record_each([(ADA, made), (ADA, commands.DeclareRoster())])
    service.record_together(ADA, [commands.DeclareRoster(), commands.PayPremium(year=2026)])
    assert all(isinstance(reply, Receipt) for reply in replies)
    assert {event.occurred_at for event in service.facts(ADA)} == {NOON}


def test_a_window_that_is_fixed_now_is_fixed_after_all_that_was_told(
    service: Service, clock: Clock
) -> None:
    last = register(service).recorded_at
    clock.at("2025-09-20 09:00")
    receipt = service.fix_window(POLICY, closes_on="2025-12-20")
    assert recorded(service, receipt).occurred_at == receipt.recorded_at > last


@lasting
def test_it_is_a_repetition_for_whoever_opens_the_store_next(url: str, clock: Clock) -> None:
    def told() -> Receipt:
        with open_service(url, clock=clock) as service:
            return service.declare_roster(ADA, command_id="once")

    with open_service(url, clock=clock) as service:
        register(service)
    first = told()
    clock.at(LATER)
    assert told().event_id == first.event_id


def test_what_a_time_cannot_be_is_refused_as_ever(service: Service) -> None:
    register(service)
    for at in ("tomorrow", NOON.replace(tzinfo=None), 7):
        with pytest.raises(BadValue) as caught:
            service.declare_roster(ADA, at=at)  # type: ignore[arg-type]
        assert caught.value.details["where"] == "at"


def test_a_command_id_belongs_to_one_stream(service: Service) -> None:
    register(service, command_id="same")
    bill = {"on": "2025-09-19", "setting": "campus_clinic", "cost": "60.00"}
    care = service.receive_care(ADA, **bill, command_id="same")  # type: ignore[arg-type]
    window = service.fix_window(POLICY, closes_on="2025-12-20", command_id="same")
    bo = register(service, yibao.EnrollmentId("bo", 2025), command_id="same")
    assert not any(receipt.repeated for receipt in (care, window, bo))
