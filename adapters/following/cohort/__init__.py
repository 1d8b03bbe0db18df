"""The cohort: everybody at once, at any instant, as known at any other; rebuilt from the facts."""

from yibao.adapters.following.cohort.cohort import (
    LARGEST,
    PAGE,
    Cohort,
    CohortCounts,
    CohortEntry,
    CohortPage,
    open_cohort,
)
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
    "CohortEntry",
    "CohortPage",
    "Kept",
    "Whose",
    "editions_known",
    "open_cohort",
]
