"""What the README shows is what yibao does, in either language."""

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final

import pytest
from pictures import AUTUMNS, PICTURES, SEEN, autumn, drawn
from shown import blocks, shown

from yibao.adapters.views.words import Language
from yibao.domain.lifecycle.table import mermaid

ROOT: Final = Path(__file__).parents[2]
PAGES: Final[dict[Language, Path]] = {"en": ROOT / "README.md", "zh": ROOT / "README.zh-CN.md"}

in_either = pytest.mark.parametrize("language", PAGES)


def page(language: Language) -> str:
    return PAGES[language].read_text(encoding="utf-8")


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder where the stories are at hand, and nothing of the user's own, nor the language."""
    (tmp_path / "scenarios").symlink_to(ROOT / "scenarios", target_is_directory=True)
    monkeypatch.chdir(tmp_path)
    for name in [each for each in os.environ if each.startswith("YIBAO_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("LC_ALL", "C.UTF-8")
    return tmp_path


@in_either
@pytest.mark.usefixtures("here")
def test_what_it_shows_is_what_comes_out_as_often_as_it_is_run(language: Language) -> None:
    for each in shown(page(language)):
        assert each.drifted(each.run()) == []
        assert each.drifted(each.run()) == []


@in_either
def test_the_first_answer_takes_five_lines(language: Language) -> None:
    ((_, code),) = [block for block in blocks(page(language)) if block[0] == "python"]
    assert len(code.split("\n\n")) == 2
    assert len([line for line in code.splitlines() if line]) <= 5


@in_either
def test_the_commands_it_names_can_be_run_as_they_stand(language: Language, here: Path) -> None:
    _, _, commands = [body for kind, body in blocks(page(language)) if kind == "sh"]
    done = subprocess.run(
        ["bash", "-euc", commands],
        cwd=here,
        env={"PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin", "PYTHONPATH": f"{ROOT}/src"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert (here / "dossier.html").exists()


@in_either
def test_its_commands_are_there(language: Language) -> None:
    made = (ROOT / "Makefile").read_text(encoding="utf-8")
    named = re.findall(r"\bmake (\w+)", page(language))
    assert {"serve", "demo", "test"} <= set(named)
    assert [
        name for name in named if f"\n{name}: " not in made and f"\n{name}:\n" not in made
    ] == []


def test_both_say_the_same_in_the_same_order() -> None:
    # A page that there is in Chinese too is named in Chinese.
    told = {language: page(language).replace(".zh-CN.md", ".md") for language in PAGES}
    for shape in (
        r"^(#+) ",
        r"^```(\w*)",
        r"\]\(((?!README|docs/pictures)[^)]+)\)",
        r"^(\s*[-|])(?!-)",
    ):
        first, second = (re.findall(shape, text, re.MULTILINE) for text in told.values())
        assert first == second
    code = [
        [
            re.sub(r" *#.*|^export .*\n", "", body, flags=re.MULTILINE)
            for kind, body in blocks(text)
            if kind in ("sh", "python")
        ]
        for text in told.values()
    ]
    assert code[0] == code[1]


@in_either
@pytest.mark.parametrize(
    ("files", "draw"), [(PICTURES, drawn), (AUTUMNS, autumn)], ids=["bars", "autumn"]
)
def test_the_picture_is_the_one_that_is_drawn(
    language: Language, files: dict[Language, Path], draw: Callable[[Language], str]
) -> None:
    file = files[language]
    assert f"(docs/pictures/{file.name})" in page(language)
    assert file.read_text(encoding="utf-8") == draw(language), "draw it anew: make pictures"


def test_the_state_diagram_is_the_one_that_is_drawn() -> None:
    text = (ROOT / "docs" / "lifecycle.md").read_text(encoding="utf-8")
    ((kind, diagram),) = blocks(text)
    assert kind == "mermaid"
    assert diagram.strip() == mermaid().strip()


@in_either
def test_the_readme_opens_with_a_picture_of_the_console(language: Language) -> None:
    file = SEEN[language]
    assert page(language).index(f"(docs/pictures/{file.name})") < page(language).index("##")
    assert file.read_bytes().startswith(b"\x89PNG")
    assert file.stat().st_size < 200_000
