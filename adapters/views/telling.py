"""Values, states and facts as a person reads them."""

from datetime import date, datetime
from typing import Any, Final

from rich.text import Text

from yibao.adapters.editions import SourceError, Warned
from yibao.adapters.shapes import plain
from yibao.adapters.views.terminal import printable
from yibao.adapters.views.words import Words
from yibao.domain.facts.events import Event
from yibao.domain.refusals import Refused, YibaoError
from yibao.domain.vocabulary import (
    PENDING,
    DayRange,
    EnrollmentId,
    Leaving,
    State,
    WaitingPeriod,
)
from yibao.projections.answer import Answer

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
        listed = (shown(part, words) for part in value)
        return words.joined(listed, "listed") or words("phrase", "none")
    return str(value)


def told(value: Any, words: Words, name: str = "") -> str:
    """A JSON value as a person reads it; `name` says what it is the value of."""
    if name == "state":
        return words("state", value or "none")
    if value is None:
        return words("phrase", "none")
    if isinstance(value, str) and name in _CODED and words.knows(_CODED[name], value):
        return words(_CODED[name], value)
    if value == "pending":
        return words("phrase", "pending")
    if isinstance(value, bool):
        return words("phrase", "yes" if value else "no")
    if isinstance(value, dict) and {"from", "to"} <= value.keys():
        return words("phrase", "range", first=value["from"], last=value["to"])
    if isinstance(value, dict):  # what an edition says of several things in one parameter
        return words.joined(
            words.named(words.field(key), told(part, words, key)) for key, part in value.items()
        )
    if isinstance(value, list):
        listed = (told(part, words, name) for part in value)
        return words.joined(listed, "listed") or words("phrase", "none")
    if isinstance(value, str) and value.endswith("+08:00") and len(value) > 16:
        return value.removesuffix("+08:00").removesuffix(":00").replace("T", " ")
    return printable(str(value))


#: The section whose words tell a value of this name, or a parameter in this unit; what has none
#: there, such as a school or a place that an edition of one's own has named, is told as it is.
_CODED: Final[dict[str, str]] = {
    **{
        key: key
        for key in ("settlement", "setting", "level", "category", "document", "channel", "kind")
    },
    "places": "where",
    "categories": "category",
    "documents": "document",
    "students": "students",
    "day": "counts_from",
    "period": "counts_from",
    "cover_from": "counts_from",
    **dict.fromkeys(Leaving, "counts_from"),
    "phone number": "ask",
    "event": "counts_from",
    "instant": "counts_from",
}


def state(state: State | None, words: Words, leaving: Leaving | None = None) -> Text:
    if state is None:
        return Text(words("state", "none"))
    return Text(words("state", state) + left(leaving, words), style=_STYLES.get(state, ""))


def left(leaving: Leaving | None, words: Words) -> str:
    """How a student left, behind the state in brackets; "" where nobody told."""
    return words.aside(words("kind", leaving)) if leaving else ""


def costs(amount: Any, fixed_waiting_months: int | None, words: Words) -> list[str]:
    """What it costs to join: so much, and months of waiting where there are some."""
    told_ = [] if amount is None else [words("phrase", "amount", amount=amount)]
    if fixed_waiting_months:
        told_.append(words("phrase", "waits_first", months=fixed_waiting_months))
    return told_


def numbered(event: Event, whose: EnrollmentId, words: Words) -> str:
    """A fact by its place in the stream, with the benefit year where that is another one's."""
    number = of_year(whose.year_of(event.originator_id), f"#{event.originator_version}", words)
    return f"{words('event', event.name)} {number}"


def in_short(answer: Answer, words: Words) -> str:
    """How a benefit year stands, in one line: the state, and what is covered."""
    state = words("state", answer.state or "none") + left(answer.leaving, words)
    if answer.values is None:
        return state
    coverage = shown(answer.values.coverage.value, words)
    return words.joined([state, f"{words('value', 'coverage')} {coverage}"])


def goes_on(following: Answer | None, words: Words) -> str:
    """What comes of a benefit year that has ended: the next one, if she is registered for it."""
    if following is None or following.values is None:
        return ""
    year = following.enrollment.year
    return words("phrase", "goes_on", year=year, told=in_short(following, words))


def of_year(year: int | None, text: str, words: Words) -> str:
    """What is told of another benefit year, behind that; what is of the same year stays."""
    return text if year is None else words("phrase", "of_year", year=year, told=text)


def fact_line(
    name: str, values: dict[str, Any], occurred_at: Any, recorded_at: Any, words: Words
) -> str:
    words = words.of(values.get("policy"))
    return words(
        "phrase",
        "fact",
        event=words("event", name),
        values=fields({key: plain(value) for key, value in values.items()}, words, name),
        at=told(plain(occurred_at), words),
        recorded=told(plain(recorded_at), words),
    )


def fields(values: dict[str, Any], words: Words, event: str = "") -> str:
    """The values of a fact in words, and in brackets; "" for none."""
    told_ = in_words(values, words, event)
    return words("phrase", "fields", fields=told_) if told_ else ""


def in_words(values: dict[str, Any], words: Words, event: str = "") -> str:
    """The values of a fact, or of what was asked for, each with its name; digests are no words."""
    return words.joined(
        words.named(words.field(key, event), told(value, words, key))
        for key, value in values.items()
        if value is not None and not key.endswith("digest")
    )


def parameter(name: str, value: Any, unit: str, words: Words) -> str:
    """A parameter in words, from its JSON value."""
    return words(
        "phrase",
        "parameter",
        name=words("parameter", name),
        value=told(value, words, unit),
        unit=words("unit", unit, value=value),
    )


def error_told(error: YibaoError, words: Words) -> str:
    """What was raised on purpose, as a person reads it.

    A refusal by its code, a mistake in a file with its place, everything else by its sentence.
    """
    if words.language == "en":
        return str(error)
    if isinstance(error, Refused):
        known = {key: _detail(key, value, words) for key, value in error.details.items()}
        return words("refusal", error.code) + fields(known, words)
    if isinstance(error, SourceError):
        return f"{error.file}:{error.line}:{error.column}: {words.said(error.reason)}"
    return words.said(str(error))


def warned(of: Warned, words: Words) -> str:
    """What should be looked at again in an edition that is right."""
    about = {key: _about(key, value, words) for key, value in of.about.items()}
    return words("warning", of.code, **about)


def _about(key: str, value: object, words: Words) -> str:
    text = shown(value, words)
    if words.language != "en" and words.knows("parameter", text):  # in English as in the file
        return words("parameter", text)
    return words.clause(text) if key == "clause" else text


def _detail(key: str, value: object, words: Words) -> object:
    """A detail of a refusal: names of values, or a sentence."""
    if key in ("where", "differing"):
        return words.joined(map(words.field, str(value).split(", ")), "listed")
    return words.said(value) if isinstance(value, str) else value
