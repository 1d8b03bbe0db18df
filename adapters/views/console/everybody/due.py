"""What has come due, as a table."""

from collections.abc import Sequence
from typing import Final

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from yibao.adapters.following import Parked
from yibao.adapters.following.due import DuePage
from yibao.adapters.views.terminal import printable
from yibao.adapters.views.words import Words

#: How many of those are named of whom nothing is noticed.
TOLD: Final = 5


def due_report(page: DuePage, words: Words) -> RenderableType:
    """A row an entry, and where the next page begins."""
    if not page.entries:
        return Text(words("due", "nothing"))
    table = Table(box=None, pad_edge=False)
    for column in ("id", "due", "kind", "what", "ref", "year", "noticed"):
        table.add_column(words("due", column))
    for entry in page.entries:
        table.add_row(
            str(entry.id),
            f"{entry.due:%Y-%m-%d %H:%M}" if entry.due else "",
            words("notice", entry.kind),
            words("due", f"is_{entry.what}"),
            printable(entry.enrollment.ref),
            str(entry.enrollment.year),
            f"{entry.noticed:%Y-%m-%d %H:%M}",
        )
    if page.following is None:
        return table
    return Group(table, Text(words("due", "more", cursor=page.following)))


def parked_told(parked: Sequence[Parked], words: Words) -> str:
    """Of whom nothing new is noticed, in one line."""
    named = [each.whose for each in parked[:TOLD]] + ["…"] * (len(parked) > TOLD)
    return words("due", "lacking", count=len(parked), whose=printable(", ".join(named)))
