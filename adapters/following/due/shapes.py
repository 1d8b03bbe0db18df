"""Entries of the outbox as plain JSON: as a page of ours, and as CloudEvents for anybody."""

from typing import Any, Final

from yibao.adapters.following.due.outbox import DuePage
from yibao.adapters.following.due.store import DueEntry
from yibao.adapters.shapes import plain
from yibao.domain.refusals import BadValue

#: What leaves us, where nothing else is said: a URI that is relative to whoever passes it on.
SOURCE: Final = "/yibao"


def due_json(page: DuePage) -> dict[str, Any]:
    """A page of the outbox, with whoever is parked, if anybody is."""
    told = {
        "entries": [due_entry_json(each) for each in page.entries],
        "following": page.following,
    }
    parked = [each._asdict() for each in page.parked]
    return {**told, "parked": parked} if parked else told


def due_entry_json(entry: DueEntry) -> dict[str, Any]:
    """One entry; what was retracted is not due any more, and has no instant."""
    return {
        "id": entry.id,
        "ref": entry.enrollment.ref,
        "year": entry.enrollment.year,
        "kind": entry.kind,
        "what": entry.what,
        "due": plain(entry.due),
        "noticed": plain(entry.noticed),
    }


def cloud_event(entry: DueEntry, source: str = SOURCE) -> dict[str, Any]:
    """An entry as a CloudEvents 1.0 JSON object, which is known by its source and id together.

    `source` is a URI of the store that passes it on. The subject is the enrollment. Raises BadValue
    for a source that is no text, or empty.
    """
    if not isinstance(source, str) or not source:
        raise BadValue("source", "must be a URI")
    ref, year = entry.enrollment
    data = due_entry_json(entry)
    return {
        "specversion": "1.0",
        "id": str(entry.id),
        "source": source,
        "type": f"yibao.notice.{entry.what}",
        "subject": f"{ref}/{year}",
        "time": data["noticed"],
        "datacontenttype": "application/json",
        "data": data,
    }
