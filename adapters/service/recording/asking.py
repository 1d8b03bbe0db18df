"""Whoever runs the service is asked whether a command is allowed, where it would be recorded."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any, Final

from pydantic import TypeAdapter, ValidationError

from yibao.domain.refusals import BadValue, NotPermitted, reason
from yibao.domain.vocabulary import GivenKey
from yibao.projections.answer import Answer, answer
from yibao.projections.record import Record

#: Asked about the student as she stands there: None where it is allowed, else why not, in a word.
Allowed = Callable[[Answer, Record], str | None]


class ByTheRecord:
    """Is allowed or not by the record alone: nothing need be answered before it is asked."""

    def __init__(self, judge: Callable[[Record], str | None]) -> None:
        self._judge = judge

    def __call__(self, answer: Answer | None, record: Record) -> str | None:
        return self._judge(record)


_WORD: Final[TypeAdapter[str]] = TypeAdapter(GivenKey)


class _Raised(Exception):
    """Raised by what was asked, and not by what asks."""

    def __init__(self, error: Exception) -> None:
        super().__init__()
        self.error = error


@contextmanager
def as_raised() -> Iterator[None]:
    """Raises what was raised by what was asked, as it is: it is no refusal, and no failure here."""
    try:
        yield
    except _Raised as raised:
        raise raised.error from raised.error.__cause__


def check_callable(allowed: object) -> None:
    """Raises BadValue for what cannot be asked."""
    if allowed is not None and not callable(allowed):
        raise BadValue("allowed", "must be a function of an answer and a record")


def ask(allowed: Allowed, record: Record, at: datetime) -> None:
    """Raises NotPermitted where a command about an instant is not allowed.

    Raises BadValue where what comes back is neither None nor a word that may be kept.
    """
    asked: Any = allowed
    answered = None if isinstance(allowed, ByTheRecord) else answer(record, at, record.latest)
    try:
        word: Any = asked(answered, record)
    except Exception as error:
        raise _Raised(error) from None
    if word is None:
        return
    try:
        if not isinstance(word, str):
            raise BadValue("allowed", "must return a word, or None for what is allowed")
        word = _WORD.validate_python(str.__str__(word))
    except ValidationError as error:
        raise BadValue("allowed", f"must return a word: {reason(error)}") from None
    raise NotPermitted("not_allowed", word=word)
