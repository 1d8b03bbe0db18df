"""What leaves the house: a wheel that is the whole yibao, a source distribution, and a demo.

The wheel is built and installed in an empty environment by the lines of the README.
"""

import json
import os
import re
import subprocess
import sys
import tarfile
import venv
from collections.abc import Mapping
from importlib.metadata import Distribution
from pathlib import Path

import pytest
from markdown_it import MarkdownIt
from markdown_it.token import Token
from packaging.utils import canonicalize_name
from shown import blocks
from trove_classifiers import classifiers

import yibao

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
#: A requirement of a lock file, without its hashes.
PINNED = re.compile(r"^\w\S+==.+?(?= \\$)", re.MULTILINE)


def _run(*command: str | Path, cwd: Path | None = None, env: Mapping[str, str] = {}) -> str:
    left_out = ("PYTHONPATH", "GIT_DIR", "GIT_WORK_TREE", "MAKEFLAGS", "MAKELEVEL")
    kept = {key: value for key, value in os.environ.items() if key not in left_out}
    done = subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        env={**kept, **env},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def pins(*names: str) -> list[str]:
    """What these lock files pin."""
    return [pin for name in names for pin in PINNED.findall((ROOT / name).read_text())]


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("clone") / "yibao"
    _run("git", "clone", "--quiet", "--no-hardlinks", ROOT, folder)
    return folder


@pytest.fixture(scope="module")
def installed(clone: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The interpreter of an empty environment with nothing but the wheel and what it needs."""
    folder = tmp_path_factory.mktemp("wheel")
    venv.create(folder / "empty", with_pip=True)
    python = folder / "empty" / "bin" / "python"
    constraints = folder / "constraints.txt"
    constraints.write_text("\n".join(pins("requirements.txt", "requirements-build.txt")))
    _, lines, _ = [body for language, body in blocks(README) if language == "sh"]
    _run(
        "bash",
        "-euc",
        lines,
        cwd=clone,
        env={
            "PATH": f"{python.parent}:{os.environ['PATH']}",
            "PIP_CONSTRAINT": str(constraints),
            "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        },
    )
    return python


def test_the_first_answer_comes_as_often_as_its_lines_are_run(
    installed: Path, tmp_path: Path
) -> None:
    (code,) = [body for language, body in blocks(README) if language == "python"]
    (answer,) = [body for language, body in blocks(README) if language == "text"]
    assert [_run(installed, "-c", code, cwd=tmp_path) for _ in range(2)] == [answer, answer]


def test_what_a_package_index_shows_has_no_broken_link(installed: Path) -> None:
    told = _distribution(installed)
    assert told.metadata["License-Expression"] == "Apache-2.0"
    assert set(told.metadata.get_all("Classifier", [])) <= classifiers
    assert told.metadata["Description-Content-Type"].startswith("text/markdown")
    parsed = MarkdownIt("commonmark").enable("table").parse(told.metadata["Description"])
    tokens = [token for block in parsed for token in (block, *(block.children or ()))]
    assert [token for token in tokens if token.type == "image"] == []
    assert [link for link in map(_link, tokens) if link and "://" not in link] == []
    assert "docs/embedding.md" in told.metadata["Description"]


def _link(token: Token) -> str:
    return str(token.attrGet("href") or "") if token.type == "link_open" else ""


def _distribution(python: Path) -> Distribution:
    (folder,) = python.parents[1].glob("lib/python*/site-packages/yibao-*.dist-info")
    return Distribution.at(folder)


def test_its_licence_is_in_it(installed: Path) -> None:
    (file,) = [each for each in _distribution(installed).files or () if each.name == "LICENSE"]
    assert file.read_text() == (ROOT / "LICENSE").read_text()


def test_in_a_source_distribution_every_link_of_the_documents_holds(
    clone: Path, tmp_path: Path
) -> None:
    _run(sys.executable, "-m", "hatchling", "build", "-t", "sdist", "-d", tmp_path, cwd=clone)
    (packed,) = tmp_path.glob("yibao-*.tar.gz")
    with tarfile.open(packed) as archive:
        archive.extractall(tmp_path, filter="data")
    unpacked = tmp_path / packed.name.removesuffix(".tar.gz")
    pages = [*unpacked.glob("*.md"), *unpacked.glob("docs/*.md")]
    assert len(pages) > 5
    for page in pages:
        prose = re.sub(r"^```.*?^```", "", page.read_text(), flags=re.DOTALL | re.MULTILINE)
        for target in re.findall(r"\]\(([^()\s#]+)(?:#[^)]*)?\)", prose):
            assert "://" in target or (page.parent / target).exists(), f"{page.name}: {target}"


def test_a_demo_installs_what_yibao_needs_and_no_more(clone: Path) -> None:
    told = _run("make", "demo", f"PYTHON={sys.executable}", cwd=clone)
    assert "all stories hold" in told
    assert _run(clone / ".venv/bin/yibao", "--version").startswith("yibao")
    named = _run(clone / ".venv/bin/python", "-m", "pip", "list", "--format", "json")
    needed = {pin.partition("==")[0] for pin in pins("requirements.txt", "requirements-build.txt")}
    found = {canonicalize_name(each["name"]) for each in json.loads(named)}
    assert found - {"pip", "setuptools"} == needed | {"yibao"}
    assert "install" not in _run("make", "--dry-run", "demo", cwd=clone)
    # The suite installs its own beside it; then a demo has what it needs.
    for name in (".shown", ".ready"):
        (clone / ".venv" / name).touch()
    for what in ("demo", "test"):
        assert "install" not in _run("make", "--dry-run", what, cwd=clone)


def test_a_demo_and_the_suite_install_the_same_versions() -> None:
    assert set(pins("requirements.txt", "requirements-build.txt")) <= set(
        pins("requirements-dev.txt")
    )


def test_it_leaves_one_package_in_site_packages(installed: Path) -> None:
    listed = _run(
        installed, "-c", "import yibao, pathlib; print(pathlib.Path(yibao.__file__).parents[1])"
    )
    names = {entry.name for entry in Path(listed.strip()).iterdir()}
    assert "yibao" in names
    assert not names & {"domain", "projections", "adapters", "tests", "scenarios", "src"}


def test_it_replays_every_story(installed: Path, tmp_path: Path) -> None:
    told = json.loads(
        _run(installed, "-m", "yibao", "replay", ROOT / "scenarios", "--json", cwd=tmp_path)
    )
    assert len(told) >= 30
    assert all(story["ok"] for story in told)


def test_it_brings_both_editions_and_both_languages(installed: Path, tmp_path: Path) -> None:
    listed = _run(installed, "-m", "yibao", "policy", "list", "--lang", "zh", cwd=tmp_path)
    assert "shanghai-2024" in listed
    assert "大学生居民医保" in listed


def test_it_brings_the_counties_that_documents_begin_with(installed: Path, tmp_path: Path) -> None:
    asked = "from yibao.adapters.office.judging import knows_county; print(knows_county('310104'))"
    assert _run(installed, "-c", asked, cwd=tmp_path).strip() == "True"


def test_the_command_explains_compares_and_draws(installed: Path, tmp_path: Path) -> None:
    command = installed.parent / "yibao"
    story = ROOT / "scenarios" / "whole-autumns" / "the-counters-story.yaml"
    assert "R20" in _run(command, "explain", story, cwd=tmp_path)
    assert _run(command, "compare", story, "--known-at", "1", cwd=tmp_path)
    assert "stateDiagram" in _run(command, "diagram", cwd=tmp_path)


def test_every_public_name_is_in_it(installed: Path, tmp_path: Path) -> None:
    asked = "import yibao; print(len([getattr(yibao, name) for name in yibao.__all__]))"
    assert int(_run(installed, "-c", asked, cwd=tmp_path)) == len(yibao.__all__)


def test_it_is_typed(installed: Path) -> None:
    found = _run(
        installed,
        "-c",
        "import yibao, pathlib; print((pathlib.Path(yibao.__file__).parent / 'py.typed').exists())",
    )
    assert found.strip() == "True"
