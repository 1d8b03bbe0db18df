"""What would a piece of care cost, without recording anything?"""

from datetime import datetime
from uuid import UUID

from yibao.domain.care import Assessed, assessments, cares
from yibao.domain.facts import Envelope, evolve, fact
from yibao.domain.facts.commands import ReceiveCare
from yibao.domain.refusals import BadValue, NotPermitted
from yibao.projections.record import Cutoff, Record


def quote(record: Record, command: ReceiveCare, at: datetime, cutoff: Cutoff) -> Assessed:
    """The assessment the care would have if it were recorded next.

    Raises NotPermitted with `not_registered` where there is no enrollment to quote for.
    """
    known = record.known_by(cutoff)
    case, received = known.case, known.received
    if case is None or case.facts.registration is None:
        raise NotPermitted("not_registered")
    if case.policy.benefits is None:
        raise BadValue("policy", "the edition has no table of benefits")
    asked = Envelope(
        stream=record.enrollment.care_stream,
        recorded_at=at,
        event_id=UUID(int=0),
        by="quote",
        via="quote",
        command_id="quote",
        command_digest="",
    )
    with_it = evolve(received, fact(received, command, asked))
    return assessments(case, cares(with_it), at)[-1]
