"""Tables of everybody in columns, by Arrow; it comes with `yibao[analysis]`."""

import json
from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from datetime import date, datetime
from decimal import Decimal
from itertools import chain, islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final, Self

import pyarrow as pa
import pyarrow.parquet as pq

from yibao.adapters.following.cohort.exported import ABOUT
from yibao.adapters.service.cohorts import CohortView
from yibao.adapters.shapes import FACTS, SPANS, VALUES, WINDOWS, fact_rows, value_row, window_rows
from yibao.adapters.store.files import NotWritten
from yibao.projections.answer import answered
from yibao.projections.record import EditionRecord

#: How many rows are put together at a time.
AT_A_TIME: Final = 50_000

#: The type of a column by what stands in it.
_TYPES: Final[dict[type, pa.DataType]] = {
    str: pa.string(),
    int: pa.int32(),
    bool: pa.bool_(),
    date: pa.date32(),
    Decimal: pa.decimal128(14, 2),
    datetime: pa.timestamp("us", "Asia/Shanghai"),
}


def schema_of(columns: Mapping[str, type]) -> pa.Schema:
    """The types of columns."""
    return pa.schema([(name, _TYPES[kind]) for name, kind in columns.items()])


def table(columns: Mapping[str, type], rows: Iterable[tuple[Any, ...]]) -> pa.Table:
    """Rows as a table of columns."""
    found = list(zip(*rows, strict=True)) or [()] * len(columns)
    schema = schema_of(columns)
    arrays = [pa.array(values, each.type) for values, each in zip(found, schema, strict=True)]
    return pa.Table.from_arrays(arrays, schema=schema)


def write_table(
    to: Path,
    columns: Mapping[str, type],
    rows: Iterable[tuple[Any, ...]],
    about: Mapping[bytes, str] | None = None,
) -> None:
    """Writes rows into a Parquet file, some at a time, and what is told about them."""
    left, schema = iter(rows), schema_of(columns).with_metadata(about)
    with pq.ParquetWriter(to, schema) as writer:
        while some := list(islice(left, AT_A_TIME)):
            writer.write_table(table(columns, some).replace_schema_metadata(about))


def export(view: CohortView, to: Path, *, by_school: bool = False) -> None:
    """Writes values, spans and facts of everybody into a new folder, all of one moment.

    Values are those at the view's instant, as known by its cut-off; spans have all instants and
    everything that was known before, as far as who follows the facts has come. Of each there is a
    file `NAME.parquet`; `by_school` a folder, and in it `school=SCHOOL` for each of them: in the
    spans the school that was known then. `windows.parquet` has what was recorded under editions.
    Raises NotWritten where the folder is there and not empty, and where it cannot be written;
    nothing is left then.
    """
    told = repr(str(to))
    try:
        if to.exists() and (not to.is_dir() or any(to.iterdir())):
            raise NotWritten(f"{told} is there already: nothing is written")
        with TemporaryDirectory(prefix=".yibao-", dir=to.parent) as folder:
            new = Path(folder, "new")
            new.mkdir(mode=0o700)
            with ExitStack() as closing:
                values, spans, facts = (
                    closing.enter_context(_Parted(new, name, columns, by_school=by_school))
                    for name, columns in _EXPORTED.items()
                )
                known_at, editions = view.known_at, dict[str, EditionRecord]()
                for record, knowledge in view.known():
                    values.add([value_row(answered(knowledge, view.at, whole=False))])
                    facts.add(fact_rows(record, knowledge))
                    if view.known_at is None:
                        known_at = max(record.latest, known_at or record.latest)
                    for name in record.editions_by(knowledge.version) - editions.keys():
                        editions[name] = record.edition_of(name)
                # What was recorded meanwhile is in the cohort too, and was known later.
                for span in view.spans(known_at) if known_at else ():
                    spans.add([span])
                fixed = (
                    window_rows(name, known.log.events[: known.log.by(known_at)])
                    for name, known in sorted(editions.items())
                    if known_at
                )
                about = {ABOUT: json.dumps({"everybody": view.is_of_everybody})}
                write_table(new / "windows.parquet", WINDOWS, chain.from_iterable(fixed), about)
            new.rename(to)
    except OSError as error:
        raise NotWritten(f"{told} could not be written: {error.strerror or error}") from error


_EXPORTED: Final = {"values": VALUES, "spans": SPANS, "facts": FACTS}


class _Parted:
    """One table on its way into Parquet: one file, or a folder for each school."""

    def __init__(
        self, folder: Path, name: str, columns: Mapping[str, type], *, by_school: bool
    ) -> None:
        self._columns = columns
        self._rows = list[tuple[Any, ...]]()
        self._parts = 0
        self._folder = folder / name if by_school else None
        self._writer = (
            None if by_school else pq.ParquetWriter(folder / f"{name}.parquet", schema_of(columns))
        )
        if self._folder:
            self._folder.mkdir()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *exc: object) -> None:
        if kind is None:
            self._write()
        if self._writer:
            self._writer.close()

    def add(self, rows: Iterable[tuple[Any, ...]]) -> None:
        """Takes rows, and writes where there are many."""
        self._rows += rows
        if len(self._rows) >= AT_A_TIME:
            self._write()

    def _write(self) -> None:
        if not self._rows:
            return
        found = table(self._columns, self._rows)
        self._rows.clear()
        if self._writer:
            self._writer.write_table(found)
        else:
            self._parts += 1
            pq.write_to_dataset(
                found,
                self._folder,
                partition_cols=["school"],
                basename_template=f"{self._parts:06}-{{i}}.parquet",
            )
