"""What a method is given, read; raises BadValue that names the place and the reason."""

from datetime import datetime
from typing import (
    TYPE_CHECKING,
    TypeVar,
)
from uuid import UUID

from pydantic import TypeAdapter, ValidationError

from yibao.adapters.service.recording import (
    Clock,
)
from yibao.domain.calendar import in_shanghai, read_instant
from yibao.domain.refusals import BadValue, UnknownCutoff, reason
from yibao.domain.vocabulary import (
    EnrollmentId,
    GivenKey,
)
from yibao.projections.record import (
    Cutoff,
)

if TYPE_CHECKING:  # what records and answers should not have to load these
    pass


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
            return read_instant(given)
        if isinstance(given, datetime):
            return in_shanghai(given)
    except ValueError as error:
        raise BadValue(where, str(error)) from None
    except Exception:  # of a time zone of somebody's own
        raise BadValue(where, "cannot be read") from None
    raise BadValue(where, "an instant is an aware datetime or text")


def aware(clock: Clock) -> Clock:
    """The clock; it raises BadValue where it tells no instant."""

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
