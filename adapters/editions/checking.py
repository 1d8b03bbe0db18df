"""What may be wrong with an edition that is right, for whoever writes one."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from itertools import combinations, pairwise
from typing import NamedTuple

from yibao.domain.calendar import day_after, day_before, midnight
from yibao.domain.editions import Citation, Parameter, Period, Policy


class Warned(NamedTuple):
    """A code and what it is about."""

    code: str
    about: Mapping[str, object]


def warnings(policy: Policy, others: Iterable[Policy]) -> Iterator[Warned]:
    """What to look at again; `others` are the editions at hand."""
    at_hand = [each for each in others if each.edition != policy.edition]
    yield from _taken_over(policy, {each.edition: each for each in at_hand})
    yield from _periods(policy)
    yield from _years(policy, [each for each in at_hand if each.city == policy.city])


def _taken_over(policy: Policy, at_hand: Mapping[str, Policy]) -> Iterator[Warned]:
    """Whatever is cited from the notice of another city or year: it may be otherwise here."""
    for key, cited in _citations(policy):
        base = at_hand.get(cited.notice)
        if base and (base.city, base.year) != (policy.city, policy.year):
            code = "assumed_there" if cited.clause == "none" else "taken_over"
            yield Warned(code, {"key": key, "notice": cited.notice, "clause": cited.clause})


def _citations(policy: Policy) -> Iterator[tuple[str, Citation]]:
    for given in (policy.parameters, policy.benefits or ()):
        yield from ((name, cited) for name, cited in given if cited is not None)
    yield from (policy.rules | (policy.benefit_rules if policy.benefits else {})).items()


def _periods(policy: Policy) -> Iterator[Warned]:
    """Periods that overlap or leave a gap, and one that is over before anybody can join in it."""
    periods = policy.periods
    for one, other in combinations(periods, 2):
        begins = max(one.value.opens_at, other.value.opens_at)
        ends = min(one.value.closed_from, other.value.closed_from)
        if begins < ends:
            yield Warned("periods_overlap", _between(one, other, begins, ends))
    in_order = sorted(periods, key=lambda period: period.value.opens_at)
    for one, other in pairwise(in_order):
        begins, ends = one.value.closed_from, other.value.opens_at
        if begins < ends:
            yield Warned("periods_apart", _between(one, other, begins, ends))
    if [each.name for each in in_order] != [each.name for each in periods]:
        yield Warned("periods_out_of_order", {})
    autumn = policy.parameters.autumn_from.value
    for period in periods if not policy.is_for("continuing") else ():
        if period.value.closed_from <= midnight(autumn):
            yield Warned("period_before_autumn", {"period": period.name, "autumn": autumn})


def _between(
    one: Parameter[Period], other: Parameter[Period], begins: datetime, ends: datetime
) -> dict[str, object]:
    return {"one": one.name, "other": other.name, "begins": begins, "ends": ends}


def _years(policy: Policy, of_the_city: Iterable[Policy]) -> Iterator[Warned]:
    """Days that belong neither to this year nor to the one before."""
    before = [each for each in of_the_city if each.year == policy.year - 1]
    if not before or not _goes_on(policy):
        return
    latest = max(before, key=lambda each: each.parameters.benefit_to.value)
    last, begins = latest.parameters.benefit_to.value, policy.parameters.benefit_from.value
    if day_after(last) < begins:
        days = {"first": day_after(last), "last": day_before(begins)}
        yield Warned("years_apart", {**days, "before": latest.edition})


def _goes_on(policy: Policy) -> bool:
    """Whether who joins may have been in the year before, and does not enter in this autumn."""
    p = policy.parameters
    return policy.is_for("continuing") or p.autumn_from.value.year != p.benefit_from.value.year
