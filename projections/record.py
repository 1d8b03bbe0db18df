"""What was known when: the prefix of a stream that a knowledge cut-off selects."""

from bisect import bisect_right
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from yibao.domain.editions import Policy
from yibao.domain.facts import EMPTY, Stream, current_facts, events, fold
from yibao.domain.refusals import UnknownCutoff
from yibao.domain.rules import Case, WindowFix, fixes_that_count
from yibao.domain.vocabulary import EnrollmentId

#: An instant, inclusive; or a version of the student's stream, where 0 knows nothing.
Cutoff = datetime | int


class Edition:
    """A policy edition and the stream of what was fixed under it later."""

    def __init__(self, policy: Policy, recorded: Sequence[events.Event]) -> None:
        self.policy = policy
        self.recorded = recorded
        self._fixes: dict[int, Sequence[WindowFix]] = {}

    def fixes(self, version: int) -> Sequence[WindowFix]:
        """What is fixed after the first events of the stream; kept, since a school asks at once."""
        if version not in self._fixes:
            fixed: Any = current_facts(self.recorded[:version])
            self._fixes[version] = fixes_that_count(fixed)
        return self._fixes[version]


class Knowledge(NamedTuple):
    """What is known of one enrollment by a cut-off.

    `known_at` is the instant the cut-off stands for; None where nothing is known at all.
    `case` is None where no registration has ever been known, and with it no edition. `received`
    is the care recorded by then, of which the edition's stream and the enrollment's know nothing.
    """

    enrollment: EnrollmentId
    version: int
    known_at: datetime | None
    edition_version: int
    case: Case | None
    received: Stream = EMPTY


def known_by(
    enrollment: EnrollmentId,
    recorded: Sequence[events.Event],
    edition_of: Callable[[str], Edition],
    cutoff: Cutoff,
    received: Sequence[events.Event] = (),
) -> Knowledge:
    """The knowledge a cut-off stands for: always whole transactions, always a prefix.

    Raises UnknownCutoff for a version the stream has not reached or one inside a transaction.
    """
    if isinstance(cutoff, int):
        version, known_at = cutoff, _stamp(recorded, cutoff)
    else:
        version, known_at = recorded_by(recorded, cutoff), cutoff
    named = edition_named(recorded[:version])
    fixed = edition_of(named).recorded if named and known_at else ()
    edition_version = recorded_by(fixed, known_at) if known_at else 0
    by_then = received[: recorded_by(received, known_at)] if known_at else ()
    return known_at_versions(
        enrollment, recorded, edition_of, version, edition_version, known_at, by_then
    )


def known_at_versions(
    enrollment: EnrollmentId,
    recorded: Sequence[events.Event],
    edition_of: Callable[[str], Edition],
    version: int,
    edition_version: int,
    known_at: datetime | None,
    received: Sequence[events.Event] = (),
) -> Knowledge:
    """The knowledge of one version of the student's stream and one of the edition's."""
    prefix = recorded[:version]
    named = edition_named(prefix)
    if named is None:
        return Knowledge(enrollment, version, known_at, 0, None)
    edition = edition_of(named)
    case = Case(edition.policy, current_facts(prefix), edition.fixes(edition_version))
    care = fold(received) if received else EMPTY
    return Knowledge(enrollment, version, known_at, edition_version, case, care)


def edition_named(recorded: Sequence[events.Event]) -> str | None:
    """The edition the latest registration names, current or taken back."""
    for event in reversed(recorded):
        if isinstance(event, events.Registered):
            return event.policy
    return None


def recorded_by(recorded: Sequence[events.Event], known_at: datetime) -> int:
    """How many events of a stream were recorded by an instant, inclusive."""
    if not recorded or recorded[-1].recorded_at <= known_at:
        return len(recorded)
    return bisect_right(recorded, known_at, key=lambda event: event.recorded_at)


def _stamp(recorded: Sequence[events.Event], version: int) -> datetime | None:
    if not 0 <= version <= len(recorded):
        raise UnknownCutoff(f"version {version} is not in the stream, which is at {len(recorded)}")
    if version == 0:
        return None
    event = recorded[version - 1]
    if event.goes_on:
        raise UnknownCutoff(f"version {version} lies inside a transaction")
    return event.recorded_at
