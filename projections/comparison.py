"""What changed between two states of knowledge, and which facts changed it?"""

import math
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from heapq import merge
from operator import attrgetter
from typing import Any, NamedTuple

from yibao.domain.facts import events
from yibao.domain.refusals import UnknownCutoff
from yibao.domain.vocabulary import EnrollmentId, edition_stream
from yibao.projections.answer import Answer, answer
from yibao.projections.record import (
    Cutoff,
    Edition,
    Knowledge,
    edition_named,
    known_at_versions,
    known_by,
    recorded_by,
)

COMPARED = (
    "state",
    "waiting",
    "account_built_on",
    "evoucher_available_at",
    "coverage",
    "next_steps",
    "discrepancies",
    "timeline",
    "care",
)


class Difference(NamedTuple):
    """One part of the answer that differs, and the facts at whose recording it moved."""

    name: str
    then: Any
    now: Any
    moved_by: tuple[events.Event, ...]


class Comparison(NamedTuple):
    """Two answers to the same question, and everything recorded in between."""

    then: Answer
    now: Answer
    differences: tuple[Difference, ...]
    facts_between: tuple[events.Event, ...]


def compare(
    enrollment: EnrollmentId,
    recorded: Sequence[events.Event],
    edition_of: Callable[[str], Edition],
    at: datetime,
    then: Cutoff,
    now: Cutoff,
    received: Sequence[events.Event] = (),
) -> Comparison:
    """The answers for one instant as known by two cut-offs, and what lies between them.

    Between the two, knowledge is followed transaction by transaction: one moved whatever
    differs right before and after it. Raises UnknownCutoff where `then` knows more than `now`.
    """
    known_then = known_by(enrollment, recorded, edition_of, then, received)
    known_now = known_by(enrollment, recorded, edition_of, now, received)
    _check_order(edition_of, known_then, known_now)
    first = before = answer(known_then, at)
    last = answer(known_now, at)
    moved: dict[str, list[events.Event]] = {name: [] for name in COMPARED}
    between: list[events.Event] = []
    for transaction, known in transactions(
        enrollment, recorded, received, edition_of, known_then, known_now
    ):
        after = answer(known, at)
        for name in COMPARED:
            if part(before, name) != part(after, name):
                moved[name].extend(transaction)
        between.extend(transaction)
        before = after
    differences = tuple(
        Difference(name, part(first, name), part(last, name), tuple(moved[name]))
        for name in COMPARED
        if part(first, name) != part(last, name)
    )
    return Comparison(first, last, differences, tuple(between))


def transactions(
    enrollment: EnrollmentId,
    recorded: Sequence[events.Event],
    received: Sequence[events.Event],
    edition_of: Callable[[str], Edition],
    then: Knowledge,
    now: Knowledge,
) -> Iterator[tuple[list[events.Event], Knowledge]]:
    """What was recorded in between, transaction by transaction, and what was known after each.

    Windows are those of every edition the student was ever registered under.
    """
    named = {
        event.policy for event in recorded[: now.version] if isinstance(event, events.Registered)
    }
    versions = {enrollment.stream: then.version, enrollment.care_stream: then.received.version}
    fixed: list[events.Event] = []
    for name in sorted(named):
        edition, before = edition_of(name), _fixed_by(edition_of, name, then)
        versions[edition_stream(name)] = before
        fixed.extend(edition.recorded[before : _fixed_by(edition_of, name, now)])
    fresh = (
        sorted(fixed, key=attrgetter("recorded_at")),
        recorded[then.version : now.version],
        received[then.received.version : now.received.version],
    )
    gathered: list[events.Event] = []
    for event in _in_order(enrollment, *fresh):
        gathered.append(event)
        if event.goes_on:
            continue
        versions[event.originator_id] = event.originator_version
        version = versions[enrollment.stream]
        under = edition_named(recorded[:version])
        known = known_at_versions(
            enrollment,
            recorded,
            edition_of,
            version,
            versions[edition_stream(under)] if under else 0,
            event.recorded_at,
            received[: versions[enrollment.care_stream]],
        )
        yield gathered, known
        gathered = []


def _in_order(
    enrollment: EnrollmentId,
    fixed: Sequence[events.Event],
    recorded: Sequence[events.Event],
    received: Sequence[events.Event],
) -> Iterator[events.Event]:
    """What three streams recorded, in the order of the stamps.

    Where stamps are equal, windows come first, and care before what the enrollment recorded
    after a settlement that follows it: a settlement tells on which version it stood.
    """
    stood_on: dict[int, float] = {}
    version = math.inf
    for event in reversed(received):
        if isinstance(event, events.CareSettled):
            version = min(version, event.enrollment_version)
        stood_on[event.originator_version] = version

    def key(event: events.Event) -> tuple[datetime, float, bool]:
        if event.originator_id == enrollment.stream:
            return event.recorded_at, event.originator_version, False
        if event.originator_id == enrollment.care_stream:
            return event.recorded_at, stood_on[event.originator_version], True
        return event.recorded_at, 0, False

    return merge(fixed, recorded, received, key=key)


def _check_order(edition_of: Callable[[str], Edition], then: Knowledge, now: Knowledge) -> None:
    """Raises UnknownCutoff where the earlier cut-off knows more of any of the streams."""
    fixed = 0
    if now.case is not None:
        fixed = _fixed_by(edition_of, now.case.policy.edition, then)
    earlier = (then.version, fixed, then.received.version)
    latest = (now.version, now.edition_version, now.received.version)
    if any(a > b for a, b in zip(earlier, latest, strict=True)):
        raise UnknownCutoff("the earlier cut-off of a comparison knows more than the later one")


def _fixed_by(edition_of: Callable[[str], Edition], name: str, known: Knowledge) -> int:
    """How far an edition was fixed as known by a cut-off."""
    return recorded_by(edition_of(name).recorded, known.known_at) if known.known_at else 0


def part(answered: Answer, name: str) -> Any:
    """One named part of an answer, as plain values that compare equal when they say the same."""
    if name == "timeline":
        return tuple((change.at, change.state) for change in answered.timeline)
    if name == "care":
        return tuple(each.amounts for each in answered.care)
    if name in ("state", "next_steps", "discrepancies"):
        return getattr(answered, name)
    return getattr(answered.values, name).value if answered.values else None
