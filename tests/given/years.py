"""One student over several benefit years, each with facts and an edition of its own."""

from datetime import datetime
from typing import Any

from yibao.domain.calendar import read_instant
from yibao.domain.editions.policy import Policy
from yibao.domain.facts.streams import fold
from yibao.domain.lifecycle import first_refusal, request, state_at, timeline
from yibao.domain.lifecycle.table import refusals_of
from yibao.domain.rules import Case, Values, as_of, values
from yibao.projections.discrepancies import discrepancies
from yibao.projections.next_step import NextStep, next_steps

from .editions import edition
from .telling import told
from .world import Given

#: What the continuing students of Shanghai are told for 2026, as this project reads it.
CONTINUING: dict[str, tuple[str, Any]] = {
    "for_students": ("students", ["continuing"]),
    "autumn_from": ("day", "2026-08-01"),
    "autumn_to": ("day", "2026-12-31"),
    "benefit_from": ("day", "2026-01-01"),
    "benefit_to": ("day", "2026-12-31"),
    "roster_required": ("yes or no", "no"),
    "enrolled_by": ("event", "payment"),
    "premium": ("yuan", "400"),
    "waiting_months_per_lapsed_year": ("months", 1),
    "waiting_counts_from": ("day", "enrollment"),
    "concentrated_period": (
        "period",
        {"opens": "2025-11-14", "closes": "2025-12-31", "cover_from": "benefit_from"},
    ),
    "late_period": (
        "period",
        {
            "opens": "2026-01-01",
            "closes": "2026-12-31",
            "cover_from": "enrollment_day",
            "fixed_waiting_months": 3,
        },
    ),
}


def edition_saying(
    name: str, base: str = "shanghai-2025", **told: tuple[str, Any] | None
) -> Policy:
    """An edition that says more than another, each with its unit, or leaves out what is None.

    Also in its table of benefits.
    """
    content: dict[str, Any] = edition(base).model_dump() | {"edition": name}
    parameters, benefits = content["parameters"], content["benefits"]
    if told.get("concentrated_period"):
        parameters |= {"window_opens": None, "window_closes_on": None}
    for key, said in told.items():
        cited = {"clause": "a table", "basis": "stated", "notice": name, "name": key}
        section = benefits if key in benefits else parameters
        section[key] = said and {**cited, "unit": said[0], "value": said[1]}
    return Policy.model_validate(content)


def continuing(year: int = 2026, **more: tuple[str, Any] | None) -> Policy:
    """The edition of the continuing students of a year, with other values where they are told."""
    return edition_saying(f"shanghai-{year}-continuing", **(_in_year(CONTINUING, year) | more))


def _in_year(said: Any, year: int) -> Any:
    """The same, its days moved by whole years."""
    if isinstance(said, dict):
        return {key: _in_year(value, year) for key, value in said.items()}
    if isinstance(said, tuple):
        return tuple(_in_year(value, year) for value in said)
    if isinstance(said, str) and said[:4].isdecimal():
        return f"{int(said[:4]) + year - 2026}{said[4:]}"
    return said


class Years:
    """The years of one student, in order; asked about is the last of them unless one is told."""

    def __init__(self, *years: Given) -> None:
        streams = [fold(year.recorded) for year in years]
        self.cases: dict[int, Case] = {}
        before: Case | None = None
        for year, own, following in zip(years, streams, [*streams[1:], None], strict=True):
            fixes: Any = fold(year.fixed).facts
            before = Case(
                year.policy,
                own.facts,
                fixes,
                own.counting,
                before=before,
                following=following and following.counting,
            )
            self.cases[year.policy.year] = before

    def case(self, at: str, year: int | None = None) -> Case:
        return as_of(self.cases[year or max(self.cases)], read_instant(at))

    def found(self, at: str, year: int | None = None) -> Values:
        return values(self.case(at, year), read_instant(at))

    def values(self, at: str, year: int | None = None) -> tuple[str, str, str, str]:
        """Waiting period, account day, e-voucher and benefit window, told."""
        waiting, account, evoucher, coverage = (told(each.value) for each in self.found(at, year))
        return waiting, account, evoucher, coverage

    def because(self, name: str, at: str, year: int | None = None) -> str | None:
        found: str | None = getattr(self.found(at, year), name).because
        return found

    def states(self, at: str, year: int | None = None) -> list[tuple[str, str]]:
        """The timeline, told."""
        changes = timeline(self.case(at, year))
        return [(told(change.at), told(change.state)) for change in changes]

    def state(self, at: str, year: int | None = None) -> str:
        change = state_at(timeline(self.case(at, year)), read_instant(at))
        return told(change.state if change else None)

    def steps(self, at: str, year: int | None = None) -> list[str]:
        """The codes of the next steps."""
        return [step.code for step in self.next_steps(at, year)]

    def next_steps(self, at: str, year: int | None = None) -> tuple[NextStep, ...]:
        instant: datetime = read_instant(at)
        change = state_at(timeline(self.case(at, year)), instant)
        return next_steps(self.case(at, year), instant, change.state if change else None)

    def codes(self, at: str, year: int | None = None) -> list[str]:
        """The codes of the discrepancies."""
        return [found.code for found in discrepancies(self.case(at, year))]

    def refused(self, name: str, at: str, year: int | None = None) -> str | None:
        """The code a command of a year is refused with; a payment is for that year."""
        case = self.case(at, year)
        codes = refusals_of(name, enrolls=case.policy.enrolled_by_payment)
        return first_refusal(codes, request(case, read_instant(at)))
