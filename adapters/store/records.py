"""Records of students, each read in one turn, so that it is of one moment."""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from functools import cache
from itertools import chain
from typing import Final
from uuid import UUID

from yibao.adapters.editions import Editions
from yibao.adapters.store.connections import Sql, SqlRow, in_parts
from yibao.adapters.store.tables import decoded, kept_in, positioned, stream_in
from yibao.domain.editions import Policy
from yibao.domain.facts import events
from yibao.domain.vocabulary import EnrollmentId, edition_stream
from yibao.projections.record import NOTHING, EditionRecord, Log, Record

_EVENTS: Final = (
    "SELECT 0, originator_id, notification_id, originator_version, topic, state "
    "FROM stored_events WHERE originator_id"
)
_ATTEMPTS: Final = (
    "SELECT 1, stream, attempt_id, position, '', state FROM refused_attempts WHERE stream=?"
)
_TAIL: Final = f"UNION ALL {_EVENTS}=? AND originator_version>?"

EditionOf = Callable[[str], EditionRecord]


class Records:
    """Reads the records of one store.

    What was recorded under an edition concerns everybody and only grows: it is kept, and only what
    is new in it is read.
    """

    def __init__(self) -> None:
        self._logs: dict[str, Log] = {}
        self._editions: dict[str, EditionRecord] = {}

    def read(self, sql: Sql, enrollment: EnrollmentId, editions: Editions, now: datetime) -> Record:
        """Everything recorded of one student; raises UnreadableEvent where it cannot be read."""
        own, years = enrollment.stream, [enrollment.year, *editions.around(enrollment.year)]
        streams = streams_of(enrollment, years)
        names = editions.names()
        kept = {name: self._logs.get(name) for name in names}
        tails = [(edition_stream(name).hex, len(log) if log else 0) for name, log in kept.items()]
        places, of_editions = ", ".join("?" * len(streams)), " ".join([_TAIL] * len(tails))
        found = _by_stream(
            sql.rows(
                f"{_EVENTS} IN ({places}) {of_editions} UNION ALL {_ATTEMPTS} ORDER BY 1, 2, 4",
                (*(each.hex for each in streams), *chain.from_iterable(tails), own.hex),
            )
        )
        logs = {
            name: self._grown(name, log, found.get((0, edition_stream(name)), ()))
            for name, log in kept.items()
        }
        recorded = {
            each: Log.of(positioned(each, rows)) if (rows := found.get((0, each))) else NOTHING
            for each in streams
        }
        attempts = [(n, position, state) for n, position, _, state in found.get((1, own), ())]
        return Record.of(
            enrollment,
            logs_of(enrollment, years, recorded.__getitem__),
            self._edition_of(editions, logs),
            now,
            lambda: list(kept_in(attempts)),
            _notes(sql, [event for log in recorded.values() for event in log.events]),
        )

    def _grown(self, name: str, log: Log | None, rows: Sequence[SqlRow]) -> "Callable[[], Log]":
        """An edition's log with what was new in it; it is read only where somebody asks for it."""

        @cache
        def grown() -> Log:
            if log is not None and not rows:
                return log
            before = log.events if log else ()
            new = decoded(edition_stream(name), (row[1:] for row in rows), before)
            positions = [*(log.positions if log else ()), *(row[0] for row in rows)]
            whole = self._logs[name] = Log([*before, *new], positions)
            return whole

        return grown

    def _edition_of(self, editions: Editions, logs: "dict[str, Callable[[], Log]]") -> EditionOf:
        @cache
        def edition_of(name: str) -> EditionRecord:
            policy = editions.get(name)
            return self.edition(policy, logs[name]())

        return edition_of

    def edition(self, policy: Policy, log: Log) -> EditionRecord:
        """The record of an edition; the same one for as long as nothing is added to it."""
        kept = self._editions.get(policy.edition)
        if kept is None or kept.log is not log or kept.policy is not policy:
            kept = self._editions[policy.edition] = EditionRecord(policy, log)
        return kept


def streams_of(enrollment: EnrollmentId, years: Iterable[int]) -> list[UUID]:
    """The streams of a student in some years, of which the last may be the year after hers.

    How she is cared for then is nothing to her year.
    """
    whose = [EnrollmentId(enrollment.ref, year) for year in years]
    of_care = [each.care_stream for each in whose if each.year <= enrollment.year]
    return [*(each.stream for each in whose), *of_care]


def logs_of(
    enrollment: EnrollmentId, years: Iterable[int], log_of: Callable[[UUID], Log]
) -> dict[int, tuple[Log, Log]]:
    """The logs of her enrollment and of her care in some years, as `Record.of` takes them."""
    found: dict[int, tuple[Log, Log]] = {}
    for year in years:
        whose = EnrollmentId(enrollment.ref, year)
        care = log_of(whose.care_stream) if year <= enrollment.year else NOTHING
        found[year] = log_of(whose.stream), care
    return found


def _by_stream(rows: Sequence[SqlRow]) -> dict[tuple[int, UUID], list[SqlRow]]:
    found: dict[tuple[int, UUID], list[SqlRow]] = {}
    for kind, key, *row in rows:
        found.setdefault((kind, stream_in(key)), []).append(tuple(row))
    return found


def _notes(sql: Sql, recorded: Sequence[events.Event]) -> dict[UUID, str]:
    """The free text kept beside facts; read last, so that what was erased meanwhile is gone."""
    notes: dict[UUID, str] = {}
    for places, some in in_parts(event.event_id.hex for event in recorded):
        rows = sql.rows(f"SELECT event_id, note FROM notes WHERE event_id IN ({places})", some)
        notes |= {stream_in(key): note for key, note in rows}
    return notes
