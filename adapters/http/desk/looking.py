"""Looks at many students at once: they are read together, and each look is judged by itself.

What is asked of a database costs nearly the same for one student and for some, and so does it to
have a thread ask.
"""

from collections.abc import Callable, Sequence
from contextvars import Context
from typing import Any, NamedTuple

from yibao.adapters.http.desk.theirs import is_theirs
from yibao.adapters.http.rights import Grant, Who
from yibao.adapters.http.wire import Problem
from yibao.adapters.service import Service
from yibao.domain.refusals import UnreadableEvent, YibaoError
from yibao.domain.vocabulary import EnrollmentId
from yibao.projections.record import Record


class Looking(NamedTuple):
    """What is asked about a student, by whom, and what of this they may."""

    whose: EnrollmentId
    question: Callable[[Service, Record], Any]
    who: Who
    granted: tuple[Grant, ...]

    def found(self, service: Service, record: Record) -> Any:
        """What there is to see; raises Problem where she is not theirs, after the same work."""
        theirs = is_theirs(self.who, self.granted, record)
        try:
            found = self.question(service, record)
        except YibaoError:
            if theirs:
                raise
            raise Problem("not_found") from None  # why not would tell something of her
        if not theirs:
            raise Problem("not_found")
        return found


def looked(service: Service, looking: Looking) -> Any:
    """What one look finds."""
    return looking.found(service, service.read(looking.whose))


def looked_at_once(
    service: Service, some: Sequence[tuple[Looking, Context]]
) -> list[Any | Exception]:
    """What each look finds or raises, each in the context of its own request."""
    try:
        records = service.read_each(looking.whose for looking, _ in some)
    except UnreadableEvent:  # of one of them, which is nothing to the others
        return [_reply(context, looked, service, looking) for looking, context in some]
    return [
        _reply(context, looking.found, service, record)
        for (looking, context), record in zip(some, records, strict=True)
    ]


def _reply(context: Context, asked: Callable[..., Any], *told: Any) -> Any | Exception:
    try:
        return context.run(asked, *told)
    except Exception as error:
        return error
