"""What may be asked of an enrollment: requests, which are judged, and reports, which are not.

A request may be refused with a code. A report (`observed`) tells what an outside authority has
done and is recorded even where a guard would refuse. Some kinds are always reports.
"""

import hashlib
import re
from collections.abc import Iterable
from functools import cache
from typing import Annotated, Any, ClassVar, Final, Self, TypeVar
from uuid import UUID

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic_core import PydanticSerializationError

from yibao.domain.editions import needs_level
from yibao.domain.facts import events
from yibao.domain.money import Fen
from yibao.domain.refusals import BadValue, mistakes
from yibao.domain.vocabulary import (
    ActivationChannel,
    CalendarYear,
    CareSetting,
    Category,
    ConfirmationChannel,
    Document,
    GivenCommandId,
    GivenDay,
    GivenEditionId,
    GivenInstant,
    GivenKey,
    GivenName,
    GivenReason,
    HospitalLevel,
    LapsedYears,
    Leaving,
    Note,
    OtherCover,
    Seen,
    SeenVersion,
    is_home_province,
    is_plain,
)


class Command(BaseModel):
    """What is asked, and how: `at` is when it happened in the world.

    Where `at` is left out it is now, the stamp of the transaction that records it; and a time that
    is left out is no part of the content. The same `command_id` with the same content is answered
    once and then repeated harmlessly. A command id belongs to one stream: a student's enrollment,
    her care, or an edition. `expected_version` guards against deciding on what one has not seen of
    that stream, `expected` on what one has not seen of all that an answer stands on. `note` is free
    text; it is kept apart from the facts, where it can be erased.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)
    name: ClassVar[str]
    #: What it becomes, of whatever values; an amendment becomes whatever it amends, or a void.
    fact: ClassVar[type[events.Fact] | None] = None

    at: GivenInstant | None = None
    by: GivenKey | None = None
    note: Note | None = None
    command_id: GivenCommandId | None = None
    expected_version: SeenVersion | None = None
    expected: Seen | None = None
    correlation_id: GivenCommandId | None = None
    causation_id: GivenCommandId | None = None

    def digest(self) -> str:
        """A fingerprint of what is asked, by which a repeated command is recognized.

        How it is asked does not belong to it, and a note must leave no trace once erased. What
        is not said leaves none either: a later release may know more that can be said. Raises
        BadValue for a change that cannot be written.
        """
        try:
            content = self.model_dump_json(exclude=_NOT_CONTENT, exclude_defaults=True)
        except PydanticSerializationError:  # whatever a value raises, and never a signal's handler
            raise BadValue("changes", "holds something that cannot be written") from None
        return hashlib.sha256(f"{self.name} {content}".encode()).hexdigest()[:32]

    def asked(self) -> dict[str, Any]:
        """What is asked for, as plain values: not by whom, when, why, or how it was corrected."""
        return self.model_dump(mode="json", exclude=_NOT_ASKED, exclude_none=True)


_NOT_CONTENT = {
    "command_id",
    "expected_version",
    "expected",
    "correlation_id",
    "causation_id",
    "note",
}


_NOT_ASKED = {*Command.model_fields, "reason", "observed", "ref", "policy", "changes"}


class RecordFact(Command):
    """A command that, accepted, becomes one fact with the same values."""

    fact: ClassVar[type[events.Fact]]  # pyright: ignore[reportIncompatibleVariableOverride]
    always_report: ClassVar[bool] = False

    reason: GivenReason | None = None
    observed: bool = False

    def values(self) -> dict[str, Any]:
        """The values the fact will carry."""
        return {key: getattr(self, key) for key in _values_of(type(self))}


@cache
def _values_of(kind: type[RecordFact]) -> tuple[str, ...]:
    return tuple(key for key in kind.model_fields if key not in RecordFact.model_fields)


class Register(RecordFact):
    """The student registers at the school; `on` is the registration day (R1)."""

    name = "register"
    fact = events.Registered
    ref: GivenKey
    policy: GivenEditionId
    on: GivenDay
    school: GivenName
    category: Category
    document: Document


class DeclareRoster(RecordFact):
    """The school declares its registered students (R7)."""

    name = "declare_roster"
    fact = events.RosterDeclared


class ChangeSchool(RecordFact):
    """The student moves to another school."""

    name = "change_school"
    fact = events.SchoolChanged
    school: GivenName


class DeclareOtherCover(RecordFact):
    """The student has other insurance (R2 to R4)."""

    name = "declare_other_cover"
    fact = events.OtherCoverDeclared
    always_report = True
    kind: OtherCover


class StopEmployeeCover(RecordFact):
    """Employee insurance stops; `on` is the first day without it (R3)."""

    name = "stop_employee_cover"
    fact = events.EmployeeCoverStopped
    always_report = True
    on: GivenDay


class KeepOtherCover(RecordFact):
    """The student keeps another province's insurance for this year (R4)."""

    name = "keep_other_cover"
    fact = events.OtherCoverKept


class Confirm(RecordFact):
    """The student confirms (参保确认), or the officer does by proxy (R9)."""

    name = "confirm"
    fact = events.Confirmed
    channel: ConfirmationChannel


class VerifyPriorCoverage(RecordFact):
    """The check's result: lapsed years, and the last waiting day if it names one (R12, R13).

    `years_repaid` are the years paid since, each of which may take months off (R36).
    """

    name = "verify_prior_coverage"
    fact = events.PriorCoverageVerified
    always_report = True
    lapsed_years: LapsedYears
    # Also with no lapsed year: then it ends a fixed waiting period.
    waiting_ends_on: GivenDay | None = None
    years_repaid: LapsedYears | None = None


class BuildAccount(RecordFact):
    """The account was seen, built on a day (R18)."""

    name = "build_account"
    fact = events.AccountBuilt
    always_report = True
    on: GivenDay


class ActivateEvoucher(RecordFact):
    """The student activates the e-voucher (R23)."""

    name = "activate_evoucher"
    fact = events.EvoucherActivated
    channel: ActivationChannel


class IssueMedicalCard(RecordFact):
    """A service office issued a medical card (R5)."""

    name = "issue_medical_card"
    fact = events.MedicalCardIssued
    always_report = True


class FileRemoteCare(RecordFact):
    """Care in another province is filed for (R31)."""

    name = "file_remote_care"
    fact = events.RemoteCareFiled
    province: GivenName


class Withdraw(RecordFact):
    """The student leaves; `on` is the first day outside (R24), `kind` how (R38)."""

    name = "withdraw"
    fact = events.Withdrawn
    on: GivenDay
    kind: Leaving | None = None


class PayPremium(RecordFact):
    """The premium of a benefit year is paid (R10, R34); the amount moves nothing."""

    name = "pay_premium"
    fact = events.PremiumPaid
    year: CalendarYear
    amount: Fen | None = None


class FixWindow(RecordFact):
    """One or both ends of the confirmation window are fixed, for all or for some (R8)."""

    name = "fix_window"
    fact = events.WindowFixed
    always_report = True
    opens_on: GivenDay | None = None
    opens_at: GivenInstant | None = None
    closes_on: GivenDay | None = None
    closes_at: GivenInstant | None = None
    school: GivenName | None = None
    category: Category | None = None

    @model_validator(mode="after")
    def _at_least_one_end(self) -> Self:
        if self.opens_on and self.opens_at:
            raise ValueError("give either opens_on or opens_at")
        if self.closes_on and self.closes_at:
            raise ValueError("give either closes_on or closes_at")
        if not (self.opens_on or self.opens_at or self.closes_on or self.closes_at):
            raise ValueError("needs opens_on, opens_at, closes_on or closes_at")
        return self


class ReceiveCare(RecordFact):
    """Care given on a day, or a stay that began on it (R26 to R29), and its eligible cost."""

    name = "receive_care"
    fact = events.CareReceived
    always_report = True
    on: GivenDay
    setting: CareSetting
    level: HospitalLevel | None = Field(default=None, validate_default=True)
    cost: Fen
    total_cost: Fen | None = None
    province: GivenName | None = None

    @field_validator("level")
    @classmethod
    def _of_the_setting(
        cls, level: HospitalLevel | None, info: ValidationInfo
    ) -> HospitalLevel | None:
        setting = info.data.get("setting")
        if setting and needs_level(setting) and level is None:
            raise ValueError(f"{setting} care needs the level of the institution")
        if setting and not needs_level(setting) and level is not None:
            raise ValueError("a clinic has no level")
        return level

    @field_validator("total_cost")
    @classmethod
    def _not_less(cls, total_cost: Fen | None, info: ValidationInfo) -> Fen | None:
        if total_cost is not None and total_cost < info.data.get("cost", 0):
            raise ValueError("cannot be less than the eligible cost")
        return total_cost

    @field_validator("province")
    @classmethod
    def _elsewhere(cls, province: str | None) -> str | None:
        if province is not None and is_home_province(province):
            raise ValueError("is for care outside Shanghai")
        return province


def _event_id(given: Any) -> Any:
    """Of text that is none pydantic would repeat a sign."""
    if isinstance(given, str) and not EVENT_ID.fullmatch(given):
        raise ValueError("is no id of an event")
    return given


#: How the id of an event is written.
EVENT_ID: Final = re.compile(
    "[0-9A-Fa-f]{8}-?[0-9A-Fa-f]{4}-?[0-9A-Fa-f]{4}-?[0-9A-Fa-f]{4}-?[0-9A-Fa-f]{12}"
)
GivenEventId = Annotated[UUID, BeforeValidator(_event_id)]


class SettleCare(Command):
    """What is paid for a piece of care is settled (R31); `paid` is what the fund in fact paid.

    `care` is the event of the care. A request is refused where the care is; a report is not.
    """

    name = "settle_care"
    fact = events.CareSettled
    care: GivenEventId
    paid: Fen | None = None
    reason: GivenReason | None = None
    observed: bool = False


class ReverseCare(Command):
    """The settlement of a piece of care is taken back; `care` is the event of either."""

    name = "reverse_care"
    fact = events.CareReversed
    care: GivenEventId
    reason: GivenReason | None = None


def _sorted(changes: dict[str, Any]) -> dict[str, Any]:
    """The same changes in one order, so that they have one digest."""
    return dict(sorted(changes.items()))


class Amendment(Command):
    """Something about an earlier fact, and why; `at` is when it is decided."""

    fact_id: GivenEventId
    reason: GivenReason


class Correct(Amendment):
    """The same kind of fact again, in the place of an earlier one.

    `changes` holds the values that change, None for an optional one that is taken away;
    `occurred_at` changes when it happened.
    """

    name = "correct"
    changes: Annotated[dict[str, Any], AfterValidator(_sorted)] = Field(default_factory=dict)
    occurred_at: GivenInstant | None = None


class Void(Amendment):
    """An earlier fact is taken back."""

    name = "void"


C = TypeVar("C", bound=Command)


def read(kind: type[C], values: dict[str, Any], stored: Iterable[object] = ()) -> C:
    """The command of some values; raises BadValue naming those that cannot be right.

    What stands in a fact already is no new word, whatever it looks like: that is `stored`.
    """
    found, errors = read_all(kind, values, stored)
    if found is None:
        raise BadValue(*errors[0], *errors[1:])
    return found


def read_all(
    kind: type[C], values: dict[str, Any], stored: Iterable[object] = ()
) -> tuple[C | None, list[tuple[str, str]]]:
    """The command of some values, or everything that is wrong with them."""
    try:
        return kind.model_validate(values, context=frozenset(map(str, stored))), []
    except ValidationError as error:
        return None, [(where or kind.name, why) for where, why in mistakes(error)]
    except Exception:  # raised by a value itself, or by how deep it is, or by a signal's handler
        where = _unreadable(kind, values)
        if where is None:
            raise
        return None, [(where, "cannot be read")]


def _unreadable(kind: type[Command], values: dict[str, Any]) -> str | None:
    """The value that not even can be refused; None where each can, once it is read again."""
    for name, value in values.items():
        if is_plain(value):
            continue
        try:
            kind.model_validate({name: value})
        except ValidationError:
            continue
        except Exception:
            return name
    return None


def _named(kind: type[Command]) -> list[type[Command]]:
    return [
        found
        for child in kind.__subclasses__()
        for found in ([child] if "name" in vars(child) else []) + _named(child)
    ]


#: Everything that may be asked, by the name that stories and the service use.
ASKED: Final = {kind.name: kind for kind in _named(Command)}
#: Of these the commands that become one fact with the same values.
COMMANDS: Final = {n: kind for n, kind in ASKED.items() if issubclass(kind, RecordFact)}
#: Which command a fact came from, so that a correction is checked like the command itself.
COMMAND_OF: Final[dict[type[events.Fact], type[RecordFact]]] = {
    kind.fact: kind for kind in COMMANDS.values()
}


def check_facts() -> None:
    """Refuses a fact that nobody can record, and a command with other values than its fact."""
    becoming = {kind.fact for kind in ASKED.values()}
    for name, event in events.EVENTS.items():
        if issubclass(event, events.Fact) and event not in becoming:
            raise TypeError(f"`{name}` has no command that records it")
    for name, kind in COMMANDS.items():
        there = kind.fact.model_fields.keys() - events.Fact.model_fields.keys()
        if differing := there.symmetric_difference(_values_of(kind)):
            told = ", ".join(sorted(differing))
            raise TypeError(f"`{name}` and `{kind.fact.name}` differ in: {told}")


check_facts()
