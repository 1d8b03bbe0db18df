"""The cohort: everybody at once, at any instant, as known at any other; rebuilt from the facts."""

from yibao.adapters.following.cohort.cohort import (
    LARGEST,
    PAGE,
    Cohort,
    CohortCounts,
    CohortEntry,
    CohortPage,
    Concerned,
    Learned,
    Stood,
    open_cohort,
)
from yibao.adapters.following.cohort.days import CohortDays, Counted, counted_by_day
from yibao.adapters.following.cohort.kept import Alike, Kept, editions_known
from yibao.adapters.following.cohort.layout import COHORT
from yibao.adapters.following.cohort.questions import EVERYBODY, NONE, By, Whose

__all__ = [
    "COHORT",
    "EVERYBODY",
    "LARGEST",
    "NONE",
    "PAGE",
    "Alike",
    "By",
    "Cohort",
    "CohortCounts",
    "CohortDays",
    "CohortEntry",
    "CohortPage",
    "Concerned",
    "Counted",
    "Kept",
    "Learned",
    "Stood",
    "Whose",
    "counted_by_day",
    "editions_known",
    "open_cohort",
]
