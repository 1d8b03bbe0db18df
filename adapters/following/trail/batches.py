"""The rows each fact of a batch makes in the trail, and those of whom a window moved."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from functools import partial
from itertools import chain
from operator import itemgetter
from typing import TYPE_CHECKING, Final
from uuid import UUID

from yibao.adapters.editions import Editions
from yibao.adapters.following.derived import Fixes, OwnFacts, WholeBatch
from yibao.adapters.following.trail.changes import text_of
from yibao.adapters.following.trail.rows import (
    edition_row,
    fix_rows,
    head_of,
    is_of_an_edition,
    listed,
    rows_at,
)
from yibao.adapters.following.trail.store import TrailRow, TrailTransaction
from yibao.adapters.store import FactStore, StoreError
from yibao.domain.facts import Positioned
from yibao.domain.refusals import YibaoError
from yibao.domain.rules import confirmed_whichever_holds
from yibao.domain.vocabulary import EnrollmentId, edition_stream
from yibao.projections.audit_trail import (
    Entry,
    Recorded,
    entries,
    entries_with_windows,
    entry_of,
    felt,
    fixes_a_window,
    windows,
)
from yibao.projections.cohort.shapes import Apart
from yibao.projections.record import Knowledge, Record, Whom

if TYPE_CHECKING:
    from yibao.adapters.following.trail.bulk import Bulk

_IN_ORDER: Final = itemgetter(*map(TrailRow._fields.index, ("position", "elsewhere", "listing")))

_Windows = Callable[[Record], Iterable[Recorded]]


def _none(_: Record) -> Iterable[Recorded]:
    return ()


#: So few facts are quicker asked one by one.
FEW: Final = 1000


class TrailBatch(WholeBatch[TrailTransaction]):
    """One batch of facts on its way into the trail."""

    def __init__(
        self,
        store: FactStore,
        editions: Editions,
        transaction: TrailTransaction,
        bulk: Callable[[], "Bulk | None"],
    ) -> None:
        super().__init__(store, editions, transaction)
        self._bulk = bulk
        self._at_schools: list[tuple[str, str, UUID]] = []

    def take_own(self, own: OwnFacts) -> None:
        bulk = self._bulk() if own.until - own.after >= FEW else None
        rows = None if bulk is None else self._at_once(own, bulk)
        if rows is None:
            rows = self._one_by_one(own)
        found = self.store.at_positions(own.adopted)
        for position, stream in own.adopted.items():
            policy = self.transaction.edition_of(stream)
            assert policy is not None
            rows.append(edition_row(Positioned(position, found[position]), policy))
        # What was recorded at one time is then read from one place of the file.
        rows.sort(key=_IN_ORDER)
        self.transaction.insert(rows)

    def take_whole(self, some: Sequence[EnrollmentId], until: int) -> None:
        own = OwnFacts(self.firsts(some), {}, 0, until)
        bulk = self._bulk()
        rows = None if bulk is None else self._at_once(own, bulk, windows)
        self.transaction.insert(self._one_by_one(own, windows) if rows is None else rows)

    def end_whole(self, until: int) -> None:
        super().end_whole(until)
        self._read_up_to(until)
        for policy in self.transaction.editions():
            # Of one that is not at hand nobody needs more, if nobody is registered under it.
            for recorded in self.store.recorded(edition_stream(policy), until):
                if fixes_a_window(recorded.event):
                    self._list_fix(recorded, policy)
                else:
                    self.transaction.insert([edition_row(recorded, policy)])

    def _one_by_one(self, own: OwnFacts, fixed: _Windows = _none) -> list[TrailRow]:
        def make(record: Record) -> list[TrailRow]:
            rows = [*rows_of_entries(entries(record, own.after, own.until, fixed(record)))]
            self._remember(record, own.after)
            return rows

        return self._made(own, make)

    def _at_once(
        self, own: OwnFacts, bulk: "Bulk", fixed: _Windows = _none
    ) -> list[TrailRow] | None:
        """The same rows, of all who are like one another together.

        None where the facts of somebody are not fit for it: who that is, is told one by one.
        """

        def make(record: Record) -> list[TrailRow]:
            rows: list[TrailRow] = []
            try:
                bulk.take(record, chain(felt(record, own.after, own.until), fixed(record)))
            except Apart:
                of_one = entries(record, own.after, own.until, fixed(record))
                rows += rows_of_entries(of_one)
            self._remember(record, own.after)
            bulk.spellings.learn(self.rows_read(record.enrollment), record.enrolled.events)
            return rows

        def take(enrollment: EnrollmentId) -> bool:
            return self._taken_as_spelt(enrollment, own.after, bulk, fixed is not _none)

        with bulk.gathering():
            rows = self._made(own, make, take)
            try:
                return rows + bulk.rows(self.edition)
            except StoreError:
                raise
            except YibaoError:
                return None

    def _taken_as_spelt(
        self, whose: EnrollmentId, after: int, bulk: "Bulk", with_windows: bool
    ) -> bool:
        """Whether somebody's facts were taken in by their rows; else they are to be read."""
        if not self.is_all(whose):
            return False
        plain = bulk.spellings.read(whose, self.rows_read(whose), after)
        if plain is None:
            return False
        edition = self.edition(plain.edition)
        if with_windows:
            whom = Whom(frozenset([school for _, school in plain.schools]), plain.category)
            first, positions = plain.positions[0], edition.log.positions
            if any(positions[number - 1] > first for number in edition.concerning(whom)):
                return False
        bulk.take_added(edition, plain.added, plain.positions, plain.heads)
        if any(position > after for position, _ in plain.schools):
            stream = self._streams_of(whose)[0]
            self._at_schools += [(plain.edition, school, stream) for _, school in plain.schools]
        return True

    def _made(
        self,
        own: OwnFacts,
        make: Callable[[Record], list[TrailRow]],
        is_taken: Callable[[EnrollmentId], bool] = lambda _: False,
    ) -> list[TrailRow]:
        rows: list[TrailRow] = []
        for enrollment, first in own.students.items():
            if not is_taken(enrollment):
                rows += self.made(enrollment, first, own.until, make) or ()
        self.transaction.add_schools(self._at_schools)
        self._at_schools = []
        return rows

    def _remember(self, record: Record, after: int) -> None:
        new = record.enrolled.events[record.enrolled.at(after) :]
        self._at_schools.extend(self.schools(record, new))

    def take_fixed(self, students: Sequence[EnrollmentId], fixes: Fixes) -> None:
        moved_by = partial(_moved_by, fixes.found, self.at_hand(fixes.policy).year)
        for enrollment in students:
            made = self.made(enrollment, fixes.found[0].position, fixes.until, moved_by)
            self.transaction.insert(rows_of_entries(made or ()))

    def fixed_for_all(self, fixes: Fixes) -> None:
        for fix in fixes.found:
            self._list_fix(fix, fixes.policy)

    def make_anew(self, enrollment: EnrollmentId, first: int, until: int) -> None:
        """Lists a student anew up to a position, if that can be done."""
        made = self.made(enrollment, first, until, entries_with_windows)
        if made is None:
            return
        self.transaction.forget_student(enrollment)
        self.transaction.insert(rows_of_entries(made))
        self.remember_schools(self.record(enrollment, until), [entry.event for entry in made])
        for fix in [entry.recorded for entry in made if _is_of_an_edition(entry)]:
            policy = self.transaction.edition_of(fix.event.originator_id)
            assert policy is not None
            self.transaction.forget_fix(fix.position)
            self._list_fix(fix, policy)

    def _list_fix(self, fix: Positioned, policy: str) -> None:
        """Lists a fixed window for all and for the schools, by what it moved of their students."""
        superseded = self.edition(policy).log.version_superseded(fix.event)
        effects = self.transaction.effects(fix.position)
        self.transaction.insert(fix_rows(fix, superseded, policy, effects))


def rows_of_entries(made: Iterable[Entry]) -> Iterator[TrailRow]:
    """How entries are listed; those of windows that were fixed are the student's alone."""
    for entry in made:
        told = listed(entry, entry.code, entry.supersedes, text_of)
        is_own = entry.fact_year == entry.enrollment.year and not _is_of_an_edition(entry)
        recorded = Recorded(entry.recorded, entry.fact_year, is_own)
        yield from rows_at(head_of(recorded, entry.enrollment), told)


def _moved_by(fixes: Sequence[Positioned], year: int, record: Record) -> Iterator[Entry]:
    """What windows fixed for a year changed for one student, in order; only where one did."""
    for fix in fixes:
        known, after = (record.known_at(fix.position - n) for n in (1, 0))
        if _answered_alike(known, after, fix.event.recorded_at):
            continue
        entry = entry_of(record, fix, year)
        if entry.moved:
            yield entry


def _answered_alike(known: Knowledge, after: Knowledge, at: datetime) -> bool:
    """Whether what was fixed in between can have moved no answer for an instant.

    An answer knows of fixes by the windows alone, of this year and of those before: where these
    stay, it does, and where no window is asked for.
    """
    case, anew = known.case, after.case
    is_asked_for = bool(known.received.version)  # by care, of this year alone
    while case is not anew:
        assert case is not None
        assert anew is not None
        if case.facts.registration is not None:
            before, now = list(case.windows()), list(anew.windows())
            if before != now and (
                is_asked_for or not confirmed_whichever_holds(case, [*before, *now], at)
            ):
                return False
        case, anew, is_asked_for = case.before, anew.before, False
    return True


def _is_of_an_edition(entry: Entry) -> bool:
    """Whether what moved the answers is a window that was fixed, for many."""
    return is_of_an_edition(entry.event, entry.enrollment.ref, entry.fact_year)
