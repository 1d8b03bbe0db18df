"""A long story takes no more work for each step than a short one: calls are counted."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from steps import steps as calls

import yibao
from yibao.adapters.editions.files import Editions
from yibao.adapters.stories.reading import read_story
from yibao.adapters.stories.replaying import replay
from yibao.domain.calendar import read_instant
from yibao.domain.facts.commands import ChangeSchool, Command

HEAD = """title: many steps
policy: shanghai-2025
student: {ref: s1, school: sjtu, category: undergraduate, document: resident_id_card}
story:
  - {at: "2025-09-01 08:00", id: s0, register: {on: "2025-09-01"}}
"""
FIRST = read_instant("2025-09-01 08:00")


def at(step: int) -> str:
    return f"{FIRST + timedelta(minutes=step):%Y-%m-%d %H:%M}"


def requests(steps: int) -> Iterator[str]:
    for step in range(1, steps):
        yield f"change_school: {{school: x{step % 7}}}"


def refusals(steps: int) -> Iterator[str]:
    for _ in range(1, steps):
        yield "refused: window_not_open, confirm: {channel: app}"


def a_chain_of_corrections(steps: int) -> Iterator[str]:
    for step in range(1, steps):
        yield f"reason: misread, correct: {{step: s{step - 1}, school: x{step % 7}}}"


def corrections_of_many(steps: int) -> Iterator[str]:
    yield from requests(steps // 2 + 1)
    for step in range(1, steps // 2):
        yield f"reason: misread, correct: {{step: s{step}, school: y{step % 7}}}"


def facts_taken_back(steps: int) -> Iterator[str]:
    yield from requests(steps // 2 + 1)
    for step in range(1, steps // 2):
        yield f"reason: misread, void: {{step: s{step}}}"


def care(steps: int) -> Iterator[str]:
    for _ in range(1, steps):
        yield "receive_care: {on: 2025-09-01, setting: campus_clinic, cost: 10.00}"


KINDS = [
    requests,
    refusals,
    a_chain_of_corrections,
    corrections_of_many,
    facts_taken_back,
    care,
]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_four_times_the_steps_of_a_story_are_four_times_the_work(
    kind: Callable[[int], Iterator[str]], tmp_path: Path
) -> None:
    editions, path = Editions(), tmp_path / "story.yaml"

    def work(steps: int) -> int:
        told = [
            f'  - {{at: "{at(step)}", id: s{step}, {what}}}\n'
            for step, what in enumerate(kind(steps), start=1)
        ]
        path.write_text(HEAD + "".join(told), encoding="utf-8")

        def ran() -> None:
            done = replay(read_story(path, editions), editions)
            done.service.close()
            assert done.failures == []

        return calls(ran)

    work(10)
    assert work(200) < 5 * work(50)


@pytest.mark.parametrize("together", [True, False], ids=["together", "each by itself"])
def test_four_times_the_commands_of_a_batch_are_four_times_the_work(together: bool) -> None:
    ada = yibao.EnrollmentId("s1", 2025)

    def work(steps: int) -> int:
        asked: list[Command] = [
            ChangeSchool(at=at(step), school=f"x{step % 7}")  # type: ignore[arg-type]
            for step in range(steps)
        ]
        with yibao.open("memory:") as service:
            service.register(
                "s1",
                at=at(0),
                policy="shanghai-2025",
                on="2025-09-01",
                school="sjtu",
                category="undergraduate",
                document="passport",
            )
            if together:
                return calls(lambda: service.record_together(ada, asked))
            return calls(lambda: service.record_each([(ada, command) for command in asked]))

    work(10)
    assert work(200) < 5 * work(50)
