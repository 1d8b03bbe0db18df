"""What another edition would change: days of cover, and what the fund pays, before and after."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import chain, islice
from typing import Final, NamedTuple, Protocol

from yibao.domain.care import assessments
from yibao.domain.editions import Policy
from yibao.domain.money import NOTHING, Fen
from yibao.domain.refusals import BadValue
from yibao.domain.rules import Case, as_of, values
from yibao.domain.vocabulary import PENDING, Category, DayRange, EnrollmentId
from yibao.projections.answer import Answer, answered
from yibao.projections.record import Knowledge


class Outcome(NamedTuple):
    """What one enrollment comes to under the edition as it is, and under the edited one.

    Days are those of the benefit window, None while it is pending. The fund's are the amounts paid
    for all her care, assessed anew, whatever was settled.
    """

    enrollment: EnrollmentId
    school: str | None
    category: Category | None
    days_before: int | None
    days_after: int | None
    fund_before: Fen
    fund_after: Fen

    @property
    def days_more(self) -> int:
        """How many days of cover are gained; below zero, lost. None of what is pending is."""
        if self.days_before is None or self.days_after is None:
            return 0
        return self.days_after - self.days_before


class Moved(NamedTuple):
    """How many gain or lose, how many days of cover together, and what the fund pays for that.

    Of who gains, `money` is what the fund pays more; of who loses, what it pays less.
    """

    students: int = 0
    days: int = 0
    money: Fen = NOTHING

    def with_one(self, days: int, money: int) -> "Moved":
        return self.with_others(Moved(1, days, Fen(money)))

    def with_others(self, others: "Moved") -> "Moved":
        students, days = self.students + others.students, self.days + others.days
        return Moved(students, days, Fen(self.money + others.money))


class Effects(NamedTuple):
    """Who gains days of cover and who loses some; who does neither is on no side."""

    gains: Moved = Moved()
    loses: Moved = Moved()

    def with_one(self, outcome: Outcome) -> "Effects":
        more, paid = outcome.days_more, outcome.fund_after - outcome.fund_before
        if more > 0:
            return self._replace(gains=self.gains.with_one(more, paid))
        if more < 0:
            return self._replace(loses=self.loses.with_one(-more, -paid))
        return self

    def with_others(self, others: "Effects") -> "Effects":
        return Effects(self.gains.with_others(others.gains), self.loses.with_others(others.loses))


class Together(Protocol):
    """What many come to, of whom nobody has any care."""

    def __len__(self) -> int: ...
    def __iter__(self) -> Iterator[Outcome]: ...
    def effects(self) -> Effects: ...
    def by(self, what: str) -> Mapping[str, Effects]: ...


class Example(NamedTuple):
    """One whose days of cover change, with the answer as it is and as it would be."""

    outcome: Outcome
    before: Answer
    after: Answer

    def __repr__(self) -> str:
        whom = f"{self.outcome.enrollment.ref!r} in {self.outcome.enrollment.year}"
        return f"<Example of {whom}: {self.outcome.days_more:+} days of cover>"


#: By what effects are told apart, and how each is found; `none` where there is none.
BY: Final[dict[str, Callable[[Outcome], str | None]]] = {
    "school": lambda outcome: outcome.school,
    "category": lambda outcome: outcome.category,
}


class WhatIf:
    """What would change for everybody registered under one edition, were it another.

    `at` is the instant asked about, which decides only whether a missing confirmation may still
    come. Of those who are `together` it is known already; none of their changes is an example.
    """

    def __init__(
        self,
        everyone: Iterable[Knowledge],
        instead_of: Policy,
        edition: Policy,
        at: datetime,
        together: Sequence[Together] = (),
    ) -> None:
        self.instead_of = instead_of
        self.edition = edition
        self.at = at
        self._outcomes: list[Outcome] = []
        # One of each change of days, of which there are no more than days in a year or two.
        self._one_of: dict[int, tuple[Outcome, Knowledge, Knowledge]] = {}
        for known in everyone:
            if is_registered_under(known, instead_of.edition):
                edited = under(known, instead_of.edition, edition)
                found = outcome(known, edited, at)
                self._outcomes.append(found)
                if found.days_more:
                    self._one_of.setdefault(found.days_more, (found, known, edited))
        self._together = together
        self._effects = Effects()
        for each in self._outcomes:
            self._effects = self._effects.with_one(each)
        for some in together:
            self._effects = self._effects.with_others(some.effects())

    def __repr__(self) -> str:
        size = len(self._outcomes) + sum(map(len, self._together))
        whom = f"{size} enrollments"
        return f"<WhatIf of {self.edition.edition} instead of {self.instead_of.edition}: {whom}>"

    @property
    def gains(self) -> Moved:
        return self._effects.gains

    @property
    def loses(self) -> Moved:
        return self._effects.loses

    def by(self, what: str) -> dict[str, Effects]:
        """Who gains and who loses in each school, or of each category, in order of their names.

        Raises BadValue for anything else than `school` and `category`.
        """
        if what not in BY:
            raise BadValue("by", f"there is no counting by that; there is by {', '.join(BY)}")
        found: dict[str, Effects] = {}
        for each in self._outcomes:
            name = BY[what](each) or "none"
            found[name] = found.get(name, Effects()).with_one(each)
        for some in self._together:
            for name, effects in some.by(what).items():
                found[name] = found.get(name, Effects()).with_others(effects)
        return dict(sorted(found.items()))

    def everybody(self) -> Iterator[Outcome]:
        """What each enrollment comes to, changed or not."""
        return chain(self._outcomes, *self._together)

    def examples(self, most: int = 3) -> tuple[Example, ...]:
        """Some who gain and then some who lose, the most days first, no two as many."""
        gaining = sorted((more for more in self._one_of if more > 0), reverse=True)
        losing = sorted(more for more in self._one_of if more < 0)
        chosen = (*islice(gaining, most), *islice(losing, most))
        return tuple(self._example(*self._one_of[more]) for more in chosen)

    def _example(self, outcome: Outcome, known: Knowledge, edited: Knowledge) -> Example:
        return Example(outcome, answered(known, self.at), answered(edited, self.at))


def is_registered_under(knowledge: Knowledge, edition: str) -> bool:
    """Whether a registration that stands is under an edition."""
    case = knowledge.case
    if case is None or case.facts.registration is None:
        return False
    return case.policy.edition == edition


def under(knowledge: Knowledge, replaced: str, edition: Policy) -> Knowledge:
    """The same knowledge where one edition is another; the years before have theirs.

    What was fixed of windows stays fixed.
    """
    case = knowledge.case
    return knowledge._replace(case=case and _case_under(case, replaced, edition))


def _case_under(case: Case, replaced: str, edition: Policy) -> Case:
    return Case(
        edition if case.policy.edition == replaced else case.policy,
        case.known,
        case.fixes,
        case.facts,
        before=case.before and _case_under(case.before, replaced, edition),
        following=case.following,
    )


def outcome(before: Knowledge, after: Knowledge, at: datetime) -> Outcome:
    """What one enrollment, which is registered, comes to under two editions."""
    assert before.case is not None
    facts = before.case.facts
    return Outcome(
        before.enrollment,
        facts.latest_school,
        facts.category,
        days_of_cover(before, at),
        days_of_cover(after, at),
        fund_pays(before, at),
        fund_pays(after, at),
    )


def days_of_cover(knowledge: Knowledge, at: datetime) -> int | None:
    """The days of the benefit window, none where there is no cover; None while it is pending."""
    assert knowledge.case is not None
    window = values(as_of(knowledge.case, at), at).coverage.value
    if window is PENDING:
        return None
    return (window.last - window.first).days + 1 if isinstance(window, DayRange) else 0


def fund_pays(knowledge: Knowledge, at: datetime) -> Fen:
    """What the fund pays for all care that is known, as assessed anew (R26 to R31)."""
    if not knowledge.cares:
        return NOTHING
    assert knowledge.case is not None
    found = assessments(knowledge.case, knowledge.cares, at)
    return Fen(sum(each.fund_pays.value for each in found))
