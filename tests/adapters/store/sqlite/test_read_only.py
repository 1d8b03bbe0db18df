"""A copy that nobody may write, in a folder where nobody may: an auditor asks it everything."""

import ctypes
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import yibao
from yibao.adapters.service.service import Service, open_service
from yibao.domain.calendar import read_instant

from ...helpers.writers import Step, filing, registration, told

NOW = read_instant("2025-12-20 12:00")
WHOM = ("--ref", "ada", "--year", "2025")
QUESTIONS = (
    ("explain", *WHOM),
    ("compare", *WHOM, "--known-at", "0"),
    ("review", *WHOM),
    ("history", *WHOM),
    ("timeline", *WHOM),
    ("dossier", *WHOM),
    ("audit", "--ref", "ada", "--brief"),
    ("quote", *WHOM, "--setting", "campus_clinic", "--cost", "9.00", "--on", "2025-12-09"),
    ("projections", "status"),
    ("db", "check"),
)


def live(service: Service, *ids: str) -> None:
    asked = [registration("ada", "r"), *map(filing, ids)]
    assert not told(service, Step("ada", asked)).failed


def bound() -> None:
    """Has permissions apply to what this process executes, also where it is root."""
    if os.geteuid() == 0:
        ctypes.CDLL(None).prctl(PR_CAPBSET_DROP, CAP_DAC_OVERRIDE, 0, 0, 0)


#: As Linux has them.
PR_CAPBSET_DROP, CAP_DAC_OVERRIDE = 24, 1


def as_reader(*command: str, code: str = "") -> "subprocess.CompletedProcess[str]":
    """Runs a program, by default `yibao`, as somebody to whom permissions apply."""
    told = [sys.executable, *(("-c", code) if code else ("-m", "yibao")), *command]
    return subprocess.run(told, capture_output=True, text=True, timeout=120, preexec_fn=bound)


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """A folder that is given to an auditor."""
    folder = tmp_path / "given"
    folder.mkdir()
    yield folder
    folder.chmod(0o755)


def given(folder: Path) -> Path:
    """Nobody may write anything in it any more."""
    for each in folder.iterdir():
        each.chmod(0o444)
    folder.chmod(0o555)
    return folder / "facts.db"


def everything(folder: Path) -> dict[str, tuple[bytes, int]]:
    return {each.name: (each.read_bytes(), each.stat().st_mtime_ns) for each in folder.iterdir()}


def at_rest(folder: Path) -> Path:
    with open_service(f"sqlite:///{folder / 'facts.db'}") as service:
        live(service, "one", "two")
    return given(folder)


def with_its_log(folder: Path) -> Path:
    """Copied under a service that has its last facts in the log yet, without the log's index."""
    elsewhere = folder.parent / "facts.db"
    with open_service(f"sqlite:///{elsewhere}") as service:
        live(service, "one", "two")
        for ending in ("", "-wal"):
            shutil.copy(f"{elsewhere}{ending}", folder / f"facts.db{ending}")
    return given(folder)


def at_work(folder: Path) -> Path:
    """As a process that was killed leaves it: the log, and the log's index."""
    path = folder / "facts.db"
    script = (
        "import os, sys, yibao\n"
        "from tests.adapters.store.sqlite.test_read_only import live\n"
        "live(yibao.open(sys.argv[1]), 'one', 'two')\n"
        "os._exit(0)\n"
    )
    here = Path(__file__).parents[4]
    env = {"PYTHONPATH": os.pathsep.join([str(here), str(here / "src"), str(here / "tests")])}
    subprocess.run([sys.executable, "-c", script, f"sqlite:///{path}"], check=True, env=env)
    return given(folder)


def with_its_trail(folder: Path) -> Path:
    with open_service(f"sqlite:///{folder / 'facts.db'}") as service:
        live(service, "one")
        with service.audit_trail() as trail:
            assert trail.count(yibao.Question(ref="ada")) == 2
        live(service, "two")
    return given(folder)


@pytest.mark.parametrize("made", [at_rest, with_its_log, at_work, with_its_trail])
def test_a_copy_that_nobody_may_write_can_be_asked_everything(made: Any, folder: Path) -> None:
    store = f"sqlite:///{made(folder)}"
    before = everything(folder)
    few = [question for question in QUESTIONS if question[0] in ("explain", "audit", "db")]
    for question in QUESTIONS if made is at_rest else few:
        done = as_reader(*question, "--store", store)
        assert (done.returncode, done.stderr) == (0, ""), (question, done.stderr)
        if question[0] == "audit":
            assert len(done.stdout.splitlines()) == 3
        if question == ("db", "check"):
            assert "4 facts" in done.stdout
    assert everything(folder) == before


def test_the_library_asks_such_a_copy_and_is_refused_to_record(
    folder: Path, tmp_path: Path
) -> None:
    (tmp_path / "temporary").mkdir()
    store = f"sqlite:///{at_rest(folder)}"
    before = everything(folder)
    done = as_reader(
        store,
        str(tmp_path / "temporary"),
        code=(
            "import os, sys, tempfile, yibao\n"
            "tempfile.tempdir = sys.argv[2]\n"
            "ada = yibao.EnrollmentId('ada', 2025)\n"
            "with yibao.open(sys.argv[1]) as service:\n"
            "    print(service.at(ada).version, len(list(service.everyone())))\n"
            "    with service.audit_trail() as trail:\n"
            "        print(trail.count(yibao.Question(ref='ada')))\n"
            "    fact = service.facts(ada)[1].event_id\n"
            "    for act in (\n"
            "        lambda: service.withdraw(ada, at='2025-09-11 08:00', on='2025-09-12'),\n"
            "        lambda: service.confirm(ada, at='2025-09-11 08:00', channel='pigeon'),\n"
            "        lambda: service.erase_note(fact),\n"
            "    ):\n"
            "        try:\n"
            "            act()\n"
            "        except yibao.YibaoError as error:\n"
            "            print(type(error).__name__, error)\n"
            "print(os.listdir(tempfile.tempdir))\n"
        ),
    )
    refused = f"StoreError the store '{folder / 'facts.db'}' can only be read"
    assert done.stdout.splitlines() == ["3 1", "3", refused, refused, refused, "[]"], done.stderr
    assert everything(folder) == before


def test_an_older_copy_that_nobody_may_write_is_asked_as_it_would_be_now(folder: Path) -> None:
    golden = Path(__file__).parents[3] / "golden" / "v0.1.0.db"
    shutil.copy(golden, folder / "facts.db")
    store = f"sqlite:///{given(folder)}"
    for question in (QUESTIONS[0], QUESTIONS[6]):
        done = as_reader(*question, "--store", store)
        assert (done.returncode, done.stderr) == (0, ""), question
    assert "0002" in as_reader("db", "check", "--store", store).stdout
    assert (folder / "facts.db").read_bytes() == golden.read_bytes()


def test_nobody_follows_where_the_trail_cannot_be_kept(folder: Path) -> None:
    store = f"sqlite:///{at_rest(folder)}"
    done = as_reader("projections", "follow", "--once", "--store", store)
    assert done.returncode == 2
    assert "the trail cannot be written to" in done.stderr


def asking_twice(path: Path) -> "subprocess.Popen[str]":
    """A reader that asks, and once it is told to, asks again."""
    return subprocess.Popen(
        [
            sys.executable,
            "-c",
            "import sys, yibao\n"
            "ada = yibao.EnrollmentId('ada', 2025)\n"
            "with yibao.open(sys.argv[1]) as service:\n"
            "    print(service.at(ada).version, flush=True)\n"
            "    input()\n"
            "    print(service.at(ada).version)\n",
            f"sqlite:///{path}",
        ],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=bound,
    )


def test_a_copy_that_is_written_to_after_all_is_not_told_from_half_of_it(folder: Path) -> None:
    path = at_rest(folder)
    done = asking_twice(path)
    assert done.stdout is not None
    assert done.stdout.readline() == "3\n"
    folder.chmod(0o755)
    path.chmod(0o644)
    with open_service(f"sqlite:///{path}") as service:
        live(service, "three")
    _, said = done.communicate("\n", timeout=60)
    assert "was written to by somebody else meanwhile" in said


def test_what_is_at_work_is_followed_whatever_its_folder_is_named(tmp_path: Path) -> None:
    folder = tmp_path / "immutable=1"
    folder.mkdir()
    with open_service(f"sqlite:///{folder / 'facts.db'}") as service:
        live(service, "one", "two")
        done = asking_twice(given(folder))
        assert done.stdout is not None
        assert done.stdout.readline() == "3\n"
        live(service, "three")
        told, said = done.communicate("\n", timeout=60)
    folder.chmod(0o755)
    assert (told, said) == ("4\n", "")


def test_a_store_behind_a_link_is_asked_with_all_that_is_in_its_log_yet(tmp_path: Path) -> None:
    link, path = tmp_path / "link.db", tmp_path / "elsewhere" / "facts.db"
    path.parent.mkdir()
    with open_service(f"sqlite:///{path}") as service:
        live(service, "one", "two")
        link.symlink_to(path)
        done = as_reader("explain", *WHOM, "--store", f"sqlite:///{link}")
        assert (done.returncode, done.stderr) == (0, "")
        assert "4 facts" in as_reader("db", "check", "--store", f"sqlite:///{link}").stdout
