"""What care meets on a day: the window, the e-voucher or card, and whether the state is active.

And what is left by then of what stands once a year: the deductible, and the cap.
"""

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from operator import itemgetter
from typing import Any, NamedTuple

from yibao.domain.calendar import day_after, midnight
from yibao.domain.derivation import Derived, is_known
from yibao.domain.editions import Benefits, Parameter
from yibao.domain.facts import Current, events
from yibao.domain.kept import kept
from yibao.domain.lifecycle import cover_timeline
from yibao.domain.money import Fen
from yibao.domain.rules import Case, Values, values_of
from yibao.domain.vocabulary import DayRange, OtherCover, Pending, State

Window = Derived[DayRange | Pending | None]
#: The year in which the yearly amounts of care count: a calendar year, None for the benefit year.
Year = int | None
#: The first filing for each province, whose name stands as it is compared.
Filings = Mapping[str, Current[events.RemoteCareFiled]]


class Left(NamedTuple):
    """What is left of the yearly deductible, and of what the fund pays at most (R27, R37)."""

    deductible: Derived[Fen]
    cap: Derived[Fen | None]


class Cover:
    """A case under the values that hold of it, as any number of pieces of care ask of it.

    What follows from a day alone is worked out once a day.
    """

    def __init__(self, case: Case, benefits: Benefits, values: Values) -> None:
        self.case = case
        self.benefits = benefits
        self.values = values
        self._windows: dict[date, Window] = {}
        self._active: dict[date, Derived[State] | None] = {}
        self._whole: dict[Year, Left] = {}

    def year_of(self, day: date) -> Year:
        """R29: the year in which care of a day counts."""
        return day.year if self._by_calendar else None

    @kept
    def _by_calendar(self) -> bool:
        return any(each.value == "calendar_year" for each in self._restarts)

    def earlier_covers(self, year: Year) -> Sequence[Current[events.OtherCoverDeclared]]:
        """R29: the insurances that may have consumed some of a year's deductible before."""
        window = self.values.coverage.value
        was_covered = year and isinstance(window, DayRange) and window.first.year < year
        return () if was_covered else self._resident_covers

    @kept
    def _resident_covers(self) -> Sequence[Current[events.OtherCoverDeclared]]:
        covers = self.case.facts.covers
        return [fact for fact in covers if fact.event.kind is OtherCover.SHANGHAI_RESIDENT]

    def whole(self, year: Year) -> Left:
        """What a year begins with."""
        if year not in self._whole:
            self._whole[year] = Left(self._whole_deductible(year), self._whole_cap())
        return self._whole[year]

    def _whole_deductible(self, year: Year) -> Derived[Fen]:
        """R27: the yearly deductible; what was consumed of it earlier is not known (R29)."""
        whole, earlier = self.benefits.outpatient_deductible, self.earlier_covers(year)
        rule = "R29-earlier-use" if earlier else "R29"
        return Derived("deductible_left", whole.value, rule, (whole, *self._restarts, *earlier))

    def _whole_cap(self) -> Derived[Fen | None]:
        """R37: what the fund pays at most in a year, if it is limited."""
        cap, campus = self.benefits.outpatient_cap, self.benefits.outpatient_cap_counts_campus
        if cap is None:
            return Derived("cap_left", None, "R37", because="no_cap")
        counts = (campus,) if campus else ()
        return Derived("cap_left", cap.value, "R37", (cap, *counts, *self._restarts))

    @property
    def _restarts(self) -> Sequence[Parameter[Any]]:
        """R29: when the yearly amounts begin anew, where the edition tells."""
        restart = self.case.policy.parameters.yearly_amounts_restart
        return (restart,) if restart else ()

    def window_on(self, day: date) -> Window:
        """The window that counts on a day: an earlier confirmation's until its opt-out (R25)."""
        if day not in self._windows:
            earlier = (
                window
                for last, window in self.case.once("ended windows", self._ended_windows)
                if window.value.first <= day <= last
            )
            self._windows[day] = next(earlier, self.values.coverage)
        return self._windows[day]

    def evoucher_on(self, day: date) -> Derived[datetime] | None:
        """An e-voucher that could be had by the end of a day, after whichever confirmation."""
        ends = midnight(day_after(day))
        opened = self.case.once("evouchers", self._evouchers)
        return next((opens for opens in opened if opens.value < ends), None)

    def card_on(self, day: date) -> Current[events.MedicalCardIssued] | None:
        """The first medical card, if it was issued by the end of a day."""
        cards = self.case.cards
        return cards[0] if cards and cards[0].at < midnight(day_after(day)) else None

    def active_on(self, day: date) -> Derived[State] | None:
        """What made the state active at some moment of a day, or would have for who left (R38)."""
        if day not in self._active:
            self._active[day] = self._activated(day)
        return self._active[day]

    def _activated(self, day: date) -> Derived[State] | None:
        begins, ends = midnight(day), midnight(day_after(day))
        changes = cover_timeline(self.case)
        by_then = changes[: bisect_left(changes, ends, key=itemgetter(0))]
        for change in by_then[::-1]:
            if change.state is State.ACTIVE:
                return change.derived
            if change.at <= begins:
                return None
        return None

    def _ended_windows(self) -> list[tuple[date, Derived[DayRange]]]:
        """The windows of earlier confirmations, each with the last day on which it counts."""
        found = []
        for episode in self.case.episodes[:-1]:
            window = values_of(self.case, episode).coverage
            assert episode.opt_out is not None
            if is_known(window):
                found.append((min(window.value.last, episode.opt_out.at.date()), window))
        return found

    def _evouchers(self) -> list[Derived[datetime]]:
        """The e-vouchers that opened, each before all those of earlier confirmations."""
        found: list[Derived[datetime]] = []
        for episode in self.case.episodes:
            opens = values_of(self.case, episode).evoucher_available_at
            if not is_known(opens):
                continue
            # What had not opened at an opt-out did not open for that confirmation (R25).
            has_opened = episode.opt_out is None or opens.value <= episode.opt_out.at
            if has_opened and (not found or opens.value < found[-1].value):
                found.append(opens)
        return found


def filing_for(case: Case, province: str | None) -> Current[events.RemoteCareFiled] | None:
    """The first filing for care in a province, which counts from then on (R31)."""
    return None if province is None else first_filings(case).get(province.casefold())


def first_filings(case: Case) -> Filings:
    """The first filing for each province, whose name stands as it is compared."""
    return case.once("filings", lambda: _first_filings(case))


def _first_filings(case: Case) -> Filings:
    filings = reversed(case.facts.remote_filings)
    return {filing.event.province.casefold(): filing for filing in filings}
