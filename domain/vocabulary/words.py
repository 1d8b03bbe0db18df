"""The words of the field, each written as itself, and the small values that answers are made of."""

import operator
from collections.abc import Iterable
from datetime import date
from enum import StrEnum
from typing import Annotated, Any, Final, NamedTuple, Self, cast

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler, StringConstraints
from pydantic_core import CoreSchema
from pydantic_core.core_schema import (
    no_info_after_validator_function,
    plain_serializer_function_ser_schema,
    str_schema,
    union_schema,
)


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


class WordsAtOnce:
    """A word that is a whole column of words at once (see `projections/cohort`)."""

    def is_among(self, words: Iterable[str]) -> bool:
        raise NotImplementedError


def is_among(word: str, words: Iterable[str]) -> bool:
    """Whether a word is one of some."""
    asked: object = word
    return asked.is_among(words) if isinstance(asked, WordsAtOnce) else word in words


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


#: How the province of the notices is written: care there is told without a province.
HOME_PROVINCE: Final = frozenset({"shanghai", "上海", "上海市"})


def is_home_province(province: str) -> bool:
    """Whether a province is the one whose notices these are."""
    return province.lower() in HOME_PROVINCE
