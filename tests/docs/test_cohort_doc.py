"""What the page on everybody at once shows is what comes out: every example on it is run."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from shown import blocks, shown

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "cohort.md").read_text(encoding="utf-8")
SHOWN = list(shown(PAGE))


@pytest.fixture(scope="module")
def answered(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[str]]:
    """The outputs of everything shown, run in order in a folder where the stories are at hand."""
    folder = tmp_path_factory.mktemp("cohort")
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


def test_every_block_on_the_page_is_run_or_is_the_output_of_one_that_is() -> None:
    assert {language for language, _ in blocks(PAGE)} == {"console", "python", "text"}
    assert PAGE.count("```") == 2 * len(blocks(PAGE))
