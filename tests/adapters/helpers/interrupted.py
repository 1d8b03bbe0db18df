"""A process that is interrupted again and again, in the middle of whatever it does.

Run as a script: an exception is raised by a real signal, at a moment that chance gives, in the
main thread, as Ctrl-C, a worker's limit of time, or a SIGALRM does. It prints its counts as JSON.
"""

import json
import os
import random
import signal
import sqlite3
import sys
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from typing import Any

import psycopg
from writers import registration

from yibao.adapters.editions.files import Editions
from yibao.adapters.following.trail.questions import Question
from yibao.adapters.service.recording import Receipt
from yibao.adapters.service.service import Service, open_service
from yibao.adapters.store.urls import MEMORY, file_of, is_postgres
from yibao.domain.facts.commands import FileRemoteCare
from yibao.domain.refusals import Refused
from yibao.domain.vocabulary import EnrollmentId

EDITIONS = Editions()
ADA = EnrollmentId("s-1", 2025)
NOON = "2025-10-01 12:00"


class OutOfTime(BaseException):
    """What a worker raises that nobody is to catch."""


class TooSlow(Exception):
    """What a worker raises that anybody may catch."""


class Life:
    """One service that is interrupted, and what it has acknowledged."""

    def __init__(self, url: str, chance: random.Random) -> None:
        self.url = url
        self.chance = chance
        self.service = open_service(url, policies=EDITIONS)
        self.trail = self.service.audit_trail()
        self.acknowledged: set[str] = set()
        self.asked: set[str] = set()
        self.counts: Counter[str] = Counter()
        self.kept: list[BaseException] = []
        self.typical: dict[str, float] = {}
        #: How often the next signals raise something.
        self.strikes = 0

    def command(self) -> None:
        self._record([f"one.{len(self.asked)}"])

    def batch(self) -> None:
        self._record([f"many.{len(self.asked) + number}" for number in range(20)])

    def _record(self, ids: list[str]) -> None:
        self.asked.update(ids)
        told: dict[str, Any] = {"at": "2025-09-02 10:00", "observed": True, "note": "by phone"}
        asked = [FileRemoteCare(**told, province=each, command_id=each) for each in ids]
        if len(ids) > 1:
            replies = self.service.record_each([(ADA, each) for each in asked], batch=7)
            failed = [reply for reply in replies if not isinstance(reply, Receipt)]
            assert not failed, failed  # what a signal raises is told as no refusal
        else:
            self.service.record(ADA, asked[0])
        self.acknowledged.update(ids)

    def refused(self) -> None:
        with suppress(ValueError):
            self.service.confirm(ADA, at=NOON, channel="nobody's")

    def question(self) -> None:
        self.service.at(ADA, NOON)

    def everyone(self) -> None:
        for _ in self.service.everyone(NOON):
            pass

    def abandoned(self) -> None:
        next(self.service.everyone(NOON))

    def audit(self) -> None:
        self.trail.page(Question())

    def reopened(self) -> None:
        if self.url == MEMORY:
            return
        with open_service(self.url, policies=EDITIONS) as other, other.audit_trail() as trail:
            other.facts(ADA)
            trail.count(Question())

    def closed(self) -> None:
        self.trail.close()
        self.service.close()

    def interrupt(self, name: str) -> None:
        """Does something, interrupted at some moment of the time it typically takes."""
        action: Callable[[], None] = getattr(self, name)
        limit = self.typical.get(name, 0.002) * 1.2
        kinds = (KeyboardInterrupt, OutOfTime, TooSlow)
        kind: type[BaseException] = self.chance.choice(kinds)

        def struck(*_: object) -> None:
            if self.strikes:
                self.strikes -= 1
                raise kind

        signal.signal(signal.SIGALRM, struck)
        began = time.perf_counter()
        try:
            try:
                # Twice as well: whoever is impatient presses Ctrl-C again, while it gives back.
                self.strikes = self.chance.choice((1, 1, 2))
                at = max(1e-6, self.chance.random() * limit)
                signal.setitimer(signal.ITIMER_REAL, at, 0.00005)
                action()
            finally:
                self.strikes = 0
                signal.setitimer(signal.ITIMER_REAL, 0)
            self.typical[name] = time.perf_counter() - began
        except BaseException as error:
            if isinstance(error, Refused) or not has_struck(error):
                raise
            self.counts[f"{name} interrupted"] += 1
            if self.chance.random() < 0.5:
                # As a debugger, a future or an interactive session does: it keeps every frame.
                self.kept = [*self.kept[-20:], error]

    def check(self, elsewhere: ThreadPoolExecutor) -> None:
        """Nobody is locked out: another process, another thread, this one."""
        others_are_let_in(self.url)
        elsewhere.submit(self.command).result(30)
        self.command()
        self.question()
        elsewhere.submit(self.trail.count, Question()).result(30)

    def ended(self) -> dict[str, int]:
        """Every acknowledged fact is there once, and of no batch half a transaction."""
        there = Counter(event.command_id for event in self.service.facts(ADA))
        assert set(there.values()) == {1}
        assert not self.acknowledged - there.keys(), "acknowledged, and lost"
        assert there.keys() - {"begin"} <= self.asked
        assert [e.originator_version for e in self.service.facts(ADA)] == list(
            range(1, len(there) + 1)
        )
        entries = self.trail.count(Question())
        assert entries == len(there) + 1 + attempts(self.service), entries
        self.counts["acknowledged"] = len(self.acknowledged)
        self.counts["recorded"] = len(there)
        return dict(self.counts)


def has_struck(error: BaseException | None) -> bool:
    """Whether an error is the signal's, or what somebody has made of it who catches anything.

    It is never made a refusal, which would be kept as what somebody has tried.
    """
    while error is not None:
        if isinstance(error, KeyboardInterrupt | OutOfTime | TooSlow):
            return True
        error = error.__cause__ or error.__context__
    return False


def attempts(service: Service) -> int:
    counted = service._store.attempts_counted()
    return len(service.refused_attempts(ADA)) + len(counted)


def others_are_let_in(url: str) -> None:
    """Whether another process could record at this moment, and no connection is left over."""
    if url == MEMORY:
        return
    if not is_postgres(url):
        with closing(sqlite3.connect(file_of(url), timeout=0, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            other.execute("ROLLBACK")
        with closing(sqlite3.connect(file_of(url) + ".trail", timeout=0)) as other:
            other.execute("BEGIN IMMEDIATE")
            other.execute("ROLLBACK")
        return
    with psycopg.connect(url, autocommit=True) as other:
        left = connected = 0
        for _ in range(200):
            ((left,),) = other.execute(
                "SELECT COUNT(*) FROM pg_stat_activity WHERE datname = current_database() "
                "AND pid <> pg_backend_pid() AND state <> 'idle'"
            )
            ((connected,),) = other.execute(
                "SELECT COUNT(*) FROM pg_stat_activity WHERE datname = current_database() "
                "AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
            )
            if not left and connected <= 8:
                return
            time.sleep(0.01)  # the server learns of a closed socket in its own time
        raise AssertionError(f"{left} in a transaction, {connected} connected")


def descriptors() -> int:
    return len(os.listdir("/proc/self/fd"))


def live(url: str, interrupts: int, seed: int) -> dict[str, int]:
    chance = random.Random(seed)
    life = Life(url, chance)
    _, sheet = registration("s-1", "begin")
    life.service.register(**sheet)
    names = ["command", "batch", "refused", "question", "everyone", "abandoned", "audit"]
    names += ["reopened"]
    for name in names:
        getattr(life, name)()
    with ThreadPoolExecutor(1) as elsewhere:
        life.check(elsewhere)
        before = descriptors()
        done = 0
        while done < interrupts:
            life.interrupt(chance.choice(names))
            done = sum(count for name, count in life.counts.items() if name.endswith("interrupted"))
            life.check(elsewhere)
        life.kept.clear()
        life.counts["descriptors"] = descriptors() - before
        assert life.counts["descriptors"] <= 10
        found = life.ended()
    for _ in range(20):
        life.interrupt("closed")
    life.closed()
    return {"interrupts": done, **found}


if __name__ == "__main__":
    print(json.dumps(live(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))))
