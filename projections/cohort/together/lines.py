"""The lines of all instants of everybody in a group, over columns.

State and step are asked for apart, and the step at each instant by itself: the order in which all
the turns of a line follow one another would need a path for each.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple

import numpy
from numpy.typing import NDArray

from yibao.domain.lifecycle import timeline
from yibao.domain.rules import as_of
from yibao.domain.vocabulary import State
from yibao.projections.cohort.columns import InstantColumn
from yibao.projections.cohort.paths import Along, Group, ask, ask_at
from yibao.projections.cohort.shapes import EditionOf, Words, instant_number
from yibao.projections.cohort.spans import Span, spans, step_at, turning, ways
from yibao.projections.cohort.tree import Numbers, Rows
from yibao.projections.record import Knowledge

#: Stands for an end that there is not, and for no instant.
EVER: Final = -(2**62)
FOREVER: Final = 2**62

_JUST: Final = 1


class Lines(NamedTuple):
    """The spans of a group, in the order of its columns and of time.

    Of each span it is told whose it is (`rows`), between which instants it lies, by its number
    which of the `answers`, a state and the code of a step, stands in it, and until when the step
    may be taken, `FOREVER` where there is no such end. Instants are numbers, those outside `EVER`
    and `FOREVER`.
    """

    rows: Rows
    begins: Numbers
    ends: Numbers
    told: NDArray[numpy.int64]
    until: Numbers
    answers: list[tuple[State | None, str | None]]


def lines_of(group: Group, words: Words, edition_of: EditionOf) -> Lines:
    """What `spans` tells of everybody in a group."""
    return _Lines(group, words, edition_of).found()


class _Turns(NamedTuple):
    """The instants at which something may change, in no order, and the changes of state."""

    turns: Sequence[datetime]
    changes: Sequence[datetime]
    states: Sequence[State | None]


def _turns(knowledge: Knowledge) -> _Turns | tuple[Span, ...] | None:
    """None where nothing is known; the spans, where the case stands in several ways."""
    case = knowledge.case
    if case is None or case.facts.registration is None:
        return None
    stood = ways(case)
    if len(stood) > 1:
        return spans(knowledge)
    changes = timeline(stood[0])
    return _Turns(
        list(turning(knowledge, case, stood)),
        [change.at for change in changes],
        [None, *(change.state for change in changes)],
    )


class _Lines:
    def __init__(self, group: Group, words: Words, edition_of: EditionOf) -> None:
        self._group, self._words, self._edition_of = group, words, edition_of
        self._numbers: dict[tuple[State | None, str | None], int] = {}
        self._parts: list[tuple[Rows, Numbers, Numbers, Numbers]] = []

    def found(self) -> Lines:
        at_states: dict[State | None, list[tuple[Rows, Numbers]]] = defaultdict(list)
        for along in ask([self._group], _turns, self._words, self._edition_of):
            found: Any = along.answer
            if found is None:
                self._add(
                    along.rows,
                    of_each(None, along, EVER),
                    None,
                    None,
                    of_each(None, along, FOREVER),
                )
            elif isinstance(found, _Turns):
                for state, rows, at in _in_states(found, along):
                    at_states[state].append((rows, at))
            else:
                for begins_at, _, state, code, until in found:
                    begins = of_each(begins_at, along, EVER)
                    self._add(along.rows, begins, state, code, of_each(until, along, FOREVER))
        for state, parts in at_states.items():
            self._ask_steps(state, *map(numpy.concatenate, zip(*parts, strict=True)))
        return self._joined()

    def _ask_steps(self, state: State | None, rows: Rows, at: Numbers) -> None:
        """Asks for the step at some instants at which a state stands."""

        def step(knowledge: Knowledge, at: datetime) -> tuple[str | None, datetime | None]:
            assert knowledge.case is not None
            return step_at(knowledge, as_of(knowledge.case, at), at, state)

        group = Group(self._group.shape, numpy.vstack([self._group.numbers[:, rows], at]))
        for along in ask_at(group, step, self._words, self._edition_of):
            code, until = along.answer
            asked = along.rows
            self._add(rows[asked], at[asked], state, code, of_each(until, along, FOREVER))

    def _add(
        self, rows: Rows, at: Numbers, state: State | None, code: str | None, until: Numbers
    ) -> None:
        number = self._numbers.setdefault((state, code), len(self._numbers))
        self._parts.append((rows, at, numpy.full(len(rows), number), until))

    def _joined(self) -> Lines:
        """All that was told in order, where neighbours that say the same are one span."""
        rows, at, told, until = map(numpy.concatenate, zip(*self._parts, strict=True))
        order = numpy.lexsort((at, rows))
        rows, at, told, until = rows[order], at[order], told[order], until[order]
        begins = numpy.ones(len(rows), dtype=numpy.bool_)
        begins[1:] = rows[1:] != rows[:-1]
        is_new = begins.copy()
        is_new[1:] |= (told[1:] != told[:-1]) | (until[1:] != until[:-1])
        at[begins] = EVER
        rows, at, told, until = rows[is_new], at[is_new], told[is_new], until[is_new]
        ends = numpy.full(len(rows), FOREVER)
        same = rows[1:] == rows[:-1]
        ends[:-1][same] = at[1:][same]
        return Lines(rows, at, ends, told, until, [*self._numbers])


def _in_states(found: _Turns, along: Along[Any]) -> Iterator[tuple[State | None, Rows, Numbers]]:
    """The turns of everybody on a path, once each, by the state that stands from then on."""
    turns = numpy.array([of_each(at, along, EVER) for at in found.turns])
    turns.sort(axis=0)
    # And one instant before all of them.
    turns = numpy.vstack([turns[:1] - _JUST, turns])
    is_new = numpy.ones(turns.shape, dtype=numpy.bool_)
    is_new[1:] = turns[1:] != turns[:-1]
    stands = numpy.zeros(turns.shape, dtype=numpy.int64)
    for at in found.changes:
        stands += of_each(at, along, EVER) <= turns
    rows = numpy.broadcast_to(along.rows, turns.shape)
    for number, state in enumerate(found.states):
        here = is_new & (stands == number)
        yield state, rows[here], turns[here]


def of_each(at: datetime | None, along: Along[Any], none: int) -> Numbers:
    """The instant of everybody on a path, as numbers."""
    if isinstance(at, InstantColumn):
        return at.column.at(along.places)
    return numpy.full(len(along.rows), none if at is None else instant_number(at))
