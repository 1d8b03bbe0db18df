"""The tables of the cohort, the same in a SQLite file of its own and in PostgreSQL.

Everything in them follows from the facts; they may be deleted at any time and are then made anew.
`known` has a row for each time at which something was learned of an enrollment, with what was known
then as a shape and numbers, of which there are none where one is to be asked apart. `spans` has one
for each answer that then stood, over both times. An answer that what was learned later leaves as it
is keeps its row. Instants are whole microseconds since 1970, those outside the first ones too late.
"""

from typing import Final

from yibao.adapters.following.derived import COMMON, PROGRESS, Layout, common_tables

#: Grows whenever the same facts would give other rows; what is of another number is made anew.
FORMAT: Final = 2

#: Before and after every instant there is.
EVER, FOREVER = -(2**62), 2**62


def _created(side: str) -> tuple[str, ...]:
    return (
        f"CREATE TABLE {side}enrollments (number INTEGER PRIMARY KEY, "
        "stream TEXT NOT NULL UNIQUE, care_stream TEXT NOT NULL UNIQUE, "
        "ref TEXT COLLATE BINARY NOT NULL, year INTEGER NOT NULL)",
        f"CREATE UNIQUE INDEX {side}of_people ON {side}enrollments (ref, year)",
        # What many students have in common, once each; `told` is all of it.
        f"CREATE TABLE {side}groups (number INTEGER PRIMARY KEY, told TEXT NOT NULL UNIQUE, "
        "year INTEGER NOT NULL, policy TEXT NOT NULL, school TEXT, category TEXT)",
        f"CREATE TABLE {side}standings (number INTEGER PRIMARY KEY, told TEXT NOT NULL UNIQUE, "
        "state TEXT, next_step TEXT)",
        # What facts come down to: their shapes, and a number for each word, from one on.
        *(
            f"CREATE TABLE {side}{table} (number INTEGER NOT NULL, told TEXT NOT NULL, "
            "PRIMARY KEY (number)) WITHOUT ROWID"
            for table in ("shapes", "words")
        ),
        f"CREATE TABLE {side}known (enrollment INTEGER NOT NULL, known_from INTEGER NOT NULL, "
        "known_until INTEGER NOT NULL, grp INTEGER NOT NULL, codes TEXT NOT NULL, "
        "shape INTEGER, numbers BLOB, PRIMARY KEY (enrollment, known_from)) WITHOUT ROWID",
        f"CREATE TABLE {side}spans (enrollment INTEGER NOT NULL, known_from INTEGER NOT NULL, "
        "begins INTEGER NOT NULL, ends INTEGER NOT NULL, known_until INTEGER NOT NULL, "
        "grp INTEGER NOT NULL, standing INTEGER NOT NULL, until INTEGER, "
        "PRIMARY KEY (enrollment, known_from, begins)) WITHOUT ROWID",
        *_indexes(side).values(),
        *common_tables(side),
    )


def _indexes(side: str) -> dict[str, str]:
    # Counts are read from them alone: of a group, or of everybody.
    columns = {
        "known": "known_until, grp, known_from, codes",
        "spans": "known_until, grp, begins, ends, standing, known_from",
    }
    return {
        f"{side}{table}_of_groups": f"CREATE INDEX {side}{table}_of_groups ON {side}{table} ({of})"
        for table, of in columns.items()
    }


#: Two sides: while one is made anew the other is asked, and stays to go back to.
COHORT: Final = Layout(
    told="cohort",
    schema="yibao_cohort",
    format=FORMAT,
    turn=5,
    tables=("enrollments", "groups", "standings", "shapes", "words", "known", "spans", *COMMON),
    create=_created,
    late=_indexes,
    mark={"a_progress": PROGRESS, "current": ("side",)},
    sides=("a_", "b_"),
    shared={"current": "CREATE TABLE current (side TEXT NOT NULL)"},
)
