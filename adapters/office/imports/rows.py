"""The rows of a table, whatever they tell: planned, recorded and told, so many at a time."""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from datetime import datetime
from functools import cached_property
from typing import Any, Final, NamedTuple

from pydantic import TypeAdapter, ValidationError

from yibao.adapters.office.directory import Directory, Importing, Person, WaitingProxy
from yibao.adapters.office.imports.verdicts import FINE, Change, Imported, RowVerdict, Verdict
from yibao.adapters.office.judging import (
    Judged,
    RowRefused,
    Student,
    is_county_unknown,
    told_twice,
    usual_length,
)
from yibao.adapters.office.reading import Table, Warned
from yibao.adapters.service import Service
from yibao.adapters.store import not_collecting
from yibao.adapters.telemetry import Watch
from yibao.domain.facts.commands import Command
from yibao.domain.facts.events import Event
from yibao.domain.refusals import BadValue, reason
from yibao.domain.vocabulary import EnrollmentId, GivenKey, GivenName, GivenReason

#: How many rows share a transaction.
BATCH: Final = 500


class Asked(NamedTuple):
    """How a table is to be recorded.

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


class Plan(NamedTuple):
    """What is to be recorded of a row, and what is told where nothing of that is refused.

    `at` is the column in which the row says itself when it happened. Of people there are `new`
    entries of the directory and `replaced` ones; a proxy that `waits` is kept there, and one that
    has `ended`, by the reference of whoever gave it, no longer.
    """

    row: int
    verdict: Verdict
    enrollment: EnrollmentId | None = None
    commands: Sequence[Command] = ()
    code: str | None = None
    column: str | None = None
    changes: tuple[Change, ...] = ()
    new: Person | None = None
    replaced: Person | None = None
    at: str | None = None
    waits: WaitingProxy | None = None
    ended: str | None = None


class Rows:
    """The rows of a table, and what they are recorded in; a kind of table says what they plan."""

    def __init__(
        self,
        kind: str,
        service: Service,
        directory: Directory | None,
        asked: Asked,
        rows: Sequence[Judged],
    ) -> None:
        """Raises BadValue for a school, an actor or a reason that can never be right."""
        _check(asked)
        self.kind = kind
        self.asked = asked
        self.rows = rows
        self._service = service
        self._directory = directory

    @cached_property
    def _twice(self) -> dict[int, list[int]]:
        return told_twice(self.rows)

    @cached_property
    def _first(self) -> set[int]:
        """The rows whose number other rows have that say the same, and do not count."""
        return {min(others) for row, others in self._twice.items()} - self._twice.keys()

    def recorded(
        self, entries: Importing | None, *, dry_run: bool, batch: int, watch: Watch | None
    ) -> list[RowVerdict]:
        """A verdict for each row, recorded so many rows at a time."""
        found: list[RowVerdict] = []
        for begin in range(0, len(self.rows), batch):
            # What a batch makes it lets go of, though it looks like growth beside the whole table.
            with not_collecting() if batch <= BATCH else nullcontext():
                plans = self._planned(self.rows[begin : begin + batch])
                found += self._record(plans, entries, dry_run)
            if watch is not None:
                watch(len(found), len(self.rows))
        return found

    def writing(self) -> AbstractContextManager[Importing | None]:
        """A turn to write into the directory; none in a dry run. Raises StoreError."""
        if self.asked.dry_run:
            return nullcontext()
        assert self._directory is not None
        return self._directory.importing(lambda ref: bool(self._service.enrollments(ref)))

    def _planned(self, rows: Sequence[Judged]) -> list[Plan]:
        """What is to be recorded of some rows, in their order."""
        raise NotImplementedError

    def _known(self, rows: Sequence[Judged]) -> dict[int, Person | None]:
        """Who each row that counts is about, by its number; None where nobody is known."""
        counting = [row for row in rows if not self._is_left(row)]
        numbers = [(self.asked.school, row.found.number) for row in counting]
        known = self._directory.known(numbers) if self._directory else [None] * len(counting)
        return {row.row: who for row, who in zip(counting, known, strict=True)}

    def _is_left(self, row: Judged) -> bool:
        """Whether nothing is asked of a row, since it cannot be right or does not count."""
        return isinstance(row.found, RowRefused) or row.row in self._twice

    def _not_counting(self, row: Judged) -> Plan:
        if row.row in self._twice:
            is_same = min(self._twice[row.row]) in self._first
            return Plan(row.row, "twice", code=None if is_same else "twice_differing")
        refused: RowRefused = row.found
        return Plan(row.row, "refused", code=refused.code, column=refused.column)

    def _how(
        self,
        ref: str,
        name: str,
        values: Mapping[str, Any],
        events: Sequence[Event],
        at: datetime | None = None,
    ) -> dict[str, Any]:
        """When it happened, by whom, and under which id: the same for the same content.

        What was asked before and has been taken back since is asked anew, and not repeated.
        """
        at = at or self.asked.at
        how: dict[str, Any] = {"at": at, "by": self.asked.by}
        if self._directory is not None:
            told = json.dumps({**values, "at": at}, sort_keys=True, default=str)
            command_id = f"office-{self._directory.keyed(ref, name, told)}"
            is_used = any(event.command_id == command_id for event in events)
            how["command_id"] = f"{command_id}-{len(events)}" if is_used else command_id
        return how

    def _record(
        self, plans: Sequence[Plan], entries: Importing | None, dry_run: bool
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
            entries.proxies_wait(self.asked.school, [each.waits for each in ended if each.waits])
            entries.proxies_ended([plan.ended for plan in ended if plan.ended])
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


def _ended(plan: Plan, reply: Any) -> Plan:
    """The plan of a row as it went: what is refused keeps nothing of it."""
    if isinstance(reply, tuple):
        return plan
    if plan.at and isinstance(reply, BadValue):
        return Plan(plan.row, "refused", code="in_the_future", column=plan.at)
    code = "unreadable_event" if not hasattr(reply, "code") else reply.code
    return Plan(plan.row, "refused", code=code, new=plan.new)


def import_rows(told: Rows, table: Table, watch: Watch | None = None) -> Imported:
    """Records what the rows of a table tell; a verdict for each row, in order."""
    asked, rows = told.asked, told.rows
    warnings = [*table.warnings, *_warned(rows)]
    if asked.all_or_nothing and not asked.dry_run:
        tried = told.recorded(None, dry_run=True, batch=BATCH, watch=None)
        may_be = {*FINE, *(["changed"] if asked.correct else [])}
        if not {row.verdict for row in tried} <= may_be:
            return Imported(True, tried, warnings, told.kind)
    batch = max(len(rows), 1) if asked.all_or_nothing else BATCH
    with told.writing() as entries:
        found = told.recorded(entries, dry_run=asked.dry_run, batch=batch, watch=watch)
    return Imported(asked.dry_run, found, warnings, told.kind)


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
