"""What of several years was known when: every cut-off cuts the years beside as well."""

import pickle
from dataclasses import replace
from itertools import count

import pytest
from given import (
    SIGNED,
    Given,
    Step,
    checked,
    continuing,
    correct,
    fix_window,
    given,
    moved,
    other_cover,
    paid,
    registered,
    roster,
    stopped,
    together,
)
from over_years import record_of

from yibao.domain.calendar import read_instant
from yibao.domain.refusals import UnknownCutoff
from yibao.domain.vocabulary import Seen
from yibao.projections.answer import answer
from yibao.projections.comparison import compare
from yibao.projections.history import history
from yibao.projections.record import Log, Record

LATER = read_instant("2026-06-01 12:00")
#: Worked example 6, two lapsed years: waiting until 28 February 2026.
LONG = (*SIGNED, checked("2025-09-06 10:30", 2))
AGAIN = registered("2025-09-01", at="2025-11-15 09:00")
PAID = paid("2025-11-20 10:00", 2026)


def first(*steps: Step) -> Given:
    return given(*steps)


def second(*steps: Step) -> Given:
    return given(AGAIN, *steps, policy=continuing())


def third(*steps: Step) -> Given:
    again = registered("2025-09-01", at="2026-11-15 09:00")
    return given(again, *steps, policy=continuing(2027))


def after() -> Record:
    """A student of 2025 who has paid for 2026 as well."""
    return record_of(first(*LONG), second(PAID))


def seen(record: Record, known_at: str | int) -> Seen:
    cutoff = read_instant(known_at) if isinstance(known_at, str) else known_at
    return record.known_by(cutoff).seen


def told(record: Record) -> list[str]:
    return [f"{instant:%Y-%m-%d %H:%M}" for instant in record.moments()]


def test_of_a_student_of_one_year_no_year_before_is_seen() -> None:
    record = record_of(first(*LONG))
    assert (record.before, record.following) == (None, None)
    assert seen(record, "2026-01-01 00:00") == Seen(len(LONG), 0, 0, None)


def test_an_instant_cuts_the_year_before_as_well() -> None:
    record = record_of(first(*LONG, moved("2025-12-01 09:00", "fudan")), second(PAID))
    known = [
        seen(record, at) for at in ("2025-11-14 00:00", "2025-11-20 10:00", "2026-01-01 00:00")
    ]
    assert known == [
        Seen(0, 0, 0, Seen(4, 0, 0)),
        Seen(2, 0, 0, Seen(4, 0, 0)),
        Seen(2, 0, 0, Seen(5, 0, 0)),
    ]


def test_a_version_stands_for_the_stamp_of_its_event_in_the_year_before() -> None:
    late = checked("2025-09-06 10:30", 2, recorded="2025-11-18 09:00")
    record = record_of(first(*SIGNED, late), second(PAID))
    assert [seen(record, version).before for version in (0, 1, 2)] == [
        None,
        Seen(3, 0, 0),
        Seen(4, 0, 0),
    ]


def test_before_anything_of_an_earlier_year_was_known_there_is_none() -> None:
    found_out = [replace_stamps(first(*LONG), "2026-03-01 09:00"), second(PAID)]
    record = record_of(*found_out)
    assert seen(record, "2026-02-01 00:00") == Seen(2, 0, 0, None)
    assert seen(record, "2026-03-01 09:00") == Seen(2, 0, 0, Seen(4, 0, 0))
    before, after = (
        answer(record, LATER, read_instant(at)).values
        for at in ("2026-02-01 00:00", "2026-03-01 09:00")
    )
    assert before
    assert after
    assert (before.coverage.because, after.coverage.because) == ("check_missing", None)


def replace_stamps(student: Given, stamp: str) -> Given:
    """The same facts, learned all at a time."""
    at = read_instant(stamp)
    recorded = [event.model_copy(update={"recorded_at": at}) for event in student.recorded]
    return replace(student, recorded=recorded)


def test_a_window_fixed_under_the_edition_of_the_year_before_is_seen() -> None:
    fixed = fix_window("2025-11-01 09:00", closes_on="2025-11-30")
    elsewhere = fix_window("2025-11-02 09:00", closes_on="2025-11-30", school="ecnu")
    record = record_of(first(*LONG, fixed, elsewhere), second(PAID))
    assert seen(record, "2025-10-31 00:00").before == Seen(4, 0, 0)
    assert seen(record, "2026-01-01 00:00").before == Seen(4, 0, 1)


def test_a_year_in_between_without_facts_is_a_record_all_the_same() -> None:
    record = record_of(first(*LONG), third(paid("2026-11-20 10:00", 2027)))
    assert record.before
    assert record.before.before
    assert not len(record.before.enrolled)
    assert record.before.enrollment.year == 2026
    assert record.before.before.before is None
    assert seen(record, "2027-01-01 00:00").before == Seen(0, 0, 0, Seen(4, 0, 0))
    assert answer(record.before, LATER, LATER).policy is None


def test_a_year_in_between_hands_on_what_it_was_given() -> None:
    record = record_of(first(*LONG), third(paid("2026-11-20 10:00", 2027)))
    values = answer(record, LATER, read_instant("2027-01-01 00:00")).values
    assert values
    assert values.account_built_on.value == read_instant("2026-03-01 00:00").date()
    assert values.coverage.because == "check_missing"


def test_a_stop_told_in_the_next_year_counts_for_this_one() -> None:
    employed = first(*LONG, other_cover("2025-09-02 09:00", "employee"))
    again = second(stopped("2025-12-10 09:00", "2025-12-01"))
    record = record_of(employed, again, year=2025)
    values = [
        answer(record, LATER, read_instant(at)).values
        for at in ("2025-12-09 00:00", "2025-12-10 09:00")
    ]
    because = [found and found.account_built_on.because for found in values]
    assert because == ["stop_missing", None]
    assert told(record)[-1] == "2025-12-10 09:00"
    own = record_of(employed, again)
    assert answer(own, LATER, LATER).values


def test_only_what_tells_of_a_year_is_a_moment_of_the_year_before() -> None:
    again = second(moved("2025-12-10 09:00", "fudan"), PAID, checked("2026-01-02 10:00", 0))
    assert told(record_of(first(*LONG), again, year=2025)) == [
        "2025-09-01 00:00",
        "2025-09-02 17:00",
        "2025-09-06 10:00",
        "2025-09-06 10:30",
        "2025-11-15 09:00",
        "2025-12-10 09:00",  # when the payment was recorded
    ]


def test_what_the_next_year_tells_in_one_transaction_is_one_moment() -> None:
    again = second(together("2025-12-10 10:00", PAID, moved("2025-12-09 09:00", "fudan")))
    assert told(record_of(first(*LONG), again, year=2025))[-1] == "2025-12-10 10:00"


def test_moments_of_a_year_are_those_of_the_years_before_as_well() -> None:
    record = after()
    assert told(record) == [
        "2025-09-01 00:00",
        "2025-09-02 17:00",
        "2025-09-06 10:00",
        "2025-09-06 10:30",
        "2025-11-15 09:00",
        "2025-11-20 10:00",
    ]


def test_a_fact_of_the_year_before_ends_an_answer_of_this_one() -> None:
    corrected = correct("2026-02-01 09:00", "prior-coverage-verified", lapsed_years=1)
    record = record_of(first(*LONG, corrected), second(PAID))
    found = history(record, "coverage", LATER, LATER)
    assert found[-2].ended_by[0].name == "prior-coverage-verified"
    assert found[-2].ended_by[0].originator_id == record.before.enrollment.stream  # type: ignore[union-attr]
    between = compare(record, LATER, 2, LATER)
    assert [
        difference.moved_by for difference in between.differences if difference.name == "coverage"
    ] == [found[-2].ended_by]
    assert [event.name for event in between.facts_between] == ["prior-coverage-verified"]


def test_a_comparison_does_not_go_back_in_the_year_before() -> None:
    corrected = correct("2026-02-01 09:00", "prior-coverage-verified", lapsed_years=1)
    record = record_of(first(*LONG, corrected), second(PAID))
    with pytest.raises(UnknownCutoff, match="knows more"):
        compare(record, LATER, read_instant("2026-02-01 09:00"), 2)


def test_a_record_of_several_years_is_pickled_with_all_of_them() -> None:
    record = record_of(first(*LONG), second(PAID), third())
    middle = record.before
    assert middle
    back: Record = pickle.loads(pickle.dumps(middle))
    assert answer(back, LATER, LATER) == answer(middle, LATER, LATER)
    assert back.moments() == middle.moments()


def test_the_latest_of_a_record_is_not_before_a_stamp_of_any_year() -> None:
    late = first(*LONG, correct("2027-02-01 09:00", "prior-coverage-verified", lapsed_years=1))
    assert record_of(late, second(PAID)).latest == read_instant("2027-02-01 09:00")
    again = second(stopped("2027-03-01 09:00", "2026-02-01", observed=True))
    assert record_of(late, again, year=2025).latest == read_instant("2027-03-01 09:00")


def test_a_record_is_followed_by_what_is_recorded_of_another_year() -> None:
    earlier = first(*LONG)
    alone = record_of(first(), second(PAID))
    assert alone.before is None
    grown = alone.followed_by(earlier.recorded)
    assert grown.before
    assert grown.before.enrolled.events == earlier.recorded
    assert answer(grown, LATER, LATER).values == answer(after(), LATER, LATER).values


def test_a_fact_of_the_year_before_is_known_from_its_position_on() -> None:
    one, two = first(*LONG), second(PAID)
    position = count(1)
    logs = {
        year: (Log(made.recorded, [next(position) for _ in made.recorded]), Log(()))
        for year, made in ((2025, one), (2026, two))
    }
    policies = record_of(one, two).edition_of
    record = Record.of(two.enrollment, logs, policies)
    assert [record.known_at(n).seen for n in (0, 3, 4, 5, 6)] == [
        Seen(0, 0, 0),
        Seen(0, 0, 0, Seen(3, 0, 0)),
        Seen(0, 0, 0, Seen(4, 0, 0)),
        Seen(1, 0, 0, Seen(4, 0, 0)),
        Seen(2, 0, 0, Seen(4, 0, 0)),
    ]


def test_a_correction_in_the_year_before_is_found_by_what_it_supersedes() -> None:
    corrected = correct("2026-02-01 09:00", "prior-coverage-verified", lapsed_years=1)
    earlier = first(*LONG, corrected)
    record = record_of(earlier, second(PAID))
    assert record.version_superseded(earlier.recorded[-1]) == 4
    assert list(record.everything())[:5] == earlier.recorded


def test_facts_that_tell_nothing_of_the_year_before_leave_its_case_as_it_is() -> None:
    record = record_of(
        first(*LONG), second(moved("2025-12-10 09:00", "fudan"), roster("2025-12-11 09:00"))
    )
    cases = [record.known_by(version).case for version in (1, 2, 3)]
    before = {id(case.before) for case in cases if case}
    assert len(before) == 1
