"""Writers are killed at random moments: what was acknowledged is there, and nothing by halves.

The suite kills some sixteen on each store; `YIBAO_TORTURE=1000` in the environment kills as many
as it says.
What is lost with a process is tried here, not what is lost with the machine's power.
"""

import os
import random
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from itertools import count
from pathlib import Path
from uuid import UUID

import pytest
from conftest import TEMPLATE
from pgserver import Server

from yibao.adapters.service.service import Service, open_service
from yibao.adapters.store.facts import open_store
from yibao.adapters.store.urls import is_postgres
from yibao.domain.facts import events
from yibao.domain.vocabulary import edition_stream

from ...helpers.stores import rows
from ...helpers.writers import Nursery, Step, Told, Writer, filing, registration, told, whose

KILLS = int(os.environ.get("YIBAO_TORTURE", "16"))
EDITION = "edition:shanghai-2025"
#: A student about whom every writer writes.
SHARED = "s-shared"
#: How many lives share a file before the next one begins with none.
LIVES_A_FILE = 8
#: More than a writer can do before it is killed.
STEPS_A_LIFE = 120


@pytest.fixture
def nursery(tmp_path: Path) -> Iterator[Nursery]:
    with Nursery(tmp_path, preload=["yibao.adapters.store.postgres.recorder"]) as nursery:
        yield nursery


@pytest.fixture(params=["sqlite", "postgres"])
def new(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[], str]:
    """Gives the URL of a store that nobody has opened yet, as often as it is called."""
    numbers = count()
    if request.param == "sqlite":
        return lambda: f"sqlite:///{tmp_path / f'{next(numbers)}.db'}"
    server: Server = request.getfixturevalue("postgres")
    return lambda: server.database(TEMPLATE)


def nth(lane: int, number: int) -> Step:
    """What a lane does as its numbered step: always the same, so that it can be repeated.

    One fact, a few, so many that they take several pages with their notes; on a student of its
    own, on one shared with all lanes, and on the edition.
    """
    own = f"s-{lane}-{number // 6}"
    each = (f"{lane}.{number}.{place}" for place in count())
    match number % 6:
        case 0:
            asked = [
                registration(own, next(each)),
                ("declare_roster", {"at": "2025-09-02 17:00", "command_id": next(each)}),
                (
                    "verify_prior_coverage",
                    {"at": "2025-09-06 14:50", "lapsed_years": 1, "command_id": next(each)},
                ),
            ]
            return Step(own, asked)
        case 1:
            # The same for all lanes: whoever is first registers the student.
            return Step(SHARED, [registration(SHARED, "shared")])
        case 2:
            return Step(own, [filing(next(each), note=f"note of {lane}.{number}")])
        case 3:
            return Step(SHARED, [filing(next(each)) for _ in range(1 + number % 4)])
        case 4:
            fixed = {"at": "2025-09-01 08:00", "opens_on": "2025-09-05", "command_id": next(each)}
            return Step(EDITION, [("fix_window", fixed)])
        case _:
            return Step(own, [filing(next(each), note="x" * 2000) for _ in range(25)])


class Kept:
    """What a store must hold: by and by all steps of some lanes, as far as they were told of."""

    def __init__(self, url: str, steps_a_life: int = STEPS_A_LIFE) -> None:
        self.url = url
        self.steps_a_life = steps_a_life
        self.begun: Counter[int] = Counter()
        self.acknowledged: Counter[int] = Counter()

    def plan(self, lane: int) -> list[Step]:
        """What a new writer of a lane does: first what is in doubt, then more."""
        first = self.acknowledged[lane]
        self.begun[lane] = first + self.steps_a_life
        return [nth(lane, number) for number in range(first, self.begun[lane])]

    def learn(self, lane: int, writer: Writer) -> None:
        """Takes in what a writer has told since it was born."""
        first = self.begun[lane] - self.steps_a_life
        what = writer.told()
        for number, answer in enumerate(what, start=first):
            assert answer.ids == nth(lane, number).ids
            assert not answer.failed, answer
            assert not answer.refused, answer
        self.acknowledged[lane] = max(self.acknowledged[lane], first + len(what))

    def steps(self) -> Iterator[tuple[Step, bool]]:
        """Every step that may be in the store, and whether it must be."""
        for lane in self.begun:
            for number in range(self.begun[lane]):
                yield nth(lane, number), number < self.acknowledged[lane]

    def check(self) -> int:
        """Opens the store as anybody would and looks at everything; the acknowledged facts."""
        must = {command_id for step, told in self.steps() if told for command_id in step.ids}
        open_service(self.url).close()
        with closing(open_store(self.url)) as store:
            # Others may still be writing: everything is read once, from one snapshot.
            found = dict(store.streams())
        # After the facts: what was recorded with them is there by now.
        self._whole(found, notes_in(self.url))
        there = Counter(e.command_id for stream in found.values() for e in stream)
        assert not must - there.keys(), "acknowledged, and lost"
        assert set(there.values()) <= {1}, "recorded twice"
        return len(must)

    def _whole(self, found: dict[UUID, list[events.Event]], notes: dict[UUID, str]) -> None:
        for stream in found.values():
            assert [e.originator_version for e in stream] == list(range(1, len(stream) + 1))
            stamps = [e.recorded_at for e in stream]
            assert stamps == sorted(stamps)
            assert not stream[-1].goes_on
        named = {e.command_id: e for stream in found.values() for e in stream}
        for step, _ in self.steps():
            mine = [named[command_id] for command_id in step.ids if command_id in named]
            assert [e.command_id for e in mine] in ([], step.ids), "half a transaction"
            if mine:
                assert {e.originator_id for e in mine} == {_stream(step)}
                first = mine[0].originator_version
                places = [e.originator_version for e in mine]
                assert places == list(range(first, first + len(mine)))
                assert len({e.recorded_at for e in mine}) == 1
                going_on = [e.goes_on for e in mine]
                assert going_on == [True] * (len(mine) - 1) + [False]
                noted = [notes.get(e.event_id) for e in mine]
                assert noted == [values.get("note") for _, values in step.asked]
        adopted = [e for e in found.get(edition_stream("shanghai-2025"), []) if _adopts(e)]
        assert len(adopted) == (1 if found else 0), "the edition and its first use belong together"

    def settle(self) -> None:
        """Repeats everything ever asked for: what was there adds nothing, the rest comes once."""
        with open_service(self.url) as service:
            before = _sizes(self.url)
            for step, was_told in self.steps():
                if was_told:
                    assert all(_again(service, step).repeated)
            assert _sizes(self.url) == before
            for lane in self.begun:
                # As many more as may be in doubt: a writer is at one step at a time.
                in_doubt = nth(lane, self.acknowledged[lane])
                _again(service, in_doubt)
                assert all(_again(service, in_doubt).repeated)
                self.acknowledged[lane] += 1
        self.check()
        if not is_postgres(self.url):
            assert rows(self.url, "PRAGMA integrity_check") == [("ok",)]
        with closing(open_store(self.url)) as store:
            facts = {e.event_id for _, recorded in store.streams() for e in recorded}
        assert notes_in(self.url).keys() <= facts, "a note without its fact"


def notes_in(url: str) -> dict[UUID, str]:
    """All free text in a store, by the fact it belongs to."""
    # A key is a UUID in one database, and text that is one in the other.
    return {UUID(str(key)): note for key, note in rows(url, "SELECT event_id, note FROM notes")}


def _again(service: Service, step: Step) -> Told:
    answer = told(service, step)
    assert not answer.refused, answer
    assert not answer.failed, answer
    return answer


def _stream(step: Step) -> UUID:
    target = whose(step.target)
    return edition_stream(target) if isinstance(target, str) else target.stream


def _adopts(event: events.Event) -> bool:
    return isinstance(event, events.EditionAdopted)


def _sizes(url: str) -> dict[UUID, int]:
    with closing(open_store(url)) as store:
        return {stream: len(recorded) for stream, recorded in store.streams()}


def test_a_writer_killed_at_any_moment_leaves_whole_transactions_and_all_it_acknowledged(
    nursery: Nursery, new: Callable[[], str]
) -> None:
    chance = random.Random(20250901)
    facts = 0
    kept = Kept(new())
    killed = lives = silent = 0
    while killed < KILLS * 3 // 5:
        if lives and lives % LIVES_A_FILE == 0:
            kept.settle()
            kept = Kept(new())
        lives += 1
        writer = nursery.bear(kept.url, kept.plan(0))
        # From before the store is there until some transactions later, at any point of one.
        writer.wait_for(chance.choice((0, 0, 1, 3, 9, 20)))
        time.sleep(0.015 * chance.random())
        writer.kill()
        killed += nursery.end_of(writer) == -9
        silent += not writer.told()
        before = kept.acknowledged[0]
        kept.learn(0, writer)
        kept.check()
        facts += sum(len(nth(0, number).ids) for number in range(before, kept.acknowledged[0]))
    kept.settle()
    print(
        f"\n{killed} kills, {silent} before anything was told; {facts} facts acknowledged, 0 lost"
    )
    assert 0 < silent < killed, "the moments were not random"


def test_a_writer_killed_among_others_neither_stops_them_nor_takes_anything_along(
    nursery: Nursery, new: Callable[[], str]
) -> None:
    chance = random.Random(20250906)
    facts = killed = 0
    while killed < KILLS * 2 // 5:
        kept = Kept(new())
        open_service(kept.url).close()
        alive = {lane: nursery.bear(kept.url, kept.plan(lane)) for lane in range(3)}
        for _ in range(LIVES_A_FILE):
            lane = chance.choice(list(alive))
            alive[lane].wait_for(chance.choice((0, 1, 5)))
            time.sleep(0.015 * chance.random())
            alive[lane].kill()
            killed += nursery.end_of(alive[lane]) == -9
            for other, writer in alive.items():
                kept.learn(other, writer)
            kept.check()
            alive[lane] = nursery.bear(kept.url, kept.plan(lane))
        for lane, writer in alive.items():
            writer.kill()
            killed += nursery.end_of(writer) == -9
            kept.learn(lane, writer)
        facts += kept.check()
        kept.settle()
    print(f"\n{killed} kills among others; {facts} facts acknowledged, 0 lost")
