"""A process owns what it opened: after a fork the child is told so, and nothing is lost.

On 0.4.0 a child that recorded by what it had inherited lost all of 20 acknowledged facts on
SQLite, was told another student's facts on PostgreSQL, and hung where a thread was writing.
"""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from yibao.adapters.editions.files import Editions
from yibao.adapters.service.service import open_service
from yibao.adapters.upkeep.checking import check

from ..helpers.stores import lasting, with_trail
from ..helpers.writers import Step, registration, told

FORKS = os.environ.get("YIBAO_TORTURE", "10")
ELSEWHERE = "was opened in another process, before a fork: open it anew in this one"
SOURCES = str(Path(__file__).parents[3] / "src")


def forked(scenario: str, url: str, *arguments: str, warned: str = "ignore") -> dict[str, Any]:
    """What comes of a scenario in a process of its own, which says nothing else."""
    script = Path(__file__).parents[1] / "helpers" / "forker.py"
    done = subprocess.run(
        [sys.executable, "-W", warned, str(script), scenario, url, *arguments],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": SOURCES},
        timeout=600,
    )
    assert (done.returncode, done.stderr) == (0, "")
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def there_are(url: str, facts: int) -> None:
    """So many facts of students are there, and the store is whole."""
    with open_service(url) as service:
        assert sum(answer.version for answer in service.everyone()) == facts
    assert check(url, Editions()).findings == ()


@lasting
def test_a_child_is_told_at_once_and_takes_nothing_from_the_parent(url: str) -> None:
    found = forked("inherited", with_trail(url))
    for child in found["children"]:
        assert set(child) >= {"command", "question", "everyone begun", "trail", "lead"}, child
        assert [name for name, said in child.items() if not said.endswith(ELSEWHERE)] == []
    assert found["versions"] == [20] * 4
    assert found["leads"]
    assert found["entries"] == found["there"] + 1  # and the adoption of the edition
    there_are(url, found["there"])


@lasting
def test_a_child_that_opens_the_store_itself_records_and_loses_nothing(url: str) -> None:
    found = forked("afresh", with_trail(url))
    assert found["children"] == [40] * 3
    there_are(url, found["there"])


def test_nobody_hangs_who_is_forked_while_threads_record_and_ask(url: str) -> None:
    found = forked("in_the_middle", url, FORKS)
    assert {said.endswith(ELSEWHERE) for said in found["said"]} == {True}, found["said"]
    assert found["there"] == found["acknowledged"]
    print(f"{FORKS} forks in the middle of {found['there']} facts")


@lasting
def test_each_process_of_a_pool_opens_the_store_when_it_begins(url: str) -> None:
    there_are(url, forked("pool_of_processes", url)["there"])


@lasting
def test_a_daemon_opens_the_store_after_it_was_forked_twice(url: str) -> None:
    found = forked("daemon", url)
    assert found["said"] == f"the store {ELSEWHERE}"
    assert found["led"]
    there_are(url, found["there"])


@lasting
def test_a_transaction_belongs_to_the_process_that_began_it(url: str) -> None:
    found = forked("in_a_transaction", url)
    of_transaction, of_store = found["said"]
    assert of_transaction == f"NotLent: {ELSEWHERE}"
    assert of_store == f"the store {ELSEWHERE}"
    assert found["seen"] == 5
    there_are(url, found["there"])


@lasting
def test_telemetry_belongs_to_the_process_that_opened_it(url: str) -> None:
    of_store, of_telemetry = forked("telemetry", url)["said"]
    assert of_store == f"the store {ELSEWHERE}"
    assert of_telemetry == f"the telemetry {ELSEWHERE}"


@lasting
def test_what_the_documentation_has_a_pool_of_processes_do_works(url: str, tmp_path: Path) -> None:
    page = (Path(__file__).parents[3] / "docs" / "operating.md").read_text(encoding="utf-8")
    (code,) = re.findall(r"^```python\n(import multiprocessing.*?)^```", page, re.M | re.S)
    with open_service(url) as service:
        told(service, Step("s-1", [registration("s-1", "begin")]))
    script = tmp_path / "as_documented.py"
    script.write_text(
        f"{code}\n\nif __name__ == '__main__':\n"
        f"    with yibao.open({url!r}):\n        print(counted({url!r}, ['s-1', 's-2']))\n"
    )
    done = subprocess.run(
        [sys.executable, "-W", "ignore", str(script)],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": SOURCES},
        timeout=60,
    )
    assert (done.stdout, done.stderr) == ("[1, 0]\n", "")


def test_a_store_in_memory_is_not_there_after_a_fork() -> None:
    said = forked("in_the_middle", "memory:", "1")["said"]
    assert said == [f"the store {ELSEWHERE}"]


@pytest.mark.parametrize("warned", ["error"])
@lasting
def test_a_child_ends_without_a_warning(url: str, warned: str) -> None:
    if sys.version_info >= (3, 12):
        pytest.skip("Python itself warns of forks")
    forked("in_a_transaction", url, warned=warned)
