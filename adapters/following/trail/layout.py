"""The tables of the trail, the same in a SQLite file of its own and in PostgreSQL.

Everything in it follows from the facts and the refused attempts; it may be deleted at any time
and is then made anew. One row lists one fact, or one refused attempt. A fact that moved the answers
of another year of the student as well is listed once more for that year. A window fixed for many is
listed once for all, once more for each enrollment whose answers it moved, and once for each school.
"""

from datetime import UTC, datetime, timedelta
from typing import Final

from yibao.domain.calendar import SHANGHAI
from yibao.projections.parts import PARTS

#: Grows whenever the same facts would give other rows; a trail of another number is made anew.
FORMAT: Final = 4

#: In which listings a row stands.
EVERYWHERE, OF_A_STUDENT, OF_A_SCHOOL = 0, 1, 2

#: The kind of the rows that list what was refused.
REFUSED: Final = "refused"

#: One bit for each part of the answer that a fact may have moved.
BITS: Final = {name: 1 << number for number, name in enumerate(PARTS)}

#: The order of the trail: by the stamp, then as the store took them, a refusal after the facts;
#: then the year whose answers it moved, where that is another one than the fact's own, or 0.
ORDER: Final = ("recorded", "position", "attempt", "elsewhere")
_ORDERED: Final = ", ".join(ORDER)

_EVERY: Final = f"listing = {EVERYWHERE}"
# What is often asked beside a school or an actor stands in its index: rows that do not fit are
# passed over without being read.
_INDEXES: Final = {
    "by_time": (_ORDERED, _EVERY),
    "by_student": (f"ref, {_ORDERED}", "ref IS NOT NULL"),
    "by_school": (f"school, {_ORDERED}, moved, kind, actor", f"listing <> {OF_A_STUDENT}"),
    "by_actor": (f"actor, {_ORDERED}, moved, kind", _EVERY),
    "by_kind": (f"kind, {_ORDERED}", _EVERY),
    "by_code": (f"code, {_ORDERED}", f"{_EVERY} AND code IS NOT NULL"),
    "by_correlation": (f"correlation, {_ORDERED}", "correlation IS NOT NULL"),
    "by_occurrence": (f"occurred, {_ORDERED}", _EVERY),
    "of_counts": ("attempt", "attempt < 0"),
    "of_students": ("position", f"listing = {OF_A_STUDENT}"),
    **{
        f"moved_{name}": (_ORDERED, f"{_EVERY} AND (moved & {bit}) <> 0")
        for name, bit in BITS.items()
    },
}

CREATE: Final = (
    "CREATE TABLE entries (entry INTEGER PRIMARY KEY, listing INTEGER NOT NULL, "
    "recorded INTEGER NOT NULL, position INTEGER NOT NULL, attempt INTEGER NOT NULL, "
    "elsewhere INTEGER NOT NULL, "
    "occurred INTEGER, ref TEXT, year INTEGER, fact_year INTEGER, policy TEXT, school TEXT, "
    "actor TEXT NOT NULL, via TEXT, kind TEXT NOT NULL, code TEXT, correlation TEXT, "
    "moved INTEGER NOT NULL, "
    "changes TEXT)",
    *(
        f"CREATE INDEX {name} ON entries ({columns}) WHERE {where}"
        for name, (columns, where) in _INDEXES.items()
    ),
    "CREATE TABLE enrollments (stream TEXT PRIMARY KEY, care_stream TEXT NOT NULL UNIQUE, "
    "ref TEXT NOT NULL, year INTEGER NOT NULL) WITHOUT ROWID",
    "CREATE INDEX of_people ON enrollments (ref)",
    # Every school a student was ever at under an edition, for an enrollment of then or of a later
    # year: whom a fixed window may concern.
    "CREATE TABLE schools (policy TEXT NOT NULL, school TEXT NOT NULL, stream TEXT NOT NULL, "
    "PRIMARY KEY (policy, school, stream)) WITHOUT ROWID",
    "CREATE TABLE editions (stream TEXT PRIMARY KEY, policy TEXT NOT NULL) WITHOUT ROWID",
    "CREATE TABLE progress (fingerprint TEXT NOT NULL, position INTEGER NOT NULL, "
    "mark TEXT, attempt INTEGER NOT NULL, counted INTEGER NOT NULL, fanned TEXT)",
    # Whose facts could not be taken in, from which position on, and why.
    "CREATE TABLE parked (stream TEXT PRIMARY KEY, ref TEXT, year INTEGER, "
    "position INTEGER NOT NULL, told TEXT NOT NULL) WITHOUT ROWID",
)
TABLES: Final = ("entries", "enrollments", "schools", "editions", "progress", "parked")

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)


def number_of(instant: datetime) -> int:
    """An instant as the microseconds since 1970, exact and cheap to compare."""
    return (instant - _EPOCH) // _MICROSECOND


def instant_of(number: int) -> datetime:
    """The instant of a number of microseconds, in Shanghai."""
    return (_EPOCH + number * _MICROSECOND).astimezone(SHANGHAI)
