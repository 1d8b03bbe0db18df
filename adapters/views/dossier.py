"""The dossier: everything on record about one student, for an access request or an appeal."""

from collections.abc import Callable, Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any, Final, NamedTuple, Self
from uuid import UUID

from yibao.adapters.editions import Editions
from yibao.adapters.following.trail import attempt_json, entry_json
from yibao.adapters.service import Service
from yibao.adapters.shapes import explained, history_json, plain, review_json
from yibao.adapters.views.telling import numbered, shown
from yibao.adapters.views.words import Words
from yibao.domain.facts import KeptAttempt
from yibao.domain.vocabulary import EnrollmentId
from yibao.projections.answer import Answer, answer
from yibao.projections.audit_trail import Entry, entries_with_windows, scheduled_by
from yibao.projections.care import Changed, review
from yibao.projections.history import Held, histories
from yibao.projections.record import Cutoff, Record

#: The parts of the answer whose history is told.
HISTORIES: Final = ("state", "waiting", "account_built_on", "evoucher_available_at", "coverage")


class Dossier(NamedTuple):
    """Everything on record about a student's benefit year, and what follows at an instant.

    `entries` are what was recorded and what it changed, `attempts` what was refused, `notes`
    the free text kept beside facts by their event ids. `then` is the same answer as it was
    known by an earlier cut-off, to be seen beneath the one known now. `proofs` are what `yibao
    evidence` proves the facts with, by their event ids, if they were asked for: None for a fact
    that is newer than the last note.
    """

    enrollment: EnrollmentId
    answer: Answer
    entries: tuple[Entry, ...]
    attempts: tuple[KeptAttempt, ...]
    histories: dict[str, tuple[Held, ...]]
    reviews: tuple[Changed, ...]
    notes: Mapping[UUID, str]
    editions: Editions
    then: Answer | None = None
    proofs: Mapping[UUID, str | None] = MappingProxyType({})

    @property
    def answers(self) -> tuple[Answer, ...]:
        """What is known now and, if it was asked for, what was known then."""
        return (self.answer, self.then) if self.then else (self.answer,)

    def trail(self) -> list[dict[str, Any]]:
        """What was recorded and what was refused, one after the other, as plain values."""
        told = [
            ((e.recorded.position, 0), entry_json(e, self.editions) | self._beside(e))
            for e in self.entries
        ]
        told += [((a.position, a.attempt_id), attempt_json(a)) for a in self.attempts]
        return [each for _, each in sorted(told, key=lambda each: each[0])]

    def schedule(self, words: Words) -> list[str]:
        """Each step of the timeline with the fact that put it there."""
        return [
            words(
                "audit",
                "brought_by",
                at=shown(step.at, words),
                state=words("state", step.state),
                fact=numbered(by.event, self.enrollment, words),
                recorded=shown(by.event.recorded_at, words),
            )
            for step, by in scheduled_by(self.entries).items()
        ]

    def _beside(self, entry: Entry) -> dict[str, str | None]:
        """What is told beside a fact, where there is such."""
        event_id = entry.event.event_id
        told = {"note": self.notes, "proof": self.proofs}
        return {name: kept[event_id] for name, kept in told.items() if event_id in kept}


def dossier_of(
    service: Service,
    whose: EnrollmentId | Record,
    at: datetime | None = None,
    known_at: Cutoff | None = None,
    now: Cutoff | None = None,
) -> Dossier:
    """Everything a service has on one student; `at` is the instant its answers are about.

    With `known_at` what was known by then stands beside what is known `now`, by default
    everything.
    """
    record = service.read(whose)
    assert record.now is not None
    latest = record.latest
    about = at or record.now
    return Dossier(
        record.enrollment,
        answer(record, about, latest if now is None else now),
        tuple(entries_with_windows(record)),
        record.attempts,
        histories(record, HISTORIES, latest),
        review(record, about, latest),
        record.notes,
        service.editions,
        None if known_at is None else answer(record, about, known_at),
    )


class Dossiers(NamedTuple):
    """Those of some benefit years of one student, ascending."""

    years: tuple[Dossier, ...]

    @property
    def whose(self) -> str:
        """Whose they are, and of which year if it is one."""
        ref, year = self.years[0].enrollment
        return f"{ref}/{year}" if len(self.years) == 1 else ref

    def proven(self, proof_at: Callable[[int], object | None]) -> Self:
        """The same with what proves the fact at each position, None where nothing does yet."""
        return self._replace(
            years=tuple(
                each._replace(
                    proofs={
                        one.event.event_id: str(proof) if proof else None
                        for one in each.entries
                        for proof in [proof_at(one.recorded.position)]
                    }
                )
                for each in self.years
            )
        )

    @property
    def proofs(self) -> list[str]:
        """What proves the facts, as far as a note was signed since, if it was asked for."""
        return [proof for each in self.years for proof in each.proofs.values() if proof]

    @property
    def answers(self) -> list[Answer]:
        """What is known now of each year and then, if it was asked for, what was known then."""
        then = [each.then for each in self.years if each.then]
        return [*(each.answer for each in self.years), *then]

    def following(self, dossier: Dossier) -> Answer | None:
        """The answer about the next year, if there is one."""
        ref, year = dossier.enrollment
        found = [each.answer for each in self.years if each.enrollment == (ref, year + 1)]
        return next(iter(found), None)


def dossiers_json(dossiers: Dossiers) -> dict[str, Any]:
    """The dossiers of every year of one student as plain JSON values."""
    return {
        "format": 1,
        "ref": dossiers.years[0].enrollment.ref,
        "years": [dossier_json(each) for each in dossiers.years],
    }


def dossier_json(dossier: Dossier) -> dict[str, Any]:
    """The dossier as plain JSON values."""
    return {
        "format": 1,
        "ref": dossier.enrollment.ref,
        "year": dossier.enrollment.year,
        "answer": explained(dossier.answer),
        "then": explained(dossier.then) if dossier.then else None,
        "scheduled_by": [
            {
                "at": plain(step.at),
                "state": plain(step.state),
                "rule": step.cause.rule,
                "fact": {"kind": by.event.name, "event_id": str(by.event.event_id)},
                "scheduled": by.is_scheduled(step),
            }
            for step, by in scheduled_by(dossier.entries).items()
        ],
        "histories": [history_json(name, None, held) for name, held in dossier.histories.items()],
        "trail": dossier.trail(),
        "review": review_json(dossier.reviews),
    }
