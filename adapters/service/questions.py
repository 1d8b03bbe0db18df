"""The questions; looking changes nothing."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack
from datetime import date, datetime
from decimal import Decimal
from functools import wraps
from typing import (
    TYPE_CHECKING,
    Any,
    Concatenate,
    ParamSpec,
    TypeVar,
)
from uuid import UUID

from yibao.domain.care import Assessed
from yibao.domain.facts import KeptAttempt, commands, events
from yibao.domain.facts.commands import Command
from yibao.domain.facts.telling import Unread
from yibao.domain.lifecycle import Possible, possible
from yibao.domain.money import Fen
from yibao.domain.refusals import BadValue, Refused
from yibao.domain.vocabulary import (
    CareSetting,
    EnrollmentId,
    HospitalLevel,
    edition_stream,
)
from yibao.projections.answer import Answer, answer
from yibao.projections.audit_trail import Entry, entries_with_windows
from yibao.projections.care import Changed, quote, review
from yibao.projections.comparison import Comparison, compare
from yibao.projections.history import Held, history
from yibao.projections.parts import PARTS
from yibao.projections.record import Cutoff, Record

if TYPE_CHECKING:  # what records and answers should not have to load these
    from yibao.adapters.following.trail import AuditTrail
    from yibao.adapters.service.cohorts import CohortView


from yibao.adapters.service.given import (
    cutoff_of,
    event_id_of,
    instant_of,
    streams_of,
)
from yibao.adapters.service.judging import judged_of_edition, judged_of_student
from yibao.adapters.service.opened import Opened
from yibao.adapters.service.recording import command_of, misfit

#: Whom a question is about; of a record that was read, everything that is known of her then.
Whose = EnrollmentId | Record

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
    """What is asked of one student, of the store, and of an edition.

    Each raises StoreError where the store fails.
    """

    @_question
    def read(self, enrollment: Whose) -> Record:
        """Everything recorded of one student, of one moment: what every question is asked of.

        Every other question takes a record in the place of the enrollment, and is then asked about
        the moment at which it was read: several of one record agree. Raises BadValue for what is no
        EnrollmentId, and UnreadableEvent where a fact cannot be read.
        """
        return self._read(enrollment, self._clock())

    def _read(self, enrollment: Whose, now: datetime) -> Record:
        if isinstance(enrollment, Record):
            return enrollment
        return self._store.record(_whose(enrollment), self.editions, now)

    def read_each(self, enrollments: Iterable[EnrollmentId]) -> tuple[Record, ...]:
        """What `read` answers of each of some students, in their order, but read together.

        Up to 500 are of one moment. It costs less than to read them one by one. Raises what `read`
        raises of any of them.
        """
        self._store.check_process()
        whom = tuple(map(_whose, enrollments))
        with ExitStack() as told:
            for _ in whom:
                told.enter_context(self._telemetry.question("read"))
            found = self._store.records_now(whom, self.editions, self._clock())
            return tuple(found[each] for each in whom)

    @_question
    def enrollments(self, ref: str) -> tuple[int, ...]:
        """The benefit years of which something is known of a reference, ascending.

        They are those of the editions at hand. Raises BadValue for what is no text.
        """
        years = {EnrollmentId(ref, edition.year).stream: edition.year for edition in self.editions}
        return tuple(sorted(years[stream] for stream in self._store.begun(years)))

    @_question
    def at(
        self,
        enrollment: Whose,
        at: datetime | str | None = None,
        *,
        known_at: Cutoff | str | None = None,
    ) -> Answer:
        """Everything about one student at an instant (default: now), as known by a cut-off.

        The cut-off is an instant, inclusive, or a version of the student's stream; by default
        everything recorded is known. Raises BadValue for what is no EnrollmentId and for a naive
        instant, UnknownCutoff for a version that does not exist, UnknownEdition where hers is not
        at hand, and UnreadableEvent where a fact cannot be read.
        """
        return answer(*self._asked(enrollment, at, known_at))

    def _asked(
        self,
        enrollment: Whose,
        at: datetime | str | None,
        known_at: Cutoff | str | None,
    ) -> tuple[Record, datetime, Cutoff]:
        """What a question is about: by default now, with everything known."""
        when = None if at is None else instant_of(at, "at")
        cutoff = None if known_at is None else cutoff_of(known_at)
        now = self._now(enrollment)
        record = self._read(enrollment, now)
        return record, when or now, record.latest if cutoff is None else cutoff

    def _now(self, enrollment: object) -> datetime:
        """The moment a question is asked at: of a record that at which it was read."""
        read_at = enrollment.now if isinstance(enrollment, Record) else None
        return read_at or self._clock()

    def everyone(
        self, at: datetime | str | None = None, *, known_at: datetime | str | None = None
    ) -> Iterator[Answer]:
        """The answer for every enrollment in the store, all of the moment the first is drawn at.

        Raises, when the first is drawn, BadValue for a naive instant; UnknownEdition where an
        edition is not at hand, and UnreadableEvent where a fact cannot be read.
        """
        now = self._clock()
        when = now if at is None else instant_of(at, "at")
        cutoff = None if known_at is None else instant_of(known_at, "known_at")
        for record in self._store.records(self.editions, now):
            yield answer(record, when, record.latest if cutoff is None else cutoff)

    @_question
    def compare(
        self,
        enrollment: Whose,
        then: Cutoff | str,
        now: Cutoff | str | None = None,
        *,
        at: datetime | str | None = None,
    ) -> Comparison:
        """What changed in the answer between two cut-offs, and which facts changed it.

        `now` is by default everything recorded. Raises UnknownCutoff also where `then` knows more
        than `now`; else as `at` does.
        """
        record, when, latest = self._asked(enrollment, at, now)
        return compare(record, when, cutoff_of(then), latest)

    @_question
    def review(
        self,
        enrollment: Whose,
        *,
        at: datetime | str | None = None,
        known_at: Cutoff | str | None = None,
    ) -> tuple[Changed, ...]:
        """Care settled or once refused whose assessment has changed, and what moved it.

        Nothing is paid or taken back by itself. Raises what `at` raises.
        """
        return review(*self._asked(enrollment, at, known_at))

    @_question
    def quote(
        self,
        enrollment: Whose,
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

        Raises NotPermitted with `not_registered`, BadValue as `receive_care` does, and what `at`
        raises.
        """
        record, when, cutoff = self._asked(enrollment, at, known_at)
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
        return quote(record, command, when, cutoff)

    @_question
    def history(
        self, enrollment: Whose, value: str, *, at: datetime | str | None = None
    ) -> tuple[Held, ...]:
        """Every answer that was ever given for a part of the answer, from when until when.

        `value` is a part of an answer, such as `coverage` or `state`. With `at` all answers are
        about that instant; without it each is about the instant at which it was given. Raises
        BadValue for a part there is none of, and what `at` raises.
        """
        if not isinstance(value, str) or value not in PARTS:
            raise BadValue("value", f"an answer has no such part; it has {', '.join(PARTS)}")
        record, when, _ = self._asked(enrollment, at, None)
        return history(record, value, record.latest, None if at is None else when)

    @_question
    def trail_of(self, enrollment: Whose) -> tuple[Entry, ...]:
        """Everything recorded about one student in the order of recording, and what it changed.

        Windows that were fixed are in it where they moved the student's answers. Raises what `read`
        raises, and UnknownEdition.
        """
        return tuple(entries_with_windows(self.read(enrollment)))

    @_question
    def refused_attempts(self, enrollment: Whose) -> list[KeptAttempt]:
        """What was tried for one student and refused; more than is kept is only counted.

        Raises BadValue for what is no EnrollmentId, and UnreadableEvent where one cannot be read.
        """
        if isinstance(enrollment, Record):
            return list(enrollment.attempts)
        return self._store.attempts_on(streams_of(enrollment)[0])

    @_question
    def moments(self, enrollment: Whose) -> tuple[datetime, ...]:
        """The instants at which what is known of one student changed, once each and ascending.

        That is by what was recorded of her enrollment and of her care, and by what was fixed under
        her edition that concerns her. Between two of them nothing is known otherwise. Raises what
        `read` raises, and UnknownEdition.
        """
        return self.read(enrollment).moments()

    @_question
    def possible(self, enrollment: Whose, at: datetime | str | None = None) -> tuple[Possible, ...]:
        """What could be done about one student at an instant (default: now), and why not.

        Every command of the state machine's table, with each of its guards: the code with which it
        refuses, whether it is passed, and where that is known the instant from which it would be. A
        report is recorded whatever they say; then it does not fit. Somebody unknown is judged as
        without a registration. Raises what `at` raises.
        """
        record, when, cutoff = self._asked(enrollment, at, None)
        return possible(record.known_by(cutoff).case, when)

    @_question
    def judge(self, target: Whose | str, command: Command | Mapping[str, Any]) -> Refused | None:
        """Why a command would be refused now; None where it would be recorded, or is already.

        `target` is an enrollment, or a record of it, or the edition whose window is fixed; the
        command may be told as for `record_each`. Nothing is recorded, and no attempt is kept. What
        is wrong is returned, a BadValue among it; raises UnknownEdition, and UnreadableEvent where
        a fact cannot be read.
        """
        whose = target.enrollment if isinstance(target, Record) else target
        asked = command_of(command)
        if wrong := misfit(whose, asked):
            return wrong
        if isinstance(asked, Unread):
            return asked.error
        now, by = self._now(target), self._recording.by
        if isinstance(target, str):
            recorded = self.window_facts(target)
            return judged_of_edition(target, recorded, self.editions, by, asked, now)
        return judged_of_student(self._read(target, now), self.editions, by, asked, now)

    def audit_trail(self, url: str | None = None) -> "AuditTrail":
        """The audit trail of this store, to be asked a Question across students.

        Of a store on PostgreSQL it is in the same database. Else it is kept in a file of its own,
        `sqlite:///PATH`; by default beside the store's, with `.trail` at the end of its name. The
        file may be deleted; it is made again. Raises StoreError where it can be neither opened nor
        made.
        """
        from yibao.adapters.following.trail import AuditTrail, open_trail

        self._store.check_process()
        return AuditTrail(self._store, self.editions, open_trail(self._store, url))

    def cohort(
        self,
        at: datetime | str | None = None,
        *,
        known_at: datetime | str | None = None,
        school: str | None = None,
        category: str | None = None,
        policy: str | None = None,
        year: int | None = None,
    ) -> "CohortView":
        """Everybody at once at an instant (default: now), as known by another (default: by now).

        The cohort is every enrollment of which something was known by then, whatever its state;
        of the school, the category, the edition and the benefit year that are named, as known
        then, and `none` is who has none. What is counted is kept beside the store in a file that
        ends in `.cohort`, or in the database; it may be deleted, and is made again. Where it cannot
        be written the answer comes from a temporary one. By default everything recorded is known.
        Raises BadValue for a naive instant and for what can be nobody's, and StoreError.
        """
        from yibao.adapters.service.cohorts import Among, CohortView

        self._store.check_process()
        among = Among(school, category, policy, year)
        among.check()
        when = self._clock() if at is None else instant_of(at, "at")
        known = None if known_at is None else instant_of(known_at, "known_at")
        return CohortView(self._everybody(), when, known, among, self._clock)

    def facts(self, enrollment: Whose) -> list[events.Event]:
        """Everything recorded about one student, in the order of the stream.

        Raises BadValue for what is no EnrollmentId, and UnreadableEvent where a fact cannot be
        read.
        """
        if isinstance(enrollment, Record):
            return list(enrollment.enrolled.events)
        return self._store.read(streams_of(enrollment)[0])

    def facts_of(self, refs: Iterable[str]) -> dict[str, dict[int, list[events.Event]]]:
        """Everything recorded about the enrollments of some students, by reference and year.

        The years are those that `enrollments` tells, ascending, of nobody known none; the facts are
        those of `facts`. Many are read at a time. Raises BadValue for a reference that is no text,
        and UnreadableEvent where a fact cannot be read.
        """
        years = sorted({edition.year for edition in self.editions})
        whom = {ref: [EnrollmentId(ref, year) for year in years] for ref in refs}
        streams = (each.stream for enrollments in whom.values() for each in enrollments)
        recorded = self._store.read_each(streams)
        return {
            ref: {
                each.year: recorded[each.stream] for each in enrollments if each.stream in recorded
            }
            for ref, enrollments in whom.items()
        }

    def care_facts(self, enrollment: Whose) -> list[events.Event]:
        """Everything recorded about one student's care, in the order of its stream.

        Raises BadValue for what is no EnrollmentId, and UnreadableEvent where a fact cannot be
        read.
        """
        if isinstance(enrollment, Record):
            return list(enrollment.received.events)
        return self._store.read(streams_of(enrollment)[1])

    def window_facts(self, policy: str) -> list[events.Event]:
        """Everything recorded about an edition: when it was first used, and windows fixed.

        Of an edition that is not known there is nothing. Raises BadValue for what is no text, and
        UnreadableEvent where one of them cannot be read.
        """
        return self._store.read(edition_stream(policy))

    def note(self, event_id: UUID) -> str | None:
        """The free text kept beside a fact, unless it was erased; else None.

        Raises BadValue for what is no UUID.
        """
        return self._store.note(event_id_of(event_id))

    def erase_note(self, event_id: UUID) -> bool:
        """Forgets the free text kept beside a fact; the fact stands.

        Nobody reads it any more from then on. True where no file of the store has it either; False
        while somebody who began to read before keeps it in the log beside a file (the store
        finishes when it records, erases, is closed or is opened again), and on PostgreSQL, where it
        is in the table's file until the owner has vacuumed it. Raises BadValue for what is no UUID.
        """
        return self._store.erase_note(event_id_of(event_id))


def _whose(enrollment: EnrollmentId) -> EnrollmentId:
    """An enrollment that was given; raises BadValue for what is none."""
    streams_of(enrollment)
    return enrollment
