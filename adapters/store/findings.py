"""What is not as a writer of ours leaves it, in rows that were read; found without being told.

What somebody has done who knew all of this, and took care, is not found here.
"""

from array import array
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, Final, NamedTuple
from uuid import UUID

from yibao.adapters.editions import Editions
from yibao.adapters.store.errors import StoreError
from yibao.adapters.store.tables import attempts
from yibao.domain.facts import RefusedAttempt, events
from yibao.domain.refusals import UnknownEdition
from yibao.domain.vocabulary import EnrollmentId, edition_stream

#: In which kind of stream each event stands; what takes something back stands in any.
ANY: Final = events.StreamKind.ANY
KINDS: Final = {kind: kind.stands_in for kind in events.EVENTS.values()}


class Finding(NamedTuple):
    """Something that is not as it should be: what, and where."""

    code: str
    where: str


def refuse_altered(findings: Iterable[Finding]) -> None:
    """Raises StoreError for tables that may not keep what they are given."""
    for finding in findings:
        if finding.code != "index_missing":
            told = "has a trigger or a rule" if finding.code == "trigger_planted" else "has altered"
            raise StoreError(
                f"the store {told}: {finding.where}; it takes no facts, `yibao db check` tells more"
            )


def not_taken() -> StoreError:
    return StoreError(
        "the database did not take what it was given, and something else: nothing is recorded; "
        "`yibao db check` tells more"
    )


@dataclass
class Examination:
    """What is remembered of every stream while one after the other is read."""

    editions: Editions
    ids: "SeenIds" = field(default_factory=lambda: SeenIds())
    #: The care streams of all who are registered, and those that there are.
    expected_care: set[UUID] = field(default_factory=set[UUID])
    found_care: list[UUID] = field(default_factory=list[UUID])
    #: Whether a stream could not be read whole.
    is_partial: bool = False

    def of_a_stream(self, facts: Iterable[tuple[events.Event, str]]) -> Iterator[Finding]:
        """What is wrong in a stream that reads, each event told with its place."""
        kind = ""
        ids, command_ids = set[UUID](), set[str]()
        for event, where in facts:
            if not ids:
                kind = _BEGINNINGS.get(type(event), "")
                if kind == "care":
                    self.found_care.append(event.originator_id)
            if not kind or KINDS[type(event)] not in (kind, ANY) or self._is_rekeyed(event):
                yield Finding("wrong_stream", where)
            if any(named not in ids for named in _named_by(event)):
                yield Finding("supersedes_nothing", where)
            if event.command_id in command_ids:
                yield Finding("id_used_twice", where)
            if not event.command_digest and not isinstance(event, _OF_OUR_OWN):
                yield Finding("digest_missing", where)
            ids.add(event.event_id)
            command_ids.add(event.command_id)
            self.ids.add(event.event_id)

    def _is_rekeyed(self, event: events.Event) -> bool:
        """Whether an event names another stream than the one it stands in."""
        if isinstance(event, _OF_OUR_OWN):
            return event.originator_id != edition_stream(event.policy)
        if not isinstance(event, events.Registered):
            return False
        try:
            enrollment = EnrollmentId(event.ref, self.editions.get(event.policy).year)
        except UnknownEdition:
            self.is_partial = True
            return False
        self.expected_care.add(enrollment.care_stream)
        return event.originator_id != enrollment.stream

    def of_all(self) -> Iterator[Finding]:
        """What is wrong between the streams, once all of them are read."""
        if not self.is_partial:
            for stream in self.found_care:
                if stream not in self.expected_care:
                    yield Finding("wrong_stream", f"event 1 of stream {stream}")

    def of_an_attempt(self, row: tuple[Any, ...], last_position: int) -> Iterator[Finding]:
        """What is wrong with a refused attempt."""
        attempt_id, position, stream, actor, hour, state = row
        where = f"refused attempt {attempt_id}"
        try:
            attempt = RefusedAttempt.model_validate_json(state)
        except ValueError:
            yield Finding("unreadable", where)
            return
        whose = None if attempt.ref is None else EnrollmentId(attempt.ref, attempt.year or 0)
        is_filed = (str(actor), str(hour)) == (attempt.by, attempts.hour_of(attempt))
        is_of_stream = not (whose and attempt.year) or _hex(stream) in (whose.stream.hex, _NOBODY)
        if not (is_filed and is_of_stream and isinstance(state, bytes)):
            yield Finding("odd_row", where)
        if not isinstance(position, int) or not 0 <= position <= last_position:
            yield Finding("attempt_ahead", where)


class SeenIds:
    """Ids, to tell which came twice: of each eight bytes, where a set would take ten times that."""

    def __init__(self) -> None:
        self._parts = [array("Q") for _ in range(256)]

    def add(self, given: UUID) -> None:
        number = given.int >> 64
        self._parts[number >> 56].append(number)

    def twice(self) -> set[int]:
        """The first eight bytes of those that came twice."""
        return {
            number
            for part in self._parts
            for number, following in pairwise(sorted(part))
            if number == following
        }


def is_as_written(row: Iterable[Any]) -> bool:
    """Whether a row of the facts has the types that a writer of ours leaves."""
    key, version, topic, state, position = row
    return (
        (isinstance(key, UUID) or (isinstance(key, str) and key == UUID(key).hex))
        and isinstance(version, int)
        and isinstance(topic, str)
        and isinstance(state, bytes)
        and isinstance(position, int)
    )


def _hex(stream: Any) -> str:
    return stream.hex if isinstance(stream, UUID) else str(stream)


def _named_by(event: events.Event) -> Iterator[UUID]:
    """The earlier events of its stream that an event names."""
    supersedes = getattr(event, "supersedes", None)
    if supersedes is not None:
        yield supersedes
    if isinstance(event, events.CareSettled):
        yield event.care
    if isinstance(event, events.CareReversed):
        yield event.settlement


#: What the service records beside what it was asked to; it answers no command.
_OF_OUR_OWN: Final = (events.EditionAdopted, events.BenefitsAdopted)
_BEGINNINGS: Final[dict[type[events.Event], str]] = {
    events.Registered: "enrollment",
    events.CareReceived: "care",
    events.EditionAdopted: "edition",
}
_NOBODY: Final = UUID(int=0).hex
