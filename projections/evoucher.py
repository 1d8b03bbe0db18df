"""From when, and where, can the e-voucher (医保码) be had?"""

from datetime import datetime
from typing import NamedTuple

from yibao.domain.derivation import Derived
from yibao.domain.rules import Case, values
from yibao.domain.vocabulary import Pending


class Evoucher(NamedTuple):
    """The instant from which it can be had, with its derivation, and the places (R19, R23)."""

    available_at: Derived[datetime | Pending | None]
    places: tuple[str, ...]
    is_activated: bool


def evoucher(case: Case, at: datetime) -> Evoucher:
    """The e-voucher as known; whether it is activated is told as of the instant asked about."""
    return Evoucher(
        values(case, at).evoucher_available_at,
        case.policy.parameters.activation_places.value,
        any(activation.at <= at for activation in case.facts.activations),
    )
