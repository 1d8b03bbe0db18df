"""What is kept for a set time is erased after it, however long a server runs."""

import logging
from asyncio import CancelledError, create_task, sleep
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from typing import Final

from anyio import to_thread

from yibao.adapters.http.desk import Opened
from yibao.adapters.service import shanghai_now
from yibao.adapters.store import StoreError
from yibao.adapters.telemetry import tell

LOGGER: Final = logging.getLogger("yibao.http")
#: In seconds.
DAY: Final = 24 * 60 * 60


@asynccontextmanager
async def erased_daily(opened: Opened, accesses_days: int) -> AsyncIterator[None]:
    """Accesses older than so many days are erased at once, and each day until this ends.

    Every worker does it: what one has erased is nothing to the next. Raises StoreError where it
    cannot be done at first; later it is told in the log, and tried again the next day.
    """

    def erase() -> None:
        if opened.accesses is not None:
            opened.accesses.erase(shanghai_now() - timedelta(days=accesses_days))
        if opened.shared is not None:
            opened.shared.erase(shanghai_now())

    async def daily() -> None:
        while True:
            await sleep(DAY)
            try:
                await to_thread.run_sync(erase)
            except StoreError as error:
                tell(LOGGER, logging.ERROR, "not-erased", error=type(error).__name__)

    await to_thread.run_sync(erase)
    going = create_task(daily())
    try:
        yield
    finally:
        going.cancel()
        with suppress(CancelledError):
            await going
