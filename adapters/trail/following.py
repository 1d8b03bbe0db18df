"""Follows the facts and the refused attempts, batch by batch, exactly once.

Each batch is one transaction of the trail that also remembers how far it is; whoever is killed
in the middle leaves the trail as it was before the batch. Two processes take turns.
"""

import hashlib
from collections.abc import Sequence
from functools import cache
from itertools import takewhile
from operator import attrgetter
from typing import Final
from uuid import UUID

import yibao
from yibao.adapters.policy_files import Editions
from yibao.adapters.store import FactStore, Reached, Taken
from yibao.adapters.trail.layout import FORMAT, OF_A_SCHOOL, OF_A_STUDENT
from yibao.adapters.trail.rows import (
    attempt_row,
    counted_row,
    edition_row,
    entry_row,
    fix_rows,
)
from yibao.adapters.trail.store import Progress, Row, TrailStore, TrailTransaction
from yibao.adapters.watch import Watch
from yibao.domain import events
from yibao.domain.refusals import UnreadableEvent
from yibao.domain.vocabulary import EnrollmentId, edition_stream
from yibao.projections.audit_trail import (
    FixedEdition,
    Recorded,
    Streams,
    entries,
    version_superseded,
)

#: How many facts a transaction of the trail takes in, and how many students of a fixed window.
BATCH: Final = 5000
FAN: Final = 500


class Follower:
    """Keeps a trail up with a store."""

    def __init__(self, store: FactStore, editions: Editions, trail: TrailStore) -> None:
        self.store = store
        self.editions = editions
        self.trail = trail
        self._known: Reached | None = None

    def catch_up(self, watch: Watch | None = None) -> None:
        """Takes in everything recorded by now, and makes anew a trail of something else."""
        there = self.store.reached()
        taken_in = 0
        while self._known != there:
            with self.trail.transaction() as transaction:
                progress = self._checked_progress(transaction)
                reached = self._next_batch(transaction, progress, there)
                if reached != progress:
                    mark = self.store.mark(reached.position, reached.attempt)
                    reached = reached._replace(mark=mark)
                    transaction.reach(reached)
            self._known = Reached(reached.position, reached.attempt, reached.counted)
            taken_in += reached.position - progress.position
            if watch:
                watch(min(reached.position, there.position), there.position)
            if reached == progress:
                break
        if taken_in >= BATCH:
            self.trail.optimize()

    def _checked_progress(self, transaction: TrailTransaction) -> Progress:
        """How far the trail is; nowhere, if it followed another store or an earlier state of it."""
        fingerprint = _fingerprint(self.editions)
        progress = transaction.progress(fingerprint)
        if self._known or progress == Progress():
            return progress
        if progress.mark != self.store.mark(progress.position, progress.attempt):
            return transaction.begin_anew(fingerprint)
        # Counts change, and a restored store may have fewer. They are few, and listed anew.
        transaction.forget_counted()
        return progress._replace(counted=0)

    def _next_batch(
        self, transaction: TrailTransaction, progress: Progress, there: Reached
    ) -> Progress:
        """The progress after one more batch; the same where there is nothing more."""
        taken = self.store.taken(progress.position, there.position, BATCH)
        if taken:
            return _Batch(self.store, self.editions, transaction).of_facts(progress, taken)
        kept = self.store.attempts_between(progress.attempt, there.attempt, BATCH)
        counted = self.store.attempts_counted(progress.counted)
        transaction.insert(attempt_row(each) for each in kept)
        transaction.replace_counted(counted_row(each) for each in counted)
        return progress._replace(
            attempt=kept[-1].attempt_id if kept else progress.attempt,
            counted=counted[-1].changed if counted else progress.counted,
        )


class _Batch:
    """One batch of facts on its way into the trail."""

    def __init__(self, store: FactStore, editions: Editions, transaction: TrailTransaction) -> None:
        self.store = store
        self.editions = editions
        self.transaction = transaction
        self.edition = cache(self._edition)

    def of_facts(self, progress: Progress, taken: Sequence[Taken]) -> Progress:
        """Facts up to the next window that is fixed, or the effects of that window alone."""
        editions = self._editions(taken)
        own = list(takewhile(lambda each: not self._is_fix(each, editions), taken))
        if not own:
            return self._fixed_window(progress, taken[0].position, editions[taken[0].stream])
        last = own[-1]
        students = self._enrollments({each.stream for each in own} - editions.keys())
        rows = [
            row
            for enrollment in students
            for row in self._enrollment(enrollment, progress.position, last.position)
        ]
        adopted = {each.position: each.stream for each in own if each.stream in editions}
        found = self.store.at_positions(adopted)
        rows += [
            edition_row(Recorded(position, found[position]), editions[stream])
            for position, stream in adopted.items()
        ]
        # What was recorded at one time is then read from one place of the file.
        self.transaction.insert(sorted(rows, key=attrgetter("position")))
        return progress._replace(position=last.position)

    def _editions(self, taken: Sequence[Taken]) -> dict[UUID, str]:
        """The editions among the streams; an edition is adopted before anything else of it."""
        found = {}
        for stream in {each.stream for each in taken if each.topic in _OF_EDITIONS}:
            policy = self.transaction.edition_of(stream)
            if policy is None:
                first = self.store.first(stream)
                if not isinstance(first, events.EditionAdopted):
                    continue  # what is taken back here is a student's
                policy = first.policy
                self.transaction.add_edition(stream, policy)
            found[stream] = policy
        return found

    def _is_fix(self, taken: Taken, editions: dict[UUID, str]) -> bool:
        return taken.stream in editions and taken.topic in _FIXES

    def _enrollments(self, streams: set[UUID]) -> set[EnrollmentId]:
        """Whose streams these are; a registration comes before any care."""
        for stream in streams:
            if self.transaction.enrollment_of(stream) is None:
                first = self.store.first(stream)
                if isinstance(first, events.Registered):
                    year = self.editions.get(first.policy).year
                    self.transaction.add_enrollment(EnrollmentId(first.ref, year))
        found = {stream: self.transaction.enrollment_of(stream) for stream in streams}
        missing = [stream for stream, enrollment in found.items() if enrollment is None]
        if missing:
            raise UnreadableEvent(
                f"stream {missing[0]} belongs to nobody: there is no registration"
            )
        return {enrollment for enrollment in found.values() if enrollment is not None}

    def _enrollment(self, enrollment: EnrollmentId, after: int, until: int) -> list[Row]:
        """What was recorded of one student between two positions."""
        streams = self._streams(enrollment)
        made = list(entries(streams, after, until))
        rows = [entry_row(entry) for entry in made]
        for entry in made:
            if entry.former_school is not None:
                row = entry_row(entry)._replace(listing=OF_A_SCHOOL, school=entry.former_school)
                rows.append(row)
        told = [entry.event for entry in made]
        if any(isinstance(event, events.Registered | events.SchoolChanged) for event in told):
            self._remember_schools(streams)
        return rows

    def _remember_schools(self, streams: Streams) -> None:
        """For whom a window may be fixed: every school, under every edition there was."""
        known = [each.event for each in streams.enrolled]
        policies = {event.policy for event in known if isinstance(event, events.Registered)}
        schools = {
            event.school
            for event in known
            if isinstance(event, events.Registered | events.SchoolChanged)
        }
        stream = streams.enrollment.stream
        self.transaction.add_schools(
            (policy, school, stream) for policy in policies for school in schools
        )

    def _fixed_window(self, progress: Progress, position: int, policy: str) -> Progress:
        """Lists whose answers a fixed window moved, some students at a time, then the fix."""
        recorded = self.edition(policy).recorded
        (fix,) = [each for each in recorded if each.position == position]
        schools = _schools_concerned(recorded, fix.event)
        students = self.transaction.concerned(policy, schools, progress.fanned or "", FAN)
        for _, enrollment in students:
            entry = self._streams(enrollment).entry(fix)
            if entry.moved:
                self.transaction.insert([entry_row(entry)._replace(listing=OF_A_STUDENT)])
        if len(students) == FAN:
            return progress._replace(fanned=students[-1][0])
        superseded = version_superseded(fix.event, [each.event for each in recorded])
        effects = self.transaction.effects(position)
        self.transaction.insert(fix_rows(fix, superseded, policy, effects))
        return progress._replace(position=position, fanned=None)

    def _streams(self, enrollment: EnrollmentId) -> Streams:
        return Streams(
            enrollment,
            self.store.recorded(enrollment.stream),
            self.store.recorded(enrollment.care_stream),
            self.edition,
        )

    def _edition(self, name: str) -> FixedEdition:
        return FixedEdition(self.editions.get(name), self.store.recorded(edition_stream(name)))


_FIXES: Final = {events.WindowFixed.name, events.Voided.name}
_OF_EDITIONS: Final = _FIXES | {events.EditionAdopted.name, events.BenefitsAdopted.name}


def _schools_concerned(recorded: Sequence[Recorded], event: events.Event) -> Sequence[str] | None:
    """The schools that a fix names, or the one it corrects or takes back; None for all."""
    by_id = {each.event.event_id: each.event for each in recorded}
    found: list[str] = []
    named: events.Event | None = event
    while named is not None:
        if isinstance(named, events.WindowFixed):
            if named.school is None:
                return None
            found.append(named.school)
        superseded = getattr(named, "supersedes", None)
        named = by_id.get(superseded) if superseded else None
    return found


def _fingerprint(editions: Editions) -> str:
    """What the rows depend on beside the facts: this program's version and the editions."""
    known = [f"{policy.edition}:{policy.digest}:{policy.benefits_digest}" for policy in editions]
    told = "\n".join([str(FORMAT), yibao.__version__, *sorted(known)])
    return hashlib.sha256(told.encode()).hexdigest()
