"""When did what is known of a student change?"""

from datetime import datetime

from yibao.domain.calendar import SHANGHAI
from yibao.projections.record import Record


def moments(record: Record) -> tuple[datetime, ...]:
    """The instants at which something was recorded that concerns her, once each and ascending.

    That is of her enrollment, of her care and, since she was registered under it, of her edition
    what is fixed for her. As known by any other instant everything is as at the last of these
    before it.
    """
    if not len(record.enrolled):
        return ()
    nothing, everything = record.known_by(0), record.known_by(record.latest)
    seen = nothing.seen
    found: dict[datetime, None] = {}
    for transaction, known in record.transactions(nothing, everything):
        if known.seen != seen:
            seen = known.seen
            found[transaction[-1].recorded_at.astimezone(SHANGHAI)] = None
    return tuple(found)
