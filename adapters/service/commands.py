"""One method a command."""

import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import date, datetime
from decimal import Decimal
from typing import (
    Any,
    TypedDict,
    Unpack,
    cast,
)
from uuid import UUID

from yibao.adapters.service.given import key_of
from yibao.adapters.service.opened import Opened
from yibao.adapters.service.recording import (
    BATCH,
    Allowed,
    CommandOrGroup,
    Receipt,
    Reply,
    Target,
    check_callable,
    each_of,
)
from yibao.domain.facts import commands, telling
from yibao.domain.facts.commands import Command
from yibao.domain.money import Fen
from yibao.domain.refusals import BadValue, Refused, UnknownEdition
from yibao.domain.vocabulary import (
    ActivationChannel,
    CareSetting,
    Category,
    ConfirmationChannel,
    Document,
    EnrollmentId,
    HospitalLevel,
    Leaving,
    OtherCover,
    Seen,
)


class Told(TypedDict, total=False):
    """What every command may carry besides its values.

    `by` names the actor by an opaque key, `note` is free text kept apart and erasable. A
    repeated `command_id` is harmless; it belongs to one stream. `expected` guards against deciding
    on what one has not seen: it is `Answer.seen` or `Receipt.seen`; `expected_version` is the
    version of the command's own stream alone.
    """

    by: str
    note: str
    command_id: str
    expected_version: int
    expected: Seen | None
    correlation_id: str
    causation_id: str


class Reported(Told, total=False):
    """A command may give its reason as a kebab-case word, and be a report (`observed`)."""

    reason: str
    observed: bool


class Judged(Told, total=False):
    """Whoever runs the service may be asked whether a command is allowed, where it is judged."""

    allowed: Allowed | None


class Reasoned(Judged, total=False):
    """A command may give its reason as a kebab-case word."""

    reason: str


class Asked(Reasoned, total=False):
    """A command may be a report (`observed`)."""

    observed: bool


class Commands(Opened):
    """Every command names in `at` when it happened, and returns a Receipt or raises Refused.

    Where `at` is left out it is now: the stamp of the transaction, which is the clock's, or a later
    one that the command stands on. A time that is left out is no part of what is asked: the same
    `command_id` again, at another moment, is a repetition and returns the first receipt. Given, it
    is part of it as everything else: then `command_id_reused` names what differs, never the values.
    A command id belongs to one stream: a student's enrollment, her care, or an edition.

    `expected`, from `Answer.seen` or `Receipt.seen`, refuses with `version_conflict` where any of
    it has moved: her facts, her care, or what is fixed under her edition and concerns her.

    `allowed(answer, record)` is asked inside the transaction, on the answer about the command's
    `at` and on the record as they stand there; not about a repetition, which changes nothing. None
    allows it. A word, an opaque key such as `other-school`, refuses with `not_allowed` and the word
    in the details; anything else it returns refuses with `bad_value`, and what it raises is raised,
    with nothing recorded and nothing kept. It may be asked again where a transaction is tried
    again, and must not record anything itself. A window is everybody's: of an edition nobody is
    asked, and `allowed` is refused.
    """

    def register(
        self,
        ref: str,
        *,
        at: datetime | str | None = None,
        policy: str,
        on: date | str,
        school: str,
        category: Category | str,
        document: Document | str,
        **how: Unpack[Asked],
    ) -> Receipt:
        """The student registers at the school (报到注册); `on` is the registration day (R1).

        Returns its Receipt. Refused with `already_registered`, `not_a_new_student`, and as every
        command is. Raises UnknownEdition where `policy` is not at hand.
        """
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
        self, enrollment: EnrollmentId, *, at: datetime | str | None = None, **how: Unpack[Asked]
    ) -> Receipt:
        """The school declares the student in its roster (R7).

        Returns its Receipt. Refused with `not_registered`, `withdrawn`, and as every command is.
        """
        return self._tell(enrollment, commands.DeclareRoster, at=at, **how)

    def change_school(
        self,
        enrollment: EnrollmentId,
        *,
        at: datetime | str | None = None,
        school: str,
        **how: Unpack[Asked],
    ) -> Receipt:
        """The student moves to another school, whose roster and window then count.

        Returns its Receipt. Refused with `not_registered`, `withdrawn`, and as every command is.
        """
        return self._tell(enrollment, commands.ChangeSchool, at=at, school=school, **how)

    def declare_other_cover(
        self,
        enrollment: EnrollmentId,
        *,
        at: datetime | str | None = None,
        kind: OtherCover | str,
        **how: Unpack[Asked],
    ) -> Receipt:
        """The student has other insurance (R2 to R4); always a report.

        Returns its Receipt. Refused with `not_registered`, and as every command is.
        """
        return self._tell(enrollment, commands.DeclareOtherCover, at=at, kind=kind, **how)

    def stop_employee_cover(
        self,
        enrollment: EnrollmentId,
        *,
        at: datetime | str | None = None,
        on: date | str,
        **how: Unpack[Asked],
    ) -> Receipt:
        """Employee insurance stops; `on` is the first day without it (R3); always a report.

        Returns its Receipt. Refused with `not_registered`, and as every command is.
        """
        return self._tell(enrollment, commands.StopEmployeeCover, at=at, on=on, **how)

    def keep_other_cover(
        self, enrollment: EnrollmentId, *, at: datetime | str | None = None, **how: Unpack[Asked]
    ) -> Receipt:
        """The student keeps another province's insurance this year (R4).

        Returns its Receipt. Refused with `not_registered`, `withdrawn`, `already_confirmed`,
        `before_registration`, `window_closed`, `no_other_cover`, and as every command is.
        """
        return self._tell(enrollment, commands.KeepOtherCover, at=at, **how)

    def confirm(
        self,
        enrollment: EnrollmentId,
        *,
        at: datetime | str | None = None,
        channel: ConfirmationChannel | str,
        **how: Unpack[Asked],
    ) -> Receipt:
        """The student confirms and commits (参保确认), or the officer by proxy (R7 to R10).

        Returns its Receipt. Refused with `not_registered`, `withdrawn`, `already_confirmed`,
        `before_registration`, `window_not_open`, `window_closed`, `roster_not_declared`,
        `enrolled_by_payment` under an edition that enrolls by payment (R34), and as every command
        is.
        """
        return self._tell(enrollment, commands.Confirm, at=at, channel=channel, **how)

    def verify_prior_coverage(
        self,
        enrollment: EnrollmentId,
        *,
        at: datetime | str | None = None,
        lapsed_years: int,
        waiting_ends_on: date | str | None = None,
        years_repaid: int | None = None,
        **how: Unpack[Asked],
    ) -> Receipt:
        """The check's result (待遇等待期核验) is seen (R12, R13); always a report.

        `waiting_ends_on` is the last waiting day, where the result names one; `years_repaid` are
        lapsed years that were paid since, which may take months off (R36).

        Returns its Receipt. Refused with `not_registered`, and as every command is.
        """
        return self._tell(
            enrollment,
            commands.VerifyPriorCoverage,
            at=at,
            lapsed_years=lapsed_years,
            waiting_ends_on=waiting_ends_on,
            years_repaid=years_repaid,
            **how,
        )

    def build_account(
        self,
        enrollment: EnrollmentId,
        *,
        at: datetime | str | None = None,
        on: date | str,
        **how: Unpack[Asked],
    ) -> Receipt:
        """The account is seen, built on a day (R18); always a report.

        Returns its Receipt. Refused with `not_registered`, and as every command is.
        """
        return self._tell(enrollment, commands.BuildAccount, at=at, on=on, **how)

    def activate_evoucher(
        self,
        enrollment: EnrollmentId,
        *,
        at: datetime | str | None = None,
        channel: ActivationChannel | str,
        **how: Unpack[Asked],
    ) -> Receipt:
        """The student activates the e-voucher (医保码) (R19, R23).

        Returns its Receipt. Refused with `not_registered`, `withdrawn`, `not_confirmed`,
        `opted_out`, `account_not_built`, `evoucher_not_available`, `evoucher_not_yet_available`,
        and as every command is.
        """
        return self._tell(enrollment, commands.ActivateEvoucher, at=at, channel=channel, **how)

    def issue_medical_card(
        self, enrollment: EnrollmentId, *, at: datetime | str | None = None, **how: Unpack[Asked]
    ) -> Receipt:
        """A service office issues a medical card (医保卡) (R5); always a report.

        Returns its Receipt. Refused with `not_registered`, and as every command is.
        """
        return self._tell(enrollment, commands.IssueMedicalCard, at=at, **how)

    def file_remote_care(
        self,
        enrollment: EnrollmentId,
        *,
        at: datetime | str | None = None,
        province: str,
        **how: Unpack[Asked],
    ) -> Receipt:
        """Care in another province is filed for (异地就医备案) (R31).

        Returns its Receipt. Refused with `not_registered`, `withdrawn`, and as every command is.
        """
        return self._tell(enrollment, commands.FileRemoteCare, at=at, province=province, **how)

    def withdraw(
        self,
        enrollment: EnrollmentId,
        *,
        at: datetime | str | None = None,
        on: date | str,
        kind: Leaving | str | None = None,
        **how: Unpack[Asked],
    ) -> Receipt:
        """The student leaves; `on` is the first day outside (R24), `kind` how she leaves (R38).

        Returns its Receipt. Refused with `not_registered`, `withdrawn`, and as every command is.
        """
        return self._tell(enrollment, commands.Withdraw, at=at, on=on, kind=kind, **how)

    def pay_premium(
        self,
        enrollment: EnrollmentId,
        *,
        at: datetime | str | None = None,
        year: int,
        amount: Fen | Decimal | str | None = None,
        **how: Unpack[Asked],
    ) -> Receipt:
        """The premium of a benefit year is paid (R10, R11), so many yuan, as text or Decimal.

        Under an edition that enrolls by payment, who pays for this year is enrolled by it (R34).

        Returns its Receipt. Refused with `not_registered`, `withdrawn`; where it enrolls, also with
        `already_confirmed`, `before_registration`, `window_not_open`, `window_closed`,
        `roster_not_declared`; and as every command is.
        """
        return self._tell(enrollment, commands.PayPremium, at=at, year=year, amount=amount, **how)

    def receive_care(
        self,
        enrollment: EnrollmentId,
        *,
        at: datetime | str | None = None,
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

        Returns its Receipt. Refused with `not_registered`, and as every command is.
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
        at: datetime | str | None = None,
        paid: Fen | Decimal | str | None = None,
        **how: Unpack[Asked],
    ) -> Receipt:
        """What is paid for a piece of care is settled (R31), as assessed now.

        `care` is the event of the care; `paid` is what the fund in fact paid, where that differs.

        Returns its Receipt. Refused with `not_registered`, `no_such_fact`, `superseded`,
        `already_settled`, a request also with `cover_pending` and, where the care itself is
        refused, with `outside_benefit_year`, `not_enrolled`, `withdrawn`, `opted_out`,
        `in_waiting_period`, `before_window` or `remote_care_not_filed`, and as every command is.
        """
        return self._tell(enrollment, commands.SettleCare, at=at, care=care, paid=paid, **how)

    def reverse_care(
        self,
        enrollment: EnrollmentId,
        care: UUID,
        *,
        at: datetime | str | None = None,
        **how: Unpack[Reasoned],
    ) -> Receipt:
        """The settlement of a piece of care is taken back; `care` is the event of either.

        Returns its Receipt. Refused with `not_registered`, `no_such_fact`, `not_settled`, and as
        every command is.
        """
        return self._tell(enrollment, commands.ReverseCare, at=at, care=care, **how)

    def fix_window(
        self,
        policy: str,
        *,
        at: datetime | str | None = None,
        opens_on: date | str | None = None,
        opens_at: datetime | str | None = None,
        closes_on: date | str | None = None,
        closes_at: datetime | str | None = None,
        school: str | None = None,
        category: Category | str | None = None,
        **how: Unpack[Reported],
    ) -> Receipt:
        """The confirmation window of an edition is fixed, for all or for some (R8); always a
        report.

        It opens on a day, or at an instant, and closes with a day, or at an instant, the first that
        is outside; one end may be left as it is.

        Returns its Receipt. Refused as every command is; `allowed` is asked of nobody. Raises
        UnknownEdition where `policy` is not at hand.
        """
        return self._tell(
            policy,
            commands.FixWindow,
            at=at,
            opens_on=opens_on,
            opens_at=opens_at,
            closes_on=closes_on,
            closes_at=closes_at,
            school=school,
            category=category,
            **how,
        )

    def correct(
        self,
        target: EnrollmentId | str,
        fact: UUID,
        *,
        at: datetime | str | None = None,
        reason: str,
        changes: dict[str, Any] | None = None,
        occurred_at: datetime | str | None = None,
        **how: Unpack[Judged],
    ) -> Receipt:
        """Puts the same fact with other values in the place of an earlier one.

        `target` is the enrollment, or the edition whose window was fixed. In `changes` None takes
        an optional value away; `occurred_at` changes when the fact happened.

        Returns its Receipt. Refused with `no_such_fact`, `superseded`, and as every command is.
        Raises UnknownEdition.
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
        at: datetime | str | None = None,
        reason: str,
        **how: Unpack[Judged],
    ) -> Receipt:
        """Takes an earlier fact back; it stays in the stream and counts no more.

        `target` is the enrollment, or the edition whose window was fixed.

        Returns its Receipt. Refused with `no_such_fact`, `superseded`, and as every command is.
        Raises UnknownEdition.
        """
        return self._tell(target, commands.Void, at=at, fact_id=fact, reason=reason, **how)

    def tell(
        self,
        target: Target | None,
        name: str,
        values: Mapping[str, Any],
        *,
        allowed: Allowed | None = None,
        **how: Unpack[Told],
    ) -> Receipt:
        """Records a command of plain values, as JSON or a form has them, by its name.

        The keys are those of the command's class in `yibao.commands`: `register` carries `ref`, and
        needs no target beside it; `correct` and `void` carry `fact_id`, the settlements `care`. An
        empty value is left out. Who tells it, and under which id, is told in `how`, never among
        the values. A command id belongs to one stream, whichever method it is told by. Raises
        Refused as the command's method does; BadValue tells in `errors` everything that is wrong
        with the values.
        """
        self._store.check_process()
        check_callable(allowed)
        told = telling.as_told(name, values, **how)
        whose = self._perhaps(told.get("ref"), told.get("policy")) if target is None else target
        with self._keeping(whose, told):
            command = telling.told(name, values, **how)
            if target is None and isinstance(command, commands.Register):
                target = self.enrollment_of(command)
        return self.record(cast(Target, target), command, allowed=allowed)

    def record(
        self, target: Target, command: Command, *, allowed: Allowed | None = None
    ) -> Receipt:
        """Records one command, on an enrollment or, for its window, on an edition.

        Raises Refused with its code, and keeps the attempt; UnknownEdition; StoreError where the
        store fails. The times, `command_id`, `expected` and `allowed` are those of every method. A
        command id belongs to one stream: a student's enrollment, her care, or an edition.
        """
        return self.record_together(target, [command], allowed=allowed)[0]

    def record_together(
        self, target: Target, asked: Iterable[Command], *, allowed: Allowed | None = None
    ) -> list[Receipt]:
        """Records several commands in one transaction and under one stamp: all of them or none.

        Each is judged on what those before it would record, `expected` and `allowed` as well.
        Raises BadValue for a command that does not belong to the target, or where care and
        enrollment, which have a stream each, are asked for together; and Refused, UnknownEdition
        and StoreError as `record` does.
        """
        self._store.check_process()
        check_callable(allowed)
        return self._recording.record_together(target, list(each_of(asked)), allowed)

    def record_each(
        self,
        asked: Iterable[tuple[Target, CommandOrGroup]],
        *,
        batch: int = BATCH,
        allowed: Allowed | None = None,
        dry_run: bool = False,
    ) -> list[Reply]:
        """Records many commands, each judged by itself: a reply for each, in order.

        What is asked are pairs of a target and a command, or of a target and a list of commands: a
        group, which is recorded whole or not at all, and may hold commands on her enrollment and on
        her care. The reply to a command is its receipt or its refusal, to a group a tuple of
        receipts or the first refusal. In the place of any command may stand what `tell` would be
        told: `{"command": NAME, …values}`; where it cannot be read that is the reply. In the place
        of what would be recorded on a stream that
        cannot be read stands the UnreadableEvent, and AheadOfClock in the place of what would stand
        behind a stamp far ahead of the clock. A refusal is kept as an attempt; one equal in actor,
        target, content and code to one that is kept is counted instead.

        Each command may name in `expected` what its sender has seen, and is judged on what came
        before it. `allowed` is asked about each, with the record that tells whose it is.

        A batch of so many commands or groups is one transaction with one stamp. With `dry_run` the
        replies are the same, with None for `event_id`; nothing is recorded and nothing kept. It is
        one transaction, however much is asked, and nobody else records while it goes on.

        Raises BadValue for no size of a batch, and StoreError where the store fails; then the
        batches before stand: repeat with the same command ids, and nothing is recorded twice.
        """
        if not isinstance(batch, int) or isinstance(batch, bool) or not 1 <= batch <= sys.maxsize:
            raise BadValue("batch", f"must be a whole number between 1 and {sys.maxsize}")
        self._store.check_process()
        check_callable(allowed)
        return self._recording.record_each(
            each_of(asked), batch=batch, allowed=allowed, dry_run=dry_run
        )

    def _tell(
        self,
        target: Target | None,
        kind: type[Command],
        /,
        *,
        allowed: Allowed | None = None,
        **values: Any,
    ) -> Receipt:
        """Records what a method was told; an attempt is kept also where it cannot be read."""
        self._store.check_process()
        check_callable(allowed)
        with self._keeping(target, {"command": kind.name, **values}):
            command = commands.read(kind, values)
            if isinstance(command, commands.Register):
                target = self.enrollment_of(command)
        # What can be no target is told of there.
        return self.record(cast(Target, target), command, allowed=allowed)

    def _perhaps(self, ref: Any, policy: Any) -> EnrollmentId | None:
        """Whose enrollment a registration would begin, if that much of it can be read."""
        if not isinstance(policy, str):
            return None
        try:
            return EnrollmentId(key_of(ref, "ref"), self.editions.get(policy).year)
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
        """Whose enrollment a registration begins, and of which benefit year.

        Raises BadValue for what is no registration, and UnknownEdition.
        """
        if not isinstance(command, commands.Register):
            raise BadValue("command", "is no registration")
        return EnrollmentId(command.ref, self.editions.get(command.policy).year)
