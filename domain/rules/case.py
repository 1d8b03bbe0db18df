"""What a question is put to: one student's current facts under one edition and its window."""

from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from datetime import date
from itertools import groupby, takewhile
from typing import Any, NamedTuple, TypeVar

from yibao.domain.derivation import Derived
from yibao.domain.editions import Parameter, Period, Policy
from yibao.domain.facts import (
    Choice,
    Confirmation,
    Current,
    EmployeeCover,
    Episode,
    Facts,
    Moment,
    OptOut,
    episodes,
    events,
    is_confirmation,
    is_opt_out,
    is_stop,
    merged,
    of_an_earlier_year,
)
from yibao.domain.kept import kept
from yibao.domain.rules.window import Window, WindowFix, confirmation_window
from yibao.domain.vocabulary import Category, Leaving, Pending

R = TypeVar("R")

#: Facts from which no value follows: a choice is told to a rule by whoever asks, at the others only
#: guards, next steps and care look.
_ASIDE = frozenset(
    {
        events.Confirmed,
        events.OtherCoverKept,
        events.RosterDeclared,
        events.MedicalCardIssued,
        events.RemoteCareFiled,
    }
)


class Around(NamedTuple):
    """What the years beside one tell: the case of that before, the facts of the next (R33)."""

    before: "Case | None" = None
    following: Facts | None = None


class Case:
    """The facts as far as they are known, the policy, and the window as far as it is fixed.

    `before` is the case of the year before, with its own before it, and `following` are the facts
    of the next year, of which few say something of this one (R33). `undecided` tells that one may
    still join in this year, where that keeps the next one open.

    A case never changes, so what was derived of it once is kept for the next who asks. With one
    `like` it, what no fact between the two can have moved need not be derived again.
    """

    def __init__(
        self,
        policy: Policy,
        known: Sequence[Current[events.Fact]],
        fixes: Sequence[WindowFix] = (),
        facts: Facts | None = None,
        like: "Case | None" = None,
        before: "Case | None" = None,
        following: Facts | None = None,
        undecided: Derived[Pending] | None = None,
    ) -> None:
        self.policy = policy
        self.known = known
        self.fixes = fixes
        self.facts = facts or Facts(known)
        self.before = before
        self.following = following
        self.undecided = undecided
        self._derived: dict[object, Any] = {}
        self._shared: dict[object, Any] = like._shared if like and self._is_like(like) else {}

    def _is_like(self, other: "Case") -> bool:
        return (
            other.policy is self.policy
            and other.fixes is self.fixes
            and other.before is self.before
            and other.following is self.following
            and _ASIDE.issuperset(other.facts.differ_in(self.facts))
        )

    def once(self, key: object, derive: Callable[[], R]) -> R:
        """What `derive` gives, derived at most once for this case."""
        if key not in self._derived:
            self._derived[key] = derive()
        found: R = self._derived[key]
        return found

    def shared(self, key: object, derive: Callable[[], R]) -> R:
        """The same for what follows without the facts in `_ASIDE`, but for choices in the key."""
        if key not in self._shared:
            self._shared[key] = derive()
        found: R = self._shared[key]
        return found

    def again(self, key: object, derive: Callable[[R | None], R]) -> R:
        """What `derive` makes of what it made the last time, perhaps for the case before."""
        found = self._shared[key] = derive(self._shared.get(key))
        return found

    @property
    def registration(self) -> Current[events.Registered]:
        """The current registration; to be asked only where there is one."""
        assert self.facts.registration is not None
        return self.facts.registration

    @property
    def registered_on(self) -> date:
        """The registration day."""
        return self.registration.event.on

    @property
    def category(self) -> Category:
        return self.registration.event.category

    def terms_of(self, confirmation: Confirmation) -> Parameter[Period] | None:
        """The period in which the student joined; none outside of any, or where there are none."""
        if not self.policy.periods:
            return None
        span = self.window_at(confirmation.moment).span_at(confirmation.at)
        return span.terms if span else None

    def window_at(self, moment: Moment) -> Window:
        """The confirmation window of the school the student is at then."""
        if not self.facts.school_changes:
            return self.latest_window
        return self._window(self.facts.school_at(moment))

    def windows(self) -> Iterator[Window]:
        """The confirmation windows of every school the student was at."""
        yield from map(self._window, self.facts.schools)

    @kept
    def latest_window(self) -> Window:
        """The window of the latest school: the one a lapse follows (R10)."""
        return self._window(self.facts.latest_school)

    @kept
    def withdrawals(self) -> Sequence[Current[events.Withdrawn]]:
        """Each time the student left; told in the year before, if after this registration (R38)."""
        own = self.facts.withdrawals
        if self.before is None or self.facts.registration is None:
            return own
        earlier = of_an_earlier_year(self.before.withdrawals)
        return merged([fact for fact in earlier if fact.event.on > self.registered_on], own)

    @kept
    def withdrawal(self) -> Current[events.Withdrawn] | None:
        """The withdrawal that counts, if it has an effect in this benefit year."""
        return self.withdrawal_without(None) if self.withdrawals else None

    def withdrawal_without(
        self, one: Current[events.Withdrawn] | None
    ) -> Current[events.Withdrawn] | None:
        """The withdrawal that would count without one; none after the benefit year does (R24)."""
        if self.facts.registration is None:
            return None
        latest = next((fact for fact in reversed(self.withdrawals) if fact is not one), None)
        last_day = self.policy.parameters.benefit_to.value
        if latest and self.facts.first_day_outside(latest) <= last_day:
            return latest
        return None

    @kept
    def leaving(self) -> Current[events.Withdrawn] | None:
        """The withdrawal that ends cover, which after some kinds of leaving goes on (R38)."""
        left, after = self.withdrawal, self.policy.parameters.cover_after_leaving
        if left is None or after is None:
            return left
        goes_on = after.value.get(left.event.kind or Leaving.WITHDRAWN, "ends")
        return None if goes_on == "until_benefit_to" else left

    @kept
    def employee_cover(self) -> Sequence[EmployeeCover]:
        """What is known of cover as an employee, told in the years before or in this (R33).

        Where it was not told to have stopped, what the next year tells of a stop counts too.
        """
        known = self._employee_cover_by_now()
        if self.following and known and not is_stop(known[-1]):
            told = self.following.employee_cover
            later = [fact for fact in told if fact.moment > known[-1].moment]
            return [*known, *takewhile(is_stop, later)]
        return known

    def _employee_cover_by_now(self) -> Sequence[EmployeeCover]:
        own = self.facts.employee_cover
        if self.before is None:
            return own
        return merged(of_an_earlier_year(self.before._employee_cover_by_now()), own)

    @kept
    def activations(self) -> Sequence[Current[events.EvoucherActivated]]:
        """When the e-voucher was activated, in the years before as well (R33)."""
        own = self.facts.activations
        return merged(of_an_earlier_year(self.before.activations), own) if self.before else own

    @kept
    def cards(self) -> Sequence[Current[events.MedicalCardIssued]]:
        """When a medical card was issued, in the years before as well (R33)."""
        own = self.facts.cards
        return merged(of_an_earlier_year(self.before.cards), own) if self.before else own

    @kept
    def check(self) -> Current[events.PriorCoverageVerified] | None:
        """The latest check, at the instant at which its finding was first known (R24)."""
        return self.facts.check()

    @kept
    def chosen(self) -> Sequence[Choice]:
        """All that the student chose, in order; payments instead of confirmations (R34)."""
        if not self.policy.enrolled_by_payment:
            return self.facts.choices
        year = self.policy.year
        paid = self.facts.payments(year)
        if self.before:
            paid = merged(of_an_earlier_year(self.before.facts.payments(year)), paid)
        return merged(paid, self.facts.opt_outs)

    @kept
    def choices(self) -> Sequence[Choice]:
        """What the student chose, in order, as far as it counts.

        Without opting out after the benefit year, which for who had confirmed has no effect (R24).
        """
        confirmed = False
        counting: list[Choice] = []
        for choice in self._enrolling(self.chosen):
            if is_opt_out(choice) and confirmed and choice.at >= self.policy.ends_at:
                continue
            confirmed = confirmed or is_confirmation(choice)
            counting.append(choice)
        return counting

    def _enrolling(self, chosen: Sequence[Choice]) -> Sequence[Choice]:
        """R34: of payments in a row those that lie in a period, else all: the first counts."""
        if not self.policy.enrolled_by_payment:
            return chosen
        found: list[Choice] = []
        for opted_out, row in groupby(chosen, key=is_opt_out):
            some = list(row)
            inside = [each for each in some if is_confirmation(each) and self.terms_of(each)]
            found += some if opted_out else inside or some
        return found

    @kept
    def episodes(self) -> tuple[Episode, ...]:
        """The times on the main road; the last of them counts (R24)."""
        return episodes(self.choices)

    def episode_by(self, moment: Moment) -> Episode | None:
        """The last time on the main road that had begun by a moment, as it stood then."""
        begun = bisect_right(self.episodes, moment, key=_began)
        if not begun:
            return None
        confirmation, opt_out, _ = self.episodes[begun - 1]
        return Episode(confirmation, opt_out if opt_out and opt_out.moment <= moment else None)

    @kept
    def main_road(self) -> Episode | None:
        """What is in force when the year ends, unless it was of no effect in the year (R10)."""
        if self.facts.registration is None or not self.episodes:
            return None
        last = self.episodes[-1]
        in_time = last.opt_out is None and last.confirmation.at < self.policy.ends_at
        return last if in_time else None

    @kept
    def enrolled(self) -> Episode | None:
        """R33: what enrolled the student in this year, who has neither opted out nor left."""
        return None if self.withdrawal else self.main_road

    @kept
    def opt_out(self) -> OptOut | None:
        """The opt-out that still stands: the first since the last confirmation."""
        standing: OptOut | None = None
        for choice in self.choices:
            standing = (standing or choice) if is_opt_out(choice) else None
        return standing

    def _window(self, school: str | None) -> Window:
        windows = self._shared
        if school not in windows:
            windows[school] = confirmation_window(
                self.policy, self.fixes, school, self.category, self.registered_on
            )
        found: Window = windows[school]
        return found


def _began(episode: Episode) -> Moment:
    return episode.confirmation.moment
