"""A clock that is far ahead once does not take a store along: nothing is recorded behind it."""

import logging
from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
from given import sheet

import yibao
from yibao.adapters.editions.files import Editions
from yibao.adapters.service.recording import Receipt
from yibao.adapters.service.service import Service
from yibao.adapters.store.errors import AheadOfClock
from yibao.adapters.store.facts import StoreError
from yibao.adapters.upkeep.checking import check
from yibao.domain.calendar import read_instant
from yibao.domain.facts.commands import DeclareRoster
from yibao.domain.refusals import BadValue, Refused

from ..conftest import Run, Write
from ..helpers.autumn import ADA, BO, CY, Clock, fix, register, roster, visit
from ..helpers.stores import lasting, on_sqlite, rows, with_trail

NOW = read_instant("2025-12-20 12:00")
FAR = read_instant("2099-01-01 00:00")


@pytest.fixture
def clock() -> Clock:
    return Clock(NOW)


@pytest.fixture
def service(url: str, clock: Clock) -> Iterator[Service]:
    """A store in which two students are registered."""
    with yibao.open(url, clock=clock) as service:
        for student in (ADA, BO):
            begin(service, student)
        yield service


def begin(service: Service, student: yibao.EnrollmentId = ADA) -> Receipt:
    """Her registration, the same command each time."""
    return register(service, student, command_id=f"register-{student.ref}")


#: What is recorded while the clock is far ahead, and what then stands on it.
STANDS_ON: dict[str, tuple[Callable[[Service], Receipt], Callable[[Service], Receipt]]] = {
    "her stream": (roster, roster),
    "her care": (visit, visit),
    "her stream, for care": (roster, visit),
    "her care, for the enrollment": (visit, roster),
    "the edition": (fix, roster),
    "the edition, for care": (fix, visit),
    "the edition, for a student who is new": (fix, lambda service: begin(service, CY)),
    "the edition, for another window": (fix, fix),
    "one student, for everybody's window": (roster, fix),
}


@pytest.mark.parametrize("what", STANDS_ON)
def test_nothing_is_recorded_behind_a_stamp_far_ahead_of_the_clock(
    what: str, service: Service, clock: Clock
) -> None:
    ahead, behind = STANDS_ON[what]
    clock.now = FAR
    assert ahead(service).recorded_at == FAR
    clock.now = NOW
    before = all_of(service)
    with pytest.raises(AheadOfClock) as caught:
        behind(service)
    earliest = FAR + timedelta(microseconds=1) if behind is fix else FAR
    assert str(caught.value) == (
        f"this would be stamped {earliest}, as what it stands on, more than a day ahead of the "
        f"clock, {NOW}, and so would all that follows: set the clock right if it has gone back, "
        "or accept such stamps by accept_stamps_until or YIBAO_ACCEPT_STAMPS_UNTIL"
    )
    assert isinstance(caught.value, StoreError)
    assert all_of(service) == before


def all_of(service: Service) -> list[object]:
    return [
        service._store.feed(0, 2**62, 1000),
        service._store.attempts_between(0, 2**62, 1000),
    ]


def test_one_student_who_is_far_ahead_holds_up_nobody_else(service: Service, clock: Clock) -> None:
    clock.now = FAR
    roster(service, ADA)
    clock.now = NOW
    assert roster(service, BO).recorded_at == NOW
    assert visit(service, BO).recorded_at == NOW


def test_another_edition_goes_on(service: Service, clock: Clock) -> None:
    clock.now = FAR
    fix(service)
    clock.now = NOW
    dee = yibao.EnrollmentId("dee", 2024)
    assert register(service, dee, "2024-09-01 08:30", policy="shanghai-2024").recorded_at == NOW


def test_a_day_ahead_is_followed_and_no_more(service: Service, clock: Clock) -> None:
    clock.now = NOW + timedelta(days=1)
    first = roster(service)
    clock.now = NOW
    assert roster(service).recorded_at == first.recorded_at
    clock.now = NOW - timedelta(microseconds=1)
    with pytest.raises(AheadOfClock):
        roster(service)


def test_what_was_recorded_before_is_still_acknowledged(service: Service, clock: Clock) -> None:
    clock.now = FAR
    roster(service)
    clock.now = NOW
    assert begin(service).repeated


def test_a_refusal_is_told_and_kept_and_the_trail_has_it(
    service: Service, clock: Clock, url: str
) -> None:
    with_trail(url)
    clock.now = FAR
    roster(service)
    clock.now = NOW
    with pytest.raises(Refused, match="already_registered"):
        service.register("ada", **sheet(document="passport"))
    assert [kept.attempt.code for kept in service.refused_attempts(ADA)] == ["already_registered"]
    with service.audit_trail() as trail:
        trail.catch_up()
        assert len(list(trail.all(yibao.Question(ref="ada")))) == 3


def test_among_many_it_is_told_in_its_place_and_the_others_are_recorded(
    service: Service, clock: Clock
) -> None:
    clock.now = FAR
    roster(service, ADA)
    clock.now = NOW
    asked = DeclareRoster(at=read_instant("2025-09-02 18:00"))
    told, repeated, recorded = service.record_each(
        [(ADA, asked), (ADA, again(service)), (BO, asked)]
    )
    assert isinstance(told, AheadOfClock)
    assert isinstance(repeated, Receipt)
    assert repeated.repeated
    assert isinstance(recorded, Receipt)
    assert recorded.recorded_at == NOW
    assert len(service.facts(ADA)) == 2


def again(service: Service) -> DeclareRoster:
    """The command that is recorded already."""
    (fact,) = [fact for fact in service.facts(ADA) if fact.name == "roster-declared"]
    return DeclareRoster(at=read_instant("2025-09-02 17:00"), command_id=fact.command_id)


def test_whoever_opens_the_store_says_until_which_stamp_it_is_accepted_and_the_log_tells(
    url: str, caplog: pytest.LogCaptureFixture
) -> None:
    now = [FAR]
    with yibao.open(url, clock=lambda: now[0], accept_stamps_until=FAR) as service:
        begin(service)
        now[0] = NOW
        with caplog.at_level(logging.WARNING, "yibao"):
            assert roster(service).recorded_at == FAR
            assert visit(service).recorded_at == FAR
        assert [record.message for record in caplog.records] == ["stamp-ahead-accepted"] * 2
        assert [vars(record)["told"] for record in caplog.records] == [
            {"stamp": FAR.isoformat(), "clock": NOW.isoformat()}
        ] * 2
        now[0] = FAR + timedelta(seconds=1)
        roster(service)
        now[0] = NOW
        with pytest.raises(AheadOfClock):
            roster(service)


@lasting
def test_the_environment_says_it_likewise(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with yibao.open(url, clock=lambda: FAR) as service:
        begin(service)
    monkeypatch.setenv("YIBAO_ACCEPT_STAMPS_UNTIL", "2099-01-01 00:00")
    with yibao.open(url, clock=lambda: NOW) as service:
        assert roster(service).recorded_at == FAR
    earlier = yibao.open(url, clock=lambda: NOW, accept_stamps_until="2098-12-31 23:59")
    with earlier as service, pytest.raises(AheadOfClock):
        roster(service)


@on_sqlite
@pytest.mark.parametrize("given", ["tomorrow", "2025-02-30 10:00", "2099-01-01"])
def test_an_instant_that_cannot_be_read_is_named(
    given: str, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(BadValue, match="accept_stamps_until"):
        yibao.open(url, accept_stamps_until=given)
    yibao.open(url).close()
    monkeypatch.setenv("YIBAO_ACCEPT_STAMPS_UNTIL", given)
    with pytest.raises(StoreError, match="YIBAO_ACCEPT_STAMPS_UNTIL in the environment"):
        yibao.open(url)


@lasting
def test_a_check_names_the_first_stamp_of_the_future_in_each_stream(
    url: str, service: Service, clock: Clock
) -> None:
    clock.now = NOW + timedelta(minutes=5)
    roster(service, BO)
    assert check(url, Editions(), clock=lambda: NOW).findings == ()
    clock.now = NOW + timedelta(minutes=6)
    roster(service)
    roster(service)
    (found,) = check(url, Editions(), clock=lambda: NOW).findings
    assert found == (
        "stamp_in_the_future",
        f"event 2 of stream {stream_in(url)}: 2025-12-20 12:06:00+08:00",
    )
    assert check(url, Editions()).findings == ()


def stream_in(url: str) -> object:
    (found,) = rows(
        url, "SELECT originator_id FROM stored_events ORDER BY notification_id DESC LIMIT 1"
    )
    return found[0]


@on_sqlite
def test_in_a_rehearsal_store_no_stamp_is_one_of_the_future(
    url: str, tell: Write, run: Run
) -> None:
    story = tell("- at: 2025-09-02 17:00\n  recorded: 2099-01-01 00:00\n  declare_roster: {}")
    assert run("replay", story, "--store", url).exit_code == 0
    assert check(url, Editions()).findings == ()
    with yibao.open(url) as service, pytest.raises(StoreError, match="nothing but stories"):
        roster(service, yibao.EnrollmentId("s1", 2025))
