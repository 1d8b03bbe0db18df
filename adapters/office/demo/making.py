"""A synthetic school made in a folder: its tables, its directory, and a store of its season."""

import os
import secrets
from collections.abc import Iterator, Sequence
from datetime import date, datetime, time
from itertools import groupby
from pathlib import Path
from typing import Final, NamedTuple
from uuid import UUID

from yibao.adapters.office.demo.lives import SCHOOL, UNTIL, YEAR
from yibao.adapters.office.demo.season import Happened, Season, season_of
from yibao.adapters.office.demo.sheets import Sheet
from yibao.adapters.office.demo.writing import write_sheet
from yibao.adapters.office.directory import (
    Directory,
    DirectorySettings,
    Entry,
    draw,
    open_directory,
)
from yibao.adapters.office.imports import Asked, record_table
from yibao.adapters.office.judging import HEADINGS
from yibao.adapters.office.reading import read_table
from yibao.adapters.service import Receipt, Service, open_service
from yibao.adapters.store import StoreError, url_given
from yibao.adapters.telemetry import Watch
from yibao.domain.calendar import at_hour
from yibao.domain.refusals import BadValue
from yibao.domain.vocabulary import EnrollmentId

#: With fewer not everything happens to somebody.
FEWEST: Final = 30


class Made(NamedTuple):
    """A school that was made: where its store, its directory and its tables are.

    All of it is as it stands at the instant `at`.
    """

    school: str
    store: str
    settings: DirectorySettings
    tables: tuple[Path, ...]
    students: int
    at: datetime

    @property
    def on(self) -> date:
        """The day of which its morning page tells."""
        return self.at.date()

    def environment(self) -> dict[str, str]:
        """What the environment says so that commands are about this school."""
        return {
            "YIBAO_DIRECTORY": self.settings.directory,
            "YIBAO_DIRECTORY_KEY": str(self.settings.directory_key),
            "YIBAO_STORE": self.store,
        }


def make_school(
    folder: Path, students: int = 200, *, seed: int = 1, watch: Watch | None = None
) -> Made:
    """Makes a school of so many students in a folder that is not there yet, or empty.

    Tables and what they tell are always the same of a number and a seed; references and keys are
    drawn anew, as real ones are. What is known of a week is recorded in that week: its clock is
    the season's. Raises StoreError where something is in the folder, or it cannot be written, and
    BadValue for fewer students than everything happens to.
    """
    if students < FEWEST:
        raise BadValue("students", f"must be at least {FEWEST}")
    season = season_of(students, seed)
    try:
        settings = _prepared(folder)
        tables = [write_sheet(folder / _TABLES, sheet) for sheet in season.sheets]
    except OSError as error:
        raise StoreError(f"{str(folder)!r} cannot be written: {error.strerror}") from None
    clock = _Clock()
    store = str(folder / "season.db")
    directory = open_directory(settings, clock, make=True)
    assert directory is not None
    opened = open_service(url_given(store), clock=clock, by=OFFICER, via="demo")
    with directory, opened as service:
        making = _Making(service, directory)
        steps = sorted(_steps(season, tables), key=lambda step: step[0])
        for number, (at, step) in enumerate(steps, 1):
            clock.now = at
            making.record(step)
            if watch is not None:
                watch(number, len(steps))
    return Made(SCHOOL, store, settings, tuple(tables), students, at_hour(UNTIL, time(12)))


#: Who records all of it.
OFFICER: Final = "officer-1"
_TABLES: Final = "tables"
_Step = tuple[Sheet, Path] | list[Happened]


class _Clock:
    """Stands where the season is."""

    now: datetime = at_hour(date(2025, 8, 1), time())

    def __call__(self) -> datetime:
        return self.now


def _prepared(folder: Path) -> DirectorySettings:
    """A folder for its owner alone with a key in it; the settings of a directory there."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if any(folder.iterdir()):
        raise StoreError(f"{str(folder)!r} is not empty: a school is made in a folder of its own")
    (folder / _TABLES).mkdir()
    key = folder / "directory.key"
    with os.fdopen(os.open(key, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as opened:
        opened.write(secrets.token_bytes(32))
    return DirectorySettings(  # of this folder alone, whatever the environment says
        directory=str(folder / "people.db"),
        directory_key=key,
        directory_keys=folder / "people.db.keys",
        directory_reasons=False,
        directory_two_persons=False,
    )


def _steps(season: Season, tables: Sequence[Path]) -> Iterator[tuple[datetime, _Step]]:
    for sheet, file in zip(season.sheets, tables, strict=True):
        yield sheet.at, (sheet, file)
    for known_at, some in groupby(season.happened, key=lambda each: each.known_at):
        yield known_at, list(some)


class _Making:
    """A season being recorded."""

    def __init__(self, service: Service, directory: Directory) -> None:
        self._service = service
        self._directory = directory
        self._unlisted: dict[str, str] = {}
        self._care: dict[str, UUID] = {}

    def record(self, step: _Step) -> None:
        if isinstance(step, list):
            self._tell(step)
        else:
            self._import(*step)

    def _import(self, sheet: Sheet, file: Path) -> None:
        table = read_table(file, HEADINGS[sheet.kind])
        asked = Asked(SCHOOL, correct=sheet.corrects, reason=f"{sheet.kind}-correction")
        record_table(self._service, self._directory, sheet.kind, table, asked)

    def _tell(self, happened: Sequence[Happened]) -> None:
        refs = self._refs([each.number for each in happened])
        asked = []
        for each in happened:
            values = dict(each.command)
            if values["command"] == "register":
                values["ref"] = refs[each.number]
            if values["command"] == "settle_care":
                values["care"] = self._care[each.number]
            asked.append((EnrollmentId(refs[each.number], YEAR), values))
        for each, reply in zip(happened, self._service.record_each(asked), strict=True):
            if not isinstance(reply, Receipt):
                raise StoreError(f"a synthetic {each.command['command']} was refused: {reply}")
            if each.command["command"] == "receive_care":
                self._care[each.number] = reply.event_id

    def _refs(self, numbers: Sequence[str]) -> dict[str, str]:
        """The references behind numbers; of who is in no roster one that nobody can look up."""
        known = self._directory.known([(SCHOOL, number) for number in numbers])
        found = {}
        for number, who in zip(numbers, known, strict=True):
            if who is None and number not in self._unlisted:
                (new,) = draw([Entry(SCHOOL, number, "", "", "")])
                self._unlisted[number] = new.ref
            found[number] = who.ref if who else self._unlisted[number]
        return found
