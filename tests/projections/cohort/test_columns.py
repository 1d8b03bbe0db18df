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
from yibao.projections.cohort.columns import DayColumn, InstantColumn, WordColumn
from yibao.projections.cohort.shapes import day_number, day_of, instant_of
from yibao.projections.cohort.tree import Path, Tree

DAYS = [date(2025, 1, 31), date(2024, 2, 29), date(2025, 12, 31), date(2025, 8, 30)]


def made(kind: Any, path: Path) -> Any:
    return kind.of(path, path.tree.number(0))


def words(path: Path) -> Any:
    number_of = {"sjtu": 1, "ecnu": 2}
    return WordColumn(path, path.tree.number(0), "sjtu", lambda _, word: number_of.get(word, -1))


def told(numbers: list[int], ask: Callable[[Path], Any]) -> dict[int, Any]:
    """What a question gives of each of some numbers, each run for three who are alike."""
    group = numpy.array([[number for number in numbers for _ in range(4)]])
    found: dict[int, Any] = {}

    def alone(row: int) -> Any:
        raise AssertionError("nobody is asked alone")

    tree = Tree()
    for rows, end in tree.go(group, ask, alone):
        answer = end.answer
        values = answer.column.values()[rows] if hasattr(answer, "column") else [answer] * len(rows)
        for row, value in zip(rows.tolist(), values, strict=True):
            assert found.setdefault(numbers[row // 4], value) == value
    return found


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
    numbers = [*map(day_number, DAYS)]
    of = instant_of if isinstance(shifted(DAYS[0]), datetime) else day_of
    found = told(numbers, lambda path: shifted(made(DayColumn, path)))
    assert [of(int(found[number])) for number in numbers] == [*map(shifted, DAYS)]


@pytest.mark.parametrize("year", [1850, 1969, 2199, 2400])
@pytest.mark.parametrize("shifted", [SHIFTED[4], SHIFTED[6]], ids=count())
def test_days_that_are_not_looked_up_are_shifted_alike(
    shifted: Callable[[date], date], year: int
) -> None:
    days = [date(year, 12, 31), date(year + 1, 2, 28), date(2025, 1, 31)]
    found = told([*map(day_number, days)], lambda path: shifted(made(DayColumn, path)))
    assert {n: day_of(int(day)) for n, day in found.items()} == {
        day_number(day): shifted(day) for day in days
    }


COMPARED: list[Callable[[date], bool]] = [
    lambda day: day < date(2025, 6, 1),
    lambda day: not date(2025, 1, 1) >= day,
    lambda day: day == date(2024, 2, 29),
    lambda day: calendar.day_after(day) <= calendar.first_of_next_month(day),
    lambda day: date(2025, 1, 1) < day < date(2025, 9, 1) or day == date(2025, 12, 31),
]


@pytest.mark.parametrize("compared", COMPARED, ids=count())
def test_a_comparison_comes_out_for_each_as_for_her_alone(compared: Callable[[date], Any]) -> None:
    numbers = [*map(day_number, DAYS)]
    found = told(numbers, lambda path: compared(made(DayColumn, path)))
    assert found == {day_number(day): compared(day) for day in DAYS}


def test_words_are_told_apart_by_one_of_them() -> None:
    assert told([1, 2, 3], lambda path: words(path) == "sjtu") == {1: True, 2: False, 3: False}


def test_a_word_that_is_read_has_a_path_for_each() -> None:
    found = told([1, 2], lambda path: path.read(path.tree.number(0)))
    assert found == {1: 1, 2: 2}


def test_a_path_that_was_taken_is_not_asked_again() -> None:
    tree, asked = Tree(), []

    def ask(path: Path) -> bool:
        asked.append(path)
        return bool(made(DayColumn, path) < date(2025, 6, 1))

    for days in (DAYS, [date(2025, 1, 1)], [date(2026, 1, 1)] * 4):
        group = numpy.array([[day_number(day) for day in days for _ in range(4)]])
        answered = {
            row: end.answer for rows, end in tree.go(group, ask, int) for row in rows.tolist()
        }
        assert answered == {row: days[row // 4] < date(2025, 6, 1) for row in range(group.shape[1])}
    assert len(asked) == tree.paths == 2


def test_the_first_few_of_a_path_are_asked_alone() -> None:
    tree = Tree()
    few, more = numpy.array([[1, 2, 3]]), numpy.array([[4]])
    ends = [end.answer for _, end in tree.go(few, lambda path: "path", lambda row: row)]
    assert ends == [0, 1, 2]
    ends = [end.answer for _, end in tree.go(more, lambda path: "path", lambda row: row)]
    assert ends == ["path"]


def test_a_law_that_asks_otherwise_where_all_came_out_alike_is_told_so() -> None:
    tree, bounds = Tree(), iter((1, 5))

    def ask(path: Path) -> bool:
        return path.is_less(path.tree.number(0), next(bounds))

    with pytest.raises(RuntimeError, match="asks otherwise"):
        list(tree.go(numpy.array([[0, 0, 0, 0, 9, 9, 9, 9]]), ask, int))


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
@pytest.mark.parametrize("kind", [DayColumn, InstantColumn])
def test_a_column_refuses_to_be_taken_apart(kind: Any, apart: Callable[[Any], object]) -> None:
    with pytest.raises(TypeError, match="not taken apart"):
        told([0], lambda path: apart(made(kind, path)))


@pytest.mark.parametrize("apart", [str, pickle.dumps, bool, list])
def test_so_does_a_column_of_words(apart: Callable[[Any], object]) -> None:
    with pytest.raises(TypeError, match="not taken apart"):
        told([1], lambda path: apart(words(path)))
