"""The audit trail and the history of a value in the terminal."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from yibao.adapters.following.trail import By
from yibao.adapters.shapes import brief_json, plain
from yibao.adapters.views.parts import part_line
from yibao.adapters.views.telling import in_words, numbered, of_year, told
from yibao.adapters.views.terminal import in_one_line, printable
from yibao.adapters.views.words import Words
from yibao.domain.facts.commands import ASKED
from yibao.domain.vocabulary import EnrollmentId
from yibao.projections.history import Held


def trail_report(entries: Iterable[dict[str, Any]], words: Words) -> RenderableType:
    """Entries of the trail one beneath the other, each with what it changed."""
    parts = [entry_lines(told_lines(entry, words)) for entry in entries]
    return Group(*parts) if parts else Text(words("audit", "nothing"))


def entry_lines(lines: Iterable[str]) -> Text:
    """The lines of one entry, all but the first indented."""
    head, *beneath = lines
    text = Text(head, style="bold")
    for line in beneath:
        text.append(f"\n    {line}", style="not bold")
    return text


def told_lines(entry: dict[str, Any], words: Words, changed: str | None = None) -> Iterator[str]:
    """The lines of an entry: what happened or was refused, by whom, and what that changed.

    With `changed` only that part of the answer is told of.
    """
    return (printable(line) for line in _told_lines(entry, words, changed))


def _told_lines(entry: dict[str, Any], words: Words, changed: str | None) -> Iterator[str]:
    words = words.of(entry.get("edition"))
    yield f"{told(entry['recorded_at'], words)}  {what(entry, words)}{_whose(entry)}  {_by(entry)}"
    remarks = [
        words("audit", key, **{key: told(entry[key], words)})
        for key in ("happened_at", "reason", "supersedes_version", *_IDS)
        if entry.get(key) and entry[key] != entry["recorded_at"]
    ]
    if remarks:
        yield words.joined(remarks)
    if entry.get("stale"):
        yield words("audit", "stale")
    if entry.get("code") and entry["kind"] != "refused":
        yield words("audit", "does_not_fit", reason=words("refusal", entry["code"]))
    yield from moved_lines(entry, words, changed)
    if "students" in entry:
        yield words("audit", "moved_students", count=entry["students"])
    if entry.get("note"):
        yield words("audit", "note", note=entry["note"])


def moved_lines(entry: dict[str, Any], words: Words, changed: str | None = None) -> Iterator[str]:
    """What a fact changed, and the steps that entered the timeline with it, a line each."""
    for moved in entry.get("changes", ()):
        if changed == moved["value"] or (changed is None and moved["value"] != "timeline"):
            yield change(moved, words)
    for step in entry.get("steps", ()) if changed is None else ():
        phrase = "schedules" if step["scheduled"] else "enters"
        at, state = told(step["at"], words), words("state", step["state"])
        yield words("audit", phrase, at=at, state=state) + clause(step, words)


_IDS: Final = ("correlation_id", "causation_id")


def what(entry: dict[str, Any], words: Words) -> str:
    """What was recorded, with its values; or what was refused, and why."""
    values = values_line(entry, words)
    told_values = words("phrase", "fields", fields=values) if values else ""
    if entry["kind"] == "refused":
        reason = words("refusal", entry["code"])
        if entry.get("where"):
            reason += words.aside(words.field(entry["where"]))
        command = words("command", entry["command"]) + told_values
        line = words("audit", "refused", command=command, reason=reason)
        return line + (f" ×{entry['attempts']}" if "attempts" in entry else "")
    how = "correction" if entry["supersedes"] else "observed"
    mark = f" [{words('audit', how)}]" if entry["observed"] else ""
    number = of_year(entry.get("fact_year"), f"#{entry['version']}", words)
    named = f"{words('event', entry['kind'])} {number}"
    return named + told_values + mark


#: Which fact a command would have become, so that its values are called as those of the fact.
_EVENT_OF: Final = {name: kind.fact.name for name, kind in ASKED.items() if kind.fact}


def values_line(entry: dict[str, Any], words: Words) -> str:
    """The values of what was recorded or refused, in words."""
    event = _EVENT_OF.get(entry["command"], "") if entry["kind"] == "refused" else entry["kind"]
    return in_words(entry.get("values", {}), words, event)


def change(moved: dict[str, Any], words: Words) -> str:
    """One part of the answer that moved, before and after, and the clause behind it."""
    before = part_line(moved["value"], moved["before"], words)
    after = part_line(moved["value"], moved["after"], words)
    moves = f"{before} → {after}{clause(moved, words)}"
    return words.named(words("value", moved["value"]), moves)


def clause(cited: dict[str, Any], words: Words) -> str:
    """The rule and, where the edition is known, its notice and clause."""
    if not cited.get("rule"):
        return ""
    where = [f"{cited['notice']} {words.clause(cited['clause'])}"] if "clause" in cited else []
    return words.aside(words.joined([cited["rule"], *where]))


def counts_report(counts: Mapping[str | None, int], by: By, words: Words) -> RenderableType:
    """How many entries there are by what they have in common."""
    table = Table(box=None, pad_edge=False)
    table.add_column(words("column", by), overflow="fold")
    table.add_column(words("column", "entries"), justify="right")
    for name, count in counts.items():
        table.add_row(counted(name, by, words), str(count))
    return table


def counted(name: str | None, by: By, words: Words) -> str:
    """What entries are counted by, in words; a dash for those that have none."""
    if name is None:
        return "-"
    section = {"kind": "event", "code": "refusal"}.get(by)
    if by == "kind" and name == "refused":
        return words("column", "refused")
    return words(section, name) if section and words.knows(section, name) else in_one_line(name)


def history_report(
    name: str, held: Iterable[Held], words: Words, whose: EnrollmentId
) -> RenderableType:
    """Every answer given for a value, from when until when, and what ended it."""
    table = Table(box=None, pad_edge=False)
    for column in ("known_from", "known_until"):
        table.add_column(words("audit", column), no_wrap=True)
    for column in (words("value", name), words("audit", "ended_by")):
        table.add_column(column, overflow="fold")
    for each in held:
        table.add_row(*history_cells(name, each, words, whose))
    return table


def history_cells(
    name: str, held: Held, words: Words, whose: EnrollmentId
) -> tuple[str, str, str, str]:
    """From when, until when, which answer, and what ended it."""
    began = told(plain(held.known_from), words) if held.known_from else words("audit", "ever")
    until = told(plain(held.known_until), words) if held.known_until else words("audit", "still")
    value = part_line(name, brief_json(name, held.value), words)
    if held.value is None and held.derived and held.derived.because:
        reason = words("because", held.derived.because)
        value += words.aside(words("phrase", "because", reason=reason))
    ended = words.joined(f"{numbered(event, whose, words)} ({event.by})" for event in held.ended_by)
    if held.known_until and not ended:
        ended = words("audit", "time")
    return began, until, value, ended


def _whose(entry: dict[str, Any]) -> str:
    named = f"{entry['ref']}/{entry['year']}" if entry.get("ref") else entry.get("edition")
    where = ", ".join(part for part in (named, entry.get("school")) if part)
    return f"  [{where}]" if where else ""


def _by(entry: dict[str, Any]) -> str:
    return f"{entry['by']} ({entry['via']})" if entry.get("via") else str(entry["by"])
