"""The officer's season: what is to be done today, who is on which list, and one student by number.

Everything in it follows from the facts when it is asked; nothing of it is kept.
"""

from yibao.adapters.office.season.lists import LISTS, Due, due_of, noon
from yibao.adapters.office.season.morning import (
    Listed,
    Morning,
    WaitingList,
    listed,
    listed_json,
    this_morning,
    today_json,
)

__all__ = [
    "LISTS",
    "Due",
    "Listed",
    "Morning",
    "WaitingList",
    "due_of",
    "listed",
    "listed_json",
    "noon",
    "this_morning",
    "today_json",
]
