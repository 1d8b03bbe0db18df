"""Questions beside the answer: what is possible, when something changed, which years are known."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from given import sheet

import yibao
from yibao.adapters.service.service import Service, open_service
from yibao.domain.calendar import read_instant
from yibao.domain.facts import commands
from yibao.domain.facts.commands import ASKED
from yibao.domain.facts.telling import told
from yibao.domain.lifecycle import Guard
from yibao.domain.refusals import BadValue, Refused
from yibao.domain.vocabulary import Category, Document

from ..helpers.autumn import ADA, BO, POLICY, Clock, an_autumn, register, roster, visit


@pytest.fixture
def clock() -> Clock:
    return Clock("2025-09-01 08:00")


@pytest.fixture
def service(url: str, clock: Clock) -> Iterator[Service]:
    with open_service(url, by="desk", clock=clock) as service:
        yield service


def confirm(at: str, **values: Any) -> dict[str, Any]:
    return {"command": "confirm", "at": at, "channel": "app", **values}


def test_an_answer_tells_school_category_and_document(service: Service, clock: Clock) -> None:
    nobody = service.at(ADA)
    assert (nobody.school, nobody.category, nobody.document) == (None, None, None)
    fact = register(service, ADA, clock.at("2025-09-01 08:30"))
    clock.at("2025-09-20 08:30")
    service.change_school(ADA, at="2025-09-10 10:00", school="ecnu")
    found = service.at(ADA, "2025-09-05 10:00")
    assert found.school == "ecnu"
    assert found.category is Category.UNDERGRADUATE
    assert found.document is Document.RESIDENT_ID_CARD
    assert service.at(ADA, known_at=1).school == "sjtu"
    service.void(ADA, fact.event_id, at="2025-09-11 10:00", reason="mistake")
    gone = service.at(ADA)
    assert (gone.school, gone.category, gone.document) == (None, None, None)


def test_the_years_known_of_a_reference_are_told_in_order(service: Service, clock: Clock) -> None:
    clock.at("2025-12-01 10:00")
    assert service.enrollments("ada") == ()
    register(service)
    before = {"policy": "shanghai-2024", "on": "2024-09-01", "at": "2024-09-01 08:30"}
    service.register("ada", **sheet(**before))
    register(service, BO)
    assert service.enrollments("ada") == (2024, 2025)
    assert service.enrollments("bo") == (2025,)
    assert service.enrollments("\ud800") == ()
    with pytest.raises(BadValue, match="ref"):
        service.enrollments(7)  # type: ignore[arg-type]


def test_the_facts_of_several_are_those_of_each_by_their_years(
    service: Service, clock: Clock
) -> None:
    an_autumn(service, clock)
    found = service.facts_of([ADA.ref, "nobody", BO.ref])
    assert list(found) == [ADA.ref, "nobody", BO.ref]
    assert found["nobody"] == {}
    for ref, years in found.items():
        assert tuple(years) == service.enrollments(ref)
        assert all(
            told == service.facts(ADA._replace(ref=ref, year=y)) for y, told in years.items()
        )
    with pytest.raises(BadValue):
        service.facts_of([7])  # type: ignore[list-item]


def test_the_moments_are_those_at_which_something_of_hers_was_recorded(
    service: Service, clock: Clock
) -> None:
    an_autumn(service, clock)
    own = {event.recorded_at for event in (*service.facts(ADA), *service.care_facts(ADA))}
    found = service.moments(ADA)
    assert own < set(found)
    assert list(found) == sorted(set(found))
    fixed = {event.recorded_at for event in service.window_facts(POLICY)}
    assert set(found) <= own | fixed
    assert {entry.event.recorded_at for entry in service.trail_of(ADA)} <= set(found)
    assert service.moments(yibao.EnrollmentId("nobody", 2025)) == ()


def test_what_is_possible_is_told_for_now_or_an_instant(service: Service, clock: Clock) -> None:
    register(service, ADA, clock.at("2025-09-01 08:30"))
    clock.at("2025-09-03 10:00")
    roster(service)
    guards = {each.command: each.guards for each in service.possible(ADA)}
    waited_for = [guard for guard in guards["confirm"] if not guard.passed]
    opens = read_instant("2025-09-05 00:00")
    assert waited_for == [Guard("window_not_open", False, opens)]
    then = {each.command: each.guards for each in service.possible(ADA, at=opens)}
    assert all(guard.passed for guard in then["confirm"])
    with pytest.raises(BadValue, match="zone"):
        service.possible(ADA, at=opens.replace(tzinfo=None))


def test_somebody_unknown_may_register(service: Service) -> None:
    guards = {each.command: each.guards for each in service.possible(ADA)}
    assert all(guard.passed for guard in guards.pop("register"))
    assert {each[0] for each in guards.values()} == {Guard("not_registered", False, None)}


def judged(service: Service, target: Any, command: Any) -> str | None:
    refused = service.judge(target, command)
    return refused and refused.code


def everything(service: Service) -> Any:
    asked = (service.facts, service.care_facts, service.refused_attempts)
    return [*(ask(ADA) for ask in asked), service.window_facts(POLICY)]


def test_a_command_is_judged_without_being_recorded(service: Service, clock: Clock) -> None:
    registration = {"command": "register", "ref": "ada", **sheet()}
    clock.at("2025-09-03 10:00")
    assert judged(service, ADA, confirm("2025-09-03 10:00")) == "not_registered"
    assert judged(service, ADA, registration) is None
    register(service)
    roster(service)
    before = everything(service)
    assert judged(service, ADA, registration) == "already_registered"
    assert judged(service, ADA, confirm("2025-09-03 10:00")) == "window_not_open"
    assert judged(service, ADA, confirm("2025-09-03 10:00", observed=True)) is None
    assert judged(service, ADA, confirm("2025-09-06 10:00")) == "bad_value"
    assert judged(service, ADA, confirm("2025-09-03 10:00", channel="fax")) == "bad_value"
    assert judged(service, ADA, "confirm") == "bad_value"
    assert judged(service, BO, registration) == "bad_value"
    assert judged(service, None, registration) == "bad_value"
    unknown = {**registration, "policy": "shanghai-1999"}
    assert judged(service, ADA, unknown) == "bad_value"
    visiting = {"on": "2025-09-02", "setting": "campus_clinic", "cost": "1.00"}
    told = {"command": "receive_care", "at": "2025-09-02 10:00", **visiting}
    assert judged(service, ADA, told) is None
    assert judged(service, BO, told) == "not_registered"
    assert everything(service) == before


def test_care_and_windows_are_judged_too(service: Service, clock: Clock) -> None:
    clock.at("2025-09-30 10:00")
    register(service)
    fixing = {"command": "fix_window", "at": "2025-09-03 10:00", "closes_on": "2025-12-20"}
    assert judged(service, POLICY, fixing) is None
    assert judged(service, POLICY, {**fixing, "closes_on": "2026-12-20"}) == "bad_value"
    assert judged(service, ADA, fixing) == "bad_value"
    assert judged(service, POLICY, confirm("2025-09-06 10:00")) == "bad_value"
    assert judged(service, "shanghai-1999", fixing) == "bad_value"
    care = visit(service).event_id
    settling = commands.SettleCare(at="2025-09-23 10:00", care=care)  # type: ignore[arg-type]
    assert judged(service, ADA, settling) == "cover_pending"
    reversing = {"command": "reverse_care", "at": "2025-09-23 10:00", "care": str(care)}
    assert judged(service, ADA, reversing) == "not_settled"


def test_what_was_recorded_before_would_be_again(service: Service, clock: Clock) -> None:
    clock.at("2025-09-30 10:00")
    register(service, command_id="r1")
    again = {"at": "2025-09-01 08:30", "ref": "ada", **sheet(on="2025-09-01")}
    assert service.judge(ADA, told("register", again, command_id="r1")) is None
    other = {**again, "school": "ecnu"}
    assert judged(service, ADA, told("register", other, command_id="r1")) == ("command_id_reused")
    assert judged(service, ADA, told("register", other, expected_version=7)) == ("version_conflict")


#: A question each, with what it is asked beside the enrollment.
QUESTIONS: dict[str, Callable[[Service, Any], Any]] = {
    "at": lambda service, whose: service.at(whose),
    "compare": lambda service, whose: service.compare(whose, 1),
    "review": lambda service, whose: service.review(whose),
    "quote": lambda service, whose: service.quote(
        whose, on="2025-10-10", setting="campus_clinic", cost="10.00"
    ),
    "history": lambda service, whose: service.history(whose, "state"),
    "trail_of": lambda service, whose: service.trail_of(whose),
    "refused_attempts": lambda service, whose: service.refused_attempts(whose),
    "moments": lambda service, whose: service.moments(whose),
    "possible": lambda service, whose: service.possible(whose),
    "judge": lambda service, whose: str(service.judge(whose, confirm("2025-09-06 10:00"))),
    "facts": lambda service, whose: service.facts(whose),
    "care_facts": lambda service, whose: service.care_facts(whose),
}


@pytest.mark.parametrize("name", QUESTIONS)
def test_a_question_to_a_record_is_one_to_the_moment_it_was_read_at(
    service: Service, clock: Clock, name: str
) -> None:
    an_autumn(service, clock)
    ask = QUESTIONS[name]
    record, then = service.read(ADA), ask(service, ADA)
    assert service.read(record) is record
    clock.at("2026-02-01 10:00")
    service.withdraw(ADA, at="2026-01-15 10:00", on="2026-01-15")
    visit(service)
    service.fix_window(POLICY, at="2026-01-15 10:00", closes_on="2025-12-30")
    with pytest.raises(Refused):
        service.confirm(ADA, at="2026-01-20 10:00", channel="app", by="late")
    assert ask(service, record) == then


@pytest.mark.parametrize("name", [name for name in QUESTIONS if name != "judge"])
@pytest.mark.parametrize("whose", [None, "ada", ("ada", 2025)])
def test_a_question_is_about_an_enrollment(name: str, whose: Any) -> None:
    with open_service("memory:") as service, pytest.raises(BadValue):
        QUESTIONS[name](service, whose)


def test_a_store_that_can_only_be_read_is_asked_all_the_same(tmp_path: Path) -> None:
    path = tmp_path / "facts.db"
    with open_service(f"sqlite:///{path}", clock=Clock("2025-09-03 10:00")) as service:
        register(service)
    path.chmod(0o400)
    tmp_path.chmod(0o500)
    try:
        with open_service(f"sqlite:///{path}", clock=Clock("2025-09-03 10:00")) as service:
            assert judged(service, ADA, confirm("2025-09-03 10:00")) == "window_not_open"
            assert service.enrollments("ada") == (2025,)
            assert len(service.moments(ADA)) == 1
            assert len(service.possible(ADA)) == 15
    finally:
        tmp_path.chmod(0o700)


def test_what_judges_and_what_records_agree(service: Service, clock: Clock) -> None:
    clock.at("2025-12-31 10:00")
    for at in ("2025-09-01 08:00", "2025-09-06 10:00", "2025-09-07 09:00"):
        for name in ASKED:
            for values in VALUES.get(name, [{}]):
                asked = {"command": name, "at": at, **values}
                target: Any = POLICY if name == "fix_window" else ADA
                refused = service.judge(target, asked)
                (reply,) = service.record_each([(target, asked)])
                assert type(refused) is (type(reply) if isinstance(reply, Refused) else type(None))
                assert refused is None or str(refused) == str(reply)


NOBODY = "00000000-0000-0000-0000-000000000001"
VALUES: dict[str, list[dict[str, Any]]] = {
    "register": [{key: value for key, value in {"ref": "ada", **sheet()}.items() if key != "at"}],
    "change_school": [{"school": "ecnu"}],
    "declare_other_cover": [{"kind": "other_province"}],
    "stop_employee_cover": [{"on": "2025-09-03"}],
    "confirm": [{"channel": "app"}, {"channel": "fax"}],
    "verify_prior_coverage": [{"lapsed_years": 0, "waiting_ends_on": "2024-01-01"}],
    "build_account": [{"on": "2025-09-06"}],
    "activate_evoucher": [{"channel": "app"}],
    "file_remote_care": [{"province": "jiangsu"}],
    "withdraw": [{"on": "2025-12-30"}],
    "pay_premium": [{"year": 2026}],
    "fix_window": [{"closes_on": "2025-12-30"}, {"opens_on": "2025-12-31"}],
    "receive_care": [{"on": "2025-10-10", "setting": "campus_clinic", "cost": "1.00"}],
    "settle_care": [{"care": NOBODY}],
    "reverse_care": [{"care": NOBODY}],
    "correct": [{"fact_id": NOBODY, "reason": "misread"}],
    "void": [{"fact_id": NOBODY, "reason": "misread"}],
}


def test_some_are_read_together_as_each_is_by_herself(service: Service, clock: Clock) -> None:
    an_autumn(service, clock)
    nobody = yibao.EnrollmentId("nobody", 2025)
    found = service.read_each([BO, ADA, nobody, ADA])
    assert [each.enrollment for each in found] == [BO, ADA, nobody, ADA]
    for record in found:
        assert service.at(record) == service.at(record.enrollment)
        assert service.facts(record) == service.facts(record.enrollment)
    assert service.read_each([]) == ()
    with pytest.raises(BadValue):
        service.read_each([ADA, "ada"])  # type: ignore[list-item]
