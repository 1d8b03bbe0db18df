"""What holds for any facts of any years in a row (R33 to R36)."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from given import Given, Step, Years, continuing, edition, given, registered, step
from hypothesis import given as forall
from hypothesis import settings
from hypothesis import strategies as st

from yibao.domain.calendar import read_instant
from yibao.domain.editions.policy import Policy
from yibao.domain.facts import commands, events
from yibao.domain.facts.streams import fold
from yibao.domain.lifecycle import timeline
from yibao.domain.rules import Case, as_of, values
from yibao.domain.vocabulary import PENDING, DayRange, Document, WaitingPeriod

AT = read_instant("2029-12-31 12:00")
SAID = {
    "for_students": ("students", ["entrants", "continuing"]),
    "waiting_repaired_per_year": ("months", 1),
    "waiting_floor": ("months", {"lapsed_years": 2, "months": 2}),
    "cover_after_leaving": ("kinds of leaving", {"graduated": "until_benefit_to"}),
}
EDITIONS = {2025: edition(), **{y: continuing(y, **SAID) for y in range(2026, 2030)}}


def instants(year: int) -> st.SearchStrategy[str]:
    """Moments of a year's season, near the ends of its periods, or anywhere in it."""
    near = [f"{year - 1}-11-13 23:59", f"{year - 1}-11-14 00:00", f"{year - 1}-12-31 23:45"]
    near += [f"{year}-01-01 00:00", f"{year}-06-30 10:00", f"{year}-12-31 23:45"]
    near += [f"{year}-09-0{day} 10:00" for day in (1, 4, 5, 6)] + [f"{year + 1}-01-02 09:00"]
    return st.sampled_from(near)


def facts(year: int) -> st.SearchStrategy[Step]:
    """A fact of a year, as reported."""
    at, day = instants(year), instants(year).map(lambda text: text[:10])

    def told(kind: Any, /, **values: Any) -> st.SearchStrategy[Step]:
        fixed = {key: st.just(value) for key, value in values.items() if not _is_drawn(value)}
        drawn = {key: value for key, value in values.items() if _is_drawn(value)}
        asked = st.fixed_dictionaries({"at": at, **fixed, **drawn})
        return asked.map(lambda all_: step(kind, all_["at"], observed=True, **_without_at(all_)))

    lapsed = st.integers(0, 3)
    named = st.none() | day
    return st.one_of(
        told(commands.Confirm, channel="app"),
        told(commands.PayPremium, year=year),
        told(commands.PayPremium, year=year + 1),
        told(
            commands.VerifyPriorCoverage,
            lapsed_years=lapsed,
            waiting_ends_on=named,
            years_repaid=st.none() | lapsed,
        ),
        told(commands.DeclareOtherCover, kind="employee"),
        told(commands.StopEmployeeCover, on=day),
        told(commands.BuildAccount, on=day),
        told(commands.ActivateEvoucher, channel="alipay"),
        told(commands.IssueMedicalCard),
        told(commands.KeepOtherCover),
        told(commands.Withdraw, on=day, kind=st.sampled_from([None, "graduated"])),
    )


#: True four times out of five.
MOSTLY = st.integers(0, 4).map(bool)


def _is_drawn(value: Any) -> bool:
    return isinstance(value, st.SearchStrategy)


def _without_at(told: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in told.items() if key != "at"}


@st.composite
def joining(draw: st.DrawFn, year: int) -> list[Step]:
    """As most join: in time, and checked."""
    lapsed = draw(st.integers(0, 4))
    seen = step(commands.VerifyPriorCoverage, f"{year}-09-06 10:30", lapsed_years=lapsed)
    if EDITIONS[year].enrolled_by_payment:
        at = draw(st.sampled_from([f"{year - 1}-11-20 10:00", f"{year}-03-02 10:00"]))
        joined = step(commands.PayPremium, at, year=year, observed=True)
        return [joined, *draw(st.sampled_from([[], [seen]]))]
    at = f"{year}-09-06 10:00"
    return [step(commands.Confirm, at, channel="app", observed=True), seen]


@st.composite
def years(draw: st.DrawFn, most: int = 5) -> list[Given]:
    """Up to five years in a row of one student, in some of which she may not be registered."""
    found = []
    document = draw(st.sampled_from([Document.RESIDENT_ID_CARD, Document.PASSPORT]))
    for year in range(2025, 2025 + draw(st.integers(2, most))):
        world = given(policy=EDITIONS[year], document=document)
        if draw(MOSTLY) or year == 2025:
            on = draw(st.sampled_from(["2025-09-01", "2025-09-01", f"{year}-09-01"]))
            world = world.and_(registered(on, at=f"{year - 1}-11-01 09:00"))
            typical = draw(joining(year)) if draw(MOSTLY) else []
            for fact in (*typical, *draw(st.lists(facts(year), max_size=3))):
                world = world.when(fact).given  # a bad value leaves it as it was
        found.append(world)
    return found


@forall(years())
@settings(deadline=None, max_examples=80)
def test_every_year_is_answered_whatever_was_recorded_in_any(told: list[Given]) -> None:
    student = Years(*told)
    for year, case in student.cases.items():
        for at in (read_instant(f"{year}-10-01 12:00"), AT):
            standing = as_of(case, at)
            found = values(standing, at)
            assert len(found) == 4
            changes = timeline(standing)
            assert [change.at for change in changes] == sorted(change.at for change in changes)


@forall(years(most=2))
@settings(deadline=None, max_examples=80)
def test_carrying_over_never_shortens_what_was_owed(told: list[Given]) -> None:
    before, now = Years(*told).cases.values()
    if before.enrolled is None or now.enrolled is None:
        return
    owed = values(before, AT).waiting.value
    found = values(now, AT)
    if not isinstance(owed, WaitingPeriod) or (now.check and now.check.event.waiting_ends_on):
        return
    benefit_from = now.policy.parameters.benefit_from.value
    if owed.last >= benefit_from:
        assert isinstance(found.waiting.value, WaitingPeriod)
        assert found.waiting.value.last >= owed.last
    if isinstance(found.coverage.value, DayRange):
        assert found.coverage.value.first > owed.last


@forall(years(most=2))
@settings(deadline=None, max_examples=80)
def test_nobody_is_asked_twice_for_a_fact_that_is_known(told: list[Given]) -> None:
    student = Years(*told)
    before = student.cases[2025]
    asked = {step for at in ("2026-03-01 12:00", "2026-12-31 12:00") for step in student.steps(at)}
    if before.enrolled:
        assert not asked & {"await_check_result", "look_at_result"}
    if before.activations and before.activations[-1].at < read_instant("2026-03-01 12:00"):
        assert not asked & {"activate_evoucher", "try_evoucher_or_get_medical_card"}


@forall(years(most=3), st.randoms(use_true_random=False))
@settings(deadline=None, max_examples=80)
def test_a_payment_is_the_same_in_whichever_stream_it_is_told(
    told: list[Given], chance: Any
) -> None:
    """Moved to the stream of the year before, or told in both, it leads to the same."""
    last = told[-1].policy.year
    streams = [list(fold(each.recorded).facts) for each in told]
    # Which of two choices of one instant came first, only their order in one stream tells.
    opted_out = {f.at for f in streams[-1] if isinstance(f.event, events.OtherCoverKept)}
    payments = [f for f in streams[-1] if getattr(f.event, "year", None) == last]
    payments = [f for f in payments if f.at not in opted_out]
    moved = [f for f in payments if chance.random() < 0.7]
    kept = [f for f in streams[-1] if f not in moved or chance.random() < 0.3]
    here = _chain([EDITIONS[each.policy.year] for each in told], streams)
    there = _chain(
        [EDITIONS[each.policy.year] for each in told],
        [*streams[:-2], [*streams[-2], *moved], kept],
    )
    for at in (read_instant(f"{last}-02-01 12:00"), AT):
        assert _plain(here, at) == _plain(there, at)


def _chain(policies: Sequence[Policy], streams: Sequence[Sequence[Any]]) -> Case:
    case: Case | None = None
    for policy, known in zip(policies, streams, strict=True):
        case = Case(policy, sorted(known, key=lambda fact: fact.moment), before=case)
    assert case is not None
    return case


def _plain(case: Case, at: datetime) -> tuple[Any, ...]:
    standing = as_of(case, at)
    changes = [(change.at, change.state) for change in timeline(standing)]
    return (*(each.value for each in values(standing, at)), changes)


@forall(years(most=4))
@settings(deadline=None, max_examples=60)
def test_a_year_of_which_no_earlier_one_is_known_is_answered_as_by_itself(
    told: list[Given],
) -> None:
    last = told[-1]
    alone = Case(last.policy, fold(last.recorded).facts)
    nothing = Case(EDITIONS[2025], ())
    beside = Case(last.policy, fold(last.recorded).facts, before=nothing)
    for at in (read_instant(f"{last.policy.year}-02-01 12:00"), AT):
        assert _plain(alone, at) == _plain(beside, at)


@forall(years(most=3))
@settings(deadline=None, max_examples=80)
def test_what_is_pending_in_the_year_before_is_pending_here(told: list[Given]) -> None:
    *_, before, now = Years(*told).cases.values()
    if before.enrolled is None or now.enrolled is None:
        return
    found, earlier = values(now, AT), values(before, AT)
    named = now.check and now.check.event.waiting_ends_on
    if earlier.waiting.value is PENDING and not named:
        assert found.waiting.value is PENDING
    if earlier.account_built_on.value is PENDING and not named and not now.facts.accounts:
        assert found.account_built_on.value in (PENDING, None)
