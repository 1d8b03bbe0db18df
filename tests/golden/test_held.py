"""Each released text is held once, and what is not released yet apart from them."""

from itertools import pairwise
from pathlib import Path

import pytest
from golden import held


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder in which the later of two releases comes first by name."""
    monkeypatch.setattr(held, "RELEASED", tmp_path)
    (tmp_path / "v0.9.0.api.txt").write_text("open\n", encoding="utf-8")
    (tmp_path / "v0.10.0.api.txt").write_text("open, at\n", encoding="utf-8")
    return tmp_path


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize("kind", held.KINDS)
def test_no_release_repeats_the_text_of_the_one_before(kind: str) -> None:
    texts = [path.read_text(encoding="utf-8") for path in held.releases(kind)]
    assert texts
    assert all(before != after for before, after in pairwise(texts))


def test_what_holds_is_the_text_of_the_latest_release(folder: Path) -> None:
    assert held.held("api.txt").name == "v0.10.0.api.txt"


def test_a_release_candidate_comes_between_the_releases(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(held, "GOLDEN", folder)
    for name in ("v1.0.0", "v1.0.0-rc10", "v1.0.0-rc2"):
        for kind in ("api.txt", "db"):
            (folder / f"{name}.{kind}").write_text("open, at, quote\n", encoding="utf-8")
    later = ["v1.0.0-rc2", "v1.0.0-rc10", "v1.0.0"]
    assert held.stores() == later
    names = [path.name.removesuffix(".api.txt") for path in held.releases("api.txt")]
    assert names == ["v0.9.0", "v0.10.0", *later]


def test_what_is_as_released_is_not_written_again(folder: Path) -> None:
    before = names(folder)
    held.hold("api.txt", "open, at\n")
    held.release("v0.11.0")
    assert names(folder) == before


def test_what_differs_holds_and_is_released_under_the_next_name(folder: Path) -> None:
    held.hold("api.txt", "open, at, quote\n")
    assert held.held("api.txt").read_text(encoding="utf-8") == "open, at, quote\n"
    assert held.releases("api.txt")[-1].name == "v0.10.0.api.txt"
    held.release("v0.11.0")
    assert names(folder) == ["v0.10.0.api.txt", "v0.11.0.api.txt", "v0.9.0.api.txt"]


def test_what_is_as_released_again_is_no_longer_apart(folder: Path) -> None:
    held.hold("api.txt", "open, at, quote\n")
    held.hold("api.txt", "open, at\n")
    assert held.held("api.txt").name == "v0.10.0.api.txt"
