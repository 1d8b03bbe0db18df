"""What changed between two states of knowledge, and which facts changed it?"""

import reprlib
from datetime import datetime
from typing import Any, NamedTuple

from yibao.domain.facts import events
from yibao.domain.refusals import UnknownCutoff
from yibao.projections.answer import Answer, answered
from yibao.projections.parts import PARTS
from yibao.projections.record import Cutoff, Record


class Difference(NamedTuple):
    """One part of the answer that differs, and the facts at whose recording it moved."""

    name: str
    then: Any
    now: Any
    moved_by: tuple[events.Event, ...]

    def __repr__(self) -> str:
        then, now = reprlib.repr(self.then), reprlib.repr(self.now)
        return f"<Difference {self.name}: {then}, now {now}, moved by {len(self.moved_by)}>"


class Comparison(NamedTuple):
    """Two answers to the same question, and everything recorded in between."""

    then: Answer
    now: Answer
    differences: tuple[Difference, ...]
    facts_between: tuple[events.Event, ...]

    def __repr__(self) -> str:
        whom, parts = self.now.enrollment, ", ".join(each.name for each in self.differences)
        since = f"from version {self.then.version} to {self.now.version}"
        return f"<Comparison about {whom.ref!r} in {whom.year} {since}: {parts or 'no difference'}>"


def compare(record: Record, at: datetime, then: Cutoff, now: Cutoff) -> Comparison:
    """The answers for one instant as known by two cut-offs, and what lies between them.

    Between the two, knowledge is followed transaction by transaction: one moved whatever
    differs right before and after it. Raises UnknownCutoff where `then` knows more than `now`.
    """
    known_then, known_now = record.known_by(then), record.known_by(now)
    if record.goes_back(known_then, known_now):
        raise UnknownCutoff("the earlier cut-off of a comparison knows more than the later one")
    first, last = answered(known_then, at), answered(known_now, at)
    before = _parts(first)
    moved: dict[str, list[events.Event]] = {name: [] for name in PARTS}
    between: list[events.Event] = []
    for transaction, known in record.transactions(known_then, known_now):
        after = _parts(answered(known, at))
        for name in PARTS:
            if before[name] != after[name]:
                moved[name].extend(transaction)
        between.extend(transaction)
        before = after
    was, is_now = _parts(first), _parts(last)
    differences = tuple(
        Difference(name, was[name], is_now[name], tuple(moved[name]))
        for name in PARTS
        if was[name] != is_now[name]
    )
    return Comparison(first, last, differences, tuple(between))


def _parts(answer: Answer) -> dict[str, Any]:
    return {name: part.value(answer) for name, part in PARTS.items()}
