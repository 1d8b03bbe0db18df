"""The model of a policy edition: cited parameters and cited rules.

An edition is what one year's notice says and how it is read. Every parameter has a value, a
unit and a citation; every rule has a citation.
"""

import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime, time
from decimal import Decimal
from typing import Annotated, Any, Final, Literal, Self

from pydantic import BaseModel, Field, model_validator

from yibao.domain.calendar import day_after, midnight
from yibao.domain.editions.benefits import Benefits
from yibao.domain.editions.citation import (
    Citation,
    DayParameter,
    Days,
    Flag,
    Hour,
    Minutes,
    Model,
    Months,
    Parameter,
    Phone,
    Places,
    Text,
    Yuan,
    in_unit,
)
from yibao.domain.editions.periods import Period, PeriodParameter, WaitingFloor
from yibao.domain.kept import kept
from yibao.domain.money import Fen
from yibao.domain.refusals import Misfit
from yibao.domain.vocabulary import (
    OWN_CODE,
    CalendarYear,
    Category,
    Document,
    EditionId,
    GivenDay,
    GivenInstant,
    Leaving,
    OpenWord,
    OwnCode,
    one_of,
)


class Parameters(Model):
    """All parameters of an edition, each beside the rule that reads it."""

    new_student_categories: Annotated[Parameter[tuple[Category, ...]], in_unit("categories")]  # R1
    autumn_from: DayParameter  # R1
    autumn_to: DayParameter  # R1
    for_students: (
        Annotated[Parameter[tuple[Literal["entrants", "continuing"], ...]], in_unit("students")]
        | None
    ) = None  # R1
    benefit_year: Annotated[Parameter[CalendarYear], in_unit("year")] | None = None  # R20
    benefit_from: DayParameter  # R20
    benefit_to: DayParameter  # R20
    roster_required: Flag  # R7
    enrolled_by: (
        Annotated[Parameter[Literal["confirmation", "payment"]], in_unit("event")] | None
    ) = None  # R34
    window_opens: (
        Annotated[Parameter[GivenInstant | Literal["registration_day"]], in_unit("instant")] | None
    ) = None  # R8
    window_closes_on: DayParameter | None = None  # R8
    concentrated_period: PeriodParameter | None = None  # R35
    extended_period: PeriodParameter | None = None  # R35
    late_period: PeriodParameter | None = None  # R35
    confirmation_places: Places  # R9
    first_premium: Yuan  # R11
    premium: Yuan | None = None  # R11
    table_premium: Yuan | None = None  # R11
    waiting_months_per_lapsed_year: Months  # R13; 0: the notice knows no waiting period
    waiting_repaired_per_year: Months | None = None  # R36
    waiting_floor: Annotated[Parameter[WaitingFloor], in_unit("months")] | None = None  # R36
    waiting_counts_from: Annotated[
        Parameter[GivenDay | Literal["enrollment"]], in_unit("day")
    ]  # R14
    waiting_counts_first_day: Flag  # R15
    result_visible_after: Minutes  # R17
    proxy_result_visible_after: Days  # R17
    evoucher_counts_from: Annotated[
        Parameter[Literal["confirmation", "account"]], in_unit("event")
    ]  # R19
    evoucher_opens_after: Days  # R19
    evoucher_hour: Hour  # R19
    documents_without_evoucher: Annotated[
        Parameter[tuple[Document, ...]], in_unit("documents")
    ]  # R5
    cover_after_account: Days  # R21
    cover_after_leaving: (
        Annotated[
            Parameter[dict[Leaving, Literal["ends", "until_benefit_to"]]],
            in_unit("kinds of leaving"),
        ]
        | None
    ) = None  # R38
    yearly_amounts_restart: (
        Annotated[Parameter[Literal["calendar_year", "benefit_period"]], in_unit("period")] | None
    ) = None  # R29
    activation_places: Places  # R23
    insurance_hotline: Phone  # R32
    insurance_hotline_elsewhere: Phone  # R32
    social_security_hotline: Phone  # R32


#: The sections that an enrollment depends on, and those that tell what is paid.
_OF_ENROLLMENT: Final = ("parameters", "rules")
_OF_BENEFITS: Final = ("benefits", "benefit_rules")
_OF_VALUES: Final = ("parameters", "benefits")

#: Reasons by notice, section and key.
Words = Mapping[str, Mapping[str, Mapping[str, Any]]]

#: Every rule a derivation may name; an edition must cite each. What follows a dash is a part
#: of the rule with a basis of its own.
RULES = (
    "R1",
    "R3",
    "R4",
    "R5",
    "R5-activated",
    "R7",
    "R8",
    "R9",
    "R10",
    "R11",
    "R12",
    "R13",
    "R13-recorded",
    "R14",
    "R15",
    "R16",
    "R17",
    "R18",
    "R18-recorded",
    "R18-registered-later",
    "R19",
    "R19-latest",
    "R20",
    "R20-registered-later",
    "R21",
    "R22",
    "R24",
    "R25",
    "R32",
)


#: Rules that an edition may cite; where it does not they are assumed, with the project's reason.
OPTIONAL_RULES: Final = {
    "R33": Text(
        en="the notice is silent on the year before; what was had then is taken to go on",
        zh="通知未涉及上一参保年度；推定上一年度已有的参保状况延续",
    ),
    "R34": Text(
        en="the notice is silent; who has paid is taken as enrolled from then on",
        zh="通知未写；推定自缴费成功时起参保",
    ),
    "R35": Text(
        en="the notice is silent; the first period that contains the day of joining is taken",
        zh="通知未写；以参保之日所在的第一个时段为准",
    ),
    "R36": Text(
        en="fixed months and those of lapsed years are taken as one period, less what was repaired",
        zh="固定待遇等待期与变动待遇等待期合并为一段连续计算，并扣除缴费修复的月数",
    ),
    "R37": Text(
        en="the fund is taken to pay no more than what is left of the year's limit",
        zh="推定医保基金支付不超过年度限额余额",
    ),
    "R38": Text(
        en="whether cover goes on after leaving is taken from how the student left",
        zh="离校后待遇是否延续，按离校方式推定",
    ),
}


def _uncited(rule: str, edition: str) -> Citation:
    return Citation(clause="none", basis="assumed", reason=OPTIONAL_RULES[rule], notice=edition)


class Policy(Model):
    """One edition, complete: what it extends has been filled in."""

    edition: EditionId
    title: Text
    extends: EditionId | None = None
    city: EditionId = "shanghai"
    words: dict[OwnCode, Text] = Field(default_factory=dict)
    parameters: Parameters
    rules: dict[str, Citation]
    benefits: Benefits | None = None
    benefit_rules: dict[str, Citation] = Field(default_factory=dict)

    def __hash__(self) -> int:
        # What a derivation stands on, an earlier edition among it, is a part of keys.
        return hash(self.edition)

    @model_validator(mode="after")
    def _is_consistent(self) -> Self:
        p = self.parameters
        _ordered(p.autumn_from, p.autumn_to)
        _ordered(p.benefit_from, p.benefit_to)
        if p.benefit_to.value.year > p.benefit_from.value.year + 1:
            raise _misfit(p.benefit_to, "the benefit year may not span more than one 1 January")
        if p.benefit_year and not p.benefit_from.value.year <= self.year <= p.benefit_to.value.year:
            raise _misfit(p.benefit_year, "lies outside the years of the benefit window")
        if p.for_students and not p.for_students.value:
            raise _misfit(p.for_students, "names nobody")
        for paid in (p.first_premium, p.premium, p.table_premium):
            if paid and (paid.value < 0 or paid.value != round(paid.value, 2)):
                raise _misfit(paid, "is no amount of yuan with two decimals")
        self._has_one_kind_of_window()
        self._has_words_for_its_codes()
        return self

    def _has_one_kind_of_window(self) -> None:
        """Raises Misfit where an edition has no window, both kinds of it, or an impossible one."""
        p = self.parameters
        for given in (p.window_opens, p.window_closes_on):
            if given and p.concentrated_period:
                raise _misfit(given, "follows from the concentrated period", ())
        for period in (p.extended_period, p.late_period):
            if period and not p.concentrated_period:
                raise _misfit(period, "needs a concentrated period as well", ())
        for each in self.periods:
            if each.value.closed_from > self.ends_at:
                raise _misfit(each, "the period may not close after the benefit year", ("closes",))
        if p.concentrated_period:
            return
        for name in ("window_opens", "window_closes_on"):
            if getattr(p, name) is None:
                raise Misfit(("parameters",), f"missing key {name!r}")
        assert p.window_opens
        assert p.window_closes_on
        if p.window_closes_on.value > p.benefit_to.value:
            raise _misfit(p.window_closes_on, "the window may not close after the benefit year")
        opens = p.window_opens.value
        if not isinstance(opens, str) and opens >= midnight(day_after(p.window_closes_on.value)):
            raise _misfit(p.window_closes_on, "the window may not close before it opens")

    def _has_words_for_its_codes(self) -> None:
        """Raises Misfit at a code that is neither of yibao's nor among the edition's words."""
        for section in _OF_VALUES:
            for name, given in dict(getattr(self, section) or {}).items():
                for where, code in _codes(given):
                    if not self.knows(code):
                        why = f"{name}: an unknown code, which the edition's words do not name"
                        raise Misfit((section, name, *where), why)

    def knows(self, code: str) -> bool:
        """Whether a code has a meaning here: one of yibao's, or of the edition's own words."""
        return code in self.words or (isinstance(code, OpenWord) and not code.is_own)

    def one_of(self, words: Iterable[str]) -> str:
        """Words of yibao's, and the edition's own, for whoever has named another."""
        return one_of((*words, *self.words))

    def __repr_args__(self) -> Iterator[tuple[str, Any]]:
        yield "edition", self.edition

    def __reduce__(self) -> tuple[Any, ...]:
        # Pickled by its content, from which each parameter is read as of its type again.
        return type(self).model_validate, (self.model_dump(),)

    @kept
    def digest(self) -> str:
        """A fingerprint of what an enrollment depends on: parameters and rules (SHA-256).

        What an edition says of other things does not belong to it, nor do the words of its
        reasons, and a parameter that is not given leaves no trace: the digest of a released
        edition stands for ever.
        """
        return _fingerprint(_without_reasons(self._content(*_OF_ENROLLMENT)))

    @kept
    def benefits_digest(self) -> str:
        """The same of what is paid: the table of benefits and its rules."""
        return _fingerprint(_without_reasons(self._content(*_OF_BENEFITS)))

    def digests_with(self, words: Words) -> tuple[str, str]:
        """Both digests as they were until 0.4.0: with the reasons, as they were worded then."""
        then = self._worded(words)
        return (
            _fingerprint(then._content(*_OF_ENROLLMENT)),
            _fingerprint(then._content(*_OF_BENEFITS)),
        )

    def cited(self, rule: str) -> Citation:
        """Where a rule stands; of R33 to R38 an edition need not tell."""
        found = self.rules.get(rule) or self.benefit_rules.get(rule)
        return found or _uncited(rule, self.edition)

    def _content(self, *sections: str) -> dict[str, Any]:
        """What the edition says in some sections, as JSON has it.

        Not by pydantic: what the handler of a signal raises in the middle is lost there, and with
        it a value.
        """
        found = {name: getattr(self, name) for name in ("edition", *sections)}
        return {name: _plain(value) for name, value in found.items() if value is not None}

    def _worded(self, words: Words) -> Self:
        """The same with other reasons, where a notice has such words for one of its citations."""
        content = self.model_dump()
        for section in (*_OF_ENROLLMENT, *_OF_BENEFITS):
            for key, cited in (content[section] or {}).items():
                if cited and key in words.get(cited["notice"], {}).get(section, {}):
                    cited["reason"] = words[cited["notice"]][section][key]
        return self.model_validate(content)

    @kept
    def year(self) -> int:
        """The benefit year (参保年度): the calendar year that the premium is for."""
        p = self.parameters
        return p.benefit_year.value if p.benefit_year else p.benefit_from.value.year

    @kept
    def periods(self) -> tuple[Parameter[Period], ...]:
        """The periods in which to join, in the order in which they count (R35); none: a window."""
        p = self.parameters
        return tuple(filter(None, (p.concentrated_period, p.extended_period, p.late_period)))

    @kept
    def enrolled_by_payment(self) -> bool:
        """Whether the payment enrolls, instead of a confirmation (R34)."""
        by = self.parameters.enrolled_by
        return by is not None and by.value == "payment"

    def is_for(self, students: str) -> bool:
        """Whether entrants, or continuing students, may join under this edition (R1)."""
        whom = self.parameters.for_students
        return students in (whom.value if whom else ("entrants",))

    def is_enrolled_by(self, year_paid: int | None) -> bool:
        """Whether the payment for a year enrolls under this edition (R34)."""
        return self.enrolled_by_payment and year_paid == self.year

    @kept
    def ends_at(self) -> datetime:
        """The first instant after the benefit year."""
        return midnight(day_after(self.parameters.benefit_to.value))

    @kept
    def knows_waiting_periods(self) -> bool:
        """Whether a lapse in cover has any effect under this edition (R12)."""
        return self.parameters.waiting_months_per_lapsed_year.value > 0

    @kept
    def has_fixed_waiting(self) -> bool:
        """Whether who joins in some period waits for months that are fixed (R35)."""
        return any(period.value.fixed_waiting_months for period in self.periods)

    @kept
    def may_wait(self) -> bool:
        """Whether the edition knows any waiting period."""
        return self.knows_waiting_periods or self.has_fixed_waiting

    @kept
    def waits_by_joining(self) -> bool:
        """Whether a waiting period may depend on when one joins (R14, R35)."""
        return self.parameters.waiting_counts_from.value == "enrollment" or self.has_fixed_waiting


def _codes(given: Parameter[Any] | None) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """The codes in a value, and where; whom to call may be a code in the place of a number."""
    value = given.value if given else None
    for n, each in enumerate(value if isinstance(value, tuple) else ()):
        if isinstance(each, OpenWord):
            yield ("value", n), each
    if given and given.unit == "phone number" and re.fullmatch(OWN_CODE, given.value):
        yield ("value",), given.value


def _plain(value: Any) -> Any:
    if isinstance(value, BaseModel):
        return {name: _plain(each) for name, each in value if each is not None}
    if isinstance(value, dict):
        return {name: _plain(each) for name, each in value.items()}
    if isinstance(value, tuple):
        return [_plain(each) for each in value]
    if isinstance(value, date | time):  # an instant is a date as well
        return value.isoformat()
    return str(value) if isinstance(value, Decimal | Fen) else value


def _without_reasons(content: dict[str, Any]) -> dict[str, Any]:
    for section in content.values():
        if isinstance(section, dict):
            for cited in section.values():
                cited.pop("reason", None)
    return content


def _fingerprint(content: dict[str, Any]) -> str:
    text = json.dumps(content, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def _misfit(parameter: Parameter[Any], why: str, inner: tuple[str, ...] | None = None) -> Misfit:
    """A parameter that does not fit; `inner` is where in its value, () the parameter itself."""
    where = ("value",) if inner is None else ("value", *inner) if inner else ()
    return Misfit(("parameters", parameter.name, *where), f"{parameter.name}: {why}")


def _ordered(first: Parameter[date], last: Parameter[date]) -> None:
    if last.value < first.value:
        raise _misfit(last, f"may not lie before {first.name}")
