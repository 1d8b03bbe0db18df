"""What everybody in a group has to do at an instant, over columns."""

from collections.abc import Iterator
from datetime import datetime
from typing import NamedTuple

from yibao.domain.lifecycle import state_at, timeline
from yibao.domain.rules import as_of
from yibao.projections.cohort.paths import Group, ask
from yibao.projections.cohort.shapes import EditionOf, Words
from yibao.projections.cohort.together.lines import FOREVER, of_each
from yibao.projections.cohort.tree import Numbers, Rows
from yibao.projections.next_step import NextStep, next_steps
from yibao.projections.record import Knowledge


class StepOfMany(NamedTuple):
    """A step that some have, and until when each of them may take it.

    Instants are numbers, `FOREVER` where there is no such end.
    """

    code: str
    who: str
    until: Numbers


class StepsOfMany(NamedTuple):
    """All steps of some in a group, the most urgent first; `rows` are their columns in it."""

    rows: Rows
    steps: tuple[StepOfMany, ...]


def steps_of(
    group: Group, at: datetime, words: Words, edition_of: EditionOf
) -> Iterator[StepsOfMany]:
    """What `next_steps` tells of everybody in a group at an instant: code, who, until."""

    def steps(knowledge: Knowledge) -> tuple[NextStep, ...]:
        if knowledge.case is None:
            return ()
        case = as_of(knowledge.case, at)
        change = state_at(timeline(case), at)
        return next_steps(case, at, change.state if change else None)

    for along in ask([group], steps, words, edition_of):
        yield StepsOfMany(
            along.rows,
            tuple(
                StepOfMany(step.code, step.who, of_each(step.until, along, FOREVER))
                for step in along.answer
            ),
        )
