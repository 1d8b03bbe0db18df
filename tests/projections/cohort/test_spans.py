"""The line of all instants says at each of them what an answer for it says."""

from datetime import datetime, timedelta
from itertools import pairwise

from given import given as told_of
from given import registered
from given.cohort import LEARNED, anybody
from hypothesis import given as forall
from hypothesis import settings
from hypothesis import strategies as st

from yibao.domain.calendar import midnight, read_instant
from yibao.projections.answer import answered
from yibao.projections.cohort.spans import Span, spans
from yibao.projections.record import Knowledge, Record

TICK = timedelta.resolution


def said(line: tuple[Span, ...], at: datetime) -> tuple[object, str | None]:
    """What the line says of an instant."""
    for span in line:
        if span.ends_at is None or at < span.ends_at:
            return span.state, span.next_step
    raise AssertionError("the line goes on for ever")


def asked(record: Record, line: tuple[Span, ...]) -> set[datetime]:
    """Instants near whatever happened, is named or changes."""
    found = {read_instant("2020-01-01 00:00"), read_instant("2040-01-01 00:00")}
    for event in record.everything():
        found.add(event.occurred_at)
        if day := getattr(event, "on", None):
            found.add(midnight(day))
    found |= {span.begins_at for span in line if span.begins_at}
    near = {at + by for at in found for by in (-TICK, timedelta(0))}
    year = record.enrollment.year
    weeks = {datetime(year, 1, 1, tzinfo=LEARNED.tzinfo) + timedelta(9 * n) for n in range(55)}
    return near | weeks


def check(knowledge: Knowledge, instants: set[datetime]) -> None:
    line = spans(knowledge)
    assert line[0].begins_at is None
    assert line[-1].ends_at is None
    for span, following in pairwise(line):
        assert span.ends_at == following.begins_at
        assert span[2:] != following[2:]
    for at in instants:
        answer = answered(knowledge, at)
        step = answer.next_step
        assert said(line, at) == (answer.state, step and step.code), at


@forall(st.integers(0, 2**32), st.integers(0, 200), st.integers(0, 4 * 365 * 1440))
@settings(deadline=None, max_examples=100)
def test_it_says_what_an_answer_says(seed: int, minutes: int, later: int) -> None:
    for record in anybody(seed):
        knowledge = record.known_by(LEARNED - timedelta(days=100) + timedelta(minutes=minutes))
        instants = asked(record, spans(knowledge))
        check(knowledge, {*instants, read_instant("2025-01-01 00:00") + timedelta(minutes=later)})


def test_of_whom_nothing_is_known_nothing_is_said_at_any_instant() -> None:
    assert spans(told_of().everything.known_by(LEARNED)) == (Span(None, None, None, None),)


def test_who_is_registered_is_told_what_comes_next() -> None:
    line = spans(told_of(registered("2025-09-01")).everything.known_by(LEARNED))
    assert [(span.state, span.next_step) for span in line][:2] == [
        (None, "await_registration_day"),
        ("registered", "await_roster_declaration"),
    ]
