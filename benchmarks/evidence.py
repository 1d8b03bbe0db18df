"""The log of hashes: tiles and verification against reading the same rows; notes and proofs.

`python evidence.py 1000000 10000000` measures notes and proofs of logs of such sizes alone.
"""

import random
import sqlite3
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import timedelta
from itertools import count
from pathlib import Path

from measured import Row, in_turn, rate, told
from subject import BEFORE, FACTS, NOON, enrollment, facts_of, filled_service

from yibao.adapters.following.evidence import LOGS, Evidence, open_evidence, open_prover, verify
from yibao.adapters.following.evidence.keys import make_key, read_signer
from yibao.adapters.service import open_service
from yibao.adapters.store import FactStore, open_store
from yibao.adapters.store.tables import to_row
from yibao.projections.evidence import Signer

ORIGIN = "insurance.example.edu.cn/yibao/bench"
COLUMNS = "originator_id, originator_version, topic, state"
ROWS = f"SELECT notification_id, {COLUMNS} FROM stored_events"
PUT = f"INSERT INTO stored_events ({COLUMNS}) VALUES (?, ?, ?, ?)"


def evidence(folder: Path, students: int, *, commits: int = 400) -> Iterator[Row]:
    """The log of a file of so many students: made, held against the rows, signed and proven."""
    file = folder / "evidence.db"
    filled_service(file, students).close()
    signer = _signer(folder)

    def read() -> int:
        with closing(sqlite3.connect(file)) as raw:
            return sum(1 for _ in raw.execute(ROWS))

    with closing(open_store(f"sqlite:///{file}", to_ask=True)) as store:

        def made() -> int:
            for each in folder.glob(f"{file.name}.evidence*"):
                each.unlink()
            with _begun(store, signer) as kept:
                return kept.catch_up()

        ours, theirs, ratio = in_turn(made, read, rounds=3, clock=time.process_time)
        facts = f"{students * FACTS:,} facts, CPU"
        yield Row(f"tiles of {facts}", told(ours), "SELECT", told(theirs), ratio, "0.35")
        with _begun(store, signer) as kept:
            note = kept.sign(LOGS[0], signer, NOON).note
            key = signer.key_of(f"{ORIGIN}/{LOGS[0].name}")

            def verified() -> int:
                found = verify(store, kept, note, key)
                assert found.ok, found
                return found.rows

            ours, theirs, ratio = in_turn(verified, read, rounds=3, clock=time.process_time)
            yield Row(f"verifying {facts}", told(ours), "SELECT", told(theirs), ratio, "0.25")
            yield from _signed_and_proven(file, store, kept, signer, students * FACTS)
    yield from recording(folder, commits)


def of_size(folder: Path, size: int) -> Iterator[Row]:
    """Notes and proofs of a log of so many facts, which nobody recorded: they are put there."""
    file = folder / f"evidence-{size}.db"
    open_service(f"sqlite:///{file}", clock=lambda: BEFORE).close()
    _put(file, size)
    signer = _signer(folder)
    with (
        closing(open_store(f"sqlite:///{file}", to_ask=True)) as store,
        _begun(store, signer) as kept,
    ):
        began = time.process_time()
        kept.catch_up()
        taken = time.process_time() - began
        kept.sign(LOGS[0], signer, NOON)
        yield Row(f"tiles of {size:,} facts, CPU", told(rate(size, taken)), "", "", None, "")
        yield from _signed_and_proven(file, store, kept, signer, size)
    for each in folder.glob(f"{file.name}*"):
        each.unlink()


def _signed_and_proven(
    file: Path, store: FactStore, kept: Evidence, signer: Signer, size: int
) -> Iterator[Row]:
    """A note of one more fact each, and proofs of facts anywhere."""
    taken = []
    for number in range(40):
        _put(file, 1)
        kept.catch_up()
        began = time.process_time()
        kept.sign(LOGS[0], signer, NOON + timedelta(seconds=number))
        taken.append(time.process_time() - began)
    of = f"of {size:,} facts"
    yield Row(f"a checkpoint {of}, CPU", _milliseconds(taken), "", "", None, "p50 under 5 ms")
    positions = random.Random(1).choices(range(1, size), k=400)
    taken = []
    for position in positions:
        with open_prover(store, kept) as prover:  # which remembers tiles it has read
            began = time.process_time()
            prover.at(position)
            taken.append(time.process_time() - began)
    yield Row(f"a proof {of}, CPU", _milliseconds(taken), "", "", None, "p50 under 1.5 ms")


def recording(folder: Path, commits: int) -> Iterator[Row]:
    """One fact a commit, while another process follows and signs, and while nobody does."""
    file, numbers, spent = folder / "beside-a-follower.db", count(), dict[str, list[float]]()
    key = folder / "evidence.pem"
    service = open_service(f"sqlite:///{file}", clock=lambda: NOON)
    with service, closing(open_store(f"sqlite:///{file}", to_ask=True)) as store:
        with _begun(store, read_signer(key)):
            pass

        def record(how: str) -> int:
            began = time.process_time()
            for number in (next(numbers) for _ in range(commits)):
                service.register(
                    enrollment(number).ref, policy="shanghai-2025", on="2025-09-01", at=NOON,
                    school="school-1", category="undergraduate", document="passport",
                )  # fmt: skip
            spent.setdefault(how, []).append(time.process_time() - began)
            return commits

        def followed() -> int:
            return record("followed")

        def alone() -> int:
            return record("alone")

        record("warm")
        rounds = []
        for _ in range(5):
            with _follower(file, key, store):
                (with_it, *_) = in_turn(followed, lambda: 1, rounds=1)
            (without, *_) = in_turn(alone, lambda: 1, rounds=1)
            rounds.append((with_it, without))
    what = "recording with the follower on"
    ours, theirs = (statistics.median(each) for each in zip(*rounds, strict=True))
    ratio = statistics.median(a / b for a, b in rounds)
    yield Row(what, told(ours), "without", told(theirs), ratio, "0.95")
    mine, alone_spent = (statistics.median(spent[how]) for how in ("followed", "alone"))
    ratio = statistics.median(b / a for a, b in zip(spent["followed"], spent["alone"], strict=True))
    cpu = f"{what}, CPU of the writer"
    yield Row(
        cpu, told(rate(commits, mine)), "without", told(rate(commits, alone_spent)), ratio, "0.95"
    )


@contextmanager
def _follower(file: Path, key: Path, store: FactStore) -> Iterator[None]:
    """Another process that follows, and has caught up when this begins."""
    command = [sys.executable, "-m", "yibao", "evidence", "follow", "--store", file, "--key", key]
    with subprocess.Popen([*command, "--every", "1"], stderr=subprocess.DEVNULL) as process:
        try:
            with closing(open_evidence(store)) as kept:
                while kept.standing().behind or kept.last_note(LOGS[0]) is None:
                    time.sleep(0.05)
            yield
            assert process.poll() is None, "the follower has ended"
        finally:
            process.terminate()


@contextmanager
def _begun(store: FactStore, signer: Signer) -> Iterator[Evidence]:
    with closing(open_evidence(store, to_keep=True)) as kept:
        kept.begin(ORIGIN, signer)
        yield kept


def _signer(folder: Path) -> Signer:
    key = folder / "evidence.pem"
    if not key.exists():
        make_key(key)
    return read_signer(key)


def _put(file: Path, facts: int) -> None:
    """Rows as a student's facts are stored, each eight of them in a stream of their own."""
    alike = [to_row(fact) for fact in facts_of(0)]
    with closing(sqlite3.connect(file)) as raw, raw:
        ((begins,),) = raw.execute("SELECT COALESCE(MAX(notification_id), 0) FROM stored_events")
        raw.executemany(PUT, (_row(alike, number) for number in range(begins, begins + facts)))


def _row(alike: list, number: int) -> tuple[str, int, str, bytes]:  # type: ignore[type-arg]
    stream, version = divmod(number, FACTS)
    row = alike[version]
    return f"{stream:032x}", version + 1, row.topic, row.state


def _milliseconds(taken: list[float]) -> str:
    p50, p99 = statistics.median(taken), statistics.quantiles(taken, n=100)[-1]
    return f"p50 {p50 * 1000:.2f} ms, p99 {p99 * 1000:.2f} ms"


if __name__ == "__main__":
    import tempfile

    with tempfile.TemporaryDirectory(dir=".") as name:
        if sys.argv[1:] == ["recording"]:
            _signer(Path(name))
            for row in recording(Path(name), 400):
                print(row)
        for told_size in map(int, filter(str.isdigit, sys.argv[1:])):
            for row in of_size(Path(name), told_size):
                print(row, flush=True)
