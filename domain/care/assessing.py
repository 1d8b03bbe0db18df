"""What is paid for care: its assessment, derived from facts, never stored (R26 to R31).

Care is recorded whatever the cover. Whether it is covered follows from the benefit window as
known; what is paid, from the edition's table; the yearly deductible is consumed by covered care
in the order in which it was recorded. What was in fact paid is a fact beside it and moves none
of this.
"""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any, NamedTuple
from uuid import UUID

from typing_extensions import TypeIs

from yibao.domain.calendar import day_after, midnight
from yibao.domain.derivation import Derived
from yibao.domain.editions import Benefits, Row
from yibao.domain.facts import AnyFact, Current, Stream, events, places
from yibao.domain.lifecycle import timeline
from yibao.domain.money import NOTHING, Fen
from yibao.domain.rules import Case, values, values_of, waiting_period
from yibao.domain.vocabulary import (
    PENDING,
    DayRange,
    OtherCover,
    Settlement,
    State,
    WaitingPeriod,
)

CareFact = Current[events.CareReceived]


class Care(NamedTuple):
    """A piece of care as it now stands.

    `first` is the event that first recorded it, `settled` the settlement that stands.
    """

    fact: CareFact
    first: events.CareReceived
    settled: events.CareSettled | None


class Assessed(NamedTuple):
    """What is paid for a piece of care, as derived from what is known.

    `fund_pays`, `patient_pays` and `deductible_used` are amounts with their derivations; of
    refused care the fund pays nothing, and while the cover is pending nothing is known to be
    paid. `standing` is the day if it is covered, PENDING, or None with the code of the refusal;
    `settlement` how it is settled, or None. `deductible_left` is what is left of the yearly
    deductible after it; `covered_from` the day from which care would be covered.
    """

    care: Care
    standing: Derived
    fund_pays: Derived
    patient_pays: Derived
    deductible_used: Derived
    deductible_left: Derived
    settlement: Derived
    covered_from: date | None

    @property
    def amounts(self) -> "Amounts":
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
        )

    @property
    def earlier_use_is_unknown(self) -> bool:
        """Whether another insurance may have consumed some of the deductible before (R29)."""
        available = self.deductible_used.inputs[-1]
        return isinstance(available, Derived) and available.rule == "R29-earlier-use"

    @property
    def is_pending(self) -> bool:
        return self.standing.value is PENDING

    @property
    def refused(self) -> str | None:
        """The code of the refusal, if it is refused (R30)."""
        return self.standing.because if self.standing.value is None else None


class Amounts(NamedTuple):
    """What an assessment comes to: equal where two say the same."""

    version: int
    fund_pays: Fen
    patient_pays: Fen
    deductible_used: Fen
    settlement: Settlement | None
    refused: str | None
    pending: bool
    settled: UUID | None


def cares(stream: Stream) -> tuple[Care, ...]:
    """The pieces of care that stand, in the order in which they were recorded."""
    settled = settlements(stream)
    first = {
        event.originator_version: event
        for event in stream.recorded
        if isinstance(event, events.CareReceived)
    }
    return tuple(
        Care(fact, first.get(fact.place, fact.event), settled.get(fact.place))
        for fact in stream.facts
        if is_care(fact)
    )


def settlements(stream: Stream) -> dict[int | None, events.CareSettled]:
    """The settlements that stand, by the place of their care, also of care taken back since."""
    place_of = places(stream.recorded)
    reversed_ = {
        fact.event.settlement
        for fact in stream.facts
        if isinstance(fact.event, events.CareReversed)
    }
    return {
        place_of.get(fact.event.care): fact.event
        for fact in stream.facts
        if isinstance(fact.event, events.CareSettled) and fact.event.event_id not in reversed_
    }


def is_care(fact: AnyFact) -> TypeIs[CareFact]:
    """Whether a fact of the care stream is care itself."""
    return isinstance(fact.event, events.CareReceived)


def assessments(case: Case, received: Sequence[Care], at: datetime) -> tuple[Assessed, ...]:
    """The assessment of each piece of care, in the order of recording (R29).

    `at` decides only whether a missing confirmation may still come. The edition must have a
    table of benefits where there is any care.
    """
    benefits = case.policy.benefits
    if benefits is None:
        return ()
    found = []
    left = _whole_deductible(case, benefits)
    for care in received:
        assessed = _assessed(case, benefits, care, left, at)
        left = assessed.deductible_left
        found.append(assessed)
    return tuple(found)


def _whole_deductible(case: Case, benefits: Benefits) -> Derived:
    """R27; what another insurance consumed of it earlier in the year is not known (R29)."""
    whole = benefits.outpatient_deductible
    residents = [f for f in case.facts.covers if f.event.kind is OtherCover.SHANGHAI_RESIDENT]
    rule = "R29-earlier-use" if residents else "R29"
    return Derived("deductible_left", whole.value, rule, (whole, *residents))


def _assessed(case: Case, benefits: Benefits, care: Care, left: Derived, at: datetime) -> Assessed:
    fact, cost = care.fact, care.fact.event.cost
    row = benefits.row(fact.event.setting, fact.event.level)
    standing = covered(case, benefits, fact, at)
    if not isinstance(standing.value, date):
        nothing = Derived("fund_pays", NOTHING, "R30", (standing,))
        return Assessed(
            care,
            standing,
            fund_pays=nothing,
            patient_pays=Derived("patient_pays", cost, "R30", (fact, standing)),
            deductible_used=nothing._replace(name="deductible_used"),
            deductible_left=left,
            settlement=Derived("settlement", None, "R30", (standing,), standing.because),
            covered_from=_from_when(case, fact, at) if standing.value is None else None,
        )
    eligible = Derived("eligible_cost", cost, "R29", (fact,))
    used = _used(row, eligible, left)
    above = cost.less(used.value)
    fund = Derived("fund_pays", above.share(row.share.value), row.rule, (eligible, used, row.share))
    return Assessed(
        care,
        standing,
        fund_pays=fund,
        patient_pays=Derived("patient_pays", cost.less(fund.value), "R29", (eligible, fund)),
        deductible_used=used,
        deductible_left=_less(left, used, row, fact),
        settlement=settlement_of(case, benefits, fact, standing, at),
        covered_from=standing.value,
    )


def _used(row: Row, eligible: Derived, left: Derived) -> Derived:
    """R26 to R28: what this piece consumes of its deductible."""
    available = left if row.is_yearly else row.deductible
    used = min(eligible.value, available.value)
    return Derived("deductible_used", used, row.rule, (eligible, available))


def _less(left: Derived, used: Derived, row: Row, fact: CareFact) -> Derived:
    """R29: the yearly deductible after this piece, told with every piece that consumed it."""
    if not row.is_yearly or not used.value:
        return left
    return left._replace(value=left.value.less(used.value), inputs=(*left.inputs, fact))


def covered(case: Case, benefits: Benefits, fact: CareFact, at: datetime) -> Derived:
    """R30, R31: the day, if the care is covered; PENDING, or None with the code of the refusal."""
    name, day, p = "covered_on", fact.event.on, case.policy.parameters
    if not p.benefit_from.value <= day <= p.benefit_to.value:
        year = (fact, p.benefit_from, p.benefit_to)
        return Derived(name, None, "R30", year, "outside_benefit_year")
    if case.facts.registration is None:
        return Derived(name, None, "R30", (fact,), "not_enrolled")
    window = _window_on(case, day, at)
    if window.value is PENDING:
        return Derived(name, PENDING, "R30", (fact, window), window.because)
    if not isinstance(window.value, DayRange) or not _within(day, window.value):
        waiting = waiting_period(case)
        parts = (fact, window, waiting) if window.value is None else (fact, window)
        return Derived(name, None, "R30", parts, _why_not(case, day, window, waiting))
    if fact.event.province is None or not benefits.remote_filing_required.value:
        return Derived(name, day, "R30", (fact, window))
    ends = midnight(day_after(day))
    filings = [f for f in filings_for(case, fact.event.province) if f.at < ends]
    if not filings:
        required = (fact, benefits.remote_filing_required)
        return Derived(name, None, "R31", required, "remote_care_not_filed")
    return Derived(name, day, "R31", (fact, window, filings[0]))


def filings_for(case: Case, province: str) -> list[Current[events.RemoteCareFiled]]:
    """The filings for care in a province, in the order in which they happened (R31)."""
    sought = province.casefold()
    return [f for f in case.facts.remote_filings if f.event.province.casefold() == sought]


def _within(day: date, span: DayRange | WaitingPeriod) -> bool:
    return span.first <= day <= span.last


def _window_on(case: Case, day: date, at: datetime) -> Derived:
    """The window that counts on a day: an earlier confirmation's until its opt-out (R25)."""
    for episode in case.episodes[:-1]:
        earlier = values_of(case, episode).coverage
        assert episode.opt_out is not None
        if isinstance(earlier.value, DayRange):
            last = min(earlier.value.last, episode.opt_out.at.date())
            if earlier.value.first <= day <= last:
                return earlier
    return values(case, at).coverage


def _why_not(case: Case, day: date, window: Derived, waiting: Derived) -> str:
    """R30: the code for a day that no cover reaches, the first that applies."""
    if case.withdrawal and day >= case.facts.first_day_outside(case.withdrawal):
        return "withdrawn"
    if case.opt_out and day > case.opt_out.at.date():
        return "opted_out"
    if isinstance(waiting.value, WaitingPeriod) and _within(day, waiting.value):
        return "in_waiting_period"
    return "not_enrolled" if window.value is None else "before_window"


def _from_when(case: Case, fact: CareFact, at: datetime) -> date | None:
    """The day from which the care would be covered, if it came too early."""
    window = values(case, at).coverage.value
    return window.first if isinstance(window, DayRange) and fact.event.on < window.first else None


def settlement_of(
    case: Case, benefits: Benefits, fact: CareFact, standing: Derived, at: datetime
) -> Derived:
    """R31: at once by e-voucher or medical card, here or elsewhere; else paid first and claimed."""

    def claim(because: str, *inputs: Any) -> Derived:
        return Derived("settlement", Settlement.CLAIM, "R31", (standing, *inputs), because)

    def at_once(how: Settlement, *inputs: Any) -> Derived:
        return Derived("settlement", how, "R31", (standing, *inputs))

    active, ends = _active_on(case, fact.event.on), midnight(day_after(fact.event.on))
    if active is None:
        return claim("not_active_that_day")
    evouchers = _evouchers(case, ends)
    if fact.event.province is not None:
        there = benefits.remote_settles_by_evoucher
        if not there.value:
            return claim("settled_otherwise_there", there)
        if evouchers:
            return at_once(Settlement.OTHER_PROVINCE, active, there, evouchers[0])
        return claim("no_evoucher_by_then", active, values(case, at).evoucher_available_at)
    cards = [card for card in case.facts.cards if card.at < ends]
    for means in (*evouchers, *cards):
        return at_once(Settlement.DIRECT, active, means)
    return claim("no_evoucher_or_card_by_then", active, values(case, at).evoucher_available_at)


def _evouchers(case: Case, before: datetime) -> list[Derived]:
    """The e-vouchers that could be had before an instant, after whichever confirmation."""
    found = []
    for episode in case.episodes:
        opens = values_of(case, episode).evoucher_available_at
        if not isinstance(opens.value, datetime) or opens.value >= before:
            continue
        # What had not opened at an opt-out did not open for that confirmation (R25).
        if episode.opt_out is None or opens.value <= episode.opt_out.at:
            found.append(opens)
    return found


def _active_on(case: Case, day: date) -> Derived | None:
    """What made the state active at some moment of a day."""
    begins, ends = midnight(day), midnight(day_after(day))
    found = None
    for change in (each for each in timeline(case) if each.at < ends):
        if change.state is State.ACTIVE:
            found = change.cause._replace(name="state", value=change.state)
        elif change.at <= begins:
            found = None
    return found
