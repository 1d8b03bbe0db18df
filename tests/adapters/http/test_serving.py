"""`yibao serve` as a process: killed under load, asked to show a demo, and who looked at whom."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from datetime import timedelta
from pathlib import Path
from threading import Event

import httpx
import pytest
from click.testing import CliRunner

import yibao
from yibao.adapters.cli import main
from yibao.adapters.http.running import run_demo
from yibao.adapters.office.demo import Made, make_school
from yibao.adapters.office.directory import Look
from yibao.adapters.service import shanghai_now

from ..helpers.stores import lasting
from ..helpers.web import REGISTRATION, serving, tokens_file
from ..helpers.writers import together

POSTS, WRITERS = 40, 6


def free_port() -> int:
    with closing(socket.socket()) as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@contextmanager
def served(url: str, folder: Path) -> Iterator[tuple[httpx.Client, subprocess.Popen[bytes]]]:
    """`yibao serve` in a process of its own."""
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, "-m", "yibao", "serve", "--store", url, "--port", str(port),
         "--tokens", str(tokens_file(folder))],
        stderr=subprocess.DEVNULL, env={**os.environ, "YIBAO_HTTP_CONSOLE": "false"},
    )  # fmt: skip
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=10) as client:
            assert _patiently(client, "/readyz").status_code == 200
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


def _patiently(browser: httpx.Client, url: str) -> httpx.Response:
    """What is answered once somebody listens."""
    for _ in range(200):
        with suppress(httpx.TransportError):
            return browser.get(url)
        time.sleep(0.05)
    raise AssertionError("nobody listens")


@contextmanager
def demo(folder: Path, port: int) -> Iterator[subprocess.Popen[str]]:
    """`yibao serve --demo` in a process of its own, which has a folder to leave things in."""
    process = subprocess.Popen(
        [sys.executable, "-m", "yibao", "serve", "--demo", "--port", str(port)],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        env={**os.environ, "TMPDIR": str(folder)}, text=True,
    )  # fmt: skip
    assert process.stdout is not None
    try:
        yield process
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def link_of(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().split()[-1]


@pytest.mark.parametrize("stopped_by", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_demo_opens_by_a_link_one_time_and_leaves_nothing(
    tmp_path: Path, stopped_by: signal.Signals
) -> None:
    with demo(tmp_path, port := free_port()) as process:
        link = link_of(process)
        with httpx.Client() as browser:
            first = _patiently(browser, link)
            assert (first.status_code, first.headers["location"]) == (303, "/console/today")
            home = browser.get(f"http://127.0.0.1:{port}/console/today?school=demo&on=2025-12-15")
            assert home.status_code == 200
            assert httpx.get(link).status_code == 401
        (held,) = tmp_path.iterdir()
        assert held.stat().st_mode & 0o777 == 0o700
        process.send_signal(stopped_by)
        assert process.wait(20) in (0, 128 + stopped_by)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("stopped_by", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
@pytest.mark.parametrize("times", [1, 2])
def test_a_demo_that_is_stopped_before_its_school_is_there_leaves_nothing(
    tmp_path: Path, stopped_by: signal.Signals, times: int
) -> None:
    with demo(tmp_path, free_port()) as process:
        while not list(tmp_path.glob("*/school/season.db")):
            assert process.poll() is None
            time.sleep(0.01)
        for _ in range(times):
            process.send_signal(stopped_by)
        assert process.wait(20) == 128 + stopped_by
    assert list(tmp_path.iterdir()) == []


class Dropped:
    """What its end raises is lost, as it is in a library's callback."""

    def __init__(self, number: signal.Signals) -> None:
        self.number = number

    def __del__(self) -> None:
        with suppress(BaseException):
            signal.raise_signal(self.number)


@pytest.mark.parametrize("stopped_by", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
@pytest.mark.parametrize("after", [0, 1], ids=["while it is made", "as it is there"])
def test_what_a_signal_would_raise_is_not_lost_with_a_callback(
    tmp_path: Path,
    stopped_by: signal.Signals,
    after: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def making(folder: Path, *, watch: Callable[[int, int], None]) -> Made:
        made = make_school(folder, 30)
        for number in range(2):
            if number == after:
                Dropped(stopped_by)
            if number < 1:
                watch(number, 2)
        return made

    def told(link: str) -> None:
        raise AssertionError("nobody should be told where to look")

    monkeypatch.setattr("yibao.adapters.office.demo.make_school", making)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    before = [signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)]
    with pytest.raises(SystemExit) as stopped:
        run_demo("127.0.0.1", free_port(), told)
    assert stopped.value.code == 128 + stopped_by
    assert list(tmp_path.iterdir()) == []
    after_it = [signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)]
    assert after_it == before


def test_a_demo_that_cannot_listen_leaves_nothing(tmp_path: Path) -> None:
    with closing(socket.socket()) as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with demo(tmp_path, taken.getsockname()[1]) as process:
            assert process.wait(60) != 0
    assert list(tmp_path.iterdir()) == []


def test_who_looked_at_whom_is_asked_on_the_command_line(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'facts.db'}"
    asked = ["audit", "--store", url, "--accesses", "--json"]
    with yibao.open(url, by="test"):
        pass
    assert json.loads(CliRunner().invoke(main, asked).stdout)["entries"] == []
    assert not (tmp_path / "facts.db.accesses").exists()
    with serving(url, tmp_path) as web:
        ref = web.student()
        web.get("officer", f"/enrollments/{ref}/2025")
        web.get("auditor", f"/enrollments/{ref}/2025/facts")
    found = json.loads(CliRunner().invoke(main, [*asked, "--by", "officer"]).stdout)
    assert [(each["what"], each["ref"]) for each in found["entries"]] == [("answer", ref)]
    told = CliRunner().invoke(main, [*asked[:-1], "--lang", "zh"]).stdout
    assert "操作人" in told
    assert ref in told
    assert CliRunner().invoke(main, [*asked, "--voids"]).exit_code == 2


def test_accesses_are_erased_after_a_set_time(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'facts.db'}"
    with serving(url, tmp_path) as web:
        web.get("officer", f"/enrollments/{web.student()}/2025")
        kept = web.app.state.desk.opened().accesses
        old = shanghai_now() - timedelta(days=400)
        kept.note([Look(old, "officer", "answer", "old-reference", None, 2025, None)])
    with serving(url, tmp_path, accesses_days=365) as web:
        entries = web.get("privacy", "/accesses").json()["entries"]
        assert [each["ref"] for each in entries] == ["s-1"]
    assert b"old-reference" not in (tmp_path / "facts.db.accesses").read_bytes()
