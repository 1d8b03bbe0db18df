"""How far the projections are, as a table."""

from collections.abc import Sequence

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from yibao.adapters.following import Status
from yibao.adapters.views.words import Words


def status_report(statuses: Sequence[Status], words: Words) -> RenderableType:
    """A row for each projection, a line for why it halts, and one for each student parked."""
    table = Table(box=None, pad_edge=False)
    for column in ("projection", "position", "reached", "behind", "waits_since", "led"):
        table.add_column(words("projections", column))
    lines = []
    for status in statuses:
        standing = status.standing
        table.add_row(
            standing.projection,
            str(standing.position),
            str(status.reached),
            str(standing.behind),
            f"{status.waits_since:%Y-%m-%d %H:%M:%S}" if status.waits_since else "",
            words("projections", "yes" if status.is_led else "no"),
        )
        if status.halted:
            lines.append(
                Text(words.named(words("projections", "halted"), words.said(status.halted)))
            )
        for parked in standing.parked:
            told = words("projections", "parked", whose=parked.whose, position=parked.position)
            lines.append(Text(words.named(told, words.said(parked.told))))
    return Group(table, *lines)
