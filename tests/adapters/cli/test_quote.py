"""`yibao quote` and `Service.quote`: what care would cost, with nothing recorded."""

import json
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import yibao
from yibao import EnrollmentId, Service
from yibao.domain.refusals import NotPermitted, UnknownCutoff

from ..conftest import TWO, Run, Write
from ..helpers.autumn import Clock
from ..helpers.stores import content, emptied, lasting
from ..service.test_care import ADA, JANUARY, amounts, enrolled, everything, visit

STORY = """\
- at: 2025-09-02 17:00
  declare_roster: {}
- at: 2025-09-06 14:20
  confirm: {channel: app}
- at: 2025-09-06 14:50
  verify_prior_coverage: {lapsed_years: 0}
- at: 2025-10-01 17:00
  receive_care: {setting: outpatient, level: third, cost: 200.00, on: 2025-10-01}
"""
SEVERAL = (
    TWO
    + """\
  - {student: ada, at: 2025-09-06 10:00, observed: yes, confirm: {channel: app}}
  - {student: ada, at: 2025-09-06 10:30, verify_prior_coverage: {lapsed_years: 0}}
"""
)
CLINIC = ("--setting", "campus_clinic", "--cost", "120.00", "--on", "2025-09-03")
VISIT = ("--setting", "outpatient", "--level", "second", "--cost", "400", "--on", "2025-10-02")
#: Anybody who is covered from 1 September.
COVERED = (
    *("--registered", "2025-09-01", "--confirmed", "2025-09-06 14:20", "--lapsed-years", "0"),
)


def quoted(run: Run, *arguments: object) -> dict[str, Any]:
    result = run("quote", *arguments, "--json")
    assert result.exit_code == 0, result.output
    assert result.stderr == ""
    parsed = json.loads(result.stdout)
    assert isinstance(parsed, dict)
    return parsed


def said(result: Result) -> str:
    """What is said about arguments that do not fit; nothing goes to standard output."""
    assert (result.exit_code, result.stdout) == (2, "")
    assert "Traceback" not in result.stderr
    return result.stderr


@pytest.fixture
def store(url: str) -> str:
    """A closed store in which Ada is enrolled and has met 200 yuan of the deductible."""
    with yibao.open(url) as service:
        enrolled(service)
        visit(service, "200.00")
    return url


def test_a_quote_for_anybody_has_every_field(run: Run) -> None:
    assert quoted(run, *COVERED, *VISIT) == {
        "on": "2025-10-02",
        "setting": "outpatient",
        "level": "second",
        "cost": "400.00",
        "fund_pays": "60.00",
        "patient_pays": "340.00",
        "deductible_used": "300.00",
        "cap_left": None,
        "settlement": "direct",
        "refused": None,
        "pending": False,
        "settled": None,
        "deductible_left": "0.00",
        "covered_from": "2025-10-02",
    }


def test_a_quote_in_a_story_counts_the_care_already_in_it(tell: Write, run: Run) -> None:
    found = quoted(run, "--story", tell(STORY), *VISIT)
    assert (found["fund_pays"], found["patient_pays"]) == ("180.00", "220.00")
    assert (found["deductible_used"], found["deductible_left"]) == ("100.00", "0.00")
    before = quoted(run, "--story", tell(STORY), *VISIT, "--known-at", "2025-09-30 10:00")
    assert before["deductible_used"] == "300.00"
    early = quoted(run, "--story", tell(STORY), *VISIT, "--known-at", "3")
    assert (early["pending"], early["fund_pays"]) == (True, "0.00")


def test_a_story_of_several_is_quoted_for_whoever_is_named(write: Write, run: Run) -> None:
    path = write(SEVERAL)
    assert quoted(run, "--story", path, "--student", "ada", *CLINIC)["fund_pays"] == "96.00"
    assert quoted(run, "--story", path, "--student", "bo", *CLINIC)["pending"] is True
    for arguments in ((), ("--student", "eve")):
        error = said(run("quote", "--story", path, *arguments, *CLINIC))
        assert "name a --student of this story: ada, bo" in error


@lasting
def test_quoting_twice_from_a_store_leaves_it_as_it_was(
    store: str, run: Run, tmp_path: Path
) -> None:
    before, files = content(store), sorted(tmp_path.iterdir())
    arguments = ("--store", store, "--ref", "s1", "--year", "2025", *VISIT)
    first = quoted(run, *arguments)
    assert first["deductible_used"] == "100.00"
    assert quoted(run, *arguments) == first
    assert content(store) == before
    assert sorted(tmp_path.iterdir()) == files


def test_quoting_records_nothing_and_adopts_nothing(url: str) -> None:
    with yibao.open(url) as service:
        enrolled(service)
        before = everything(service)
        answer = service.at(ADA, "2025-12-01 09:00", known_at="2099-01-01 00:00")
        for _ in range(2):
            service.quote(ADA, on="2025-10-01", setting="campus_clinic", cost="10.00")
        assert everything(service) == before
        assert service.at(ADA, "2025-12-01 09:00", known_at="2099-01-01 00:00") == answer
        assert [event.name for event in service.window_facts("shanghai-2025")] == [
            "edition-adopted"
        ]


@lasting
def test_who_is_not_in_the_store_cannot_be_quoted_for(store: str, run: Run) -> None:
    error = said(run("quote", "--store", store, "--ref", "s2", "--year", "2025", *CLINIC))
    assert error.startswith("yibao: not_registered")
    error = said(run("quote", "--store", store, "--ref", "s1", "--year", "2024", *CLINIC))
    assert error.startswith("yibao: not_registered")
    with yibao.open(store) as service:
        (first, *_) = service.facts(ADA)
        service.void(ADA, first.event_id, at="2025-10-02 10:00", reason="wrong-person")
        with pytest.raises(NotPermitted, match="not_registered"):
            service.quote(ADA, on="2025-10-01", setting="campus_clinic", cost="10.00")
        with pytest.raises(UnknownCutoff):
            service.quote(ADA, on="2025-10-01", setting="campus_clinic", cost="10.00", known_at=99)


def test_a_store_that_is_not_there_is_not_created_by_a_quote(tmp_path: Path, run: Run) -> None:
    missing = tmp_path / "missing.db"
    url = f"sqlite:///{missing}"
    said(run("quote", "--store", url, "--ref", "s1", "--year", "2025", *CLINIC))
    assert not missing.exists()


#: Options beside --json, and what they make of a clinic's bill of 3 September.
BY_OPTION: list[tuple[str, Sequence[str], dict[str, Any]]] = [
    ("covered", COVERED, {"fund_pays": "96.00", "settlement": "claim", "refused": None}),
    ("registered only", COVERED[:2], {"pending": True, "covered_from": None}),
    ("not checked", COVERED[:4], {"pending": True, "settlement": None}),
    (
        "a lapsed year",
        (*COVERED[:5], "1"),
        {"refused": "in_waiting_period", "covered_from": "2025-12-02", "fund_pays": "0.00"},
    ),
    (
        "two lapsed years",
        (*COVERED[:5], "2"),
        {"refused": "in_waiting_period", "covered_from": None, "pending": False},
    ),
    (
        "registered later",
        ("--registered", "2025-09-05", *COVERED[2:]),
        {"refused": "before_window", "covered_from": "2025-09-05"},
    ),
    (
        "confirmed earlier",
        (*COVERED[:3], "2025-09-02 10:00", *COVERED[4:]),
        {"settlement": "direct", "refused": None},
    ),
    (
        "employee cover stopped",
        (*COVERED, "--employee-cover-stopped", "2025-10-10"),
        {"refused": "before_window", "covered_from": "2025-10-10"},
    ),
    (
        "a passport",
        (*COVERED[:3], "2025-09-02 10:00", *COVERED[4:], "--document", "passport"),
        {"settlement": "claim", "fund_pays": "96.00"},
    ),
    (
        "a passport and a card",
        (
            *(*COVERED[:3], "2025-09-02 10:00", *COVERED[4:], "--document", "passport"),
            *("--medical-card", "2025-09-03 09:00"),
        ),
        {"settlement": "direct", "fund_pays": "96.00"},
    ),
    (
        "a province",
        (*COVERED, "--province", "江苏"),
        {"refused": "remote_care_not_filed", "settlement": None},
    ),
    (
        "a province filed for",
        (*COVERED, "--province", "江苏", "--filed", "2025-09-03 20:00"),
        {"refused": None, "fund_pays": "96.00"},
    ),
    (
        "a province filed for later",
        (*COVERED, "--province", "江苏", "--filed", "2025-09-04 00:00"),
        {"refused": "remote_care_not_filed"},
    ),
    (
        "withdrawn before",
        (*COVERED, "--withdrawn", "2025-09-03"),
        {"refused": "withdrawn", "covered_from": None},
    ),
    ("withdrawn after", (*COVERED, "--withdrawn", "2025-09-10"), {"fund_pays": "96.00"}),
    (
        "asked before the window closes",
        (*COVERED[:2], "--at", "2025-12-31 23:59"),
        {"pending": True, "refused": None},
    ),
    (
        "asked after it",
        (*COVERED[:2], "--at", "2026-01-01 00:00"),
        {"pending": False, "refused": "not_enrolled"},
    ),
]


@pytest.mark.parametrize(
    ("options", "told"), [case[1:] for case in BY_OPTION], ids=[case[0] for case in BY_OPTION]
)
def test_each_option_that_describes_somebody_counts(
    options: Sequence[str], told: dict[str, Any], run: Run
) -> None:
    found = quoted(run, *options, *CLINIC)
    assert {key: found[key] for key in told} == told


def test_the_edition_of_anybody_can_be_chosen(write: Write, run: Run) -> None:
    entered = ("--registered", "2024-09-02", "--confirmed", "2024-09-05 10:30")
    bill = ("--setting", "campus_clinic", "--cost", "10.00", "--on", "2024-10-01")
    # The notice of 2024 knows no waiting period, so that no check is waited for.
    assert quoted(run, *entered, *bill, "--policy", "shanghai-2024")["fund_pays"] == "8.00"
    folder = write(
        "edition: mine\ntitle: {en: M, zh: 我}\nextends: shanghai-2025\nbenefits:\n"
        "  campus_clinic_share: {value: 90, unit: percent, clause: circular 7, basis: stated}\n",
        "policies/mine.yaml",
    ).parent
    found = quoted(run, *COVERED, *CLINIC, "--policy", "mine", "--policies", folder)
    assert found["fund_pays"] == "108.00"
    assert "no edition 'mine'" in said(run("quote", *COVERED, *CLINIC, "--policy", "mine"))


def test_a_category_that_is_no_new_student_is_refused(run: Run) -> None:
    assert quoted(run, *COVERED, *CLINIC, "--category", "postgraduate")["fund_pays"] == "96.00"
    for category, code in (("foreign", "not_a_new_student"), ("pupil", "where: category")):
        assert code in said(run("quote", *COVERED, *CLINIC, "--category", category))


#: What does not fit together, and what is said.
UNFIT: list[tuple[tuple[str, ...], str]] = [
    (CLINIC, "give one of --story, --store and --registered"),
    ((*COVERED, "--story", "STORY", *CLINIC), "give one of"),
    ((*COVERED, "--store", "memory:", *CLINIC), "give one of"),
    (("--story", "STORY", "--store", "memory:", *CLINIC), "give one of"),
    (("--store", "memory:", *CLINIC), "--store needs --ref and --year"),
    (("--store", "memory:", "--ref", "s1", *CLINIC), "--store needs --ref and --year"),
    (("--store", "memory:", "--ref", "s1", "--year", "2025", *CLINIC), "sqlite:///"),
    (("--store", "facts.db", "--ref", "s1", "--year", "2025", *CLINIC), "no store 'facts.db'"),
    (("--store", "memory:", "--ref", "s1", "--year", "soon", *CLINIC), "'--year'"),
    (("--story", "nowhere.yaml", *CLINIC), "nowhere.yaml:1:1: "),
    ((*COVERED, *CLINIC[2:]), "'--setting'"),
    ((*COVERED, *CLINIC[:2], *CLINIC[4:]), "'--cost'"),
    ((*COVERED, *CLINIC[:4]), "'--on'"),
    ((*COVERED, *CLINIC, "--setting", "home"), "'--setting'"),
    ((*COVERED, *CLINIC, "--level", "fourth"), "'--level'"),
    ((*COVERED, *CLINIC, "--level", "first"), "a clinic has no level"),
    ((*COVERED, *CLINIC, "--setting", "outpatient"), "needs the level"),
    ((*COVERED, *CLINIC, "--province", "上海"), "outside Shanghai"),
    ((*COVERED, *CLINIC, "--cost=-1.00"), "where: cost"),
    ((*COVERED, *CLINIC, "--cost", "1.005"), "where: cost"),
    ((*COVERED, *CLINIC, "--cost", "ten"), "where: cost"),
    ((*COVERED, *CLINIC, "--cost", "9" * 5000), "where: cost"),
    ((*COVERED, *CLINIC, "--on", "2025-02-30"), "where: on"),
    ((*COVERED, *CLINIC, "--at", "soon"), "'--at'"),
    ((*COVERED, *CLINIC, "--lapsed-years", "one"), "'--lapsed-years'"),
    ((*COVERED, *CLINIC, "--lapsed-years=-1"), "where: lapsed_years"),
    ((*COVERED, *CLINIC, "--registered", "soon"), "where: registered"),
    ((*COVERED, *CLINIC, "--confirmed", "2025-09"), "an instant is written"),
    ((*COVERED, *CLINIC, "--withdrawn", "soon"), "where: withdrawn"),
    ((*COVERED, *CLINIC, "--employee-cover-stopped", "x"), "where: employee_cover_stopped"),
    ((*COVERED, *CLINIC, "--document", "library_card"), "where: document"),
]


@pytest.mark.parametrize(
    ("arguments", "said_"), UNFIT, ids=[f"{number}-{case[1]}" for number, case in enumerate(UNFIT)]
)
def test_what_cannot_be_quoted_ends_with_2_and_says_why(
    arguments: tuple[str, ...],
    said_: str,
    tell: Write,
    run: Run,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    story = str(tell(STORY))
    monkeypatch.chdir(tmp_path)
    asked = [story if argument == "STORY" else argument for argument in arguments]
    assert said_ in said(run("quote", *asked))


def test_a_person_reads_what_is_paid_and_how_it_is_settled(run: Run) -> None:
    text = run("quote", *COVERED, *VISIT).stdout
    assert text.splitlines() == [
        "2025-10-02 · outpatient · second level · 400.00",
        "the fund pays 60.00, the patient 340.00",
        "deductible used 300.00, yearly deductible left 0.00",
        "settled at once",
    ]
    claimed = run("quote", *COVERED, *CLINIC).stdout
    assert "the fund pays 96.00, the patient 24.00" in claimed
    assert "because" in claimed.splitlines()[-1]


def test_a_person_reads_why_care_is_refused_and_from_when_it_is_covered(run: Run) -> None:
    text = run("quote", *COVERED[:5], "1", *CLINIC).stdout
    assert "refused: the day lies in the waiting period; covered from 2025-12-02" in text
    never = run("quote", *COVERED, *CLINIC, "--on", "2026-01-01").stdout
    assert "refused: " in never
    assert "covered from" not in never
    for refused in (text, never):
        assert "the fund pays" not in refused
        assert "deductible" not in refused


def test_a_person_reads_what_is_missing_while_the_cover_is_pending(run: Run) -> None:
    text = run("quote", *COVERED[:4], *CLINIC).stdout
    assert "pending, missing: the result of the check is missing" in text
    assert "confirmation" in run("quote", *COVERED[:2], *CLINIC).stdout


def test_a_quote_is_told_in_chinese(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = run("quote", *COVERED, *VISIT, "--lang", "zh").stdout
    assert "医保基金支付 60.00 元，个人支付 340.00 元" in asked
    assert "年度起付线余额 0.00 元" in asked
    refused = run("quote", *COVERED[:5], "1", *CLINIC, "--lang", "zh").stdout
    assert "自 2025-12-02 起可享受待遇" in refused
    for text in (asked, refused):
        assert not any(word in text for word in ("fund", "outpatient", "refused", "clinic"))
    monkeypatch.setenv("YIBAO_LANG", "zh")
    assert run("quote", *COVERED, *VISIT).stdout == asked


BILLS = st.lists(
    st.tuples(
        st.sampled_from(
            ["campus_clinic", "village_clinic", "outpatient", "emergency", "inpatient"]
        ),
        st.sampled_from(["first", "second", "third"]),
        st.decimals(0, 700, places=2),
        st.dates(date(2025, 8, 25), date(2025, 12, 31)),
        st.sampled_from([None, "江苏", "Zhejiang"]),
    ),
    min_size=1,
    max_size=5,
)


# Each example empties the store.
@settings(
    max_examples=15,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(bills=BILLS, lapsed_years=st.sampled_from([None, 0, 1]))
def test_a_quote_is_the_assessment_that_the_care_then_gets(
    url: str, bills: list[tuple[str, str, Any, Any, str | None]], lapsed_years: int | None
) -> None:
    with yibao.open(emptied(url), clock=Clock(JANUARY)) as service:
        check = enrolled(service)
        if lapsed_years != 0:
            changed_check(service, check.event_id, lapsed_years)
        service.file_remote_care(ADA, at="2025-09-20 10:00", province="江苏")
        for setting, level, cost, on, province in bills:
            clinic = setting.endswith("clinic")
            bill: dict[str, Any] = {
                "on": on,
                "setting": setting,
                "cost": cost,
                "level": None if clinic else level,
                "province": province,
            }
            quote = service.quote(ADA, **bill)
            service.receive_care(ADA, at="2026-01-02 10:00", **bill)
            care = service.at(ADA).care[-1]
            assert amounts(quote) == amounts(care)
            assert (quote.settlement.value, quote.refused, quote.is_pending) == (
                care.settlement.value,
                care.refused,
                care.is_pending,
            )
            assert quote.covered_from == care.covered_from


def changed_check(service: Service, check: Any, lapsed_years: int | None) -> None:
    """The check found something else, or nothing is known of it."""
    if lapsed_years is None:
        service.void(ADA, check, at="2025-09-07 10:00", reason="misread")
    else:
        changes = {"lapsed_years": lapsed_years}
        service.correct(ADA, check, at="2025-09-07 10:00", reason="misread", changes=changes)


def test_a_quote_is_asked_as_known_at_an_instant_or_a_version(url: str) -> None:
    clock = Clock("2025-10-01 12:00")
    with yibao.open(url, clock=clock) as service:
        enrolled(service)
        clock.at("2025-10-05 12:00")
        visit(service, "250.00")
        bill: dict[str, Any] = {
            "on": "2025-10-06",
            "setting": "emergency",
            "level": "first",
            "cost": "300.00",
        }
        assert amounts(service.quote(ADA, **bill)) == ("175.00", "125.00", "50.00", "0.00")
        for known_at in ("2025-10-05 11:59", 4):
            before = service.quote(ADA, **bill, known_at=known_at)
            assert amounts(before) == ("0.00", "300.00", "300.00", "0.00")
        assert service.quote(ADA, **bill, known_at=2).is_pending
        with pytest.raises(NotPermitted, match="not_registered"):
            service.quote(ADA, **bill, known_at=0)
        with pytest.raises(NotPermitted, match="not_registered"):
            service.quote(EnrollmentId("s2", 2025), **bill)


def test_a_store_is_found_by_its_escaped_address(tmp_path: Path, run: Run) -> None:
    url = f"sqlite:///{tmp_path}/my%20facts.db"
    with yibao.open(url) as service:
        enrolled(service)
    result = run("quote", "--store", url, "--ref", "s1", "--year", "2025", *CLINIC)
    assert result.exit_code == 0


@pytest.mark.parametrize(
    ("option", "given", "named"),
    [
        ("--confirmed", "soon", "--confirmed"),
        ("--medical-card", "2025-13-01 09:00", "--medical-card"),
        ("--on", "9999-10-01", "where: on"),
        ("--on", "0001-01-01", "where: on"),
    ],
)
def test_what_is_wrong_in_a_quote_is_named(option: str, given: str, named: str, run: Run) -> None:
    result = run("quote", "--registered", "2025-09-01", *CLINIC, option, given)
    assert result.exit_code == 2
    assert named in result.stderr


@pytest.mark.parametrize(
    ("options", "said_of_it"),
    [
        (("--registered", "2025-09-01", "--ref", "s1"), "--ref stands beside --store"),
        (("--registered", "2025-09-01", "--student", "s1"), "--student stands beside --story"),
        (
            ("--store", "sqlite:///x.db", "--ref", "s1", "--year", "2025", "--lapsed-years", "0"),
            "--lapsed-years stands beside --registered",
        ),
        (("--registered", "2025-09-01", "--filed", "2025-09-20 09:00"), "--province"),
    ],
)
def test_an_option_that_would_say_nothing_is_refused(
    options: tuple[str, ...], said_of_it: str, run: Run
) -> None:
    result = run("quote", *CLINIC, *options)
    assert result.exit_code == 2
    assert said_of_it in result.stderr
