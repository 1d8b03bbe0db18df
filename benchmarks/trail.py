"""The audit trail: how long it takes to make it, and to ask it, with few and with many facts."""

import random
import statistics
import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path

from measured import Row, timed, told
from subject import POLICY, facts_of, ref

from yibao.adapters.editions.files import Editions
from yibao.adapters.following.derived import SqliteTables
from yibao.adapters.following.trail.audit import AuditTrail
from yibao.adapters.following.trail.layout import TRAIL
from yibao.adapters.following.trail.questions import Question
from yibao.adapters.service.service import open_service
from yibao.adapters.store.facts import FactStore, open_store
from yibao.domain.calendar import SHANGHAI
from yibao.domain.facts import events
from yibao.domain.facts.streams import current_facts

#: With more students come more officers: a day of one of them stays as long.
STUDENTS_AN_ACTOR = 60
#: How many students come at a time: their facts lie between one another in the store.
COHORT = 2500
BEFORE = datetime(2025, 8, 20, tzinfo=SHANGHAI)
AUTUMN = datetime(2025, 9, 1, tzinfo=SHANGHAI)
QUESTIONS = 300


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
