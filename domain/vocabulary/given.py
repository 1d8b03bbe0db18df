"""The small values of facts, as they are stored and as they come from outside."""

import re
from collections.abc import Callable
from datetime import date, datetime, timezone
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Any, Final
from uuid import UUID
from zoneinfo import ZoneInfo

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BeforeValidator,
    Field,
    StringConstraints,
    ValidationInfo,
)
from pydantic_core import CoreSchema
from pydantic_core.core_schema import date_schema

from yibao.domain.calendar import FIRST_YEAR, LAST_YEAR, in_shanghai, read_day, read_instant
from yibao.domain.vocabulary.personal import revealing
from yibao.domain.vocabulary.words import Word


def is_plain(value: object) -> bool:
    """Whether a value is of a kind that raises nothing of its own while it is read.

    What is raised then beside ValueError was raised by the handler of a signal, which is nobody's
    mistake. A stranger's value, or the time zone of one, may raise anything.
    """
    zone = type(value.tzinfo) if type(value) is datetime else None
    return zone in _ZONES if zone else type(value) in _PLAIN or isinstance(value, Word)


_PLAIN: Final = frozenset({str, int, float, bool, date, Decimal, UUID, type(None)})
_ZONES: Final = frozenset({ZoneInfo, timezone, type(None)})


def _unrevealing(word: str, info: ValidationInfo) -> str:
    """A free word without numbers or addresses of persons; what is stored stays as it is."""
    told = revealing(word)
    if told and word not in (info.context or ()):
        raise ValueError(told)
    return word


def _read(reader: Callable[[str], Any], given: Any) -> Any:
    """Text is read as people write it; a number is no day, though pydantic would take it."""
    if isinstance(given, str):
        return reader(given)
    if not isinstance(given, date):
        raise ValueError("a day or an instant is text, or a date or datetime")
    return given


def _whole(given: Any) -> Any:
    """Whole numbers as such or in digits; `1.0`, `1_0` and true are none.

    A Decimal is read as it is written: to make a number of `1E+999999999` takes gigabytes.
    """
    if isinstance(given, Decimal):
        given = str(given)
    if isinstance(given, bool | float) or (isinstance(given, str) and not _DIGITS.fullmatch(given)):
        raise ValueError("must be a whole number")
    return given


def _without_nul(given: str) -> str:
    """PostgreSQL keeps the character NUL in no text."""
    if "\0" in given:
        raise ValueError("must not hold the character NUL")
    return given


_DIGITS = re.compile(r"-?\d{1,18}", re.ASCII)

if TYPE_CHECKING:
    _Date = date
else:

    class _Date:
        """A day as pydantic reads it, whatever class `datetime.date` is at the moment.

        It knows a day by that class, which is another one under a clock that a test has frozen:
        a model made there of a class from before, or the other way round, could not be built.
        """

        @classmethod
        def __get_pydantic_core_schema__(cls, source: Any, handler: Any) -> CoreSchema:
            return date_schema()

    _Date.__name__ = _Date.__qualname__ = "date"  # so the released schema of editions has it

#: As facts carry them; checked by pydantic's core alone, since every fact read passes here.
Instant = AwareDatetime
Day = Annotated[_Date, Field(ge=date(FIRST_YEAR, 1, 1), le=date(LAST_YEAR, 12, 31))]
OpaqueKey = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._:@+/-]{0,63}$")]

#: As they come from outside: days and instants may be text, naive instants are refused, and
#: no word must look like a number or address that identifies a person elsewhere.
GivenInstant = Annotated[
    AwareDatetime,
    BeforeValidator(lambda given: _read(read_instant, given)),
    AfterValidator(in_shanghai),
]
GivenDay = Annotated[Day, BeforeValidator(lambda given: _read(read_day, given))]
GivenKey = Annotated[OpaqueKey, AfterValidator(_unrevealing)]
#: Why something was recorded, as a word: free text belongs into a note, which can be erased.
ReasonWord = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=80)]
GivenReason = Annotated[ReasonWord, AfterValidator(_unrevealing)]
#: A school, district or province, as its owner writes it.
Name = Annotated[str, StringConstraints(pattern=r"^[^\s\x00-\x1f](.{0,62}[^\s\x00-\x1f])?$")]
AskedName = Annotated[Name, AfterValidator(_without_nul)]
GivenName = Annotated[AskedName, AfterValidator(_unrevealing)]
CommandId = Annotated[str, StringConstraints(pattern=r"^[\x21-\x7e]{1,64}$")]
GivenCommandId = Annotated[CommandId, AfterValidator(_unrevealing)]
Note = Annotated[
    str, StringConstraints(min_length=1, max_length=4000), AfterValidator(_without_nul)
]
LapsedYears = Annotated[int, BeforeValidator(_whole), Field(ge=0, le=100)]
FIRST_BENEFIT_YEAR: Final = 2000
CalendarYear = Annotated[int, BeforeValidator(_whole), Field(ge=FIRST_BENEFIT_YEAR, le=2999)]
#: The version of a stream that whoever asks has seen.
SeenVersion = Annotated[int, BeforeValidator(_whole), Field(ge=0, le=2**63 - 1)]

_EDITION_ID: Final = r"^[a-z0-9]+(-[a-z0-9]+)*$"
EditionId = Annotated[str, StringConstraints(pattern=_EDITION_ID, max_length=64)]
GivenEditionId = Annotated[EditionId, AfterValidator(_unrevealing)]


def is_edition_id(name: str) -> bool:
    """Whether an edition may be called so."""
    return len(name) <= 64 and re.fullmatch(_EDITION_ID, name) is not None
