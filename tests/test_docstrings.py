"""Every public thing says what it is; what may be called, what it returns and what it raises."""

import inspect
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import yibao
from yibao import commands, testing
from yibao.domain.facts.commands import ASKED, COMMANDS
from yibao.domain.lifecycle import REFUSALS
from yibao.domain.lifecycle.decision import _REFUSE_REPORTS
from yibao.domain.refusals import REASONS

ROOT = Path(__file__).parents[1]
METHODS = {
    name: member
    for name, member in inspect.getmembers(yibao.Service, inspect.isfunction)
    if not name.startswith("_")
}
#: What may be called, by where it is found.
CALLED: dict[str, Callable[..., Any]] = {
    **{f"Service.{name}": method for name, method in METHODS.items()},
    **{
        name: found
        for module in (yibao, testing)
        for name in module.__all__
        if inspect.isfunction(found := getattr(module, name))
    },
}
#: Everything that has a name.
NAMED = {name: getattr(yibao, name) for name in yibao.__all__}
NAMED |= {name: getattr(commands, name) for name in commands.__all__}
#: Nothing is asked of these that could go wrong.
CANNOT_FAIL = {"Service.close", "open_telemetry"}


def told(found: Any) -> str:
    return " ".join((inspect.getdoc(found) or "").split())


def codes_of(name: str) -> set[str]:
    """The codes with which the table of the lifecycle refuses a command."""
    codes: set[str] = set(REFUSALS.get(name, ()))
    return codes & _REFUSE_REPORTS if COMMANDS[name].always_report else codes


@pytest.mark.parametrize("name", NAMED)
def test_every_name_says_in_a_sentence_what_it_is(name: str) -> None:
    own = vars(type(NAMED[name])).get("__doc__") if not callable(NAMED[name]) else None
    first = (NAMED[name].__doc__ or own or "").strip().splitlines()[0]
    assert first.endswith((".", ":", ";", ",")) or len(first) > 60, first
    assert not first.startswith(f"{name}("), "this is what a dataclass or NamedTuple says of itself"


@pytest.mark.parametrize("name", CALLED)
def test_whatever_may_be_called_names_what_it_raises(name: str) -> None:
    assert name in CANNOT_FAIL or re.search(r"Raises|Refused with|raises", told(CALLED[name]))


@pytest.mark.parametrize("name", COMMANDS)
def test_a_method_of_a_command_names_every_code_that_the_table_refuses_it_with(name: str) -> None:
    named = set(re.findall(r"`(\w+)`", told(METHODS[name]))) & REASONS.keys()
    assert codes_of(name) == named


def test_what_a_command_id_belongs_to_is_said_where_one_looks_for_it() -> None:
    pages = [(ROOT / name).read_text(encoding="utf-8") for name in ("README.md", "docs/codes.md")]
    methods = [told(METHODS["record"]), told(METHODS["tell"]), told(yibao.Command)]
    for text in (*pages, *methods):
        assert "command id belongs to one stream" in " ".join(text.split())
    chinese = (ROOT / "README.zh-CN.md").read_text(encoding="utf-8")
    assert "一个命令编号只属于一个事件流" in chinese


@pytest.mark.parametrize("name", ASKED)
def test_a_method_of_a_command_tells_that_it_returns_a_receipt(name: str) -> None:
    assert "Returns its Receipt. Refused " in told(METHODS[name])
    assert "as every command is" in told(METHODS[name])


def test_the_service_tells_what_every_command_takes_and_is_refused_with() -> None:
    said = told(yibao.Service)
    taken = {key for name in ASKED for key in how(METHODS[name])}
    assert {key for key in taken if f"`{key}`" not in said} == set()
    for code in ("bad_value", "command_id_reused", "version_conflict", "not_allowed"):
        assert f"`{code}`" in said


def how(method: Callable[..., Any]) -> set[str]:
    """What a method of a command may be told besides its values."""
    (kind,) = inspect.signature(method).parameters["how"].annotation.__args__
    return set(kind.__annotations__)


def test_a_code_that_a_docstring_names_is_one() -> None:
    named = {
        code
        for method in METHODS.values()
        for listed in re.findall(r"Refused with ((?:`\w+`(?:, )?)+)", told(method))
        for code in re.findall(r"`(\w+)`", listed)
    }
    assert named - REASONS.keys() == set()
    assert named >= set().union(*map(codes_of, COMMANDS))
