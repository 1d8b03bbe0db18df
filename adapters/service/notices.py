"""What falls due: noticed once, listed until it is acknowledged, and delivered."""

from collections.abc import Callable, Collection
from datetime import datetime
from threading import Lock
from typing import TYPE_CHECKING, Any

from yibao.adapters.service.given import instant_of
from yibao.adapters.service.opened import Opened
from yibao.domain.refusals import BadValue

if TYPE_CHECKING:  # what records and answers should not have to load these
    from yibao.adapters.following.due import DueEntry, DuePage, Outbox
    from yibao.domain.vocabulary import EnrollmentId


class Notices(Opened):
    """The outbox of the store; who polls it notices for all.

    Each raises StoreError where the store or the outbox fails.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._opening = Lock()
        self._opened: Outbox | None = None

    def due(
        self,
        *,
        after: int | str | None = None,
        until: datetime | str | None = None,
        limit: int | None = None,
        days_before: int | None = None,
        schools: Collection[str] | None = None,
    ) -> "DuePage":
        """Notices what has come by an instant (default: now), and lists what is not acknowledged.

        Each is noticed once, as known now: a correction withdraws what was not acknowledged, and
        tells the change of what was. `after` is where the page before ended, `limit` how many a
        page has (default: 100). So many `days_before` the window closes it is told (at first 3);
        what is set holds for every later poll, whoever asks. With `schools` only those are listed
        who were ever at one of them. Raises BadValue for what is none of these.
        """
        from yibao.adapters.following.due import PAGE

        outbox = self._outbox()
        outbox.poll(self._until(until), days_before=days_before)
        size = PAGE if limit is None else limit
        return outbox.page(after=after, limit=size, schools=schools)

    def acknowledge(self, entry_id: int | str) -> None:
        """Takes note that an entry was delivered, by its id: it is not listed any more.

        Again it changes nothing. One that was withdrawn meanwhile may be acknowledged all the same:
        then it is told what became of it. Raises BadValue where there is no such entry.
        """
        self._outbox().acknowledge(entry_id, self._clock())

    def whose_notice(self, entry_id: int | str) -> "EnrollmentId | None":
        """Whom an entry is about, acknowledged or not; None where there is no such entry.

        Raises BadValue for what is no id.
        """
        return self._outbox().whose(entry_id)

    def deliver(
        self, tell: "Callable[[DueEntry], object]", *, until: datetime | str | None = None
    ) -> int:
        """Notices what has come by an instant (default: now), and has a callable tell each entry.

        An entry is acknowledged when the callable has returned; how many these were. What it raises
        is raised, and that entry stays listed with all after it. Where this process is killed in
        between, an entry is told again: its id says so.
        """
        if not callable(tell):
            raise BadValue("tell", "must be a function that takes an entry")
        outbox = self._outbox()
        outbox.poll(self._until(until))
        return outbox.deliver(tell)

    def close(self) -> None:
        """Closes the outbox and the store's connections; in the child of a fork none."""
        if self._opened is not None:
            self._opened.close()
        super().close()

    def _until(self, until: datetime | str | None) -> datetime:
        return self._clock() if until is None else instant_of(until, "until")

    def _outbox(self) -> "Outbox":
        """The outbox, opened for as long as this is: one in memory would be gone with it."""
        from yibao.adapters.following.due import open_outbox

        self._store.check_process()
        with self._opening:
            if self._opened is None:
                self._opened = open_outbox(self._store, self.editions)
            return self._opened
