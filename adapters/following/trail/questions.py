"""What can be asked of the trail, and how a question becomes SQL over an index."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from typing import Any, Final, Literal, NamedTuple, Self

from pydantic import TypeAdapter, ValidationError

from yibao.adapters.following.derived import number_of
from yibao.adapters.following.supervisor import Parked
from yibao.adapters.following.trail.layout import (
    A_DAY,
    AHEAD,
    BITS,
    EVERYWHERE,
    OF_A_SCHOOL,
    OF_A_STUDENT,
    ORDER,
    REFUSED,
    day_of,
)
from yibao.adapters.following.trail.store import TrailRow
from yibao.domain.facts.events import EVENTS, Voided
from yibao.domain.refusals import REASONS, BadValue
from yibao.domain.vocabulary import AskedName

#: By what entries are counted.
By = Literal["kind", "actor", "code", "school", "day"]

#: The most days that may be asked for.
DAYS: Final = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """Which entries of the trail are asked for: those that fit everything that is given.

    `by` is the actor; `kind` a fact's stored name, or `refused` for refused attempts; `code`
    that of a refusal, of a report that does not fit or of refused care; `changed` the part of the
    answer that a fact changed; `facts_only` leaves out what was refused. `corrections` are facts
    that took the place of others, `voids` those by which others were taken back; with both it is
    either. `late` are the facts recorded more than so many days after they happened. Of an
    interval `from` is inclusive and `until` is not. A fact that moved answers of several years of
    a student has an entry for each: `year`, `edition`, `school` and `changed` are those answers'.
    """

    ref: str | None = None
    year: int | None = None
    edition: str | None = None
    school: str | None = None
    by: str | None = None
    via: str | None = None
    kind: str | None = None
    code: str | None = None
    correlation_id: str | None = None
    changed: str | None = None
    facts_only: bool = False
    corrections: bool = False
    voids: bool = False
    late: int | None = None
    recorded_from: datetime | None = None
    recorded_until: datetime | None = None
    happened_from: datetime | None = None
    happened_until: datetime | None = None
    newest_first: bool = False

    def __post_init__(self) -> None:
        for where, value, known in (
            ("changed", self.changed, tuple(BITS)),
            ("kind", self.kind, KINDS),
            ("code", self.code, tuple(REASONS)),
        ):
            if value is not None and not (isinstance(value, str) and value in known):
                raise BadValue(where, f"there is none of that name; there are {', '.join(known)}")
        if self.late is not None and not (isinstance(self.late, int) and 0 <= self.late <= DAYS):
            raise BadValue("late", f"is a number of days, from 0 to {DAYS}")
        for where, value in self._given():
            if where == "year":
                if not isinstance(value, int) or not 0 <= value <= 9999:
                    raise BadValue(where, "is no year")
            elif not isinstance(value, str) or not _is_recordable(where, value):
                raise BadValue(where, "is not text that anybody could have recorded")
        for where in _INSTANTS:
            value = getattr(self, where)
            if value is None:
                continue
            if not isinstance(value, datetime):
                raise BadValue(where, "is no instant")
            if value.utcoffset() is None:
                raise BadValue(where, "is an instant without a time zone")

    def may_concern(self, parked: Parked) -> bool:
        """Whether a fact of a student that is parked might fit, as far as is known of her."""
        asked, whose = (self.ref, self.year), (parked.ref, parked.year)
        return self.kind != REFUSED and all(
            None in both or len(set(both)) == 1 for both in zip(asked, whose, strict=True)
        )

    def sql(self, after: "Key | None" = None, limit: int | None = None) -> tuple[str, list[Any]]:
        """The statement, and what stands for its question marks."""
        where, values = _all_of(self._conditions(after))
        way = "DESC" if self.newest_first else "ASC"
        order = ", ".join(f"{column} {way}" for column in ORDER)
        limited = "" if limit is None else " LIMIT ?"
        limits = [] if limit is None else [limit]
        days = self._days_of_it() if limit else ()
        if days:
            # What happened on a day lies in the index in order: each day's first are enough.
            keys = f"SELECT entry, {', '.join(ORDER)} FROM entries WHERE {where} AND {_DAY} = ?"
            first = f"{keys} ORDER BY {order} LIMIT ?"
            each = " UNION ALL ".join(f"SELECT * FROM ({first}) AS d{n}" for n in range(len(days)))
            chosen = f"FROM ({each}) AS found ORDER BY {order} LIMIT ?"
            values = [value for day in days for value in (*values, day, limit)]
        else:
            chosen = f"FROM entries WHERE {where} ORDER BY {order}{limited}"
        values += limits
        if self.happened_from or self.happened_until:
            # The order may not be the index's: sort what that holds, then fetch a page.
            within = f"SELECT entry {chosen}"
            chosen = f"FROM entries WHERE entry IN ({within}) ORDER BY {order}"
        return f"SELECT {{columns}} {chosen}", values

    def _days_of_it(self) -> Sequence[int]:
        """The days on which it happened that is asked for, by number, where that is few days.

        There are no such days where another index may serve: by anything else that is given.
        """
        if self.happened_from is None or self.happened_until is None:
            return ()
        if self.changed is not None or any(True for _ in self._given()):
            return ()
        last = _day_number(self.happened_until - timedelta.resolution)
        days = range(_day_number(self.happened_from), last + 1)
        return days if len(days) <= _FEW_DAYS else ()

    def other_years_sql(self) -> tuple[str, list[Any]]:
        """The statement that finds one of the same entries whose fact is of another year."""
        where, values = _all_of(self._conditions(None))
        return f"SELECT 1 FROM entries WHERE {where} AND elsewhere <> 0 LIMIT 1", values

    def counting_sql(self) -> tuple[str, list[Any]]:
        """The statement that counts the same entries."""
        where, values = _all_of(self._conditions(None))
        return f"SELECT COUNT(*) FROM entries WHERE {where}", values

    def counting_sql_by(self, by: By) -> tuple[str, list[Any]]:
        """The statement that counts facts and refusals by what they have in common.

        Of what was counted when it was refused it gives the rows, with their counts in them.
        """
        where, values = _all_of(self._conditions(None))
        each = "*"
        if self.year is None and any(getattr(self, name) is not None for name in _OF_ANSWERS):
            each = _ONE
        elif self.year is None:
            where += " AND elsewhere = 0"  # the same facts, and no need to tell them apart
        named = COUNTED[by]
        kept = f"SELECT {named}, COUNT({each}), NULL FROM entries WHERE {where} AND attempt >= 0 "
        counts = f"SELECT {named}, 0, changes FROM entries WHERE {where} AND attempt < 0"
        return f"{kept} GROUP BY {named} UNION ALL {counts}", [*values, *values]

    def _conditions(self, after: "Key | None") -> Iterator[tuple[str, list[Any]]]:
        # A literal, not a question mark: the partial indexes are chosen by it.
        if self.ref is not None:
            yield f"ref IS NOT NULL AND listing <> {OF_A_SCHOOL}", []
        elif self.school is not None:
            yield f"listing <> {OF_A_STUDENT}", []
        else:
            yield f"listing = {EVERYWHERE}", []
        for column, value in self._given():
            yield f"{column} = ?", [value]
        if self.code is not None:
            yield "code IS NOT NULL", []
        if self.facts_only:
            yield "kind <> ?", [REFUSED]
        if self.corrections or self.voids:
            either = [_CORRECTION] * self.corrections + [_VOID] * self.voids
            where = " OR ".join(condition for condition, _ in either)
            yield f"({where})", [value for _, given in either for value in given]
        if self.late is not None:
            yield "kind <> ? AND recorded - occurred > ?", [REFUSED, self.late * A_DAY]
        if self.changed is not None:
            yield f"(moved & {BITS[self.changed]}) <> 0", []
        # The index has what happened by the day.
        for sign, instant in ((">=", self.happened_from), ("<=", self.happened_until)):
            if instant is not None:
                yield f"{_DAY} {sign} ?", [_day_number(instant)]
        for column, name in (("recorded", "recorded"), ("occurred", "happened")):
            for ends, sign in (("from", ">="), ("until", "<")):
                instant = getattr(self, f"{name}_{ends}")
                if instant is not None:
                    yield f"{column} {sign} ?", [number_of(instant)]
        if after is not None:
            sign = "<" if self.newest_first else ">"
            yield f"({', '.join(ORDER)}) {sign} (?, ?, ?, ?)", list(after)

    def _given(self) -> Iterator[tuple[str, Any]]:
        for field in fields(self):
            column = _COLUMNS.get(field.name)
            value = getattr(self, field.name)
            if column is not None and value is not None:
                yield column, value


def _all_of(conditions: Iterator[tuple[str, list[Any]]]) -> tuple[str, list[Any]]:
    """Conditions as one, and what stands for its question marks."""
    found = list(conditions)
    where = " AND ".join(condition for condition, _ in found)
    return where, [value for _, given in found for value in given]


def _is_recordable(column: str, value: str) -> bool:
    """Whether a fact can hold a text; what a school is called is up to its owner."""
    if column != "school":
        return value.isprintable()
    try:
        _NAME.validate_python(value)
    except ValidationError:
        return False
    return True


#: What may be asked for as a kind: the stored name of a fact, or what was refused.
KINDS: Final = (*EVENTS, REFUSED)
_NAME: Final[TypeAdapter[str]] = TypeAdapter(AskedName)
_INSTANTS: Final = ("recorded_from", "recorded_until", "happened_from", "happened_until")
#: What took the place of a fact, and what took one back: conditions on a row, with their values.
_CORRECTION: Final = ("(kind <> ? AND changes LIKE ?)", [Voided.name, '%"supersedes":%'])
_VOID: Final = ("kind = ?", [Voided.name])
#: By what one entry of a fact may fit and another not, and what is one fact, or one refusal.
_OF_ANSWERS: Final = ("ref", "edition", "school", "code", "changed")
_ONE: Final = "DISTINCT CASE attempt WHEN 0 THEN position ELSE -attempt END"
#: The column of each; a day is one of recording, in Shanghai, by its number since 1970.
COUNTED: Final[dict[By, str]] = {
    "kind": "kind",
    "actor": "actor",
    "code": "code",
    "school": "school",
    "day": day_of("recorded"),
}
_COLUMNS: Final = {
    "ref": "ref",
    "year": "year",
    "edition": "policy",
    "school": "school",
    "by": "actor",
    "via": "via",
    "kind": "kind",
    "code": "code",
    "correlation_id": "correlation",
}


_DAY: Final = day_of("occurred")
#: Of so many days each is asked for its first entries.
_FEW_DAYS: Final = 31


def _day_number(instant: datetime) -> int:
    """The number of a day, as `day_of` has it in SQL, which divides towards zero."""
    number = number_of(instant) + AHEAD
    return number // A_DAY if number >= 0 else -(-number // A_DAY)


class Key(NamedTuple):
    """The place of an entry in the order of the trail, where a page may begin after it.

    `elsewhere` is the year of the answers where it is not the fact's own; else the text has none.
    """

    recorded: int
    position: int
    attempt: int
    elsewhere: int = 0

    @classmethod
    def of(cls, row: TrailRow) -> Self:
        return cls(row.recorded, row.position, row.attempt, row.elsewhere)

    @classmethod
    def read(cls, text: str) -> Self:
        """The key in a text; raises BadValue for anything else."""
        place, is_elsewhere, year = text.partition("~")
        parts = [*place.split("."), year if is_elsewhere else "0"]
        try:
            recorded, position, attempt, elsewhere = (int(part) for part in parts if len(part) < 19)
        except ValueError:
            raise BadValue("after", "is not where a page of the trail ends") from None
        return cls(recorded, position, attempt, elsewhere)

    def __str__(self) -> str:
        place = f"{self.recorded}.{self.position}.{self.attempt}"
        return f"{place}~{self.elsewhere}" if self.elsewhere else place
