"""The projections of a store: how far they are, and keeping them up with it."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from os.path import isfile
from types import FrameType
from typing import Any

from yibao.adapters.cli.running.subjects import existing_store
from yibao.adapters.editions import Editions
from yibao.adapters.following import Status, Stop, Supervisor, lead_of, mistakes_halt
from yibao.adapters.following.trail import AuditTrail, trail_file
from yibao.adapters.store import StoreError
from yibao.adapters.telemetry import Watch, open_telemetry


def statuses(url: str, trail: str | None, editions: Editions) -> list[Status]:
    """How far each projection of a store is; nothing is taken in, and no trail is made."""
    if trail is not None and not isfile(trail_file(trail)):
        raise StoreError("there is no such trail")
    with _opened(url, trail, editions) as audit:
        standing = audit.projection.standing()
        lead = lead_of(audit.store, standing.projection)
        is_led = not lead.is_mine()
        lead.release()
        return [
            Status(
                standing,
                # As long as somebody writes it is not known anew up to where the store is final.
                max(standing.position, audit.store.reached().position),
                audit.store.recorded_after(standing.position),
                is_led,
                audit.projection.halted(),
            )
        ]


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

    def asked_to_end(number: int, frame: FrameType | None) -> None:
        stop.set()

    with _opened_to_write(url, trail, editions) as audit:
        lead = lead_of(audit.store, audit.projection.name)
        supervisor = Supervisor(_Watched(audit, watch), lead, telemetry=open_telemetry())
        if once:
            with supervisor.halt_told():
                while audit.store.again(lambda: supervisor.take_in(stop)):
                    pass  # a long backlog, told of now and then
            return
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, asked_to_end)
        supervisor.follow(stop)


class _Watched:
    """The trail's projection, telling how far it is to whoever watches."""

    def __init__(self, audit: AuditTrail, watch: Watch | None) -> None:
        self.name = audit.projection.name
        self.standing = audit.projection.standing
        self.catch_up = partial(audit.projection.catch_up, watch)


def retry(url: str, trail: str | None, editions: Editions, watch: Watch | None = None) -> int:
    """Takes in anew whom a projection had to park; how many still are."""
    with _opened_to_write(url, trail, editions) as audit:
        audit.catch_up(watch)
        return audit.projection.retry()


@contextmanager
def _opened_to_write(url: str, trail: str | None, editions: Editions) -> Iterator[AuditTrail]:
    with _opened(url, trail, editions) as audit:
        if not audit.is_kept:
            raise StoreError("the trail cannot be written to: its file or folder is read-only")
        if not audit.is_writable:
            raise StoreError(
                "the trail cannot be written to: this role may only read, "
                "or the server is a standby"
            )
        yield audit


@contextmanager
def _opened(url: str, trail: str | None, editions: Editions) -> Iterator[AuditTrail]:
    with (
        existing_store(url, editions) as service,
        service.audit_trail(trail) as audit,
        mistakes_halt(),
    ):
        yield audit
