"""A command of plain values, as JSON or a form has them: read, with all that is wrong at once."""

import re
from collections.abc import Mapping
from functools import cache
from typing import Any, Final, NamedTuple

from yibao.domain.facts.commands import ASKED, Command, read_all
from yibao.domain.refusals import BadValue


def keys(kind: type[Command]) -> tuple[str, ...]:
    """What may be told of a command as a value; who tells it, and under which id, stands beside."""
    return tuple(key for key in kind.model_fields if key not in BESIDE)


#: What is told beside the values, by whoever is trusted with it.
BESIDE: Final = frozenset({*Command.model_fields, "expected", "allowed"} - {"at", "note"})


#: How a form tells what is so or is not.
FLAGS: Final = {"true": True, "on": True, "false": False, "off": False}


def told(name: str, values: Mapping[str, Any], /, **how: Any) -> Command:
    """The command of a name, of plain values as JSON or a form has them; an empty one is left out.

    The keys are the names in the command's class here, but for who tells it, and under which id:
    that is told in `how`. Raises BadValue that tells in `errors` all that is wrong.
    """
    kind = ASKED.get(name) if isinstance(name, str) else None
    if kind is None:
        raise BadValue("command", "is no command")
    if not isinstance(values, Mapping):
        raise BadValue("values", "must be a mapping, of values by name")
    given, misplaced = _given(kind, values)
    command, errors = read_all(kind, {**given, **how})
    # What is wrong inside of a value is told at the value: there may be anything.
    wrong = dict.fromkeys([*((where.partition(".")[0], why) for where, why in errors), *misplaced])
    if command is None or wrong:
        first, *others = wrong
        raise BadValue(*first, *others)
    return command


def _given(
    kind: type[Command], values: Mapping[str, Any]
) -> tuple[dict[str, Any], list[tuple[str, str]]]:
    """The values to be read, and what is wrong with the others."""
    given: dict[str, Any] = {}
    wrong: list[tuple[str, str]] = []
    known = _values_of(kind)
    for key in values:
        value = values[key]
        if key not in known:
            wrong.append(_misplaced(kind, key))
        elif value is None or (isinstance(value, str) and not value):
            continue
        elif known[key] is bool and not isinstance(value, bool):
            if isinstance(value, str) and value in FLAGS:
                given[key] = FLAGS[value]
            else:
                wrong.append((key, "must be true or false"))
        else:
            given[key] = value
    return given, wrong


@cache
def _values_of(kind: type[Command]) -> dict[str, Any]:
    """What may be told of a command as a value, and of which type each is."""
    return {key: kind.model_fields[key].annotation for key in keys(kind)}


def _misplaced(kind: type[Command], key: Any) -> tuple[str, str]:
    """What is wrong with a key that is none of the command's values."""
    if key in BESIDE:
        return key, "is told beside the values, not among them"
    return named(key, "values"), f"{kind.name} has no such value"


def named(key: Any, within: str) -> str:
    """A key that somebody has made up, if it is a word as programs have; else within what it is."""
    return key if isinstance(key, str) and _WORD.fullmatch(key) else within


_WORD = re.compile("[a-z_]{1,40}")


class Unread(NamedTuple):
    """What was told as a command and cannot be read as one: as much of it as may be, and why."""

    told: dict[str, Any]
    error: BadValue


def read_told(given: Mapping[str, Any]) -> Command | Unread:
    """The command of its values with its name among them, under `command`."""
    values = {key: given[key] for key in given if key != "command"}
    name = given.get("command")
    try:
        return told(name, values)  # type: ignore[arg-type]
    except BadValue as error:
        return Unread(as_told(name, values), error)


def as_told(name: Any, values: Any, /, **how: Any) -> dict[str, Any]:
    """What was told as a command, if it is one, without what is none of its values."""
    kind = ASKED.get(name) if isinstance(name, str) else None
    if kind is None or not isinstance(values, Mapping):
        return {"command": kind and kind.name, **how}
    return {"command": kind.name, **{k: values[k] for k in keys(kind) if k in values}, **how}
