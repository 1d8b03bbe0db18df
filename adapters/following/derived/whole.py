"""Takes in a store from its beginning student by student, each with everything recorded of her.

Fact after fact each student would be read again in batch after batch. How far it is stands in the
progress: up to which position facts are taken in, a digest of what stands there, and after whom.
"""

from abc import abstractmethod
from collections.abc import Sequence
from typing import Final, NamedTuple, TypeVar

from yibao.adapters.following.derived.batches import Batch
from yibao.adapters.following.derived.following import FactsFollowed
from yibao.adapters.following.derived.store import Progress, Transaction
from yibao.adapters.store import FactStore, Reached, not_collecting
from yibao.domain.facts import events
from yibao.domain.refusals import UnreadableEvent
from yibao.domain.vocabulary import EnrollmentId

_WHOLE: Final = "whole"
_STREAMS, _CARES, _STUDENTS = "streams", "cares", "students"

T = TypeVar("T", bound=Transaction)


class Whole(NamedTuple):
    """How far everything up to a position is taken in: after which stream, of which kind."""

    until: int
    mark: str
    step: str = _STREAMS
    after: str = ""

    @property
    def progress(self) -> Progress:
        return Progress(fanned=" ".join([_WHOLE, str(self.until), *self[1:]]))

    @classmethod
    def of(cls, progress: Progress) -> "Whole | None":
        """How far it is, where it is under way."""
        told = (progress.fanned or "").split(" ", 4)
        return cls(int(told[1]), *told[2:]) if told[0] == _WHOLE else None


def begun(store: FactStore, progress: Progress, there: Reached, size: int) -> Whole | None:
    """The beginning of it, where nothing is taken in yet and there are many facts."""
    if progress.position or progress.fanned or there.position <= size:
        return None
    until = store.known_until(there.position, [*events.EVENTS])
    return Whole(until, store.mark(until, 0)) if until > size else None


class WholeBatch(Batch[T]):
    """A batch of facts, or of students with everything recorded of each up to a position."""

    def begin_whole(self) -> None:
        """Is told before the first of it."""
        self.transaction.leave_indexes()

    @abstractmethod
    def take_whole(self, some: Sequence[EnrollmentId], until: int) -> None:
        """Takes in everything of some students, of whom nothing is taken in yet."""

    def end_whole(self, until: int) -> None:
        """Is told when all students are taken in."""
        self.transaction.make_indexes()

    def next_of(self, whole: Whole, size: int) -> tuple[Progress, int]:
        """The progress after some more streams, or students, and how many facts these have."""
        if whole.step == _STUDENTS:
            return self._take_students(whole, size)
        if whole.step == _STREAMS and not whole.after:
            self.begin_whole()
        begin = self._begin_streams if whole.step == _STREAMS else self._begin_cares
        last = begin(whole.after, whole.until, size)
        if last is not None:
            return whole._replace(after=last).progress, 0
        following = _CARES if whole.step == _STREAMS else _STUDENTS
        return whole._replace(step=following, after="").progress, 0

    def _take_students(self, whole: Whole, size: int) -> tuple[Progress, int]:
        last, some = self.transaction.people(whole.after, size)
        self._whose |= some
        self._read_ahead([own for own, _ in some.values()], whole.until)
        self._read_ahead([care for _, care in some.values()], whole.until)
        facts = sum(map(len, self._read.values()))
        self.take_whole([*some], whole.until)
        if last is not None:
            return whole._replace(after=last).progress, facts
        self.end_whole(whole.until)
        return Progress(whole.until), facts

    def _begin_streams(self, after: str, until: int, most: int) -> str | None:
        """Enters the enrollments and editions of some streams; the last of these, if any is left.

        Raises Halted for an edition that is not at hand.
        """
        begun = self.store.beginnings(after, until, most)
        enrollments: list[EnrollmentId] = []
        for each in begun:
            try:
                first = each.event()
            except UnreadableEvent:
                first = None
            if isinstance(first, events.EditionAdopted):
                self.transaction.add_edition(each.stream, first.policy)
            elif isinstance(first, events.Registered):
                enrollments.append(EnrollmentId(first.ref, self.at_hand(first.policy).year))
            else:
                self._enrollments({each.stream: each.position}, until)  # which parks it
        self.transaction.add_enrollments(enrollments)
        return begun[-1].stream.hex if len(begun) == most else None

    def _begin_cares(self, after: str, until: int, most: int) -> str | None:
        """Looks whether some streams of care are somebody's; the last of these, if any is left."""
        begun = self.store.beginnings(after, until, most, of_care=True)
        self._enrollments({each.stream: each.position for each in begun}, until)
        return begun[-1].stream.hex if len(begun) == most else None

    def firsts(self, some: Sequence[EnrollmentId]) -> dict[EnrollmentId, int]:
        """Students who are taken in, each with the position of the first of her facts."""
        return self._of_every_year({each: self._first_of(each) for each in some})

    def _first_of(self, enrollment: EnrollmentId) -> int:
        rows = (self._read[stream] for stream in self._streams_of(enrollment))
        return int(min(of_stream[0][0] for of_stream in rows if of_stream))


class WholeFollowed(FactsFollowed[T]):
    """A projection that takes in a store that is new to it student by student."""

    @abstractmethod
    def batch(self, transaction: T) -> WholeBatch[T]: ...

    def _next_batch(
        self, transaction: T, progress: Progress, there: Reached
    ) -> tuple[Progress, int]:
        whole = Whole.of(progress) or begun(self.store, progress, there, self.whole_size)
        if whole is None:
            return super()._next_batch(transaction, progress, there)
        if whole.mark != self.store.mark(whole.until, 0):  # it follows another store by now
            transaction.begin_anew(self.fingerprint)
            return Progress(), 0
        with not_collecting():
            return self.batch(transaction).next_of(whole, self.whole_size)

    @property
    def whole_size(self) -> int:
        """Above how many facts it is done so, and how many streams are taken in at a time."""
        return self.size
