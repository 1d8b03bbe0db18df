"""`make bench`: one run, ratios against a raw driver and against the stock library."""

import platform
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID

import click
from cohort import cohort
from evidence import evidence
from following import following
from many import bulk_on_postgres, many_at_once
from measured import ROUNDS, Row, in_turn, rate, timed, told
from office import office
from openfisca_beside import beside
from peer import StockApplication, stock_student
from pgserver import Server
from rich.console import Console
from rich.table import Table
from subject import FACTS, NOON, POLICY, enrollment, facts_of, filled_service
from trail import rebuilt, trail
from web import web

from yibao.adapters.service.commands import BATCH
from yibao.adapters.service.service import open_service
from yibao.adapters.store.facts import open_store
from yibao.adapters.store.tables.mapping import FactMapper
from yibao.adapters.views.dossier import dossier_of
from yibao.domain.facts.commands import Command, Confirm, DeclareRoster, Register
from yibao.domain.facts.events import EVENTS, Event
from yibao.domain.facts.streams import current_facts
from yibao.domain.lifecycle.timelines import timeline
from yibao.domain.rules import values
from yibao.domain.rules.case import Case
from yibao.domain.vocabulary import ConfirmationChannel, EnrollmentId, State, edition_stream
from yibao.projections.answer import answer
from yibao.projections.discrepancies import discrepancies
from yibao.projections.next_step import next_steps
from yibao.projections.record import EditionRecord, Log, Record

VISIT: dict[str, Any] = {
    "on": "2025-12-05",
    "setting": "outpatient",
    "level": "third",
    "cost": "80.00",
}


def raw_connection(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute(
        "CREATE TABLE IF NOT EXISTS stored_events ("
        "notification_id INTEGER PRIMARY KEY AUTOINCREMENT, originator_id TEXT NOT NULL, "
        "originator_version INTEGER NOT NULL, topic TEXT NOT NULL, state BLOB NOT NULL, "
        "UNIQUE (originator_id, originator_version))"
    )
    return connection


SELECT = (
    "SELECT originator_version, topic, state FROM stored_events "
    "WHERE originator_id=? ORDER BY originator_version"
)
INSERT = (
    "INSERT INTO stored_events (originator_id, originator_version, topic, state) VALUES (?,?,?,?)"
)


def commits(folder: Path, students: int) -> Iterator[Row]:
    """One fact a commit: through the service, and the recorder alone."""
    service = filled_service(folder / "service.db", students)
    raw = raw_connection(folder / "raw.db")
    mapper = FactMapper()
    rows = {n: [mapper.to_stored_event(f) for f in facts_of(n)] for n in range(students)}
    raw.execute("BEGIN")
    for stored in rows.values():
        raw.executemany(
            INSERT, [(s.originator_id.hex, s.originator_version, s.topic, s.state) for s in stored]
        )
    raw.execute("COMMIT")
    version = FACTS

    def through_the_service() -> int:
        for number in range(students):
            service.pay_premium(enrollment(number), at=NOON, year=2027, by="officer-7")
        return students

    def by_raw_driver() -> int:
        nonlocal version
        version += 1
        for number in range(students):
            row = rows[number][6]
            raw.execute("BEGIN IMMEDIATE")
            raw.execute(SELECT, (row.originator_id.hex,)).fetchall()
            raw.execute(INSERT, (row.originator_id.hex, version, row.topic, row.state))
            raw.execute("COMMIT")
        return students

    ours, theirs, ratio = in_turn(through_the_service, by_raw_driver)
    yield Row(
        "one fact a commit, through the service",
        told(ours),
        "raw sqlite3: SELECT, INSERT",
        told(theirs),
        ratio,
        "0.6",
    )
    service.close()

    store = open_store(f"sqlite:///{folder / 'recorder.db'}")
    bare = raw_connection(folder / "bare.db")
    turn = 0

    def by_recorder() -> int:
        nonlocal turn
        turn += 1
        for number in range(students):
            store.recorder.insert_events([rows[number][turn]])
        return students

    def by_bare_insert() -> int:
        for number in range(students):
            row = rows[number][turn]
            bare.execute("BEGIN")
            bare.execute(
                INSERT, (row.originator_id.hex, row.originator_version, row.topic, row.state)
            )
            bare.execute("COMMIT")
        return students

    ours, theirs, ratio = in_turn(by_recorder, by_bare_insert)
    yield Row(
        "one fact a commit, the recorder alone",
        told(ours),
        "raw sqlite3: INSERT",
        told(theirs),
        ratio,
        "0.9",
    )
    store.close()


def care(folder: Path, students: int) -> Iterator[Row]:
    """One settlement a commit, judged on the enrollment, the edition and the ledger; quotes."""
    service = filled_service(folder / "care.db", students)
    raw = raw_connection(folder / "raw-care.db")
    who = [enrollment(number) for number in range(students)]
    for number in range(students):
        service.receive_care(who[number], at=NOON, **VISIT)
    waiting: list[UUID] = []

    def visits() -> None:
        waiting[:] = [service.receive_care(each, at=NOON, **VISIT).event_id for each in who]

    def settlements() -> int:
        for student, visit in zip(who, waiting, strict=True):
            service.settle_care(student, visit, at=NOON, by="officer-7")
        return students

    def copied() -> None:
        raw.execute("DELETE FROM stored_events")
        with closing(sqlite3.connect(folder / "care.db")) as theirs:
            rows = theirs.execute(
                "SELECT originator_id, originator_version, topic, state FROM stored_events"
            )
            raw.execute("BEGIN")
            raw.executemany(INSERT, rows)
            raw.execute("COMMIT")

    def by_raw_driver() -> int:
        edition = edition_stream(POLICY).hex
        for student in who:
            raw.execute("BEGIN IMMEDIATE")
            for stream in (student.stream.hex, edition, student.care_stream.hex):
                last = raw.execute(SELECT, (stream,)).fetchall()[-1]
            version, topic, state = last
            raw.execute(INSERT, (student.care_stream.hex, version + 1, topic, state))
            raw.execute("COMMIT")
        return students

    rounds = []
    for _ in range(ROUNDS):
        visits()
        copied()
        rounds.append(in_turn(settlements, by_raw_driver, rounds=1))
    ours, theirs, ratio = (statistics.median(each) for each in zip(*rounds, strict=True))
    yield Row(
        "one settlement a commit, through the service",
        told(ours),
        "raw sqlite3: three SELECTs, INSERT",
        told(theirs),
        ratio,
        "",
    )
    with timed() as taken:
        for student in who:
            service.quote(student, at=NOON, **VISIT)
    yield Row("quotes, one student each", told(rate(students, taken[0])), "", "", None, "")
    service.close()
    raw.close()


def roster_of(lane: int, students: int) -> list[tuple[EnrollmentId, Command]]:
    """What a school asks for: each student registered, declared and confirmed."""
    commands: list[tuple[EnrollmentId, Command]] = []
    for number in range(students):
        who = EnrollmentId(f"b-{lane}-{number}", 2025)
        sheet: dict[str, Any] = {"ref": who.ref, "policy": POLICY, "on": "2025-09-01"}
        sheet |= {"school": "sjtu", "category": "undergraduate", "document": "passport"}
        commands.append((who, Register(at=NOON, **sheet)))
        commands.append((who, DeclareRoster(at=NOON)))
        commands.append((who, Confirm(at=NOON, channel=ConfirmationChannel.APP)))
    return commands


def bulk(folder: Path, students: int) -> Iterator[Row]:
    """A school's roster registered, declared and confirmed in one call."""
    numbers = iter(range(ROUNDS))
    service = open_service(f"sqlite:///{folder / 'bulk.db'}", clock=lambda: NOON)
    plans = [roster_of(lane, students) for lane in range(ROUNDS)]

    def ours() -> int:
        return len(service.record_each(plans[next(numbers)]))

    raw = raw_connection(folder / "bulk-raw.db")
    states = [(event.name, event.model_dump_json(exclude_none=True)) for event in facts_of(1)[:3]]
    lanes = iter(range(ROUNDS))

    def bare() -> int:
        lane = next(lanes)
        rows = [
            (f"b-{lane}-{number}", version, *state)
            for number in range(students)
            for version, state in enumerate(states, start=1)
        ]
        for first in range(0, len(rows), BATCH):
            raw.execute("BEGIN IMMEDIATE")
            raw.executemany(INSERT, rows[first : first + BATCH])
            raw.execute("COMMIT")
        return len(rows)

    mine, theirs, ratio = in_turn(ours, bare)
    service.close()
    raw.close()
    yield Row(
        f"a roster of {students:,}: three commands each, judged",
        told(mine),
        "raw sqlite3: executemany",
        told(theirs),
        ratio,
        "0.2",
    )


def folding(folder: Path, students: int, stock_students: int) -> Iterator[Row]:
    """A whole store read, decoded and folded; then answered."""
    path = folder / "fold.db"
    service = filled_service(path, students)
    store = open_store(f"sqlite:///{path}")
    facts = students * FACTS

    def ours() -> int:
        for _, recorded in store.streams():
            current_facts(recorded)
        return facts

    def raw() -> int:
        connection = sqlite3.connect(path)
        for topic, state in connection.execute(
            "SELECT topic, state FROM stored_events ORDER BY originator_id, originator_version"
        ):
            EVENTS[topic].model_validate_json(state)
        connection.close()
        return facts

    mine, theirs, ratio = in_turn(ours, raw)
    yield Row(
        f"folding a store of {facts:,} facts",
        told(mine),
        "raw SELECT and pydantic validation",
        told(theirs),
        ratio,
        "0.5",
    )

    stock = StockApplication(
        {
            "PERSISTENCE_MODULE": "eventsourcing.sqlite",
            "SQLITE_DBNAME": str(folder / "stock.db"),
        }
    )
    ids = []
    for number in range(stock_students):
        student = stock_student(facts_of(number))
        stock.save(student)
        ids.append(student.id)
    with timed() as taken:
        for student_id in ids:
            stock.repository.get(student_id)
    stock_rate = rate(stock_students * FACTS, taken[0])
    stock.close()
    yield Row(
        f"folding a store of {facts:,} facts",
        told(mine),
        "stock aggregates, repository.get",
        told(stock_rate),
        mine / stock_rate,
        "10",
    )

    edition = EditionRecord(service.editions.get(POLICY), Log(store.read(edition_stream(POLICY))))
    known = [
        (enrollment(number), recorded)
        for number, recorded in enumerate(facts_of(n) for n in range(students))
    ]
    with timed() as taken:
        for student_id, recorded in known:
            answer(Record(student_id, Log(recorded), edition_of=lambda _: edition), NOON, NOON)
    yield Row(
        f"full answers for {students:,} students, facts in memory",
        told(rate(students, taken[0])),
        "",
        "",
        None,
        "40,000/s",
    )
    yield Row(
        "the parts of such an answer", parts_of_an_answer(known[:5000], edition), "", "", None, ""
    )
    with timed() as taken:
        count = sum(1 for _ in service.everyone(NOON))
    yield Row(
        f"full answers for {count:,} students, from the store",
        told(rate(count, taken[0])),
        "",
        "",
        None,
        "",
    )
    store.close()
    service.close()


def parts_of_an_answer(
    known: list[tuple[EnrollmentId, list[Event]]], edition: EditionRecord
) -> str:
    """What each part costs; a later one stands on what earlier ones have derived."""
    cases = []
    told = []
    with timed() as taken:
        for student_id, recorded in known:
            record = Record(student_id, Log(recorded), edition_of=lambda _: edition)
            case = record.known_by(NOON).case
            assert case is not None
            cases.append(case)
    told.append(("facts", taken[0]))
    parts: dict[str, Callable[[Case], object]] = {
        "values": lambda case: values(case, NOON),
        "timeline": timeline,
        "next steps": lambda case: next_steps(case, NOON, State.ACTIVE),
        "discrepancies": discrepancies,
    }
    for name, part in parts.items():
        with timed() as taken:
            for case in cases:
                part(case)
        told.append((name, taken[0]))
    return ", ".join(f"{name} {taken / len(known) * 1e6:.0f} µs" for name, taken in told)


def one_student(folder: Path, sizes: tuple[int, ...]) -> Iterator[Row]:
    """One student's answer, with few and with many students in the store."""
    for students in sizes:
        service = filled_service(folder / f"one-{students}.db", students)
        taken = []
        for number in range(2000):
            who = enrollment(number * 7919 % students)
            began = time.perf_counter()
            service.at(who, NOON)
            taken.append((time.perf_counter() - began) * 1e6)
        some = [enrollment(number) for number in range(min(students, 500))]
        dossiers = partial(each, partial(dossier_of, service), some)
        ratios = in_turn(dossiers, partial(each, service.at, some), rounds=3)
        service.close()
        cuts = statistics.quantiles(taken, n=100)
        yield Row(
            f"one student's answer, {students:,} students",
            f"p50 {cuts[49]:,.0f} µs, p99 {cuts[98]:,.0f} µs",
            "",
            "",
            None,
            "",
        )
        ours, theirs, ratio = ratios
        yield Row(
            f"dossiers of {FACTS} facts, {students:,} students",
            told(ours),
            "such answers",
            told(theirs),
            ratio,
            "0.2",
        )


def each(ask: Callable[[EnrollmentId], object], whom: list[EnrollmentId]) -> int:
    """Asks for one student after the other; how many these are."""
    for who in whom:
        ask(who)
    return len(whom)


def start_up() -> Iterator[Row]:
    """How long a fresh interpreter takes, less an empty one."""
    base = _started("-c", "import pydantic, eventsourcing.application")
    for what, aim, arguments in (
        ("import yibao", "at most 1.5", ("-c", "import yibao")),
        ("import yibao, and its service", "", ("-c", "import yibao; yibao.open")),
        ("yibao --help", "at most 1.5", ("-m", "yibao", "--help")),
    ):
        taken = _started(*arguments)
        yield Row(
            what,
            f"{taken * 1000:,.0f} ms",
            "importing pydantic and eventsourcing",
            f"{base * 1000:,.0f} ms",
            taken / base,
            aim,
        )


def _started(*arguments: str) -> float:
    taken = []
    for _ in range(11):
        began = time.perf_counter()
        subprocess.run([sys.executable, *arguments], check=True, stdout=subprocess.DEVNULL)
        taken.append(time.perf_counter() - began)
    return statistics.median(taken)


def machine(folder: Path) -> str:
    """The machine and the disk, with what a flush to it costs."""
    model = next(
        (
            line.partition(":")[2].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if line.startswith("model name")
        ),
        platform.processor(),
    )
    disk = subprocess.run(
        ["df", "--output=fstype,source", str(folder)], capture_output=True, text=True, check=True
    ).stdout.splitlines()[-1]
    cores = len(Path("/proc/cpuinfo").read_text().split("processor\t")) - 1
    return (
        f"{model}, {cores} cores; {' '.join(disk.split())}; "
        f"Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}"
    )


def postgres(
    folder: Path, commit_count: int, students: int, city: tuple[int, ...]
) -> Iterator[Row]:
    """The same and more on PostgreSQL, with everything it does to keep what it was given."""
    with Server({}) as server:
        yield from many_at_once(server, max(5, commit_count // 4))
        plans = [roster_of(lane, commit_count * 5) for lane in range(ROUNDS)]
        yield from bulk_on_postgres(server, plans)
        yield from following(folder, server, students, max(20, students // 50))
        yield from rebuilt(folder, server, city)


def everybody_at_once(folder: Path, sizes: list[int]) -> Iterator[Row]:
    """The law over columns, and the cohort that is kept on either store."""
    with Server({}) as server:
        yield from cohort(folder, server, sizes)


@click.command()
@click.option("--students", default=25_000, show_default=True, help="For folding and answering.")
@click.option("--commits", "commit_count", default=400, show_default=True, help="A round.")
@click.option("--trail-facts", default=1_000_000, show_default=True, help="The larger trail.")
@click.option(
    "--cohorts",
    default="10000,100000",
    show_default=True,
    envvar="YIBAO_BENCH_COHORTS",
    help="Sizes of the cohorts; 1000000 takes an hour.",
)
@click.option("--quick", is_flag=True, help="Small sizes: to see that it runs.")
def main(students: int, commit_count: int, trail_facts: int, cohorts: str, quick: bool) -> None:
    """Measure everything once and print one table."""
    sizes, city = (1_000, 100_000), (10_000, 100_000)
    stock = 5_000
    roster_sizes, school = (5_000, 200_000), 40_000
    if quick:
        students, commit_count, sizes, stock, trail_facts = 500, 40, (100, 1_000), 200, 8_000
        city = (500,)
        roster_sizes, school = (200,), 400
        cohorts = "500"
    console = Console(width=170)
    table = Table("measured", "ours", "against", "theirs", "ratio", "aim")
    with tempfile.TemporaryDirectory(dir=".") as name:
        folder = Path(name)
        console.print(machine(folder))
        for rows in (
            commits(folder, commit_count),
            care(folder, commit_count),
            bulk(folder, commit_count * 5),
            folding(folder, students, stock),
            one_student(folder, sizes),
            postgres(folder, commit_count, students, city),
            trail(folder, (trail_facts // FACTS // 10, trail_facts // FACTS)),
            beside(city),
            everybody_at_once(folder, [*map(int, cohorts.split(","))]),
            office(folder, roster_sizes, school),
            evidence(folder, sizes[1]),
            web(folder, sizes[0], max(100, commit_count * 2)),
            start_up(),
        ):
            for row in rows:
                ratio = f"{row.ratio:.2f}" if row.ratio is not None else ""
                click.echo(f"{row.what}: {row.ours} {row.theirs} {ratio}", err=True)
                table.add_row(row.what, row.ours, row.against, row.theirs, ratio, row.aim)
    console.print(table)


if __name__ == "__main__":
    main()
