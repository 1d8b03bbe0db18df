"""Which recorded facts do not fit: those whose guards would refuse them, as now known."""

from collections.abc import Iterator
from functools import cache
from typing import NamedTuple

from yibao.domain.facts import AnyFact, events
from yibao.domain.facts.commands import COMMAND_OF
from yibao.domain.lifecycle import Attempt, first_refusal, idle_guards, refusals_of
from yibao.domain.refusals import Code
from yibao.domain.rules import Case, as_of


class Discrepancy(NamedTuple):
    """The code of the first guard that would refuse the fact, and the fact's place.

    That is in the stream of `year`, where this is another than the one asked about.
    """

    code: Code
    version: int
    year: int | None = None


def discrepancies(case: Case) -> tuple[Discrepancy, ...]:
    """The current facts that would be refused, in the order of the stream.

    Each is judged without itself; what is exclusive looks only at the facts before it. A payment
    for this year that was told in the year before is judged there alone (R34). Without a
    registration nothing can be judged, and the list is empty.
    """
    if case.facts.registration is None:
        return ()
    return case.once("discrepancies", lambda: tuple(_found(case)))


def _found(case: Case) -> Iterator[Discrepancy]:
    yield from told_before(case)
    for fact in case.known:
        code = refusal(case, fact)
        if code is not None:
            yield Discrepancy(code, fact.place)


def refusal(case: Case, fact: AnyFact) -> Code | None:
    """The code of the first guard that would refuse a current fact of somebody registered."""
    event = fact.event
    enrolls = isinstance(event, events.PremiumPaid) and case.policy.is_enrolled_by(event.year)
    codes = _codes_of(event.__class__, idle_guards(case), enrolls)
    return first_refusal(codes, Attempt(as_of(case, fact.at), fact.moment, fact)) if codes else None


def told_before(case: Case) -> Iterator[Discrepancy]:
    """Of the payments that enroll here and were told in the year before those that do not fit."""
    if case.before is None or not case.policy.enrolled_by_payment:
        return
    paid = {fact.place for fact in case.before.facts.payments(case.policy.year)}
    for code, version, year in discrepancies(case.before):
        if year is None and version in paid:
            yield Discrepancy(code, version, case.before.policy.year)


@cache
def _codes_of(kind: type[events.Fact], idle: frozenset[Code], enrolls: bool) -> tuple[Code, ...]:
    """The codes that may refuse a fact of a kind; a payment may be one that enrolls."""
    codes = refusals_of(COMMAND_OF[kind].name, enrolls=enrolls)
    return tuple(code for code in codes if code not in idle)
