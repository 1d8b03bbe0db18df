"""Who works takes along all that wait; each is told its own, and nobody waits for ever."""

import asyncio
from collections.abc import Sequence

import pytest

from yibao.adapters.http.desk.gathering import MOST, Gathering


class Worker:
    """Does what is asked, and remembers what went together."""

    def __init__(self) -> None:
        self.turns: list[list[str]] = []
        self.go_on = asyncio.Event()

    async def work(self, some: Sequence[str]) -> list[str | Exception]:
        self.turns.append(list(some))
        await self.go_on.wait()
        if "break" in some:
            raise OSError("all of them")
        return [LookupError(each) if each == "wrong" else each.upper() for each in some]


def test_those_who_come_while_one_works_go_together_next() -> None:
    async def told() -> tuple[Worker, list[object]]:
        worker = Worker()
        gathering = Gathering(worker.work)
        first = asyncio.create_task(gathering.do("first"))
        await asyncio.sleep(0.01)
        others = [asyncio.create_task(gathering.do(each)) for each in ("a", "wrong", "b")]
        await asyncio.sleep(0.01)
        worker.go_on.set()
        return worker, await asyncio.gather(first, *others, return_exceptions=True)

    worker, found = asyncio.run(told())
    assert worker.turns == [["first"], ["a", "wrong", "b"]]
    assert [str(each) for each in found] == ["FIRST", "A", "wrong", "B"]


def test_of_what_is_alike_one_goes_at_a_time_and_of_all_no_more_than_so_many() -> None:
    async def told() -> Worker:
        worker = Worker()
        worker.go_on.set()
        gathering = Gathering(worker.work, alike=lambda asked: asked[0])
        asked = ["a1", "a2", "b1", *(f"{chr(200 + n)}" for n in range(MOST))]
        await asyncio.gather(*(gathering.do(each) for each in asked))
        return worker

    turns = asyncio.run(told()).turns
    assert max(map(len, turns)) <= MOST
    assert [("a1" in turn, "a2" in turn) for turn in turns[:2]] == [(True, False), (False, True)]


def test_what_breaks_is_told_to_all_who_went_and_others_go_on() -> None:
    async def told() -> list[object]:
        worker = Worker()
        worker.go_on.set()
        gathering = Gathering(worker.work)
        broken = await asyncio.gather(
            gathering.do("x"), gathering.do("break"), return_exceptions=True
        )
        return [*broken, await gathering.do("y")]

    first, second, third = asyncio.run(told())
    assert isinstance(first, OSError)
    assert isinstance(second, OSError)
    assert third == "Y"


def test_who_has_gone_is_not_worked_for() -> None:
    async def told() -> Worker:
        worker = Worker()
        gathering = Gathering(worker.work)
        first = asyncio.create_task(gathering.do("first"))
        await asyncio.sleep(0.01)
        gone = asyncio.create_task(gathering.do("gone"))
        await asyncio.sleep(0.01)
        gone.cancel()
        worker.go_on.set()
        await first
        assert await gathering.do("after") == "AFTER"
        with pytest.raises(asyncio.CancelledError):
            await gone
        return worker

    assert asyncio.run(told()).turns == [["first"], ["after"]]
