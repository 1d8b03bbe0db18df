"""The JSON Schema of each command, as it is told by plain values.

It is made of the declarations that read the values. What a schema cannot tell is refused all the
same: a day that does not exist, a word that holds a person's number, a whole number written with a
decimal point, a total below the eligible cost.
"""

from typing import Any, Final

from yibao.adapters.shapes.schemas import DIALECT
from yibao.domain.editions import needs_level
from yibao.domain.facts.commands import ASKED, EVENT_ID, Command
from yibao.domain.facts.telling import FLAGS, keys
from yibao.domain.money import Fen
from yibao.domain.vocabulary import HOME_PROVINCE, CareSetting

Schema = dict[str, Any]


def commands_schema() -> Schema:
    """What may be told of every command, by its name."""
    return {
        "$schema": DIALECT,
        "title": "Commands, by name",
        "commands": {name: command_schema(kind) for name, kind in sorted(ASKED.items())},
    }


def command_schema(kind: type[Command]) -> Schema:
    """What may be told of a command: its values, without its name."""
    declared = kind.model_json_schema()
    needed = [key for key in declared.get("required", ()) if key in keys(kind)]
    properties: Schema = {}
    for key in keys(kind):
        shape = _given(declared["properties"][key], declared.get("$defs", {}))
        if key not in needed:
            shape = {"anyOf": [*shape.get("anyOf", [shape]), _EMPTY]}
        properties[key] = shape
    if "province" in properties and kind.name == "receive_care":
        home = f"^({_any_case(HOME_PROVINCE)})$"
        properties["province"]["not"] = {"type": "string", "pattern": home}
    return {
        "title": kind.name,
        "description": declared["description"],
        "type": "object",
        "properties": properties,
        "required": needed,
        "additionalProperties": False,
        **_FITTING.get(kind.name, {}),
    }


def _given(declared: Schema, words: Schema) -> Schema:
    """A value as JSON or a form has it, as its declaration has it as JSON alone."""
    whole = [each for each in declared.get("anyOf", [declared]) if each != {"type": "null"}]
    assert len(whole) == 1, declared
    shape = {key: value for key, value in whole[0].items() if key not in ("title", "default")}
    if "$ref" in shape:
        shape = words[shape["$ref"].rpartition("/")[2]]
        known = [{k: v for k, v in each.items() if k != "title"} for each in _either(shape)]
        return known[0] if len(known) == 1 else {"anyOf": known}
    match shape:
        case {"type": "boolean"}:
            return {"anyOf": [shape, {"enum": list(FLAGS)}]}
        case {"type": "integer", "ge": least, "le": most}:
            number = {"type": "integer", "minimum": least, "maximum": most}
            return {"anyOf": [number, _text(_WHOLE[least, most])]}
        case {"format": "date"}:
            return {**shape, **_text(_DAY)}
        case {"format": "date-time"}:
            return _text(_INSTANT)
        case {"format": "uuid"}:
            return _text(EVENT_ID.pattern)
        case {"type": "string", "pattern": pattern} if pattern == _YUAN:
            number = {"type": "integer", "minimum": 0, "maximum": 10**10 - 1}
            return {"anyOf": [{**shape, "pattern": pattern.replace("\\d", "[0-9]")}, number]}
        case {"type": "string", "maxLength": _} if "pattern" not in shape:
            return {**shape, "pattern": "^[^\\x00]*$"}
    return shape


def _either(shape: Schema) -> list[Schema]:
    """What a code may be: one of a list, or also a word that an edition of one's own names."""
    found: list[Schema] = shape.get("anyOf", [shape])
    return found


def _text(pattern: str) -> Schema:
    return {"type": "string", "pattern": f"^({pattern})$"}


def _any_case(words: frozenset[str]) -> str:
    """A pattern of some words however they are written in capitals."""
    signs = (
        "".join(f"[{sign}{sign.upper()}]" if sign.isascii() else sign for sign in word)
        for word in sorted(words)
    )
    return "|".join(signs)


def _is_told(key: str) -> Schema:
    return {"required": [key], "properties": {key: {"not": _EMPTY}}}


#: How a value that is not needed is left out.
_EMPTY: Final[Schema] = {"enum": [None, ""]}
_DAY: Final = "(19|2[0-9])[0-9]{2}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])"
_TIME: Final = "([01][0-9]|2[0-3]):[0-5][0-9]"
#: In Shanghai time, where no offset is given.
_INSTANT: Final = f"{_DAY}[ T]{_TIME}(:[0-5][0-9](\\.[0-9]{{1,6}})?)? ?(Z|[+-]{_TIME})?"
#: The whole numbers between two bounds, as text.
_WHOLE: Final = {
    (0, 100): "-?0{1,18}|0{0,17}[1-9]|0{0,16}[1-9][0-9]|0{0,15}100",
    (2000, 2999): "0{0,14}2[0-9]{3}",
}
_YUAN: Final = Fen.__get_pydantic_json_schema__(None, None)["pattern"]

_ENDS: Final = ("opens_on", "opens_at", "closes_on", "closes_at")
#: What holds of several values together.
_FITTING: Final[dict[str, Schema]] = {
    "fix_window": {
        "anyOf": [_is_told(key) for key in _ENDS],
        "not": {
            "anyOf": [
                {"allOf": [_is_told(f"{end}_on"), _is_told(f"{end}_at")]}
                for end in ("opens", "closes")
            ]
        },
    },
    "receive_care": {
        "if": {
            "properties": {
                "setting": {"enum": [each.value for each in CareSetting if needs_level(each)]}
            }
        },
        "then": _is_told("level"),
        "else": {"properties": {"level": _EMPTY}},
    },
}
