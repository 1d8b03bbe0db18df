"""The rows of the trail: one for each fact, each refused attempt and each count of such."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from functools import partial
from typing import Any, Final, NamedTuple

from yibao.adapters.following.derived import number_of
from yibao.adapters.following.trail.changes import packed, text_of
from yibao.adapters.following.trail.layout import (
    BITS,
    EVERYWHERE,
    OF_A_SCHOOL,
    OF_A_STUDENT,
    REFUSED,
)
from yibao.adapters.following.trail.store import TrailRow
from yibao.adapters.store import CountedAttempts
from yibao.domain.facts import KeptAttempt, Positioned
from yibao.domain.facts.events import Event
from yibao.domain.vocabulary import EnrollmentId
from yibao.projections.audit_trail import Effect, Entry, Recorded, fixes_a_window


class Listed(NamedTuple):
    """What a row tells of what a fact changed; `former_school` has a row of its own."""

    policy: str | None
    school: str | None
    former_school: str | None
    code: str | None
    moved: int
    changes: str


def listed(
    effect: Effect | Entry,
    code: str | None,
    supersedes: int | None,
    written: Callable[[Any], Any],
) -> Listed:
    """The same by an effect, the changes written in some way."""
    return Listed(
        effect.edition,
        effect.school,
        effect.former_school,
        code,
        sum(BITS[moved.name] for moved in effect.moved),
        written(packed(effect.moved, effect.steps, supersedes)),
    )


class Head(NamedTuple):
    """Of a row of a fact what does not depend on what it changed."""

    placed: tuple[Any, ...]
    told: tuple[str, str | None, str]
    correlation: str | None
    is_own: bool


def head_of(recorded: Recorded, enrollment: EnrollmentId) -> Head:
    """The same of something recorded that may have moved the answers of an enrollment."""
    (position, event), fact_year, is_own = recorded
    ref, year = enrollment
    is_elsewhere = year != fact_year
    return Head(
        (
            OF_A_STUDENT if not is_own and is_of_an_edition(event, ref, fact_year) else EVERYWHERE,
            number_of(event.recorded_at),
            position,
            0,
            year if is_elsewhere else 0,
            number_of(event.occurred_at),
            ref,
            year,
            fact_year if is_elsewhere else None,
        ),
        (event.by, event.via, event.name),
        event.correlation_id,
        is_own,
    )


#: A row of its values, without each being named: very many are made.
row_of: Final[Callable[[Iterable[Any]], TrailRow]] = partial(tuple.__new__, TrailRow)


def rows_at(head: Head, told: Listed) -> list[TrailRow]:
    """The rows of something recorded, if it is the enrollment's own or moved its answers."""
    placed, kind, correlation, is_own = head
    policy, school, former, code, moved, changes = told
    if not (is_own or moved):
        return []
    row = row_of((*placed, policy, school, *kind, code, correlation, moved, changes))
    if former is None or placed[0] == OF_A_STUDENT:
        return [row]
    return [row, row._replace(listing=OF_A_SCHOOL, school=former)]


def is_of_an_edition(event: Event, ref: str, year: int) -> bool:
    """Whether it is a window that was fixed, for many, and nothing of a student's year."""
    if not fixes_a_window(event):
        return False
    whose = EnrollmentId(ref, year)
    return event.originator_id not in (whose.stream, whose.care_stream)


def edition_row(recorded: Positioned, policy: str) -> TrailRow:
    """What was recorded of an edition."""
    return _row(recorded, EVERYWHERE)._replace(policy=policy)


def fix_rows(
    fix: Positioned,
    superseded: int | None,
    policy: str,
    effects: Iterable[tuple[str, str | None, int]],
) -> Iterator[TrailRow]:
    """A fixed window once for all, and once for each school whose students' answers it moved.

    Who was moved in several years is one student.
    """
    everybody: dict[str, int] = {}
    of_schools: dict[str | None, dict[str, int]] = {}
    for ref, school, moved in effects:
        for told in (everybody, of_schools.setdefault(school, {})):
            told[ref] = told.get(ref, 0) | moved
    masks = Counter(everybody.values())
    school = getattr(fix.event, "school", None)
    row = edition_row(fix, policy)._replace(school=school)
    yield row._replace(moved=_union(masks), changes=_effects(masks, superseded))
    for each, students in sorted(of_schools.items(), key=str):
        if each is not None and each != school:
            found = Counter(students.values())
            yield row._replace(
                listing=OF_A_SCHOOL,
                school=each,
                moved=_union(found),
                changes=_effects(found, superseded),
            )


def _union(masks: Iterable[int]) -> int:
    found = 0
    for mask in masks:
        found |= mask
    return found


def _effects(masks: Counter[int], superseded: int | None) -> str:
    """How many students' answers were moved, in all and for each part of the answer."""
    parts = {
        name: sum(count for mask, count in masks.items() if mask & bit)
        for name, bit in BITS.items()
    }
    told: dict[str, Any] = {
        "students": sum(masks.values()),
        "parts": {name: count for name, count in parts.items() if count},
    }
    return text_of(told if superseded is None else {**told, "supersedes": superseded})


def _row(recorded: Positioned, listing: int) -> TrailRow:
    event = recorded.event
    return TrailRow(
        listing=listing,
        recorded=number_of(event.recorded_at),
        position=recorded.position,
        attempt=0,
        elsewhere=0,
        occurred=number_of(event.occurred_at),
        ref=None,
        year=None,
        fact_year=None,
        policy=None,
        school=None,
        actor=event.by,
        via=event.via,
        kind=event.name,
        code=None,
        correlation=event.correlation_id,
        moved=0,
        changes=None,
    )


def attempt_row(kept: KeptAttempt) -> TrailRow:
    """A refused attempt."""
    attempt = kept.attempt
    return TrailRow(
        listing=EVERYWHERE,
        recorded=number_of(attempt.tried_at),
        position=kept.position,
        attempt=kept.attempt_id,
        elsewhere=0,
        occurred=number_of(attempt.occurred_at) if attempt.occurred_at else None,
        ref=attempt.ref,
        year=attempt.year,
        fact_year=None,
        policy=attempt.policy,
        school=attempt.school,
        actor=attempt.by,
        via=attempt.via,
        kind=REFUSED,
        code=attempt.code,
        correlation=attempt.correlation_id,
        moved=0,
        changes=None,
    )


def counted_row(counted: CountedAttempts) -> TrailRow:
    """How many more were refused in an hour; it stands at the hour's beginning."""
    told = {"command": counted.command, "attempts": counted.attempts}
    return TrailRow(
        listing=EVERYWHERE,
        recorded=number_of(datetime.fromisoformat(counted.hour)),
        position=0,
        attempt=-counted.number,
        elsewhere=0,
        occurred=None,
        ref=None,
        year=None,
        fact_year=None,
        policy=None,
        school=None,
        actor=counted.actor,
        via=None,
        kind=REFUSED,
        code=counted.code,
        correlation=None,
        moved=0,
        changes=text_of(told),
    )
