"""The cohort's own tables: what is known of enrollments, and which answers stand."""

import json
from collections.abc import Iterable, Sequence
from typing import Any, Final, NamedTuple

from yibao.adapters.following.cohort.layout import FOREVER
from yibao.adapters.following.derived import Tables, Transaction
from yibao.adapters.following.supervisor import Parked
from yibao.adapters.store.connections import Sql, in_parts
from yibao.domain.vocabulary import EnrollmentId


class Standing(NamedTuple):
    """An answer for some instants, by its numbers: of the group, and of state and step."""

    begins: int
    ends: int
    group: int
    standing: int
    until: int | None


class Open(NamedTuple):
    """What is known of an enrollment last, and what stands by it.

    `since` is when the last was learned, None where nothing is known yet; `standing` tells since
    when each answer stands.
    """

    number: int
    since: int | None
    standing: dict[Standing, int]


class CohortTransaction(Transaction):
    """One transaction on the cohort."""

    def __init__(self, tables: Tables, sql: Sql, side: str) -> None:
        super().__init__(tables, sql, side)
        self._numbers: dict[tuple[str, str], int] = {}

    def open_of(self, enrollments: Sequence[EnrollmentId]) -> dict[EnrollmentId, Open]:
        """What stands of enrollments up to now."""
        found: dict[int, Open] = {}
        whose: dict[EnrollmentId, Open] = {}
        for places, some in in_parts(each.stream.hex for each in enrollments):
            for number, ref, year, since in self.sql.rows(
                f"SELECT number, ref, year, known_from FROM {self.prefix}enrollments "
                f"LEFT JOIN {self.prefix}known ON enrollment=number AND +known_until={FOREVER} "
                f"WHERE stream IN ({places})",
                some,
            ):
                found[number] = whose[EnrollmentId(ref, year)] = Open(number, since, {})
        for places, numbers in in_parts(n for n, each in found.items() if each.since is not None):
            for number, since, *standing in self.sql.rows(
                "SELECT enrollment, known_from, begins, ends, grp, standing, until "
                f"FROM {self.prefix}spans WHERE enrollment IN ({places}) "
                # Not by the index of what is known of everybody.
                f"AND +known_until={FOREVER}",
                numbers,
            ):
                found[number].standing[Standing(*standing)] = since
        return whose

    def group(self, year: int, policy: str, school: str | None, category: str | None) -> int:
        """The number of those who have all of this in common."""
        return self._number("groups", year=year, policy=policy, school=school, category=category)

    def standing(self, state: str | None, next_step: str | None) -> int:
        """The number of an answer."""
        return self._number("standings", state=state, next_step=next_step)

    def _number(self, table: str, **values: Any) -> int:
        told = json.dumps([*values.values()], ensure_ascii=False)
        number = self._numbers.get((table, told))
        if number is None:
            asked = f"SELECT number FROM {self.prefix}{table} WHERE told=?"
            found = self.sql.rows(asked, (told,))
            if not found:
                self.sql.run(
                    f"INSERT INTO {self.prefix}{table} (told, {', '.join(values)}) "
                    f"VALUES (?{', ?' * len(values)})",
                    (told, *values.values()),
                )
                found = self.sql.rows(asked, (told,))
            number = self._numbers[table, told] = int(found[0][0])
        return number

    def file(self, written: "Written") -> None:
        """Ends what stands no more, and enters what was learned."""
        p = self.prefix
        self.sql.run_many(
            f"UPDATE {p}known SET known_until=? WHERE enrollment=? AND known_from=?",
            written.known_ended,
        )
        self.sql.run_many(
            f"UPDATE {p}spans SET known_until=? WHERE enrollment=? AND known_from=? AND begins=?",
            written.spans_ended,
        )
        self.sql.run_many(f"INSERT INTO {p}known VALUES (?, ?, ?, ?, ?)", written.known)
        self.sql.run_many(f"INSERT INTO {p}spans VALUES (?, ?, ?, ?, ?, ?, ?, ?)", written.spans)

    def forget(self, enrollments: Iterable[EnrollmentId]) -> None:
        """Drops what is known of enrollments."""
        for places, some in in_parts(each.stream.hex for each in enrollments):
            for table in ("known", "spans"):
                self.sql.run(
                    f"DELETE FROM {self.prefix}{table} WHERE enrollment IN "
                    f"(SELECT number FROM {self.prefix}enrollments WHERE stream IN ({places}))",
                    some,
                )

    def park(self, parked: Parked) -> None:
        """Leaves out a student whose facts cannot be taken in: what was known may be wrong."""
        super().park(parked)
        if parked.ref is not None and parked.year is not None:
            self.forget([EnrollmentId(parked.ref, parked.year)])


class Written(NamedTuple):
    """Rows that one batch enters, and those that it ends."""

    known: list[tuple[Any, ...]]
    spans: list[tuple[Any, ...]]
    known_ended: list[tuple[Any, ...]]
    spans_ended: list[tuple[Any, ...]]

    @classmethod
    def nothing(cls) -> "Written":
        return cls([], [], [], [])


CODES_APART: Final = " "
