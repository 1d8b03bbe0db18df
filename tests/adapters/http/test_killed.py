"""A server that is killed under load has kept what it acknowledged, each fact once."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from threading import Event

import httpx

import yibao

from ..helpers.stores import lasting
from ..helpers.web import REGISTRATION, tokens_file
from ..helpers.writers import together

POSTS, WRITERS = 40, 6


@contextmanager
def served(url: str, folder: Path) -> Iterator[tuple[httpx.Client, subprocess.Popen[bytes]]]:
    """`yibao serve` in a process of its own."""
    with closing(socket.socket()) as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    process = subprocess.Popen(
        [sys.executable, "-m", "yibao", "serve", "--store", url, "--port", str(port),
         "--tokens", str(tokens_file(folder))],
        stderr=subprocess.DEVNULL, env={**os.environ, "YIBAO_HTTP_CONSOLE": "false"},
    )  # fmt: skip
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=10) as client:
            for _ in range(600):
                assert process.poll() is None
                try:
                    assert client.get("/readyz").status_code == 200
                    break
                except httpx.TransportError:
                    time.sleep(0.05)
            yield client, process
    finally:
        process.kill()
        process.wait()


@lasting
def test_what_was_acknowledged_is_there_once_after_a_kill(url: str, tmp_path: Path) -> None:
    with yibao.open(url, by="test") as service:
        for writer in range(WRITERS):
            service.register(f"s-{writer}", **REGISTRATION)  # type: ignore[arg-type]
    acknowledged: dict[str, str] = {}
    enough = Event()

    def post(client: httpx.Client, writer: int, number: int) -> str | None:
        key = f"{writer}-{number}"
        found = client.post(
            f"/v1/enrollments/s-{writer}/2025/declare-other-cover",
            json={"kind": "employee"},
            headers={"Authorization": "Bearer officer", "Idempotency-Key": key},
        )
        assert found.status_code in (200, 201), found.text
        return str(found.json()["event_id"])

    with served(url, tmp_path) as (client, process):

        def write(writer: int) -> None:
            for number in range(POSTS):
                try:
                    acknowledged[f"{writer}-{number}"] = str(post(client, writer, number))
                except httpx.TransportError:
                    return
                if len(acknowledged) > POSTS:
                    enough.set()

        def kill() -> None:
            enough.wait(30)
            process.send_signal(signal.SIGKILL)

        together([kill, *(lambda w=w: write(w) for w in range(WRITERS))])  # type: ignore[misc]
    assert POSTS < len(acknowledged) < POSTS * WRITERS
    with served(url, tmp_path) as (client, _):
        for writer in range(WRITERS):
            for number in range(POSTS):
                key = f"{writer}-{number}"
                event = post(client, writer, number)
                assert acknowledged.get(key, event) == event
    with yibao.open(url, by="test") as service:
        for writer in range(WRITERS):
            facts = service.facts(yibao.EnrollmentId(f"s-{writer}", 2025))
            assert len(facts) == 1 + POSTS
            assert len({fact.command_id for fact in facts}) == 1 + POSTS


def test_a_server_without_anybody_listens_to_this_machine_alone(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "yibao", "serve", "--store", str(tmp_path / "f.db"),
         "--host", "0.0.0.0"],
        env={**os.environ, "YIBAO_LANG": "en"}, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert done.returncode == 2
    assert "listens on this machine alone" in done.stderr
