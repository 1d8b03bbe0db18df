"""The house: folders are rooms, each with one subject and a word of what it is for."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
LAYERS = ("domain", "projections", "adapters")


def rooms(layer: str) -> Iterator[Path]:
    """A layer, and every folder below it that holds modules; migrations are a library's."""
    for init in sorted((ROOT / layer).rglob("__init__.py")):
        if "migrations" not in init.parts:
            yield init.parent


@pytest.mark.parametrize("layer", LAYERS)
def test_a_room_has_at_most_a_dozen_modules_and_rooms(layer: str) -> None:
    for room in rooms(layer):
        modules = {path for path in room.glob("*.py") if path.name != "__init__.py"}
        inside = {init.parent for init in room.glob("*/__init__.py")} - {room / "migrations"}
        assert len(modules | inside) <= 12, room


@pytest.mark.parametrize("layer", LAYERS)
def test_a_room_says_what_it_is_for(layer: str) -> None:
    for room in rooms(layer):
        told = ast.parse((room / "__init__.py").read_text(encoding="utf-8"))
        assert ast.get_docstring(told), room
