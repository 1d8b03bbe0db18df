"""What comes back, as a person would write it."""

from datetime import date, datetime
from typing import Any, NamedTuple

from yibao.domain.care.assessing import Assessed
from yibao.domain.derivation import Derived, Earlier
from yibao.domain.facts.counting import Current
from yibao.domain.money import Fen
from yibao.domain.vocabulary import PENDING, DayRange, WaitingPeriod


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


def leaves(derived: Derived) -> list[str]:
    """The facts and parameters a value was derived from, by name, in the order it tells them."""
    found: list[str] = []
    for part in derived.inputs:
        if isinstance(part, Derived):
            found += leaves(part)
        elif isinstance(part, Earlier):
            found += leaves(part.derived)
        else:
            found.append(part.event.name if isinstance(part, Current) else part.name)
    return found


class Bill(NamedTuple):
    """What is paid for a piece of care, as people write it."""

    fund: str
    patient: str
    used: str
    left: str
    settlement: str
    refused: str | None
    pending: bool
    cap: str = "none"


def bill_of(assessed: Assessed) -> Bill:
    return Bill(
        fund=told(assessed.fund_pays.value),
        patient=told(assessed.patient_pays.value),
        used=told(assessed.deductible_used.value),
        left=told(assessed.deductible_left.value),
        settlement=told(assessed.settlement.value),
        refused=assessed.refused,
        pending=assessed.is_pending,
        cap=told(assessed.cap_left.value),
    )
