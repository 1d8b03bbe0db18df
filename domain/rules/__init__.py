"""The rules: one small function each, returning a value and how it came about.

Everything follows from the current facts, the edition and, while no confirmation is known, the
instant asked about (R25). A value whose rule needs a fact not yet known is PENDING; a value
that cannot be is None; both say why.
"""

import reprlib
from datetime import date, datetime
from typing import NamedTuple

from yibao.domain.derivation import Derived
from yibao.domain.facts import Episode
from yibao.domain.rules.account import (
    account_day,
    account_instant,
    account_while_unconfirmed,
    visible_at,
)
from yibao.domain.rules.carrying import as_of, without_registration
from yibao.domain.rules.case import Around, Case
from yibao.domain.rules.cover import benefit_window
from yibao.domain.rules.evoucher import (
    evoucher_eligible_at,
    evoucher_instant,
    evoucher_while_unconfirmed,
    has_document_without_evoucher,
)
from yibao.domain.rules.obstacles import confirmed_whichever_holds, while_unconfirmed
from yibao.domain.rules.waiting import (
    Waiting,
    counting_check,
    first_waiting_day,
    waiting_before_joining,
    waiting_period,
    waiting_while_unconfirmed,
)
from yibao.domain.rules.window import Span, Window, WindowFix, confirmation_window, fixes_that_count
from yibao.domain.vocabulary import DayRange, Pending, WaitingPeriod

__all__ = [
    "Around",
    "Case",
    "Span",
    "Values",
    "Waiting",
    "Window",
    "WindowFix",
    "account_instant",
    "as_of",
    "confirmation_window",
    "confirmed_whichever_holds",
    "counting_check",
    "evoucher_eligible_at",
    "first_waiting_day",
    "fixes_that_count",
    "has_document_without_evoucher",
    "values",
    "values_of",
    "visible_at",
    "waiting_before_joining",
    "waiting_period",
    "while_unconfirmed",
    "without_registration",
]


class Values(NamedTuple):
    """The four values of an answer, each with its derivation."""

    waiting: Derived[WaitingPeriod | Pending | None]
    account_built_on: Derived[date | Pending | None]
    evoucher_available_at: Derived[datetime | Pending | None]
    coverage: Derived[DayRange | Pending | None]

    def __repr__(self) -> str:
        told = ", ".join(f"{each.name}={reprlib.repr(each.value)}" for each in self)
        return f"<Values {told}>"


def values(case: Case, at: datetime) -> Values:
    """The values as known; `at` decides only whether a missing confirmation may still come.

    They are the same object for two instants between which nothing turns.
    """
    if case.facts.registration is None:
        return case.once("values", _values_without_registration)
    if case.episodes:
        return values_of(case, case.episodes[-1])
    undecided = while_unconfirmed(case, at, waiting_before_joining(case))
    # Whatever the instant, it rests on the same choice, leaving, or end of a span.
    key = ("values", undecided.because, undecided.rule, *map(id, undecided.inputs[:1]))
    return case.once(key, lambda: _values_of_none(case, undecided))


def _values_without_registration() -> Values:
    return Values(*(Derived(name, None, "R1", because="not_registered") for name in Values._fields))


def _values_of_none(case: Case, undecided: Derived[Pending | None]) -> Values:
    """The values while there is no confirmation."""
    account = account_while_unconfirmed(case, undecided)
    if account.value is None:
        undecided = account.of(undecided.name, None)
    return Values(
        waiting_while_unconfirmed(case, undecided),
        account,
        evoucher_while_unconfirmed(case, undecided),
        undecided._replace(name="coverage"),
    )


def values_of(case: Case, episode: Episode) -> Values:
    """The values that follow from one confirmation."""

    def derive() -> Values:
        waiting = waiting_period(case, episode.confirmation)
        account = account_day(case, episode, waiting)
        coverage = benefit_window(case, episode, waiting, account)
        evoucher = evoucher_instant(case, episode, waiting, account, coverage)
        return Values(waiting, account, evoucher, coverage)

    return case.shared(("values", episode.key), derive)
