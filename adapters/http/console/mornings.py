"""Morning pages made ready in the night: nobody waits for the first one of a day."""

from asyncio import Task, create_task, get_running_loop
from contextlib import suppress

from yibao.adapters.http.desk import Desk
from yibao.adapters.office.season import make_ready, noon
from yibao.domain.calendar import day_after, in_shanghai, midnight
from yibao.domain.refusals import YibaoError


class Mornings:
    """The schools whose page was asked for: as each day begins theirs is made ready."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._expected: set[str] = set()
        self._making: set[Task[None]] = set()

    def expect(self, school: str) -> None:
        """From the next day on a school's page is made ready, for as long as this process lives."""
        if school not in self._expected:
            self._expected.add(school)
            self._wait(school)

    def _wait(self, school: str) -> None:
        now = self._desk.opened().service.now()
        begins = midnight(day_after(in_shanghai(now).date()))
        get_running_loop().call_later((begins - now).total_seconds(), self._begin, school)

    def _begin(self, school: str) -> None:
        making = create_task(self._make(school))
        self._making.add(making)  # else nobody holds it
        making.add_done_callback(self._making.discard)

    async def _make(self, school: str) -> None:
        today = noon(in_shanghai(self._desk.opened().service.now()).date())
        with suppress(YibaoError):  # whoever asks is told
            await self._desk.run(make_ready, school, today)
        self._wait(school)
