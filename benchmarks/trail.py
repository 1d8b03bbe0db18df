"""The audit trail: how long it takes to make it, and to ask it, with few and with many facts."""

import random
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path

from given.cohort import everybody
from many import prepared
from measured import Row, timed, told
from pgserver import Server
from subject import POLICY, facts_of, ref

from yibao.adapters.editions.files import Editions
from yibao.adapters.following.derived import SqliteTables, tables_of
from yibao.adapters.following.trail import batches, following
from yibao.adapters.following.trail.audit import AuditTrail
from yibao.adapters.following.trail.layout import TRAIL
from yibao.adapters.following.trail.questions import Question
from yibao.adapters.service.service import open_service
from yibao.adapters.store.connections.sql import LAST
from yibao.adapters.store.facts import FactStore, open_store
from yibao.domain.calendar import SHANGHAI
from yibao.domain.facts import events
from yibao.domain.facts.streams import current_facts
from yibao.domain.vocabulary import EnrollmentId

#: With more students come more officers: a day of one of them stays as long.
STUDENTS_AN_ACTOR = 60
#: How many students come at a time: their facts lie between one another in the store.
COHORT = 2500
BEFORE = datetime(2025, 8, 20, tzinfo=SHANGHAI)
AUTUMN = datetime(2025, 9, 1, tzinfo=SHANGHAI)
QUESTIONS = 300
#: How many students of a city are made up at a time, and how late, in minutes, facts are learned.
CITY_AT_ONCE = 20_000
LATE = (0, 0, 0, 1, 5, 60, 1440, 20_000)


def actor(number: int, students: int) -> str:
    """The officer who looks after a student, one of many."""
    return f"officer-{number % max(students // STUDENTS_AN_ACTOR, 1)}"


def spread(number: int, students: int) -> Iterator[events.Event]:
    """A student's facts, recorded at her own pace by one of many officers."""
    later = timedelta(seconds=number * 7919 % 600_000)
    by = actor(number, students)
    for fact in facts_of(number):
        recorded_at = fact.recorded_at + later
        yield fact.model_copy(update={"by": by, "recorded_at": recorded_at})


def filled_store(path: Path, students: int) -> FactStore:
    """A store in which the facts of thousands of students follow one another by their stamps."""
    url = f"sqlite:///{path}"
    with open_service(url, clock=lambda: BEFORE) as service:
        service.fix_window(POLICY, at=BEFORE, opens_on="2025-09-05")
    store = open_store(url)
    for first in range(0, students, COHORT):
        cohort = range(first, min(first + COHORT, students))
        facts = [fact for number in cohort for fact in spread(number, students)]
        facts.sort(key=lambda fact: (fact.recorded_at, fact.originator_id))
        with store.transaction() as transaction:
            transaction.append(facts)
    return store


def trail(folder: Path, sizes: tuple[int, int]) -> Iterator[Row]:
    """The trail made anew, beside folding alone, and pages of it."""
    editions = Editions()
    list(editions)
    for students in sizes:
        path = folder / f"trail-{students}.db"
        store = filled_store(path, students)
        facts = store.reached().position
        with timed() as folding:
            for _, recorded in store.streams():
                current_facts(recorded)
        audit = AuditTrail(store, editions, SqliteTables(f"{path}.trail", TRAIL))
        with timed() as making:
            audit.catch_up()
        each, folded = (taken[0] / facts * 1e6 for taken in (making, folding))
        size = sum(file.stat().st_size for file in folder.glob(f"{path.name}.trail*"))
        yield Row(
            f"the trail of {facts:,} facts made anew",
            f"{each:,.0f} µs a fact, {size / facts:,.0f} B",
            "folding alone",
            f"{folded:,.1f} µs a fact",
            making[0] / folding[0],
            "flat",
        )
        yield from _asked(audit, facts, students)
        yield _fixed(store, audit, editions, students)
        audit.close()
        store.close()


def city(students: int) -> Iterator[list[events.Event]]:
    """What is told of very many students who differ, some of it late, a part of it at a time.

    In the order of recording, in which the facts of each lie between those of many others.
    """
    chance = random.Random(3)
    for first in range(0, students, CITY_AT_ONCE):
        facts: list[events.Event] = []
        for told_of in everybody(min(CITY_AT_ONCE, students - first), first):
            stream = EnrollmentId(f"s{first}-{told_of[0].ref}", 2025)  # type: ignore[attr-defined]
            own = told_of[:1] + sorted(told_of[1:], key=lambda fact: fact.occurred_at)
            at = BEFORE
            for version, fact in enumerate(own, 1):
                late = timedelta(minutes=chance.choice(LATE), seconds=chance.randrange(60))
                at = max(at, fact.occurred_at + late)
                said = {"recorded_at": at, "originator_version": version, "by": "officer"}
                said |= {"originator_id": stream.stream}
                said |= {"ref": stream.ref} if version == 1 else {}
                facts.append(fact.model_copy(update=said))
        facts.sort(key=lambda fact: (fact.recorded_at, fact.originator_id))
        yield facts


def rebuilt(folder: Path, server: Server, sizes: tuple[int, ...]) -> Iterator[Row]:
    """What making the trail anew costs a fact on both stores, at once beside one by one.

    It is the processor time of the follower alone, not the server's.
    """
    editions = Editions()
    list(editions)
    for students in sizes:
        places = {
            "SQLite": f"sqlite:///{folder / f'city-{students}.db'}",
            "PostgreSQL": server.database(prepared(server)),
        }
        for where, url in places.items():
            with open_service(url, clock=lambda: BEFORE):
                pass
            with closing(open_store(url)) as store:
                for facts in city(students):
                    with store.transaction() as transaction:
                        transaction.append(facts)
                there = store.reached().position
                ours = _made_anew(store, editions)
                few, batches.FEW = batches.FEW, there + 1
                many, following.MANY = following.MANY, there + 1
                one_by_one = _made_anew(store, editions, 5_000)
                batches.FEW, following.MANY = few, many
            yield Row(
                f"{where}, the trail of {there:,} facts that differ made anew, CPU",
                f"{ours * 1e6:,.0f} µs a fact",
                "the same one by one",
                f"{one_by_one * 1e6:,.0f} µs a fact",
                one_by_one / ours,
                "60 µs",
            )


def _made_anew(store: FactStore, editions: Editions, most: int = LAST) -> float:
    """The processor time a fact takes, in seconds, of all or of about so many."""
    tables = tables_of(store, TRAIL)
    with closing(AuditTrail(store, editions, tables)) as audit:
        projection, side = audit.projection, audit.projection.side()
        with tables.writing() as sql:
            projection.transaction(tables, sql, side).begin_anew("nothing")

        def enough() -> bool:
            progress = projection.looked_at(side)
            return progress is not None and progress.position >= most

        began = time.process_time()
        facts = projection.catch_up(enough=enough)
        return (time.process_time() - began) / facts


def _asked(audit: AuditTrail, facts: int, students: int) -> Iterator[Row]:
    chance = random.Random(7)

    def day() -> datetime:
        return AUTUMN + timedelta(days=chance.randrange(13))

    def actor_and_day() -> Question:
        begins = day()
        by = actor(chance.randrange(students), students)
        return Question(by=by, recorded_from=begins, recorded_until=begins + timedelta(days=1))

    def happened_on() -> Question:
        begins = day()
        return Question(happened_from=begins, happened_until=begins + timedelta(days=1))

    asked: dict[str, Callable[[], Question]] = {
        "of a student": lambda: Question(ref=ref(chance.randrange(students))),
        "of an actor and a day": actor_and_day,
        "that changed the benefit window": lambda: Question(
            changed="coverage", recorded_from=day(), newest_first=chance.random() < 0.5
        ),
        "of a school that changed the state": lambda: Question(
            school=f"school-{chance.randrange(40)}", changed="state", newest_first=True
        ),
        "that happened on a day": happened_on,
    }
    for what, question in asked.items():
        taken = []
        for _ in range(QUESTIONS):
            one = question()
            began = time.perf_counter()
            audit.page(one)
            taken.append((time.perf_counter() - began) * 1e3)
        cuts = statistics.quantiles(taken, n=100)
        ours = f"p50 {cuts[49]:,.2f} ms, p99 {cuts[98]:,.2f} ms"
        yield Row(f"a page {what}, {facts:,} facts", ours, "", "", None, "p99 under 10 ms")


def _fixed(store: FactStore, audit: AuditTrail, editions: Editions, students: int) -> Row:
    """What it takes to list a window that is fixed for one school of forty."""
    end = datetime(2026, 1, 10, tzinfo=SHANGHAI)
    with open_service(f"sqlite:///{store.database}", policies=editions, clock=lambda: end) as it:
        it.fix_window(POLICY, at=end, closes_on="2025-12-20", school="school-7")
    with timed() as taken:
        audit.catch_up()
    concerned = students // 40
    return Row(
        f"a window fixed for {concerned:,} students, listed",
        told(concerned / taken[0]),
        "",
        "",
        None,
        "",
    )
