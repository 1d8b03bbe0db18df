"""A synthetic school: nobody in it is real, and everything that may happen does."""

from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from yibao.adapters.cli import main
from yibao.adapters.office.demo import Made, make_school, season_of, write_sheet
from yibao.adapters.office.directory import Directory, open_directory
from yibao.adapters.office.imports import Asked, import_roster
from yibao.adapters.office.judging import ROSTER, document_refused, is_county_unknown
from yibao.adapters.office.reading import read_table
from yibao.adapters.office.season import LISTS, listed, this_morning
from yibao.adapters.service import Service, open_service
from yibao.adapters.store import StoreError
from yibao.domain.refusals import BadValue
from yibao.domain.vocabulary import EnrollmentId


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    return make_school(tmp_path_factory.mktemp("made") / "school", 200)


@pytest.fixture(scope="module")
def directory(made: Made) -> Iterator[Directory]:
    found = open_directory(made.settings, lambda: made.at, make=False)
    assert found is not None
    with found:
        yield found


@pytest.fixture(scope="module")
def service(made: Made) -> Iterator[Service]:
    with open_service(f"sqlite:///{made.store}") as service:
        yield service


def test_its_people_have_numbers_that_are_right_and_nobodys() -> None:
    people = [life.pupil for life in season_of(2000).lives]
    assert len({each.number for each in people}) == len(people)
    for each in people:
        asked = each.document, each.document_number
        assert document_refused(*asked, each.registered_on) is None
        assert each.name.startswith("样本")
        if each.document == "resident_id_card":
            assert is_county_unknown(*asked)


def test_its_tables_are_always_the_same_of_a_number_and_a_seed(tmp_path: Path) -> None:
    def tables(folder: str, students: int, seed: int) -> dict[str, bytes]:
        (tmp_path / folder).mkdir()
        sheets = season_of(students, seed).sheets
        written = [write_sheet(tmp_path / folder, sheet) for sheet in sheets]
        return {each.name: each.read_bytes() for each in written}

    first = tables("first", 60, 1)
    assert tables("again", 60, 1) == first
    assert tables("other", 60, 2) != first


def test_everybody_is_enrolled_once(made: Made, service: Service) -> None:
    counts = service.cohort(made.at).count("state").counts
    assert sum(counts.values()) == made.students == 200
    assert {"active", "registered", "confirmed", "opted_out", "withdrawn"} <= counts.keys()


def test_somebody_is_on_every_list(made: Made, service: Service, directory: Directory) -> None:
    morning = this_morning(service, directory, made.school, made.on)
    assert [name for name, _ in morning.lists] == [*LISTS]
    assert [name for name, number in morning.lists if not number] == []


def test_who_is_on_no_roster_has_no_name(
    made: Made, service: Service, directory: Directory
) -> None:
    asked = made.school, made.on
    found = listed(service, directory, "not-declared", *asked, by="officer-1")
    assert found.entries
    assert [each.person for each in found.entries] == [None] * len(found.entries)
    declared = listed(service, directory, "not-confirmed", *asked, by="officer-1")
    assert all(each.person for each in declared.entries)


def test_some_is_told_late_and_some_is_corrected(service: Service, made: Made) -> None:
    events: list[Any] = []
    for entry in service.cohort(made.at).page(limit=500).entries:
        events += service.facts(EnrollmentId(*entry.enrollment))
    late = [each for each in events if each.recorded_at - each.occurred_at > timedelta(days=7)]
    assert len(late) > 50
    corrected = Counter(each.name for each in events if each.supersedes)
    assert {"registered", "prior-coverage-verified"} <= corrected.keys()


def test_its_first_roster_has_the_mess_that_registries_make(made: Made) -> None:
    table = read_table(made.tables[0], ROSTER)
    assert [each.code for each in table.warnings] == ["hidden_sheet"]
    with open_service("memory:", clock=lambda: made.at) as nothing_yet:
        tried = import_roster(nothing_yet, None, table, Asked("demo", dry_run=True))
    assert tried.counts["registered"] > 150
    assert tried.counts["twice"] > 2
    assert {row.code for row in tried.rows if row.verdict == "refused"} == {
        *("check_digit", "unknown_document", "damaged_number", "unknown_category"),
        *("not_a_new_student", "empty"),
    }


def test_it_is_made_in_a_folder_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "mine").touch()
    with pytest.raises(StoreError, match="is not empty"):
        make_school(tmp_path)
    with pytest.raises(BadValue, match="at least"):
        make_school(tmp_path / "school", 29)
    assert not (tmp_path / "school").exists()


def run(*arguments: str, **env: str) -> Result:
    return CliRunner().invoke(main, ["office", *arguments], env=env, catch_exceptions=False)


@pytest.mark.parametrize(("lang", "told"), [("en", "synthetic school"), ("zh", "虚构院校")])
def test_the_command_tells_how_to_look_at_it(lang: str, told: str, tmp_path: Path) -> None:
    done = run("demo", "--students", "30", "--out", str(tmp_path / "school"), "--lang", lang)
    assert (done.exit_code, done.stderr) == (0, "")
    head, *exports, command = done.stdout.splitlines()
    assert told in head
    env = dict(each.removeprefix("export ").split("=") for each in exports)
    looked = run(*command.split()[2:], **env)
    assert looked.exit_code == 0
    assert "2025-12-15" in looked.stdout


def test_the_command_leaves_what_is_there_alone(tmp_path: Path) -> None:
    (tmp_path / "mine").touch()
    done = run("demo", "--out", str(tmp_path), "--lang", "zh")
    assert done.exit_code == 2
    assert "不是空文件夹" in done.stderr
    assert [each.name for each in tmp_path.iterdir()] == ["mine"]


@pytest.mark.parametrize(("lang", "county"), [("en", "the county"), ("zh", "县区代码")])
def test_what_many_rows_are_warned_of_is_told_in_a_line(made: Made, lang: str, county: str) -> None:
    asked = ["--school", made.school, "--dry-run", "--lang", lang, "--at", "2025-12-15"]
    done = run("import", "roster", str(made.tables[0]), *asked, **made.environment())
    assert done.exit_code == 1
    (line,) = (each for each in done.stdout.splitlines() if county in each)
    assert " 5" in line
