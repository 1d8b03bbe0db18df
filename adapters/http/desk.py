"""The desk: who asks is told, what they may is looked up, and the service is asked in a thread.

Endpoints and pages ask here and nowhere else, so that both go by the same rights.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Concatenate, ParamSpec, TypeVar

from anyio import CapacityLimiter, to_thread
from fastapi import Request

from yibao.adapters.http.rights import (
    Grant,
    Identify,
    What,
    Who,
    allowed_by,
    grants_of,
    may,
    school_of,
    sees,
)
from yibao.adapters.http.wire import Problem
from yibao.adapters.service import Receipt, Service
from yibao.domain.facts.commands import Command
from yibao.domain.facts.telling import told as command_told
from yibao.domain.vocabulary import EnrollmentId, Seen
from yibao.projections.record import Record

R = TypeVar("R")
P = ParamSpec("P")

#: A service, or what tells it when it is asked: of an application that opens it as it starts.
Opened = Service | Callable[[], Service]


class Desk:
    """Where requests are answered, on one service."""

    def __init__(self, service: Opened, identify: Identify, *, threads: int = 8) -> None:
        self._service = service
        self._identify = identify
        self._threads = threads
        self._limiter: CapacityLimiter | None = None

    @property
    def service(self) -> Service:
        return self._service if isinstance(self._service, Service) else self._service()

    async def run(
        self, question: Callable[Concatenate[Service, P], R], *args: P.args, **kwargs: P.kwargs
    ) -> R:
        """Asks the service in a thread, of which there are as many as it has connections.

        More would wait inside the pool, where nobody sees them.
        """
        if self._limiter is None:  # made where the loop is that it belongs to
            self._limiter = CapacityLimiter(self._threads)
        service = self.service
        return await to_thread.run_sync(
            lambda: question(service, *args, **kwargs), limiter=self._limiter
        )

    async def who(self, request: Request) -> Who:
        """Who asks; raises Problem where that is nobody."""
        who = await self._identify(request)
        if who is None:
            raise Problem("unauthenticated")
        return who

    async def may(self, request: Request, what: What) -> tuple[Who, tuple[Grant, ...]]:
        """Who asks, and what of this they may; raises Problem where they never may."""
        who = await self.who(request)
        granted = may(who, what)
        if not granted:
            raise Problem("forbidden")
        return who, granted

    async def look(
        self,
        request: Request,
        what: What,
        whose: EnrollmentId,
        question: Callable[[Service, Record], R],
    ) -> R:
        """What is asked about one student; raises Problem where she is not theirs to see.

        Somebody of another school is answered as nobody is, after the same work.
        """
        who, granted = await self.may(request, what)

        def asked(service: Service) -> R:
            record = service.read(whose)
            answered = question(service, record)
            self.check_seen(who, granted, record)
            return answered

        return await self.run(asked)

    def check_seen(self, who: Who, granted: tuple[Grant, ...], record: Record) -> None:
        """Raises Problem where nothing is known of a student, or she is not theirs to see."""
        is_theirs = sees(granted, who, record.enrollment.ref, school_of(record))
        if not record.enrolled.events or not is_theirs:
            raise Problem("not_found")

    async def tell(
        self,
        who: Who,
        target: EnrollmentId | str | None,
        name: str,
        values: Mapping[str, Any],
        *,
        key: str,
        expected: Seen | None = None,
        at: datetime | None = None,
    ) -> Receipt:
        """Records a command of plain values under its key; raises Refused, and Problem.

        `target` is an enrollment, the edition of a window, or None where a registration names it.
        """
        values = values if at is None else {**values, "at": at}
        how = {"by": who.actor, "command_id": key, "expected": expected}
        command = command_told(name, values, **how)
        self.check_may(who, command)
        return await self.run(_recorded, target, command, who)

    def check_may(self, who: Who, command: Command) -> None:
        """Raises Problem where somebody's roles may never record such a command."""
        if not grants_of(who, command):
            raise Problem("forbidden")


def _recorded(
    service: Service, target: EnrollmentId | str | None, command: Command, who: Who
) -> Receipt:
    if isinstance(target, str):  # a window is everybody's: of an edition nobody is asked
        return service.record(target, command)
    whose = service.enrollment_of(command) if target is None else target  # type: ignore[arg-type]
    return service.record(whose, command, allowed=allowed_by(who, command))
