"""What can be asked of a cohort, and how a question becomes one statement of SQL."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any, Final, Literal, NamedTuple, get_args

from yibao.adapters.following.cohort.layout import FOREVER
from yibao.adapters.following.derived import number_of
from yibao.domain.refusals import BadValue
from yibao.domain.vocabulary import EnrollmentId

#: By what enrollments are counted.
By = Literal["state", "school", "category", "next_step", "discrepancy", "year", "policy"]
#: The key of those who have none: no state, no next step, no school.
NONE: Final = "none"

#: A statement with its values.
Statement = tuple[str, list[Any]]

_OF_SPANS: Final = {"state": "state", "next_step": "next_step"}
_A_DAY: Final = timedelta(days=1) // timedelta.resolution
#: In Shanghai a day begins so much earlier than by the clock of the instants.
_EIGHT_HOURS: Final = timedelta(hours=8) // timedelta.resolution
#: More days than there are.
_MOST_DAYS: Final = 4_000_000


class Whose(NamedTuple):
    """Whose enrollments are asked for; None leaves it open."""

    school: str | None = None
    category: str | None = None
    policy: str | None = None
    year: int | None = None


EVERYBODY: Final = Whose()


class Asked(NamedTuple):
    """The instant asked for, what was known by when (None: all there is), and whose."""

    at: datetime
    known_at: datetime | None
    whose: Whose


def counting(prefix: str, by: By, asked: Asked) -> Statement:
    """How many there are by each key, after a row that tells as of when.

    Raises BadValue for what there is no counting by.
    """
    if by not in get_args(By):
        raise BadValue("by", f"there is no counting by that; there is by {', '.join(get_args(By))}")
    where, values = _where(prefix, "x", asked.known_at, asked.whose)
    if by == "discrepancy":
        keyed = f"SELECT codes, COUNT(*) AS n FROM {prefix}known AS x WHERE {where} GROUP BY codes"
    else:
        table, column, of = (
            ("spans", "standing", "standings") if by in _OF_SPANS else ("known", "grp", "groups")
        )
        if table == "spans":
            during, instants = _during("x", asked.at)
            where, values = f"{where} AND {during}", [*values, *instants]
        keyed = (
            f"SELECT CAST(t.{by} AS TEXT), SUM(n) FROM (SELECT {column}, COUNT(*) AS n "
            f"FROM {prefix}{table} AS x WHERE {where} GROUP BY {column}) AS c "
            f"JOIN {prefix}{of} AS t ON t.number = c.{column} GROUP BY t.{by}"
        )
    return f"{_as_of(prefix)} UNION ALL SELECT 1, k.*, 0, 0 FROM ({keyed}) AS k", values


def _as_of(prefix: str) -> str:
    """The position reached, whether windows are just being taken in, and how many are parked."""
    return (
        "SELECT 0, NULL, position, CASE WHEN fanned IS NULL THEN 0 ELSE 1 END, "
        f"(SELECT COUNT(*) FROM {prefix}parked) FROM {prefix}progress"
    )


def reaching(prefix: str) -> Statement:
    """How far it is, in a row as `counting` has it."""
    return _as_of(prefix), []


def paging(
    prefix: str,
    asked: Asked,
    after: EnrollmentId | None,
    limit: int,
    state: str | None,
    next_step: str | None,
    days_left_below: int | None,
) -> Statement:
    """Some of those who fit, in the order of reference and year."""
    of_a_school = asked.whose.school is not None
    where, values = _where(prefix, "x", asked.known_at, asked.whose, along=not of_a_school)
    during, instants = _during("x", asked.at)
    conditions, values = [where, during], [*values, *instants]
    for column, wanted in (("state", state), ("next_step", next_step)):
        if wanted is not None:
            is_so, given = _is(f"t.{column}", wanted)
            conditions.append(is_so)
            values += given
    if days_left_below is not None:
        if isinstance(days_left_below, bool) or not isinstance(days_left_below, int):
            raise BadValue("days_left_below", "must be a whole number of days")
        at, days = number_of(asked.at), max(min(days_left_below, _MOST_DAYS), 0)
        conditions.append("x.until > ? AND x.until < ?")
        values += [at, at + days * _A_DAY]
    if after is not None:
        conditions.append("(e.ref, e.year) > (?, ?)")
        values += after
    # Of a school few are sorted; of everybody one goes along the list and stops.
    tables = [f"{prefix}enrollments AS e", f"{prefix}spans AS x"]
    if of_a_school:
        tables.reverse()
    return (
        f"SELECT e.ref, e.year, g.school, t.state, t.next_step FROM {' CROSS JOIN '.join(tables)} "
        f"JOIN {prefix}standings AS t ON t.number = x.standing "
        f"JOIN {prefix}groups AS g ON g.number = x.grp "
        f"WHERE x.enrollment = e.number AND {' AND '.join(conditions)} "
        "ORDER BY e.ref, e.year LIMIT ?",
        [*values, limit],
    )


def concerning(prefix: str, asked: Asked) -> Statement:
    """Those of whom there may be something to do or to look at, after a row as `counting` has it.

    That is a next step, a discrepancy, or care: who has any does not come down to numbers.
    """
    where, values = _where(prefix, "x", asked.known_at, asked.whose)
    during, instants = _during("x", asked.at)
    known, until = _where(prefix, "k", asked.known_at, EVERYBODY, along=True)
    concerned = (
        f"SELECT e.ref, e.year FROM {prefix}spans AS x "
        f"CROSS JOIN {prefix}known AS k CROSS JOIN {prefix}enrollments AS e "
        f"JOIN {prefix}standings AS t ON t.number = x.standing "
        f"WHERE {where} AND {during} AND k.enrollment = x.enrollment AND {known} "
        "AND e.number = x.enrollment "
        "AND (t.next_step IS NOT NULL OR k.codes <> '' OR k.shape IS NULL)"
    )
    return (
        f"{_as_of(prefix)} UNION ALL SELECT 1, c.ref, c.year, 0, 0 FROM ({concerned}) AS c",
        [*values, *instants, *until],
    )


def learning(prefix: str, whose: Whose) -> Statement:
    """Since when the last is known of each, by number, after a row as `counting` has it."""
    where, values = _where(prefix, "x", None, whose)
    return (
        f"{_as_of(prefix)} UNION ALL SELECT 1, NULL, x.enrollment, x.known_from, 0 "
        f"FROM {prefix}known AS x WHERE {where}",
        values,
    )


def keeping(
    prefix: str, known_at: datetime | None, whose: Whose, after: int, limit: int
) -> Statement:
    """What was known of some, as it is kept, in the order of their numbers from one on."""
    # Of a school one looks for its rows; of everybody else one goes along all.
    where, values = _where(prefix, "k", known_at, whose, along=whose.school is None)
    tables = [f"{prefix}enrollments AS e", f"{prefix}known AS k"]
    if whose.school is not None:
        tables.reverse()
    return (
        "SELECT e.number, e.ref, e.year, k.shape, k.numbers, k.codes "
        f"FROM {' CROSS JOIN '.join(tables)} "
        f"WHERE k.enrollment = e.number AND e.number > ? AND {where} ORDER BY e.number LIMIT ?",
        [after, *values, limit],
    )


def changing(prefix: str, known_at: datetime | None, whose: Whose) -> Statement:
    """On which days since 1970 how many more or fewer are in each state, at the end of the day."""
    where, values = _where(prefix, "x", known_at, whose)
    turns = " UNION ALL ".join(
        f"SELECT (x.{turn} + {_EIGHT_HOURS}) / {_A_DAY} AS day, standing, {sign} COUNT(*) AS n "
        f"FROM {prefix}spans AS x WHERE {where} GROUP BY day, standing"
        for turn, sign in (("begins", "+"), ("ends", "-"))
    )
    return (
        f"SELECT t.state, c.day, SUM(c.n) FROM ({turns}) AS c "
        f"JOIN {prefix}standings AS t ON t.number = c.standing GROUP BY t.state, c.day",
        [*values, *values],
    )


def last_of(prefix: str, after: EnrollmentId | None, limit: int) -> Statement:
    """The last of so many enrollments after one, in the order of reference and year."""
    begins, values = ("WHERE (ref, year) > (?, ?) ", [*after]) if after else ("", [])
    return (
        f"SELECT ref, year FROM (SELECT ref, year FROM {prefix}enrollments {begins}"
        "ORDER BY ref, year LIMIT ?) AS e ORDER BY ref DESC, year DESC LIMIT 1",
        [*values, limit],
    )


def holding(
    prefix: str, whose: Whose, until: int, after: EnrollmentId | None, last: EnrollmentId
) -> Statement:
    """Every answer that stood by what was known until an instant, of some enrollments in order."""
    conditions, values = ["x.known_from <= ?", "(e.ref, e.year) <= (?, ?)"], [until, *last]
    if after is not None:
        conditions.append("(e.ref, e.year) > (?, ?)")
        values += after
    for condition, given in _of_groups(prefix, "x", whose):
        conditions.append(condition)
        values += given
    return (
        "SELECT e.ref, e.year, g.school, g.category, g.policy, x.begins, x.ends, t.state, "
        "t.next_step, x.until, x.known_from, x.known_until "
        f"FROM {prefix}enrollments AS e CROSS JOIN {prefix}spans AS x "
        f"JOIN {prefix}standings AS t ON t.number = x.standing "
        f"JOIN {prefix}groups AS g ON g.number = x.grp "
        f"WHERE x.enrollment = e.number AND {' AND '.join(conditions)} "
        "ORDER BY e.ref, e.year, x.known_from, x.begins",
        values,
    )


def _during(table: str, at: datetime) -> Statement:
    number = number_of(at)
    return f"{table}.begins <= ? AND {table}.ends > ?", [number, number]


def _where(
    prefix: str, table: str, known_at: datetime | None, whose: Whose, *, along: bool = False
) -> Statement:
    """What was known by then, of whom; asked `along` the enrollments, one after the other.

    A plus keeps SQLite from looking for what is known of everybody at each of them. In PostgreSQL,
    where the tables are in a schema, it would hide how many these are, and all would be sorted.
    """
    until = f"{'+' if along and '.' not in prefix else ''}{table}.known_until"
    if known_at is None:
        conditions, values = [f"{until} = {FOREVER}"], list[Any]()
    else:
        number = number_of(known_at)
        conditions = [f"{until} > ? AND {table}.known_from <= ?"]
        values = [number, number]
    for condition, given in _of_groups(prefix, table, whose):
        conditions.append(condition)
        values += given
    return " AND ".join(conditions), values


def _of_groups(prefix: str, table: str, whose: Whose) -> Iterator[Statement]:
    """Who is among those asked for, unless that is everybody."""
    among = list(_among(whose))
    if among:
        fits = " AND ".join(condition for condition, _ in among)
        yield (
            f"{table}.grp IN (SELECT number FROM {prefix}groups WHERE {fits})",
            [value for _, given in among for value in given],
        )


def _among(whose: Whose) -> Iterator[Statement]:
    for column, wanted in whose._asdict().items():
        if wanted is not None:
            yield _is(column, wanted)


def _is(column: str, wanted: Any) -> Statement:
    return (f"{column} IS NULL", []) if wanted == NONE else (f"{column} = ?", [wanted])
