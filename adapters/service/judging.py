"""Commands that are only judged: what they stand on is read, and nothing is recorded."""

from collections.abc import Callable
from datetime import datetime
from uuid import UUID

from yibao.adapters.editions import Editions
from yibao.domain.facts import Stream, events
from yibao.domain.facts.commands import Command
from yibao.domain.judging import Standing, judge
from yibao.domain.refusals import Refused
from yibao.domain.vocabulary import Seen, edition_stream
from yibao.projections.record import Fixed, Log, Record


def judged_of_student(
    record: Record, editions: Editions, by: str, command: Command, now: datetime
) -> Refused | None:
    """Why a command about a student would be refused, by her record."""
    whose = record.enrollment
    own = {whose.stream: record.enrolled, whose.care_stream: record.received}
    names = {edition_stream(name): name for name in editions.names()}

    def log_of(stream_id: UUID) -> Log:
        return own[stream_id] if stream_id in own else record.edition_of(names[stream_id]).log

    def seen() -> Seen:
        return record.known_by(record.latest).seen

    return judge(_standing(log_of, editions, by), whose, command, now, seen)


def judged_of_edition(
    edition: str,
    recorded: list[events.Event],
    editions: Editions,
    by: str,
    command: Command,
    now: datetime,
) -> Refused | None:
    """Why a command about an edition's window would be refused, by what was recorded of it."""
    log = Log(recorded)

    def seen() -> Seen:
        return Seen(0, 0, Fixed(log).fixed(len(log)))

    return judge(_standing(lambda _: log, editions, by), edition, command, now, seen)


def _standing(log_of: Callable[[UUID], Log], editions: Editions, by: str) -> Standing:
    def stream(stream_id: UUID) -> Stream:
        log = log_of(stream_id)
        return log.stream(len(log))

    return Standing(stream, editions.get, by)
