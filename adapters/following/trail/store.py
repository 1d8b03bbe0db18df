"""The trail's own tables: rows in, pages out."""

from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from typing import Any, Final, NamedTuple, Protocol
from uuid import UUID

from yibao.adapters.following.supervisor import Parked
from yibao.adapters.following.trail.layout import OF_A_STUDENT
from yibao.adapters.store import Reached
from yibao.adapters.store.connections import Sql, in_parts
from yibao.domain.vocabulary import EnrollmentId


class Progress(NamedTuple):
    """How far the trail has followed the facts and the refused attempts.

    Every fact up to `position` is in it, every attempt kept up to `attempt`, and the counts of
    the digest `counted`; `mark` is what the store says of itself as far as that. Where the next
    facts fix windows, `fanned` has the last position of these and a stream: the effects are listed
    up to its enrollment.
    """

    position: int = 0
    mark: str | None = None
    attempt: int = 0
    counted: int = 0
    fanned: str | None = None

    def is_at(self, there: Reached) -> bool:
        """Whether everything up to there is in it."""
        mine = (self.position, self.attempt, self.counted)
        return self.fanned is None and mine == tuple(there)


class TrailRow(NamedTuple):
    """One row of the trail, in the order of its columns."""

    listing: int
    recorded: int
    position: int
    attempt: int
    elsewhere: int
    occurred: int | None
    ref: str | None
    year: int | None
    fact_year: int | None
    policy: str | None
    school: str | None
    actor: str
    via: str | None
    kind: str
    code: str | None
    correlation: str | None
    moved: int
    changes: str | None


_COLUMNS: Final = ", ".join(TrailRow._fields)
_INSERT: Final = (
    f"INSERT INTO entries ({_COLUMNS}) VALUES ({', '.join('?' * len(TrailRow._fields))})"
)


class TrailStore(Protocol):
    """Where a trail is kept; `is_writable` tells whether we may follow."""

    is_writable: bool

    @property
    def is_kept(self) -> bool:
        """Whether what is taken in stays there when it is closed."""
        ...

    def reading(self) -> AbstractContextManager[Sql]:
        """A turn to read."""
        ...

    def writing(self) -> AbstractContextManager[Sql]:
        """A transaction with nobody in between; what is raised inside leaves nothing behind."""
        ...

    def has_tables(self, sql: Sql) -> bool: ...

    def can_hold(self, text: str) -> bool:
        """Whether the database takes a text; any other a command refuses, but a copy may hold."""
        ...

    def empty(self, sql: Sql) -> None:
        """The tables, with nothing in them."""
        ...

    def optimize(self) -> None:
        """Has the database look at how its tables are filled, so that it takes the right index."""
        ...

    def close(self) -> None: ...


def rows_of(sql: Sql, question: str, values: Sequence[Any]) -> list[TrailRow]:
    """The rows a question selects, in its order."""
    return [TrailRow(*row) for row in sql.rows(question.format(columns=_COLUMNS), values)]


class TrailTransaction(NamedTuple):
    """One transaction on the trail."""

    store: TrailStore
    sql: Sql

    def progress(self, fingerprint: str) -> Progress | None:
        """How far the trail is; None where it was made with anything else than this."""
        there = self.store.has_tables(self.sql)
        for found, *reached in self.sql.rows("SELECT * FROM progress") if there else ():
            if found == fingerprint:
                return Progress(*reached)
        return None

    def begin_anew(self, fingerprint: str) -> None:
        """Empties the trail."""
        self.store.empty(self.sql)
        self.sql.run("INSERT INTO progress VALUES (?, ?, ?, ?, ?, ?)", (fingerprint, *Progress()))

    def reach(self, progress: Progress) -> None:
        """Remembers how far the trail is, in the same transaction as what it holds."""
        self.sql.run(
            "UPDATE progress SET position=?, mark=?, attempt=?, counted=?, fanned=?", progress
        )

    def insert(self, rows: Iterable[TrailRow]) -> None:
        self.sql.run_many(_INSERT, map(self._filed, rows))

    def _filed(self, row: TrailRow) -> TrailRow:
        """A row under its school, or under none where the database does not take its name."""
        takes = row.school is None or self.store.can_hold(row.school)
        return row if takes else row._replace(school=None)

    def replace_counted(self, rows: Iterable[TrailRow]) -> None:
        """Lists the counts anew, all of them."""
        self.sql.run("DELETE FROM entries WHERE attempt < 0")
        self.insert(rows)

    def enrollments_of(self, streams: Iterable[UUID]) -> dict[UUID, EnrollmentId]:
        """Whose streams these are, the enrollments' own or those of the care."""
        found: dict[UUID, EnrollmentId] = {}
        for places, some in in_parts(sorted(stream.hex for stream in streams)):
            for own, care, *whose in self.sql.rows(
                f"SELECT * FROM enrollments WHERE stream IN ({places}) "
                f"UNION SELECT * FROM enrollments WHERE care_stream IN ({places})",
                (*some, *some),
            ):
                found[UUID(own)] = found[UUID(care)] = EnrollmentId(*whose)
        return found

    def years_of(self, refs: Iterable[str]) -> dict[str, list[int]]:
        """The years in which students are enrolled, ascending."""
        found: dict[str, list[int]] = {}
        for places, some in in_parts(refs):
            for ref, year in self.sql.rows(
                f"SELECT ref, year FROM enrollments WHERE ref IN ({places}) ORDER BY year", some
            ):
                found.setdefault(ref, []).append(year)
        return found

    def add_enrollments(self, enrollments: Iterable[EnrollmentId]) -> None:
        self.sql.run_many(
            "INSERT INTO enrollments VALUES (?, ?, ?, ?)",
            ((each.stream.hex, each.care_stream.hex, *each) for each in enrollments),
        )

    def edition_of(self, stream: UUID) -> str | None:
        """The edition whose stream it is."""
        found = self.sql.rows("SELECT policy FROM editions WHERE stream=?", (stream.hex,))
        return str(found[0][0]) if found else None

    def add_edition(self, stream: UUID, policy: str) -> None:
        self.sql.run("INSERT INTO editions VALUES (?, ?)", (stream.hex, policy))

    def add_schools(self, schools: Iterable[tuple[str, str, UUID]]) -> None:
        """Remembers whom windows may concern that are fixed for schools under an edition."""
        self.sql.run_many(
            "INSERT INTO schools VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
            (
                (policy, school, stream.hex)
                for policy, school, stream in schools
                if self.store.can_hold(school)
            ),
        )

    def concerned(
        self, policy: str, schools: Sequence[str] | None, after: str, limit: int
    ) -> list[tuple[str, EnrollmentId]]:
        """Some of those whom a window fixed for one of the schools (None: for any) may concern."""
        among = ""
        if schools is not None:
            schools = [school for school in schools if self.store.can_hold(school)]
            among = f" AND school IN ({', '.join('?' * len(schools)) or 'NULL'})"
        found = self.sql.rows(
            "SELECT stream, ref, year FROM enrollments WHERE stream IN "
            f"(SELECT stream FROM schools WHERE policy=?{among} AND stream>?) "
            "ORDER BY stream LIMIT ?",
            (policy, *(schools or ()), after, limit),
        )
        return [(stream, EnrollmentId(ref, year)) for stream, ref, year in found]

    def effects(self, position: int) -> list[tuple[str, str | None, int]]:
        """Who, at which school, and what moved, where a fixed window moved an answer of a year."""
        found = self.sql.rows(
            f"SELECT ref, school, moved FROM entries WHERE listing={OF_A_STUDENT} AND position=?",
            (position,),
        )
        return [(ref, school, moved) for ref, school, moved in found]

    def forget_fix(self, position: int) -> None:
        """Drops the listings of a fixed window for all and for schools, to be made again."""
        self.sql.run(
            f"DELETE FROM entries WHERE position=? AND attempt=0 AND listing<>{OF_A_STUDENT}",
            (position,),
        )

    def forget_student(self, enrollment: EnrollmentId) -> None:
        """Drops every fact listed for a student, to be listed again."""
        self.sql.run("DELETE FROM entries WHERE ref=? AND year=? AND attempt=0", enrollment)

    def parked(self) -> list[Parked]:
        """Whose facts could not be taken in."""
        return parked_in(self.sql)

    def park(self, parked: Parked) -> None:
        """Remembers that a student's facts cannot be taken in; the first reason stands."""
        self.sql.run("INSERT INTO parked VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING", parked)

    def unpark(self, stream: str) -> None:
        self.sql.run("DELETE FROM parked WHERE stream=?", (stream,))


def parked_in(sql: Sql) -> list[Parked]:
    """Whose facts could not be taken in, the longest first."""
    return [Parked(*row) for row in sql.rows("SELECT * FROM parked ORDER BY position, stream")]
