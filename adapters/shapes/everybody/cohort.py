"""Everybody at once as plain values: counts, pages, and the rows of what is exported."""

import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime
from typing import Any, Final, NotRequired

from pydantic import TypeAdapter
from typing_extensions import TypedDict

from yibao.adapters.shapes.schemas import DIALECT
from yibao.adapters.shapes.values import plain
from yibao.domain.derivation import Derived
from yibao.domain.facts import events
from yibao.domain.vocabulary import PENDING, EnrollmentId
from yibao.projections.answer import Answer
from yibao.projections.record import Knowledge, Record


class CountedCohort(TypedDict):
    """How many enrollments there are by what they have in common; `none` of those who have none.

    `known_at` is null where everything recorded is known, `as_of` the position up to which that
    is. `parked` students are in no count, since their facts cannot be read; where windows fixed
    for many are just being taken in, it `is_counting`.
    """

    at: str
    known_at: str | None
    as_of: int
    by: str
    counts: dict[str, int]
    total: int
    parked: NotRequired[int]
    is_counting: NotRequired[bool]


class ListedEnrollment(TypedDict):
    """An enrollment, and its answer in brief."""

    ref: str
    year: int
    school: str | None
    state: str | None
    next_step: str | None


class ListedCohort(TypedDict):
    """Some enrollments, and after which the next page begins, if there is more."""

    at: str
    known_at: str | None
    entries: list[ListedEnrollment]
    following: str | None


#: The columns of the values: nothing stands in a day's where it is pending or there is none.
VALUES: Final[dict[str, type]] = {
    "ref": str,
    "year": int,
    "school": str,
    "state": str,
    "waiting_from": date,
    "waiting_to": date,
    "account_built_on": date,
    "evoucher_available_at": datetime,
    "coverage_from": date,
    "coverage_to": date,
    "waiting_pending": bool,
    "account_built_on_pending": bool,
    "evoucher_available_at_pending": bool,
    "coverage_pending": bool,
}
#: The columns of the spans, over both times: the first instant inside and the first one outside, if
#: there is one, and by what was known from when until when; `known_until` of what stands is null.
SPANS: Final[dict[str, type]] = {
    "ref": str,
    "year": int,
    "school": str,
    "category": str,
    "policy": str,
    "begins_at": datetime,
    "ends_at": datetime,
    "state": str,
    "next_step": str,
    "step_until": datetime,
    "known_from": datetime,
    "known_until": datetime,
}
_FACT: Final[dict[str, type]] = {
    "version": int,
    "fact": str,
    "occurred_at": datetime,
    "recorded_at": datetime,
    "observed": bool,
    "event_id": str,
    "supersedes": str,
    "values": str,
}
#: The columns of the facts; `values` are those of the fact alone, as JSON.
FACTS: Final[dict[str, type]] = {"ref": str, "year": int, "school": str, "stream": str, **_FACT}
#: The columns of what was recorded under editions: windows that were fixed for all or for some.
WINDOWS: Final[dict[str, type]] = {"policy": str, **_FACT}
#: The columns of a list.
LISTED: Final = ("ref", "year", "school", "state", "next_step")


def value_row(answer: Answer) -> tuple[Any, ...]:
    """What stands in the columns of `VALUES` for one answer of somebody who is known."""
    assert answer.values is not None  # the cohort has nobody of whom nothing is known
    waiting, account, evoucher, coverage = answer.values
    return (
        *answer.enrollment,
        answer.school,
        _text(answer.state),
        *_ends(waiting),
        _told(account),
        _told(evoucher),
        *_ends(coverage),
        *(each.value is PENDING for each in answer.values),
    )


def _told(derived: Derived[Any]) -> Any:
    return None if derived.value is PENDING else derived.value


def _ends(derived: Derived[Any]) -> tuple[Any, Any]:
    value = _told(derived)
    return (None, None) if value is None else (value.first, value.last)


def _text(value: Any) -> str | None:
    return None if value is None else str(value)


def fact_rows(record: Record, knowledge: Knowledge) -> Iterator[tuple[Any, ...]]:
    """What stands in the columns of `FACTS` for what is known of one enrollment.

    Neither who told it nor the id it was told by is in it, and no note.
    """
    case = knowledge.case
    assert case is not None
    whose = (*knowledge.enrollment, case.facts.latest_school)
    streams = (
        ("enrollment", record.enrolled.events[: knowledge.version]),
        ("care", record.received.events[: knowledge.received.version]),
    )
    for stream, told in streams:
        for event in told:
            yield (*whose, stream, *_fact_row(event))


def window_rows(policy: str, recorded: Iterable[events.Event]) -> Iterator[tuple[Any, ...]]:
    """What stands in the columns of `WINDOWS` for what is known of one edition's stream."""
    for event in recorded:
        yield (policy, *_fact_row(event))


def _fact_row(event: events.Event) -> tuple[Any, ...]:
    values = {key: plain(value) for key, value in event.payload().items() if key != "ref"}
    return (
        event.originator_version,
        event.name,
        event.occurred_at,
        event.recorded_at,
        getattr(event, "observed", False),
        str(event.event_id),
        _text(getattr(event, "supersedes", None)),
        json.dumps(values, ensure_ascii=False),
    )


def counts_json(
    at: datetime,
    known_at: datetime | None,
    by: str,
    counts: Mapping[str, int],
    total: int,
    as_of: int,
    *,
    parked: int = 0,
    is_counting: bool = False,
) -> CountedCohort:
    """What `yibao cohort count --json` prints."""
    told = CountedCohort(
        at=at.isoformat(),
        known_at=plain(known_at),
        as_of=as_of,
        by=by,
        counts=dict(counts),
        total=total,
    )
    if parked:
        told["parked"] = parked
    if is_counting:
        told["is_counting"] = True
    return told


def page_json(
    at: datetime,
    known_at: datetime | None,
    entries: Iterable[tuple[EnrollmentId, str | None, str | None, str | None]],
    following: EnrollmentId | None,
) -> ListedCohort:
    """What `yibao cohort list --json` prints."""
    return ListedCohort(
        at=at.isoformat(),
        known_at=plain(known_at),
        entries=[
            ListedEnrollment(
                ref=whose.ref, year=whose.year, school=school, state=state, next_step=next_step
            )
            for whose, school, state, next_step in entries
        ],
        following=following and cursor_of(following),
    )


def cursor_of(enrollment: EnrollmentId) -> str:
    """An enrollment as the cursor of a page, in one word."""
    return f"{enrollment.ref}/{enrollment.year}"


def cohort_schema() -> dict[str, Any]:
    """What `yibao cohort count --json` and `yibao cohort list --json` print."""
    return {"$schema": DIALECT, **TypeAdapter(CountedCohort | ListedCohort).json_schema()}
