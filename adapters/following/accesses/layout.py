"""The tables of who looked at whom, and of who has to ask no longer, as either database has them.

They follow from nothing: in a PostgreSQL database they stand beside what does, made by the same
owner and never made anew. What is asked of the first and noted in it is the directory's; the
others are the web's.
"""

from typing import Final

from yibao.adapters.following.derived import Layout

#: Its statement: in a directory it stands among the tables of that, behind their prefix.
ACCESSES_TABLE: Final = (
    "CREATE TABLE IF NOT EXISTS {prefix}accesses (number INTEGER PRIMARY KEY AUTOINCREMENT, "
    "at TEXT NOT NULL, actor TEXT NOT NULL, what TEXT NOT NULL, ref TEXT, reason TEXT, "
    "year INTEGER, trace TEXT)"
)

#: Sessions that were ended and how long they would have lasted, and refused tries by the hour.
#: Beside a SQLite store they have a file of their own.
SHARED_TABLES: Final = (
    "CREATE TABLE IF NOT EXISTS {prefix}ended (session TEXT PRIMARY KEY, until INTEGER NOT NULL) "
    "WITHOUT ROWID",
    "CREATE TABLE IF NOT EXISTS {prefix}tries (actor TEXT NOT NULL, hour INTEGER NOT NULL, "
    "refused INTEGER NOT NULL, PRIMARY KEY (actor, hour)) WITHOUT ROWID",
)

ACCESSES: Final = Layout(
    told="accesses",
    schema="yibao_accesses",
    format=2,
    turn=7,
    tables=(),
    create=lambda _: tuple(each.format(prefix="") for each in (ACCESSES_TABLE, *SHARED_TABLES)),
    mark={"accesses": ("number", "at", "actor", "what", "ref", "reason", "year", "trace")},
    kept=("accesses", "ended", "tries"),
)
