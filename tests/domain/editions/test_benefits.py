"""The table of what is paid, cell by cell, as the reading of the notices has it (R26 to R28)."""

from typing import Any

import pytest
from given import care, edition, edition_with, given, registered
from pydantic import ValidationError

from yibao.domain.care.assessing import assessments
from yibao.domain.care.ledger import cares
from yibao.domain.editions.benefits import BENEFIT_RULES, Benefits, needs_level
from yibao.domain.editions.policy import Policy
from yibao.domain.facts.streams import fold
from yibao.domain.refusals import BadValue
from yibao.domain.rules.case import Case
from yibao.domain.vocabulary import CareSetting, HospitalLevel

EDITIONS = ("shanghai-2024", "shanghai-2025")

_CITED = {"clause": "table (2)", "basis": "stated", "notice": "shanghai-2025"}
#: Cells that neither released edition has.
OPTIONAL = {
    "outpatient_cap": {"value": "1000", "unit": "yuan a year", **_CITED},
    "outpatient_cap_counts_campus": {"value": False, "unit": "yes or no", **_CITED},
}
#: Setting, level, rule, deductible, share.
TABLE = [
    ("campus_clinic", None, "R26", "0.00", "80"),
    ("village_clinic", None, "R26", "0.00", "80"),
    ("outpatient", "first", "R27", "300.00", "70"),
    ("outpatient", "second", "R27", "300.00", "60"),
    ("outpatient", "third", "R27", "300.00", "50"),
    ("inpatient", "first", "R28", "50.00", "80"),
    ("inpatient", "second", "R28", "100.00", "75"),
    ("inpatient", "third", "R28", "300.00", "60"),
]

#: Which cells the notice does not state.
ASSUMED = {
    "shanghai-2024": {
        "village_clinic_deductible",
        "village_clinic_share",
        "remote_settles_by_evoucher",
    },
    "shanghai-2025": {
        "remote_filing_required",
        "remote_settles_by_evoucher",
        "remote_filing_places",
        "claim_places",
    },
}


def benefits(name: str = "shanghai-2025") -> Benefits:
    found = edition(name).benefits
    assert found is not None
    return found


def changed(cell: str, **entry: Any) -> Policy:
    content = edition().model_dump()
    content["benefits"][cell] |= entry
    return Policy.model_validate(content)


@pytest.mark.parametrize("name", EDITIONS)
def test_the_table_says_what_the_reading_says(name: str) -> None:
    assert [
        (row.setting, row.level, row.rule, str(row.deductible.value), str(row.share.value))
        for row in benefits(name).table
    ] == TABLE


@pytest.mark.parametrize("name", EDITIONS)
@pytest.mark.parametrize("level", HospitalLevel)
def test_emergency_care_is_paid_like_outpatient_care(name: str, level: HospitalLevel) -> None:
    _, _, *emergency = benefits(name).row(CareSetting.EMERGENCY, level)
    _, _, *outpatient = benefits(name).row(CareSetting.OUTPATIENT, level)
    assert emergency == outpatient


def test_only_the_deductible_of_outpatients_and_emergencies_accumulates_over_the_year() -> None:
    emergency = benefits().row(CareSetting.EMERGENCY, HospitalLevel.FIRST)
    yearly = {row.setting.value for row in [*benefits().table, emergency] if row.is_yearly}
    assert yearly == {"outpatient", "emergency"}


def test_a_deductible_says_what_it_is_counted_by() -> None:
    assert {(row.rule, row.deductible.unit) for row in benefits().table} == {
        ("R26", "yuan a visit"),
        ("R27", "yuan a year"),
        ("R28", "yuan a stay"),
    }


def test_every_setting_but_a_clinic_needs_a_level() -> None:
    assert {setting.value for setting in CareSetting if not needs_level(setting)} == {
        "campus_clinic",
        "village_clinic",
    }


@pytest.mark.parametrize("name", EDITIONS)
def test_every_cell_names_its_notice_and_whether_that_states_it(name: str) -> None:
    cells = {key: cell for key, cell in benefits(name) if cell}
    assert {cell.notice for cell in cells.values()} == {name}
    assert {key for key, cell in cells.items() if cell.basis == "assumed"} == ASSUMED[name]


@pytest.mark.parametrize("name", EDITIONS)
@pytest.mark.parametrize(("rule", "clause"), [("R26", "(1)"), ("R27", "(2)"), ("R28", "(3)")])
def test_a_row_and_its_rule_cite_one_clause(name: str, rule: str, clause: str) -> None:
    rows = [row for row in benefits(name).table if row.rule == rule]
    shares = {row.share.clause for row in rows if row.setting != "village_clinic"}
    assert shares == {edition(name).cited(rule).clause}
    assert all(cited.endswith(clause) for cited in shares)


@pytest.mark.parametrize("name", EDITIONS)
def test_every_rule_about_what_is_paid_is_cited(name: str) -> None:
    assert set(edition(name).benefit_rules) == set(BENEFIT_RULES)


@pytest.mark.parametrize(
    ("name", "basis"), [("shanghai-2024", "assumed"), ("shanghai-2025", "stated")]
)
def test_the_village_clinic_is_assumed_for_2024_alone(name: str, basis: str) -> None:
    row = benefits(name).row(CareSetting.VILLAGE_CLINIC, None)
    assert {row.deductible.basis, row.share.basis} == {basis}


def test_an_assumed_cell_says_why() -> None:
    reason = benefits("shanghai-2024").village_clinic_share.reason
    assert reason is not None
    assert reason.en == "the notice is silent; as in 2025"


@pytest.mark.parametrize("name", EDITIONS)
@pytest.mark.parametrize("cell", Benefits.model_fields)
def test_another_cell_has_another_digest_of_benefits_and_the_same_of_the_edition(
    name: str, cell: str
) -> None:
    content = edition(name).model_dump()
    told = content["benefits"][cell] or OPTIONAL[cell] | {"name": cell}
    value = told["value"]
    other = not value if isinstance(value, bool) else value[:1] if isinstance(value, tuple) else 7
    content["benefits"][cell] = told | {"value": other}
    altered = Policy.model_validate(content)
    assert altered.benefits_digest != edition(name).benefits_digest
    assert altered.digest == edition(name).digest


def test_another_reading_of_a_rule_has_another_digest_of_benefits() -> None:
    content = edition().model_dump()
    content["benefit_rules"]["R30"]["clause"] = "Q5"
    altered = Policy.model_validate(content)
    assert altered.benefits_digest != edition().benefits_digest
    assert altered.digest == edition().digest


def test_another_parameter_leaves_the_digest_of_benefits_as_it_was() -> None:
    assert edition_with(evoucher_hour="08:00").benefits_digest == edition().benefits_digest


def test_the_same_table_has_the_same_digest() -> None:
    again = Policy.model_validate(edition().model_dump())
    assert again.benefits_digest == edition().benefits_digest


@pytest.mark.parametrize(
    ("cell", "entry", "why"),
    [
        ("campus_clinic_share", {"value": "100.01"}, "less than or equal to 100"),
        ("campus_clinic_share", {"value": "-1"}, "greater than or equal to 0"),
        ("campus_clinic_share", {"value": "66.667"}, "decimal"),
        ("campus_clinic_share", {"unit": "share"}, "unit must be 'percent'"),
        ("outpatient_deductible", {"value": "-300.00"}, "an amount is written in yuan"),
        ("outpatient_deductible", {"value": "300.001"}, "an amount is written in yuan"),
        ("outpatient_deductible", {"unit": "yuan a stay"}, "unit must be 'yuan a year'"),
        ("inpatient_first_deductible", {"unit": "yuan a year"}, "unit must be 'yuan a stay'"),
        ("claim_places", {"value": ["bank"]}, "claim_places: an unknown code"),
        ("campus_clinic_share", {"basis": "assumed"}, "needs a reason"),
    ],
)
def test_a_cell_that_cannot_be_right_is_refused(cell: str, entry: dict[str, Any], why: str) -> None:
    with pytest.raises(ValidationError, match=why):
        changed(cell, **entry)


@pytest.mark.parametrize("share", ["0", "100", "66.67"])
def test_a_share_may_go_to_the_edge(share: str) -> None:
    found = changed("campus_clinic_share", value=share).benefits
    assert found is not None
    assert str(found.campus_clinic_share.value) == share


def test_a_missing_cell_is_refused() -> None:
    content = edition().model_dump()
    del content["benefits"]["inpatient_third_share"]
    with pytest.raises(ValidationError, match="inpatient_third_share"):
        Policy.model_validate(content)


WITHOUT = edition().model_copy(update={"benefits": None, "benefit_rules": {}})


def test_an_edition_may_have_no_table_of_benefits() -> None:
    student = given(registered("2025-09-01"), policy=WITHOUT)
    assert (student.state(), student.bills()) == ("registered", [])


def test_without_a_table_nothing_is_said_of_care_that_is_known() -> None:
    student = given(registered("2025-09-01"), care("2025-10-01"))
    received = cares(fold(student.received))
    case = Case(WITHOUT, student.case.known)
    assert len(assessments(student.case, received, student.latest_stamp)) == 1
    assert assessments(case, received, student.latest_stamp) == ()


def test_under_an_edition_without_a_table_no_care_is_recorded() -> None:
    student = given(registered("2025-09-01"), policy=WITHOUT)
    refused = student.when(care("2025-10-01")).refused
    assert isinstance(refused, BadValue)
    assert refused.details["where"] == "policy"
    assert student.received == []
