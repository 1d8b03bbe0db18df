"""The confirmation window (R8): provisional in the edition, fixed later by recorded facts."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any, NamedTuple

from yibao.domain.calendar import day_after, midnight
from yibao.domain.editions import Parameter, Policy
from yibao.domain.facts import Current, events
from yibao.domain.vocabulary import Category

WindowFix = Current[events.WindowFixed]


class Window(NamedTuple):
    """When one may confirm: from `opens_at` until the end of the day `closes_on`.

    `opened_by` and `closed_by` are what each end rests on: a recorded fix, or the edition's
    parameter, and then the end is an estimate wherever the parameter is assumed.
    """

    opens_at: datetime
    closes_on: date
    opened_by: WindowFix | Parameter[Any]
    closed_by: WindowFix | Parameter[Any]

    @property
    def closed_from(self) -> datetime:
        """The first instant after the window."""
        return midnight(day_after(self.closes_on))


def confirmation_window(
    policy: Policy,
    fixes: Sequence[WindowFix],
    school: str | None,
    category: Category | None,
    registered_on: date,
) -> Window:
    """The window for students of a school and category, each end fixed by the nearest fix."""
    opening = _nearest([fix for fix in fixes if fix.event.opens], school, category)
    closing = _nearest([fix for fix in fixes if fix.event.closes_on], school, category)
    provisional = policy.parameters.window_opens
    if opening and opening.event.opens:
        opens_at = opening.event.opens
    elif isinstance(provisional.value, str):
        opens_at = midnight(registered_on)
    else:
        opens_at = provisional.value
    closes_on = policy.parameters.window_closes_on.value
    if closing and closing.event.closes_on:
        closes_on = closing.event.closes_on
    return Window(
        opens_at, closes_on, opening or provisional, closing or policy.parameters.window_closes_on
    )


def fixes_that_count(fixes: Sequence[WindowFix]) -> tuple[WindowFix, ...]:
    """The fixes without those that no window rests on: for the same students there is a later one.

    However often windows are fixed, it is as many as there are schools and categories named.
    """
    latest: dict[Any, WindowFix] = {}
    for fix in fixes:
        event = fix.event
        for end in ("opens", "closes_on"):
            if getattr(event, end):
                which = end, event.school, event.category
                latest[which] = max(latest.get(which, fix), fix, key=lambda each: each.moment)
    counting = {fix.moment for fix in latest.values()}
    return tuple(fix for fix in fixes if fix.moment in counting)


def _nearest(
    fixes: Sequence[WindowFix], school: str | None, category: Category | None
) -> WindowFix | None:
    """School and category before school, school before category, category before all."""
    fitting = [
        fix
        for fix in fixes
        if fix.event.school in (None, school) and fix.event.category in (None, category)
    ]
    return max(
        fitting,
        key=lambda fix: (fix.event.school is not None, fix.event.category is not None, fix.moment),
        default=None,
    )
