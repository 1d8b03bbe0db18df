"""Which fact counts: from what was recorded to what holds.

Facts count by when they happened, whatever the order in which they were recorded; the order of
the stream decides only between equal instants. A correction stands in the place of what it
corrects, in every order. Of several facts of a kind the latest counts, except where a function
here says otherwise.
"""

from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime
from itertools import chain
from operator import itemgetter
from typing import Any, Generic, NamedTuple, TypeVar

from typing_extensions import TypeIs

from yibao.domain.calendar import latest, midnight
from yibao.domain.facts import events
from yibao.domain.kept import kept
from yibao.domain.vocabulary import Category, ConfirmationChannel, Document, OtherCover

E_co = TypeVar("E_co", bound=events.Fact, covariant=True)


class Moment(NamedTuple):
    """When something happened, and its place in the stream, which breaks a tie."""

    at: datetime
    place: int


class Current(NamedTuple, Generic[E_co]):
    """A current fact: what happened, and the place it has in every order."""

    moment: Moment
    event: E_co

    @property
    def at(self) -> datetime:
        return self.moment.at

    @property
    def place(self) -> int:
        return self.moment.place


#: What enrolls: a confirmation or, under some editions, the payment (R34).
Confirmation = Current[events.Confirmed | events.PremiumPaid]
OptOut = Current[events.OtherCoverKept]
Choice = Current[events.Confirmed | events.PremiumPaid | events.OtherCoverKept]
EmployeeCover = Current[events.OtherCoverDeclared | events.EmployeeCoverStopped]


class Facts:
    """The current facts of one enrollment, by kind and in the order in which they happened."""

    def __init__(self, facts: Iterable[Current[events.Fact]]) -> None:
        # Whoever is judged has few facts, of few kinds: most of what follows is empty.
        by_kind: dict[type[events.Fact], list[Current[Any]]] = {}
        for fact in facts:
            by_kind.setdefault(fact.event.__class__, []).append(fact)
        for some in by_kind.values():
            some.sort(key=_moment)
        self._name(by_kind)

    def after(self, gone: Current[Any] | None, come: Current[Any] | None) -> "Facts":
        """The facts without one and with another in its place, or one more; the rest stands."""
        by_kind = dict(self._by_kind)
        if gone is not None:
            some = by_kind[gone.event.__class__]
            index = bisect_left(some, gone.moment, key=_moment)
            by_kind[gone.event.__class__] = some[:index] + some[index + 1 :]
        if come is not None:
            some = by_kind[come.event.__class__] = [*by_kind.get(come.event.__class__, ())]
            insort(some, come, key=_moment)
        facts = Facts.__new__(Facts)
        facts._name(by_kind)
        self._carry_on(gone, come, vars(facts))
        return facts

    def _carry_on(
        self, gone: Current[Any] | None, come: Current[Any] | None, carried: dict[str, Any]
    ) -> None:
        """Brings what is known of the schools to the facts after these."""
        known = vars(self)
        if "_stays" not in known:
            return
        moved = [
            (fact.event.school, n)
            for fact, n in ((gone, -1), (come, 1))
            if fact is not None and isinstance(fact.event, _AT_A_SCHOOL)
        ]
        if not moved:
            carried |= {key: known[key] for key in ("_stays", "schools") if key in known}
            return
        stays = carried["_stays"] = {**known["_stays"]}
        for school, n in moved:
            stays[school] = stays.get(school, 0) + n
            if not stays[school]:
                del stays[school]

    def differ_in(self, others: "Facts") -> set[type[events.Fact]]:
        """The kinds of which these are perhaps not those of others, which went on from these."""
        ours, theirs = self._by_kind, others._by_kind
        return {kind for kind in ours | theirs if ours.get(kind) is not theirs.get(kind)}

    @property
    def everything(self) -> Iterator[Current[events.Fact]]:
        """All of them, kind by kind."""
        return chain.from_iterable(self._by_kind.values())

    def _name(self, by_kind: dict[type[events.Fact], list[Current[Any]]]) -> None:
        """Gives the facts of each kind their name."""
        self._by_kind = by_kind
        of = by_kind.get
        none: Sequence[Current[Any]] = ()
        self.registrations: Sequence[Current[events.Registered]] = of(events.Registered, none)
        self.registration: Current[events.Registered] | None = _last(self.registrations)
        self.school_changes: Sequence[Current[events.SchoolChanged]] = of(
            events.SchoolChanged, none
        )
        self.rosters: Sequence[Current[events.RosterDeclared]] = of(events.RosterDeclared, none)
        self.covers: Sequence[Current[events.OtherCoverDeclared]] = of(
            events.OtherCoverDeclared, none
        )
        self.checks: Sequence[Current[events.PriorCoverageVerified]] = of(
            events.PriorCoverageVerified, none
        )
        self.accounts: Sequence[Current[events.AccountBuilt]] = of(events.AccountBuilt, none)
        self.activations: Sequence[Current[events.EvoucherActivated]] = of(
            events.EvoucherActivated, none
        )
        self.cards: Sequence[Current[events.MedicalCardIssued]] = of(events.MedicalCardIssued, none)
        self.remote_filings: Sequence[Current[events.RemoteCareFiled]] = of(
            events.RemoteCareFiled, none
        )
        self.withdrawals: Sequence[Current[events.Withdrawn]] = of(events.Withdrawn, none)
        self.premiums: Sequence[Current[events.PremiumPaid]] = of(events.PremiumPaid, none)

    @kept
    def choices(self) -> Sequence[Choice]:
        """What the student chose, to join or to keep the other cover."""
        of = self._by_kind.get
        return merged(of(events.Confirmed, ()), self.opt_outs)

    @property
    def opt_outs(self) -> Sequence[OptOut]:
        """When she chose to keep the other cover."""
        return self._by_kind.get(events.OtherCoverKept, ())

    def payments(self, year: int) -> Sequence[Current[events.PremiumPaid]]:
        """When the premium of a benefit year was paid, as told in this stream."""
        return [fact for fact in self.premiums if fact.event.year == year]

    @kept
    def employee_cover(self) -> Sequence[EmployeeCover]:
        """What is known of cover as an employee: that there is one, and that it stops."""
        return merged(
            [fact for fact in self.covers if fact.event.kind is OtherCover.EMPLOYEE],
            self._by_kind.get(events.EmployeeCoverStopped, ()),
        )

    @kept
    def cover_elsewhere(self) -> Sequence[Current[events.OtherCoverDeclared]]:
        """The insurance of another province that was declared."""
        return [fact for fact in self.covers if fact.event.kind is OtherCover.OTHER_PROVINCE]

    @kept
    def _rosters_of(self) -> dict[str, list[Current[events.RosterDeclared]]]:
        """The rosters in which the student stands, by the school."""
        found: dict[str, list[Current[events.RosterDeclared]]] = {}
        for roster in self.rosters:
            found.setdefault(self.school_at(roster.moment), []).append(roster)
        return found

    def school_at(self, moment: Moment) -> str:
        """The school at a moment: the latest change by then, else the school of registration."""
        assert self.registration is not None
        change = last_by(self.school_changes, moment)
        return change.event.school if change else self.registration.event.school

    @property
    def latest_school(self) -> str | None:
        """The school after every change; None without a registration."""
        if self.registration is None:
            return None
        changes = self.school_changes
        return changes[-1].event.school if changes else self.registration.event.school

    @kept
    def _stays(self) -> dict[str, int]:
        """How often the student came to each school."""
        found: dict[str, int] = {}
        came: Iterable[Current[events.Registered | events.SchoolChanged]]
        came = chain(self.registrations, self.school_changes)
        for fact in came:
            found[fact.event.school] = found.get(fact.event.school, 0) + 1
        return found

    @kept
    def schools(self) -> frozenset[str]:
        """Every school the student was at."""
        return frozenset(self._stays)

    @property
    def category(self) -> Category | None:
        """The category of the registration; None without one."""
        return self.registration.event.category if self.registration else None

    @property
    def document(self) -> Document | None:
        """The document of the registration; None without one."""
        return self.registration.event.document if self.registration else None

    def roster_at(self, moment: Moment) -> Current[events.RosterDeclared] | None:
        """The declaration, by then, of the school the student is at then (R7)."""
        return last_by(self._rosters_of.get(self.school_at(moment), ()), moment)

    def check(self) -> Current[events.PriorCoverageVerified] | None:
        """The latest check, at the instant at which its finding was first known (R24)."""
        latest = _last(self.checks)
        if latest is None:
            return None
        for earlier in self.checks:
            if _finding(earlier) == _finding(latest):
                return Current(earlier.moment, latest.event)
        raise AssertionError("a check has its own finding")  # pragma: no cover

    def first_day_outside(self, withdrawal: Current[events.Withdrawn]) -> date:
        """A withdrawal's day, never before the registration day."""
        assert self.registration is not None
        return latest(withdrawal.event.on, self.registration.event.on)


class Episode(NamedTuple):
    """A time on the main road: from a confirmation until an opt-out, if one followed.

    `came_back` tells that another confirmation followed that opt-out.
    """

    confirmation: Confirmation
    opt_out: OptOut | None
    came_back: bool = False

    @property
    def ended_by(self) -> OptOut | None:
        """The opt-out that moves values: after a return what was before it stands (R24)."""
        return None if self.came_back else self.opt_out

    @property
    def key(self) -> tuple[int, int | None]:
        """What tells it from any other out of which other values follow."""
        ended_by = self.ended_by
        return self.confirmation.event.event_id.int, ended_by and ended_by.event.event_id.int


def episodes(choices: Sequence[Choice]) -> tuple[Episode, ...]:
    """Each confirmation that began something, until the opt-out that ended it.

    The last of them counts: its confirmation is the earliest since the last opt-out or, if
    there is none since then, the one that the opt-out put an end to (R24).
    """
    found: list[Episode] = []
    confirmation: Confirmation | None = None
    for choice in choices:
        if is_confirmation(choice):
            if found and confirmation is None:
                found[-1] = found[-1]._replace(came_back=True)
            confirmation = confirmation or choice
        elif is_opt_out(choice) and confirmation:
            found.append(Episode(confirmation, choice))
            confirmation = None
    if confirmation:
        found.append(Episode(confirmation, None))
    return tuple(found)


def is_confirmation(choice: Choice) -> TypeIs[Confirmation]:
    """Whether the student chose to join."""
    return isinstance(choice.event, _JOINING)


def is_proxy(confirmation: Confirmation) -> bool:
    """Whether the school's officer entered it; a payment shows like what one signs oneself."""
    return getattr(confirmation.event, "channel", None) == ConfirmationChannel.PROXY


def is_payment(confirmation: Confirmation) -> bool:
    """Whether the student joined by paying (R34), and signed nothing."""
    return isinstance(confirmation.event, events.PremiumPaid)


def is_opt_out(choice: Choice) -> TypeIs[OptOut]:
    """Whether the student chose to keep the other cover."""
    return isinstance(choice.event, events.OtherCoverKept)


def is_stop(fact: EmployeeCover) -> bool:
    """Whether cover as an employee is told to end, and not to be there."""
    return isinstance(fact.event, events.EmployeeCoverStopped)


def last_by(facts: Sequence[Current[E_co]], moment: Moment) -> Current[E_co] | None:
    """The latest of these facts that happened by the moment."""
    count = bisect_right(facts, moment, key=_moment)
    return facts[count - 1] if count else None


def end_of_stream(at: datetime) -> Moment:
    """The moment after every recorded fact that happened at this instant."""
    return Moment(at, _AFTER_ALL)


def clamped(at: datetime, registration: Current[events.Registered]) -> datetime:
    """An instant, never before the registration day begins."""
    return latest(at, midnight(registration.event.on))


_AFTER_ALL = 2**62
_JOINING = (events.Confirmed, events.PremiumPaid)
_AT_A_SCHOOL = (events.Registered, events.SchoolChanged)

#: The key that sorts facts: the moment is the first of a fact's two parts.
_moment = itemgetter(0)


def of_an_earlier_year(facts: Sequence[Current[E_co]]) -> list[Current[E_co]]:
    """Facts of another stream, each before whatever this one tells of the same instant."""
    return [Current(Moment(fact.at, fact.place - _AFTER_ALL), fact.event) for fact in facts]


def merged(some: Sequence[Current[Any]], others: Sequence[Current[Any]]) -> Sequence[Current[Any]]:
    """Facts of two kinds in one order."""
    return sorted([*some, *others], key=_moment) if some and others else some or others


def _last(facts: Sequence[Current[E_co]]) -> Current[E_co] | None:
    return facts[-1] if facts else None


def _finding(check: Current[events.PriorCoverageVerified]) -> tuple[int, date | None, int]:
    event = check.event
    return event.lapsed_years, event.waiting_ends_on, event.years_repaid or 0
