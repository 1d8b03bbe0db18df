"""A roster recorded: who is new is registered and declared, of who is known what is lacking.

New people get a reference and an entry of the directory first, noted as unsettled; then the facts
are recorded, and the entries are kept. Whatever ends it in between, the next import finds an entry
with facts, or removes one without: repeated, it ends as if it had run once.
"""

import json
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from datetime import date, datetime
from functools import cached_property
from typing import Any, Final, NamedTuple

from pydantic import TypeAdapter, ValidationError

from yibao.adapters.office.directory import Directory, Drawn, Entry, Importing, Known, draw
from yibao.adapters.office.imports.editions import edition_of
from yibao.adapters.office.imports.verdicts import Change, Imported, RowVerdict, Verdict
from yibao.adapters.office.judging import (
    Judged,
    RowRefused,
    Student,
    is_county_unknown,
    judged,
    told_twice,
    usual_length,
)
from yibao.adapters.office.reading import Table, Warned
from yibao.adapters.service import Service
from yibao.adapters.telemetry import Watch
from yibao.domain.editions import Policy
from yibao.domain.facts import Facts, fold
from yibao.domain.facts.commands import Command, Correct, DeclareRoster, Register
from yibao.domain.facts.events import Event
from yibao.domain.refusals import BadValue, Refused, reason
from yibao.domain.vocabulary import EnrollmentId, GivenKey, GivenName, GivenReason

#: How many rows share a transaction.
BATCH: Final = 500


class Asked(NamedTuple):
    """How a roster is to be recorded.

    `at` is when it happened; left out it is now, and then no part of the content. With `correct`
    what has changed is corrected, for a `reason`; else it is only told. With `all_or_nothing`
    nothing is recorded unless every row may be.
    """

    school: str
    at: datetime | None = None
    by: str | None = None
    dry_run: bool = False
    all_or_nothing: bool = False
    correct: bool = False
    reason: str = "roster-correction"


class _Plan(NamedTuple):
    """What is to be recorded of a row, and what is told where nothing of that is refused."""

    row: int
    verdict: Verdict
    enrollment: EnrollmentId | None = None
    commands: Sequence[Command] = ()
    code: str | None = None
    column: str | None = None
    changes: tuple[Change, ...] = ()
    new: Drawn | None = None
    replaced: Known | None = None


def import_roster(
    service: Service,
    directory: Directory | None,
    table: Table,
    asked: Asked,
    watch: Watch | None = None,
) -> Imported:
    """Records a table of students who registered at a school; a verdict for each row, in order.

    `directory` may be None in a dry run alone, where there is none yet. Raises BadValue for a
    school, an actor or a reason that can never be right and for an instant in the future, and
    StoreError where a store fails or somebody else imports; then the batches before stand.
    """
    _check(asked)
    rows = [judged(table, row) for row in table.rows]
    warnings = [*table.warnings, *_warned(rows)]
    told = _Roster(service, directory, asked, rows)
    if asked.all_or_nothing and not asked.dry_run:
        tried = told.recorded(None, dry_run=True, batch=BATCH, watch=None)
        may_be = {"registered", "declared", "known", *(["changed"] if asked.correct else [])}
        if not {row.verdict for row in tried} <= may_be:
            return Imported(True, tried, warnings)
    batch = max(len(rows), 1) if asked.all_or_nothing else BATCH
    importing: AbstractContextManager[Importing | None] = nullcontext()
    if not asked.dry_run:
        assert directory is not None
        importing = directory.importing(lambda ref: bool(service.enrollments(ref)))
    with importing as entries:
        found = told.recorded(entries, dry_run=asked.dry_run, batch=batch, watch=watch)
    return Imported(asked.dry_run, found, warnings)


def _check(asked: Asked) -> None:
    for where, given, kind in (
        ("school", asked.school, _SCHOOL),
        ("reason", asked.reason, _REASON),
        ("by", "nobody" if asked.by is None else asked.by, _ACTOR),
    ):
        try:
            kind.validate_python(given)
        except ValidationError as error:
            raise BadValue(where, reason(error)) from None


_ACTOR: Final[TypeAdapter[str]] = TypeAdapter(GivenKey)
_SCHOOL: Final[TypeAdapter[str]] = TypeAdapter(GivenName)
_REASON: Final[TypeAdapter[str]] = TypeAdapter(GivenReason)


def _warned(rows: Sequence[Judged]) -> Iterator[Warned]:
    usual = usual_length(row.number for row in rows if row.number is not None)
    for row in rows:
        if row.number is not None and len(row.number) < usual:
            yield Warned("short_number", {"row": row.row, "usual": usual})
        student = row.found
        if isinstance(student, Student) and is_county_unknown(*student[2:4]):
            yield Warned("unknown_county", {"row": row.row})


class _Roster:
    """The rows of a roster, and what they are recorded in."""

    def __init__(
        self,
        service: Service,
        directory: Directory | None,
        asked: Asked,
        rows: Sequence[Judged],
    ) -> None:
        self._service = service
        self._directory = directory
        self._asked = asked
        self._rows = rows
        self._editions: dict[date, Policy | None] = {}
        self._refused_new: dict[tuple[str, str, date], Refused | None] = {}

    @cached_property
    def _twice(self) -> dict[int, list[int]]:
        return told_twice(self._rows)

    @cached_property
    def _first(self) -> set[int]:
        """The rows whose number other rows have that say the same, and do not count."""
        return {min(others) for row, others in self._twice.items()} - self._twice.keys()

    def recorded(
        self, entries: Importing | None, *, dry_run: bool, batch: int, watch: Watch | None
    ) -> list[RowVerdict]:
        """A verdict for each row, recorded so many rows at a time."""
        found: list[RowVerdict] = []
        for begin in range(0, len(self._rows), batch):
            plans = self._planned(self._rows[begin : begin + batch])
            found += self._record(plans, entries, dry_run)
            if watch is not None:
                watch(len(found), len(self._rows))
        return found

    def _planned(self, rows: Sequence[Judged]) -> list[_Plan]:
        students = [row for row in rows if self._counts(row)]
        numbers = [(self._asked.school, row.found.number) for row in students]
        known = self._directory.known(numbers) if self._directory else [None] * len(students)
        known_of = {row.row: who for row, who in zip(students, known, strict=True)}
        news = draw(
            self._entry(row.found)
            for row in students
            if known_of[row.row] is None and self._refused(row.found) is None
        )
        drawn = iter(news)
        plans: list[_Plan] = []
        for row in rows:
            if row.row not in known_of:
                plans.append(self._not_counting(row))
            elif who := known_of[row.row]:
                plans.append(self._of_known(row, who))
            elif refused := self._refused(row.found):
                plans.append(_Plan(row.row, "refused", code=refused.code, column=refused.column))
            else:
                plans.append(self._of_new(row, next(drawn)))
        return plans

    def _counts(self, row: Judged) -> bool:
        return isinstance(row.found, Student) and row.row not in self._twice

    def _not_counting(self, row: Judged) -> _Plan:
        if row.row in self._twice:
            is_same = min(self._twice[row.row]) in self._first
            return _Plan(row.row, "twice", code=None if is_same else "twice_differing")
        refused: RowRefused = row.found
        return _Plan(row.row, "refused", code=refused.code, column=refused.column)

    def _entry(self, student: Student) -> Entry:
        return Entry(self._asked.school, *student[:4])

    def _edition(self, day: date) -> Policy | None:
        if day not in self._editions:
            self._editions[day] = edition_of(self._service.editions, day)
        return self._editions[day]

    def _refused(self, student: Student) -> RowRefused | None:
        """Why somebody new would be refused; all of a kind who come on one day are alike."""
        edition = self._edition(student.registered_on)
        if edition is None:
            return RowRefused("registered_on", "no_edition")
        alike = student.category, student.document, student.registered_on
        if alike not in self._refused_new:
            nobody = EnrollmentId("nobody-yet", edition.year)
            command = self._register(student, nobody.ref, edition)
            self._refused_new[alike] = self._service.judge(nobody, command)
        refused = self._refused_new[alike]
        if isinstance(refused, BadValue):  # of what is asked for all of them
            raise refused
        return None if refused is None else RowRefused("", refused.code)

    def _of_new(self, row: Judged, new: Drawn) -> _Plan:
        edition = self._edition(row.found.registered_on)
        assert edition is not None
        whose = EnrollmentId(new.ref, edition.year)
        commands = [self._register(row.found, new.ref, edition), self._declare(new.ref)]
        return _Plan(row.row, "registered", whose, commands, new=new)

    def _of_known(self, row: Judged, who: Known) -> _Plan:
        student: Student = row.found
        edition = self._edition(student.registered_on)
        years = self._service.enrollments(who.ref)
        year = edition.year if edition else 0
        if year not in years and years:
            year = years[-1]
        whose = EnrollmentId(who.ref, year)
        events = self._service.facts(whose) if years else []
        facts = fold(events).counting
        if facts.registration is None:
            if edition is None:
                return _Plan(row.row, "refused", code="no_edition", column="registered_on")
            whose = EnrollmentId(who.ref, edition.year)
            commands = [
                self._register(student, who.ref, edition, events),
                self._declare(who.ref, events),
            ]
            return _Plan(row.row, "registered", whose, commands)
        changes = tuple(_changes(student, self._asked.school, who.entry, facts))
        asked: list[Command] = []
        replaced: Known | None = None
        if self._asked.correct and changes:
            now = {each.column: each.now for each in changes if each.column in _OF_THE_FACT}
            if now:
                asked.append(self._correct(who.ref, facts, now, events))
            replaced = Known(who.ref, self._entry(student))
        is_here = facts.latest_school == self._asked.school
        is_declared = any(
            facts.school_at(each.moment) == facts.latest_school for each in facts.rosters
        )
        if is_here and not is_declared:
            asked.append(self._declare(who.ref, events))
        verdict: Verdict = "changed" if changes else "declared" if asked else "known"
        return _Plan(row.row, verdict, whose, asked, changes=changes, replaced=replaced)

    def _register(
        self, student: Student, ref: str, edition: Policy, events: Sequence[Event] = ()
    ) -> Register:
        values: dict[str, Any] = {
            "ref": ref,
            "policy": edition.edition,
            "on": student.registered_on,
            "school": self._asked.school,
            "category": student.category,
            "document": student.document,
        }
        return Register(**values, **self._how(ref, "register", values, events))

    def _declare(self, ref: str, events: Sequence[Event] = ()) -> DeclareRoster:
        values = {"school": self._asked.school}  # of her is declared what the school declares
        return DeclareRoster(**self._how(ref, "declare_roster", values, events))

    def _correct(
        self, ref: str, facts: Facts, changes: dict[str, Any], events: Sequence[Event]
    ) -> Correct:
        assert facts.registration is not None
        fact_id = facts.registration.event.event_id
        changes = {_OF_THE_FACT[column]: value for column, value in changes.items()}
        how = self._how(ref, "correct", {**changes, "fact_id": fact_id}, events)
        return Correct(fact_id=fact_id, changes=changes, reason=self._asked.reason, **how)

    def _how(
        self, ref: str, name: str, values: dict[str, Any], events: Sequence[Event]
    ) -> dict[str, Any]:
        """When it happened, by whom, and under which id: the same for the same content.

        What was asked before and has been taken back since is asked anew, and not repeated.
        """
        how: dict[str, Any] = {"at": self._asked.at, "by": self._asked.by}
        if self._directory is not None:
            told = json.dumps({**values, "at": self._asked.at}, sort_keys=True, default=str)
            command_id = f"office-{self._directory.keyed(ref, name, told)}"
            is_used = any(event.command_id == command_id for event in events)
            how["command_id"] = f"{command_id}-{len(events)}" if is_used else command_id
        return how

    def _record(
        self, plans: Sequence[_Plan], entries: Importing | None, dry_run: bool
    ) -> list[RowVerdict]:
        if entries is not None:
            entries.add([plan.new for plan in plans if plan.new])
        asked = [
            (plan.enrollment, plan.commands) for plan in plans if plan.enrollment and plan.commands
        ]
        replies = iter(self._service.record_each(asked, batch=max(len(asked), 1), dry_run=dry_run))
        ended = [_ended(plan, next(replies) if plan.commands else ()) for plan in plans]
        if entries is not None:
            gone = [plan.new.ref for plan in ended if plan.new and plan.verdict == "refused"]
            entries.remove(gone)
            entries.keep({plan.new.ref for plan in ended if plan.new} - {*gone})
            entries.replace([plan.replaced for plan in ended if plan.replaced])
        return [
            RowVerdict(
                plan.row,
                plan.verdict,
                plan.code,
                plan.column or None,
                tuple(self._twice.get(plan.row, ())),
                plan.changes,
            )
            for plan in ended
        ]


def _ended(plan: _Plan, reply: Any) -> _Plan:
    """The plan of a row as it went: what is refused keeps nothing of it."""
    if isinstance(reply, tuple):
        return plan
    code = "unreadable_event" if not hasattr(reply, "code") else reply.code
    return plan._replace(verdict="refused", code=code, column=None, changes=(), replaced=None)


#: What of a row stands in the fact of the registration, and its name there.
_OF_THE_FACT: Final = {"category": "category", "document": "document", "registered_on": "on"}


def _changes(student: Student, school: str, entry: Entry, facts: Facts) -> Iterator[Change]:
    """What a row says otherwise than is known; of names and numbers only that they differ."""
    assert facts.registration is not None
    known = facts.registration.event
    if student.name != entry.name:
        yield Change("name")
    if student.document_number != entry.document_number:
        yield Change("document_number")
    if facts.latest_school != school:
        yield Change("school", facts.latest_school, school)
    for column, before, now in (
        ("document", known.document, student.document),
        ("category", known.category, student.category),
        ("registered_on", known.on.isoformat(), student.registered_on.isoformat()),
    ):
        if before != now:
            yield Change(column, str(before), now)
