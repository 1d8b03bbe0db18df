"""Rows that have one number: the same person told twice, or two who are told as one."""

from collections.abc import Iterable
from typing import Any

from yibao.adapters.office.judging.refusals import Judged


def told_twice(rows: Iterable[Judged]) -> dict[int, list[int]]:
    """The rows that do not count since another has their number, each with all those others.

    Where all that have it are equal, the first counts; where they differ none does, for nobody
    knows which is right.
    """
    by_number: dict[tuple[Any, ...], list[Judged]] = {}
    for row in rows:
        if row.number is not None:
            by_number.setdefault((row.number, *row.apart), []).append(row)
    found: dict[int, list[int]] = {}
    for same in by_number.values():
        if len(same) == 1:
            continue
        are_equal = all(each.same == same[0].same for each in same)
        for each in same[1:] if are_equal else same:
            found[each.row] = [other.row for other in same if other.row != each.row]
    return found
