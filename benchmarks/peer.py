"""The stock library way: a declarative aggregate, read back through the repository."""

from datetime import datetime
from uuid import UUID, uuid5

from eventsourcing.application import Application
from eventsourcing.domain import Aggregate, event

from yibao.domain.facts import events

_NAMESPACE = UUID("5f1f3a0e-0000-4000-8000-000000000001")


class StockEnrollment(Aggregate):
    """The same eight facts as methods of a declarative aggregate, which keeps them in a list."""

    @event("Registered")
    def __init__(self, ref: str, policy: str, on: str, school: str, category: str, document: str):
        self.ref = ref
        self.facts: list[tuple[str, object]] = [("registered", on)]
        self.policy, self.school = policy, school
        self.category, self.document = category, document

    @staticmethod
    def create_id(ref: str, **_: object) -> UUID:
        return uuid5(_NAMESPACE, ref)

    @event("RosterDeclared")
    def declare_roster(self, occurred_at: datetime, by: str) -> None:
        self.facts.append(("roster", occurred_at))

    @event("Confirmed")
    def confirm(self, occurred_at: datetime, by: str, channel: str) -> None:
        self.facts.append((channel, occurred_at))

    @event("Verified")
    def verify(self, occurred_at: datetime, by: str, lapsed_years: int) -> None:
        self.facts.append(("check", lapsed_years))

    @event("AccountBuilt")
    def build_account(self, occurred_at: datetime, by: str, on: str) -> None:
        self.facts.append(("account", on))

    @event("Activated")
    def activate(self, occurred_at: datetime, by: str, channel: str) -> None:
        self.facts.append((channel, occurred_at))

    @event("Paid")
    def pay(self, occurred_at: datetime, by: str, year: int) -> None:
        self.facts.append(("paid", year))

    @event("Filed")
    def file(self, occurred_at: datetime, by: str, province: str) -> None:
        self.facts.append((province, occurred_at))


class StockApplication(Application[UUID]):
    """The stock application on SQLite."""


def stock_student(facts: list[events.Event]) -> StockEnrollment:
    """The same facts as a stock aggregate."""
    registered = facts[0]
    assert isinstance(registered, events.Registered)
    student = StockEnrollment(
        ref=registered.ref,
        policy=registered.policy,
        on=registered.on.isoformat(),
        school=registered.school,
        category=registered.category.value,
        document=registered.document.value,
    )
    for fact in facts[1:]:
        at, by = fact.occurred_at, fact.by
        if isinstance(fact, events.RosterDeclared):
            student.declare_roster(at, by)
        elif isinstance(fact, events.Confirmed):
            student.confirm(at, by, fact.channel.value)
        elif isinstance(fact, events.PriorCoverageVerified):
            student.verify(at, by, fact.lapsed_years)
        elif isinstance(fact, events.AccountBuilt):
            student.build_account(at, by, fact.on.isoformat())
        elif isinstance(fact, events.EvoucherActivated):
            student.activate(at, by, fact.channel.value)
        elif isinstance(fact, events.PremiumPaid):
            student.pay(at, by, fact.year)
        elif isinstance(fact, events.RemoteCareFiled):
            student.file(at, by, fact.province)
    return student
