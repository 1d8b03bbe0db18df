"""The trail of students over several years: what one year tells of another stands in both."""

import random
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

import yibao
from yibao.adapters.following.derived import Batch, FactsFollowed
from yibao.adapters.following.trail.audit import AuditTrail, TrailEntry
from yibao.adapters.following.trail.changes import changes_of
from yibao.adapters.following.trail.questions import Key, Question
from yibao.adapters.service.service import Service, open_service
from yibao.adapters.store.urls import is_postgres
from yibao.adapters.upkeep.creating import migrate
from yibao.projections.answer import answered

from ..helpers.autumn import EDITIONS, POLICY, Clock, register
from ..helpers.follower import held, made_anew
from ..helpers.stores import lasting
from ..helpers.trail_killer import digest, digests_of_killed
from .test_followers import spoilt

NEXT = "shanghai-2026-continuing"
#: The edition of each year of which there is one at hand.
POLICIES = {2024: "shanghai-2024", 2025: POLICY, 2026: NEXT}
ADA, BO = ({year: yibao.EnrollmentId(ref, year) for year in POLICIES} for ref in ("ada", "bo"))


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def ready(url: str) -> str:
    if is_postgres(url):
        migrate(url)
    return url


@pytest.fixture
def service(ready: str, clock: Clock) -> Iterator[Service]:
    with open_service(ready, policies=EDITIONS, clock=clock) as it:
        yield it


@pytest.fixture
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(FactsFollowed, "size", 3)
    monkeypatch.setattr(Batch, "fan", 2)


def go_on(service: Service, student: dict[int, yibao.EnrollmentId], at: str) -> None:
    """Registers somebody for the year after the first autumn, by the day of entry."""
    service.register(
        student[2025].ref,
        at=at,
        policy=NEXT,
        on="2025-09-01",
        school="sjtu",
        category="undergraduate",
        document="resident_id_card",
    )


def two_years(service: Service, clock: Clock) -> None:
    """Two who go on; of one a check was wrong, the other has not yet joined in the first year."""
    for student in (ADA, BO):
        register(service, student[2025], clock.at("2025-09-01 08:30"))
        service.declare_roster(student[2025], at=clock.at("2025-09-02 17:00"))
    service.confirm(ADA[2025], at=clock.at("2025-09-06 14:20"), channel="app")
    go_on(service, ADA, clock.at("2025-11-15 09:00"))
    go_on(service, BO, clock.at("2025-11-16 09:00"))
    service.pay_premium(ADA[2025], at=clock.at("2025-11-20 09:00"), year=2026, by="bank")
    service.pay_premium(BO[2026], at=clock.at("2025-11-20 10:00"), year=2026, by="bank")
    service.verify_prior_coverage(BO[2026], at=clock.at("2025-11-20 11:00"), lapsed_years=0)
    check = service.verify_prior_coverage(
        ADA[2025], at=clock.at("2025-11-21 09:00"), lapsed_years=2, by="counter-4"
    )
    service.fix_window(POLICY, at=clock.at("2025-11-22 09:00"), closes_on="2025-10-20")
    service.correct(
        ADA[2025],
        check.event_id,
        at=clock.at("2025-11-23 09:00"),
        reason="wrong-line",
        changes={"lapsed_years": 0},
        by="officer-3",
    )


def listed(trail: AuditTrail, **asked: Any) -> list[TrailEntry]:
    return list(trail.all(Question(**asked), size=1))


def kinds(entries: list[TrailEntry]) -> list[tuple[Any, ...]]:
    return [(each.row.year, each.fact_year, each.row.kind) for each in entries]


@lasting
def test_a_fact_that_moved_another_year_is_listed_in_the_trail_of_both(
    service: Service, clock: Clock, small_batches: None
) -> None:
    two_years(service, clock)
    with service.audit_trail() as trail:
        own = [
            (2025, 2025, "registered"),
            (2025, 2025, "roster-declared"),
            (2025, 2025, "confirmed"),
            (2025, 2026, "registered"),
            (2025, 2025, "premium-paid"),
            (2025, 2025, "prior-coverage-verified"),
            (2025, 2025, "prior-coverage-verified"),
        ]
        next_year = [
            (2026, 2026, "registered"),
            (2026, 2025, "premium-paid"),
            (2026, 2025, "prior-coverage-verified"),
            (2026, 2025, "prior-coverage-verified"),
        ]
        assert kinds(listed(trail, ref="ada", year=2025)) == own
        assert kinds(listed(trail, ref="ada", year=2026)) == next_year
        found = listed(trail, ref="ada")
        assert sorted(kinds(found)) == sorted(own + next_year)
        # The fact itself first, then whom else it moved.
        assert kinds(found)[3:7] == [
            (2026, 2026, "registered"),
            (2025, 2026, "registered"),
            (2025, 2025, "premium-paid"),
            (2026, 2025, "premium-paid"),
        ]
        assert listed(trail, ref="ada", newest_first=True) == found[::-1]
        recorded = [*service.facts(ADA[2025]), *service.facts(ADA[2026])]
        assert {each.event.event_id for each in found if each.event} == {
            event.event_id for event in recorded
        }


@lasting
def test_a_window_fixed_for_the_year_before_is_told_of_whom_it_moved_in_the_next(
    service: Service, clock: Clock, small_batches: None
) -> None:
    two_years(service, clock)
    with service.audit_trail() as trail:
        (fix,) = listed(trail, kind="window-fixed")
        # Both years of one student: she is one of those it moved.
        assert (fix.changes["students"], fix.changes["parts"]["coverage"]) == (1, 1)
        assert kinds(listed(trail, ref="bo", kind="window-fixed")) == [
            (2025, 2025, "window-fixed"),
            (2026, 2025, "window-fixed"),
        ]
        assert listed(trail, ref="ada", kind="window-fixed") == []


@lasting
def test_facts_are_counted_once_whatever_years_they_moved(service: Service, clock: Clock) -> None:
    two_years(service, clock)
    facts = {
        "registered": 2,
        "prior-coverage-verified": 2,
        "roster-declared": 1,
        "confirmed": 1,
        "premium-paid": 1,
    }
    with service.audit_trail() as trail:
        assert trail.counts(Question(ref="ada"), "kind") == facts
        assert trail.counts(Question(ref="ada", year=2026), "kind") == {
            "prior-coverage-verified": 2,
            "premium-paid": 1,
            "registered": 1,
        }
        everybody = trail.counts(Question(facts_only=True), "kind")
        assert everybody["registered"] == 4
        assert everybody["prior-coverage-verified"] == 3
        assert trail.counts(Question(changed="state", by="bank"), "actor") == {"bank": 2}
        assert trail.counts(Question(corrections=True), "kind") == {"prior-coverage-verified": 1}
        assert trail.count(Question(corrections=True)) == 2


@lasting
def test_each_entry_leads_to_the_answer_of_its_year(service: Service, clock: Clock) -> None:
    two_years(service, clock)
    with service.audit_trail() as trail:
        for entry in listed(trail, ref="ada"):
            answer = trail.as_of(entry)
            assert answer is not None
            assert answer.enrollment == entry.enrollment == ADA[entry.row.year or 0]
        first = trail.as_of(listed(trail, year=2026, kind="prior-coverage-verified", ref="ada")[0])
        assert first is not None
        assert first.values is not None
        assert str(first.values.coverage.value.first) == "2026-03-02"  # type: ignore[union-attr]


def test_the_key_of_what_moved_another_year_says_which() -> None:
    assert str(Key(5, 4, 0, 2026)) == "5.4.0~2026"
    assert str(Key(5, 4, 0)) == "5.4.0"
    for key in (Key(5, 4, 0, 2026), Key(5, 4, -3)):
        assert Key.read(str(key)) == key
    for text in ("5.4.0~", "5.4~1", "5.4.0~x", "5.4.0~1~1", f"5.4.0~{'1' * 40}"):
        with pytest.raises(yibao.BadValue):
            Key.read(text)


@lasting
def test_of_whom_one_year_does_not_read_the_years_it_tells_of_are_parked_until_it_does(
    service: Service, clock: Clock, ready: str, small_batches: None
) -> None:
    two_years(service, clock)
    expected = made_anew(service)
    of_students = [
        each.position
        for who in (ADA, BO)
        for year in (2025, 2026)
        for each in service._store.recorded(who[year].stream)
    ]
    with service.audit_trail() as trail:
        for position in of_students:
            with trail._tables.writing() as sql:
                trail._tables.empty(sql, "")
            with spoilt(ready, position):
                trail.catch_up()
                standing = trail.projection.standing()
                assert standing.parked
                assert standing.position == service._store.reached().position
            assert trail.projection.retry() == 0, position
            assert held(trail) == expected, position


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
def test_a_follower_killed_at_any_statement_goes_on_as_if_nothing_had_been(
    service: Service, clock: Clock, tmp_path: Path, small_batches: None
) -> None:
    two_years(service, clock)
    with service.audit_trail(f"sqlite:///{tmp_path / 'whole.db'}") as whole:
        whole.catch_up()
        expected = digest(whole)
    digests = digests_of_killed(tmp_path / "facts.db", tmp_path / "killed.db")
    assert len(digests) > 50
    assert set(digests) == {expected}


# Whatever is recorded, in whatever order, of students with up to three years.


@lasting
@pytest.mark.parametrize("life", range(3))
def test_the_trail_followed_is_what_the_record_says_before_and_after_each_fact(
    service: Service, clock: Clock, life: int, small_batches: None
) -> None:
    chance = random.Random(20261129 + life)
    with service.audit_trail() as live:
        two_years(service, clock)
        for _ in range(30):
            clock.now += timedelta(hours=chance.choice([0, 1, 30, 400]))
            _anything(service, clock, chance)
            if chance.random() < 0.4:
                live.catch_up()
        live.catch_up()
        assert held(live) == made_anew(service)
        moved_elsewhere = 0
        for whose in (ADA, BO):
            for who in whose.values():
                facts = listed(live, ref=who.ref, year=who.year, facts_only=True)
                own = service.trail_of(who)
                for here, there in zip(facts, own, strict=True):
                    assert here.changes == changes_of(there)
                assert [(each.row.position, each.fact_year) for each in facts] == [
                    (each.recorded.position, each.fact_year) for each in own
                ]
                for entry in facts:
                    known = service.read(who).known_at(entry.row.position)
                    assert live.as_of(entry) == answered(known, entry.recorded_at)
                moved_elsewhere += sum(each.fact_year != who.year for each in facts)
        assert moved_elsewhere


def _registers(service: Service, who: yibao.EnrollmentId, at: datetime, school: str) -> None:
    entered = {2024: "2024-09-01", 2025: "2025-09-01", 2026: "2025-09-01"}[who.year]
    service.register(
        who.ref,
        at=at,
        policy=POLICIES[who.year],
        on=entered,
        school=school,
        category="undergraduate",
        document="resident_id_card",
    )


def _fixes(service: Service, at: datetime, chance: random.Random) -> None:
    year = chance.choice([2025, 2025, 2026])
    for _ in range(chance.choice([1, 1, 3])):
        days = [f"{year - 1}-12-10", f"{year}-10-10", f"{year}-11-15", f"{year}-12-10"]
        service.fix_window(
            POLICIES[year],
            at=at,
            closes_on=chance.choice(days),
            school=chance.choice([None, None, "sjtu", "fudan"]),
        )


def _anything(service: Service, clock: Clock, chance: random.Random) -> None:
    year = chance.choice([2024, 2025, 2025, 2026, 2026])
    who = chance.choice([ADA, BO])[year]
    at = clock.now - timedelta(days=chance.choice([0, 0, 3, 60, 400]))
    facts = [*service.facts(who), *service.care_facts(who)]
    fixes = service.window_facts(POLICIES[year])[1:]
    told: dict[str, Any] = {"at": at, "observed": True}
    school = chance.choice(["sjtu", "fudan"])
    act: Any = chance.choice(
        [
            lambda: _registers(service, who, at, school),
            lambda: _registers(service, who, at, school),
            lambda: service.confirm(who, channel="app", **told),
            lambda: service.pay_premium(who, year=chance.choice([year, year + 1]), **told),
            lambda: service.pay_premium(who, year=2026, **told),
            lambda: service.verify_prior_coverage(who, at=at, lapsed_years=chance.randrange(3)),
            lambda: service.declare_other_cover(who, at=at, kind="employee"),
            lambda: service.stop_employee_cover(who, at=at, on=at.date()),
            lambda: service.build_account(who, on=at.date(), **told),
            lambda: service.change_school(who, school=school, **told),
            lambda: service.withdraw(who, on=at.date(), **told),
            lambda: service.receive_care(
                who, at=at, on=at.date(), setting="campus_clinic", cost="10.00"
            ),
            lambda: _fixes(service, at, chance),
            lambda: service.void(who, chance.choice(facts).event_id, at=at, reason="mistake"),
            lambda: service.void(
                POLICIES[year], chance.choice(fixes).event_id, at=at, reason="mistake"
            ),
        ]
    )
    with suppress(yibao.Refused, IndexError):
        act()
