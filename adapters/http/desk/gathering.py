"""Who works takes along all that wait: while one thing is done others gather, and go together."""

from asyncio import Future, Task, create_task, get_running_loop, sleep
from collections.abc import Awaitable, Callable, Hashable, Sequence
from typing import Final, Generic, TypeVar

Asked = TypeVar("Asked")
Told = TypeVar("Told")

#: As many go together at most; more would keep the first waiting.
MOST: Final = 64
#: In seconds: how long those are waited for who went together before; one alone never waits.
PATIENCE: Final = 0.003


class Gathering(Generic[Asked, Told]):
    """Does what is asked with all that waits, one turn after the other, and tells each its own.

    `work` is done for some at once and tells for each what became of it, an exception among that;
    what it raises becomes of all. Of what is `alike` only the first goes in a turn.
    """

    def __init__(
        self,
        work: Callable[[Sequence[Asked]], Awaitable[Sequence[Told | Exception]]],
        alike: Callable[[Asked], Hashable] = id,
    ) -> None:
        self._work = work
        self._alike = alike
        self._waiting: list[tuple[Asked, Future[Told]]] = []
        self._going: Task[None] | None = None

    async def do(self, asked: Asked) -> Told:
        """Does it with all that waits; raises what becomes of this one alone."""
        told: Future[Told] = get_running_loop().create_future()
        self._waiting.append((asked, told))
        if self._going is None or self._going.done():
            self._going = create_task(self._do_all())
        return await told

    async def _do_all(self) -> None:
        before = 1
        while self._waiting:
            if len(self._waiting) < before:  # those who were just told are about to ask again
                await sleep(PATIENCE)
            some = self._taken()
            before = max(1, len(some))
            if not some:  # whoever waited has gone
                continue
            replies: Sequence[Told | Exception]
            try:
                replies = await self._work([asked for asked, _ in some])
            except Exception as error:
                replies = [error] * len(some)
            for (_, told), reply in zip(some, replies, strict=True):
                if told.done():  # whoever asked has gone
                    continue
                if isinstance(reply, Exception):
                    told.set_exception(reply)
                else:
                    told.set_result(reply)

    def _taken(self) -> list[tuple[Asked, "Future[Told]"]]:
        some: dict[Hashable, tuple[Asked, Future[Told]]] = {}
        left: list[tuple[Asked, Future[Told]]] = []
        for each in self._waiting:
            key = self._alike(each[0])
            if key in some or len(some) == MOST:
                left.append(each)
            elif not each[1].done():
                some[key] = each
        self._waiting = left
        return list(some.values())
