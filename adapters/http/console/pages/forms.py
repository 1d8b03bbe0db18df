"""A form for each command, made from its schema; and what a form that was sent tells."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple

from yibao.adapters.shapes import command_schema, plain
from yibao.adapters.views.telling import told
from yibao.adapters.views.words import Words
from yibao.domain.facts import events
from yibao.domain.facts.commands import COMMAND_OF, Command, RecordFact

#: A choice: what is sent, and what is read.
Choice = tuple[str, str]


class Field(NamedTuple):
    """One value of a command: how it is asked for, what is in it, and what was wrong with that."""

    name: str
    label: str
    type: str
    required: bool
    value: str = ""
    choices: tuple[Choice, ...] = ()
    limits: tuple[tuple[str, str], ...] = ()
    error: str = ""


#: What a page knows itself, or asks for in words of its own.
_KNOWN: Final = frozenset({"ref", "fact_id", "changes"})
#: What is asked for behind all others, since mostly it is left out.
_BEHIND: Final = ("at", "occurred_at", "reason", "note", "observed")


def fields_of(
    kind: type[Command],
    words: Words,
    given: Mapping[str, str] | None = None,
    errors: Iterable[tuple[str, str]] = (),
    choices: Mapping[str, Sequence[Choice]] | None = None,
    *,
    optional: bool = False,
) -> list[Field]:
    """The fields of a command, in its order; `given` is what was typed, and `errors` about it.

    `choices` are what may be chosen where the schema cannot know. What is `optional` need not be
    told at all, as the values of a fact that is corrected.
    """
    schema = command_schema(kind)
    wrong = {where: words.said(why) for where, why in errors}
    event = kind.fact.name if kind.fact else ""
    found = []
    for name, shape in schema["properties"].items():
        if name in _KNOWN or (name == "observed" and getattr(kind, "always_report", False)):
            continue
        told_as, listed, limits = _asked_for(name, shape, words)
        if choices and name in choices:
            told_as, listed = "select", tuple(choices[name])
        found.append(
            Field(
                name,
                words("console", "observed") if name == "observed" else words.field(name, event),
                told_as,
                name in schema["required"] and not optional,
                (given or {}).get(name, ""),
                listed,
                limits,
                wrong.get(name, ""),
            )
        )
    return sorted(
        found, key=lambda field: _BEHIND.index(field.name) if field.name in _BEHIND else -1
    )


def _asked_for(
    name: str, shape: dict[str, Any], words: Words
) -> tuple[str, tuple[Choice, ...], tuple[tuple[str, str], ...]]:
    """How a value is asked for: the type of its field, what may be chosen, and its limits."""
    given = [part for each in shape.get("anyOf", [shape]) for part in each.get("anyOf", [each])]
    kinds = {each.get("type") for each in given}
    codes = [code for each in given for code in each.get("enum", [each.get("const")]) if code]
    patterns = [each["pattern"] for each in given if "pattern" in each]
    if "boolean" in kinds:
        return "checkbox", (), ()
    if codes:
        listed = tuple((str(code), told(code, words, name)) for code in codes)
        return "suggest" if patterns else "select", listed, ()
    if any(each.get("format") == "date" for each in given):
        return "date", (), ()
    if name.endswith("at"):
        return "datetime-local", (), ()
    if "integer" in kinds:
        if any("\\." in pattern for pattern in patterns):
            return "decimal", (), ()
        whole = next(each for each in given if each.get("type") == "integer")
        return "number", (), _between(whole)
    limits = [(key, str(each[key])) for each in given for key in ("maxLength",) if key in each]
    if name == "reason":
        limits.append(("pattern", patterns[0].strip("^$")))
    return "text", (), tuple(limits)


def _between(shape: dict[str, Any]) -> tuple[tuple[str, str], ...]:
    return tuple(
        (limit, str(shape[bound]))
        for limit, bound in (("min", "minimum"), ("max", "maximum"))
        if bound in shape
    )


def values_sent(kind: type[Command], sent: Mapping[str, str]) -> dict[str, Any]:
    """The values of a command that a form told; what was left empty is left out."""
    known = command_schema(kind)["properties"]
    return {
        name: sent[name].strip()
        for name in known
        if name not in _KNOWN and sent.get(name, "").strip()
    }


class Corrected(NamedTuple):
    """What a form says instead of what a fact does."""

    changes: dict[str, Any]
    occurred_at: str | None


def kind_of(event: events.Event) -> type[RecordFact] | None:
    """The command that a fact came from, where it can be corrected."""
    return COMMAND_OF.get(type(event))  # type: ignore[arg-type]


def values_of(event: events.Event) -> dict[str, str]:
    """The values of a fact as its form has them; when it happened is among them."""
    values = {key: str(plain(value)) for key, value in event.payload().items() if value is not None}
    return {**values, "occurred_at": instant_in_form(event)}


def instant_in_form(event: events.Event) -> str:
    return event.occurred_at.strftime("%Y-%m-%dT%H:%M:%S").removesuffix(":00")


def corrected(event: events.Event, sent: Mapping[str, str]) -> Corrected:
    """What is told otherwise by a form; what it leaves empty is taken away."""
    before = values_of(event)
    changes: dict[str, Any] = {}
    for name in event.payload():
        if name in ("ref", "policy"):
            continue
        now = sent.get(name, before.get(name, "")).strip()
        if now != before.get(name, ""):
            changes[name] = now or None
    at = sent.get("occurred_at", "").strip()
    return Corrected(changes, at if at and at != before["occurred_at"] else None)


def plainly(values: Mapping[str, Any]) -> dict[str, Any]:
    """Values of a fact as plain JSON values."""
    return {key: plain(value) for key, value in values.items()}
