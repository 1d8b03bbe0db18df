"""The tree behind a value: which day decides, and what it is told from."""

from datetime import date, datetime
from typing import assert_type

import pytest
from given import edition, given, registered

from yibao.domain.derivation import Derived, latest_day, rests_on_assumption
from yibao.domain.vocabulary import DayRange, Pending, WaitingPeriod

SIGNED = Derived("signed_on", date(2025, 9, 6), "R18")
STOPPED = Derived("employee_cover_stopped_on", date(2025, 10, 10), "R3")


def test_the_latest_of_several_days_decides() -> None:
    assert latest_day("account_built_on", "R18", [SIGNED, STOPPED]).value == date(2025, 10, 10)


def test_several_days_are_all_told() -> None:
    assert latest_day("account_built_on", "R18", [SIGNED, STOPPED]).inputs == (SIGNED, STOPPED)


def test_a_choice_between_days_rests_on_the_rule_that_chooses() -> None:
    assert latest_day("account_built_on", "R18", [SIGNED, STOPPED]).rule == "R18"


def test_a_single_day_rests_on_its_own_rule() -> None:
    assert latest_day("account_built_on", "R18", [STOPPED]).rule == "R3"


def test_a_single_day_is_told_under_the_name_asked_for() -> None:
    assert latest_day("account_built_on", "R18", [SIGNED]).name == "account_built_on"


STATED, ASSUMED = edition().parameters.benefit_to, edition().parameters.autumn_to


@pytest.mark.parametrize(
    ("derived", "assumed"),
    [
        (Derived("coverage", None, "R21"), False),
        (Derived("coverage", None, "R21", (STATED,)), False),
        (Derived("coverage", None, "R22"), True),
        (Derived("coverage", None, "R21", (STATED, ASSUMED)), True),
        (Derived("coverage", None, "R21", (Derived("waiting", None, "R12", (STATED,)),)), False),
        (Derived("coverage", None, "R21", (Derived("waiting", None, "R14", (STATED,)),)), True),
        (Derived("coverage", None, "R21", (Derived("waiting", None, "R12", (ASSUMED,)),)), True),
    ],
    ids=[
        "a stated rule",
        "a stated parameter",
        "an assumed rule",
        "an assumed parameter",
        "all stated beneath",
        "an assumed rule beneath",
        "an assumed parameter beneath",
    ],
)
def test_whatever_is_derived_from_an_assumption_is_assumed(derived: Derived, assumed: bool) -> None:
    assert rests_on_assumption(derived, edition()) is assumed


def test_what_a_value_can_be_is_known_to_a_type_checker() -> None:
    values = given(registered("2025-09-01")).answer().values
    assert values is not None
    assert_type(values.waiting.value, WaitingPeriod | Pending | None)
    assert_type(values.account_built_on.value, date | Pending | None)
    assert_type(values.evoucher_available_at.value, datetime | Pending | None)
    assert_type(values.coverage.value, DayRange | Pending | None)
    assert values.coverage.value is Pending.PENDING
