"""What a batch of facts tells of each enrollment, and which answers stand by it from then on."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import chain
from typing import Any, ClassVar
from uuid import UUID

from yibao.adapters.following.cohort.layout import FOREVER
from yibao.adapters.following.cohort.store import CohortTransaction, Open, Standing, Written
from yibao.adapters.following.cohort.working import SINCE_1970, Stood, Working
from yibao.adapters.following.derived import Fixes, OwnFacts, WholeBatch, number_of
from yibao.domain.vocabulary import EnrollmentId
from yibao.projections.cohort.learned import Learned, learned
from yibao.projections.cohort.shapes import packed
from yibao.projections.record import Record


class CohortBatch(WholeBatch[CohortTransaction]):
    """One batch of facts on its way into the cohort."""

    #: Over columns, many are quicker than few.
    fan: ClassVar[int] = 5_000

    def take_own(self, own: OwnFacts) -> None:
        self._take(own.students, own.after, own.until)

    def take_fixed(self, students: Sequence[EnrollmentId], fixes: Fixes) -> None:
        first = fixes.found[0].position
        fixed_at = min(each.event.recorded_at for each in fixes.found)
        self._take(dict.fromkeys(students, first), first - 1, fixes.until, fixed_at)

    def fixed_for_all(self, fixes: Fixes) -> None:
        """There is nothing to tell beside whom they moved."""

    def make_anew(self, enrollment: EnrollmentId, first: int, until: int) -> None:
        self.transaction.forget([enrollment])
        self._take({enrollment: first}, 0, until)

    def take_whole(self, some: Sequence[EnrollmentId], until: int) -> None:
        self._take(self.firsts(some), 0, until)

    def _take(
        self,
        students: Mapping[EnrollmentId, int],
        after: int,
        until: int,
        fixed_at: datetime | None = None,
    ) -> None:
        """Takes in what was recorded between two positions, and windows fixed since an instant.

        What was recorded before something that is taken in already has its place among it: then
        all that is known of the enrollment is made anew.
        """
        standing = self.transaction.open_of([*students])
        found: dict[EnrollmentId, list[Learned]] = {}
        begun_anew: list[EnrollmentId] = []
        schools: list[tuple[str, str, UUID]] = []
        for enrollment, first in students.items():
            since = standing[enrollment].since

            def learn(record: Record, since: int | None = since) -> Iterator[Learned]:
                if since is not None:
                    told = _first_told(record, after, fixed_at)
                    if told is not None and number_of(told) <= since:
                        begun_anew.append(record.enrollment)
                        since = None
                from_then = None if since is None else since - SINCE_1970
                yield from learned(record, from_then, self.transaction.words)
                new = record.enrolled.events[record.enrolled.at(after) :]
                schools.extend(self.schools(record, new))

            made = self.made(enrollment, first, until, learn)
            if made is not None:
                found[enrollment] = made
        self.transaction.add_schools(schools)
        if begun_anew:
            self.transaction.forget(begun_anew)
            standing |= {each: Open(standing[each].number, None, {}) for each in begun_anew}
        everything = [each for some in found.values() for each in some]
        stood = iter(Working(self.transaction, self.edition).stood(everything))
        written = Written.nothing()
        for enrollment, some in found.items():
            self._file(standing[enrollment], [(each, next(stood)) for each in some], written)
        self.transaction.file(written)

    def _file(self, kept: Open, found: Iterable[tuple[Learned, Stood]], written: Written) -> None:
        """The rows of what was learned of an enrollment; an answer that stays keeps its row."""
        number, since, standing = kept
        row: tuple[Any, ...] | None = None
        for each, (group, codes, answers) in found:
            at = each.at + SINCE_1970
            if row is not None:
                written.known.append((number, row[0], at, *row[1:]))
            elif since is not None:
                written.known_ended.append((at, number, since))
            row = at, group, codes, *self._told(each)
            stands = {answer: standing.pop(answer, at) for answer in answers}
            for answer, stood_since in standing.items():
                self._end(number, answer, stood_since, at, since, written)
            standing = stands
        if row is not None:
            written.known.append((number, row[0], FOREVER, *row[1:]))
        for answer, stood_since in standing.items():
            if since is None or stood_since > since:
                written.spans.append(_row(number, answer, stood_since, FOREVER))

    def _told(self, known: Learned) -> tuple[int | None, bytes | None]:
        """What was learned as it is kept; nothing of who is to be asked apart."""
        if known.shape is None:
            return None, None
        return self.transaction.shape(known.shape), packed(known.numbers)

    def _end(
        self,
        number: int,
        answer: Standing,
        stood_since: int,
        at: int,
        since: int | None,
        written: Written,
    ) -> None:
        """An answer stands no more: one of this batch has no row yet."""
        if since is None or stood_since > since:
            written.spans.append(_row(number, answer, stood_since, at))
        else:
            written.spans_ended.append((at, number, stood_since, answer[0]))


def _row(number: int, answer: Standing, since: int, until: int) -> tuple[int | None, ...]:
    begins, ends, group, standing, step_until = answer
    return number, since, begins, ends, until, group, standing, step_until


def _first_told(record: Record, after: int, fixed_at: datetime | None) -> datetime | None:
    """The first stamp of what is new of a student."""
    new = (log.events[log.at(after) :] for log in record.streams().values())
    stamps = [event.recorded_at for event in chain.from_iterable(new)]
    return min([*stamps, *([fixed_at] if fixed_at else ())], default=None)
