"""Values, states and facts as a person reads them."""

from datetime import date, datetime
from typing import Any

from rich.text import Text

from yibao.adapters.shapes import plain
from yibao.adapters.views.terminal import printable
from yibao.adapters.views.words import Words
from yibao.domain.vocabulary import PENDING, DayRange, State, WaitingPeriod

_STYLES = {
    State.ACTIVE: "green",
    State.EXPIRED: "dim",
    State.LAPSED: "red",
    State.OPTED_OUT: "yellow",
    State.WITHDRAWN: "red",
}


def shown(value: Any, words: Words) -> str:
    """A value as a person reads it: days and local times, no offsets."""
    if value is None:
        return words("phrase", "none")
    if value is PENDING:
        return words("phrase", "pending")
    if isinstance(value, State):
        return words("state", value)
    if isinstance(value, DayRange | WaitingPeriod):
        return words("phrase", "range", first=value.first, last=value.last)
    if isinstance(value, datetime):
        text = "%Y-%m-%d %H:%M:%S" if value.second or value.microsecond else "%Y-%m-%d %H:%M"
        return value.strftime(text)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, tuple | list):
        return ", ".join(shown(part, words) for part in value) or words("phrase", "none")
    return str(value)


def told(value: Any, words: Words, name: str = "") -> str:
    """A JSON value as a person reads it; `name` says what it is the value of."""
    if name == "state":
        return words("state", value or "none")
    if value is None:
        return words("phrase", "none")
    if name == "settlement":
        return words("settlement", value)
    if value == "pending":
        return words("phrase", "pending")
    if isinstance(value, bool):
        return words("phrase", "yes" if value else "no")
    if isinstance(value, dict) and {"from", "to"} <= value.keys():
        return words("phrase", "range", first=value["from"], last=value["to"])
    if isinstance(value, list):
        return ", ".join(told(part, words) for part in value) or words("phrase", "none")
    if isinstance(value, str) and value.endswith("+08:00") and len(value) > 16:
        return value.removesuffix("+08:00").removesuffix(":00").replace("T", " ")
    return printable(str(value))


def state(state: State | None, words: Words) -> Text:
    if state is None:
        return Text(words("state", "none"))
    return Text(words("state", state), style=_STYLES.get(state, ""))


def fact_line(
    name: str, values: dict[str, Any], occurred_at: Any, recorded_at: Any, words: Words
) -> str:
    kept = {key: value for key, value in values.items() if value is not None}
    parts = ", ".join(f"{key}={told(plain(value), words)}" for key, value in kept.items())
    return words(
        "phrase",
        "fact",
        event=words("event", name),
        values=f"({parts})" if parts else "",
        at=told(plain(occurred_at), words),
        recorded=told(plain(recorded_at), words),
    )
