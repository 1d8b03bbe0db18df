"""What may be added to a stream of care: its ledger is an aggregate of its own.

Care is recorded whatever the cover, and settled only while it is covered: the assessment is
judged in the same transaction that records the settlement.
"""

from bisect import bisect_left
from collections.abc import Callable, Sequence
from typing import NamedTuple
from uuid import UUID

from yibao.domain.care.assessing import Assessed, assessments
from yibao.domain.care.ledger import Ledger
from yibao.domain.facts import (
    EditionInUse,
    Envelope,
    Stream,
    benefits_adopted,
    check_version,
    correction,
    current,
    enveloped,
    events,
    fact,
    happened_at,
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
    """What care is judged on: the enrollment as known, where that stands, and its edition.

    `ledger` gives that of the care's stream as it stands, where whoever judges keeps one.
    """

    case: Case
    enrollment_version: int
    edition: EditionInUse
    ledger: Callable[[], Ledger] | None = None

    def ledger_of(self, stream: Stream) -> Ledger:
        """Which care stands in the stream that is judged."""
        return self.ledger() if self.ledger else Ledger(stream.recorded)


def decide_care(
    stream: Stream, command: Command, ground: Ground | None, envelope: Envelope
) -> list[events.Event]:
    """The events that a command on care leads to which was not answered before, in their order.

    `ground` is None where no registration was ever recorded. The first use of the edition's table
    of benefits is recorded along. Raises NotPermitted with
    `not_registered`, with the code for which the care itself is refused, `cover_pending`,
    `already_settled` or `not_settled`; NotCorrectable, OutOfStep or BadValue.
    """
    check_version(stream, command)
    event = _decided(stream, command, ground, envelope)
    along = [] if ground is None else benefits_adopted(ground.edition, envelope)
    return [*along, event]


def _decided(
    stream: Stream, command: Command, ground: Ground | None, envelope: Envelope
) -> events.Event:
    """The event of the command itself."""
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
        return _reversal(stream, command, ground, envelope)
    if ground.case.policy.benefits is None:
        raise BadValue("policy", "the edition has no table of benefits")
    if isinstance(command, ReceiveCare):
        return fact(stream, command, envelope)
    assert isinstance(command, SettleCare)
    return _settlement(stream, command, ground, envelope)


def _settlement(
    stream: Stream, command: SettleCare, ground: Ground, envelope: Envelope
) -> events.CareSettled:
    at = happened_at(command, envelope)
    known = assessments(ground.case, ground.ledger_of(stream).cares, at)
    assessed = _named(stream, command.care, known)
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
        occurred_at=at,
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
        edition_version=ground.edition.stream.version,
    )


def _named(stream: Stream, care_id: UUID, known: Sequence[Assessed]) -> Assessed:
    """The assessment of the piece of care that a command names, by any of its events."""
    place = stream.places.get(care_id, 0)
    index = bisect_left(known, place, key=lambda assessed: assessed.care.fact.place)
    if index < len(known) and known[index].care.fact.place == place:
        return known[index]
    is_care = place and isinstance(stream.recorded[place - 1], events.CareReceived)
    raise NotCorrectable("superseded" if is_care else "no_such_fact")


def _reversal(
    stream: Stream, command: ReverseCare, ground: Ground, envelope: Envelope
) -> events.CareReversed:
    place = stream.places.get(command.care)
    if place is None:
        raise NotCorrectable("no_such_fact")
    settled = ground.ledger_of(stream).settlement_of(command.care, place)
    if settled is None:
        raise NotPermitted("not_settled")
    return events.CareReversed(
        **enveloped(stream, command, envelope),
        occurred_at=happened_at(command, envelope),
        settlement=settled.event_id,
    )
