"""How early what is asked may be stamped, by what it stands on."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from yibao.adapters.service.recording.work import Work, latest_of
from yibao.domain.facts.commands import Command, Register
from yibao.domain.judging import Target
from yibao.domain.vocabulary import edition_stream


class Place(NamedTuple):
    """The stream that a command belongs to, and the earliest stamp that it may have there."""

    stream: UUID
    earliest: datetime | None


def earliest_of(
    work: Work, target: Target, asked: Sequence[Command], *, rehearsing: bool
) -> Sequence[datetime | None]:
    """The earliest stamp that each command may have; None where it stands on nothing yet.

    It is not before the last of the student, of her care or of her edition, in any year: of her
    years one moves another. A window is everybody's: it comes after all there is, so that no
    answer moves that was given for what was known by then. In a rehearsal stories with times of
    their own share the editions. What this transaction adds has its stamp, so it moves nothing.
    """
    if isinstance(target, str):
        after = work.last_of([edition_stream(target)]) if rehearsing else work.after_all()
        return [after] * len(asked)
    if rehearsing:
        editions = set(map(edition_stream, work.editions.names()))
        streams = work.streams_of([target, *work.begun(target)])
        return [work.last_of(each for each in streams if each not in editions)] * len(asked)
    own = work.last_of_student(target)
    return [
        latest_of([own, work.last_of([edition_stream(command.policy)])])
        if isinstance(command, Register)
        else own
        for command in asked
    ]
