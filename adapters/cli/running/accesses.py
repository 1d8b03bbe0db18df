"""`yibao audit --accesses`: who looked at whom, for people and for programs."""

from datetime import datetime
from os import environ
from typing import Any, Final, TextIO

import click

from yibao.adapters.cli.options import store_here
from yibao.adapters.office.directory import (
    Access,
    Accessed,
    accesses_there,
    directory_settings,
)
from yibao.adapters.views import console, json_for
from yibao.adapters.views.console import rows_report
from yibao.adapters.views.telling import shown
from yibao.adapters.views.words import Words

#: What is told of each, and what its column is called.
_COLUMNS: Final = {"at": "recorded_at", "actor": "actor", "what": "kind", "ref": "ref",
                   "year": "year", "reason": "reason", "trace": "correlation_id"}  # fmt: skip
#: As many as a page has, unless it is said.
_PAGE: Final = 100


def accesses_listed(
    words: Words,
    out: TextIO,
    *,
    store: str | None,
    ref: str | None,
    by: str | None,
    recorded_from: datetime | None,
    recorded_until: datetime | None,
    size: int | None,
    after: str | None,
    as_json: bool,
    **asked: Any,
) -> None:
    """Lists a page of them; nothing is made where there are none yet."""
    if others := [name for name, given in asked.items() if given]:
        raise click.UsageError(f"--accesses has no {', '.join(sorted(others))}")
    url = store or store_here()
    if url is None:
        raise click.UsageError("name a --store")
    question = Accessed(ref=ref, actor=by, since=recorded_from, until=recorded_until)
    begins = int(after) if after and after.isascii() and after.isdigit() else None
    found: list[Access] = []
    following: int | None = None
    people = directory_settings() if environ.get("YIBAO_DIRECTORY") else None
    if kept := accesses_there(url, people):
        try:
            found, following = kept.page(question, after=begins, limit=size or _PAGE)
        finally:
            kept.close()
    if as_json:
        entries = [
            {"number": each.number, **each.look._asdict(), "at": each.look.at.isoformat()}
            for each in found
        ]
        told = {"format": 1, "entries": entries, "following": following}
        out.write(json_for(out.encoding, told) + "\n")
        return
    heads = [words("column", each) for each in _COLUMNS.values()]
    rows = [_told(each, words) for each in found]
    console.to(out).print(rows_report(heads, rows, dict.fromkeys(_COLUMNS, str)))


def _told(access: Access, words: Words) -> list[str]:
    told = access.look._asdict() | {"at": shown(access.look.at, words)}
    return ["" if told[name] is None else str(told[name]) for name in _COLUMNS]
