"""What happened: frozen facts with permanent stored names.

Names and fields are for ever once released. A fact carries two times: `occurred_at`, when it
happened in the world as reported, and `recorded_at`, when this store learned it. Nothing
derived is stored, and no personal data: references, actors and schools are opaque keys,
reasons are words.
"""

import operator
from datetime import datetime
from enum import StrEnum
from functools import cache
from typing import Any, ClassVar
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from yibao.domain.calendar import day_after, midnight
from yibao.domain.money import Fen
from yibao.domain.vocabulary import (
    ActivationChannel,
    CalendarYear,
    CareSetting,
    Category,
    CommandId,
    ConfirmationChannel,
    Day,
    Document,
    EditionId,
    HospitalLevel,
    Instant,
    LapsedYears,
    Leaving,
    Name,
    OpaqueKey,
    OtherCover,
    ReasonWord,
    Settlement,
)

_NIL = UUID(int=0)


class StreamKind(StrEnum):
    """Of whom a stream tells: of a student, of the student's care, or of an edition."""

    ENROLLMENT = "enrollment"
    CARE = "care"
    EDITION = "edition"
    ANY = "any"


class Event(BaseModel):
    """The envelope of everything recorded.

    `originator_id` and `originator_version` are the stream and the place in it; they are
    columns of the store, not part of the stored state. `goes_on` is true when the next event
    of the stream was recorded in the same transaction: a knowledge cut-off never falls there.
    """

    model_config = ConfigDict(
        frozen=True, extra="forbid", validate_by_name=True, validate_by_alias=True
    )
    name: ClassVar[str]
    stands_in: ClassVar[StreamKind] = StreamKind.ENROLLMENT

    originator_id: UUID = Field(default=_NIL, exclude=True)
    originator_version: int = Field(default=0, exclude=True)

    event_id: UUID
    schema_version: int = Field(default=1, ge=1, le=1, alias="schema")
    occurred_at: Instant
    recorded_at: Instant
    by: OpaqueKey
    via: OpaqueKey
    command_id: CommandId
    command_digest: str
    correlation_id: CommandId | None = None
    causation_id: CommandId | None = None
    reason: ReasonWord | None = None
    goes_on: bool = Field(default=False, exclude_if=operator.not_)

    def payload(self) -> dict[str, Any]:
        """The fact's own values, without the envelope."""
        return {key: getattr(self, key) for key in _payload_fields(type(self))}


class Fact(Event):
    """Something that happened in the world.

    `observed` marks a report, recorded whatever the guards say. A correction names the event
    whose place it takes (`supersedes`) and when it was made (`corrected_at`).
    """

    observed: bool = Field(default=False, exclude_if=operator.not_)
    supersedes: UUID | None = None
    corrected_at: Instant | None = None


class Voided(Event):
    """An earlier fact is taken back; `occurred_at` is when that was decided."""

    name = "voided"
    stands_in = StreamKind.ANY
    supersedes: UUID


class Registered(Fact):
    """The student registered at a school under an edition (报到注册)."""

    name = "registered"
    ref: OpaqueKey
    policy: EditionId
    on: Day
    school: Name
    category: Category
    document: Document


class RosterDeclared(Fact):
    """The school declared its registered students (院校提交申报数据)."""

    name = "roster-declared"


class SchoolChanged(Fact):
    """The student moved to another school."""

    name = "school-changed"
    school: Name


class OtherCoverDeclared(Fact):
    """The student has other insurance."""

    name = "other-cover-declared"
    kind: OtherCover


class EmployeeCoverStopped(Fact):
    """Employee insurance was stopped; `on` is the first day without it."""

    name = "employee-cover-stopped"
    on: Day


class OtherCoverKept(Fact):
    """The student chose to keep another province's insurance."""

    name = "other-cover-kept"


class Confirmed(Fact):
    """The student signed the commitment (参保确认与承诺)."""

    name = "confirmed"
    channel: ConfirmationChannel


class PriorCoverageVerified(Fact):
    """The bureau's check of earlier cover (待遇等待期核验)."""

    name = "prior-coverage-verified"
    lapsed_years: LapsedYears
    waiting_ends_on: Day | None = None
    years_repaid: LapsedYears | None = None


class AccountBuilt(Fact):
    """The account (建账) was seen, built on that day."""

    name = "account-built"
    on: Day


class EvoucherActivated(Fact):
    """The e-voucher (医保码) was activated."""

    name = "evoucher-activated"
    channel: ActivationChannel


class MedicalCardIssued(Fact):
    """A service office issued a medical card (医保卡)."""

    name = "medical-card-issued"


class RemoteCareFiled(Fact):
    """Care in another province was filed for (异地就医备案)."""

    name = "remote-care-filed"
    province: Name


class Withdrawn(Fact):
    """The student left; `on` is the first day outside."""

    name = "withdrawn"
    on: Day
    kind: Leaving | None = None


class PremiumPaid(Fact):
    """The premium of a benefit year was paid."""

    name = "premium-paid"
    year: CalendarYear
    amount: Fen | None = None


class EditionAdopted(Event):
    """A store used an edition for the first time; its content may never change from then on."""

    name = "edition-adopted"
    stands_in = StreamKind.EDITION
    policy: EditionId
    digest: str


class WindowFixed(Fact):
    """One or both ends of the confirmation window were fixed, for all or for some (R8)."""

    name = "window-fixed"
    stands_in = StreamKind.EDITION
    opens_on: Day | None = None
    opens_at: Instant | None = None
    closes_on: Day | None = None
    closes_at: Instant | None = None
    school: Name | None = None
    category: Category | None = None

    @property
    def opens(self) -> datetime | None:
        """The instant the window opens: 00:00 where a day was named."""
        return midnight(self.opens_on) if self.opens_on else self.opens_at

    @property
    def closed_from(self) -> datetime | None:
        """The first instant after the window: the end of the day, where a day was named."""
        return midnight(day_after(self.closes_on)) if self.closes_on else self.closes_at


class CareReceived(Fact):
    """Care was given on that day, or the student was admitted on it (R26 to R29).

    `cost` is the eligible cost, `total_cost` what the bill comes to; `province` is where,
    if not in Shanghai.
    """

    name = "care-received"
    stands_in = StreamKind.CARE
    on: Day
    setting: CareSetting
    level: HospitalLevel | None = None
    cost: Fen
    total_cost: Fen | None = None
    province: Name | None = None


class CareSettled(Fact):
    """What was paid for a piece of care, beside what had been assessed when it was paid.

    `care` is the event that first recorded the care. The versions, the edition and its digests
    are what the assessment stood on.
    """

    name = "care-settled"
    stands_in = StreamKind.CARE
    care: UUID
    fund_pays: Fen
    patient_pays: Fen
    deductible_used: Fen
    fund_paid: Fen
    settlement: Settlement | None = None
    policy: EditionId
    policy_digest: str
    benefits_digest: str
    enrollment_version: int
    edition_version: int


class CareReversed(Fact):
    """A settlement was taken back; `settlement` is its event."""

    name = "care-reversed"
    stands_in = StreamKind.CARE
    settlement: UUID


class BenefitsAdopted(Event):
    """A store used an edition's table of benefits for the first time; it may never change."""

    name = "benefits-adopted"
    stands_in = StreamKind.EDITION
    policy: EditionId
    digest: str


def _subclasses(cls: type[Event]) -> list[type[Event]]:
    return [
        found
        for child in cls.__subclasses__()
        for found in ([child] if "name" in vars(child) else []) + _subclasses(child)
    ]


#: Every stored name and its shape: the only table a stored event is resolved from.
EVENTS: dict[str, type[Event]] = {cls.name: cls for cls in _subclasses(Event)}


@cache
def _payload_fields(kind: type[Event]) -> tuple[str, ...]:
    return tuple(key for key in kind.model_fields if key not in Fact.model_fields)
