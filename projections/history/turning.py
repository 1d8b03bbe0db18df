"""At which instants may an answer change though nothing is learned? Between two it stands."""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from datetime import datetime

from yibao.domain.calendar import day_after, midnight
from yibao.domain.lifecycle import timeline
from yibao.domain.rules import Case, values_of, visible_at, waiting_before_joining
from yibao.domain.vocabulary import WaitingPeriod
from yibao.projections.answer import Answer, answered
from yibao.projections.record import Knowledge, Record


class Asking:
    """Asks a record again and again, of more and more that is known and of later instants.

    The answer before, about an earlier instant, is given again where it says the same: nothing
    was learned and nothing has turned since. With `whole` an answer has all its parts.
    """

    def __init__(self, record: Record, *, whole: bool = True) -> None:
        self.record = record
        self._whole = whole
        self._days = _days_named(record)
        self._last: tuple[Knowledge, Answer] | None = None

    def __call__(self, known: Knowledge, at: datetime) -> Answer:
        """The answer from what is known, for an instant, or for one that is answered alike."""
        if self._last is None or not self._stands(*self._last, known, at):
            self._last = known, answered(known, at, whole=self._whole)
        return self._last[1]

    def turns(self, known: Knowledge, since: datetime, until: datetime) -> list[datetime]:
        """When an answer may change between two instants, both excluded, in order."""
        found = {
            turn
            for turns in self._turns(known)
            for turn in turns[bisect_right(turns, since) : bisect_left(turns, until)]
        }
        return sorted(found)

    def _stands(self, before: Knowledge, answer: Answer, known: Knowledge, at: datetime) -> bool:
        return (
            before.case is known.case
            and before.received.version == known.received.version
            and answer.at <= at
            and all(
                bisect_right(turns, answer.at) == bisect_right(turns, at)
                for turns in self._turns(known)
            )
        )

    def _turns(self, known: Knowledge) -> Sequence[Sequence[datetime]]:
        case = known.case
        return (self._days, case.once("turns", lambda: sorted(_turns(case)))) if case else ()


def _days_named(record: Record) -> Sequence[datetime]:
    """When each day begins that was ever named: what is known of may begin to count then."""
    named = {day for event in record.everything() if (day := getattr(event, "on", None))}
    return sorted(map(midnight, named))


def _turns(case: Case) -> set[datetime]:
    """Every instant, beside days that are named, at which passing time alone may change an answer.

    And perhaps some more. No fact lies after what is known, so none begins to count as time goes
    on; but what follows may lie ahead: the ends of a window, the end of a period.
    """
    if case.facts.registration is None:
        return set()
    found = {case.policy.ends_at, *(change.at for change in timeline(case))}
    for window in case.windows():
        found |= window.turns
    if case.before:
        found |= _turns(case.before)
    for episode in case.episodes:
        found.add(visible_at(case, episode.confirmation).value)
    for waiting in case.once("waiting periods", lambda: _waiting_periods(case)):
        found.update((midnight(waiting.first), midnight(day_after(waiting.last))))
    return found


def _waiting_periods(case: Case) -> list[WaitingPeriod]:
    """Every waiting period that is told of the student, whatever she joined with."""
    told = [values_of(case, episode).waiting for episode in case.episodes]
    before = waiting_before_joining(case)
    told += [before] if before else []
    return [waiting.value for waiting in told if isinstance(waiting.value, WaitingPeriod)]
