"""Rows of the facts' table, and the events of a stream in them."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from itertools import groupby, zip_longest
from operator import itemgetter
from typing import Any, Final, NamedTuple
from uuid import UUID

from yibao.adapters.store.connections import (
    Sql,
    SqlRow,
    in_parts,
    stream_of,
)
from yibao.adapters.store.findings import ANY, KINDS
from yibao.adapters.store.tables.mapping import from_row
from yibao.domain.calendar import in_shanghai
from yibao.domain.facts import Positioned
from yibao.domain.facts.events import Event
from yibao.domain.refusals import UnreadableEvent

STREAM: Final = (
    "SELECT originator_version, topic, state "
    "FROM stored_events WHERE originator_id=? ORDER BY originator_version"
)


STREAM_FROM: Final = STREAM.replace("originator_id=?", "originator_id=? AND originator_version>=?")


AT: Final = (
    "SELECT notification_id, originator_id, originator_version, topic, state "
    "FROM stored_events WHERE notification_id IN ({})"
)


BEGUN: Final = (
    "SELECT originator_id FROM stored_events WHERE originator_version=1 AND originator_id IN ({})"
)


POSITIONED_OF_MANY: Final = (
    "SELECT originator_id, notification_id, originator_version, topic, state FROM stored_events "
    "WHERE originator_id IN ({}) AND notification_id<=? ORDER BY originator_id, originator_version"
)


FEED: Final = (
    "SELECT notification_id, originator_id, originator_version, topic, state FROM stored_events "
    "WHERE notification_id>? AND notification_id<=? ORDER BY notification_id LIMIT ?"
)


POSITIONED: Final = STREAM.replace("SELECT", "SELECT notification_id,").replace(
    "originator_id=?", "originator_id=? AND notification_id<=?"
)


_SOME_STREAMS: Final = (
    "SELECT originator_id, originator_version, topic, state "
    "FROM stored_events WHERE originator_id IN ({})"
)


#: That the streams are named twice keeps PostgreSQL from reading the whole table, which it does of
#: one that has grown since it looked how it is filled.
_LAST_ROWS: Final = (
    "SELECT originator_id, originator_version, topic, state FROM stored_events AS e "
    "JOIN (SELECT originator_id AS stream, MAX(originator_version) AS last FROM stored_events "
    "WHERE originator_id IN ({0}) GROUP BY originator_id) AS l "
    "ON e.originator_id=l.stream AND e.originator_version=l.last WHERE e.originator_id IN ({0})"
)


#: In the place of streams where there are no more.
_NO_STREAM: Final[tuple[str, list[str]]] = ("NULL", [])


LENGTHS: Final = "SELECT originator_id, COUNT(*) FROM stored_events GROUP BY originator_id"


class Taken(NamedTuple):
    """At this position the store extended this stream by an event of this stored name."""

    position: int
    stream: UUID
    topic: str


def positioned(stream: UUID, rows: Sequence[SqlRow]) -> list[Positioned]:
    """The events of one stream from rows that begin with the position, as `rows_of` has them.

    Raises UnreadableEvent where one cannot be read.
    """
    events = decoded(stream, (row[1:] for row in rows))
    return [Positioned(row[0], event) for row, event in zip(rows, events, strict=True)]


def stamp_in(state: bytes) -> datetime | None:
    """When a fact was recorded, as far as that can be read; the rest of it need not be readable."""
    try:
        return in_shanghai(datetime.fromisoformat(stamp_told(state).decode()))
    except (ValueError, TypeError):
        return None


def stamp_told(state: bytes) -> bytes:
    """When a fact was recorded, as it is spelt there; nothing where it is not told."""
    # As it is written by `to_row`; within a text its quotation marks would be escaped.
    return state.partition(b'"recorded_at":"')[2].partition(b'"')[0]


def rows_of_streams(
    sql: Sql, streams: Sequence[UUID], last_of: Sequence[UUID] = ()
) -> dict[UUID, list[SqlRow]]:
    found: dict[UUID, list[SqlRow]] = {stream: [] for stream in (*streams, *last_of)}
    parts = zip_longest(
        in_parts(stream.hex for stream in streams),
        in_parts(stream.hex for stream in last_of),
        fillvalue=_NO_STREAM,
    )
    for (places, some), (last_places, last_some) in parts:
        statement = _SOME_STREAMS.format(places)
        if last_some:
            statement = f"{statement} UNION ALL {_LAST_ROWS.format(last_places)}"
        rows = sql.rows(f"{statement} ORDER BY 1, 2", (*some, *last_some, *last_some))
        for key, of_stream in groupby(rows, key=itemgetter(0)):
            found[stream_in(key)] = [row[1:] for row in of_stream]
    return found


def decoded(stream: UUID, rows: Iterable[SqlRow], before: Sequence[Event] = ()) -> list[Event]:
    """The events of one stream, or those that follow on others; raises UnreadableEvent.

    That is where it is not whole, or holds what belongs to another kind of stream.
    """
    events: list[Event] = []
    first = KINDS[type(before[0])] if before else None
    for version, (found, topic, state) in enumerate(rows, start=len(before) + 1):
        if found != version:
            raise UnreadableEvent(
                f"event {version} of stream {stream} is missing: {found!r} stands in its place"
            )
        event = from_row(stream, version, topic, state)
        kind = KINDS[type(event)]
        first = first or kind
        if kind is not first and kind is not ANY:
            raise UnreadableEvent(
                f"event {version} of stream {stream}, {topic}: it is of another kind of stream"
            )
        events.append(event)
    return events


def stream_in(key: Any) -> UUID:
    try:
        return stream_of(key)
    except (ValueError, AttributeError):
        raise UnreadableEvent(f"a stored event has the stream {key!r}") from None
