"""On which lists of the officer a student stands, by her next steps and what is to be looked at."""

import sys
from collections.abc import Callable, Iterator, Sequence
from datetime import date, datetime, time, timedelta
from typing import Any, Final, NamedTuple, Protocol, TypeVar

from yibao.domain.calendar import at_hour, day_before, in_shanghai, midnight
from yibao.domain.vocabulary import EnrollmentId
from yibao.projections.answer import Answer, answered
from yibao.projections.care import review
from yibao.projections.record import Knowledge, Record

#: Proxies that nobody has entered yet are no facts: they are kept in the directory.
PROXIES: Final = "proxies-to-enter"
#: Of whom something does not fit.
UNFIT: Final = "discrepancies"


class Due(NamedTuple):
    """A list on which an enrollment stands.

    `days_left` to do it, on the last day 1; `ends_on` is the last day of waiting.
    """

    name: str
    enrollment: EnrollmentId
    days_left: int | None = None
    ends_on: date | None = None


def noon(on: date) -> datetime:
    """The instant about which a day is asked: 12:00, in Shanghai."""
    return at_hour(on, time(12))


def urgency(due: Due) -> tuple[int, date, EnrollmentId]:
    """Whose last day comes first, or who has waited to the end; who has no such day comes last."""
    return due.days_left or sys.maxsize, due.ends_on or date.max, due.enrollment


def due_of(record: Record, knowledge: Knowledge, at: datetime) -> Iterator[Due]:
    """The lists on which an enrollment stands at an instant, each once, by what is known of her."""
    answer = answered(knowledge, at)
    whose = answer.enrollment
    for name, step in lists_of(answer.next_steps):
        yield due_until(name, whose, step.until, at)
    if answer.discrepancies:
        yield Due(UNFIT, whose)
    if _is_to_be_reviewed(record, answer, knowledge, at):
        yield Due("care-review", whose)


class Stands(Protocol):
    """A step that stands, of one or of many."""

    @property
    def code(self) -> str: ...

    @property
    def who(self) -> str: ...


S = TypeVar("S", bound=Stands)


def lists_of(steps: Sequence[S]) -> Iterator[tuple[str, S]]:
    """The lists on which somebody stands for her steps, each once, with the step."""
    for name, stands in _STEPS.items():
        for step in filter(stands, steps):
            yield name, step
            break


def due_until(name: str, whose: EnrollmentId, until: datetime | None, at: datetime) -> Due:
    """That an enrollment is on a list at an instant, for a step that may be taken until another."""
    return Due(name, whose, **_TOLD.get(name, _nothing)(until, at))


def _is_to_be_reviewed(record: Record, answer: Answer, knowledge: Knowledge, at: datetime) -> bool:
    return bool(answer.care_version and review(record, at, record.latest))


def _is(*codes: str) -> Callable[[Stands], bool]:
    return lambda step: step.code in codes


def _is_for_the_officer(step: Stands) -> bool:
    """R17: a proxy's result shows to her, who has to tell the student."""
    return step.code == "look_at_result" and step.who == "officer"


def _nothing(until: datetime | None, at: datetime) -> dict[str, Any]:
    return {}


def _days_left(until: datetime | None, at: datetime) -> dict[str, Any]:
    if until is None:
        return {}
    left = in_shanghai(until) - midnight(in_shanghai(at).date())
    return {"days_left": -(-left // timedelta(days=1))}


def _ends_on(until: datetime | None, at: datetime) -> dict[str, Any]:
    assert until is not None  # a waiting period has an end
    return {"ends_on": day_before(in_shanghai(until).date())}


#: The lists on which somebody is while a step stands.
_STEPS: Final[dict[str, Callable[[Stands], bool]]] = {
    "not-declared": _is("await_roster_declaration"),
    "not-confirmed": _is("confirm"),
    "proxy-results": _is_for_the_officer,
    "waiting": _is("await_waiting_period"),
    "evoucher": _is("activate_evoucher"),
    "employee-cover": _is("stop_employee_cover"),
    "cards": _is("try_evoucher_or_get_medical_card"),
    # Where one joins by paying that is this year's, once the next is registered.
    "next-premium": _is("pay_next_premium", "pay_premium"),
}
_TOLD: Final = {"not-confirmed": _days_left, "waiting": _ends_on}

#: The names of all lists, in the order of the page.
LISTS: Final = (
    "not-declared",
    "not-confirmed",
    PROXIES,
    "proxy-results",
    "waiting",
    "evoucher",
    "employee-cover",
    "cards",
    "next-premium",
    UNFIT,
    "care-review",
)
