"""Following the facts: what any projection does, and somebody who keeps it going.

A projection takes in batch after batch, each in one transaction that also remembers how far it
is, so that nothing is skipped and nothing taken in twice, whoever is killed when. A supervisor
leads it: of several on one store one works, and another takes over when that one dies.
"""

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Final, NamedTuple, Protocol

from yibao.adapters.store import Halted, StoreError
from yibao.adapters.store.connections import ticking
from yibao.adapters.telemetry import SILENT, Telemetry, frames_of, tell
from yibao.domain.refusals import YibaoError

LOGGER: Final = logging.getLogger("yibao.following")

#: How long a supervisor waits where nothing is new, and where somebody else leads, in seconds.
PAUSE: Final = 0.25
STANDBY: Final = 2.0
#: How long it takes in a backlog before it tells how far it is, in seconds; it ends a batch.
AT_A_STRETCH: Final = 3.0
#: The longest pause after the store has failed, in seconds; the first is doubled each time.
LONGEST_PAUSE: Final = 30.0
#: How often whoever waits looks whether it is to end, in seconds.
GLANCE: Final = 0.05


@contextmanager
def mistakes_halt() -> Iterator[None]:
    """Has what yibao does not raise on purpose be told as Halted, by its kind and its place.

    What it says itself may quote what nobody should read; it stands in the chain.
    """
    try:
        yield
    except YibaoError:
        raise
    except Exception as error:
        where = frames_of(error)[-1]
        raise Halted(
            f"a mistake of the program's own: {type(error).__name__} in {where}"
        ) from error


class Parked(NamedTuple):
    """A student whose facts could not be taken in, from one position on; all others go on.

    `ref` and `year` are None where not even that could be read. `told` is the reason.
    """

    stream: str
    ref: str | None
    year: int | None
    position: int
    told: str

    @property
    def whose(self) -> str:
        """The student, or else the stream, for people."""
        return self.stream if self.ref is None else f"{self.ref} {self.year}"


class Standing(NamedTuple):
    """How far a projection is: up to which position, how many facts behind, and who is parked."""

    projection: str
    position: int
    behind: int
    parked: tuple[Parked, ...]


class Projection(Protocol):
    """What follows the facts."""

    name: str

    def catch_up(self, *, enough: Callable[[], bool]) -> int:
        """Takes in what is new, batch by batch; how many facts that were.

        After each batch it may be `enough`, and the rest is left. Raises Halted where it goes no
        further, StoreError where the store fails.
        """
        ...

    def standing(self) -> Standing:
        """How far it is; nothing is taken in."""
        ...


class Lead(Protocol):
    """The lead of one projection of one store, which one process has at a time."""

    def is_mine(self) -> bool:
        """Takes the lead if nobody has it; whether it is ours now."""
        ...

    def release(self) -> None: ...


class Stop:
    """A request to end, which a signal may make at any moment.

    An Event has a lock, which may be held by the very thread that a handler has interrupted.
    """

    def __init__(self) -> None:
        self._is_set = False

    def set(self) -> None:
        self._is_set = True

    def is_set(self) -> bool:
        return self._is_set

    def wait(self, seconds: float) -> None:
        """Waits so long, or until it is set."""
        ends = ticking() + seconds
        while not self._is_set and (left := ends - ticking()) > 0:
            time.sleep(min(left, GLANCE))


class Supervisor:
    """Keeps a projection up with its store, as long as it has the lead."""

    def __init__(
        self,
        projection: Projection,
        lead: Lead,
        *,
        telemetry: Telemetry = SILENT,
        pause: float = PAUSE,
        standby: float = STANDBY,
    ) -> None:
        self._projection = projection
        self._lead = lead
        self._telemetry = telemetry
        self._pause = pause
        self._standby = standby
        self._alarmed: set[tuple[str, int]] = set()

    def follow(self, stop: Stop) -> None:
        """Follows until it is told to stop. Raises Halted where the projection goes no further.

        A store that fails is tried again, after longer and longer pauses.
        """
        name, leads, after_failure = self._projection.name, False, self._pause
        try:
            with self.halt_told():
                while not stop.is_set():
                    try:
                        did_lead, leads = leads, self._lead.is_mine()
                        if leads != did_lead:
                            tell(
                                LOGGER,
                                logging.INFO,
                                "leading" if leads else "standing-by",
                                projection=name,
                            )
                        if not (leads and self.take_in(stop)):
                            stop.wait(self._pause if leads else self._standby)
                        after_failure = self._pause
                    except Halted:
                        raise
                    except StoreError as error:
                        leads = False
                        tell(
                            LOGGER,
                            logging.ERROR,
                            "store-failed",
                            projection=name,
                            reason=str(error),
                        )
                        stop.wait(after_failure)
                        after_failure = min(2 * after_failure, LONGEST_PAUSE)
        finally:
            self._lead.release()

    @contextmanager
    def halt_told(self) -> Iterator[None]:
        """Tells of what halts the projection inside; a mistake with the frames that led to it."""
        try:
            with mistakes_halt():
                yield
        except Halted as error:
            cause = error.__cause__
            told: dict[str, object] = {"projection": self._projection.name, "reason": str(error)}
            if cause and not isinstance(cause, YibaoError):
                told["frames"] = frames_of(cause)
            tell(LOGGER, logging.CRITICAL, "halted", **told)
            raise

    def take_in(self, stop: Stop) -> bool:
        """Takes in what is new, and tells how far it is and who is newly parked.

        Others may have taken it in, and parked somebody: that is told here, too. It ends after
        some seconds, and where it is told to stop; whether it did so before it was through.
        """
        name = self._projection.name
        began = ticking()
        is_cut_short = False

        def enough() -> bool:
            nonlocal is_cut_short
            is_cut_short = stop.is_set() or ticking() - began > AT_A_STRETCH
            return is_cut_short

        facts = self._projection.catch_up(enough=enough)
        standing = self._projection.standing()
        behind = standing.behind
        self._telemetry.followed(name, facts, behind, ticking() - began)
        if facts:
            tell(LOGGER, logging.INFO, "taken-in", projection=name, facts=facts, behind=behind)
        before, self._alarmed = (
            self._alarmed,
            {(each.stream, each.position) for each in standing.parked},
        )
        for parked in standing.parked:
            if (parked.stream, parked.position) not in before:
                self._telemetry.parked(name, "unprocessable")
                tell(
                    LOGGER,
                    logging.ERROR,
                    "parked",
                    projection=name,
                    stream=parked.stream,
                    position=parked.position,
                    reason=parked.told,
                )
        return is_cut_short


class Status(NamedTuple):
    """How far a projection is.

    `reached` is up to where the store is final, `waits_since` when the first fact was recorded
    that is not taken in yet; `is_led`: somebody keeps it up with the store. `halted` is why it
    goes no further, if it does not.
    """

    standing: Standing
    reached: int
    waits_since: datetime | None
    is_led: bool
    halted: str | None
