"""What another edition would change, as plain JSON and as rows, and the schema of it."""

from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from pydantic import TypeAdapter
from typing_extensions import TypedDict

from yibao.adapters.shapes.explanation import explained
from yibao.adapters.shapes.schemas import DIALECT
from yibao.adapters.shapes.values import plain
from yibao.domain.money import Fen
from yibao.projections.cohort.what_if import BY, Example, Outcome, WhatIf

#: What stands in each row of everybody, and of which type; money is in yuan.
OUTCOMES: Final[dict[str, type]] = {
    "ref": str,
    "year": int,
    "school": str,
    "category": str,
    "days_before": int,
    "days_after": int,
    "fund_before": Decimal,
    "fund_after": Decimal,
}


class Moved(TypedDict):
    """How many students, how many days of cover together, and money in yuan."""

    students: int
    days: int
    money: str


class Effects(TypedDict):
    gains: Moved
    loses: Moved


class Changed(TypedDict):
    """One whose days of cover change, with both answers as `yibao explain --json` tells them."""

    ref: str
    year: int
    days_before: int
    days_after: int
    fund_before: str
    fund_after: str
    before: dict[str, Any]
    after: dict[str, Any]


class EditionTold(TypedDict):
    id: str
    digest: str


class WhatIfTold(TypedDict):
    """Who gains and who loses days of cover, together, and in each school and category."""

    format: int
    edition: EditionTold
    instead_of: EditionTold
    at: str
    known_at: str | None
    students: int
    gains: Moved
    loses: Moved
    by: dict[str, dict[str, Effects]]
    examples: list[Changed]


def what_if_json(found: WhatIf, known_at: datetime | None) -> dict[str, Any]:
    """What would change, with some examples; of `students` that were asked."""
    return {
        "format": 1,
        "edition": {"id": found.edition.edition, "digest": found.edition.digest},
        "instead_of": {"id": found.instead_of.edition, "digest": found.instead_of.digest},
        "at": plain(found.at),
        "known_at": plain(known_at),
        "students": sum(1 for _ in found.everybody()),
        "gains": plain(found.gains),
        "loses": plain(found.loses),
        "by": {what: plain(found.by(what)) for what in BY},
        "examples": [_example(each) for each in found.examples()],
    }


def _example(example: Example) -> dict[str, Any]:
    told = example.outcome
    amounts = "days_before", "days_after", "fund_before", "fund_after"
    return {
        **told.enrollment._asdict(),
        **{name: plain(getattr(told, name)) for name in amounts},
        "before": explained(example.before),
        "after": explained(example.after),
    }


def outcome_row(outcome: Outcome) -> tuple[Any, ...]:
    """One enrollment, as a row of `OUTCOMES`."""
    whose, school, category, *days, before, after = outcome
    return (*whose, school, category and str(category), *days, _yuan(before), _yuan(after))


def _yuan(amount: Fen) -> Decimal:
    return Decimal(str(amount))


def what_if_schema() -> dict[str, Any]:
    """What `yibao whatif --json` prints."""
    return {"$schema": DIALECT, **TypeAdapter(WhatIfTold).json_schema()}
