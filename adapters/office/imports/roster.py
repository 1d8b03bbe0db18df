"""A roster recorded: who is new is registered and declared, of who is known what is lacking.

New people get a reference and an entry of the directory first, noted as unsettled; then the facts
are recorded, and the entries are kept. Whatever ends it in between, the next import finds an entry
with facts, or removes one without: repeated, it ends as if it had run once.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any, Final

from yibao.adapters.office.directory import Directory, Entry, Person, draw
from yibao.adapters.office.imports.editions import edition_of, own_words
from yibao.adapters.office.imports.rows import Asked, Plan, Rows, import_rows
from yibao.adapters.office.imports.verdicts import Change, Imported, Verdict
from yibao.adapters.office.judging import Judged, RowRefused, Student, columns_with, judged
from yibao.adapters.office.reading import Table
from yibao.adapters.service import Service
from yibao.adapters.telemetry import Watch
from yibao.domain.editions import Policy
from yibao.domain.facts import Facts, fold
from yibao.domain.facts.commands import Command, Correct, DeclareRoster, Register
from yibao.domain.facts.events import Event
from yibao.domain.refusals import BadValue, Refused
from yibao.domain.vocabulary import Category, Document, EnrollmentId


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
    own = own_words(service.editions)
    columns = columns_with(own) if own else None
    rows = [judged(table, row, columns) for row in table.rows]
    return import_rows(_Roster("roster", service, directory, asked, rows), table, watch)


class _Roster(Rows):
    """The rows of a roster, and what they are recorded in."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self._editions: dict[date, Policy | None] = {}
        self._refused_new: dict[tuple[str, str, date], Refused | None] = {}

    def _planned(self, rows: Sequence[Judged]) -> list[Plan]:
        known_of = self._known(rows)
        students = [row for row in rows if row.row in known_of]
        news = draw(
            self._entry(row.found)
            for row in students
            if known_of[row.row] is None and self._refused(row.found) is None
        )
        recorded = self._service.facts_of(who.ref for who in known_of.values() if who)
        drawn = iter(news)
        plans: list[Plan] = []
        for row in rows:
            if row.row not in known_of:
                plans.append(self._not_counting(row))
            elif who := known_of[row.row]:
                plans.append(self._of_known(row, who, recorded[who.ref]))
            elif refused := self._refused(row.found):
                plans.append(Plan(row.row, "refused", code=refused.code, column=refused.column))
            else:
                plans.append(self._of_new(row, next(drawn)))
        return plans

    def _entry(self, student: Student) -> Entry:
        return Entry(self.asked.school, *student[:4])

    def _edition(self, day: date) -> Policy | None:
        if day not in self._editions:
            self._editions[day] = edition_of(self._service.editions, day)
        return self._editions[day]

    def _refused(self, student: Student) -> RowRefused | None:
        """Why somebody new would be refused; all of a kind who come on one day are alike."""
        edition = self._edition(student.registered_on)
        if edition is None:
            return RowRefused("registered_on", "no_edition")
        for column, kind in (("category", Category), ("document", Document)):
            code = getattr(student, column)
            if code not in edition.words and code not in [*kind]:
                return RowRefused(column, f"unknown_{column}")  # a word of another edition's
        alike = student.category, student.document, student.registered_on
        if alike not in self._refused_new:
            nobody = EnrollmentId("nobody-yet", edition.year)
            command = self._register(student, nobody.ref, edition)
            self._refused_new[alike] = self._service.judge(nobody, command)
        refused = self._refused_new[alike]
        if isinstance(refused, BadValue):  # of what is asked for all of them
            raise refused
        return None if refused is None else RowRefused("", refused.code)

    def _of_new(self, row: Judged, new: Person) -> Plan:
        edition = self._edition(row.found.registered_on)
        assert edition is not None
        whose = EnrollmentId(new.ref, edition.year)
        commands = [self._register(row.found, new.ref, edition), self._declare(new.ref)]
        return Plan(row.row, "registered", whose, commands, new=new)

    def _of_known(self, row: Judged, who: Person, recorded: Mapping[int, Sequence[Event]]) -> Plan:
        student: Student = row.found
        edition = self._edition(student.registered_on)
        year = edition.year if edition else 0
        if year not in recorded and recorded:
            year = max(recorded)
        whose = EnrollmentId(who.ref, year)
        events = recorded.get(year, ())
        facts = fold(events).counting
        if facts.registration is None:
            if edition is None:
                return Plan(row.row, "refused", code="no_edition", column="registered_on")
            whose = EnrollmentId(who.ref, edition.year)
            commands = [
                self._register(student, who.ref, edition, events),
                self._declare(who.ref, events),
            ]
            return Plan(row.row, "registered", whose, commands)
        changes = tuple(_changes(student, self.asked.school, who.entry, facts))
        asked: list[Command] = []
        replaced: Person | None = None
        if self.asked.correct and changes:
            now = {each.column: each.now for each in changes if each.column in _OF_THE_FACT}
            if now:
                asked.append(self._correct(who.ref, facts, now, events))
            replaced = Person(who.ref, self._entry(student))
        is_here = facts.latest_school == self.asked.school
        is_declared = any(
            facts.school_at(each.moment) == facts.latest_school for each in facts.rosters
        )
        if is_here and not is_declared:
            asked.append(self._declare(who.ref, events))
        verdict: Verdict = "changed" if changes else "declared" if asked else "known"
        return Plan(row.row, verdict, whose, asked, changes=changes, replaced=replaced)

    def _register(
        self, student: Student, ref: str, edition: Policy, events: Sequence[Event] = ()
    ) -> Register:
        values: dict[str, Any] = {
            "ref": ref,
            "policy": edition.edition,
            "on": student.registered_on,
            "school": self.asked.school,
            "category": student.category,
            "document": student.document,
        }
        return Register(**values, **self._how(ref, "register", values, events))

    def _declare(self, ref: str, events: Sequence[Event] = ()) -> DeclareRoster:
        values = {"school": self.asked.school}  # of her is declared what the school declares
        return DeclareRoster(**self._how(ref, "declare_roster", values, events))

    def _correct(
        self, ref: str, facts: Facts, changes: dict[str, Any], events: Sequence[Event]
    ) -> Correct:
        assert facts.registration is not None
        fact_id = facts.registration.event.event_id
        changes = {_OF_THE_FACT[column]: value for column, value in changes.items()}
        how = self._how(ref, "correct", {**changes, "fact_id": fact_id}, events)
        return Correct(fact_id=fact_id, changes=changes, reason=self.asked.reason, **how)


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
