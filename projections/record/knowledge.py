"""What is known of one enrollment by a cut-off."""

from datetime import datetime
from typing import NamedTuple

from yibao.domain.care import Care
from yibao.domain.facts import EMPTY, Stream
from yibao.domain.rules import Case
from yibao.domain.vocabulary import EnrollmentId, Seen

#: An instant, inclusive; or a version of the student's stream, where 0 knows nothing.
Cutoff = datetime | int


class Knowledge(NamedTuple):
    """What is known of one enrollment by a cut-off.

    `known_at` is the instant the cut-off stands for; None where nothing is known at all.
    `case` is None where no registration has ever been known, and with it no edition. `received`
    is the care recorded by then, of which the edition's stream and the enrollment's know nothing;
    `cares` are the pieces of it that stand. `window` is how often what concerns the student was
    fixed under the edition. `before` is what is known of the year before, None where nothing of
    any earlier year is, and `following` how often the next year's enrollment told of this one.
    """

    enrollment: EnrollmentId
    version: int
    known_at: datetime | None
    edition_version: int
    case: Case | None
    received: Stream = EMPTY
    cares: tuple[Care, ...] = ()
    window: int = 0
    before: "Knowledge | None" = None
    following: int = 0

    @property
    def seen(self) -> Seen:
        """What whoever knows this has seen."""
        before = self.before.seen if self.before else None
        return Seen(self.version, self.received.version, self.window, before)
