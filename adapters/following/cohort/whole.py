"""Takes in a store from its beginning student by student, each with everything recorded of her.

Fact after fact each student would be read again in batch after batch. How far it is stands in the
progress: up to which position facts are taken in, a digest of what stands there, and after whom.
"""

from typing import Final, NamedTuple

from yibao.adapters.following.cohort.batches import CohortBatch
from yibao.adapters.following.derived import Progress
from yibao.adapters.store import FactStore, Reached
from yibao.domain.facts import events

_WHOLE: Final = "whole"
_STREAMS, _CARES, _STUDENTS = "streams", "cares", "students"


class Whole(NamedTuple):
    """How far everything up to a position is taken in: after which stream, then which student."""

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


def taken(batch: CohortBatch, whole: Whole, size: int) -> tuple[Progress, int]:
    """The progress after some more streams, or students, and how many facts these have."""
    if whole.step != _STUDENTS:
        begin = batch.begin_streams if whole.step == _STREAMS else batch.begin_cares
        last = begin(whole.after, whole.until, size)
        if last is not None:
            return whole._replace(after=last).progress, 0
        following = _CARES if whole.step == _STREAMS else _STUDENTS
        return whole._replace(step=following, after="").progress, 0
    number, facts = batch.take_whole(int(whole.after or 0), whole.until, size)
    if number is None:
        return Progress(whole.until), facts
    return whole._replace(after=str(number)).progress, facts
