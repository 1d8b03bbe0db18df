"""An outbox and who is told by it; run as a script, the same in processes that are killed.

`URL EVERY FOLDER`: what falls due in an autumn is told in a process that is killed at its n-th
statement, for every EVERY-th n, and last in one that is not. It prints a line for each: a digest of
what was noticed, and of what somebody holds who was told.
"""

import json
import os
import shutil
import signal
import sys
from collections.abc import Callable
from datetime import datetime
from functools import partial
from hashlib import sha256
from itertools import count
from pathlib import Path
from typing import Any

import yibao
from yibao.adapters.following.due import following
from yibao.adapters.following.due.layout import KEPT, MADE_ANEW
from yibao.adapters.following.due.store import DueEntry
from yibao.adapters.service.service import Service, open_service
from yibao.adapters.store.postgres.sql import PostgresSql
from yibao.adapters.store.sqlite.sql import SqliteSql
from yibao.adapters.store.urls import file_of, is_postgres
from yibao.domain.calendar import read_instant
from yibao.projections.cohort.due import notices

#: What is due, by student, year and kind.
Held = dict[tuple[str, int, str], datetime]


class Told:
    """Somebody who keeps the last word for each kind of each enrollment."""

    def __init__(self) -> None:
        self.held: Held = {}
        self.entries: list[DueEntry] = []

    def __call__(self, entry: DueEntry) -> None:
        self.entries.append(entry)
        key = entry.enrollment.ref, entry.enrollment.year, entry.kind
        if entry.due is None:
            self.held.pop(key, None)
        else:
            self.held[key] = entry.due


def due_now(service: Service, refs: list[str], until: datetime, days: int = 3) -> Held:
    """What is due by an instant as known now, each student asked by herself."""
    found: Held = {}
    for ref in refs:
        for year in service.enrollments(ref):
            record = service.read(yibao.EnrollmentId(ref, year))
            for notice in notices(record.known_by(record.latest), days):
                if notice.due <= until:
                    found[ref, year, notice.kind] = notice.due
    return found


class Heard:
    """What was told, a line an entry in a file; each is on the disk before it is acknowledged."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __call__(self, entry: DueEntry) -> None:
        with self.path.open("a", encoding="utf-8") as lines:
            told = [entry.id, *entry.enrollment, entry.kind, entry.what, str(entry.due)]
            lines.write(json.dumps(told) + "\n")

    def words(self) -> dict[int, list[Any]]:
        """Each entry once, by its number."""
        lines = self.path.read_text(encoding="utf-8").splitlines() if self.path.exists() else []
        return {number: rest for number, *rest in map(json.loads, lines)}


def go_through(url: str, heard: Heard) -> None:
    """An autumn whose steps may be taken again: what was recorded or told before, stands."""
    ada = yibao.EnrollmentId("ada", 2025)
    with open_service(url, clock=lambda: read_instant("2025-10-20 09:00")) as service:
        service.deliver(heard, until="2025-12-05 09:00")
        check = [each for each in service.facts(ada) if each.name == "prior-coverage-verified"][1]
        moved = {"lapsed_years": 0, "waiting_ends_on": "2025-11-15"}
        service.correct(ada, check.event_id, changes=moved, command_id="moved", reason="wrong-line")
        service.deliver(heard, until="2025-12-25 09:00")


def killed_at(left: int) -> None:
    """Kills this process at one of its next statements."""
    counted = count()

    def counting(do: Callable[..., Any]) -> Callable[..., Any]:
        def counted_first(*values: Any) -> Any:
            if next(counted) == left:
                os.kill(os.getpid(), signal.SIGKILL)
            return do(*values)

        return counted_first

    for kind in (SqliteSql, PostgresSql):
        for name in ("rows", "run", "run_many"):
            setattr(kind, name, counting(getattr(kind, name)))


def _in_a_child(act: Callable[[], None]) -> bool:
    """Does something in a process of its own; whether it was killed."""
    child = os.fork()
    if child == 0:
        status = 1
        try:
            act()
            status = 0
        finally:
            os._exit(status)
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status) or os.WEXITSTATUS(status) == 0
    return os.WIFSIGNALED(status)


def _put_back(url: str, before: Path) -> None:
    """The facts as they were before, and an outbox in which nothing is."""
    if is_postgres(url):
        import psycopg

        with psycopg.connect(url) as connection:
            connection.execute(b"DELETE FROM yibao.stored_events WHERE state LIKE '%\"moved\"%'")
            for table in (*KEPT, *MADE_ANEW):
                connection.execute(f"TRUNCATE yibao_due.{table}".encode())
        return
    for path in before.parent.glob("facts.db*"):
        path.unlink()
    shutil.copy(before, file_of(url))


def main(url: str, every: str, folder: str) -> None:
    following.BATCH, following.LOOKED_AT = 3, 1  # type: ignore[misc]
    list(yibao.Editions())
    before = Path(folder) / "before.db"
    for number in count(0, int(every)):
        heard = Heard(Path(folder) / f"heard-{number}")
        _in_a_child(partial(_put_back, url, before))

        def die(number: int = number, heard: Heard = heard) -> None:
            killed_at(number)
            go_through(url, heard)

        was_killed = _in_a_child(die)
        _in_a_child(partial(go_through, url, heard))
        words = heard.words()
        told = [words[each] for each in sorted(words)]
        print(sha256(json.dumps(told).encode()).hexdigest(), flush=True)
        if not was_killed:
            return


if __name__ == "__main__":
    main(*sys.argv[1:])
