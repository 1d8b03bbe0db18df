"""Takes in a batch of facts: the rows each makes, whom a window moved, who is parked."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cache, partial
from itertools import takewhile
from operator import attrgetter
from typing import Final
from uuid import UUID

from yibao.adapters.editions import Editions
from yibao.adapters.following.supervisor import Parked
from yibao.adapters.following.trail.layout import OF_A_SCHOOL, OF_A_STUDENT
from yibao.adapters.following.trail.rows import (
    edition_row,
    entry_row,
    fix_rows,
)
from yibao.adapters.following.trail.store import (
    Progress,
    TrailRow,
    TrailTransaction,
)
from yibao.adapters.store import (
    FactStore,
    Halted,
    StoreError,
    Taken,
    positioned,
)
from yibao.adapters.store.connections import AT_ONCE, SqlRow
from yibao.domain.editions import Policy
from yibao.domain.facts import Positioned, events
from yibao.domain.refusals import UnknownEdition, UnreadableEvent, YibaoError
from yibao.domain.rules import (
    Case,
    Window,
    WindowFix,
    confirmation_window,
    confirmed_whichever_holds,
)
from yibao.domain.vocabulary import EnrollmentId, edition_stream
from yibao.projections.audit_trail import Entry, entries, entries_with_windows, entry_of
from yibao.projections.record import EditionRecord, Log, Record

#: For how many students and windows fixed it is looked at together what a window has moved.
FAN: Final = 500
#: Of a stream with more events the trail tells nothing more: nobody else is to wait for it.
LONGEST: Final = 5000

_FIXES: Final = {events.WindowFixed.name, events.Voided.name}
_OF_EDITIONS: Final = _FIXES | {events.EditionAdopted.name, events.BenefitsAdopted.name}


class Batch:
    """One batch of facts on its way into the trail."""

    def __init__(self, store: FactStore, editions: Editions, transaction: TrailTransaction) -> None:
        self.store = store
        self.editions = editions
        self.transaction = transaction
        self.edition = cache(self._edition)
        self.parked = {each.stream for each in transaction.parked()}
        self._read: dict[UUID, list[SqlRow]] = {}
        self._read_until = 0

    def of_facts(self, progress: Progress, taken: Sequence[Taken]) -> Progress:
        """Facts up to the next window that is fixed, or the effects of windows fixed in a row."""
        known = list(takewhile(lambda each: each.topic in events.EVENTS, taken))
        if not known:
            raise Halted(
                f"the fact at position {taken[0].position} has the name {taken[0].topic!r}, "
                "which this version of yibao does not know"
            )
        editions = self._editions(known)
        own = list(takewhile(lambda each: not self._is_fix(each, editions), known))
        if not own:
            in_a_row = takewhile(
                lambda each: each.stream == known[0].stream and self._is_fix(each, editions), known
            )
            return self._fixed_windows(
                progress, [each.position for each in in_a_row], editions[known[0].stream]
            )
        last = own[-1]
        firsts: dict[UUID, int] = {}
        for each in own:
            if each.stream not in editions:
                firsts.setdefault(each.stream, each.position)
        students = {
            each: first
            for each, first in self._enrollments(firsts, last.position).items()
            if each.stream.hex not in self.parked
        }
        self._read_ahead([each.care_stream for each in students], last.position)
        self._read_ahead([each.stream for each in students], last.position)
        rows = [
            row
            for enrollment, first in students.items()
            for row in self._enrollment(enrollment, first, progress.position, last.position)
        ]
        adopted = {each.position: each.stream for each in own if each.stream in editions}
        found = self.store.at_positions(adopted)
        rows += [
            edition_row(Positioned(position, found[position]), editions[stream])
            for position, stream in adopted.items()
        ]
        # What was recorded at one time is then read from one place of the file.
        self.transaction.insert(sorted(rows, key=attrgetter("position")))
        return progress._replace(position=last.position)

    def unpark(self, parked: Parked, until: int) -> None:
        """Lists a parked student anew up to a position, if that can be done by now."""
        stream = UUID(parked.stream)
        self.parked.discard(parked.stream)
        self.transaction.unpark(parked.stream)
        for enrollment in self._enrollments({stream: parked.position}, until):
            made = self._made(enrollment, parked.position, until, entries_with_windows)
            if made is None:
                return
            self.transaction.forget_student(enrollment)
            self.transaction.insert(self._rows(enrollment, until, made))
            own = {enrollment.stream, enrollment.care_stream}
            for fix in [entry for entry in made if entry.event.originator_id not in own]:
                assert fix.edition is not None
                self.transaction.forget_fix(fix.recorded.position)
                self._list_fix(fix.recorded, fix.edition)

    def _editions(self, taken: Sequence[Taken]) -> dict[UUID, str]:
        """The editions among the streams; an edition is adopted before anything else of it."""
        found = {}
        for stream in {each.stream for each in taken if each.topic in _OF_EDITIONS}:
            policy = self.transaction.edition_of(stream)
            if policy is None:
                try:
                    first = self.store.first(stream)
                except UnreadableEvent:
                    continue  # no edition that anybody could have used
                if not isinstance(first, events.EditionAdopted):
                    continue  # what is taken back here is a student's
                policy = first.policy
                self.transaction.add_edition(stream, policy)
            found[stream] = policy
        return found

    def _is_fix(self, taken: Taken, editions: dict[UUID, str]) -> bool:
        return taken.stream in editions and taken.topic in _FIXES

    def _enrollments(self, firsts: Mapping[UUID, int], until: int) -> dict[EnrollmentId, int]:
        """Whose streams these are, each with the first position; registration precedes care."""
        known = self.transaction.enrollments_of(firsts)
        self._read_ahead(firsts.keys() - known.keys(), until)
        found: dict[EnrollmentId, int] = {}
        for stream, first in firsts.items():
            enrollment = known.get(stream)
            if enrollment is None:
                enrollment = self._registered(stream, first)
                if enrollment is None:
                    continue
                known |= {enrollment.stream: enrollment, enrollment.care_stream: enrollment}
                self.transaction.add_enrollments([enrollment])
            found[enrollment] = min(first, found.get(enrollment, first))
        return found

    def _registered(self, stream: UUID, position: int) -> EnrollmentId | None:
        """Whose new stream it is; None, and parked, where it does not say so."""
        rows = self._read.get(stream, [])[:1]
        try:
            first = positioned(stream, rows)[0].event if rows else None
            if not isinstance(first, events.Registered):
                raise UnreadableEvent(f"stream {stream} is nobody's: there is no registration")
        except UnreadableEvent as error:
            self._park(Parked(stream.hex, None, None, position, str(error)))
            return None
        return EnrollmentId(first.ref, self._at_hand(first.policy).year)

    def _read_ahead(self, streams: Iterable[UUID], until: int) -> None:
        """Reads streams that are needed up to a position, many at once."""
        if until != self._read_until:
            self._read, self._read_until = {}, until
        # Not by a difference of sets: that would look at all that was read, for each student anew.
        lacking = {stream for stream in streams if stream not in self._read}
        if lacking:
            self._read |= self.store.rows_of(lacking, until)

    def _recorded(self, stream: UUID, until: int) -> list[Positioned]:
        self._read_ahead([stream], until)
        rows = self._read[stream]
        if len(rows) > LONGEST:
            raise UnreadableEvent(f"stream {stream} is too long: {len(rows)} events")
        return positioned(stream, rows)

    def _enrollment(
        self, enrollment: EnrollmentId, first: int, after: int, until: int
    ) -> list[TrailRow]:
        """What was recorded of one student between two positions; nothing where it is parked."""
        between = partial(entries, after=after, until=until)
        made = self._made(enrollment, first, until, between)
        return [] if made is None else self._rows(enrollment, until, made)

    def _made(
        self,
        enrollment: EnrollmentId,
        first: int,
        until: int,
        make: Callable[[Record], Iterable[Entry]],
    ) -> list[Entry] | None:
        """Entries of one student; None, and parked, where her facts are not fit for it."""
        if enrollment.stream.hex in self.parked:
            return None
        try:
            record = self._record(enrollment, until)
            self._check_holdable(record)
            return list(make(record))
        except StoreError:
            raise  # of the store, not of the student
        except YibaoError as error:
            # It must not stop what can be told of all the others; a mistake of ours must.
            self._park(Parked(enrollment.stream.hex, *enrollment, first, str(error)))
            return None

    def _check_holdable(self, record: Record) -> None:
        """Raises UnreadableEvent where the trail's database does not take what is listed.

        That is the name of a school: all else that is listed has no such characters.
        """
        for each in record.enrolled.positioned():
            school = getattr(each.event, "school", None)
            if school is not None and not self.transaction.store.can_hold(school):
                raise UnreadableEvent(
                    f"the fact at position {each.position} names a school by characters "
                    "that the trail's database cannot hold"
                )

    def _park(self, parked: Parked) -> None:
        self.parked.add(parked.stream)
        self.transaction.park(parked)

    def _rows(self, enrollment: EnrollmentId, until: int, made: Sequence[Entry]) -> list[TrailRow]:
        """How entries are listed; those of windows that were fixed are the student's alone."""
        own = {enrollment.stream, enrollment.care_stream}
        rows = []
        for entry in made:
            row = entry_row(entry)
            if entry.event.originator_id not in own:
                rows.append(row._replace(listing=OF_A_STUDENT))
                continue
            rows.append(row)
            if entry.former_school is not None:
                rows.append(row._replace(listing=OF_A_SCHOOL, school=entry.former_school))
        told = [entry.event for entry in made]
        if any(isinstance(event, events.Registered | events.SchoolChanged) for event in told):
            self._remember_schools(self._record(enrollment, until))
        return rows

    def _remember_schools(self, record: Record) -> None:
        """For whom a window may be fixed: every school, under every edition there was."""
        known = record.enrolled.events
        policies = {event.policy for event in known if isinstance(event, events.Registered)}
        schools = {
            event.school
            for event in known
            if isinstance(event, events.Registered | events.SchoolChanged)
        }
        stream = record.enrollment.stream
        self.transaction.add_schools(
            (policy, school, stream) for policy in policies for school in schools
        )

    def _fixed_windows(self, progress: Progress, found: Sequence[int], policy: str) -> Progress:
        """Lists whose answers windows moved that were fixed in a row, then the fixes.

        Some students at a time, each with all of the fixes, so that she is read once and what
        follows from one fix is there for the next. Which fixes these are stands in the progress:
        meanwhile others may be recorded.
        """
        through, _, after = (progress.fanned or "").partition(" ")
        last = int(through or found[-1])
        recorded = list(self.edition(policy).log.positioned())
        fixes = [each for each in recorded if found[0] <= each.position <= last]
        schools = _schools_concerned(recorded, fixes)
        some = max(FAN // len(fixes), 1)
        students = self.transaction.concerned(policy, schools, after, some)
        self._read_ahead(
            [stream for _, each in students for stream in (each.stream, each.care_stream)], last
        )
        for _, enrollment in students:
            made = self._made(enrollment, found[0], last, partial(_moved_by, fixes))
            self.transaction.insert(
                entry_row(entry)._replace(listing=OF_A_STUDENT) for entry in made or ()
            )
        if len(students) == some:
            return progress._replace(fanned=f"{last} {students[-1][0]}")
        for fix in fixes:
            self._list_fix(fix, policy)
        return progress._replace(position=last, fanned=None)

    def _list_fix(self, fix: Positioned, policy: str) -> None:
        """Lists a fixed window for all and for the schools, by what it moved of their students."""
        superseded = self.edition(policy).log.version_superseded(fix.event)
        effects = self.transaction.effects(fix.position)
        self.transaction.insert(fix_rows(fix, superseded, policy, effects))

    def _record(self, enrollment: EnrollmentId, until: int) -> Record:
        return Record(
            enrollment,
            Log.of(self._recorded(enrollment.stream, until)),
            Log.of(self._recorded(enrollment.care_stream, until)),
            self.edition,
        )

    def _edition(self, name: str) -> EditionRecord:
        try:
            recorded = self.store.recorded(edition_stream(name))
            return EditionRecord(self._at_hand(name), Log.of(recorded))
        except UnreadableEvent as error:
            raise Halted(f"the edition {name!r} cannot be read: {error}") from error

    def _at_hand(self, name: str) -> Policy:
        try:
            return self.editions.get(name)
        except UnknownEdition as error:
            raise Halted(f"a student is registered under it, and there is {error}") from error


def _moved_by(fixes: Sequence[Positioned], record: Record) -> Iterator[Entry]:
    """What windows that were fixed changed for one student, in order; only where one did.

    An answer knows of fixes by the windows alone: where these stay, it does.
    """
    for fix in fixes:
        known = record.known_at(fix.position - 1)
        case = known.case
        if case is None or case.facts.registration is None:
            continue  # there is nobody to ask for a window
        edition = record.edition_of(case.policy.edition)
        anew = edition.fixes(edition.log.at(fix.position))
        before, after = _windows(case, case.fixes), _windows(case, anew)
        if before == after or (
            not known.received.version
            and confirmed_whichever_holds(case, [*before, *after], fix.event.recorded_at)
        ):
            continue
        entry = entry_of(record, fix)
        if entry.moved:
            yield entry


def _windows(case: Case, fixes: Sequence[WindowFix]) -> list[Window]:
    """Every window that an answer about a case could ask for."""
    whose = case.category, case.registered_on
    named = [each.event for each in case.known]
    schools = {
        event.school: None
        for event in named
        if isinstance(event, events.Registered | events.SchoolChanged)
    }
    return [confirmation_window(case.policy, fixes, school, *whose) for school in schools]


def _schools_concerned(
    recorded: Sequence[Positioned], fixes: Iterable[Positioned]
) -> Sequence[str] | None:
    """The schools that fixes name, or those they correct or take back; None for all.

    For all it is also where there are more than a statement takes.
    """
    by_id = {each.event.event_id: each.event for each in recorded}
    found: set[str] = set()
    for fix in fixes:
        named: events.Event | None = fix.event
        while named is not None:
            if isinstance(named, events.WindowFixed):
                if named.school is None:
                    return None
                found.add(named.school)
            superseded = getattr(named, "supersedes", None)
            named = by_id.get(superseded) if superseded else None
    return sorted(found) if len(found) <= AT_ONCE else None
