"""The log of hashes: tiles and verification against reading the same rows; notes and proofs."""

import random
import sqlite3
import statistics
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path

from measured import Row, in_turn, told
from subject import NOON, enrollment, filled_service

from yibao.adapters.following.evidence import LOGS, open_evidence, open_prover, verify
from yibao.adapters.following.evidence.keys import make_key, read_signer
from yibao.adapters.store import open_store

ORIGIN = "insurance.example.edu.cn/yibao/bench"
ROWS = "SELECT notification_id, originator_id, originator_version, topic, state FROM stored_events"


def evidence(folder: Path, students: int, *, notes: int = 40, proofs: int = 400) -> Iterator[Row]:
    """The log of a file of so many students: made, held against the rows, signed and proven."""
    file = folder / "evidence.db"
    service = filled_service(file, students)
    make_key(folder / "evidence.pem")
    signer = read_signer(folder / "evidence.pem")
    beside = Path(f"{file}.evidence")

    def read() -> int:
        with closing(sqlite3.connect(file)) as raw:
            return sum(1 for _ in raw.execute(ROWS))

    with service, closing(open_store(f"sqlite:///{file}", to_ask=True)) as store:

        def made() -> int:
            for each in folder.glob(f"{beside.name}*"):
                each.unlink()
            with closing(open_evidence(store, to_keep=True)) as kept:
                kept.begin(ORIGIN, signer)
                return kept.catch_up()

        ours, theirs, ratio = in_turn(made, read, rounds=3)
        facts = f"{students * 8:,} facts"
        yield Row(f"tiles of {facts}", told(ours), "SELECT", told(theirs), ratio, "0.35")
        with closing(open_evidence(store, to_keep=True)) as kept:
            note = kept.sign(LOGS[0], signer, NOON).note
            key = signer.key_of(f"{ORIGIN}/{LOGS[0].name}")

            def verified() -> int:
                found = verify(store, kept, note, key)
                assert found.ok, found
                return found.rows

            ours, theirs, ratio = in_turn(verified, read, rounds=3)
            yield Row(f"verifying {facts}", told(ours), "SELECT", told(theirs), ratio, "0.25")
            taken = []
            for number in range(notes):
                service.pay_premium(enrollment(number), at=NOON, year=2026, observed=True)
                kept.catch_up()
                began = time.perf_counter()
                kept.sign(LOGS[0], signer, NOON + timedelta(seconds=number))
                taken.append(time.perf_counter() - began)
            yield Row("a checkpoint", _milliseconds(taken), "", "", None, "5 ms")
            positions = random.Random(1).choices(range(1, students * 8), k=proofs)
            taken = []
            with open_prover(store, kept) as prover:
                for position in positions:
                    began = time.perf_counter()
                    prover.at(position)
                    taken.append(time.perf_counter() - began)
            yield Row("a proof", _milliseconds(taken), "", "", None, "1.5 ms")


def _milliseconds(taken: list[float]) -> str:
    return f"{statistics.median(taken) * 1000:.2f} ms"
