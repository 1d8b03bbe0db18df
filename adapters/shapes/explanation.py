"""Why an answer is what it is: the tree behind each value, as plain data."""

from collections.abc import Iterator
from typing import Any

from yibao.adapters.shapes.answer import answer_json
from yibao.adapters.shapes.care import care_json
from yibao.adapters.shapes.values import plain
from yibao.domain.care import Assessed
from yibao.domain.derivation import Derived, Earlier, is_known, rests_on_assumption
from yibao.domain.editions import Citation, Parameter, Policy
from yibao.domain.facts import Current
from yibao.domain.facts.events import Event, StreamKind
from yibao.domain.vocabulary import PENDING, EnrollmentId
from yibao.projections.answer import Answer
from yibao.projections.parts import derivations


def explained(answer: Answer) -> dict[str, Any]:
    """The answer with what it stands on, and the tree behind each value and the state."""
    return {
        "format": 1,
        "ref": answer.enrollment.ref,
        "at": plain(answer.at),
        "known_at": plain(answer.known_at),
        "edition": {
            "id": answer.edition,
            "version": answer.edition_version,
            "digest": answer.edition_digest,
        },
        **answer_json(answer),
        "because": None if answer.values else "not_registered",
        "explanations": dict(trees(answer)),
        "care": [
            care_json(assessed) | {"explanations": _of_care(assessed, answer)}
            for assessed in answer.care
        ],
    }


def _of_care(assessed: Assessed, answer: Answer) -> dict[str, Any]:
    return dict(care_trees(assessed, answer.policy, answer.enrollment))


def trees(answer: Answer) -> Iterator[tuple[str, dict[str, Any]]]:
    """The tree of each of the four values and of the state, by name."""
    if answer.policy is None or answer.values is None:
        return
    for derived in derivations(answer):
        yield derived.name, tree(derived, answer.policy, answer.enrollment)


def care_trees(
    assessed: Assessed, policy: Policy | None, enrollment: EnrollmentId | None = None
) -> Iterator[tuple[str, dict[str, Any]]]:
    """The trees behind a piece of care: whether it is covered, what is paid, how it is settled."""
    if policy is None:
        return
    told: list[Derived[Any]] = [assessed.standing]
    if assessed.is_covered:
        told += [assessed.fund_pays, assessed.deductible_left]
        told += [assessed.cap_left] if is_known(assessed.cap_left) else []
        told.append(assessed.settlement)
    for derived in told:
        yield derived.name, tree(derived, policy, enrollment)


def tree(
    derived: Derived[Any], policy: Policy, enrollment: EnrollmentId | None = None
) -> dict[str, Any]:
    """A derivation as nested mappings.

    `because` is the reason where there is no value, `missing` what a pending one waits for.
    `estimated` is true where the value, or anything beneath it, rests on an assumption; then
    `ask` names whom to ask. `year` is that of an earlier benefit year, which hands something on,
    and that of a fact in the stream of another year than the enrollment's.
    """
    inputs = [_node(part, policy, enrollment) for part in derived.inputs]
    cited = _cited(policy.cited(derived.rule))
    estimated = rests_on_assumption(derived, policy)
    p = policy.parameters
    return {
        "name": derived.name,
        "value": plain(derived.value),
        "rule": derived.rule.partition("-")[0],
        **cited,
        "missing" if derived.value is PENDING else "because": derived.because,
        "estimated": estimated,
        "ask": [p.insurance_hotline.value, p.insurance_hotline_elsewhere.value]
        if estimated
        else [],
        "inputs": inputs,
    }


def _node(
    part: Derived[Any] | Earlier | Current[Any] | Parameter[Any],
    policy: Policy,
    enrollment: EnrollmentId | None,
) -> dict[str, Any]:
    if isinstance(part, Earlier):
        return {"year": part.policy.year, **tree(part.derived, part.policy, enrollment)}
    if isinstance(part, Derived):
        return tree(part, policy, enrollment)
    if isinstance(part, Parameter):
        return {
            "parameter": part.name,
            "value": plain(part.value),
            "unit": part.unit,
            **_cited(part),
        }
    event = part.event
    year = _other_year(event, enrollment)
    return {
        **({} if year is None else {"year": year}),
        "fact": event.name,
        "version": event.originator_version,
        "event_id": str(event.event_id),
        "occurred_at": plain(part.at),
        "recorded_at": plain(event.recorded_at),
        "by": event.by,
        "values": {
            key: plain(value) for key, value in event.payload().items() if value is not None
        },
    }


def _other_year(event: Event, enrollment: EnrollmentId | None) -> int | None:
    """The benefit year in whose stream a fact of the student's stands, if it is another one."""
    if enrollment is None or event.stands_in is not StreamKind.ENROLLMENT:
        return None
    return enrollment.year_of(event.originator_id)


def _cited(citation: Citation) -> dict[str, Any]:
    reason = citation.reason
    return {
        "notice": citation.notice,
        "clause": citation.clause,
        "basis": citation.basis,
        "assumption": {"en": reason.en, "zh": reason.zh} if reason else None,
    }
