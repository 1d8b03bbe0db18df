"""What another edition would change for everybody in a group, over columns."""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import Any, Final

import numpy
from numpy.typing import NDArray

from yibao.domain.editions import Policy
from yibao.domain.money import NOTHING
from yibao.domain.rules import as_of, values
from yibao.domain.vocabulary import PENDING, DayRange, EnrollmentId
from yibao.projections.cohort.columns import DayColumn
from yibao.projections.cohort.paths import Along, Group, ask
from yibao.projections.cohort.shapes import EditionOf, Words, day_number
from yibao.projections.cohort.together.marks import whose_of
from yibao.projections.cohort.tree import Flags, Numbers
from yibao.projections.cohort.what_if import Effects, Moved, Outcome, is_registered_under, under
from yibao.projections.record import Knowledge

_PENDING: Final = -1
_NOBODY: Final = -2


class Outcomes:
    """What everybody in a group comes to who is registered under an edition; none has any care."""

    def __init__(
        self,
        group: Group,
        refs: Sequence[str],
        words: Words,
        edition_of: EditionOf,
        instead_of: Policy,
        edition: Policy,
        at: datetime,
    ) -> None:
        def after(knowledge: Knowledge) -> Knowledge:
            return under(knowledge, instead_of.edition, edition)

        self._year, self._words = group.shape.year, words
        before = _days(group, lambda known: known, instead_of.edition, words, edition_of, at)
        self._before = before
        self._after = _days(group, after, instead_of.edition, words, edition_of, at)
        schools, categories = whose_of(group, words, edition_of)
        self._named = {"school": schools, "category": categories}
        self._refs = numpy.array(refs, dtype=object)
        self._keep(before != _NOBODY)

    def _keep(self, some: Flags) -> None:
        self._before, self._after = self._before[some], self._after[some]
        self._named = {name: numbers[some] for name, numbers in self._named.items()}
        self._refs = self._refs[some]
        known = (self._before != _PENDING) & (self._after != _PENDING)
        self._more = numpy.where(known, self._after - self._before, 0)

    def __len__(self) -> int:
        return len(self._refs)

    def __iter__(self) -> Iterator[Outcome]:
        words = self._words.words
        rows = zip(
            self._refs.tolist(),
            self._named["school"].tolist(),
            self._named["category"].tolist(),
            self._before.tolist(),
            self._after.tolist(),
            strict=True,
        )
        for ref, school, category, before, after in rows:
            yield Outcome(
                EnrollmentId(ref, self._year),
                words[school],
                words[category],
                None if before == _PENDING else before,
                None if after == _PENDING else after,
                NOTHING,
                NOTHING,
            )

    def without_one_of_each(self, told: set[int]) -> list[EnrollmentId]:
        """Leaves out one of each change of days that is not told yet, and says who these are."""
        kinds, firsts = numpy.unique(self._more, return_index=True)
        new = [
            (kind, first)
            for kind, first in zip(kinds.tolist(), firsts.tolist(), strict=True)
            if kind and kind not in told
        ]
        told.update(kind for kind, _ in new)
        found = [EnrollmentId(str(self._refs[first]), self._year) for _, first in new]
        some = numpy.ones(len(self), dtype=numpy.bool_)
        some[[first for _, first in new]] = False
        self._keep(some)
        return found

    def effects(self) -> Effects:
        """Who gains and who loses."""
        return _effects(self._more)

    def by(self, what: str) -> dict[str, Effects]:
        """The same of each school or category."""
        numbers, words = self._named[what], self._words.words
        kinds, places = numpy.unique(numbers, return_inverse=True)
        # In their order, so that those of one kind stand together.
        order = numpy.argsort(places, kind="stable")
        ends = numpy.cumsum(numpy.bincount(places, minlength=len(kinds)))
        # Behind the last end is nothing, and nobody at all has no end.
        parts = numpy.split(self._more[order], ends)[:-1]
        return {
            words[kind] or "none": _effects(some)
            for kind, some in zip(kinds.tolist(), parts, strict=True)
        }


def _effects(more: Numbers) -> Effects:
    gains, loses = more[more > 0], more[more < 0]
    return Effects(
        Moved(len(gains), int(gains.sum()), NOTHING), Moved(len(loses), -int(loses.sum()), NOTHING)
    )


def _days(
    group: Group,
    of: Callable[[Knowledge], Knowledge],
    edition: str,
    words: Words,
    edition_of: EditionOf,
    at: datetime,
) -> NDArray[numpy.int64]:
    """The days of the benefit window of everybody."""

    def window(knowledge: Knowledge) -> Any:
        if not is_registered_under(knowledge, edition):
            return _NOBODY
        case = of(knowledge).case
        assert case is not None
        found = values(as_of(case, at), at).coverage.value
        return _PENDING if found is PENDING else found

    days = numpy.zeros(group.numbers.shape[1], dtype=numpy.int64)
    for along in ask([group], window, words, edition_of):
        found = along.answer
        if isinstance(found, DayRange):
            days[along.rows] = _each(found.last, along) - _each(found.first, along) + 1
        else:
            days[along.rows] = found or 0
    return days


def _each(day: Any, along: Along[Any]) -> Any:
    return day.column.at(along.places) if isinstance(day, DayColumn) else day_number(day)
