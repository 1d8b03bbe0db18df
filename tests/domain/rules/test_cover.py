"""The benefit window (待遇享受期): first and last day on which care is covered (R20 to R22)."""

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
    confirmed,
    edition_with,
    given,
    keep,
    other_cover,
    registered,
    stopped,
    withdraw,
)


@pytest.mark.parametrize(
    ("story", "first"),
    [
        (COVERED, "2025-09-01"),
        ((registered("2025-08-30"), *COVERED[1:]), "2025-09-01"),
        ((registered("2025-09-04"), *COVERED[1:]), "2025-09-04"),
        ((*COVERED, stopped("2025-10-10 09:00", "2025-10-10")), "2025-10-10"),
        ((*COVERED, stopped("2025-08-10 09:00", "2025-08-10")), "2025-09-01"),
        ((*COVERED, account("2025-10-10 09:00", "2025-10-10")), "2025-09-01"),
        ((REGISTERED, confirmed("2025-12-20 10:00"), checked("2025-12-20 10:30")), "2025-09-01"),
        (WAITING, "2025-12-02"),
        ((*WAITING, account("2025-12-05 09:00", "2025-12-05")), "2025-12-06"),
        ((*WAITING, account("2025-11-10 09:00", "2025-11-10")), "2025-12-01"),
        ((*WAITING, stopped("2025-12-10 09:00", "2025-12-10")), "2025-12-11"),
        (
            (
                *WAITING,
                account("2025-12-01 09:00", "2025-12-01"),
                stopped("2025-12-10 09:00", "2025-12-10"),
            ),
            "2025-12-10",
        ),
        ((REGISTERED, confirmed("2025-12-15 10:00"), checked("2025-12-15 10:30", 1)), "2025-12-16"),
        ((REGISTERED, confirmed("2025-12-30 10:00"), checked("2025-12-30 10:30", 1)), "2025-12-31"),
    ],
    ids=[
        "1 September",
        "registered earlier",
        "registered later",
        "not before the stop",
        "stopped before it all",
        "before the account",
        "before the confirmation",
        "the day after the account",
        "an account recorded later",
        "an account recorded while waiting",
        "a stop after waiting",
        "a stop after the recorded account",
        "signed after waiting",
        "on the last day",
    ],
)
def test_it_runs_from_its_first_day_to_the_end_of_the_year(
    story: tuple[Step, ...], first: str
) -> None:
    assert given(*story).coverage() == f"{first} to 2025-12-31"


def test_who_leaves_on_the_day_on_which_an_account_could_be_built_joins_no_more() -> None:
    student = given(REGISTERED, withdraw("2025-09-05 09:00", "2025-09-10"))
    assert student.because("coverage", "2025-09-09 23:59") == "confirmation_missing"
    assert student.because("coverage", "2025-09-10 00:00") == "withdrawn"


def test_of_several_days_of_leaving_the_one_told_last_counts() -> None:
    told = withdraw("2025-10-01 09:00", "2025-10-20")
    again = withdraw("2025-10-02 09:00", "2025-10-10", observed=True)
    assert given(*COVERED, told, again).coverage() == "2025-09-01 to 2025-10-09"


def test_who_never_joined_opts_out_after_the_benefit_year_as_well() -> None:
    declared = other_cover("2025-09-02 09:00", "other_province")
    student = given(REGISTERED, declared, keep("2026-01-05 09:00", observed=True))
    assert student.because("coverage", "2026-02-01 00:00") == "opted_out"


@pytest.mark.parametrize(
    ("story", "reason"),
    [
        (SIGNED, "check_missing"),
        ((*COVERED, EMPLOYED), "stop_missing"),
        ((*SIGNED, account("2025-09-09 09:00", "2025-09-07")), "check_missing"),
    ],
    ids=["no check", "not stopped", "no check, account recorded"],
)
def test_it_is_pending_while_a_fact_is_missing(story: tuple[Step, ...], reason: str) -> None:
    student = given(*story)
    assert (student.coverage(), student.because("coverage")) == ("pending", reason)


@pytest.mark.parametrize(
    ("story", "reason"),
    [
        ((*SIGNED, checked("2025-09-06 10:30", 2)), "cover_too_late"),
        ((*SIGNED, EMPLOYED, checked("2025-09-06 10:30", 2)), "cover_too_late"),
        (
            (REGISTERED, confirmed("2025-12-31 10:00"), checked("2025-12-31 10:30", 1)),
            "cover_too_late",
        ),
        ((*COVERED, stopped("2026-01-05 09:00", "2026-01-05")), "cover_too_late"),
        ((*WAITING, account("2026-01-05 09:00", "2025-12-31")), "cover_too_late"),
        ((*COVERED, withdraw("2025-09-06 16:00", "2025-09-06")), "withdrawn"),
        ((*WAITING, withdraw("2025-12-02 16:00", "2025-12-02")), "withdrawn"),
        ((*WAITING, keep("2025-12-01 16:00", observed=True)), "opted_out"),
    ],
    ids=[
        "waiting into the next year",
        "whatever a job leaves open",
        "account on the last day",
        "stopped in the next year",
        "account recorded on the last day",
        "left on the account day",
        "left on its first day",
        "opted out on the account day",
    ],
)
def test_where_it_would_hold_no_day_there_is_none(story: tuple[Step, ...], reason: str) -> None:
    student = given(*story)
    assert (student.coverage(), student.because("coverage")) == ("none", reason)


@pytest.mark.parametrize(
    ("on", "last"),
    [("2025-10-10", "2025-10-09"), ("2025-12-31", "2025-12-30"), ("2026-01-01", "2025-12-31")],
)
def test_it_ends_the_day_before_the_student_leaves(on: str, last: str) -> None:
    student = given(*COVERED, withdraw("2025-10-01 09:00", on))
    assert student.coverage() == f"2025-09-01 to {last}"


@pytest.mark.parametrize(
    ("at", "last"),
    [
        ("2025-10-15 00:00", "2025-10-15"),
        ("2025-10-15 23:59", "2025-10-15"),
        ("2025-12-30 10:00", "2025-12-30"),
        ("2025-12-31 10:00", "2025-12-31"),
        ("2026-01-01 00:00", "2025-12-31"),
        ("2026-02-01 10:00", "2025-12-31"),
    ],
)
def test_it_ends_with_the_day_of_an_opt_out(at: str, last: str) -> None:
    student = given(*COVERED, keep(at, observed=True))
    assert student.coverage() == f"2025-09-01 to {last}"


@pytest.mark.parametrize(
    ("left_on", "opted_out_at", "last"),
    [
        ("2025-10-10", "2025-10-20 10:00", "2025-10-09"),
        ("2025-10-30", "2025-10-20 10:00", "2025-10-20"),
        ("2025-10-20", "2025-10-20 10:00", "2025-10-19"),
    ],
)
def test_of_leaving_and_opting_out_the_earlier_ends_it(
    left_on: str, opted_out_at: str, last: str
) -> None:
    story = (
        keep(opted_out_at, observed=True),
        withdraw("2025-11-01 09:00", left_on, observed=True),
    )
    assert given(*COVERED, *story).coverage() == f"2025-09-01 to {last}"


def test_who_comes_back_is_covered_in_between() -> None:
    story = (*COVERED, keep("2025-10-15 10:00", observed=True), confirmed("2025-10-20 10:00"))
    assert given(*story).coverage() == "2025-09-01 to 2025-12-31"


@pytest.mark.parametrize("on", ["2025-09-10", "2025-10-10"])
def test_no_cover_begins_before_the_registration_day(on: str) -> None:
    late = registered(on, "2025-09-01 09:00")
    student = given(late, confirmed("2025-09-06 10:00"), checked("2025-09-06 10:30"))
    assert student.coverage() == f"{on} to 2025-12-31"


def test_in_2024_the_dates_are_those_of_that_year() -> None:
    student = given(registered("2024-08-30"), confirmed("2024-09-05 10:30"), policy="shanghai-2024")
    assert student.coverage() == "2024-09-01 to 2024-12-31"


def test_a_notice_may_leave_more_days_between_account_and_cover() -> None:
    student = given(*WAITING, policy=edition_with(cover_after_account=3))
    assert student.coverage() == "2025-12-04 to 2025-12-31"


def test_cover_that_a_late_registration_delays_says_so() -> None:
    values = given(registered("2025-09-04"), *COVERED[1:]).answer().values
    assert values is not None
    begins = values.coverage.inputs[0]
    assert [told.rule for told in begins.inputs] == ["R20", "R20-registered-later"]  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("story", "basis"),
    [
        (COVERED, ["benefit_from", "benefit_to"]),
        (
            (registered("2025-09-04"), *COVERED[1:]),
            ["benefit_from", "registered", "benefit_to"],
        ),
        (
            (*COVERED, stopped("2025-10-10 09:00", "2025-10-10")),
            ["benefit_from", "employee-cover-stopped", "benefit_to"],
        ),
        (
            (*COVERED, account("2025-09-07 09:00", "2025-09-06")),
            ["benefit_from", "benefit_to"],
        ),
        (
            (*WAITING, account("2025-12-05 09:00", "2025-12-05")),
            [
                "account-built",
                "cover_after_account",
                "prior-coverage-verified",
                "waiting_months_per_lapsed_year",
                "registered",
                "waiting_counts_from",
                "waiting_counts_first_day",
                "benefit_to",
            ],
        ),
        (
            (*COVERED, withdraw("2025-10-01 09:00", "2025-10-10")),
            ["benefit_from", "withdrawn"],
        ),
        (
            (*COVERED, keep("2025-10-15 10:00", observed=True)),
            ["benefit_from", "other-cover-kept"],
        ),
        (
            (
                *COVERED,
                keep("2025-10-15 10:00", observed=True),
                withdraw("2025-10-20 09:00", "2025-10-15", observed=True),
            ),
            ["benefit_from", "withdrawn"],
        ),
        ((*COVERED, keep("2025-12-31 10:00", observed=True)), ["benefit_from", "benefit_to"]),
        (
            (
                *COVERED,
                keep("2025-10-15 10:00", observed=True),
                withdraw("2025-10-20 09:00", "2025-10-16", observed=True),
            ),
            ["benefit_from", "withdrawn"],
        ),
        ((*COVERED, keep("2026-01-01 00:00", observed=True)), ["benefit_from", "benefit_to"]),
        (
            (*COVERED, stopped("2026-01-05 09:00", "2026-01-05")),
            ["benefit_from", "employee-cover-stopped", "benefit_to"],
        ),
        (SIGNED, []),
        ((*COVERED, EMPLOYED), ["other-cover-declared"]),
    ],
    ids=[
        "plain",
        "registered later",
        "stopped",
        "account recorded",
        "waiting",
        "left",
        "opted out",
        "left and opted out on one day",
        "opted out on the last day",
        "opted out on the last day before leaving",
        "opted out after the year",
        "too late",
        "no check",
        "not stopped",
    ],
)
def test_it_is_told_from_what_decides_its_days(story: tuple[Step, ...], basis: list[str]) -> None:
    assert given(*story).basis("coverage") == basis


@pytest.mark.parametrize(
    ("story", "expected"),
    [
        ((*SIGNED, stopped("2025-12-20 09:00", "2026-01-05")), ("pending", "none", "none")),
        ((REGISTERED, confirmed("2025-12-31 10:00")), ("pending", "none", "pending")),
        (
            (*SIGNED, account("2025-12-31 10:00", "2025-12-31")),
            ("2025-12-31", "pending", "pending"),
        ),
        ((*SIGNED, account("2026-01-05 10:00", "2026-01-05")), ("2026-01-05", "none", "pending")),
    ],
    ids=[
        "employee cover into the next year",
        "signed on the last day",
        "account on the last day",
        "account in the next year",
    ],
)
def test_what_comes_too_late_whatever_the_check_says_is_none(
    story: tuple[Step, ...], expected: tuple[str, str, str]
) -> None:
    """R17, R22: as far as the earliest possible account day tells, each value by itself."""
    assert given(*story).values()[1:] == expected


def test_who_comes_back_has_the_window_of_the_later_confirmation() -> None:
    story = (*WAITING, keep("2025-12-10 09:00", observed=True), confirmed("2025-12-20 10:00"))
    assert given(*story).coverage() == "2025-12-21 to 2025-12-31"
