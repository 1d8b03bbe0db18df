"""What a question is put to: one student's current facts under one edition and its window."""

from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from datetime import date
from typing import Any, TypeVar

from yibao.domain.editions import Policy
from yibao.domain.facts import (
    Choice,
    Current,
    Episode,
    Facts,
    Moment,
    OptOut,
    episodes,
    events,
    is_confirmation,
    is_opt_out,
)
from yibao.domain.kept import kept
from yibao.domain.rules.window import Window, WindowFix, confirmation_window
from yibao.domain.vocabulary import Category

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


class Case:
    """The facts as far as they are known, the policy, and the window as far as it is fixed.

    A case never changes, so what was derived of it once is kept for the next who asks. With the
    case before, what no fact between the two can have moved need not be derived again.
    """

    def __init__(
        self,
        policy: Policy,
        known: Sequence[Current[events.Fact]],
        fixes: Sequence[WindowFix] = (),
        facts: Facts | None = None,
        before: "Case | None" = None,
    ) -> None:
        self.policy = policy
        self.known = known
        self.fixes = fixes
        self.facts = facts or Facts(known)
        self._derived: dict[object, Any] = {}
        self._shared: dict[object, Any] = before._shared if before and self._like(before) else {}

    def _like(self, before: "Case") -> bool:
        return (
            before.policy is self.policy
            and before.fixes is self.fixes
            and before.facts.differ_in(self.facts) <= _ASIDE
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

    def window_at(self, moment: Moment) -> Window:
        """The confirmation window of the school the student is at then."""
        return self._window(self.facts.school_at(moment))

    def windows(self) -> Iterator[Window]:
        """The confirmation windows of every school the student was at."""
        yield from map(self._window, self.facts.schools)

    @kept
    def latest_window(self) -> Window:
        """The window of the latest school: the one a lapse follows (R10)."""
        return self._window(self.facts.latest_school)

    @kept
    def withdrawal(self) -> Current[events.Withdrawn] | None:
        """The withdrawal that counts, if it has an effect in this benefit year."""
        return self.facts.withdrawal(self.policy.parameters.benefit_to.value)

    @kept
    def check(self) -> Current[events.PriorCoverageVerified] | None:
        """The latest check, at the instant at which its finding was first known (R24)."""
        return self.facts.check()

    @kept
    def choices(self) -> Sequence[Choice]:
        """What the student chose, in order.

        Without opting out after the benefit year, which for who had confirmed has no effect (R24).
        """
        confirmed = False
        counting: list[Choice] = []
        for choice in self.facts.choices:
            if is_opt_out(choice) and confirmed and choice.at >= self.policy.ends_at:
                continue
            confirmed = confirmed or is_confirmation(choice)
            counting.append(choice)
        return counting

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
    def opt_out(self) -> OptOut | None:
        """The opt-out that still stands: the first since the last confirmation."""
        standing: OptOut | None = None
        for choice in self.choices:
            standing = (standing or choice) if is_opt_out(choice) else None
        return standing

    def _window(self, school: str | None) -> Window:
        def derive() -> Window:
            return confirmation_window(
                self.policy, self.fixes, school, self.category, self.registered_on
            )

        return self.shared(("window", school), derive)


def _began(episode: Episode) -> Moment:
    return episode.confirmation.moment
