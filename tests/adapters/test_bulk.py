"""Many commands in one call: each judged and reported by itself, a transaction a batch."""

import random
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest

import yibao
from yibao.adapters.answer_json import answer_json
from yibao.adapters.recording import Receipt
from yibao.adapters.service import Service, open_service
from yibao.adapters.store import StoreError
from yibao.domain import commands
from yibao.domain.calendar import read_instant
from yibao.domain.commands import Command
from yibao.domain.events import Event
from yibao.domain.refusals import Refused, UnknownCutoff

from .stores import emptied, lasting, rows

POLICY = "shanghai-2025"
NOW = read_instant("2025-09-20 12:00")
ADA, BO = yibao.EnrollmentId("ada", 2025), yibao.EnrollmentId("bo", 2025)
Asked = tuple[yibao.EnrollmentId | str, Command]


@pytest.fixture
def service(url: str) -> Iterator[Service]:
    with open_service(url, by="roster", clock=lambda: NOW) as service:
        yield service


def made(kind: type[Command], **values: Any) -> Command:
    """A command from values as they are typed."""
    return kind(**values)


def register(who: yibao.EnrollmentId, **values: Any) -> Asked:
    sheet: dict[str, Any] = {
        "ref": who.ref,
        "at": "2025-09-01 08:30",
        "policy": POLICY,
        "on": "2025-09-01",
        "school": "sjtu",
        "category": "undergraduate",
        "document": "resident_id_card",
    }
    return who, commands.Register(**{**sheet, **values})


def declare(who: yibao.EnrollmentId, **values: Any) -> Asked:
    return who, commands.DeclareRoster(**{"at": "2025-09-02 17:00", **values})


def confirm(who: yibao.EnrollmentId, at: str = "2025-09-06 10:00", **values: Any) -> Asked:
    return who, made(commands.Confirm, at=at, channel="app", **values)


def told(outcomes: list[Receipt | Refused]) -> list[str | int]:
    """The version each command led to, or the code with which it was refused."""
    return [each.code if isinstance(each, Refused) else each.version for each in outcomes]


def test_each_command_is_judged_on_what_came_before_it(service: Service) -> None:
    asked = [register(ADA), confirm(ADA), declare(ADA), confirm(ADA), confirm(BO), confirm(ADA)]
    assert told(service.record_each(asked)) == [
        1,
        "roster_not_declared",
        2,
        3,
        "not_registered",
        "already_confirmed",
    ]
    assert [fact.name for fact in service.facts(ADA)] == [
        "registered",
        "roster-declared",
        "confirmed",
    ]
    assert service.facts(BO) == []


def test_what_is_refused_is_kept_as_an_attempt_and_takes_nothing_with_it(service: Service) -> None:
    service.record_each([confirm(BO, by="clerk-7"), register(ADA), confirm(ADA)])
    (turned_away,) = service.refused_attempts(BO)
    assert (turned_away.attempt.by, turned_away.attempt.code) == ("clerk-7", "not_registered")
    (kept,) = service.refused_attempts(ADA)
    assert (kept.attempt.code, kept.attempt.version) == ("roster_not_declared", 1)


def test_a_batch_has_one_stamp_and_no_cutoff_falls_into_it(service: Service) -> None:
    service.record_each([register(ADA), declare(ADA), register(BO), confirm(ADA)])
    assert {fact.recorded_at for fact in (*service.facts(ADA), *service.facts(BO))} == {NOW}
    with pytest.raises(UnknownCutoff, match="inside a transaction"):
        service.at(ADA, known_at=2)
    assert service.at(ADA, known_at=3).version == 3


def test_batches_are_transactions_of_their_own(service: Service) -> None:
    service.record_each([register(ADA), declare(ADA), confirm(ADA)], batch=2)
    assert service.at(ADA, known_at=2).version == 2
    with pytest.raises(UnknownCutoff):
        service.at(ADA, known_at=1)


def test_the_stamp_is_never_before_the_last_of_any_of_the_streams(url: str) -> None:
    later = NOW + timedelta(days=1)
    clock = [later]
    with open_service(url, clock=lambda: clock[0]) as service:
        service.record(*register(BO))
        clock[0] = NOW
        service.record_each([register(ADA), declare(BO)])
        assert service.facts(ADA)[0].recorded_at == later
        assert service.facts(BO)[-1].recorded_at == later


def test_a_whole_call_repeated_adds_nothing(service: Service) -> None:
    asked = [
        register(ADA, command_id="a"),
        confirm(BO, command_id="b"),
        declare(ADA, command_id="c"),
    ]
    first, again = service.record_each(asked), service.record_each(asked)
    assert told(first) == told(again) == [1, "not_registered", 2]
    assert [getattr(each, "repeated", None) for each in again] == [True, None, True]
    assert len(service.facts(ADA)) == 2


def test_the_same_command_twice_in_a_batch_is_answered_once(service: Service) -> None:
    assert told(service.record_each([register(ADA, command_id="a")] * 2)) == [1, 1]
    assert len(service.facts(ADA)) == 1


def test_windows_and_care_are_recorded_among_the_rest(service: Service) -> None:
    care = made(
        commands.ReceiveCare,
        at="2025-09-10 10:00",
        on="2025-09-10",
        setting="campus_clinic",
        cost="60.00",
    )
    fix = made(commands.FixWindow, at="2025-09-01 08:00", closes_on="2025-09-08")
    outcomes = service.record_each(
        [
            (POLICY, fix),
            register(ADA),
            declare(ADA),
            confirm(ADA, "2025-09-09 10:00"),
            confirm(ADA),
            (ADA, care),
        ]
    )
    assert told(outcomes) == [2, 1, 2, "window_closed", 3, 1]
    assert [event.name for event in service.window_facts(POLICY)] == [
        "edition-adopted",
        "window-fixed",
        "benefits-adopted",
    ]
    (assessed,) = service.at(ADA, NOW).care
    assert assessed.is_pending


def test_what_does_not_belong_together_is_refused_in_its_place(service: Service) -> None:
    outcomes = service.record_each(
        [
            (POLICY, confirm(ADA)[1]),
            (ADA, made(commands.FixWindow, at="2025-09-01 08:00", closes_on="2025-12-08")),
            (BO, register(ADA)[1]),
            register(ADA, policy="shanghai-1999"),
            (
                "shanghai-1999",
                made(commands.FixWindow, at="2025-09-01 08:00", closes_on="2025-12-08"),
            ),
            confirm(ADA, "2025-12-24 10:00"),
            register(ADA),
        ]
    )
    assert told(outcomes) == ["bad_value"] * 6 + [1]
    places = [each.details["where"] for each in outcomes if isinstance(each, Refused)]
    assert places == ["target", "target", "target", "policy", "policy", "at"]


#: From here on there is no room for a 27th event.
NO_ROOM = {
    "sqlite": [
        "CREATE TRIGGER no_room BEFORE INSERT ON stored_events "
        "WHEN (SELECT COUNT(*) FROM stored_events) >= 26 "
        "BEGIN SELECT RAISE(ABORT, 'no room'); END"
    ],
    "postgresql": [
        "CREATE FUNCTION no_room() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION 'no room'; END $$",
        "CREATE TRIGGER no_room BEFORE INSERT ON stored_events FOR EACH ROW "
        "WHEN (NEW.notification_id > 26) EXECUTE FUNCTION no_room()",
    ],
}
ROOM = {
    "sqlite": "DROP TRIGGER no_room",
    "postgresql": "DROP TRIGGER no_room ON stored_events",
}


@lasting
def test_where_the_store_fails_batches_before_stand_and_the_rest_can_be_repeated(url: str) -> None:
    students = [yibao.EnrollmentId(f"s-{number}", 2025) for number in range(40)]
    asked = [register(who, command_id=f"c-{who.ref}") for who in students]
    kind, _, _ = url.partition(":")
    with open_service(url, clock=lambda: NOW) as service:
        for statement in NO_ROOM[kind]:
            rows(url, statement)
        with pytest.raises(StoreError, match="no room"):
            service.record_each(asked, batch=10)
        assert [bool(service.facts(who)) for who in students] == [True] * 20 + [False] * 20
        rows(url, ROOM[kind])
        again = service.record_each(asked, batch=10)
        assert told(again) == [1] * 40
        assert [each.repeated for each in again if isinstance(each, Receipt)] == (
            [True] * 20 + [False] * 20
        )


def test_many_at_once_come_to_what_one_after_the_other_does(url: str) -> None:
    chance = random.Random(20251121)
    for _ in range(25 if url == "memory:" else 10):
        asked = [_anything(chance) for _ in range(30)]
        with (
            open_service(emptied(url), clock=lambda: NOW) as together,
            open_service("memory:", clock=lambda: NOW) as singly,
        ):
            outcomes = together.record_each(asked, batch=chance.choice([1, 7, 100]))
            assert told(outcomes) == told([_one(singly, *each) for each in asked])
            for who in (ADA, BO):
                assert _plain(together.facts(who)) == _plain(singly.facts(who))
                assert answer_json(together.at(who, NOW)) == answer_json(singly.at(who, NOW))
                assert [kept.attempt for kept in together.refused_attempts(who)] == [
                    kept.attempt for kept in singly.refused_attempts(who)
                ]


def _one(service: Service, target: yibao.EnrollmentId | str, command: Command) -> Receipt | Refused:
    try:
        return service.record(target, command)
    except Refused as refused:
        return refused


def _plain(recorded: list[Event]) -> list[dict[str, Any]]:
    made_up = {"event_id", "command_id", "goes_on"}
    return [event.model_dump(exclude=made_up) | {"name": event.name} for event in recorded]


def _anything(chance: random.Random) -> Asked:
    who = chance.choice([ADA, BO])
    at = f"2025-09-{chance.randint(1, 19):02d} 10:00"
    kinds: list[Callable[[], Asked]] = [
        lambda: register(who, at=at, on=at[:10]),
        lambda: declare(who, at=at),
        lambda: confirm(who, at),
        lambda: confirm(who, at, observed=True),
        lambda: (who, made(commands.VerifyPriorCoverage, at=at, lapsed_years=1)),
        lambda: (who, made(commands.Withdraw, at=at, on=at[:10])),
        lambda: (POLICY, made(commands.FixWindow, at=at, closes_on="2025-09-18")),
    ]
    return chance.choice(kinds)()
