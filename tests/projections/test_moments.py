"""When what is known of a student changed: nothing she is told depends on any other instant."""

from datetime import datetime, timedelta

from given import (
    REGISTERED,
    ROSTER,
    Given,
    Step,
    care,
    confirm,
    correct,
    fix_window,
    given,
    moved,
    together,
    void,
)
from hypothesis import given as forall
from hypothesis import strategies as st

from yibao.domain.facts import events
from yibao.projections.answer import answer
from yibao.projections.history import history
from yibao.projections.parts import PARTS
from yibao.projections.record import EditionRecord, Log, Record

from ..domain.lifecycle.test_laws import (
    ENROLLMENT,
    LEARNED,
    anything,
    edition,
    fixes,
    instants,
    often,
    said,
)


def told(student: Given) -> list[str]:
    return [f"{instant:%m-%d %H:%M}" for instant in student.everything.moments()]


def closing(at: str, **whose: str) -> Step:
    return fix_window(at, closes_on="2025-12-20", **whose)


def test_of_somebody_unknown_nothing_was_ever_known() -> None:
    assert told(given(closing("2025-09-01 10:00"))) == []


def test_what_is_recorded_of_her_and_of_her_care_is_a_moment_each() -> None:
    student = given(REGISTERED, ROSTER, confirm("2025-09-06 14:20"), care("2025-10-01"))
    assert told(student) == ["09-01 00:00", "09-02 17:00", "09-06 14:20", "10-01 12:00"]


def test_what_is_recorded_together_is_one_moment() -> None:
    student = given(REGISTERED, together("2025-09-10 10:00", ROSTER, confirm("2025-09-06 14:20")))
    assert told(student) == ["09-01 00:00", "09-10 10:00"]


def test_only_what_is_fixed_for_her_is_a_moment() -> None:
    student = given(
        closing("2025-08-20 10:00"),
        REGISTERED,
        closing("2025-09-03 10:00"),
        closing("2025-09-04 10:00", school="ecnu"),
        closing("2025-09-05 10:00", school="sjtu"),
        closing("2025-09-06 10:00", category="postgraduate"),
        closing("2025-09-07 10:00", category="undergraduate"),
    )
    assert told(student) == ["09-01 00:00", "09-03 10:00", "09-05 10:00", "09-07 10:00"]


def test_what_is_fixed_for_a_school_concerns_her_from_when_she_is_there() -> None:
    student = given(
        REGISTERED,
        closing("2025-09-03 10:00", school="ecnu"),
        moved("2025-09-04 10:00", "ecnu"),
        void("2025-09-05 10:00", "window-fixed"),
    )
    assert told(student) == ["09-01 00:00", "09-04 10:00", "09-05 10:00"]


def test_a_window_given_to_another_school_is_taken_from_hers() -> None:
    student = given(
        REGISTERED,
        closing("2025-09-03 10:00", school="sjtu"),
        correct("2025-09-04 10:00", "window-fixed", school="ecnu"),
        correct("2025-09-05 10:00", "window-fixed", school="fudan"),
    )
    assert told(student) == ["09-01 00:00", "09-03 10:00", "09-04 10:00"]


def record_of(recorded: list[events.Event], fixed: list[events.Event]) -> Record:
    # Windows are fixed in between.
    between = [
        event.model_copy(update={"recorded_at": event.recorded_at + timedelta(seconds=20)})
        for event in fixed
    ]
    return Record(
        ENROLLMENT,
        Log(recorded),
        edition_of=lambda _: EditionRecord(edition(), Log(between)),
        now=LEARNED + timedelta(days=1),
    )


@often
@forall(anything(), fixes(), instants, st.integers(0, 60 * 12))
def test_as_known_between_two_moments_everything_is_as_at_the_first(
    recorded: list[events.Event], fixed: list[events.Event], at: datetime, seconds: int
) -> None:
    record = record_of(recorded, fixed)
    known_at = LEARNED + timedelta(seconds=seconds)
    found = record.moments()
    assert list(found) == sorted(set(found))
    before = [moment for moment in found if moment <= known_at]
    then = answer(record, at, before[-1] if before else 0)
    assert said(answer(record, at, known_at)) == said(then)


@often
@forall(anything(), fixes(), instants, st.sampled_from(sorted(PARTS)))
def test_no_answer_about_an_instant_begins_to_hold_between(
    recorded: list[events.Event], fixed: list[events.Event], at: datetime, name: str
) -> None:
    record = record_of(recorded, fixed)
    began = {held.known_from for held in history(record, name, record.latest, at)}
    assert began <= {None, *record.moments()}
