"""Everybody's facts as they are kept: read once, as known by an instant, all of one moment."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from functools import cache
from typing import NamedTuple

from yibao.adapters.editions import Editions
from yibao.adapters.following.cohort.following import side_in
from yibao.adapters.following.cohort.questions import Statement, Whose, keeping
from yibao.adapters.following.cohort.store import shapes_in, words_in
from yibao.adapters.following.derived import Tables
from yibao.adapters.store import FactStore, not_collecting
from yibao.adapters.store.connections import Sql
from yibao.domain.vocabulary import EnrollmentId, edition_stream
from yibao.projections.cohort.shapes import EditionOf, Shape, Words
from yibao.projections.record import EditionRecord, Log

#: So many are read at a time.
AT_A_TIME = 50_000


class Alike:
    """Enrollments of one shape: their references, and the numbers of one after the other."""

    def __init__(self, shape: Shape) -> None:
        self.shape = shape
        self.refs: list[str] = []
        self.packed = bytearray()
        #: The places of those of whom some fact does not fit.
        self.unfit_at: list[int] = []

    @property
    def unfit(self) -> list[EnrollmentId]:
        """Those of whom some fact does not fit."""
        return [EnrollmentId(self.refs[place], self.shape.year) for place in self.unfit_at]


class Kept(NamedTuple):
    """What is known of everybody, up to a position; those who do not come down to numbers apart."""

    as_of: int
    words: Words
    alike: Sequence[Alike]
    apart: Sequence[EnrollmentId]


def kept_in(
    tables: Tables, fingerprint: str, known_at: datetime | None, whose: Whose
) -> Kept | None:
    """What is known of everybody by an instant; None where that is not whole.

    So it is where somebody is parked, and where not everything is taken in yet.
    """
    with tables.snapshot() as sql:
        side = side_in(tables, sql)
        if not tables.has_tables(sql, side):
            return None
        prefix = tables.prefix(side)
        ((found, as_of, fanned),) = sql.rows(
            f"SELECT fingerprint, position, fanned FROM {prefix}progress"
        )
        if found != fingerprint or fanned is not None or sql.rows(f"SELECT 1 FROM {prefix}parked"):
            return None
        words, shapes = words_in(sql, prefix), shapes_in(sql, prefix)
        alike: dict[int, Alike] = {}
        apart: list[EnrollmentId] = []
        with not_collecting():
            for rows in _parts(sql, prefix, known_at, whose):
                for _, ref, year, shape, numbers, codes in rows:
                    if shape is None:
                        apart.append(EnrollmentId(ref, year))
                        continue
                    some = alike.get(shape)
                    if some is None:
                        some = alike[shape] = Alike(shapes[shape])
                    if codes:
                        some.unfit_at.append(len(some.refs))
                    some.refs.append(ref)
                    some.packed += numbers
    return Kept(as_of, words, [*alike.values()], apart)


#: Number, reference, year, shape, numbers, and the codes of what does not fit.
_Row = tuple[int, str, int, int | None, bytes, str]


def _parts(sql: Sql, prefix: str, known_at: datetime | None, whose: Whose) -> Iterator[list[_Row]]:
    """Rows of those who are asked for, some at a time."""
    after = 0
    while True:
        statement: Statement = keeping(prefix, known_at, whose, after, AT_A_TIME)
        rows: list[_Row] = sql.rows(*statement)
        yield rows
        if len(rows) < AT_A_TIME:
            return
        after = rows[-1][0]


def editions_known(
    store: FactStore, editions: Editions, as_of: int, known_at: datetime | None
) -> EditionOf:
    """The editions, with what was recorded under them up to a position, as known by an instant."""

    @cache
    def edition_of(name: str) -> EditionRecord:
        recorded = store.recorded(edition_stream(name), as_of)
        known = [
            each for each in recorded if known_at is None or each.event.recorded_at <= known_at
        ]
        return EditionRecord(editions.get(name), Log.of(known))

    return edition_of
