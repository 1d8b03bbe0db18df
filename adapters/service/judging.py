"""Commands that are only judged: what they stand on is read, and nothing is recorded."""

from collections.abc import Callable
from datetime import datetime
from uuid import UUID

from yibao.adapters.editions import Editions
from yibao.domain.facts import Stream, events
from yibao.domain.facts.commands import Command
from yibao.domain.judging import NOTHING_AROUND, Standing, around_of, judge
from yibao.domain.refusals import Refused
from yibao.domain.rules import Around
from yibao.domain.vocabulary import EnrollmentId, Seen, edition_stream
from yibao.projections.record import NOTHING, Fixed, Log, Record


def judged_of_student(
    record: Record, editions: Editions, by: str, command: Command, now: datetime
) -> Refused | None:
    """Why a command about a student would be refused, by her record."""
    own, whose = record.streams(), record.enrollment
    names = {edition_stream(name): name for name in editions.names()}
    beside = [whose._replace(year=year) for year in editions.around(whose.year)]
    begun = {each.year for each in beside if own.get(each.stream)}

    def log_of(stream_id: UUID) -> Log:
        if stream_id in names:
            return record.edition_of(names[stream_id]).log
        return own.get(stream_id, NOTHING)

    def around(_: EnrollmentId) -> Around:
        return around_of(whose, begun, standing.stream, editions.get)

    def seen() -> Seen:
        return record.known_by(record.latest).seen

    standing = _standing(log_of, editions, by, around)
    return judge(standing, whose, command, now, seen)


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


def _standing(
    log_of: Callable[[UUID], Log],
    editions: Editions,
    by: str,
    around: Callable[[EnrollmentId], Around] = lambda _: NOTHING_AROUND,
) -> Standing:
    def stream(stream_id: UUID) -> Stream:
        log = log_of(stream_id)
        return log.stream(len(log))

    return Standing(stream, editions.get, by, around)
