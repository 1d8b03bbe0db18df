"""Which recorded facts do not fit: those whose guards would refuse them, as now known."""

from collections.abc import Iterator
from functools import cache
from typing import NamedTuple

from yibao.domain.facts import events
from yibao.domain.facts.commands import COMMAND_OF
from yibao.domain.lifecycle import REFUSALS, Attempt, first_refusal, idle_guards
from yibao.domain.refusals import Code
from yibao.domain.rules import Case


class Discrepancy(NamedTuple):
    """The code of the first guard that would refuse the fact, and the fact's place."""

    code: Code
    version: int


def discrepancies(case: Case) -> tuple[Discrepancy, ...]:
    """The current facts that would be refused, in the order of the stream.

    Each is judged without itself; what is exclusive looks only at the facts before it. Without
    a registration nothing can be judged, and the list is empty.
    """
    if case.facts.registration is None:
        return ()
    return case.once("discrepancies", lambda: tuple(_found(case)))


def _found(case: Case) -> Iterator[Discrepancy]:
    idle = idle_guards(case)
    for fact in case.known:
        codes = _codes_of(fact.event.__class__, idle)
        code = first_refusal(codes, Attempt(case, fact.moment, fact)) if codes else None
        if code is not None:
            yield Discrepancy(code, fact.place)


@cache
def _codes_of(kind: type[events.Fact], idle: frozenset[Code]) -> tuple[Code, ...]:
    """The codes that may refuse a fact of a kind."""
    return tuple(code for code in REFUSALS[COMMAND_OF[kind].name] if code not in idle)
