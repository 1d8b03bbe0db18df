"""The account (建账): its day, and the instants that follow from it (R17, R18)."""

import pytest
from given import (
    COVERED,
    EMPLOYED,
    REGISTERED,
    SIGNED,
    WAITING,
    Step,
    account,
    checked,
    confirm,
    confirmed,
    correct,
    edition_with,
    given,
    keep,
    leaves,
    roster,
    stopped,
    told,
    withdraw,
)

from yibao.domain.rules import account_instant, values_of, visible_at


def shows(*story: Step, **student: str) -> str:
    case = given(*story, **student).case
    return told(visible_at(case, case.episodes[-1].confirmation).value)


def built(*story: Step) -> str:
    case = given(*story).case
    episode = case.episodes[-1]
    day = values_of(case, episode).account_built_on
    found = account_instant(case, episode.confirmation, day)
    return told(found.value if found else None)


@pytest.mark.parametrize(
    ("story", "day"),
    [
        (COVERED, "2025-09-06"),
        (WAITING, "2025-12-01"),
        ((REGISTERED, confirmed("2025-11-30 23:59"), checked("2025-12-01 00:29", 1)), "2025-12-01"),
        ((REGISTERED, confirmed("2025-12-15 10:00"), checked("2025-12-15 10:30", 1)), "2025-12-15"),
        ((*COVERED, stopped("2025-09-06 12:00", "2025-09-06")), "2025-09-06"),
        ((*COVERED, stopped("2025-09-03 12:00", "2025-09-03")), "2025-09-06"),
        ((*COVERED, stopped("2025-10-10 12:00", "2025-10-10")), "2025-10-10"),
        ((*WAITING, stopped("2025-10-10 12:00", "2025-10-10")), "2025-12-01"),
        ((*WAITING, stopped("2025-12-10 12:00", "2025-12-10")), "2025-12-10"),
        (SIGNED, "pending"),
        ((*COVERED, EMPLOYED), "pending"),
    ],
    ids=[
        "signed",
        "waiting period",
        "signed on its last day",
        "signed after it",
        "stopped that day",
        "stopped earlier",
        "stopped later",
        "stopped while waiting",
        "stopped after waiting",
        "no check",
        "not stopped",
    ],
)
def test_it_is_built_when_nothing_stands_in_the_way_any_more(
    story: tuple[Step, ...], day: str
) -> None:
    assert given(*story).account() == day


@pytest.mark.parametrize(
    ("story", "reason"),
    [
        (SIGNED, "check_missing"),
        ((*COVERED, EMPLOYED), "stop_missing"),
        ((*COVERED, withdraw("2025-09-06 16:00", "2025-09-06")), "withdrawn"),
    ],
    ids=["no check", "not stopped", "left"],
)
def test_an_account_day_that_is_not_there_gives_its_reason(
    story: tuple[Step, ...], reason: str
) -> None:
    assert given(*story).because("account_built_on") == reason


def test_it_is_not_built_before_a_corrected_registration_day() -> None:
    student = given(*COVERED, correct("2025-09-21 09:00", "registered", on="2025-09-20"))
    assert student.account() == "2025-09-20"


@pytest.mark.parametrize("on", ["2025-09-04", "2025-09-08", "2026-01-15"])
def test_a_recorded_account_day_is_always_the_value(on: str) -> None:
    assert given(*COVERED, account("2026-01-15 09:00", on)).account() == on


@pytest.mark.parametrize(
    "story",
    [
        SIGNED,
        (*COVERED, EMPLOYED),
        (REGISTERED,),
        (*COVERED, keep("2025-09-08 09:00", observed=True)),
    ],
    ids=["no check", "not stopped", "not confirmed", "opted out"],
)
def test_a_recorded_account_day_waits_for_no_other_fact(story: tuple[Step, ...]) -> None:
    assert given(*story, account("2025-09-09 09:00", "2025-09-07")).account() == "2025-09-07"


def test_everything_but_the_recorded_account_day_waits_for_its_own_facts() -> None:
    student = given(*SIGNED, account("2025-09-09 09:00", "2025-09-07"))
    assert student.values() == ("pending", "2025-09-07", "pending", "pending")


def test_a_recorded_account_day_is_never_before_the_registration_day() -> None:
    assert given(*COVERED, account("2025-09-09 09:00", "2025-08-20")).account() == "2025-09-01"


def test_an_account_day_after_the_benefit_year_is_still_an_answer() -> None:
    student = given(*SIGNED, checked("2025-09-06 10:30", 4))
    assert student.account() == "2026-09-01"


@pytest.mark.parametrize(
    ("on", "expected"),
    [("2025-09-05", "none"), ("2025-09-06", "none"), ("2025-09-07", "2025-09-06")],
)
def test_leaving_on_or_before_the_account_day_leaves_no_account(on: str, expected: str) -> None:
    assert given(*COVERED, withdraw("2025-09-06 16:00", on)).account() == expected


@pytest.mark.parametrize(("on", "expected"), [("2025-09-10", "none"), ("2025-09-11", "2025-09-10")])
def test_leaving_is_measured_by_a_recorded_account_day_as_well(on: str, expected: str) -> None:
    story = (*COVERED, account("2025-09-10 09:00", "2025-09-10"))
    assert given(*story, withdraw("2025-09-12 16:00", on)).account() == expected


def test_leaving_before_the_account_could_be_built_settles_what_a_job_leaves_open() -> None:
    story = (*COVERED, EMPLOYED, withdraw("2025-09-06 16:00", "2025-09-06"))
    assert given(*story).account() == "none"


def test_leaving_after_that_leaves_it_open() -> None:
    story = (*COVERED, EMPLOYED, withdraw("2025-10-06 16:00", "2025-10-06"))
    assert given(*story).account() == "pending"


def test_leaving_in_the_new_year_leaves_an_account_after_it() -> None:
    student = given(
        *SIGNED, checked("2025-09-06 10:30", 2), withdraw("2026-01-10 09:00", "2026-01-10")
    )
    assert student.account() == "2026-03-01"


def test_the_account_follows_the_confirmation_since_the_last_opt_out() -> None:
    student = given(
        *COVERED, keep("2025-09-10 10:00", observed=True), confirmed("2025-09-20 10:00")
    )
    assert student.account() == "2025-09-20"


def test_after_an_opt_out_the_account_of_the_confirmation_before_it_stands() -> None:
    assert given(*COVERED, keep("2025-10-15 10:00", observed=True)).account() == "2025-09-06"


def test_the_result_shows_half_an_hour_after_signing() -> None:
    assert shows(REGISTERED, confirmed("2025-09-06 23:45")) == "2025-09-07 00:15"


def test_a_proxy_result_shows_at_the_next_midnight() -> None:
    assert shows(REGISTERED, confirmed("2025-09-10 00:01", "proxy")) == "2025-09-11 00:00"


@pytest.mark.parametrize(
    ("story", "instant"),
    [
        (COVERED, "2025-09-06 10:30"),
        (WAITING, "2025-12-01 00:00"),
        ((*SIGNED, checked("2025-09-20 12:00")), "2025-09-20 12:00"),
        ((*SIGNED, checked("2025-09-06 10:10")), "2025-09-06 10:30"),
        ((*COVERED, account("2025-09-08 09:00", "2025-09-08")), "2025-09-08 00:00"),
        ((*COVERED, account("2025-09-08 09:00", "2025-09-04")), "2025-09-06 10:30"),
        (SIGNED, "none"),
    ],
    ids=["shown", "midnight", "late check", "early check", "recorded", "recorded early", "pending"],
)
def test_the_account_instant_is_the_latest_of_result_day_and_check(
    story: tuple[Step, ...], instant: str
) -> None:
    assert built(*story) == instant


def test_a_notice_may_show_the_result_at_another_time() -> None:
    policy = edition_with(result_visible_after=45)
    student = given(REGISTERED, roster(), confirm("2025-09-06 10:00"), policy=policy)
    student.and_(checked("2025-09-06 10:10"))
    assert student.states()[2] == ("2025-09-06 10:45", "account_built")


def told_from(*story: Step, **student: str) -> list[str]:
    case = given(*story, **student).case
    episode = case.episodes[-1]
    found = account_instant(case, episode.confirmation, values_of(case, episode).account_built_on)
    assert found is not None
    return leaves(found)


def test_the_account_instant_is_told_from_the_result_and_the_day() -> None:
    assert told_from(*COVERED) == ["confirmed", "result_visible_after", "confirmed"]


def test_a_proxy_account_is_told_from_the_day_its_result_shows() -> None:
    story = (REGISTERED, confirmed("2025-09-10 16:00", "proxy"), checked("2025-09-10 17:00"))
    assert told_from(*story) == ["confirmed", "proxy_result_visible_after", "confirmed"]


def test_a_check_is_told_only_where_it_delays_the_account() -> None:
    assert told_from(*SIGNED, checked("2025-09-06 10:31")) == [
        "confirmed",
        "result_visible_after",
        "confirmed",
        "prior-coverage-verified",
    ]


def test_an_account_recorded_once_is_built_at_its_own_instant_in_each_time_on_the_road() -> None:
    student = given(
        *COVERED,
        account("2025-09-07 09:00", "2025-09-06"),
        keep("2025-10-15 10:00", observed=True),
        confirmed("2025-10-20 10:00"),
    )
    built_at = [at for at, state in student.states() if state == "account_built"]
    assert built_at == ["2025-09-06 10:30", "2025-10-20 10:30"]


@pytest.mark.parametrize(
    ("at", "expected"),
    [("2025-09-06 16:00", "none"), ("2025-09-07 00:00", "2025-09-06")],
)
def test_opting_out_on_or_before_the_account_day_leaves_no_account(at: str, expected: str) -> None:
    assert given(*COVERED, keep(at, observed=True)).account() == expected


@pytest.mark.parametrize(
    ("story", "expected"),
    [
        ((*SIGNED, withdraw("2025-09-06 16:00", "2025-09-06")), "none"),
        ((*SIGNED, withdraw("2025-09-06 16:00", "2025-09-07")), "pending"),
        ((*SIGNED, keep("2025-09-06 16:00", observed=True)), "none"),
        ((*SIGNED, keep("2025-09-07 16:00", observed=True)), "pending"),
        (
            (
                *SIGNED,
                stopped("2025-09-20 09:00", "2025-10-10"),
                withdraw("2025-09-20 09:00", "2025-10-10"),
            ),
            "none",
        ),
        ((*WAITING, EMPLOYED, withdraw("2025-10-01 09:00", "2025-12-01")), "none"),
        ((*WAITING, EMPLOYED, withdraw("2025-10-01 09:00", "2025-12-02")), "pending"),
    ],
    ids=[
        "left on the day of signing",
        "left the day after",
        "opted out on the day of signing",
        "opted out the day after",
        "left the day employee cover stops",
        "left the day after waiting",
        "left later",
    ],
)
def test_leaving_before_the_earliest_account_leaves_none_while_something_is_pending(
    story: tuple[Step, ...], expected: str
) -> None:
    student = given(*story)
    assert student.values()[1:] == (expected, expected, expected)


def test_an_opt_out_after_the_benefit_year_takes_no_account_away() -> None:
    later = (*SIGNED, checked("2025-09-06 10:30", 2), keep("2026-01-05 10:00", observed=True))
    assert given(*later).account() == "2026-03-01"
    again = confirmed("2026-01-06 10:00")
    assert given(*COVERED, keep("2026-01-05 10:00", observed=True), again).coverage() == (
        "2025-09-01 to 2025-12-31"
    )


def test_beside_a_recorded_account_day_what_is_pending_ends_with_leaving_before_the_earliest() -> (
    None
):
    story = (*WAITING, EMPLOYED, account("2025-09-10 09:00", "2025-09-06"))
    left = withdraw("2025-10-01 09:00", "2025-10-15")
    assert given(*story, left).values()[1:] == ("2025-09-06", "none", "none")
