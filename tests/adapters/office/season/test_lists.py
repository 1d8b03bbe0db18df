"""The morning page and the lists: as everybody's own answers say, on any day."""

import sqlite3
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from given.cohort import LEARNED
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from pgserver import Server

from yibao.adapters.editions import Editions
from yibao.adapters.office.directory import (
    Directory,
    DirectorySettings,
    Entry,
    Person,
    WaitingProxy,
)
from yibao.adapters.office.season import (
    LISTS,
    listed,
    listed_json,
    this_morning,
    today_json,
)
from yibao.adapters.service import Service, open_service
from yibao.adapters.store import open_store
from yibao.adapters.upkeep import grant
from yibao.domain.calendar import read_instant
from yibao.domain.facts import commands
from yibao.domain.refusals import BadValue
from yibao.domain.vocabulary import Category, Document, EnrollmentId

from ...helpers.crowd import MadeUp, crowd
from ..conftest import opened

#: By which step somebody is on a list.
STEPS = {
    "not-declared": ["await_roster_declaration"],
    "not-confirmed": ["confirm"],
    "waiting": ["await_waiting_period"],
    "evoucher": ["activate_evoucher"],
    "employee-cover": ["stop_employee_cover"],
    "cards": ["try_evoucher_or_get_medical_card"],
    "next-premium": ["pay_next_premium", "pay_premium"],
}
#: Of the years that are told of, and the autumn of the first more often.
DAYS = (st.integers(60, 190) | st.integers(0, 4 * 365)).map(
    lambda after: date(2025, 7, 1) + timedelta(days=after)
)
SCHOOLS = st.sampled_from(["sjtu", "fudan"])


@pytest.fixture(params=["sqlite", "postgres"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "postgres":
        found: str = request.getfixturevalue("postgres_url")
        return found
    return f"sqlite:///{tmp_path / 'facts.db'}"


@pytest.fixture
def directory(settings: DirectorySettings) -> Iterator[Directory]:
    with opened(settings) as directory:
        yield directory


def counts(service: Service, school: str, on: date) -> dict[str, int]:
    return {name: count for name, count in this_morning(service, None, school, on).lists if count}


def one_by_one(service: Service, school: str, on: date) -> dict[str, int]:
    """Who is on each list, by the answer of each."""
    found = Counter[str]()
    for record, _ in service.cohort().known():
        answer = service.at(record.enrollment, f"{on} 12:00")
        if answer.school != school:
            continue
        stands = {step.code for step in answer.next_steps}
        found.update(name for name, codes in STEPS.items() if stands.intersection(codes))
        shows = ("look_at_result", "officer")
        found["proxy-results"] += shows in {(step.code, step.who) for step in answer.next_steps}
        found["discrepancies"] += bool(answer.discrepancies)
        found["care-review"] += bool(service.review(record.enrollment, at=f"{on} 12:00"))
    return {name: count for name, count in found.items() if count}


def test_of_whomever_anything_was_told_counts_are_those_of_the_answers(url: str) -> None:
    with open_service(url, policies=MadeUp(), clock=lambda: LEARNED) as service:
        crowd(service, 60)
        seen = set[str]()

        @settings(
            max_examples=8,
            deadline=None,
            suppress_health_check=[HealthCheck.function_scoped_fixture],
        )
        @given(on=DAYS, school=SCHOOLS)
        @example(on=date(2025, 9, 20), school="sjtu")
        @example(on=date(2025, 11, 20), school="sjtu")
        @example(on=date(2025, 12, 20), school="sjtu")
        def holds(on: date, school: str) -> None:
            expected = one_by_one(service, school, on)
            assert counts(service, school, on) == expected
            seen.update(expected)

        holds()
        assert len(seen) > 7, seen


ADA, BO, CY = (
    Entry("sjtu", f"5250{n}", name, "resident_id_card", f"x{n}")
    for n, name in ((3, "李雷"), (2, "韩梅梅"), (1, "王五"))
)


def recorded(service: Service, ref: str, school: str, *asked: Any) -> None:
    at = read_instant("2025-09-01 10:00")
    register = commands.Register(
        ref=ref,
        policy="shanghai-2025",
        on=date(2025, 9, 1),
        school=school,
        category=Category.UNDERGRADUATE,
        document=Document.RESIDENT_ID_CARD,
        at=at,
        by="a",
    )
    told = [register, commands.DeclareRoster(at=at, by="a"), *asked]
    (reply,) = service.record_each([(EnrollmentId(ref, 2025), told)])
    assert isinstance(reply, tuple | list), reply


def confirmed(at: str, lapsed_years: int, channel: Any = "app") -> list[Any]:
    when = read_instant(at)
    return [
        commands.Confirm(channel=channel, at=when, by="a"),
        commands.VerifyPriorCoverage(lapsed_years=lapsed_years, at=when, by="a"),
    ]


@pytest.fixture
def season(url: str, directory: Directory) -> Iterator[Service]:
    """Three of a school, one of them not in the directory, and one of another school."""
    clock = read_instant("2025-09-20 10:00")
    with open_service(url, clock=lambda: clock, by="office") as service:
        recorded(service, "p-a", "sjtu")
        recorded(service, "p-b", "sjtu")
        recorded(service, "p-c", "sjtu", *confirmed("2025-09-06 10:00", 1))
        recorded(service, "p-d", "sjtu")
        recorded(service, "p-e", "fudan")
        with directory.importing(lambda _: True) as entries:
            entries.add(
                [
                    Person("p-a", ADA),
                    Person("p-b", BO),
                    Person("p-c", CY),
                    # Entered by the school that she comes from.
                    Person("p-d", Entry("fudan", "525004", "赵六", "passport", "x4")),
                    Person("p-e", Entry("fudan", "525005", "孙七", "passport", "x5")),
                ]
            )
            entries.keep([f"p-{each}" for each in "abcde"])
        yield service


def json_of(service: Service, directory: Directory, name: str, on: date, **how: Any) -> Any:
    return listed_json(listed(service, directory, name, "sjtu", on, by="officer-7", **how))


def accesses(settings: DirectorySettings) -> list[tuple[str, str, str | None]]:
    with sqlite3.connect(settings.directory) as file:
        return file.execute("SELECT what, actor, ref FROM accesses ORDER BY number").fetchall()


def test_the_page_has_every_list_in_order(season: Service, directory: Directory) -> None:
    told = today_json(this_morning(season, directory, "sjtu", date(2025, 11, 30)))
    counted = {"not-confirmed": 3, "waiting": 1, "next-premium": 1}
    assert told == {
        "school": "sjtu",
        "on": "2025-11-30",
        "at": "2025-11-30T12:00:00+08:00",
        "lists": [{"name": name, "count": counted.get(name, 0)} for name in LISTS],
    }
    assert list(LISTS) == [
        "not-declared",
        "not-confirmed",
        "proxies-to-enter",
        "proxy-results",
        "waiting",
        "evoucher",
        "employee-cover",
        "cards",
        "next-premium",
        "discrepancies",
        "care-review",
    ]


def test_a_list_has_days_left_and_names_of_its_own_school_alone(
    season: Service, directory: Directory, settings: DirectorySettings
) -> None:
    told = json_of(season, directory, "not-confirmed", date(2025, 12, 31))
    assert told == {
        "name": "not-confirmed",
        "school": "sjtu",
        "at": "2025-12-31T12:00:00+08:00",
        "count": 3,
        "entries": [
            {"ref": ref, "year": 2025, "student_name": n, "student_number": no, "days_left": 1}
            for ref, n, no in (
                ("p-b", "韩梅梅", "52502"),
                ("p-a", "李雷", "52503"),
                ("p-d", None, None),
            )
        ],
    }
    assert sorted(accesses(settings)) == [
        ("list", "officer-7", "p-a"),
        ("list", "officer-7", "p-b"),
    ]
    (entry, *_) = json_of(season, directory, "not-confirmed", date(2025, 12, 1))["entries"]
    assert entry["days_left"] == 31
    assert json_of(season, directory, "not-confirmed", date(2026, 1, 1))["entries"] == []


def test_a_waiting_period_is_listed_until_the_last_day_of_it(
    season: Service, directory: Directory
) -> None:
    told = json_of(season, directory, "waiting", date(2025, 11, 30))
    assert told["entries"] == [
        {
            "ref": "p-c",
            "year": 2025,
            "student_name": "王五",
            "student_number": "52501",
            "ends_on": "2025-11-30",
        }
    ]
    assert json_of(season, directory, "waiting", date(2025, 12, 1))["count"] == 0
    (entry,) = json_of(season, directory, "evoucher", date(2025, 12, 1))["entries"]
    assert entry.keys() == {"ref", "year", "student_name", "student_number"}


def test_without_a_directory_there_are_no_names(season: Service) -> None:
    told = listed_json(listed(season, None, "waiting", "sjtu", date(2025, 11, 1), by="a"))
    assert [each["student_name"] for each in told["entries"]] == [None]


def test_what_is_recorded_later_is_on_the_next_page(season: Service) -> None:
    on = date(2025, 9, 10)
    assert counts(season, "sjtu", on)["not-confirmed"] == 3
    season.record_each([(EnrollmentId("p-a", 2025), confirmed("2025-09-07 10:00", 0, "proxy"))])
    assert counts(season, "sjtu", on)["not-confirmed"] == 2
    assert counts(season, "fudan", on) == {"not-confirmed": 1}
    assert counts(season, "tongji", on) == {}


def test_proxies_that_nobody_has_entered_yet_are_kept_in_the_directory(
    season: Service, directory: Directory, settings: DirectorySettings
) -> None:
    with directory.importing(lambda _: True) as entries:
        entries.proxies_wait("sjtu", [WaitingProxy("p-b", date(2025, 9, 8))])
        entries.proxies_wait("fudan", [WaitingProxy("p-e", date(2025, 9, 8))])
    page = this_morning(season, directory, "sjtu", date(2025, 9, 9))
    assert dict(page.lists)["proxies-to-enter"] == 1
    told = json_of(season, directory, "proxies-to-enter", date(2025, 9, 9))
    assert told["entries"] == [
        {"ref": "p-b", "year": 2025, "student_name": "韩梅梅", "student_number": "52502"}
    ]
    assert accesses(settings) == [("list", "officer-7", "p-b")]


def test_a_proxy_is_to_be_entered_as_long_as_she_is_here_and_has_not_joined(
    season: Service, directory: Directory
) -> None:
    signed = [WaitingProxy(ref, date(2025, 9, 8)) for ref in ("p-a", "p-b")]
    with directory.importing(lambda _: True) as entries:
        entries.proxies_wait("sjtu", signed)
    season.confirm(EnrollmentId("p-a", 2025), at="2025-09-09 10:00", channel="app")
    season.change_school(EnrollmentId("p-b", 2025), at="2025-09-10 10:00", school="tongji")

    def told(on: date) -> list[str]:
        page = this_morning(season, directory, "sjtu", on)
        entries = json_of(season, directory, "proxies-to-enter", on)["entries"]
        assert dict(page.lists)["proxies-to-enter"] == len(entries)
        return [each["ref"] for each in entries]

    assert told(date(2025, 9, 8)) == ["p-a"]
    assert told(date(2025, 9, 11)) == []


def test_who_cannot_be_read_is_left_out_and_told_of(tmp_path: Path) -> None:
    clock, file = read_instant("2025-09-20 10:00"), tmp_path / "facts.db"
    with open_service(f"sqlite:///{file}", clock=lambda: clock) as service:
        recorded(service, "p-a", "sjtu")
        recorded(service, "p-b", "sjtu")
        with sqlite3.connect(file) as spoiled:
            spoiled.execute("UPDATE stored_events SET state='{}' WHERE notification_id=2")
        page = this_morning(service, None, "sjtu", date(2025, 9, 10))
        assert (dict(page.lists)["not-confirmed"], page.parked) == (1, 1)
        assert listed(service, None, "waiting", "sjtu", date(2025, 9, 10), by="a").parked == 1


def test_who_may_only_read_is_told_what_nobody_has_taken_in_yet(
    postgres_url: str, postgres: Server
) -> None:
    clock = read_instant("2025-09-20 10:00")
    with open_service(postgres_url, clock=lambda: clock) as service:
        recorded(service, "p-a", "sjtu")
        assert counts(service, "sjtu", date(2025, 9, 10)) == {"not-confirmed": 1}
        recorded(service, "p-b", "sjtu")
        postgres.sql("DROP ROLE IF EXISTS morning_reader")
        postgres.sql("CREATE ROLE morning_reader LOGIN")
        grant(postgres_url, "morning_reader", reads_only=True)
    as_reader = postgres_url.replace("postgres@", "morning_reader@")
    with closing(open_store(as_reader, to_ask=True)) as store:
        reader = Service(store, Editions(None), by="a", via="test")
        assert counts(reader, "sjtu", date(2025, 9, 10)) == {"not-confirmed": 2}


def test_there_are_no_other_lists(season: Service) -> None:
    with pytest.raises(BadValue, match="is no list"):
        listed(season, None, "everybody", "sjtu", date(2025, 9, 1), by="a")


def test_nobody_is_told_of_in_a_log(season: Service, directory: Directory) -> None:
    found = listed(season, directory, "waiting", "sjtu", date(2025, 11, 1), by="a")
    assert "王五" not in f"{found!r}{found.entries!r}"
