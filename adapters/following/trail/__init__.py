"""The audit trail: a projection with a store of its own, rebuilt from the facts alone."""

from yibao.adapters.following.trail.audit import (
    PAGE,
    AuditTrail,
    TrailEntry,
    open_trail,
    trail_file,
)
from yibao.adapters.following.trail.layout import TRAIL
from yibao.adapters.following.trail.questions import COUNTED, KINDS, By, Key, Question
from yibao.adapters.following.trail.shapes import attempt_json, entry_json, trail_entry_json

__all__ = [
    "COUNTED",
    "KINDS",
    "PAGE",
    "TRAIL",
    "AuditTrail",
    "By",
    "Key",
    "Question",
    "TrailEntry",
    "attempt_json",
    "entry_json",
    "open_trail",
    "trail_entry_json",
    "trail_file",
]
