"""Everybody's values and outcomes, filled over the columns that are kept (`yibao[analysis]`)."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import chain
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy

from yibao.adapters.following.cohort import Kept
from yibao.adapters.shapes import VALUES, value_row
from yibao.domain.editions import Policy
from yibao.domain.vocabulary import EnrollmentId
from yibao.projections.answer import Answer
from yibao.projections.cohort.paths import Group
from yibao.projections.cohort.shapes import EditionOf, instant_of
from yibao.projections.cohort.together import (
    FOREVER,
    Outcomes,
    StepOfMany,
    steps_of,
    value_columns,
)
from yibao.projections.cohort.tree import Rows

if TYPE_CHECKING:
    import pyarrow as pa

#: Arrow counts instants from 1970 on, the law from midnight in Shanghai.
_SINCE_1970 = round(instant_of(0).timestamp()) * 1_000_000


def groups_of(kept: Kept) -> list[Group]:
    """What is kept as the law asks for it."""
    return [
        Group(each.shape, numpy.ascontiguousarray(of_each(each.packed, len(each.refs)).T))
        for each in kept.alike
    ]


def of_each(packed: bytearray, size: int) -> Any:
    """The numbers of some, a row each."""
    return numpy.frombuffer(packed, dtype=numpy.int64).reshape(size, -1)


def values_table(
    kept: Kept, edition_of: EditionOf, at: datetime, apart: Sequence[Answer]
) -> "pa.Table":
    """The values of everybody, by reference and year; answered `apart` are those left out."""
    import pyarrow as pa

    from yibao.adapters.service.arrow import schema_of, table

    found = value_columns(groups_of(kept), at, kept.words, edition_of)
    years = numpy.repeat(
        numpy.array([each.shape.year for each in kept.alike], dtype=numpy.int32),
        [len(each.refs) for each in kept.alike],
    )
    states = [None if state is None else str(state) for state in found.names]
    columns: dict[str, Any] = {
        "ref": pa.array(chain.from_iterable(each.refs for each in kept.alike), pa.string()),
        "year": years,
        "school": _named([*map(_text, kept.words.words)], found.schools),
        "state": _named(states, found.states),
    }
    schema = schema_of(VALUES)
    for name, (numbers, known) in found.parts.items():
        kind = schema.field(name).type
        if pa.types.is_timestamp(kind):
            columns[name] = pa.array(numbers + _SINCE_1970, pa.int64(), mask=~known).cast(kind)
        else:
            columns[name] = pa.array(numbers.astype(numpy.int32), mask=~known).cast(kind)
    columns |= {f"{name}_pending": flags for name, flags in found.pending.items()}
    arrays = [pa.array(columns[name], schema.field(name).type) for name in schema.names]
    of_all = pa.Table.from_arrays(arrays, schema=schema)
    if apart:
        of_all = pa.concat_tables([of_all, table(VALUES, map(value_row, apart))])
    return of_all.sort_by([("ref", "ascending"), ("year", "ascending")]).combine_chunks()


class Stepping(NamedTuple):
    """What some have to do who were asked together: by their references, those at `rows`."""

    refs: Sequence[str]
    year: int
    rows: Rows
    steps: tuple[StepOfMany, ...]

    def each_until(self, step: StepOfMany) -> Iterator[tuple[EnrollmentId, datetime | None]]:
        """Each of them, and until when she may take one of the steps."""
        rows: list[int] = self.rows.tolist()
        untils: list[int] = step.until.tolist()
        for row, until in zip(rows, untils, strict=True):
            whose = EnrollmentId(self.refs[row], self.year)
            yield whose, None if until == FOREVER else instant_of(until)


def steps(kept: Kept, edition_of: EditionOf, at: datetime) -> Iterator[Stepping]:
    """What everybody has to do at an instant who comes down to numbers."""
    for each, group in zip(kept.alike, groups_of(kept), strict=True):
        for found in steps_of(group, at, kept.words, edition_of):
            yield Stepping(each.refs, each.shape.year, *found)


def outcomes(
    kept: Kept, edition_of: EditionOf, instead_of: Policy, edition: Policy, at: datetime
) -> tuple[list[Outcomes], list[EnrollmentId]]:
    """What everybody comes to under another edition, and who is to be asked apart.

    One of each change of days is among the latter, to be an example.
    """
    found: list[Outcomes] = []
    apart = [*kept.apart]
    told: set[int] = set()
    for each, group in zip(kept.alike, groups_of(kept), strict=True):
        of_group = Outcomes(group, each.refs, kept.words, edition_of, instead_of, edition, at)
        apart += of_group.without_one_of_each(told)
        found.append(of_group)
    return found, apart


def _named(names: Sequence[str | None], numbers: Any) -> "pa.Array":
    import pyarrow as pa

    return pa.array(names, pa.string()).take(pa.array(numbers))


def _text(word: Any) -> str | None:
    return word if isinstance(word, str) else None
