"""What a method is given, read; raises BadValue that names the place and the reason."""

from datetime import date, datetime
from functools import wraps
from typing import TypeVar
from uuid import UUID

from pydantic import TypeAdapter, ValidationError

from yibao.adapters.service.recording import (
    Clock,
)
from yibao.domain import calendar
from yibao.domain.refusals import BadValue, UnknownCutoff, reason
from yibao.domain.vocabulary import (
    EnrollmentId,
    GivenKey,
    is_plain,
)
from yibao.projections.record import (
    Cutoff,
)

R = TypeVar("R")


def key_of(given: str, where: str) -> str:
    try:
        return KEY.validate_python(given)
    except ValidationError as error:
        raise BadValue(where, reason(error)) from None


KEY: TypeAdapter[str] = TypeAdapter(GivenKey)


def instant_of(given: datetime | str, where: str) -> datetime:
    """An instant that was given, in Shanghai; raises BadValue for anything else."""
    try:
        if isinstance(given, str):
            return calendar.read_instant(given)
        if isinstance(given, datetime):
            return calendar.in_shanghai(given)
    except ValueError as error:
        raise BadValue(where, str(error)) from None
    except Exception:  # of a time zone of somebody's own
        if is_plain(given):
            raise
        raise BadValue(where, "cannot be read") from None
    raise BadValue(where, "an instant is an aware datetime or text")


def day_of(given: date | str, where: str) -> date:
    """A day that was given; raises BadValue for anything else."""
    try:
        if isinstance(given, str):
            return calendar.read_day(given)
    except ValueError as error:
        raise BadValue(where, str(error)) from None
    if isinstance(given, date) and not isinstance(given, datetime):
        return given
    raise BadValue(where, "a day is a date or text")


def read_instant(given: datetime | str) -> datetime:
    """An instant as people write it, `2025-09-06 14:20`: Shanghai time unless an offset is given.

    An aware datetime is told in Shanghai time. Raises BadValue for anything else: a bare day, a
    naive datetime, an impossible date.
    """
    return instant_of(given, "instant")


def read_cutoff(given: Cutoff | str) -> Cutoff:
    """A knowledge cut-off as people write it: an instant, or a version where there are digits only.

    That is what questions take as `known_at`. Raises BadValue for anything else, and UnknownCutoff
    for a version that no stream has.
    """
    if isinstance(given, str) and given.isascii() and given.isdigit():
        return cutoff_of(int(given[:20]))  # of more digits no stream has so many events either
    return cutoff_of(given)


def aware(clock: Clock) -> Clock:
    """The clock; it raises BadValue where it tells no instant."""

    @wraps(clock)
    def now() -> datetime:
        found = clock()
        if not isinstance(found, datetime):
            raise BadValue("clock", "must tell an aware datetime")
        instant_of(found, "clock")
        return found

    return now


def streams_of(enrollment: EnrollmentId) -> tuple[UUID, UUID]:
    """The streams of a student and of the care; raises BadValue for what is no student's."""
    if not isinstance(enrollment, EnrollmentId):
        raise BadValue("enrollment", "is no EnrollmentId")
    return enrollment.stream, enrollment.care_stream


def event_id_of(given: UUID) -> UUID:
    if not isinstance(given, UUID):
        raise BadValue("event_id", "is no UUID")
    return given


def cutoff_of(given: Cutoff | str) -> Cutoff:
    is_version = isinstance(given, int) and not isinstance(given, bool)
    if is_version and given.bit_length() > 63:  # type: ignore[union-attr]
        raise UnknownCutoff("no stream has so many events")
    return given if is_version else instant_of(given, "known_at")  # type: ignore[return-value, arg-type]
