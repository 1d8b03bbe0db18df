"""The cohort's own tables: what is known of enrollments, and which answers stand."""

import json
from collections.abc import Iterable, Sequence
from typing import Any, Final, NamedTuple

from yibao.adapters.following.cohort.layout import FOREVER
from yibao.adapters.following.derived import Tables, Transaction
from yibao.adapters.following.supervisor import Parked
from yibao.adapters.store.connections import Sql, in_parts
from yibao.domain.vocabulary import EnrollmentId
from yibao.projections.cohort.shapes import Shape, Words, read, written

#: An answer for some instants: from when, until when, and by their numbers the group and state and
#: step; until when the step may be taken.
Standing = tuple[int, int, int, int, int | None]


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
        self._numbers: dict[tuple[Any, ...], int] = {}
        self._shapes: dict[Shape, int] | None = None
        self._words: Words | None = None

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
                found[number].standing[tuple(standing)] = since
        return whose

    def group(self, year: int, policy: str, school: str | None, category: str | None) -> int:
        """The number of those who have all of this in common."""
        return self._number("groups", year=year, policy=policy, school=school, category=category)

    def standing(self, state: str | None, next_step: str | None) -> int:
        """The number of an answer."""
        return self._number("standings", state=state, next_step=next_step)

    @property
    def words(self) -> Words:
        """The words of facts by their numbers; what is new among them is filed with the rest."""
        if self._words is None:
            self._words = words_in(self.sql, self.prefix)
        return self._words

    def shape(self, shape: Shape) -> int:
        """The number of a shape."""
        if self._shapes is None:
            self._shapes = {each: n for n, each in shapes_in(self.sql, self.prefix).items()}
        number = self._shapes.get(shape)
        if number is None:
            number = self._shapes[shape] = len(self._shapes) + 1
            told = json.dumps(written(shape), ensure_ascii=False)
            self.sql.run(f"INSERT INTO {self.prefix}shapes VALUES (?, ?)", (number, told))
        return number

    def _number(self, table: str, **values: Any) -> int:
        number = self._numbers.get((table, *values.values()))
        if number is None:
            told = json.dumps([*values.values()], ensure_ascii=False)
            asked = f"SELECT number FROM {self.prefix}{table} WHERE told=?"
            found = self.sql.rows(asked, (told,))
            if not found:
                self.sql.run(
                    f"INSERT INTO {self.prefix}{table} (told, {', '.join(values)}) "
                    f"VALUES (?{', ?' * len(values)})",
                    (told, *values.values()),
                )
                found = self.sql.rows(asked, (told,))
            number = self._numbers[table, *values.values()] = int(found[0][0])
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
        self.sql.fill(f"{p}known", written.known)
        self.sql.fill(f"{p}spans", written.spans)
        self._file_words()

    def _file_words(self) -> None:
        """Enters the words that are new; they may have any characters."""
        if self._words is None:
            return
        ((there,),) = self.sql.rows(f"SELECT COUNT(*) FROM {self.prefix}words")
        new = enumerate(self._words.written(there + 1), there + 1)
        self.sql.fill(f"{self.prefix}words", [(n, json.dumps(word)) for n, word in new])

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


def words_in(sql: Sql, prefix: str) -> Words:
    """The words that facts of a side tell, by their numbers."""
    rows = sql.rows(f"SELECT told FROM {prefix}words ORDER BY number")
    return Words(json.loads(told) for (told,) in rows)


def shapes_in(sql: Sql, prefix: str) -> dict[int, Shape]:
    """The shapes of facts of a side, by their numbers."""
    rows = sql.rows(f"SELECT number, told FROM {prefix}shapes")
    return {int(number): read(json.loads(told)) for number, told in rows}


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
