"""What a piece of care would cost, asked of the pure core."""

import pytest
from given import (
    COVERED,
    Given,
    care,
    edition_with,
    given,
    told,
    void,
)

from yibao.domain.calendar import read_instant
from yibao.domain.care.assessing import Assessed
from yibao.domain.editions.policy import Policy
from yibao.domain.facts.commands import ReceiveCare
from yibao.domain.refusals import BadValue, NotPermitted
from yibao.projections.care import quote

AT = "2025-12-31 12:00"


def quoted(student: Given, **changes: str) -> Assessed:
    values = {"on": "2025-10-01", "setting": "outpatient", "level": "third", "cost": "400.00"}
    command = ReceiveCare(at=AT, **(values | changes))  # type: ignore[arg-type]
    at = read_instant(AT)
    return quote(student.everything, command, at, at)


def test_a_quote_is_what_the_care_comes_to_once_it_is_recorded() -> None:
    student = given(*COVERED, care("2025-09-20", "outpatient", "250.00", level="first"))
    before = quoted(student)
    student.and_(care("2025-10-01", "outpatient", "400.00", level="third", name="next"))
    assert told(before.fund_pays.value) == student.bill("next").fund == "175.00"
    assert told(before.deductible_left.value) == student.bill("next").left == "0.00"


def test_a_quote_records_nothing() -> None:
    student = given(*COVERED)
    assert quoted(student) == quoted(student)
    assert student.received == []


@pytest.mark.parametrize(
    "steps", [(), (*COVERED, void("2025-10-02 09:00", "registered"))], ids=["never", "no longer"]
)
def test_who_is_not_enrolled_gets_no_quote(steps: tuple[object, ...]) -> None:
    with pytest.raises(NotPermitted, match="not_registered"):
        quoted(given(*steps))  # type: ignore[arg-type]


def test_without_a_table_of_benefits_there_is_no_quote() -> None:
    content = edition_with().model_dump() | {"benefits": None, "benefit_rules": {}}
    with pytest.raises(BadValue, match="no table of benefits"):
        quoted(given(*COVERED, policy=Policy.model_validate(content)))
