"""Whoever asks what care costs is told what the fund may still pay of a limited year (R37)."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from openpyxl import load_workbook

from yibao.adapters.editions.files import Editions
from yibao.adapters.shapes import models
from yibao.adapters.stories.reading import read_story
from yibao.adapters.stories.replaying import Replay, replay
from yibao.adapters.views.objects import as_json

from ..conftest import HEAD, Run, Write
from .test_objects import fits

MINE = """\
edition: mine
title: {en: Ours, zh: 本校}
extends: shanghai-2025
benefits:
  outpatient_deductible: {value: 0, unit: yuan a year, clause: circular 7, basis: stated}
  outpatient_cap: {value: 1000, unit: yuan a year, clause: circular 7, basis: stated}
"""
#: A visit that is settled, one that the limit bounds, one that was early, and a corrected cost.
STORY = """\
- {at: 2025-09-02 17:00, declare_roster: {}}
- {at: 2025-09-06 14:20, confirm: {channel: app}}
- {at: 2025-09-06 14:50, verify_prior_coverage: {lapsed_years: 0}}
- id: first
  at: 2025-10-01 17:00
  receive_care: {setting: outpatient, level: third, cost: 800, on: 2025-10-01}
- {at: 2025-10-01 18:00, settle_care: {step: first}}
- id: second
  at: 2025-10-02 17:00
  receive_care: {setting: outpatient, level: third, cost: 3000, on: 2025-10-02}
- id: early
  at: 2025-10-03 17:00
  receive_care: {setting: outpatient, level: third, cost: 10, on: 2025-08-31}
- {at: 2025-10-04 09:00, correct: {step: first, cost: 900}, reason: misread}
"""
HOLDS = """\
- at: 2025-10-05 09:00
  expect: {care: {step: first, fund: 450.00, cap_left: 550.00}}
- at: 2025-10-05 09:00
  expect: {care: {step: second, fund: 550.00, patient: 2450.00, cap_left: 0.00}}
"""
Tell = Callable[[str], Path]


@pytest.fixture
def policies(write: Write, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = write(MINE, "policies/mine.yaml").parent
    monkeypatch.setenv("YIBAO_POLICIES", str(folder))
    return folder


@pytest.fixture
def story(tell: Write, policies: Path) -> Tell:
    """Writes the story under an edition with a limit, with more steps at its end."""
    head = HEAD.replace("shanghai-2025", "mine")
    return lambda more: tell(STORY + more, head=head)


@pytest.fixture
def ran(story: Tell, policies: Path) -> Replay:
    editions = Editions(policies)
    return replay(read_story(story(""), editions), editions)


def care(result: Result) -> list[tuple[Any, ...]]:
    ((student,),) = (each["students"] for each in json.loads(result.stdout))
    return [(each["fund_pays"], each["patient_pays"], each["cap_left"]) for each in student["care"]]


def test_a_replay_tells_it_of_each_piece_of_care(story: Tell, run: Run) -> None:
    assert care(run("replay", story(HOLDS), "--json")) == [
        ("450.00", "450.00", "550.00"),
        ("550.00", "2450.00", "0.00"),
        ("0.00", "10.00", "0.00"),
    ]


def test_a_story_expects_it_and_is_told_where_it_is_another(story: Tell, run: Run) -> None:
    assert run("replay", story(HOLDS)).exit_code == 0
    wrong = "- {at: 2025-10-05 09:00, expect: {care: {step: first, cap_left: none}}}\n"
    (failure,) = json.loads(run("replay", story(wrong), "--json").stdout)[0]["failures"]
    assert failure["expected"] == {"care": {"step": "first", "cap_left": None}}
    assert failure["came"] == {"care": {"step": "first", "cap_left": "550.00"}}
    said = run("replay", story(wrong), "--lang", "zh")
    assert "门诊年度支付限额余额" in said.stdout


def test_a_story_of_an_edition_without_a_limit_may_expect_none(tell: Write, run: Run) -> None:
    expected = "- {at: 2025-10-05 09:00, expect: {care: {step: first, cap_left: none}}}\n"
    path = tell(STORY + expected)
    assert run("replay", path).exit_code == 0
    assert [left for *_, left in care(run("replay", path, "--json"))] == [None] * 3


LEFT = {"en": "yearly outpatient limit left {}", "zh": "门诊年度支付限额余额 {} 元"}


@pytest.mark.parametrize("lang", LEFT)
def test_in_the_terminal_it_stands_beside_what_is_paid(lang: str, story: Tell, run: Run) -> None:
    path = story("")
    for command in (("replay",), ("audit", "--all"), ("dossier",), ("dossier", "--format=html")):
        found = run(*command, path, "--lang", lang)
        assert found.exit_code == 0, found.output
        text = re.sub(r"\s+", " ", found.stdout)
        assert LEFT[lang].format("550.00") in text, command


@pytest.mark.parametrize("lang", LEFT)
def test_a_quote_tells_what_would_be_left(lang: str, story: Tell, run: Run) -> None:
    visit = ("--setting", "outpatient", "--level", "third", "--cost", "100", "--on", "2025-10-05")
    quote = ("quote", "--story", story(""), *visit)
    early = ("--known-at", "2025-10-01 17:30")
    assert json.loads(run(*quote, "--json").stdout)["cap_left"] == "0.00"
    assert json.loads(run(*quote, *early, "--json").stdout)["cap_left"] == "550.00"
    assert LEFT[lang].format("550.00") in run(*quote, *early, "--lang", lang).stdout


@pytest.mark.parametrize("lang", LEFT)
def test_a_workbook_tells_it(lang: str, story: Tell, run: Run, tmp_path: Path) -> None:
    book = tmp_path / "audit.xlsx"
    assert run("audit", story(""), "--xlsx", book, "--lang", lang).exit_code == 0
    (sheet,) = load_workbook(book).worksheets
    cells = [str(cell.value) for row in sheet.rows for cell in row]
    assert any(LEFT[lang].format("550.00") in cell for cell in cells)


def test_an_explanation_tells_the_limit_by_its_rule_and_who_has_it(story: Tell, run: Run) -> None:
    found = json.loads(run("explain", story(""), "--json").stdout)[0]["care"]
    tree = found[1]["explanations"]["cap_left"]
    assert (tree["value"], tree["rule"], tree["basis"]) == ("0.00", "R37", "assumed")
    assert [part.get("parameter", part.get("fact")) for part in tree["inputs"]] == [
        "outpatient_cap",
        "care-received",
        "care-received",
    ]
    fund = found[1]["explanations"]["fund_pays"]
    assert (fund["rule"], [part["name"] for part in fund["inputs"]]) == (
        "R37",
        ["fund_share", "cap_left"],
    )


def test_without_a_limit_there_is_nothing_to_explain(tell: Write, run: Run) -> None:
    found = json.loads(run("explain", tell(STORY), "--json").stdout)[0]["care"]
    assert {"cap_left": None}.items() <= found[0].items()
    assert "cap_left" not in found[0]["explanations"]


def test_an_answer_a_quote_and_a_review_fit_their_models(ran: Replay) -> None:
    with ran.service as service:
        ada = ran.story.enrollment("s1")
        for lang in (None, "en", "zh"):
            answer = fits(as_json(ran.answer("s1"), lang, explain=True), models.Answer)
            assert [each["cap_left"] for each in answer["care"]] == ["550.00", "0.00", "0.00"]
            visit = {"on": "2025-10-05", "setting": "campus_clinic", "cost": "10.00"}
            quote = fits(as_json(service.quote(ada, **visit), lang), models.Assessed)
            assert quote["cap_left"] == "0.00"
            (changed,) = service.review(ada)
            told = fits(as_json(changed, lang), models.Changed)
            assert (told["then"]["cap_left"], told["now"]["cap_left"]) == ("600.00", "550.00")
