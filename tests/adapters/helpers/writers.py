"""Writers in processes of their own, to be raced against each other and to be killed.

A nursery is this file run as a script. It has imported everything and read the editions, but
never opens SQLite itself: it forks writers that do, so a life costs milliseconds and not the
start of an interpreter. A writer carries out its steps and tells of each in its log, one line
of JSON, after the service has returned. What a log holds was therefore acknowledged.
"""

import json
import os
import resource
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple, Self, TypeVar

R = TypeVar("R")

#: Whose: a reference (of the benefit year 2025), or an edition as `edition:NAME`.
Target = str
#: The name of a command and its values, as JSON has them.
Asked = tuple[str, dict[str, Any]]


def together(actions: Sequence[Callable[[], R]]) -> list[R]:
    """Does them all at once, each in a thread of its own."""
    barrier = threading.Barrier(len(actions))

    def act(action: Callable[[], R]) -> R:
        barrier.wait()
        return action()

    with ThreadPoolExecutor(len(actions)) as pool:
        return list(pool.map(act, actions))


class Step(NamedTuple):
    """What a writer asks for in one transaction."""

    target: Target
    asked: list[Asked]

    @property
    def ids(self) -> list[str]:
        return [values["command_id"] for _, values in self.asked]


class Told(NamedTuple):
    """What came of a step; `started` and `done` are of a clock all processes share."""

    ids: list[str]
    started: int
    done: int
    versions: list[int]
    repeated: list[bool]
    refused: str | None = None
    failed: str | None = None


class Writer(NamedTuple):
    """A process that writes, living or dead."""

    pid: int
    log: Path

    def told(self) -> list[Told]:
        """What it has told so far; a last line that is not whole was not told."""
        if not self.log.exists():
            return []
        lines = self.log.read_text().splitlines(keepends=True)
        return [Told(**json.loads(line)) for line in lines if line.endswith("\n")]

    def wait_for(self, steps: int) -> None:
        """Waits until it has told of so many steps."""
        for _ in range(60_000):
            if len(self.told()) >= steps:
                return
            time.sleep(0.001)
        raise AssertionError(f"a writer has told of {len(self.told())} steps in a minute")

    def kill(self) -> None:
        os.kill(self.pid, signal.SIGKILL)


class Nursery:
    """Where writers are born.

    `inside` wraps it, for example into namespaces of its own; what it is to `preload` no writer
    needs to import.
    """

    def __init__(
        self, folder: Path, inside: Sequence[str] = (), preload: Sequence[str] = ()
    ) -> None:
        self._folder = folder
        self._born = 0
        self._process = subprocess.Popen(
            [*inside, sys.executable, __file__, *preload],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.close()
        self._process.wait()
        self._process.stdout.close()

    def bear(
        self,
        url: str,
        steps: Sequence[Step],
        *,
        threads: int = 1,
        gate: str | None = None,
        file_size: int | None = None,
    ) -> Writer:
        """A new writer. With a `gate` it waits "closed" or with the store "open" for the others.

        Its steps are shared out among its threads. `file_size` is the size at which the system
        refuses to let its files grow.
        """
        self._born += 1
        log = self._folder / f"writer-{self._born}.log"
        job = {
            "url": url,
            "log": str(log),
            "steps": steps,
            "threads": threads,
            "gate": gate,
            "file_size": file_size,
        }
        return Writer(self._ask({"bear": job}), log)

    def open_gate(self) -> None:
        """Lets all who wait at the gate go on, at the same moment."""
        self._ask({"gate": "open"})

    def end_of(self, writer: Writer) -> int:
        """Waits until a writer is dead; the signal it died of as a negative number."""
        return os.waitstatus_to_exitcode(self._ask({"bury": writer.pid}))

    def run(self, *arguments: str) -> int:
        """Runs a program where the nursery lives."""
        return self._ask({"run": arguments})

    def race(self, url: str, plans: Sequence[Sequence[Step]], **how: Any) -> list[list[Told]]:
        """One writer for each plan, all let go at the same moment; what each of them told."""
        how = {"gate": "open", **how}
        writers = [self.bear(url, plan, **how) for plan in plans]
        self.open_gate()
        ends = [self.end_of(writer) for writer in writers]
        assert ends == [0] * len(plans)
        return [writer.told() for writer in writers]

    def _ask(self, request: dict[str, Any]) -> int:
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        return int(self._process.stdout.readline())


def _nurse() -> None:
    """The life of a nursery: one request a line, answered by one number, until nobody asks."""
    from yibao.adapters.editions.files import Editions

    for module in ("yibao.adapters.service.service", *sys.argv[1:]):
        import_module(module)
    editions = Editions()
    for _ in editions:
        pass
    children: set[int] = set()
    gate = os.pipe()
    for line in sys.stdin:
        request = json.loads(line)
        answer = 0
        if "bear" in request:
            answer = os.fork()
            if not answer:
                os.close(gate[1])
                _live(request["bear"], editions, gate[0])
            children.add(answer)
        elif "bury" in request:
            _, answer = os.waitpid(request["bury"], 0)
            children.discard(request["bury"])
        elif "gate" in request:
            for end in gate:
                os.close(end)
            gate = os.pipe()
        elif "run" in request:
            answer = subprocess.run(request["run"], stdout=subprocess.DEVNULL).returncode
        print(answer, flush=True)
    for child in children:
        os.kill(child, signal.SIGKILL)


def _live(job: dict[str, Any], editions: Any, gate: int) -> None:
    """The life of a writer; it never returns."""
    status = 1
    try:
        _write(job, editions, gate)
        status = 0
    except BaseException as error:
        sys.excepthook(type(error), error, error.__traceback__)
    finally:
        sys.stderr.flush()
        os._exit(status)


def _write(job: dict[str, Any], editions: Any, gate: int) -> None:
    from yibao.adapters.service.service import open_service
    from yibao.domain.refusals import YibaoError

    log = os.open(job["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    if job["file_size"]:
        resource.setrlimit(resource.RLIMIT_FSIZE, (job["file_size"], resource.RLIM_INFINITY))
    if job["gate"] == "closed":
        os.read(gate, 1)
    try:
        opened = open_service(job["url"], policies=editions, by="writer")
    except YibaoError as error:
        _tell(log, Told([], 0, 0, [], [], failed=f"{type(error).__name__}: {error}"))
        return
    with opened as service:
        if job["gate"] == "open":
            os.read(gate, 1)
        shares = [job["steps"][first :: job["threads"]] for first in range(job["threads"])]
        others = [
            threading.Thread(target=_carry_out, args=(service, share, log)) for share in shares[1:]
        ]
        for other in others:
            other.start()
        _carry_out(service, shares[0], log)
        for other in others:
            other.join()


def _carry_out(service: Any, steps: list[list[Any]], log: int) -> None:
    """Asks the service for each step and tells what came of it."""
    for target, asked in steps:
        _tell(log, told(service, Step(target, asked)))


def _tell(log: int, what: Told) -> None:
    os.write(log, (json.dumps(what._asdict()) + "\n").encode())


def told(service: Any, step: Step) -> Told:
    """What comes of a step when it is asked for now."""
    from yibao.domain.facts.commands import COMMANDS
    from yibao.domain.refusals import Refused, YibaoError

    commands = [COMMANDS[name](**values) for name, values in step.asked]
    refused, failed, receipts = None, None, []
    started = time.monotonic_ns()
    try:
        receipts = service.record_together(whose(step.target), commands)
    except Refused as error:
        refused = error.code
    except YibaoError as error:
        failed = f"{type(error).__name__}: {error}"
    return Told(
        step.ids,
        started,
        time.monotonic_ns(),
        [receipt.version for receipt in receipts],
        [receipt.repeated for receipt in receipts],
        refused,
        failed,
    )


def whose(target: Target) -> Any:
    """A target as the service takes it."""
    from yibao.domain.vocabulary import EnrollmentId

    if target.startswith("edition:"):
        return target.removeprefix("edition:")
    return EnrollmentId(target, 2025)


def registration(ref: str, command_id: str, **values: Any) -> Asked:
    """The command that begins a student's autumn."""
    return "register", {
        "ref": ref,
        "at": "2025-09-01 08:30",
        "policy": "shanghai-2025",
        "on": "2025-09-01",
        "school": "sjtu",
        "category": "undergraduate",
        "document": "resident_id_card",
        "command_id": command_id,
        **values,
    }


def filing(command_id: str, **values: Any) -> Asked:
    """A command that may be repeated as often as one likes: care elsewhere is filed for."""
    return "file_remote_care", {
        "at": "2025-09-10 12:00",
        "province": f"province of {command_id}",
        "observed": True,
        "command_id": command_id,
        **values,
    }


if __name__ == "__main__":
    _nurse()
