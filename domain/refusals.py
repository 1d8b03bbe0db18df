"""Why something was not done: a code, its parameters, and a sentence a person can read.

YibaoError
├── Refused                 the domain said no; nothing entered the stream
│   ├── NotPermitted        a guard of the lifecycle refused a request, or who runs the service
│   ├── NotCorrectable      there is no such current fact to correct or take back
│   ├── OutOfStep           the command id or the expected version does not fit
│   └── BadValue            a value that can never be right, in a request or a report
├── UnknownEdition          no edition of that name
├── UnknownCutoff           the knowledge cut-off names no prefix of the stream
├── AlteredEdition          an edition's content is not what the store has used
└── UnreadableEvent         a stored event has an unknown name or shape
"""

from __future__ import annotations

import copyreg
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:  # a command line should not have to import pydantic to say what is wrong
    from pydantic import ValidationError


class YibaoError(Exception):
    """Everything yibao raises on purpose; pickled and copied it stays what it was."""

    def __reduce__(self) -> tuple[Any, ...]:
        # Made anew as it is, not by its constructor, which asks for more than the message.
        return copyreg.__newobj__, (type(self), *self.args), vars(self)  # type: ignore[attr-defined]


#: The reason behind each code, in English; translations live beside the other words.
REASONS: Final[dict[str, str]] = {
    "not_registered": "there is no current registration",
    "already_registered": "the student is registered already for this benefit year",
    "not_a_new_student": "the category or the registration day is not a new student's",
    "withdrawn": "the student has left by then",
    "already_confirmed": "the student has confirmed already",
    "before_registration": "it lies before the registration day",
    "window_not_open": "the confirmation window is not open yet",
    "window_closed": "the confirmation window is closed",
    "roster_not_declared": "the school has not declared its roster",
    "no_other_cover": "no insurance of another province was declared",
    "not_confirmed": "the student has not confirmed by then",
    "opted_out": "the student has chosen to keep the other cover",
    "account_not_built": "the account is not built by then",
    "evoucher_not_available": "no e-voucher can be had in this benefit year",
    "evoucher_not_yet_available": "the e-voucher cannot be had yet",
    "before_window": "the day lies before the first day of cover",
    "in_waiting_period": "the day lies in the waiting period",
    "not_enrolled": "the student is not enrolled as a student",
    "outside_benefit_year": "the day lies outside the benefit year",
    "remote_care_not_filed": "care in that province was not filed for by then",
    "cover_pending": "whether the day is covered is not known yet",
    "already_settled": "the care is settled already",
    "not_settled": "there is no settlement to take back",
    "no_such_fact": "the stream holds no such fact",
    "superseded": "the fact is no longer current",
    "command_id_reused": "the command id was used before for something else",
    "version_conflict": "the stream is at another version than expected",
    "not_allowed": "who runs this service does not allow it",
    "bad_value": "a value cannot be right",
}


class Refused(YibaoError):
    """A command was refused with a code; nothing was recorded, and it may be tried again."""

    def __init__(self, code: str, **details: object) -> None:
        self.code = code
        self.details = details
        known = ", ".join(f"{key}: {value}" for key, value in details.items())
        super().__init__(f"{code}: {REASONS[code]}" + (f" ({known})" if known else ""))


class NotPermitted(Refused):
    """A guard of the lifecycle refused, or who runs the service did (`not_allowed`)."""


class NotCorrectable(Refused):
    """`no_such_fact` or `superseded`."""


class OutOfStep(Refused):
    """`command_id_reused` or `version_conflict`."""


class BadValue(Refused, ValueError):
    """A value that can never be right; `where` names the field, never repeating the value.

    `errors` are all that were found, each with its place and reason; the first is the one told.
    """

    def __init__(self, where: str, why: str, *others: tuple[str, str]) -> None:
        super().__init__("bad_value", where=where, why=why)
        self.errors = ((where, why), *others)


class Misfit(ValueError):
    """Two values contradict each other; `where` leads to the one to look at."""

    def __init__(self, where: tuple[str, ...], why: str) -> None:
        self.where = where
        super().__init__(why)


def mistakes(error: ValidationError) -> list[tuple[str, str]]:
    """Everything pydantic found, each with its place and reason, never repeating a value."""
    return [
        (_place(found), str(found["msg"]).removeprefix("Value error, "))
        for found in error.errors(include_input=False, include_url=False)
    ]


def place(error: ValidationError) -> str:
    """Where pydantic found the first mistake."""
    return mistakes(error)[0][0]


def reason(error: ValidationError) -> str:
    """What pydantic found there, never repeating the value."""
    return mistakes(error)[0][1]


def _place(found: Any) -> str:
    inner = getattr(found.get("ctx", {}).get("error"), "where", ())
    return ".".join(str(part) for part in (*found["loc"], *inner))


class UnknownEdition(YibaoError, LookupError):
    """No edition of that name is at hand."""


class UnknownCutoff(YibaoError, LookupError):
    """The version is not in the stream, or lies inside a transaction."""


class AlteredEdition(YibaoError):
    """An edition has other content than the one this store has used under the same name."""


class UnreadableEvent(YibaoError):
    """A stored event has a name or a shape this version does not know."""
