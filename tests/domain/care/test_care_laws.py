"""What holds for any care, under any facts, in any order."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from fractions import Fraction
from functools import cache, reduce
from random import Random
from typing import Any, NamedTuple

from given import (
    Given,
    Step,
    account,
    activate,
    card,
    care,
    checked,
    confirmed,
    correct,
    filed,
    given,
    keep,
    other_cover,
    registered,
    reverse,
    roster,
    settle,
    stopped,
    void,
    withdraw,
)
from given.years import edition_saying
from hypothesis import given as forall
from hypothesis import settings
from hypothesis import strategies as st

from yibao.domain.calendar import read_instant
from yibao.domain.care.assessing import Amounts, Assessed, assessments
from yibao.domain.care.ledger import Care, Ledger, cares
from yibao.domain.derivation import Derived
from yibao.domain.editions.policy import Policy
from yibao.domain.facts import events
from yibao.domain.facts.streams import EMPTY, evolve, fold, places
from yibao.domain.money import NOTHING, Fen
from yibao.domain.refusals import Refused
from yibao.domain.rules.case import Case
from yibao.domain.vocabulary import CareSetting
from yibao.projections.parts import PARTS

#: Facts of an enrollment, all as reports, so that they come together in any order.
FACTS: dict[str, Step] = {
    "roster": roster(observed=True),
    "confirmed": confirmed("2025-09-06 10:00"),
    "confirmed late": confirmed("2025-11-15 10:00"),
    "confirmed by proxy": confirmed("2025-09-10 16:00", "proxy"),
    "no lapsed year": checked("2025-09-06 10:30"),
    "a lapsed year": checked("2025-09-06 10:30", 1),
    "two lapsed years": checked("2025-09-20 12:00", 2),
    "resident": other_cover("2025-09-01 09:00", "shanghai_resident"),
    "employee": other_cover("2025-09-01 09:00", "employee"),
    "stopped": stopped("2025-10-10 09:00", "2025-10-10"),
    "stopped next year": stopped("2025-12-10 09:00", "2026-01-10"),
    "other province": other_cover("2025-09-01 09:00", "other_province"),
    "kept": keep("2025-10-15 09:00", observed=True),
    "kept early": keep("2025-09-03 09:00", observed=True),
    "left": withdraw("2025-11-20 09:00", "2025-11-20", observed=True),
    "left early": withdraw("2025-09-02 09:00", "2025-09-02", observed=True),
    "account": account("2025-09-10 09:00", "2025-09-08"),
    "activated": activate("2025-09-12 09:00", observed=True),
    "card": card("2025-10-02 09:00"),
    "filed": filed("2025-10-02 09:00", observed=True),
    "unregistered": void("2025-12-31 12:00", "registered"),
    "registered again": registered("2025-09-20", "2025-12-31 12:30"),
}
DAYS = (
    "2025-08-31",
    "2025-09-01",
    "2025-09-06",
    "2025-09-07",
    "2025-10-02",
    "2025-10-15",
    "2025-11-19",
    "2025-11-30",
    "2025-12-01",
    "2025-12-31",
    "2026-01-01",
    "2026-01-02",
)
KINDS = [
    (setting.value, level)
    for setting in CareSetting
    for level in ([None] if "clinic" in setting else ["first", "second", "third"])
]
COVERED = ("confirmed", "no lapsed year", "filed")
YEARLY = ("outpatient", "emergency")
CLINICS = ("campus_clinic", "village_clinic")
DEDUCTIBLE = Fen.of("300.00")
LATE = "2026-01-05 12:00"
#: When it is asked about: while a confirmation may still come, and afterwards.
INSTANTS = ("2025-09-01 00:00", "2025-10-15 12:00", "2025-12-31 23:59", LATE)


class Piece(NamedTuple):
    """A piece of care as it is told."""

    on: str
    kind: tuple[str, str | None]
    cost: Fen
    province: str | None = None

    def step(self, name: str) -> Step:
        setting, level = self.kind
        return care(
            self.on,
            setting,
            str(self.cost),
            name=name,
            at=LATE,
            level=level,
            province=self.province,
        )


@cache
def saying(cap: str | None, campus: bool | None, restart: str | None) -> Policy:
    """An edition that limits what the fund pays, over a window with a 1 January in it."""
    return edition_saying(
        "limited",
        benefit_to=("day", "2026-08-31"),
        outpatient_cap=("yuan a year", cap) if cap else None,
        outpatient_cap_counts_campus=None if campus is None else ("yes or no", campus),
        yearly_amounts_restart=("period", restart) if restart else None,
    )


caps = st.sampled_from(["0.00", "0.01", "100.00", "1000.00"])
campus = st.sampled_from([None, False, True])
restarts = st.sampled_from([None, "benefit_period", "calendar_year"])
limited = st.builds(saying, caps, campus, restarts)
policies = st.one_of(st.just("shanghai-2025"), limited)

costs = st.one_of(st.integers(0, 200_00), st.integers(0, 2_000_00), st.integers(0, 10**9)).map(Fen)
one_piece = st.builds(
    Piece,
    st.sampled_from(DAYS),
    st.sampled_from(KINDS),
    costs,
    st.sampled_from([None, None, "zhejiang"]),
)
pieces = st.lists(one_piece, max_size=7)
facts = st.lists(st.sampled_from(sorted(FACTS)), max_size=7)
instants = st.sampled_from(INSTANTS)
often = settings(max_examples=60, deadline=None)


def told(
    names: Sequence[str],
    received: Sequence[Piece],
    policy: str | Policy = "shanghai-2025",
    **sheet: str,
) -> Given:
    """A student of whom these facts are known, then this care; what is refused is left out."""
    student = given(registered("2025-09-01", **sheet), policy=policy)
    # Recorded while registered, and kept whatever becomes of the registration.
    for place, piece in enumerate(received):
        student.and_(piece.step(f"bill {place}"))
    for name in names:
        student.when(FACTS[name])
    return student


def assessed(student: Given, at: str = LATE) -> tuple[Assessed, ...]:
    ground = student.ground
    assert ground is not None
    return assessments(ground.case, cares(fold(student.received)), read_instant(at))


def amounts(student: Given, at: str = LATE) -> list[Amounts]:
    return [each.amounts for each in assessed(student, at)]


def unsettled(found: Sequence[Amounts]) -> list[Amounts]:
    return [each._replace(settled=None) for each in found]


def cost_of(each: Assessed) -> Fen:
    return each.care.fact.event.cost


@often
@forall(facts, pieces, policies, instants)
def test_the_fund_and_the_patient_together_pay_the_eligible_cost(
    names: list[str], received: list[Piece], policy: str | Policy, at: str
) -> None:
    for each in assessed(told(names, received, policy), at):
        assert each.fund_pays.value + each.patient_pays.value == cost_of(each)
        assert each.fund_pays.value >= NOTHING
        assert each.patient_pays.value >= NOTHING


@often
@forall(facts, pieces, instants)
def test_any_care_is_covered_or_pending_or_refused_and_only_covered_care_is_paid(
    names: list[str], received: list[Piece], at: str
) -> None:
    found = assessed(told(names, received), at)
    assert len(found) == len(received)
    for each in found:
        is_covered = each.settlement.value is not None
        assert [is_covered, each.is_pending, each.refused is not None].count(True) == 1
        if not is_covered:
            assert (each.fund_pays.value, each.deductible_used.value) == (NOTHING, NOTHING)


@often
@forall(facts, pieces, instants)
def test_no_more_of_the_yearly_deductible_is_consumed_than_there_is(
    names: list[str], received: list[Piece], at: str
) -> None:
    left = DEDUCTIBLE
    for each in assessed(told(names, received), at):
        if each.care.fact.event.setting in YEARLY:
            left = left.less(each.deductible_used.value)
        assert each.deductible_left.value == left
        assert left >= NOTHING


@often
@forall(pieces)
def test_the_deductible_is_consumed_to_the_end_before_anything_above_it_is_paid(
    received: list[Piece],
) -> None:
    inside = [piece._replace(on="2025-10-02", province=None) for piece in received]
    for each in assessed(told(COVERED, inside)):
        if each.care.fact.event.setting in YEARLY and each.fund_pays.value:
            assert each.deductible_left.value == NOTHING


#: Of most of whom much is covered.
likely = st.one_of(st.just(list(COVERED)), facts)


def year_of(each: Assessed, policy: Policy) -> int | None:
    restart = policy.parameters.yearly_amounts_restart
    is_by_calendar = restart is not None and restart.value == "calendar_year"
    return each.care.fact.event.on.year if is_by_calendar else None


@often
@forall(likely, pieces, limited, instants)
def test_over_a_year_the_fund_pays_no_more_than_the_cap_and_what_is_left_is_the_rest(
    names: list[str], received: list[Piece], policy: Policy, at: str
) -> None:
    assert policy.benefits is not None
    cap, counts = policy.benefits.outpatient_cap, policy.benefits.outpatient_cap_counts_campus
    assert cap is not None
    settings = {*YEARLY, *(CLINICS if counts and counts.value else ())}
    sums: dict[int | None, int] = {}
    for each in assessed(told(names, received, policy), at):
        year = year_of(each, policy)
        spent = sums.setdefault(year, 0)
        if each.care.fact.event.setting in settings:
            sums[year] = spent = spent + each.fund_pays.value
        assert each.cap_left.value == cap.value - spent
        assert NOTHING <= cap.value - spent <= cap.value


@often
@forall(likely, pieces, campus, restarts, instants)
def test_a_cap_above_every_sum_changes_nothing(
    names: list[str], received: list[Piece], counts: bool | None, restart: str | None, at: str
) -> None:
    with_it, without = (
        told(names, received, saying(cap, counts, restart)) for cap in ("99999999.00", None)
    )
    found = [each._replace(cap_left=None) for each in amounts(with_it, at)]
    assert found == amounts(without, at)


@often
@forall(likely, pieces, caps, campus)
def test_calendar_years_are_paid_as_if_there_were_no_other(
    names: list[str], received: list[Piece], cap: str, counts: bool | None
) -> None:
    policy = saying(cap, counts, "calendar_year")

    def paid(some: Sequence[Piece], year: str) -> list[Amounts]:
        found = amounts(told(names, some, policy))
        mine = zip(some, found, strict=True)
        return [each._replace(version=0) for piece, each in mine if piece.on.startswith(year)]

    for year in ("2025", "2026"):
        own = [piece for piece in received if piece.on.startswith(year)]
        assert paid(received, year) == paid(own, year)


@often
@forall(likely, pieces, caps, campus, st.sampled_from(["2025", "2026"]))
def test_within_one_calendar_year_it_does_not_matter_by_which_one_counts(
    names: list[str], received: list[Piece], cap: str, counts: bool | None, year: str
) -> None:
    own = [piece for piece in received if piece.on.startswith(year)]
    by_calendar, by_window, silent = (
        amounts(told(names, own, saying(cap, counts, restart)))
        for restart in ("calendar_year", "benefit_period", None)
    )
    assert by_calendar == by_window == silent


GOES_ON = edition_saying(
    "goes-on", cover_after_leaving=("kinds of leaving", {"graduated": "until_benefit_to"})
)


@often
@forall(
    facts.map(lambda names: [name for name in names if not name.startswith(("left", "unreg"))]),
    pieces,
    st.sampled_from(["2025-09-02", "2025-10-02", "2025-12-01", "2025-12-31", "2026-01-01"]),
    instants,
)
def test_where_cover_goes_on_leaving_moves_no_care_of_who_has_confirmed(
    names: list[str], received: list[Piece], day: str, at: str
) -> None:
    inside, outside = (told(["confirmed", *names], received, GOES_ON) for _ in range(2))
    outside.and_(withdraw(f"{day} 09:00", day, kind="graduated", observed=True))
    assert amounts(outside, at) == amounts(inside, at)


@st.composite
def splits(draw: st.DrawFn) -> tuple[Piece, list[Fen]]:
    """A piece of outpatient or emergency care, and the same cost as several bills."""
    kind = draw(st.sampled_from([kind for kind in KINDS if kind[0] in YEARLY]))
    cost = draw(st.one_of(st.integers(0, 600_00), st.integers(0, 10_000_00)))
    cuts = sorted(draw(st.lists(st.integers(0, cost), max_size=6)))
    parts = [Fen(b - a) for a, b in zip([0, *cuts], [*cuts, cost], strict=True)]
    return Piece("2025-10-02", kind, Fen(cost)), parts


@often
@forall(splits(), pieces, pieces)
def test_how_a_cost_is_split_into_bills_moves_no_deductible_and_half_a_fen_a_bill_at_most(
    split: tuple[Piece, list[Fen]], before: list[Piece], after: list[Piece]
) -> None:
    whole, parts = split

    def with_bills(bills: Sequence[Piece]) -> tuple[Assessed, ...]:
        return assessed(told(COVERED, [*before, *bills, *after]))

    first, last = len(before), len(after)
    at_once = with_bills([whole])
    in_parts = with_bills([whole._replace(cost=part) for part in parts])
    mine = in_parts[first : len(in_parts) - last]
    (one,) = at_once[first : first + 1]
    assert sum(each.deductible_used.value for each in mine) == one.deductible_used.value
    assert mine[-1].deductible_left.value == one.deductible_left.value
    share = Fraction(one.fund_pays.inputs[2].value) / 100  # type: ignore[union-attr]
    exact = (whole.cost - one.deductible_used.value) * share
    paid = sum(each.fund_pays.value for each in mine)
    assert abs(paid - exact) <= Fraction(len(parts), 2)
    assert abs(one.fund_pays.value - exact) <= Fraction(1, 2)
    # What is recorded after it is paid the same.
    rest = [(each.fund_pays.value, each.patient_pays.value) for each in at_once[first + 1 :]]
    assert rest == [
        (each.fund_pays.value, each.patient_pays.value) for each in in_parts[first + len(parts) :]
    ]


@often
@forall(facts, pieces, st.data())
def test_settling_and_reversing_change_no_amount(
    names: list[str], received: list[Piece], data: st.DataObject
) -> None:
    student = told(names, received)
    before = amounts(student)
    for _ in range(data.draw(st.integers(1, 8))):
        name = f"bill {data.draw(st.integers(0, max(len(received) - 1, 0)))}"
        if name in student.named:
            reversing = data.draw(st.booleans())
            student.when(reverse(name) if reversing else settle(name, observed=True, paid="0.00"))
            assert unsettled(amounts(student)) == before


@often
@forall(pieces, st.data())
def test_reversing_everything_restores_the_beginning(
    received: list[Piece], data: st.DataObject
) -> None:
    student = told(COVERED, received)
    before, names = amounts(student), list(student.named)
    for name in data.draw(st.permutations(names)):
        student.and_(settle(name, observed=True))
    assert all(each.settled for each in amounts(student))
    for name in data.draw(st.permutations(names)):
        student.and_(reverse(name))
    assert amounts(student) == before
    assert not any(each.settled for each in amounts(student))


@often
@forall(facts, pieces, st.data())
def test_how_care_and_enrollment_were_told_in_between_each_other_changes_nothing(
    names: list[str], received: list[Piece], data: st.DataObject
) -> None:
    names = [name for name in names if "registered" not in name]  # without it no care is recorded
    one_by_one = told(names, received)
    mixed = given(registered("2025-09-01"))
    enrollment = [FACTS[name] for name in names]
    bills = [piece.step(f"bill {place}") for place, piece in enumerate(received)]
    while enrollment or bills:
        take_bill = bills and (not enrollment or data.draw(st.booleans()))
        mixed.when((bills if take_bill else enrollment).pop(0))
    assert amounts(mixed) == amounts(one_by_one)


@often
@forall(facts, pieces, policies, instants)
def test_care_known_earlier_is_assessed_as_if_nothing_had_come_after(
    names: list[str], received: list[Piece], policy: str | Policy, at: str
) -> None:
    student = told(names, received, policy)
    ground = student.ground
    assert ground is not None
    whole = amounts(student, at)
    for version in range(len(received) + 1):
        known = cares(fold(student.received[:version]))
        found = assessments(ground.case, known, read_instant(at))
        assert [each.amounts for each in found] == whole[:version]


@often
@forall(pieces, one_piece, costs, pieces)
def test_a_corrected_cost_is_what_it_would_have_been_if_told_so_at_once(
    before: list[Piece], piece: Piece, cost: Fen, after: list[Piece]
) -> None:
    student = told(COVERED, [*before, piece, *after])
    student.and_(correct(LATE, f"bill {len(before)}", cost=str(cost)))
    right = told(COVERED, [*before, piece._replace(cost=cost), *after])
    assert amounts(student) == amounts(right)


@often
@forall(pieces, one_piece, pieces)
def test_care_taken_back_is_as_if_it_had_never_been(
    before: list[Piece], piece: Piece, after: list[Piece]
) -> None:
    student = told(COVERED, [*before, piece, *after])
    student.and_(void(LATE, f"bill {len(before)}"))
    without = amounts(told(COVERED, [*before, *after]))
    assert [each._replace(version=0) for each in amounts(student)] == [
        each._replace(version=0) for each in without
    ]


@st.composite
def ledgers(draw: st.DrawFn) -> Given:
    """A student, and care settled, reversed, corrected and taken back in any order."""
    student = told(draw(facts), draw(pieces), draw(policies))
    for _ in range(draw(st.integers(0, 8))):
        if not student.named:
            break
        name = draw(st.sampled_from(sorted(student.named)))
        step = draw(
            st.sampled_from(
                [
                    settle(name),
                    settle(name, observed=True),
                    reverse(name),
                    correct(LATE, name, cost="10.00"),
                    correct(LATE, name, on="2025-10-02"),
                    correct(LATE, name, on="2026-01-01"),
                    void(LATE, name),
                ]
            )
        )
        student.when(step)
    return student


@often
@forall(ledgers(), instants)
def test_an_answer_is_given_whatever_has_happened_to_the_care(student: Given, at: str) -> None:
    found = student.answer(at)
    assert found.care_version == len(student.received)
    assert len(found.care) <= len(student.named)
    for each in found.care:
        if each.refused or each.is_pending:
            assert each.fund_pays.value == NOTHING
        assert each.fund_pays.value + each.patient_pays.value == cost_of(each)


def standing(student: Given) -> list[Care]:
    """The care that stands, read off the current facts of the stream."""
    stream = reduce(evolve, student.received, EMPTY)
    place_of = places(stream.recorded)
    current = [fact.event for fact in stream.facts]
    undone = [each.settlement for each in current if isinstance(each, events.CareReversed)]
    settled = {
        place_of[each.care]: each
        for each in current
        if isinstance(each, events.CareSettled) and each.event_id not in undone
    }
    return [
        Care(fact, student.received[fact.place - 1], settled.get(fact.place))  # type: ignore[arg-type]
        for fact in stream.facts
        if isinstance(fact.event, events.CareReceived)
    ]


@often
@forall(ledgers())
def test_the_care_that_stands_is_that_of_the_current_facts(student: Given) -> None:
    assert list(cares(fold(student.received))) == standing(student)


@often
@forall(ledgers())
def test_whoever_follows_the_care_of_a_case_is_told_what_one_who_asks_at_once_is(
    student: Given,
) -> None:
    ground = student.ground
    assert ground is not None
    ledger, followed = Ledger(), ground.case
    for event in student.received:
        ledger.take(event)
        for at in (read_instant(INSTANTS[0]), read_instant(LATE)):
            anew = Case(followed.policy, followed.known, followed.fixes)
            found = assessments(followed, ledger.cares, at)
            assert found == assessments(anew, ledger.cares, at)


@often
@forall(ledgers())
def test_each_piece_has_at_most_one_settlement_that_stands_and_it_names_that_piece(
    student: Given,
) -> None:
    for each in cares(fold(student.received)):
        if each.settled is not None:
            assert each.settled.care == each.first.event_id


@often
@forall(ledgers())
def test_a_request_to_settle_is_granted_exactly_where_care_is_covered_and_open(
    student: Given,
) -> None:
    ground = student.ground
    assert ground is not None
    for each in assessed(student, str(student.latest_stamp)[:16]):
        is_open = each.care.settled is None and each.settlement.value is not None
        refused = student.when(settle(each.care.fact.event.event_id)).refused
        if ground.case.facts.registration is not None:
            assert (refused is None) is is_open
        else:
            assert isinstance(refused, Refused)


@contextmanager
def explained(reordered: Callable[[tuple[Any, ...]], tuple[Any, ...]]) -> Iterator[None]:
    """Whatever is derived meanwhile is explained by its inputs in another order, or by others."""
    made = Derived.__new__

    def make(
        cls: Any, name: str, value: Any, rule: str, inputs: Any = (), because: Any = None
    ) -> Any:
        return made(cls, name, value, rule, reordered(inputs), because)

    Derived.__new__ = make  # type: ignore[method-assign, assignment]
    try:
        yield
    finally:
        Derived.__new__ = made  # type: ignore[method-assign]


def answers(student: Given, at: str) -> list[Any]:
    """All that is answered, but how it is explained and what therefore is an estimate."""
    answer = student.answer(at)
    parts = {name: part.value(answer) for name, part in PARTS.items()}
    parts["next_steps"] = [step._replace(estimated=False) for step in answer.next_steps]
    codes = [derived.because for derived in answer.values or ()]
    bills = [
        (each.deductible_left.value, each.covered_from, each.earlier_use_is_unknown)
        for each in answer.care
    ]
    return [parts, codes, bills, [each.settlement.because for each in answer.care]]


#: Of most of whom so much is known that there is much to explain.
explicable = st.builds(
    lambda first, names: [*first, *names],
    st.sampled_from([(), COVERED, (*COVERED, "activated"), ("confirmed", "a lapsed year")]),
    facts,
)


@often
@forall(
    explicable,
    pieces,
    policies,
    instants,
    st.sampled_from(["resident_id_card", "passport"]),
    st.randoms(),
)
def test_nothing_is_decided_out_of_an_explanation(
    names: list[str],
    received: list[Piece],
    policy: str | Policy,
    at: str,
    document: str,
    random: Random,
) -> None:
    student = told(names, received, policy, document=document)
    plain = answers(student, at)
    with explained(lambda inputs: tuple(random.sample(inputs, len(inputs)))):
        assert answers(student, at) == plain
    with explained(lambda inputs: ()):
        assert answers(student, at) == plain


@often
@forall(explicable, pieces, instants, st.randoms())
def test_in_whatever_order_it_is_explained_an_estimate_is_one(
    names: list[str], received: list[Piece], at: str, random: Random
) -> None:
    student = told(names, received)
    plain = student.answer(at).next_steps
    with explained(lambda inputs: tuple(random.sample(inputs, len(inputs)))):
        assert student.answer(at).next_steps == plain
