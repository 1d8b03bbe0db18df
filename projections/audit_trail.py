"""Who recorded what, when, and what did it change?

The trail has an entry for each fact, in the order in which the store took them. What a fact
changed is the difference between the answer without it and the answer with it, both for the
instant at which it was recorded. What it changed in the answers of another year of the student is
told among that year's entries (R33).
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from heapq import merge
from operator import attrgetter
from typing import Any, NamedTuple

from yibao.domain.facts import Positioned, events
from yibao.domain.lifecycle import Change
from yibao.domain.vocabulary import EnrollmentId
from yibao.projections.answer import Answer
from yibao.projections.discrepancies import Discrepancy
from yibao.projections.history import Asking
from yibao.projections.parts import PARTS
from yibao.projections.record import Knowledge, Log, Record, Whom


class Moved(NamedTuple):
    """One part of the answer that a fact changed, and the rule that gives what it is now."""

    name: str
    before: Any
    after: Any
    rule: str | None


class Outline(NamedTuple):
    """Of an answer what a fact may change: each part as it is compared, with the rule behind it."""

    edition: str | None
    school: str | None
    parts: tuple[tuple[Any, str | None], ...]
    timeline: tuple[Change, ...]


class Effect(NamedTuple):
    """What a fact changed, by the outlines without it and with it; see `Entry`."""

    edition: str | None
    school: str | None
    former_school: str | None
    moved: tuple[Moved, ...]
    steps: tuple[Change, ...]


class Entry(NamedTuple):
    """What one fact changed for one student.

    `supersedes` is the version of the fact whose place it takes. `edition` is the one the
    answers stand under. `school` is the student's as known with the fact, or else without it,
    `former_school` the one known without it, where that is another. `code` is that of the
    discrepancy the fact makes, if it does not fit; of care, why it is refused. `steps` are the
    changes of state that entered the timeline; those that lie after the recording are
    scheduled by the fact. `fact_year` is the year in which it was recorded, for a fixed window that
    of the edition: another one than that of the enrollment, whose answers it changed all the same.
    """

    enrollment: EnrollmentId
    recorded: Positioned
    supersedes: int | None
    edition: str | None
    school: str | None
    former_school: str | None
    code: str | None
    moved: tuple[Moved, ...]
    steps: tuple[Change, ...]
    fact_year: int

    def __repr__(self) -> str:
        event, whom = self.event, f"{self.enrollment.ref!r} in {self.enrollment.year}"
        return f"<Entry about {whom}: {event.name} by {event.by}, recorded {event.recorded_at}>"

    @property
    def event(self) -> events.Event:
        return self.recorded.event

    def is_scheduled(self, step: Change) -> bool:
        """Whether a step lies after the recording: time will bring it, if nothing is learned."""
        return step.at > self.event.recorded_at


class Recorded(NamedTuple):
    """An event that may have changed something for a student, of which year, and if it is hers."""

    recorded: Positioned
    year: int
    is_own: bool = False

    @property
    def position(self) -> int:
        return self.recorded.position


def entry_of(record: Record, fixed: Positioned, year: int) -> Entry:
    """What a window fixed under an edition of a year changed for this student."""
    return _entry(Asking(record), Recorded(fixed, year))


def _entry(ask: Asking, told: Recorded) -> Entry:
    record, recorded = ask.record, told.recorded
    at = recorded.event.recorded_at
    without = record.known_at(recorded.position - 1)
    before = ask(without, at)
    known = record.known_at(recorded.position)
    found = effect(outline(without, before), outline(known, ask(known, at)))
    return Entry(
        record.enrollment,
        recorded,
        record.version_superseded(recorded.event),
        found.edition,
        found.school,
        found.former_school,
        _code(recorded.event, known, ask(known, at)),
        found.moved,
        found.steps,
        told.year,
    )


def outline(known: Knowledge, answer: Answer) -> Outline:
    """What is compared of an answer, given by what is known."""
    parts = ((part.value(answer), part.rule_of(answer)) for part in PARTS.values())
    return Outline(answer.edition, school_known(known), tuple(parts), answer.timeline)


def effect(before: Outline, after: Outline) -> Effect:
    """What lies between the answer without a fact and the one with it, both for one instant."""
    school, former = after.school, before.school
    return Effect(
        after.edition,
        former if school is None else school,
        former if school is not None and former != school else None,
        tuple(_differences(before, after)),
        tuple(_fresh_steps(before.timeline, after.timeline)),
    )


def code_of(discrepancies: Iterable[Discrepancy], place: int) -> str | None:
    """The code of the year's own fact at a place, where it does not fit."""
    codes = (each.code for each in discrepancies if each.year is None and each.version == place)
    return next(codes, None)


def place_of(event: events.Event, known: Knowledge) -> int:
    """At which place an event stands among the year's own current facts; 0 where it is none."""
    facts = known.case.known if known.case else ()
    return next((fact.place for fact in facts if fact.event is event), 0)


def entries(
    record: Record,
    after: int = 0,
    until: int | None = None,
    fixed: Iterable[Recorded] = (),
) -> Iterator[Entry]:
    """The entries of one student's facts, in the order of recording, between two positions.

    That is of everything recorded of the year, and of what was of another and moved its answers;
    of windows that were `fixed` as well, if they are given.
    """
    return _entries(record, merge(_recorded(record), fixed, key=_position), after, until)


def entries_with_windows(record: Record) -> Iterator[Entry]:
    """The same for everything there is, with the windows fixed that moved the student's answers."""
    return entries(record, fixed=windows(record))


def _entries(
    record: Record, told: Iterable[Recorded], after: int = 0, until: int | None = None
) -> Iterator[Entry]:
    ask = Asking(record)
    for each in _felt(record, told, after, until):
        found = _entry(ask, each)
        if each.is_own or found.moved:
            yield found


def felt(record: Record, after: int, until: int) -> Iterator[Recorded]:
    """What `entries` are about: of what is not the year's own, whatever may have moved answers."""
    return _felt(record, _recorded(record), after, until)


def _felt(
    record: Record, told: Iterable[Recorded], after: int, until: int | None
) -> Iterator[Recorded]:
    for each in told:
        if each.position <= after or (until is not None and each.position > until):
            continue
        if each.is_own or _is_felt(record, each.position):
            yield each


def _is_felt(record: Record, position: int) -> bool:
    """Whether an event that is not of the year's own streams can have moved its answers."""
    return record.known_at(position - 1).case is not record.known_at(position).case


def _recorded(record: Record) -> Iterator[Recorded]:
    """What was recorded of the year, of those before and of the next; of the year alone the care.

    Care of another year moves no answer of this one.
    """
    year = record.enrollment.year
    if not (record.before or record.following or len(record.received)):
        return _of(year, record.enrolled, True)
    logs = [(year, record.enrolled), (year, record.received)]
    logs += [(before.enrollment.year, before.enrolled) for before in years_before(record)]
    logs += [(year + 1, record.following)] if record.following else []
    return merge(*(_of(of, log, of == year) for of, log in logs), key=_position)


def _of(year: int, log: Log, is_own: bool) -> Iterator[Recorded]:
    return (Recorded(recorded, year, is_own) for recorded in log.positioned())


def windows(record: Record) -> Iterator[Recorded]:
    """The windows fixed that may concern the student, in the order of recording.

    They are those of every edition of the year and of those before.
    """
    return iter(sorted(_windows(record), key=_position))


def _windows(record: Record) -> Iterator[Recorded]:
    for each in (record, *years_before(record)):
        told = each.enrolled.events
        schools = frozenset(event.school for event in told if isinstance(event, _AT_A_SCHOOL))
        categories = {event.category for event in told if isinstance(event, events.Registered)}
        for name in each.editions_by(len(told)):
            edition = each.edition_of(name)
            found = (edition.concerning(Whom(schools, category)) for category in categories)
            for number in {number for some in found for number in some}:
                fixed = Positioned(
                    edition.log.positions[number - 1], edition.log.events[number - 1]
                )
                yield Recorded(fixed, each.enrollment.year)


def years_before(record: Record) -> Iterator[Record]:
    """The records of the years before, the latest first."""
    before = record.before
    while before is not None:
        yield before
        before = before.before


def scheduled_by(trail: Iterable[Entry]) -> dict[Change, Entry]:
    """For each step that stands in the timeline at the end, the fact that put it there.

    The steps are as they came in; what became their cause since is in the answer's timeline.
    """
    standing: dict[tuple[datetime, Any], tuple[Change, Entry]] = {}
    for entry in trail:
        for moved in entry.moved:
            if moved.name == "timeline":
                kept = set(moved.after)
                standing = {key: found for key, found in standing.items() if key in kept}
        for step in entry.steps:
            standing[step.at, step.state] = step, entry
    return dict(standing[key] for key in sorted(standing))


def fixes_a_window(event: events.Event) -> bool:
    """Whether an event of an edition's stream fixes a window, or takes a fix back."""
    return isinstance(event, events.WindowFixed | events.Voided)


def school_known(known: Knowledge) -> str | None:
    """The school the student is at, by the latest fact known; None without a registration."""
    return known.case.facts.latest_school if known.case else None


def _code(event: events.Event, known: Knowledge, after: Answer) -> str | None:
    """Of a report that does not fit the guard's code, of refused care its reason."""
    care = after.care if isinstance(event, events.CareReceived) else ()
    for assessed in reversed(care):
        if assessed.care.fact.event.event_id == event.event_id:
            refused: str | None = assessed.refused
            return refused
    return code_of(after.discrepancies, place_of(event, known))


def _differences(before: Outline, after: Outline) -> Iterator[Moved]:
    for name, (was, _), (is_now, rule) in zip(PARTS, before.parts, after.parts, strict=True):
        if was != is_now:
            yield Moved(name, was, is_now, rule)


def _fresh_steps(before: Sequence[Change], after: Sequence[Change]) -> Iterator[Change]:
    there = {(change.at, change.state) for change in before}
    return (change for change in after if (change.at, change.state) not in there)


_position = attrgetter("position")
_AT_A_SCHOOL = (events.Registered, events.SchoolChanged)
