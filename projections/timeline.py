"""In which state is the enrollment, at any instant, and since when?"""

from datetime import datetime

from yibao.domain.lifecycle import Change, state_at, timeline
from yibao.domain.rules import Case
from yibao.domain.vocabulary import State

__all__ = ["Change", "state", "state_at", "timeline"]


def state(case: Case, at: datetime) -> State | None:
    """The state at an instant: that of the last change at or before it; None before the first."""
    change = state_at(timeline(case), at)
    return change.state if change else None
