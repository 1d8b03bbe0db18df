"""Everybody at once: what `service.cohort` returns."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime
from importlib.util import find_spec
from typing import TYPE_CHECKING, NamedTuple

from yibao.adapters.following.cohort import (
    NONE,
    PAGE,
    By,
    Cohort,
    CohortCounts,
    CohortDays,
    CohortPage,
    Counted,
    Kept,
    Learned,
    Stood,
    Whose,
    counted_by_day,
    editions_known,
)
from yibao.adapters.service.given import day_of
from yibao.adapters.service.recording import Clock
from yibao.adapters.shapes import VALUES, value_row
from yibao.adapters.store.files import NotWritten
from yibao.domain.refusals import BadValue
from yibao.domain.vocabulary import EnrollmentId, State
from yibao.projections.answer import Answer, answered
from yibao.projections.cohort.shapes import EditionOf
from yibao.projections.next_step import CODES
from yibao.projections.record import Knowledge, Record

if TYPE_CHECKING:
    import pyarrow

    from yibao.adapters.service.columns import Stepping


class Among(NamedTuple):
    """Whose enrollments are asked about; None leaves it open, `none` is those who have none."""

    school: str | None = None
    category: str | None = None
    policy: str | None = None
    year: int | None = None

    def check(self) -> None:
        """Raises BadValue for what can be nobody's."""
        for name, value in self._asdict().items():
            wanted = int if name == "year" else str
            if value is not None and (not isinstance(value, wanted) or isinstance(value, bool)):
                raise BadValue(name, "must be a whole number" if wanted is int else "must be text")

    def has(self, knowledge: Knowledge) -> bool:
        """Whether an enrollment that is known is among them."""
        case = knowledge.case
        assert case is not None  # an enrollment begins with its registration
        own = case.facts.latest_school, case.facts.category, case.policy.edition
        years = self.year in (None, knowledge.enrollment.year)
        return years and all(
            wanted is None or wanted == (NONE if has is None else str(has))
            for wanted, has in zip(self[:3], own, strict=True)
        )


class Steps(NamedTuple):
    """What everybody has to do: asked together, of whom something does not fit, and who is apart.

    The former two are about others than the last.
    """

    together: "Iterator[Stepping]"
    unfit: Sequence[EnrollmentId]
    apart: Iterator[tuple[Record, Knowledge]]


class CohortView:
    """Every enrollment of which something was known, at an instant; `service.cohort` returns it.

    Each question takes in first what was recorded since the last one. Raises StoreError where the
    store fails.
    """

    def __init__(
        self,
        cohort: Cohort,
        at: datetime,
        known_at: datetime | None,
        among: Among,
        clock: Clock,
    ) -> None:
        self.at = at
        self.known_at = known_at
        self._among = among
        self._cohort = cohort
        self._clock = clock

    def __repr__(self) -> str:
        known = self.known_at or "everything"
        return f"<{type(self).__name__} at {self.at}, known by {known}, {self._among}>"

    @property
    def is_of_everybody(self) -> bool:
        """Whether no enrollments are left out."""
        return self._among == Among()

    def count(self, by: By = "state") -> CohortCounts:
        """How many enrollments there are, by what they have in common.

        The key is `none` for those who have none. One with several discrepancies counts under
        each; `total` is the number of enrollments, `as_of` the position up to which facts are
        counted. Raises BadValue for what there is no counting by.
        """
        return self._cohort.count(by, self.at, self.known_at, **self._among._asdict())

    def page(
        self,
        *,
        after: EnrollmentId | None = None,
        limit: int = PAGE,
        state: str | None = None,
        next_step: str | None = None,
        days_left_below: int | None = None,
    ) -> CohortPage:
        """Some enrollments in the order of reference and year, and after which the next begins.

        `state` and `next_step` (the first one) leave out all others, `none` asks for those who
        have none; with `days_left_below` there are those alone whose first step is too late in
        fewer days than that. Raises BadValue for a limit that is not positive or too large, for an
        `after` that is no EnrollmentId and for other values that can never be right.
        """
        if after is not None and not isinstance(after, EnrollmentId):
            raise BadValue("after", "is no EnrollmentId")
        for name, value, known in (("state", state, State), ("next_step", next_step, CODES)):
            if value is not None and not isinstance(value, str):
                raise BadValue(name, "must be text")
            if value not in (None, NONE, *known):
                there = ", ".join((NONE, *known))
                raise BadValue(name, f"there is none of that name; there are {there}")
        return self._cohort.page(
            self.at,
            self.known_at,
            after=after,
            limit=limit,
            state=state,
            next_step=next_step,
            days_left_below=days_left_below,
            **self._among._asdict(),
        )

    def _kept(self) -> Kept | None:
        return self._cohort.kept(self.known_at, Whose(*self._among))

    def known(self) -> Iterator[tuple[Record, Knowledge]]:
        """The record of each enrollment, and what was known of it, all of one moment."""
        return self._of(self._cohort.store.records(self._cohort.editions, self._clock()))

    def _of(self, records: Iterable[Record]) -> Iterator[tuple[Record, Knowledge]]:
        for record in records:
            cutoff = record.latest if self.known_at is None else self.known_at
            knowledge = record.known_by(cutoff)
            if knowledge.version and self._among.has(knowledge):
                yield record, knowledge

    def concerned(self) -> tuple[Iterator[tuple[Record, Knowledge]], int]:
        """As `known`, of whom there is anything to do or to look at, and maybe of some others.

        And how many are parked: of whom nothing is told, since their facts cannot be read.
        """
        found = self._cohort.concerned(self.at, self.known_at, Whose(*self._among))
        store, editions = self._cohort.store, self._cohort.editions
        if found.is_counting or found.as_of < store.reached().position:
            return self.known(), 0  # others follow, and are behind
        records = store.records_of(found.whom, editions, found.as_of, self._clock())
        return self._of(records), found.parked

    def as_of(self) -> int | None:
        """Up to which fact everything is taken in; None while not everything is."""
        return self._cohort.as_of()

    def learned(self) -> Learned | None:
        """Since when the last is known of each; None while not everything is taken in."""
        return self._cohort.learned(Whose(*self._among))

    def named(self, numbers: Iterable[int]) -> list[EnrollmentId]:
        """Whose numbers in what was `learned` these are."""
        return self._cohort.named(numbers)

    def of(self, whom: Iterable[EnrollmentId]) -> Iterator[tuple[Record, Knowledge]]:
        """As `known`, of those among some who belong to it."""
        store, editions = self._cohort.store, self._cohort.editions
        until = store.reached().position
        return self._of(store.records_of(whom, editions, until, self._clock()))

    def steps(self) -> "Steps | None":
        """What everybody has to do, asked together; None where all are asked one by one.

        So it is where `yibao[analysis]` is not installed, somebody is parked, or not everything is
        taken in.
        """
        kept = self._kept()
        if kept is None:
            return None
        from yibao.adapters.service.columns import steps

        apart = self._of(self._records_apart(kept))
        unfit = [each for alike in kept.alike for each in alike.unfit]
        return Steps(steps(kept, self._editions_known(kept), self.at), unfit, apart)

    def days(
        self,
        counted: Counted = "states",
        first: date | str | None = None,
        last: date | str | None = None,
    ) -> CohortDays:
        """How many enrollments there are on each day, of each `states` or `covered`.

        That is for all days, whatever instant is asked about, from the first on which anything
        changes to the last where none are named; who is covered is by the benefit windows, and
        what is pending at the instant is none. `yibao.plot` draws it. Raises BadValue for what is
        no day and for too many, and for `covered` what `values` raises.
        """
        begins = None if first is None else day_of(first, "first")
        ends = None if last is None else day_of(last, "last")
        if counted == "states":
            return self._cohort.days(self.known_at, begins, ends, Whose(*self._among))
        if counted != "covered":
            raise BadValue("counted", "there is no counting that; there are states, covered")
        changes = Counter[int]()
        windows = self.values().select(["coverage_from", "coverage_to"]).to_pydict().values()
        for (opens, closes), number in Counter(zip(*windows, strict=True)).items():
            if opens is not None:
                changes[opens.toordinal()] += number
                changes[closes.toordinal() + 1] -= number
        return counted_by_day("covered", {"covered": changes}, self.known_at, begins, ends)

    def spans(self, known_at: datetime) -> Iterator[Stood]:
        """Every answer that ever stood for them by what was known until an instant."""
        return self._cohort.spans(known_at, Whose(*self._among))

    def answers(self) -> Iterator[Answer]:
        """The whole answer of each enrollment, one after the other, all of one moment.

        Raises, when one is drawn, UnknownEdition where an edition is not at hand, and
        UnreadableEvent where a fact cannot be read.
        """
        for _, knowledge in self.known():
            yield answered(knowledge, self.at)

    def values(self) -> "pyarrow.Table":
        """State and values of each enrollment as an Arrow table, by reference and year.

        Columns are `ref, year, school, state, waiting_from, waiting_to, account_built_on,
        evoucher_available_at, coverage_from, coverage_to` and, for each of the four values, whether
        it is pending; what is pending or is none is null. Raises NotWritten where `yibao[analysis]`
        is not installed, and what `answers` raises.
        """
        check_analysis()
        kept = self._kept()
        if kept is None:
            from yibao.adapters.service.arrow import table

            rows = (value_row(answered(known, self.at, whole=False)) for _, known in self.known())
            return table(VALUES, sorted(rows, key=lambda row: row[:2]))
        from yibao.adapters.service.columns import values_table

        apart = [answered(each, self.at, whole=False) for each in self._apart(kept)]
        return values_table(kept, self._editions_known(kept), self.at, apart)

    def _apart(self, kept: Kept) -> Iterator[Knowledge]:
        """What was known of those who do not come down to numbers."""
        for record in self._records_apart(kept):
            yield record.known_by(record.latest if self.known_at is None else self.known_at)

    def _records_apart(self, kept: Kept) -> Iterator[Record]:
        store, editions = self._cohort.store, self._cohort.editions
        return store.records_of(kept.apart, editions, kept.as_of, self._clock())

    def _editions_known(self, kept: Kept) -> EditionOf:
        store, editions = self._cohort.store, self._cohort.editions
        return editions_known(store, editions, kept.as_of, self.known_at)


def check_analysis() -> None:
    """Raises NotWritten where what makes Arrow tables is not installed."""
    if find_spec("pyarrow") is None:
        raise NotWritten("for Arrow and Parquet yibao needs pyarrow: pip install 'yibao[analysis]'")
