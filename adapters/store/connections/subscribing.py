"""How the library's projections follow the facts: by asking again and again."""

import time
from collections.abc import Iterator, Sequence
from typing import Final

from eventsourcing.persistence import ApplicationRecorder, Notification, Subscription

#: How many events are read at a time, and how long it waits where there are none, in seconds.
AT_A_TIME: Final = 500
PAUSE: Final = 0.05


class FactSubscription(Subscription[ApplicationRecorder]):
    """Every event after a position, in order, as far as the store is final; then it waits for more.

    Whoever has stopped it is waited for no longer than a pause.
    """

    def __init__(
        self, recorder: ApplicationRecorder, gt: int | None = None, topics: Sequence[str] = ()
    ) -> None:
        super().__init__(recorder, gt, topics)
        self._read: Iterator[Notification] = iter(())

    def __next__(self) -> Notification:
        while not self._has_been_stopped:
            for found in self._read:
                self._last_notification_id = found.id
                return found
            there = self._recorder.select_notifications(
                self._last_notification_id, AT_A_TIME, topics=self._topics, inclusive_of_start=False
            )
            self._read = iter(there)
            if not there:
                time.sleep(PAUSE)
        raise StopIteration
