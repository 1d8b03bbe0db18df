"""`yibao whatif`: for people, as JSON, and everybody in a Parquet file."""

from collections.abc import Iterable
from datetime import datetime
from importlib.util import find_spec
from pathlib import Path
from typing import TextIO

from yibao.adapters.cli.running.subjects import existing_store
from yibao.adapters.editions import Editions
from yibao.adapters.shapes import OUTCOMES, outcome_row, what_if_json
from yibao.adapters.store.files import NotWritten, written
from yibao.adapters.views import console, in_one_line, json_for
from yibao.adapters.views.console import what_if_report
from yibao.adapters.views.words import Words
from yibao.projections.cohort.what_if import Outcome


def asked(
    store: str,
    editions: Editions,
    words: Words,
    out: TextIO,
    err: TextIO,
    *,
    edition: Path,
    instead_of: str,
    known_at: datetime | None,
    as_json: bool,
    parquet: Path | None,
    force: bool,
) -> None:
    """Asks a store what would change, and tells it."""
    if parquet is not None and find_spec("pyarrow") is None:
        raise NotWritten("for Arrow and Parquet yibao needs pyarrow: pip install 'yibao[analysis]'")
    with existing_store(store, editions) as service:
        found = service.what_if(edition=edition, instead_of=instead_of, known_at=known_at)
    if as_json:
        out.write(json_for(out.encoding, what_if_json(found, known_at)) + "\n")
    elif parquet is None:
        console.to(out).print(what_if_report(found, words))
    else:
        with written(parquet, force=force) as new:
            _write_parquet(new, found.everybody())
        err.write(in_one_line(words("audit", "written", file=parquet)) + "\n")


def _write_parquet(to: Path, everybody: Iterable[Outcome]) -> None:
    """A row an enrollment; days are null while pending."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    types = {str: pa.string(), int: pa.int32()}
    schema = pa.schema(
        [(name, types.get(kind, pa.decimal128(14, 2))) for name, kind in OUTCOMES.items()]
    )
    rows = [dict(zip(OUTCOMES, outcome_row(each), strict=True)) for each in everybody]
    pq.write_table(pa.Table.from_pylist(rows, schema=schema), to)
