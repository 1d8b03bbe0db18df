"""What the officer is told: what became of a table, her lists, and one of her students."""

from collections.abc import Iterator

from rich.console import Group, RenderableType
from rich.text import Text

from yibao.adapters.office.imports import (
    FINE,
    VERDICTS,
    Imported,
    row_told,
    verdict_told,
    warnings_told,
)
from yibao.adapters.office.season import Listed, Morning, Shown
from yibao.adapters.office.workbooks import list_heads, list_row
from yibao.adapters.shapes import plain
from yibao.adapters.views import in_one_line
from yibao.adapters.views.console import reason_lines, rows_report, short_report, to_tell
from yibao.adapters.views.words import Words


def tell_imported(imported: Imported, words: Words) -> Iterator[str]:
    """Counts, what is to be looked at, and why each row is not as it should be."""
    if imported.dry_run:
        yield words("office", "dry_run")
    for verdict in VERDICTS:
        if count := imported.counts[verdict]:
            yield words.named(verdict_told(verdict, imported.kind, words), count)
    yield from map(in_one_line, warnings_told(imported, words))
    for row in imported.rows:
        if row.verdict not in FINE:
            why, mend = row_told(row, words)
            called = verdict_told(row.verdict, imported.kind, words)
            told = words("office", "told", row=row.row, verdict=called)
            yield in_one_line(words.joined(filter(None, (words.named(told, why), mend)), "apart"))


def morning_report(morning: Morning, words: Words) -> RenderableType:
    """Each list, how many are on it, and by which name it is asked for."""
    heads = [words("office", head) for head in ("list", "count", "name")]
    rows = ((words("office_list", name), number, name) for name, number in morning.lists)
    columns = {"list": str, "enrollments": int, "name": str}
    return Group(_title(morning), rows_report(heads, rows, columns))


def list_report(found: Listed, words: Words) -> RenderableType:
    """Who is on a list."""
    title = _title(found, words("office_list", found.name))
    if not found.entries:
        return Group(title, Text(words("office", "nobody_listed")))
    heads = list_heads(found.name, words)
    rows = ([_text(cell) for cell in list_row(found.name, each)] for each in found.entries)
    return Group(title, rows_report(heads, rows, dict.fromkeys(heads, str)))


def student_report(shown: Shown, words: Words) -> RenderableType:
    """Who she is, what holds and why, and what to tell her; of years before a line each."""
    *earlier, answer = shown.answers
    entry = shown.person.entry
    who = [words.named(words("roster", key), getattr(entry, key)) for key in ("name", "number")]
    return Group(
        *(Text(in_one_line(line)) for line in who),
        short_report(answer, words, earlier),
        *_section(words("office", "why"), reason_lines(answer, words)),
        *_section(words("office", "to_tell"), to_tell(answer, words)),
    )


def _title(of: Morning | Listed, *what: str) -> Text:
    """Which school and day it is about, and what it is."""
    told = [of.school, plain(of.at.date()), *what]
    return Text(in_one_line(" · ".join(told)), style="bold")


def _section(head: str, lines: list[str]) -> Iterator[Text]:
    yield Text(f"\n{head}", style="bold")
    for line in lines:
        yield Text(in_one_line(f"- {line}"))


def _text(cell: object) -> str:
    return "-" if cell is None else str(plain(cell))
