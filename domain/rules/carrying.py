"""What of the years before is still open at an instant (R33)."""

from datetime import datetime

from yibao.domain.derivation import Derived
from yibao.domain.rules.account import account_while_unconfirmed
from yibao.domain.rules.case import Case
from yibao.domain.rules.obstacles import while_unconfirmed
from yibao.domain.rules.waiting import waiting_before_joining
from yibao.domain.vocabulary import PENDING, Pending


def as_of(case: Case, at: datetime) -> Case:
    """The case as it stands at an instant: in a year before, one may still join then, or no longer.

    It is the same object where that makes no difference, as it never does once somebody has joined.
    """
    if case.before is None:
        return case
    before = as_of(case.before, at)
    undecided = _undecided(before, at)
    told = _told_by(undecided)
    if before is case.before and told == _told_by(before.undecided):
        return case

    def open_before() -> Case:
        marked = _with(before, before.before, undecided)
        return _with(case, marked, case.undecided)

    return case.once(("as of", id(before), told), open_before)


def without_registration(before: Case) -> Case:
    """The case of a year in between without a registration: all it has is what it was given.

    Under whatever edition, of which nothing is asked.
    """
    return before.once("a year without", lambda: Case(before.policy, (), before=before))


def _undecided(case: Case, at: datetime) -> Derived[Pending] | None:
    """That one may still join in a year at an instant, where nobody has."""
    if case.facts.registration is None or case.episodes:
        return None
    found = while_unconfirmed(case, at, waiting_before_joining(case))
    if found.value is None or account_while_unconfirmed(case, found).value is None:
        return None
    return Derived(found.name, PENDING, found.rule, found.inputs, found.because)


def _told_by(undecided: Derived[Pending] | None) -> tuple[int, ...] | None:
    """By what one may still join, if nobody has."""
    return undecided and tuple(map(id, undecided.inputs))


def _with(case: Case, before: Case | None, undecided: Derived[Pending] | None) -> Case:
    return Case(
        case.policy,
        case.known,
        case.fixes,
        case.facts,
        None,
        before,
        case.following,
        undecided,
    )
