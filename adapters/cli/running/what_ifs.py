"""`yibao whatif`: for people, as JSON, and everybody in a Parquet file."""

from datetime import datetime
from pathlib import Path
from typing import TextIO

from yibao.adapters.cli.running.subjects import existing_store
from yibao.adapters.editions import Editions
from yibao.adapters.service import check_analysis
from yibao.adapters.shapes import OUTCOMES, outcome_row, what_if_json
from yibao.adapters.store.files import written
from yibao.adapters.views import console, in_one_line, json_for
from yibao.adapters.views.console import what_if_report
from yibao.adapters.views.words import Words


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
    if parquet is not None:
        check_analysis()
    with existing_store(store, editions) as service:
        found = service.what_if(edition=edition, instead_of=instead_of, known_at=known_at)
    if as_json:
        out.write(json_for(out.encoding, what_if_json(found, known_at)) + "\n")
    elif parquet is None:
        console.to(out).print(what_if_report(found, words))
    else:
        from yibao.adapters.service.arrow import write_table

        with written(parquet, force=force) as new:
            write_table(new, OUTCOMES, map(outcome_row, found.everybody()))
        err.write(in_one_line(words("audit", "written", file=parquet)) + "\n")
