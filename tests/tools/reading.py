"""A second reading of the rules, written from the pages alone and kept apart from the program.

A person is a list of years, ascending and without gaps. Each is a plain dict: `year`, `edition`
(the parameters by the names that editions have), `facts` (dicts with `do`, the command's name, `at`
and the command's values, all current, in the order of the stream) and `fixes` (dicts like facts, of
the edition). Days are dates; instants are datetimes without a zone, meaning Shanghai.

    answers(person, at)  ->  [{state, waiting, account_built_on, evoucher_available_at, coverage,
                               timeline}, …], one a year, as asked about `at`, everything known

It favors being read over being fast: each function says the rules it reads. Where the pages leave a
choice, the docstring says which was taken.
"""

from __future__ import annotations

import calendar
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from functools import cached_property
from typing import Any, NamedTuple

PENDING = "pending"
Edition = dict[str, Any]
Fact = dict[str, Any]
#: A value, None (there is none), or PENDING.
Value = Any

DAY = timedelta(days=1)
VALUES = ("waiting", "account_built_on", "evoucher_available_at", "coverage")
#: What is answered where there is no enrollment.
NOBODY: dict[str, Value] = {"state": None, **dict.fromkeys(VALUES), "timeline": []}
EARLIEST = datetime.fromisoformat("0001-01-01")
LATEST = datetime.fromisoformat("9999-12-31")
PERIODS = ("concentrated_period", "extended_period", "late_period")
ROAD = ("confirmed", "in_waiting_period", "account_built", "evoucher_eligible", "active", "expired")


class Waiting(NamedTuple):
    """A waiting period, both days included; no months where the check named its last day."""

    first: date
    last: date
    months: int | None


class Window(NamedTuple):
    """The days on which care is covered, both included."""

    first: date
    last: date


class Period(NamedTuple):
    """When one may enroll, from an instant until another, and what enrolling in it means."""

    opens: datetime
    until: datetime
    cover_from: str
    fixed: int


@dataclass(frozen=True, eq=False)
class Given:
    """What a year hands on (R33); by itself, what is known of somebody without a year before."""

    enrolled: bool = False
    open: bool = False
    waiting: Value = None
    account: Value = None
    evoucher: Value = None
    coverage: Value = None
    earliest: date = date.min
    found_at: datetime = EARLIEST
    origin: Course | None = None

    def known_alone(self, given: Given) -> Given:
        """Without what is pending, where it was not given so: who has left hands on no more."""
        return replace(
            self,
            waiting=given.waiting if self.waiting == PENDING else self.waiting,
            account=None if self.account == PENDING else self.account,
            evoucher=None if self.evoucher == PENDING else self.evoucher,
            coverage=None,
        )


@dataclass(frozen=True, eq=False)
class Course:
    """What follows, in a year, from one enrolling, that is a confirmation or a payment.

    `opted_out` is the choice that ended it, if one did. `named` replaces the waiting period where a
    check of a later year names another last day.
    """

    year: Year
    enrolling: Fact | None
    opted_out: Fact | None = None
    named: Waiting | None = None

    # What it stands on

    @property
    def day(self) -> date:
        """D: the day of enrolling."""
        assert self.enrolling is not None
        return self.enrolling["at"].date()

    @cached_property
    def period(self) -> Period | None:
        """The first period that holds the enrolling (R35), if the edition has any."""
        return self.year.period_of(self.enrolling) if self.enrolling else None

    @cached_property
    def is_late(self) -> bool:
        """R10: after the window of the school at that instant; R35: in none of the periods."""
        if self.enrolling is None:
            return False
        if self.year.has_periods:
            return self.period is None
        return self.enrolling["at"] >= self.year.window(self.enrolling)[1]

    @property
    def is_after_the_year(self) -> bool:
        return self.enrolling is not None and self.day > self.year.edition["benefit_to"]

    @property
    def given(self) -> Given:
        return self.year.given

    @property
    def check_is_missing(self) -> bool:
        """Whether the check is needed (R17), which it is not after a year of enrollment (R33)."""
        is_known = self.given.enrolled or self.year.check is not None or self.named is not None
        return self.year.needs_checks and not is_known

    @property
    def stop(self) -> date | None:
        """S, where it is known."""
        return self.year.employee if isinstance(self.year.employee, date) else None

    # Waiting

    @cached_property
    def starts(self) -> date | None:
        """R14: the first waiting day; None while it depends on an enrolling that is not known."""
        counted = self.year.edition["waiting_counts_from"]
        if counted != "enrollment":
            return max(self.year.registered_on, counted)
        if self.enrolling is None:
            return None
        return max(self.day, self.year.registered_on, self.year.edition["benefit_from"])

    @cached_property
    def named_by_check(self) -> Waiting | None:
        """R13, R33: the waiting period whose last day this year's check names.

        It begins where the one that it replaces began, if that goes on. Ignored where that is after
        its end.
        """
        check = self.year.check
        if not self.year.knows_checks or check is None or not check.get("waiting_ends_on"):
            return None
        carried = self.given.waiting
        goes_on = isinstance(carried, Waiting) and self.goes_on(carried)
        first = carried.first if goes_on else self.starts
        if first is None or check["waiting_ends_on"] < first:
            return None
        return Waiting(first, check["waiting_ends_on"], None)

    def goes_on(self, period: Waiting) -> bool:
        """R33: whether a carried period is not over when this year's cover begins."""
        return period.last >= self.year.edition["benefit_from"]

    @cached_property
    def months(self) -> int:
        """R36: fixed months and those of lapsed years, less what was repaired, to a floor."""
        edition, check = self.year.edition, self.year.check
        fixed = self.period.fixed if self.period else 0
        if self.given.enrolled or not self.year.knows_checks or check is None:
            return fixed
        lapsed = int(check["lapsed_years"])
        a_year = edition["waiting_months_per_lapsed_year"]
        repaired = edition.get("waiting_repaired_per_year", 0) * (check.get("years_repaid") or 0)
        total = fixed + max(0, a_year * lapsed - repaired)
        floor = edition.get("waiting_floor")
        if floor and lapsed >= floor["lapsed_years"]:
            total = max(total, min(floor["months"], fixed + a_year * lapsed))
        return total

    @cached_property
    def waiting_depends(self) -> bool:
        """R36: whether the waiting period waits for an enrolling that is not known."""
        if self.enrolling is not None:
            return False
        if any(period.fixed for period in self.year.periods()):
            return True
        may_owe = self.check_is_missing or self.months > 0 or self._names_a_day
        may_owe = may_owe and self.named_by_check is None
        return self.year.edition["waiting_counts_from"] == "enrollment" and may_owe

    @property
    def _names_a_day(self) -> bool:
        check = self.year.check
        return bool(self.year.knows_checks and check and check.get("waiting_ends_on"))

    @cached_property
    def own_waiting(self) -> Waiting | None:
        """What this year itself adds: the fixed months and those of its check."""
        if self.check_is_missing or not self.months or self.starts is None:
            return None
        return Waiting(self.starts, last_of(self.starts, self.months), self.months)

    @cached_property
    def waitings(self) -> list[Waiting]:
        """Every waiting period that counts, also one that is over: the one that ends last first.

        Of equal ends a carried one is first (R33).
        """
        if self.named:
            return [self.named]
        if self.named_by_check and not self.given.open:
            return [self.named_by_check]
        if self.waiting_is_open:
            return []
        carried = self.given.waiting if isinstance(self.given.waiting, Waiting) else None
        both = [period for period in (carried, self.own_waiting) if period]
        return sorted(both, key=lambda period: period.last, reverse=True)

    @cached_property
    def waiting_is_open(self) -> bool:
        """Whether a fact about waiting is lacking: the check, or one of the year before."""
        if (self.named or self.named_by_check) and not self.given.open:
            return False
        return self.check_is_missing or self.given.open or self.given.waiting == PENDING

    @property
    def waiting(self) -> Value:
        """R12 to R15, R33, R36: what is told of the waiting period."""
        if self.waiting_depends:
            return self.year.rest
        if self.waiting_is_open:
            return PENDING
        carried = self.given.waiting
        for period in self.waitings:
            moved = period == self.named_by_check and self.origin is not self.given.origin
            if self.goes_on(period) or not (period == carried or moved):
                return period
        return None

    @property
    def after_waiting(self) -> date | None:
        """W + 1, as far as it is known."""
        return self.waitings[0].last + DAY if self.waitings else None

    # Account, e-voucher, cover: before anything cuts them off

    @cached_property
    def late_and_open(self) -> bool:
        """R10: late, and neither an account recorded nor a later check that names the last day."""
        if not self.is_late or self.year.recorded_account:
            return False
        check = self.year.check
        named = self.named_by_check is not None and check is not None
        return not (named and check is not None and check["at"].date() >= self.day)

    @property
    def lacks_a_fact(self) -> bool:
        """Whether something is open on which account, e-voucher and window alike wait."""
        is_open = self.waiting_is_open or self.check_is_missing
        return is_open or self.year.employee == PENDING or self.late_and_open

    @property
    def has_carried_account(self) -> bool:
        carried = self.given.account
        return not self.year.recorded_account and isinstance(carried, date)

    @cached_property
    def origin(self) -> Course | None:
        """The course that hands on, with another last waiting day where a check names one (R33)."""
        origin, named = self.given.origin, self.named or self.named_by_check
        owed = self.given.waiting
        is_over = isinstance(owed, Waiting) and not self.goes_on(owed)
        if origin is None or named is None or owed is None or is_over:
            return origin
        return replace(origin, named=named)

    @cached_property
    def carried(self) -> tuple[Value, Value]:
        """Account and e-voucher of the year before, moved where a check moves them."""
        if self.origin is self.given.origin or self.origin is None:
            return self.given.account, self.given.evoucher
        moved = self.origin._cut_by_leaving(self.origin.account, self.origin.evoucher, PENDING)
        account, evoucher = (
            None if self.origin.year.leaving and each == PENDING else each for each in moved[:2]
        )
        return account, evoucher

    @property
    def cover_waits_there(self) -> bool:
        """Whether cover is pending in the year before, and so here."""
        waits = self.given.coverage == PENDING
        if self.origin is self.given.origin or self.origin is None:
            return waits
        return waits and self.origin.coverage_is_open

    @cached_property
    def earliest(self) -> date:
        """R17: the earliest possible account day, of what is known."""
        if self.carried[0] == PENDING:
            return self.origin.earliest if self.origin else self.given.earliest
        if isinstance(self.carried[0], date):
            return self.carried[0]
        day = self.day if self.enrolling else None
        return latest([self.year.registered_on, self.stop, self.after_waiting, day])

    @cached_property
    def account(self) -> Value:
        """R18, R33: recorded, else carried, else the latest of D, W + 1, S and the registration."""
        if self.year.recorded_account:
            return self.year.recorded_account
        if self.given.open or self.year.employee == PENDING:
            return PENDING
        if self.carried[0] is not None:
            return self.carried[0]
        return PENDING if self.lacks_a_fact else self.earliest

    @cached_property
    def evoucher(self) -> Value:
        """R5, R19, R33."""
        if self.carried[1] is not None:
            waits = self.given.open or self.year.employee == PENDING
            return PENDING if waits else self.carried[1]
        if self.year.document_fails:
            return self._activated()
        if self.lacks_a_fact or self.account == PENDING:
            return PENDING
        return self.opens_with(self.account)

    def _activated(self) -> Value:
        """R5: with such a document there is none, unless one was activated all the same."""
        activation = self.year.activation
        if activation is None:
            return None
        built = None if self.given.open else self.account_instant
        return PENDING if built is None else max(activation["at"], built)

    def opens_with(self, account: date) -> datetime:
        """R19, with an account of that day."""
        edition = self.year.edition
        after = timedelta(days=edition["evoucher_opens_after"])
        if edition["evoucher_counts_from"] == "account":
            return datetime.combine(account + after, edition["evoucher_hour"])
        stopped = self.stop + after if self.stop else None
        on = latest([self.day + after, self.after_waiting, stopped, account])
        return datetime.combine(on, edition["evoucher_hour"])

    @property
    def coverage_is_open(self) -> bool:
        return self.lacks_a_fact or self.cover_waits_there

    def begins_with(self, account: date) -> date:
        """R20, R21, R35, R36: the first day of cover, with an account of that day."""
        edition, year = self.year.edition, self.year
        how = self.period.cover_from if self.period else "registration"
        bounds: list[date | None] = [edition["benefit_from"], self.stop]
        if how == "enrollment_day":
            bounds.append(self.day)
        elif how == "day_after_enrollment":
            bounds.append(self.day + DAY)
        elif how == "first_of_next_month":
            bounds.append((self.day.replace(day=1) + timedelta(days=31)).replace(day=1))
        if how != "benefit_from":
            bounds.append(year.registered_on)
        after_account = account + timedelta(days=edition["cover_after_account"])
        if self.waitings:
            bounds += [after_account, self.after_waiting]
        if self.is_late:
            bounds += [after_account, self.day]
        return latest(bounds)

    # The values as they are told

    @cached_property
    def values(self) -> dict[str, Value]:
        """The four values: R22, R25 and R38 applied."""
        account, evoucher, coverage = self._cut_by_leaving(*self._cut_by_the_year())
        return {
            "waiting": self.waiting,
            "account_built_on": account,
            "evoucher_available_at": evoucher,
            "coverage": coverage,
        }

    def _cut_by_the_year(self) -> tuple[Value, Value, Value]:
        """R22: nothing is derived beyond the benefit year, nor from what came after it (R10)."""
        last = self.year.edition["benefit_to"]
        if self.is_after_the_year:
            return self.year.recorded_account, None, None
        account, evoucher, coverage = self.account, self.evoucher, PENDING
        supposed = self.earliest if account == PENDING else account
        begins = self.begins_with(supposed)
        if begins > last:
            coverage = None
        elif not self.coverage_is_open:
            coverage = Window(begins, last)
        # While the year before is open, it may hand on one that R22 does not take away.
        is_carried = self.carried[1] is not None or self.given.open
        opens = evoucher
        if evoucher == PENDING and not is_carried:
            opens = self.opens_with(supposed)
            activation = self.year.activation
            if self.year.document_fails and activation:
                opens = max(activation["at"], midnight(supposed))
        if isinstance(opens, datetime) and opens.date() > last:
            evoucher = None
        if coverage is None and not is_carried and not self.year.document_fails:
            evoucher = None
        return account, evoucher, coverage

    def _cut_by_leaving(
        self, account: Value, evoucher: Value, coverage: Value
    ) -> tuple[Value, Value, Value]:
        """R25, R38: a leaving that ends cover, by its day; an opt-out, by its day and instant."""
        ends: list[tuple[date, date, datetime]] = []
        if left := self.year.leaving_that_ends:
            ends.append((left, left - DAY, midnight(left)))
        if self.opted_out:
            at = self.opted_out["at"]
            ends.append((at.date(), at.date(), at))
        for day, last, instant in ends:
            built = self.earliest if account == PENDING else account
            if built is None or day <= built:
                return None, None, None
            if evoucher == PENDING and day <= self.earliest:
                evoucher = None
            # R38: a leaving that was told in the year before settles the window, check or not.
            was_told = self.year.leaving_was_told and day == left
            never_begins = was_told and last < self.year.edition["benefit_from"]
            if coverage == PENDING and (day <= self.earliest or never_begins):
                coverage = None
            if isinstance(evoucher, datetime) and evoucher > instant:
                evoucher = None
            if isinstance(coverage, Window):
                shortened = min(coverage.last, last)
                coverage = (
                    Window(coverage.first, shortened) if coverage.first <= shortened else None
                )
        return account, evoucher, coverage

    # The road (R24)

    @property
    def confirmed_at(self) -> datetime:
        assert self.enrolling is not None
        return max(self.enrolling["at"], midnight(self.year.registered_on))

    @property
    def visible_at(self) -> datetime:
        """V (R17)."""
        assert self.enrolling is not None
        at, edition = self.enrolling["at"], self.year.edition
        if self.enrolling.get("channel") == "proxy":
            return midnight(at.date() + timedelta(days=edition["proxy_result_visible_after"]))
        return at + timedelta(minutes=edition["result_visible_after"])

    @property
    def found_at(self) -> datetime:
        """When what a check found was known, this year's or that of the year that hands on."""
        needed = self.year.needs_checks and not self.given.enrolled
        if self.year.check and (needed or self.named_by_check):
            return self.year.check_first_found_at
        return self.given.found_at if self.given.enrolled else EARLIEST

    @property
    def known_at(self) -> datetime:
        """When the result is visible and what the check found is known."""
        return max(self.visible_at, self.found_at)

    @property
    def account_instant(self) -> datetime | None:
        """R18; not within a waiting period where the account is a carried one."""
        if not isinstance(self.account, date):
            return None
        days: list[date | None] = [self.account, self.year.registered_on]
        if self.has_carried_account:
            days.append(self.after_waiting)
        return max(self.known_at, midnight(latest(days)))

    def road(self) -> list[tuple[datetime, str]]:
        """Each state of the main road that this leads to, with its instant."""
        steps = [(self.confirmed_at, "confirmed")]
        steps.append((midnight(self.year.edition["benefit_to"] + DAY), "expired"))
        waits = isinstance(self.waiting, Waiting) and self.after_waiting
        if waits and self.known_at < midnight(waits):
            steps.append((max(self.known_at, self.confirmed_at), "in_waiting_period"))
        built = self.account_instant
        told = self.values
        if told["account_built_on"] is None or built is None:
            return steps
        steps.append((built, "account_built"))
        opened, covered = told["evoucher_available_at"], told["coverage"]
        if self.year.document_fails:
            # R5: an activation moves the value, not the state.
            opened = None
        if isinstance(opened, datetime):
            steps.append((max(opened, built), "evoucher_eligible"))
        if isinstance(covered, Window) and opened != PENDING:
            steps.append((max(midnight(covered.first), built, opened or built), "active"))
        return steps


@dataclass(frozen=True, eq=False)
class Year:
    """One benefit year of a person, asked about an instant."""

    number: int
    edition: Edition
    facts: Sequence[Fact]
    fixes: Sequence[Fact]
    before: Year | None
    following: Sequence[Fact]
    at: datetime

    # Which fact counts

    @cached_property
    def registration(self) -> Fact | None:
        return latest_of(self.facts, "register")

    @property
    def registered_on(self) -> date:
        assert self.registration is not None
        return self.registration["on"]

    @property
    def document_fails(self) -> bool:
        """R5: whether with her document an e-voucher may fail."""
        assert self.registration is not None
        return self.registration["document"] in self.edition["documents_without_evoucher"]

    @property
    def activation(self) -> Fact | None:
        """The latest of this year, else of the year before: that it worked is known of her."""
        before = self.before.activation if self.before else None
        return latest_of(self.facts, "activate_evoucher") or before

    @property
    def needs_checks(self) -> bool:
        return self.edition["waiting_months_per_lapsed_year"] > 0

    @property
    def knows_checks(self) -> bool:
        """An edition that knows no waiting period hears of no check, of no named last day either.

        One with fixed months alone needs none, but R13's last day replaces these too.
        """
        return self.needs_checks or any(period.fixed for period in self.periods())

    @cached_property
    def check(self) -> Fact | None:
        return latest_of(self.facts, "verify_prior_coverage")

    @property
    def check_first_found_at(self) -> datetime:
        """A check that repeats an earlier finding keeps that one's instant."""
        assert self.check is not None
        return min(
            fact["at"]
            for fact in self.facts
            if fact["do"] == "verify_prior_coverage" and finding(fact) == finding(self.check)
        )

    @cached_property
    def recorded_account(self) -> date | None:
        recorded = latest_of(self.facts, "build_account")
        return max(recorded["on"], self.registered_on) if recorded else None

    @cached_property
    def employee(self) -> Value:
        """R3, R33: S; PENDING while employee cover is declared and not stopped; None without.

        Of declarations and stops of all the years until this one the latest counts; where that
        leaves a cover that is not stopped, a stop of the next year does, until another is declared.
        """
        ours: list[Fact] = []
        year: Year | None = self
        while year:
            ours = [*year.facts, *ours]
            year = year.before
        told = [fact for fact in ours if is_employee_cover(fact) or is_stop(fact)]
        if not told:
            return None
        last = max(enumerate(told), key=lambda each: (each[1]["at"], each[0]))[1]
        if is_stop(last):
            return last["on"]
        after = [f for f in self.following if f["at"] >= last["at"]]
        again = min((f["at"] for f in after if is_employee_cover(f)), default=LATEST)
        stop = latest_of([f for f in after if f["at"] < again], "stop_employee_cover")
        return stop["on"] if stop else PENDING

    @cached_property
    def leaving(self) -> Fact | None:
        """R25, R38: the leaving that counts here, if it has an effect in this benefit year.

        One of the year before counts where its day follows this year's registration. Its day is
        given as `on`, never before the registration.
        """
        last = latest_of(self.leavings(), "withdraw")
        if last is None or last["on"] > self.edition["benefit_to"]:
            return None
        return {**last, "on": max(last["on"], self.registered_on)}

    def leavings(self) -> list[Fact]:
        """All leavings that count here, those of the year before first.

        A year in between in which nobody was registered hands on none.
        """
        handed_on = self.before.leavings() if self.before and self.before.registration else []
        if self.registration:
            handed_on = [fact for fact in handed_on if fact["on"] > self.registered_on]
        return [*handed_on, *(fact for fact in self.facts if fact["do"] == "withdraw")]

    @property
    def leaving_was_told(self) -> bool:
        """Whether the leaving that counts is one of the year before."""
        told = latest_of(self.leavings(), "withdraw")
        return told is not None and not any(fact is told for fact in self.facts)

    @property
    def leaving_that_ends(self) -> date | None:
        """The first day outside, where the kind of leaving ends cover."""
        if self.leaving is None:
            return None
        kind = self.leaving.get("kind") or "withdrawn"
        ends = self.edition.get("cover_after_leaving", {}).get(kind, "ends") == "ends"
        return self.leaving["on"] if ends else None

    # School and windows

    def school(self, enrolling: Fact | None = None) -> str:
        """Her school when she enrolled so, or at last; of one instant, as the stream has it."""
        assert self.registration is not None
        moves = [fact for fact in self.facts if fact["do"] == "change_school"]
        if enrolling is not None:
            at, own = enrolling["at"], [id(fact) for fact in self.facts]
            place = own.index(id(enrolling)) if id(enrolling) in own else -1
            moves = [f for f in moves if (f["at"], own.index(id(f))) < (at, place)]
        return (latest_of(moves, "change_school") or self.registration)["school"]

    def window(self, enrolling: Fact | None = None) -> tuple[datetime, datetime]:
        """R8: from when until when (the first instant outside) one may enroll, by her school."""
        assert self.registration is not None
        if self.has_periods:
            period = self.edition["concentrated_period"]
            opens, until = starting(period["opens"]), ending(period["closes"])
        else:
            named = self.edition["window_opens"]
            first = self.registered_on if named == "registration_day" else named
            opens, until = starting(first), ending(self.edition["window_closes_on"])
        school, category = self.school(enrolling), self.registration["category"]
        for end in ("opens", "closes"):
            fixed = self._fix(end, school, category)
            if fixed is not None and end == "opens":
                opens = starting(fixed)
            elif fixed is not None:
                until = ending(fixed)
        return opens, until

    def _fix(self, end: str, school: str, category: str) -> date | datetime | None:
        """What fixed that end for her: the narrowest fix, of equals the latest."""
        found: list[tuple[int, datetime, int, date | datetime]] = []
        for place, fix in enumerate(self.fixes):
            of, about = fix.get("school"), fix.get("category")
            value = fix.get(f"{end}_on") or fix.get(f"{end}_at")
            if value and of in (None, school) and about in (None, category):
                rank = 2 * (of is not None) + (about is not None)
                found.append((rank, fix["at"], place, value))
        return max(found, key=lambda each: each[:3])[3] if found else None

    @property
    def has_periods(self) -> bool:
        return bool(self.edition.get("concentrated_period"))

    def periods(self, enrolling: Fact | None = None) -> list[Period]:
        """The periods of the edition, in order, the concentrated one as fixed for her school."""
        found = []
        for name in PERIODS if self.has_periods else ():
            if period := self.edition.get(name):
                opens, until = starting(period["opens"]), ending(period["closes"])
                if name == "concentrated_period":
                    opens, until = self.window(enrolling)
                how = period.get("cover_from", "registration")
                found.append(Period(opens, until, how, period.get("fixed_waiting_months", 0)))
        return found

    def period_of(self, enrolling: Fact) -> Period | None:
        at = enrolling["at"]
        return next((p for p in self.periods(enrolling) if p.opens <= at < p.until), None)

    @property
    def lapses_at(self) -> datetime:
        """R24, R35: the end of the last period but the late one; of the latest school."""
        if not self.has_periods:
            return self.window()[1]
        timely = [p for p, name in self._named_periods() if name != "late_period"]
        return max(period.until for period in timely)

    def _named_periods(self) -> Iterable[tuple[Period, str]]:
        names = [name for name in PERIODS if self.edition.get(name)]
        return zip(self.periods(), names, strict=True)

    # Enrolling

    @cached_property
    def courses(self) -> list[Course]:
        """What follows from each choice in turn: one course before, between and after opt-outs.

        Of enrollings the earliest counts, of payments the earliest in a period (R34). After an
        enrolling, an opt-out that comes after the benefit year has no effect.
        """
        stretches: list[tuple[list[Fact], Fact | None]] = [([], None)]
        for fact in self._choices():
            if fact["do"] == "keep_other_cover":
                if fact["at"].date() > self.edition["benefit_to"] and any(f for f, _ in stretches):
                    continue
                stretches[-1] = (stretches[-1][0], fact)
                stretches.append(([], None))
            else:
                stretches[-1][0].append(fact)
        return [Course(self, self._first(found), out) for found, out in stretches]

    def _first(self, found: list[Fact]) -> Fact | None:
        timely = [fact for fact in found if is_payment(fact) and self.period_of(fact)]
        return next(iter(timely or found), None)

    def _choices(self) -> list[Fact]:
        """Enrollings and opt-outs, by their instants; of equal ones the year before's first."""
        by_payment = self.edition.get("enrolled_by") == "payment"
        kinds = ("keep_other_cover", "pay_premium" if by_payment else "confirm")
        choices = [fact for fact in self.facts if fact["do"] in kinds]
        if by_payment and self.before:
            choices = [*filter(is_payment, self.before.facts), *choices]
        choices = [f for f in choices if not is_payment(f) or f["year"] == self.number]
        return sorted(choices, key=lambda fact: fact["at"])

    @property
    def has_opted_out(self) -> bool:
        """Whether the latest known choice is to keep the other cover."""
        return len(self.courses) > 1 and self.courses[-1].enrolling is None

    @property
    def course(self) -> Course:
        """The course that the values go by: the last, or the last with an enrolling before it."""
        enrolled = [course for course in self.courses if course.enrolling]
        return enrolled[-1] if enrolled else self.courses[-1]

    @property
    def may_still_enroll(self) -> bool:
        """R25, R35: whether an enrolling is still possible at the instant asked about."""
        left = midnight(self.leaving["on"]) if self.leaving else LATEST
        opened = [self.window()]
        if self.has_periods:
            opened = [(period.opens, period.until) for period in self.periods()]
        first = max(self.at, midnight(self.registered_on))
        is_possible = any(max(first, opens) < min(until, left) for opens, until in opened)
        return is_possible and not self.has_opted_out

    # What it hands on, what it was given

    @cached_property
    def given(self) -> Given:
        return self.before.hands_on if self.before else Given()

    @cached_property
    def hands_on(self) -> Given:
        """R33: what the next year starts from, as it is before R22 cuts it off."""
        if self.registration is None:
            return replace(self.given, enrolled=False, coverage=None, open=False)
        course = self.course
        counts = course.enrolling is not None and not course.is_after_the_year
        if not counts or self.has_opted_out:
            given = replace(self.given, enrolled=False, coverage=None)
            unsettled = course.enrolling is None and self.rest == PENDING
            return replace(given, open=unsettled)
        account, evoucher, _ = course._cut_by_leaving(course.account, course.evoucher, PENDING)
        waiting: Value = course.waitings[0] if course.waitings else None
        handed = Given(
            enrolled=self.leaving is None,
            waiting=PENDING if course.waiting_is_open else waiting,
            account=account,
            evoucher=evoucher,
            coverage=PENDING if course.coverage_is_open else None,
            earliest=course.earliest,
            found_at=course.found_at,
            origin=course,
        )
        if handed.enrolled:
            return handed
        return handed.known_alone(self.given)

    # Answers

    @property
    def values(self) -> dict[str, Value]:
        if self.course.enrolling is not None:
            return self.course.values
        return self._values_without_enrolling()

    def _values_without_enrolling(self) -> dict[str, Value]:
        """R25, R36: a recorded account day stands, unless who left had left by then."""
        account, left = self.recorded_account, self.leaving_that_ends
        fails = self.document_fails and not self.activation
        return {
            "waiting": self.course.waiting,
            "account_built_on": None
            if account and left and left <= account
            else account or self.rest,
            "evoucher_available_at": None if fails else self.rest,
            "coverage": self.rest,
        }

    @property
    def rest(self) -> Value:
        """R25: what everything is that waits for an enrolling."""
        course, left, account = self.course, self.leaving_that_ends, self.recorded_account
        after_waiting = None if course.waiting_depends else course.after_waiting
        bounds = latest([self.registered_on, after_waiting, course.stop])
        has_left = left and (left <= bounds or (account and left <= account))
        return PENDING if self.may_still_enroll and not has_left else None

    def state(self, instant: datetime) -> str | None:
        """R24: where she is at an instant, of the facts that are known."""
        if self.registration is None or instant < midnight(self.registered_on):
            return None
        if self.leaving and instant >= midnight(self.leaving["on"]):
            return "withdrawn"
        chosen = [c for c in self.courses if c.opted_out and c.opted_out["at"] <= instant]
        number = len(chosen)
        course = self.courses[number]
        if course.enrolling and instant >= course.confirmed_at:
            if course.opted_out and any(later.enrolling for later in self.courses[number + 1 :]):
                course = replace(course, opted_out=None)
            reached = [state for at, state in course.road() if at <= instant]
            return max(reached, key=ROAD.index)
        if number:
            return "opted_out"
        return "lapsed" if instant >= self.lapses_at else "registered"

    def timeline(self) -> list[tuple[datetime, str]]:
        """Each change of state once, in order, without states of no duration."""
        assert self.registration is not None
        instants = {midnight(self.registered_on), self.lapses_at}
        if self.leaving:
            instants.add(midnight(self.leaving["on"]))
        for course in self.courses:
            for each in (course, replace(course, opted_out=None)) if course.enrolling else ():
                instants.update(at for at, _ in each.road())
            if course.opted_out:
                instants.add(course.opted_out["at"])
        told: list[tuple[datetime, str]] = []
        for instant in sorted(instants):
            state = self.state(instant)
            if state and (not told or told[-1][1] != state):
                told.append((instant, state))
        return told

    def answer(self) -> dict[str, Any]:
        if self.registration is None:
            return NOBODY
        return {"state": self.state(self.at), **self.values, "timeline": self.timeline()}


def answers(person: Sequence[dict[str, Any]], at: datetime) -> list[dict[str, Any]]:
    """What is answered for each year of a person, asked about `at`, everything known."""
    told: list[dict[str, Any]] = []
    before = None
    for place, year in enumerate(person):
        following = person[place + 1]["facts"] if place + 1 < len(person) else ()
        if before is None and not year["facts"]:
            told.append(NOBODY)
            continue
        edition, fixes = year["edition"], year.get("fixes", ())
        before = Year(year["year"], edition, year["facts"], fixes, before, following, at)
        told.append(before.answer())
    return told


def latest_of(facts: Iterable[Fact], kind: str) -> Fact | None:
    """Of several facts of a kind the one that happened last, of equals the later in the stream."""
    told = [fact for fact in facts if fact["do"] == kind]
    return max(enumerate(told), key=lambda each: (each[1]["at"], each[0]))[1] if told else None


def finding(check: Fact) -> tuple[Any, ...]:
    named = check.get("waiting_ends_on"), check.get("years_repaid") or 0
    return (int(check["lapsed_years"]), *named)


def is_stop(fact: Fact) -> bool:
    return fact["do"] == "stop_employee_cover"


def is_employee_cover(fact: Fact) -> bool:
    return fact["do"] == "declare_other_cover" and fact["kind"] == "employee"


def is_payment(fact: Fact) -> bool:
    return fact["do"] == "pay_premium"


def latest(days: Iterable[date | None]) -> date:
    return max(day for day in days if day is not None)


def midnight(day: date) -> datetime:
    return datetime.combine(day, time())


def starting(day: date) -> datetime:
    """The first instant of a period that opens then: a day means its start."""
    return day if isinstance(day, datetime) else midnight(day)


def ending(day: date) -> datetime:
    """The first instant outside a period that closes then: a day means its end."""
    return day if isinstance(day, datetime) else midnight(day + DAY)


def last_of(first: date, months: int) -> date:
    """R15: the day before the corresponding day, or the month's last day where it has none."""
    place = first.year * 12 + first.month - 1 + months
    year, month = divmod(place, 12)
    longest = calendar.monthrange(year, month + 1)[1]
    if first.day > longest:
        return date(year, month + 1, longest)
    return date(year, month + 1, first.day) - DAY
