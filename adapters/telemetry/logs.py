"""What is worth a look, as lines of JSON."""

import json
import logging
import sys
from datetime import UTC, date, datetime
from decimal import Decimal
from traceback import walk_tb
from typing import Any, Final, TextIO
from uuid import UUID

from yibao.domain.calendar import in_shanghai

#: The logger above all of yibao's; what nobody handles is printed nowhere.
LOGGER: Final = logging.getLogger("yibao")
LOGGER.addHandler(logging.NullHandler())


#: What it warns of would else be printed to standard error, as text and with what is in it.
_OF_PSYCOPG: Final = logging.getLogger("psycopg")


def tell(logger: logging.Logger, level: int, event: str, /, **told: object) -> None:
    """Logs an event, named by a kebab-case word, and what belongs to it by name."""
    if logger.isEnabledFor(level):
        logger.log(level, event, extra={"told": told})


def frames_of(error: BaseException) -> list[str]:
    """The calls that led to an error, its own last: module, line and function, without a value."""
    return [
        f"{frame.f_globals.get('__name__', '?')}:{line} {frame.f_code.co_name}"
        for frame, line in walk_tb(error.__traceback__)
    ]


def log_json(stream: TextIO | None = None, level: int = logging.INFO) -> None:
    """Writes what yibao logs as JSON, one object a line, from this level on.

    To standard error if no stream is given; so is what psycopg warns of, without the values. For
    programs of their own, as the command line is: a library leaves the handlers of a process to
    whoever runs it. A second call replaces the first.
    """
    lines = _Lines(stream)  # one for all: threads take turns at it, so each line is whole
    for logger in (LOGGER, _OF_PSYCOPG):
        for handler in [each for each in logger.handlers if isinstance(each, _Lines)]:
            logger.removeHandler(handler)
            handler.close()
        logger.addHandler(lines)
    LOGGER.setLevel(level)
    # The library silences psycopg's warnings where its own module for PostgreSQL is imported.
    _OF_PSYCOPG.setLevel(max(level, logging.WARNING))


class _Lines(logging.Handler):
    def __init__(self, stream: TextIO | None) -> None:
        super().__init__()
        self.stream = stream

    def emit(self, record: logging.LogRecord) -> None:
        try:
            # Standard error is looked up each time: a test or a daemon may put another there.
            print(_line(record), file=self.stream or sys.stderr, flush=True)
        except Exception:  # a log that cannot be written must not stop what it tells about
            self.handleError(record)


def _line(record: logging.LogRecord) -> str:
    """A record as JSON: never a value that was not told by name, never an exception's text."""
    head = {
        "time": in_shanghai(datetime.fromtimestamp(record.created, UTC)).isoformat(),
        "level": record.levelname.lower(),
        "logger": record.name,
        "event": _plain(record.msg),
    }
    if record.exc_info and record.exc_info[0]:
        head["error"] = record.exc_info[0].__name__
    told: dict[str, Any] = getattr(record, "told", {})
    # The head stands first, and nothing that is told can take its place.
    return _JSON.encode(head | told | head)


def _plain(value: object) -> str:
    """A value as text if its text can hold nothing else; of anything unforeseen, the type."""
    known = str | date | UUID | Decimal
    return str(value) if isinstance(value, known) else type(value).__name__


#: One for all lines, as making one takes as long as a line.
_JSON: Final = json.JSONEncoder(default=_plain)
