"""The tables of the outbox, the same in a SQLite file of its own and in PostgreSQL.

What was noticed and acknowledged follows from no fact: it is kept for ever. All else follows from
the facts, and is made anew where it is of another version. Instants are microseconds since 1970.
"""

from typing import Final

from yibao.adapters.following.derived import Layout

#: Grows whenever the same facts would give other rows of what is made anew.
FORMAT: Final = 1

#: What becomes of an entry: it is listed, also where it was handed to somebody to deliver; then it
#: is acknowledged, or before that withdrawn.
LISTED, HANDED, ACKNOWLEDGED, WITHDRAWN = range(4)

KEEP: Final = (
    "CREATE TABLE IF NOT EXISTS entries (id INTEGER PRIMARY KEY AUTOINCREMENT, ref TEXT NOT NULL, "
    "year INTEGER NOT NULL, kind TEXT NOT NULL, what TEXT NOT NULL, due INTEGER, "
    "noticed INTEGER NOT NULL, state INTEGER NOT NULL)",
    "CREATE INDEX IF NOT EXISTS entries_of_a_student ON entries (ref)",
    f"CREATE INDEX IF NOT EXISTS entries_listed ON entries (id) WHERE state <= {HANDED}",
    # Before the window closes whoever has not joined is told of it: the same for all who poll.
    "CREATE TABLE IF NOT EXISTS settings (days_before INTEGER NOT NULL)",
)
KEPT: Final = ("entries", "settings")

CREATE: Final = (
    # What is due as known now. `told`: it is the last word; the others are looked at when they come
    "CREATE TABLE dues (ref TEXT NOT NULL, year INTEGER NOT NULL, kind TEXT NOT NULL, "
    "due INTEGER NOT NULL, told INTEGER NOT NULL, PRIMARY KEY (ref, year, kind)) WITHOUT ROWID",
    "CREATE INDEX dues_to_come ON dues (due) WHERE told = 0",
    "CREATE TABLE enrollments (stream TEXT PRIMARY KEY, ref TEXT NOT NULL, year INTEGER NOT NULL) "
    "WITHOUT ROWID",
    "CREATE INDEX enrollments_of_a_student ON enrollments (ref)",
    # Every school a student was ever at under an edition: whom a fixed window may concern.
    "CREATE TABLE schools (policy TEXT NOT NULL, school TEXT NOT NULL, ref TEXT NOT NULL, "
    "PRIMARY KEY (policy, school, ref)) WITHOUT ROWID",
    # Of whom something was recorded that was not looked at yet.
    "CREATE TABLE stale (ref TEXT PRIMARY KEY) WITHOUT ROWID",
    "CREATE TABLE parked (stream TEXT PRIMARY KEY, ref TEXT, year INTEGER, "
    "position INTEGER NOT NULL, told TEXT NOT NULL) WITHOUT ROWID",
    "CREATE TABLE progress (fingerprint TEXT NOT NULL, position INTEGER NOT NULL, mark TEXT)",
)
MADE_ANEW: Final = ("dues", "enrollments", "schools", "stale", "parked", "progress")

#: In a schema of PostgreSQL it stands as what only follows from the facts does.
OUTBOX: Final = Layout(
    told="outbox",
    schema="yibao_due",
    format=FORMAT,
    turn=4,
    tables=MADE_ANEW,
    create=lambda _: (*KEEP, *CREATE),
    mark={"entries": ("id", "ref", "year", "kind", "what", "due", "noticed", "state")},
    kept=KEPT,
)
