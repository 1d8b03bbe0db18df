"""Takes in a batch of facts: whose streams they extend, whom a window concerns, who is parked."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cache
from itertools import takewhile
from typing import ClassVar, Final, Generic, NamedTuple, TypeVar
from uuid import UUID

from yibao.adapters.editions import Editions
from yibao.adapters.following.derived.store import Progress, Streams, Transaction
from yibao.adapters.following.supervisor import Parked
from yibao.adapters.store import FactStore, Halted, StoreError, Taken, positioned
from yibao.adapters.store.connections import AT_ONCE, SqlRow
from yibao.domain.editions import Policy
from yibao.domain.facts import Positioned, events
from yibao.domain.refusals import UnknownEdition, UnreadableEvent, YibaoError
from yibao.domain.vocabulary import EnrollmentId, edition_stream
from yibao.projections.audit_trail import years_before
from yibao.projections.record import NOTHING, EditionRecord, Log, Record

_AT_A_SCHOOL: Final = (events.Registered, events.SchoolChanged)
_FIXES: Final = {events.WindowFixed.name, events.Voided.name}
_OF_EDITIONS: Final = _FIXES | {events.EditionAdopted.name, events.BenefitsAdopted.name}

T = TypeVar("T", bound=Transaction)
Made = TypeVar("Made")


class OwnFacts(NamedTuple):
    """Facts of students, with those of editions that fix no window among them.

    They lie after `after`, up to `until`. `students` are whose answers they may move, each with
    the first position of hers; `adopted` are the editions of the others, by their positions.
    """

    students: Mapping[EnrollmentId, int]
    adopted: Mapping[int, UUID]
    after: int
    until: int


class Fixes(NamedTuple):
    """Windows that were fixed in a row under an edition, or taken back."""

    policy: str
    found: Sequence[Positioned]

    @property
    def until(self) -> int:
        return self.found[-1].position


class Batch(ABC, Generic[T]):
    """One batch of facts on its way into a projection."""

    #: For how many students and windows fixed it is looked at together what a window has moved.
    fan: ClassVar[int] = 500
    #: Of a stream with more events nothing more is told: nobody else is to wait for it.
    longest: ClassVar[int] = 5000

    def __init__(self, store: FactStore, editions: Editions, transaction: T) -> None:
        self.store = store
        self.editions = editions
        self.transaction = transaction
        self.edition = cache(self._edition)
        self._can_hold = cache(transaction.tables.can_hold)
        self._whose: dict[EnrollmentId, Streams] = {}
        self.parked = {each.stream for each in transaction.parked()}
        self._years: dict[str, list[int]] = {}
        self._logs: dict[UUID, Log] = {}
        self._read: dict[UUID, list[SqlRow]] = {}
        self._read_until = 0

    @abstractmethod
    def take_own(self, own: OwnFacts) -> None:
        """Takes in facts of students."""

    @abstractmethod
    def take_fixed(self, students: Sequence[EnrollmentId], fixes: Fixes) -> None:
        """Takes in what windows moved of some students whom they may concern."""

    @abstractmethod
    def fixed_for_all(self, fixes: Fixes) -> None:
        """Is told once whom windows may concern is taken in."""

    @abstractmethod
    def make_anew(self, enrollment: EnrollmentId, first: int, until: int) -> None:
        """Takes in everything of an enrollment up to a position, whatever was before."""

    def unpark(self, parked: Parked, until: int) -> None:
        """Takes in a parked student anew up to a position, if that can be done by now.

        And with it the other years of the student, whose answers may not have known of this one.
        """
        stream = UUID(parked.stream)
        self.parked.discard(parked.stream)
        self.transaction.unpark(parked.stream)
        found = self._enrollments({stream: parked.position}, until)
        for enrollment, first in self._of_every_year(found).items():
            self.make_anew(enrollment, first, until)

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
            for each, first in self._of_every_year(self._enrollments(firsts, last.position)).items()
            if self._streams_of(each)[0].hex not in self.parked
        }
        self._read_ahead([self._streams_of(each)[1] for each in students], last.position)
        self._read_ahead([self._streams_of(each)[0] for each in students], last.position)
        adopted = {each.position: each.stream for each in own if each.stream in editions}
        self.take_own(OwnFacts(students, adopted, progress.position, last.position))
        return progress._replace(position=last.position)

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
        begun: list[EnrollmentId] = []
        for stream, first in firsts.items():
            enrollment = known.get(stream)
            if enrollment is None:
                enrollment = self._registered(stream, first)
                if enrollment is None:
                    continue
                known |= dict.fromkeys(self._streams_of(enrollment), enrollment)
                begun.append(enrollment)
            found[enrollment] = min(first, found.get(enrollment, first))
        self.transaction.add_enrollments(begun)
        return found

    def _of_every_year(self, found: Mapping[EnrollmentId, int]) -> dict[EnrollmentId, int]:
        """The same with every other year of the students: its answers may be moved as well."""
        firsts: dict[str, int] = {}
        for (ref, _), first in found.items():
            firsts[ref] = min(first, firsts.get(ref, first))
        self._years |= self.transaction.years_of(firsts)
        return {
            EnrollmentId(ref, year): first
            for ref, first in firsts.items()
            for year in self._years[ref]
        }

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
        return EnrollmentId(first.ref, self.at_hand(first.policy).year)

    def _read_ahead(self, streams: Iterable[UUID], until: int) -> None:
        """Reads streams that are needed up to a position, many at once."""
        self._read_up_to(until)
        # Not by a difference of sets: that would look at all that was read, for each student anew.
        lacking = {stream for stream in streams if stream not in self._read}
        if lacking:
            self._read |= self.store.rows_of(lacking, until)

    def _read_up_to(self, until: int) -> None:
        """Forgets what was read up to another position."""
        if until != self._read_until:
            self._read, self._read_until = {}, until
            self._logs.clear()
            self.edition.cache_clear()

    def _recorded(self, stream: UUID, until: int) -> list[Positioned]:
        if until != self._read_until or stream not in self._read:
            self._read_ahead([stream], until)
        rows = self._read[stream]
        if len(rows) > self.longest:
            raise UnreadableEvent(f"stream {stream} is too long: {len(rows)} events")
        return positioned(stream, rows)

    def rows_read(self, enrollment: EnrollmentId) -> list[SqlRow]:
        """The rows of an enrollment that are read, which begin with the position."""
        return self._read.get(self._streams_of(enrollment)[0], [])

    def is_all(self, enrollment: EnrollmentId) -> bool:
        """Whether what is read of an enrollment is all of a student who may be taken in."""
        own, care = self._streams_of(enrollment)
        rows = self._read.get(own, ())
        return (
            0 < len(rows) <= self.longest
            and self._read.get(care) == []
            and len(self._years[enrollment.ref]) == 1
            and own.hex not in self.parked
        )

    def made(
        self,
        enrollment: EnrollmentId,
        first: int,
        until: int,
        make: Callable[[Record], Iterable[Made]],
    ) -> list[Made] | None:
        """What is made of one student; None, and parked, where her facts are not fit for it."""
        if self._streams_of(enrollment)[0].hex in self.parked:
            return None
        if enrollment.year == self._years[enrollment.ref][0]:
            self._logs.clear()  # another student's
        try:
            record = self.record(enrollment, until)
            self._check_holdable(record)
            return list(make(record))
        except StoreError:
            raise  # of the store, not of the student
        except YibaoError as error:
            # It must not stop what can be told of all the others; a mistake of ours must.
            self._park(Parked(enrollment.stream.hex, *enrollment, first, str(error)))
            return None

    def _check_holdable(self, record: Record) -> None:
        """Raises UnreadableEvent where the database does not take what is told.

        That is the name of a school: all else that is told has no such characters.
        """
        tables = self.transaction.tables
        for event in record.enrolled.events:
            if isinstance(event, _AT_A_SCHOOL) and not tables.can_hold(event.school):
                raise UnreadableEvent(
                    f"the fact at position {record.enrolled.position_of(event)} names a school by "
                    f"characters that the {tables.layout.told}'s database cannot hold"
                )

    def _park(self, parked: Parked) -> None:
        self.parked.add(parked.stream)
        self.transaction.park(parked)

    def remember_schools(self, record: Record, told: Iterable[events.Event]) -> None:
        """For whom a window may be fixed: every school, under every edition there was of a year."""
        self.transaction.add_schools(self.schools(record, told))

    def schools(
        self, record: Record, told: Iterable[events.Event]
    ) -> Iterator[tuple[str, str, UUID]]:
        """The schools of a student, each with an edition and the stream of the enrollment.

        They are known already unless something new was told of one, or there are several years.
        """
        several = len(self._years[record.enrollment.ref]) > 1
        if not (several or any(isinstance(event, _AT_A_SCHOOL) for event in told)):
            return
        stream = self._streams_of(record.enrollment)[0]
        for year in (record, *years_before(record)):
            known = [event for event in year.enrolled.events if isinstance(event, _AT_A_SCHOOL)]
            policies = {event.policy for event in known if isinstance(event, events.Registered)}
            schools = {event.school for event in known}
            yield from ((policy, school, stream) for policy in policies for school in schools)

    def _fixed_windows(self, progress: Progress, found: Sequence[int], policy: str) -> Progress:
        """Takes in whose answers windows moved that were fixed in a row.

        Some students at a time, each with all of the fixes, so that she is read once and what
        follows from one fix is there for the next. Which fixes these are stands in the progress:
        meanwhile others may be recorded.
        """
        through, _, after = (progress.fanned or "").partition(" ")
        last = int(through or found[-1])
        self._read_up_to(last)
        recorded = list(self.edition(policy).log.positioned())
        fixes = Fixes(policy, [each for each in recorded if each.position >= found[0]])
        schools = _schools_concerned(recorded, fixes.found)
        some = max(self.fan // len(fixes.found), 1)
        students = self.transaction.concerned(policy, schools, after, some)
        self._years |= self.transaction.years_of({each.ref for _, each in students})
        self._read_ahead([stream for _, each in students for stream in self._streams(each)], last)
        self.take_fixed([each for _, each in students], fixes)
        if len(students) == some:
            return progress._replace(fanned=f"{last} {students[-1][0]}")
        self.fixed_for_all(fixes)
        return progress._replace(position=last, fanned=None)

    def _streams_of(self, whose: EnrollmentId) -> Streams:
        """The streams of an enrollment, its own and that of the care: worked out once a batch."""
        found = self._whose.get(whose)
        if found is None:
            found = self._whose[whose] = whose.stream, whose.care_stream
        return found

    def _streams(self, enrollment: EnrollmentId) -> Iterator[UUID]:
        """The streams of which answers about a year tell something."""
        ref, own = enrollment
        yield enrollment.care_stream
        for year in self._years[ref]:
            if year <= own + 1:
                yield EnrollmentId(ref, year).stream

    def record(self, enrollment: EnrollmentId, until: int) -> Record:
        """Everything of a student up to a position; of the other years without their care."""
        ref, asked = enrollment
        enrolled = {
            year: self._log(self._streams_of(EnrollmentId(ref, year))[0], until)
            for year in self._years[ref]
            if year <= asked + 1
        }
        logs = {year: (log, NOTHING) for year, log in enrolled.items()}
        logs[asked] = enrolled[asked], self._log(self._streams_of(enrollment)[1], until)
        return Record.of(enrollment, logs, self.edition)

    def _log(self, stream: UUID, until: int) -> Log:
        """What a stream recorded up to a position; kept for the other years of a student."""
        if stream not in self._logs:
            self._logs[stream] = Log.of(self._recorded(stream, until))
        return self._logs[stream]

    def _edition(self, name: str) -> EditionRecord:
        """An edition with what was recorded under it up to where students are read."""
        try:
            recorded = self.store.recorded(edition_stream(name), self._read_until)
            return EditionRecord(self.at_hand(name), Log.of(recorded))
        except UnreadableEvent as error:
            raise Halted(f"the edition {name!r} cannot be read: {error}") from error

    def at_hand(self, name: str) -> Policy:
        try:
            return self.editions.get(name)
        except UnknownEdition as error:
            raise Halted(f"a student is registered under it, and there is {error}") from error


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
