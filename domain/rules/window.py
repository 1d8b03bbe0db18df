"""The window in which to join (R8), or the periods it consists of (R35).

Provisional in the edition, it is fixed later by recorded facts.
"""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple

from yibao.domain.calendar import day_after, midnight
from yibao.domain.editions import Parameter, Period, Policy
from yibao.domain.facts import Current, events
from yibao.domain.vocabulary import Category

WindowFix = Current[events.WindowFixed]
End = WindowFix | Parameter[Any]


class Span(NamedTuple):
    """A time in which to join: from `opens_at` until `closed_from`, the first instant outside.

    `opened_by` and `closed_by` are what each end rests on: a recorded fix, or the edition's
    parameter, and then the end is an estimate wherever the parameter is assumed. `terms` are those
    of the period that this is, None for the window of an edition without periods.
    """

    opens_at: datetime
    closed_from: datetime
    opened_by: End
    closed_by: End
    terms: Parameter[Period] | None = None

    @property
    def fixed_waiting_months(self) -> int:
        """How long everybody waits who joins in it, whatever lapsed before."""
        return self.terms.value.fixed_waiting_months if self.terms else 0


class Window(NamedTuple):
    """When one may join: in any of these spans, of which the first that contains an instant counts.

    It opens with the first instant inside, and is closed from the first after all of it. `lapses`
    is the last span but a late one: when that ends, who has not joined has lapsed (R10, R35).
    """

    spans: tuple[Span, ...]
    opens_at: datetime
    closed_from: datetime
    opened_by: End
    closed_by: End
    lapses: Span

    @property
    def closes_on(self) -> date:
        """The last day of it, of which perhaps not all is inside."""
        return (self.closed_from - timedelta.resolution).date()

    def span_at(self, at: datetime) -> Span | None:
        """The first of the spans that contains an instant."""
        for span in self.spans:
            if span.opens_at <= at < span.closed_from:
                return span
        return None

    def next_span(self, at: datetime) -> Span | None:
        """The span that contains an instant, or the next that is to come."""
        ahead = [span for span in self.spans if span.opens_at > at]
        return self.span_at(at) or min(ahead, key=lambda span: span.opens_at, default=None)

    def is_missed(self, at: datetime) -> bool:
        """Whether who joined at an instant has missed it: after its end or, of periods, in none.

        Before a window without periods one could only have been early, which is no matter (R10).
        """
        if self.spans[0].terms is None:
            return at >= self.closed_from
        return self.span_at(at) is None

    @property
    def turns(self) -> set[datetime]:
        """The instants at which a span begins or ends."""
        return {at for span in self.spans for at in (span.opens_at, span.closed_from)}


def confirmation_window(
    policy: Policy,
    fixes: Sequence[WindowFix],
    school: str | None,
    category: Category | None,
    registered_on: date,
) -> Window:
    """The window for students of a school and category, each end fixed by the nearest fix.

    What is fixed of an edition with periods is the concentrated one.
    """
    opens_at, closed_from, opened_by, closed_by, terms = _provisional(policy, registered_on)
    for fix in _nearest_last(fixes, school, category):
        if opens := fix.event.opens:
            opens_at, opened_by = opens, fix
        if closed := fix.event.closed_from:
            closed_from, closed_by = closed, fix
    first = Span(opens_at, closed_from, opened_by, closed_by, terms)
    if not policy.periods:
        return Window((first,), opens_at, closed_from, opened_by, closed_by, first)
    return _window((first, *map(_span, policy.periods[1:])), policy)


def _window(spans: tuple[Span, ...], policy: Policy) -> Window:
    """A window of several spans; a late one is the last of them."""
    in_time = spans[:-1] if policy.parameters.late_period else spans
    opening = min(spans, key=lambda span: span.opens_at)
    closing, lapses = (max(some, key=lambda span: span.closed_from) for some in (spans, in_time))
    return Window(
        spans,
        opening.opens_at,
        closing.closed_from,
        opening.opened_by,
        closing.closed_by,
        lapses,
    )


def _provisional(policy: Policy, registered_on: date) -> Span:
    if policy.periods:
        return _span(policy.periods[0])
    opens, closes = policy.parameters.window_opens, policy.parameters.window_closes_on
    # An edition without periods names both ends, or it could not be read.
    assert opens is not None
    assert closes is not None
    opens_at = midnight(registered_on) if isinstance(opens.value, str) else opens.value
    return Span(opens_at, midnight(day_after(closes.value)), opens, closes)


def _span(period: Parameter[Period]) -> Span:
    value = period.value
    return Span(value.opens_at, value.closed_from, period, period, period)


def fixes_that_count(fixes: Sequence[WindowFix]) -> tuple[WindowFix, ...]:
    """The fixes without those that no window rests on: for the same students there is a later one.

    However often windows are fixed, it is as many as there are schools and categories named.
    """
    latest: dict[Any, WindowFix] = {}
    for fix in fixes:
        event = fix.event
        for end in ("opens", "closed_from"):
            if getattr(event, end):
                which = end, event.school, event.category
                latest[which] = max(latest.get(which, fix), fix, key=lambda each: each.moment)
    counting = {fix.moment for fix in latest.values()}
    return tuple(fix for fix in fixes if fix.moment in counting)


def _nearest_last(
    fixes: Sequence[WindowFix], school: str | None, category: Category | None
) -> Sequence[WindowFix]:
    """Those for a school and category: school and category last, then school, category, all."""
    fitting = [
        fix
        for fix in fixes
        if fix.event.school in (None, school) and fix.event.category in (None, category)
    ]
    fitting.sort(
        key=lambda fix: (fix.event.school is not None, fix.event.category is not None, fix.moment)
    )
    return fitting
