"""What any projection keeps: how far it is, whose streams it reads, who is parked."""

from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from typing import Final, NamedTuple, Protocol
from uuid import UUID

from yibao.adapters.following.derived.layout import Layout
from yibao.adapters.following.supervisor import Parked
from yibao.adapters.store.connections import Sql, in_parts
from yibao.domain.vocabulary import EnrollmentId

#: The streams of an enrollment, its own and that of the care.
Streams = tuple[UUID, UUID]


class Progress(NamedTuple):
    """How far a projection has followed the facts and the refused attempts.

    Every fact up to `position` is in it and, where it follows these as well, every attempt kept up
    to `attempt` and the counts of the digest `counted`; `mark` is what the store says of itself as
    far as that. Where the next facts fix windows, `fanned` has the last position of these and a
    stream: whom they concern is taken in up to its enrollment.
    """

    position: int = 0
    mark: str | None = None
    attempt: int = 0
    counted: int = 0
    fanned: str | None = None


class Tables(Protocol):
    """Where a projection is kept; `is_writable` tells whether we may follow."""

    layout: Layout
    is_writable: bool

    @property
    def is_kept(self) -> bool:
        """Whether what is taken in stays there when it is closed."""
        ...

    def reading(self) -> AbstractContextManager[Sql]:
        """A turn to read."""
        ...

    def snapshot(self) -> AbstractContextManager[Sql]:
        """A turn to read in which everything is of one moment."""
        ...

    def writing(self) -> AbstractContextManager[Sql]:
        """A transaction with nobody in between; what is raised inside leaves nothing behind."""
        ...

    def prefix(self, side: str) -> str:
        """What stands before the names of the tables of a side."""
        ...

    def has_tables(self, sql: Sql, side: str) -> bool: ...

    def can_hold(self, text: str) -> bool:
        """Whether the database takes a text; any other a command refuses, but a copy may hold."""
        ...

    def empty(self, sql: Sql, side: str) -> None:
        """The tables of a side, with nothing in them."""
        ...

    def leave_indexes(self, sql: Sql, side: str) -> None:
        """Drops those `late` indexes of a side that may be dropped, until they are made again."""
        ...

    def make_indexes(self, sql: Sql, side: str) -> None: ...

    def optimize(self) -> None:
        """Has the database look at how its tables are filled, so that it takes the right index."""
        ...

    def close(self) -> None: ...


class Transaction:
    """One transaction on the tables of a side."""

    def __init__(self, tables: Tables, sql: Sql, side: str) -> None:
        self.tables = tables
        self.sql = sql
        self.side = side
        self.prefix = tables.prefix(side)

    def progress(self, fingerprint: str) -> Progress | None:
        """How far it is; None where it was made with anything else than this."""
        return progress_in(self.tables, self.sql, self.side, fingerprint)

    def begin_anew(self, fingerprint: str) -> None:
        """Empties the tables."""
        self.tables.empty(self.sql, self.side)
        self.sql.run(
            f"INSERT INTO {self.prefix}progress VALUES (?, ?, ?, ?, ?, ?)",
            (fingerprint, *Progress()),
        )

    def reach(self, progress: Progress) -> None:
        """Remembers how far it is, in the same transaction as what it holds."""
        self.sql.run(
            f"UPDATE {self.prefix}progress SET position=?, mark=?, attempt=?, counted=?, fanned=?",
            progress,
        )

    def enrollments_of(self, streams: Iterable[UUID]) -> dict[UUID, EnrollmentId]:
        """Whose streams these are, the enrollments' own or those of the care."""
        found: dict[UUID, EnrollmentId] = {}
        selected = f"SELECT {_ENROLLMENT} FROM {self.prefix}enrollments"
        for places, some in in_parts(sorted(stream.hex for stream in streams)):
            for own, care, *whose in self.sql.rows(
                f"{selected} WHERE stream IN ({places}) "
                f"UNION {selected} WHERE care_stream IN ({places})",
                (*some, *some),
            ):
                found[UUID(own)] = found[UUID(care)] = EnrollmentId(*whose)
        return found

    def years_of(self, refs: Iterable[str]) -> dict[str, list[int]]:
        """The years in which students are enrolled, ascending."""
        found: dict[str, list[int]] = {}
        for places, some in in_parts(refs):
            for ref, year in self.sql.rows(
                f"SELECT ref, year FROM {self.prefix}enrollments "
                f"WHERE ref IN ({places}) ORDER BY year",
                some,
            ):
                found.setdefault(ref, []).append(year)
        return found

    def people(self, after: str, most: int) -> tuple[str | None, dict[EnrollmentId, Streams]]:
        """Some students with all their years, by the least of the streams of their enrollments.

        With the stream after which the others come, None where there are no more.
        """
        found = self.sql.rows(
            f"SELECT stream, ref FROM {self.prefix}enrollments WHERE stream>? "
            "ORDER BY stream LIMIT ?",
            (after, most),
        )
        people: dict[str, list[tuple[str, str, int]]] = {}
        for places, some in in_parts(dict.fromkeys(ref for _, ref in found)):
            for ref, *one in self.sql.rows(
                f"SELECT ref, stream, care_stream, year FROM {self.prefix}enrollments "
                f"WHERE ref IN ({places}) ORDER BY ref, year",
                some,
            ):
                people.setdefault(ref, []).append(tuple(one))
        # The others were taken before, or have their turn later.
        first = {ref: min(years)[0] for ref, years in people.items()}
        whose = {
            EnrollmentId(ref, year): (UUID(own), UUID(care))
            for stream, ref in found
            if stream == first[ref]
            for own, care, year in people[ref]
        }
        return (found[-1][0] if len(found) == most else None), whose

    def leave_indexes(self) -> None:
        """Leaves those indexes that are made quicker once everything is filed."""
        self.tables.leave_indexes(self.sql, self.side)

    def make_indexes(self) -> None:
        """Makes them again."""
        self.tables.make_indexes(self.sql, self.side)

    def add_enrollments(self, enrollments: Iterable[EnrollmentId]) -> None:
        self.sql.fill(
            f"{self.prefix}enrollments ({_ENROLLMENT})",
            [(each.stream.hex, each.care_stream.hex, *each) for each in enrollments],
        )

    def edition_of(self, stream: UUID) -> str | None:
        """The edition whose stream it is."""
        found = self.sql.rows(
            f"SELECT policy FROM {self.prefix}editions WHERE stream=?", (stream.hex,)
        )
        return str(found[0][0]) if found else None

    def editions(self) -> list[str]:
        """The editions of which something was recorded."""
        return [policy for (policy,) in self.sql.rows(f"SELECT policy FROM {self.prefix}editions")]

    def add_edition(self, stream: UUID, policy: str) -> None:
        self.sql.run(f"INSERT INTO {self.prefix}editions VALUES (?, ?)", (stream.hex, policy))

    def add_schools(self, schools: Iterable[tuple[str, str, UUID]]) -> None:
        """Remembers whom windows may concern that are fixed for schools under an edition."""
        self.sql.run_many(
            f"INSERT INTO {self.prefix}schools VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
            (
                (policy, school, stream.hex)
                for policy, school, stream in schools
                if self.tables.can_hold(school)
            ),
        )

    def concerned(
        self, policy: str, schools: Sequence[str] | None, after: str, limit: int
    ) -> list[tuple[str, EnrollmentId]]:
        """Some of those whom a window fixed for one of the schools (None: for any) may concern."""
        among = ""
        if schools is not None:
            schools = [school for school in schools if self.tables.can_hold(school)]
            among = f" AND school IN ({', '.join('?' * len(schools)) or 'NULL'})"
        found = self.sql.rows(
            f"SELECT stream, ref, year FROM {self.prefix}enrollments WHERE stream IN "
            f"(SELECT stream FROM {self.prefix}schools WHERE policy=?{among} AND stream>?) "
            "ORDER BY stream LIMIT ?",
            (policy, *(schools or ()), after, limit),
        )
        return [(stream, EnrollmentId(ref, year)) for stream, ref, year in found]

    def parked(self) -> list[Parked]:
        """Whose facts could not be taken in."""
        return parked_in(self.sql, self.prefix)

    def park(self, parked: Parked) -> None:
        """Remembers that a student's facts cannot be taken in; the first reason stands."""
        self.sql.run(
            f"INSERT INTO {self.prefix}parked VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
            parked,
        )

    def unpark(self, stream: str) -> None:
        self.sql.run(f"DELETE FROM {self.prefix}parked WHERE stream=?", (stream,))


_ENROLLMENT: Final = "stream, care_stream, ref, year"


def progress_in(tables: Tables, sql: Sql, side: str, fingerprint: str) -> Progress | None:
    """How far the tables of a side are; None where they were made with anything else than this."""
    if tables.has_tables(sql, side):
        for found, *reached in sql.rows(f"SELECT * FROM {tables.prefix(side)}progress"):
            if found == fingerprint:
                return Progress(*reached)
    return None


def parked_in(sql: Sql, prefix: str = "") -> list[Parked]:
    """Whose facts could not be taken in, the longest first."""
    rows = sql.rows(f"SELECT * FROM {prefix}parked ORDER BY position, stream")
    return [Parked(*row) for row in rows]
