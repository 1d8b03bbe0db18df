"""From when, and where, can the e-voucher be had?"""

import pytest
from given import Given, activate, checked, confirm, given, registered, roster, told

from yibao.domain.calendar import read_instant
from yibao.projections.evoucher import evoucher

NOON = read_instant("2025-10-01 12:00")


@pytest.fixture
def student() -> Given:
    return given(
        registered("2025-09-01"),
        roster(),
        confirm("2025-09-06 14:20"),
        checked("2025-09-06 14:50"),
    )


def test_it_tells_the_instant_from_which_it_can_be_had(student: Given) -> None:
    assert told(evoucher(student.case, NOON).available_at.value) == "2025-09-07 09:00"


def test_it_tells_the_four_places(student: Given) -> None:
    assert evoucher(student.case, NOON).places == (
        "national_platform",
        "alipay",
        "wechat",
        "city_services_app",
    )


def test_one_never_activated_is_not(student: Given) -> None:
    assert not evoucher(student.case, NOON).is_activated


@pytest.mark.parametrize(
    ("at", "activated"), [("2025-10-01 12:00", True), ("2025-10-01 12:01", False)]
)
def test_it_is_activated_from_the_instant_of_activation(
    student: Given, at: str, activated: bool
) -> None:
    student.and_(activate(at))
    assert evoucher(student.case, NOON).is_activated is activated
