"""What the page for the auditor shows is what yibao answers: every command on it is run."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from shown import asked, blocks, shown

import yibao
from yibao.adapters.cli import main
from yibao.adapters.cli.running.audit_report import COLUMNS, OF_OTHER_YEARS
from yibao.adapters.service.recording import ATTEMPTS_KEPT
from yibao.domain.refusals import Refused

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "audit.md").read_text(encoding="utf-8")
STORE = "sqlite:///audit.db"


SHOWN = list(shown(PAGE))
(ASKED,) = re.findall(r"^## Ten questions$(.*?)^## ", PAGE, re.DOTALL | re.MULTILINE)
QUESTIONS = re.split(r"^### ", ASKED, flags=re.MULTILINE)[1:]


@pytest.fixture(scope="module")
def answered(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[str]]:
    """The outputs of everything shown, run in order in a folder where the stories are at hand."""
    folder = tmp_path_factory.mktemp("audit")
    (folder / "scenarios").symlink_to(ROOT / "scenarios", target_is_directory=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.delenv("YIBAO_POLICIES", raising=False)
        yield [each.run() for each in SHOWN]


@pytest.mark.parametrize(
    "number", range(len(SHOWN)), ids=[each.code.splitlines()[0] for each in SHOWN]
)
def test_what_the_page_shows_is_what_comes_out(number: int, answered: list[str]) -> None:
    assert SHOWN[number].drifted(answered[number]) == []


def test_there_are_ten_questions_and_each_has_a_command() -> None:
    assert [each.partition(".")[0] for each in QUESTIONS] == [str(n) for n in range(1, 11)]
    for question in QUESTIONS:
        assert question.splitlines()[0].endswith("?")
        assert [each for each in shown(question) if each.language == "console"]


def test_every_block_on_the_page_is_run_or_is_the_output_of_one_that_is() -> None:
    assert {language for language, _ in blocks(PAGE)} == {"console", "python", "text"}
    assert PAGE.count("```") == 2 * len(blocks(PAGE))


def test_any_text_stands_only_for_ids() -> None:
    for each in SHOWN:
        for line in each.output.splitlines():
            assert line.count("…") <= 1
            assert not line.startswith("…")


@pytest.mark.usefixtures("answered")
def test_the_files_that_a_question_writes_are_there() -> None:
    page = Path("dossier.html").read_text(encoding="utf-8")
    told = json.loads(Path("dossier.json").read_text(encoding="utf-8"))
    assert "s-90a1" in page
    assert len(told["histories"]) == 5
    assert {"answer", "scheduled_by", "trail", "review"} <= told.keys()
    assert [each["by"] for each in told["trail"] if each["kind"] == "refused"] == [
        "counter-2",
        "app-1",
        "counter-2",
    ]


def test_every_option_of_the_command_is_named() -> None:
    command = main.commands["audit"]
    names = [option for each in command.params for option in each.opts]
    missing = [name for name in names if name.startswith("--") and f"`{name}`" not in PAGE]
    assert missing == []


@pytest.mark.usefixtures("answered")
def test_the_keys_of_an_entry_are_those_in_the_table_and_columns_those_said() -> None:
    with yibao.open("sqlite:///few.db", by="counter-1", attempts_kept=0) as service:
        for _ in range(2):
            with pytest.raises(Refused):
                service.confirm(
                    yibao.EnrollmentId("s-1", 2025), at="2025-09-06 10:00", channel="app"
                )
    entries = [
        entry
        for store in (STORE, "sqlite:///few.db")
        for entry in json.loads(asked(f"yibao audit --store {store} --all --json"))["entries"]
    ]
    formats = PAGE.partition("## Formats")[2]
    rows = re.findall(r"^\| (`[^|]+) \|", formats, re.MULTILINE)
    named = {key for row in rows for key in re.findall(r"`(\w+)`", row)}
    # Nobody is parked here, and nobody has a second year.
    assert named == {key for entry in entries for key in entry} | {"stale", *OF_OTHER_YEARS}
    (left_out,) = re.findall(r"Not in the CSV: ([^.]+)\.", formats)
    assert set(re.findall(r"`(\w+)`", left_out)) == named - {*COLUMNS, *OF_OTHER_YEARS}
    assert set(COLUMNS) <= named


def test_as_many_attempts_are_kept_as_the_page_says() -> None:
    assert PAGE.count(f"{ATTEMPTS_KEPT:,}") == 2


def test_the_page_names_no_folder_of_a_machine() -> None:
    assert not re.search(r"/(home|root|tmp|work|Users)/", PAGE)
