"""An import killed at random, again and again, and then left to itself: it ends as if run once."""

import os
import random
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

import yibao

from ..conftest import key_file
from ..tables import HEAD, as_csv

ROWS, KILLS = 2000, 5
ROUNDS = 20 if "YIBAO_TORTURE" in os.environ else 1


def rows_in(file: Path, statement: str) -> list[Any]:
    with closing(sqlite3.connect(file)) as connection:
        return connection.execute(statement).fetchall()


@pytest.mark.parametrize("seed", range(ROUNDS))
def test_an_import_killed_at_random_ends_as_if_it_had_run_once(tmp_path: Path, seed: int) -> None:
    rows = [[f"6{n:05}", f"某{n}", "护照", f"P{n:08}", "本科生", "2025-09-01"] for n in range(ROWS)]
    table = as_csv(tmp_path / "roster", [HEAD, *rows])
    facts, people = tmp_path / "facts.db", tmp_path / "people.db"
    environment = {
        **os.environ,
        "YIBAO_STORE": str(facts),
        "YIBAO_DIRECTORY": str(people),
        "YIBAO_DIRECTORY_KEY": str(key_file(tmp_path / "directory.key")),
    }
    line = [
        *(sys.executable, "-m", "yibao", "office", "import", "roster", str(table)),
        *("--school", "sjtu", "--json"),
    ]
    chance, killed, longest = random.Random(seed), 0, 6.0
    while killed < KILLS:
        with subprocess.Popen(line, env=environment, stdout=subprocess.DEVNULL) as process:
            # From before anything is there until it is nearly done, or done: then sooner.
            try:
                process.wait(chance.uniform(0.1, longest))
                longest *= 0.7
            except subprocess.TimeoutExpired:
                process.kill()
                killed += 1
    ended = subprocess.run(line, env=environment, capture_output=True, check=True)
    assert ended.stderr == b""
    refs = {ref for (ref,) in rows_in(people, "SELECT ref FROM people")}
    assert len(refs) == ROWS
    assert {ref for (ref,) in rows_in(Path(f"{people}.keys"), "SELECT ref FROM keys")} == refs
    assert rows_in(Path(f"{people}.keys"), "SELECT * FROM unsettled") == []
    with yibao.open(f"sqlite:///{facts}") as service:
        for ref in refs:
            kinds = [fact.name for fact in service.facts(yibao.EnrollmentId(ref, 2025))]
            assert kinds == ["registered", "roster-declared"]
    # And nobody is recorded whom the directory does not know.
    students = "SELECT COUNT(*) FROM stored_events WHERE topic='registered'"
    assert rows_in(facts, students) == [(ROWS,)]
