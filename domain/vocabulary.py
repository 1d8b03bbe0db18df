"""The words of the field: identifiers, enumerations and the small values facts are made of."""

import operator
import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from datetime import date, datetime, timezone
from decimal import Decimal
from enum import StrEnum
from functools import lru_cache
from typing import TYPE_CHECKING, Annotated, Any, Final, NamedTuple, Self, cast
from unicodedata import decimal, normalize
from uuid import NAMESPACE_URL, UUID, uuid5
from zoneinfo import ZoneInfo

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BeforeValidator,
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    StringConstraints,
    ValidationInfo,
)
from pydantic_core import CoreSchema
from pydantic_core.core_schema import (
    date_schema,
    no_info_after_validator_function,
    plain_serializer_function_ser_schema,
    str_schema,
    union_schema,
)

from yibao.domain.calendar import FIRST_YEAR, LAST_YEAR, in_shanghai, read_day, read_instant
from yibao.domain.refusals import BadValue


class Word(StrEnum):
    """One of some words, written as itself.

    By itself pydantic asks for `.value`, which is code in Python: what the handler of a signal
    raises there is lost in pydantic, which goes on, or ends in an error of its own.
    """

    @classmethod
    def __get_pydantic_core_schema__(
        cls, source: type[Any], handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        as_itself = plain_serializer_function_ser_schema(
            operator.attrgetter("_value_"), return_schema=str_schema(), when_used="json"
        )
        return cast(CoreSchema, {**handler(source), "serialization": as_itself})

    @classmethod
    def __get_pydantic_json_schema__(
        cls, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        plain = {key: value for key, value in schema.items() if key != "serialization"}
        return handler(cast(CoreSchema, plain))


#: How a code of an edition's own is written; its words are in the edition.
OWN_CODE: Final = r"^[a-z][a-z0-9]*([_-][a-z0-9]+)*$"
OwnCode = Annotated[str, StringConstraints(pattern=OWN_CODE, max_length=64)]


class OpenWord(Word):
    """One of some words, or a code of an edition's own, which is of the class all the same.

    Whether there is such a code only the edition can tell (`Policy.knows`).
    """

    @classmethod
    def own(cls, code: str) -> Self:
        """A code that is none of the words."""
        word = str.__new__(cls, code)
        word._name_ = word._value_ = code
        return word

    @property
    def is_own(self) -> bool:
        """Whether an edition has to tell what it means."""
        return self._value_ not in type(self)._value2member_map_

    def __reduce_ex__(self, protocol: Any) -> tuple[Any, ...]:
        return (type(self).own if self.is_own else type(self)), (self._value_,)

    @classmethod
    def __get_pydantic_core_schema__(
        cls, source: type[Any], handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        one_of_them: Any = super().__get_pydantic_core_schema__(source, handler)
        as_itself = one_of_them.pop("serialization")
        own = no_info_after_validator_function(cls.own, handler.generate_schema(OwnCode))
        return union_schema(
            [one_of_them, own],
            mode="left_to_right",
            custom_error_type="enum",
            custom_error_context={"expected": one_of(cls)},
            ref=one_of_them.pop("ref"),
            serialization=as_itself,
        )


def one_of(words: Iterable[str]) -> str:
    """Words as pydantic lists them."""
    *others, last = [f"{word!s}" for word in words]
    return f"{', '.join(map(repr, others))} or {last!r}"


def is_plain(value: object) -> bool:
    """Whether a value is of a kind that raises nothing of its own while it is read.

    What is raised then beside ValueError was raised by the handler of a signal, which is nobody's
    mistake. A stranger's value, or the time zone of one, may raise anything.
    """
    zone = type(value.tzinfo) if type(value) is datetime else None
    return zone in _ZONES if zone else type(value) in _PLAIN or isinstance(value, Word)


_PLAIN: Final = frozenset({str, int, float, bool, date, Decimal, UUID, type(None)})
_ZONES: Final = frozenset({ZoneInfo, timezone, type(None)})


class Words:
    """A word that is a whole column of words at once (see `projections/cohort`)."""

    def is_among(self, words: Iterable[str]) -> bool:
        raise NotImplementedError


def is_among(word: str, words: Iterable[str]) -> bool:
    """Whether a word is one of some."""
    asked: object = word
    return asked.is_among(words) if isinstance(asked, Words) else word in words


class State(Word):
    """Where an enrollment stands (R24, R25): the main road in order, then what lies beside it."""

    REGISTERED = "registered"
    CONFIRMED = "confirmed"
    IN_WAITING_PERIOD = "in_waiting_period"
    ACCOUNT_BUILT = "account_built"
    EVOUCHER_ELIGIBLE = "evoucher_eligible"
    ACTIVE = "active"
    EXPIRED = "expired"
    OPTED_OUT = "opted_out"
    LAPSED = "lapsed"
    WITHDRAWN = "withdrawn"


class Category(OpenWord):
    """What kind of student registers (R1)."""

    UNDERGRADUATE = "undergraduate"
    HIGHER_VOCATIONAL = "higher_vocational"
    POSTGRADUATE = "postgraduate"
    EMPLOYED_POSTGRADUATE = "employed_postgraduate"
    FOREIGN = "foreign"


class Document(OpenWord):
    """The identity document used; some get no e-voucher (R5)."""

    RESIDENT_ID_CARD = "resident_id_card"
    HMT_RESIDENCE_PERMIT = "hmt_residence_permit"
    PASSPORT = "passport"
    TAIWAN_TRAVEL_PERMIT = "taiwan_travel_permit"
    HK_MACAO_TRAVEL_PERMIT = "hk_macao_travel_permit"
    EXIT_ENTRY_PERMIT = "exit_entry_permit"
    OVERSEAS_CHINESE_PERMIT = "overseas_chinese_permit"


class Place(OpenWord):
    """Where something is done (R9, R23, R31, R32)."""

    SCHOOL = "school"
    CITY_SERVICES_APP = "city_services_app"
    WECHAT_MINI_PROGRAM = "wechat_mini_program"
    ALIPAY_MINI_PROGRAM = "alipay_mini_program"
    NATIONAL_PLATFORM = "national_platform"
    ALIPAY = "alipay"
    WECHAT = "wechat"
    ONE_STOP_SITE = "one_stop_site"
    SERVICE_OFFICE = "service_office"
    EMPLOYEE_INSURANCE_BUREAU = "employee_insurance_bureau"
    WECHAT_FILING_PROGRAM = "wechat_filing_program"
    ALIPAY_FILING_PROGRAM = "alipay_filing_program"


class ConfirmationChannel(Word):
    """How a confirmation (参保确认) reached the bureau (R9)."""

    APP = "app"
    WECHAT = "wechat"
    ALIPAY = "alipay"
    PROXY = "proxy"


class ActivationChannel(Word):
    """Where an e-voucher (医保码) was activated (R23)."""

    NATIONAL_PLATFORM = "national_platform"
    ALIPAY = "alipay"
    WECHAT = "wechat"
    APP = "app"


class OtherCover(Word):
    """Insurance a student already has when entering (R2 to R4)."""

    SHANGHAI_RESIDENT = "shanghai_resident"
    EMPLOYEE = "employee"
    OTHER_PROVINCE = "other_province"


class Leaving(Word):
    """How a student leaves the school; cover may go on after some of them (R38)."""

    WITHDRAWN = "withdrawn"
    GRADUATED = "graduated"
    SUSPENDED = "suspended"


class CareSetting(Word):
    """Where care is given (R26 to R28)."""

    CAMPUS_CLINIC = "campus_clinic"
    VILLAGE_CLINIC = "village_clinic"
    OUTPATIENT = "outpatient"
    EMERGENCY = "emergency"
    INPATIENT = "inpatient"


class HospitalLevel(Word):
    """The level of an institution; a community health center is of the first (R27)."""

    FIRST = "first"
    SECOND = "second"
    THIRD = "third"


class Settlement(Word):
    """How covered care is settled (R31): at once here, at once elsewhere, or claimed later."""

    DIRECT = "direct"
    OTHER_PROVINCE = "other_province"
    CLAIM = "claim"


class Pending(Word):
    """The one answer that is neither a value nor none: a fact is still missing (R17)."""

    PENDING = "pending"


PENDING: Final = Pending.PENDING


class DayRange(NamedTuple):
    """A span of days as the notices print it: both ends included."""

    first: date
    last: date


class WaitingPeriod(NamedTuple):
    """A waiting period (待遇等待期), both ends included; no `months` if the check named its end."""

    first: date
    last: date
    months: int | None


def revealing(text: str) -> str | None:
    """What of a person a free word seems to hold, never repeating it; None if nothing.

    That is the number of a document or mobile phone, with separators or without, or an e-mail
    address. A digit with a letter beside it belongs to something else, such as a digest.
    """
    if not text.isascii():
        text = "".join(str(decimal(sign, sign)) for sign in normalize("NFKC", text))
    if "@" in text and _ADDRESS.search(text):
        return "looks like an e-mail address; use an opaque key"
    if not _LONG.search(text):  # nearly every word
        return None
    if any(_PHONE.fullmatch(number) or _is_of_a_document(number) for number in _numbers(text)):
        return "looks like an identity card or phone number; use an opaque key"
    return None


def _numbers(text: str) -> Iterator[str]:
    """Whole runs of digits, each by itself and with those behind a separator; one may end in X."""
    run = ""
    for word in _WORDS.findall(text):
        if word.isdecimal():
            yield word
            run += word
            continue
        yield run
        if _ENDS_IN_X.fullmatch(word):
            yield from (word, run + word)
        run = ""
    yield run


def _is_of_a_document(number: str) -> bool:
    """Whether it names a region of China, and then a day of birth or has a right check digit.

    Until 1999 identity cards had fifteen digits, two of them for the year of birth.
    """
    if not _DOCUMENT.fullmatch(number):
        return False
    born = number[6:14] if len(number) == 18 else f"19{number[6:12]}"
    return _is_a_birthday(born) or (len(number) == 18 and has_check_digit(number))


def _is_a_birthday(digits: str) -> bool:
    try:
        return 1800 <= date.fromisoformat(digits).year <= 2099
    except ValueError:
        return False


def has_check_digit(number: str) -> bool:
    """Whether the last of eighteen digits, where X is ten, follows from the others (MOD 11-2)."""
    digits = [10 if digit in "Xx" else int(digit) for digit in number]
    return sum(digit << (17 - place) for place, digit in enumerate(digits)) % 11 == 1


_LONG = re.compile(r"[0-9][0-9\W_]{10}")
_WORDS = re.compile(r"[0-9A-Za-z]+|[^\W_]")
_ENDS_IN_X = re.compile(r"[0-9]*[Xx]")
_PHONE = re.compile(r"((00)?86)?1[3-9][0-9]{9}")
_DOCUMENT = re.compile(
    r"(1[1-5]|2[1-3]|3[1-7]|4[1-6]|5[0-4]|6[1-5]|71|8[1-3]|9[1-8])([0-9]{13}|[0-9]{15}[0-9Xx])"
)
_ADDRESS = re.compile(r"[^\s@]@([\w-]+\.)+[^\W\d_]{2,}(?![\w/-]|\.\w)")


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


class Seen(NamedTuple):
    """How far somebody has seen what is recorded of a student: what an answer stands on.

    `facts` and `care` are the versions of her two streams. `window` tells how often something that
    concerns her was fixed under her edition, or taken back: for everybody, for her category, or for
    a school she was at. `before` is the same of the year before, or None. Of an edition, whose
    window is everybody's, `window` counts all of it, and the others are 0.
    """

    facts: SeenVersion
    care: SeenVersion
    window: SeenVersion
    before: "Seen | None" = None


NOTHING_SEEN: Final = Seen(0, 0, 0)

_EDITION_ID: Final = r"^[a-z0-9]+(-[a-z0-9]+)*$"
EditionId = Annotated[str, StringConstraints(pattern=_EDITION_ID, max_length=64)]
GivenEditionId = Annotated[EditionId, AfterValidator(_unrevealing)]


def is_edition_id(name: str) -> bool:
    """Whether an edition may be called so."""
    return len(name) <= 64 and re.fullmatch(_EDITION_ID, name) is not None


#: How the province of the notices is written: care there is told without a province.
HOME_PROVINCE: Final = frozenset({"shanghai", "上海", "上海市"})


def is_home_province(province: str) -> bool:
    """Whether a province is the one whose notices these are."""
    return province.lower() in HOME_PROVINCE


class EnrollmentId(NamedTuple):
    """Whose enrollment, and of which benefit year: one stream of facts for each.

    >>> EnrollmentId("s1", 2025).stream == EnrollmentId("s1", 2025).stream
    True
    """

    ref: str
    year: int

    @property
    def stream(self) -> UUID:
        """The id of the stream, derived from the opaque reference and the year alone.

        Raises BadValue for a reference that is no text, and for a year that is no whole number:
        `2025.0`, from a table with gaps, would be another stream than `2025`.
        """
        return _stream(f"enrollment/{_index(self.year)}/{_text(self.ref, 'ref')}")

    @property
    def care_stream(self) -> UUID:
        """The id of the stream that holds the care received, beside the enrollment's own."""
        return _stream(f"care/{_index(self.year)}/{_text(self.ref, 'ref')}")

    def year_of(self, stream: UUID) -> int | None:
        """The benefit year of another enrollment of the student's, by its stream; None of others.

        A year tells of itself, of those before it and of the one that follows (R33).
        """
        if stream == self.stream:
            return None
        years = range(self.year + 1, FIRST_BENEFIT_YEAR - 1, -1)
        return next((year for year in years if EnrollmentId(self.ref, year).stream == stream), None)


def edition_stream(edition: str) -> UUID:
    """The id of the stream that holds what an edition left to be fixed later; raises BadValue."""
    return _stream(f"edition/{_text(edition, 'policy')}")


def student_id(ref: str) -> UUID:
    """What the years of a student have in common, of which one may move another.

    Raises BadValue.
    """
    return _stream(f"student/{_text(ref, 'ref')}")


def _index(year: int) -> int:
    if type(year) is int and year.bit_length() < 1000:  # asked for with every command
        return year
    # Whatever a stranger's number raises; what a signal's handler does meanwhile looks the same.
    with suppress(Exception):
        index = operator.index(year)
        if index.bit_length() < 1000:  # a longer one may not even be written
            return index
    raise BadValue("year", "must be a whole number")


def _text(given: str, where: str) -> str:
    if not isinstance(given, str):
        raise BadValue(where, "must be text")
    return str.__str__(given)


@lru_cache(maxsize=2**15)
def _stream(name: str) -> UUID:
    """The same few are asked for again and again while one thing is recorded, or many followed.

    A lone surrogate, of which `uuid5` makes nothing, is spelled out: whoever asks about a
    reference that nobody can have is told that nobody has it.
    """
    return uuid5(_STREAMS, name.encode(errors="backslashreplace").decode())


_STREAMS: Final = uuid5(NAMESPACE_URL, "yibao:streams")
