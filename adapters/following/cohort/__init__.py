"""The cohort: everybody at once, at any instant, as known at any other; rebuilt from the facts."""

from yibao.adapters.following.cohort.cohort import (
    LARGEST,
    PAGE,
    Cohort,
    CohortCounts,
    CohortEntry,
    CohortPage,
    Stood,
    open_cohort,
)
from yibao.adapters.following.cohort.days import CohortDays, Counted, counted_by_day
from yibao.adapters.following.cohort.layout import COHORT
from yibao.adapters.following.cohort.questions import NONE, By

__all__ = [
    "COHORT",
    "LARGEST",
    "NONE",
    "PAGE",
    "By",
    "Cohort",
    "CohortCounts",
    "CohortDays",
    "CohortEntry",
    "CohortPage",
    "Counted",
    "Stood",
    "counted_by_day",
    "open_cohort",
]
