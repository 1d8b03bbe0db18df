"""What was known when: the prefix of a stream that a knowledge cut-off selects."""

from functools import partial

import pytest
from given import (
    Given,
    Step,
    care,
    checked,
    confirm,
    correct,
    edition,
    fix_window,
    given,
    moved,
    other_cover,
    registered,
    roster,
    together,
    void,
)
from striking import strikes

from yibao.domain.calendar import read_instant
from yibao.domain.facts.streams import edition_named
from yibao.domain.refusals import UnknownCutoff
from yibao.domain.vocabulary import Seen
from yibao.projections.record import EditionRecord, Knowledge, Log

#: Three pieces of care, each recorded on its day.
CARE = ("2025-11-03", "2025-11-10", "2025-11-17")
NOON = "2025-10-01 12:00"


@pytest.fixture
def student() -> Given:
    """Versions 1 and 2 at their own stamps, 3 and 4 in one transaction, 5 learned late."""
    return given(
        registered("2025-09-01", recorded="2025-09-01 09:00"),
        roster("2025-09-02 17:00", recorded="2025-09-02 18:00"),
        together(
            "2025-09-06 15:00",
            confirm("2025-09-06 14:20", recorded="2025-09-06 15:00"),
            checked("2025-09-06 14:50", recorded="2025-09-06 15:00"),
        ),
        other_cover("2025-09-01 09:00", "employee", recorded="2025-10-08 15:00"),
    )


@pytest.mark.parametrize(
    ("known_at", "version"),
    [
        ("2025-09-01 08:59", 0),
        ("2025-09-01 09:00", 1),
        ("2025-09-02 17:59", 1),
        ("2025-09-02 18:00", 2),
        ("2025-09-06 14:59", 2),
        ("2025-09-06 15:00", 4),
        ("2025-10-08 14:59", 4),
        ("2025-10-08 15:00", 5),
        ("2026-10-08 15:00", 5),
    ],
)
def test_a_cut_off_includes_the_instant_it_names(
    student: Given, known_at: str, version: int
) -> None:
    assert student.knowledge(read_instant(known_at)).version == version


@pytest.mark.parametrize("version", [0, 1, 2, 4, 5])
def test_a_version_knows_as_many_events(student: Given, version: int) -> None:
    assert student.knowledge(version).version == version


@pytest.mark.parametrize(
    ("version", "known_at"),
    [(1, "2025-09-01 09:00"), (2, "2025-09-02 18:00"), (5, "2025-10-08 15:00")],
)
def test_a_version_stands_for_the_stamp_of_its_event(
    student: Given, version: int, known_at: str
) -> None:
    assert student.knowledge(version).known_at == read_instant(known_at)


def test_version_0_knows_nothing(student: Given) -> None:
    assert student.knowledge(0) == Knowledge(student.enrollment, 0, None, 0, None)


def test_a_version_inside_a_transaction_is_an_error(student: Given) -> None:
    with pytest.raises(UnknownCutoff, match="inside a transaction"):
        student.knowledge(3)


@pytest.mark.parametrize("version", [-1, 6])
def test_a_version_the_stream_has_not_reached_is_an_error(student: Given, version: int) -> None:
    with pytest.raises(UnknownCutoff, match="not in the stream, which is at 5"):
        student.knowledge(version)


def test_before_the_registration_was_learned_no_edition_is_known(student: Given) -> None:
    assert student.knowledge(read_instant("2025-09-01 08:59")).case is None


def test_an_answer_is_as_it_was_known_then(student: Given) -> None:
    assert (student.account(NOON, "2025-10-08 14:59"), student.account(NOON)) == (
        "2025-09-06",
        "pending",
    )


def test_a_fact_counts_by_when_it_happened_once_it_is_known(student: Given) -> None:
    assert student.state(NOON, "2025-10-08 15:00") == "confirmed"


def test_a_fact_of_the_future_of_the_instant_asked_about_gives_values_all_the_same() -> None:
    told_early = given(registered("2025-09-01"), roster(), checked("2025-09-20 12:00", 1))
    assert told_early.waiting("2025-09-01 00:00") == "2025-09-01 to 2025-11-30"


def test_a_correction_changes_nothing_that_was_known_before(student: Given) -> None:
    before = student.answer(NOON, 2)
    student.and_(correct("2025-11-01 09:00", "registered", on="2025-09-10"))
    assert student.answer(NOON, 2) == before


def test_a_void_changes_nothing_that_was_known_before(student: Given) -> None:
    before = student.answer(NOON, 4)
    student.and_(void("2025-11-01 09:00", "confirmed"))
    assert student.answer(NOON, 4) == before


FIXED = fix_window("2025-09-20 09:00", closes_on="2025-11-20", recorded="2025-09-20 10:00")


@pytest.mark.parametrize(
    ("known_at", "version"), [("2025-09-20 09:59", 0), ("2025-09-20 10:00", 1)]
)
def test_window_fixes_recorded_up_to_the_cut_off_count(known_at: str, version: int) -> None:
    student = given(registered("2025-09-01"), FIXED)
    assert student.knowledge(read_instant(known_at)).edition_version == version


def test_a_version_knows_the_fixes_recorded_by_its_stamp_and_no_later_ones() -> None:
    student = given(
        registered("2025-09-01"), roster("2025-09-19 17:00"), FIXED, roster("2025-09-21 17:00")
    )
    assert [student.knowledge(version).edition_version for version in (2, 3)] == [0, 1]


def test_a_fix_of_a_later_day_is_not_known_before() -> None:
    student = given(registered("2025-09-01"), FIXED)
    asked = "2025-12-01 00:00"
    assert [student.state(asked, known) for known in ("2025-09-20 09:59", "2025-09-20 10:00")] == [
        "registered",
        "lapsed",
    ]


def test_without_a_registration_no_fix_is_known() -> None:
    assert given(FIXED).knowledge(read_instant(NOON)).edition_version == 0


def test_a_stream_that_holds_nothing_knows_nothing_at_any_instant() -> None:
    assert given().knowledge(read_instant(NOON)).case is None


def test_a_registration_taken_back_still_names_its_edition() -> None:
    student = given(registered("2025-09-01"), void("2025-09-02 09:00", "registered"))
    assert edition_named(student.recorded) == "shanghai-2025"


def test_a_stream_without_a_registration_names_no_edition(student: Given) -> None:
    assert edition_named(student.recorded[1:]) is None


def test_what_was_fixed_under_an_edition_is_gathered_once() -> None:
    fixed = given(fix_window("2025-09-03 09:00", closes_on="2025-12-20")).fixed
    held = EditionRecord(edition(), Log(fixed))
    assert held.fixes(len(fixed)) is held.fixes(len(fixed))
    assert not held.fixes(0)


def closing(at: str, **whose: str) -> Step:
    return fix_window(at, closes_on="2025-12-20", **whose)


def test_an_answer_tells_how_far_its_reader_has_seen() -> None:
    student = given(
        registered("2025-09-01"), roster(), confirm("2025-09-06 14:20"), checked("2025-09-06 14:50")
    )
    assert student.answer().seen == Seen(4, 0, 0, None)
    student.and_(care("2025-09-20"), closing("2025-10-01 09:00"))
    assert student.answer().seen == Seen(4, 1, 1)
    assert student.answer(known_at=2).seen == Seen(2, 0, 0)
    assert student.answer(known_at=0).seen == Seen(0, 0, 0)


@pytest.mark.parametrize(
    ("whose", "concerns"),
    [
        ({}, 1),
        ({"school": "sjtu"}, 1),
        ({"category": "undergraduate"}, 1),
        ({"school": "sjtu", "category": "undergraduate"}, 1),
        ({"school": "fudan"}, 0),
        ({"category": "postgraduate"}, 0),
        ({"school": "sjtu", "category": "postgraduate"}, 0),
        ({"school": "fudan", "category": "undergraduate"}, 0),
    ],
)
def test_only_what_is_fixed_for_her_is_seen(whose: dict[str, str], concerns: int) -> None:
    student = given(registered("2025-09-01"), closing("2025-09-03 09:00", **whose))
    assert student.answer().seen == Seen(1, 0, concerns)


def test_a_window_of_every_school_she_was_at_concerns_her() -> None:
    student = given(registered("2025-09-01"), closing("2025-09-03 09:00", school="fudan"))
    assert student.answer().seen == Seen(1, 0, 0)
    student.and_(moved("2025-09-04 09:00", "fudan"), closing("2025-09-05 09:00", school="sjtu"))
    assert student.answer().seen == Seen(2, 0, 2)


@pytest.mark.parametrize(("first", "later"), [("sjtu", "fudan"), ("fudan", "sjtu")])
def test_a_window_taken_from_her_or_given_to_her_is_seen(first: str, later: str) -> None:
    student = given(registered("2025-09-01"), closing("2025-09-03 09:00", school=first))
    before = student.answer().seen.window
    student.and_(correct("2025-09-04 09:00", "window-fixed", school=later))
    assert student.answer().seen.window == before + 1


def test_a_window_taken_back_is_seen_by_whom_it_was_for() -> None:
    for school, seen in (("sjtu", 2), ("fudan", 0)):
        student = given(
            registered("2025-09-01"),
            closing("2025-09-03 09:00", school=school),
            void("2025-09-04 09:00", "window-fixed"),
        )
        assert student.answer().seen == Seen(1, 0, seen)


def test_a_record_that_was_interrupted_while_it_was_asked_tells_the_same_afterwards(
    student: Given,
) -> None:
    world = student.and_(*(care(day) for day in CARE))
    first, second, third = (read_instant(f"{day} 12:00") for day in CARE)
    expected = world.everything.known_by(third).cares
    assert len(expected) == 3
    for strike in strikes():
        record = world.everything
        record.known_by(second)
        strike.during(partial(record.known_by, first))
        assert record.known_by(third).cares == expected
