"""The one door: one method a command, and the questions; what `yibao.open` returns.

Everything decided and answered here is decided and answered by the pure core; the service adds
the clock and the store. It may be shared between threads, and several processes may use one
file. From an async server call it in a thread: `await asyncio.to_thread(service.at, ada)`.
"""

import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from decimal import Decimal
from functools import cache, wraps
from itertools import islice
from typing import (
    TYPE_CHECKING,
    Any,
    Concatenate,
    Final,
    ParamSpec,
    Self,
    TypedDict,
    TypeVar,
    Unpack,
    cast,
)
from uuid import UUID

from pydantic import TypeAdapter, ValidationError

from yibao.adapters.editions.files import Editions
from yibao.adapters.service.recording import (
    ATTEMPTS_KEPT,
    Clock,
    Receipt,
    Recording,
    Reply,
    check_unaltered,
)
from yibao.adapters.store.attempts import KeptAttempt
from yibao.adapters.store.errors import StoreError
from yibao.adapters.store.facts import FactStore, Reading, open_store
from yibao.adapters.store.urls import MEMORY
from yibao.adapters.telemetry.figures import SILENT, Telemetry
from yibao.domain.calendar import SHANGHAI, in_shanghai, read_instant
from yibao.domain.care.assessments import Assessed
from yibao.domain.facts import commands, events
from yibao.domain.facts.commands import Command
from yibao.domain.money import Fen
from yibao.domain.refusals import BadValue, Refused, UnknownCutoff, UnknownEdition, reason
from yibao.domain.vocabulary import (
    ActivationChannel,
    CareSetting,
    Category,
    ConfirmationChannel,
    Document,
    EnrollmentId,
    GivenKey,
    HospitalLevel,
    OtherCover,
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
    from yibao.adapters.following.trail.audit import AuditTrail
    from yibao.adapters.store.postgres.settings import StoreSettings

R = TypeVar("R")
P = ParamSpec("P")

#: Where the environment says until which stamp one far ahead of the clock is accepted.
ACCEPT_STAMPS_UNTIL: Final = "YIBAO_ACCEPT_STAMPS_UNTIL"

#: How many of many commands share a transaction.
BATCH: Final = 500


class Told(TypedDict, total=False):
    """What every command may carry besides its values.

    `by` names the actor by an opaque key, `note` is free text kept apart and erasable. A
    repeated `command_id` is harmless; `expected_version` guards against deciding on what one
    has not seen.
    """

    by: str
    note: str
    command_id: str
    expected_version: int
    correlation_id: str
    causation_id: str


class Reasoned(Told, total=False):
    """A command may give its reason as a kebab-case word."""

    reason: str


class Asked(Reasoned, total=False):
    """A command may be a report (`observed`)."""

    observed: bool


def shanghai_now() -> datetime:
    """The wall clock, in Shanghai: the only place where yibao reads one."""
    return datetime.now(SHANGHAI)


def _question(
    method: "Callable[Concatenate[Service, P], R]",
) -> "Callable[Concatenate[Service, P], R]":
    """A question that is told of."""

    @wraps(method)
    def told(self: "Service", /, *args: P.args, **kwargs: P.kwargs) -> R:
        # Before the telemetry, whose locks another thread may have had when this was forked.
        self._store.check_process()
        with self._telemetry.question(method.__name__):
            return method(self, *args, **kwargs)

    return told


class Service:
    """Records what happened and answers questions, on one store.

    Every command names in `at` when it happened, and returns a Receipt, or raises Refused with
    a code; then nothing was recorded. `at` may be an aware datetime or text in Shanghai time,
    days may be dates or text.

    With `rehearsing` it stamps as its clock says, which is a story's: in a rehearsal store alone,
    else it raises StoreError.
    """

    def __init__(
        self,
        store: FactStore,
        editions: Editions,
        *,
        by: str = "unnamed",
        via: str = "library",
        clock: Clock = shanghai_now,
        attempts_kept: int = ATTEMPTS_KEPT,
        telemetry: Telemetry = SILENT,
        accept_stamps_until: datetime | str | None = None,
        rehearsing: bool = False,
    ) -> None:
        if rehearsing and not store.is_rehearsal:
            raise StoreError(
                "what a story tells goes into a rehearsal store, and this is no rehearsal store"
            )
        if not callable(clock):
            raise BadValue("clock", "must be a function that tells the instant")
        if not isinstance(attempts_kept, int) or isinstance(attempts_kept, bool):
            raise BadValue("attempts_kept", "must be a whole number")
        check_unaltered(store, editions)
        self._store = store
        self._telemetry = telemetry
        store.on_retry = telemetry.retried
        by, via = _key(by, "by"), _key(via, "via")
        self._clock = clock = _aware(clock)
        accepted = accept_stamps_until
        if accepted is not None:
            accepted = _instant(accepted, "accept_stamps_until")
        self._recording = Recording(
            store, editions, by, via, clock, attempts_kept, telemetry, accepted, rehearsing
        )
        self.editions = editions

    def close(self) -> None:
        """Closes the store's connections; in the child of a fork none, they are the parent's."""
        self._store.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def register(
        self,
        ref: str,
        *,
        at: datetime | str,
        policy: str,
        on: date | str,
        school: str,
        category: Category | str,
        document: Document | str,
        **how: Unpack[Asked],
    ) -> Receipt:
        """The student registers at the school (报到注册); `on` is the registration day (R1)."""
        return self._tell(
            self._perhaps(ref, policy),
            commands.Register,
            ref=ref,
            at=at,
            policy=policy,
            on=on,
            school=school,
            category=category,
            document=document,
            **how,
        )

    def declare_roster(
        self, enrollment: EnrollmentId, *, at: datetime | str, **how: Unpack[Asked]
    ) -> Receipt:
        """The school declares the student in its roster (R7)."""
        return self._tell(enrollment, commands.DeclareRoster, at=at, **how)

    def change_school(
        self, enrollment: EnrollmentId, *, at: datetime | str, school: str, **how: Unpack[Asked]
    ) -> Receipt:
        """The student moves to another school, whose roster and window then count."""
        return self._tell(enrollment, commands.ChangeSchool, at=at, school=school, **how)

    def declare_other_cover(
        self,
        enrollment: EnrollmentId,
        *,
        at: datetime | str,
        kind: OtherCover | str,
        **how: Unpack[Asked],
    ) -> Receipt:
        """The student has other insurance (R2 to R4); always a report."""
        return self._tell(enrollment, commands.DeclareOtherCover, at=at, kind=kind, **how)

    def stop_employee_cover(
        self, enrollment: EnrollmentId, *, at: datetime | str, on: date | str, **how: Unpack[Asked]
    ) -> Receipt:
        """Employee insurance stops; `on` is the first day without it (R3); always a report."""
        return self._tell(enrollment, commands.StopEmployeeCover, at=at, on=on, **how)

    def keep_other_cover(
        self, enrollment: EnrollmentId, *, at: datetime | str, **how: Unpack[Asked]
    ) -> Receipt:
        """The student keeps another province's insurance this year (R4)."""
        return self._tell(enrollment, commands.KeepOtherCover, at=at, **how)

    def confirm(
        self,
        enrollment: EnrollmentId,
        *,
        at: datetime | str,
        channel: ConfirmationChannel | str,
        **how: Unpack[Asked],
    ) -> Receipt:
        """The student confirms and commits (参保确认), or the officer by proxy (R7 to R10)."""
        return self._tell(enrollment, commands.Confirm, at=at, channel=channel, **how)

    def verify_prior_coverage(
        self,
        enrollment: EnrollmentId,
        *,
        at: datetime | str,
        lapsed_years: int,
        waiting_ends_on: date | str | None = None,
        **how: Unpack[Asked],
    ) -> Receipt:
        """The check's result (待遇等待期核验) is seen (R12, R13); always a report."""
        return self._tell(
            enrollment,
            commands.VerifyPriorCoverage,
            at=at,
            lapsed_years=lapsed_years,
            waiting_ends_on=waiting_ends_on,
            **how,
        )

    def build_account(
        self, enrollment: EnrollmentId, *, at: datetime | str, on: date | str, **how: Unpack[Asked]
    ) -> Receipt:
        """The account is seen, built on a day (R18); always a report."""
        return self._tell(enrollment, commands.BuildAccount, at=at, on=on, **how)

    def activate_evoucher(
        self,
        enrollment: EnrollmentId,
        *,
        at: datetime | str,
        channel: ActivationChannel | str,
        **how: Unpack[Asked],
    ) -> Receipt:
        """The student activates the e-voucher (医保码) (R19, R23)."""
        return self._tell(enrollment, commands.ActivateEvoucher, at=at, channel=channel, **how)

    def issue_medical_card(
        self, enrollment: EnrollmentId, *, at: datetime | str, **how: Unpack[Asked]
    ) -> Receipt:
        """A service office issues a medical card (医保卡) (R5); always a report."""
        return self._tell(enrollment, commands.IssueMedicalCard, at=at, **how)

    def file_remote_care(
        self, enrollment: EnrollmentId, *, at: datetime | str, province: str, **how: Unpack[Asked]
    ) -> Receipt:
        """Care in another province is filed for (异地就医备案) (R31)."""
        return self._tell(enrollment, commands.FileRemoteCare, at=at, province=province, **how)

    def withdraw(
        self, enrollment: EnrollmentId, *, at: datetime | str, on: date | str, **how: Unpack[Asked]
    ) -> Receipt:
        """The student leaves; `on` is the first day outside (R24)."""
        return self._tell(enrollment, commands.Withdraw, at=at, on=on, **how)

    def pay_premium(
        self, enrollment: EnrollmentId, *, at: datetime | str, year: int, **how: Unpack[Asked]
    ) -> Receipt:
        """The premium of a benefit year is paid (R10, R11)."""
        return self._tell(enrollment, commands.PayPremium, at=at, year=year, **how)

    def receive_care(
        self,
        enrollment: EnrollmentId,
        *,
        at: datetime | str,
        on: date | str,
        setting: CareSetting | str,
        cost: Fen | Decimal | str,
        level: HospitalLevel | str | None = None,
        total_cost: Fen | Decimal | str | None = None,
        province: str | None = None,
        **how: Unpack[Asked],
    ) -> Receipt:
        """Care was given, or a stay began, on a day (R26 to R29); always a report.

        `cost` is the eligible cost in yuan, as text or Decimal; `province` is where, if not in
        Shanghai. What is paid for it is in the answer's `care`.
        """
        return self._tell(
            enrollment,
            commands.ReceiveCare,
            at=at,
            on=on,
            setting=setting,
            cost=cost,
            level=level,
            total_cost=total_cost,
            province=province,
            **how,
        )

    def settle_care(
        self,
        enrollment: EnrollmentId,
        care: UUID,
        *,
        at: datetime | str,
        paid: Fen | Decimal | str | None = None,
        **how: Unpack[Asked],
    ) -> Receipt:
        """What is paid for a piece of care is settled (R31), as assessed now.

        `paid` is what the fund in fact paid, where that differs. A request is refused with the
        code for which the care is, with `cover_pending` or `already_settled`.
        """
        return self._tell(enrollment, commands.SettleCare, at=at, care=care, paid=paid, **how)

    def reverse_care(
        self, enrollment: EnrollmentId, care: UUID, *, at: datetime | str, **how: Unpack[Reasoned]
    ) -> Receipt:
        """The settlement of a piece of care is taken back; `care` is the event of either."""
        return self._tell(enrollment, commands.ReverseCare, at=at, care=care, **how)

    def fix_window(
        self,
        policy: str,
        *,
        at: datetime | str,
        opens_on: date | str | None = None,
        opens_at: datetime | str | None = None,
        closes_on: date | str | None = None,
        school: str | None = None,
        category: Category | str | None = None,
        **how: Unpack[Asked],
    ) -> Receipt:
        """The confirmation window of an edition is fixed, for all or for some (R8)."""
        return self._tell(
            policy,
            commands.FixWindow,
            at=at,
            opens_on=opens_on,
            opens_at=opens_at,
            closes_on=closes_on,
            school=school,
            category=category,
            **how,
        )

    def correct(
        self,
        target: EnrollmentId | str,
        fact: UUID,
        *,
        at: datetime | str,
        reason: str,
        changes: dict[str, Any] | None = None,
        occurred_at: datetime | str | None = None,
        **how: Unpack[Told],
    ) -> Receipt:
        """Puts the same fact with other values in the place of an earlier one.

        `target` is the enrollment, or the edition whose window was fixed. In `changes` None
        takes an optional value away; `occurred_at` changes when the fact happened.
        """
        return self._tell(
            target,
            commands.Correct,
            at=at,
            fact_id=fact,
            changes={} if changes is None else changes,
            occurred_at=occurred_at,
            reason=reason,
            **how,
        )

    def void(
        self,
        target: EnrollmentId | str,
        fact: UUID,
        *,
        at: datetime | str,
        reason: str,
        **how: Unpack[Told],
    ) -> Receipt:
        """Takes an earlier fact back; it stays in the stream and counts no more."""
        return self._tell(target, commands.Void, at=at, fact_id=fact, reason=reason, **how)

    def record(self, target: EnrollmentId | str, command: Command) -> Receipt:
        """Records one command, on an enrollment or, for its window, on an edition."""
        return self.record_together(target, [command])[0]

    def record_together(
        self, target: EnrollmentId | str, asked: Iterable[Command]
    ) -> list[Receipt]:
        """Records several commands in one transaction and under one stamp: all of them or none.

        Raises BadValue for a command that does not belong to the target, or where care and
        enrollment, which have a stream each, are asked for together.
        """
        self._store.check_process()
        return self._recording.record_together(target, list(_each(asked)))

    def record_each(
        self, asked: Iterable[tuple[EnrollmentId | str, Command]], *, batch: int = BATCH
    ) -> list[Reply]:
        """Records many commands, each judged by itself: a receipt or a refusal for each, in order.

        In the place of what would be recorded on a stream that cannot be read stands the
        UnreadableEvent, and AheadOfClock in the place of what would stand behind a stamp far
        ahead of the clock. A batch is one transaction with one stamp, and each command sees what
        came before it. Raises BadValue for no size of a batch, and StoreError where the store
        fails; then the batches before stand: repeat with the same command ids, and nothing is
        recorded twice.
        """
        if not isinstance(batch, int) or isinstance(batch, bool) or not 1 <= batch <= sys.maxsize:
            raise BadValue("batch", f"must be a whole number between 1 and {sys.maxsize}")
        self._store.check_process()
        replies: list[Reply] = []
        waiting = map(_pair, _each(asked))
        while together := list(islice(waiting, batch)):
            replies.extend(self._recording.record_each(together))
        return replies

    def _tell(
        self, target: EnrollmentId | str | None, kind: type[Command], /, **values: Any
    ) -> Receipt:
        """Records what a method was told; an attempt is kept also where it cannot be read."""
        self._store.check_process()
        with self._keeping(target, {"command": kind.name, **values}):
            command = commands.read(kind, values)
            if isinstance(command, commands.Register):
                target = self.enrollment_of(command)
        # What can be no target is told of there.
        return self.record(cast(EnrollmentId | str, target), command)

    def _perhaps(self, ref: str, policy: str) -> EnrollmentId | None:
        """Whose enrollment a registration would begin, if that much of it can be read."""
        if not isinstance(policy, str):
            return None
        try:
            return EnrollmentId(_key(ref, "ref"), self.editions.get(policy).year)
        except (BadValue, UnknownEdition):
            return None

    @contextmanager
    def _keeping(
        self, target: EnrollmentId | str | None, told: Mapping[str, Any]
    ) -> Iterator[None]:
        """Keeps as an attempt what is refused inside."""
        try:
            yield
        except (Refused, UnknownEdition) as error:
            self._recording.keep_attempt(target, told, error)
            raise

    def enrollment_of(self, command: commands.Register) -> EnrollmentId:
        """Whose enrollment a registration begins, and of which benefit year."""
        if not isinstance(command, commands.Register):
            raise BadValue("command", "is no registration")
        return EnrollmentId(command.ref, self.editions.get(command.policy).year)

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
        when = self._clock() if at is None else _instant(at, "at")
        return answer(self._knowledge(enrollment, known_at), when)

    def _read(self, enrollment: EnrollmentId) -> tuple[list[events.Event], list[events.Event]]:
        """What is recorded of a student, and of the care, as both stand at one moment."""
        streams = _streams_of(enrollment)
        found = self._store.read_all(streams)
        return found[streams[0]], found[streams[1]]

    def _knowledge(self, enrollment: EnrollmentId, known_at: Cutoff | str | None) -> Knowledge:
        """What is known of a student by a cut-off, by default everything."""
        cutoff = None if known_at is None else _cutoff(known_at)
        recorded, received = self._read(enrollment)
        edition_of = cache(self._edition)
        return _known(enrollment, recorded, received, edition_of, cutoff, self._clock())

    def everyone(
        self, at: datetime | str | None = None, *, known_at: datetime | str | None = None
    ) -> Iterator[Answer]:
        """The answer for every enrollment in the store, from one snapshot of it.

        Raises BadValue for a naive instant.
        """
        now = self._clock()
        when = now if at is None else _instant(at, "at")
        cutoff = None if known_at is None else _instant(known_at, "known_at")
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
            clock if at is None else _instant(at, "at"),
            _cutoff(then),
            latest if now is None else _cutoff(now),
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
            now if at is None else _instant(at, "at"),
            latest if known_at is None else _cutoff(known_at),
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
        when = self._clock() if at is None else _instant(at, "at")
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
        about = None if at is None else _instant(at, "at")
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
        return self._store.attempts_on(_streams_of(enrollment)[0])

    def audit_trail(self, url: str | None = None) -> "AuditTrail":
        """The audit trail of this store, to be asked a Question across students.

        Of a store on PostgreSQL it is in the same database. Else it is kept in a file of its
        own, `sqlite:///PATH`; by default beside the store's, with `.trail` at the end of its
        name. The file may be deleted; it is made again.
        """
        from yibao.adapters.following.trail.audit import AuditTrail, open_trail

        self._store.check_process()
        return AuditTrail(self._store, self.editions, open_trail(self._store, url))

    def _streams(self, enrollment: EnrollmentId) -> Streams:
        enrolled, cared = _streams_of(enrollment)
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
        return self._store.read(_streams_of(enrollment)[0])

    def care_facts(self, enrollment: EnrollmentId) -> list[events.Event]:
        """Everything recorded about one student's care, in the order of its stream."""
        return self._store.read(_streams_of(enrollment)[1])

    def window_facts(self, policy: str) -> list[events.Event]:
        """Everything recorded about an edition: when it was first used, and windows fixed."""
        return self._store.read(edition_stream(policy))

    def note(self, event_id: UUID) -> str | None:
        """The free text kept beside a fact, unless it was erased."""
        return self._store.note(_event(event_id))

    def erase_note(self, event_id: UUID) -> bool:
        """Forgets the free text kept beside a fact; the fact stands.

        Nobody reads it any more from then on. True where no file of the store has it either; False
        while somebody who began to read before keeps it in the log beside a file (the store
        finishes when it records, erases, is closed or is opened again), and on PostgreSQL, where
        it is in the table's file until the owner has vacuumed it.
        """
        return self._store.erase_note(_event(event_id))

    def _edition(self, name: str) -> Edition:
        """An edition as it stands; a question caches it, so that it reads one state of it."""
        return Edition(self.editions.get(name), self._store.read(edition_stream(name)))


def open_service(
    url: str = MEMORY,
    *,
    policies: Editions | str | os.PathLike[str] | None = None,
    by: str = "unnamed",
    via: str = "library",
    clock: Clock = shanghai_now,
    attempts_kept: int = ATTEMPTS_KEPT,
    settings: "StoreSettings | None" = None,
    telemetry: Telemetry = SILENT,
    accept_stamps_until: datetime | str | None = None,
) -> Service:
    """Opens a store: `sqlite:///enrollments.db`, `postgresql://host/database` or `memory:`.

    A file is created where there is none; in a database `yibao db init` creates the store.
    `policies` is a directory of editions of one's own (default: $YIBAO_POLICIES). Of one actor
    `attempts_kept` refused attempts are kept in an hour; more are only counted. `settings` are
    those of the connections to PostgreSQL (default: from the environment); `telemetry` is told
    what goes on, as `yibao.adapters.telemetry.open_telemetry()` does. Nothing is recorded behind
    a stamp that lies more than a day ahead of the clock, unless until `accept_stamps_until`, an
    instant (default: $YIBAO_ACCEPT_STAMPS_UNTIL). Raises StoreError where the store cannot be
    opened and AlteredEdition where an edition is not what the store has used before.
    """
    if not isinstance(policies, Editions | str | os.PathLike | None):
        raise BadValue("policies", "must be a directory of editions")
    accepted = accept_stamps_until if accept_stamps_until is not None else _accepted_here()
    editions = policies if isinstance(policies, Editions) else Editions(policies)
    store = open_store(url, settings)
    try:
        return Service(
            store,
            editions,
            by=by,
            via=via,
            clock=clock,
            attempts_kept=attempts_kept,
            telemetry=telemetry,
            accept_stamps_until=accepted,
        )
    except BaseException:
        store.close()
        raise


def _accepted_here() -> datetime | None:
    """Until when the environment accepts stamps; raises StoreError where that cannot be read."""
    given = os.environ.get(ACCEPT_STAMPS_UNTIL)
    try:
        return read_instant(given) if given else None
    except ValueError as error:
        raise StoreError(f"{ACCEPT_STAMPS_UNTIL} in the environment: {error}") from None


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


def _key(given: str, where: str) -> str:
    try:
        return _KEY.validate_python(given)
    except ValidationError as error:
        raise BadValue(where, reason(error)) from None


_KEY: TypeAdapter[str] = TypeAdapter(GivenKey)


def _instant(given: datetime | str, where: str) -> datetime:
    """An instant that was given, in Shanghai; raises BadValue for anything else."""
    try:
        if isinstance(given, str):
            return read_instant(given)
        if isinstance(given, datetime):
            return in_shanghai(given)
    except ValueError as error:
        raise BadValue(where, str(error)) from None
    except Exception:  # of a time zone of somebody's own
        raise BadValue(where, "cannot be read") from None
    raise BadValue(where, "an instant is an aware datetime or text")


def _aware(clock: Clock) -> Clock:
    """The clock; it raises BadValue where it tells no instant."""

    def now() -> datetime:
        found = clock()
        if not isinstance(found, datetime):
            raise BadValue("clock", "must tell an aware datetime")
        _instant(found, "clock")
        return found

    return now


def _streams_of(enrollment: EnrollmentId) -> tuple[UUID, UUID]:
    """The streams of a student and of the care; raises BadValue for what is no student's."""
    if not isinstance(enrollment, EnrollmentId):
        raise BadValue("enrollment", "is no EnrollmentId")
    return enrollment.stream, enrollment.care_stream


def _event(given: UUID) -> UUID:
    if not isinstance(given, UUID):
        raise BadValue("event_id", "is no UUID")
    return given


def _each(asked: Iterable[R]) -> Iterator[R]:
    """One after the other of what may be many; raises BadValue where it is not."""
    try:
        return iter(asked)
    except TypeError:
        raise BadValue("asked", "must be a sequence") from None


def _pair(asked: Any) -> Any:
    """A target and a command; what is no pair is no command either."""
    return asked if isinstance(asked, tuple | list) and len(asked) == 2 else (None, None)


def _cutoff(given: Cutoff | str) -> Cutoff:
    is_version = isinstance(given, int) and not isinstance(given, bool)
    if is_version and given.bit_length() > 63:  # type: ignore[union-attr]
        raise UnknownCutoff("no stream has so many events")
    return given if is_version else _instant(given, "known_at")  # type: ignore[return-value, arg-type]
