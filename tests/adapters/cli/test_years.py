"""A student of several benefit years: shown, drawn and written down over all of them."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from given import sheet

import yibao

from ..conftest import Run

S25, S26 = yibao.EnrollmentId("s1", 2025), yibao.EnrollmentId("s1", 2026)
AT = ("--at", "2026-03-10 12:00")
GOES_ON = "goes on in 2026: active, benefit window 2026-03-02 to 2026-12-31"


@pytest.fixture
def store(tmp_path: Path) -> str:
    """Worked example 23: two lapsed years in 2025, and paid for 2026 in the stream of 2025."""
    path = str(tmp_path / "facts.db")
    clock = yibao.testing.clock_at("2025-09-01 09:00")
    with yibao.open(f"sqlite:///{path}", by="officer", clock=clock) as service:
        service.register("s1", **sheet(at=None))
        clock.move_to("2025-09-02 17:00")
        service.declare_roster(S25)
        clock.move_to("2025-09-06 10:00")
        service.confirm(S25, channel="app")
        clock.move_to("2025-09-06 10:30")
        service.verify_prior_coverage(S25, lapsed_years=2)
        clock.move_to("2025-11-15 09:00")
        service.register("s1", **sheet(at=None, policy="shanghai-2026-continuing"))
        clock.move_to("2025-11-20 10:00")
        service.pay_premium(S25, year=2026, amount="400.00")
    return path


@pytest.fixture
def asked(store: str, run: Run) -> Callable[..., str]:
    def ask(*arguments: str) -> str:
        command, *options = arguments
        done = run(command, "--store", store, "--ref", "s1", *options)
        assert done.exit_code == 0, done.stderr
        return done.stdout

    return ask


def test_the_latest_year_is_shown_in_full_and_the_one_before_in_a_line(
    asked: Callable[..., str],
) -> None:
    told = asked("show", *AT)
    assert told.startswith("s1/2026 · shanghai-2026-continuing\nstate             active ")
    assert told.endswith("\ns1/2025 · shanghai-2025: expired, benefit window none\n")


def test_a_year_that_has_ended_leads_on_to_the_next(asked: Callable[..., str]) -> None:
    assert GOES_ON in asked("show", "--year", "2025", *AT)
    chinese = asked("show", "--year", "2025", "--lang", "zh", *AT)
    assert "2026 年度接续：待遇享受中，待遇享受期 2026-03-02 至 2026-12-31" in chinese
    assert "goes on" not in asked("show", "--year", "2025", "--at", "2025-12-01 00:00")
    assert "goes on" not in asked("show", "--at", "2027-06-01 00:00")


def test_every_year_is_drawn_beneath_the_one_before_on_one_calendar(
    asked: Callable[..., str],
) -> None:
    lines = asked("timeline", *AT).splitlines()
    heads = [n for n, line in enumerate(lines) if re.match("20[0-9][0-9], as known at", line)]
    assert [lines[n][:4] for n in heads] == ["2025", "2026"]
    above, beneath = lines[: heads[1]], lines[heads[1] :]
    assert above[1:3] == beneath[1:3]
    assert [line.index("▲") for line in lines if "▲" in line] == [
        next(line for line in above if "▲" in line).index("▲")
    ] * 2
    assert f"expired: {GOES_ON}" in above
    assert not [line for line in beneath if "goes on" in line]


def test_what_was_known_then_is_drawn_of_every_year_beneath_what_is_known_now(
    asked: Callable[..., str],
) -> None:
    told = asked("timeline", *AT, "--known-at", "2025-10-01 00:00")
    heads = re.findall("^(20[0-9][0-9]), (as known at 2025-10-01 00:00)?", told, re.MULTILINE)
    assert [(year, bool(then)) for year, then in heads] == [
        ("2025", False),
        ("2026", False),
        ("2025", True),
        ("2026", True),
    ]


def test_a_version_is_one_of_the_latest_year_and_of_the_others_its_stamp(
    asked: Callable[..., str],
) -> None:
    told = asked("timeline", *AT, "--known-at", "1")
    assert "2025, as known at 2025-11-15 09:00\n" in told
    assert "2026, as known at 2025-11-15 09:00\n" in told
    assert "2025, when nothing was known\n" in asked("timeline", *AT, "--known-at", "0")


def test_one_year_is_drawn_as_ever_where_it_is_named(asked: Callable[..., str]) -> None:
    told = asked("timeline", "--year", "2025", *AT)
    assert told.startswith("as known at ")
    assert "goes on" not in told


def test_a_value_has_a_history_in_every_year(asked: Callable[..., str]) -> None:
    told = asked("history")
    assert [line for line in told.splitlines() if line.startswith("s1 · ")] == [
        "s1 · 2025",
        "s1 · 2026",
    ]
    assert "premium paid 2025 #5 (officer)" in told
    both = json.loads(asked("history", "--json"))
    assert [each["year"] for each in both] == [2025, 2026]
    (one,) = json.loads(asked("history", "--json", "--year", "2026"))
    assert one == {key: value for key, value in both[1].items() if key != "year"}


def test_a_dossier_holds_every_year(asked: Callable[..., str]) -> None:
    told = asked("dossier", *AT)
    assert told.startswith("Everything on record about one student: s1\n\ntimeline\n2025, as known")
    assert told.index("\ns1/2025\n") < told.index("\ns1/2026\n")
    found = json.loads(asked("dossier", "--format", "json", *AT))
    assert (found["format"], found["ref"]) == (1, "s1")
    for year in found["years"]:
        alone = json.loads(asked("dossier", "--format", "json", "--year", str(year["year"]), *AT))
        assert without_moment(year) == without_moment(alone)


def without_moment(dossier: dict[str, Any]) -> dict[str, Any]:
    """The same but for when it was read."""
    return dossier | {"answer": dossier["answer"] | {"known_at": None}}


def test_a_page_has_a_picture_of_all_years_and_no_id_twice(asked: Callable[..., str]) -> None:
    page = asked("dossier", "--format", "html", *AT)
    assert page.count("<svg") == 1
    ids = re.findall('id="([^"]+)"', page)
    assert len(ids) == len(set(ids))
    links = set(re.findall('href="#([^"]+)"', page))
    assert links
    assert links <= set(ids)
    assert re.findall("<h1>(.*?)</h1>", page) == [
        "Everything on record about one student: s1",
        "s1/2025",
        "s1/2026",
    ]
    assert f"<td>expired; {GOES_ON}</td>" in page


def test_of_somebody_unknown_the_years_that_are_known_are_told(store: str, run: Run) -> None:
    for command in ("timeline", "history", "dossier"):
        done = run(command, "--store", store, "--ref", "nobody")
        assert (done.exit_code, done.stdout) == (1, "")
        assert done.stderr == "yibao: nothing is recorded of nobody; benefit years known: none\n"
