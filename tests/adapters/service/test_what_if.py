"""What another edition would change, asked of a store: as if all had been recorded under it."""

from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import pytest
from given import sheet

import yibao
from yibao.adapters.editions import SourceError
from yibao.adapters.service.service import Service, open_service
from yibao.domain.calendar import read_instant
from yibao.domain.money import Fen
from yibao.domain.refusals import BadValue, UnknownEdition
from yibao.domain.vocabulary import DayRange, EnrollmentId
from yibao.projections.cohort.what_if import Moved

NOW = read_instant("2026-01-10 10:00")
MINE = """\
edition: {name}
title: {{en: One month, zh: 一个月}}
extends: shanghai-2025
parameters:
  waiting_months_per_lapsed_year:
    {{value: 1, unit: months, clause: a draft, basis: stated}}
"""
SCHOOLS = ("ecnu", "sjtu")


@pytest.fixture
def policies(tmp_path: Path) -> Path:
    """A folder with the edited edition, which nobody is registered under."""
    folder = tmp_path / "editions"
    folder.mkdir()
    (folder / "mine.yaml").write_text(MINE.format(name="mine"), encoding="utf-8")
    return folder


def told(service: Service, policy: str, students: int = 12) -> Service:
    """Students as an autumn has them, registered under an edition."""
    random = Random(7)
    for number in range(students):
        whose = EnrollmentId(f"s{number}", 2025)
        at_school: dict[str, Any] = {"policy": policy, "school": random.choice(SCHOOLS)}
        service.register(whose.ref, **sheet(**at_school))
        service.declare_roster(whose, at="2025-09-02 17:00")
        if random.random() < 0.9:
            service.confirm(whose, at="2025-09-06 10:00", channel="app")
        if random.random() < 0.8:
            lapsed = random.randrange(4)
            service.verify_prior_coverage(whose, at="2025-09-06 10:30", lapsed_years=lapsed)
        if random.random() < 0.5:
            service.receive_care(
                whose,
                at="2025-11-05 12:00",
                on="2025-11-05",
                setting="outpatient",
                level="first",
                cost="1000.00",
            )
    service.fix_window(policy, at="2025-09-08 10:00", closes_on="2025-11-30")
    return service


@pytest.fixture
def service(url: str) -> Iterator[Service]:
    with open_service(url, by="desk", clock=lambda: NOW) as service:
        yield told(service, "shanghai-2025")


def days(service: Service) -> dict[EnrollmentId, tuple[int | None, Fen]]:
    """What everybody's answer says of days of cover and of what the fund pays."""
    found: dict[EnrollmentId, tuple[int | None, Fen]] = {}
    for answer in service.everyone():
        assert answer.values is not None
        window = answer.values.coverage.value
        lasts = (window.last - window.first).days + 1 if isinstance(window, DayRange) else 0
        paid = Fen(sum(care.fund_pays.value for care in answer.care))
        found[answer.enrollment] = None if window is yibao.PENDING else lasts, paid
    return found


def test_it_is_what_a_store_says_in_which_all_was_recorded_under_the_other_edition(
    service: Service, policies: Path
) -> None:
    found = service.what_if(edition=policies / "mine.yaml")
    with open_service("memory:", policies=policies, by="desk", clock=lambda: NOW) as other:
        before, after = days(service), days(told(other, "mine"))
    everybody = {each.enrollment: each for each in found.everybody()}
    assert {whose: (e.days_before, e.fund_before) for whose, e in everybody.items()} == before
    assert {whose: (e.days_after, e.fund_after) for whose, e in everybody.items()} == after
    gain = [e for e in everybody.values() if e.days_more > 0]
    money = sum(e.fund_after - e.fund_before for e in gain)
    assert found.gains == (len(gain), sum(e.days_more for e in gain), money)
    assert len(gain) > 3
    assert money > 0
    assert found.loses == Moved()
    assert sum(each.gains.students for each in found.by("school").values()) == len(gain)
    assert found.examples()[0].after.edition == "mine"


def test_nothing_is_recorded_by_asking(service: Service, policies: Path) -> None:
    facts = service.window_facts("shanghai-2025")
    service.what_if(edition=str(policies / "mine.yaml"))
    assert service.window_facts("shanghai-2025") == facts
    assert service.window_facts("mine") == []


def test_it_is_asked_of_what_was_known_by_an_instant(url: str, policies: Path) -> None:
    now = [read_instant("2025-09-07 10:00")]
    with open_service(url, clock=lambda: now[0]) as service:
        ada = EnrollmentId("ada", 2025)
        service.register("ada", **sheet())
        service.declare_roster(ada, at="2025-09-02 17:00")
        service.confirm(ada, at="2025-09-06 10:00", channel="app")
        service.verify_prior_coverage(ada, at="2025-09-06 10:30", lapsed_years=0)
        now[0] = read_instant("2025-10-01 10:00")
        service.verify_prior_coverage(ada, at="2025-09-30 10:30", lapsed_years=1)
        mine = policies / "mine.yaml"
        assert service.what_if(edition=mine).gains.students == 1
        assert service.what_if(edition=mine, known_at="2025-09-08 10:00").gains.students == 0
        known_before = service.what_if(edition=mine, known_at="2025-09-01 10:00")
        assert list(known_before.everybody()) == []


def test_an_edition_of_another_year_says_nothing_of_this(service: Service, tmp_path: Path) -> None:
    other = tmp_path / "other.yaml"
    other.write_text(
        MINE.format(name="other").replace("shanghai-2025", "shanghai-2024"), encoding="utf-8"
    )
    with pytest.raises(BadValue, match="benefit year 2024, and shanghai-2025 of 2025"):
        service.what_if(edition=other)


def test_what_cannot_be_asked_is_told(service: Service, policies: Path) -> None:
    mine = policies / "mine.yaml"
    with pytest.raises(UnknownEdition, match="no edition 'shanghai-1999'"):
        service.what_if(edition=mine, instead_of="shanghai-1999")
    with pytest.raises(BadValue, match="known_at"):
        service.what_if(edition=mine, known_at="soon")
    with pytest.raises(BadValue, match="edition"):
        service.what_if(edition=7)  # type: ignore[arg-type]
    with pytest.raises(SourceError, match=r"none\.yaml"):
        service.what_if(edition=policies / "none.yaml")
    mine.write_text(MINE.format(name="mine").replace("value: 1,", "value: soon,"))
    with pytest.raises(SourceError, match=r"mine\.yaml.*6"):
        service.what_if(edition=mine)


def test_schools_are_told_where_the_only_one_of_a_kind_is_an_example(
    url: str, policies: Path
) -> None:
    with open_service(url, clock=lambda: NOW) as service:
        ada = EnrollmentId("ada", 2025)
        service.register("ada", **sheet())
        service.declare_roster(ada, at="2025-09-02 17:00")
        service.confirm(ada, at="2025-09-06 10:00", channel="app")
        service.verify_prior_coverage(ada, at="2025-09-06 10:30", lapsed_years=1)
        found = service.what_if(edition=policies / "mine.yaml")
        assert {school: each.gains for school, each in found.by("school").items()} == {
            "sjtu": Moved(1, 61, Fen(0))
        }
        assert len(found.examples()) == 1
