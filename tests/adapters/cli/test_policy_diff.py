"""`yibao policy diff`: what one edition says otherwise than another."""

from typing import Any

import pytest

from yibao.adapters.editions.files import Editions

from ..conftest import Run, Write
from .test_cli import MINE, parsed, refused

OLD, NEW = "shanghai-2024", "shanghai-2025"


@pytest.fixture
def told(run: Run) -> dict[str, Any]:
    found: dict[str, Any] = parsed(run("policy", "diff", OLD, NEW, "--json"))
    return found


def _named(told: dict[str, Any], section: str) -> dict[str, dict[str, Any]]:
    return {each["name"]: each for each in told[section]}


def test_every_value_that_differs_is_told_with_both(told: dict[str, Any]) -> None:
    old, new = Editions().get(OLD), Editions().get(NEW)
    assert (told["format"], told["a"]["id"], told["b"]["id"]) == (1, OLD, NEW)
    assert (told["a"]["digest"], told["b"]["digest"]) == (old.digest, new.digest)
    values = _named(told, "values")
    hour = values["evoucher_hour"]
    assert (hour["a"]["value"], hour["b"]["value"]) == ("00:00", "09:00")
    assert hour["a"]["unit"] == hour["b"]["unit"] == "time of day"
    assert values["table_premium"]["a"] is None
    assert values["table_premium"]["b"]["value"] == "355"
    for name in type(old.parameters).model_fields:
        one, other = getattr(old.parameters, name), getattr(new.parameters, name)
        if (one and one.value) != (other and other.value):
            assert name in values, name
    assert "activation_places" not in values


def test_what_is_stated_by_one_and_assumed_under_the_other_is_told_with_the_reason(
    told: dict[str, Any],
) -> None:
    shares = _named(told, "shares")
    village = shares["village_clinic_share"]
    assert (village["a"]["basis"], village["b"]["basis"]) == ("assumed", "stated")
    assert village["a"]["reason"].keys() == {"en", "zh"}
    assert village["b"]["reason"] is None
    assert "inpatient_third_share" not in shares
    rules = _named(told, "rules")
    assert (rules["R12"]["a"]["basis"], rules["R12"]["b"]["basis"]) == ("assumed", "stated")
    assert "value" not in rules["R12"]["a"]
    assert "R13" not in rules  # assumed in both


def test_the_clauses_of_all_are_set_side_by_side(told: dict[str, Any]) -> None:
    clauses = _named(told, "clauses")
    assert clauses["evoucher_hour"] == {
        "of": "values",
        "name": "evoucher_hour",
        "a": "section (二)",
        "b": "step 2",
    }
    assert clauses["table_premium"]["a"] is None
    assert (clauses["R12"]["of"], clauses["inpatient_third_share"]["of"]) == ("rules", "shares")
    assert "remote_filing_places" not in clauses  # Q7 of either notice


def test_an_edition_of_ones_own_differs_by_what_it_says_otherwise(write: Write, run: Run) -> None:
    folder = write(MINE, "policies/mine.yaml").parent
    own = parsed(run("policy", "diff", NEW, "mine", "--json", "--policies", folder))
    assert [each["name"] for each in own["values"]] == ["evoucher_hour"]
    assert (own["shares"], own["rules"]) == ([], [])
    places = _named(own, "clauses")
    assert (places["evoucher_hour"]["a"], places["evoucher_hour"]["b"]) == ("step 2", "circular 7")


def test_a_person_reads_it_in_both_languages(run: Run) -> None:
    english = run("policy", "diff", OLD, NEW).stdout
    heads = [line.split()[0] for line in english.splitlines() if line.endswith(NEW)]
    assert heads == ["values", "shares", "rules", "clauses"]
    assert "hour of the e-voucher" in english
    assert "355 yuan" in english
    assert "ASSUMED: the notice knows no waiting period" in english
    chinese = run("policy", "diff", OLD, NEW, "--lang", "zh").stdout
    assert "推定" in chinese
    assert "条款" in chinese
    assert "ASSUMED" not in chinese


def test_an_edition_says_the_same_as_itself(run: Run) -> None:
    assert run("policy", "diff", NEW, NEW).stdout == "both editions say the same\n"
    assert run("policy", "diff", NEW, NEW, "--lang", "zh").stdout == "两版政策内容相同\n"
    same = parsed(run("policy", "diff", NEW, NEW, "--json"))
    assert not any(same[section] for section in ("values", "shares", "rules", "clauses"))


@pytest.mark.parametrize("pair", [(OLD,), (), (OLD, "nope"), ("nope", NEW), (OLD, NEW, OLD)])
def test_two_editions_are_compared(pair: tuple[str, ...], run: Run) -> None:
    refused(run("policy", "diff", *pair))
