"""The schema of a story."""

from typing import Any

from yibao.adapters.shapes import DIALECT, part
from yibao.adapters.stories.models import (
    ACTIONS,
    CLAIMS,
    CountExpectation,
    Expectation,
    Student,
    head_of,
    payload,
)
from yibao.domain.facts.commands import COMMANDS


def story_schema() -> dict[str, Any]:
    """A story file."""
    definitions: dict[str, Any] = {}
    student = part(Student, definitions)
    steps = []
    for action in ACTIONS:
        head = part(head_of(action), definitions)
        body = _body(action, definitions)
        head["properties"] = {**head["properties"], action: body}
        head["required"] = [*head["required"], action]
        head["title"] = action
        steps.append(head)
    return {
        "$schema": DIALECT,
        "title": "A story",
        "type": "object",
        "properties": {
            "title": {"type": "string", "minLength": 1},
            "rules": {"type": "array", "items": {"type": "string"}},
            "policy": {"type": "string"},
            "policies": {"type": "array", "items": {"type": "string"}, "minItems": 1},
            "student": student,
            "students": {"type": "object", "additionalProperties": student, "minProperties": 1},
            "story": {"type": "array", "items": {"oneOf": steps}, "minItems": 1},
        },
        "required": ["title", "story"],
        "oneOf": [{"required": ["student"]}, {"required": ["students"]}],
        "allOf": [{"oneOf": [{"required": ["policy"]}, {"required": ["policies"]}]}],
        "additionalProperties": False,
        "$defs": definitions,
    }


def _body(action: str, definitions: dict[str, Any]) -> dict[str, Any]:
    """What is written under a command, a correction, a void or an expectation."""
    if action == "expect":
        counted = {"count": part(CountExpectation, definitions)}
        of_all = {"type": "object", "properties": counted, "required": ["count"]}
        return {"anyOf": [part(Expectation, definitions), of_all | {"additionalProperties": False}]}
    if action == "void":
        return _named_step({}, closed=True)
    if action in CLAIMS:
        keys = payload(CLAIMS[action])
        return _named_step({key: {"type": "string"} for key in keys}, closed=True)
    if action == "correct":
        return _named_step({"at": {"type": "string"}}, closed=False)
    kind = COMMANDS[action]
    schema = part(kind, definitions)
    keys = payload(kind)
    return {
        "type": "object",
        "description": schema.get("description", ""),
        "properties": {key: schema["properties"][key] for key in keys},
        "required": [key for key in schema.get("required", ()) if key in keys],
        "additionalProperties": False,
    }


def _named_step(properties: dict[str, Any], *, closed: bool) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": {"step": {"type": "string"}, **properties},
        "required": ["step"],
        "additionalProperties": not closed,
    }
