"""Which answers were ever given for a value, from when until when, and what ended each?"""

import reprlib
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any, NamedTuple

from yibao.domain.derivation import Derived
from yibao.domain.facts import events
from yibao.projections.answer import Answer
from yibao.projections.history.turning import Asking
from yibao.projections.parts import PARTS, Part
from yibao.projections.record import Record


class Held(NamedTuple):
    """An answer, and the interval of knowledge in which it held.

    It held from `known_from` (None: since before anything was known) up to, but not including,
    `known_until` (None: it still holds). `derived` is how it came about at first, where the
    part of the answer has a derivation. `ended_by` are the facts of the transaction that ended
    it; it is empty where time alone did, and where the answer still holds.
    """

    value: Any
    derived: Derived[Any] | None
    version: int
    known_from: datetime | None
    known_until: datetime | None
    ended_by: tuple[events.Event, ...]

    def __repr__(self) -> str:
        interval = f"from {self.known_from} until {self.known_until}"
        return f"<Held {reprlib.repr(self.value)} by version {self.version}, known {interval}>"


class _Given(NamedTuple):
    """An answer as it began to be given at an instant, and the facts that led to it.

    `without` is what would have been answered at that instant without them.
    """

    answered: Answer
    since: datetime | None
    led_to_by: tuple[events.Event, ...] = ()
    without: Answer | None = None


def history(
    record: Record, name: str, now: datetime, at: datetime | None = None
) -> tuple[Held, ...]:
    """Every answer given for one part of the answer, in order, up to `now`.

    With `at` all answers are about that instant; without it each is about the instant at which
    it was given, so that time alone may change it, too. The intervals follow one another
    without a gap; one is empty where two transactions have the same stamp. Raises LookupError
    for a part there is none of.
    """
    return histories(record, (name,), now, at)[name]


def histories(
    record: Record, names: Iterable[str], now: datetime, at: datetime | None = None
) -> dict[str, tuple[Held, ...]]:
    """The histories of several parts of the answer, from one pass through the record."""
    wanted = [_part(name) for name in names]
    held: dict[str, list[Held]] = {part.name: [] for part in wanted}
    ask = Asking(record, whole=not all(part.of_values for part in wanted))
    for given in _given(ask, now, at):
        for part in wanted:
            _follow(held[part.name], part, given)
    return {name: tuple(found) for name, found in held.items()}


def _part(name: str) -> Part:
    if name not in PARTS:
        raise LookupError(f"an answer has no {name!r}; it has {', '.join(PARTS)}")
    return PARTS[name]


def _follow(held: list[Held], part: Part, given: _Given) -> None:
    """Goes on with the history of a part by what was answered next."""
    value = part.value(given.answered)
    if held and held[-1].value == value:
        return
    if held:
        by_time = given.without is not None and part.value(given.without) == value
        ended_by = () if by_time else given.led_to_by
        held[-1] = held[-1]._replace(known_until=given.since, ended_by=ended_by)
    derived = part.derivation(given.answered)
    held.append(Held(value, derived, given.answered.version, given.since, None, ()))


def _given(ask: Asking, now: datetime, at: datetime | None) -> Iterator[_Given]:
    """The answers as they were given: after each transaction and, in between, as time went on."""
    record = ask.record
    known, since = record.known_by(0), None
    everything = record.known_by(now)
    yield _Given(ask(known, at or now), since)
    for transaction, following in record.transactions(known, everything):
        until = transaction[-1].recorded_at
        if at is None and since is not None:
            for turn in ask.turns(known, since, until):
                yield _Given(ask(known, turn), turn)
        when = at or until
        without = ask(known, when)
        yield _Given(ask(following, when), until, tuple(transaction), without)
        known, since = following, until
    if at is None and since is not None:
        for turn in ask.turns(known, since, now):
            yield _Given(ask(known, turn), turn)
        yield _Given(ask(known, now), now)
