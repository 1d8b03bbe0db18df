"""What a batch of facts tells of each enrollment, and which answers stand by it from then on."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from itertools import chain
from typing import NamedTuple

from yibao.adapters.following.cohort.layout import EVER, FOREVER
from yibao.adapters.following.cohort.store import (
    CODES_APART,
    CohortTransaction,
    Open,
    Standing,
    Written,
)
from yibao.adapters.following.derived import Batch, Fixes, OwnFacts, instant_of, number_of
from yibao.domain.vocabulary import EnrollmentId
from yibao.projections.cohort.spans import Span, spans
from yibao.projections.discrepancies import discrepancies
from yibao.projections.record import Knowledge, Record


class Learned(NamedTuple):
    """What was known from an instant on."""

    at: int
    knowledge: Knowledge


class CohortBatch(Batch[CohortTransaction]):
    """One batch of facts on its way into the cohort."""

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
        learned: dict[EnrollmentId, list[Learned]] = {}
        begun_anew: list[EnrollmentId] = []
        for enrollment, first in students.items():
            since = standing[enrollment].since

            def learn(record: Record, since: int | None = since) -> Iterator[Learned]:
                told = _first_told(record, after, fixed_at)
                if since is not None and told is not None and number_of(told) <= since:
                    begun_anew.append(record.enrollment)
                    since = None
                return _learned(record, since)

            made = self.made(enrollment, first, until, learn)
            if made is None:
                continue
            learned[enrollment] = made
            record = self.record(enrollment, until)
            self.remember_schools(record, record.enrolled.events[record.enrolled.at(after) :])
        if begun_anew:
            self.transaction.forget(begun_anew)
            standing |= {each: Open(standing[each].number, None, {}) for each in begun_anew}
        lines = iter(lines_of([each.knowledge for found in learned.values() for each in found]))
        written = Written.nothing()
        for enrollment, found in learned.items():
            self._file(standing[enrollment], [(each, next(lines)) for each in found], written)
        self.transaction.file(written)

    def _file(
        self, kept: Open, found: Sequence[tuple[Learned, Sequence[Span]]], written: Written
    ) -> None:
        """The rows of what was learned of an enrollment; an answer that stays keeps its row."""
        number, since, standing = kept
        row: tuple[int, int, str] | None = None
        for (at, knowledge), line in found:
            if row is not None:
                written.known.append((number, row[0], at, *row[1:]))
            elif since is not None:
                written.known_ended.append((at, number, since))
            group = self._group(knowledge)
            row = at, group, _codes(knowledge)
            answers = dict.fromkeys((self._standing(group, span) for span in line), at)
            for answer, stood_since in standing.items():
                if answer not in answers:
                    self._end(number, answer, stood_since, at, since, written)
            standing = answers | {
                answer: stood_since for answer, stood_since in standing.items() if answer in answers
            }
        if row is not None:
            written.known.append((number, row[0], FOREVER, *row[1:]))
        for answer, stood_since in standing.items():
            if since is None or stood_since > since:
                written.spans.append(_row(number, answer, stood_since, FOREVER))

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
            written.spans_ended.append((at, number, stood_since, answer.begins))

    def _group(self, knowledge: Knowledge) -> int:
        case = knowledge.case
        assert case is not None  # an enrollment begins with its registration
        category = case.facts.category
        return self.transaction.group(
            knowledge.enrollment.year,
            case.policy.edition,
            case.facts.latest_school,
            category and str(category),
        )

    def _standing(self, group: int, span: Span) -> Standing:
        return Standing(
            EVER if span.begins_at is None else number_of(span.begins_at),
            FOREVER if span.ends_at is None else number_of(span.ends_at),
            group,
            self.transaction.standing(span.state and str(span.state), span.next_step),
            number_of(span.until) if span.until else None,
        )


def lines_of(knowledges: Sequence[Knowledge]) -> list[tuple[Span, ...]]:
    """The answers of all instants by each of what is known."""
    return [spans(knowledge) for knowledge in knowledges]


def _row(number: int, answer: Standing, since: int, until: int) -> tuple[int | None, ...]:
    begins, ends, group, standing, step_until = answer
    return number, since, begins, ends, until, group, standing, step_until


def _codes(knowledge: Knowledge) -> str:
    """The codes of what does not fit, once each."""
    assert knowledge.case is not None
    return CODES_APART.join(sorted({each.code for each in discrepancies(knowledge.case)}))


def _first_told(record: Record, after: int, fixed_at: datetime | None) -> datetime | None:
    """The first stamp of what is new of a student."""
    new = (log.events[log.at(after) :] for log in record.streams().values())
    stamps = [event.recorded_at for event in chain.from_iterable(new)]
    return min([*stamps, *([fixed_at] if fixed_at else ())], default=None)


def _learned(record: Record, since: int | None) -> Iterator[Learned]:
    """What was known of an enrollment, time after time, since an instant up to which it is known.

    What has the same stamp was learned at once.
    """
    then = record.known_by(0 if since is None else instant_of(since))
    last, held = then, None
    for transaction, known in record.transactions(then, record.known_by(record.latest)):
        at = number_of(transaction[-1].recorded_at)
        if held is not None and held.at != at and _is_new(last, held.knowledge):
            yield held
            last = held.knowledge
        held = Learned(at, known)
    if held is not None and _is_new(last, held.knowledge):
        yield held


def _is_new(before: Knowledge, known: Knowledge) -> bool:
    """Whether something else is known of an enrollment of which something is known."""
    return known.version > 0 and (before.seen, before.following) != (known.seen, known.following)
