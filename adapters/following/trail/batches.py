"""The rows each fact of a batch makes in the trail, and those of whom a window moved."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from functools import partial
from operator import attrgetter

from yibao.adapters.following.derived import Batch, Fixes, OwnFacts
from yibao.adapters.following.trail.layout import OF_A_SCHOOL, OF_A_STUDENT
from yibao.adapters.following.trail.rows import edition_row, entry_row, fix_rows
from yibao.adapters.following.trail.store import TrailRow, TrailTransaction
from yibao.domain.facts import Positioned
from yibao.domain.rules import confirmed_whichever_holds
from yibao.domain.vocabulary import EnrollmentId
from yibao.projections.audit_trail import (
    Entry,
    entries,
    entries_with_windows,
    entry_of,
    fixes_a_window,
)
from yibao.projections.record import Knowledge, Record


class TrailBatch(Batch[TrailTransaction]):
    """One batch of facts on its way into the trail."""

    def take_own(self, own: OwnFacts) -> None:
        between = partial(entries, after=own.after, until=own.until)
        rows = []
        for enrollment, first in own.students.items():
            made = self.made(enrollment, first, own.until, between)
            rows += [] if made is None else self._rows(enrollment, own.until, made)
        found = self.store.at_positions(own.adopted)
        for position, stream in own.adopted.items():
            policy = self.transaction.edition_of(stream)
            assert policy is not None
            rows.append(edition_row(Positioned(position, found[position]), policy))
        # What was recorded at one time is then read from one place of the file.
        self.transaction.insert(sorted(rows, key=attrgetter("position")))

    def take_fixed(self, students: Sequence[EnrollmentId], fixes: Fixes) -> None:
        moved_by = partial(_moved_by, fixes.found, self.at_hand(fixes.policy).year)
        for enrollment in students:
            made = self.made(enrollment, fixes.found[0].position, fixes.until, moved_by)
            self.transaction.insert(
                entry_row(entry)._replace(listing=OF_A_STUDENT) for entry in made or ()
            )

    def fixed_for_all(self, fixes: Fixes) -> None:
        for fix in fixes.found:
            self._list_fix(fix, fixes.policy)

    def make_anew(self, enrollment: EnrollmentId, first: int, until: int) -> None:
        """Lists a student anew up to a position, if that can be done."""
        made = self.made(enrollment, first, until, entries_with_windows)
        if made is None:
            return
        self.transaction.forget_student(enrollment)
        self.transaction.insert(self._rows(enrollment, until, made))
        for fix in [entry.recorded for entry in made if _is_of_an_edition(entry)]:
            policy = self.transaction.edition_of(fix.event.originator_id)
            assert policy is not None
            self.transaction.forget_fix(fix.position)
            self._list_fix(fix, policy)

    def _rows(self, enrollment: EnrollmentId, until: int, made: Sequence[Entry]) -> list[TrailRow]:
        """How entries are listed; those of windows that were fixed are the student's alone."""
        rows = []
        for entry in made:
            row = entry_row(entry)
            if _is_of_an_edition(entry):
                rows.append(row._replace(listing=OF_A_STUDENT))
                continue
            rows.append(row)
            if entry.former_school is not None:
                rows.append(row._replace(listing=OF_A_SCHOOL, school=entry.former_school))
        told = [entry.event for entry in made]
        self.remember_schools(self.record(enrollment, until), told)
        return rows

    def _list_fix(self, fix: Positioned, policy: str) -> None:
        """Lists a fixed window for all and for the schools, by what it moved of their students."""
        superseded = self.edition(policy).log.version_superseded(fix.event)
        effects = self.transaction.effects(fix.position)
        self.transaction.insert(fix_rows(fix, superseded, policy, effects))


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
    if not fixes_a_window(entry.event):
        return False
    whose = EnrollmentId(entry.enrollment.ref, entry.fact_year)
    return entry.event.originator_id not in (whose.stream, whose.care_stream)
