"""The comparison in its short form; `python tests/tools/compare_years.py` runs it for minutes."""

import random

import pytest
from tools.compare_years import batch


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("years", [1, 2])
def test_the_program_answers_as_the_second_reading_does(years: int, seed: int) -> None:
    found = list(batch(random.Random(seed), years, plain=False))
    assert len(found) > 20
    assert [each.told() for each in found if each] == []
