"""What the next year's enrollment tells of the year before it."""

from bisect import bisect_right
from functools import cached_property
from typing import Final

from yibao.domain.facts import Facts, events
from yibao.projections.record.log import Log

#: What tells of the year before: cover as an employee, whose stop counts for both years (R33), and
#: what is paid next (R11).
TELLING: Final = (
    events.EmployeeCoverStopped,
    events.OtherCoverDeclared,
    events.PremiumPaid,
    events.Registered,
)
#: So many prefixes are kept: who asks of one fact after the other finds the one before.
_KEPT: Final = 8


class Following:
    """The next year's enrollment, as far as it can move an answer about the year before."""

    def __init__(self, log: Log) -> None:
        # By itself: who asks about the next year goes through the same events at another pace.
        self.log = Log(log.events, log.positions)
        self._facts: dict[int, Facts] = {}

    @cached_property
    def telling(self) -> list[int]:
        """After which events of the stream something else is told."""
        return [n for n, event in enumerate(self.log.events, 1) if self._tells(event)]

    def told(self, version: int) -> int:
        """How often something was told, or taken back, in the first events of the stream."""
        return bisect_right(self.telling, version)

    def facts(self, version: int) -> Facts | None:
        """What is told after the first events; the same for as long as nothing else is."""
        times = self.told(version)
        found = self._facts.get(times)
        if found is None and times:
            told = [fact for fact in self.log.stream(version).facts if self._tells(fact.event)]
            found = Facts(told)
            if len(self._facts) == _KEPT:
                self._facts = {}
            self._facts[times] = found
        return found

    def transactions(self, since: int, until: int) -> list[events.Event]:
        """What was recorded in between, of the transactions in which something was told."""
        found: list[events.Event] = []
        gathered: list[events.Event] = []
        for event in self.log.events[since:until]:
            gathered.append(event)
            if not event.goes_on:
                found += gathered if any(map(self._tells, gathered)) else ()
                gathered = []
        return found

    def _tells(self, event: events.Event) -> bool:
        if isinstance(event, events.Voided):
            superseded = self.log.version_superseded(event)
            return superseded is not None and self._tells(self.log.events[superseded - 1])
        return isinstance(event, TELLING)
