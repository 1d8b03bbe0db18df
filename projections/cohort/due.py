"""Of what is somebody told when its time comes? The notices that follow from what is known.

Each is the instant of a value of the answer, so nothing here is a rule of its own. What only time
has to decide, such as whether somebody still joins in the year before, is due once it has.
"""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Final, NamedTuple

from yibao.domain.calendar import FIRST_YEAR, LAST_YEAR, day_after, midnight
from yibao.domain.derivation import is_known
from yibao.domain.facts import is_proxy
from yibao.domain.lifecycle import state_at, timeline
from yibao.domain.rules import (
    Case,
    as_of,
    values,
    visible_at,
    waiting_before_joining,
    while_unconfirmed,
)
from yibao.domain.vocabulary import PENDING, DayRange, WaitingPeriod
from yibao.projections.next_step import next_steps
from yibao.projections.record import Knowledge

#: So many days before the window closes who has not joined is told of it.
DAYS_BEFORE: Final = 3

#: Of what one is told.
KINDS: Final = (
    "result_visible",
    "waiting_over",
    "evoucher_opens",
    "cover_begins",
    "cover_ends",
    "window_closes",
)

_EVER: Final = midnight(date(FIRST_YEAR, 1, 1))
_AT_LAST: Final = midnight(date(LAST_YEAR, 12, 31))
_JUST: Final = timedelta.resolution


class Notice(NamedTuple):
    """Of what somebody is told, and from when on."""

    kind: str
    due: datetime


def notices(knowledge: Knowledge, days_before: int = DAYS_BEFORE) -> tuple[Notice, ...]:
    """What falls due, as known, at whatever instant; at most one of a kind, the earliest first.

    - `result_visible`: a proxy's result shows to the officer, who tells the student (R17);
    - `waiting_over`: 00:00 of the day after the waiting period, for whom it was to be awaited;
    - `evoucher_opens`: the e-voucher can be had, unless the year before has told of it (R33);
    - `cover_begins`, `cover_ends`: 00:00 of the first day of cover, and of the day after the last;
    - `window_closes`: so many days before one lapses, for who has neither joined nor opted out.
    """
    case = knowledge.case
    if case is None or case.facts.registration is None:
        return ()
    found = [*_of_the_result(case), *_of_values(case), *_of_the_window(case, days_before)]
    return tuple(sorted(found, key=lambda notice: (notice.due, KINDS.index(notice.kind))))


def _of_the_result(case: Case) -> Iterator[Notice]:
    """R17: what a proxy entered, unless the student has left by then or needs no check (R33)."""
    if not case.episodes or (case.before and case.before.enrolled):
        return
    confirmation, opt_out, _ = case.episodes[-1]
    if not is_proxy(confirmation):
        return
    shows = visible_at(case, confirmation).value
    left = case.withdrawal and midnight(case.facts.first_day_outside(case.withdrawal)) <= shows
    if not (left or (opt_out and opt_out.at <= shows)):
        yield Notice("result_visible", shows)


def _of_values(case: Case) -> Iterator[Notice]:
    decided_at = _decided_at(case)
    known = values(as_of(case, _AT_LAST), _AT_LAST)
    waiting, evoucher, cover = known.waiting, known.evoucher_available_at, known.coverage.value
    if isinstance(waiting.value, WaitingPeriod):
        over = midnight(day_after(waiting.value.last))
        if _is_awaited_until(case, over):
            yield Notice("waiting_over", max(over, decided_at))
    if is_known(evoucher):
        begins = midnight(case.policy.parameters.benefit_from.value)
        if evoucher.rule != "R33" or evoucher.value >= begins:
            yield Notice("evoucher_opens", max(evoucher.value, decided_at))
    if isinstance(cover, DayRange):
        yield Notice("cover_begins", max(midnight(cover.first), decided_at))
        yield Notice("cover_ends", max(midnight(day_after(cover.last)), decided_at))


def _is_awaited_until(case: Case, over: datetime) -> bool:
    """Whether the end of a waiting period is a step of the student until it comes."""
    before = over - _JUST
    standing = as_of(case, before)
    change = state_at(timeline(standing), before)
    steps = next_steps(standing, before, change.state if change else None)
    return any(step.code == "await_waiting_period" for step in steps)


def _decided_at(case: Case) -> datetime:
    """From when no year before is open any more: one could still have joined in it (R33)."""
    before = case.before
    if before is None:
        return _EVER
    turns = {_EVER}
    while before:
        if before.facts.registration:
            turns |= before.latest_window.turns
            if before.withdrawal:
                turns.add(midnight(before.facts.first_day_outside(before.withdrawal)))
        before = before.before
    return next(turn for turn in sorted(turns) if not _is_open(as_of(case, turn)))


def _is_open(case: Case) -> bool:
    """Whether one may still join in any of the years before."""
    before = case.before
    return before is not None and (before.undecided is not None or _is_open(before))


def _of_the_window(case: Case, days_before: int) -> Iterator[Notice]:
    """R10, R35: before one lapses; for who is registered later, before the end of it all."""
    window, begins = case.latest_window, midnight(case.registered_on)
    ends = (window.lapses.closed_from, window.closed_from)
    closes = next((end for end in ends if end > begins), None)
    if closes is None:
        return
    if while_unconfirmed(case, closes - _JUST, waiting_before_joining(case)).value is PENDING:
        yield Notice("window_closes", closes - timedelta(days=days_before))
