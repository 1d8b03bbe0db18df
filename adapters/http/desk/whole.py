"""Pages of what is about many students, of whom some are not theirs to see who asks."""

from collections.abc import Callable, Sequence
from typing import Generic, Protocol, TypeVar

from yibao.adapters.http.desk.theirs import is_theirs
from yibao.adapters.http.rights import Grant, Who
from yibao.adapters.service import Service
from yibao.domain.vocabulary import EnrollmentId

Entry = TypeVar("Entry")
Key = TypeVar("Key")
E = TypeVar("E", covariant=True)
K = TypeVar("K", covariant=True)


class Part(Protocol, Generic[E, K]):
    """Some entries, and after what the next begin, if there are more."""

    @property
    def entries(self) -> Sequence[E]: ...

    @property
    def following(self) -> K | None: ...


def whole_page(
    part: Callable[[Key | None, int], Part[Entry, Key]],
    see: Callable[[Entry], bool],
    key: Callable[[Entry], Key],
    after: Key | None,
    size: int,
) -> tuple[list[Entry], Key | None]:
    """A page of as many entries as it has room for, of those that may be seen.

    `part` tells some of all entries after a key, and `key` that of an entry.
    """
    found: list[Entry] = []
    while True:
        some = part(after, size)
        for each in filter(see, some.entries):
            if len(found) == size:
                return found, key(found[-1])
            found.append(each)
        after = some.following
        if after is None or len(found) == size:
            return found, after


class Theirs:
    """Whom somebody may see, by now; each is looked at once."""

    def __init__(self, service: Service, who: Who, granted: tuple[Grant, ...]) -> None:
        self._service, self._who, self._granted = service, who, granted
        self._sees_all = any(each.reach == "all" for each in granted)
        self._known: dict[EnrollmentId, bool] = {}

    @property
    def schools(self) -> frozenset[str] | None:
        """The schools of whoever may be seen; None where that is anybody."""
        return None if self._sees_all else self._who.schools

    def see(self, whose: EnrollmentId | None) -> bool:
        """Whether this is theirs to see; what is about nobody in particular is."""
        if whose is None or self._sees_all:
            return True
        if whose not in self._known:
            record = self._service.read(whose)
            self._known[whose] = is_theirs(self._who, self._granted, record)
        return self._known[whose]
