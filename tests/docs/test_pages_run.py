"""What a page shows is what comes out: every command and every Python on it is run."""

from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest
from shown import blocks, shown

ROOT = Path(__file__).parents[2]
PAGES = {
    name: (ROOT / "docs" / f"{name}.md").read_text(encoding="utf-8")
    for name in ("cohort", "due", "evidence")
}
SHOWN = {name: list(shown(page)) for name, page in PAGES.items()}


@pytest.fixture(scope="module")
def answered(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], list[str]]:
    """The outputs of all a page shows, run in order in a folder where the stories are at hand."""

    @cache
    def answered(name: str) -> list[str]:
        folder = tmp_path_factory.mktemp(name)
        (folder / "scenarios").symlink_to(ROOT / "scenarios", target_is_directory=True)
        with pytest.MonkeyPatch.context() as patch:
            patch.chdir(folder)
            patch.delenv("YIBAO_POLICIES", raising=False)
            return [each.run() for each in SHOWN[name]]

    return answered


@pytest.mark.parametrize(
    ("name", "number"),
    [
        pytest.param(name, number, id=f"{name}: {each.code.splitlines()[0]}")
        for name, found in SHOWN.items()
        for number, each in enumerate(found)
    ],
)
def test_what_the_page_shows_is_what_comes_out(
    name: str, number: int, answered: Callable[[str], list[str]]
) -> None:
    assert SHOWN[name][number].drifted(answered(name)[number]) == []


@pytest.mark.parametrize("name", PAGES)
def test_every_block_on_the_page_is_run_or_is_the_output_of_one_that_is(name: str) -> None:
    found = blocks(PAGES[name])
    assert {language for language, _ in found} <= {"console", "python", "text"}
    assert PAGES[name].count("```") == 2 * len(found)
