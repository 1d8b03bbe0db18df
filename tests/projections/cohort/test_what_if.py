"""What another edition would change: who gains days of cover, who loses some, and what is paid."""

from datetime import date, timedelta

import pytest
from given import COVERED, SIGNED, WAITING, Given, care, edition, edition_with, settle, void
from given import given as told_of
from given.cohort import LEARNED, anybody, editions
from hypothesis import given as forall
from hypothesis import settings
from hypothesis import strategies as st

from yibao.domain.calendar import read_instant
from yibao.domain.editions import Policy
from yibao.domain.money import Fen
from yibao.domain.refusals import BadValue
from yibao.domain.vocabulary import PENDING, EnrollmentId
from yibao.projections.answer import answered
from yibao.projections.cohort.what_if import Effects, Moved, WhatIf, under
from yibao.projections.record import EditionRecord, Knowledge, Record

AT = read_instant("2026-01-10 10:00")
NOBODY = Moved(0, 0, Fen(0))
ONE_MONTH = edition_with(waiting_months_per_lapsed_year=1)
SIX_MONTHS = edition_with(waiting_months_per_lapsed_year=4)


def what_if(*students: Given, edited: Policy = ONE_MONTH) -> WhatIf:
    return WhatIf([each.knowledge(AT) for each in students], edition(), edited, AT)


def test_who_waited_gains_the_months_that_are_no_longer_waited() -> None:
    waited = told_of(*WAITING)
    assert waited.coverage() == "2025-12-02 to 2025-12-31"
    found = what_if(waited)
    assert found.gains == Moved(1, 61, Fen(0))  # covered from 2025-10-02
    assert found.loses == NOBODY
    (one,) = found.everybody()
    assert (one.enrollment, one.days_before, one.days_after) == (EnrollmentId("s1", 2025), 30, 91)


def test_who_waits_longer_loses_all_cover_of_the_year() -> None:
    found = what_if(told_of(*WAITING), edited=SIX_MONTHS)
    assert (found.gains, found.loses) == (NOBODY, Moved(1, 30, Fen(0)))


def test_who_did_not_wait_neither_gains_nor_loses() -> None:
    found = what_if(told_of(*COVERED))
    assert (found.gains, found.loses, found.examples()) == (NOBODY, NOBODY, ())
    assert [each.days_after for each in found.everybody()] == [122]


def test_days_of_who_is_pending_are_not_known_and_count_on_neither_side() -> None:
    found = what_if(told_of(*SIGNED))
    (one,) = found.everybody()
    assert (one.days_before, one.days_after, one.days_more) == (None, None, 0)
    assert (found.gains, found.loses) == (NOBODY, NOBODY)


def test_money_is_what_the_fund_pays_assessed_anew_whatever_was_settled() -> None:
    waited = told_of(*WAITING, care("2025-11-03", cost="100.00"))
    found = what_if(waited)
    assert found.gains == Moved(1, 61, Fen.of("80.00"))
    assert what_if(waited.and_(settle(observed=True))).gains == found.gains
    (one,) = found.everybody()
    assert (one.fund_before, one.fund_after) == (Fen(0), Fen.of("80.00"))


def test_care_that_is_no_longer_covered_is_money_lost() -> None:
    waited = told_of(*WAITING, care("2025-12-10", cost="100.00"))
    assert what_if(waited, edited=SIX_MONTHS).loses == Moved(1, 30, Fen.of("80.00"))


def test_money_of_whose_days_stay_is_told_of_them_alone() -> None:
    found = what_if(
        told_of(*COVERED, care("2025-11-03", cost="100.00")),
        edited=edition_with(campus_clinic_share=90),
    )
    (one,) = found.everybody()
    assert (one.fund_before, one.fund_after) == (Fen.of("80.00"), Fen.of("90.00"))
    assert (found.gains, found.loses) == (NOBODY, NOBODY)


def test_effects_are_told_by_school_and_by_category() -> None:
    found = what_if(
        told_of(*WAITING, ref="a", school="ecnu"),
        told_of(*WAITING, ref="b", school="sjtu"),
        told_of(*COVERED, ref="c", school="sjtu", category="postgraduate"),
    )
    one = Effects(Moved(1, 61, Fen(0)), NOBODY)
    assert found.by("school") == {"ecnu": one, "sjtu": one}
    assert list(found.by("school")) == ["ecnu", "sjtu"]
    assert found.by("category") == {
        "postgraduate": Effects(),
        "undergraduate": Effects(Moved(2, 122, Fen(0)), NOBODY),
    }
    with pytest.raises(BadValue, match=r"where: by, .*school, category"):
        found.by("age")


def test_an_example_has_both_answers_with_their_reasons() -> None:
    found = what_if(told_of(*WAITING, ref="a"), told_of(*WAITING, ref="b"))
    (example,) = found.examples()
    assert example.outcome.enrollment.ref == "a"
    assert example.before == told_of(*WAITING, ref="a").answer("2026-01-10 10:00")
    assert example.before.policy == edition()
    assert example.after.policy is ONE_MONTH
    assert example.after.values is not None
    assert example.after.values.coverage.value == (date(2025, 10, 2), date(2025, 12, 31))


def test_who_is_under_another_edition_or_registered_no_longer_is_not_asked() -> None:
    gone = told_of(*WAITING)
    gone.and_(void("2025-12-12 10:00", "registered"))
    assert list(what_if(gone).everybody()) == []
    other = edition().model_copy(update={"edition": "another"})
    assert list(what_if(told_of(*WAITING, policy=other)).everybody()) == []


def said(known: Knowledge) -> tuple[object, ...]:
    """The window and what the fund pays, as an answer tells them."""
    answer = answered(known, LEARNED)
    window = answer.values and answer.values.coverage.value
    paid = sum(each.fund_pays.value for each in answer.care)
    if window is PENDING:
        return None, paid
    return ((window[1] - window[0]).days + 1 if window else 0), paid  # type: ignore[index, operator]


def over_again(record: Record, replaced: str, edited: Policy) -> Record:
    """Everything recorded of a student and of the years before, where an edition is another."""

    def edition_of(name: str) -> EditionRecord:
        found = record.edition_of(name)
        return EditionRecord(edited, found.log) if name == replaced else found

    logs = {}
    years: Record | None = record
    while years:
        logs[years.enrollment.year] = years.enrolled, years.received
        years = years.before
    if record.following:
        logs[record.enrollment.year + 1] = record.following, type(record.following)(())
    return Record.of(record.enrollment, logs, edition_of, record.now)


@forall(
    st.integers(0, 2**32),
    st.sampled_from(sorted(editions())),
    st.integers(0, 4),
    st.booleans(),
    st.integers(0, 200),
)
@settings(deadline=None, max_examples=60)
def test_it_says_what_everything_recorded_anew_under_the_other_edition_says(
    seed: int, replaced: str, months: int, early: bool, minutes: int
) -> None:
    released = editions()[replaced]
    content = released.model_dump()
    content["parameters"]["waiting_months_per_lapsed_year"]["value"] = months
    if early:
        closes = content["parameters"]["window_closes_on"]
        if closes:
            closes["value"] -= timedelta(days=20)
    content["benefits"]["outpatient_third_share"]["value"] = 70
    edited = Policy.model_validate(content)
    cutoff = LEARNED - timedelta(days=100) + timedelta(minutes=minutes)
    for record in anybody(seed):
        known = record.known_by(cutoff)
        anew = over_again(record, replaced, edited).known_by(cutoff)
        assert said(under(known, replaced, edited)) == said(anew)
        for each in WhatIf([known], released, edited, LEARNED).everybody():
            assert (each.days_before, each.fund_before) == said(known)
            assert (each.days_after, each.fund_after) == said(anew)
