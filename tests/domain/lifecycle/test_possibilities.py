"""What can be done at an instant, what is in the way, and from when it would not be."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest
from given import (
    COVERED,
    ELSEWHERE,
    REGISTERED,
    ROSTER,
    SIGNED,
    WAITING,
    Step,
    fix_window,
    given,
    keep,
    moved,
    registered,
    roster,
    sheet,
    void,
    withdraw,
)
from hypothesis import example
from hypothesis import given as forall
from hypothesis import strategies as st

from yibao.domain.calendar import read_instant
from yibao.domain.facts import commands, events
from yibao.domain.facts.commands import COMMANDS, Command
from yibao.domain.facts.streams import fold
from yibao.domain.judging import Standing, judge
from yibao.domain.lifecycle.possibilities import Guard, possible
from yibao.domain.lifecycle.table import COMMANDED, refusals_of
from yibao.domain.refusals import NotPermitted
from yibao.domain.vocabulary import edition_stream
from yibao.projections.discrepancies import discrepancies

from .test_laws import (
    ENROLLMENT,
    INSTANTS,
    anything,
    case_of,
    edition,
    fixes,
    happened,
    instants,
    often,
)

#: The least that can be told of each command.
MINIMAL: dict[str, dict[str, Any]] = {
    "register": {key: value for key, value in sheet(ref="s1").items() if key != "at"},
    "confirm": {"channel": "app"},
    "withdraw": {"on": "2025-12-01"},
    "change_school": {"school": "ecnu"},
    "declare_other_cover": {"kind": "employee"},
    "stop_employee_cover": {"on": "2025-10-01"},
    "verify_prior_coverage": {"lapsed_years": 0},
    "build_account": {"on": "2025-12-01"},
    "activate_evoucher": {"channel": "app"},
    "file_remote_care": {"province": "zhejiang"},
    "pay_premium": {"year": 2026},
    "receive_care": {"on": "2025-10-01", "setting": "campus_clinic", "cost": "10.00"},
}


def minimal(name: str, at: datetime) -> Command:
    return commands.read(COMMANDS[name], {"at": at, **MINIMAL.get(name, {})})


def judged(
    recorded: Sequence[events.Event], fixed: Sequence[events.Event], command: Command
) -> str | None:
    """The code with which a guard would refuse a command, if one would."""
    streams = {ENROLLMENT.stream: recorded, edition_stream("shanghai-2025"): fixed}
    standing = Standing(
        lambda stream: fold(streams.get(stream, ())), lambda name: edition(name), "tester"
    )
    refused = judge(standing, ENROLLMENT, command, read_instant("2027-01-01 00:00"))
    return refused.code if isinstance(refused, NotPermitted) else None


def guards(at: str, command: str, *steps: Step) -> dict[str, Guard]:
    """The guards of a command at an instant, by their codes."""
    found = {each.command: each.guards for each in possible(given(*steps).case, read_instant(at))}
    return {guard.code: guard for guard in found[command]}


def missing(at: str, command: str, *steps: Step) -> dict[str, str | None]:
    """What is in the way, and until when."""
    return {
        code: f"{guard.passes_from:%Y-%m-%d %H:%M}" if guard.passes_from else None
        for code, guard in guards(at, command, *steps).items()
        if not guard.passed
    }


def test_every_command_of_the_table_is_told_with_its_guards_in_order() -> None:
    found = possible(given(*SIGNED).case, read_instant("2025-10-01 12:00"))
    assert [each.command for each in found] == [row.trigger for row in COMMANDED]
    for each in found:
        codes = refusals_of(each.command, enrolls=False)
        assert tuple(guard.code for guard in each.guards) == codes


def test_a_confirmation_waits_for_the_window() -> None:
    found = missing("2025-09-03 10:00", "confirm", REGISTERED, ROSTER)
    assert found == {"window_not_open": "2025-09-05 00:00"}
    assert not missing("2025-09-05 00:00", "confirm", REGISTERED, ROSTER)


def test_everything_in_the_way_is_told_at_once() -> None:
    found = missing("2025-08-20 10:00", "confirm", registered("2025-09-01", "2025-08-19 10:00"))
    assert found == {
        "before_registration": "2025-09-01 00:00",
        "window_not_open": "2025-09-05 00:00",
        "roster_not_declared": None,
    }


def test_a_window_that_is_closed_opens_no_more() -> None:
    steps = (REGISTERED, ROSTER)
    assert missing("2026-01-01 10:00", "confirm", *steps) == {"window_closed": None}


def test_a_window_fixed_otherwise_is_the_one_that_is_waited_for() -> None:
    fixed = fix_window("2025-09-02 09:00", opens_on="2025-09-20")
    found = missing("2025-09-06 10:00", "confirm", REGISTERED, ROSTER, fixed)
    assert found == {"window_not_open": "2025-09-20 00:00"}


def test_the_window_of_the_school_she_moves_to_is_the_one_that_is_waited_for() -> None:
    steps = (
        REGISTERED,
        ROSTER,
        fix_window("2025-09-02 09:00", opens_on="2025-10-20", school="sjtu"),
        moved("2025-10-10 09:00", "ecnu"),
        roster("2025-10-11 09:00"),
    )
    assert missing("2025-09-06 10:00", "confirm", *steps) == {"window_not_open": "2025-10-10 09:00"}
    assert missing("2025-10-10 09:00", "confirm", *steps) == {
        "roster_not_declared": "2025-10-11 09:00"
    }


def test_the_e_voucher_is_waited_for_and_the_account_before() -> None:
    assert missing("2025-09-06 10:00", "activate_evoucher", *COVERED) == {
        "account_not_built": "2025-09-06 10:30",
        "evoucher_not_yet_available": "2025-09-07 09:00",
    }
    assert missing("2025-09-10 10:00", "activate_evoucher", *WAITING) == {
        "account_not_built": "2025-12-01 00:00",
        "evoucher_not_yet_available": "2025-12-01 09:00",
    }


def test_what_is_not_known_yet_is_waited_for_without_an_instant() -> None:
    assert missing("2025-09-10 10:00", "activate_evoucher", *SIGNED) == {
        "account_not_built": None,
        "evoucher_not_yet_available": None,
    }


def test_without_a_confirmation_there_is_no_account_and_no_e_voucher_yet() -> None:
    assert missing("2025-09-10 10:00", "activate_evoucher", REGISTERED) == {
        "not_confirmed": None,
        "account_not_built": None,
        "evoucher_not_yet_available": None,
    }


def test_a_return_is_possible_once_the_other_cover_was_kept() -> None:
    steps = (*SIGNED, ELSEWHERE, keep("2025-09-20 10:00", observed=True))
    assert missing("2025-09-10 10:00", "confirm", *steps) == {
        "already_confirmed": "2025-09-20 10:00"
    }


def test_who_has_left_does_not_come_back() -> None:
    steps = (REGISTERED, ROSTER, withdraw("2025-09-10 10:00", "2025-09-15"))
    assert missing("2025-09-20 10:00", "confirm", *steps) == {"withdrawn": None}


@pytest.mark.parametrize("steps", [(), (REGISTERED, void("2025-09-02 10:00", "registered"))])
def test_somebody_unknown_can_only_register(steps: tuple[Step, ...]) -> None:
    case = given(*steps).case if steps else None
    found = {each.command: each.guards for each in possible(case, read_instant("2025-09-06 10:00"))}
    passing = {name for name, guards in found.items() if all(guard.passed for guard in guards)}
    assert passing == {"register"}
    del found["register"]
    assert {guards[0] for guards in found.values()} == {Guard("not_registered", False, None)}
    assert [guard.code for guard in found["confirm"] if guard.passed] == [
        "withdrawn",
        "enrolled_by_payment",
        "already_confirmed",
    ]


@often
@forall(anything(), fixes(), instants, st.sampled_from([row.trigger for row in COMMANDED]))
def test_a_command_is_refused_by_the_first_guard_that_is_not_passed(
    recorded: list[events.Event], fixed: list[events.Event], at: datetime, name: str
) -> None:
    case = case_of(recorded, fixed)
    found = {each.command: each.guards for each in possible(case, at)}[name]
    first = next((guard.code for guard in found if not guard.passed), None)
    command = minimal(name, at)
    if COMMANDS[name].always_report and first != "not_registered":
        assert judged(recorded, fixed, command) is None
        if name == "receive_care" or case.facts.registration is None:
            return
        # It is recorded all the same, and then does not fit.
        place = len(recorded) + 1
        report = happened(COMMANDS[name].fact, at, place, **command.values())  # type: ignore[attr-defined]
        told = {
            each.version: each.code for each in discrepancies(case_of([*recorded, report], fixed))
        }
        assert told.get(place) == first
    else:
        assert judged(recorded, fixed, command) == first


@often
@forall(anything(), fixes(), instants)
@example([], [], INSTANTS[0])
def test_a_guard_is_passed_from_the_instant_that_is_told_and_not_before(
    recorded: list[events.Event], fixed: list[events.Event], at: datetime
) -> None:
    case = case_of(recorded, fixed)

    def passes(when: datetime) -> dict[str, bool]:
        return {guard.code: guard.passed for each in possible(case, when) for guard in each.guards}

    told = {guard.code: guard for each in possible(case, at) for guard in each.guards}
    for code, guard in told.items():
        if guard.passed:
            assert guard.passes_from is None
            continue
        later = [when for when in INSTANTS if when > at]
        if guard.passes_from is not None:
            assert guard.passes_from > at
            assert passes(guard.passes_from)[code]
            assert not passes(guard.passes_from - timedelta(microseconds=1))[code]
            later = [when for when in later if when < guard.passes_from]
        assert not any(passes(when)[code] for when in later)
