"""A command id that was used for something else: the conflict names what differs, never a value."""

from collections.abc import Iterator
from typing import Any

import pytest

from yibao.adapters.service.service import Service, open_service
from yibao.domain.refusals import OutOfStep

from ..helpers.autumn import ADA, POLICY, Clock, register, roster

AT = "2025-09-20 09:00"
LATER = "2025-09-21 09:00"
CHANGES = {"on": "2025-09-02", "school": "fudan"}


@pytest.fixture
def service() -> Iterator[Service]:
    with open_service(clock=Clock("2025-12-20 12:00"), by="tester") as service:
        register(service)
        roster(service)
        yield service


def conflict(service: Service, name: str, first: dict[str, Any], other: dict[str, Any]) -> str:
    """What the conflict names between what two commands of one id tell."""
    ask = getattr(service, name)
    target = [POLICY] if name == "fix_window" else [ADA]
    receipt = ask(*target, **{"at": AT, **first}, command_id="one")
    with pytest.raises(OutOfStep) as caught:
        ask(*target, **{"at": AT, **other}, command_id="one")
    assert caught.value.code == "command_id_reused"
    assert set(caught.value.details) == {"version", "differing"}
    assert caught.value.details["version"] == receipt.version
    for value in other.values():
        assert str(value) not in str(caught.value)
    return str(caught.value.details["differing"])


@pytest.mark.parametrize(
    ("name", "first", "other", "differing"),
    [
        ("confirm", {"channel": "proxy"}, {"channel": "wechat"}, "channel"),
        ("withdraw", {"on": "2025-12-01"}, {"on": "2025-12-02", "at": LATER}, "at, on"),
        ("declare_roster", {"by": "school-1"}, {"by": "school-2"}, "by"),
        ("declare_roster", {}, {"by": "school-2"}, "by"),
        ("declare_roster", {}, {"by": "tester"}, "by"),
        ("declare_roster", {"by": "tester", "observed": True}, {}, "observed"),
        ("declare_roster", {}, {"reason": "late-sheet"}, "reason"),
        ("build_account", {"on": "2025-09-10"}, {"on": "2025-09-10", "observed": True}, "observed"),
        (
            "build_account",
            {"on": "2025-09-10", "at": None},
            {"on": "2025-09-10", "at": "2025-12-20 12:00", "by": "tester"},
            "at, by",
        ),
        (
            "verify_prior_coverage",
            {"lapsed_years": 1},
            {"lapsed_years": 1, "waiting_ends_on": "2025-12-31"},
            "waiting_ends_on",
        ),
        (
            "fix_window",
            {"closes_on": "2025-12-19"},
            {"opens_on": "2025-09-07"},
            "opens_on, closes_on",
        ),
        (
            "receive_care",
            {"on": "2025-09-20", "setting": "campus_clinic", "cost": "71.00"},
            {"on": "2025-09-20", "setting": "campus_clinic", "cost": "71.50"},
            "cost",
        ),
    ],
)
def test_the_values_of_a_fact_are_named(
    name: str, first: dict[str, Any], other: dict[str, Any], differing: str, service: Service
) -> None:
    assert conflict(service, name, first, other) == differing


def test_another_command_is_named_as_that_alone(service: Service) -> None:
    service.declare_roster(ADA, at=AT, command_id="one")
    with pytest.raises(OutOfStep) as caught:
        service.pay_premium(ADA, at=LATER, year=2026, command_id="one")
    assert caught.value.details["differing"] == "command"


@pytest.mark.parametrize(
    ("differing", "other"),
    [
        ("on", {"changes": CHANGES | {"on": "2025-09-03"}}),
        ("school", {"changes": {"on": "2025-09-02"}}),
        ("occurred_at", {"occurred_at": "2025-09-01 08:00"}),
        ("reason", {"reason": "mistyped"}),
        ("at", {"at": LATER}),
        ("changes", {"changes": CHANGES | {"colour": "red"}}),
        ("changes", {"changes": CHANGES | {"category": "undergraduate"}}),
    ],
)
def test_what_is_corrected_is_named_by_its_own_values(
    differing: str, other: dict[str, Any], service: Service
) -> None:
    fact = service.facts(ADA)[0].event_id
    first = {"fact": fact, "reason": "misread", "changes": CHANGES}
    assert conflict(service, "correct", first, first | other) == differing


def test_what_is_taken_back_is_named(service: Service) -> None:
    registered, declared = (event.event_id for event in service.facts(ADA))
    first = {"fact": declared, "reason": "mistake"}
    assert conflict(service, "void", first, first | {"fact": registered}) == "fact_id"


@pytest.mark.parametrize(
    ("differing", "other"),
    [
        ("paid", {"paid": "1.07"}),
        ("paid", {"paid": "54.00"}),
        ("at", {"at": LATER}),
        ("observed", {"observed": True}),
    ],
)
def test_what_is_settled_is_named(differing: str, other: dict[str, Any], service: Service) -> None:
    service.confirm(ADA, at="2025-09-06 14:20", channel="app")
    service.verify_prior_coverage(ADA, at="2025-09-06 14:50", lapsed_years=0)
    bill = {"on": "2025-09-20", "setting": "campus_clinic", "cost": "60.00"}
    care, another = (
        service.receive_care(ADA, at=AT, **bill).event_id  # type: ignore[arg-type]
        for _ in range(2)
    )
    assert conflict(service, "settle_care", {"care": care}, {"care": care, **other}) == differing
    settled = {"at": LATER, "care": care}
    service.reverse_care(ADA, **settled, command_id="back")  # type: ignore[arg-type]
    with pytest.raises(OutOfStep) as caught:
        service.reverse_care(ADA, **settled | {"care": another}, command_id="back")  # type: ignore[arg-type]
    assert caught.value.details["differing"] == "care"
