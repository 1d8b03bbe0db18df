"""What would become of a command, and on what does it stand?

A command is recorded on a target: a student's enrollment, with her care beside it, or an edition.
What it leads to follows from the streams of these, as they are, and from the editions at hand.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Final, cast
from uuid import UUID

from yibao.domain.care import Ground, Ledger, decide_care
from yibao.domain.editions import Policy
from yibao.domain.facts import (
    EMPTY,
    EditionInUse,
    Envelope,
    Stream,
    answered_before,
    check_seen,
    content_digest,
    events,
)
from yibao.domain.facts.commands import Amendment, Command, Correct, Register
from yibao.domain.facts.events import StreamKind
from yibao.domain.lifecycle import asks_for_the_window, decide
from yibao.domain.refusals import BadValue, Refused, UnknownEdition
from yibao.domain.rules import Around, Case, WindowFix, without_registration
from yibao.domain.vocabulary import NOTHING_SEEN, EnrollmentId, Seen, edition_stream

#: What a command is recorded on: an enrollment or, for its window, an edition.
Target = EnrollmentId | str
#: There is nothing beside a year.
NOTHING_AROUND: Final = Around()


@dataclass(frozen=True, slots=True)
class Standing:
    """What commands stand on: the streams, as they are by then, and the editions at hand.

    `stream` raises UnreadableEvent, `policy` UnknownEdition. `by` is who keeps the store. `around`
    tells of the years beside that of a student. `case` and `ledger` tell of a student's enrollment
    and of her care where that is kept from one command to the next.
    """

    stream: Callable[[UUID], Stream]
    policy: Callable[[str], Policy]
    by: str
    around: Callable[[EnrollmentId], Around] = lambda _: NOTHING_AROUND
    case: Callable[[EnrollmentId, EditionInUse], Case] | None = None
    ledger: Callable[[UUID], Ledger] | None = None

    def place(self, target: Target, command: Command) -> UUID:
        """The stream a command belongs to; raises BadValue, or UnknownEdition."""
        of = command.fact.stands_in if command.fact else None
        if isinstance(target, str):
            if of is not StreamKind.EDITION and not isinstance(command, Amendment):
                raise BadValue("target", "only a window is fixed for an edition")
            self.policy(target)
            return edition_stream(target)
        if of is StreamKind.EDITION:
            raise BadValue("target", "a window is fixed for an edition")
        if isinstance(command, Register):
            begun = EnrollmentId(command.ref, self.policy(command.policy).year)
            if begun != target:
                raise BadValue("target", "the registration is of another student or benefit year")
        is_care = of is StreamKind.CARE
        if isinstance(command, Amendment):
            is_care = command.fact_id in self.stream(target.care_stream).by_id
        return target.care_stream if is_care else target.stream

    def leads_to(self, target: Target, command: Command, envelope: Envelope) -> list[events.Event]:
        """The events that a command leads to in its place; raises Refused."""
        if isinstance(target, str):
            in_use = self._in_use(self.policy(target), self.stream(envelope.stream))
            return decide(in_use.stream, command, in_use, envelope)
        if envelope.stream == target.stream:
            return self._on_an_enrollment(target, command, envelope)
        return self._on_care(target, command, envelope)

    def _on_an_enrollment(
        self, enrollment: EnrollmentId, command: Command, envelope: Envelope
    ) -> list[events.Event]:
        stream = self.stream(envelope.stream)
        policy = self._policy(stream, command)
        if policy is None:
            return decide(stream, command, None, envelope)
        fixed = EMPTY
        if asks_for_the_window(command) or isinstance(command, Register):
            fixed = self.stream(edition_stream(policy.edition))
        around = partial(self.around, enrollment)
        return decide(stream, command, self._in_use(policy, fixed), envelope, around)

    def _on_care(
        self, enrollment: EnrollmentId, command: Command, envelope: Envelope
    ) -> list[events.Event]:
        received, enrolled = self.stream(envelope.stream), self.stream(enrollment.stream)
        named = enrolled.edition_named
        if named is None:
            return decide_care(received, command, None, envelope)
        edition = self._in_use(self.policy(named), self.stream(edition_stream(named)))
        if self.case:
            case = self.case(enrollment, edition)
        else:
            case = case_of(enrolled, edition.policy, edition.stream, self.around(enrollment))
        ledger = partial(self.ledger, envelope.stream) if self.ledger else None
        ground = Ground(case, enrolled.version, edition, ledger)
        return decide_care(received, command, ground, envelope)

    def _policy(self, stream: Stream, command: Command) -> Policy | None:
        """The edition asked for, or the one of the current registration."""
        if isinstance(command, Register):
            return self.policy(command.policy)
        registration = stream.counting.registration
        return self.policy(registration.event.policy) if registration else None

    def _in_use(self, policy: Policy, stream: Stream) -> EditionInUse:
        return EditionInUse(policy, stream, self.by)


def case_of(enrolled: Stream, policy: Policy, fixed: Stream, around: Around) -> Case:
    """A student's case by the streams of her enrollment and of her edition."""
    fixes = cast(Sequence[WindowFix], fixed.facts)
    return Case(
        policy,
        enrolled.facts,
        fixes,
        enrolled.counting,
        before=around.before,
        following=around.following,
    )


def around_of(
    enrollment: EnrollmentId,
    begun: Collection[int],
    stream: Callable[[UUID], Stream],
    policy: Callable[[str], Policy],
) -> Around:
    """What the years tell that are beside that of a student, by those in which something stands.

    Raises UnreadableEvent, and UnknownEdition where an edition of an earlier year is not at hand.
    """

    def enrolled(year: int) -> Stream:
        return stream(EnrollmentId(enrollment.ref, year).stream) if year in begun else EMPTY

    before: Case | None = None
    for year in range(min(begun, default=enrollment.year), enrollment.year):
        own, following = enrolled(year), stream(EnrollmentId(enrollment.ref, year + 1).stream)
        if (named := own.edition_named) is not None:
            fixed = stream(edition_stream(named))
            around = Around(before, following.counting if following.version else None)
            before = case_of(own, policy(named), fixed, around)
        elif before is not None:
            before = without_registration(before)
    after = enrolled(enrollment.year + 1)
    return Around(before, after.counting if after.version else None)


def judge(
    standing: Standing,
    target: Target,
    command: Command,
    now: datetime,
    seen: Callable[[], Seen] = lambda: NOTHING_SEEN,
) -> Refused | None:
    """Why a command would be refused if it were asked now; None where it would be recorded.

    So would one that was recorded before under the same id. `seen` is what an answer stands on now.
    Raises UnreadableEvent.
    """
    try:
        place = standing.place(target, command)
        stream = standing.stream(place)
        envelope = _envelope(stream, place, command, now, standing.by)
        if answered_before(stream, command, envelope) is None:
            refuse_the_future(command, now)
            if command.expected is not None:
                check_seen(command, seen())
            standing.leads_to(target, command, envelope)
    except Refused as refused:
        return refused
    except UnknownEdition:
        return BadValue("policy", "no such edition")
    return None


def refuse_the_future(command: Command, now: datetime) -> None:
    """Raises BadValue for a time ahead of the clock; where none is given it is the stamp's."""
    if command.at is not None and command.at > now:
        raise BadValue("at", "lies in the future of this service")
    if isinstance(command, Correct) and command.occurred_at and command.occurred_at > now:
        raise BadValue("occurred_at", "lies in the future of this service")


def _envelope(stream: Stream, place: UUID, command: Command, now: datetime, by: str) -> Envelope:
    """What events of it would carry that are never recorded."""
    return Envelope(
        stream=place,
        recorded_at=now,
        event_id=_NIL,
        by=command.by or by,
        via="judge",
        command_id=command.command_id or "judge",
        command_digest=content_digest(stream, command),
    )


_NIL = UUID(int=0)
