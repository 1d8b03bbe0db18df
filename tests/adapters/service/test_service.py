"""The service: one door for commands and questions, on a clock and a store."""

import asyncio
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import permutations
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from freezegun import freeze_time

import yibao
from yibao import PENDING, EnrollmentId, Refused, Service, State
from yibao.adapters.service.recording import Receipt
from yibao.adapters.store.facts import StoreError
from yibao.domain.calendar import read_instant
from yibao.domain.facts import commands
from yibao.domain.facts.events import EVENTS
from yibao.domain.money import Fen
from yibao.domain.refusals import (
    BadValue,
    NotCorrectable,
    NotPermitted,
    OutOfStep,
    UnknownCutoff,
    UnknownEdition,
    UnreadableEvent,
)
from yibao.domain.vocabulary import CareSetting

from ..helpers.stores import content, lasting, rows, with_trail

ADA = EnrollmentId("s1", 2025)
SHEET: dict[str, Any] = {
    "policy": "shanghai-2025",
    "on": "2025-09-01",
    "at": "2025-09-01 08:30",
    "school": "sjtu",
    "category": "undergraduate",
    "document": "resident_id_card",
}


def sheet(changes: dict[str, Any]) -> dict[str, Any]:
    """The registration with some values changed or added."""
    return {**SHEET, **changes}


#: Frozen clocks are told in UTC: this is 12:00 on 1 December in Shanghai.
NOON = "2025-12-01 04:00:00"


@pytest.fixture
def service(url: str) -> Iterator[Service]:
    with yibao.open(url, by="registrar") as opened:
        yield opened


@pytest.fixture
def registered(service: Service) -> Service:
    service.register("s1", **SHEET)
    return service


@pytest.fixture
def kept(url: str) -> str:
    """A store in which Ada is registered, and which nobody has open."""
    with yibao.open(url, by="registrar") as opened:
        opened.register("s1", **SHEET)
    return url


def refused(ask: Callable[[], Any]) -> Refused:
    with pytest.raises(Refused) as caught:
        ask()
    return caught.value


def stamps(service: Service) -> list[datetime]:
    return [event.recorded_at for event in service.facts(ADA)]


#: Every method that records something about a registered student, with values that fit.
COMMANDS: list[tuple[str, dict[str, Any], str]] = [
    ("declare_roster", {}, "roster-declared"),
    ("change_school", {"school": "fudan"}, "school-changed"),
    ("declare_other_cover", {"kind": "other_province"}, "other-cover-declared"),
    ("stop_employee_cover", {"on": "2025-10-10"}, "employee-cover-stopped"),
    ("keep_other_cover", {"observed": True}, "other-cover-kept"),
    ("confirm", {"channel": "app", "observed": True}, "confirmed"),
    ("verify_prior_coverage", {"lapsed_years": 1}, "prior-coverage-verified"),
    ("build_account", {"on": "2025-09-10"}, "account-built"),
    ("activate_evoucher", {"channel": "alipay", "observed": True}, "evoucher-activated"),
    ("issue_medical_card", {}, "medical-card-issued"),
    ("file_remote_care", {"province": "jiangsu"}, "remote-care-filed"),
    ("withdraw", {"on": "2025-11-01"}, "withdrawn"),
    ("pay_premium", {"year": 2026, "observed": True}, "premium-paid"),
]


@pytest.mark.parametrize(("method", "values", "name"), COMMANDS, ids=[c[0] for c in COMMANDS])
def test_each_command_records_one_fact_and_gives_a_receipt(
    method: str, values: dict[str, Any], name: str, registered: Service
) -> None:
    receipt = getattr(registered, method)(ADA, at="2025-09-12 10:00", **values)
    fact = registered.facts(ADA)[-1]
    assert (fact.name, fact.event_id) == (name, receipt.event_id)
    assert (receipt.version, receipt.recorded_at) == (2, fact.recorded_at)
    assert receipt.repeated is False
    assert fact.occurred_at == read_instant("2025-09-12 10:00")


def test_a_registration_names_its_enrollment_and_is_asked_about(registered: Service) -> None:
    (fact,) = registered.facts(ADA)
    assert (fact.name, fact.by, fact.via) == ("registered", "registrar", "library")
    answer = registered.at(ADA, read_instant("2025-09-02 10:00"))
    assert (answer.state, answer.version, answer.edition) == (State.REGISTERED, 1, "shanghai-2025")
    assert answer.values is not None
    assert answer.values.coverage.value is PENDING


def test_days_and_instants_may_be_text_or_dates(service: Service) -> None:
    day = read_instant("2025-09-01 08:30")
    service.register("s1", **sheet({"at": day.astimezone(UTC), "on": day.date()}))
    (fact,) = service.facts(ADA)
    assert fact.occurred_at == day
    assert fact.occurred_at.utcoffset() == timedelta(hours=8)
    assert fact.payload()["on"] == day.date()


def test_who_is_not_registered_is_told_so(service: Service) -> None:
    with pytest.raises(NotPermitted, match="not_registered"):
        service.declare_roster(ADA, at="2025-09-02 10:00")
    assert service.facts(ADA) == []
    assert service.at(ADA).state is None


def test_a_guard_refuses_a_request_and_lets_a_report_through(registered: Service) -> None:
    ask: dict[str, Any] = {"at": "2025-09-03 10:00", "channel": "app"}
    assert refused(lambda: registered.confirm(ADA, **ask)).code == "window_not_open"
    assert len(registered.facts(ADA)) == 1
    registered.confirm(ADA, observed=True, **ask)
    found = registered.at(ADA).discrepancies
    assert [(one.code, one.version) for one in found] == [("window_not_open", 2)]


def test_a_window_is_fixed_in_the_editions_own_stream(registered: Service) -> None:
    registered.fix_window("shanghai-2025", at="2025-09-02 10:00", closes_on="2025-10-19")
    assert len(registered.facts(ADA)) == 1
    after = registered.at(ADA, read_instant("2025-10-20 00:00"))
    assert (after.state, after.version, after.edition_version) == (State.LAPSED, 1, 2)


def test_who_confirmed_after_the_window_as_fixed_has_no_account_to_activate_on(
    registered: Service,
) -> None:
    registered.fix_window("shanghai-2025", at="2025-09-02 10:00", closes_on="2025-10-19")
    registered.confirm(ADA, at="2025-10-20 10:00", channel="app", observed=True)
    registered.verify_prior_coverage(ADA, at="2025-10-20 10:30", lapsed_years=0)
    ask: dict[str, Any] = {"at": "2025-10-22 10:00", "channel": "alipay"}
    assert refused(lambda: registered.activate_evoucher(ADA, **ask)).code == "account_not_built"


def test_a_fixed_window_is_corrected_and_taken_back(registered: Service) -> None:
    edition, at = "shanghai-2025", "2025-09-03 10:00"
    when = read_instant("2025-10-20 00:00")
    fix = registered.fix_window(edition, at="2025-09-02 10:00", closes_on="2025-10-19")
    again = registered.correct(
        edition, fix.event_id, at=at, reason="misread", changes={"closes_on": "2025-10-20"}
    )
    assert registered.at(ADA, when).state is State.REGISTERED
    assert (
        refused(lambda: registered.void(edition, fix.event_id, at=at, reason="misread")).code
        == "superseded"
    )
    registered.void(edition, again.event_id, at=at, reason="misread")
    assert registered.at(ADA, read_instant("2025-12-31 00:00")).state is State.REGISTERED


def test_a_fact_is_corrected_and_taken_back(registered: Service) -> None:
    check = registered.verify_prior_coverage(ADA, at="2025-09-06 14:50", lapsed_years=2)
    right = registered.correct(
        ADA,
        check.event_id,
        at="2025-09-08 10:00",
        reason="misread",
        changes={"lapsed_years": 1},
        occurred_at="2025-09-06 15:00",
    )
    fact = registered.facts(ADA)[-1]
    assert (fact.payload()["lapsed_years"], fact.reason) == (1, "misread")
    assert fact.occurred_at == read_instant("2025-09-06 15:00")
    registered.void(ADA, right.event_id, at="2025-09-09 10:00", reason="wrong-person")
    values = registered.at(ADA).values
    assert values is not None
    assert values.waiting.value is PENDING
    assert [event.name for event in registered.facts(ADA)][-1] == "voided"


def test_what_never_was_cannot_be_corrected(registered: Service) -> None:
    with pytest.raises(NotCorrectable, match="no_such_fact"):
        registered.void(ADA, uuid4(), at="2025-09-09 10:00", reason="misread")
    (fact,) = registered.facts(ADA)
    with pytest.raises(BadValue, match="ref"):
        registered.correct(
            ADA, fact.event_id, at="2025-09-09 10:00", reason="misread", changes={"ref": "s2"}
        )


def test_the_same_command_id_with_the_same_content_adds_nothing(registered: Service) -> None:
    ask: dict[str, Any] = {"at": "2025-09-02 10:00", "command_id": "c-1"}
    first = registered.declare_roster(ADA, **ask)
    again = registered.declare_roster(ADA, **ask)
    assert (again.event_id, again.version) == (first.event_id, first.version)
    assert (again.recorded_at, again.repeated) == (first.recorded_at, True)
    assert len(registered.facts(ADA)) == 2


def test_a_command_is_repeated_also_where_it_would_now_be_refused(service: Service) -> None:
    first = service.register("s1", **SHEET, command_id="c-1")
    again = service.register("s1", **SHEET, command_id="c-1", note="sent twice")
    assert (again.event_id, again.repeated) == (first.event_id, True)
    assert service.note(first.event_id) is None


def test_a_command_id_with_other_content_is_refused(registered: Service) -> None:
    registered.declare_roster(ADA, at="2025-09-02 10:00", command_id="c-1")
    with pytest.raises(OutOfStep, match="command_id_reused"):
        registered.declare_roster(ADA, at="2025-09-02 10:01", command_id="c-1")
    assert len(registered.facts(ADA)) == 2


#: A method, what is corrected of it, and the same change as others spell it.
SPELLINGS: list[tuple[str, dict[str, Any], str, list[Any]]] = [
    (
        "receive_care",
        {"on": "2025-09-02", "setting": "campus_clinic", "cost": "60", "province": "jiangsu"},
        "cost",
        ["130", "130.0", "130.00", 130, Decimal("130.00"), Decimal("1.3E+2"), Fen(13000)],
    ),
    (
        "receive_care",
        {"on": "2025-09-02", "setting": "campus_clinic", "cost": "60", "province": "jiangsu"},
        "setting",
        ["village_clinic", CareSetting.VILLAGE_CLINIC],
    ),
    (
        "receive_care",
        {"on": "2025-09-02", "setting": "campus_clinic", "cost": "60"},
        "on",
        ["2025-09-01", date(2025, 9, 1)],
    ),
    ("verify_prior_coverage", {"lapsed_years": 2}, "lapsed_years", [1, "1", "01", Decimal(1)]),
]


@pytest.mark.parametrize(("method", "values", "place", "spelt"), SPELLINGS)
def test_a_correction_is_the_same_however_its_values_are_spelled(
    method: str, values: dict[str, Any], place: str, spelt: list[Any], registered: Service
) -> None:
    fact = getattr(registered, method)(ADA, at="2025-09-03 10:00", **values)
    how: dict[str, Any] = {"reason": "misread", "command_id": "c-1"}
    instants = ["2025-09-04 10:00", "2025-09-04T02:00:00Z", read_instant("2025-09-04 10:00:00.0")]
    first, *others = [
        registered.correct(ADA, fact.event_id, at=at, changes={place: value}, **how)
        for value in spelt
        for at in instants
    ]
    assert {(again.event_id, again.repeated) for again in others} == {(first.event_id, True)}
    for changes in ({}, {place: None}, {place: "3"}, {"channel": "app"}, {place: object()}):
        with pytest.raises((OutOfStep, BadValue)):
            registered.correct(ADA, fact.event_id, at="2025-09-04 10:00", changes=changes, **how)


@lasting
def test_a_correction_recorded_by_an_earlier_release_is_recognized_in_its_own_spelling(
    url: str,
) -> None:
    with yibao.open(url) as service:
        service.register("s1", **SHEET)
        care = {"on": "2025-09-02", "setting": "campus_clinic", "cost": "60"}
        fact = service.receive_care(ADA, at="2025-09-03 10:00", **care)  # type: ignore[arg-type]
        asked = commands.Correct.model_validate(
            {
                "at": "2025-09-04 10:00",
                "fact_id": fact.event_id,
                "reason": "misread",
                "changes": {"cost": "130"},
                "command_id": "c-1",
            }
        )
        first = service.record(ADA, asked)
        digest = service.care_facts(ADA)[-1].command_digest
    states = [bytes(state) for (state,) in rows(url, "SELECT state FROM stored_events")]
    (state,) = [state for state in states if digest.encode() in state]
    then = state.replace(digest.encode(), asked.digest().encode())
    assert then != state
    rows(url, "UPDATE stored_events SET state=? WHERE state=?", then, state)
    with yibao.open(url) as service:
        again = service.record(ADA, asked)
        assert (again.event_id, again.repeated) == (first.event_id, True)
        for other in ("131", 13000):
            changed = asked.model_copy(update={"changes": {"cost": other}})
            assert refused(lambda command=changed: service.record(ADA, command)).code == (
                "command_id_reused"
            )


def test_a_window_is_corrected_once_however_its_opening_is_spelled(registered: Service) -> None:
    edition = "shanghai-2025"
    how: dict[str, Any] = {"at": "2025-09-03 10:00", "reason": "misread", "command_id": "c-1"}
    fix = registered.fix_window(edition, at="2025-09-02 10:00", opens_at="2025-09-05 08:00")
    receipts = [
        registered.correct(edition, fix.event_id, changes=dict(changes), **how)
        for opens in ("2025-09-05 09:00", "2025-09-05T01:00Z", read_instant("2025-09-05 09:00"))
        for changes in permutations([("opens_at", opens), ("school", None), ("category", None)])
    ]
    assert len({receipt.event_id for receipt in receipts}) == 1


def test_a_refused_command_may_be_tried_again_under_its_id(registered: Service) -> None:
    ask: dict[str, Any] = {"at": "2025-09-06 14:20", "channel": "app", "command_id": "c-1"}
    assert refused(lambda: registered.confirm(ADA, **ask)).code == "roster_not_declared"
    registered.declare_roster(ADA, at="2025-09-02 10:00")
    assert registered.confirm(ADA, **ask).repeated is False


def test_an_expected_version_guards_against_what_one_has_not_seen(registered: Service) -> None:
    registered.declare_roster(ADA, at="2025-09-02 10:00", expected_version=1)
    with pytest.raises(OutOfStep, match="version_conflict") as caught:
        registered.declare_roster(ADA, at="2025-09-02 11:00", expected_version=1)
    assert caught.value.details == {"expected": 1, "found": 2}
    assert len(registered.facts(ADA)) == 2


def test_a_repeated_command_does_not_mind_the_version(registered: Service) -> None:
    ask: dict[str, Any] = {"at": "2025-09-02 10:00", "command_id": "c-1", "expected_version": 1}
    registered.declare_roster(ADA, **ask)
    assert registered.declare_roster(ADA, **ask).repeated is True


def test_the_first_window_of_an_edition_can_be_fixed_with_the_version_one_sees(
    service: Service,
) -> None:
    service.fix_window(
        "shanghai-2025", at="2025-09-02 10:00", closes_on="2025-12-19", expected_version=0
    )


def test_a_naive_instant_is_refused_everywhere(registered: Service) -> None:
    naive = datetime(2025, 9, 2, 10)  # noqa: DTZ001
    (fact,) = registered.facts(ADA)
    asks: list[Callable[[], Any]] = [
        lambda: registered.declare_roster(ADA, at=naive),
        lambda: registered.fix_window("shanghai-2025", at="2025-09-02 10:00", opens_at=naive),
        lambda: registered.void(ADA, fact.event_id, at=naive, reason="misread"),
        lambda: registered.correct(
            ADA, fact.event_id, at="2025-09-02 10:00", reason="misread", occurred_at=naive
        ),
        lambda: registered.at(ADA, naive),
        lambda: registered.at(ADA, known_at=naive),
        lambda: registered.compare(ADA, naive),
        lambda: registered.compare(ADA, 0, naive),
        lambda: registered.compare(ADA, 0, at=naive),
        lambda: list(registered.everyone(naive)),
        lambda: list(registered.everyone(known_at=naive)),
    ]
    for ask in asks:
        with pytest.raises(BadValue):
            ask()
    assert len(registered.facts(ADA)) == 1


@pytest.mark.parametrize(
    ("values", "where"),
    [
        ({"on": "2025-02-30"}, "on"),
        ({"on": "1 September"}, "on"),
        ({"at": "2025-09-01"}, "at"),
        ({"at": "2025-09-01 08:30+08:60"}, "at"),
        ({"category": "pupil"}, "category"),
        ({"document": "library_card"}, "document"),
        ({"school": ""}, "school"),
        ({"reason": "The counter was closed"}, "reason"),
        ({"note": ""}, "note"),
        ({"command_id": "two words"}, "command_id"),
        ({"expected_version": -1}, "expected_version"),
        ({"birthday": "2007-01-01"}, "birthday"),
    ],
    ids=lambda value: str(value) if isinstance(value, dict) else "",
)
def test_a_value_that_can_never_be_right_is_refused_by_its_name(
    values: dict[str, Any], where: str, service: Service
) -> None:
    with pytest.raises(BadValue) as caught:
        service.register("s1", **sheet(values))
    assert caught.value.code == "bad_value"
    assert caught.value.details["where"] == where
    assert service.facts(ADA) == []


@pytest.mark.parametrize(
    "number", ["11010119900307775X", "110101199003077758", "13812345678", "19900000000"]
)
def test_a_document_or_phone_number_is_refused_without_repeating_it(
    number: str, service: Service
) -> None:
    for ask in (
        lambda: service.register(number, **SHEET),
        lambda: service.register("s1", **SHEET, by=number),
    ):
        caught = refused(ask)
        assert caught.code == "bad_value"
        assert number not in f"{caught} {caught.details} {caught!r}"
        assert caught.__cause__ is None
    assert service.facts(EnrollmentId(number, 2025)) == []


def test_what_was_recorded_before_such_words_were_refused_is_read_as_it_is(url: str) -> None:
    """Copied, a command is not read again: so it went into the facts of 0.4.0."""
    number = "310101-19900101-1234"
    eve = EnrollmentId(number, 2025)
    with yibao.open(with_trail(url), by="registrar") as service:
        begun = commands.Register(ref="s1", **SHEET).model_copy(
            update={"ref": number, "school": number, "command_id": number, "reason": number}
        )
        fact = service.record(eve, begun)
        service.declare_roster(eve, at="2025-09-02 17:00")
        filed = commands.FileRemoteCare(at="2025-09-03 10:00", province="jiangsu")  # type: ignore[arg-type]
        filing = service.record(eve, filed.model_copy(update={"province": number}))
        again: dict[str, Any] = {"at": "2025-09-04 10:00", "reason": "misread"}
        fact = service.correct(eve, fact.event_id, changes={"on": "2025-09-02"}, **again)
        service.correct(eve, filing.event_id, changes={"province": "zhejiang"}, **again)
        service.confirm(eve, at="2025-09-06 14:20", channel="app")
        assert service.at(eve, "2025-09-06 15:00").state is State.CONFIRMED
        first, *_, corrected, moved, _ = [event.payload() for event in service.facts(eve)]
        assert (first["ref"], first["school"]) == (number, number)
        assert (corrected["ref"], corrected["school"]) == (number, number)
        assert moved == {"province": "zhejiang"}
        assert [answer.enrollment for answer in service.everyone()] == [eve]
        with service.audit_trail() as trail:
            assert trail.count(yibao.Question(ref=number)) == 6
            assert trail.count(yibao.Question(school=number)) == 6
        with pytest.raises(BadValue, match="school"):
            service.correct(eve, fact.event_id, changes={"school": "13812345678"}, **again)


def test_an_actor_that_is_no_opaque_key_is_refused_when_the_service_is_opened(url: str) -> None:
    for actor in ("13812345678", "desk/138-1234-5678", "ada@sjtu.edu.cn", "Wang Xiaoming"):
        with pytest.raises(BadValue) as caught, yibao.open(url, by=actor) as service:
            service.register("s1", **SHEET)
        assert actor not in str(caught.value)


def test_an_unknown_edition_is_told(service: Service) -> None:
    with pytest.raises(UnknownEdition, match="shanghai-2025"):
        service.register("s1", **sheet({"policy": "shanghai-1999"}))
    with pytest.raises(UnknownEdition):
        service.fix_window("shanghai-1999", at="2025-09-02 10:00", closes_on="2025-12-19")


def test_facts_are_stamped_by_the_clock(service: Service) -> None:
    with freeze_time(NOON):
        receipt = service.register("s1", **SHEET)
    assert receipt.recorded_at == read_instant("2025-12-01 12:00")
    assert receipt.recorded_at.utcoffset() == timedelta(hours=8)


def test_a_question_is_about_now_unless_it_says_otherwise(service: Service) -> None:
    with freeze_time(NOON) as clock:
        service.register("s1", **SHEET)
        answer = service.at(ADA)
        assert answer.at == answer.known_at == read_instant("2025-12-01 12:00")
        assert answer.assumes_no_further_facts is False
        clock.move_to("2025-12-31 16:00:00")
        assert service.at(ADA).state is State.LAPSED
        earlier = service.at(ADA, read_instant("2025-12-31 23:59"))
        assert (earlier.state, earlier.known_at) == (
            State.REGISTERED,
            read_instant("2026-01-01 00:00"),
        )
        assert service.at(ADA, read_instant("2026-01-01 00:01")).assumes_no_further_facts is True


def test_what_lies_in_the_future_is_refused_and_this_very_instant_is_not(service: Service) -> None:
    with freeze_time(NOON):
        for later in ("2025-12-01 12:00:01", "2025-12-02 00:00"):
            caught = refused(lambda at=later: service.register("s1", **sheet({"at": at})))
            assert (caught.code, caught.details["where"]) == ("bad_value", "at")
        receipt = service.register("s1", **sheet({"at": "2025-12-01 12:00"}))
        caught = refused(
            lambda: service.correct(
                ADA,
                receipt.event_id,
                at="2025-12-01 12:00",
                reason="misread",
                occurred_at="2025-12-01 12:01",
            )
        )
        assert caught.details["where"] == "occurred_at"
        with pytest.raises(BadValue, match="future"):
            service.fix_window("shanghai-2025", at="2025-12-03 09:00", closes_on="2025-12-19")


def test_stamps_never_go_back_when_the_clock_does(service: Service) -> None:
    with freeze_time(NOON) as clock:
        service.register("s1", **SHEET)
        service.fix_window("shanghai-2025", at="2025-11-20 09:00", closes_on="2025-12-19")
        clock.move_to("2025-12-01 03:00:00")
        service.declare_roster(ADA, at="2025-09-02 17:00")
        fix = service.fix_window("shanghai-2025", at="2025-11-21 09:00", closes_on="2025-12-26")
        # A window comes after all there is, by an instant at least, and its students not before it.
        noon, instant = read_instant("2025-12-01 12:00"), timedelta(microseconds=1)
        assert stamps(service) == [noon, noon + instant]
        assert fix.recorded_at == noon + 2 * instant
        # Everything is known by default, though the clock stands before the last stamp.
        answer = service.at(ADA)
        assert (answer.version, answer.edition_version) == (2, 3)
        assert (answer.at, answer.known_at) == (
            read_instant("2025-12-01 11:00"),
            noon + 2 * instant,
        )
        clock.move_to("2025-12-01 05:00:00")
        service.confirm(ADA, at="2025-11-01 09:00", channel="app")
        assert stamps(service)[-1] == read_instant("2025-12-01 13:00")


def test_a_fact_recorded_later_never_changes_what_was_known_before(service: Service) -> None:
    when = read_instant("2025-09-07 10:00")
    with freeze_time("2025-09-06 08:00:00") as clock:
        service.register("s1", **SHEET)
        service.confirm(ADA, at="2025-09-06 14:20", channel="app", observed=True)
        before = service.at(ADA, when)
        clock.move_to(NOON)
        service.verify_prior_coverage(ADA, at="2025-09-06 14:50", lapsed_years=1)
        service.fix_window("shanghai-2025", at="2025-09-05 10:00", closes_on="2025-10-19")
        assert service.at(ADA, when).values != before.values
        assert service.at(ADA, when, known_at=before.known_at) == before
        assert service.at(ADA, when, known_at=2).values == before.values


def test_commands_recorded_together_are_one_transaction_with_one_stamp(service: Service) -> None:
    receipts = service.record_together(
        ADA,
        [
            commands.Register(ref="s1", **SHEET),
            commands.DeclareRoster(at="2025-09-02 17:00"),  # type: ignore[arg-type]
            commands.Confirm(at="2025-09-06 14:20", channel="app"),  # type: ignore[arg-type]
        ],
    )
    assert [receipt.version for receipt in receipts] == [1, 2, 3]
    assert len({receipt.recorded_at for receipt in receipts}) == 1
    for inside in (1, 2):
        with pytest.raises(UnknownCutoff, match=f"version {inside} lies inside a transaction"):
            service.at(ADA, known_at=inside)
    assert service.at(ADA, known_at=3).state is not None
    assert service.at(ADA, known_at=0).state is None
    just_before = receipts[0].recorded_at - timedelta(microseconds=1)
    assert service.at(ADA, known_at=just_before).version == 0
    assert service.at(ADA, known_at=receipts[0].recorded_at).version == 3


def test_of_commands_recorded_together_all_are_recorded_or_none(service: Service) -> None:
    asked = [
        commands.Register(ref="s1", **SHEET, note="came with her mother"),
        commands.Confirm(at="2025-09-06 14:20", channel="app"),  # type: ignore[arg-type]
    ]
    assert refused(lambda: service.record_together(ADA, asked)).code == "roster_not_declared"
    assert service.facts(ADA) == []
    assert service.at(ADA).edition_version == 0


def test_a_repeated_transaction_adds_nothing(service: Service) -> None:
    asked = [
        commands.Register(ref="s1", command_id="a", **SHEET),
        commands.DeclareRoster(at="2025-09-02 17:00", command_id="b"),  # type: ignore[arg-type]
    ]
    first = service.record_together(ADA, asked)
    again = service.record_together(ADA, asked)
    assert [receipt.event_id for receipt in again] == [receipt.event_id for receipt in first]
    assert [receipt.repeated for receipt in again] == [True, True]
    assert len(service.facts(ADA)) == 2


def test_questions_take_instants_as_text_as_well(registered: Service) -> None:
    answer = registered.at(ADA, "2025-09-02 10:00", known_at="2099-01-01 00:00")
    assert answer.at == read_instant("2025-09-02 10:00")
    assert answer.version == 1
    assert registered.compare(ADA, 0, at="2025-09-02 10:00").now.state is State.REGISTERED


@pytest.mark.parametrize("given", ["2025-09-02", "soon", "1", 17.5, True, object()])
def test_what_is_neither_an_instant_nor_a_version_is_no_cut_off(
    given: Any, registered: Service
) -> None:
    with pytest.raises(BadValue, match="known_at"):
        registered.at(ADA, known_at=given)


@pytest.mark.parametrize("given", ["2025-09-02", "soon", 1, 17.5, True])
def test_what_is_no_instant_cannot_be_asked_about(given: Any, registered: Service) -> None:
    with pytest.raises(BadValue, match="where: at"):
        registered.at(ADA, given)


def test_what_was_fixed_under_an_edition_can_be_listed(registered: Service) -> None:
    registered.fix_window("shanghai-2025", at="2025-09-02 10:00", closes_on="2025-12-19")
    adopted, fixed = registered.window_facts("shanghai-2025")
    assert (adopted.name, adopted.payload()["policy"]) == ("edition-adopted", "shanghai-2025")
    assert adopted.payload()["digest"] == registered.editions.get("shanghai-2025").digest
    assert (fixed.name, fixed.originator_version) == ("window-fixed", 2)
    assert registered.window_facts("shanghai-2024") == []


def test_a_version_that_does_not_exist_is_no_cut_off(registered: Service) -> None:
    for version in (-1, 2, 10**12):
        with pytest.raises(UnknownCutoff):
            registered.at(ADA, known_at=version)


NOBODY: list[Any] = [
    None,
    "s1",
    ("s1", 2025),
    EnrollmentId(None, 2025),  # type: ignore[arg-type]
    EnrollmentId("s1", "2025"),  # type: ignore[arg-type]
    EnrollmentId("s1", 10**5000),
    EnrollmentId([], 2025),  # type: ignore[arg-type]
]


@pytest.mark.parametrize("whom", NOBODY, ids=range(len(NOBODY)))
def test_what_is_no_enrollment_cannot_be_asked_about(whom: Any, registered: Service) -> None:
    asks: list[Callable[[], Any]] = [
        lambda: registered.at(whom),
        lambda: registered.compare(whom, 0),
        lambda: registered.review(whom),
        lambda: registered.quote(whom, on="2025-10-01", setting="campus_clinic", cost="1"),
        lambda: registered.history(whom, "coverage"),
        lambda: registered.trail_of(whom),
        lambda: registered.refused_attempts(whom),
        lambda: registered.facts(whom),
        lambda: registered.care_facts(whom),
        lambda: registered.confirm(whom, at="2025-09-06 14:20", channel="app"),
        lambda: registered.record_together(whom if not isinstance(whom, str) else None, []),  # type: ignore[arg-type]
    ]
    with pytest.raises(BadValue, match="where: at"):
        registered.confirm(whom, at="soon", channel="app")
    for ask in asks:
        with pytest.raises(BadValue) as caught:
            ask()
        assert caught.value.details["where"] in ("enrollment", "ref", "year", "target")


@pytest.mark.parametrize("given", [None, "x", 5, str(UUID(int=1)), b"bytes"])
def test_what_is_no_event_has_no_note(given: Any, registered: Service) -> None:
    for ask in (registered.note, registered.erase_note):
        with pytest.raises(BadValue, match="where: event_id"):
            ask(given)


def test_what_is_no_edition_has_no_window_and_what_is_no_registration_begins_nothing(
    registered: Service,
) -> None:
    wrong: list[Any] = [None, 5, [], 10**5000]
    for given in wrong:
        with pytest.raises(BadValue, match="where: policy"):
            registered.window_facts(given)
        with pytest.raises(BadValue, match="where: command"):
            registered.enrollment_of(given)
        with pytest.raises(BadValue, match="where: value"):
            registered.history(ADA, given)


def test_no_stream_has_a_version_that_cannot_be_written(registered: Service) -> None:
    for version in (10**5000, -(10**5000)):
        with pytest.raises(UnknownCutoff):
            registered.at(ADA, known_at=version)
        with pytest.raises(UnknownCutoff):
            registered.compare(ADA, version)


def nested(make: Callable[[Any], Any]) -> Any:
    """Something so deep that nobody can go to its bottom."""
    found: Any = "app"
    for _ in range(100_000):
        found = make(found)
    return found


class Broken:
    """What can neither be shown nor compared."""

    def __str__(self) -> str:
        raise RuntimeError

    def __hash__(self) -> int:
        raise RuntimeError

    def __eq__(self, other: object) -> bool:
        raise RuntimeError


@pytest.mark.parametrize(
    "given",
    [nested(lambda it: [it]), nested(lambda it: {"a": it}), Broken(), {}, []],
    ids=["deep list", "deep mapping", "broken", "mapping", "list"],
)
def test_whatever_is_given_for_a_value_is_refused_by_its_name(
    given: Any, registered: Service
) -> None:
    (fact,) = registered.facts(ADA)
    at = "2025-09-06 14:20"
    asks: list[tuple[str, Callable[[], Any]]] = [
        ("channel", lambda: registered.confirm(ADA, at=at, channel=given)),
        ("reason", lambda: registered.confirm(ADA, at=at, channel="app", reason=given)),
        ("at", lambda: registered.confirm(ADA, at=given, channel="app")),
        ("school", lambda: registered.change_school(ADA, at=at, school=given)),
        ("at", lambda: registered.at(ADA, given)),
        ("known_at", lambda: registered.at(ADA, known_at=given)),
        (
            "setting",
            lambda: registered.quote(ADA, on="2025-10-01", setting=given, cost="1"),
        ),
    ]
    for key in ("category", "school"):
        changes = {key: given}
        asks.append(
            (
                key,
                lambda changes=changes: registered.correct(  # type: ignore[misc]
                    ADA, fact.event_id, at=at, reason="misread", changes=changes
                ),
            )
        )
    for where, ask in asks:
        with pytest.raises(BadValue) as caught:
            ask()
        assert caught.value.details["where"] in (where, "changes")
    assert len(registered.facts(ADA)) == 1


def naive() -> datetime:
    return datetime(2025, 12, 1, 12)  # noqa: DTZ001


@pytest.mark.parametrize(
    "clock",
    [naive, lambda: None, lambda: "2025-12-01 12:00", lambda: 5],
    ids=["naive", "none", "text", "number"],
)
def test_a_clock_that_tells_no_instant_is_told_of(clock: Any, url: str) -> None:
    with yibao.open(url, clock=clock) as service:
        for ask in (lambda: service.register("s1", **SHEET), lambda: service.at(ADA)):
            with pytest.raises(BadValue, match="where: clock"):
                ask()
        assert service.facts(ADA) == []


@pytest.mark.parametrize(
    ("name", "given"),
    [
        ("clock", 5),
        ("policies", 5),
        ("policies", "x" * 1000),
        ("attempts_kept", "5"),
        ("by", None),
        ("via", []),
    ],
    ids=range(6),
)
def test_a_service_is_not_opened_with_what_can_never_be_right(name: str, given: Any) -> None:
    how: dict[str, Any] = {name: given}
    with pytest.raises(yibao.YibaoError):
        yibao.open("memory:", **how)


@pytest.mark.parametrize("url", [None, 5, b"memory:"])
def test_what_is_no_text_is_no_address(url: Any) -> None:
    with pytest.raises(StoreError, match="a store is written"):
        yibao.open(url)


def test_two_states_of_knowledge_are_compared(service: Service) -> None:
    with freeze_time("2025-09-06 08:00:00") as clock:
        service.register("s1", **SHEET)
        service.confirm(ADA, at="2025-09-06 14:20", channel="app", observed=True)
        clock.move_to(NOON)
        check = service.verify_prior_coverage(ADA, at="2025-09-06 14:50", lapsed_years=1)
        found = service.compare(ADA, 2, at=read_instant("2025-12-02 00:00"))
        assert (found.then.version, found.now.version) == (2, 3)
        assert [event.event_id for event in found.facts_between] == [check.event_id]
        differences = {difference.name: difference for difference in found.differences}
        assert differences["waiting"].then is PENDING
        assert (differences["state"].then, differences["state"].now) == ("confirmed", "active")
        assert {e.event_id for d in found.differences for e in d.moved_by} == {check.event_id}
        same = service.compare(ADA, read_instant("2025-09-06 16:00"), 2)
        assert (same.differences, same.facts_between) == ((), ())
        with pytest.raises(UnknownCutoff, match="knows more than the later"):
            service.compare(ADA, 3, 2)


def test_a_comparison_with_now_knows_everything_though_the_clock_went_back(
    service: Service,
) -> None:
    with freeze_time(NOON) as clock:
        service.register("s1", **SHEET)
        clock.move_to("2025-12-01 03:00:00")
        assert service.compare(ADA, 0).now.version == 1


def test_everyone_is_answered_for_like_one_by_one(registered: Service) -> None:
    bo = EnrollmentId("s2", 2025)
    registered.register("s2", **sheet({"document": "passport"}))
    registered.confirm(bo, at="2025-09-06 14:20", channel="app", observed=True)
    at = read_instant("2025-12-02 00:00")
    everyone = {answer.enrollment: answer for answer in registered.everyone(at)}
    assert set(everyone) == {ADA, bo}
    for enrollment, answer in everyone.items():
        alone = registered.at(enrollment, at, known_at=answer.known_at)
        assert (answer.state, answer.values) == (alone.state, alone.values)
        assert (answer.version, answer.edition_version) == (alone.version, alone.edition_version)
    before = list(registered.everyone(at, known_at=read_instant("2000-01-01 00:00")))
    assert {answer.state for answer in before} == {None}


def test_notes_are_kept_apart_and_can_be_erased_while_the_fact_stands(
    registered: Service,
) -> None:
    receipt = registered.declare_roster(ADA, at="2025-09-02 10:00", note="her father called")
    fact = registered.facts(ADA)[-1]
    assert registered.note(receipt.event_id) == "her father called"
    assert "father" not in fact.model_dump_json()
    registered.erase_note(receipt.event_id)
    assert registered.note(receipt.event_id) is None
    assert registered.facts(ADA)[-1] == fact
    registered.erase_note(receipt.event_id)


@pytest.mark.parametrize(
    "note", ["阿达", "🚲 \x1b[31m", "a\r\nb\u2028\ufeff", "%s ? %(note)s :note $1", "\\x00 \\0"]
)
def test_a_note_is_kept_as_it_was_written(note: str, registered: Service) -> None:
    receipt = registered.declare_roster(ADA, at="2025-09-02 10:00", note=note)
    assert registered.note(receipt.event_id) == note


def test_a_note_with_the_character_nul_is_refused_by_its_name(registered: Service) -> None:
    with pytest.raises(BadValue) as bad:
        registered.declare_roster(ADA, at="2025-09-02 10:00", note="a\0b")
    assert bad.value.details["where"] == "note"
    assert len(registered.facts(ADA)) == 1


def test_a_note_does_not_belong_to_what_a_repeated_command_is_known_by(
    registered: Service,
) -> None:
    """The digest of a command must not be a fingerprint of a note that was erased."""
    ask: dict[str, Any] = {"at": "2025-09-02 10:00", "command_id": "c-1"}
    first = registered.declare_roster(ADA, **ask, note="her father called")
    assert registered.declare_roster(ADA, **ask, note="her mother called").repeated is True
    assert registered.note(first.event_id) == "her father called"


@lasting
def test_no_note_stands_in_the_stored_events_nor_anywhere_once_it_is_erased(kept: str) -> None:
    text = "her father called from Changsha"
    with yibao.open(kept) as service:
        (fact,) = service.facts(ADA)
        receipts = [
            service.declare_roster(ADA, at="2025-09-02 10:00", note=text),
            service.correct(
                ADA, fact.event_id, at="2025-09-03 10:00", reason="misread", note=text * 2
            ),
            service.void(
                ADA, service.facts(ADA)[-1].event_id, at="2025-09-04 10:00", reason="x", note=text
            ),
        ]
    columns = rows(kept, "SELECT topic, state FROM stored_events")
    ((notes,),) = rows(kept, "SELECT count(*) FROM notes")
    assert (len(columns), notes) == (5, 3)
    assert not any("Changsha" in f"{topic} {bytes(state)!r}" for topic, state in columns)
    assert b"Changsha" in content(kept)
    with yibao.open(kept) as service:
        for receipt in receipts:
            service.erase_note(receipt.event_id)
    assert b"Changsha" not in content(kept)


@lasting
def test_what_was_recorded_is_there_when_the_store_is_opened_again(kept: str) -> None:
    with yibao.open(kept) as service:
        service.declare_roster(ADA, at="2025-09-02 10:00", by="officer-1", reason="late-list")
        told = service.facts(ADA)
    with yibao.open(kept) as service:
        assert service.facts(ADA) == told
        assert [event.originator_version for event in told] == [1, 2]
        assert service.at(ADA).version == 2
        assert service.declare_roster(ADA, at="2025-09-02 11:00").version == 3


def test_a_relative_path_is_relative_to_where_one_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with yibao.open("sqlite:///my%20facts.db") as service:
        service.register("s1", **SHEET)
    assert (tmp_path / "my facts.db").stat().st_size > 0


def test_every_store_in_memory_is_its_own() -> None:
    with yibao.open("memory:") as one, yibao.open("memory:") as other:
        one.register("s1", **SHEET)
        assert other.facts(ADA) == []


@pytest.mark.parametrize(
    "url",
    [
        "",
        "memory",
        ":memory:",
        "facts.db",
        "sqlite:",
        "sqlite:///",
        "sqlite://host/facts.db",
        "sqlite:///facts.db?mode=ro",
        "http://localhost/",
    ],
)
def test_an_address_nobody_knows_is_refused_and_nothing_is_created(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(StoreError, match="a store is written sqlite:///"):
        yibao.open(url)
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_cannot_be_a_store_is_refused(tmp_path: Path) -> None:
    text = tmp_path / "notes.txt"
    text.write_text("this is no database, " * 100, encoding="utf-8")
    for path, why in (
        (tmp_path, "is no store of yibao: it is no file"),
        (tmp_path / "missing" / "facts.db", "failed"),
        (text, "is no store of yibao: file is not a database"),
    ):
        with pytest.raises(StoreError, match=why):
            yibao.open(f"sqlite:///{path}")
    assert text.read_text(encoding="utf-8").startswith("this is no database")


def tampered(url: str, column: str, value: Any) -> None:
    """Something else in the first event of Ada's stream."""
    change = f"UPDATE stored_events SET {column} = ? {ON_ADA} RETURNING 1"
    assert rows(url, change, value, ADA.stream.hex) == [(1,)]


ON_ADA = "WHERE originator_id = ? AND originator_version = 1"


@lasting
@pytest.mark.parametrize(
    ("column", "found", "said"),
    [
        ("topic", "enrolled", "unknown name 'enrolled'"),
        ("topic", "os:system", "unknown name 'os:system'"),
        ("state", b"{}", "registered: event_id"),
        ("state", b"not json", "registered: "),
        ("state", b"\xff\xfe\x00", "registered: "),
        ("state", b"", "registered: "),
        ("state", b"[]", "registered: "),
    ],
)
def test_a_stored_event_that_cannot_be_read_is_named(
    column: str, found: Any, said: str, kept: str
) -> None:
    tampered(kept, column, found)
    with yibao.open(kept) as service:
        for ask in (
            lambda: service.at(ADA),
            lambda: service.facts(ADA),
            lambda: service.declare_roster(ADA, at="2025-09-02 10:00"),
        ):
            with pytest.raises(UnreadableEvent) as caught:
                ask()
            assert f"event 1 of stream {ADA.stream}" in str(caught.value)
            assert said in str(caught.value)


@lasting
@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b'"schema":1', b'"schema":2'),
        (b'"on":"2025-09-01"', b'"on":"2025-02-30"'),
        (b'"category":"undergraduate"', b'"category":"a pupil"'),
        (b'"ref":"s1"', b'"ref":"s1","name":"Ada"'),
    ],
    ids=["a later schema", "an impossible day", "an unknown word", "a field too many"],
)
def test_a_stored_event_of_another_shape_is_not_guessed_at(
    old: bytes, new: bytes, kept: str
) -> None:
    ((state,),) = rows(kept, f"SELECT state FROM stored_events {ON_ADA}", ADA.stream.hex)
    assert old in state
    tampered(kept, "state", state.replace(old, new))
    with yibao.open(kept) as service, pytest.raises(UnreadableEvent) as caught:
        service.facts(ADA)
    assert f"event 1 of stream {ADA.stream}, registered" in str(caught.value)
    assert "Ada" not in str(caught.value)
    assert "pupil" not in str(caught.value)


@lasting
def test_events_are_stored_under_their_permanent_names(kept: str) -> None:
    topics = {topic for (topic,) in rows(kept, "SELECT topic FROM stored_events")}
    assert topics == {"registered", "edition-adopted"}
    assert topics <= set(EVENTS)


def fifty(service: Service, lapsed_years: int, failed: list[BaseException]) -> None:
    try:
        for minute in range(50):
            service.verify_prior_coverage(
                ADA, at=f"2025-09-06 10:{minute:02d}", lapsed_years=lapsed_years
            )
    except BaseException as error:
        failed.append(error)


def test_two_threads_at_one_student_lose_nothing(registered: Service) -> None:
    failed: list[BaseException] = []
    threads = [
        threading.Thread(target=fifty, args=(registered, number, failed)) for number in (1, 2)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    facts = registered.facts(ADA)
    assert [fact.originator_version for fact in facts] == list(range(1, 102))
    found = [fact.payload()["lapsed_years"] for fact in facts[1:]]
    assert (found.count(1), found.count(2)) == (50, 50)
    recorded = stamps(registered)
    assert recorded == sorted(recorded)


def test_of_threads_that_send_the_same_command_one_records_it(registered: Service) -> None:
    versions: list[tuple[int, bool]] = []

    def send() -> None:
        receipt = registered.declare_roster(ADA, at="2025-09-02 10:00", command_id="c-1")
        versions.append((receipt.version, receipt.repeated))

    threads = [threading.Thread(target=send) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(versions) == [(2, False), *[(2, True)] * 7]
    assert len(registered.facts(ADA)) == 2


WORKER = """
import sys, yibao
url, me = sys.argv[1:]
print("ready", flush=True)
sys.stdin.readline()
sheet = dict(policy="shanghai-2025", on="2025-09-01", at="2025-09-01 08:30", school="sjtu",
             category="undergraduate", document="resident_id_card")
ada = yibao.EnrollmentId("s1", 2025)
with yibao.open(url, by=me) as service:
    service.register(me, **sheet)
    try:
        service.register("s1", **sheet)
    except yibao.Refused as refused:
        assert refused.code == "already_registered"
    for minute in range(50):
        service.verify_prior_coverage(ada, at=f"2025-09-06 10:{minute:02d}", lapsed_years=1)
"""


@lasting
def test_two_processes_at_one_new_store_lose_nothing(url: str) -> None:
    source = str(Path(__file__).parents[3] / "src")
    workers = [
        subprocess.Popen(
            [sys.executable, "-c", WORKER, url, me],
            env={"PYTHONPATH": source},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for me in ("p1", "p2")
    ]
    for worker in workers:
        assert worker.stdout is not None
        assert worker.stdout.readline() == "ready\n"
    for worker in workers:
        assert worker.stdin is not None
        worker.stdin.write("go\n")
        worker.stdin.flush()
    for worker in workers:
        _, errors = worker.communicate(timeout=60)
        assert (worker.returncode, errors) == (0, "")
    with yibao.open(url) as service:
        facts = service.facts(ADA)
        for me in ("p1", "p2"):
            assert len(service.facts(EnrollmentId(me, 2025))) == 1
    assert [fact.originator_version for fact in facts] == list(range(1, 102))
    checks = [fact.by for fact in facts if fact.name == "prior-coverage-verified"]
    assert (checks.count("p1"), checks.count("p2")) == (50, 50)


@pytest.mark.parametrize(
    ("target", "command"),
    [
        (EnrollmentId("s3", 2025), commands.Register(ref="s2", **SHEET)),
        (EnrollmentId("s2", 2024), commands.Register(ref="s2", **SHEET)),
        ("shanghai-2025", commands.Register(ref="s2", **SHEET)),
        (ADA, commands.FixWindow(at="2025-09-02 10:00", closes_on="2025-12-19")),  # type: ignore[arg-type]
    ],
    ids=["another student's", "another year's", "an edition's", "a student's window"],
)
def test_a_command_is_not_recorded_where_it_does_not_belong(
    target: Any, command: commands.Command, registered: Service
) -> None:
    with pytest.raises(Refused):
        registered.record(target, command)


def test_an_async_server_calls_the_service_in_threads(service: Service) -> None:
    async def serve() -> list[int]:
        await asyncio.to_thread(service.register, "s1", **SHEET)
        receipts = await asyncio.gather(
            *(
                asyncio.to_thread(
                    service.verify_prior_coverage,
                    ADA,
                    at=f"2025-09-06 10:{minute:02d}",
                    lapsed_years=0,
                )
                for minute in range(10)
            )
        )
        answer = await asyncio.to_thread(service.at, ADA)
        return [answer.version, *sorted(receipt.version for receipt in receipts)]

    assert asyncio.run(serve()) == [11, *range(2, 12)]


def test_a_comparison_reaches_from_one_edition_of_a_year_to_another(
    url: str, tmp_path: Path
) -> None:
    (tmp_path / "sjtu-2025.yaml").write_text(
        "edition: sjtu-2025\ntitle: {en: Ours, zh: 本校}\nextends: shanghai-2025\n",
        encoding="utf-8",
    )
    sheet: Any = {"school": "sjtu", "category": "undergraduate", "document": "resident_id_card"}
    ada = yibao.EnrollmentId("ada", 2025)
    with yibao.open(url, policies=tmp_path) as service:
        at = "2025-09-01 08:30"
        first = service.register("ada", at=at, policy="shanghai-2025", on="2025-09-01", **sheet)
        service.fix_window("shanghai-2025", at=at, closes_on="2025-12-20")
        service.void(ada, first.event_id, at=at, reason="other-edition")
        service.register("ada", at=at, policy="sjtu-2025", on="2025-09-01", **sheet)
        found = service.compare(ada, 1, 3, at="2025-12-25 10:00")
    assert (found.then.edition, found.now.edition) == ("shanghai-2025", "sjtu-2025")
    assert [event.name for event in found.facts_between] == [
        "window-fixed",
        "voided",
        "edition-adopted",
        "registered",
    ]


def test_a_repeated_command_succeeds_also_when_the_clock_has_jumped_back(url: str) -> None:
    clock = [read_instant("2025-09-06 15:00")]
    with yibao.open(url, clock=lambda: clock[0]) as service:
        ada = yibao.EnrollmentId("ada", 2025)

        def register() -> Receipt:
            return service.register(
                "ada",
                at="2025-09-06 14:30",
                policy="shanghai-2025",
                on="2025-09-06",
                school="sjtu",
                category="undergraduate",
                document="passport",
                command_id="c1",
            )

        register()
        clock[0] = read_instant("2025-09-06 14:00")
        assert register().repeated
        assert len(service.facts(ada)) == 1
