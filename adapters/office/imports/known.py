"""What a table tells of students who are known: recorded, known already, or told otherwise.

The bureau's checks, accounts that were seen built, proxies and premiums: of each the facts are
read, and what they lack is recorded. Nobody new gets an entry here, and nothing is guessed.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from functools import cached_property
from typing import Any, NamedTuple

from yibao.adapters.office.directory import Directory, WaitingProxy
from yibao.adapters.office.imports.enrollments import year_of_day, year_of_payment
from yibao.adapters.office.imports.rows import Asked, Plan, Rows, import_rows
from yibao.adapters.office.imports.verdicts import Change, Imported
from yibao.adapters.office.judging import Judged, Kind, Told, told_by
from yibao.adapters.office.reading import Table
from yibao.adapters.service import Service
from yibao.adapters.telemetry import Watch
from yibao.domain.calendar import in_shanghai
from yibao.domain.facts import Current, Facts, episodes, fold, is_proxy
from yibao.domain.facts.commands import Correct, RecordFact
from yibao.domain.facts.events import Confirmed, Event
from yibao.domain.money import Fen
from yibao.domain.refusals import BadValue
from yibao.domain.vocabulary import EnrollmentId


def import_known(
    service: Service,
    directory: Directory | None,
    kind: Kind,
    table: Table,
    asked: Asked,
    watch: Watch | None = None,
) -> Imported:
    """Records what a table of some kind tells of students; a verdict for each row, in order.

    `directory` and what is raised are those of `import_roster`. `registered` is what was recorded,
    and `declared` a proxy that waits to be entered.
    """
    rows = [told_by(kind, table, row) for row in table.rows]
    return import_rows(_Known(kind, service, directory, asked, rows), table, watch)


class _Enrolled(NamedTuple):
    """All that is recorded of somebody's enrollment in a benefit year."""

    whose: EnrollmentId
    events: Sequence[Event]
    facts: Facts


class _Known(Rows):
    """The rows of a table about students who are known."""

    def __init__(
        self,
        kind: Kind,
        service: Service,
        directory: Directory | None,
        asked: Asked,
        rows: Sequence[Judged],
    ) -> None:
        super().__init__(kind.name, service, directory, asked, rows)
        self._of = kind
        self._is_instant_unchecked = asked.at is not None

    @cached_property
    def _waiting(self) -> dict[str, date]:
        return dict(self._directory.waiting_proxies(self.asked.school)) if self._directory else {}

    def _planned(self, rows: Sequence[Judged]) -> list[Plan]:
        known_of = self._known(rows)
        recorded = self._service.facts_of(who.ref for who in known_of.values() if who)
        plans: list[Plan] = []
        for row in rows:
            if row.row not in known_of:
                plans.append(self._not_counting(row))
            elif who := known_of[row.row]:
                enrolled = _enrolled(who.ref, recorded[who.ref])
                plans.append(self._of_known(row.row, row.found, who.ref, enrolled))
            else:
                plans.append(Plan(row.row, "refused", code="nobody", column="number"))
        return plans

    def _of_known(self, row: int, told: Told, ref: str, enrolled: Mapping[int, _Enrolled]) -> Plan:
        year = self._year(told, enrolled)
        if year is None or year not in enrolled:
            column = "number" if told.year is None else "year"
            return Plan(row, "refused", code="no_enrollment", column=column)
        if self._of.waits and told.at is None:
            return self._waits(row, told.values[self._of.waits], enrolled[year])
        plan = self._of_fact(row, told, self._the_same(told, enrolled, year), enrolled[year])
        return plan._replace(ended=ref) if self._of.waits and ref in self._waiting else plan

    def _year(self, told: Told, enrolled: Mapping[int, _Enrolled]) -> int | None:
        facts = {year: each.facts for year, each in enrolled.items()}
        if self._of.is_of_payments:
            return year_of_payment(facts, self._service.editions, told.values["year"])
        if told.year is not None or len(facts) < 2:
            return told.year if told.year is not None else next(iter(facts), None)
        return year_of_day(facts, self._service.editions, self._day(told, enrolled))

    def _day(self, told: Told, enrolled: Mapping[int, _Enrolled]) -> date:
        """The day a row tells of, else that of the import."""
        if self._of.day in told.values and told.at is None:
            day: date = told.values[self._of.day]
            return day
        at = told.at or self.asked.at or self._service.at(enrolled[max(enrolled)].whose).at
        return in_shanghai(at).date()

    def _waits(self, row: int, day: date, enrolled: _Enrolled) -> Plan:
        """A proxy that nobody has entered yet: no fact, and nothing where she has confirmed."""
        ref = enrolled.whose.ref
        before = self._waiting.get(ref)
        if _is_confirmed(enrolled.facts):
            return Plan(row, "known", ended=ref if before else None)
        if before == day:
            return Plan(row, "known")
        waits = WaitingProxy(ref, day)
        if before is None:
            return Plan(row, "declared", waits=waits)
        changes = (Change(self._of.waits or "", before.isoformat(), day.isoformat()),)
        return Plan(row, "changed", changes=changes, waits=waits if self.asked.correct else None)

    def _of_fact(
        self,
        row: int,
        told: Told,
        the_same: Sequence[tuple[_Enrolled, Current[Any]]],
        enrolled: _Enrolled,
    ) -> Plan:
        """What a row says that happened, beside the facts that may be the same."""
        own_at = self._of.at if told.at else None
        if not the_same:
            command = self._command(told, enrolled)
            self._check_instant(enrolled, command)
            return Plan(row, "registered", enrolled.whose, [command], at=own_at)
        changes = [tuple(self._changes(told, fact)) for _, fact in the_same]
        if () in changes:
            return Plan(row, "known")
        enrolled, fact = the_same[-1]
        if not self.asked.correct:
            return Plan(row, "changed", changes=changes[-1])
        correction = self._correct(told, fact, {each.column for each in changes[-1]}, enrolled)
        self._check_instant(enrolled, correction)
        return Plan(row, "changed", enrolled.whose, [correction], changes=changes[-1], at=own_at)

    def _the_same(
        self, told: Told, enrolled: Mapping[int, _Enrolled], year: int
    ) -> list[tuple[_Enrolled, Current[Any]]]:
        """The current facts that may be what a row tells, the one that counts last."""
        if self._of.is_of_payments:  # told in the stream of either year
            paid = told.values["year"]
            return [
                (each, fact)
                for each in enrolled.values()
                if each.whose.year in (paid - 1, paid)
                for fact in each.facts.payments(paid)
            ]
        facts = enrolled[year].facts
        found: Sequence[Current[Any]] = {
            "results": facts.checks,
            "accounts": facts.accounts,
            "proxies": [fact for fact in facts.choices if _is_by_proxy(fact)],
        }[self.kind]
        here = [fact for fact in found if told.at is not None and fact.at == told.at]
        if not here and (self.kind != "results" or told.at is None):
            here = [*found[-1:]]
            if self.kind == "proxies" and not _is_confirmed(facts):  # she may come back
                here = []
        return [(enrolled[year], fact) for fact in here]

    def _changes(self, told: Told, fact: Current[Any]) -> Iterator[Change]:
        """What a row says otherwise than a fact does."""
        for column, name in self._of.values.items():
            before = getattr(fact.event, name)
            if column in told.values and (told.values[column] or None) != (before or None):
                yield Change(column, _text(before), _text(told.values[column]))
        if told.at is not None and told.at != fact.at:
            yield Change(self._of.at or "", _text(fact.at), _text(told.at))

    def _values(self, told: Told) -> dict[str, Any]:
        """The values of the command that a row gives."""
        given = {name: told.values.get(column) for column, name in self._of.values.items()}
        return {
            **self._of.fixed,
            **{name: value for name, value in given.items() if value is not None},
        }

    def _command(self, told: Told, enrolled: _Enrolled) -> RecordFact:
        values, kind = self._values(told), self._of.command
        how = self._how(enrolled.whose.ref, kind.name, values, enrolled.events, told.at)
        return kind(**values, **how)

    def _correct(
        self, told: Told, fact: Current[Any], columns: set[str], enrolled: _Enrolled
    ) -> Correct:
        changes = {
            name: _plain(told.values[column])
            for column, name in self._of.values.items()
            if column in columns
        }
        occurred_at = told.at if self._of.at in columns else None
        fact_id, ref = fact.event.event_id, enrolled.whose.ref
        content = {**changes, "fact_id": fact_id, "occurred_at": occurred_at}
        return Correct(
            fact_id=fact_id,
            changes=changes,
            occurred_at=occurred_at,
            reason=self.asked.reason,
            **self._how(ref, "correct", content, enrolled.events),
        )

    def _check_instant(self, enrolled: _Enrolled, command: RecordFact | Correct) -> None:
        """Raises BadValue where the instant of the import can never be right; asked once."""
        if self._is_instant_unchecked and command.at == self.asked.at:
            self._is_instant_unchecked = False
            refused = self._service.judge(enrolled.whose, command)
            if isinstance(refused, BadValue):
                raise refused


def _enrolled(ref: str, recorded: Mapping[int, Sequence[Event]]) -> dict[int, _Enrolled]:
    """The enrollments of somebody that have a registration, by their years."""
    found: dict[int, _Enrolled] = {}
    for year, events in recorded.items():
        facts = fold(events).counting
        if facts.registration is not None:
            found[year] = _Enrolled(EnrollmentId(ref, year), events, facts)
    return found


def _is_by_proxy(choice: Current[Any]) -> bool:
    return isinstance(choice.event, Confirmed) and is_proxy(choice)


def _is_confirmed(facts: Facts) -> bool:
    """Whether she has confirmed, and not chosen to keep another cover since."""
    found = episodes(facts.choices)
    return bool(found) and found[-1].opt_out is None


def _plain(value: Any) -> Any:
    """A value as a correction takes it: an amount as text."""
    return str(value) if isinstance(value, Fen) else value


def _text(value: Any) -> str | None:
    """A value as plain text; None where there is none."""
    if isinstance(value, datetime):
        return in_shanghai(value).isoformat()
    return None if value is None else str(value)
