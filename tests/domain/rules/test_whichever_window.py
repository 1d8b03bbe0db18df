"""Whose answer is the same whichever of some windows holds."""

from typing import Any

from given import confirmed, continuing, given, keep, other_cover, registered, roster

from yibao.domain.calendar import read_instant
from yibao.domain.rules.obstacles import confirmed_whichever_holds
from yibao.domain.rules.window import Window

SIGNED = "2025-09-06 10:00"
IN_TIME = given(registered("2025-09-01"), roster(), confirmed(SIGNED)).case
WINDOW = IN_TIME.latest_window
LATER = read_instant("2025-09-07 10:00")


def of(**ends: Any) -> Window:
    """The window with other ends."""
    (span,) = WINDOW.spans
    return WINDOW._replace(spans=(span._replace(**ends),), **ends)


def test_who_has_confirmed_in_time_for_each_of_them_is_answered_alike() -> None:
    just_open = of(opens_at=read_instant(SIGNED))
    assert confirmed_whichever_holds(IN_TIME, [WINDOW, just_open], LATER)


def test_at_the_very_instant_of_the_confirmation_that_is_not_said() -> None:
    assert not confirmed_whichever_holds(IN_TIME, [WINDOW], read_instant(SIGNED))


def test_a_window_that_opened_later_or_was_closed_by_then_makes_a_difference() -> None:
    later = of(opens_at=LATER)
    closed = of(closed_from=read_instant("2025-09-06 00:00"))
    just_closed = of(closed_from=read_instant(SIGNED))
    for other in (later, closed, just_closed):
        assert not confirmed_whichever_holds(IN_TIME, [WINDOW, other], LATER)


def test_where_there_are_periods_it_matters_in_which_one_has_joined() -> None:
    periods = continuing(enrolled_by=None)
    joined = given(registered("2025-11-15"), confirmed("2025-11-20 10:00"), policy=periods).case
    assert len(joined.policy.periods) == 2
    later = read_instant("2025-11-21 10:00")
    assert not confirmed_whichever_holds(joined, [joined.latest_window], later)


def test_who_has_not_confirmed_or_has_opted_out_is_not_answered_alike() -> None:
    nobody = given(registered("2025-09-01"), roster()).case
    out = given(
        registered("2025-09-01"),
        roster(),
        confirmed(SIGNED),
        other_cover("2025-09-06 11:00", "other_province"),
        keep("2025-09-06 12:00", observed=True),
    ).case
    for case in (nobody, out):
        assert not confirmed_whichever_holds(case, [WINDOW], LATER)
