"""The fuzz target in its short form; `make fuzz` runs it for minutes."""

from pathlib import Path

import pytest
from tools import fuzz


@pytest.mark.parametrize("seed", range(4))
def test_whatever_comes_in_only_our_own_errors_come_out(seed: int, tmp_path: Path) -> None:
    assert fuzz.run(seed, tmp_path, lambda count: count < 250) == 250
