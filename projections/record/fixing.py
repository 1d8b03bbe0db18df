"""What was fixed under an edition, and whom it concerns."""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import Any, NamedTuple

from yibao.domain.editions import Policy
from yibao.domain.facts import Facts, events
from yibao.domain.rules import WindowFix, fixes_that_count
from yibao.domain.vocabulary import Category
from yibao.projections.record.log import Log


class Whom(NamedTuple):
    """As much of the facts of a student as tells whether windows concern her."""

    schools: frozenset[str]
    category: Category | None


class Fixed:
    """What was fixed under an edition, and whom it concerns."""

    def __init__(self, log: Log) -> None:
        self.log = log
        self._concerning: dict[tuple[frozenset[str], Category | None], list[int]] = {}

    @cached_property
    def _fixing(self) -> list[int]:
        """After which events of the stream something else is fixed."""
        kinds = (events.WindowFixed, events.Voided)
        return [n for n, event in enumerate(self.log.events, 1) if isinstance(event, kinds)]

    @cached_property
    def fixing(self) -> list[events.Event]:
        """What fixes windows, and what takes that back."""
        return [self.log.events[n - 1] for n in self._fixing]

    def fixed(self, version: int) -> int:
        """How often something was fixed, or taken back, in the first events of the stream."""
        return bisect_right(self._fixing, version)

    def concerning(self, facts: Facts | Whom) -> Sequence[int]:
        """After which events of the stream something else is fixed that concerns a student.

        That is what is for everybody, for her category, or for a school she was at; a correction
        concerns also whom it takes the earlier fix from.
        """
        schools, category = whose = facts.schools, facts.category
        if whose not in self._concerning:
            self._concerning[whose] = [
                n
                for n in self._fixing
                if any(_is_for(fix, schools, category) for fix in self._told(n))
            ]
        return self._concerning[whose]

    def _told(self, number: int) -> Iterator[events.WindowFixed]:
        """What an event of the stream fixes, and the fix whose place it takes or takes back."""
        event = self.log.events[number - 1]
        superseded = self.log.version_superseded(event)
        for told in (event, self.log.events[superseded - 1] if superseded else None):
            if isinstance(told, events.WindowFixed):
                yield told

    def concerns(self, facts: Facts | Whom, version: int) -> int:
        """How often something was fixed that concerns a student, in the first events."""
        return bisect_right(self.concerning(facts), version)


class EditionRecord(Fixed):
    """An edition, and everything recorded under it: when it was first used, and windows fixed."""

    def __init__(self, policy: Policy, log: Log) -> None:
        super().__init__(log)
        self.policy = policy
        self._fixes: dict[int, Sequence[WindowFix]] = {}
        self._after: dict[int, EditionRecord] = {}

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, EditionRecord):
            return NotImplemented
        return self is other or (self.policy == other.policy and self.log == other.log)

    def __hash__(self) -> int:
        return hash((self.policy.edition, self.log))

    def after(self, times: int) -> "EditionRecord":
        """The edition as it was once windows were fixed so often; the same for each who asks."""
        if times not in self._after:
            log, version = self.log, self._fixing[times - 1] if times else 0
            first = Log(log.events[:version], log.positions[:version])
            self._after[times] = EditionRecord(self.policy, first)
        return self._after[times]

    def fixes(self, version: int) -> Sequence[WindowFix]:
        """What is fixed after the first events of the stream; kept, since a school asks at once."""
        times = self.fixed(version)
        if times not in self._fixes:
            fixed: Any = self.log.stream(version).facts
            self._fixes[times] = fixes_that_count(fixed)
        return self._fixes[times]


def _is_for(fix: events.WindowFixed, schools: frozenset[str], category: Category | None) -> bool:
    """Whether a window is fixed for a student of these schools and this category."""
    return (fix.school is None or fix.school in schools) and fix.category in (None, category)
