"""The door to a terminal: whatever a person typed passes here before it is shown."""

import codecs
import json
import re
from typing import Any, Final

import click

#: What steers a terminal instead of being shown: C0 but for tab and line feed, DEL, C1, and what
#: turns the direction of writing.
_STEERS: Final = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]"
)


def printable(text: str) -> str:
    """The text without what would steer a terminal instead of being shown."""
    return _STEERS.sub("\ufffd", text)


def in_one_line(text: str) -> str:
    """The text as `printable`, without line breaks of its own."""
    return printable(" ".join(text.splitlines()))


def tell(text: str, *, err: bool = False) -> None:
    """Writes the text to standard output, or to standard error."""
    click.echo(printable(text), err=err)


def tell_page(page: str) -> None:
    """Writes a web page to standard output, in UTF-8 wherever that is: it says so itself."""
    click.echo(printable(page).encode(errors="backslashreplace"))


def json_for(encoding: str | None, told: Any, **how: Any) -> str:
    """Plain values as JSON that an encoding carries: ASCII where it is not UTF-8."""
    try:
        carries_all = codecs.lookup(encoding or "").name == "utf-8"
    except LookupError:
        carries_all = False
    text = json.dumps(told, ensure_ascii=not carries_all, **how)
    return _STEERS.sub(lambda found: f"\\u{ord(found[0]):04x}", text)
