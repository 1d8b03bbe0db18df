"""Exceptions that signals raise, at random moments of whatever is going on.

On 0.4.0 one of them left a store that answered `cannot start a transaction within a transaction`
for ever and kept other processes out, a lock that was waited for without end, or a connection
that nobody gave back.
"""

import json
import os
import subprocess
import sys
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from striking import strikes

from yibao.adapters.service.recording import Receipt
from yibao.adapters.service.service import Service, open_service
from yibao.adapters.store.errors import StoreError
from yibao.adapters.store.urls import MEMORY
from yibao.domain.calendar import read_instant
from yibao.domain.facts.commands import FileRemoteCare
from yibao.domain.vocabulary import EnrollmentId

from ..helpers.stores import with_trail
from ..helpers.writers import Step, filing, registration, told

INTERRUPTS = int(os.environ.get("YIBAO_TORTURE", "100"))
SOURCES = str(Path(__file__).parents[3] / "src")


def test_whatever_is_interrupted_a_service_goes_on_and_nobody_is_locked_out(url: str) -> None:
    script = Path(__file__).parents[1] / "helpers" / "interrupted.py"
    done = subprocess.run(
        [sys.executable, str(script), with_trail(url), str(INTERRUPTS), "20251128"],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": SOURCES},
        timeout=120 + INTERRUPTS,
    )
    assert done.returncode == 0, done.stderr[-4000:]
    counts = json.loads(done.stdout)
    assert counts["interrupts"] >= INTERRUPTS
    assert len([name for name in counts if name.endswith("interrupted")]) >= 7
    print(counts)


@pytest.mark.parametrize("url", ["memory", "sqlite"], indirect=True)
def test_wherever_a_batch_is_interrupted_nothing_is_acknowledged_that_is_not_there(
    url: str,
) -> None:
    """And what interrupts it is never told as a refusal, nor kept as what somebody has tried."""
    with open_service(url) as service:
        service.record_each(two_commands("s-0"))  # what is read but once is read by then
        # At every moment in memory; in a file, where it takes longer, at every fifth.
        for strike in strikes(every=1 if url == MEMORY else 5):
            ref = f"s-{strike.moment}"
            student, asked = EnrollmentId(ref, 2025), two_commands(ref)
            replies = strike.during(partial(service.record_each, asked, batch=1))
            recorded = service.facts(student)
            assert [fact.originator_version for fact in recorded] == [1, 2][: len(recorded)]
            if replies is not None:
                receipts = [reply for reply in replies if isinstance(reply, Receipt)]
                assert receipts == replies
                assert [each.event_id for each in receipts] == [each.event_id for each in recorded]
            assert not service.refused_attempts(student)


def two_commands(ref: str) -> list[tuple[EnrollmentId, Any]]:
    """One that is told by its values, and one that is a command."""
    _, values = registration(ref, "")
    del values["command_id"]  # who tells it, and under which id, stands beside
    _, filed = filing(f"f-{ref}", note="by phone")
    asked = [{**values, "command": "register"}, FileRemoteCare.model_validate(filed)]
    return [(EnrollmentId(ref, 2025), each) for each in asked]


@pytest.mark.parametrize("url", ["memory", "sqlite"], indirect=True)
def test_what_a_handler_records_in_the_middle_of_a_transaction_is_refused_at_once(url: str) -> None:
    """The thread that would have to end the transaction is the one that would wait for that."""
    said: list[str] = []

    def clock() -> datetime:
        # Called where no other command can come in between, as a handler of a signal may be.
        if len(said) == 1:
            said.append("")
            with pytest.raises(StoreError) as refused:
                told_of(service, "inner")
            said[1] = str(refused.value)
        return read_instant("2025-09-20 12:00")

    def told_of(service: Service, command_id: str) -> None:
        asked = registration(f"s-{command_id}", command_id)
        answer = told(service, Step(f"s-{command_id}", [asked]))
        if answer.failed:
            raise StoreError(answer.failed)

    with open_service(url, clock=clock) as service:
        said.append("begun")
        told_of(service, "outer")
        assert said[1].endswith("is being used already by what has called this, in the same thread")
        told_of(service, "inner")
        assert [answer.version for answer in service.everyone()] == [1, 1]
