"""A whole season, through files alone: what the officer reads is what the library answers."""

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

import yibao
from yibao.adapters.cli import main
from yibao.adapters.office.demo import SCHOOL, Season, Sheet, season_of, write_sheet
from yibao.domain.facts import fold
from yibao.projections.answer import Answer

from ..conftest import key_file

STUDENTS = 2000
LAST = "2025-12-15"


class Office:
    """The commands of an office that has a folder of its own; what they tell as JSON."""

    def __init__(self, folder: Path) -> None:
        self.store = f"sqlite:///{folder / 'facts.db'}"
        self._env = {
            "YIBAO_DIRECTORY": str(folder / "people.db"),
            "YIBAO_DIRECTORY_KEY": str(key_file(folder / "directory.key")),
            "YIBAO_STORE": self.store,
        }

    def __call__(self, *asked: str, code: int = 0) -> Any:
        """What a command tells, which ends with a code."""
        line = ["office", *asked, "--school", SCHOOL, "--json"]
        ended = CliRunner(env=self._env).invoke(main, line, catch_exceptions=False)
        assert (ended.exit_code, ended.stderr) == (code, ""), ended.output
        return json.loads(ended.stdout)

    def imported(self, sheet: Sheet, folder: Path, code: int = 0) -> dict[str, int]:
        """How many rows of a table there are of each verdict, imported on its day."""
        change = "correct" if sheet.corrects else "report"
        how = ["--at", f"{sheet.at:%Y-%m-%d %H:%M}", "--on-change", change]
        file = str(write_sheet(folder, sheet))
        told: dict[str, int] = self("import", sheet.kind, file, *how, code=code)["counts"]
        return told


@pytest.fixture(scope="module")
def season() -> Season:
    return season_of(STUDENTS, in_tables_alone=True)


@pytest.fixture(scope="module")
def office(season: Season, tmp_path_factory: pytest.TempPathFactory) -> Office:
    """An office that has imported every table of a season, in order."""
    folder = tmp_path_factory.mktemp("season")
    office = Office(folder)
    for sheet in season.sheets:
        has_mess = sheet.kind == "roster" or sheet.corrects
        counts = office.imported(sheet, folder, code=int(has_mess))
        assert has_mess or not counts["refused"] + counts["twice"]
    return office


@pytest.fixture(scope="module")
def service(office: Office) -> Iterator[yibao.Service]:
    with yibao.open(office.store) as service:
        yield service


def answers(service: yibao.Service, day: str) -> list[Answer]:
    """What the library answers of each, asked one by one."""
    everybody = service.cohort().page(limit=10_000).entries
    return [service.at(each.enrollment, f"{day} 12:00") for each in everybody]


def on_lists(answer: Answer) -> Iterator[str]:
    """On which lists somebody has to be, by what is answered of her."""
    steps = {step.code: step for step in answer.next_steps}
    looks_at = steps.get("look_at_result")
    if looks_at and looks_at.who == "officer":
        yield "proxy-results"
    for name, *codes in (
        ("not-declared", "await_roster_declaration"),
        ("not-confirmed", "confirm"),
        ("waiting", "await_waiting_period"),
        ("evoucher", "activate_evoucher"),
        ("employee-cover", "stop_employee_cover"),
        ("cards", "try_evoucher_or_get_medical_card"),
        ("next-premium", "pay_next_premium", "pay_premium"),
    ):
        if steps.keys() & {*codes}:
            yield name
    if answer.discrepancies:
        yield "discrepancies"


@pytest.mark.parametrize("day", ["2025-08-29", "2025-11-15", LAST])
def test_on_any_day_the_page_counts_what_the_library_answers(
    office: Office, service: yibao.Service, day: str
) -> None:
    found = answers(service, day)
    assert len(found) == STUDENTS
    counted = Counter(name for answer in found for name in on_lists(answer))
    page = office("today", "--on", day)
    told_there = {each["name"]: each["count"] for each in page["lists"]}
    told_there.pop("proxies-to-enter")
    assert {name: number for name, number in told_there.items() if number} == counted


def test_the_lists_name_whom_the_season_tells_of(office: Office, season: Season) -> None:
    def listed(name: str) -> set[str]:
        entries = office("list", name, "--on", LAST)["entries"]
        return {each["student_number"] for each in entries}

    lives = season.lives
    confirmed = [life for life in lives if life.confirmed_at]
    number_of = {life: life.pupil.number for life in lives}
    assert listed("not-confirmed") == {number_of[each] for each in lives if not each.confirmed_at}
    assert listed("next-premium") == {number_of[each] for each in confirmed if not each.paid_at}
    to_look_up = listed("proxy-results")
    assert to_look_up >= {number_of[each] for each in confirmed if not each.is_looked_up}
    others = to_look_up - {number_of[each] for each in confirmed if not each.is_looked_up}
    assert others <= {number_of[each] for each in confirmed if each.lapsed_years}  # R18: they wait
    assert listed("proxies-to-enter") == {
        number_of[each] for each in lives if each.fate == "proxy_not_entered"
    }
    assert listed("discrepancies") == {
        number_of[each] for each in lives if each.fate == "account_without_confirmation"
    }


def test_what_was_told_wrong_at_first_is_right_in_the_end(
    office: Office, service: yibao.Service, season: Season
) -> None:
    facts = {
        each.enrollment.ref: fold(service.facts(each.enrollment)).counting
        for each in service.cohort().page(limit=10_000).entries
    }
    ref_of = {
        each["student_number"]: each["ref"]
        for each in office("list", "next-premium", "--on", LAST)["entries"]
    }
    seen = 0
    for life in season.lives:
        if life.pupil.number in ref_of:
            of_her = facts[ref_of[life.pupil.number]]
            assert of_her.registration is not None
            registered = of_her.registration.event
            assert registered.on == life.pupil.registered_on
            assert registered.document == life.pupil.document
            if life.confirmed_at and life.is_looked_up:
                assert of_her.checks[-1].event.lapsed_years == life.lapsed_years
                seen += life.told_lapsed_years != life.lapsed_years
    assert seen


def test_tables_that_come_again_change_nothing(
    office: Office, service: yibao.Service, season: Season, tmp_path: Path
) -> None:
    before = service.cohort().count().as_of
    for sheet in season.sheets[-3:]:
        again = office.imported(sheet, tmp_path)
        assert {verdict for verdict, number in again.items() if number} == {"known"}
    assert service.cohort().count().as_of == before
