"""Answers as plain JSON values, in the shapes that others rely on."""

from datetime import date, datetime, time
from decimal import Decimal
from typing import Any

from yibao.domain.care import Assessed
from yibao.domain.money import Fen
from yibao.domain.vocabulary import PENDING, DayRange, WaitingPeriod
from yibao.projections.answer import Answer
from yibao.projections.next_step import NextStep

VALUES = ("waiting", "account_built_on", "evoucher_available_at", "coverage")


def plain(value: Any) -> Any:
    """A value of an answer: text, a number, a list or a mapping; None and "pending" stay."""
    if isinstance(value, WaitingPeriod):
        return {"from": plain(value.first), "to": plain(value.last), "months": value.months}
    if isinstance(value, DayRange):
        return {"from": plain(value.first), "to": plain(value.last)}
    if isinstance(value, NextStep):
        return next_step(value)
    if isinstance(value, datetime | date):
        return value.isoformat()
    if hasattr(value, "_asdict"):
        return {key: plain(part) for key, part in value._asdict().items()}
    if isinstance(value, time):
        return value.isoformat("minutes")
    if isinstance(value, Decimal | Fen):
        return str(value)
    if isinstance(value, tuple | list):
        return [plain(part) for part in value]
    return str(value) if isinstance(value, str) else value


def next_step(step: NextStep) -> dict[str, Any]:
    """A next step; `until` is the first instant that is too late."""
    return {
        "code": step.code,
        "who": step.who,
        "where": list(step.where),
        "from": plain(step.begins_at),
        "until": plain(step.until),
        "estimated": step.estimated,
        "ask": list(step.ask),
    }


def value(answer: Answer, name: str) -> Any:
    """One of the four values of an answer."""
    return plain(getattr(answer.values, name).value) if answer.values else None


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
        "settlement": plain(assessed.settlement.value),
        "refused": assessed.refused,
        "pending": assessed.is_pending,
        "settled": None
        if settled is None
        else {
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
        },
    }


def care_expected(assessed: Assessed, expected: dict[str, Any]) -> dict[str, Any]:
    """The same under the keys of a story; an amount that is expected to be pending is that."""
    told = care_json(assessed)
    found = {
        "fund": told["fund_pays"],
        "patient": told["patient_pays"],
        "deductible_left": plain(assessed.deductible_left.value),
        "settlement": told["settlement"],
        "refused": told["refused"],
    }
    for amount in ("fund", "patient"):
        if expected.get(amount) == PENDING and assessed.is_pending:
            found[amount] = plain(PENDING)
    return found


def answer_json(answer: Answer) -> dict[str, Any]:
    """The parts of an answer that a replay reports."""
    return {
        "state": plain(answer.state),
        "version": answer.version,
        "assumes_no_further_facts": answer.assumes_no_further_facts,
        **{name: value(answer, name) for name in VALUES},
        "next_steps": [next_step(step) for step in answer.next_steps],
        "discrepancies": [plain(found) for found in answer.discrepancies],
        "timeline": [
            {"at": plain(change.at), "state": plain(change.state)} for change in answer.timeline
        ],
        "care": [care_json(assessed) for assessed in answer.care],
    }
