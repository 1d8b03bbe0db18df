"""Where the evidence is kept, and whether it is there."""

import os
from contextlib import closing

from yibao.adapters.following.derived import SqliteTables, tables_of
from yibao.adapters.following.evidence.following import Evidence
from yibao.adapters.following.evidence.layout import EVIDENCE
from yibao.adapters.following.evidence.logs import LOGS, LogName
from yibao.adapters.store import FactStore, StoreError
from yibao.adapters.store.connections import SqlRow

_ENDING = f".{EVIDENCE.told}"


def there_is_evidence(store: FactStore) -> bool:
    """Whether evidence is kept of a store; looking makes none."""
    return store.is_postgres or os.path.isfile(store.beside(_ENDING))


def open_evidence(store: FactStore, *, to_keep: bool = False) -> Evidence:
    """The evidence of a store; `to_keep` it, where there is none a file is made.

    Raises StoreError where there is none, or it cannot be written to and is to be kept.
    """
    if not (to_keep or there_is_evidence(store)):
        raise StoreError("the store has no log yet: `yibao evidence init` begins one")
    tables = tables_of(store, EVIDENCE)
    if to_keep and not (tables.is_kept and tables.is_writable):
        tables.close()
        raise StoreError("the evidence cannot be written to: it is read-only here")
    if to_keep and isinstance(tables, SqliteTables):
        with tables.writing() as sql:
            if not tables.has_tables(sql, ""):
                tables.empty(sql, "")
    return Evidence(store, tables)


#: All that is kept of the logs of a store, by log and table.
Everything = dict[LogName, dict[str, list[SqlRow]]]


def kept_evidence(store: FactStore) -> Everything | None:
    """All the evidence that is kept of a store, to be taken along; None where there is none."""
    if not there_is_evidence(store):
        return None
    with closing(open_evidence(store)) as evidence:
        if not evidence.is_begun():
            return None
        found: Everything = {}
        for logged in LOGS:
            with evidence.reading(logged) as kept:
                found[logged.name] = kept.everything()
        return found


def take_along(everything: Everything, to: FactStore) -> None:
    """Keeps evidence beside a copy of the store it is of."""
    with closing(open_evidence(to, to_keep=True)) as evidence:
        for logged in LOGS:
            with evidence.writing(logged) as kept:
                kept.take_over(everything[logged.name])
