"""The trail's own tables: rows in, pages out."""

from collections.abc import Iterable, Sequence
from typing import Any, Final, NamedTuple

from yibao.adapters.following.derived import Transaction
from yibao.adapters.following.trail.layout import OF_A_STUDENT
from yibao.adapters.store.connections import Sql
from yibao.domain.vocabulary import EnrollmentId


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


def rows_of(sql: Sql, question: str, values: Sequence[Any]) -> list[TrailRow]:
    """The rows a question selects, in its order."""
    return [TrailRow(*row) for row in sql.rows(question.format(columns=_COLUMNS), values)]


class TrailTransaction(Transaction):
    """One transaction on the trail."""

    def insert(self, rows: Iterable[TrailRow]) -> None:
        filed = list(rows)
        refused = {school for school in {row.school for row in filed} if not self._takes(school)}
        if refused:
            filed = [row._replace(school=None) if row.school in refused else row for row in filed]
        self.sql.fill(f"entries ({_COLUMNS})", filed)

    def _takes(self, school: str | None) -> bool:
        """Whether a row can be filed under a school; else it is under none."""
        return school is None or self.tables.can_hold(school)

    def replace_counted(self, rows: Iterable[TrailRow]) -> None:
        """Lists the counts anew, all of them."""
        self.sql.run("DELETE FROM entries WHERE attempt < 0")
        self.insert(rows)

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
