"""Which care is no longer paid as it was assessed, asked of the pure core."""

from given import (
    COVERED,
    SIGNED,
    WAITING,
    Given,
    care,
    checked,
    correct,
    edition_with,
    given,
    reverse,
    settle,
    void,
)

from yibao.domain.calendar import read_instant
from yibao.domain.editions.policy import Policy
from yibao.projections.care import Changed, review
from yibao.projections.record import Cutoff

LAST = read_instant("2025-12-31 12:00")
BILL = care("2025-10-01", at="2025-10-01 18:00")
MISREAD = correct("2025-10-05 09:00", "prior-coverage-verified", lapsed_years=1)


def reviewed(student: Given, cutoff: Cutoff = LAST) -> tuple[Changed, ...]:
    return review(student.everything, LAST, cutoff)


def told(found: tuple[Changed, ...]) -> list[tuple[str, str | None, list[str]]]:
    """What the fund was to pay then and now, and the names of the facts that moved it."""
    return [
        (
            str(each.then.fund_pays),
            str(each.now.fund_pays) if each.now else None,
            [event.name for event in each.moved_by],
        )
        for each in found
    ]


def test_settled_care_that_is_no_longer_covered_is_listed() -> None:
    student = given(*COVERED, BILL, settle(at="2025-10-02 09:00"), MISREAD)
    assert told(reviewed(student)) == [("80.00", "0.00", ["prior-coverage-verified"])]


def test_only_what_moved_it_is_named() -> None:
    other = care("2025-10-03", at="2025-10-03 18:00", name="other")
    student = given(*COVERED, BILL, settle(at="2025-10-02 09:00"), other, MISREAD)
    assert told(reviewed(student)) == [("80.00", "0.00", ["prior-coverage-verified"])]


def test_care_stamped_before_the_registration_is_reviewed_all_the_same() -> None:
    student = given(*COVERED, BILL, settle(at="2025-10-02 09:00"), MISREAD)
    early = read_instant("2025-08-31 09:00")
    student.received = [e.model_copy(update={"recorded_at": early}) for e in student.received]
    assert [str(each.then.fund_pays) for each in reviewed(student)] == ["80.00"]


def test_settled_care_that_comes_to_the_same_is_not_listed() -> None:
    assert reviewed(given(*COVERED, BILL, settle(at="2025-10-02 09:00"))) == ()


def test_what_had_not_been_settled_or_refused_is_not_listed() -> None:
    assert reviewed(given(*COVERED, BILL)) == ()
    assert reviewed(given(*COVERED, BILL, MISREAD)) == ()


def test_a_reversed_settlement_is_settled_no_more() -> None:
    student = given(
        *COVERED, BILL, settle(at="2025-10-02 09:00"), reverse(at="2025-10-03 09:00"), MISREAD
    )
    assert reviewed(student) == ()


def test_refused_care_that_is_covered_now_is_listed() -> None:
    student = given(
        *SIGNED,
        checked("2025-09-06 10:30", 1),
        BILL,
        correct("2025-10-05 09:00", "prior-coverage-verified", lapsed_years=0),
    )
    assert told(reviewed(student)) == [("0.00", "80.00", ["prior-coverage-verified"])]


def test_refused_care_that_is_refused_for_another_reason_is_not_listed() -> None:
    student = given(
        *SIGNED,
        checked("2025-09-06 10:30", 1),
        BILL,
        void("2025-10-05 09:00", "registered"),
    )
    assert reviewed(student) == ()


def test_care_taken_back_after_it_was_settled_is_listed_without_an_amount() -> None:
    student = given(*COVERED, BILL, settle(at="2025-10-02 09:00"), void("2025-10-05 09:00", "bill"))
    assert told(reviewed(student)) == [("80.00", None, ["voided"])]


def test_refused_care_taken_back_is_not_listed() -> None:
    student = given(*WAITING, BILL, void("2025-10-05 09:00", "bill"))
    assert reviewed(student) == ()


def test_what_moved_it_later_is_not_known_earlier() -> None:
    student = given(*COVERED, BILL, settle(at="2025-10-02 09:00"), MISREAD)
    assert reviewed(student, read_instant("2025-10-04 09:00")) == ()
    assert reviewed(student, 0) == ()


def test_without_a_table_of_benefits_there_is_nothing_to_review() -> None:
    student = given(*COVERED, BILL, settle(at="2025-10-02 09:00"), MISREAD)
    content = edition_with().model_dump() | {"benefits": None, "benefit_rules": {}}
    student.policy = Policy.model_validate(content)
    assert reviewed(student) == ()
