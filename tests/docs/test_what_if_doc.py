"""What the page on what-ifs shows is what yibao does."""

from pathlib import Path

import pytest
from click.testing import CliRunner
from shown import blocks, shown

from yibao.adapters.cli import main

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "what-if.md").read_text(encoding="utf-8")
(EDITION,) = (body for language, body in blocks(PAGE) if language == "yaml")


def test_what_the_page_shows_is_what_comes_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "scenarios").symlink_to(ROOT / "scenarios", target_is_directory=True)
    (tmp_path / "one-month.yaml").write_text(EDITION, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("YIBAO_POLICIES", raising=False)
    *commands, program = shown(PAGE)
    for command in commands:
        done = CliRunner().invoke(main, command.code.split()[1:])
        assert done.exit_code == 0, done.output
    assert program.drifted(program.run()) == []
