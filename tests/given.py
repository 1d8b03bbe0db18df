"""Speaks the language of the tests: given these facts, when this command, then this.

Everything here runs on the pure core, without store or clock:

    given(registered("2025-09-01"), roster("2025-09-02 17:00"))
        .when(confirm("2025-09-06 14:20"))
        .then(recorded="confirmed")
    given(...).answer("2025-12-02 00:00").state

What comes back is told as a person would write it: `none`, `pending`, `2025-09-07 09:00`,
`2025-09-01 to 2025-12-31`. Where no instant is asked about, the latest stamp is.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cache
from itertools import count
from typing import Any
from uuid import UUID

from yibao.adapters.policy_files import Editions
from yibao.domain import commands, events
from yibao.domain.calendar import read_instant
from yibao.domain.case import Case
from yibao.domain.commands import Command
from yibao.domain.decision import Envelope, decide
from yibao.domain.derivation import Derived
from yibao.domain.enrollment import fold
from yibao.domain.facts import Fact
from yibao.domain.policy import Policy
from yibao.domain.refusals import Refused
from yibao.domain.vocabulary import PENDING, DayRange, EnrollmentId, WaitingPeriod, edition_stream
from yibao.projections.answer import Answer, answer
from yibao.projections.knowledge import Cutoff, Edition, Knowledge, known_by

Step = Callable[["Given"], None]


@cache
def edition(name: str = "shanghai-2025") -> Policy:
    return Editions().get(name)


def edition_with(base: str = "shanghai-2025", **values: Any) -> Policy:
    """An edition some of whose parameters have other values."""
    content = edition(base).model_dump()
    for name, value in values.items():
        content["parameters"][name]["value"] = value
    return Policy.model_validate(content)


@dataclass
class Given:
    """A student's stream and the edition's, as the steps given so far made them."""

    policy: Policy
    student: dict[str, str]
    recorded: list[events.Event] = field(default_factory=list)
    fixed: list[events.Event] = field(default_factory=list)
    history: list[events.Event] = field(default_factory=list)
    ids: Any = field(default_factory=lambda: count(1))
    now: datetime | None = None

    @property
    def enrollment(self) -> EnrollmentId:
        return EnrollmentId(self.student["ref"], self.policy.year)

    def record(self, command: Command, recorded_at: str | None = None) -> events.Event | None:
        """Decides a command now, or at the latest instant so far, and keeps its event."""
        common = isinstance(command, commands.FixWindow) or _corrects_one_of(command, self.fixed)
        mine = self.fixed if common else self.recorded
        stamp = (
            read_instant(recorded_at) if recorded_at else max(command.at, self.now or command.at)
        )
        registered = any(isinstance(f.event, events.Registered) for f in fold(self.recorded).facts)
        knows_policy = common or registered or isinstance(command, commands.Register)
        number = next(self.ids)
        event = decide(
            fold(mine),
            command,
            self.policy if knows_policy else None,
            fold(self.fixed).facts,  # type: ignore[arg-type]
            Envelope(
                stream=edition_stream(self.policy.edition) if common else self.enrollment.stream,
                recorded_at=stamp,
                event_id=UUID(int=number),
                by="tester",
                via="test",
                command_id=command.command_id or f"c{number}",
                command_digest=command.digest(),
            ),
        )
        if event is not None:
            mine.append(event)
            self.history.append(event)
            self.now = stamp
        return event

    def when(self, *steps: Step) -> "When":
        before = len(self.history)
        try:
            for step in steps:
                step(self)
        except Refused as refused:
            return When(self, refused, before)
        return When(self, None, before)

    def and_(self, *steps: Step) -> "Given":
        for step in steps:
            step(self)
        return self

    def knowledge(self, cutoff: Cutoff) -> Knowledge:
        return known_by(
            self.enrollment, self.recorded, lambda _: Edition(self.policy, self.fixed), cutoff
        )

    def answer(self, at: str | None = None, known_at: Cutoff | str | None = None) -> Answer:
        """The answer for an instant, with everything known unless a cut-off is given."""
        asked = read_instant(at) if at else self.latest_stamp
        cutoff: Cutoff = read_instant(known_at) if isinstance(known_at, str) else known_at or 0
        if known_at is None:
            cutoff = max(asked, *(e.recorded_at for e in self.history))
        return answer(self.knowledge(cutoff), asked)

    @property
    def latest_stamp(self) -> datetime:
        assert self.now is not None
        return self.now

    @property
    def case(self) -> Case:
        """Everything known, as a question to the core needs it."""
        found = self.knowledge(self.latest_stamp).case
        assert found is not None
        return found

    def state(self, at: str | None = None, known_at: Cutoff | str | None = None) -> str:
        return told(self.answer(at, known_at).state)

    def waiting(self, at: str | None = None, known_at: Cutoff | str | None = None) -> str:
        return self.values(at, known_at)[0]

    def account(self, at: str | None = None, known_at: Cutoff | str | None = None) -> str:
        return self.values(at, known_at)[1]

    def evoucher(self, at: str | None = None, known_at: Cutoff | str | None = None) -> str:
        return self.values(at, known_at)[2]

    def coverage(self, at: str | None = None, known_at: Cutoff | str | None = None) -> str:
        return self.values(at, known_at)[3]

    def values(
        self, at: str | None = None, known_at: Cutoff | str | None = None
    ) -> tuple[str, str, str, str]:
        """Waiting period, account day, e-voucher and benefit window, told."""
        found = self.answer(at, known_at).values
        assert found is not None
        waiting, account, evoucher, coverage = (told(derived.value) for derived in found)
        return waiting, account, evoucher, coverage

    def because(self, name: str, at: str | None = None) -> str | None:
        """The code of the reason why there is no value."""
        found: str | None = getattr(self.answer(at).values, name).because
        return found

    def basis(self, name: str, at: str | None = None) -> list[str]:
        """The facts and parameters a value was derived from."""
        return leaves(getattr(self.answer(at).values, name))

    def states(self, at: str | None = None) -> list[tuple[str, str]]:
        """The timeline, told."""
        return [(told(change.at), told(change.state)) for change in self.answer(at).timeline]

    def steps(self, at: str | None = None, known_at: Cutoff | str | None = None) -> list[str]:
        """The codes of the next steps."""
        return [step.code for step in self.answer(at, known_at).next_steps]

    def codes(self, known_at: Cutoff | str | None = None) -> list[str]:
        """The codes of the discrepancies."""
        return [found.code for found in self.answer(known_at=known_at).discrepancies]

    def event(self, name: str) -> UUID:
        """The id of the latest event of a name."""
        found = [e for e in self.history if e.name == name]
        return found[-1].event_id


@dataclass
class When:
    """What came of a command."""

    given: Given
    refused: Refused | None
    before: int

    def then(self, *, recorded: str | None = None, refused: str | None = None) -> Given:
        """Asserts one new event of that name, or a refusal with that code and no event."""
        assert (self.refused.code if self.refused else None) == refused
        new = self.given.history[self.before :]
        assert [event.name for event in new] == ([recorded] if recorded else [])
        return self.given


def given(*steps: Step, policy: str | Policy = "shanghai-2025", **student: str) -> Given:
    """A student, by default an undergraduate of sjtu with a resident ID card, and her facts."""
    sheet = {
        "ref": "s1",
        "school": "sjtu",
        "category": "undergraduate",
        "document": "resident_id_card",
    } | student
    found = policy if isinstance(policy, Policy) else edition(policy)
    return Given(found, sheet).and_(*steps)


def told(value: Any) -> str:
    """A value as a person would write it."""
    if value is None:
        return "none"
    if value is PENDING:
        return "pending"
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M}"
    if isinstance(value, DayRange | WaitingPeriod):
        return f"{value.first} to {value.last}"
    return value.isoformat() if isinstance(value, date) else str(value.value)


def leaves(derived: Derived) -> list[str]:
    """The facts and parameters a value was derived from, by name, in the order it tells them."""
    found: list[str] = []
    for part in derived.inputs:
        if isinstance(part, Derived):
            found += leaves(part)
        else:
            found.append(part.event.name if isinstance(part, Fact) else part.name)
    return found


def _corrects_one_of(command: Command, recorded: list[events.Event]) -> bool:
    if not isinstance(command, commands.Correct | commands.Void):
        return False
    return any(event.event_id == command.fact_id for event in recorded)


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
    """A correction of the latest event of a name, or of the one with an id."""

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
    """The latest event of a name is taken back."""

    def take(world: Given) -> None:
        world.record(commands.Void(at=at, fact_id=world.event(name), reason="mistake"))  # type: ignore[arg-type]

    return take
