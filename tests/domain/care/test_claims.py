"""What may be added to a stream of care: received, settled, reversed, corrected, taken back."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import pytest
from given import (
    Given,
    Step,
    care,
    checked,
    confirm,
    correct,
    edition,
    filed,
    fix_window,
    given,
    keep,
    other_cover,
    registered,
    reverse,
    roster,
    settle,
    step,
    void,
    withdraw,
)
from pydantic import ValidationError

from yibao.domain.facts import commands, events
from yibao.domain.refusals import BadValue, Refused

REGISTERED = registered("2025-09-01")
ROSTER = roster("2025-09-02 17:00")
SIGNED = (REGISTERED, ROSTER, confirm("2025-09-06 14:20"))
COVERED = (*SIGNED, checked("2025-09-06 14:50"))
WAITING = (*SIGNED, checked("2025-09-06 14:50", 1))
KEPT = (
    REGISTERED,
    ROSTER,
    other_cover("2025-09-01 09:00", "other_province"),
    keep("2025-09-03 18:00"),
)
LATE = "2025-12-31 23:00"
UNKNOWN = UUID(int=999)


@pytest.fixture
def student() -> Given:
    """Covered, with one bill of 100.00 at the campus clinic."""
    return given(*COVERED, care("2025-10-01"))


def refusal(world: Given, *steps: Step) -> Refused:
    before = list(world.received)
    refused = world.when(*steps).refused
    assert refused is not None
    assert world.received == before
    return refused


def settled(world: Given) -> events.CareSettled:
    found = world.received[-1]
    assert isinstance(found, events.CareSettled)
    return found


# Receiving


@pytest.mark.parametrize(
    "steps",
    [
        (REGISTERED,),
        COVERED,
        WAITING,
        KEPT,
        (*COVERED, withdraw("2025-09-20 09:00", "2025-09-20")),
    ],
    ids=["registered", "covered", "waiting", "opted out", "withdrawn"],
)
def test_care_is_recorded_whatever_the_cover(steps: Sequence[Step]) -> None:
    given(*steps).when(care("2025-10-01")).then(recorded="care-received")


def test_care_is_recorded_in_a_stream_of_its_own(student: Given) -> None:
    received = student.received[0]
    assert received.originator_id == student.enrollment.care_stream
    assert (received.originator_version, student.recorded[-1].originator_version) == (1, 4)


def test_care_is_always_a_report(student: Given) -> None:
    received = student.received[0]
    assert isinstance(received, events.CareReceived)
    assert received.observed


@pytest.mark.parametrize(
    "steps",
    [(), (REGISTERED, void("2025-09-02 09:00", "registered"))],
    ids=["never registered", "registration taken back"],
)
@pytest.mark.parametrize(
    "command",
    [
        care("2025-10-01"),
        settle(UNKNOWN, "2025-10-02 09:00"),
        settle(UNKNOWN, "2025-10-02 09:00", observed=True),
        reverse(UNKNOWN, "2025-10-02 09:00"),
    ],
    ids=["care", "settle", "settle, observed", "reverse"],
)
def test_without_a_registration_there_is_no_care(steps: Sequence[Step], command: Step) -> None:
    given(*steps).when(command).then(refused="not_registered")


# Settling


def test_covered_care_is_settled(student: Given) -> None:
    student.when(settle()).then(recorded="care-settled")


@pytest.mark.parametrize(
    ("steps", "code"),
    [
        ((*SIGNED, care("2025-10-01")), "cover_pending"),
        ((*COVERED, care("2025-08-31", at=LATE)), "outside_benefit_year"),
        ((*WAITING, care("2025-12-01")), "before_window"),
        ((*WAITING, care("2025-10-01")), "in_waiting_period"),
        ((*KEPT, care("2025-10-01")), "opted_out"),
        ((*COVERED, withdraw("2025-09-20 09:00", "2025-09-20"), care("2025-10-01")), "withdrawn"),
        ((*COVERED, care("2025-10-01", province="zhejiang")), "remote_care_not_filed"),
        (
            (
                REGISTERED,
                fix_window("2025-09-02 09:00", closes_on="2025-09-30"),
                care("2025-10-01"),
            ),
            "not_enrolled",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_not_covered_is_settled_only_as_a_report(steps: Sequence[Step], code: str) -> None:
    world = given(*steps)
    world.when(settle()).then(refused=code)
    world.when(settle(observed=True)).then(recorded="care-settled")
    assert (str(settled(world).fund_paid), settled(world).settlement) == ("0.00", None)


def test_pending_care_may_be_settled_once_the_cover_is_known() -> None:
    world = given(*SIGNED, care("2025-10-01"))
    world.when(settle()).then(refused="cover_pending")
    world.when(checked("2025-10-05 09:00"), settle(at="2025-10-05 10:00"))
    assert str(settled(world).fund_paid) == "80.00"


@pytest.mark.parametrize("observed", [False, True], ids=["request", "report"])
def test_nothing_is_settled_twice(student: Given, observed: bool) -> None:
    student.and_(settle())
    student.when(settle(observed=observed)).then(refused="already_settled")


def test_what_is_settled_already_is_so_before_it_is_refused(student: Given) -> None:
    student.and_(settle(), withdraw("2025-10-05 09:00", "2025-09-20", observed=True))
    student.when(settle()).then(refused="already_settled")


@pytest.mark.parametrize("observed", [False, True], ids=["request", "report"])
def test_care_that_is_not_in_the_stream_is_not_settled(student: Given, observed: bool) -> None:
    student.when(settle(UNKNOWN, observed=observed)).then(refused="no_such_fact")


@pytest.mark.parametrize("observed", [False, True], ids=["request", "report"])
def test_care_taken_back_is_not_settled(student: Given, observed: bool) -> None:
    student.and_(void("2025-10-02 09:00", "bill"))
    student.when(settle(observed=observed)).then(refused="superseded")


@pytest.mark.parametrize("which", [0, 1], ids=["first recorded", "corrected"])
def test_corrected_care_is_settled_by_the_id_of_any_of_its_events(
    student: Given, which: int
) -> None:
    student.and_(correct("2025-10-02 09:00", "bill", cost="50.00"))
    student.when(settle(student.received[which].event_id)).then(recorded="care-settled")
    assert settled(student).care == student.received[0].event_id
    assert str(settled(student).fund_paid) == "40.00"


@pytest.mark.parametrize(
    ("paid", "fund_paid"),
    [(None, "80.00"), ("79.99", "79.99"), ("0.00", "0.00"), ("80.01", "80.01"), ("100.00",) * 2],
)
def test_what_the_fund_in_fact_paid_is_what_was_assessed_unless_told(
    student: Given, paid: str | None, fund_paid: str
) -> None:
    student.and_(settle(paid=paid))
    assert (str(settled(student).fund_paid), str(settled(student).fund_pays)) == (
        fund_paid,
        "80.00",
    )


@pytest.mark.parametrize("observed", [False, True], ids=["request", "report"])
def test_more_than_the_eligible_cost_cannot_have_been_paid(student: Given, observed: bool) -> None:
    refused = refusal(student, settle(paid="100.01", observed=observed))
    assert isinstance(refused, BadValue)
    assert refused.details["where"] == "paid"


def test_a_settlement_keeps_the_amounts_that_had_been_assessed() -> None:
    world = given(
        *COVERED,
        filed("2025-09-20 09:00"),
        care("2025-10-01", "outpatient", "500.00", level="third", province="zhejiang"),
        settle(),
    )
    kept = settled(world)
    assert [
        str(amount) for amount in (kept.fund_pays, kept.patient_pays, kept.deductible_used)
    ] == [
        "100.00",
        "400.00",
        "300.00",
    ]
    assert kept.settlement == "other_province"


def test_a_settlement_keeps_what_it_stood_on() -> None:
    world = given(
        fix_window("2025-09-03 09:00", closes_on="2025-12-20"),
        fix_window("2025-09-04 09:00", closes_on="2025-12-21"),
        *COVERED,
        care("2025-10-01"),
        settle(),
    )
    kept, used = settled(world), edition()
    assert (kept.enrollment_version, kept.edition_version) == (4, 2)
    assert (kept.policy, kept.policy_digest, kept.benefits_digest) == (
        "shanghai-2025",
        used.digest,
        used.benefits_digest,
    )


def test_a_settlement_keeps_the_amounts_though_what_is_known_changes(student: Given) -> None:
    student.and_(settle(), withdraw("2025-10-05 09:00", "2025-09-20", observed=True))
    assert (str(settled(student).fund_pays), student.bill().fund) == ("80.00", "0.00")


def test_whether_the_cover_is_pending_is_judged_at_the_instant_of_settling() -> None:
    world = given(REGISTERED, ROSTER, care("2025-10-01"))
    world.when(settle(at="2025-12-31 23:59")).then(refused="cover_pending")
    world.when(settle(at="2026-01-01 00:00")).then(refused="not_enrolled")


# Reversing


@pytest.mark.parametrize("by", ["bill", "care-settled"])
def test_a_settlement_is_reversed_by_the_care_or_by_itself(student: Given, by: str) -> None:
    student.and_(settle())
    student.when(reverse(by)).then(recorded="care-reversed")
    reversed_ = student.received[-1]
    assert isinstance(reversed_, events.CareReversed)
    assert reversed_.settlement == student.received[1].event_id
    assert student.assessed().care.settled is None


def test_a_settlement_of_corrected_care_is_reversed_by_the_first_event_of_it(
    student: Given,
) -> None:
    student.and_(settle(), correct("2025-10-02 09:00", "bill", cost="50.00"))
    student.when(reverse(student.received[0].event_id)).then(recorded="care-reversed")


@pytest.mark.parametrize("by", ["bill", "care-settled"])
def test_nothing_is_reversed_twice(student: Given, by: str) -> None:
    student.and_(settle(), reverse())
    student.when(reverse(by)).then(refused="not_settled")


def test_what_was_never_settled_is_not_reversed(student: Given) -> None:
    student.when(reverse()).then(refused="not_settled")


def test_what_is_not_in_the_stream_is_not_reversed(student: Given) -> None:
    student.when(reverse(UNKNOWN)).then(refused="no_such_fact")


def test_care_can_be_settled_again_after_a_reversal(student: Given) -> None:
    student.and_(settle(paid="10.00"), reverse(), settle(paid="20.00"))
    standing = student.assessed().care.settled
    assert standing is not None
    assert str(standing.fund_paid) == "20.00"


def test_an_earlier_settlement_is_not_reversed_in_place_of_the_one_that_stands(
    student: Given,
) -> None:
    student.and_(settle())
    first = student.event("care-settled")
    student.and_(reverse(), settle())
    student.when(reverse(first)).then(refused="not_settled")


def test_only_the_settlement_of_that_care_is_reversed(student: Given) -> None:
    student.and_(care("2025-10-02", name="other"), settle(), settle("other"), reverse("other"))
    assert student.assessed().care.settled is not None
    assert student.assessed("other").care.settled is None


@pytest.mark.parametrize("by", ["bill", "care-settled"])
def test_the_settlement_of_care_taken_back_can_still_be_reversed(student: Given, by: str) -> None:
    student.and_(settle(), void("2025-10-02 09:00", "bill"))
    student.when(reverse(by)).then(recorded="care-reversed")


def test_a_reversal_is_granted_though_the_student_has_left(student: Given) -> None:
    student.and_(settle(), withdraw("2025-10-05 09:00", "2025-10-05"))
    student.when(reverse()).then(recorded="care-reversed")


# Correcting and taking back


def test_a_corrected_cost_is_assessed_anew_in_its_place(student: Given) -> None:
    student.and_(
        care("2025-10-02", name="other"), correct("2025-10-03 09:00", "bill", cost="50.00")
    )
    assert [bill.fund for bill in student.bills()] == ["40.00", "80.00"]
    assert student.assessed().care.first.cost == 100_00


def test_a_correction_may_give_and_take_away_optional_values(student: Given) -> None:
    student.and_(
        correct("2025-10-03 09:00", "bill", province="zhejiang", total_cost="120.00"),
        correct("2025-10-03 10:00", "bill", province=None),
    )
    found = student.assessed().care.fact.event
    assert (found.province, str(found.total_cost)) == (None, "120.00")


def test_a_correction_may_change_the_setting_and_its_level_together(student: Given) -> None:
    student.and_(correct("2025-10-03 09:00", "bill", setting="inpatient", level="first"))
    assert student.bill().fund == "40.00"


@pytest.mark.parametrize(
    ("changes", "where"),
    [
        ({"cost": "-1"}, "cost"),
        ({"cost": None}, "cost"),
        ({"setting": "outpatient"}, "level"),
        ({"level": "first"}, "level"),
        ({"total_cost": "99.99"}, "total_cost"),
        ({"province": "上海"}, "province"),
        ({"paid": "1.00"}, "paid"),
    ],
)
def test_a_correction_is_checked_like_the_care_itself(
    student: Given, changes: dict[str, Any], where: str
) -> None:
    refused = refusal(student, correct("2025-10-03 09:00", "bill", **changes))
    assert isinstance(refused, BadValue)
    assert refused.details["where"] == where


def test_corrected_care_stays_settled_as_it_was(student: Given) -> None:
    student.and_(settle(), correct("2025-10-03 09:00", "bill", cost="50.00"))
    standing = student.assessed().care.settled
    assert standing is not None
    assert (str(standing.fund_paid), student.bill().fund) == ("80.00", "40.00")


def test_care_taken_back_is_no_longer_assessed(student: Given) -> None:
    student.when(void("2025-10-03 09:00", "bill")).then(recorded="voided")
    assert student.bills() == []


def test_care_is_not_taken_back_twice(student: Given) -> None:
    bill = student.event("bill")
    student.and_(void("2025-10-03 09:00", "bill"))
    refused = refusal(student, step(commands.Void, LATE, fact_id=bill, reason="mistake"))
    assert refused.code == "superseded"


def test_care_is_corrected_by_its_current_event_alone(student: Given) -> None:
    first = student.event("bill")
    student.and_(correct("2025-10-03 09:00", "bill", cost="50.00"))
    refused = refusal(student, correct("2025-10-04 09:00", "bill", fact_id=first, cost="60.00"))
    assert refused.code == "superseded"


@pytest.mark.parametrize("name", ["care-settled", "care-reversed"])
@pytest.mark.parametrize("amend", [correct, void], ids=["correct", "void"])
def test_a_settlement_or_reversal_is_neither_corrected_nor_taken_back(
    student: Given, name: str, amend: Any
) -> None:
    student.and_(settle(), reverse(), settle())
    refused = refusal(student, amend("2025-10-05 09:00", name))
    assert isinstance(refused, BadValue)
    assert refused.details["where"] == "fact_id"


@pytest.mark.parametrize("amend", [correct, void], ids=["correct", "void"])
def test_recorded_care_can_be_amended_though_the_registration_was_taken_back(
    student: Given, amend: Any
) -> None:
    student.and_(void("2025-10-05 09:00", "registered"))
    student.and_(amend("2025-10-06 09:00", "bill"))
    assert len(student.received) == 2


# Repetitions and versions


@pytest.mark.parametrize(
    ("before", "command"),
    [
        ((), care("2025-10-02", command_id="k1")),
        ((), settle(at="2025-10-03 09:00", command_id="k1")),
        ((settle(),), reverse(at="2025-10-03 09:00", command_id="k1")),
    ],
    ids=["care", "settle", "reverse"],
)
def test_a_repeated_command_changes_nothing(
    student: Given, before: Sequence[Step], command: Step
) -> None:
    student.and_(*before, command)
    kept = list(student.received)
    student.when(command).then()
    assert student.received == kept


@pytest.mark.parametrize(
    "command",
    [
        care("2025-10-02", cost="99.00", command_id="k1"),
        settle(at="2025-10-03 09:00", paid="1.00", command_id="k1"),
        reverse(at="2025-10-03 09:00", command_id="k1"),
    ],
    ids=["other care", "settle", "reverse"],
)
def test_a_command_id_means_one_thing(student: Given, command: Step) -> None:
    student.and_(care("2025-10-02", name="other", command_id="k1"))
    assert refusal(student, command).code == "command_id_reused"


def test_a_command_id_of_the_enrollment_may_be_used_for_care() -> None:
    world = given(registered("2025-09-01", command_id="k1"))
    world.when(care("2025-10-01", command_id="k1")).then(recorded="care-received")


@pytest.mark.parametrize(
    "command",
    [
        care("2025-10-02", expected_version=0),
        settle(expected_version=0),
        settle(expected_version=4),
        reverse(expected_version=2),
        step(commands.Void, LATE, fact_id=UNKNOWN, reason="mistake", expected_version=0),
    ],
    ids=["care", "settle", "the enrollment's version", "reverse", "void"],
)
def test_a_sender_who_has_not_seen_all_of_the_care_is_refused(
    student: Given, command: Step
) -> None:
    assert refusal(student, command).code == "version_conflict"


def test_a_sender_who_has_seen_all_of_the_care_is_not_refused(student: Given) -> None:
    student.and_(settle(expected_version=1), reverse(expected_version=2))
    assert len(student.received) == 3


# The shape of the commands


def received(**values: Any) -> commands.ReceiveCare:
    sheet = {"at": LATE, "on": "2025-10-01", "setting": "campus_clinic", "cost": "100.00"}
    return commands.ReceiveCare.model_validate(sheet | values)


@pytest.mark.parametrize(
    ("values", "why"),
    [
        ({"level": "first"}, "a clinic has no level"),
        ({"setting": "village_clinic", "level": "first"}, "a clinic has no level"),
        ({"setting": "outpatient"}, "outpatient care needs the level"),
        ({"setting": "emergency"}, "emergency care needs the level"),
        ({"setting": "inpatient"}, "inpatient care needs the level"),
        ({"setting": "dentist"}, "setting"),
        ({"setting": "inpatient", "level": "fourth"}, "level"),
        ({"total_cost": "99.99"}, "cannot be less"),
        ({"province": "shanghai"}, "outside Shanghai"),
        ({"province": "Shanghai"}, "outside Shanghai"),
        ({"province": "上海"}, "outside Shanghai"),
        ({"province": "上海市"}, "outside Shanghai"),
        ({"province": ""}, "province"),
        ({"cost": 100.0}, "never a float"),
        ({"cost": "-1.00"}, "in yuan"),
        ({"cost": "1.005"}, "in yuan"),
        ({"on": "2025-10-32"}, "on"),
        ({"color": "red"}, "color"),
    ],
)
def test_care_in_a_wrong_shape_is_refused(values: dict[str, Any], why: str) -> None:
    with pytest.raises(ValidationError, match=why):
        received(**values)


@pytest.mark.parametrize(
    ("key", "value", "taken"),
    [
        ("total_cost", "100.00", "100.00"),
        ("total_cost", "100.01", "100.01"),
        ("cost", "0.00", "0.00"),
        ("cost", 100, "100.00"),
        ("province", "浙江", "浙江"),
        ("province", "shanghai-like", "shanghai-like"),
    ],
)
def test_care_that_fits_together_is_taken(key: str, value: Any, taken: str) -> None:
    assert str(received(**{key: value}).values()[key]) == taken


@pytest.mark.parametrize(
    ("one", "other"),
    [({"cost": "100"}, {"cost": "100.00"}), ({"cost": 100}, {}), ({"level": None}, {})],
)
def test_the_same_care_said_otherwise_is_the_same_command(
    one: dict[str, Any], other: dict[str, Any]
) -> None:
    assert received(**one).digest() == received(**other).digest()


@pytest.mark.parametrize(
    "values", [{"cost": "100.01"}, {"total_cost": "100.00"}, {"province": "zhejiang"}]
)
def test_other_care_is_another_command(values: dict[str, Any]) -> None:
    assert received(**values).digest() != received().digest()


def test_a_settlement_is_no_care_that_could_be_settled() -> None:
    student = given(*COVERED, care("2025-10-01"), settle())
    paid = student.received[-1].event_id
    student.when(settle(paid)).then(refused="no_such_fact")
