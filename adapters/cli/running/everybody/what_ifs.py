"""`yibao whatif`: for people, as JSON, and everybody in a Parquet file."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TextIO

from yibao.adapters.cli.running.subjects import existing_store
from yibao.adapters.editions import Editions
from yibao.adapters.service import check_analysis, what_if_of
from yibao.adapters.shapes import OUTCOMES, outcome_row, what_if_json
from yibao.adapters.store.files import written
from yibao.adapters.views import console, in_one_line, json_for
from yibao.adapters.views.console import what_if_report
from yibao.adapters.views.words import Words


def asked(
    store: str | None,
    export: Path | None,
    editions: Editions,
    words: Words,
    out: TextIO,
    err: TextIO,
    *,
    edition: Path,
    instead_of: str,
    dask: str | None,
    known_at: datetime | None,
    as_json: bool,
    parquet: Path | None,
    force: bool,
) -> None:
    """Asks a store what would change, and tells it."""
    if parquet is not None:
        check_analysis()
    whom: dict[str, Any] = {"edition": edition, "instead_of": instead_of, "known_at": known_at}
    if export is not None:
        found = what_if_of(export, policies=editions, dask=dask, **whom)
    elif dask is None:
        with existing_store(store, editions) as service:
            found = service.what_if(**whom)
    else:
        with _exported(store, editions, known_at) as export:
            found = what_if_of(export, policies=editions, dask=dask, **whom)
    if as_json:
        out.write(json_for(out.encoding, what_if_json(found, known_at)) + "\n")
    elif parquet is None:
        console.to(out).print(what_if_report(found, words))
    else:
        from yibao.adapters.service.arrow import write_table

        with written(parquet, force=force) as new:
            write_table(new, OUTCOMES, map(outcome_row, found.everybody()))
        err.write(in_one_line(words("audit", "written", file=parquet)) + "\n")


@contextmanager
def _exported(store: str | None, editions: Editions, known_at: datetime | None) -> Iterator[Path]:
    """An export of a store for as long as it is asked, which workers of this machine see."""
    check_analysis()
    from yibao.adapters.service.arrow import export

    with TemporaryDirectory(prefix="yibao-") as folder:
        with existing_store(store, editions) as service, service:
            export(service.cohort(known_at, known_at=known_at), Path(folder, "all"), by_school=True)
        yield Path(folder, "all")
