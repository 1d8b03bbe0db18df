"""Who is on which lists of a school at an instant: asked of all at once, and kept.

A page is asked for again and again in a morning while little is recorded. What is kept of somebody
stands until something is learned of her; then she alone is asked again.
"""

from bisect import insort
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from threading import Lock
from typing import Any, Final, NamedTuple
from weakref import WeakKeyDictionary

from yibao.adapters.office.season.lists import (
    UNFIT,
    Due,
    due_of,
    due_until,
    lists_of,
    urgency,
)
from yibao.adapters.service import CohortView, Service
from yibao.adapters.store import not_collecting
from yibao.domain.vocabulary import EnrollmentId
from yibao.projections.record import Knowledge, Record

#: Of so many of whom something was learned each is asked; of more all of them at once.
MANY: Final = 1000
#: Of a service the pages asked for last are kept, with so many entries on their lists together.
_ENTRIES: Final = 500_000


class Standing(NamedTuple):
    """How many are on each list, and who is on the one that is asked for; others are `parked`."""

    counts: Mapping[str, int]
    due: Sequence[Due]
    parked: int


def standing(service: Service, school: str, at: datetime, name: str | None = None) -> Standing:
    """How many of a school are on which list, and who is on the list of a name.

    Whose day comes first stands before all others. Raises what `service.cohort` does, and
    UnreadableEvent.
    """
    return _page(service, school, at).asked(service.cohort(at, school=school), name)


def judged(
    service: Service,
    school: str,
    at: datetime,
    whom: Iterable[Hashable],
    judge: Callable[[Any], Due | None],
) -> list[Due]:
    """Who of some stands on a list by what each is judged at an instant.

    It is kept until anything at all is learned. Raises what `service.cohort` and `judge` do.
    """
    return _page(service, school, at).judged(service.cohort(at, school=school), whom, judge)


def _page(service: Service, school: str, at: datetime) -> "_Page":
    with _OPENING:
        pages = _KEPT.setdefault(service, OrderedDict())
        page = pages.setdefault((school, at), _Page())
        pages.move_to_end((school, at))
        while len(pages) > 1 and sum(each.entries for each in pages.values()) > _ENTRIES:
            pages.popitem(last=False)
    return page


def make_ready(service: Service, school: str, at: datetime) -> None:
    """Asks about an instant beforehand, unless what was found then is kept. Raises as `standing`.

    To ask of everybody takes a while, and of those alone of whom something was learned since none.
    """
    with _OPENING:
        is_kept = (school, at) in _KEPT.get(service, ())
    if not is_kept:
        standing(service, school, at)


class _Page:
    """What was found of a school at an instant, up to a position."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._as_of = -1
        self._since: dict[int, int] = {}
        self._due: dict[EnrollmentId, list[Due]] = {}
        self._parked = 0
        self._lists = _Lists(())
        self._judged_as_of: int | None = None
        self._judged: dict[Hashable, Due | None] = {}

    @property
    def entries(self) -> int:
        """How many entries its lists have."""
        return self._lists.entries

    def asked(self, cohort: CohortView, name: str | None) -> Standing:
        with self._lock:
            if cohort.as_of() != self._as_of:
                learned = cohort.learned()
                if learned is None:
                    due, parked = _one_by_one(cohort)
                    return _Lists(due).standing(name, parked)
                self._take_in(cohort, self._changed(learned.since))
                self._as_of, self._since = learned.as_of, learned.since
                self._parked = learned.parked
            return self._lists.standing(name, self._parked)

    def judged(
        self, cohort: CohortView, whom: Iterable[Hashable], judge: Callable[[Any], Due | None]
    ) -> list[Due]:
        with self._lock:
            as_of = cohort.as_of()
            if as_of is None or as_of != self._judged_as_of:
                self._judged_as_of, self._judged = as_of, {}
            for each in (whom := list(whom)):
                if each not in self._judged:
                    self._judged[each] = judge(each)
            return [due for each in whom if (due := self._judged[each])]

    def _changed(self, since: dict[int, int]) -> set[int]:
        """Of whom something was learned, and who came or left."""
        if not self._since:
            return {*since}
        # What was learned with the last may have been learned in the same instant again.
        last = max(self._since.values())
        changed = {
            who for who, when in since.items() if when == last or self._since.get(who) != when
        }
        return changed | (self._since.keys() - since.keys())

    def _take_in(self, cohort: CohortView, changed: set[int]) -> None:
        with not_collecting():
            self._ask(cohort, changed)

    def _ask(self, cohort: CohortView, changed: set[int]) -> None:
        if len(changed) > MANY or not self._since:
            self._due = {}
            due = list(_of_all(cohort))
            self._lists = _Lists(due)
        else:
            whom = cohort.named(changed)
            due = list(_due(cohort, cohort.of(whom)))
            self._lists.change([gone for each in whom for gone in self._due.pop(each, ())], due)
        for each_due in due:
            self._due.setdefault(each_due.enrollment, []).append(each_due)


class _Lists:
    """Who is on which list, each put in order once it is asked for."""

    def __init__(self, due: Iterable[Due]) -> None:
        self._due: dict[str, list[Due]] = {}
        self._is_in_order: set[str] = set()
        for each in due:
            self._due.setdefault(each.name, []).append(each)
        self.entries = sum(map(len, self._due.values()))

    def change(self, before: Sequence[Due], now: Sequence[Due]) -> None:
        """Has some entries of these lists off them, and others on.

        Lists that are told stay what they were: nobody else changes them.
        """
        gone = {id(each) for each in before}
        names = {each.name for each in (*before, *now)}
        for name in names:
            self._due[name] = [each for each in self._due.get(name, ()) if id(each) not in gone]
        for each in now:
            if each.name in self._is_in_order:
                insort(self._due[each.name], each, key=urgency)
            else:
                self._due[each.name].append(each)
        self.entries += len(now) - len(gone)

    def standing(self, name: str | None, parked: int) -> Standing:
        due = self._due.get(name, []) if name else []
        if name and name not in self._is_in_order:
            due.sort(key=urgency)
            self._is_in_order.add(name)
        return Standing({each: len(some) for each, some in self._due.items()}, due, parked)


_OPENING: Final = Lock()
_KEPT: Final = WeakKeyDictionary[Service, OrderedDict[tuple[str, datetime], _Page]]()


def _of_all(cohort: CohortView) -> Iterator[Due]:
    steps = cohort.steps()
    if steps is None:
        yield from _one_by_one(cohort)[0]
        return
    yield from _due(cohort, steps.apart)
    yield from (Due(UNFIT, whose) for whose in steps.unfit)
    for some in steps.together:
        for name, step in lists_of(some.steps):
            yield from (due_until(name, *each, cohort.at) for each in some.each_until(step))


def _one_by_one(cohort: CohortView) -> tuple[Iterator[Due], int]:
    concerned, parked = cohort.concerned()
    return _due(cohort, concerned), parked


def _due(cohort: CohortView, known: Iterable[tuple[Record, Knowledge]]) -> Iterator[Due]:
    return (due for each in known for due in due_of(*each, cohort.at))
