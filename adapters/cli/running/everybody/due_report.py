"""`yibao due`: what has come due, for people and for programs."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, TextIO

import click

from yibao.adapters.cli.running.subjects import existing_store
from yibao.adapters.editions import Editions
from yibao.adapters.following import mistakes_halt
from yibao.adapters.following.due import PAGE, SOURCE, cloud_event, due_json
from yibao.adapters.views import console, json_for
from yibao.adapters.views.console import due_report, parked_told
from yibao.adapters.views.words import Words


def due_listed(
    editions: Editions,
    words: Words,
    out: TextIO,
    err: TextIO,
    *,
    store: str,
    until: datetime | None,
    acknowledged: Sequence[int],
    days_before: int | None,
    size: int | None,
    after: int | None,
    as_json: bool,
    cloudevents: bool,
    source: str | None,
) -> None:
    """Acknowledges what was delivered, and lists a page of what was not."""
    if as_json and cloudevents:
        raise click.UsageError("--json and --cloudevents are two formats")
    if source is not None and not cloudevents:
        raise click.UsageError("--source says nothing without --cloudevents")
    with existing_store(store, editions) as service, mistakes_halt():
        for number in acknowledged:
            service.acknowledge(number)
        page = service.due(after=after, until=until, limit=size or PAGE, days_before=days_before)
    told: Any = due_json(page)
    if cloudevents:
        told = [cloud_event(entry, source or SOURCE) for entry in page.entries]
    if as_json or cloudevents:
        out.write(f"{json_for(out.encoding, told)}\n")
    else:
        console.to(out).print(due_report(page, words))
    if page.parked:
        err.write(parked_told(page.parked, words) + "\n")
