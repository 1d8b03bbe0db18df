"""Several threads and processes at one store and one student: nothing lost, doubled, reordered."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from pathlib import Path

import pytest

from yibao.adapters.service.service import Service, open_service
from yibao.domain.facts.events import EditionAdopted, Event
from yibao.domain.vocabulary import EnrollmentId, edition_stream

from ..helpers.stores import emptied, lasting
from ..helpers.writers import Asked, Nursery, Step, Told, filing, registration, together, told

REF = "s-crowded"
ADA = EnrollmentId(REF, 2025)
THREADS = 6
PROCESSES = 4


@pytest.fixture
def nursery(tmp_path: Path) -> Iterator[Nursery]:
    with Nursery(tmp_path, preload=["yibao.adapters.store.postgres.recorder"]) as nursery:
        yield nursery


@pytest.fixture
def service(url: str) -> Iterator[Service]:
    """A store with one student in it."""
    with open_service(url) as service:
        assert told(service, Step(REF, [registration(REF, "registration")])).versions == [1]
        yield service


def plan(writer: int, steps: int) -> list[Step]:
    """Single facts and small transactions, all on the one student."""
    return [
        Step(REF, [filing(f"w{writer}.{number}.{place}") for place in range(1 + number % 3)])
        for number in range(steps)
    ]


def each_is_there_once(stream: list[Event], plans: Sequence[Sequence[Step]]) -> None:
    """Every transaction is in the stream, whole, and those of one plan in their order."""
    place = {event.command_id: event.originator_version for event in stream}
    asked = [command_id for plan in plans for step in plan for command_id in step.ids]
    assert Counter(e.command_id for e in stream[1:]) == Counter(asked)
    assert [e.originator_version for e in stream] == list(range(1, len(asked) + 2))
    for plan in plans:
        versions = [[place[command_id] for command_id in step.ids] for step in plan]
        assert versions == sorted(versions)
        for taken in versions:
            assert taken == list(range(taken[0], taken[0] + len(taken)))


def stamps_never_fall(stream: list[Event]) -> None:
    stamps = [event.recorded_at for event in stream]
    assert stamps == sorted(stamps)
    for event, follower in pairwise(stream):
        assert not event.goes_on or event.recorded_at == follower.recorded_at


def later_begun_is_later_placed(answers: Sequence[Told]) -> None:
    """What was acknowledged before another was asked for has the lower version."""
    assert all(not answer.refused and not answer.failed for answer in answers)
    by_end = sorted(answers, key=lambda answer: answer.done)
    for answer in answers:
        before = [a.versions[-1] for a in by_end if a.done < answer.started]
        assert max(before, default=0) < answer.versions[0]


def carried_out(service: Service, steps: Sequence[Step]) -> Callable[[], list[Told]]:
    return lambda: [told(service, step) for step in steps]


def test_threads_that_share_a_service_lose_double_and_reorder_nothing(service: Service) -> None:
    plans = [plan(writer, 12) for writer in range(THREADS)]
    answers = together([carried_out(service, steps) for steps in plans])
    stream = service.facts(ADA)
    each_is_there_once(stream, plans)
    stamps_never_fall(stream)
    later_begun_is_later_placed([answer for one in answers for answer in one])


@lasting
def test_processes_on_one_store_lose_double_and_reorder_nothing(
    nursery: Nursery, url: str, service: Service
) -> None:
    plans = [plan(writer, 25) for writer in range(PROCESSES)]
    answers = nursery.race(url, plans)
    stream = service.facts(ADA)
    each_is_there_once(stream, plans)
    stamps_never_fall(stream)
    later_begun_is_later_placed([answer for one in answers for answer in one])


@lasting
def test_threads_in_several_processes_lose_and_double_nothing(
    nursery: Nursery, url: str, service: Service
) -> None:
    plans = [plan(writer, 24) for writer in range(3)]
    answers = nursery.race(url, plans, threads=4)
    stream = service.facts(ADA)
    # Each thread has every fourth step of its process.
    each_is_there_once(stream, [steps[first::4] for steps in plans for first in range(4)])
    stamps_never_fall(stream)
    later_begun_is_later_placed([answer for one in answers for answer in one])


@lasting
def test_whoever_reads_while_others_write_sees_whole_transactions_and_only_more_of_them(
    nursery: Nursery, url: str, service: Service
) -> None:
    plans = [plan(writer, 25) for writer in range(3)]
    writers = [nursery.bear(url, steps) for steps in plans]
    seen: list[list[Event]] = []
    while not all(len(writer.told()) == 25 for writer in writers):
        seen.append(service.facts(ADA))
        assert service.at(ADA).version >= len(seen[-1])
        (answer,) = service.everyone()
        assert answer.version >= len(seen[-1])
    assert [nursery.end_of(writer) for writer in writers] == [0] * len(plans)
    seen.append(service.facts(ADA))
    each_is_there_once(seen[-1], plans)
    for earlier, later in pairwise(seen):
        assert later[: len(earlier)] == earlier
        assert not earlier[-1].goes_on


def one_wins_each_round(answers: Sequence[Sequence[Told]]) -> None:
    for races in zip(*answers, strict=True):
        assert sorted(answer.refused or "" for answer in races) == [
            "",
            *["version_conflict"] * (len(races) - 1),
        ]


def expecting(racer: int, rounds: int) -> list[Step]:
    """In each round a fact for which the stream must be as the round before left it."""
    return [
        Step(REF, [filing(f"r{racer}.{version}", expected_version=version)])
        for version in range(1, rounds + 1)
    ]


def test_of_racing_threads_that_expect_the_same_version_one_wins(service: Service) -> None:
    plans = [expecting(racer, 10) for racer in range(THREADS)]
    one_wins_each_round(together([carried_out(service, steps) for steps in plans]))
    assert [e.originator_version for e in service.facts(ADA)] == list(range(1, 12))


@lasting
def test_of_racing_processes_that_expect_the_same_version_one_wins(
    nursery: Nursery, url: str, service: Service
) -> None:
    one_wins_each_round(nursery.race(url, [expecting(racer, 25) for racer in range(PROCESSES)]))
    assert [e.originator_version for e in service.facts(ADA)] == list(range(1, 27))


def all_succeed_once(answers: Sequence[Sequence[Told]]) -> None:
    for races in zip(*answers, strict=True):
        assert all(not answer.refused and not answer.failed for answer in races), races
        assert len({tuple(answer.versions) for answer in races}) == 1
        assert sum(not any(answer.repeated) for answer in races) == 1
        assert sum(all(answer.repeated) for answer in races) == len(races) - 1


def test_the_same_command_from_racing_threads_is_one_fact_and_a_success_for_each(
    service: Service,
) -> None:
    steps = plan(0, 10)
    all_succeed_once(together([carried_out(service, steps)] * THREADS))
    each_is_there_once(service.facts(ADA), [steps])


@lasting
def test_the_same_command_from_racing_processes_is_one_fact_and_a_success_for_each(
    nursery: Nursery, url: str, service: Service
) -> None:
    steps = plan(0, 25)
    all_succeed_once(nursery.race(url, [steps] * PROCESSES))
    each_is_there_once(service.facts(ADA), [steps])


@lasting
def test_a_command_id_that_racers_use_for_different_things_is_given_to_one_of_them(
    nursery: Nursery, url: str, service: Service
) -> None:
    def steps(racer: int) -> list[Step]:
        return [
            Step(REF, [filing(f"id-{number}", province=f"province {racer}")])
            for number in range(20)
        ]

    answers = nursery.race(url, [steps(racer) for racer in range(PROCESSES)])
    for races in zip(*answers, strict=True):
        refused = sorted(answer.refused or "" for answer in races)
        assert refused == ["", *["command_id_reused"] * (PROCESSES - 1)]
    assert len(service.facts(ADA)) == 21


@lasting
def test_a_student_whom_everybody_registers_at_once_is_registered_once(
    nursery: Nursery, url: str, service: Service
) -> None:
    steps = [
        [Step(f"s-{number}", [registration(f"s-{number}", f"by-{racer}")]) for number in range(15)]
        for racer in range(PROCESSES)
    ]
    answers = nursery.race(url, steps)
    for races in zip(*answers, strict=True):
        refused = sorted(answer.refused or "" for answer in races)
        assert refused == ["", *["already_registered"] * (PROCESSES - 1)]
    assert all(len(service.facts(EnrollmentId(f"s-{number}", 2025))) == 1 for number in range(15))


@lasting
def test_an_edition_that_several_processes_use_first_at_once_is_adopted_once(
    nursery: Nursery, url: str
) -> None:
    for _ in range(10):
        open_service(emptied(url)).close()
        adopted_once(url, nursery.race(url, adopting()))


def adopting() -> list[list[Step]]:
    """Two register students and two fix the window, as the first thing in a store."""
    window: Asked = ("fix_window", {"at": "2025-09-01 08:00", "opens_on": "2025-09-05"})

    def fix(racer: int) -> Step:
        name, values = window
        return Step("edition:shanghai-2025", [(name, values | {"command_id": f"fix-{racer}"})])

    return [
        [Step(f"s-{racer}", [registration(f"s-{racer}", f"reg-{racer}")])]
        if racer % 2
        else [fix(racer)]
        for racer in range(PROCESSES)
    ]


def adopted_once(url: str, answers: Sequence[Sequence[Told]]) -> None:
    assert [(a.refused, a.failed) for one in answers for a in one] == [(None, None)] * PROCESSES
    with open_service(url) as service:
        edition = service._store.read(edition_stream("shanghai-2025"))
        assert [isinstance(event, EditionAdopted) for event in edition] == [True, False, False]
        assert sorted(e.command_id for e in edition[1:]) == ["fix-0", "fix-2"]
        for racer in (1, 3):
            assert len(service.facts(EnrollmentId(f"s-{racer}", 2025))) == 1


def test_processes_that_create_the_same_file_at_once_all_succeed(
    nursery: Nursery, tmp_path: Path
) -> None:
    for number in range(25):
        url = f"sqlite:///{tmp_path / f'new-{number}.db'}"
        writers = [nursery.bear(url, steps, gate="closed") for steps in adopting()]
        nursery.open_gate()
        assert [nursery.end_of(writer) for writer in writers] == [0] * PROCESSES
        adopted_once(url, [writer.told() for writer in writers])
