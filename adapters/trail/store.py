"""The trail's own SQLite file: rows in, pages out."""

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from threading import RLock
from typing import Any, Final, NamedTuple
from uuid import UUID

from yibao.adapters.errors import StoreError
from yibao.adapters.sqlite import LOCK_TIMEOUT, prepare
from yibao.adapters.trail.layout import CREATE, OF_A_STUDENT, TABLES
from yibao.domain.vocabulary import EnrollmentId


class Progress(NamedTuple):
    """How far the trail has followed the facts and the refused attempts.

    Every fact up to `position` is in it, every attempt kept up to `attempt`, and every count up
    to the change `counted`; `mark` is what the store says of itself as far as that. Where the
    next fact fixes a window, its effects are listed up to the enrollment of the stream `fanned`.
    """

    position: int = 0
    mark: str | None = None
    attempt: int = 0
    counted: int = 0
    fanned: str | None = None


class Row(NamedTuple):
    """One row of the trail, in the order of its columns."""

    listing: int
    recorded: int
    position: int
    attempt: int
    occurred: int | None
    ref: str | None
    year: int | None
    policy: str | None
    school: str | None
    actor: str
    via: str | None
    kind: str
    code: str | None
    correlation: str | None
    moved: int
    changes: str | None


#: As much of the file as is mapped into memory, in bytes.
MAPPED: Final = 16 * 2**30
#: What a batch may change without writing it out in between, in KiB.
CACHE_KIB: Final = 64 * 1024

_COLUMNS: Final = ", ".join(Row._fields)
_INSERT: Final = f"INSERT INTO entries ({_COLUMNS}) VALUES ({', '.join('?' * len(Row._fields))})"


class TrailStore:
    """One connection to the trail's file, or to memory; threads take turns."""

    def __init__(self, database: str) -> None:
        self._turn = RLock()
        with _clear_errors(database):
            if database != ":memory:":
                prepare(database)
            self._connection = sqlite3.connect(
                database, timeout=LOCK_TIMEOUT, isolation_level=None, check_same_thread=False
            )
            self._check_whose()
            # What is lost with a power cut is made again from the facts.
            self._connection.execute("PRAGMA synchronous=NORMAL")
            # A page of the trail is read from as many places of a file that may be large.
            self._connection.execute(f"PRAGMA mmap_size={MAPPED}")
            self._connection.execute(f"PRAGMA cache_size=-{CACHE_KIB}")

    def _check_whose(self) -> None:
        """A trail may be deleted at any time, so nothing else may be in its file."""
        others = self._connection.execute(
            "SELECT name FROM sqlite_master WHERE type='table' AND name NOT LIKE 'sqlite%' "
            f"AND name NOT IN ({', '.join('?' * len(TABLES))})",
            TABLES,
        ).fetchall()
        if others:
            self._connection.close()
            raise StoreError(f"the trail needs a file of its own; this one holds {others[0][0]!r}")

    def close(self) -> None:
        self._connection.close()

    @contextmanager
    def transaction(self) -> "Iterator[TrailTransaction]":
        """Writes with nobody in between; what is raised inside leaves nothing behind."""
        with self._turn, _clear_errors():
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield TrailTransaction(self._connection)
                self._connection.execute("COMMIT")
            except BaseException:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise

    def rows(self, question: str, values: Sequence[Any]) -> list[Row]:
        """The rows a question selects, in its order."""
        with self._turn, _clear_errors():
            found = self._connection.execute(question.format(columns=_COLUMNS), values)
            return [Row(*row) for row in found]

    def counted(self, question: str, values: Sequence[Any]) -> int:
        with self._turn, _clear_errors():
            (found,) = self._connection.execute(question, values).fetchone()
        return int(found)

    def optimize(self) -> None:
        """Tells SQLite how its tables are filled, so that it chooses the right index."""
        with self._turn, _clear_errors():
            self._connection.execute("PRAGMA analysis_limit=1000")
            self._connection.execute("ANALYZE")


class TrailTransaction(NamedTuple):
    """One transaction on the trail."""

    connection: sqlite3.Connection

    def progress(self, fingerprint: str) -> Progress:
        """How far the trail is; one made with anything else than this is made anew."""
        (there,) = self.connection.execute(
            "SELECT COUNT(*) FROM sqlite_master WHERE name='progress'"
        ).fetchone()
        if there:
            found, *reached = self.connection.execute("SELECT * FROM progress").fetchone()
            if found == fingerprint:
                return Progress(*reached)
        return self.begin_anew(fingerprint)

    def begin_anew(self, fingerprint: str) -> Progress:
        """Empties the trail."""
        for table in TABLES:
            self.connection.execute(f"DROP TABLE IF EXISTS {table}")
        for statement in CREATE:
            self.connection.execute(statement)
        nothing = Progress()
        self.connection.execute(
            "INSERT INTO progress VALUES (?, ?, ?, ?, ?, ?)", (fingerprint, *nothing)
        )
        return nothing

    def reach(self, progress: Progress) -> None:
        """Remembers how far the trail is, in the same transaction as what it holds."""
        self.connection.execute(
            "UPDATE progress SET position=?, mark=?, attempt=?, counted=?, fanned=?", progress
        )

    def insert(self, rows: Iterable[Row]) -> None:
        self.connection.executemany(_INSERT, rows)

    def forget_counted(self) -> None:
        """Drops every count, to be listed again."""
        self.connection.execute("DELETE FROM entries WHERE attempt < 0")

    def replace_counted(self, rows: Iterable[Row]) -> None:
        """Lists counts, each in the place of the same count when it was lower."""
        for row in rows:
            self.connection.execute(
                "DELETE FROM entries WHERE listing=0 AND recorded=? AND position=? AND attempt=?",
                (row.recorded, row.position, row.attempt),
            )
            self.connection.execute(_INSERT, row)

    def enrollment_of(self, stream: UUID) -> EnrollmentId | None:
        """Whose stream it is, the enrollment's own or that of the care."""
        found = self.connection.execute(
            "SELECT ref, year FROM enrollments WHERE stream=?1 OR care_stream=?1", (stream.hex,)
        ).fetchone()
        return EnrollmentId(*found) if found else None

    def add_enrollment(self, enrollment: EnrollmentId) -> None:
        self.connection.execute(
            "INSERT INTO enrollments VALUES (?, ?, ?, ?)",
            (enrollment.stream.hex, enrollment.care_stream.hex, *enrollment),
        )

    def edition_of(self, stream: UUID) -> str | None:
        """The edition whose stream it is."""
        found = self.connection.execute(
            "SELECT policy FROM editions WHERE stream=?", (stream.hex,)
        ).fetchone()
        return str(found[0]) if found else None

    def add_edition(self, stream: UUID, policy: str) -> None:
        self.connection.execute("INSERT INTO editions VALUES (?, ?)", (stream.hex, policy))

    def add_schools(self, schools: Iterable[tuple[str, str, UUID]]) -> None:
        """Remembers that enrollments were at schools under an edition."""
        self.connection.executemany(
            "INSERT OR IGNORE INTO schools VALUES (?, ?, ?)",
            ((policy, school, stream.hex) for policy, school, stream in schools),
        )

    def concerned(
        self, policy: str, schools: Sequence[str] | None, after: str, limit: int
    ) -> list[tuple[str, EnrollmentId]]:
        """Some of the enrollments that were ever at one of the schools (None: at any)."""
        among = "" if schools is None else f" AND school IN ({', '.join('?' * len(schools))})"
        found = self.connection.execute(
            "SELECT stream, ref, year FROM enrollments WHERE stream IN "
            f"(SELECT stream FROM schools WHERE policy=?{among} AND stream>?) "
            "ORDER BY stream LIMIT ?",
            (policy, *(schools or ()), after, limit),
        )
        return [(stream, EnrollmentId(ref, year)) for stream, ref, year in found]

    def effects(self, position: int) -> list[tuple[str | None, int]]:
        """The school and what moved, for each student whose answers a fact of others moved."""
        found = self.connection.execute(
            f"SELECT school, moved FROM entries WHERE listing={OF_A_STUDENT} AND position=?",
            (position,),
        )
        return found.fetchall()


@contextmanager
def _clear_errors(database: str | None = None) -> Iterator[None]:
    try:
        yield
    except (sqlite3.Error, OSError) as error:
        where = f" {database!r}" if database else ""
        raise StoreError(f"the trail{where} failed: {error}") from error
