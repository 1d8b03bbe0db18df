"""What the page on what falls due shows is what yibao answers."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from shown import blocks, shown

from yibao.adapters.cli import main
from yibao.projections.cohort.due import DAYS_BEFORE, KINDS

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "due.md").read_text(encoding="utf-8")
SHOWN = list(shown(PAGE))


@pytest.fixture(scope="module")
def answered(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[str]]:
    """The outputs of everything shown, run in order in a folder where the stories are at hand."""
    folder = tmp_path_factory.mktemp("due")
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


def test_every_kind_and_every_option_is_named() -> None:
    assert [kind for kind in KINDS if f"| `{kind}` |" not in PAGE] == []
    assert f"until\nthen it is {DAYS_BEFORE}." in PAGE
    for option in ("--until", "--acknowledge", "--days-before", "--size", "--after", "--json"):
        assert option in PAGE
    assert {each.name for each in main.commands["due"].params} >= {"until", "days_before"}
    assert PAGE.count("```") == 2 * len(blocks(PAGE))
