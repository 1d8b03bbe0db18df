"""Followers of the audit trail in processes of their own, to be killed.

Run as a script: `supervise URL TRAIL STANDBY` follows until it is killed or asked to end, and
logs on standard output; `TRAIL` may be empty. `die URL EVERY FIRST` follows in processes that are
killed at their n-th statement, for every EVERY-th n from FIRST on, and prints a line for each: the
digest of the trail that whoever came after it made whole. `die URL EVERY FIRST MANY` takes in a
store that has more facts than that student by student.
"""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from hashlib import sha256
from itertools import count
from pathlib import Path
from typing import Any, NamedTuple, Self

import yibao
from yibao.adapters.cli.running.projecting import statuses
from yibao.adapters.editions.files import Editions
from yibao.adapters.following.derived import Batch, FactsFollowed, SqliteTables
from yibao.adapters.following.leading import lead_of
from yibao.adapters.following.supervisor import Standing, Stop, Supervisor
from yibao.adapters.following.trail import following
from yibao.adapters.following.trail.audit import AuditTrail
from yibao.adapters.following.trail.layout import TABLES, TRAIL
from yibao.adapters.following.trail.store import TrailRow
from yibao.adapters.service.service import Service
from yibao.adapters.store import file_of, is_postgres
from yibao.adapters.store.sqlite import SqliteSql
from yibao.adapters.telemetry.logs import log_json

#: All that a trail holds, by its tables.
Held = dict[str, list[Any]]
Condition = Callable[[], Any]

_SCRIPT = Path(__file__)
_SOURCES = _SCRIPT.parents[3] / "src"
#: How long anything may take that is waited for, in seconds.
PATIENCE = 60


def held(trail: AuditTrail) -> Held:
    """Everything a trail holds, whatever numbers its rows have."""
    with trail._tables.reading() as sql:
        return {
            table: sorted(sql.rows(f"SELECT {_COLUMNS.get(table, '*')} FROM {table}"), key=repr)
            for table in TABLES
        }


_COLUMNS = {"entries": ", ".join(TrailRow._fields)}


def caught_up(trail: AuditTrail) -> Held:
    trail.catch_up()
    return held(trail)


def made_anew(service: Service) -> Held:
    """What a trail holds that was made of all the facts at once, elsewhere."""
    # In memory: `open_trail` itself knows only files.
    with AuditTrail(service._store, service.editions, SqliteTables(":memory:", TRAIL)) as trail:
        return caught_up(trail)


def standing(url: str, editions: Editions) -> Standing:
    """How far the trail of a store is; the store is opened for it."""
    status, _ = statuses(url, None, editions)
    return status.standing


def eventually(is_so: Condition, what: str = "it") -> Any:
    """Waits until something is so; what was found then."""
    ends = time.monotonic() + PATIENCE
    while not (found := is_so()):
        assert time.monotonic() < ends, f"{what} did not come about in a minute"
        time.sleep(0.005)
    return found


class Told(NamedTuple):
    """One line of a follower's log."""

    event: str
    level: str
    values: dict[str, Any]


class Follower:
    """A supervised follower in a process of its own; a context that leaves none behind."""

    def __init__(self, url: str, log: Path, *, trail: str = "", standby: float = 0.05) -> None:
        self._log = log
        with log.open("wb") as output, log.with_suffix(".err").open("wb") as errors:
            self._process = subprocess.Popen(
                [sys.executable, _SCRIPT, "supervise", url, trail, str(standby)],
                env={**os.environ, "PYTHONPATH": str(_SOURCES)},
                stdout=output,
                stderr=errors,
            )
        self.pid = self._process.pid

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *exc: object) -> None:
        self.kill()
        if kind is not None:
            for log in (self._log, self._log.with_suffix(".err")):
                print(log.name, "ended with:", log.read_text()[-2000:], sep="\n")

    def told(self) -> list[Told]:
        lines = self._log.read_text().splitlines(keepends=True)
        logged = [json.loads(line) for line in lines if line.endswith("\n")]
        return [Told(each["event"], each["level"], each) for each in logged]

    def has(self, *events: str) -> bool:
        """Whether it has told of all of these."""
        return set(events) <= {each.event for each in self.told()}

    def leads(self) -> bool:
        said = [each.event for each in self.told() if each.event in ("leading", "store-failed")]
        return said[-1:] == ["leading"]

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()

    def end(self) -> int:
        """Asks it to end, and waits; its exit status."""
        self._process.terminate()
        return self._process.wait(PATIENCE)

    def wait(self) -> int:
        return self._process.wait(PATIENCE)


@contextmanager
def supervised(trail: AuditTrail, **how: Any) -> Iterator[Stop]:
    """A follower in a thread, as long as the context lasts."""
    stop = Stop()
    lead = lead_of(trail.store, trail.projection.name)
    supervisor = Supervisor(trail.projection, lead, pause=0.01, standby=0.02, **how)
    thread = threading.Thread(target=supervisor.follow, args=(stop,))
    thread.start()
    try:
        yield stop
    finally:
        stop.set()
        thread.join()


def _supervise(url: str, trail: str, standby: str) -> None:
    FactsFollowed.size, Batch.fan = 7, 2
    log_json(sys.stdout)
    stop = Stop()
    signal.signal(signal.SIGTERM, lambda number, frame: stop.set())
    with yibao.open(url) as service, service.audit_trail(trail or None) as audit:
        lead = lead_of(audit.store, audit.projection.name)
        Supervisor(audit.projection, lead, pause=0.01, standby=float(standby)).follow(stop)


def _die(url: str, every: str, first: str, many: str = "") -> None:
    FactsFollowed.size, Batch.fan = 3, 2
    following.MANY = int(many or following.MANY)
    # Before anybody forks, so that no life begins with it.
    editions = Editions()
    list(editions)
    for dies_at in count(int(first), int(every)):
        _in_a_child(partial(_empty, url))
        if not _in_a_child(partial(_follow, url, editions, dies_at)):
            return
        _in_a_child(lambda: print(_follow(url, editions, None), flush=True))


def _in_a_child(act: Condition) -> bool:
    """Does something in a process of its own; whether it was killed."""
    child = os.fork()
    if child == 0:
        status = 1
        try:
            act()
            status = 0
        finally:
            sys.stdout.flush()
            os._exit(status)
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status) or os.WEXITSTATUS(status) == 0
    return os.WIFSIGNALED(status)


def _empty(url: str) -> None:
    if not is_postgres(url):
        path = Path(f"{file_of(url)}.trail")
        for each in path.parent.glob(f"{path.name}*"):
            each.unlink()
        return
    import psycopg

    with psycopg.connect(url) as connection:
        for table in TABLES:
            connection.execute(f"TRUNCATE yibao_trail.{table}".encode())


def _follow(url: str, editions: Any, dies_at: int | None) -> str:
    with yibao.open(url, policies=editions) as service, service.audit_trail() as trail:
        if dies_at is not None:
            _die_at(dies_at)
        return sha256(repr(caught_up(trail)).encode()).hexdigest()


def _die_at(number: int) -> None:
    """Kills this process before its statement of that number."""
    from yibao.adapters.store.postgres.sql import PostgresSql

    left = number

    def counted(execute: Callable[..., Any]) -> Callable[..., Any]:
        def act(*values: Any) -> Any:
            nonlocal left
            left -= 1
            if left < 0:
                os.kill(os.getpid(), signal.SIGKILL)
            return execute(*values)

        return act

    for kind in (PostgresSql, SqliteSql):
        for name in ("rows", "run", "run_many", "fill"):
            setattr(kind, name, counted(getattr(kind, name)))


if __name__ == "__main__":
    {"supervise": _supervise, "die": _die}[sys.argv[1]](*sys.argv[2:])
