"""What the README shows is what yibao does."""

import re
import subprocess
import sys
from pathlib import Path

from yibao.domain.lifecycle.table import mermaid

README = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")


def _block(language: str) -> str:
    (found,) = re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)
    return str(found)


def test_the_lines_for_embedding_run_and_print_what_they_say(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", _block("python")],
        cwd=tmp_path,
        env={"PYTHONPATH": str(Path(__file__).parents[2] / "src")},
        capture_output=True,
        text=True,
        check=True,
    )
    first, second = done.stdout.splitlines()
    assert first == "window_not_open"
    assert "2025, 9, 1" in second
    assert "2025, 12, 31" in second
    assert (tmp_path / "enrollments.db").exists()


def test_the_lines_for_embedding_are_about_fifteen() -> None:
    assert len(_block("python").strip().splitlines()) <= 18


def test_the_state_diagram_is_the_one_that_is_drawn() -> None:
    assert _block("mermaid").strip() == mermaid().strip()
