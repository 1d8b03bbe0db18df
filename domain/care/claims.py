"""What may be added to a stream of care: its ledger is an aggregate of its own.

Care is recorded whatever the cover, and settled only while it is covered: the assessment is
judged in the same transaction that records the settlement.
"""

from typing import NamedTuple
from uuid import UUID

from yibao.domain.care.assessing import Assessed, assessments
from yibao.domain.care.ledger import cares, settlements
from yibao.domain.facts import (
    Envelope,
    Stream,
    answered_before,
    check_version,
    correction,
    current,
    enveloped,
    events,
    fact,
    places,
    void,
)
from yibao.domain.facts.commands import (
    Amendment,
    Command,
    Correct,
    ReceiveCare,
    ReverseCare,
    SettleCare,
    Void,
)
from yibao.domain.refusals import BadValue, NotCorrectable, NotPermitted
from yibao.domain.rules import Case


class Ground(NamedTuple):
    """What care is judged on: the enrollment as known, and where that stands."""

    case: Case
    enrollment_version: int
    edition_version: int


def decide_care(
    stream: Stream, command: Command, ground: Ground | None, envelope: Envelope
) -> events.Event | None:
    """The event a command on care leads to, or None where it was answered before.

    `ground` is None where no registration was ever recorded. Raises NotPermitted with
    `not_registered`, with the code for which the care itself is refused, `cover_pending`,
    `already_settled` or `not_settled`; NotCorrectable, OutOfStep or BadValue.
    """
    if answered_before(stream, command, envelope):
        return None
    check_version(stream, command)
    if isinstance(command, Amendment):
        target = current(stream, command.fact_id)
        if not isinstance(target.event, events.CareReceived):
            raise BadValue("fact_id", "a settlement is reversed, not corrected or taken back")
        if isinstance(command, Void):
            return void(stream, command, envelope)
        assert isinstance(command, Correct)
        return correction(stream, command, envelope)
    if ground is None or ground.case.facts.registration is None:
        raise NotPermitted("not_registered")
    if isinstance(command, ReverseCare):
        return _reversal(stream, command, envelope)
    if ground.case.policy.benefits is None:
        raise BadValue("policy", "the edition has no table of benefits")
    if isinstance(command, ReceiveCare):
        return fact(stream, command, envelope)
    assert isinstance(command, SettleCare)
    return _settlement(stream, command, ground, envelope)


def _settlement(
    stream: Stream, command: SettleCare, ground: Ground, envelope: Envelope
) -> events.CareSettled:
    assessed = _named(stream, command.care, ground, command)
    if assessed.care.settled is not None:
        raise NotPermitted("already_settled")
    if not command.observed and assessed.is_pending:
        raise NotPermitted("cover_pending")
    if not command.observed and assessed.refused:
        raise NotPermitted(assessed.refused)
    fund = assessed.fund_pays.value
    paid = fund if command.paid is None else command.paid
    if paid > assessed.care.fact.event.cost:
        raise BadValue("paid", "is more than the eligible cost")
    policy = ground.case.policy
    return events.CareSettled(
        **enveloped(stream, command, envelope),
        occurred_at=command.at,
        observed=command.observed,
        care=assessed.care.first.event_id,
        fund_pays=fund,
        patient_pays=assessed.patient_pays.value,
        deductible_used=assessed.deductible_used.value,
        fund_paid=paid,
        settlement=assessed.settlement.value,
        policy=policy.edition,
        policy_digest=policy.digest,
        benefits_digest=policy.benefits_digest,
        enrollment_version=ground.enrollment_version,
        edition_version=ground.edition_version,
    )


def _named(stream: Stream, care_id: UUID, ground: Ground, command: SettleCare) -> Assessed:
    """The assessment of the piece of care that a command names, by any of its events."""
    place = places(stream.recorded).get(care_id)
    received = {e.originator_version for e in stream.recorded if isinstance(e, events.CareReceived)}
    for assessed in assessments(ground.case, cares(stream), command.at):
        if assessed.care.fact.place == place:
            return assessed
    raise NotCorrectable("superseded" if place in received else "no_such_fact")


def _reversal(stream: Stream, command: ReverseCare, envelope: Envelope) -> events.CareReversed:
    place = places(stream.recorded).get(command.care)
    if place is None:
        raise NotCorrectable("no_such_fact")
    for place_of_care, settled in settlements(stream).items():
        if command.care == settled.event_id or place == place_of_care:
            return events.CareReversed(
                **enveloped(stream, command, envelope),
                occurred_at=command.at,
                settlement=settled.event_id,
            )
    raise NotPermitted("not_settled")
