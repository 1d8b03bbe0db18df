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

Each tells its code, whether trying again can help, and the HTTP status it is answered with.
"""

from __future__ import annotations

import copyreg
from typing import TYPE_CHECKING, Any, ClassVar, Final, Literal, NamedTuple, get_args

if TYPE_CHECKING:  # a command line should not have to import pydantic to say what is wrong
    from pydantic import ValidationError


#: Every code a command is refused with.
Code = Literal[
    "not_registered",
    "already_registered",
    "not_a_new_student",
    "withdrawn",
    "enrolled_by_payment",
    "already_confirmed",
    "before_registration",
    "window_not_open",
    "window_closed",
    "roster_not_declared",
    "no_other_cover",
    "not_confirmed",
    "opted_out",
    "account_not_built",
    "evoucher_not_available",
    "evoucher_not_yet_available",
    "before_window",
    "in_waiting_period",
    "not_enrolled",
    "outside_benefit_year",
    "remote_care_not_filed",
    "cover_pending",
    "already_settled",
    "not_settled",
    "no_such_fact",
    "superseded",
    "command_id_reused",
    "version_conflict",
    "not_allowed",
    "bad_value",
]
Code.__doc__ = "Every code that a command is refused with; `docs/codes.md` explains each."

#: Every code of what is raised on purpose and is no refusal.
Failure = Literal[
    "failed",
    "unknown_edition",
    "unknown_cutoff",
    "altered_edition",
    "unreadable_event",
    "unreadable_source",
    "store_failed",
    "ahead_of_clock",
    "interrupted",
    "halted",
    "not_written",
    "unreadable_evidence",
    "not_proven",
]

#: Whether trying again can help: `later` the same again, by itself; `after_facts` the same again,
#: once what is lacking has happened and is recorded; `changed` something else: other values, a new
#: command id, what was read again; `no`, as long as what is recorded stands.
Retry = Literal["later", "after_facts", "changed", "no"]


class Meaning(NamedTuple):
    """What a code says in English, whether trying again can help, and the HTTP status."""

    reason: str
    retry: Retry
    status: int


#: Of each code; translations of the reasons live beside the other words.
MEANINGS: Final[dict[Code | Failure, Meaning]] = {
    "not_registered": Meaning("there is no current registration", "after_facts", 409),
    "already_registered": Meaning(
        "the student is registered already for this benefit year", "no", 409
    ),
    "not_a_new_student": Meaning(
        "the edition is not for that category or registration day", "changed", 409
    ),
    "withdrawn": Meaning("the student has left by then", "no", 409),
    "enrolled_by_payment": Meaning(
        "under this edition the payment enrolls, not a confirmation", "changed", 409
    ),
    "already_confirmed": Meaning("the student has confirmed already", "no", 409),
    "before_registration": Meaning("it lies before the registration day", "later", 409),
    "window_not_open": Meaning("the confirmation window is not open yet", "later", 409),
    "window_closed": Meaning("the confirmation window is closed", "no", 409),
    "roster_not_declared": Meaning("the school has not declared its roster", "after_facts", 409),
    "no_other_cover": Meaning("no insurance of another province was declared", "after_facts", 409),
    "not_confirmed": Meaning("the student has not confirmed by then", "after_facts", 409),
    "opted_out": Meaning("the student has chosen to keep the other cover", "after_facts", 409),
    "account_not_built": Meaning("the account is not built by then", "after_facts", 409),
    "evoucher_not_available": Meaning("no e-voucher can be had in this benefit year", "no", 409),
    "evoucher_not_yet_available": Meaning("the e-voucher cannot be had yet", "later", 409),
    "before_window": Meaning("the day lies before the first day of cover", "no", 409),
    "in_waiting_period": Meaning("the day lies in the waiting period", "no", 409),
    "not_enrolled": Meaning("the student is not enrolled as a student", "after_facts", 409),
    "outside_benefit_year": Meaning("the day lies outside the benefit year", "no", 409),
    "remote_care_not_filed": Meaning(
        "care in that province was not filed for by then", "after_facts", 409
    ),
    "cover_pending": Meaning("whether the day is covered is not known yet", "after_facts", 409),
    "already_settled": Meaning("the care is settled already", "no", 409),
    "not_settled": Meaning("there is no settlement to take back", "after_facts", 409),
    "no_such_fact": Meaning("the stream holds no such fact", "changed", 409),
    "superseded": Meaning("the fact is no longer current", "changed", 409),
    "command_id_reused": Meaning(
        "the command id was used before for something else", "changed", 422
    ),
    "version_conflict": Meaning("the stream is at another version than expected", "changed", 412),
    "not_allowed": Meaning("who runs this service does not allow it", "no", 403),
    "bad_value": Meaning("a value cannot be right", "changed", 422),
    "failed": Meaning("it could not be done", "no", 500),
    "unknown_edition": Meaning("no edition of that name is at hand", "changed", 422),
    "unknown_cutoff": Meaning(
        "the knowledge cut-off names nothing that was ever known", "changed", 422
    ),
    "altered_edition": Meaning(
        "an edition is not what the store has used under its name", "no", 500
    ),
    "unreadable_event": Meaning("a stored fact cannot be read by this version", "no", 500),
    "unreadable_source": Meaning("a story or an edition cannot be read", "changed", 422),
    "store_failed": Meaning("the store is away or busy", "later", 503),
    "ahead_of_clock": Meaning("what it stands on is stamped far ahead of the clock", "later", 503),
    "interrupted": Meaning(
        "the store was interrupted; what was asked may be recorded", "later", 503
    ),
    "halted": Meaning("a projection goes no further for now", "later", 503),
    "not_written": Meaning("a file could not be written", "no", 500),
    "unreadable_evidence": Meaning(
        "a note, a key or a proof is not of the form it must have", "changed", 422
    ),
    "not_proven": Meaning("a proof or a note does not prove what it should", "no", 409),
}
#: The reason behind each code of a refusal.
REASONS: Final[dict[str, str]] = {code: MEANINGS[code].reason for code in get_args(Code)}
#: The reason behind each other code.
FAILURES: Final[dict[str, str]] = {code: MEANINGS[code].reason for code in get_args(Failure)}


class YibaoError(Exception):
    """Everything yibao raises on purpose; pickled and copied it stays what it was."""

    failure: ClassVar[Failure] = "failed"

    @property
    def code(self) -> Code | Failure:
        """What went wrong, as a word; `docs/codes.md` explains each."""
        return self.failure

    @property
    def retry(self) -> Retry:
        """Whether trying again can help: `later`, `after_facts`, `changed` or `no`."""
        return MEANINGS[self.code].retry

    @property
    def status(self) -> int:
        """The HTTP status that such an error is answered with."""
        return MEANINGS[self.code].status

    def __reduce__(self) -> tuple[Any, ...]:
        # Made anew as it is, not by its constructor, which asks for more than the message.
        return copyreg.__newobj__, (type(self), *self.args), vars(self)  # type: ignore[attr-defined]


class Refused(YibaoError):
    """A command was refused with a code; nothing was recorded, and it may be tried again."""

    def __init__(self, code: Code, **details: object) -> None:
        self._code: Code = code
        self.details = details
        known = ", ".join(f"{key}: {value}" for key, value in details.items())
        super().__init__(f"{code}: {REASONS[code]}" + (f" ({known})" if known else ""))

    @property
    def code(self) -> Code:
        """Why it was refused, as a word; `docs/codes.md` explains each."""
        return self._code


class NotPermitted(Refused):
    """A guard of the lifecycle refused, or who runs the service did (`not_allowed`)."""


class NotCorrectable(Refused):
    """`no_such_fact` or `superseded`."""


class OutOfStep(Refused):
    """`command_id_reused` or `version_conflict`."""


class Mistake(NamedTuple):
    """What is wrong with one value: where it stands, and why it cannot be right."""

    where: str
    why: str


class BadValue(Refused, ValueError):
    """A value that can never be right; `where` names the field, never repeating the value.

    `errors` are all that were found, each with its place and reason; the first is the one told.
    """

    def __init__(self, where: str, why: str, *others: tuple[str, str]) -> None:
        super().__init__("bad_value", where=where, why=why)
        self.errors = (Mistake(where, why), *(Mistake(*other) for other in others))


class Misfit(ValueError):
    """Two values contradict each other; `where` leads to the one to look at."""

    def __init__(self, where: tuple[str | int, ...], why: str) -> None:
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

    failure = "unknown_edition"


class UnknownCutoff(YibaoError, LookupError):
    """The version is not in the stream, or lies inside a transaction."""

    failure = "unknown_cutoff"


class AlteredEdition(YibaoError):
    """An edition has other content than the one this store has used under the same name."""

    failure = "altered_edition"


class UnreadableEvent(YibaoError):
    """A stored event has a name or a shape this version does not know."""

    failure = "unreadable_event"
