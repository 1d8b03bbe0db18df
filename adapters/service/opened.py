"""A store that is open, the clock, and who records."""

from datetime import datetime
from reprlib import Repr
from threading import Lock
from typing import (
    TYPE_CHECKING,
    Final,
    NoReturn,
    Self,
)

from yibao.adapters.editions import Editions
from yibao.adapters.service.recording import (
    ATTEMPTS_KEPT,
    Clock,
    Recording,
    check_unaltered,
)
from yibao.adapters.store import FactStore, StoreError, shown
from yibao.adapters.telemetry import SILENT, Telemetry
from yibao.domain.calendar import SHANGHAI
from yibao.domain.refusals import BadValue

if TYPE_CHECKING:  # what records and answers should not have to load these
    from yibao.adapters.following.cohort import Cohort


from yibao.adapters.service.given import aware, instant_of, key_of

_SHORT: Final = Repr()
_SHORT.maxstring = 120


def shanghai_now() -> datetime:
    """The wall clock, in Shanghai: the only place where yibao reads one."""
    return datetime.now(SHANGHAI)


class Opened:
    """A store, the editions, and who records with which clock."""

    def __init__(
        self,
        store: FactStore,
        editions: Editions,
        *,
        by: str = "unnamed",
        via: str = "library",
        clock: Clock = shanghai_now,
        attempts_kept: int = ATTEMPTS_KEPT,
        telemetry: Telemetry = SILENT,
        accept_stamps_until: datetime | str | None = None,
        rehearsing: bool = False,
    ) -> None:
        if rehearsing and not store.is_rehearsal:
            raise StoreError(
                "what a story tells goes into a rehearsal store, and this is no rehearsal store"
            )
        if not callable(clock):
            raise BadValue("clock", "must be a function that tells the instant")
        if not isinstance(attempts_kept, int) or isinstance(attempts_kept, bool):
            raise BadValue("attempts_kept", "must be a whole number")
        check_unaltered(store, editions)
        self._store = store
        self._telemetry = telemetry
        store.on_retry = telemetry.retried
        by, via = key_of(by, "by"), key_of(via, "via")
        self._clock = clock = aware(clock)
        accepted = accept_stamps_until
        if accepted is not None:
            accepted = instant_of(accepted, "accept_stamps_until")
        self._recording = Recording(
            store, editions, by, via, clock, attempts_kept, telemetry, accepted, rehearsing
        )
        self.editions = editions
        self._cohort: Cohort | None = None
        self._opening = Lock()

    def __repr__(self) -> str:
        where = _SHORT.repr(shown(self._store.database))
        return f"<{type(self).__name__} on {where} by {self._recording.by}>"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a service is its process's own: open the store again where it is needed")

    def _everybody(self) -> "Cohort":
        """What follows the facts of everybody; it is opened once, and closed with the store."""
        from yibao.adapters.following.cohort import open_cohort

        with self._opening:
            if self._cohort is None:
                self._cohort = open_cohort(self._store, self.editions)
            return self._cohort

    def now(self) -> datetime:
        """The moment at which something is asked, by the service's clock.

        Raises BadValue where a clock of one's own tells no instant.
        """
        return self._clock()

    def close(self) -> None:
        """Closes the store's connections; in the child of a fork none, they are the parent's."""
        if self._cohort is not None:
            self._cohort.close()
        self._store.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()
