"""Follows a trail or a cohort in processes killed at their n-th statement, one n after the other.

Run as a script, so that nothing else runs in the process that forks: STORE FILE KIND. It prints
a line for each kill: the digest of what whoever came after it made whole.
"""

import os
import signal
import subprocess
import sys
from hashlib import sha256
from pathlib import Path
from typing import Any

from yibao.adapters.editions.files import Editions
from yibao.adapters.following.cohort import COHORT, Cohort
from yibao.adapters.following.cohort.batches import CohortBatch
from yibao.adapters.following.cohort.following import CohortProjection
from yibao.adapters.following.derived import Batch, FactsFollowed, SqliteTables
from yibao.adapters.following.trail.audit import AuditTrail
from yibao.adapters.following.trail.layout import TRAIL
from yibao.adapters.following.trail.store import TrailRow
from yibao.adapters.store.facts import open_store


def digest(kept: AuditTrail | Cohort) -> str:
    """Everything a trail holds, whatever numbers its rows have; or a cohort, on its first side."""
    columns = {"entries": ", ".join(TrailRow._fields)}
    tables = kept.projection.tables
    with tables.reading() as sql:
        rows = [
            (table, sorted(sql.rows(f"SELECT {columns.get(table, '*')} FROM {table}"), key=repr))
            for table in tables.layout.of_side(tables.layout.sides[0])
        ]
    return sha256(repr(rows).encode()).hexdigest()


def _connection(kept: AuditTrail | Cohort) -> Any:
    assert isinstance(kept.projection.tables, SqliteTables)
    ((connection, _),) = kept.projection.tables._pool._idle  # the one that there is
    return connection._sqlite_conn


def follow(store: str, file: str, kind: str, editions: Editions, dies_at: int | None) -> str:
    facts = open_store(f"sqlite:///{store}")
    made, layout = (AuditTrail, TRAIL) if kind == "trail" else (Cohort, COHORT)
    with made(facts, editions, SqliteTables(file, layout)) as audit:
        left = dies_at

        def count(statement: str) -> None:
            nonlocal left
            if left is not None:
                left -= 1
                if left < 0:
                    os.kill(os.getpid(), signal.SIGKILL)

        _connection(audit).set_trace_callback(count)
        audit.catch_up()
        return digest(audit)


def digests_of_killed(store: Path, file: Path, kind: str = "trail") -> list[str]:
    """What it prints, run as a script."""
    done = subprocess.run(
        [sys.executable, __file__, str(store), str(file), kind],
        env={"PYTHONPATH": str(Path(__file__).parents[3] / "src")},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.split()


def main(store: str, file: str, kind: str) -> None:
    FactsFollowed.size = CohortProjection.size = 3
    Batch.fan = CohortBatch.fan = 2
    editions = Editions()
    list(editions)
    kills = 0
    while True:
        for path in Path(file).parent.glob(Path(file).name + "*"):
            path.unlink()
        child = os.fork()
        if child == 0:
            follow(store, file, kind, editions, kills)
            os._exit(0)
        _, status = os.waitpid(child, 0)
        if not os.WIFSIGNALED(status):
            return
        print(follow(store, file, kind, editions, None), flush=True)
        kills += 1


if __name__ == "__main__":
    main(*sys.argv[1:])
