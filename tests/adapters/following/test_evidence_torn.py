"""Followers of the evidence are doubled and killed while others record, and rows are tampered with.

What was signed stands, each later note goes on from each earlier one, and whatever is changed is
found at its first row. `YIBAO_TORTURE` kills and tampers that many times.
"""

import os
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from yibao.adapters.following.evidence import KeptNote, consistency
from yibao.adapters.following.evidence.keys import make_key, read_signer
from yibao.adapters.service.service import Service

from ..helpers.autumn import BO, Clock, an_autumn, register
from ..helpers.stores import rows
from .test_evidence import FACTS, NOW, ORIGIN, held, opened

TIMES = int(os.environ.get("YIBAO_TORTURE", "6"))
SOURCES = Path(__file__).parents[3] / "src"


@contextmanager
def follower(url: str, key: Path) -> Iterator[None]:
    """One more process that follows and signs; killed in the end, wherever it is then."""
    command = [sys.executable, "-m", "yibao", "evidence", "follow", "--store", url]
    with subprocess.Popen(
        [*command, "--key", str(key), "--every", "1"],
        env={**os.environ, "PYTHONPATH": str(SOURCES)},
        stderr=subprocess.DEVNULL,
    ) as process:
        try:
            yield
            assert process.poll() is None, "a follower has ended by itself"
        finally:
            process.kill()


def notes_of(url: str) -> list[KeptNote]:
    with opened(url, to_keep=False) as evidence, evidence.reading(FACTS) as kept:
        return kept.notes()


def test_followers_are_killed_while_others_record_and_whatever_is_changed_is_found(
    store: str, service: Service, clock: Clock, tmp_path: Path
) -> None:
    seed = random.randrange(2**32)
    chance, key_file = random.Random(seed), tmp_path / "main.pem"
    print(f"\nseed {seed}")
    make_key(key_file)
    signer = read_signer(key_file)
    key = signer.key_of(f"{ORIGIN}/facts")
    an_autumn(service, clock)
    at = clock.at("2025-12-02 09:00")
    with opened(store) as evidence:
        evidence.begin(ORIGIN, signer)
    number = 0
    for _ in range(max(TIMES // 20, 1)):
        with follower(store, key_file), follower(store, key_file):
            signed, ends = notes_of(store), time.monotonic() + 60
            while time.monotonic() < ends:
                register(service, BO._replace(ref=f"s-{number}"), at)
                number += 1
                if number % 20 == 0 and len(notes_of(store)) > len(signed):
                    signed, ends = (
                        notes_of(store),
                        min(ends, time.monotonic() + chance.uniform(0, 2)),
                    )
    with opened(store) as evidence:
        evidence.catch_up()
        note = evidence.sign(FACTS, signer, NOW).note
        notes = notes_of(store)
        for each in notes:
            assert consistency(evidence, each.note, note, key).check(key)
    for each in notes:
        assert held(store, each.note, key).ok
    every = "SELECT notification_id FROM stored_events ORDER BY 1"
    positions = [position for (position,) in rows(store, every)]
    for _ in range(TIMES):
        place = chance.randrange(len(positions))
        column, value = chance.choice(
            [("state", b"{}"), ("topic", "x"), ("originator_version", 2**40)]
        )
        position = positions[place]
        was = f"SELECT {column} FROM stored_events WHERE notification_id=?"
        ((before,),) = rows(store, was, position)
        put = f"UPDATE stored_events SET {column}=? WHERE notification_id=?"
        rows(store, put, value, position)
        found = held(store, note, key)
        rows(store, put, before, position)
        assert (found.kind, found.leaf, found.position) == ("altered", place, position)
    assert held(store, note, key).ok
    assert len(notes) > 1, "nothing was signed while it was recorded"
    print(f"{len(notes)} notes of {len(positions)} facts go on; {TIMES} changes, each found")
