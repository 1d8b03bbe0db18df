"""What is paid for care: its assessment, derived from facts, never stored (R26 to R31).

Care is recorded whatever the cover. Whether it is covered follows from the benefit window as
known; what is paid, from the edition's table; what stands once a year, the deductible and the cap,
is consumed by covered care in the order in which it was recorded. What was in fact paid is a fact
beside it and moves none of this.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import takewhile
from operator import eq, itemgetter
from typing import Any, NamedTuple, cast
from uuid import UUID

from yibao.domain.calendar import day_after, midnight
from yibao.domain.care.cover import (
    Cover,
    Filings,
    Left,
    Window,
    Year,
    filing_for,
    first_filings,
)
from yibao.domain.care.ledger import Care, CareFact
from yibao.domain.derivation import Derived, is_known
from yibao.domain.editions import Row
from yibao.domain.facts import Facts, events
from yibao.domain.kept import kept
from yibao.domain.money import NOTHING, Fen
from yibao.domain.refusals import Code
from yibao.domain.rules import Case, Values, Waiting, as_of, values
from yibao.domain.vocabulary import PENDING, DayRange, Pending, Settlement, WaitingPeriod


@dataclass(frozen=True)
class Assessed:
    """What is paid for a piece of care, as derived from what is known.

    `fund_pays`, `patient_pays` and `deductible_used` are amounts with their derivations; of
    refused care the fund pays nothing, and while the cover is pending nothing is known to be
    paid. `standing` is the day if it is covered, PENDING, or None with the code of the refusal;
    `settlement` how it is settled, or None. `deductible_left` is what is left of the yearly
    deductible after it, and `cap_left` of what the fund pays at most in a year, None where that is
    not limited (R37); `covered_from` the day from which care would be covered;
    `earlier_use_is_unknown` whether another insurance may have consumed some of the deductible
    before (R29).
    """

    care: Care
    standing: Derived[date | Pending | None]
    fund_pays: Derived[Fen]
    patient_pays: Derived[Fen]
    deductible_used: Derived[Fen]
    deductible_left: Derived[Fen]
    cap_left: Derived[Fen | None]
    settlement: Derived[Settlement | None]
    covered_from: date | None
    earlier_use_is_unknown: bool

    def __repr__(self) -> str:
        standing = self.refused or ("pending" if self.is_pending else "covered")
        paid = f"{self.fund_pays.value} of {self.care.fact.event.cost} paid by the fund"
        return f"<Assessed care of {self.care.fact.event.on}, {standing}: {paid}>"

    @kept
    def amounts(self) -> Amounts:
        """What it comes to, without the derivations."""
        return Amounts(
            self.care.fact.place,
            self.fund_pays.value,
            self.patient_pays.value,
            self.deductible_used.value,
            self.settlement.value,
            self.refused,
            self.is_pending,
            self.care.settled.event_id if self.care.settled else None,
            self.cap_left.value,
        )

    @kept
    def lacks_filing(self) -> bool:
        """Whether it was refused for want of a filing (R31)."""
        return self.refused == "remote_care_not_filed"

    @kept
    def to_claim(self) -> bool:
        """Whether there is something that the student has to claim, or had (R31)."""
        return self.settlement.value is Settlement.CLAIM and bool(self.fund_pays.value)

    @property
    def is_covered(self) -> bool:
        return is_known(self.standing)

    @property
    def is_pending(self) -> bool:
        return self.standing.value is PENDING

    @property
    def refused(self) -> Code | None:
        """The code of the refusal, if it is refused (R30)."""
        return cast(Code, self.standing.because) if self.standing.value is None else None


class Amounts(NamedTuple):
    """What an assessment comes to: equal where two say the same."""

    version: int
    fund_pays: Fen
    patient_pays: Fen
    deductible_used: Fen
    settlement: Settlement | None
    refused: Code | None
    pending: bool
    settled: UUID | None
    cap_left: Fen | None = None


class _Found(NamedTuple):
    """What was found of a piece of care, and what it leaves of each year that was begun."""

    assessed: Assessed
    left: Mapping[Year, Left]


class _Told(NamedTuple):
    """What was assessed the last time: of which care, by which values, facts and filings.

    The case itself is not among it, which keeps this: it would stay until the next collection.
    """

    values: Values
    facts: Facts
    filings: Filings
    cares: Sequence[Care] = ()
    found: Sequence[_Found] = ()


#: Facts that come between two pieces of care and move neither, but for care in a province filed.
_BETWEEN = frozenset({events.RosterDeclared, events.RemoteCareFiled})
_ASSESSED = itemgetter(0)


def assessments(case: Case, cares: Sequence[Care], at: datetime) -> tuple[Assessed, ...]:
    """The assessment of each piece of care, in the order of recording (R29).

    `at` decides only whether a missing confirmation may still come. The edition must have a
    table of benefits where there is any care.

    A case goes on from what was told the last time: only what another piece of care, a correction,
    a settlement or a filing can have moved is assessed again. So whoever follows a student goes
    from case to case, and has her care from a `Ledger`.
    """
    benefits = case.policy.benefits
    if benefits is None:
        return ()
    case = as_of(case, at)
    cover = Cover(case, benefits, values(case, at))
    now = _Told(cover.values, case.facts, first_filings(case), cares)

    def tell(before: _Told | None) -> _Told:
        if before and _goes_on(before, now):
            return now._replace(found=_going_on(cover, before, now))
        return now._replace(found=_in_turn(cover, cares, ()))

    return tuple(map(_ASSESSED, case.again("assessments", tell).found))


def _goes_on(before: _Told, now: _Told) -> bool:
    """Whether care is covered as before, but perhaps for a province."""
    return before.values is now.values and before.facts.differ_in(now.facts) <= _BETWEEN


def _going_on(cover: Cover, before: _Told, now: _Told) -> Sequence[_Found]:
    """The assessments, as far as can be those of before."""
    cares, moved = now.cares, _filed_otherwise(before.filings, now.filings)
    start = _alike(before.cares, cares, moved)
    rest = _alike(before.cares[start:][::-1], cares[start:][::-1], moved)
    until = len(before.cares) - rest
    found = _in_turn(cover, cares[start : len(cares) - rest], before.found[:start])
    if _left(found) == _left(before.found[:until]):
        return [*found, *before.found[until:]]
    return _in_turn(cover, cares[len(cares) - rest :], found)


def _in_turn(cover: Cover, cares: Sequence[Care], after: Sequence[_Found]) -> Sequence[_Found]:
    """The assessments so far, and of some pieces after those, one after the other."""
    found = list(after)
    for care in cares:
        found.append(_assessed(cover, care, _left(found)))
    return found


def _alike(some: Sequence[Care], others: Sequence[Care], moved: Collection[str]) -> int:
    """How many pieces two rows of care have in common, up to one in a province filed otherwise."""
    common: int = sum(takewhile(bool, map(eq, some, others)))
    if not moved:
        return common
    provinces = ((care.fact.event.province or "").casefold() for care in some[:common])
    return next((n for n, province in enumerate(provinces) if province in moved), common)


def _filed_otherwise(was: Filings, is_now: Filings) -> Collection[str]:
    """The provinces whose first filing is not the one before."""
    return {each for each in was.keys() | is_now.keys() if was.get(each) is not is_now.get(each)}


def _left(found: Sequence[_Found]) -> Mapping[Year, Left]:
    """R27, R37: what these pieces leave of each year that they have begun."""
    return found[-1].left if found else {}


def _assessed(cover: Cover, care: Care, lefts: Mapping[Year, Left]) -> _Found:
    """What is found of a piece of care, by what those before it left."""
    year, standing = cover.year_of(care.fact.event.on), covered(cover, care.fact)
    left = lefts.get(year) or cover.whole(year)
    if not is_known(standing):
        return _Found(_unpaid(cover, care, standing, left), lefts)
    assessed = _paid(cover, care, standing, left)
    after = Left(assessed.deductible_left, assessed.cap_left)
    return _Found(assessed, lefts if after == left else {**lefts, year: after})


def _unpaid(cover: Cover, care: Care, standing: Derived[Any], left: Left) -> Assessed:
    """R30: refused, or pending: then nothing is known to be paid."""
    fact, cost = care.fact, care.fact.event.cost
    nothing = Derived("fund_pays", NOTHING, "R30", (standing,))
    return Assessed(
        care,
        standing,
        fund_pays=nothing,
        patient_pays=Derived("patient_pays", cost, "R30", (fact, standing)),
        deductible_used=nothing._replace(name="deductible_used"),
        deductible_left=left.deductible,
        cap_left=left.cap,
        settlement=Derived("settlement", None, "R30", (standing,), standing.because),
        covered_from=_from_when(cover, fact) if standing.value is None else None,
        earlier_use_is_unknown=False,
    )


def _paid(cover: Cover, care: Care, standing: Derived[date], left: Left) -> Assessed:
    """R26 to R29, R37: what the fund and the patient pay."""
    fact, cost = care.fact, care.fact.event.cost
    row = cover.benefits.row(fact.event.setting, fact.event.level)
    eligible = Derived("eligible_cost", cost, "R29", (fact,))
    used = _used(row, eligible, left.deductible)
    above = cost.less(used.value)
    share = Derived(
        "fund_pays", above.share(row.share.value), row.rule, (eligible, used, row.share)
    )
    fund = _capped(share, left.cap) if row.is_capped else share
    return Assessed(
        care,
        standing,
        fund_pays=fund,
        patient_pays=Derived("patient_pays", cost.less(fund.value), "R29", (eligible, fund)),
        deductible_used=used,
        deductible_left=_less(left.deductible, used, fact) if row.is_yearly else left.deductible,
        cap_left=_less(left.cap, fund, fact) if row.is_capped else left.cap,
        settlement=settlement_of(cover, fact, standing),
        covered_from=standing.value,
        earlier_use_is_unknown=row.is_yearly
        and bool(cover.earlier_covers(cover.year_of(fact.event.on))),
    )


def _used(row: Row, eligible: Derived[Fen], left: Derived[Fen]) -> Derived[Fen]:
    """R26 to R28: what this piece consumes of its deductible."""
    available = left if row.is_yearly else row.deductible
    used = min(eligible.value, available.value)
    return Derived("deductible_used", used, row.rule, (eligible, available))


def _capped(share: Derived[Fen], left: Derived[Fen | None]) -> Derived[Fen]:
    """R37: what the fund pays, which is no more than what is left of the cap."""
    if not is_known(left) or share.value <= left.value:
        return share
    return Derived("fund_pays", left.value, "R37", (share._replace(name="fund_share"), left))


def _less(left: Derived[Any], spent: Derived[Fen], fact: CareFact) -> Derived[Any]:
    """R29, R37: what is left after this piece, told with every piece that consumed some of it."""
    if left.value is None or not spent.value:
        return left
    rest = left.value.less(spent.value)
    return Derived(left.name, rest, left.rule, (*left.inputs, fact))


def covered(cover: Cover, fact: CareFact) -> Derived[date | Pending | None]:
    """R30, R31: the day, if the care is covered; PENDING, or None with the code of the refusal."""
    case, name, day = cover.case, "covered_on", fact.event.on
    p = case.policy.parameters
    if not p.benefit_from.value <= day <= p.benefit_to.value:
        year = (fact, p.benefit_from, p.benefit_to)
        return Derived(name, None, "R30", year, "outside_benefit_year")
    if case.facts.registration is None:
        return Derived(name, None, "R30", (fact,), "not_enrolled")
    window = cover.window_on(day)
    if window.value is PENDING:
        return Derived(name, PENDING, "R30", (fact, window), window.because)
    if not isinstance(window.value, DayRange) or not _within(day, window.value):
        waiting = cover.values.waiting
        parts = (fact, window, waiting) if window.value is None else (fact, window)
        return Derived(name, None, "R30", parts, _why_not(case, day, window, waiting))
    required = cover.benefits.remote_filing_required
    if fact.event.province is None or not required.value:
        return Derived(name, day, "R30", (fact, window))
    filing = filing_for(case, fact.event.province)
    if filing is None or filing.at >= midnight(day_after(day)):
        return Derived(name, None, "R31", (fact, required), "remote_care_not_filed")
    return Derived(name, day, "R31", (fact, window, filing))


def _within(day: date, span: DayRange | WaitingPeriod) -> bool:
    return span.first <= day <= span.last


def _why_not(case: Case, day: date, window: Window, waiting: Waiting) -> Code:
    """R30: the code for a day that no cover reaches, the first that applies."""
    if case.leaving and day >= case.facts.first_day_outside(case.leaving):
        return "withdrawn"
    if case.opt_out and day > case.opt_out.at.date():
        return "opted_out"
    if isinstance(waiting.value, WaitingPeriod) and _within(day, waiting.value):
        return "in_waiting_period"
    return "not_enrolled" if window.value is None else "before_window"


def _from_when(cover: Cover, fact: CareFact) -> date | None:
    """The day from which the care would be covered, if it came too early."""
    window = cover.values.coverage.value
    return window.first if isinstance(window, DayRange) and fact.event.on < window.first else None


def settlement_of(cover: Cover, fact: CareFact, standing: Derived[date]) -> Derived[Settlement]:
    """R31: at once by e-voucher or medical card, here or elsewhere; else paid first and claimed."""

    def claim(because: str, *inputs: Any) -> Derived[Settlement]:
        return Derived("settlement", Settlement.CLAIM, "R31", (standing, *inputs), because)

    def at_once(how: Settlement, *inputs: Any) -> Derived[Settlement]:
        return Derived("settlement", how, "R31", (standing, *inputs))

    day, opens = fact.event.on, cover.values.evoucher_available_at
    active = cover.active_on(day)
    if active is None:
        return claim("not_active_that_day")
    evoucher = cover.evoucher_on(day)
    if fact.event.province is not None:
        there = cover.benefits.remote_settles_by_evoucher
        if not there.value:
            return claim("settled_otherwise_there", there)
        if evoucher:
            return at_once(Settlement.OTHER_PROVINCE, active, there, evoucher)
        return claim("no_evoucher_by_then", active, opens)
    means = evoucher or cover.card_on(day)
    if means:
        return at_once(Settlement.DIRECT, active, means)
    return claim("no_evoucher_or_card_by_then", active, opens)
