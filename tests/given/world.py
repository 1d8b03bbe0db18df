"""A student's facts and what they come to, on the pure core."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from itertools import count
from typing import Any
from uuid import UUID

from yibao.domain.calendar import read_instant
from yibao.domain.care.assessing import Assessed
from yibao.domain.care.claims import Ground, decide_care
from yibao.domain.editions.policy import Policy
from yibao.domain.facts import commands, events
from yibao.domain.facts.adoption import EditionInUse
from yibao.domain.facts.commands import Command
from yibao.domain.facts.entries import Envelope
from yibao.domain.facts.repeating import answered_before
from yibao.domain.facts.streams import fold, places
from yibao.domain.lifecycle.decision import decide
from yibao.domain.refusals import Refused
from yibao.domain.rules.case import Case
from yibao.domain.vocabulary import EnrollmentId, edition_stream
from yibao.projections.answer import Answer, answered
from yibao.projections.record import Cutoff, EditionRecord, Knowledge, Log, Record

from .editions import edition
from .telling import Bill, bill_of, leaves, told

Step = Callable[["Given"], None]

ABOUT_CARE = (commands.ReceiveCare, commands.SettleCare, commands.ReverseCare)
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
        stamp = read_instant(recorded_at) if recorded_at else self._stamp(command)
        number = next(self.ids)
        envelope = Envelope(
            stream=stream,
            recorded_at=stamp,
            event_id=UUID(int=number + 10_000 * abs(self.policy.year - 2025)),
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

    def _stamp(self, command: Command) -> datetime:
        assert command.at is not None
        return max(command.at, self.now or command.at)

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

    @property
    def everything(self) -> Record:
        """Everything recorded of her."""
        edition = EditionRecord(self.policy, Log(self.fixed))
        return Record(self.enrollment, Log(self.recorded), Log(self.received), lambda _: edition)

    def knowledge(self, cutoff: Cutoff) -> Knowledge:
        return self.everything.known_by(cutoff)

    def answer(self, at: str | None = None, known_at: Cutoff | str | None = None) -> Answer:
        """The answer for an instant, with everything known unless a cut-off is given."""
        asked = read_instant(at) if at else self.latest_stamp
        cutoff: Cutoff = read_instant(known_at) if isinstance(known_at, str) else known_at or 0
        if known_at is None:
            cutoff = max(asked, *(e.recorded_at for e in self.history))
        return answered(self.knowledge(cutoff), asked)

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
        return [bill_of(assessed) for assessed in self.answer(at, known_at).care]

    def bill(
        self, name: str = "bill", at: str | None = None, known_at: Cutoff | str | None = None
    ) -> Bill:
        """What is paid for a named piece of care."""
        return bill_of(self.assessed(name, at, known_at))

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


def _corrects_one_of(command: Command, recorded: list[events.Event]) -> bool:
    if not isinstance(command, commands.Correct | commands.Void):
        return False
    return any(event.event_id == command.fact_id for event in recorded)
