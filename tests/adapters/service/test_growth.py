"""Of one student four times the commands are four times the work, batch after batch, as counted."""

from collections.abc import Callable
from typing import Any

import pytest
from given import sheet
from steps import steps

from yibao.adapters.service.service import Service, open_service
from yibao.domain.facts import commands
from yibao.domain.facts.commands import Command

from ..helpers.autumn import ADA, POLICY, Clock

BILL = {"on": "2025-10-01", "setting": "campus_clinic", "cost": "10.00"}
MISREAD = {"at": "2025-11-01 09:00", "reason": "misread"}


def at(number: int) -> str:
    return f"2025-09-{7 + number % 20:02} 09:{number % 60:02}"


def made(kind: type[Command], **values: Any) -> Command:
    return kind(**{"at": at(1), **values})


def world(service: Service) -> None:
    service.register("ada", **sheet())
    service.declare_roster(ADA, at="2025-09-02 09:00")
    service.confirm(ADA, at="2025-09-06 08:30", channel="app")
    service.verify_prior_coverage(ADA, at="2025-09-06 14:00", lapsed_years=0)
    service.fix_window(POLICY, at="2025-09-06 14:00", closes_on="2025-12-20", school="s1")


def many(kind: type[Command], **values: Any) -> Callable[[Service, int], list[Command]]:
    """So many commands of a kind; a value may depend on the number."""

    def asked(service: Service, number: int) -> list[Command]:
        def value(given: Any, n: int) -> Any:
            return given(n) if callable(given) else given

        return [
            kind(**{"at": at(n), **{name: value(each, n) for name, each in values.items()}})
            for n in range(number)
        ]

    return asked


def of_earlier(
    kind: type[Command], name: str, first: Command, **values: Any
) -> Callable[[Service, int], list[Command]]:
    """So many commands, each about a fact recorded before."""

    def asked(service: Service, number: int) -> list[Command]:
        facts: Any = service.record_together(ADA, [first] * number)
        return [kind(**{name: fact.event_id, **values}) for fact in facts]

    return asked


def of_once_more(service: Service, number: int) -> list[Command]:
    """So many commands that were all recorded before."""
    asked = [commands.DeclareRoster(command_id=f"c{n}") for n in range(number)]
    service.record_together(ADA, asked)
    return list(asked)


KINDS: dict[str, Callable[[Service, int], list[Command]]] = {
    "moves": many(commands.ChangeSchool, school=lambda n: f"s{n % 7}"),
    "choices": many(commands.KeepOtherCover, observed=True),
    "checks": many(
        commands.VerifyPriorCoverage, lapsed_years=lambda n: n % 3, waiting_ends_on="2026-01-01"
    ),
    "refusals": many(commands.Confirm, channel="app"),
    "repetitions": of_once_more,
    "care": many(commands.ReceiveCare, **BILL),
    "settlements": of_earlier(commands.SettleCare, "care", made(commands.ReceiveCare, **BILL)),
    "corrections": of_earlier(
        commands.Correct,
        "fact_id",
        made(commands.ChangeSchool, school="s1"),
        **MISREAD,
        changes={"school": "s2"},
    ),
    "taken back": of_earlier(commands.Void, "fact_id", made(commands.DeclareRoster), **MISREAD),
}


@pytest.mark.parametrize("name", KINDS)
def test_four_times_the_commands_on_one_student_are_four_times_the_work(name: str) -> None:
    def work(number: int) -> int:
        with open_service(clock=Clock("2025-12-25 12:00"), attempts_kept=10_000) as service:
            world(service)
            asked = [(ADA, command) for command in KINDS[name](service, number)]
            return steps(lambda: service.record_each(asked, batch=100))

    work(10)
    assert work(1600) < 5 * work(400)
