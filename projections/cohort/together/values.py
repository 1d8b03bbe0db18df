"""State and values of everybody in some groups, as columns of numbers."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple

import numpy
from numpy.typing import NDArray

from yibao.domain.lifecycle import timeline
from yibao.domain.rules import Values, as_of, values
from yibao.domain.vocabulary import PENDING, State
from yibao.projections.cohort.columns import DayColumn, InstantColumn, WordColumn
from yibao.projections.cohort.paths import Along, Group, ask
from yibao.projections.cohort.shapes import EditionOf, Words, day_number, instant_number
from yibao.projections.cohort.tree import Flags, Numbers
from yibao.projections.record import Knowledge

#: The parts of the four values, in their order: days, but for the instant of the e-voucher.
PARTS: Final = (
    "waiting_from",
    "waiting_to",
    "account_built_on",
    "evoucher_available_at",
    "coverage_from",
    "coverage_to",
)


class ValueColumns(NamedTuple):
    """State and values of everybody, one group after the other.

    Schools are numbers of words, states of `states`. Of each part of a value there are its numbers
    and where it is known, and of each value whether it is pending.
    """

    schools: Numbers
    states: NDArray[numpy.int64]
    names: Sequence[State | None]
    parts: dict[str, tuple[Numbers, Flags]]
    pending: dict[str, Flags]


def value_columns(
    groups: Sequence[Group], at: datetime, words: Words, edition_of: EditionOf
) -> ValueColumns:
    """What `answered` tells of state and values at an instant, of everybody in some groups.

    State and values are asked for apart, along fewer paths than both together would need.
    """
    size = sum(group.numbers.shape[1] for group in groups)
    schools, states = (numpy.zeros(size, dtype=numpy.int64) for _ in range(2))
    parts = {
        name: (numpy.zeros(size, dtype=numpy.int64), numpy.zeros(size, dtype=numpy.bool_))
        for name in PARTS
    }
    pending = {name: numpy.zeros(size, dtype=numpy.bool_) for name in Values._fields}
    numbers: dict[State | None, int] = {None: 0}
    begins = 0

    def stands(knowledge: Knowledge) -> Any:
        assert knowledge.case is not None  # an enrollment begins with its registration
        case = as_of(knowledge.case, at)
        return case.facts.latest_school, timeline(case)

    def told(knowledge: Knowledge) -> Any:
        assert knowledge.case is not None
        return values(as_of(knowledge.case, at), at)

    for group in groups:
        for along in ask([group], stands, words, edition_of):
            school, changes = along.answer
            rows = begins + along.rows
            schools[rows] = _each(school, along, words.number)
            path = numpy.array(
                [numbers.setdefault(state, len(numbers)) for state in _states(changes)]
            )
            passed = numpy.zeros(len(rows), dtype=numpy.int64)
            for change in changes:
                passed += _each(change.at, along, instant_number) <= instant_number(at)
            states[rows] = path[passed]
        for along in ask([group], told, words, edition_of):
            rows = begins + along.rows
            found: list[Any] = []
            for each in along.answer:
                value = each.value
                if value is PENDING:
                    pending[each.name][rows] = True
                    value = None
                spans = each.name in ("waiting", "coverage")
                found += (
                    [value] if not spans else [value.first, value.last] if value else [None] * 2
                )
            for (into, known), value in zip(parts.values(), found, strict=True):
                if value is not None:
                    is_instant = isinstance(value, datetime)
                    into[rows] = _each(value, along, instant_number if is_instant else day_number)
                    known[rows] = True
        begins += group.numbers.shape[1]
    return ValueColumns(schools, states, [*numbers], parts, pending)


def _states(changes: Sequence[Any]) -> list[State | None]:
    return [None, *(change.state for change in changes)]


def _each(value: Any, along: Along[Any], number: Callable[[Any], int]) -> Any:
    """The numbers of everybody on a path, or the one number that is everybody's."""
    if isinstance(value, DayColumn | InstantColumn | WordColumn):
        return value.column.at(along.places)
    return number(value)
