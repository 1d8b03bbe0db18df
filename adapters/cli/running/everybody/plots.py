"""`yibao cohort plot`: everybody, day by day, in words and as pictures."""

from datetime import datetime
from pathlib import Path
from typing import Any, TextIO

import click

from yibao.adapters.cli.running.subjects import existing_store
from yibao.adapters.editions import Editions
from yibao.adapters.following.cohort import Counted
from yibao.adapters.views import in_one_line
from yibao.adapters.views.pages.plots import check_plots, lettered, told_of, write
from yibao.adapters.views.words import Words
from yibao.domain.refusals import BadValue


def plotted(
    editions: Editions,
    words: Words,
    out: TextIO,
    err: TextIO,
    *,
    store: str,
    kind: Counted,
    first: str | None,
    last: str | None,
    known_at: datetime | None,
    edition: str | None,
    svg: Path | None,
    png: Path | None,
    force: bool,
    **among: Any,
) -> None:
    """Tells what is drawn, and draws it where a file is named."""
    files = [file for file in (svg, png) if file]
    if force and not files:
        raise click.UsageError("--force says nothing without --svg or --png")
    for option, file, ending in (("--svg", svg, ".svg"), ("--png", png, ".png")):
        if file and file.suffix != ending:
            raise BadValue(option, f"must end in {ending}")
    if files:
        check_plots()
    with existing_store(store, editions) as service, service:
        then = None
        if kind == "covered" and known_at is not None:
            view = service.cohort(known_at, known_at=known_at, policy=edition, **among)
            then, known_at = view.days(kind, first, last), None
        view = service.cohort(known_at=known_at, policy=edition, **among)
        days = view.days(kind, first, last)
    if files:
        write(files, days, then, words, force=force)
    out.write(told_of(days, then, words))
    if png and lettered(words) is not words:
        err.write(words("plot", "unlettered") + "\n")
    for file in files:
        err.write(in_one_line(words("audit", "written", file=file)) + "\n")
