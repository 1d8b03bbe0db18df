"""Why a row is refused, as words of ours; what to say of each stands with the other words."""

from typing import Any, Final, Literal, NamedTuple, get_args

Reason = Literal[
    "empty",
    "not_text",
    "damaged_number",
    "too_long",
    "not_a_day",
    "no_year",
    "not_an_instant",
    "in_the_future",
    "not_a_count",
    "not_a_year",
    "not_an_amount",
    "no_edition",
    "nobody",
    "no_enrollment",
    "unknown_document",
    "unknown_category",
    "not_18_signs",
    "check_digit",
    "birth_date",
    "born_too_late",
    "residence_permit",
    "no_residence_permit",
    "identity_card",
    "document_form",
]
REASONS: Final[tuple[str, ...]] = get_args(Reason)


class RowRefused(NamedTuple):
    """The cell that cannot be right, by its column, and why."""

    column: str
    code: str


class Judged(NamedTuple):
    """What a row says, or why it is refused; `same` is equal for rows that say the same.

    Rows of one number that differ in `apart` are of different things, and not told twice.
    """

    row: int
    number: str | None
    found: Any
    same: tuple[Any, ...]
    apart: tuple[Any, ...] = ()
