"""Everything yibao can say of one student at one instant, as known by one cut-off."""

from dataclasses import dataclass
from datetime import datetime

from yibao.domain.care import Assessed, assessments
from yibao.domain.editions import Policy
from yibao.domain.lifecycle import Change, state_at, timeline
from yibao.domain.rules import Case, Values, as_of, values
from yibao.domain.vocabulary import (
    NOTHING_SEEN,
    Category,
    Document,
    EnrollmentId,
    Leaving,
    Seen,
    State,
)
from yibao.projections.discrepancies import Discrepancy, discrepancies
from yibao.projections.next_step import NextStep, next_steps
from yibao.projections.record import Cutoff, Knowledge, Record


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer names what it stands on: both versions, the edition and its digest.

    `values` is None, and the rest empty, where no registration was ever known. `care` is every
    piece of care known, assessed, in the order of recording. `school`, `category` and `document`
    are those of the current registration, the school after every change that is known. With
    `assumes_no_further_facts` the instant lies after what is known. `leaving` is how a student left
    who is withdrawn, where that was told. `seen` is to be named by what
    is recorded next, as `expected`: then it is refused where more was recorded meanwhile.
    """

    enrollment: EnrollmentId
    at: datetime
    known_at: datetime | None
    version: int
    edition_version: int
    policy: Policy | None
    state: State | None
    values: Values | None
    next_steps: tuple[NextStep, ...]
    discrepancies: tuple[Discrepancy, ...]
    timeline: tuple[Change, ...]
    care_version: int = 0
    care: tuple[Assessed, ...] = ()
    seen: Seen = NOTHING_SEEN
    school: str | None = None
    category: Category | None = None
    document: Document | None = None
    leaving: Leaving | None = None

    def __repr__(self) -> str:
        known = f"version {self.version}, care {self.care_version}, {self.edition}"
        whom = f"{self.enrollment.ref!r} in {self.enrollment.year}"
        return f"<Answer about {whom} at {self.at}: {self.state}, by {known}>"

    @property
    def assumes_no_further_facts(self) -> bool:
        return self.known_at is None or self.at > self.known_at

    @property
    def edition(self) -> str | None:
        return self.policy.edition if self.policy else None

    @property
    def edition_digest(self) -> str | None:
        return self.policy.digest if self.policy else None

    @property
    def next_step(self) -> NextStep | None:
        """The most urgent step, if there is one."""
        return self.next_steps[0] if self.next_steps else None


def answer(record: Record, at: datetime, cutoff: Cutoff) -> Answer:
    """The whole answer for an instant, from what of a record was known by a cut-off.

    Raises UnknownCutoff for a version that does not exist.
    """
    return answered(record.known_by(cutoff), at)


def answered(knowledge: Knowledge, at: datetime, *, whole: bool = True) -> Answer:
    """The whole answer, from what is known; or else only its state, values and timeline."""
    enrollment, version, known_at, edition_version, case, received, cares, *_ = knowledge
    if case is None:
        return Answer(
            enrollment=enrollment,
            at=at,
            known_at=known_at,
            version=version,
            edition_version=edition_version,
            policy=None,
            state=None,
            values=None,
            next_steps=(),
            discrepancies=(),
            timeline=(),
            seen=knowledge.seen,
        )
    case = as_of(case, at)
    changes = timeline(case)
    change = state_at(changes, at)
    state = change.state if change else None
    care = assessments(case, cares, at) if cares and whole else ()
    return Answer(
        enrollment=enrollment,
        at=at,
        known_at=known_at,
        version=version,
        edition_version=edition_version,
        policy=case.policy,
        state=state,
        values=values(case, at),
        next_steps=next_steps(case, at, state, care) if whole else (),
        discrepancies=discrepancies(case) if whole else (),
        timeline=changes,
        care_version=received.version,
        care=care,
        seen=knowledge.seen,
        school=case.facts.latest_school,
        category=case.facts.category,
        document=case.facts.document,
        leaving=_leaving(case, state),
    )


def _leaving(case: Case, state: State | None) -> Leaving | None:
    """R38: how a student left, if that is told, while she is withdrawn."""
    left = case.withdrawal if state is State.WITHDRAWN else None
    return left.event.kind if left else None
