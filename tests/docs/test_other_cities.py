"""What the page on other years and cities shows is what yibao does."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner
from shown import blocks, pattern, shown

from yibao.adapters.cli import main
from yibao.adapters.editions.files import OF_A_CITY, Editions
from yibao.domain.editions import Parameters

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "other-cities.md").read_text(encoding="utf-8")
SHOWN = list(shown(PAGE))
DRAFTED, OWN = (body for language, body in blocks(PAGE) if language == "yaml")


@pytest.fixture(scope="module")
def answered(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[str]]:
    """What everything shown tells, on either stream, run in order where the page says it is."""
    folder = tmp_path_factory.mktemp("cities")
    (folder / "scenarios").symlink_to(ROOT / "scenarios", target_is_directory=True)
    (folder / "editions").mkdir()
    (folder / "editions" / "shiep-2026.yaml").write_text(OWN, encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.delenv("YIBAO_POLICIES", raising=False)
        patch.delenv("YIBAO_LANG", raising=False)
        patch.setenv("LC_ALL", "C.UTF-8")
        yield [CliRunner().invoke(main, shlex.split(each.code)[1:]).output for each in SHOWN]


@pytest.mark.parametrize("number", range(len(SHOWN)), ids=[each.code for each in SHOWN])
def test_what_the_page_shows_is_what_comes_out(number: int, answered: list[str]) -> None:
    wanted = SHOWN[number].output.strip("\n").replace("\n…\n", "\n(…)\n")
    wanted = wanted.removesuffix("\n…") + "\n(…)" * wanted.endswith("\n…")
    expected = "\n".join(
        "(?:.*\n)*?.*" if line == "(…)" else pattern(line) for line in wanted.split("\n")
    )
    assert re.fullmatch(expected, answered[number].strip("\n")), answered[number]


@pytest.mark.usefixtures("answered")
def test_the_draft_is_as_the_page_shows_it() -> None:
    assert DRAFTED in Path("editions/shanghai-2026.yaml").read_text(encoding="utf-8")


@pytest.mark.usefixtures("answered")
def test_the_edition_of_a_school_is_told_in_its_words() -> None:
    edition = Editions("editions").get("shiep-2026")
    assert edition.year == 2026
    told = CliRunner().invoke(main, ["policy", "show", "shiep-2026", "--policies", "editions"])
    assert "the finance office's WeChat pages" in " ".join(told.stdout.split())


def test_every_key_that_is_not_taken_over_from_another_city_is_named() -> None:
    assert [key for key in OF_A_CITY if f"`{key}`" not in PAGE] == []


def test_the_keys_of_the_table_are_parameters() -> None:
    rows = re.findall(r"^\| [^|]+\| [^|]+\| ([^|]+)\|", PAGE, re.MULTILINE)[2:]
    named = {key for row in rows for key in re.findall(r"`([a-z_]+)", row)}
    of_values = {"first_of_next_month", "fixed_waiting_months", "foreign", "words"}
    of_facts = {"fix_window", "closes_at"}
    assert len(rows) == 7
    assert named - of_values - of_facts <= Parameters.model_fields.keys()
