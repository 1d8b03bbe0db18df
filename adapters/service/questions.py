"""The questions; looking changes nothing."""

from collections.abc import Callable, Iterator, Sequence
from datetime import date, datetime
from decimal import Decimal
from functools import cache, wraps
from typing import (
    TYPE_CHECKING,
    Concatenate,
    ParamSpec,
    TypeVar,
)
from uuid import UUID

from yibao.adapters.store import KeptAttempt, Reading
from yibao.domain.care import Assessed
from yibao.domain.facts import commands, events
from yibao.domain.money import Fen
from yibao.domain.refusals import BadValue
from yibao.domain.vocabulary import (
    CareSetting,
    EnrollmentId,
    HospitalLevel,
    edition_stream,
)
from yibao.projections.answer import Answer, answer
from yibao.projections.audit_trail import Entry, FixedEdition, Streams, entries_with_windows
from yibao.projections.comparison import COMPARED, Comparison, compare
from yibao.projections.history import Held, history
from yibao.projections.quote import quote
from yibao.projections.record import (
    Cutoff,
    Edition,
    Knowledge,
    edition_named,
    known_at_versions,
    known_by,
)
from yibao.projections.review import Changed, review

if TYPE_CHECKING:  # what records and answers should not have to load these
    from yibao.adapters.following.trail import AuditTrail


from yibao.adapters.service.given import cutoff_of, event_id_of, instant_of, streams_of
from yibao.adapters.service.opened import Opened

R = TypeVar("R")
P = ParamSpec("P")


def _question(
    method: "Callable[Concatenate[Questions, P], R]",
) -> "Callable[Concatenate[Questions, P], R]":
    """A question that is told of."""

    @wraps(method)
    def told(self: "Questions", /, *args: P.args, **kwargs: P.kwargs) -> R:
        # Before the telemetry, whose locks another thread may have had when this was forked.
        self._store.check_process()
        with self._telemetry.question(method.__name__):
            return method(self, *args, **kwargs)

    return told


class Questions(Opened):
    """What is asked of one student, of the store, and of an edition."""

    @_question
    def at(
        self,
        enrollment: EnrollmentId,
        at: datetime | str | None = None,
        *,
        known_at: Cutoff | str | None = None,
    ) -> Answer:
        """Everything about one student at an instant (default: now), as known by a cut-off.

        The cut-off is an instant, inclusive, or a version of the student's stream; by default
        everything recorded is known. Raises BadValue for a naive instant and UnknownCutoff for
        a version that does not exist.
        """
        when = self._clock() if at is None else instant_of(at, "at")
        return answer(self._knowledge(enrollment, known_at), when)

    def _read(self, enrollment: EnrollmentId) -> tuple[list[events.Event], list[events.Event]]:
        """What is recorded of a student, and of the care, as both stand at one moment."""
        streams = streams_of(enrollment)
        found = self._store.read_all(streams)
        return found[streams[0]], found[streams[1]]

    def _knowledge(self, enrollment: EnrollmentId, known_at: Cutoff | str | None) -> Knowledge:
        """What is known of a student by a cut-off, by default everything."""
        cutoff = None if known_at is None else cutoff_of(known_at)
        recorded, received = self._read(enrollment)
        edition_of = cache(self._edition)
        return _known(enrollment, recorded, received, edition_of, cutoff, self._clock())

    def everyone(
        self, at: datetime | str | None = None, *, known_at: datetime | str | None = None
    ) -> Iterator[Answer]:
        """The answer for every enrollment in the store, all of the moment the first is drawn at.

        Raises BadValue for a naive instant.
        """
        now = self._clock()
        when = now if at is None else instant_of(at, "at")
        cutoff = None if known_at is None else instant_of(known_at, "known_at")
        read: Reading = self._store.read

        def edition(name: str) -> Edition:
            return Edition(self.editions.get(name), read(edition_stream(name)))

        edition_of = cache(edition)
        for _, recorded, read in self._store.streams():
            first = next((e for e in recorded if isinstance(e, events.Registered)), None)
            if first is not None:
                enrollment = EnrollmentId(first.ref, self.editions.get(first.policy).year)
                received = read(enrollment.care_stream)
                knowledge = _known(enrollment, recorded, received, edition_of, cutoff, now)
                yield answer(knowledge, when)

    @_question
    def compare(
        self,
        enrollment: EnrollmentId,
        then: Cutoff | str,
        now: Cutoff | str | None = None,
        *,
        at: datetime | str | None = None,
    ) -> Comparison:
        """What changed in the answer between two cut-offs, and which facts changed it."""
        clock = self._clock()
        recorded, received = self._read(enrollment)
        edition_of = cache(self._edition)
        latest = _latest(recorded, received, edition_of, clock)
        return compare(
            enrollment,
            recorded,
            edition_of,
            clock if at is None else instant_of(at, "at"),
            cutoff_of(then),
            latest if now is None else cutoff_of(now),
            received,
        )

    @_question
    def review(
        self,
        enrollment: EnrollmentId,
        *,
        at: datetime | str | None = None,
        known_at: Cutoff | str | None = None,
    ) -> tuple[Changed, ...]:
        """Care settled or once refused whose assessment has changed, and what moved it.

        Nothing is paid or taken back by itself.
        """
        now = self._clock()
        recorded, received = self._read(enrollment)
        edition_of = cache(self._edition)
        latest = _latest(recorded, received, edition_of, now)
        return review(
            enrollment,
            recorded,
            edition_of,
            now if at is None else instant_of(at, "at"),
            latest if known_at is None else cutoff_of(known_at),
            received,
        )

    @_question
    def quote(
        self,
        enrollment: EnrollmentId,
        *,
        on: date | str,
        setting: CareSetting | str,
        cost: Fen | Decimal | str,
        level: HospitalLevel | str | None = None,
        province: str | None = None,
        at: datetime | str | None = None,
        known_at: Cutoff | str | None = None,
    ) -> Assessed:
        """What a piece of care would cost this student, without recording anything.

        Raises NotPermitted with `not_registered`, and BadValue as `receive_care` does.
        """
        when = self._clock() if at is None else instant_of(at, "at")
        command = commands.read(
            commands.ReceiveCare,
            {
                "at": when,
                "on": on,
                "setting": setting,
                "cost": cost,
                "level": level,
                "province": province,
            },
        )
        return quote(self._knowledge(enrollment, known_at), command, when)

    @_question
    def history(
        self, enrollment: EnrollmentId, value: str, *, at: datetime | str | None = None
    ) -> tuple[Held, ...]:
        """Every answer that was ever given for a part of the answer, from when until when.

        `value` is a part of an answer, such as `coverage` or `state`. With `at` all answers are
        about that instant; without it each is about the instant at which it was given. Raises
        BadValue for a part there is none of.
        """
        if not isinstance(value, str) or value not in COMPARED:
            raise BadValue("value", f"an answer has no such part; it has {', '.join(COMPARED)}")
        recorded, received = self._read(enrollment)
        edition_of = cache(self._edition)
        now = _latest(recorded, received, edition_of, self._clock())
        about = None if at is None else instant_of(at, "at")
        return history(enrollment, recorded, edition_of, value, now, about, received)

    @_question
    def trail_of(self, enrollment: EnrollmentId) -> tuple[Entry, ...]:
        """Everything recorded about one student in the order of recording, and what it changed.

        Windows that were fixed are in it where they moved the student's answers.
        """
        return tuple(entries_with_windows(self._streams(enrollment)))

    @_question
    def refused_attempts(self, enrollment: EnrollmentId) -> list[KeptAttempt]:
        """What was tried for one student and refused; more than is kept is only counted."""
        return self._store.attempts_on(streams_of(enrollment)[0])

    def audit_trail(self, url: str | None = None) -> "AuditTrail":
        """The audit trail of this store, to be asked a Question across students.

        Of a store on PostgreSQL it is in the same database. Else it is kept in a file of its
        own, `sqlite:///PATH`; by default beside the store's, with `.trail` at the end of its
        name. The file may be deleted; it is made again.
        """
        from yibao.adapters.following.trail import AuditTrail, open_trail

        self._store.check_process()
        return AuditTrail(self._store, self.editions, open_trail(self._store, url))

    def _streams(self, enrollment: EnrollmentId) -> Streams:
        enrolled, cared = streams_of(enrollment)
        return Streams(
            enrollment,
            self._store.recorded(enrolled),
            self._store.recorded(cared),
            cache(self._fixed_edition),
        )

    def _fixed_edition(self, name: str) -> FixedEdition:
        return FixedEdition(self.editions.get(name), self._store.recorded(edition_stream(name)))

    def facts(self, enrollment: EnrollmentId) -> list[events.Event]:
        """Everything recorded about one student, in the order of the stream."""
        return self._store.read(streams_of(enrollment)[0])

    def care_facts(self, enrollment: EnrollmentId) -> list[events.Event]:
        """Everything recorded about one student's care, in the order of its stream."""
        return self._store.read(streams_of(enrollment)[1])

    def window_facts(self, policy: str) -> list[events.Event]:
        """Everything recorded about an edition: when it was first used, and windows fixed."""
        return self._store.read(edition_stream(policy))

    def note(self, event_id: UUID) -> str | None:
        """The free text kept beside a fact, unless it was erased."""
        return self._store.note(event_id_of(event_id))

    def erase_note(self, event_id: UUID) -> bool:
        """Forgets the free text kept beside a fact; the fact stands.

        Nobody reads it any more from then on. True where no file of the store has it either; False
        while somebody who began to read before keeps it in the log beside a file (the store
        finishes when it records, erases, is closed or is opened again), and on PostgreSQL, where
        it is in the table's file until the owner has vacuumed it.
        """
        return self._store.erase_note(event_id_of(event_id))

    def _edition(self, name: str) -> Edition:
        """An edition as it stands; a question caches it, so that it reads one state of it."""
        return Edition(self.editions.get(name), self._store.read(edition_stream(name)))


def _known(
    enrollment: EnrollmentId,
    recorded: Sequence[events.Event],
    received: Sequence[events.Event],
    edition_of: Callable[[str], Edition],
    cutoff: Cutoff | None,
    now: datetime,
) -> Knowledge:
    """What is known by a cut-off; without one everything, whatever the clock says."""
    if cutoff is not None:
        return known_by(enrollment, recorded, edition_of, cutoff, received)
    named = edition_named(recorded)
    fixed = edition_of(named).recorded if named else ()
    latest = _latest(recorded, received, edition_of, now)
    return known_at_versions(
        enrollment, recorded, edition_of, len(recorded), len(fixed), latest, received
    )


def _latest(
    recorded: Sequence[events.Event],
    received: Sequence[events.Event],
    edition_of: Callable[[str], Edition],
    now: datetime,
) -> datetime:
    """The instant by which everything is known: now, or a later stamp of any of the streams."""
    named = edition_named(recorded)
    fixed = edition_of(named).recorded if named else ()
    last = (*recorded[-1:], *fixed[-1:], *received[-1:])
    return max([now, *(event.recorded_at for event in last)])
