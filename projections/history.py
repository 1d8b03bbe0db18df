"""Which answers were ever given for a value, from when until when, and what ended each?"""

import reprlib
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from functools import cache, partial
from itertools import chain
from typing import Any, NamedTuple

from yibao.domain.calendar import day_after, midnight
from yibao.domain.derivation import Derived
from yibao.domain.facts import events
from yibao.domain.lifecycle import timeline
from yibao.domain.rules import Case, visible_at, waiting_period
from yibao.domain.vocabulary import WaitingPeriod
from yibao.projections.answer import Answer, answered
from yibao.projections.parts import PARTS, Part
from yibao.projections.record import Knowledge, Record

#: An answer, from what is known, for an instant.
_Asking = Callable[[Knowledge, datetime], Answer]


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
    without: Callable[[], Answer] | None = None


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
    ask = partial(answered, whole=not all(part.of_values for part in wanted))
    for given in _given(record, now, at, ask):
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
        by_time = given.without is not None and part.value(given.without()) == value
        ended_by = () if by_time else given.led_to_by
        held[-1] = held[-1]._replace(known_until=given.since, ended_by=ended_by)
    derived = part.derivation(given.answered)
    held.append(Held(value, derived, given.answered.version, given.since, None, ()))


def _given(record: Record, now: datetime, at: datetime | None, ask: _Asking) -> Iterator[_Given]:
    """The answers as they were given: after each transaction and, in between, as time went on."""
    known, since, days = record.known_by(0), None, _days_named(record)
    everything = record.known_by(now)
    yield _Given(ask(known, at or now), since)
    for transaction, following in record.transactions(known, everything):
        until = transaction[-1].recorded_at
        if at is None:
            yield from _as_time_goes_on(known, since, until, days, ask)
        when = at or until
        yield _Given(
            ask(following, when), until, tuple(transaction), cache(partial(ask, known, when))
        )
        known, since = following, until
    if at is None:
        yield from _as_time_goes_on(known, since, now, days, ask)
        yield _Given(ask(known, now), now)


def _as_time_goes_on(
    known: Knowledge,
    since: datetime | None,
    until: datetime,
    days: Sequence[datetime],
    ask: _Asking,
) -> Iterator[_Given]:
    """The answers given with the same knowledge between two instants, both excluded."""
    if since is not None and known.case is not None:
        found = {each for each in moments(known.case) if since < each < until}
        found.update(days[bisect_right(days, since) : bisect_left(days, until)])
        for moment in sorted(found):
            yield _Given(ask(known, moment), moment)


def _days_named(record: Record) -> list[datetime]:
    """When each day begins that was ever named: what is known of may begin to count then."""
    own = chain(record.enrolled.events, record.received.events)
    named = {day for event in own if (day := getattr(event, "on", None))}
    return sorted(map(midnight, named))


def moments(case: Case) -> set[datetime]:
    """Every instant, beside days that are named, at which passing time alone may change an answer.

    And perhaps some more. No fact lies after what is known, so none begins to count as time goes
    on; but what follows may lie ahead: the ends of a window, the end of a period.
    """
    if case.facts.registration is None:
        return set()
    found = {case.policy.ends_at, *(change.at for change in timeline(case))}
    for window in case.windows():
        found.update((window.opens_at, window.closed_from))
    for episode in case.episodes:
        found.add(visible_at(case, episode.confirmation).value)
    waiting = waiting_period(case).value
    if isinstance(waiting, WaitingPeriod):
        found.update((midnight(waiting.first), midnight(day_after(waiting.last))))
    return found
