"""The public names: one list, which type checkers and the running program read alike."""

import ast
import inspect
import pydoc
import subprocess
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any, get_args, get_type_hints

import pytest
from golden.codes import kinds

import yibao
from yibao import commands
from yibao.adapters.service.service import Service, open_service
from yibao.domain import vocabulary
from yibao.domain.facts.commands import ASKED

ROOT = Path(__file__).parents[1]
STUB = ast.parse((ROOT / "src" / "yibao" / "__init__.pyi").read_text(encoding="utf-8"))
#: The names that embedders were promised.
PROMISED = {
    "PENDING",
    "Answer",
    "Code",
    "DayRange",
    "EnrollmentId",
    "NextStep",
    "Receipt",
    "Seen",
    "Service",
    "StoreSettings",
    "WaitingPeriod",
    "YibaoError",
    "as_json",
    "commands",
    "models",
    "open",
    "read_cutoff",
    "read_instant",
    "testing",
}


def test_the_names_are_those_the_type_checkers_read() -> None:
    told = {
        name.asname
        for each in STUB.body
        if isinstance(each, ast.ImportFrom)
        for name in each.names
        if name.asname
    }
    assert set(yibao.__all__) == told
    assert told >= PROMISED


def test_every_name_is_what_it_is_in_the_room_that_shows_it() -> None:
    for each in STUB.body:
        if isinstance(each, ast.ImportFrom) and each.module and each.module != "typing":
            for name in each.names:
                assert getattr(yibao, name.name) is getattr(import_module(each.module), name.name)


def test_a_name_there_is_not_is_no_attribute() -> None:
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        yibao.nothing  # type: ignore[attr-defined]  # noqa: B018


def test_every_error_enumeration_and_command_has_a_public_name() -> None:
    for kind in kinds():
        assert getattr(yibao, kind.__name__) is kind
    for name, found in inspect.getmembers(vocabulary, inspect.isclass):
        if issubclass(found, vocabulary.Word) and len(found):
            assert getattr(yibao, name) is found
    assert [getattr(commands, kind.__name__) for kind in ASKED.values()] == list(ASKED.values())
    assert len(commands.__all__) == len(ASKED)


def named_in(hint: Any) -> Iterator[type]:
    """The classes of ours that a type is made of."""
    if inspect.isclass(hint) and hint.__module__.startswith("yibao."):
        yield hint
    for each in get_args(hint):
        yield from named_in(each)


def test_whatever_the_service_takes_and_returns_has_a_public_name() -> None:
    asked = [open_service]
    asked += [
        member
        for name, member in inspect.getmembers(Service, inspect.isfunction)
        if not name.startswith("_")
    ]
    here = {name: getattr(yibao, name) for name in yibao.__all__}
    private = {
        f"{function.__name__}: {kind.__name__}"
        for function in asked
        for name, hint in get_type_hints(function, localns=here).items()
        if name != "how"
        for kind in named_in(hint)
        if getattr(yibao, kind.__name__, getattr(commands, kind.__name__, None)) is not kind
    }
    assert private == set()


def test_all_of_them_are_seen_by_dir_and_help() -> None:
    assert {name for name in dir(yibao) if not name.startswith("_")} == set(yibao.__all__)
    shown = pydoc.plain(pydoc.render_doc(yibao))
    assert [name for name in yibao.__all__ if name not in shown] == []


def test_every_name_says_what_it_is() -> None:
    silent = [name for name in yibao.__all__ if not (getattr(yibao, name).__doc__ or "").strip()]
    assert silent == []


def test_nothing_is_loaded_before_it_is_asked_for() -> None:
    asked = """
import sys, yibao
def loaded():
    return {name for name in sys.modules if name.startswith("yibao.")}
assert "open" in dir(yibao) and "open" in yibao.__all__ and not loaded()
yibao.Refused
assert loaded() == {"yibao.domain", "yibao.domain.refusals"}
yibao.EnrollmentId
assert not any("adapters" in name for name in loaded())
"""
    run(sys.executable, "-c", asked)


def test_whoever_asks_while_another_thread_is_the_first_finds_every_name() -> None:
    asked = """
import sys, threading, yibao
lacking = []
def ask():
    try:
        yibao.__getattr__("PENDING")
    except AttributeError as error:
        lacking.append(error)
def meanwhile(frame, event, arg):
    if frame.f_code.co_name != "_declared":
        return None
    if yibao._found:
        other = threading.Thread(target=ask)
        other.start()
        other.join()
    return meanwhile
sys.settrace(meanwhile)
yibao.Seen
sys.settrace(None)
assert not lacking, lacking
"""
    run(sys.executable, "-c", asked)


def test_everything_comes_with_a_star() -> None:
    run(
        sys.executable,
        "-c",
        "from yibao import *; open('memory:').close(); commands.Confirm, PENDING",
    )


def test_mypy_knows_what_is_public(tmp_path: Path) -> None:
    mypy = (sys.executable, "-m", "mypy", "--strict", "--cache-dir", str(ROOT / ".mypy_cache"))
    told = run(*mypy, "--config-file", "", str(ROOT / "tests" / "typed"))
    assert told.startswith("Success")


def test_pyright_knows_what_is_public() -> None:
    told = run(sys.executable, "-m", "pyright", "-p", str(ROOT), str(ROOT / "tests" / "typed"))
    assert "0 errors, 0 warnings" in told


def run(*command: str) -> str:
    """What a command says that goes well, run where yibao is found and nothing else."""
    done = subprocess.run(
        command,
        env={"PYTHONPATH": str(ROOT / "src"), "PATH": str(Path(sys.executable).parent)},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
