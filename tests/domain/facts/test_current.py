"""Which fact counts: from what was recorded to what holds."""

from typing import Any

import pytest
from given import (
    REGISTERED,
    Step,
    account,
    activate,
    checked,
    confirmed,
    correct,
    given,
    keep,
    moved,
    other_cover,
    roster,
    stopped,
    told,
    void,
    withdraw,
)

from yibao.domain.calendar import read_instant
from yibao.domain.facts.counting import Facts, Moment, clamped, end_of_stream, episodes, last_by


def facts(*steps: Step) -> Facts:
    return given(REGISTERED, *steps).case.facts


def at(fact: Any) -> str:
    return told(fact.at) if fact else "none"


@pytest.mark.parametrize("order", [1, -1], ids=["in order", "the later one first"])
def test_of_several_accounts_the_one_seen_last_counts(order: int) -> None:
    seen = [account("2025-09-07 09:00", "2025-09-07"), account("2025-09-08 09:00", "2025-09-06")]
    student = given(REGISTERED, confirmed("2025-09-06 10:00"), checked("2025-09-06 10:30"))
    assert student.and_(*seen[::order]).account() == "2025-09-06"


def test_of_two_facts_of_one_instant_the_later_in_the_stream_counts() -> None:
    student = given(
        REGISTERED,
        account("2025-09-08 09:00", "2025-09-06"),
        account("2025-09-08 09:00", "2025-09-07"),
    )
    assert student.account() == "2025-09-07"


def test_a_correction_takes_the_place_of_what_it_corrects_among_equals() -> None:
    student = given(
        REGISTERED,
        account("2025-09-08 09:00", "2025-09-06"),
        account("2025-09-08 09:00", "2025-09-07"),
    )
    first = student.recorded[1].event_id
    student.and_(correct("2025-09-09 09:00", "account-built", fact_id=first, on="2025-09-08"))
    assert student.account() == "2025-09-07"


@pytest.mark.parametrize("order", [1, -1], ids=["in order", "the later one first"])
def test_of_several_withdrawals_the_latest_counts(order: int) -> None:
    told_twice = [
        withdraw("2025-10-01 09:00", "2025-10-20", observed=True),
        withdraw("2025-10-02 09:00", "2025-10-10", observed=True),
    ]
    found = given(REGISTERED, *told_twice[::order]).case
    assert at(found.withdrawal) == "2025-10-02 09:00"


@pytest.mark.parametrize("order", [1, -1], ids=["in order", "the later one first"])
def test_of_several_confirmations_the_earliest_counts(order: int) -> None:
    signed = [confirmed("2025-09-06 10:00"), confirmed("2025-09-07 10:00")]
    assert [at(e.confirmation) for e in episodes(facts(*signed[::order]).choices)] == [
        "2025-09-06 10:00"
    ]


def test_of_confirmations_the_earliest_since_the_last_opt_out_counts() -> None:
    found = facts(
        confirmed("2025-09-06 10:00"),
        keep("2025-09-10 10:00", observed=True),
        confirmed("2025-09-20 10:00"),
        confirmed("2025-09-21 10:00"),
    )
    assert at(episodes(found.choices)[-1].confirmation) == "2025-09-20 10:00"


def test_an_opt_out_ends_the_time_its_confirmation_began() -> None:
    found = facts(confirmed("2025-09-06 10:00"), keep("2025-09-10 10:00", observed=True))
    assert at(episodes(found.choices)[0].opt_out) == "2025-09-10 10:00"


def test_a_second_opt_out_ends_nothing_more() -> None:
    found = facts(
        confirmed("2025-09-06 10:00"),
        keep("2025-09-10 10:00", observed=True),
        keep("2025-09-12 10:00", observed=True),
    )
    assert [at(episode.opt_out) for episode in episodes(found.choices)] == ["2025-09-10 10:00"]


def test_each_return_begins_a_time_of_its_own() -> None:
    found = facts(
        confirmed("2025-09-06 10:00"),
        keep("2025-09-10 10:00", observed=True),
        confirmed("2025-09-20 10:00"),
        keep("2025-09-22 10:00", observed=True),
        confirmed("2025-09-25 10:00"),
    )
    assert [
        (at(episode.confirmation), at(episode.opt_out), episode.came_back)
        for episode in episodes(found.choices)
    ] == [
        ("2025-09-06 10:00", "2025-09-10 10:00", True),
        ("2025-09-20 10:00", "2025-09-22 10:00", True),
        ("2025-09-25 10:00", "none", False),
    ]


def test_an_opt_out_without_a_confirmation_before_it_ends_nothing() -> None:
    assert not episodes(facts(keep("2025-09-10 10:00", observed=True)).choices)


def test_the_latest_check_counts() -> None:
    found = facts(checked("2025-09-06 10:30", 1), checked("2025-09-20 12:00", 2)).check()
    assert found is not None
    assert found.event.lapsed_years == 2


def test_a_new_finding_counts_from_its_own_instant() -> None:
    found = facts(checked("2025-09-06 10:30", 1), checked("2025-09-20 12:00", 2)).check()
    assert at(found) == "2025-09-20 12:00"


@pytest.mark.parametrize("order", [1, -1], ids=["in order", "the later one first"])
def test_a_check_with_the_finding_of_an_earlier_one_keeps_its_instant(order: int) -> None:
    looked = [checked("2025-09-06 10:30", 1), checked("2025-09-20 12:00", 1)]
    assert at(facts(*looked[::order]).check()) == "2025-09-06 10:30"


def test_a_finding_that_comes_back_keeps_its_first_instant() -> None:
    found = facts(
        checked("2025-09-06 10:30", 1),
        checked("2025-09-10 10:30", 2),
        checked("2025-09-20 12:00", 1),
    )
    assert at(found.check()) == "2025-09-06 10:30"


def test_another_last_waiting_day_is_another_finding() -> None:
    found = facts(
        checked("2025-09-06 10:30", 1),
        checked("2025-09-20 12:00", 1, waiting_ends_on="2025-10-31"),
    )
    assert at(found.check()) == "2025-09-20 12:00"


def test_a_finding_taken_back_keeps_no_instant() -> None:
    found = facts(
        checked("2025-09-06 10:30", 1),
        void("2025-09-07 09:00", "prior-coverage-verified"),
        checked("2025-09-20 12:00", 1),
    )
    assert at(found.check()) == "2025-09-20 12:00"


@pytest.mark.parametrize(
    ("story", "account_day"),
    [
        ((stopped("2025-10-09 16:00", "2025-10-10"),), "2025-10-10"),
        (
            (
                other_cover("2025-09-01 09:00", "employee"),
                stopped("2025-10-09 16:00", "2025-10-10"),
            ),
            "2025-10-10",
        ),
        (
            (
                stopped("2025-10-09 16:00", "2025-10-10"),
                other_cover("2025-11-01 09:00", "employee"),
            ),
            "pending",
        ),
        (
            (
                other_cover("2025-11-01 09:00", "employee"),
                stopped("2025-10-09 16:00", "2025-10-10"),
            ),
            "pending",
        ),
        (
            (
                stopped("2025-10-09 16:00", "2025-10-10"),
                other_cover("2025-11-01 09:00", "other_province"),
                other_cover("2025-11-02 09:00", "shanghai_resident"),
            ),
            "2025-10-10",
        ),
        ((other_cover("2025-09-01 09:00", "shanghai_resident"),), "2025-09-06"),
    ],
    ids=[
        "a stop counts without a declaration",
        "stopped",
        "a new job",
        "a new job, recorded first",
        "other cover of another kind",
        "no employee cover at all",
    ],
)
def test_of_declarations_and_stops_the_latest_of_both_together_counts(
    story: tuple[Step, ...], account_day: str
) -> None:
    student = given(REGISTERED, confirmed("2025-09-06 10:00"), checked("2025-09-06 10:30"))
    assert student.and_(*story).account() == account_day


MOVES = (moved("2025-10-01 09:00", "ecnu"), moved("2025-11-01 09:00", "sjtu"))


@pytest.mark.parametrize(
    ("instant", "school"),
    [
        ("2025-08-01 00:00", "sjtu"),
        ("2025-10-01 08:59", "sjtu"),
        ("2025-10-01 09:00", "ecnu"),
        ("2025-11-01 08:59", "ecnu"),
        ("2025-11-01 09:00", "sjtu"),
    ],
)
def test_the_school_is_that_of_the_latest_change_by_then(instant: str, school: str) -> None:
    assert facts(*MOVES[::-1]).school_at(end_of_stream(read_instant(instant))) == school


@pytest.mark.parametrize(
    ("instant", "declared"),
    [
        ("2025-09-02 16:59", "none"),
        ("2025-09-02 17:00", "2025-09-02 17:00"),
        ("2025-10-01 08:59", "2025-09-02 17:00"),
        ("2025-10-01 09:00", "none"),
        ("2025-10-05 17:00", "2025-10-05 17:00"),
        ("2025-11-01 09:00", "2025-09-02 17:00"),
    ],
)
def test_a_roster_counts_for_the_school_that_declared_it(instant: str, declared: str) -> None:
    found = facts(*MOVES, roster("2025-10-05 17:00"), roster("2025-09-02 17:00"))
    assert at(found.roster_at(end_of_stream(read_instant(instant)))) == declared


def test_of_several_rosters_of_a_school_the_latest_by_then_counts() -> None:
    found = facts(
        roster("2025-09-02 17:00"), roster("2025-09-10 17:00"), roster("2025-09-20 17:00")
    )
    assert (
        at(found.roster_at(end_of_stream(read_instant("2025-09-12 09:00")))) == "2025-09-10 17:00"
    )


def test_a_roster_counts_from_its_own_moment() -> None:
    found = facts(roster("2025-09-02 17:00"))
    assert found.roster_at(found.rosters[0].moment) == found.rosters[0]


def test_a_withdrawal_after_the_benefit_year_has_no_effect() -> None:
    found = given(REGISTERED, withdraw("2025-12-30 09:00", "2026-01-01"))
    assert found.case.withdrawal is None


def test_a_withdrawal_on_the_last_day_of_the_benefit_year_has_one() -> None:
    found = given(REGISTERED, withdraw("2025-12-30 09:00", "2025-12-31"))
    assert found.case.withdrawal is not None


def test_the_day_of_a_withdrawal_is_never_before_the_registration_day() -> None:
    found = facts(withdraw("2025-09-10 09:00", "2025-08-15"))
    assert told(found.first_day_outside(found.withdrawals[0])) == "2025-09-01"


def test_the_latest_of_some_facts_by_a_moment_may_fall_on_it() -> None:
    found = facts(activate("2025-09-10 09:00", observed=True))
    assert at(last_by(found.activations, found.activations[0].moment)) == "2025-09-10 09:00"


def test_a_fact_recorded_later_at_the_same_instant_is_not_there_by_a_moment() -> None:
    found = facts(activate("2025-09-10 09:00", observed=True))
    assert last_by(found.activations, Moment(read_instant("2025-09-10 09:00"), 1)) is None


def test_the_end_of_the_stream_comes_after_every_fact_of_its_instant() -> None:
    found = facts(activate("2025-09-10 09:00", observed=True))
    moment = end_of_stream(read_instant("2025-09-10 09:00"))
    assert last_by(found.activations, moment) is not None


@pytest.mark.parametrize(
    ("instant", "expected"),
    [
        ("2025-08-31 23:59", "2025-09-01 00:00"),
        ("2025-09-01 00:00", "2025-09-01 00:00"),
        ("2025-09-01 00:01", "2025-09-01 00:01"),
    ],
)
def test_nothing_begins_before_the_registration_day(instant: str, expected: str) -> None:
    registration = facts().registration
    assert registration is not None
    assert told(clamped(read_instant(instant), registration)) == expected
