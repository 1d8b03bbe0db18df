"""The projections of a store: how far they are, and keeping them up with it."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from os.path import isfile
from typing import Any, NamedTuple

from yibao.adapters.cli.running.signals import ended_by_signals
from yibao.adapters.cli.running.subjects import existing_store
from yibao.adapters.editions import Editions
from yibao.adapters.following import (
    Standing,
    Status,
    Stop,
    Supervisor,
    lead_of,
    mistakes_halt,
)
from yibao.adapters.following.cohort import Cohort, open_cohort
from yibao.adapters.following.trail import AuditTrail, trail_file
from yibao.adapters.store import FactStore, StoreError
from yibao.adapters.telemetry import Watch, open_telemetry


class Projections(NamedTuple):
    """The projections of a store that is open."""

    store: FactStore
    trail: AuditTrail
    cohort: Cohort

    def to_keep_up(self) -> Iterator[AuditTrail | Cohort]:
        """Those that can be kept up; the cohort is only beside the store, the trail anywhere."""
        yield self.trail
        if self.cohort.is_kept and self.cohort.is_writable:
            yield self.cohort


def statuses(url: str, trail: str | None, editions: Editions) -> list[Status]:
    """How far each projection of a store is; nothing is taken in, and no trail is made."""
    if trail is not None and not isfile(trail_file(trail)):
        raise StoreError("there is no such trail")
    with _opened(url, trail, editions) as opened:
        return [_status(opened.store, each) for each in (opened.trail, opened.cohort)]


def _status(store: FactStore, asked: AuditTrail | Cohort) -> Status:
    standing = asked.projection.standing()
    lead = lead_of(store, standing.projection)
    is_led = not lead.is_mine()
    lead.release()
    return Status(
        standing,
        # As long as somebody writes it is not known anew up to where the store is final.
        max(standing.position, store.reached().position),
        store.recorded_after(standing.position),
        is_led,
        asked.projection.halted(),
    )


def status_json(status: Status) -> dict[str, Any]:
    standing = status.standing
    return {
        **standing._asdict(),
        "reached": status.reached,
        "waits_since": status.waits_since.isoformat() if status.waits_since else None,
        "led": status.is_led,
        "halted": status.halted,
        "parked": [parked._asdict() for parked in standing.parked],
    }


def follow(
    url: str,
    trail: str | None,
    editions: Editions,
    *,
    once: bool,
    watch: Watch | None = None,
) -> None:
    """Keeps the projections of a store up with it, until the process is asked to end.

    Raises StoreError where this role may only read.
    """
    stop = Stop()
    with _opened_to_write(url, trail, editions) as opened:
        telemetry = open_telemetry()
        supervisors = [
            Supervisor(
                _Watched(each, watch),
                lead_of(opened.store, each.projection.name),
                telemetry=telemetry,
            )
            for each in opened.to_keep_up()
        ]
        if once:
            for supervisor in supervisors:
                with supervisor.halt_told():
                    while opened.store.again(partial(supervisor.take_in, stop)):
                        pass  # a long backlog, told of now and then
            return
        with ended_by_signals(stop), ThreadPoolExecutor(len(supervisors)) as threads:
            for done in [threads.submit(_follow, each, stop) for each in supervisors]:
                done.result()


def _follow(supervisor: Supervisor, stop: Stop) -> None:
    """Follows until it is told to stop; where it goes no further, the others stop as well."""
    try:
        supervisor.follow(stop)
    finally:
        stop.set()


class _Watched:
    """A projection, telling how far it is to whoever watches."""

    def __init__(self, asked: AuditTrail | Cohort, watch: Watch | None) -> None:
        self.name = asked.projection.name
        self._projection = asked.projection
        self._watch = watch

    def catch_up(self, *, enough: Callable[[], bool]) -> int:
        return self._projection.catch_up(self._watch, enough=enough)

    def standing(self) -> Standing:
        return self._projection.standing()


def retry(url: str, trail: str | None, editions: Editions, watch: Watch | None = None) -> int:
    """Takes in anew whom a projection had to park; how many students still are in one."""
    with _opened_to_write(url, trail, editions) as opened:
        parked = set[str]()
        for each in opened.to_keep_up():
            each.catch_up(watch)
            each.projection.retry()
            parked |= {student.stream for student in each.projection.standing().parked}
        return len(parked)


def rebuild(
    url: str, editions: Editions, *, back: bool = False, watch: Watch | None = None
) -> None:
    """Makes the cohort of a store anew beside the old, or goes back to the one before.

    Raises StoreError where there is none to go back to.
    """
    with _opened_to_write(url, None, editions) as opened:
        if back:
            opened.cohort.go_back()
        else:
            opened.cohort.rebuild(watch)


@contextmanager
def _opened_to_write(url: str, trail: str | None, editions: Editions) -> Iterator[Projections]:
    with _opened(url, trail, editions) as opened:
        if not opened.trail.is_kept:
            raise StoreError("the trail cannot be written to: its file or folder is read-only")
        if not opened.trail.is_writable:
            raise StoreError(
                "the trail cannot be written to: this role may only read, "
                "or the server is a standby"
            )
        yield opened


@contextmanager
def _opened(url: str, trail: str | None, editions: Editions) -> Iterator[Projections]:
    with (
        existing_store(url, editions) as service,
        service.audit_trail(trail) as audit,
        mistakes_halt(),
        open_cohort(audit.store, service.editions) as cohort,
    ):
        yield Projections(audit.store, audit, cohort)
