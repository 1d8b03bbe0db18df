"""The officer's season: tables recorded against their commands alone, and the morning page."""

import os
import resource
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import date, timedelta
from itertools import count
from pathlib import Path

from measured import Row, rate, told

from yibao.adapters.office.demo import season_of, write_sheet
from yibao.adapters.office.directory import DirectorySettings, open_directory
from yibao.adapters.office.imports import Asked, record_table
from yibao.adapters.office.judging import HEADINGS
from yibao.adapters.office.reading import read_table
from yibao.adapters.office.season import due_of, this_morning
from yibao.adapters.service import Service, open_service
from yibao.domain.calendar import read_instant
from yibao.domain.facts.commands import DeclareRoster, Register
from yibao.domain.vocabulary import EnrollmentId

NOON = read_instant("2025-12-15 12:00")
AT = read_instant("2025-08-28 09:00")
DAY = date(2025, 12, 15)


def office(folder: Path, sizes: tuple[int, ...], school: int) -> Iterator[Row]:
    """Rosters of some sizes, and the page of a school."""
    for size in sizes:
        yield from recorded(folder / f"roster-{size}", size)
    yield from morning(folder / "morning", school)


def recorded(folder: Path, size: int) -> Iterator[Row]:
    """A roster from its file, once and again, against the same groups of commands alone."""
    folder.mkdir()
    sheet = next(each for each in season_of(size).sheets if each.kind == "roster")
    file = write_sheet(folder, sheet._replace(name=f"roster-{size}"))
    settings = _settings(folder)
    directory = open_directory(settings, lambda: NOON, make=True)
    assert directory is not None
    with closing(_service(folder / "facts.db")) as service, directory:
        rows, took = 0, list[float]()
        for _ in range(2):
            began = time.process_time()
            table = read_table(file, HEADINGS["roster"])
            imported = record_table(service, directory, "roster", table, Asked("demo", at=AT))
            took.append(time.process_time() - began)
            rows = len(imported.rows)
    groups = _groups(rows)
    with closing(_service(folder / "alone.db")) as service:
        began = time.process_time()
        service.record_each(groups, batch=500)
        alone = time.process_time() - began
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10
    yield Row(
        f"a roster of {rows:,} rows from its file, CPU, {most:,.0f} MB at most",
        told(rate(rows, took[0])),
        "record_each of the same groups",
        told(rate(rows, alone)),
        alone / took[0],
        "0.5",
    )
    again = f"the same roster again: {told(rate(rows, took[1]))}"
    yield Row(
        again, f"{took[1]:.2f} s", "the first time", f"{took[0]:.2f} s", took[0] / took[1], "1"
    )


def _groups(size: int) -> list[tuple[EnrollmentId, list[Register | DeclareRoster]]]:
    sheet = {"policy": "shanghai-2025", "on": "2025-09-01", "school": "demo", "at": AT}
    sheet |= {"category": "undergraduate", "document": "resident_id_card"}
    groups = []
    for number in range(size):
        whose = EnrollmentId(f"p-{number:016x}", 2025)
        register = Register.model_validate({**sheet, "ref": whose.ref, "command_id": f"r{number}"})
        groups.append((whose, [register, DeclareRoster(at=AT, command_id=f"d{number}")]))
    return groups


def morning(folder: Path, size: int) -> Iterator[Row]:
    """The page of a school: of all at once, and after something was told of one more."""
    folder.mkdir()
    with closing(_filled(folder, size)) as service:
        service.cohort(NOON).count()  # it is followed
        began = time.process_time()
        first = this_morning(service, None, "demo", DAY)
        at_once = time.process_time() - began
        kept = []
        page = service.cohort("2025-09-06 12:00", school="demo").page(limit=40)
        for each in page.entries:
            service.pay_premium(each.enrollment, year=2026, at=NOON, observed=True)
            began = time.perf_counter()
            this_morning(service, None, "demo", DAY)
            kept.append(time.perf_counter() - began)
        began = time.process_time()
        concerned, _ = service.cohort(NOON, school="demo").concerned()
        due = sum(1 for known in concerned for _ in due_of(*known, NOON))
        one_by_one = time.process_time() - began
        assert due + len(kept) >= sum(number for _, number in first.lists)
    yield Row(
        f"the morning page of {size:,}, CPU",
        f"{at_once:.2f} s",
        "one by one",
        f"{one_by_one:.2f} s",
        one_by_one / at_once,
        "2 s",
    )
    last = sorted(kept)[round(len(kept) * 0.95) - 1]
    what = f"the same after one more fact, p95 of {len(kept)}"
    yield Row(what, f"{last * 1000:.0f} ms", "", "", None, "100 ms")


def _filled(folder: Path, size: int) -> Service:
    service = _service(folder / "facts.db")
    season = season_of(size)
    groups = []
    for life in season.lives:
        who, ref = life.pupil, f"p-{life.pupil.number}"
        commands = [
            {"command": "register", "ref": ref, "policy": "shanghai-2025", "school": "demo",
             "on": who.registered_on, "category": who.category, "document": who.document, "at": AT},
            {"command": "declare_roster", "at": AT},
        ]  # fmt: skip
        if life.confirmed_at:
            confirm = {"command": "confirm", "channel": "app", "observed": True}
            commands.append({**confirm, "at": life.confirmed_at})
            told_at = {"at": life.confirmed_at, "lapsed_years": life.lapsed_years}
            commands.append({"command": "verify_prior_coverage", **told_at})
        if life.paid_at:
            pay = {"command": "pay_premium", "year": 2026, "observed": True}
            commands.append({**pay, "at": life.paid_at})
        groups.append((EnrollmentId(ref, 2025), commands))
    service.record_each(groups, batch=5000)
    return service


def _service(file: Path) -> Service:
    """A service whose clock goes on, as clocks do."""
    ticks = count()
    return open_service(
        f"sqlite:///{file}", clock=lambda: NOON + timedelta(milliseconds=next(ticks))
    )


def _settings(folder: Path) -> DirectorySettings:
    key = folder / "directory.key"
    key.write_bytes(os.urandom(32))
    key.chmod(0o600)
    return DirectorySettings(directory=str(folder / "people.db"), directory_key=key)


if __name__ == "__main__":
    import sys
    import tempfile

    with tempfile.TemporaryDirectory(dir=".") as name:
        sizes = tuple(map(int, sys.argv[1:-1]))
        for row in office(Path(name), sizes, int(sys.argv[-1])):
            print(row)
