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
from yibao.projections.cohort.paths import Group, ask, packed, unpacked
from yibao.projections.cohort.shapes import Row, Shape, Words, known_of, numbered, read, written
from yibao.projections.cohort.spans import spans
from yibao.projections.record import Knowledge, Record

#: So many students are compared in the suite; many more in `make torture`.
STUDENTS = 50_000 if "YIBAO_TORTURE" in os.environ else 2_000
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


def test_over_columns_everybody_is_told_what_is_told_of_one_alone() -> None:
    words, columns, apart = Words(), 0, 0
    for at, students in cohorts():
        groups: dict[Shape, list[tuple[Knowledge, bytes]]] = {}
        for knowledge, _ in students:
            found = numbered(knowledge, words)
            if found is None:
                apart += 1
                continue
            groups.setdefault(found[0], []).append((knowledge, packed(found[1])))
        edition_of = students[0][1].edition_of
        for shape, rows in groups.items():
            group = Group(read(written(shape)), unpacked([numbers for _, numbers in rows]))
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
            known = known_of(shape, Row(numbers, kept), record.edition_of)
            told = answered(known, at)
            assert fill(told, 0, kept, knowledge) == answered(knowledge, at)


def test_who_has_received_care_is_asked_apart() -> None:
    student = told_of(registered("2025-09-01"), care("2025-09-20"))
    assert numbered(student.everything.known_by(LEARNED), Words()) is None


def test_a_day_before_shanghai_kept_one_time_is_asked_apart() -> None:
    student = told_of(registered("2025-09-01"), account("2025-10-01 09:00", "1991-04-14"))
    assert numbered(student.everything.known_by(LEARNED), Words()) is None
