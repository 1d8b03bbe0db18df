"""The table of who looked at whom, as either database has it.

It follows from nothing: in a PostgreSQL database it stands beside what does, made by the same owner
and never made anew. What is asked of it and noted in it is the directory's.
"""

from typing import Final

from yibao.adapters.following.derived import Layout

#: Its statement: in a directory it stands among the tables of that, behind their prefix.
ACCESSES_TABLE: Final = (
    "CREATE TABLE IF NOT EXISTS {prefix}accesses (number INTEGER PRIMARY KEY AUTOINCREMENT, "
    "at TEXT NOT NULL, actor TEXT NOT NULL, what TEXT NOT NULL, ref TEXT, reason TEXT, "
    "year INTEGER, trace TEXT)"
)

ACCESSES: Final = Layout(
    told="accesses",
    schema="yibao_accesses",
    format=1,
    turn=7,
    tables=(),
    create=lambda _: (ACCESSES_TABLE.format(prefix=""),),
    mark={"accesses": ("number", "at", "actor", "what", "ref", "reason", "year", "trace")},
    kept=("accesses",),
)
