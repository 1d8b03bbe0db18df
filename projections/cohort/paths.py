"""Runs a question once for each path that a group of students takes through the law."""

from collections.abc import Callable, Iterator
from typing import TypeVar

import numpy
from numpy.typing import NDArray

from yibao.domain.facts import AnyFact
from yibao.projections.cohort.columns import Column, Numbers, Path
from yibao.projections.cohort.shapes import Shape, Words, facts_of

R = TypeVar("R")
Rows = NDArray[numpy.intp]


def along_paths(
    numbers: Numbers, shape: Shape, words: Words, question: Callable[[tuple[AnyFact, ...]], R]
) -> Iterator[tuple[Rows, Rows, R]]:
    """What a question gives for each path: (group, who of it is along), and the answer."""
    groups = [numpy.arange(numbers.shape[1])]
    while groups:
        group = groups.pop()
        path = Path(len(group))
        whole = len(group) == numbers.shape[1]
        columns = [Column(lambda each=each: each if whole else each[group]) for each in numbers]
        answer = question(facts_of(shape, columns, path, words))
        yield group, numpy.flatnonzero(path.along), answer
        groups += [group[left] for left in path.left]
