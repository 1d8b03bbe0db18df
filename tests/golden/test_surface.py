"""What others name from outside: operations, commands and options, settings, columns, codes.

A line each, without what may still be added beside it. What a release had, every later one has;
`python tests/golden/write.py schemas` holds what was added.
"""

from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any, get_args

import click
import pytest
from golden.held import held, releases
from golden.test_help import commands
from pydantic_settings import BaseSettings

import yibao
from yibao.adapters.cli import main
from yibao.adapters.http.app import app
from yibao.adapters.http.settings import HttpSettings
from yibao.adapters.office.directory.settings import DirectorySettings
from yibao.adapters.shapes import FACTS, SPANS, VALUES, WINDOWS

KIND = "surface.txt"
#: What may be imported beside the names of `yibao` itself.
MODULES = ("commands", "http", "models", "office", "testing")
SETTINGS: tuple[type[BaseSettings], ...] = (DirectorySettings, HttpSettings, yibao.StoreSettings)
EXPORTED = {"values": VALUES, "spans": SPANS, "facts": FACTS, "windows": WINDOWS}


def surface() -> str:
    """All of it, a line each, in one order."""
    found = (_names(), _operations(), _command_line(), _settings(), _columns(), _codes())
    return "".join(f"{line}\n" for some in found for line in sorted(set(some)))


def _names() -> Iterator[str]:
    for module in MODULES:
        for name in import_module(f"yibao.{module}").__all__:
            yield f"import yibao.{module}.{name}"


def _operations() -> Iterator[str]:
    """The endpoints with what they take and how they answer when all is well."""
    for path, operations in app("memory:", HttpSettings()).openapi()["paths"].items():
        for method, operation in operations.items():
            which = f"http {method.upper()} {path}"
            yield which
            for taken in operation.get("parameters", ()):
                yield f"{which} {taken['in']} {taken['name']}"
            for status in operation["responses"]:
                if status.startswith("2"):
                    yield f"{which} answers {status}"


def _command_line() -> Iterator[str]:
    for words in commands(main):
        command: Any = main
        for word in words:
            command = command.commands[word]
        which = " ".join(("yibao", *words))
        yield which
        for taken in command.params:
            if isinstance(taken, click.Argument):
                yield f"{which} {taken.human_readable_name}"
            else:
                yield from (f"{which} {name}" for name in (*taken.opts, *taken.secondary_opts))


def _settings() -> Iterator[str]:
    for settings in SETTINGS:
        prefix = settings.model_config.get("env_prefix", "")
        yield from (f"environment {(prefix + name).upper()}" for name in settings.model_fields)


def _columns() -> Iterator[str]:
    for table, columns in EXPORTED.items():
        yield from (f"column {table}.{name}: {kind.__name__}" for name, kind in columns.items())


def _codes() -> Iterator[str]:
    yield from (f"code {code}" for code in get_args(yibao.Code))


def test_what_others_name_is_what_is_held() -> None:
    told = "`python tests/golden/write.py schemas` holds what was added"
    assert surface() == held(KIND).read_text(encoding="utf-8"), told


@pytest.mark.parametrize("released", releases(KIND), ids=lambda path: str(path.name))
def test_nothing_that_a_release_had_is_lacking(released: Path) -> None:
    then = released.read_text(encoding="utf-8").splitlines()
    assert set(then) <= set(surface().splitlines())
