"""The tables of the trail, the same in a SQLite file of its own and in PostgreSQL.

Everything in it follows from the facts and the refused attempts; it may be deleted at any time
and is then made anew. One row lists one fact, or one refused attempt. A fact that moved the answers
of another year of the student as well is listed once more for that year. A window fixed for many is
listed once for all, once more for each enrollment whose answers it moved, and once for each school.
"""

from datetime import timedelta
from typing import Final

from yibao.adapters.following.derived import COMMON, PROGRESS, Layout, common_tables
from yibao.projections.parts import PARTS

#: Grows whenever the same facts would give other rows; a trail of another number is made anew.
FORMAT: Final = 5

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

#: A day in the microseconds of a row, and by how much Shanghai's begins before that of UTC.
A_DAY: Final = timedelta(days=1) // timedelta.resolution
AHEAD: Final = A_DAY * 8 // 24


def day_of(column: str) -> str:
    """The day of an instant in Shanghai, as a number since 1970; before that a day is two."""
    return f"(({column} + {AHEAD}) / {A_DAY})"


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
    # By the day, so that what happened on it lies in the order of the trail.
    "by_occurrence": (f"{day_of('occurred')}, {_ORDERED}, occurred", _EVERY),
    "of_counts": ("attempt", "attempt < 0"),
    "of_students": ("position", f"listing = {OF_A_STUDENT}"),
    **{
        f"moved_{name}": (_ORDERED, f"{_EVERY} AND (moved & {bit}) <> 0")
        for name, bit in BITS.items()
    },
}

#: How they are made, by their names.
_INDEXED: Final = {
    name: f"CREATE INDEX {name} ON entries ({columns}) WHERE {where}"
    for name, (columns, where) in _INDEXES.items()
}

_CREATE: Final = (
    "CREATE TABLE entries (entry INTEGER PRIMARY KEY, listing INTEGER NOT NULL, "
    "recorded INTEGER NOT NULL, position INTEGER NOT NULL, attempt INTEGER NOT NULL, "
    "elsewhere INTEGER NOT NULL, "
    "occurred INTEGER, ref TEXT, year INTEGER, fact_year INTEGER, policy TEXT, school TEXT, "
    "actor TEXT NOT NULL, via TEXT, kind TEXT NOT NULL, code TEXT, correlation TEXT, "
    "moved INTEGER NOT NULL, "
    "changes TEXT)",
    *_INDEXED.values(),
    "CREATE TABLE enrollments (stream TEXT PRIMARY KEY, care_stream TEXT NOT NULL UNIQUE, "
    "ref TEXT NOT NULL, year INTEGER NOT NULL) WITHOUT ROWID",
    "CREATE INDEX of_people ON enrollments (ref)",
)


def _created(side: str) -> tuple[str, ...]:
    return (*_CREATE, *common_tables(side))


#: The tables of the trail; by these columns every trail is known that was ever released.
TRAIL: Final = Layout(
    told="trail",
    schema="yibao_trail",
    format=FORMAT,
    turn=3,
    tables=("entries", "enrollments", *COMMON),
    create=_created,
    late=lambda _: _INDEXED,
    mark={"progress": PROGRESS, "enrollments": ("stream", "care_stream", "ref", "year")},
)
TABLES: Final = TRAIL.tables
