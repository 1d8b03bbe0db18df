"""Follows the facts into what is due, and says what there is to say.

First it is noted of whom something was recorded; then these are looked at, each as known at last,
so that what went there and back in between is never said. Each step is one transaction: whoever is
killed in the middle leaves the outbox as it was before, and two processes take turns.
"""

import hashlib
from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import cache
from typing import Final
from uuid import UUID

import yibao
from yibao.adapters.editions import Editions
from yibao.adapters.following.derived import number_of
from yibao.adapters.following.due.layout import ACKNOWLEDGED, FORMAT, WITHDRAWN
from yibao.adapters.following.due.store import NOTHING_SAID, Due, Key, OutboxTransaction
from yibao.adapters.following.supervisor import Parked
from yibao.adapters.store import FactStore, StoreError, Taken, positioned
from yibao.domain.facts import events
from yibao.domain.refusals import UnknownEdition, UnreadableEvent, YibaoError
from yibao.domain.vocabulary import EnrollmentId, edition_stream
from yibao.projections.cohort.due import notices
from yibao.projections.cohort.telling import is_due, needs_a_word, word
from yibao.projections.record import NOTHING, EditionRecord, Log, Record

#: How many facts one transaction notes, and at how many students it looks.
BATCH: Final = 5000
LOOKED_AT: Final = 500

_FIXES: Final = (events.WindowFixed.name, events.Voided.name)


class Step:
    """One transaction of a poll: what is known up to `there`, and has come by `until`."""

    def __init__(
        self,
        store: FactStore,
        editions: Editions,
        transaction: OutboxTransaction,
        there: int,
        until: int,
    ) -> None:
        self.store = store
        self.editions = editions
        self.transaction = transaction
        self.until = until
        self._there = there
        self._position = 0
        self._edition = cache(self._edition_read)

    def take(self) -> bool:
        """Does the next thing there is to do; False where there is none."""
        transaction = self.transaction
        fingerprint = self._fingerprint()
        found = transaction.position(fingerprint)
        if found is None or (found[1] is not None and found[1] != self.store.mark(found[0], 0)):
            transaction.begin_anew(fingerprint)
            return True
        # Somebody else may be further: what was looked at is never looked at as of before.
        self._position, self._there = found[0], max(found[0], self._there)
        if self._position < self._there:
            self._note()
        elif refs := transaction.stale(LOOKED_AT):
            self._look_at(refs)
        elif refs := transaction.come(self.until, LOOKED_AT):
            self.tell(refs)
        else:
            return False
        return True

    def _fingerprint(self) -> str:
        """What is due depends on beside the facts: this version, the editions, what was set."""
        known = [f"{policy.edition}:{policy.digest}" for policy in self.editions]
        days = self.transaction.days_before()
        told = "\n".join([str(FORMAT), yibao.__version__, str(days), *sorted(known)])
        return hashlib.sha256(told.encode()).hexdigest()

    def _note(self) -> None:
        """Notes of whom something was recorded."""
        taken = self.store.taken(self._position, self._there, BATCH)
        streams = {each.stream for each in taken}
        known = self.transaction.refs_of(streams)
        begun = {
            each.stream: each.position
            for each in reversed(taken)
            if each.topic == events.Registered.name and each.stream not in known
        }
        new = list(self._begun(begun))
        self.transaction.add_enrollments(new)
        self.transaction.look_again_at({*known.values(), *(each.ref for each in new)})
        self._note_fixes(taken)
        last = taken[-1].position if len(taken) == BATCH else self._there
        self.transaction.reach(last, self.store.mark(last, 0))

    def _begun(self, begun: Mapping[UUID, int]) -> Iterator[EnrollmentId]:
        """The enrollments of streams that begin; one that does not say whose it is, is parked."""
        rows = self.store.rows_of(begun, self._there)
        for stream, position in begun.items():
            ref = None
            try:
                first = positioned(stream, rows[stream][:1])[0].event
                if not isinstance(first, events.Registered):
                    raise UnreadableEvent(f"stream {stream} is nobody's: there is no registration")
                ref = first.ref
                yield EnrollmentId(ref, self.editions.get(first.policy).year)
            except (UnreadableEvent, UnknownEdition) as error:
                self.transaction.park(Parked(stream.hex, ref, None, position, str(error)))

    def _note_fixes(self, taken: Sequence[Taken]) -> None:
        """Whom windows that were fixed, corrected or taken back may concern."""
        names = {edition_stream(name): name for name in self.editions.names()}
        fixed = {
            each.position: names[each.stream]
            for each in taken
            if each.stream in names and each.topic in _FIXES
        }
        for position, name in fixed.items():
            log = self._edition(name).log
            event = log.events[log.at(position) - 1]
            superseded = log.version_superseded(event)
            told = [event, *([log.events[superseded - 1]] if superseded else ())]
            for fix in told:
                if isinstance(fix, events.WindowFixed):
                    self.transaction.look_again_under(name, fix.school)

    def _look_at(self, refs: Sequence[str]) -> None:
        """What is due of students as known now, and what is to be said of it."""
        years = self.transaction.years_of(refs)
        streams = [EnrollmentId(ref, year).stream for ref in years for year in years[ref]]
        rows = self.store.rows_of(streams, self._there)
        days_before = self.transaction.days_before()
        found: dict[str, dict[Key, int]] = {}
        schools = set[tuple[str, str, str]]()
        for ref in refs:
            own = [EnrollmentId(ref, year) for year in years.get(ref, ())]
            try:
                logs = {
                    each.year: Log.of(positioned(each.stream, rows[each.stream])) for each in own
                }
                schools |= {(*at, ref) for log in logs.values() for at in _at_schools(log)}
                found[ref] = dict(self._due(own, logs, days_before))
            except StoreError:
                raise  # of the store, not of the student
            except YibaoError as error:
                # It must not stop what can be told to all the others; what was said stands.
                self.transaction.park(Parked(own[0].stream.hex, *own[0], self._there, str(error)))
        self.transaction.add_schools(schools)
        self.transaction.unpark(
            EnrollmentId(ref, year).stream for ref in found for year in years.get(ref, ())
        )
        self.tell(list(found), found)
        self.transaction.looked_at(refs)

    def _due(
        self, own: Sequence[EnrollmentId], logs: Mapping[int, Log], days_before: int
    ) -> Iterator[tuple[Key, int]]:
        """What is due in the years of a student."""
        without_care = {year: (log, NOTHING) for year, log in logs.items()}
        for each in own:
            record = Record.of(each, without_care, self._edition)
            for notice in notices(record.known_at(self._there), days_before):
                yield (each.year, notice.kind), number_of(notice.due)

    def _edition_read(self, name: str) -> EditionRecord:
        recorded = self.store.recorded(edition_stream(name), self._there)
        return EditionRecord(self.editions.get(name), Log.of(recorded))

    def tell(
        self, refs: Collection[str], found: Mapping[str, Mapping[Key, int]] | None = None
    ) -> None:
        """Says what there is to say of students, of whom this was found, or else what was due."""
        until, known = self.until, self.transaction.dues_of(refs)
        said = self.transaction.said_of(refs)
        fates: list[tuple[int, int]] = []
        words: list[tuple[str, int, str, str, int | None, int]] = []
        gone: list[tuple[str, int, str]] = []
        new: list[tuple[str, int, str, int, int]] = []
        for ref in refs:
            was = known.get(ref, {})
            now = {key: each.due for key, each in was.items()} if found is None else found[ref]
            of_her = said.get(ref, {})
            for key in {**was, **now, **of_her}:
                due, (before, waiting) = now.get(key), of_her.get(key, NOTHING_SAID)
                if needs_a_word(due, before, until):
                    if before.waiting and waiting:
                        fates.append(
                            (ACKNOWLEDGED if before.waiting.is_handed else WITHDRAWN, waiting)
                        )
                    if told := word(due, before, until):
                        year, kind = key
                        words.append((ref, year, kind, told.what, told.due, until))
                if due is None:
                    gone += [(ref, *key)] if key in was else []
                elif was.get(key) != (row := Due(due, is_due(due, before, until))):
                    new.append((ref, *key, row.due, int(row.told)))
        self.transaction.settle(fates)
        self.transaction.say(sorted(words, key=lambda each: (each[4] or 0, each[:3])))
        self.transaction.replace_dues(gone, new)


def _at_schools(log: Log) -> Iterator[tuple[str, str]]:
    """For whom a window may be fixed: every school, under every edition there was of a year."""
    policies = {each.policy for each in log.events if isinstance(each, events.Registered)}
    schools = {
        each.school
        for each in log.events
        if isinstance(each, events.Registered | events.SchoolChanged)
    }
    return ((policy, school) for policy in policies for school in schools)
