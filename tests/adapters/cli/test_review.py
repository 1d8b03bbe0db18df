"""`yibao review` and `Service.review`: care that is no longer paid as it was, and what moved it."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

import yibao
from yibao import EnrollmentId, Service
from yibao.domain.refusals import UnknownCutoff
from yibao.projections.care import Changed

from ..conftest import TWO, Run, Write
from ..helpers.autumn import Clock
from ..service.test_care import ADA, enrolled, everything, visit

#: A settled visit on 10 October, and a check that turns out to have been misread.
STORY = """\
- at: 2025-09-02 17:00
  declare_roster: {}
- at: 2025-09-06 14:20
  confirm: {channel: app}
- {id: check, at: 2025-09-06 14:50, verify_prior_coverage: {lapsed_years: 0}}
- id: october
  at: 2025-10-10 17:00
  receive_care: {setting: outpatient, level: third, cost: 400.00, on: 2025-10-10}
- at: 2025-10-10 17:10
  settle_care: {step: october, paid: 49.00}
- at: 2025-10-10 17:20
  receive_care: {setting: campus_clinic, cost: 10.00, on: 2025-12-05}
- at: 2025-12-12 09:00
  correct: {step: check, lapsed_years: 1}
  reason: typing-error
"""
SEVERAL = (
    TWO
    + """\
  - {student: ada, at: 2025-09-06 10:00, observed: yes, confirm: {channel: app}}
  - {student: ada, at: 2025-09-06 10:30, verify_prior_coverage: {lapsed_years: 0}}
  - id: hers
    student: ada
    at: 2025-10-01 17:00
    receive_care: {setting: campus_clinic, cost: 10.00, on: 2025-10-01}
  - {at: 2025-10-01 18:00, settle_care: {step: hers}}
  - {at: 2025-10-02 18:00, void: {step: hers}, reason: wrong-person}
"""
)


@pytest.fixture
def clock() -> Clock:
    return Clock("2025-12-01 09:00")


@pytest.fixture
def service(url: str, clock: Clock) -> Iterator[Service]:
    """A store in which Ada is enrolled, on a clock that stands on 1 December."""
    with yibao.open(url, clock=clock) as opened:
        enrolled(opened)
        yield opened


def told(changed: Changed) -> tuple[str, str | None]:
    """What the fund was to pay then and now."""
    return str(changed.then.fund_pays), str(changed.now.fund_pays) if changed.now else None


def movers(changed: Changed) -> list[Any]:
    return [event.event_id for event in changed.moved_by]


def settle(service: Service, bill: Any, **how: Any) -> None:
    service.settle_care(ADA, bill.event_id, at="2025-11-01 10:00", **how)


def reviewed(run: Run, *arguments: object) -> list[dict[str, Any]]:
    result = run("review", *arguments, "--json")
    assert result.exit_code == 0, result.output
    parsed = json.loads(result.stdout)
    assert isinstance(parsed, list)
    return parsed


def test_where_nothing_has_changed_there_is_nothing_to_review(service: Service) -> None:
    assert service.review(ADA) == ()
    assert service.review(EnrollmentId("nobody", 2025)) == ()
    settled, refused, _ = visit(service), visit(service, on="2026-01-01"), visit(service)
    settle(service, settled)
    service.settle_care(ADA, refused.event_id, at="2025-11-01 10:00", paid="5.00", observed=True)
    visit(service, "90.00")
    service.issue_medical_card(ADA, at="2025-11-02 10:00")
    assert service.review(ADA) == ()


def test_settled_care_whose_window_moved_is_listed_with_both_amounts_and_what_moved_it(
    service: Service, clock: Clock
) -> None:
    bill = visit(service)
    clock.at("2025-12-02 09:00")
    settle(service, bill, paid="99.00")
    clock.at("2025-12-03 09:00")
    check = service.facts(ADA)[3]
    service.issue_medical_card(ADA, at="2025-12-03 08:00")
    clock.at("2025-12-04 09:00")
    right = service.correct(
        ADA, check.event_id, at="2025-12-04 09:00", reason="misread", changes={"lapsed_years": 1}
    )
    before = everything(service)
    (changed,) = service.review(ADA)
    assert everything(service) == before
    assert changed.care.event_id == bill.event_id
    assert changed.settled is not None
    assert str(changed.settled.fund_paid) == "99.00"
    assert changed.since.isoformat() == "2025-12-02T09:00:00+08:00"
    assert told(changed) == ("100.00", "0.00")
    assert changed.now is not None
    assert (changed.then.refused, changed.now.refused) == (None, "in_waiting_period")
    assert (str(changed.then.patient_pays), str(changed.now.patient_pays)) == ("400.00", "500.00")
    assert movers(changed) == [right.event_id]


def test_what_was_put_right_again_is_listed_no_more(service: Service, clock: Clock) -> None:
    bill, check = visit(service), service.facts(ADA)[3]
    settle(service, bill)
    clock.at("2025-12-02 09:00")
    wrong = service.correct(
        ADA, check.event_id, at="2025-12-02 09:00", reason="misread", changes={"lapsed_years": 1}
    )
    assert len(service.review(ADA)) == 1
    clock.at("2025-12-03 09:00")
    service.correct(
        ADA, wrong.event_id, at="2025-12-03 09:00", reason="misread", changes={"lapsed_years": 0}
    )
    assert service.review(ADA) == ()


def test_care_settled_anew_is_compared_with_its_latest_settlement(
    service: Service, clock: Clock
) -> None:
    bill = visit(service)
    settle(service, bill)
    clock.at("2025-12-02 09:00")
    service.correct(
        ADA, bill.event_id, at="2025-12-02 09:00", reason="misread", changes={"cost": "400.00"}
    )
    assert [told(changed) for changed in service.review(ADA)] == [("100.00", "50.00")]
    clock.at("2025-12-03 09:00")
    service.reverse_care(ADA, bill.event_id, at="2025-12-03 09:00")
    assert service.review(ADA) == ()
    service.settle_care(ADA, bill.event_id, at="2025-12-03 09:00")
    assert service.review(ADA) == ()


def test_refused_care_that_is_covered_now_is_listed(service: Service, clock: Clock) -> None:
    check = service.facts(ADA)[3]
    wrong = service.correct(
        ADA, check.event_id, at="2025-09-10 09:00", reason="misread", changes={"lapsed_years": 1}
    )
    clock.at("2025-12-02 09:00")
    bill = visit(service)
    late = visit(service, on="2026-01-01")
    clock.at("2025-12-03 09:00")
    assert service.review(ADA) == ()
    right = service.correct(
        ADA, wrong.event_id, at="2025-12-03 09:00", reason="misread", changes={"lapsed_years": 0}
    )
    (changed,) = service.review(ADA)
    assert (changed.care.event_id, changed.settled) == (bill.event_id, None)
    assert told(changed) == ("0.00", "100.00")
    assert changed.then.refused == "in_waiting_period"
    assert movers(changed) == [right.event_id]
    assert late.version == 2


def test_a_filing_reported_late_lets_refused_care_be_reviewed(
    service: Service, clock: Clock
) -> None:
    visit(service, "1000.00", province="江苏")
    clock.at("2025-12-02 09:00")
    filing = service.file_remote_care(ADA, at="2025-09-30 10:00", province="江苏", observed=True)
    (changed,) = service.review(ADA)
    assert (told(changed), movers(changed)) == (("0.00", "350.00"), [filing.event_id])
    assert changed.then.refused == "remote_care_not_filed"


def test_settled_care_that_was_taken_back_is_listed_until_it_is_reversed(
    service: Service, clock: Clock
) -> None:
    bill, unpaid = visit(service), visit(service)
    settle(service, bill)
    clock.at("2025-12-02 09:00")
    void = service.void(ADA, bill.event_id, at="2025-12-02 09:00", reason="wrong-person")
    service.void(ADA, unpaid.event_id, at="2025-12-02 09:00", reason="wrong-person")
    (changed,) = service.review(ADA)
    assert changed.care.event_id == bill.event_id
    assert told(changed) == ("100.00", None)
    assert void.event_id in movers(changed)
    clock.at("2025-12-03 09:00")
    service.reverse_care(ADA, bill.event_id, at="2025-12-03 09:00")
    assert service.review(ADA) == ()


def test_a_corrected_bill_moves_the_deductible_of_those_settled_after_it(
    service: Service, clock: Clock
) -> None:
    first = visit(service, "200.00")
    second = visit(service, "400.00", level="second")
    third = visit(service, "100.00", level="first")
    for bill in (second, third):
        settle(service, bill)
    clock.at("2025-12-02 09:00")
    again = service.correct(
        ADA, first.event_id, at="2025-12-02 09:00", reason="misread", changes={"cost": "250.00"}
    )
    (changed,) = service.review(ADA)
    assert (changed.care.event_id, movers(changed)) == (second.event_id, [again.event_id])
    assert told(changed) == ("180.00", "210.00")
    assert changed.now is not None
    assert (str(changed.then.deductible_used), str(changed.now.deductible_used)) == (
        "100.00",
        "50.00",
    )
    clock.at("2025-12-03 09:00")
    void = service.void(ADA, again.event_id, at="2025-12-03 09:00", reason="wrong-person")
    (changed,) = service.review(ADA)
    assert (told(changed), movers(changed)) == (
        ("180.00", "60.00"),
        [again.event_id, void.event_id],
    )


def test_a_change_that_pays_the_same_is_told_by_the_deductible_it_uses(
    service: Service, clock: Clock
) -> None:
    """Below the deductible the fund pays nothing either way; the patient's part has moved."""
    bill = visit(service, "100.00")
    settle(service, bill)
    clock.at("2025-12-02 09:00")
    service.correct(
        ADA, bill.event_id, at="2025-12-02 09:00", reason="misread", changes={"cost": "120.00"}
    )
    (changed,) = service.review(ADA)
    assert told(changed) == ("0.00", "0.00")
    assert changed.now is not None
    assert (str(changed.then.patient_pays), str(changed.now.patient_pays)) == ("100.00", "120.00")


def test_a_review_is_asked_as_it_was_known(service: Service, clock: Clock) -> None:
    bill, check = visit(service), service.facts(ADA)[3]
    settle(service, bill)
    clock.at("2025-12-02 09:00")
    service.correct(
        ADA, check.event_id, at="2025-12-02 09:00", reason="misread", changes={"lapsed_years": 1}
    )
    clock.at("2025-12-03 09:00")
    service.correct(
        ADA, bill.event_id, at="2025-12-03 09:00", reason="misread", changes={"cost": "1.00"}
    )
    for known_at, amounts in (
        ("2025-12-02 08:59", []),
        ("2025-12-02 09:00", ["500.00"]),
        ("2025-12-03 09:00", ["1.00"]),
        (4, []),
        (5, ["500.00"]),
        (0, []),
    ):
        found = service.review(ADA, known_at=known_at)
        assert [str(changed.now.patient_pays) for changed in found if changed.now] == amounts
    assert service.review(ADA) == service.review(ADA, known_at="2025-12-03 09:00")
    with pytest.raises(UnknownCutoff):
        service.review(ADA, known_at=6)


def test_a_review_in_json_has_every_field(tell: Write, run: Run) -> None:
    (one,) = reviewed(run, tell(STORY))
    assert one["student"] == "s1"
    (changed,) = one["review"]
    assert {key: changed[key] for key in ("on", "setting", "level", "cost", "since")} == {
        "on": "2025-10-10",
        "setting": "outpatient",
        "level": "third",
        "cost": "400.00",
        "since": "2025-10-10T17:10:00+08:00",
    }
    assert list(changed) == [
        *("on", "setting", "level", "cost", "since", "settled", "then", "now", "moved_by")
    ]
    assert (changed["settled"]["fund_pays"], changed["settled"]["fund_paid"]) == ("50.00", "49.00")
    then, now = changed["then"], changed["now"]
    assert (then["fund_pays"], then["patient_pays"], then["deductible_used"]) == (
        "50.00",
        "350.00",
        "300.00",
    )
    assert (now["fund_pays"], now["patient_pays"], now["deductible_used"]) == (
        "0.00",
        "400.00",
        "0.00",
    )
    assert (then["refused"], now["refused"]) == (None, "in_waiting_period")
    (moved,) = changed["moved_by"]
    assert (moved["name"], moved["version"], moved["reason"]) == (
        "prior-coverage-verified",
        5,
        "typing-error",
    )


def test_a_review_of_a_story_can_be_asked_as_known_before(tell: Write, run: Run) -> None:
    path = tell(STORY)
    for known_at, listed in (("2025-12-12 08:59", 0), ("2025-12-12 09:00", 1), ("4", 0), ("5", 1)):
        (one,) = reviewed(run, path, "--known-at", known_at)
        assert len(one["review"]) == listed
    assert len(reviewed(run, path, "--at", "2025-10-11 10:00")[0]["review"]) == 1


def test_a_person_reads_what_changed_in_both_languages(tell: Write, run: Run) -> None:
    path = tell(STORY)
    text = run("review", path).stdout
    for said in ("2025-10-10", "400.00", "the fund 50.00, now 0.00", "2025-12-12 09:00"):
        assert said in text
    assert text.count("\n") == 1
    chinese = run("review", path, "--lang", "zh").stdout
    assert "医保基金支付由 50.00 变为 0.00" in chinese
    assert not any(word in chinese for word in ("fund", "outpatient", "check"))


def test_a_person_reads_that_nothing_has_changed(tell: Write, run: Run) -> None:
    path = tell(STORY)
    early = ("review", path, "--known-at", "2025-12-01 00:00")
    assert run(*early).stdout == "no care has changed\n"
    assert run(*early, "--lang", "zh").stdout == "无需复核的就医\n"
    assert run(*early).exit_code == 0


def test_each_of_several_students_is_reviewed_or_the_one_named(write: Write, run: Run) -> None:
    path = write(SEVERAL)
    ada, bo = reviewed(run, path)
    assert (ada["student"], bo["student"], bo["review"]) == ("ada", "bo", [])
    (changed,) = ada["review"]
    assert (changed["then"]["fund_pays"], changed["now"]) == ("8.00", None)
    assert [event["name"] for event in changed["moved_by"]] == ["voided"]
    assert [one["student"] for one in reviewed(run, path, "--student", "bo")] == ["bo"]
    lines = run("review", path).stdout.splitlines()
    assert (lines[0], lines[2:]) == ("ada", ["bo", "no care has changed"])
    assert "the fund 8.00, now taken back" in lines[1]
    assert "ada" not in run("review", path, "--student", "bo").stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "give a story's FILE or a --store"),
        (("nowhere.yaml",), "nowhere.yaml:1:1: "),
        (("STORY", "--student", "eve"), "no such student"),
        (("STORY", "--known-at", "99"), "version 99 is not in the stream"),
        (("STORY", "--known-at", "soon"), "'--known-at'"),
        (("STORY", "--at", "2025-10-32"), "'--at'"),
        (("STORY", "--lang", "fr"), "'--lang'"),
    ],
    ids=[*("nothing", "no file", "no student", "no version", "no instant", "a day", "French")],
)
def test_what_cannot_be_reviewed_ends_with_2_and_says_why(
    arguments: tuple[str, ...], said: str, tell: Write, run: Run
) -> None:
    story = str(tell(STORY))
    result = run("review", *(story if argument == "STORY" else argument for argument in arguments))
    assert (result.exit_code, result.stdout) == (2, "")
    assert said in result.stderr
    assert "Traceback" not in result.stderr


def test_care_is_reviewed_also_after_the_clock_has_gone_back(
    service: Service, clock: Clock
) -> None:
    clock.at("2025-11-30 10:00")
    bill = visit(service)
    settle(service, bill)
    assert service.review(ADA) == ()


def test_of_equal_stamps_the_settlement_tells_what_came_after_it(service: Service) -> None:
    bill, check = visit(service), service.facts(ADA)[3]
    settle(service, bill)
    wrong = service.correct(
        ADA, check.event_id, at="2025-11-02 09:00", reason="misread", changes={"lapsed_years": 1}
    )
    (changed,) = service.review(ADA)
    assert told(changed) == ("100.00", "0.00")
    assert (changed.then.refused, changed.then.settlement) == (None, "direct")
    assert movers(changed) == [wrong.event_id]


def test_a_story_is_reviewed_as_of_when_nothing_was_known(tell: Write, run: Run) -> None:
    path = tell(STORY)
    assert len(reviewed(run, path)[0]["review"]) == 1
    assert reviewed(run, path, "--known-at", 0)[0]["review"] == []
