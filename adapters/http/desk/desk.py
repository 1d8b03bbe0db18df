"""The desk: who asks is told, what they may is looked up, and the service is asked in a thread.

Endpoints and pages ask here and nowhere else, so that both go by the same rights and whoever looks
at a student is noted.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextvars import Context, copy_context
from copy import copy
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Concatenate, Final, ParamSpec, TypeVar

from anyio import CapacityLimiter, to_thread
from fastapi import Request

from yibao.adapters.http.desk.gathering import Gathering
from yibao.adapters.http.desk.looking import Looking, looked, looked_at_once
from yibao.adapters.http.desk.together import Told, recorded, student_of
from yibao.adapters.http.desk.tries import Tries
from yibao.adapters.http.rights import (
    ELSEWHERE,
    Grant,
    Identify,
    Role,
    What,
    Who,
    allows,
    ever_may,
    grants_of,
    may,
)
from yibao.adapters.http.wire import Problem, trace_of
from yibao.adapters.office.directory import Accesses, Directory, Look
from yibao.adapters.service import Receipt, Service, shanghai_now
from yibao.adapters.service.recording import ATTEMPTS_KEPT
from yibao.domain.facts.commands import Command, Register
from yibao.domain.facts.telling import told as command_told
from yibao.domain.refusals import BadValue, Refused, UnknownEdition
from yibao.domain.vocabulary import EnrollmentId, Seen
from yibao.projections.record import Record

R = TypeVar("R")
P = ParamSpec("P")

#: Whose looks at others are noted.
_NOTED: Final = frozenset({Role.OFFICER, Role.CLINIC, Role.AUDITOR})


@dataclass(frozen=True, slots=True)
class Opened:
    """What is open while requests are answered.

    Without `accesses` nobody is noted, which is for an embedder who notes them elsewhere; without a
    `directory` nobody is found by number.
    """

    service: Service
    accesses: Accesses | None = None
    directory: Directory | None = None


@dataclass(slots=True)
class Desk:
    """Where requests are answered.

    `opened` tells what is open when it is asked: an application opens it as it starts. So many
    `threads` ask the service at once, and of one actor so many tries may be refused in an hour.
    """

    opened: Callable[[], Opened]
    identify: Identify
    threads: int = 8
    refused_tries: int = ATTEMPTS_KEPT
    tries: Tries = field(init=False)
    #: The one limiter, once there is a loop that it belongs to; whoever is the same desk has it.
    _limiters: list[CapacityLimiter] = field(init=False, default_factory=list)
    _together: Gathering[Told, Receipt] = field(init=False)
    _looking: Gathering[tuple[Looking, Context], Any] = field(init=False)
    _noting: Gathering[Sequence[Look], None] = field(init=False)

    def __post_init__(self) -> None:
        self.tries = Tries(self.refused_tries)
        self._together = Gathering(lambda some: self.run(recorded, some), student_of)
        self._looking = Gathering(lambda some: self.run(looked_at_once, some))
        self._noting = Gathering(self._note_all)

    def known_by(self, identify: Identify) -> "Desk":
        """The same desk, which asks another way first who it is."""
        before = self.identify

        async def asked(request: Request) -> Who | None:
            return await identify(request) or await before(request)

        found = copy(self)
        found.identify = asked
        return found

    async def run(
        self, question: Callable[Concatenate[Service, P], R], *args: P.args, **kwargs: P.kwargs
    ) -> R:
        """Asks the service in a thread, of which there are as many as it has connections.

        More would wait inside the pool, where nobody sees them.
        """
        if not self._limiters:
            self._limiters.append(CapacityLimiter(self.threads))
        asked = partial(question, self.opened().service, *args, **kwargs)
        return await to_thread.run_sync(asked, limiter=self._limiters[0])

    async def who(self, request: Request) -> Who:
        """Who asks; raises Problem where that is nobody."""
        who = await self.identify(request)
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
        *,
        soon: bool = False,
    ) -> R:
        """What is asked about one student; raises Problem where she is not theirs to see.

        Somebody of another school is answered as nobody is, after the same work. What is answered
        `soon` is asked along with all such that waits, so it should take no longer than they.
        """
        who, granted = await self.may(request, what)
        looking = Looking(whose, question, who, granted)
        found: R
        if soon:
            found = await self._looking.do((looking, copy_context()))
        else:
            found = await self.run(looked, looking)
        await self.note(request, who, what, [whose])
        return found

    async def note(
        self,
        request: Request,
        who: Who,
        what: What,
        whom: Iterable[EnrollmentId],
        reason: str | None = None,
    ) -> None:
        """Notes who has looked at whom, and waits until it is kept; herself a student may see."""
        if not who.roles & _NOTED or self.opened().accesses is None:
            return
        now, trace = shanghai_now(), trace_of(request)
        looks = [
            Look(now, who.actor, what, each.ref, reason, each.year, trace)
            for each in whom
            if each.ref != who.ref
        ]
        if looks:
            await self._noting.do(looks)

    async def _note_all(self, some: Sequence[Sequence[Look]]) -> Sequence[None]:
        accesses = self.opened().accesses
        assert accesses is not None
        await to_thread.run_sync(accesses.note, [look for looks in some for look in looks])
        return [None] * len(some)

    def check_may(self, who: Who, name: str) -> None:
        """Raises Problem where somebody's roles may never record a command of this name."""
        if not ever_may(who, name):
            raise Problem("forbidden")

    async def tell(
        self,
        who: Who,
        target: EnrollmentId | str | None,
        name: str,
        values: Mapping[str, Any],
        *,
        key: str,
        expected: Seen | None = None,
        trace: str | None = None,
    ) -> tuple[Receipt, EnrollmentId | str]:
        """Records a command of plain values under its key; its receipt, and whose it is.

        `target` is an enrollment, the edition of a window, or None where a registration names it.
        Raises Problem where it may not be done, and what the service raises.
        """
        self.check_may(who, name)
        self.tries.check(who.actor)
        how = {"by": who.actor, "command_id": key, "expected": expected, "correlation_id": trace}
        try:
            return await self._tell(who, target, name, values, how)
        except (Refused, UnknownEdition):
            self.tries.count(who.actor)
            raise

    async def _tell(
        self,
        who: Who,
        target: EnrollmentId | str | None,
        name: str,
        values: Mapping[str, Any],
        how: dict[str, Any],
    ) -> tuple[Receipt, EnrollmentId | str]:
        try:
            command = command_told(name, values, **how)
        except BadValue:  # told to the service all the same, which keeps the attempt
            return await self.run(lambda service: service.tell(target, name, values, **how)), ""
        if not grants_of(who, command):
            raise Problem("forbidden")
        if isinstance(target, str):  # a window is everybody's: of an edition nobody is asked
            edition = target
            return await self.run(lambda service: service.record(edition, command)), edition
        if isinstance(command, Register):
            target = self.opened().service.enrollment_of(command)
            check_served(target.ref)
        assert target is not None
        receipt = await self._together.do(Told(target, command, who))
        if receipt.repeated and not await self.run(_is_still_hers, target, command, who):
            raise Problem("superseded_right")
        return receipt, target


def check_served(ref: str) -> None:
    """Raises Problem, as of nobody, for a reference that can stand in no path of ours."""
    if "/" in ref:
        raise Problem("not_found")


def _is_still_hers(service: Service, whose: EnrollmentId, command: Command, who: Who) -> bool:
    """Whether who repeats a command may still know of her: she may have moved away since."""
    return allows(who, command, service.read(whose)) != ELSEWHERE
