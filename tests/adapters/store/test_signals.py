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
from pathlib import Path

import pytest

from yibao.adapters.service.service import Service, open_service
from yibao.adapters.store.errors import StoreError
from yibao.domain.calendar import read_instant

from ..helpers.stores import with_trail
from ..helpers.writers import Step, registration, told

INTERRUPTS = int(os.environ.get("YIBAO_TORTURE", "200"))
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
