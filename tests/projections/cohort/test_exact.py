"""What the law gives over columns is, for everybody, what it gives for one alone."""

import os
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from random import Random
from typing import Any

from given import account, care, registered
from given import given as told_of
from given.cohort import LEARNED, anybody

from yibao.domain.calendar import read_instant
from yibao.domain.lifecycle import timeline
from yibao.domain.rules import as_of, values
from yibao.projections.answer import Answer, answered
from yibao.projections.cohort.filling import fill, filled
from yibao.projections.cohort.learned import Fixes, fixes_of
from yibao.projections.cohort.paths import Group, ask, unpacked
from yibao.projections.cohort.shapes import (
    EditionOf,
    Row,
    Shape,
    Words,
    editions_in,
    instant_of,
    known_of,
    numbered,
    packed,
    read,
    written,
)
from yibao.projections.cohort.spans import Span, spans
from yibao.projections.cohort.together import EVER, FOREVER, lines_of, marks_of
from yibao.projections.discrepancies import discrepancies
from yibao.projections.record import Knowledge, Record

#: So many students are compared in the suite; many more in `make torture`.
STUDENTS = 50_000 if "YIBAO_TORTURE" in os.environ else 1_000
#: So many are like one another.
ALIKE = 100

Known = tuple[Knowledge, Record]


def _values(knowledge: Knowledge, at: datetime) -> Any:
    return knowledge.case and values(as_of(knowledge.case, at), at)


def _timeline(knowledge: Knowledge, at: datetime) -> Any:
    return knowledge.case and timeline(as_of(knowledge.case, at))


def _spans(knowledge: Knowledge, at: datetime) -> Any:
    return spans(knowledge)


QUESTIONS: list[Callable[[Knowledge, datetime], Any]] = [_values, _timeline, _spans, answered]


def cohorts() -> Iterator[tuple[datetime, list[Known]]]:
    """Some students at a time who are like one another, as known by some instant."""
    for like in range(STUDENTS // ALIKE):
        random = Random(like)
        known_at = LEARNED - timedelta(days=100) + timedelta(minutes=random.randrange(4, 60))
        at = read_instant("2025-08-01 00:00") + timedelta(minutes=random.randrange(3 * 365 * 1440))
        found: list[Known] = []
        for n in range(ALIKE):
            record = random.choice(anybody(like * ALIKE + n, like))
            found.append((record.known_by(known_at), record))
        yield at, found


def editions_after(record: Record, shape: Shape, fixes: Fixes) -> EditionOf:
    """The editions as they were once windows were fixed so often."""
    times = dict(zip(editions_in(shape), fixes, strict=True))
    return lambda name: record.edition_of(name).after(times[name])


def line_of_each(group: Group, words: Words, edition_of: EditionOf) -> list[tuple[Span, ...]]:
    """The lines of a group as one by one has them."""
    found = lines_of(group, words, edition_of)
    told: list[tuple[Span, ...]] = [()] * group.numbers.shape[1]
    for row, begins, ends, number, until in zip(*map(list, found[:5]), strict=True):
        state, code = found.answers[number]
        told[row] += (
            Span(
                None if begins == EVER else instant_of(int(begins)),
                None if ends == FOREVER else instant_of(int(ends)),
                state,
                code,
                None if until == FOREVER else instant_of(int(until)),
            ),
        )
    return told


def codes(knowledge: Knowledge) -> tuple[Any, ...]:
    """School, category and what does not fit, once each."""
    case = knowledge.case
    if case is None:
        return None, None, ()
    found = sorted({each.code for each in discrepancies(case)})
    return case.facts.latest_school, case.facts.category, tuple(found)


def codes_of(group: Group, words: Words, edition_of: EditionOf) -> list[tuple[Any, ...]]:
    schools, categories, which, refusals = marks_of(group, words, edition_of)
    return [
        (words.words[school], words.words[category], refusals[number])
        for school, category, number in zip(schools, categories, which, strict=True)
    ]


def test_over_columns_everybody_is_told_what_is_told_of_one_alone() -> None:
    words, columns, apart = Words(), 0, 0
    for at, students in cohorts():
        groups: dict[tuple[Shape, Fixes], list[tuple[Knowledge, bytes]]] = {}
        for knowledge, record in students:
            found = numbered(knowledge, words)
            if found is None:
                apart += 1
                continue
            key = found[0], fixes_of(found[0], knowledge, record)
            groups.setdefault(key, []).append((knowledge, packed(found[1])))
        for (shape, fixes), rows in groups.items():
            edition_of = editions_after(students[0][1], shape, fixes)
            group = Group(read(written(shape)), unpacked([numbers for _, numbers in rows]))
            assert codes_of(group, words, edition_of) == [codes(known) for known, _ in rows]
            assert line_of_each(group, words, edition_of) == [spans(known) for known, _ in rows]
            for question in QUESTIONS:
                told: list[int] = []
                for along in ask(
                    [group], lambda known, of=question, at=at: of(known, at), words, edition_of
                ):
                    columns += len(along.rows) > 1
                    for row, place in zip(along.rows.tolist(), along.places.tolist(), strict=True):
                        told.append(row)
                        knowledge = rows[row][0]
                        asked = question(knowledge, at)
                        if isinstance(along.answer, Answer):
                            assert fill(along.answer, place, words, knowledge) == asked
                        else:
                            assert filled(along.answer, place, words, knowledge) == asked
                assert sorted(told) == list(range(len(rows)))
    assert columns > STUDENTS / 10
    assert apart < STUDENTS / 2


def test_numbers_alone_tell_of_somebody_what_her_facts_tell() -> None:
    words = Words()
    at = read_instant("2025-10-01 12:00")
    for seed in range(60):
        for record in anybody(seed):
            knowledge = record.known_by(LEARNED)
            found = numbered(knowledge, words)
            if found is None:
                continue
            shape, numbers = found
            kept = Words(words.written())
            assert kept.words == words.words
            edition_of = editions_after(record, shape, fixes_of(shape, knowledge, record))
            known = known_of(shape, Row(numbers, kept), edition_of)
            told = answered(known, at)
            assert fill(told, 0, kept, knowledge) == answered(knowledge, at)


def test_who_has_received_care_is_asked_apart() -> None:
    student = told_of(registered("2025-09-01"), care("2025-09-20"))
    assert numbered(student.everything.known_by(LEARNED), Words()) is None


def test_a_day_before_shanghai_kept_one_time_is_asked_apart() -> None:
    student = told_of(registered("2025-09-01"), account("2025-10-01 09:00", "1991-04-14"))
    assert numbered(student.everything.known_by(LEARNED), Words()) is None
