"""Care through the service: recorded, assessed, settled and taken back, on real stores."""

from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta
from decimal import Decimal
from importlib.resources import files
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from given import sheet

import yibao
from yibao import EnrollmentId, Refused, Service
from yibao.adapters.service.recording import Receipt
from yibao.domain.calendar import read_instant
from yibao.domain.care.assessing import Assessed
from yibao.domain.facts import commands
from yibao.domain.facts.events import CareReceived, CareSettled
from yibao.domain.money import Fen
from yibao.domain.refusals import (
    AlteredEdition,
    BadValue,
    NotCorrectable,
    NotPermitted,
    OutOfStep,
    YibaoError,
)

from ..conftest import Write
from ..helpers.autumn import Clock
from ..helpers.stores import content, lasting

RELEASED = files("yibao.domain.editions") / "policies" / "shanghai-2025.yaml"
ADA = EnrollmentId("s1", 2025)
#: After the autumn, so that everything in it has happened.
JANUARY = "2026-01-10 12:00"
#: An edition of one's own in which one share is another.
MINE = """\
edition: mine
title: {en: Ours, zh: 本校}
extends: shanghai-2025
benefits:
  outpatient_third_share: {value: 55.5, unit: percent, clause: circular 7, basis: stated}
"""


def enrolled(
    service: Service, student: EnrollmentId = ADA, *, policy: str = "shanghai-2025", on: str = ""
) -> Receipt:
    """A student who registers on 1 September and has no waiting period; the check's receipt."""
    on = on or "2025-09-01"
    service.register(student.ref, **sheet(policy=policy, on=on, at=f"{on} 08:30"))
    service.declare_roster(student, at="2025-09-02 17:00", observed=True)
    service.confirm(student, at="2025-09-06 14:20", channel="app", observed=True)
    return service.verify_prior_coverage(student, at="2025-09-06 14:50", lapsed_years=0)


def visit(
    service: Service, cost: Any = "500.00", student: EnrollmentId = ADA, **changes: Any
) -> Receipt:
    """An outpatient visit at a third-level hospital on 1 October, some of it otherwise."""
    how: dict[str, Any] = {
        "at": "2025-10-01 17:00",
        "on": "2025-10-01",
        "setting": "outpatient",
        "level": "third",
    }
    return service.receive_care(student, cost=cost, **{**how, **changes})


def amounts(assessed: Assessed) -> tuple[str, str, str, str]:
    """What the fund and the patient pay, and what is used and left of the deductible."""
    return (
        str(assessed.fund_pays.value),
        str(assessed.patient_pays.value),
        str(assessed.deductible_used.value),
        str(assessed.deductible_left.value),
    )


def bills(service: Service, student: EnrollmentId = ADA, **how: Any) -> list[tuple[str, ...]]:
    return [amounts(assessed) for assessed in service.at(student, **how).care]


def everything(service: Service) -> list[Any]:
    """All that is recorded of the student and of the edition."""
    streams = (service.facts(ADA), service.care_facts(ADA), service.window_facts("shanghai-2025"))
    return [event for stream in streams for event in stream]


@pytest.fixture
def clock() -> Clock:
    return Clock(JANUARY)


@pytest.fixture
def empty(url: str, clock: Clock) -> Iterator[Service]:
    with yibao.open(url, by="counter", clock=clock) as opened:
        yield opened


@pytest.fixture
def service(empty: Service) -> Service:
    """A store in which Ada is enrolled."""
    enrolled(empty)
    return empty


@lasting
def test_care_stands_in_the_store_and_is_assessed_from_there_to_the_fen(
    url: str, service: Service
) -> None:
    visit(service)
    visit(service, "99.99", setting="campus_clinic", level=None)
    visit(service, on="2026-01-01", at="2026-01-02 09:00")
    told, before = bills(service), service.at(ADA, JANUARY).care
    service.close()
    with yibao.open(url) as again:
        assert again.at(ADA, JANUARY).care == before
    assert told == [
        ("100.00", "400.00", "300.00", "0.00"),
        ("79.99", "20.00", "0.00", "0.00"),
        ("0.00", "500.00", "0.00", "0.00"),
    ]


def test_care_is_recorded_whatever_the_cover_and_refused_without_an_enrollment(
    empty: Service,
) -> None:
    with pytest.raises(NotPermitted, match="not_registered"):
        visit(empty)
    assert everything(empty) == []
    check = enrolled(empty)
    empty.void(ADA, check.event_id, at="2025-09-07 09:00", reason="misread")
    visit(empty)
    visit(empty, on="2025-08-31")
    visit(empty, on="2027-05-01", at="2025-10-02 10:00")
    pending, early, late = empty.at(ADA).care
    assert (pending.is_pending, early.refused, late.refused) == (
        True,
        "outside_benefit_year",
        "outside_benefit_year",
    )


def test_after_the_registration_was_taken_back_nothing_more_is_received_or_settled(
    service: Service,
) -> None:
    bill = visit(service)
    (first, *_) = service.facts(ADA)
    service.void(ADA, first.event_id, at="2025-10-02 10:00", reason="wrong-person")
    before = everything(service)
    asks: list[Callable[[], Receipt]] = [
        lambda: visit(service),
        lambda: service.settle_care(ADA, bill.event_id, at="2025-10-03 10:00"),
        lambda: service.settle_care(ADA, bill.event_id, at="2025-10-03 10:00", observed=True),
    ]
    for ask in asks:
        with pytest.raises(NotPermitted, match="not_registered"):
            ask()
    assert everything(service) == before
    assert [each.refused for each in service.at(ADA).care] == ["not_enrolled"]


def test_the_first_care_adopts_the_benefits_once_for_each_edition(empty: Service) -> None:
    bo, eve = EnrollmentId("s2", 2025), EnrollmentId("s3", 2024)
    for student in (ADA, bo):
        enrolled(empty, student)
    assert [event.name for event in empty.window_facts("shanghai-2025")] == ["edition-adopted"]
    for student in (ADA, bo, ADA):
        visit(empty, student=student)
    adopted, benefits = empty.window_facts("shanghai-2025")
    assert [adopted.name, benefits.name] == ["edition-adopted", "benefits-adopted"]
    assert benefits.originator_version == 2
    policy = empty.editions.get("shanghai-2025")
    assert benefits.payload() == {"policy": policy.edition, "digest": policy.benefits_digest}
    empty.register(
        eve.ref,
        policy="shanghai-2024",
        on="2024-09-02",
        at="2024-09-02 09:00",
        school="ecupl",
        category="undergraduate",
        document="resident_id_card",
    )
    assert len(empty.window_facts("shanghai-2024")) == 1
    visit(empty, student=eve, on="2024-10-01", at="2024-10-01 17:00")
    names = [event.name for event in empty.window_facts("shanghai-2024")]
    assert names == ["edition-adopted", "benefits-adopted"]
    assert len(empty.window_facts("shanghai-2025")) == 2


@lasting
def test_an_edition_whose_benefits_were_altered_under_its_name_is_refused_once_used(
    write: Write, url: str
) -> None:
    folder = write(MINE, "policies/mine.yaml").parent
    with yibao.open(url, policies=folder) as service:
        enrolled(service, policy="mine")
    # Nothing was ever paid by this table: it may still be put right.
    write(MINE.replace("55.5", "56"), "policies/mine.yaml")
    with yibao.open(url, policies=folder) as service:
        visit(service)
        before = service.care_facts(ADA)
    for altered in (MINE, MINE.replace("55.5", "56").replace("circular 7", "circular 8")):
        write(altered, "policies/mine.yaml")
        with pytest.raises(AlteredEdition, match="'mine' has been altered"):
            yibao.open(url, policies=folder)
    write(MINE.replace("55.5", "56"), "policies/mine.yaml")
    with yibao.open(url, policies=folder) as service:
        assert service.care_facts(ADA) == before


def test_an_edition_that_changes_one_share_needs_no_code(
    write: Write, url: str, clock: Clock
) -> None:
    folder = write(MINE, "policies/mine.yaml").parent
    with yibao.open(url, policies=folder, clock=clock) as service:
        enrolled(service, policy="mine")
        bill = visit(service, "500.00")
        visit(service, "100.00", level="second")
        service.settle_care(ADA, bill.event_id, at="2025-10-01 18:00")
        assert bills(service) == [
            ("111.00", "389.00", "300.00", "0.00"),
            ("60.00", "40.00", "0.00", "0.00"),
        ]
        settled = service.at(ADA).care[0].care.settled
        assert settled is not None
        assert (str(settled.fund_pays), settled.policy) == ("111.00", "mine")
        assert settled.benefits_digest == service.editions.get("mine").benefits_digest
        assert settled.benefits_digest != service.editions.get("shanghai-2025").benefits_digest


def test_under_an_edition_without_benefits_no_care_is_recorded(
    write: Write, url: str, clock: Clock
) -> None:
    released = (files("yibao.domain.editions") / "policies" / "shanghai-2025.yaml").read_text(
        "utf-8"
    )
    without = released.partition("\nbenefits:")[0] + "\n"
    folder = write(without.replace("shanghai-2025", "mine", 1), "policies/mine.yaml").parent
    with yibao.open(url, policies=folder, clock=clock) as service:
        enrolled(service, policy="mine")
        with pytest.raises(BadValue, match="no table of benefits") as caught:
            visit(service)
        assert caught.value.details["where"] == "policy"
        with pytest.raises(BadValue, match="no table of benefits"):
            service.quote(ADA, on="2025-10-01", setting="campus_clinic", cost="10.00")
        assert service.care_facts(ADA) == []
        assert [event.name for event in service.window_facts("mine")] == ["edition-adopted"]
        assert service.at(ADA).care == ()


def test_a_settlement_keeps_amounts_versions_and_digests(service: Service) -> None:
    bill = visit(service)
    service.fix_window("shanghai-2025", at="2025-10-01 17:30", closes_on="2025-12-19")
    receipt = service.settle_care(ADA, bill.event_id, at="2025-10-01 18:00", by="counter-2")
    fact = service.care_facts(ADA)[-1]
    assert isinstance(fact, CareSettled)
    policy = service.editions.get("shanghai-2025")
    assert (fact.event_id, fact.originator_version) == (receipt.event_id, receipt.version)
    told = (fact.fund_pays, fact.patient_pays, fact.deductible_used, fact.fund_paid)
    assert [str(amount) for amount in told] == ["100.00", "400.00", "300.00", "100.00"]
    assert (fact.care, fact.settlement, fact.observed) == (bill.event_id, "direct", False)
    assert (fact.policy, fact.policy_digest) == (policy.edition, policy.digest)
    assert fact.benefits_digest == policy.benefits_digest
    answer = service.at(ADA)
    assert (fact.enrollment_version, fact.edition_version) == (4, 3)
    assert (answer.version, answer.edition_version, answer.care_version) == (4, 3, 2)
    assert answer.care[0].care.settled == fact


def test_what_was_paid_may_differ_from_what_was_assessed_and_moves_nothing(
    service: Service,
) -> None:
    bill = visit(service, "200.00")
    visit(service, "300.00", level="second")
    before = bills(service)
    service.settle_care(ADA, bill.event_id, at="2025-10-01 18:00", paid="37.50")
    fact = service.care_facts(ADA)[-1]
    assert isinstance(fact, CareSettled)
    assert (str(fact.fund_pays), str(fact.fund_paid)) == ("0.00", "37.50")
    assert bills(service) == before
    assert before[1] == ("120.00", "180.00", "100.00", "0.00")


def test_the_fund_pays_at_most_the_eligible_cost_though_the_bill_was_higher(
    service: Service,
) -> None:
    bill = visit(service, "100.00", total_cost="160.00")
    before = everything(service)
    for paid in ("100.01", "160.00"):
        with pytest.raises(BadValue) as caught:
            service.settle_care(ADA, bill.event_id, at="2025-10-01 18:00", paid=paid, observed=True)
        assert caught.value.details["where"] == "paid"
    assert everything(service) == before
    service.settle_care(ADA, bill.event_id, at="2025-10-01 18:00", paid="100.00")


def test_care_is_settled_once_until_that_is_reversed_and_reversed_once(service: Service) -> None:
    bill = visit(service)
    with pytest.raises(NotPermitted, match="not_settled"):
        service.reverse_care(ADA, bill.event_id, at="2025-10-01 18:00")
    first = service.settle_care(ADA, bill.event_id, at="2025-10-01 18:00")
    for observed in (False, True):
        with pytest.raises(NotPermitted, match="already_settled"):
            service.settle_care(ADA, bill.event_id, at="2025-10-01 18:01", observed=observed)
    service.reverse_care(ADA, first.event_id, at="2025-10-02 10:00", reason="wrong-account")
    for named in (bill.event_id, first.event_id):
        with pytest.raises(NotPermitted, match="not_settled"):
            service.reverse_care(ADA, named, at="2025-10-02 10:01")
    assert service.at(ADA).care[0].care.settled is None
    second = service.settle_care(ADA, bill.event_id, at="2025-10-03 10:00")
    service.reverse_care(ADA, bill.event_id, at="2025-10-04 10:00")
    names = [event.name for event in service.care_facts(ADA)]
    assert names == ["care-received", *["care-settled", "care-reversed"] * 2]
    assert second.version == 4


def test_refused_and_pending_care_is_settled_only_by_a_report(service: Service) -> None:
    early = visit(service, on="2025-08-31")
    service.void(ADA, service.facts(ADA)[3].event_id, at="2025-10-02 09:00", reason="misread")
    pending = visit(service)
    before = everything(service)
    for bill, code in ((early, "outside_benefit_year"), (pending, "cover_pending")):
        with pytest.raises(NotPermitted, match=code):
            service.settle_care(ADA, bill.event_id, at="2025-10-05 09:00")
    assert everything(service) == before
    for bill in (early, pending):
        service.settle_care(ADA, bill.event_id, at="2025-10-05 09:00", paid="50.00", observed=True)
    settled = [each.care.settled for each in service.at(ADA).care]
    assert [str(each.fund_paid) for each in settled if each] == ["50.00", "50.00"]
    assert [str(each.fund_pays) for each in settled if each] == ["0.00", "0.00"]


@pytest.mark.parametrize("command", ["settle_care", "reverse_care"])
def test_care_that_is_not_there_is_neither_settled_nor_reversed(
    command: str, service: Service
) -> None:
    bo = EnrollmentId("s2", 2025)
    enrolled(service, bo)
    hers = visit(service, student=bo)
    before = everything(service)
    for named in (uuid4(), hers.event_id, service.facts(ADA)[0].event_id):
        with pytest.raises(NotCorrectable, match="no_such_fact"):
            getattr(service, command)(ADA, named, at="2025-10-05 09:00")
    assert everything(service) == before
    assert len(service.care_facts(bo)) == 1


def test_a_repeated_settlement_is_one_settlement_and_the_same_receipt(service: Service) -> None:
    bill = visit(service)
    ask: dict[str, Any] = {"at": "2025-10-01 18:00", "command_id": "settle-1"}
    first = service.settle_care(ADA, bill.event_id, **ask)
    again = service.settle_care(ADA, bill.event_id, **ask, note="sent twice")
    assert (again.event_id, again.version, again.recorded_at, again.repeated) == (
        first.event_id,
        first.version,
        first.recorded_at,
        True,
    )
    assert service.note(first.event_id) is None
    service.reverse_care(ADA, bill.event_id, at="2025-10-02 10:00", command_id="reverse-1")
    # Repeated late, it settles nothing anew: what was reversed stays reversed.
    assert service.settle_care(ADA, bill.event_id, **ask).repeated
    assert service.reverse_care(
        ADA, bill.event_id, at="2025-10-02 10:00", command_id="reverse-1"
    ).repeated
    assert len(service.care_facts(ADA)) == 3
    assert service.at(ADA).care[0].care.settled is None


def test_a_command_id_reused_for_other_care_is_refused(service: Service) -> None:
    bill = visit(service, command_id="c-1")
    assert visit(service, command_id="c-1").repeated
    other = visit(service, command_id="c-2")
    service.settle_care(ADA, bill.event_id, at="2025-10-01 18:00", command_id="c-3")
    before = everything(service)
    asks: list[Callable[[], Receipt]] = [
        lambda: visit(service, "500.01", command_id="c-1"),
        lambda: service.settle_care(ADA, bill.event_id, at="2025-10-01 18:00", command_id="c-1"),
        lambda: service.settle_care(ADA, other.event_id, at="2025-10-01 18:00", command_id="c-3"),
        lambda: service.settle_care(
            ADA, bill.event_id, at="2025-10-01 18:00", paid="1.00", command_id="c-3"
        ),
        lambda: service.reverse_care(ADA, bill.event_id, at="2025-10-01 18:00", command_id="c-3"),
    ]
    for ask in asks:
        with pytest.raises(OutOfStep, match="command_id_reused"):
            ask()
    assert everything(service) == before


def test_a_refused_settlement_may_be_tried_again_under_its_id(service: Service) -> None:
    check = service.facts(ADA)[3]
    void = service.void(ADA, check.event_id, at="2025-09-08 09:00", reason="misread")
    bill = visit(service)
    ask: dict[str, Any] = {"at": "2025-10-01 18:00", "command_id": "settle-1"}
    with pytest.raises(NotPermitted, match="cover_pending"):
        service.settle_care(ADA, bill.event_id, **ask)
    service.verify_prior_coverage(ADA, at="2025-09-09 10:00", lapsed_years=0)
    assert void.version == 5
    assert service.settle_care(ADA, bill.event_id, **ask).repeated is False


def test_the_expected_version_is_that_of_the_care(service: Service) -> None:
    bill = visit(service, expected_version=0)
    with pytest.raises(OutOfStep, match="version_conflict") as caught:
        visit(service, expected_version=4)
    assert caught.value.details == {"expected": 4, "found": 1}
    service.settle_care(ADA, bill.event_id, at="2025-10-01 18:00", expected_version=1)
    with pytest.raises(OutOfStep, match="version_conflict"):
        service.reverse_care(ADA, bill.event_id, at="2025-10-01 18:00", expected_version=1)
    assert service.at(ADA).care_version == 2
    # What is recorded as care does not move the version of the enrollment.
    service.issue_medical_card(ADA, at="2025-10-01 19:00", expected_version=4)


def test_a_correction_of_care_finds_its_stream_and_moves_the_deductible_of_the_next(
    service: Service,
) -> None:
    bill = visit(service, "200.00")
    visit(service, "400.00", level="second")
    again = service.correct(
        ADA,
        bill.event_id,
        at="2025-10-12 09:00",
        reason="typing-error",
        changes={"cost": "250.00", "total_cost": "260.00"},
        occurred_at="2025-10-01 16:30",
    )
    assert again.version == 3
    assert [event.name for event in service.facts(ADA)].count("care-received") == 0
    assert bills(service) == [
        ("0.00", "250.00", "250.00", "50.00"),
        ("210.00", "190.00", "50.00", "0.00"),
    ]
    fact = service.care_facts(ADA)[-1]
    assert isinstance(fact, CareReceived)
    assert (fact.reason, str(fact.total_cost)) == ("typing-error", "260.00")
    assert fact.occurred_at == read_instant("2025-10-01 16:30")
    with pytest.raises(NotCorrectable, match="superseded"):
        service.correct(ADA, bill.event_id, at="2025-10-13 09:00", reason="misread")
    with pytest.raises(NotCorrectable, match="superseded"):
        service.void(ADA, bill.event_id, at="2025-10-13 09:00", reason="misread")
    service.void(ADA, again.event_id, at="2025-10-20 09:00", reason="wrong-person")
    assert bills(service) == [("60.00", "340.00", "300.00", "0.00")]


def test_a_correction_of_care_is_checked_like_care_itself(service: Service) -> None:
    bill = visit(service, "200.00")
    before = everything(service)
    wrong: list[dict[str, Any]] = [
        {"cost": "-1.00"},
        {"cost": 12.5},
        {"cost": None},
        {"level": None},
        {"setting": "campus_clinic"},
        {"total_cost": "199.99"},
        {"province": "上海市"},
        {"on": "2025-02-30"},
        {"ref": "s2"},
    ]
    for changes in wrong:
        with pytest.raises(BadValue):
            service.correct(
                ADA, bill.event_id, at="2025-10-12 09:00", reason="misread", changes=changes
            )
    assert everything(service) == before


def test_settled_care_that_is_corrected_keeps_its_settlement(service: Service) -> None:
    bill = visit(service)
    first = service.settle_care(ADA, bill.event_id, at="2025-10-01 18:00")
    again = service.correct(
        ADA, bill.event_id, at="2025-10-02 09:00", reason="misread", changes={"cost": "400.00"}
    )
    (assessed,) = service.at(ADA).care
    assert amounts(assessed)[0] == "50.00"
    assert assessed.care.settled is not None
    assert assessed.care.settled.event_id == first.event_id
    for named in (bill.event_id, again.event_id):
        with pytest.raises(NotPermitted, match="already_settled"):
            service.settle_care(ADA, named, at="2025-10-02 10:00")
    service.reverse_care(ADA, again.event_id, at="2025-10-02 10:00")
    service.settle_care(ADA, again.event_id, at="2025-10-02 10:01")
    settled = service.at(ADA).care[0].care.settled
    assert settled is not None
    assert (settled.care, str(settled.fund_pays)) == (bill.event_id, "50.00")


def test_a_settlement_is_reversed_and_neither_corrected_nor_taken_back(service: Service) -> None:
    bill = visit(service)
    settled = service.settle_care(ADA, bill.event_id, at="2025-10-01 18:00")
    reversed_ = service.reverse_care(ADA, bill.event_id, at="2025-10-01 19:00")
    before = everything(service)
    for receipt in (settled, reversed_):
        with pytest.raises(BadValue) as caught:
            service.void(ADA, receipt.event_id, at="2025-10-02 09:00", reason="misread")
        assert caught.value.details["where"] == "fact_id"
        with pytest.raises(BadValue, match="reversed, not corrected"):
            service.correct(
                ADA,
                receipt.event_id,
                at="2025-10-02 09:00",
                reason="misread",
                changes={"fund_paid": "1.00"},
            )
    assert everything(service) == before


def test_care_taken_back_is_not_settled_and_what_was_paid_for_it_can_be_reversed(
    service: Service,
) -> None:
    paid, unpaid = visit(service), visit(service)
    service.settle_care(ADA, paid.event_id, at="2025-10-01 18:00")
    for bill in (paid, unpaid):
        service.void(ADA, bill.event_id, at="2025-10-02 09:00", reason="wrong-person")
    assert service.at(ADA).care == ()
    with pytest.raises(NotCorrectable, match="superseded"):
        service.settle_care(ADA, unpaid.event_id, at="2025-10-02 10:00")
    service.reverse_care(ADA, paid.event_id, at="2025-10-02 10:00")
    with pytest.raises(NotPermitted, match="not_settled"):
        service.reverse_care(ADA, paid.event_id, at="2025-10-02 10:01")


def receive(cost: str, **how: Any) -> commands.ReceiveCare:
    asked = {
        "at": "2025-10-01 17:00",
        "on": "2025-10-01",
        "setting": "outpatient",
        "level": "third",
    }
    return commands.ReceiveCare(cost=cost, **{**asked, **how})  # type: ignore[arg-type]


def test_care_recorded_together_is_one_transaction_and_adopts_the_benefits_once(
    service: Service,
) -> None:
    receipts = service.record_together(ADA, [receive("200.00"), receive("200.00")])
    assert [receipt.version for receipt in receipts] == [1, 2]
    assert len({receipt.recorded_at for receipt in receipts}) == 1
    first, second = service.care_facts(ADA)
    assert (first.goes_on, second.goes_on) == (True, False)
    assert bills(service) == [
        ("0.00", "200.00", "200.00", "100.00"),
        ("50.00", "150.00", "100.00", "0.00"),
    ]
    assert len(service.window_facts("shanghai-2025")) == 2
    before = receipts[0].recorded_at - timedelta(microseconds=1)
    assert service.at(ADA, known_at=before).care == ()


def test_settlements_recorded_together_are_all_recorded_or_none(service: Service) -> None:
    one, two = visit(service), visit(service, "100.00")
    both = [
        commands.SettleCare(at=read_instant("2025-10-02 10:00"), care=bill.event_id)
        for bill in (one, two)
    ]
    before = everything(service)
    with pytest.raises(NotPermitted, match="already_settled"):
        service.record_together(ADA, [*both, both[0]])
    assert everything(service) == before
    receipts = service.record_together(ADA, [*both, receive("50.00")])
    assert [receipt.version for receipt in receipts] == [3, 4, 5]
    assert [each.care.settled is not None for each in service.at(ADA).care] == [True, True, False]


def test_care_and_enrollment_are_not_recorded_together(service: Service) -> None:
    bill, before_care = visit(service), service.facts(ADA)[1]
    card = commands.IssueMedicalCard(at=read_instant("2025-10-01 17:00"))
    at = read_instant("2025-10-02 09:00")
    mixed: list[list[commands.Command]] = [
        [card, receive("10.00")],
        [receive("10.00"), card],
        [card, commands.SettleCare(at=at, care=bill.event_id)],
        [card, commands.Void(at=at, fact_id=bill.event_id, reason="misread")],
        [receive("10.00"), commands.Void(at=at, fact_id=before_care.event_id, reason="misread")],
    ]
    before = everything(service)
    for asked in mixed:
        with pytest.raises(BadValue):
            service.record_together(ADA, asked)
    with pytest.raises(BadValue):
        service.record_together("shanghai-2025", [receive("10.00")])
    assert everything(service) == before


@lasting
def test_a_note_on_care_is_kept_apart_and_can_be_erased(url: str, service: Service) -> None:
    text = "fell off her bicycle near the Xujiahui gate"
    bill = visit(service, note=text)
    paid = service.settle_care(ADA, bill.event_id, at="2025-10-01 18:00", note=text)
    assert [service.note(each.event_id) for each in (bill, paid)] == [text, text]
    assert not any("bicycle" in event.model_dump_json() for event in service.care_facts(ADA))
    before = service.care_facts(ADA)
    service.erase_note(bill.event_id)
    assert [service.note(each.event_id) for each in (bill, paid)] == [None, text]
    service.erase_note(paid.event_id)
    assert service.care_facts(ADA) == before
    service.close()
    assert b"bicycle" not in content(url)


def test_care_recorded_later_is_not_known_earlier(empty: Service, clock: Clock) -> None:
    clock.at("2025-10-01 12:00")
    enrolled(empty)
    clock.at("2025-11-01 09:00")
    bill = visit(empty)
    clock.at("2025-11-02 09:00")
    empty.settle_care(ADA, bill.event_id, at="2025-11-02 09:00")
    clock.at("2025-11-03 09:00")
    empty.correct(
        ADA, bill.event_id, at="2025-11-03 09:00", reason="misread", changes={"cost": "400.00"}
    )
    expected: list[tuple[str, list[str], bool]] = [
        ("2025-11-01 08:59:59", [], False),
        ("2025-11-01 09:00", ["100.00"], False),
        ("2025-11-02 08:59", ["100.00"], False),
        ("2025-11-02 09:00", ["100.00"], True),
        ("2025-11-03 09:00", ["50.00"], True),
    ]
    for known_at, funds, settled in expected:
        care = empty.at(ADA, "2025-12-01 09:00", known_at=known_at).care
        assert [str(each.fund_pays.value) for each in care] == funds
        assert any(each.care.settled for each in care) is settled
    # The version of the enrollment stands for the stamp of its last fact.
    assert empty.at(ADA, known_at=4).care == ()
    assert empty.at(ADA, known_at=0).care == ()


def test_an_earlier_answer_never_changes_whatever_is_recorded_later(
    empty: Service, clock: Clock
) -> None:
    """Asked again after every later recording, at each earlier version and instant."""
    told: dict[Any, Any] = {}

    def asked(cutoff: Any) -> Any:
        answer = empty.at(ADA, "2025-12-01 09:00", known_at=cutoff)
        return answer.state, answer.version, answer.care_version, answer.care

    def step(now: str) -> None:
        for cutoff in (clock.now - timedelta(microseconds=1), clock.now, len(empty.facts(ADA))):
            if cutoff != 0:
                told.setdefault(cutoff, asked(cutoff))
        for cutoff, answer in told.items():
            assert asked(cutoff) == answer
        clock.at(now)

    clock.at("2025-10-01 12:00")
    check = enrolled(empty)
    step("2025-10-02 09:00")
    bill = visit(empty, "200.00")
    step("2025-10-03 09:00")
    visit(empty, "400.00")
    step("2025-10-04 09:00")
    empty.settle_care(ADA, bill.event_id, at="2025-10-04 09:00", paid="1.00")
    step("2025-10-05 09:00")
    empty.correct(
        ADA, bill.event_id, at="2025-10-05 09:00", reason="misread", changes={"cost": "250.00"}
    )
    step("2025-10-06 09:00")
    empty.correct(
        ADA, check.event_id, at="2025-10-06 09:00", reason="misread", changes={"lapsed_years": 1}
    )
    step("2025-10-07 09:00")
    empty.reverse_care(ADA, bill.event_id, at="2025-10-07 09:00")
    step("2025-10-08 09:00")
    empty.void(ADA, empty.care_facts(ADA)[1].event_id, at="2025-10-08 09:00", reason="misread")
    step("2025-10-09 09:00")
    assert len({repr(answer) for answer in told.values()}) >= 7


def test_stamps_of_care_and_of_the_adopted_benefits_never_go_back_when_the_clock_does(
    empty: Service, clock: Clock
) -> None:
    clock.at("2026-01-10 10:00")
    enrolled(empty)
    clock.at("2026-01-10 12:00")
    empty.fix_window("shanghai-2025", at="2025-09-03 10:00", closes_on="2025-10-19")
    before = empty.at(ADA, known_at="2026-01-10 11:30")
    assert before.edition_version == 1
    clock.at("2026-01-10 11:00")
    bill = visit(empty)
    stamps = [event.recorded_at for event in empty.window_facts("shanghai-2025")]
    assert stamps == sorted(stamps)
    assert empty.at(ADA, known_at="2026-01-10 11:30").edition_version == 1
    clock.at("2026-01-10 10:59")
    paid = empty.settle_care(ADA, bill.event_id, at="2025-10-01 18:00")
    assert paid.recorded_at == bill.recorded_at
    # Everything is known by default, though the clock stands before the last stamp.
    (care,) = empty.at(ADA).care
    assert care.care.settled is not None


def test_everyone_carries_care_like_one_by_one(url: str, clock: Clock) -> None:
    bo, without = EnrollmentId("s2", 2025), EnrollmentId("s3", 2025)
    with yibao.open(url, clock=clock) as service:
        for student in (ADA, bo, without):
            enrolled(service, student)
        clock.at("2026-01-11 12:00")
        bill = visit(service, "500.00")
        visit(service, "200.00", bo)
        visit(service, "100.00")
        service.settle_care(ADA, bill.event_id, at="2025-10-01 18:00")
        found = {answer.enrollment: answer for answer in service.everyone("2025-12-01 09:00")}
        assert set(found) == {ADA, bo, without}
        for student, answer in found.items():
            alone = service.at(student, "2025-12-01 09:00")
            assert (answer.care, answer.care_version) == (alone.care, alone.care_version)
        assert [len(found[student].care) for student in (ADA, bo, without)] == [2, 1, 0]
        before = service.everyone("2025-12-01 09:00", known_at="2026-01-11 11:59")
        assert [answer.care for answer in before] == [(), (), ()]


@lasting
def test_everyone_is_answered_for_as_of_one_moment_while_somebody_records_care(
    url: str, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("yibao.adapters.store.facts.records.AT_ONCE", 2)
    students = [EnrollmentId(f"s{number}", 2025) for number in range(4)]
    with yibao.open(url, clock=clock) as service, yibao.open(url, clock=clock) as other:
        for student in students:
            enrolled(service, student)
            visit(service, "100.00", student)
        seen = []
        for answer in service.everyone():
            seen.append(answer)
            for student in students:
                visit(other, "100.00", student)
            enrolled(other, EnrollmentId(f"later-{len(seen)}", 2025))
        assert [len(answer.care) for answer in seen] == [1, 1, 1, 1]
        after = [len(answer.care) for answer in service.everyone()]
        assert sorted(after) == [0, 0, 0, 0, 5, 5, 5, 5]


def test_care_can_be_recorded_by_the_same_service_while_everyone_is_answered_for(
    url: str, clock: Clock
) -> None:
    students = [EnrollmentId(f"s{number}", 2025) for number in range(4)]
    with yibao.open(url, clock=clock) as service:
        for student in students:
            enrolled(service, student)
            visit(service, "100.00", student)
        seen = []
        for answer in service.everyone():
            seen.append(answer)
            visit(service, "100.00", answer.enrollment)
        assert {answer.enrollment for answer in seen} == set(students)
        assert [len(service.at(student).care) for student in students] == [2, 2, 2, 2]


def test_a_comparison_names_care_and_the_facts_that_moved_it(empty: Service, clock: Clock) -> None:
    clock.at("2025-10-01 12:00")
    check = enrolled(empty)
    clock.at("2025-11-01 09:00")
    bill = visit(empty)
    clock.at("2025-11-02 09:00")
    empty.issue_medical_card(ADA, at="2025-11-02 09:00")
    clock.at("2025-11-03 09:00")
    right = empty.correct(
        ADA, check.event_id, at="2025-11-03 09:00", reason="misread", changes={"lapsed_years": 1}
    )
    found = empty.compare(ADA, "2025-10-02 00:00", at="2025-12-01 09:00")
    (care,) = [difference for difference in found.differences if difference.name == "care"]
    assert [event.event_id for event in care.moved_by] == [bill.event_id, right.event_id]
    assert (found.then.care, [each.refused for each in found.now.care]) == (
        (),
        ["in_waiting_period"],
    )
    names = [event.name for event in found.facts_between]
    assert sorted(names) == [
        "benefits-adopted",
        "care-received",
        "medical-card-issued",
        "prior-coverage-verified",
    ]
    same = empty.compare(ADA, "2025-11-01 10:00", "2025-11-02 10:00", at="2025-12-01 09:00")
    assert "care" not in {difference.name for difference in same.differences}


def test_a_comparison_tells_of_a_settlement_that_moved_no_amount(
    empty: Service, clock: Clock
) -> None:
    enrolled(empty)
    bill = visit(empty)
    clock.at("2026-01-11 12:00")
    paid = empty.settle_care(ADA, bill.event_id, at="2025-10-01 18:00")
    found = empty.compare(ADA, JANUARY)
    (care,) = [difference for difference in found.differences if difference.name == "care"]
    assert [event.event_id for event in care.moved_by] == [paid.event_id]


#: What can never be right, by the field that it is in.
HOSTILE: list[tuple[str, Any]] = [
    ("cost", 12.5),
    ("cost", float("nan")),
    ("cost", -1),
    ("cost", "-1.00"),
    ("cost", "1.001"),
    ("cost", "NaN"),
    ("cost", "Infinity"),
    ("cost", "1e3"),
    ("cost", "1,000.00"),
    ("cost", "¥10"),
    ("cost", "٣٠"),
    ("cost", " 10"),
    ("cost", "10\n"),
    ("cost", ""),
    ("cost", None),
    ("cost", "9" * 1_000_000),
    ("cost", 10**20),
    ("cost", True),
    ("cost", Decimal("1E+400")),
    ("cost", Decimal("NaN")),
    ("cost", Decimal("-0.01")),
    ("cost", Decimal("0.001")),
    ("cost", b"10"),
    ("cost", ["10"]),
    ("total_cost", 600.5),
    ("total_cost", "-600"),
    ("on", "2025-02-30"),
    ("on", "1899-12-31"),
    ("on", "3000-01-01"),
    ("on", date(1, 1, 1)),
    ("on", date(9999, 12, 31)),
    ("on", "today"),
    ("on", None),
    ("at", datetime(2025, 10, 1, 17)),  # noqa: DTZ001
    ("at", "2025-10-01"),
    ("at", "9999-12-31 23:59"),
    ("at", "2026-01-10 12:01"),
    ("setting", "home"),
    ("setting", ""),
    ("setting", None),
    ("level", "fourth"),
    ("level", 3),
    ("province", ""),
    ("province", " "),
    ("province", "\x00"),
    ("province", "江" * 100_000),
    ("province", 5),
    ("by", "Wang Xiaoming"),
    ("note", ""),
    ("note", "x" * 4001),
    ("reason", "Two Words"),
    ("diagnosis", "a cold"),
]


@pytest.mark.parametrize(
    ("where", "value"),
    HOSTILE,
    ids=[f"{where}-{type(value).__name__}-{str(value)[:16]!r}" for where, value in HOSTILE],
)
def test_a_value_of_care_that_can_never_be_right_is_refused_by_its_name(
    where: str, value: Any, service: Service
) -> None:
    before = everything(service)
    with pytest.raises(BadValue) as caught:
        visit(service, **{where: value})
    assert caught.value.details["where"] == where
    assert everything(service) == before


@pytest.mark.parametrize(
    "changes",
    [
        {"setting": "campus_clinic"},
        {"setting": "village_clinic"},
        {"level": None},
        {"setting": "inpatient", "level": None},
        {"setting": "emergency", "level": None},
        {"total_cost": "499.99"},
        {"province": "Shanghai"},
        {"province": "SHANGHAI"},
        {"province": "上海市"},
    ],
    ids=str,
)
def test_values_of_care_that_do_not_fit_together_are_refused(
    changes: dict[str, Any], service: Service
) -> None:
    before = everything(service)
    with pytest.raises(BadValue):
        visit(service, **changes)
    assert everything(service) == before


@pytest.mark.parametrize(
    "paid",
    [1.5, -1, "-1.00", "1.001", "NaN", "9" * 100_000, 10**20, True, Decimal("1E+400"), "500.01"],
    ids=lambda paid: repr(paid)[:12],
)
def test_an_amount_paid_that_can_never_be_right_settles_nothing(
    paid: Any, service: Service
) -> None:
    bill = visit(service)
    before = everything(service)
    with pytest.raises(BadValue) as caught:
        service.settle_care(ADA, bill.event_id, at="2025-10-01 18:00", paid=paid, observed=True)
    assert caught.value.details["where"] == "paid"
    assert everything(service) == before


@pytest.mark.parametrize("care", [None, 5, "", "bill", b"x", ["x"]], ids=repr)
def test_what_names_no_event_is_neither_settled_nor_reversed(care: Any, service: Service) -> None:
    visit(service)
    before = everything(service)
    for ask in (service.settle_care, service.reverse_care):
        with pytest.raises(BadValue) as caught:
            ask(ADA, care, at="2025-10-01 18:00")
        assert caught.value.details["where"] == "care"
    assert everything(service) == before


def test_naive_and_later_instants_are_refused_of_settlements_and_questions(
    service: Service,
) -> None:
    bill, naive = visit(service), datetime(2025, 10, 2, 9)  # noqa: DTZ001
    service.settle_care(ADA, bill.event_id, at="2025-10-01 18:00")
    ask: dict[str, Any] = {"on": "2025-10-01", "setting": "campus_clinic", "cost": "1.00"}
    asks: list[Callable[[], Any]] = [
        lambda: service.settle_care(ADA, bill.event_id, at=naive),
        lambda: service.settle_care(ADA, bill.event_id, at="2026-01-10 12:01"),
        lambda: service.reverse_care(ADA, bill.event_id, at=naive),
        lambda: service.reverse_care(ADA, bill.event_id, at="2026-01-10 12:01"),
        lambda: service.quote(ADA, **ask, at=naive),
        lambda: service.quote(ADA, **ask, known_at=naive),
        lambda: service.review(ADA, at=naive),
        lambda: service.review(ADA, known_at=naive),
    ]
    before = everything(service)
    for each in asks:
        with pytest.raises(BadValue) as caught:
            each()
        assert caught.value.details["where"] in ("at", "known_at")
    assert everything(service) == before


@pytest.mark.parametrize(
    ("cost", "fund"),
    [("0", "0.00"), ("0.00", "0.00"), ("0.01", "0.01"), (1, "0.80"), (Decimal("12.5"), "10.00")],
)
def test_small_amounts_and_every_way_to_write_one_are_taken(
    cost: Any, fund: str, service: Service
) -> None:
    visit(service, cost, setting="campus_clinic", level=None)
    (assessed,) = service.at(ADA).care
    assert str(assessed.fund_pays.value) == fund
    assert assessed.fund_pays.value + assessed.patient_pays.value == assessed.care.fact.event.cost


@lasting
def test_the_largest_amount_is_kept_to_the_fen(url: str, service: Service) -> None:
    visit(service, "9999999999.99", setting="inpatient")
    visit(service, "9999999999.99", level="first")
    service.close()
    with yibao.open(url) as again:
        assert [paid[:3] for paid in bills(again)] == [
            ("5999999819.99", "4000000180.00", "300.00"),
            ("6999999789.99", "3000000210.00", "300.00"),
        ]


def test_every_refusal_of_care_is_of_one_family(service: Service) -> None:
    for ask in (
        lambda: visit(service, "x"),
        lambda: service.settle_care(ADA, UUID(int=5), at="2025-10-01 18:00"),
        lambda: visit(service, student=EnrollmentId("nobody", 2025)),
        lambda: service.quote(
            EnrollmentId("nobody", 2025), on="2025-10-01", setting="campus_clinic", cost="1"
        ),
    ):
        with pytest.raises(YibaoError) as caught:
            ask()
        assert isinstance(caught.value, Refused)
    assert service.care_facts(EnrollmentId("nobody", 2025)) == []


@pytest.mark.parametrize("amount", [Fen(-1), Fen(10**20)], ids=["negative", "gigantic"])
@pytest.mark.parametrize("where", ["cost", "total_cost"])
def test_an_amount_in_fen_is_checked_like_any_other(
    amount: Fen, where: str, service: Service
) -> None:
    values: dict[str, Any] = {where: amount}
    with pytest.raises(BadValue, match=where):
        visit(service, **values)
    bill = visit(service)
    with pytest.raises(BadValue, match="cost"):
        service.correct(
            ADA, bill.event_id, at="2025-10-02 10:00", reason="misread", changes={"cost": amount}
        )
    with pytest.raises(BadValue, match="paid"):
        service.settle_care(ADA, bill.event_id, at="2025-10-02 10:00", paid=amount)
    assert bills(service) == [("100.00", "400.00", "300.00", "0.00")]


@pytest.mark.parametrize(
    ("values", "where"),
    [
        ({"province": "上海"}, "province"),
        ({"level": None}, "level"),
        ({"total_cost": "499.99"}, "total_cost"),
        ({"setting": "campus_clinic"}, "level"),
        ({"at": 17.5}, "at"),
        ({"on": 20251001}, "on"),
    ],
)
def test_a_refusal_names_the_value_to_look_at(
    values: dict[str, Any], where: str, service: Service
) -> None:
    with pytest.raises(BadValue) as refused:
        visit(service, **values)
    assert refused.value.details["where"] == where
    assert service.care_facts(ADA) == []


def test_under_an_edition_without_benefits_a_settlement_is_still_reversed(
    tmp_path: Path, url: str, clock: Clock
) -> None:
    folder = tmp_path / "editions"
    folder.mkdir()
    whole = RELEASED.read_text("utf-8")
    bare = whole.partition("\nbenefits:")[0].replace("edition: shanghai-2025", "edition: bare")
    (folder / "bare.yaml").write_text(bare, encoding="utf-8")
    with yibao.open(url, policies=folder, clock=clock) as service:
        enrolled(service)
        bill = visit(service)
        service.settle_care(ADA, bill.event_id, at="2025-10-02 10:00")
        (first, *_) = service.facts(ADA)
        service.void(ADA, first.event_id, at="2025-10-03 10:00", reason="wrong-edition")
        enrolled(service, policy="bare")
        assert service.review(ADA) == ()
        service.reverse_care(ADA, bill.event_id, at="2025-10-04 10:00")
        assert [fact.name for fact in service.care_facts(ADA)][-1] == "care-reversed"


def test_a_comparison_knows_everything_by_default_whatever_the_clock_says(
    empty: Service, clock: Clock
) -> None:
    clock.at("2025-09-05 12:00")
    empty.fix_window("shanghai-2025", at="2025-09-05 11:00", closes_on="2025-12-20")
    clock.at("2025-09-05 11:30")
    empty.register("s1", **sheet())
    assert empty.compare(ADA, 0).now.edition_version == empty.at(ADA).edition_version == 2
