"""An edition of one's own: begun with a draft, and warned of where it should be looked at again."""

import json
import re
from pathlib import Path

import pytest

from yibao.adapters.editions.files import OF_A_CITY, Editions
from yibao.adapters.editions.yaml_source import read
from yibao.adapters.views.drafts import OF_A_YEAR

from ..conftest import Run, Write

ROOT = Path(__file__).parents[3]
CITIES = ROOT / "scenarios" / "other-cities" / "policies"
HEAD = """\
edition: mine
title: {en: Mine, zh: 我的}
extends: shanghai-2025
"""


def entry(name: str, value: str, unit: str) -> str:
    return f"  {name}: {{value: {value}, unit: {unit}, clause: x, basis: stated}}\n"


def warned(run: Run, path: Path, *options: object) -> list[str]:
    """What an edition that is right is warned of, without the name of the file."""
    done = run("policy", "check", path, *options)
    assert (done.exit_code, done.stdout) == (0, f"{path.stem} is right\n")
    return [line.removeprefix(f"{path}: ") for line in done.stderr.splitlines()]


def period(name: str, opens: str, closes: str) -> str:
    return entry(name, f"{{opens: {opens}, closes: {closes}}}", "period")


@pytest.mark.parametrize("base", ["shanghai-2024", "shanghai-2025", "shanghai-2026-continuing"])
def test_a_draft_lists_what_is_of_the_year_or_the_city_with_what_it_was(
    base: str, tmp_path: Path, run: Run
) -> None:
    path = tmp_path / "next-one.yaml"
    assert run("policy", "new", "--extends", base, "--out", path).exit_code == 0
    data, text, policy = read(path).data, path.read_text("utf-8"), Editions().get(base)
    assert (data["edition"], data["extends"], data["city"]) == ("next-one", base, "shanghai")
    assert policy.benefits is not None
    given = {name: each for name, each in (*policy.parameters, *policy.benefits) if each}
    named = data["parameters"] | data["benefits"]
    open_here = {name for name in given if name in OF_A_YEAR or name in OF_A_CITY}
    assert open_here - named.keys() <= {"waiting_counts_from"}
    for name, each in given.items():
        cited = f"({each.notice} {each.clause}, {each.basis})"
        assert re.search(rf"^ *#+ +{name}: .*{re.escape(cited)}$", text, re.MULTILINE), name
    for rule, each in (policy.rules | policy.benefit_rules).items():
        assert f"#   {rule}: ({each.notice} {each.clause}, {each.basis})\n" in text


def test_a_draft_is_in_both_languages(run: Run) -> None:
    text = run("policy", "new", "--extends", "shanghai-2025").stdout
    assert "# benefit year ends: the last day on which care is covered" in text
    assert "# 待遇享受期截止日：享受待遇至哪一日止" in text


def test_a_check_lists_what_is_still_to_be_filled_in(tmp_path: Path, run: Run) -> None:
    path = tmp_path / "mine.yaml"
    run("policy", "new", "--extends", "shanghai-2025", "--out", path)
    done = run("policy", "check", path)
    lines = path.read_text("utf-8").splitlines()
    left = [(number, line) for number, line in enumerate(lines, 1) if line.endswith(": TODO")]
    told = done.stderr.splitlines()
    assert (done.exit_code, done.stdout, len(told)) == (2, "", len(left))
    for line, (number, text) in zip(told, left, strict=True):
        column = text.index("TODO") + 1
        assert line.startswith(f"yibao: {path}:{number}:{column}: still to be filled in: ")
    assert told[2].endswith(": parameters.autumn_from.value")
    chinese = run("policy", "check", path, "--lang", "zh").stderr
    assert "尚待填写：parameters.autumn_from.value" in chinese


def test_what_is_still_to_be_filled_in_is_no_edition(tmp_path: Path, run: Run) -> None:
    path = tmp_path / "mine.yaml"
    run("policy", "new", "--extends", "shanghai-2025", "--out", path)
    done = run("policy", "show", "mine", "--policies", tmp_path)
    assert done.exit_code == 2
    assert "still to be filled in: title.en" in done.stderr


def test_a_draft_that_was_filled_in_is_right(tmp_path: Path, run: Run) -> None:
    path = tmp_path / "shanghai-2026.yaml"
    run("policy", "new", "--extends", "shanghai-2025", "--out", path)
    text = path.read_text("utf-8")
    for name, value in {
        "autumn_from": "2026-08-01",
        "autumn_to": "2026-12-31",
        "benefit_from": "2026-09-01",
        "benefit_to": "2026-12-31",
        "window_opens": "2026-09-05 08:00",
        "window_closes_on": "2026-12-31",
        "waiting_counts_from": "2026-09-01",
        "first_premium": "0",
        "table_premium": "400",
    }.items():
        text = text.replace(f"  {name}:\n    value: TODO", f"  {name}:\n    value: {value}")
    text = re.sub(r"value: TODO\n    unit: places", "value: [school]\n    unit: places", text)
    text = re.sub(r"value: TODO\n    unit: phone", 'value: "12393"\n    unit: phone', text)
    path.write_text(text.replace("TODO", "notice of 2026"), encoding="utf-8")
    told = warned(run, path)
    assert "R21: taken over from shanghai-2025, " in "\n".join(told)
    found = Editions(tmp_path).get("shanghai-2026")
    assert (found.year, found.extends) == (2026, "shanghai-2025")
    assert found.parameters.benefit_from.notice == "shanghai-2026"
    assert not [line for line in told if "nobody" in line]  # entrants were in no year before


def test_a_draft_replaces_no_file_unless_it_is_told_to(tmp_path: Path, run: Run) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text("mine\n", encoding="utf-8")
    done = run("policy", "new", "--extends", "shanghai-2025", "--out", path)
    assert (done.exit_code, path.read_text("utf-8")) == (2, "mine\n")
    again = run("policy", "new", "--extends", "shanghai-2025", "--out", path, "--force")
    assert (again.exit_code, read(path).data["edition"]) == (0, "mine")
    assert run("policy", "new", "--extends", "shanghai-1999").exit_code == 2


def test_what_the_notice_of_another_city_says_is_warned_of_key_by_key(run: Run) -> None:
    told = warned(run, CITIES / "guangzhou-2025.yaml", "--policies", CITIES)
    base = Editions(CITIES).get("guangzhou-2025")
    taken = {name for name, each in base.parameters if each and each.notice == "any-city"}
    taken |= {rule for rule, each in base.rules.items() if each.notice == "any-city"}
    assert {line.partition(":")[0] for line in told} == taken
    assert "R24: assumed in any-city, which is of another city or year" in told


def test_a_reading_of_the_same_notice_is_warned_of_nothing(write: Write, run: Run) -> None:
    assert warned(run, write(HEAD, "mine.yaml")) == []


PERIODS = HEAD + "parameters:\n"


def only(told: list[str]) -> list[str]:
    """But for what is taken over, or assumed elsewhere."""
    return [line for line in told if not line.endswith("of another city or year")]


@pytest.mark.parametrize(
    ("periods", "said"),
    [
        (
            period("concentrated_period", "2025-09-05", "2025-10-31")
            + period("extended_period", "2025-10-31", "2025-11-30"),
            "concentrated_period and extended_period overlap from 2025-10-31 00:00 until "
            "2025-11-01 00:00; the first in order counts",
        ),
        (
            period("concentrated_period", "2025-09-05", "2025-10-31")
            + period("late_period", "2025-11-03", "2025-12-31"),
            "nobody can join from 2025-11-01 00:00 until 2025-11-03 00:00, between "
            "concentrated_period and late_period",
        ),
        (
            period("concentrated_period", "2025-10-01", "2025-10-31")
            + period("extended_period", "2025-09-01", "2025-09-30"),
            "the periods do not begin in their order: concentrated, extended, late",
        ),
        (
            period("concentrated_period", "2025-05-01", "2025-07-31"),
            "concentrated_period: nobody can join in it, since it is over before registration "
            "begins on 2025-08-01",
        ),
    ],
    ids=["an overlap", "a gap", "another order", "before registration"],
)
def test_periods_that_contradict_each_other_are_warned_of(
    periods: str, said: str, write: Write, run: Run
) -> None:
    assert only(warned(run, write(PERIODS + periods, "mine.yaml"))) == [said]


def test_periods_that_follow_each_other_are_warned_of_nothing(write: Write, run: Run) -> None:
    periods = (
        period("concentrated_period", "2025-09-05", "2025-10-31 15:00")
        + period("extended_period", "2025-10-31 15:00", "2025-11-30")
        + period("late_period", "2025-12-01", "2025-12-31")
    )
    assert warned(run, write(PERIODS + periods, "mine.yaml")) == []


def test_days_between_two_years_are_warned_of(write: Write, run: Run) -> None:
    text = HEAD.replace("shanghai-2025", "shanghai-2026-continuing") + "parameters:\n"
    late = entry("benefit_from", "2026-01-03", "day")
    told = only(warned(run, write(text + late, "mine.yaml")))
    assert told == [
        "nobody is covered from 2026-01-01 to 2026-01-02, between shanghai-2025 and this edition"
    ]
    on_time = entry("benefit_from", "2026-01-01", "day")
    assert only(warned(run, write(text + on_time, "mine.yaml"))) == []


def test_warnings_are_told_in_chinese(write: Write, run: Run) -> None:
    path = write(PERIODS + period("concentrated_period", "2025-05-01", "2025-07-31"), "mine.yaml")
    done = run("policy", "check", path, "--lang", "zh")
    assert done.exit_code == 0
    assert "集中参保期：报到自 2025-08-01 起，此前该时段已截止，无人可参保" in done.stderr


def test_a_program_is_told_whether_an_edition_is_right_and_what_it_is_warned_of(
    write: Write, run: Run
) -> None:
    path = write(PERIODS + period("concentrated_period", "2025-05-01", "2025-07-31"), "mine.yaml")
    done = run("policy", "check", path, "--json")
    assert (done.exit_code, done.stderr) == (0, "")
    told = json.loads(done.stdout)
    mine = Editions().check(path)
    head = {key: told[key] for key in ("format", "file", "ok", "id", "year", "digest")}
    right = {"format": 1, "file": str(path), "ok": True, "id": "mine", "year": 2025}
    assert head == {**right, "digest": mine.digest}
    assert {
        "code": "period_before_autumn",
        "period": "concentrated_period",
        "autumn": "2025-08-01",
    } in told["warnings"]
    assert len(told["warnings"]) == len(warned(run, path))


def test_a_program_is_told_every_mistake_with_its_place(
    write: Write, run: Run, tmp_path: Path
) -> None:
    draft = tmp_path / "next-one.yaml"
    run("policy", "new", "--extends", "shanghai-2025", "--out", draft)
    wrong = write(HEAD + "parameters: {benefit_to: 1}\n", "mine.yaml")
    for path in (draft, wrong, tmp_path / "none.yaml"):
        people = run("policy", "check", path)
        done = run("policy", "check", path, "--json")
        assert (done.exit_code, done.stderr) == (people.exit_code, "") == (2, "")
        told = json.loads(done.stdout)
        lines = [line.removeprefix("yibao: ") for line in people.stderr.splitlines()]
        assert told == {"format": 1, "file": str(path), "ok": False, "errors": lines}
    chinese = json.loads(run("policy", "check", wrong, "--json", "--lang", "zh").stdout)
    assert chinese["errors"][0].startswith(f"{wrong}:")
    assert chinese["errors"] != json.loads(run("policy", "check", wrong, "--json").stdout)["errors"]
