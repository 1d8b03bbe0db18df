"""When one may join, and what follows from joining then: what the periods of an edition say."""

from datetime import date, datetime
from typing import Annotated, Any, Literal, Self

from pydantic import AwareDatetime, BeforeValidator, model_validator

from yibao.domain.calendar import day_after, in_shanghai, midnight, read_day, read_instant
from yibao.domain.editions.citation import Count, Model, Parameter, in_unit
from yibao.domain.vocabulary import Day

#: From when care is covered, by the fact that decides (R35).
CoverFrom = Literal[
    "registration", "benefit_from", "enrollment_day", "day_after_enrollment", "first_of_next_month"
]


def _read_end(given: Any) -> Any:
    """A day or, with a time, an instant, as people write them."""
    if isinstance(given, str):
        return read_day(given) if len(given) <= len("2025-09-06") else read_instant(given)
    if not isinstance(given, date):
        raise ValueError("a day or an instant is text, or a date or datetime")
    return in_shanghai(given) if isinstance(given, datetime) else given


End = Annotated[Day | AwareDatetime, BeforeValidator(_read_end)]


class Period(Model):
    """One period in which to join: its ends, from when it covers, and how long one waits first.

    A day means its start where the period opens, and its end where it closes; an instant is the
    first inside, and the first outside.
    """

    opens: End
    closes: End
    cover_from: CoverFrom = "registration"
    fixed_waiting_months: Count = 0

    @model_validator(mode="after")
    def _opens_before_it_closes(self) -> Self:
        if self.closed_from <= self.opens_at:
            raise ValueError("the period may not close before it opens")
        return self

    @property
    def opens_at(self) -> datetime:
        """The first instant inside."""
        return self.opens if isinstance(self.opens, datetime) else midnight(self.opens)

    @property
    def closed_from(self) -> datetime:
        """The first instant outside."""
        if isinstance(self.closes, datetime):
            return self.closes
        return midnight(day_after(self.closes))


class WaitingFloor(Model):
    """From so many lapsed years on, repairs leave at least so many months of waiting (R36)."""

    lapsed_years: Count
    months: Count


PeriodParameter = Annotated[Parameter[Period], in_unit("period")]
