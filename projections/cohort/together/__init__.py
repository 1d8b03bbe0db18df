"""Questions put to everybody of a group at once, over columns; they need `yibao[analysis]`."""

from yibao.projections.cohort.together.lines import EVER, FOREVER, Lines, lines_of
from yibao.projections.cohort.together.marks import Marks, marks_of
from yibao.projections.cohort.together.outcomes import Outcomes
from yibao.projections.cohort.together.steps import StepOfMany, StepsOfMany, steps_of
from yibao.projections.cohort.together.values import ValueColumns, value_columns

__all__ = [
    "EVER",
    "FOREVER",
    "Lines",
    "Marks",
    "Outcomes",
    "StepOfMany",
    "StepsOfMany",
    "ValueColumns",
    "lines_of",
    "marks_of",
    "steps_of",
    "value_columns",
]
