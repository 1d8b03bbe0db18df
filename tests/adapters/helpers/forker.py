"""A process that forks: run as a script, so that the tests' own threads are not forked along.

Each scenario prints what came of it as one line of JSON.
"""

import json
import multiprocessing
import os
import select
import signal
import sys
import threading
from collections.abc import Callable, Generator
from contextlib import closing
from typing import Any, cast

from writers import registration

from yibao.adapters.editions.files import Editions
from yibao.adapters.following.leading import lead_of
from yibao.adapters.following.trail.questions import Question
from yibao.adapters.service.service import Service, open_service
from yibao.adapters.store.errors import StoreError
from yibao.adapters.store.urls import MEMORY
from yibao.adapters.telemetry.figures import open_telemetry
from yibao.domain.vocabulary import EnrollmentId
from yibao.projections.answer import Answer

EDITIONS = Editions()
#: After how many seconds a child hangs.
HANGS = 30
Kin = tuple[int, int]


def fork(action: Callable[[], Any], end: Callable[[int], Any] = os._exit) -> Kin:
    """A child that does something and ends; its pid, and where it tells of it."""
    reads, writes = os.pipe()
    pid = os.fork()
    if pid:
        os.close(writes)
        return pid, reads
    os.close(reads)
    try:
        found = action()
    except Exception as error:
        found = f"{type(error).__name__}: {error}"
    os.write(writes, json.dumps(found).encode())
    os.close(writes)
    end(0)
    raise AssertionError


def told(kin: Kin) -> Any:
    """What a child has told, once it has ended; a child that hangs is killed."""
    pid, reads = kin
    ready, _, _ = select.select([reads], [], [], HANGS)
    if not ready:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        return "hung"
    with os.fdopen(reads, "rb") as pipe:
        found = pipe.read()
    status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    return json.loads(found) if found and not status else f"ended with {status}"


def everyone(service: Service) -> "Generator[Answer]":
    """The answers for everyone, of which the first was drawn."""
    begun = cast("Generator[Answer]", service.everyone("2025-10-01 10:00"))
    next(begun)
    return begun


def opened(url: str) -> Service:
    return open_service(url, policies=EDITIONS)


def recorded(service: Service, ref: str, facts: int, lane: str) -> int:
    """Records facts one by one; how many were acknowledged."""
    _, sheet = registration(ref, f"{lane}.begin")
    service.register(**sheet)
    for number in range(facts - 1):
        service.file_remote_care(
            EnrollmentId(ref, 2025),
            at="2025-09-02 10:00",
            province=f"{lane}.{number}",
            observed=True,
            command_id=f"{lane}.{number}",
        )
    return facts


def outcome(action: Callable[[], Any]) -> str:
    try:
        action()
    except StoreError as error:
        return str(error)
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    return "nothing was raised"


def uses(service: Service, trail: Any, lead: Any, begun: Any) -> dict[str, str]:
    """What comes of whatever a child tries with what it has inherited."""
    ada = EnrollmentId("s-parent", 2025)
    asked: dict[str, Callable[[], Any]] = {
        "command": lambda: recorded(service, "s-child", 1, "child"),
        "bad command": lambda: service.confirm(ada, at="?", channel="nobody's"),
        "many": lambda: service.record_each([]),
        "question": lambda: service.at(ada),
        "facts": lambda: service.facts(ada),
        "everyone": lambda: list(service.everyone()),
        "everyone begun": lambda: next(begun),
        "note": lambda: service.erase_note(service_id),
        "trail": lambda: trail.count(Question()),
        "a trail": lambda: service.audit_trail(),
        "lead": lambda: lead.is_mine(),
    }
    service_id = SOME_EVENT[0]
    found = {name: outcome(action) for name, action in asked.items()}
    begun.close()
    lead.release()
    trail.close()
    service.close()
    return found


SOME_EVENT: list[Any] = []


def inherited(url: str) -> Any:
    """Children use what they have inherited, and end in every way, while the parent goes on."""
    children, found, there = [], [], 0
    with opened(url) as service, service.audit_trail() as trail:
        there += recorded(service, "s-parent", 20, "parent")
        SOME_EVENT.append(service.facts(EnrollmentId("s-parent", 2025))[0].event_id)
        recorded(service, "s-other", 1, "other")
        trail.count(Question())
        lead = lead_of(service._store, "audit-trail")
        assert lead.is_mine()
        begun = everyone(service)
        # One that leaves by every `with` of this function, and one that does not.
        for end in (os._exit, sys.exit, os._exit, sys.exit):
            children.append(fork(lambda: uses(service, trail, lead, begun), end))
            there += recorded(service, f"s-{len(children)}", 20, f"p{len(children)}")
        found = [told(child) for child in children]
        there += recorded(service, "s-after", 20, "after")
        next(begun)
        begun.close()
        versions = [service.at(EnrollmentId(f"s-{number}", 2025)).version for number in range(1, 5)]
        still_leads = lead.is_mine()
        entries = trail.count(Question())
        lead.release()
    return {"children": found, "there": there + 1, "versions": versions,
            "leads": still_leads, "entries": entries}  # fmt: skip


def afresh(url: str) -> Any:
    """Children open the store for themselves, and go on when the parent has closed it."""
    with opened(url) as service, service.audit_trail() as trail:
        there = recorded(service, "s-parent", 20, "parent")
        trail.count(Question())
        begun = everyone(service)
        gates = [os.pipe() for _ in range(3)]

        def child(number: int) -> Any:
            def live() -> Any:
                with opened(url) as mine:
                    acknowledged = recorded(mine, f"s-{number}", 20, f"c{number}.")
                    for _, writes in gates:
                        os.close(writes)
                    os.read(gates[number][0], 1)  # until the parent has closed
                    acknowledged += recorded(mine, f"s-{number}-late", 20, f"l{number}.")
                    with mine.audit_trail() as own:
                        own.count(Question())
                    return acknowledged

            return live

        children = [fork(child(number), sys.exit) for number in range(3)]
        there += recorded(service, "s-parent-2", 20, "parent-2")
        begun.close()
    for reads, writes in gates:
        os.close(writes)
        os.close(reads)
    found = [told(child) for child in children]
    return {"children": found, "there": there + sum(n for n in found if isinstance(n, int))}


def in_the_middle(url: str, forks: str = "20") -> Any:
    """Forks while threads record and ask: nobody hangs, and children may open the store."""
    stop, counts = threading.Event(), [0, 0]
    with opened(url) as service:
        recorded(service, "s-parent", 1, "parent")

        def write(lane: int) -> None:
            while not stop.is_set():
                counts[lane] += recorded(
                    service, f"s-{lane}-{counts[lane]}", 4, f"{lane}.{counts[lane]}"
                )

        def ask() -> None:
            while not stop.is_set():
                service.at(EnrollmentId("s-parent", 2025))
                for _ in service.everyone("2025-10-01 10:00"):
                    pass

        threads = [threading.Thread(target=write, args=(lane,)) for lane in range(2)]
        threads.append(threading.Thread(target=ask))
        for thread in threads:
            thread.start()

        def live(number: int) -> Any:
            said = outcome(lambda: service.facts(EnrollmentId("s-parent", 2025)))
            if url == MEMORY:
                return [said, 0]
            with opened(url) as mine:
                return [said, recorded(mine, f"s-child-{number}", 3, f"child-{number}.")]

        try:
            found = [told(fork(lambda n=number: live(n), sys.exit)) for number in range(int(forks))]
        finally:
            stop.set()
        for thread in threads:
            thread.join()
        there = sum(e.version for e in service.everyone("2025-10-01 10:00"))
        said = [each[0] if isinstance(each, list) else each for each in found]
        acknowledged = 1 + sum(counts) + sum(e[1] for e in found if isinstance(e, list))
    return {"said": said, "acknowledged": acknowledged, "there": there}


MINE: list[Service] = []


def _begin(url: str) -> None:
    MINE.append(opened(url))


def _work(number: int) -> int:
    return recorded(MINE[0], f"s-{number}", 5, f"w{number}.")


def pool_of_processes(url: str) -> Any:
    """A pool of forked processes, each of which opens the store when it begins."""
    with opened(url) as service:
        there = recorded(service, "s-parent", 5, "parent")
        forking = multiprocessing.get_context("fork")
        with forking.Pool(3, initializer=_begin, initargs=(url,)) as pool:
            there += sum(pool.map(_work, range(12)))
        there += recorded(service, "s-parent-2", 5, "parent-2")
    return {"there": there}


def daemon(url: str) -> Any:
    """A process that makes itself a daemon: it forks twice, and whoever began it is gone."""
    service = opened(url)
    there = recorded(service, "s-parent", 20, "parent")
    lead = lead_of(service._store, "audit-trail")
    assert lead.is_mine()
    done = os.pipe()

    def grandchild() -> None:
        os.setsid()
        if os.fork():
            os._exit(0)
        said = outcome(lambda: service.facts(EnrollmentId("s-parent", 2025)))
        with opened(url) as mine:
            count = recorded(mine, "s-daemon", 20, "daemon")
            # Whoever had it has gone.
            led = closing_lead(mine)
        os.write(done[1], json.dumps([said, count, led]).encode())
        os._exit(0)

    def parent() -> None:
        if os.fork() == 0:
            grandchild()
        os._exit(0)

    if os.fork() == 0:
        os.close(done[0])
        with opened(url) as mine:
            mine.facts(EnrollmentId("s-parent", 2025))
        parent()
    lead.release()
    service.close()
    os.close(done[1])
    with os.fdopen(done[0], "rb") as pipe:
        said, count, led = json.loads(pipe.read())
    return {"said": said, "there": there + count, "led": led}


def closing_lead(service: Service) -> bool:
    lead = lead_of(service._store, "audit-trail")
    for _ in range(500):
        if lead.is_mine():
            lead.release()
            return True
        threading.Event().wait(0.01)
    return False


def in_a_transaction(url: str) -> Any:
    """Forks in the middle of a transaction of its own."""
    with opened(url) as service:
        there = recorded(service, "s-parent", 5, "parent")
        with service._store.transaction(everybody=True) as transaction:
            stream = EnrollmentId("s-parent", 2025).stream

            def child() -> Any:
                found = [outcome(lambda: transaction.read(stream))]
                found.append(outcome(lambda: service.facts(EnrollmentId("s-parent", 2025))))
                return found

            said = told(fork(child, sys.exit))
            seen = len(transaction.read(stream))
        there += recorded(service, "s-after", 5, "after")
    return {"said": said, "seen": seen, "there": there}


def telemetry(url: str) -> Any:
    """Telemetry belongs to the process that opened it, and so does a service."""
    kept = open_telemetry()
    with open_service(url, policies=EDITIONS, telemetry=kept) as service:
        recorded(service, "s-parent", 1, "parent")

        def child() -> Any:
            with open_service(url, policies=EDITIONS, telemetry=kept) as mine:
                by_old = outcome(lambda: mine.at(EnrollmentId("s-parent", 2025)))
            with open_service(url, policies=EDITIONS, telemetry=open_telemetry()) as mine:
                mine.at(EnrollmentId("s-parent", 2025))
            return [outcome(lambda: service.at(EnrollmentId("s-parent", 2025))), by_old]

        said = told(fork(child, sys.exit))
    return {"said": said}


if __name__ == "__main__":
    scenario, *arguments = sys.argv[1:]
    with closing(sys.stdout):
        found = globals()[scenario](*arguments)
        print(json.dumps(found))
