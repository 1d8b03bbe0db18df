"""The season for whoever embeds it: what the officer's commands do, each as a function."""

import os
from datetime import date, datetime
from pathlib import Path
from typing import Any, Literal, get_args

from yibao.adapters.office.directory import Directory, DirectorySettings
from yibao.adapters.office.directory import open_directory as opened
from yibao.adapters.office.imports import Asked, Imported, imported_json, record_table
from yibao.adapters.office.judging import HEADINGS
from yibao.adapters.office.reading import Unfit, read_table, text_in
from yibao.adapters.office.season import (
    Listed,
    Morning,
    Shown,
    listed_json,
    shown_by_number,
    shown_json,
    this_morning,
    today_json,
)
from yibao.adapters.office.season import listed as listed_on
from yibao.adapters.office.workbooks import errors_workbook, list_workbook
from yibao.adapters.service import Clock, Service, read_instant, shanghai_now
from yibao.adapters.telemetry import Watch
from yibao.adapters.views.words import Language, Words
from yibao.domain.calendar import read_day
from yibao.domain.refusals import BadValue

#: What JSON has under names, and where a file is.
Told = dict[str, Any]
Place = str | os.PathLike[str]

#: What a table may tell of.
TableKind = Literal["roster", "results", "accounts", "proxies", "payments"]


def open_directory(
    database: str,
    key: Place,
    *,
    keys: Place | None = None,
    asks_for_reasons: bool = False,
    asks_two_persons: bool = False,
    clock: Clock = shanghai_now,
) -> Directory:
    """Opens the directory of people, and makes it where there is none yet.

    It is the path of a SQLite file or the URL of a PostgreSQL database; `key` is a file of at least
    32 bytes that its owner alone may read, and `keys` the file of the keys of the people (default:
    beside the directory, or beside the key). With `asks_for_reasons` nobody is looked up without
    one, with `asks_two_persons` nobody is forgotten before a second person wants it, too. Raises
    StoreError where it cannot be opened.
    """
    settings = DirectorySettings(
        directory=database,
        directory_key=Path(key),
        directory_keys=None if keys is None else Path(keys),
        directory_reasons=asks_for_reasons,
        directory_two_persons=asks_two_persons,
    )
    found = opened(settings, clock, make=True)
    assert found is not None
    return found


def import_table(
    service: Service,
    people: Directory | None,
    kind: TableKind,
    file: Place | bytes,
    *,
    school: str,
    at: datetime | str | None = None,
    by: str | None = None,
    sheet: str | None = None,
    dry_run: bool = False,
    all_or_nothing: bool = False,
    correct: bool = False,
    reason: str | None = None,
    errors: Place | None = None,
    lang: Language = "en",
    watch: Watch | None = None,
) -> Imported:
    """Records what a table of a school tells, in a file or in bytes; a verdict for each row.

    `at` is when it happened (default: now, and then no part of the content). `people` may be None
    in a `dry_run` alone. What has changed is told, and with `correct` corrected, for a `reason`;
    with `all_or_nothing` nothing is recorded unless every row may be. Rows that are refused or told
    twice are written into the workbook `errors`, in the language asked for; what is there is
    replaced. Imported again it changes nothing. Raises UnreadableTable, BadValue for what can never
    be right, and StoreError where a store fails or somebody else imports; then the batches before
    stand.
    """
    if kind not in HEADINGS:
        raise BadValue("kind", f"is none; there are {', '.join(get_args(TableKind))}")
    if people is None and not dry_run:
        raise BadValue("people", "are needed but in a dry run")
    found = file if isinstance(file, bytes) else Path(file)
    table = read_table(found, HEADINGS[kind], sheet)
    asked = Asked(
        school,
        read_instant(at) if isinstance(at, str) else at,
        by,
        dry_run,
        all_or_nothing,
        correct,
        reason or f"{kind}-correction",
    )
    imported = record_table(service, people, kind, table, asked, watch)
    if errors is not None:
        errors_workbook(Path(errors), table, imported, Words(lang))
    return imported


def today(
    service: Service, people: Directory | None, school: str, on: date | str | None = None
) -> Morning:
    """The morning page of a school on a day (default: this one): how many are on each list.

    It is asked about 12:00, by all that is known. Without `people` no proxy waits to be entered.
    Raises BadValue for what is no day, and StoreError.
    """
    return this_morning(service, people, school, _day(on))


def listed(
    service: Service,
    people: Directory | None,
    name: str,
    school: str,
    on: date | str | None = None,
    *,
    by: str,
    reason: str | None = None,
) -> Listed:
    """Who is on a list of a school on a day; names are told of whom it has entered, and noted.

    `by` is who looks, an opaque key. Raises BadValue for a list that there is not, for what is no
    day and where a reason is asked for, and StoreError.
    """
    return listed_on(service, people, name, school, _day(on), by=by, reason=reason)


def shown(
    service: Service,
    people: Directory,
    school: str,
    number: str,
    on: date | str | None = None,
    *,
    by: str,
    reason: str | None = None,
) -> Shown | None:
    """Who has a number at a school, with an answer for each benefit year; None where nobody has.

    Raises as `listed`.
    """
    try:
        number = text_in(number)
    except Unfit:
        return None
    return shown_by_number(service, people, school, number, _day(on), by=by, reason=reason)


def write_list(found: Listed, to: Place, *, lang: Language = "en") -> None:
    """Writes a list into a workbook; what is there is replaced. Raises OSError."""
    list_workbook(Path(to), found, Words(lang))


def as_json(found: Imported | Morning | Listed | Shown, lang: Language | None = None) -> Told:
    """What one of these functions returned as plain JSON, as the commands print it with `--json`.

    With `lang` ("en" or "zh") answers about a student are told in words, too.
    """
    if isinstance(found, Imported):
        return imported_json(found)
    if isinstance(found, Morning):
        return today_json(found)
    return listed_json(found) if isinstance(found, Listed) else shown_json(found, lang)


def _day(on: date | str | None) -> date:
    if on is None:
        return shanghai_now().date()
    try:
        return read_day(on) if isinstance(on, str) else on
    except ValueError as error:
        raise BadValue("on", str(error)) from None
