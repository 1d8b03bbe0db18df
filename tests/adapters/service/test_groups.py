"""Groups among many commands, recorded whole or not at all; and runs that record nothing."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from given import sheet

import yibao
from yibao.adapters.service.recording import Receipt, Reply
from yibao.adapters.service.service import Service, open_service
from yibao.domain.calendar import read_instant
from yibao.domain.facts import commands
from yibao.domain.facts.commands import Command
from yibao.domain.refusals import BadValue, Refused, UnreadableEvent
from yibao.projections.record import Seen

from ..helpers.autumn import ADA, BO, CY, POLICY, Clock, fix, register
from ..helpers.stores import content, lasting, rows

AT = read_instant("2025-09-24 09:00")
NOW = "2025-09-25 12:00"


@pytest.fixture
def clock() -> Clock:
    return Clock(NOW)


@pytest.fixture
def service(url: str, clock: Clock) -> Iterator[Service]:
    with open_service(url, clock=clock) as service:
        yield service


def made(kind: type[Command], **values: Any) -> Command:
    return kind(**{"at": AT, **values})


def registering(who: yibao.EnrollmentId, **values: Any) -> Command:
    return commands.Register(**(sheet(ref=who.ref) | values))


def bill(**values: Any) -> Command:
    given = {"on": "2025-09-22", "setting": "campus_clinic", "cost": "60.00"}
    return made(commands.ReceiveCare, **(given | values))


ROSTER = made(commands.DeclareRoster)
PREMIUM = made(commands.PayPremium, year=2026)
#: A confirmation before the window opens.
TOO_EARLY = made(commands.Confirm, at="2025-09-03 09:00", channel="app")


def told(reply: Reply) -> Any:
    match reply:
        case Receipt():
            return reply.version
        case tuple():
            return tuple(map(told, reply))
        case Refused():
            return reply.code
        case _:
            return type(reply).__name__


def test_a_group_has_one_reply_a_receipt_for_each_of_its_commands(service: Service) -> None:
    replies = service.record_each(
        [
            (ADA, [registering(ADA), ROSTER, bill(), PREMIUM]),
            (BO, registering(BO)),
            (BO, [ROSTER]),
            (CY, []),
            (POLICY, (made(commands.FixWindow, closes_on="2025-12-20"),)),
        ]
    )
    assert [told(reply) for reply in replies] == [(1, 2, 1, 3), 1, (2,), (), (3,)]
    first = replies[0]
    assert isinstance(first, tuple)
    assert [receipt.seen for receipt in first] == [
        Seen(1, 0, 0),
        Seen(2, 0, 0),
        Seen(2, 1, 0),
        Seen(3, 1, 0),
    ]
    assert service.at(ADA).seen == Seen(3, 1, 1)
    assert [event.goes_on for event in service.facts(ADA)] == [True, True, False]


def test_where_one_is_refused_none_of_a_group_is_recorded_and_it_alone_is_kept(
    service: Service,
) -> None:
    noted = made(commands.DeclareRoster, note="she was there", command_id="one")
    replies = service.record_each(
        [
            (ADA, registering(ADA)),
            (ADA, [noted, bill(), TOO_EARLY, PREMIUM]),
            (ADA, PREMIUM),
            (ADA, [noted, bill()]),
        ]
    )
    assert [told(reply) for reply in replies] == [1, "window_not_open", 2, (3, 1)]
    assert [event.name for event in service.facts(ADA)] == [
        "registered",
        "premium-paid",
        "roster-declared",
    ]
    assert service.note(service.facts(ADA)[2].event_id) == "she was there"
    (kept,) = service.refused_attempts(ADA)
    assert (kept.attempt.command, kept.attempt.code) == ("confirm", "window_not_open")


def test_a_first_use_of_an_edition_is_not_left_behind_by_a_group(service: Service) -> None:
    service.record_each([(ADA, [registering(ADA), TOO_EARLY])])
    assert service.window_facts(POLICY) == []
    replies = service.record_each(
        [(ADA, [registering(ADA), TOO_EARLY]), (BO, registering(BO)), (ADA, registering(ADA))]
    )
    assert [told(reply) for reply in replies] == ["window_not_open", 1, 1]
    assert [event.name for event in service.window_facts(POLICY)] == ["edition-adopted"]


@pytest.mark.parametrize(
    "asked",
    [
        (ADA, [ROSTER, "roster"]),
        (ADA, [ROSTER, [ROSTER]]),
        (("ada", 2025), [ROSTER]),
        (ADA, [ROSTER, made(commands.FixWindow, closes_on="2025-12-20")]),
        (ADA, [ROSTER, registering(BO)]),
        (None, []),
        (ADA, iter([ROSTER])),
    ],
)
def test_what_is_no_group_for_a_target_is_told_in_its_place(asked: Any, service: Service) -> None:
    misfit, recorded = service.record_each([asked, (ADA, registering(ADA))])
    assert isinstance(misfit, BadValue)
    assert misfit.details["where"] in ("asked", "target")
    assert isinstance(recorded, Receipt)
    assert len(service.facts(ADA)) == 1


@lasting
def test_a_group_on_a_stream_that_cannot_be_read_is_told_in_its_place(
    url: str, service: Service
) -> None:
    register(service)
    service.record(ADA, bill())
    rows(url, "UPDATE stored_events SET topic='nothing' WHERE topic='care-received'")
    asked = [(ADA, [ROSTER, bill()]), (BO, [registering(BO), bill()]), (ADA, ROSTER)]
    unread, recorded, alone = service.record_each(asked)
    assert isinstance(unread, UnreadableEvent)
    assert (told(recorded), told(alone)) == ((1, 1), 2)
    assert [event.name for event in service.facts(ADA)] == ["registered", "roster-declared"]


def a_season() -> list[tuple[yibao.EnrollmentId | str, Any]]:
    """Commands and groups, accepted and refused, later ones on what the earlier ones recorded."""
    return [
        (ADA, registering(ADA, command_id="a")),
        (ADA, registering(ADA, command_id="a")),
        (ADA, registering(ADA)),
        (ADA, [ROSTER, made(commands.Confirm, channel="app"), bill()]),
        (ADA, [PREMIUM, TOO_EARLY]),
        (ADA, made(commands.DeclareRoster, expected=Seen(3, 1, 0))),
        (ADA, made(commands.DeclareRoster, expected=Seen(3, 1, 0))),
        (POLICY, made(commands.FixWindow, closes_on="2025-10-20")),
        (BO, [registering(BO, school="tongji"), ROSTER]),
        (BO, made(commands.Confirm, channel="app")),
        (CY, ROSTER),
        (CY, "roster"),
        ("shanghai-1999", made(commands.FixWindow, closes_on="2025-10-20")),
    ]


@pytest.mark.parametrize("batch", [1, 3, 500])
def test_a_dry_run_replies_as_a_run_and_records_and_keeps_nothing(
    batch: int, service: Service, clock: Clock
) -> None:
    asked = a_season()
    dry = service.record_each(asked, dry_run=True, batch=batch)
    assert service.facts(ADA) == service.facts(BO) == service.window_facts(POLICY) == []
    assert service._store.reached()[:2] == (0, 0)
    assert service._store.attempts_between(0, 2**62, 100) == []
    assert service._store.attempts_counted() == []
    real = service.record_each(asked, batch=batch)
    assert [told(reply) for reply in dry] == [told(reply) for reply in real]
    assert {receipt.event_id for receipt in receipts(dry)} == {None}
    for expected, found in zip(receipts(real), receipts(dry), strict=True):
        stamp = found.recorded_at
        assert replace(expected, event_id=None, recorded_at=stamp) == found  # type: ignore[arg-type]
    for one, other in zip(dry, real, strict=True):
        if isinstance(one, Refused):
            assert isinstance(other, Refused)
            assert (type(one), one.details) == (type(other), other.details)
    # What stands already is told as a repetition, and so it is dry.
    again = service.record_each(asked[:1], dry_run=True)
    assert [(receipt.repeated, receipt.event_id) for receipt in receipts(again)] == [(True, None)]


def receipts(replies: list[Reply]) -> list[Receipt]:
    found: list[Receipt] = []
    for reply in replies:
        found += (
            reply if isinstance(reply, tuple) else [reply] if isinstance(reply, Receipt) else []
        )
    return found


@lasting
def test_a_dry_run_leaves_a_store_as_it_was(url: str, clock: Clock) -> None:
    with open_service(url, clock=clock) as service:
        register(service)
        fix(service)
    before = content(url)
    with open_service(url, clock=clock) as service:
        service.record_each(a_season(), dry_run=True)
    assert content(url) == before


def test_a_dry_run_of_much_is_judged_as_one(service: Service) -> None:
    asked = [(ADA, registering(ADA))] + [(ADA, PREMIUM)] * 700
    replies = service.record_each(asked, dry_run=True)
    assert [told(reply) for reply in replies] == list(range(1, 702))


def test_an_import_repeated_changes_nothing_but_the_count_of_its_refusals(
    service: Service, clock: Clock
) -> None:
    def rows_of(number: int) -> list[tuple[yibao.EnrollmentId | str, Any]]:
        return [
            (ADA, [registering(ADA, command_id="a"), made(commands.DeclareRoster, command_id="b")]),
            (BO, TOO_EARLY),
            (BO, made(commands.DeclareRoster, reason="late-sheet")),
            (CY, registering(CY, category="foreign", command_id=f"c{number}")),
            (CY, "nothing"),
        ]

    def there() -> Any:
        kept = service._store.attempts_between(0, 2**62, 100)
        return service._store.reached().position, [each.attempt_id for each in kept]

    first = service.record_each(rows_of(1))
    before = there()
    assert len(before[1]) == 4
    for times in (1, 2):
        clock.at(f"2025-09-2{5 + times} 12:00")
        again = service.record_each(rows_of(1 + times))
        assert [told(reply) for reply in again] == [told(reply) for reply in first]
        assert there() == before
        counts = service._store.attempts_counted()
        assert sum(count.attempts for count in counts) == 4 * times
