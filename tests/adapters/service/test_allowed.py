"""Whoever runs the service is asked whether a command is allowed, where it would be recorded."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from given import sheet

import yibao
from yibao.adapters.service.recording import Receipt
from yibao.adapters.service.service import Service, open_service
from yibao.adapters.store.errors import StoreError
from yibao.domain.calendar import read_instant
from yibao.domain.facts import commands
from yibao.domain.facts.attempts import RefusedAttempt
from yibao.domain.refusals import BadValue, NotPermitted, OutOfStep, Refused, UnknownCutoff
from yibao.projections.answer import Answer
from yibao.projections.record import Record, Seen

from ..helpers.autumn import ADA, BO, POLICY, Clock, fix, register, roster, visit

NOW = "2025-09-25 12:00"
AT = read_instant("2025-09-24 09:00")
IDENTITY = "110101199003074514"

Asked = tuple[Answer, Record]


@pytest.fixture
def clock() -> Clock:
    return Clock(NOW)


@pytest.fixture
def service(url: str, clock: Clock) -> Iterator[Service]:
    with open_service(url, clock=clock) as service:
        yield service


def other_school(answer: Answer, record: Record) -> str | None:
    """Whoever may do it for students of sjtu alone."""
    known = record.known_by(record.latest).case
    school = known.facts.latest_school if known else "sjtu"
    return None if school == "sjtu" else "other-school"


def attempts(service: Service) -> list[RefusedAttempt]:
    return [each.attempt for each in service._store.attempts_between(0, 2**62, 1000)]


def test_a_word_refuses_and_the_attempt_is_kept(service: Service) -> None:
    register(service)
    register(service, BO, school="tongji")
    assert service.declare_roster(ADA, at=AT, allowed=other_school).version == 2
    with pytest.raises(NotPermitted) as caught:
        service.declare_roster(BO, at=AT, allowed=other_school, by="school-1")
    assert caught.value.code == "not_allowed"
    assert caught.value.details == {"word": "other-school"}
    (kept,) = attempts(service)
    assert (kept.code, kept.command, kept.ref, kept.by) == (
        "not_allowed",
        "declare_roster",
        "bo",
        "school-1",
    )
    assert len(service.facts(BO)) == 1


def test_it_is_asked_on_the_answer_about_the_time_of_the_command_as_it_stands_there(
    service: Service, clock: Clock
) -> None:
    asked: list[Asked] = []

    def allowed(*told: Any) -> None:
        asked.append(told)

    register(service, at="2025-09-01 08:30", allowed=allowed)
    fix(service)
    visit(service)
    service.declare_roster(ADA, at="2025-09-02 17:00", allowed=allowed)
    service.confirm(ADA, at="2025-09-06 09:00", channel="app", allowed=allowed)
    service.pay_premium(ADA, year=2026, allowed=allowed)
    answers = [answer for answer, _ in asked]
    instants = ["2025-09-01 08:30", "2025-09-02 17:00", "2025-09-06 09:00", NOW]
    assert [answer.at for answer in answers[:3]] == [read_instant(each) for each in instants[:3]]
    assert answers[3].at == service.facts(ADA)[-1].occurred_at >= clock.now
    assert [answer.state for answer in answers] == [None, "registered", "registered", "confirmed"]
    assert [answer.seen for answer in answers] == [
        Seen(0, 0, 0),
        Seen(1, 1, 1),
        Seen(2, 1, 1),
        Seen(3, 1, 1),
    ]
    record = asked[-1][1]
    assert record.enrollment == ADA
    assert [len(record.enrolled), len(record.received)] == [3, 1]


def test_what_the_same_transaction_will_record_is_in_the_record(service: Service) -> None:
    seen: list[tuple[Seen, list[int]]] = []

    def allowed(answer: Answer, record: Record) -> None:
        positions = [*record.enrolled.positions, *record.received.positions]
        assert positions == sorted(set(positions))
        assert record.known_by(record.latest).seen == answer.seen
        seen.append((answer.seen, [each.originator_version for each in record.enrolled.events]))

    bill: dict[str, Any] = {"on": "2025-09-22", "setting": "campus_clinic", "cost": "1.00"}
    replies = service.record_each(
        [
            (ADA, commands.Register(**sheet(ref="ada"))),
            (ADA, commands.DeclareRoster(at=AT)),
            (POLICY, commands.FixWindow(at=AT, closes_on="2025-12-20")),  # type: ignore[arg-type]
            (ADA, commands.ReceiveCare(at=AT, **bill)),
            (ADA, commands.DeclareRoster(at=AT)),
        ],
        allowed=allowed,
    )
    assert seen == [
        (Seen(0, 0, 0), []),
        (Seen(1, 0, 0), [1]),
        (Seen(2, 0, 0), [1, 2]),
        (Seen(2, 1, 0), [1, 2]),
    ]
    assert isinstance(replies[2], BadValue)  # a window is everybody's: nobody can be asked
    assert [isinstance(reply, Receipt) for reply in replies] == [True, True, False, True, True]


def test_everything_that_is_asked_of_a_student_may_be_forbidden(service: Service) -> None:
    register(service)
    roster(service)
    fact, care = service.facts(ADA)[-1].event_id, visit(service).event_id
    no: dict[str, Any] = {"allowed": lambda answer, record: "no", "at": AT}
    bill: dict[str, Any] = {"on": "2025-09-22", "setting": "campus_clinic", "cost": "1.00"}
    cases: list[Callable[[], Any]] = [
        lambda: register(service, BO, **{"at": "2025-09-01 08:30", "allowed": no["allowed"]}),
        lambda: service.declare_roster(ADA, **no),
        lambda: service.change_school(ADA, school="fudan", **no),
        lambda: service.declare_other_cover(ADA, kind="employee", **no),
        lambda: service.stop_employee_cover(ADA, on="2025-09-22", **no),
        lambda: service.keep_other_cover(ADA, **no),
        lambda: service.confirm(ADA, channel="app", **no),
        lambda: service.verify_prior_coverage(ADA, lapsed_years=0, **no),
        lambda: service.build_account(ADA, on="2025-09-22", **no),
        lambda: service.activate_evoucher(ADA, channel="app", **no),
        lambda: service.issue_medical_card(ADA, **no),
        lambda: service.file_remote_care(ADA, province="jiangsu", **no),
        lambda: service.withdraw(ADA, on="2025-12-01", **no),
        lambda: service.pay_premium(ADA, year=2026, **no),
        lambda: service.receive_care(ADA, **bill, **no),
        lambda: service.settle_care(ADA, care, **no),
        lambda: service.reverse_care(ADA, care, **no),
        lambda: service.correct(ADA, fact, reason="misread", **no),
        lambda: service.void(ADA, fact, reason="misread", **no),
        lambda: service.record(ADA, commands.DeclareRoster(), allowed=no["allowed"]),
        lambda: service.record_together(ADA, [commands.DeclareRoster()], allowed=no["allowed"]),
    ]
    for act in cases:
        with pytest.raises(NotPermitted, match="not_allowed"):
            act()
    assert (len(service.facts(ADA)), len(service.care_facts(ADA))) == (2, 1)
    assert service.facts(BO) == []


@pytest.mark.parametrize("name", ["correct", "void", "fix_window", "record"])
def test_of_a_window_nobody_is_asked_and_nothing_recorded(name: str, service: Service) -> None:
    window = fix(service).event_id
    asked: list[Any] = []
    how: dict[str, Any] = {"at": AT, "allowed": lambda *told: asked.append(told)}
    act: dict[str, Callable[[], Any]] = {
        "correct": lambda: service.correct(POLICY, window, reason="misread", **how),
        "void": lambda: service.void(POLICY, window, reason="misread", **how),
        "fix_window": lambda: service.fix_window(POLICY, closes_on="2025-12-20", **how),
        "record": lambda: service.record(
            POLICY,
            commands.FixWindow(at=AT, closes_on="2025-12-20"),  # type: ignore[arg-type]
            allowed=how["allowed"],
        ),
    }
    before = service.window_facts(POLICY)
    with pytest.raises(BadValue) as caught:
        act[name]()
    assert caught.value.details["where"] == "allowed"
    assert (service.window_facts(POLICY), asked) == (before, [])


@pytest.mark.parametrize(
    "error",
    [RuntimeError("mine"), StoreError("mine"), UnknownCutoff("mine"), Refused("withdrawn")],
    ids=lambda error: type(error).__name__,
)
def test_what_it_raises_is_raised_and_nothing_is_recorded_or_kept(
    error: Exception, service: Service
) -> None:
    register(service)

    def allowed(answer: Answer, record: Record) -> str | None:
        if record.enrollment == BO:
            raise error
        return None

    made = [(ADA, commands.DeclareRoster(at=AT)), (BO, commands.DeclareRoster(at=AT))]
    acts: list[Callable[[], Any]] = [
        lambda: service.declare_roster(BO, at=AT, allowed=allowed),
        lambda: service.record_each(made, allowed=allowed),
        lambda: service.record_each(made, allowed=allowed, dry_run=True),
    ]
    for act in acts:
        with pytest.raises(type(error)) as caught:
            act()
        assert caught.value is error
    assert len(service.facts(ADA)) == 1
    assert attempts(service) == []
    # Of batches that went before, what was recorded stands.
    with pytest.raises(type(error)):
        service.record_each(made, allowed=allowed, batch=1)
    assert len(service.facts(ADA)) == 2


async def _later(answer: Answer, record: Record) -> str | None:
    return None


@pytest.mark.parametrize(
    "given",
    [True, False, "", "two words", "在外校", b"no", 7, ["no"], IDENTITY, "a" * 65, "ada@a.example"],
)
def test_what_is_no_word_allows_nothing_and_is_not_repeated(given: Any, service: Service) -> None:
    register(service)
    with pytest.raises(BadValue) as caught:
        service.declare_roster(ADA, at=AT, allowed=lambda answer, record: given)
    assert caught.value.details["where"] == "allowed"
    assert not given or IDENTITY not in str(caught.value)
    assert len(service.facts(ADA)) == 1
    assert [each.code for each in attempts(service)] == ["bad_value"]


def test_what_would_have_to_be_awaited_allows_nothing(service: Service) -> None:
    register(service)
    asked: list[Any] = []

    def allowed(answer: Answer, record: Record) -> Any:
        asked.append(_later(answer, record))
        return asked[-1]

    with pytest.raises(BadValue, match="must return a word"):
        service.declare_roster(ADA, at=AT, allowed=allowed)
    asked[0].close()


@pytest.mark.parametrize("allowed", [True, "no", 7])
def test_what_cannot_be_asked_is_refused(allowed: Any, service: Service) -> None:
    made = [(ADA, commands.DeclareRoster(at=AT))]
    acts: list[Callable[[], Any]] = [
        lambda: service.declare_roster(ADA, at=AT, allowed=allowed),
        lambda: service.record_each(made, allowed=allowed),
        lambda: service.record_together(ADA, [], allowed=allowed),
    ]
    for act in acts:
        with pytest.raises(BadValue, match="where: allowed"):
            act()


def test_a_repetition_is_not_asked_about_and_what_is_not_allowed_tells_no_more(
    service: Service,
) -> None:
    register(service)
    first = service.declare_roster(ADA, at=AT, command_id="one")
    no = lambda answer, record: "no"  # noqa: E731
    again = service.declare_roster(ADA, at=AT, command_id="one", allowed=no)
    assert (again.event_id, again.repeated) == (first.event_id, True)
    with pytest.raises(OutOfStep, match="command_id_reused"):
        service.declare_roster(ADA, at="2025-09-23 09:00", command_id="one", allowed=no)
    # Neither what the guards say, nor what has moved.
    for how in ({}, {"expected": Seen(0, 0, 0)}, {"expected_version": 0}):
        with pytest.raises(NotPermitted, match="not_allowed"):
            service.confirm(ADA, at="2025-09-03 09:00", channel="app", allowed=no, **how)  # type: ignore[arg-type]


def test_a_record_asked_for_somebody_unknown_is_empty(service: Service) -> None:
    told: list[Asked] = []
    with pytest.raises(yibao.Refused, match="not_registered"):
        service.confirm(ADA, at=AT, channel="app", allowed=lambda *each: told.append(each))
    ((answer, record),) = told
    assert (answer.state, answer.seen, len(record.enrolled)) == (None, Seen(0, 0, 0), 0)
