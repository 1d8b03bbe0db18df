"""The model of an edition: what it must cite, and what cannot stand in it together."""

from typing import Any

import pytest
from given import edition, edition_with
from pydantic import ValidationError

from yibao.domain.calendar import read_instant
from yibao.domain.editions.citation import Citation
from yibao.domain.editions.policy import RULES, Policy

EDITIONS = ("shanghai-2024", "shanghai-2025")


def changed(parameter: str, **entry: Any) -> Policy:
    content = edition().model_dump()
    content["parameters"][parameter] |= entry
    return Policy.model_validate(content)


@pytest.mark.parametrize("name", EDITIONS)
def test_every_rule_a_derivation_may_name_is_cited(name: str) -> None:
    assert set(edition(name).rules) == set(RULES)


@pytest.mark.parametrize("name", EDITIONS)
def test_every_parameter_names_the_notice_it_stands_in(name: str) -> None:
    parameters = dict(edition(name).parameters).values()
    assert {parameter.notice for parameter in parameters if parameter} == {name}


def test_an_assumption_needs_a_reason() -> None:
    with pytest.raises(ValidationError, match="needs a reason"):
        Citation(clause="Q1", basis="assumed", notice="shanghai-2025")


def test_what_is_stated_needs_no_reason() -> None:
    assert Citation(clause="Q1", basis="stated", notice="shanghai-2025").reason is None


def test_a_parameter_in_another_unit_is_refused() -> None:
    with pytest.raises(ValidationError, match="unit must be 'months'"):
        changed("waiting_months_per_lapsed_year", unit="years")


@pytest.mark.parametrize(
    ("parameter", "value", "why"),
    [
        ("autumn_to", "2025-07-31", "autumn_to: may not lie before autumn_from"),
        ("benefit_to", "2025-08-31", "benefit_to: may not lie before benefit_from"),
        ("benefit_to", "2027-01-01", "benefit_to: the benefit year may not span more than one"),
        ("window_closes_on", "2026-01-01", "window_closes_on: the window may not close after"),
        ("window_closes_on", "2025-09-04", "window_closes_on: the window may not close before"),
        ("result_visible_after", -1, "greater than or equal to 0"),
        ("first_premium", "-1", "first_premium: is no amount"),
        ("first_premium", "355.001", "is no amount of yuan with"),
        ("activation_places", ["bank"], "activation_places: an unknown code"),
        ("activation_places", ["The bank"], "Input should be"),
        ("evoucher_counts_from", "registration", "Input should be"),
    ],
)
def test_parameters_that_contradict_each_other_are_refused(
    parameter: str, value: object, why: str
) -> None:
    with pytest.raises(ValidationError, match=why):
        changed(parameter, value=value)


@pytest.mark.parametrize(
    ("parameter", "value"),
    [
        ("autumn_to", "2025-08-01"),
        ("benefit_to", "2026-12-31"),
        ("window_closes_on", "2025-09-05"),
        ("window_closes_on", "2025-12-31"),
        ("window_opens", "registration_day"),
    ],
)
def test_parameters_may_go_to_the_edge(parameter: str, value: object) -> None:
    assert changed(parameter, value=value).edition == "shanghai-2025"


def test_an_edition_is_for_somebody() -> None:
    content = edition().model_dump()
    whom = {"name": "for_students", "value": [], "unit": "students"}
    content["parameters"]["for_students"] = content["parameters"]["first_premium"] | whom
    with pytest.raises(ValidationError, match="for_students: names nobody"):
        Policy.model_validate(content)


def test_an_unknown_parameter_is_refused() -> None:
    content = edition().model_dump()
    content["parameters"]["second_premium"] = content["parameters"]["first_premium"]
    with pytest.raises(ValidationError, match="second_premium"):
        Policy.model_validate(content)


def test_the_same_content_has_the_same_digest() -> None:
    assert Policy.model_validate(edition().model_dump()).digest == edition().digest


def test_another_value_has_another_digest() -> None:
    assert edition_with(evoucher_hour="08:00").digest != edition().digest


def test_another_reading_of_the_basis_has_another_digest() -> None:
    assert changed("window_closes_on", basis="stated").digest != edition().digest


@pytest.mark.parametrize(("name", "year"), [("shanghai-2024", 2024), ("shanghai-2025", 2025)])
def test_the_benefit_year_is_a_calendar_year(name: str, year: int) -> None:
    assert edition(name).year == year


def test_the_first_instant_after_the_benefit_year_is_new_years_midnight() -> None:
    assert edition().ends_at == read_instant("2026-01-01 00:00")


@pytest.mark.parametrize(("name", "knows"), [("shanghai-2024", False), ("shanghai-2025", True)])
def test_only_the_notice_of_2025_knows_waiting_periods(name: str, knows: bool) -> None:
    assert edition(name).knows_waiting_periods is knows


@pytest.mark.parametrize(
    ("name", "parameter", "value"),
    [
        ("shanghai-2025", "autumn_from", "2025-08-01"),
        ("shanghai-2025", "autumn_to", "2025-12-31"),
        ("shanghai-2025", "benefit_from", "2025-09-01"),
        ("shanghai-2025", "benefit_to", "2025-12-31"),
        ("shanghai-2025", "window_opens", "2025-09-05 00:00:00+08:00"),
        ("shanghai-2025", "window_closes_on", "2025-12-31"),
        ("shanghai-2025", "first_premium", "0"),
        ("shanghai-2025", "table_premium", "355"),
        ("shanghai-2025", "waiting_months_per_lapsed_year", "3"),
        ("shanghai-2025", "evoucher_hour", "09:00:00"),
        ("shanghai-2025", "insurance_hotline", "12393"),
        ("shanghai-2025", "insurance_hotline_elsewhere", "021-12393"),
        ("shanghai-2025", "social_security_hotline", "12345"),
        ("shanghai-2024", "window_opens", "registration_day"),
        ("shanghai-2024", "window_closes_on", "2024-12-31"),
        ("shanghai-2024", "evoucher_hour", "00:00:00"),
        ("shanghai-2024", "evoucher_counts_from", "account"),
        ("shanghai-2024", "benefit_from", "2024-09-01"),
        ("shanghai-2024", "benefit_to", "2024-12-31"),
    ],
)
def test_a_released_edition_says_what_the_reading_says(
    name: str, parameter: str, value: str
) -> None:
    assert str(getattr(edition(name).parameters, parameter).value) == value


def test_the_notice_of_2024_names_no_table_premium() -> None:
    assert edition("shanghai-2024").parameters.table_premium is None


@pytest.mark.parametrize(
    ("parameter", "basis"),
    [
        ("window_opens", "assumed"),
        ("window_closes_on", "assumed"),
        ("waiting_months_per_lapsed_year", "stated"),
        ("evoucher_hour", "stated"),
    ],
)
def test_a_parameter_says_whether_the_notice_states_it(parameter: str, basis: str) -> None:
    assert getattr(edition().parameters, parameter).basis == basis
