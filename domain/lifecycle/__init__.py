"""The state machine: the table, its guards, what may be added to a stream, and the timeline."""

from yibao.domain.lifecycle.decision import asks_for_the_window, decide
from yibao.domain.lifecycle.guards import Attempt, first_refusal, idle_guards, request
from yibao.domain.lifecycle.possibilities import Guard, Possible, possible
from yibao.domain.lifecycle.table import REFUSALS, mermaid, refusals_of
from yibao.domain.lifecycle.timelines import Change, cover_timeline, state_at, timeline

__all__ = [
    "REFUSALS",
    "Attempt",
    "Change",
    "Guard",
    "Possible",
    "asks_for_the_window",
    "cover_timeline",
    "decide",
    "first_refusal",
    "idle_guards",
    "mermaid",
    "possible",
    "refusals_of",
    "request",
    "state_at",
    "timeline",
]
