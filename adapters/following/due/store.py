"""The outbox's own tables: what is due, what was said of it, and how far the facts are followed."""

from collections import defaultdict
from collections.abc import Collection, Iterable
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Final, NamedTuple, Protocol
from uuid import UUID

from yibao.adapters.following.derived import instant_of
from yibao.adapters.following.due.layout import (
    ACKNOWLEDGED,
    HANDED,
    LISTED,
    WITHDRAWN,
)
from yibao.adapters.following.supervisor import Parked
from yibao.adapters.store.connections import Sql, SqlRow, in_parts
from yibao.domain.vocabulary import EnrollmentId
from yibao.projections.cohort.due import DAYS_BEFORE
from yibao.projections.cohort.telling import Said, Waiting

#: One kind of notice of one enrollment: its benefit year, and the kind.
Key = tuple[int, str]


class OutboxStore(Protocol):
    """Where an outbox is kept."""

    def reading(self) -> AbstractContextManager[Sql]:
        """A turn to read."""
        ...

    def writing(self) -> AbstractContextManager[Sql]:
        """A transaction with nobody in between; what is raised inside leaves nothing behind."""
        ...

    def empty(self, sql: Sql) -> None:
        """What follows from the facts, with nothing in it."""
        ...

    def can_hold(self, text: str) -> bool:
        """Whether the database takes a text; any other a command refuses, but a copy may hold."""
        ...

    def close(self) -> None: ...


class DueEntry(NamedTuple):
    """One word of the outbox: something is due, is due at another instant, or no longer.

    `id` is never given again. `what` is `due`, `changed` or `retracted`; `due` the instant, None of
    what was retracted; `noticed` the instant by which it was noticed.
    """

    id: int
    enrollment: EnrollmentId
    kind: str
    what: str
    due: datetime | None
    noticed: datetime

    def __repr__(self) -> str:
        whom = f"{self.enrollment.ref!r} in {self.enrollment.year}"
        return f"<DueEntry {self.id} about {whom}: {self.kind} {self.what} {self.due}>"

    @classmethod
    def of(cls, row: SqlRow) -> "DueEntry":
        number, ref, year, kind, what, due, noticed = row
        instant = None if due is None else instant_of(due)
        return cls(number, EnrollmentId(ref, year), kind, what, instant, instant_of(noticed))


class Due(NamedTuple):
    """When something is due, and whether that is the last word that was said of it."""

    due: int
    told: bool


class SaidOf(NamedTuple):
    """What was said of one kind of one enrollment, and in which entry what waits."""

    said: Said[int]
    waiting: int | None


NOTHING_SAID: Final = SaidOf(Said(), None)


class Among(NamedTuple):
    """Those who were ever at some schools, under any of the editions that there are."""

    schools: Collection[str]
    policies: Collection[str]

    def condition(self) -> tuple[str, list[str]]:
        """What stands behind a WHERE, and what for its question marks."""
        places = [", ".join("?" * len(each)) for each in (self.policies, self.schools)]
        hers = "SELECT 1 FROM schools s WHERE s.policy IN ({}) AND s.school IN ({})"
        told = f" AND EXISTS ({hers.format(*places)} AND s.ref=entries.ref)"
        return told if all(places) else " AND 1=0", [*self.policies, *self.schools] * all(places)


class OutboxTransaction(NamedTuple):
    """One transaction on the outbox."""

    store: OutboxStore
    sql: Sql

    def position(self, fingerprint: str) -> tuple[int, str | None] | None:
        """How far the facts were followed, and the store's mark there; None if by anything else."""
        for found, *reached in self.sql.rows("SELECT * FROM progress"):
            if found == fingerprint:
                return reached[0], reached[1]
        return None

    def begin_anew(self, fingerprint: str) -> None:
        """Forgets what follows from the facts; whoever was told something is to be looked at."""
        self.store.empty(self.sql)
        self.sql.run("INSERT INTO progress VALUES (?, 0, NULL)", [fingerprint])
        self.sql.run("INSERT INTO stale SELECT DISTINCT ref FROM entries")

    def reach(self, position: int, mark: str) -> None:
        self.sql.run("UPDATE progress SET position=?, mark=?", (position, mark))

    def days_before(self) -> int:
        """So many days before the window closes it is told."""
        found = self.sql.rows("SELECT days_before FROM settings")
        return int(found[0][0]) if found else DAYS_BEFORE

    def set_days_before(self, days: int) -> None:
        self.sql.run("DELETE FROM settings")
        self.sql.run("INSERT INTO settings VALUES (?)", [days])

    def refs_of(self, streams: Iterable[UUID]) -> dict[UUID, str]:
        """Whose streams these are."""
        found: dict[UUID, str] = {}
        for places, some in in_parts(stream.hex for stream in streams):
            rows = self.sql.rows(
                f"SELECT stream, ref FROM enrollments WHERE stream IN ({places})", some
            )
            found |= {UUID(stream): ref for stream, ref in rows}
        return found

    def add_enrollments(self, enrollments: Iterable[EnrollmentId]) -> None:
        self.sql.run_many(
            "INSERT INTO enrollments VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
            ((each.stream.hex, *each) for each in enrollments),
        )

    def years_of(self, refs: Iterable[str]) -> dict[str, list[int]]:
        """The years in which students are enrolled, ascending."""
        found: dict[str, list[int]] = {}
        for places, some in in_parts(refs):
            for ref, year in self.sql.rows(
                f"SELECT ref, year FROM enrollments WHERE ref IN ({places}) ORDER BY year", some
            ):
                found.setdefault(ref, []).append(year)
        return found

    def add_schools(self, schools: Iterable[tuple[str, str, str]]) -> None:
        """Remembers whom windows may concern that are fixed for a school under an edition."""
        self.sql.run_many(
            "INSERT INTO schools VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
            (each for each in schools if self.store.can_hold(each[1])),
        )

    def look_again_at(self, refs: Iterable[str]) -> None:
        """Remembers that something was recorded of students."""
        self.sql.run_many(
            "INSERT INTO stale VALUES (?) ON CONFLICT DO NOTHING", ([ref] for ref in refs)
        )

    def look_again_under(self, policy: str, school: str | None) -> None:
        """The same of all under an edition, or of those who were ever at a school."""
        among = "" if school is None else " AND school=?"
        if school is not None and not self.store.can_hold(school):
            return
        self.sql.run(
            f"INSERT INTO stale SELECT DISTINCT ref FROM schools WHERE policy=?{among} "
            "ON CONFLICT DO NOTHING",
            [policy] if school is None else [policy, school],
        )

    def stale(self, limit: int) -> list[str]:
        """Some of whom something was recorded that was not looked at yet."""
        return [
            ref for (ref,) in self.sql.rows("SELECT ref FROM stale ORDER BY 1 LIMIT ?", [limit])
        ]

    def looked_at(self, refs: Iterable[str]) -> None:
        self.sql.run_many("DELETE FROM stale WHERE ref=?", ([ref] for ref in refs))

    def come(self, until: int, limit: int) -> list[str]:
        """Some of whom something has come by an instant that was not told."""
        rows = self.sql.rows(
            "SELECT ref FROM dues WHERE told=0 AND due<=? ORDER BY due LIMIT ?", (until, limit)
        )
        return sorted({ref for (ref,) in rows})

    def dues_of(self, refs: Collection[str]) -> dict[str, dict[Key, Due]]:
        """What is due of some students, as it was last known."""
        found: dict[str, dict[Key, Due]] = defaultdict(dict)
        for places, some in in_parts(refs):
            for ref, year, kind, due, told in self.sql.rows(
                f"SELECT ref, year, kind, due, told FROM dues WHERE ref IN ({places})", some
            ):
                found[ref][year, kind] = Due(due, bool(told))
        return found

    def replace_dues(
        self, gone: Iterable[tuple[str, int, str]], new: Iterable[tuple[str, int, str, int, int]]
    ) -> None:
        self.sql.run_many("DELETE FROM dues WHERE ref=? AND year=? AND kind=?", gone)
        self.sql.run_many(
            "INSERT INTO dues VALUES (?, ?, ?, ?, ?) ON CONFLICT (ref, year, kind) "
            "DO UPDATE SET due=excluded.due, told=excluded.told",
            new,
        )

    def said_of(self, refs: Collection[str]) -> dict[str, dict[Key, SaidOf]]:
        """What was said of some students."""
        found: dict[str, dict[Key, SaidOf]] = defaultdict(dict)
        for places, some in in_parts(refs):
            for number, ref, year, kind, due, state in self.sql.rows(
                f"SELECT id, ref, year, kind, due, state FROM entries WHERE ref IN ({places}) "
                f"AND state<>{WITHDRAWN} ORDER BY id",
                some,
            ):
                said, waiting = found[ref].get((year, kind), NOTHING_SAID)
                if state == ACKNOWLEDGED:
                    said = said._replace(delivered=due)
                else:
                    said, waiting = said._replace(waiting=Waiting(due, state == HANDED)), number
                found[ref][year, kind] = SaidOf(said, waiting)
        return found

    def say(self, words: Iterable[tuple[str, int, str, str, int | None, int]]) -> None:
        self.sql.run_many(
            "INSERT INTO entries (ref, year, kind, what, due, noticed, state) "
            f"VALUES (?, ?, ?, ?, ?, ?, {LISTED})",
            words,
        )

    def settle(self, fates: Iterable[tuple[int, int]]) -> None:
        """What becomes of entries, each before its number."""
        self.sql.run_many("UPDATE entries SET state=? WHERE id=?", fates)

    def whose(self, number: int) -> tuple[str, int] | None:
        """The reference an entry is about, and what has become of it."""
        for ref, state in self.sql.rows("SELECT ref, state FROM entries WHERE id=?", [number]):
            return ref, state
        return None

    def park(self, parked: Parked) -> None:
        """Remembers that a student's facts cannot be read; the first reason stands."""
        self.sql.run("INSERT INTO parked VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING", parked)

    def unpark(self, streams: Iterable[UUID]) -> None:
        if parked_in(self.sql):
            self.sql.run_many("DELETE FROM parked WHERE stream=?", ([each.hex] for each in streams))


def listed(sql: Sql, after: int, limit: int, among: Among | None = None) -> list[DueEntry]:
    """Some of what is not acknowledged, in the order in which it was noticed."""
    theirs, values = among.condition() if among else ("", [])
    rows = sql.rows(
        "SELECT id, ref, year, kind, what, due, noticed FROM entries "
        f"WHERE state<={HANDED} AND id>?{theirs} ORDER BY id LIMIT ?",
        (after, *values, limit),
    )
    return [DueEntry.of(row) for row in rows]


def whose_entry(sql: Sql, number: int) -> EnrollmentId | None:
    """Whom an entry is about, by its number."""
    rows = sql.rows("SELECT ref, year FROM entries WHERE id=?", (number,))
    return next((EnrollmentId(*row) for row in rows), None)


def parked_in(sql: Sql) -> list[Parked]:
    """Whose facts could not be read, the longest first."""
    return [Parked(*row) for row in sql.rows("SELECT * FROM parked ORDER BY position, stream")]
