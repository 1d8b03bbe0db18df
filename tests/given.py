"""Speaks the language of the tests: given these facts, when this command, then this.

Everything here runs on the pure core, without store or clock:

    given(registered("2025-09-01"), roster("2025-09-02 17:00"))
        .when(confirm("2025-09-06 14:20"))
        .then(recorded="confirmed")
    given(...).answer("2025-12-02 00:00").state

    given(..., care("2025-10-01", "outpatient", "500.00", level="third")).bill().fund

What comes back is told as a person would write it: `none`, `pending`, `2025-09-07 09:00`,
`2025-09-01 to 2025-12-31`, `100.00`. Where no instant is asked about, the latest stamp is.
A piece of care has a name, by which it is settled, corrected and asked about.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cache
from itertools import count
from typing import Any, NamedTuple
from uuid import UUID

from yibao.adapters.editions.files import Editions
from yibao.domain.calendar import read_instant
from yibao.domain.care.assessing import Assessed
from yibao.domain.care.claims import Ground, decide_care
from yibao.domain.derivation import Derived
from yibao.domain.editions.policy import Policy
from yibao.domain.facts import commands, events
from yibao.domain.facts.adoption import EditionInUse
from yibao.domain.facts.commands import Command
from yibao.domain.facts.counting import Current
from yibao.domain.facts.entries import Envelope, answered_before
from yibao.domain.facts.streams import fold, places
from yibao.domain.lifecycle.decision import decide
from yibao.domain.money import Fen
from yibao.domain.refusals import Refused
from yibao.domain.rules.case import Case
from yibao.domain.vocabulary import PENDING, DayRange, EnrollmentId, WaitingPeriod, edition_stream
from yibao.projections.answer import Answer, answer
from yibao.projections.record import Cutoff, Edition, Knowledge, known_by

Step = Callable[["Given"], None]

#: By what an edition was in use before anything of a test was recorded.
USED = events.EditionAdopted(
    originator_version=1,
    event_id=UUID(int=0),
    occurred_at=read_instant("2024-01-01 09:00"),
    recorded_at=read_instant("2024-01-01 09:00"),
    by="tester",
    via="test",
    command_id="used",
    command_digest="",
    policy="any",
    digest="any",
)


@cache
def edition(name: str = "shanghai-2025") -> Policy:
    return Editions().get(name)


def edition_with(base: str = "shanghai-2025", **values: Any) -> Policy:
    """An edition some of whose parameters, or cells of its table, have other values."""
    content = edition(base).model_dump()
    for name, value in values.items():
        section = "benefits" if name in content["benefits"] else "parameters"
        content[section][name]["value"] = value
    return Policy.model_validate(content)


class Bill(NamedTuple):
    """What is paid for a piece of care, as people write it."""

    fund: str
    patient: str
    used: str
    left: str
    settlement: str
    refused: str | None
    pending: bool


@dataclass
class Given:
    """A student's stream, that of her care and the edition's, as the steps so far made them.

    `named` is the place of each piece of care in its stream, by its name.
    """

    policy: Policy
    student: dict[str, str]
    recorded: list[events.Event] = field(default_factory=list)
    received: list[events.Event] = field(default_factory=list)
    fixed: list[events.Event] = field(default_factory=list)
    history: list[events.Event] = field(default_factory=list)
    named: dict[str, int] = field(default_factory=dict)
    ids: Any = field(default_factory=lambda: count(1))
    now: datetime | None = None

    @property
    def enrollment(self) -> EnrollmentId:
        return EnrollmentId(self.student["ref"], self.policy.year)

    def record(self, command: Command, recorded_at: str | None = None) -> events.Event | None:
        """Decides a command now, or at the latest instant so far, and keeps its event."""
        mine, stream = self._stream_of(command)
        stamp = (
            read_instant(recorded_at) if recorded_at else max(command.at, self.now or command.at)
        )
        number = next(self.ids)
        envelope = Envelope(
            stream=stream,
            recorded_at=stamp,
            event_id=UUID(int=number),
            by="tester",
            via="test",
            command_id=command.command_id or f"c{number}",
            command_digest=command.digest(),
        )
        if answered_before(fold(mine), command, envelope):
            return None
        if mine is self.received:
            event = decide_care(fold(mine), command, self.ground, envelope)[-1]
        else:
            knows_edition = mine is self.fixed or isinstance(command, commands.Register)
            edition = self.edition if knows_edition or self._is_registered else None
            event = decide(fold(mine), command, edition, envelope)[-1]
        mine.append(event)
        self.history.append(event)
        self.now = stamp
        return event

    @property
    def edition(self) -> EditionInUse:
        """The edition, which somebody else has used before: that is left out of its stream here."""
        return EditionInUse(self.policy, fold(self.fixed or [USED]), "tester")

    def _stream_of(self, command: Command) -> tuple[list[events.Event], UUID]:
        """What a command adds to, and the id of that stream."""
        if isinstance(command, commands.FixWindow) or _corrects_one_of(command, self.fixed):
            return self.fixed, edition_stream(self.policy.edition)
        if isinstance(command, ABOUT_CARE) or _corrects_one_of(command, self.received):
            return self.received, self.enrollment.care_stream
        return self.recorded, self.enrollment.stream

    @property
    def _is_registered(self) -> bool:
        return any(isinstance(f.event, events.Registered) for f in fold(self.recorded).facts)

    @property
    def ground(self) -> Ground | None:
        """What care is judged on; None where no registration was ever recorded."""
        if not any(isinstance(event, events.Registered) for event in self.recorded):
            return None
        edition = EditionInUse(self.policy, fold(self.fixed), "tester")
        case = Case(self.policy, fold(self.recorded).facts, edition.stream.facts)  # type: ignore[arg-type]
        return Ground(case, len(self.recorded), edition)

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
            self.enrollment,
            self.recorded,
            lambda _: Edition(self.policy, self.fixed),
            cutoff,
            self.received,
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

    def bills(self, at: str | None = None, known_at: Cutoff | str | None = None) -> list[Bill]:
        """What is paid for each piece of care, in the order of recording."""
        return [_bill(assessed) for assessed in self.answer(at, known_at).care]

    def bill(
        self, name: str = "bill", at: str | None = None, known_at: Cutoff | str | None = None
    ) -> Bill:
        """What is paid for a named piece of care."""
        return _bill(self.assessed(name, at, known_at))

    def assessed(
        self, name: str = "bill", at: str | None = None, known_at: Cutoff | str | None = None
    ) -> Assessed:
        """The same with its derivations."""
        care = {each.care.fact.place: each for each in self.answer(at, known_at).care}
        return care[self.named[name]]

    def event(self, name: str) -> UUID:
        """The id of the latest event of a name, or of a named piece of care."""
        if name in self.named:
            own = [e for e, at in places(self.received).items() if at == self.named[name]]
            return own[-1]
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
    if isinstance(value, Fen):
        return str(value)
    return value.isoformat() if isinstance(value, date) else str(value.value)


def _bill(assessed: Assessed) -> Bill:
    return Bill(
        fund=told(assessed.fund_pays.value),
        patient=told(assessed.patient_pays.value),
        used=told(assessed.deductible_used.value),
        left=told(assessed.deductible_left.value),
        settlement=told(assessed.settlement.value),
        refused=assessed.refused,
        pending=assessed.is_pending,
    )


def leaves(derived: Derived) -> list[str]:
    """The facts and parameters a value was derived from, by name, in the order it tells them."""
    found: list[str] = []
    for part in derived.inputs:
        if isinstance(part, Derived):
            found += leaves(part)
        else:
            found.append(part.event.name if isinstance(part, Current) else part.name)
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


ABOUT_CARE = (commands.ReceiveCare, commands.SettleCare, commands.ReverseCare)


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
