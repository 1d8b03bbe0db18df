"""The office's commands at work: the store, the directory, the table."""

import os
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, closing, contextmanager, nullcontext
from datetime import date
from os.path import exists, samefile
from pathlib import Path
from typing import Any, Final

from yibao.adapters.cli.running.subjects import existing_store
from yibao.adapters.editions import Editions
from yibao.adapters.office.directory import (
    Directory,
    Entry,
    Forgotten,
    directory_settings,
    open_directory,
)
from yibao.adapters.office.imports import Asked, Imported, record_table
from yibao.adapters.office.judging import HEADINGS
from yibao.adapters.office.reading import Unfit, read_table, text_in
from yibao.adapters.office.season import (
    Listed,
    Morning,
    Shown,
    listed,
    shown_by_number,
    this_morning,
)
from yibao.adapters.office.workbooks import errors_workbook, list_workbook
from yibao.adapters.service import Service, shanghai_now
from yibao.adapters.store import MEMORY, StoreError, file_of, is_postgres, open_store
from yibao.adapters.store.files import NotWritten, written
from yibao.adapters.views.console import watched
from yibao.adapters.views.words import Words
from yibao.domain.calendar import read_day
from yibao.domain.refusals import BadValue


def imported_table(
    kind: str,
    file: Path,
    errors: Path | None,
    force: bool,
    policies: Path | None,
    words: Words,
    *,
    store: str,
    sheet: str | None,
    dry_run: bool,
    on_change: str,
    **asked: Any,
) -> Imported:
    """What becomes of a table of a kind in a file; rows to be mended are written into `errors`."""
    if errors is not None and exists(errors) and exists(file) and samefile(errors, file):
        raise NotWritten("the errors would be written over the table itself")
    table = read_table(file, HEADINGS[kind], sheet)
    how = Asked(dry_run=dry_run, correct=on_change == "correct", **asked)
    to_write: AbstractContextManager[Path | None] = nullcontext()
    if errors is not None:  # where it cannot be written, nothing is recorded either
        to_write = written(errors, force=force)
    with (
        _directory(make=not dry_run) as directory,
        _store(store, Editions(policies), dry_run) as service,
        to_write as new,
    ):
        with watched(sys.stderr, words("office", "importing")) as watch:
            imported = record_table(service, directory, kind, table, how, watch)
        if new is not None:
            errors_workbook(new, table, imported, words)
        return imported


@contextmanager
def _store(url: str, editions: Editions, dry_run: bool) -> Iterator[Service]:
    """The service on a store; a dry run makes none, and takes one that is not there for empty."""
    if dry_run and not is_postgres(url) and url != MEMORY and not exists(file_of(url)):
        url, dry_run = MEMORY, False
    with closing(open_store(url, to_ask=dry_run)) as store:
        yield Service(store, editions, by="cli", via="cli")


@contextmanager
def _directory(*, make: bool = False) -> Iterator[Directory | None]:
    """The directory of the environment; None where there is none and none is to be made."""
    opened = open_directory(directory_settings(), shanghai_now, make=make)
    with opened or nullcontext():
        yield opened


def found(school: str, number: str, by: str, reason: str | None) -> str | None:
    """The reference behind a student number."""
    try:
        number = text_in(number)
    except Unfit:
        return None
    with _directory() as directory:
        return directory.find(school, number, by=by, reason=reason) if directory else None


def person(ref: str, by: str, reason: str | None) -> Entry | None:
    """Who somebody is."""
    with _directory() as directory:
        return directory.person(ref, by=by, reason=reason) if directory else None


def forgotten(ref: str, by: str, reason: str) -> Forgotten:
    """What became of the wish that somebody be forgotten."""
    with _directory() as directory:
        return directory.forget(ref, by=by, reason=reason) if directory else "nobody"


def rekeyed(new_key: Path) -> int:
    """The version of the key, once everything is wrapped under another."""
    with _directory() as directory:
        if directory is None:
            raise StoreError("there is no directory yet: it appears with the first import")
        return directory.rekey(new_key)


#: Who looked, where nobody says.
SOMEBODY: Final = "cli"


def morning(store: str, editions: Editions, school: str, on: str | None) -> Morning:
    """How many are on each list of a school."""
    with _asked(store, editions, on) as (service, directory, day):
        return this_morning(service, directory, school, day)


def list_of(
    store: str,
    editions: Editions,
    name: str,
    school: str,
    on: str | None,
    by: str | None,
    reason: str | None,
) -> Listed:
    """Who is on a list of a school."""
    with _asked(store, editions, on) as (service, directory, day):
        who = by or SOMEBODY
        return listed(service, directory, name, school, day, by=who, reason=reason)


def written_list(found: Listed, to: Path, force: bool, words: Words) -> None:
    """Writes a list into a new workbook."""
    with written(to, force=force) as new:
        list_workbook(new, found, words)


def shown(
    store: str,
    editions: Editions,
    school: str,
    number: str,
    on: str | None,
    by: str | None,
    reason: str | None,
) -> Shown | None:
    """Who has a student number at a school, and what holds of her."""
    try:
        number = text_in(number)
    except Unfit:
        return None
    with _directory() as directory, existing_store(store, editions) as service:
        if directory is None:
            return None
        who, day = by or SOMEBODY, _day(on)
        return shown_by_number(service, directory, school, number, day, by=who, reason=reason)


@contextmanager
def _asked(
    store: str, editions: Editions, on: str | None
) -> Iterator[tuple[Service, Directory | None, date]]:
    """The store that is there, the directory where the environment names one, and the day."""
    day = _day(on)
    names_one = bool(os.environ.get("YIBAO_DIRECTORY"))
    with (
        existing_store(store, editions) as service,
        service,
        _directory() if names_one else nullcontext() as directory,
    ):
        yield service, directory, day


def _day(on: str | None) -> date:
    """The day asked about; raises BadValue."""
    try:
        return shanghai_now().date() if on is None else read_day(on)
    except ValueError as error:
        raise BadValue("--on", str(error)) from None
