"""A column of days, instants or words is compared, shifted and put together, and nothing else."""

import copy
import pickle
from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from itertools import count
from typing import Any

import numpy
import pytest

from yibao.domain import calendar
from yibao.domain.calendar import SHANGHAI
from yibao.projections.cohort.columns import (
    Column,
    DayColumn,
    InstantColumn,
    Path,
    Source,
    WordColumn,
)
from yibao.projections.cohort.shapes import day_number, day_of, instant_number, instant_of

DAYS = [date(2025, 1, 31), date(2024, 2, 29), date(2025, 12, 31), date(2025, 8, 30)]
INSTANTS = [
    datetime(2025, month, 5, hour, 30, tzinfo=SHANGHAI) for month, hour in ((1, 0), (3, 23), (9, 9))
]


def column(numbers: list[int]) -> Column:
    return Column(Source(lambda: numpy.array(numbers), numbers[0]))


def days(path: Path) -> Any:
    return DayColumn.of(path, column([*map(day_number, DAYS)]))


def instants(path: Path) -> Any:
    return InstantColumn.of(path, column([*map(instant_number, INSTANTS)]))


def words(path: Path) -> Any:
    return WordColumn(path, column([1, 2, 1]), "sjtu", lambda _, word: {"sjtu": 1}.get(word, -1))


SHIFTED: list[Callable[[date], date | datetime]] = [
    calendar.midnight,
    calendar.end_of,
    calendar.day_after,
    calendar.day_before,
    calendar.first_of_next_month,
    lambda day: calendar.last_day_of_months(day, 1),
    lambda day: calendar.last_day_of_months(day, 6, counting_first_day=False),
    lambda day: calendar.at_hour(day, time(9)),
    lambda day: calendar.latest(day, date(2025, 3, 1)),
    lambda day: (calendar.at_hour(day, time(23)) + timedelta(hours=2)).date(),
]


@pytest.mark.parametrize("shifted", SHIFTED, ids=count())
def test_a_column_is_shifted_as_each_of_its_days(shifted: Callable[[date], Any]) -> None:
    found = shifted(days(Path(len(DAYS))))
    of = instant_of if isinstance(found, InstantColumn) else day_of
    assert [of(int(number)) for number in found.column.values()] == [*map(shifted, DAYS)]


def test_whoever_a_comparison_comes_out_otherwise_for_leaves() -> None:
    path = Path(len(DAYS))
    assert days(path) < date(2025, 6, 1)
    assert path.along.tolist() == [True, True, False, False]
    assert [left.tolist() for left in path.left] == [[2, 3]]


def test_a_plain_day_on_the_left_is_compared_likewise() -> None:
    path = Path(len(DAYS))
    assert not date(2025, 1, 1) >= days(path)
    assert path.along.tolist() == [True, False, True, True]


def test_words_are_told_apart_by_one_of_them() -> None:
    path = Path(3)
    assert words(path) == "sjtu"
    assert path.along.tolist() == [True, False, True]


TAKEN_APART: list[Callable[[Any], object]] = [
    str,
    "{}".format,
    pickle.dumps,
    copy.deepcopy,
    lambda moment: moment.year,
    lambda moment: moment.strftime("%Y"),
    lambda moment: moment.isoformat(),
    lambda moment: moment - moment,
]


@pytest.mark.parametrize("apart", TAKEN_APART, ids=count())
@pytest.mark.parametrize("made", [days, instants])
def test_a_column_refuses_to_be_taken_apart(
    made: Callable[[Path], Any], apart: Callable[[Any], object]
) -> None:
    with pytest.raises(TypeError, match="not taken apart"):
        apart(made(Path(4)))


@pytest.mark.parametrize("apart", [str, pickle.dumps, bool, list])
def test_so_does_a_column_of_words(apart: Callable[[Any], object]) -> None:
    with pytest.raises(TypeError, match="not taken apart"):
        apart(words(Path(3)))
