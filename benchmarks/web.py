"""The web, one worker: against the same questions and commands in a loop, without a socket."""

import asyncio
import hashlib
import json
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from itertools import count
from pathlib import Path

from fastapi import Request
from many import bare, prepared
from measured import Row, in_turn, timed, told
from pgserver import Server
from subject import POLICY, enrollment, filled_service

from yibao.adapters.http.desk import Desk, Opened
from yibao.adapters.http.rights import Role, Who
from yibao.adapters.service.service import Service, open_service

#: As many connections ask at once, and fewer that record on PostgreSQL.
CONNECTIONS, WRITERS = 16, 8
_numbers = count(1)


@contextmanager
def served(url: str, folder: Path) -> Iterator[int]:
    """`yibao serve` with one worker; its port. A bureau may ask about everybody."""
    given = hashlib.sha256(b"bench").hexdigest()
    told = f"tokens:\n  - {{sha256: {given}, actor: bench, roles: [bureau, officer], "
    tokens = folder / "tokens.yaml"
    tokens.write_text(told + "schools: [sjtu]}\n")
    with closing(socket.socket()) as free:
        free.bind(("127.0.0.1", 0))
        port = int(free.getsockname()[1])
    server = subprocess.Popen(
        [sys.executable, "-m", "yibao", "serve", "--store", url, "--port", str(port),
         "--tokens", str(tokens)],
        stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                break
            except OSError:
                time.sleep(0.05)
        yield port
    finally:
        server.terminate()
        server.wait()


def stepped(port: int, requests: Sequence[bytes]) -> list[float]:
    """How long each of some requests takes, one after the other, in seconds."""
    taken = []
    with closing(socket.create_connection(("127.0.0.1", port))) as connection:
        answers = connection.makefile("rb")
        for request in requests:
            began = time.perf_counter()
            connection.sendall(request)
            head = b"".join(iter(answers.readline, b"\r\n"))
            length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
            answers.read(length)
            taken.append(time.perf_counter() - began)
            assert b" 200 " in head, head
    return taken


def asked(port: int, requests: Sequence[bytes], connections: int) -> int:
    """Sends requests over some connections that stay open, each after the answer before."""

    async def over_one(some: Sequence[bytes]) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for request in some:
            writer.write(request)
            head = await reader.readuntil(b"\r\n\r\n")
            assert head.split(b" ", 2)[1] in (b"200", b"201"), head
            length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
            await reader.readexactly(length)
        writer.close()

    async def all_of_them() -> None:
        await asyncio.gather(*(over_one(requests[n::connections]) for n in range(connections)))

    asyncio.run(all_of_them())
    return len(requests)


def get(number: int) -> bytes:
    ref, year = enrollment(number)
    return (
        f"GET /v1/enrollments/{ref}/{year} HTTP/1.1\r\nHost: bench\r\n"
        "Authorization: Bearer bench\r\n\r\n"
    ).encode()


def step(number: int, day: int) -> bytes:
    """A step of the sliders of the console, as htmx asks for it."""
    ref, year = enrollment(number)
    return (
        f"GET /console/s/{ref}/{year}?day={day}&known={1 + day % 3} HTTP/1.1\r\nHost: bench\r\n"
        "Authorization: Bearer bench\r\nHX-Request: true\r\n\r\n"
    ).encode()


def registration(ref: str) -> dict[str, str]:
    return {
        "ref": ref,
        "policy": POLICY,
        "on": "2025-09-01",
        "at": "2025-09-01 08:30",
        "school": "sjtu",
        "category": "undergraduate",
        "document": "passport",
    }


def post(ref: str) -> bytes:
    body = json.dumps(registration(ref))
    return (
        "POST /v1/enrollments HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer bench\r\n"
        f"Content-Type: application/json\r\nIdempotency-Key: {ref}\r\n"
        f"Content-Length: {len(body)}\r\n\r\n{body}"
    ).encode()


def web(folder: Path, students: int, requests: int) -> Iterator[Row]:
    """Questions and commands over HTTP on SQLite, and commands on PostgreSQL."""
    place = folder / "web.db"
    url = f"sqlite:///{place}"
    filled_service(place, students).close()
    with open_service(url) as service, served(url, folder) as port:
        whom = [number % students for number in range(requests)]
        asked(port, [get(number) for number in whom[:CONNECTIONS]], CONNECTIONS)
        ours, theirs, ratio = in_turn(
            lambda: asked(port, [get(number) for number in whom], CONNECTIONS),
            lambda: sum(1 for number in whom if service.at(enrollment(number))),
            rounds=3,
        )
        yield Row("SQLite, GET an answer, 16 connections", told(ours), "service.at in a loop",
                  told(theirs), ratio, "0.3")  # fmt: skip
        yield recorded("SQLite, POST, 16 connections", port, service, requests, CONNECTIONS, "0.3")
        yield slid(port, service, students, requests)
    with Server({}) as server:
        url = server.database(prepared(server))
        with open_service(url) as service, served(url, folder) as port:
            what = f"PostgreSQL, POST, {WRITERS} connections"
            yield recorded(what, port, service, requests, WRITERS, "3")
        yield gathered(server, requests)


def slid(port: int, service: Service, students: int, requests: int) -> Row:
    """Steps of a slider against what a page may take: eight answers, and ten milliseconds."""
    whom = [number % students for number in range(requests)]
    steps = [step(number, day % 150) for day, number in enumerate(whom)]
    stepped(port, steps[:20])
    taken = sorted(stepped(port, steps))
    p95 = taken[len(taken) * 95 // 100]
    with timed() as answers:
        for number in whom:
            service.at(enrollment(number))
    may_take = 8 * answers[0] / requests + 0.01
    return Row(
        "SQLite, a step of a slider, p95", f"{p95 * 1000:.1f} ms",
        "8 times service.at, and 10 ms", f"{may_take * 1000:.1f} ms", may_take / p95, "1",
    )  # fmt: skip


def gathered(server: Server, requests: int) -> Row:
    """Commands of eight who wait for each, in one process, against bare INSERTs of eight."""
    url, beside = (server.database(prepared(server)) for _ in range(2))
    who = Who("bench", frozenset({Role.OFFICER}), frozenset({"sjtu"}))

    async def nobody(_: Request) -> Who | None:
        return None

    with open_service(url) as service:
        desk = Desk(lambda: Opened(service), nobody)

        async def one_after_the_other(refs: Sequence[str]) -> None:
            for ref in refs:
                await desk.tell(who, None, "register", registration(ref), key=ref)

        async def eight(refs: Sequence[str]) -> None:
            turns = (one_after_the_other(refs[n::WRITERS]) for n in range(WRITERS))
            await asyncio.gather(*turns)

        def by_the_desk() -> int:
            desk._limiters.clear()  # a limiter belongs to a loop
            asyncio.run(eight([f"g-{next(_numbers)}" for _ in range(requests)]))
            return requests

        def by_inserts() -> int:
            each = requests // WRITERS
            begins = next(_numbers) * 1_000_000
            lanes = [range(begins + n * each, begins + (n + 1) * each) for n in range(WRITERS)]
            with ThreadPoolExecutor(WRITERS) as threads:
                list(threads.map(insert, lanes))
            return each * WRITERS

        def insert(lane: range) -> None:
            write = bare(beside, 0, lane)
            for number in lane:
                write(number)

        ours, theirs, ratio = in_turn(by_the_desk, by_inserts, rounds=3)
    what = f"PostgreSQL, {WRITERS} who record, group commit"
    return Row(what, told(ours), f"{WRITERS} writers: bare INSERTs", told(theirs), ratio, "0.7")


def recorded(
    what: str, port: int, service: Service, requests: int, connections: int, aim: str
) -> Row:
    """Registrations over HTTP against the method in one thread."""

    def over_http() -> int:
        refs = [f"h-{next(_numbers)}" for _ in range(requests)]
        return asked(port, [post(ref) for ref in refs], connections)

    def by_method() -> int:
        for _ in range(requests):
            service.register(**registration(f"m-{next(_numbers)}"))
        return requests

    ours, theirs, ratio = in_turn(over_http, by_method, rounds=3)
    return Row(what, told(ours), "the method, one thread", told(theirs), ratio, aim)
