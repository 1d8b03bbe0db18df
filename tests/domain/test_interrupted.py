"""What is written while signals come: whole, or not at all and by the exception of the handler."""

import random
import signal
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Any
from uuid import UUID

import pytest
from given import edition

from yibao.adapters.store.tables.mapping import to_row
from yibao.domain.calendar import read_instant
from yibao.domain.editions.policy import Policy
from yibao.domain.facts import commands, events

TRIES = 1500
AT = read_instant("2025-09-01 08:30")
STUDENT: dict[str, Any] = {
    "ref": "s1",
    "policy": "shanghai-2025",
    "on": "2025-09-01",
    "school": "sjtu",
    "category": "undergraduate",
    "document": "passport",
}
BILL: dict[str, Any] = {
    "on": "2025-10-01",
    "setting": "outpatient",
    "level": "third",
    "cost": "120.50",
}
ENVELOPE: dict[str, Any] = {
    "event_id": UUID(int=7),
    "occurred_at": AT,
    "recorded_at": AT,
    "by": "tester",
    "via": "test",
    "command_id": "c1",
    "command_digest": "d1",
}


class TimeIsUp(BaseException):
    """What a worker's time limit raises."""


@pytest.fixture(autouse=True)
def time_limit() -> Iterator[None]:
    def raise_it(number: int, frame: FrameType | None) -> None:
        raise TimeIsUp

    before = signal.signal(signal.SIGALRM, raise_it)
    yield
    signal.setitimer(signal.ITIMER_REAL, 0)
    signal.signal(signal.SIGALRM, before)


def registered() -> bytes:
    return to_row(events.Registered(**ENVELOPE, **STUDENT)).state


def billed() -> bytes:
    return to_row(events.CareReceived(**ENVELOPE, **BILL)).state


def asked() -> str:
    return commands.Register(at=AT, **STUDENT).digest()


def asked_for_care() -> str:
    return commands.ReceiveCare(at=AT, **BILL).digest()


def of_an_edition() -> str:
    policy = Policy.model_construct(**vars(edition()))
    vars(policy).pop("digest", None)
    return policy.digest


@pytest.mark.parametrize("write", [registered, billed, asked, asked_for_care, of_an_edition])
def test_a_signal_is_never_lost_and_leaves_nothing_wrong(write: Callable[[], object]) -> None:
    whole, chance, struck = write(), random.Random(7), 0
    # As long as it takes, found out by trying.
    longest = 1e-5
    for _ in range(TRIES):
        try:
            signal.setitimer(signal.ITIMER_REAL, chance.uniform(1e-6, longest))
            try:
                found = write()
            finally:
                signal.setitimer(signal.ITIMER_REAL, 0)
        except TimeIsUp:
            struck += 1
            longest *= 1.05
        else:
            assert found == whole
            longest *= 0.99
    assert struck > TRIES / 20
