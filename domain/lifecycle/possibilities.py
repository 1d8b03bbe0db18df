"""What can be done about an enrollment at an instant, and what is in the way?

Asked of the machine of the table, guard by guard. A report is recorded whatever its guards say;
those that are not passed tell that it would not fit.
"""

from collections.abc import Iterator
from datetime import datetime
from functools import cache
from typing import Final, NamedTuple

from yibao.domain.calendar import midnight
from yibao.domain.facts import Episode
from yibao.domain.lifecycle.guards import GUARDS, request
from yibao.domain.lifecycle.table import COMMANDED, refusals_of
from yibao.domain.refusals import Code
from yibao.domain.rules import Case, account_instant, values_of


class Guard(NamedTuple):
    """One guard of a command: the code it refuses with, and whether it lets one pass.

    `passes_from` is the instant from which it would, where it does not and what is known tells.
    """

    code: Code
    passed: bool
    passes_from: datetime | None


class Possible(NamedTuple):
    """A command of the table, with its guards in the order in which they are tested."""

    command: str
    guards: tuple[Guard, ...]


def possible(case: Case | None, at: datetime) -> tuple[Possible, ...]:
    """What could be asked for at an instant, for every command of the table.

    `case` is None for somebody unknown. Who is not registered passes the guards that forbid what
    has not happened, and none that asks for a registration or what follows from one.
    """

    @cache
    def guard(code: Code) -> Guard:
        if case is None or case.facts.registration is None:
            return Guard(code, code in _PASSED_BY_NOBODY, None)
        passed = _passes(code, case, at)
        return Guard(code, passed, None if passed else _passes_from(code, case, at))

    enrolls = case is not None and case.policy.enrolled_by_payment
    return tuple(
        Possible(row.trigger, tuple(map(guard, refusals_of(row.trigger, enrolls=enrolls))))
        for row in COMMANDED
    )


#: The codes of what somebody has done who is not there.
_PASSED_BY_NOBODY: Final = frozenset(
    {
        "already_registered",
        "not_a_new_student",
        "withdrawn",
        "enrolled_by_payment",
        "already_confirmed",
        "opted_out",
    }
)


def _passes(code: Code, case: Case, at: datetime) -> bool:
    return not GUARDS[code](request(case, at))


def _passes_from(code: Code, case: Case, at: datetime) -> datetime | None:
    """The first instant from then on at which a guard passes, if there is one."""
    later = sorted({instant for instant in _turns(case) if instant > at})
    return next((instant for instant in later if _passes(code, case, instant)), None)


def _turns(case: Case) -> Iterator[datetime]:
    """Every instant at which some guard turns, and perhaps others."""
    yield case.policy.ends_at
    yield midnight(case.registered_on)
    if case.withdrawal:
        yield midnight(case.facts.first_day_outside(case.withdrawal))
    for window in case.windows():
        yield from window.turns
    for fact in (*case.known, *case.chosen):
        yield fact.at
    if case.before and case.before.facts.registration:
        yield from _turns(case.before)
    for confirmation, opt_out, _ in case.episodes:
        for episode in (Episode(confirmation, opt_out), Episode(confirmation, None)):
            values = values_of(case, episode)
            built = account_instant(case, episode.confirmation, values.account_built_on)
            if built:
                yield built.value
            if isinstance(values.evoucher_available_at.value, datetime):
                yield values.evoucher_available_at.value
