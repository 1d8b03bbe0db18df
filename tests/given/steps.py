"""What may be recorded of a student, a step each."""

from typing import Any
from uuid import UUID

from yibao.domain.calendar import read_instant
from yibao.domain.facts import commands
from yibao.domain.facts.commands import Command

from .world import Given, Step


def step(kind: type[Command], at: str, /, *, recorded: str | None = None, **values: Any) -> Step:
    """Any command as a step."""

    def take(world: Given) -> None:
        world.record(kind(at=at, **values), recorded)  # type: ignore[arg-type]

    return take


def registered(on: str, at: str | None = None, **values: Any) -> Step:
    def take(world: Given) -> None:
        recorded = values.pop("recorded", None)
        sheet = world.student | {"policy": world.policy.edition} | values
        world.record(commands.Register(at=at or f"{on} 00:00", on=on, **sheet), recorded)  # type: ignore[arg-type]

    return take


def roster(at: str = "2025-09-02 17:00", **values: Any) -> Step:
    return step(commands.DeclareRoster, at, **values)


def confirm(at: str, channel: str = "app", **values: Any) -> Step:
    return step(commands.Confirm, at, channel=channel, **values)


def confirmed(at: str, channel: str = "app", **values: Any) -> Step:
    """A confirmation reported, whatever the guards say."""
    return confirm(at, channel, observed=True, **values)


def checked(at: str, lapsed_years: int = 0, **values: Any) -> Step:
    return step(commands.VerifyPriorCoverage, at, lapsed_years=lapsed_years, **values)


def other_cover(at: str, kind: str, **values: Any) -> Step:
    return step(commands.DeclareOtherCover, at, kind=kind, **values)


def stopped(at: str, on: str, **values: Any) -> Step:
    return step(commands.StopEmployeeCover, at, on=on, **values)


def keep(at: str, **values: Any) -> Step:
    return step(commands.KeepOtherCover, at, **values)


def account(at: str, on: str, **values: Any) -> Step:
    return step(commands.BuildAccount, at, on=on, **values)


def activate(at: str, channel: str = "alipay", **values: Any) -> Step:
    return step(commands.ActivateEvoucher, at, channel=channel, **values)


def card(at: str, **values: Any) -> Step:
    return step(commands.IssueMedicalCard, at, **values)


def withdraw(at: str, on: str, **values: Any) -> Step:
    return step(commands.Withdraw, at, on=on, **values)


def moved(at: str, school: str, **values: Any) -> Step:
    return step(commands.ChangeSchool, at, school=school, **values)


def paid(at: str, year: int, **values: Any) -> Step:
    return step(commands.PayPremium, at, year=year, **values)


def fix_window(at: str, **values: Any) -> Step:
    return step(commands.FixWindow, at, **values)


def filed(at: str, province: str = "zhejiang", **values: Any) -> Step:
    return step(commands.FileRemoteCare, at, province=province, **values)


def care(
    on: str,
    setting: str = "campus_clinic",
    cost: str = "100.00",
    *,
    name: str = "bill",
    at: str | None = None,
    **values: Any,
) -> Step:
    """Care on a day, reported at noon of it unless told otherwise."""

    def take(world: Given) -> None:
        step(
            commands.ReceiveCare, at or f"{on} 12:00", on=on, setting=setting, cost=cost, **values
        )(world)
        world.named[name] = world.received[-1].originator_version

    return take


def settle(name: str | UUID = "bill", at: str | None = None, **values: Any) -> Step:
    """A named piece of care is settled, now or at an instant."""
    return _about(commands.SettleCare, name, at, values)


def reverse(name: str | UUID = "bill", at: str | None = None, **values: Any) -> Step:
    """The settlement of a named piece of care is taken back."""
    return _about(commands.ReverseCare, name, at, values)


def _about(kind: type[Command], name: str | UUID, at: str | None, values: dict[str, Any]) -> Step:
    def take(world: Given) -> None:
        care_id = name if isinstance(name, UUID) else world.event(name)
        instant = at or world.latest_stamp
        step(kind, instant, care=care_id, **values)(world)  # type: ignore[arg-type]

    return take


def together(recorded_at: str, *steps: Step) -> Step:
    """Several steps in one transaction: one stamp, and no cut-off falls inside."""

    def take(world: Given) -> None:
        before = len(world.recorded)
        for one in steps:
            world.now = read_instant(recorded_at)
            one(world)
        for index in range(before, len(world.recorded) - 1):
            world.recorded[index] = world.recorded[index].model_copy(update={"goes_on": True})

    return take


def correct(
    at: str,
    name: str,
    *,
    occurred_at: str | None = None,
    fact_id: UUID | None = None,
    **changes: Any,
) -> Step:
    """A correction of the latest event of a name, of named care, or of the one with an id."""

    def take(world: Given) -> None:
        world.record(
            commands.Correct(
                at=at,  # type: ignore[arg-type]
                fact_id=fact_id or world.event(name),
                reason="misread",
                changes=changes,
                occurred_at=occurred_at,  # type: ignore[arg-type]
            )
        )

    return take


def void(at: str, name: str) -> Step:
    """The latest event of a name, or a named piece of care, is taken back."""

    def take(world: Given) -> None:
        world.record(commands.Void(at=at, fact_id=world.event(name), reason="mistake"))  # type: ignore[arg-type]

    return take
