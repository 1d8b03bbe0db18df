"""Every code is declared once, with its meaning, and docs/codes.md explains each."""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import pytest
from golden.codes import PAGE, kinds, page

from yibao.domain.lifecycle.guards import GUARDS
from yibao.domain.lifecycle.table import COMMANDED
from yibao.domain.refusals import FAILURES, MEANINGS, Code, Failure, Refused, YibaoError

ROOT = Path(__file__).parents[1]
LAYERS = ("domain", "projections", "adapters")
REFUSALS = {kind.__name__ for kind in kinds() if issubclass(kind, Refused)}


def raised() -> Iterator[str]:
    """Every code that is raised by name, wherever that is."""
    for call in _calls(*REFUSALS):
        if call.args:
            yield from _texts(call.args[0]) if _name(call) != "BadValue" else ["bad_value"]


def for_which_care_is_refused() -> Iterator[str]:
    """The codes for which care is refused, as the rule of cover has them."""
    source = ast.parse((ROOT / "domain" / "care" / "assessing.py").read_text(encoding="utf-8"))
    for node in ast.walk(source):
        if isinstance(node, ast.FunctionDef) and node.name == "_why_not":
            for found in ast.walk(node):
                if isinstance(found, ast.Return) and found.value:
                    yield from _texts(found.value)
        if isinstance(node, ast.Call) and _name(node) == "Derived" and len(node.args) == 5:
            is_cover = isinstance(node.args[0], ast.Name) and node.args[0].id == "name"
            if is_cover and isinstance(node.args[1], ast.Constant) and node.args[1].value is None:
                yield from _texts(node.args[4])


def _calls(*names: str) -> Iterator[ast.Call]:
    for layer in LAYERS:
        for path in (ROOT / layer).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Call) and _name(node) in names:
                    yield node


def _name(call: ast.Call) -> str | None:
    return call.func.id if isinstance(call.func, ast.Name) else None


def _texts(node: ast.expr) -> Iterator[str]:
    """The texts that an expression may come to."""
    if isinstance(node, ast.IfExp):
        yield from (*_texts(node.body), *_texts(node.orelse))
    elif isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value


def test_every_code_of_a_refusal_is_one_of_a_literal_type_and_each_of_these_is_used() -> None:
    declared = {code for row in COMMANDED for code in row.unless}
    cares = set(for_which_care_is_refused())
    assert {"remote_care_not_filed", "outside_benefit_year", "before_window"} < cares
    assert {*raised(), *GUARDS, *declared, *cares} == set(get_args(Code))


def test_every_error_has_a_code_of_its_own_and_every_code_an_error() -> None:
    assert {kind.failure for kind in kinds()} == set(get_args(Failure)) == set(FAILURES)
    assert MEANINGS.keys() == {*get_args(Code), *get_args(Failure)}


@pytest.mark.parametrize("code", get_args(Code))
def test_a_refusal_tells_whether_to_try_again_and_its_status(code: Code) -> None:
    refused = Refused(code)
    assert (refused.code, refused.retry, refused.status) == (code, *MEANINGS[code][1:])
    assert refused.status in {403, 409, 412, 422}


@pytest.mark.parametrize("kind", kinds(), ids=lambda kind: kind.__name__)
def test_every_other_error_does_so_too(kind: type[YibaoError]) -> None:
    if not issubclass(kind, Refused):
        error = kind.__new__(kind)
        assert (error.code, error.retry) == (kind.failure, MEANINGS[kind.failure].retry)
        assert error.status == MEANINGS[kind.failure].status
        assert (error.status == 503) == (error.retry == "later")


def test_the_page_of_codes_is_as_it_is_written_from_the_codes() -> None:
    assert PAGE.read_text(encoding="utf-8") == page()
