"""The web, one worker: against the same questions and commands in a loop, without a socket."""

import asyncio
import hashlib
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from itertools import count
from pathlib import Path

from many import prepared
from measured import Row, in_turn, told
from pgserver import Server
from subject import POLICY, enrollment, filled_service

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
        stderr=subprocess.DEVNULL, env={**os.environ, "YIBAO_HTTP_CONSOLE": "false"},
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
    with Server({}) as server:
        url = server.database(prepared(server))
        with open_service(url) as service, served(url, folder) as port:
            what = f"PostgreSQL, POST, {WRITERS} connections"
            yield recorded(what, port, service, requests, WRITERS, "3")


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
