"""Many commands in one call: each judged and reported by itself, a transaction a batch."""

import random
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from importlib.resources import files
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
import pytest
from given import sheet
from pgserver import CARELESS, Server

import yibao
from yibao.adapters.service.recording import Receipt, Reply
from yibao.adapters.service.service import Service, open_service
from yibao.adapters.shapes.answer import answer_json
from yibao.adapters.store.facts import StoreError
from yibao.adapters.store.postgres.sql import MOST_LOCKS
from yibao.adapters.upkeep.creating import init
from yibao.domain.calendar import read_instant
from yibao.domain.facts import commands
from yibao.domain.facts.attempts import RefusedAttempt
from yibao.domain.facts.commands import Command
from yibao.domain.facts.events import Event
from yibao.domain.refusals import BadValue, Refused, UnknownCutoff

from ..helpers.autumn import POLICY
from ..helpers.stores import emptied, lasting, rows

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
    return who, commands.Register(**sheet(ref=who.ref) | values)


def declare(who: yibao.EnrollmentId, **values: Any) -> Asked:
    return who, commands.DeclareRoster(**{"at": "2025-09-02 17:00", **values})


def confirm(who: yibao.EnrollmentId, at: str = "2025-09-06 10:00", **values: Any) -> Asked:
    return who, made(commands.Confirm, at=at, channel="app", **values)


def told(replies: Sequence[Reply]) -> list[str | int]:
    """The version each command led to, the code with which it was refused, or its error."""
    return [_told(reply) for reply in replies]


def _told(reply: Reply) -> str | int:
    match reply:
        case Receipt():
            return reply.version
        case Refused():
            return reply.code
        case _:
            return type(reply).__name__


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


def test_an_edition_that_is_not_at_hand_refuses_the_commands_under_it_alone(url: str) -> None:
    with open_service(url, clock=lambda: NOW) as service:
        replies = service.record_each([register(ADA, policy="shanghai-1999"), register(BO)])
        assert told(replies) == ["bad_value", 1]
        assert [kept.attempt.where for kept in service.refused_attempts(ADA)] == ["policy"]


@lasting
def test_an_edition_that_is_no_longer_at_hand_refuses_its_students_alone(
    url: str, tmp_path: Path
) -> None:
    released = (files("yibao.domain.editions") / "policies" / f"{POLICY}.yaml").read_text("utf-8")
    (tmp_path / "mine-2025.yaml").write_text(released.replace(POLICY, "mine-2025", 1))
    with open_service(url, policies=tmp_path, clock=lambda: NOW) as service:
        service.record_each([register(ADA, policy="mine-2025")])
    with open_service(url, clock=lambda: NOW) as service:
        replies = service.record_each([declare(ADA), register(BO), confirm(ADA), declare(BO)])
        assert told(replies) == ["bad_value", 1, "bad_value", 2]
        assert [kept.attempt.code for kept in service.refused_attempts(ADA)] == ["bad_value"] * 2


@lasting
@pytest.mark.parametrize("what", ["enrollment", "care"])
def test_a_stream_that_cannot_be_read_is_told_and_the_others_are_recorded(
    url: str, what: str
) -> None:
    with open_service(url, clock=lambda: NOW) as service:
        service.record_each([register(ADA), _care(ADA), register(BO)])
        stream = {"enrollment": ADA.stream, "care": ADA.care_stream}[what]
        damage = "UPDATE stored_events SET state = ? WHERE originator_id = ?"
        rows(url, damage, b"{}", stream.hex)
        replies = service.record_each([_care(ADA), declare(BO), (BO, NOTHING), _care(BO)])
        assert told(replies) == ["UnreadableEvent", 2, "no_such_fact", 1]


@pytest.mark.parametrize(
    ("target", "where"),
    [
        (("ada", 2025), "target"),
        (None, "target"),
        (yibao.EnrollmentId("ada", 2025.0), "year"),  # type: ignore[arg-type]
        (yibao.EnrollmentId("ada", "2025"), "year"),  # type: ignore[arg-type]
        (yibao.EnrollmentId("ada", None), "year"),  # type: ignore[arg-type]
    ],
)
def test_what_can_be_no_target_is_told_and_the_others_are_recorded(
    service: Service, target: Any, where: str
) -> None:
    misfit, recorded = service.record_each([(target, register(ADA)[1]), register(ADA)])
    assert isinstance(misfit, BadValue)
    assert misfit.details["where"] == where
    assert _told(recorded) == 1
    with pytest.raises(BadValue, match=where):
        service.record(target, declare(ADA)[1])
    with pytest.raises(BadValue, match=where):
        service.declare_roster(target, at="2025-09-02 17:00")


def test_what_is_no_command_is_told_and_the_others_are_recorded(service: Service) -> None:
    misfit, recorded = service.record_each([(ADA, "register"), register(ADA)])  # type: ignore[list-item]
    assert isinstance(misfit, BadValue)
    assert misfit.details["where"] == "asked"
    assert _told(recorded) == 1
    with pytest.raises(BadValue, match="is no command"):
        service.record(ADA, None)  # type: ignore[arg-type]


@pytest.mark.parametrize("batch", [0, -1, 1.5, None, True, "5", 2**64])
def test_there_is_no_such_size_of_a_batch(service: Service, batch: Any) -> None:
    with pytest.raises(BadValue, match="batch"):
        service.record_each([register(ADA)], batch=batch)
    assert service.facts(ADA) == []


@pytest.mark.parametrize("given", [5, None, "ab", (), (ADA,), {}, object()])
def test_what_is_no_pair_is_told_and_the_others_are_recorded(service: Service, given: Any) -> None:
    misfit, recorded = service.record_each([given, register(ADA)])
    assert isinstance(misfit, BadValue)
    assert misfit.details["where"] == "asked"
    assert _told(recorded) == 1


@pytest.mark.parametrize("given", [5, None, object()])
def test_what_is_no_sequence_of_commands_is_refused(service: Service, given: Any) -> None:
    for ask in (service.record_each, lambda asked: service.record_together(ADA, asked)):
        with pytest.raises(BadValue, match="where: asked"):
            ask(given)


def test_commands_may_come_from_anywhere(service: Service) -> None:
    assert told(service.record_each(each for each in [register(ADA), declare(ADA)])) == [1, 2]
    together = service.record_together(ADA, (confirm(ADA)[1] for _ in range(1)))
    assert told(together) == [3]


# A server has room for so many locks


@pytest.fixture
def narrow() -> Iterator[Server]:
    """A server with room for some hundred locks of all transactions together.

    One for each test: what memory its tables of locks once took, a server does not give back.
    """
    with Server({**CARELESS, "max_locks_per_transaction": "10", "max_connections": "20"}) as server:
        yield server


def test_a_batch_of_more_students_than_a_server_has_locks_is_recorded(narrow: Server) -> None:
    url = narrow.database()
    init(url)
    students = [yibao.EnrollmentId(f"s-{number}", 2025) for number in range(MOST_LOCKS + 1)]
    with open_service(url, clock=lambda: NOW) as service:
        replies = service.record_each([register(who) for who in students], batch=len(students))
        assert told(replies) == [1] * len(students)


def test_a_batch_waits_while_others_have_all_the_locks(narrow: Server) -> None:
    url = narrow.database()
    init(url)
    students = [yibao.EnrollmentId(f"s-{number}", 2025) for number in range(300)]
    errors: list[str] = []
    with (
        open_service(url, clock=lambda: NOW) as service,
        psycopg.connect(narrow.url(), autocommit=True) as other,
    ):
        with suppress(psycopg.errors.OutOfMemory):
            for number in range(100_000):
                other.execute("SELECT pg_advisory_lock(%s)", [number])
        # Room for what everybody needs, but not for three hundred.
        other.execute("SELECT pg_advisory_unlock(k) FROM generate_series(0, 99) AS k")
        service._store.on_retry = lambda error: (errors.append(error), other.close())
        assert told(service.record_each([register(who) for who in students])) == [1] * 300
    assert set(errors) == {"OutOfMemory"}


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
                assert _tried(together, who) == _tried(singly, who)


NOTHING = commands.SettleCare(at=NOW, care=UUID(int=1))


def _care(who: yibao.EnrollmentId) -> Asked:
    return who, made(
        commands.ReceiveCare, at="2025-09-19 10:00", on="2025-09-19", setting="campus_clinic",
        cost="100.00",
    )  # fmt: skip


def _one(service: Service, target: yibao.EnrollmentId | str, command: Command) -> Receipt | Refused:
    try:
        return service.record(target, command)
    except Refused as refused:
        return refused


def _plain(recorded: list[Event]) -> list[dict[str, Any]]:
    made_up = {"event_id", "command_id", "goes_on"}
    return [
        event.model_dump(exclude=made_up)
        | {"name": event.name, "recorded_at": _to_the_second(event.recorded_at)}
        for event in recorded
    ]


def _tried(service: Service, who: yibao.EnrollmentId) -> list[RefusedAttempt]:
    attempts = [kept.attempt for kept in service.refused_attempts(who)]
    return [
        attempt.model_copy(update={"tried_at": _to_the_second(attempt.tried_at)})
        for attempt in attempts
    ]


def _to_the_second(stamp: datetime) -> datetime:
    """A window comes an instant after all there is, and all of a batch with it."""
    return stamp.replace(microsecond=0)


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
