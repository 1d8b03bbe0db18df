"""The outbox: what falls due, noticed once, and what was delivered of it."""

from yibao.adapters.following.due.layout import OUTBOX
from yibao.adapters.following.due.outbox import PAGE, DuePage, Outbox, open_outbox
from yibao.adapters.following.due.shapes import SOURCE, cloud_event, due_entry_json, due_json
from yibao.adapters.following.due.store import DueEntry

__all__ = [
    "OUTBOX",
    "PAGE",
    "SOURCE",
    "DueEntry",
    "DuePage",
    "Outbox",
    "cloud_event",
    "due_entry_json",
    "due_json",
    "open_outbox",
]
