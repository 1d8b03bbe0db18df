"""A student over several years: whatever is asked of one year knows the others."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from yibao.adapters.service.recording import Receipt
from yibao.adapters.service.service import Service, open_service
from yibao.domain.calendar import read_instant
from yibao.domain.facts import commands
from yibao.domain.refusals import OutOfStep, Refused, UnknownEdition, UnreadableEvent
from yibao.domain.vocabulary import EnrollmentId, Seen
from yibao.projections.answer import Answer
from yibao.projections.record import Record
from yibao.testing import Clock, clock_at

from ..helpers.stores import lasting, rows
from ..helpers.years import IN_2025, IN_2026, IN_2027, REF, SHEET, editions_of

LATER = "2026-06-01 12:00"
IN_2027_SHEET: dict[str, Any] = SHEET | {"policy": "continuing-2027", "on": "2025-09-01"}
#: The clock has gone back.
EARLIER = "2026-06-01 08:00"


@pytest.fixture
def policies(tmp_path: Path) -> Path:
    return editions_of(tmp_path / "policies", 2026, 2027)


@pytest.fixture
def clock() -> Clock:
    return clock_at("2025-09-01 09:00")


@pytest.fixture
def service(url: str, policies: Path, clock: Clock) -> Iterator[Service]:
    """Worked example 6, two lapsed years: waiting until 28 February 2026; paid for 2026."""
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
    care: dict[str, Any] = {"on": "2025-11-10", "setting": "campus_clinic", "cost": "20.00"}
    service.receive_care(IN_2025, at="2025-11-10 09:00", **care)
    record = service.read(IN_2026)
    assert record.before
    assert record.notes == {receipt.event_id: "sent by post"}
    assert service.at(IN_2026).seen.before == Seen(5, 1, 0)


def refusal(act: Callable[..., object], *values: object, **named: object) -> str:
    with pytest.raises(Refused) as caught:
        act(*values, **named)
    return caught.value.code


def test_what_was_paid_in_the_stream_of_the_year_before_is_paid(
    service: Service, clock: Clock
) -> None:
    service.pay_premium(IN_2026, year=2027)
    clock.move_to("2026-11-20 10:00")
    service.register(policy="continuing-2027", on="2025-09-01", **SHEET)
    paying = commands.PayPremium(year=2027)
    assert refusal(service.pay_premium, IN_2027, year=2027) == "already_confirmed"
    told = service.judge(IN_2027, paying)
    assert told
    assert told.code == "already_confirmed"
    assert told.code in failing(service, IN_2027, "pay_premium")
    (reply,) = service.record_each([(IN_2027, paying)])
    assert isinstance(reply, Refused)
    assert reply.code == "already_confirmed"


def failing(service: Service, whose: EnrollmentId, name: str) -> list[str]:
    (found,) = [each for each in service.possible(whose) if each.command == name]
    return [guard.code for guard in found.guards if not guard.passed]


def test_who_left_in_the_year_before_after_this_registration_has_left(service: Service) -> None:
    service.withdraw(IN_2025, on="2025-12-15", at="2025-12-15 09:00", observed=True)
    assert refusal(service.activate_evoucher, IN_2026, channel="alipay") == "withdrawn"
    assert "withdrawn" in failing(service, IN_2026, "activate_evoucher")


def test_what_was_judged_together_knows_what_came_before_it(service: Service, clock: Clock) -> None:
    clock.move_to("2026-11-20 10:00")
    first, paid, again = service.record_each(
        [
            (IN_2027, commands.Register.model_validate(IN_2027_SHEET)),
            (IN_2026, commands.PayPremium(year=2027)),
            (IN_2027, commands.PayPremium(year=2027)),
        ]
    )
    assert isinstance(first, Receipt)
    assert isinstance(paid, Receipt)
    assert isinstance(again, Refused)
    assert again.code == "already_confirmed"
    assert (first.seen, paid.seen) == (
        Seen(1, 0, 0, Seen(2, 0, 0, Seen(4, 0, 0))),
        Seen(3, 0, 0, Seen(4, 0, 0)),
    )


def test_what_somebody_has_seen_is_the_year_before_as_well(service: Service) -> None:
    seen = service.at(IN_2026).seen
    told = service.issue_medical_card(IN_2025)
    assert told.seen == Seen(5, 0, 0)
    with pytest.raises(OutOfStep, match="version_conflict") as caught:
        service.issue_medical_card(IN_2026, expected=seen)
    found = Seen(2, 0, 0, Seen(5, 0, 0))
    assert caught.value.details == {"expected": seen, "found": found}
    receipt = service.issue_medical_card(IN_2026, expected=found, command_id="again")
    assert receipt.seen == Seen(3, 0, 0, Seen(5, 0, 0)) == service.at(IN_2026).seen
    service.issue_medical_card(IN_2025)
    repeated = service.issue_medical_card(IN_2026, command_id="again")
    assert repeated == replace(receipt, repeated=True)


def test_a_window_fixed_for_the_year_before_is_seen(service: Service) -> None:
    seen = service.at(IN_2026).seen
    service.fix_window("shanghai-2025", closes_on="2025-12-20")
    assert refusal(service.issue_medical_card, IN_2026, expected=seen) == "version_conflict"
    assert service.at(IN_2026).seen == Seen(2, 0, 0, Seen(4, 0, 1))


@pytest.mark.parametrize(("first", "then"), [(IN_2025, IN_2026), (IN_2026, IN_2025)])
def test_a_clock_that_goes_back_stamps_no_year_before_another(
    first: EnrollmentId, then: EnrollmentId, service: Service, clock: Clock
) -> None:
    before = service.issue_medical_card(first)
    clock.move_to(EARLIER)
    care: dict[str, Any] = {"on": "2025-12-30", "setting": "campus_clinic", "cost": "20.00"}
    for receipt in (
        service.verify_prior_coverage(then, lapsed_years=1),
        service.receive_care(IN_2025, **care),
        service.issue_medical_card(first),
    ):
        assert receipt.recorded_at == before.recorded_at


def test_a_batch_stamps_no_year_before_another(service: Service, clock: Clock) -> None:
    before = service.issue_medical_card(IN_2025)
    clock.move_to(EARLIER)
    asked = [(whose, commands.IssueMedicalCard()) for whose in (IN_2026, IN_2025)]
    stamps = {reply.recorded_at for reply in service.record_each(asked)}  # type: ignore[union-attr]
    assert stamps == {before.recorded_at}


def test_care_is_settled_by_what_the_year_before_hands_on(service: Service) -> None:
    care: dict[str, Any] = {"setting": "campus_clinic", "cost": "20.00"}
    covered = service.receive_care(IN_2026, on="2026-04-01", **care)
    waiting = service.receive_care(IN_2026, on="2026-02-01", **care)
    settled = service.settle_care(IN_2026, care=covered.event_id)
    assert settled.seen == Seen(2, 3, 0, Seen(4, 0, 0))
    assert refusal(service.settle_care, IN_2026, care=waiting.event_id) == "in_waiting_period"


def test_whoever_is_asked_whether_it_is_allowed_is_shown_the_years(
    service: Service, clock: Clock
) -> None:
    shown: list[tuple[Seen, int]] = []

    def allowed(found: Answer, record: Record) -> str | None:
        shown.append((found.seen, len(record.before.enrolled) if record.before else 0))
        return None

    clock.move_to("2026-11-20 10:00")
    service.record_each(
        [
            (IN_2026, commands.IssueMedicalCard()),
            (IN_2027, commands.Register.model_validate(IN_2027_SHEET)),
        ],
        allowed=allowed,
    )
    assert shown == [
        (Seen(2, 0, 0, Seen(4, 0, 0)), 4),
        (Seen(0, 0, 0, Seen(3, 0, 0, Seen(4, 0, 0))), 3),
    ]


@lasting
def test_a_year_that_cannot_be_read_is_told_of_whoever_stands_on_it(
    service: Service, url: str
) -> None:
    sheet: dict[str, Any] = SHEET | {"ref": "bo", "policy": "continuing-2026", "on": "2025-09-01"}
    service.register(**sheet)
    broken = IN_2025.stream if "postgres" in url else IN_2025.stream.hex
    rows(url, "UPDATE stored_events SET topic='unheard-of' WHERE originator_id=?", broken)
    with pytest.raises(UnreadableEvent):
        service.at(IN_2026)
    card = commands.IssueMedicalCard()
    hers, others = service.record_each([(IN_2026, card), (EnrollmentId("bo", 2026), card)])
    assert isinstance(hers, UnreadableEvent)
    assert isinstance(others, Receipt)


def test_care_that_a_fact_of_the_year_before_has_moved_is_listed(service: Service) -> None:
    care: dict[str, Any] = {"on": "2026-03-05", "setting": "campus_clinic", "cost": "20.00"}
    visited = service.receive_care(IN_2026, **care)
    service.settle_care(IN_2026, care=visited.event_id)
    assert service.review(IN_2026) == ()
    check = next(fact for fact in service.facts(IN_2025) if fact.name == "prior-coverage-verified")
    corrected = service.correct(
        IN_2025, check.event_id, changes={"lapsed_years": 3}, reason="found-out"
    )
    (changed,) = service.review(IN_2026)
    assert [event.event_id for event in changed.moved_by] == [corrected.event_id]
    assert service.review(IN_2025) == ()


@lasting
def test_a_year_whose_edition_is_gone_is_told_of_by_questions_and_commands_alike(
    service: Service, url: str, clock: Clock, tmp_path: Path
) -> None:
    """Other editions of that year are at hand, of which this store has never used one."""
    service.record(IN_2027, commands.Register.model_validate(IN_2027_SHEET | {"at": LATER}))
    told = service.facts(IN_2027)
    left = editions_of(tmp_path / "left", 2027)
    with open_service(url, policies=left, clock=clock) as later:
        with pytest.raises(UnknownEdition):
            later.at(IN_2027)
        with pytest.raises(UnknownEdition):
            later.issue_medical_card(IN_2027)
        assert later.facts(IN_2027) == told
