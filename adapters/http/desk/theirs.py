"""Whether a student is theirs to see who asks."""

from yibao.adapters.http.rights import Grant, Who, school_of, sees
from yibao.projections.record import Record


def is_theirs(who: Who, granted: tuple[Grant, ...], record: Record) -> bool:
    """Whether anything is known of a student, and she is theirs to see."""
    known = bool(record.enrolled.events)
    return sees(granted, who, record.enrollment.ref, school_of(record)) and known
