"""What one stream holds: corrections, voids, and what it remembers of commands."""

from collections.abc import Callable
from functools import reduce
from typing import Any
from uuid import UUID

import pytest
from given import (
    Given,
    Step,
    account,
    checked,
    confirmed,
    correct,
    given,
    registered,
    roster,
    void,
)

from yibao.domain.calendar import read_instant
from yibao.domain.facts.counting import Facts
from yibao.domain.facts.events import EditionAdopted, Event
from yibao.domain.facts.streams import EMPTY, AnyFact, Stream, current_facts, evolve, fold

STORY = (
    registered("2025-09-01"),
    checked("2025-09-06 10:30"),
    account("2025-09-07 09:00", "2025-09-06"),
)


def stream(*steps: Step) -> Stream:
    return fold(given(*STORY, *steps).recorded)


def held(*steps: Step) -> list[tuple[str, int]]:
    return [(fact.event.name, fact.place) for fact in stream(*steps).facts]


REGISTERED, CHECKED, BUILT = ("registered", 1), ("prior-coverage-verified", 2), ("account-built", 3)


def test_a_stream_that_holds_nothing_is_at_version_0() -> None:
    assert (EMPTY.version, EMPTY.facts) == (0, ())


def test_a_stream_holds_its_facts_in_the_order_of_their_places() -> None:
    assert held() == [REGISTERED, CHECKED, BUILT]


def test_a_correction_takes_the_place_of_what_it_corrects() -> None:
    corrected = correct("2025-09-08 09:00", "prior-coverage-verified", lapsed_years=1)
    assert held(corrected) == [REGISTERED, CHECKED, BUILT]


def test_a_correction_replaces_the_values() -> None:
    found = stream(correct("2025-09-08 09:00", "prior-coverage-verified", lapsed_years=1)).facts[1]
    told = {"lapsed_years": 1, "waiting_ends_on": None, "years_repaid": None}
    assert found.event.payload() == told


def test_a_correction_happened_when_the_corrected_fact_did() -> None:
    found = stream(correct("2025-09-08 09:00", "prior-coverage-verified", lapsed_years=1)).facts[1]
    assert f"{found.at:%m-%d %H:%M}" == "09-06 10:30"


def test_a_correction_may_change_when_it_happened() -> None:
    found = stream(
        correct("2025-09-08 09:00", "prior-coverage-verified", occurred_at="2025-09-06 11:00")
    ).facts[1]
    assert f"{found.at:%m-%d %H:%M}" == "09-06 11:00"


def test_a_correction_can_itself_be_corrected() -> None:
    twice = [
        correct("2025-09-08 09:00", "prior-coverage-verified", lapsed_years=1),
        correct("2025-09-09 09:00", "prior-coverage-verified", lapsed_years=2),
    ]
    assert stream(*twice).facts[1].event.payload()["lapsed_years"] == 2


def test_a_void_takes_a_fact_back() -> None:
    assert held(void("2025-09-08 09:00", "prior-coverage-verified")) == [REGISTERED, BUILT]


def test_a_void_of_a_correction_leaves_neither() -> None:
    story = [
        correct("2025-09-08 09:00", "prior-coverage-verified", lapsed_years=1),
        void("2025-09-09 09:00", "prior-coverage-verified"),
    ]
    assert held(*story) == [REGISTERED, BUILT]


def test_whatever_was_recorded_stays_in_the_stream() -> None:
    assert stream(void("2025-09-08 09:00", "account-built")).version == 4


def test_a_stream_knows_its_last_stamp() -> None:
    found = stream(roster("2025-09-02 17:00", recorded="2025-09-30 09:00")).last_recorded_at
    assert found is not None
    assert f"{found:%m-%d %H:%M}" == "09-30 09:00"


ADOPTED = EditionAdopted(
    originator_version=1,
    event_id=UUID(int=100),
    occurred_at=read_instant("2025-08-01 09:00"),
    recorded_at=read_instant("2025-08-01 09:00"),
    by="tester",
    via="test",
    command_id="k1",
    command_digest="d1",
    policy="shanghai-2025",
    digest="d2",
)


def test_the_adoption_of_an_edition_is_in_its_stream_but_no_fact() -> None:
    found = fold([ADOPTED])
    assert (found.version, found.facts) == (1, ())


@pytest.mark.parametrize(
    "recorded",
    [
        [],
        [ADOPTED],
        [ADOPTED, *given(*STORY).recorded],
        given(*STORY, void("2025-09-08 09:00", "account-built")).recorded,
        [ADOPTED, *given(*STORY, void("2025-09-08 09:00", "account-built")).recorded],
    ],
    ids=["nothing", "adopted", "adopted and more", "voided", "adopted and voided"],
)
def test_the_fold_is_what_one_event_after_the_other_makes(recorded: list[Event]) -> None:
    assert fold(recorded) == reduce(evolve, recorded, EMPTY)


Reader = Callable[[list[Event]], tuple[AnyFact, ...]]
READERS: list[Reader] = [current_facts, lambda recorded: fold(recorded).facts]


def orphan(student: Given) -> Given:
    """The same student, but the corrected fact was taken out of the stream by other means."""
    student.recorded.pop(1)
    return student


@pytest.mark.parametrize(
    "steps",
    [
        (),
        (correct("2025-09-08 09:00", "prior-coverage-verified", lapsed_years=1),),
        (void("2025-09-08 09:00", "prior-coverage-verified"),),
        (
            correct("2025-09-08 09:00", "prior-coverage-verified", lapsed_years=1),
            void("2025-09-09 09:00", "prior-coverage-verified"),
        ),
        (void("2025-09-08 09:00", "registered"), registered("2025-09-02", "2025-09-09 09:00")),
    ],
    ids=["plain", "corrected", "voided", "corrected and voided", "registered again"],
)
def test_the_current_facts_alone_are_those_of_the_fold(steps: tuple[Step, ...]) -> None:
    recorded = given(*STORY, *steps).recorded
    assert current_facts(recorded) == fold(recorded).facts


@pytest.mark.parametrize("read", READERS, ids=["alone", "folded"])
def test_a_correction_of_what_is_not_there_changes_nothing(read: Reader) -> None:
    student = orphan(
        given(*STORY, correct("2025-09-08 09:00", "prior-coverage-verified", lapsed_years=1))
    )
    assert [fact.event.name for fact in read(student.recorded)] == ["registered", "account-built"]


@pytest.mark.parametrize("read", READERS, ids=["alone", "folded"])
def test_a_void_of_what_is_not_there_changes_nothing(read: Reader) -> None:
    student = orphan(given(*STORY, void("2025-09-08 09:00", "prior-coverage-verified")))
    assert [fact.event.name for fact in read(student.recorded)] == ["registered", "account-built"]


def test_after_a_void_of_the_registration_there_is_no_enrollment() -> None:
    student = given(*STORY, void("2025-09-08 09:00", "registered"))
    assert (student.state(), student.states()) == ("none", [])


def test_after_a_void_of_the_registration_later_facts_stand() -> None:
    assert held(void("2025-09-08 09:00", "registered")) == [CHECKED, BUILT]


def test_registered_again_the_facts_between_count() -> None:
    student = given(
        *STORY,
        confirmed("2025-09-06 10:00"),
        void("2025-09-08 09:00", "registered"),
        registered("2025-09-02", "2025-09-09 09:00"),
    )
    assert student.coverage() == "2025-09-02 to 2025-12-31"


INDEXES = ("counting", "answers", "by_id", "places", "edition_named")


@pytest.mark.parametrize("asked", [*INDEXES, None], ids=str)
def test_an_index_that_was_asked_for_is_carried_on_as_it_would_be_made(asked: str | None) -> None:
    recorded = given(
        *STORY,
        correct("2025-09-08 09:00", "prior-coverage-verified", lapsed_years=1),
        confirmed("2025-09-06 10:00"),
        checked("2025-09-05 10:30"),
        void("2025-09-08 09:00", "registered"),
        registered("2025-09-02", "2025-09-09 09:00"),
        correct("2025-09-09 09:00", "prior-coverage-verified", occurred_at="2025-09-07 10:00"),
        void("2025-09-10 09:00", "account-built"),
    ).recorded
    known = EMPTY
    for version, event in enumerate(recorded, start=1):
        for name in INDEXES:
            if asked in (name, None):
                getattr(known, name)
        known, fresh = evolve(known, event), fold(recorded[:version])
        assert known == fresh
        assert (known.answers, known.by_id, known.places) == (
            fresh.answers,
            fresh.by_id,
            fresh.places,
        )
        assert known.edition_named == fresh.edition_named
        assert named(known.counting) == named(fresh.counting)


def named(facts: Facts) -> dict[str, Any]:
    """The facts under each of their names."""
    told = {name: getattr(facts, name) or None for name in ("choices", "employee_cover")}
    return told | {
        name: found or None for name, found in vars(facts).items() if not name.startswith("_")
    }
