"""Facts taken in as their rows spell them, without an object being made of each.

What a word or a day is, is learned from facts that were read, and by the bytes it is known again.
Whoever tells something in any other way than we write it, or not learned yet, is read as ever.
"""

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any, Final, NamedTuple

from yibao.adapters.following.trail.layout import EVERYWHERE
from yibao.adapters.following.trail.rows import Head
from yibao.adapters.store.connections import SqlRow
from yibao.domain.facts import events
from yibao.domain.facts.events import StreamKind
from yibao.domain.vocabulary import Category, EnrollmentId
from yibao.projections.cohort.pairs import AddedUp, Kinds
from yibao.projections.cohort.shapes import UNIFORM_FROM, Told, Words, day_number, keys_of

#: So many spellings are remembered.
MOST: Final = 100_000

_SIGN: Final = r"[!#-\[\]-~]"
_KEY: Final = r"[A-Za-z0-9][A-Za-z0-9._:@+/-]{0,63}"
_HEX: Final = "[0-9a-f]"
_INSTANT: Final = (
    rf"((?:{UNIFORM_FROM.year + 1}|199[4-9]|2\d\d\d)-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{{6}})?\+08:00)"
)
#: What stands before a fact's own values, as it is written; each of these reads as it is spelt.
_ENVELOPE: Final = (
    rf'\{{"event_id":"{_HEX}{{8}}(?:-{_HEX}{{4}}){{3}}-{_HEX}{{12}}","schema":1,'
    rf'"occurred_at":"{_INSTANT}","recorded_at":"{_INSTANT}","by":"({_KEY})","via":"({_KEY})",'
    rf'"command_id":"{_SIGN}{{1,64}}","command_digest":"{_SIGN}*"'
    rf'(?:,"correlation_id":"({_SIGN}{{1,64}})")?(?:,"causation_id":"{_SIGN}{{1,64}}")?'
    r'(?:,"goes_on":true)?(?:,"observed":true)?'
)
_REF: Final = rf',"ref":"{_KEY}"'
_VALUE: Final = r'"[^"\\]+"|\d+'
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta.resolution
#: By how much Shanghai is ahead of UTC, by which rows tell instants.
_AHEAD: Final = timedelta(hours=8) // _MICROSECOND


#: After how many groups of the envelope a fact's own begin.
_OWN: Final = 5


class _Spelling(NamedTuple):
    """How a kind of fact is spelt; `taken` are its own values, in the order of the groups."""

    pattern: re.Pattern[bytes]
    taken: Sequence[str]
    days: Sequence[str]
    words: Sequence[str]


def _spelling(kind: type[events.Fact]) -> _Spelling:
    told = _ENVELOPE
    taken = []
    for key, field in kind.model_fields.items():
        if key == "ref":
            told += _REF
        elif key not in events.Fact.model_fields:
            taken.append(key)
            told += rf'(?:,"{key}":({_VALUE}))' + ("" if field.is_required() else "?")
    return _Spelling(re.compile(rf"{told}\}}".encode()), taken, *keys_of(kind))


@cache
def _spellings() -> dict[str, _Spelling]:
    return {
        kind.name: _spelling(kind)
        for kind in events.EVENTS.values()
        if issubclass(kind, events.Fact) and kind.stands_in is StreamKind.ENROLLMENT
    }


#: What a value is by the bytes it is spelt with.
_Known = dict[bytes, Any]


class _Learned(NamedTuple):
    """The places of the days and words of a kind of fact, and what is known of each."""

    pattern: re.Pattern[bytes]
    days: Sequence[tuple[int, str, _Known]]
    words: Sequence[tuple[int, str, _Known]]
    edition: tuple[int, _Known] | None


class Plain(NamedTuple):
    """The facts of somebody of whom each but adds to those before.

    `schools` are those of her, each with the position of the fact; `heads` are of what is new.
    """

    edition: str
    category: Category
    schools: Sequence[tuple[int, str]]
    added: AddedUp
    positions: Sequence[int]
    heads: Sequence[Head]


class _Gathered:
    """What somebody's facts come down to, so far."""

    def __init__(self) -> None:
        self.edition: str | None = None
        self.category: Category | None = None
        self.numbers: list[int] = []
        self.stamps: list[int] = []
        self.ends = [0]
        self.told: list[Told] = []
        self.heads: list[Head] = []
        self.schools: list[tuple[int, str]] = []


class Spellings:
    """Reads rows by what was learned of others."""

    def __init__(self, words: Words, kinds: Kinds) -> None:
        self._words, self._kinds = words, kinds
        self._told: dict[Any, Told] = {}
        self._learned: dict[str, _Learned] = {}
        self._size = 0

    def learn(self, rows: Sequence[SqlRow], recorded: Sequence[events.Event]) -> None:
        """Remembers how the facts of somebody are spelt, that were read from these rows."""
        if self._size > MOST:
            self._learned.clear()
            self._size = 0
        for (*_, topic, state), event in zip(rows, recorded, strict=True):
            found = self._of(topic)
            match = found and found.pattern.fullmatch(state)
            if not (found and match):
                continue
            for place, key, known in found.days:
                day = getattr(event, key)
                if day is not None and day >= UNIFORM_FROM:
                    self._keep(known, match[place + 1], day_number(day))
            for place, key, known in found.words:
                self._keep(known, match[place + 1], self._words.number(getattr(event, key)))
            if found.edition:
                place, known = found.edition
                self._keep(known, match[place + 1], event.payload()["policy"])

    def _keep(self, known: _Known, spelt: bytes | None, value: Any) -> None:
        if spelt is not None:
            self._size += spelt not in known
            known[spelt] = value

    def _of(self, topic: str) -> _Learned | None:
        found = self._learned.get(topic)
        if found is None and (spelling := _spellings().get(topic)) is not None:
            places = {key: place for place, key in enumerate(spelling.taken, _OWN)}
            days, words = (
                [(places[key], key, _Known()) for key in keys]
                for keys in (spelling.days, spelling.words)
            )
            edition = (places["policy"], _Known()) if "policy" in places else None
            found = self._learned[topic] = _Learned(spelling.pattern, days, words, edition)
        return found

    def read(self, whose: EnrollmentId, rows: Sequence[SqlRow], after: int) -> Plain | None:
        """The facts in her rows, of which those after a position are new.

        None where they are to be read one by one: what is there may not be fit to be read.
        """
        try:
            return self._read(whose, rows, after)
        except (_NotLearned, ValueError):
            return None

    def _read(self, whose: EnrollmentId, rows: Sequence[SqlRow], after: int) -> Plain:
        found = _Gathered()
        for version, (position, placed, topic, state) in enumerate(rows, 1):
            learned = self._of(topic)
            match = learned and learned.pattern.fullmatch(state)
            # The first registers her, and no other does.
            registers = learned is not None and learned.edition is not None
            if not (learned and match) or placed != version or registers != (version == 1):
                raise _NotLearned
            groups = match.groups()
            at, stamp = _instant(groups[0]), _instant(groups[1])
            found.numbers.append(at + _AHEAD)
            days = self._add_told(learned, groups, position, found)
            found.told.append(self._told_so(topic, version, days))
            found.stamps.append(stamp + _AHEAD)
            found.ends.append(len(found.numbers))
            if position > after:
                by, via, correlation = groups[2:5]
                kind = by.decode(), via.decode(), topic
                named = None if correlation is None else correlation.decode()
                placed = EVERYWHERE, stamp, position, 0, 0, at, *whose, None
                found.heads.append(Head(placed, kind, named, True))
        edition, category = found.edition, found.category
        if edition is None or category is None:
            raise _NotLearned
        told, numbers = tuple(found.told), found.numbers
        added = self._kinds.adding(edition, whose.year, told, found.ends, numbers, found.stamps)
        positions = [row[0] for row in rows]
        return Plain(edition, category, found.schools, added, positions, found.heads)

    def _add_told(
        self, learned: _Learned, groups: Sequence[Any], position: int, found: "_Gathered"
    ) -> tuple[str, ...]:
        """Adds what a fact tells, its days before its words; which days these are."""
        days: tuple[str, ...] = ()
        for place, key, known in learned.days:
            if groups[place] is not None:
                found.numbers.append(_known(known, groups[place]))
                days += (key,)
        for place, key, known in learned.words:
            number = 0 if groups[place] is None else _known(known, groups[place])
            found.numbers.append(number)
            if key == "school":
                found.schools.append((position, self._words.words[number]))
            elif key == "category":
                found.category = self._words.words[number]
        if learned.edition:
            place, known = learned.edition
            found.edition = _known(known, groups[place])
        return days

    def _told_so(self, *what: Any) -> Told:
        """One object for all who are told the same, which is quicker compared."""
        found = self._told.get(what)
        if found is None:
            found = self._told[what] = Told(*what)
        return found


class _NotLearned(Exception):
    """Somebody is to be read."""


def _known(known: _Known, spelt: bytes) -> Any:
    found = known.get(spelt)
    if found is None:
        raise _NotLearned
    return found


def _instant(spelt: bytes) -> int:
    """An instant as the microseconds since 1970; raises ValueError."""
    return (datetime.fromisoformat(spelt.decode()) - _EPOCH) // _MICROSECOND
