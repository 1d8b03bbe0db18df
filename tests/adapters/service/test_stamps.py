"""What was answered stays what it was, wherever the clocks of those who record may stand."""

from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import yibao
from yibao.adapters.service.recording import Receipt
from yibao.adapters.service.service import Service
from yibao.adapters.shapes.answer import answer_json
from yibao.adapters.store.errors import AheadOfClock
from yibao.adapters.store.facts import open_store
from yibao.adapters.store.facts import store as stores
from yibao.adapters.store.urls import MEMORY
from yibao.domain.calendar import read_instant
from yibao.domain.facts.commands import Confirm, FixWindow
from yibao.domain.refusals import UnreadableEvent

from ..helpers.autumn import ADA, BO, CY, POLICY, Clock, fix, register, roster, visit
from ..helpers.stores import lasting, rows

NOON = read_instant("2025-12-10 12:00")
AT = read_instant("2025-12-25 12:00")
INSTANT = timedelta(microseconds=1)
HOUR = timedelta(hours=1)


@pytest.fixture
def clock() -> Clock:
    return Clock(NOON)


@pytest.fixture
def service(url: str, clock: Clock) -> Iterator[Service]:
    with yibao.open(url, clock=clock) as service:
        yield service


def confirm(service: Service, student: yibao.EnrollmentId = ADA) -> Receipt:
    return service.confirm(student, at="2025-09-20 10:00", channel="app", observed=True)


def told(service: Service, student: yibao.EnrollmentId, known_at: datetime | int) -> object:
    answer = service.at(student, AT, known_at=known_at)
    return answer_json(answer), answer.edition_version, answer.care_version


def test_a_window_fixed_when_the_clock_has_gone_back_moves_no_answer_that_was_given(
    service: Service, clock: Clock
) -> None:
    register(service)
    clock.now = NOON + 2 * HOUR
    roster(service)
    cutoffs = (1, 2, NOON, NOON + HOUR, NOON + 2 * HOUR)
    before = [told(service, ADA, cutoff) for cutoff in cutoffs]
    clock.now = NOON + HOUR / 2
    fixed = fix(service)
    assert fixed.recorded_at == NOON + 2 * HOUR + INSTANT
    assert [told(service, ADA, cutoff) for cutoff in cutoffs] == before
    assert told(service, ADA, fixed.recorded_at) != before[-1]


def test_a_correction_of_a_window_and_taking_it_back_move_none_either(
    service: Service, clock: Clock
) -> None:
    register(service)
    fixed = fix(service)
    clock.now = NOON + 2 * HOUR
    register(service, BO)
    before = [told(service, BO, 1), told(service, ADA, clock.now)]
    clock.now = NOON
    again = service.correct(
        POLICY,
        fixed.event_id,
        at="2025-09-04 10:00",
        reason="misread",
        changes={"closes_on": "2025-10-26"},
    )
    service.void(POLICY, again.event_id, at="2025-09-05 10:00", reason="misread")
    assert [told(service, BO, 1), told(service, ADA, NOON + 2 * HOUR)] == before


@pytest.mark.parametrize("record", [register, roster, visit], ids=["a new one", "hers", "her care"])
def test_whoever_stands_on_a_window_is_stamped_no_earlier(
    record: Callable[[Service, yibao.EnrollmentId], Receipt], service: Service, clock: Clock
) -> None:
    if record is not register:
        register(service)
        visit(service)
    clock.now = NOON + HOUR
    fixed = fix(service)
    clock.now = NOON
    assert record(service, ADA).recorded_at == fixed.recorded_at


def test_her_enrollment_and_her_care_are_stamped_in_one_order(
    service: Service, clock: Clock
) -> None:
    register(service)
    clock.now = NOON + HOUR
    visit(service)
    clock.now = NOON
    assert roster(service).recorded_at == NOON + HOUR
    clock.now = NOON + 2 * HOUR
    roster(service)
    clock.now = NOON
    assert visit(service).recorded_at == NOON + 2 * HOUR


def test_a_batch_with_a_window_in_it_comes_after_everything(service: Service, clock: Clock) -> None:
    register(service)
    register(service, BO)
    clock.now = NOON - HOUR
    replies = service.record_each(
        [
            (BO, Confirm(at=read_instant("2025-09-20 10:00"), channel="app", observed=True)),  # type: ignore[arg-type]
            (POLICY, FixWindow(at=read_instant("2025-09-03 10:00"), closes_on="2025-10-19")),  # type: ignore[arg-type]
        ]
    )
    stamps = [reply.recorded_at for reply in replies if isinstance(reply, Receipt)]
    assert stamps == [NOON + INSTANT] * 2


def test_one_student_far_ahead_leaves_no_room_for_a_window(service: Service, clock: Clock) -> None:
    register(service)
    clock.now = NOON + timedelta(days=2)
    roster(service)
    clock.now = NOON
    with pytest.raises(AheadOfClock):
        fix(service)
    assert register(service, BO).recorded_at == NOON


@lasting
def test_several_services_with_clocks_of_their_own_agree(url: str, clock: Clock) -> None:
    ahead, behind = Clock(NOON), Clock(NOON)
    ahead.now, behind.now = NOON + HOUR, NOON
    with yibao.open(url, clock=ahead) as one, yibao.open(url, clock=behind) as other:
        register(one)
        assert fix(other).recorded_at == NOON + HOUR + INSTANT
        ahead.now += HOUR
        roster(one)
        assert fix(other, "2025-10-20").recorded_at == NOON + 2 * HOUR + INSTANT
        assert fix(other, "2025-10-21").recorded_at == NOON + 2 * HOUR + 2 * INSTANT


def test_what_was_looked_through_before_is_not_looked_through_under_the_lock(
    url: str, clock: Clock, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stores, "LOOKED_THROUGH", 2)
    clock.now = NOON + HOUR
    for student in (ADA, BO):
        register(service, student)
    clock.now = NOON
    for number in range(3):
        register(service, yibao.EnrollmentId(f"s{number}", 2025))
    service._store.look_through()
    with service._store.transaction(everybody=True) as transaction:
        assert transaction.seen.position == 6
        assert transaction.last_stamp() == NOON + HOUR


@lasting
def test_a_store_that_was_put_back_is_looked_through_anew(url: str, clock: Clock) -> None:
    with yibao.open(url, clock=clock) as service:
        register(service)
        service._store.look_through()
        fact = "originator_version=1 AND topic='registered'"
        state = "replace(CAST(state AS TEXT), '2025-12-10T12', '2025-12-10T14')"
        if service._store.is_postgres:
            told = "convert_from(state, 'UTF8')"
            state = f"convert_to(replace({told}, '2025-12-10T12', '2025-12-10T14'), 'UTF8')"
        rows(url, f"UPDATE stored_events SET state={state} WHERE {fact}")
        assert fix(service).recorded_at == NOON + 2 * HOUR + INSTANT


@lasting
def test_a_stamp_that_cannot_be_read_is_told(url: str, clock: Clock) -> None:
    with yibao.open(url, clock=clock) as service:
        register(service)
        spoilt = b'{"recorded_at":"later"}'
        rows(url, "UPDATE stored_events SET state=? WHERE topic='registered'", spoilt)
        with pytest.raises(UnreadableEvent, match="at no instant"):
            fix(service)
        rows(url, "UPDATE stored_events SET state=? WHERE topic='registered'", b'"\\u00e9 \xff')
        assert fix(service).recorded_at == NOON + INSTANT


def test_a_store_without_a_fact_has_no_last_stamp(url: str) -> None:
    with closing(open_store(url)) as store:
        store.look_through()
        with store.transaction(everybody=True) as transaction:
            assert transaction.last_stamp() is None


STUDENTS = (ADA, BO)
DAYS = st.integers(1, 28).map(lambda day: f"2025-10-{day:02}")
STEPS = st.one_of(
    st.tuples(st.sampled_from([roster, confirm, visit]), st.sampled_from(STUDENTS)),
    st.tuples(st.just(fix), DAYS),
)
#: Minutes by which the clock is set on or back before each step.
SET = st.integers(-300, 300).map(lambda minutes: timedelta(minutes=minutes))
TOLD = st.lists(st.tuples(SET, STEPS), min_size=2, max_size=9)


@given(TOLD)
@settings(max_examples=60, deadline=None)
def test_no_answer_that_was_given_for_a_cut_off_ever_moves(
    steps: list[tuple[timedelta, tuple]],
) -> None:  # type: ignore[type-arg]
    holds_for_ever(MEMORY, steps)


@given(TOLD)
@settings(max_examples=15, deadline=None)
def test_nor_does_it_in_a_file(steps: list[tuple[timedelta, tuple]]) -> None:  # type: ignore[type-arg]
    with TemporaryDirectory() as folder:
        holds_for_ever(f"sqlite:///{Path(folder) / 'facts.db'}", steps)


def holds_for_ever(url: str, steps: list[tuple[timedelta, tuple]]) -> None:  # type: ignore[type-arg]
    """After each step every answer that was given before for a cut-off of its past is the same."""
    clock, given = Clock(NOON), dict[tuple[yibao.EnrollmentId, datetime | int], object]()
    of_care = any(record is visit for _, (record, _) in steps)
    with yibao.open(url, clock=clock, accept_stamps_until="2026-01-01 00:00") as service:
        for student in (*STUDENTS, CY):
            register(service, student)
        visit(service, CY)  # whose care adopts the benefits, which every answer's edition counts
        for on, (record, what) in steps:
            clock.now += on
            record(service, what)
            for cutoff, answer in past(service, of_care):
                assert given.setdefault(cutoff, answer) == answer
            assert {key: told(service, *key) for key in given} == given


def past(
    service: Service, of_care: bool
) -> Iterator[tuple[tuple[yibao.EnrollmentId, datetime | int], object]]:
    """What is answered for every cut-off that lies before the last stamp of a student's stream.

    And for each version, unless care, which has no versions, may come with the very same stamp.
    """
    stamps = {event.recorded_at for _, stream in service._store.streams() for event in stream}
    cutoffs = stamps | {stamp - INSTANT for stamp in stamps}
    for student in STUDENTS:
        facts = service.facts(student)
        last = facts[-1].recorded_at
        versions = [
            fact.originator_version for fact in facts if fact.recorded_at < last or not of_care
        ]
        for cutoff in (*versions, *(each for each in cutoffs if each < last)):
            yield (student, cutoff), told(service, student, cutoff)
