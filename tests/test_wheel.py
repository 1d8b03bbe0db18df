"""A wheel built from a clone and installed in an empty environment is the whole yibao."""

import json
import os
import subprocess
import sys
import venv
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


def _run(*command: str | Path, cwd: Path | None = None) -> str:
    environment = {
        key: value
        for key, value in os.environ.items()
        if key not in ("PYTHONPATH", "GIT_DIR", "GIT_WORK_TREE")
    }
    done = subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The interpreter of an empty environment with nothing but the wheel and what it needs."""
    folder = tmp_path_factory.mktemp("wheel")
    clone, wheels = folder / "clone", folder / "wheels"
    _run("git", "clone", "--quiet", "--no-hardlinks", ROOT, clone)
    pip = (sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet")
    _run(*pip, "wheel", "--no-deps", "--no-build-isolation", "-w", wheels, clone)
    (wheel,) = wheels.glob("yibao-*.whl")
    venv.create(folder / "empty", with_pip=True)
    python = folder / "empty" / "bin" / "python"
    pip = (str(python), "-m", "pip", "--disable-pip-version-check", "--quiet")
    _run(*pip, "install", "--require-hashes", "-r", clone / "requirements.txt")
    _run(*pip, "install", "--no-deps", wheel)
    return python


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


def test_the_command_explains_compares_and_draws(installed: Path, tmp_path: Path) -> None:
    command = installed.parent / "yibao"
    story = ROOT / "scenarios" / "whole-autumns" / "the-counters-story.yaml"
    assert "R20" in _run(command, "explain", story, cwd=tmp_path)
    assert _run(command, "compare", story, "--known-at", "1", cwd=tmp_path)
    assert "stateDiagram" in _run(command, "diagram", cwd=tmp_path)


def test_it_is_typed(installed: Path) -> None:
    found = _run(
        installed,
        "-c",
        "import yibao, pathlib; print((pathlib.Path(yibao.__file__).parent / 'py.typed').exists())",
    )
    assert found.strip() == "True"
