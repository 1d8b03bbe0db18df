"""The officer's season: what is to be done today, who is on which list, and one student by number.

Everything in it follows from the facts when it is asked; nothing of it is kept.
"""

from yibao.adapters.office.season.lists import LISTS, Due, due_of, noon
from yibao.adapters.office.season.morning import (
    Entered,
    HowMany,
    Listed,
    Morning,
    entered,
    listed,
    listed_json,
    on_list,
    this_morning,
    today_json,
)
from yibao.adapters.office.season.standing import make_ready
from yibao.adapters.office.season.student import Shown, shown_by_number, shown_json

__all__ = [
    "LISTS",
    "Due",
    "Entered",
    "HowMany",
    "Listed",
    "Morning",
    "Shown",
    "due_of",
    "entered",
    "listed",
    "listed_json",
    "make_ready",
    "noon",
    "on_list",
    "shown_by_number",
    "shown_json",
    "this_morning",
    "today_json",
]
