"""The table of the state machine: its rows, its checks, and the order of one instant."""

from itertools import pairwise

import pytest

from yibao.domain.lifecycle import table as lifecycle
from yibao.domain.lifecycle.guards import GUARDS
from yibao.domain.lifecycle.table import (
    COMMANDED,
    MAIN_ROAD,
    REFUSALS,
    STEPS,
    TABLE,
    TIME_DRIVEN,
    UNREGISTERED,
    Transition,
    build_machine,
    check_commands,
    mermaid,
    refusals_of,
)
from yibao.domain.vocabulary import State

STUDENT = ("not_registered", "withdrawn")


def sources(trigger: str) -> set[str]:
    return {source for source, name in STEPS if name == trigger}


def test_the_refusals_of_each_command_are_those_in_their_order() -> None:
    assert REFUSALS | {step.trigger: () for step in TIME_DRIVEN} == {
        "register": ("already_registered", "not_a_new_student"),
        "confirm": (
            *STUDENT,
            "enrolled_by_payment",
            "already_confirmed",
            "before_registration",
            "window_not_open",
            "window_closed",
            "roster_not_declared",
        ),
        "keep_other_cover": (
            *STUDENT,
            "already_confirmed",
            "before_registration",
            "window_closed",
            "no_other_cover",
        ),
        "activate_evoucher": (
            *STUDENT,
            "not_confirmed",
            "opted_out",
            "account_not_built",
            "evoucher_not_available",
            "evoucher_not_yet_available",
        ),
        "build_account": (*STUDENT, "not_confirmed"),
        "withdraw": STUDENT,
        "declare_roster": STUDENT,
        "change_school": STUDENT,
        "declare_other_cover": STUDENT,
        "stop_employee_cover": STUDENT,
        "verify_prior_coverage": STUDENT,
        "issue_medical_card": STUDENT,
        "file_remote_care": STUDENT,
        "pay_premium": (
            *STUDENT,
            "already_confirmed",
            "before_registration",
            "window_not_open",
            "window_closed",
            "roster_not_declared",
        ),
        "receive_care": ("not_registered",),
    } | {step.trigger: () for step in TIME_DRIVEN}


def test_a_payment_that_does_not_enroll_is_refused_as_every_fact_of_a_student_is() -> None:
    assert refusals_of("pay_premium", enrolls=False) == STUDENT
    assert refusals_of("pay_premium", enrolls=True) == REFUSALS["pay_premium"]


def test_what_time_does_is_refused_by_nothing() -> None:
    assert {REFUSALS.get(step.trigger, ()) for step in TIME_DRIVEN} == {()}


def test_a_command_without_a_row_is_told() -> None:
    rows = [row for row in COMMANDED if row.trigger != "withdraw"]
    with pytest.raises(ValueError, match="`withdraw` has no row in the table of the lifecycle"):
        check_commands(rows)


def test_a_row_of_no_command_is_told() -> None:
    stray = Transition("fly_kite", ("registered",), None)
    with pytest.raises(ValueError, match="has a row for `fly_kite`, which is no command"):
        check_commands([*COMMANDED, stray])


def test_every_guard_stands_in_the_table() -> None:
    assert {code for codes in REFUSALS.values() for code in codes} == set(GUARDS)


@pytest.mark.parametrize(
    ("trigger", "expected"),
    [
        ("register", {UNREGISTERED}),
        ("confirm", {"registered", "opted_out", "lapsed"}),
        ("window_closes", {"registered"}),
        ("waiting_period_shows", {"confirmed"}),
        ("account_is_built", {"confirmed", "in_waiting_period"}),
        ("evoucher_opens", {"account_built"}),
        ("cover_begins", {"account_built", "evoucher_eligible"}),
        (
            "benefit_year_ends",
            {"confirmed", "in_waiting_period", "account_built", "evoucher_eligible", "active"},
        ),
        ("keep_other_cover", {*MAIN_ROAD, "lapsed"}),
        ("withdraw", {*MAIN_ROAD, "lapsed", "opted_out"}),
    ],
)
def test_a_step_starts_only_from_the_states_of_its_row(trigger: str, expected: set[str]) -> None:
    assert sources(trigger) == expected


@pytest.mark.parametrize("state", ["expired", "withdrawn"])
def test_nothing_follows_an_end(state: str) -> None:
    assert not [trigger for source, trigger in STEPS if source == state]


def test_a_row_without_a_destination_moves_nothing() -> None:
    stays = {step.trigger for step in TABLE if step.dest is None}
    assert not stays & {trigger for _, trigger in STEPS}


@pytest.mark.parametrize(("before", "after"), list(pairwise(MAIN_ROAD)))
def test_each_state_of_the_main_road_leads_to_the_next(before: str, after: str) -> None:
    assert after in {dest for (source, _), dest in STEPS.items() if source == before}


@pytest.mark.parametrize(
    ("row", "why"),
    [
        (Transition("confirm", ("registred",), "confirmed"), "unknown state 'registred'"),
        (Transition("confirm", ("registered",), "confirmd"), "unknown state 'confirmd'"),
        (
            Transition("confirm", ("registered",), None, ("window_shut",)),  # pyright: ignore[reportArgumentType]
            "unknown guard 'window_shut'",
        ),
    ],
    ids=["source", "destination", "guard"],
)
def test_a_misspelt_row_is_refused(
    row: Transition, why: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lifecycle, "TABLE", (row,))
    with pytest.raises(ValueError, match=why):
        build_machine()


def test_the_diagram_shows_every_state() -> None:
    states = {*STEPS.values(), UNREGISTERED}
    assert {state for state in states if state not in mermaid()} == set()


def test_the_diagram_shows_the_steps_that_change_something_and_no_others() -> None:
    drawn = mermaid()
    assert {step.trigger for step in TABLE if step.trigger in drawn} == {t for _, t in STEPS}


def test_what_moves_nothing_may_happen_in_every_state() -> None:
    everywhere = {*State}
    assert all(set(step.source) == everywhere for step in TABLE if step.dest is None)
