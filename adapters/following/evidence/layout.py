"""The tables of the evidence, the same in a SQLite file of its own and in PostgreSQL.

Tiles follow from the rows of the store and can be made anew; notes cannot: they are what was
signed. So nothing here is ever dropped, and another layout would have to bring the notes along.
Instants are whole microseconds since 1970.
"""

from typing import Final

from yibao.adapters.following.derived import Layout

_PROGRESS: Final = ("log", "origin", "vkey", "key_file", "size", "position")


def _created(side: str) -> tuple[str, ...]:
    return (
        # Each log: with which key it is signed, how many entries it has, and up to which position.
        f"CREATE TABLE {side}progress (log TEXT PRIMARY KEY, origin TEXT NOT NULL, "
        "vkey TEXT NOT NULL, key_file TEXT NOT NULL, size INTEGER NOT NULL, "
        "position INTEGER NOT NULL) WITHOUT ROWID",
    )


EVIDENCE: Final = Layout(
    told="evidence",
    schema="yibao_evidence",
    format=1,
    turn=6,
    tables=("progress",),
    create=_created,
    mark={"progress": _PROGRESS},
    shared={
        # `first` is the position of the first entry of a tile of leaves; of those above it is none.
        "tiles": "CREATE TABLE tiles (log TEXT NOT NULL, level INTEGER NOT NULL, "
        "number INTEGER NOT NULL, first INTEGER, hashes BLOB NOT NULL, "
        "PRIMARY KEY (log, level, number)) WITHOUT ROWID",
        # `position` is that of the last entry; `published` when it was, at one place at least.
        "notes": "CREATE TABLE notes (log TEXT NOT NULL, size INTEGER NOT NULL, "
        "position INTEGER NOT NULL, note TEXT NOT NULL, signed INTEGER NOT NULL, "
        "published INTEGER, PRIMARY KEY (log, size)) WITHOUT ROWID",
    },
)
