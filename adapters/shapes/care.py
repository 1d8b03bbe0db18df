"""Care as plain JSON values, in the shapes that others rely on."""

from collections.abc import Iterable
from typing import Any, NotRequired

from typing_extensions import TypedDict

from yibao.adapters.shapes.values import event_json, plain
from yibao.domain.care import Assessed
from yibao.domain.facts.events import CareSettled
from yibao.domain.vocabulary import PENDING
from yibao.projections.care import Changed


# The names are those of the released schemas.
class Settled(TypedDict):
    """What was paid, beside what had been assessed, and what that stood on."""

    at: str
    fund_pays: str
    patient_pays: str
    deductible_used: str
    fund_paid: str
    settlement: str | None
    enrollment_version: int
    edition: str
    edition_digest: str
    benefits_digest: str


class CareAnswer(TypedDict):
    """A piece of care and its assessment; amounts in yuan with two decimals."""

    on: str
    setting: str
    level: str | None
    cost: str
    fund_pays: str
    patient_pays: str
    deductible_used: str
    cap_left: NotRequired[str | None]
    settlement: str | None
    refused: str | None
    pending: bool
    settled: Settled | None


def care_json(assessed: Assessed) -> dict[str, Any]:
    """A piece of care with its assessment, and its settlement if one stands."""
    received, settled = assessed.care.fact.event, assessed.care.settled
    return {
        "on": plain(received.on),
        "setting": plain(received.setting),
        "level": plain(received.level),
        "cost": plain(received.cost),
        "fund_pays": plain(assessed.fund_pays.value),
        "patient_pays": plain(assessed.patient_pays.value),
        "deductible_used": plain(assessed.deductible_used.value),
        "cap_left": plain(assessed.cap_left.value),
        "settlement": plain(assessed.settlement.value),
        "refused": assessed.refused,
        "pending": assessed.is_pending,
        "settled": settled_json(settled) if settled else None,
    }


def settled_json(settled: CareSettled) -> dict[str, Any]:
    """What was paid, beside what had been assessed, and what that stood on."""
    return {
        "at": plain(settled.occurred_at),
        "fund_pays": plain(settled.fund_pays),
        "patient_pays": plain(settled.patient_pays),
        "deductible_used": plain(settled.deductible_used),
        "fund_paid": plain(settled.fund_paid),
        "settlement": plain(settled.settlement),
        "enrollment_version": settled.enrollment_version,
        "edition": settled.policy,
        "edition_digest": settled.policy_digest,
        "benefits_digest": settled.benefits_digest,
    }


def care_expected(assessed: Assessed, expected: dict[str, Any]) -> dict[str, Any]:
    """The same under the keys of a story; an amount that is expected to be pending is that."""
    told = care_json(assessed)
    found = {
        "fund": told["fund_pays"],
        "patient": told["patient_pays"],
        "deductible_left": plain(assessed.deductible_left.value),
        "cap_left": told["cap_left"],
        "settlement": told["settlement"],
        "refused": told["refused"],
    }
    for amount in ("fund", "patient"):
        if expected.get(amount) == PENDING and assessed.is_pending:
            found[amount] = plain(PENDING)
    return found


def review_json(changed: Iterable[Changed]) -> list[dict[str, Any]]:
    """Care whose assessment has changed: both amounts, and the facts that moved them."""
    return [
        {
            "on": plain(each.care.on),
            "setting": plain(each.care.setting),
            "level": plain(each.care.level),
            "cost": plain(each.care.cost),
            "since": plain(each.since),
            "settled": settled_json(each.settled) if each.settled else None,
            "then": plain(each.then._replace(settled=None)),
            "now": plain(each.now._replace(settled=None)) if each.now else None,
            "moved_by": [event_json(event) for event in each.moved_by],
        }
        for each in changed
    ]
