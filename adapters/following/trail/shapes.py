"""Entries of the audit trail, histories of values and dossiers as plain JSON values."""

from typing import Any

from yibao.adapters.editions import Editions
from yibao.adapters.following.trail.audit import TrailEntry
from yibao.adapters.following.trail.changes import changes_of
from yibao.adapters.shapes import fact_json, plain
from yibao.domain.editions import Policy
from yibao.domain.facts import KeptAttempt, RefusedAttempt
from yibao.domain.facts.events import Event
from yibao.domain.vocabulary import EnrollmentId
from yibao.projections.audit_trail import Entry


def trail_entry_json(entry: TrailEntry, editions: Editions) -> dict[str, Any]:
    """An entry of the trail: a fact with what it changed, or what was refused."""
    if entry.attempt is not None:
        told = attempt_json(KeptAttempt(entry.row.attempt, entry.row.position, entry.attempt))
    elif entry.event is not None:
        row = entry.row
        told = _fact(
            entry.event,
            entry.enrollment,
            entry.fact_year,
            row.policy,
            row.school,
            row.code,
            entry.changes,
            editions,
        )
    else:
        told = {
            "kind": entry.row.kind,
            "recorded_at": plain(entry.recorded_at),
            "by": entry.row.actor,
            "code": entry.row.code,
            **entry.changes,
        }
    stale = {"stale": True} if entry.is_stale else {}
    return {"key": str(entry.key), **stale, **told}


def entry_json(entry: Entry, editions: Editions) -> dict[str, Any]:
    """An entry of one student's trail: a fact with what it changed."""
    return _fact(
        entry.event,
        entry.enrollment,
        entry.fact_year,
        entry.edition,
        entry.school,
        entry.code,
        changes_of(entry),
        editions,
    )


def attempt_json(kept: KeptAttempt) -> dict[str, Any]:
    """A refused attempt, in the words of a fact as far as they fit."""
    attempt = kept.attempt
    return {
        "kind": "refused",
        "command": attempt.command,
        "code": attempt.code,
        "where": attempt.where,
        "recorded_at": plain(attempt.tried_at),
        "happened_at": plain(attempt.occurred_at),
        "ref": attempt.ref,
        "year": attempt.year,
        "edition": attempt.policy,
        "school": attempt.school,
        "version": attempt.version,
        "by": attempt.by,
        "via": attempt.via,
        "observed": attempt.observed,
        "reason": attempt.reason,
        "command_id": attempt.command_id,
        "correlation_id": attempt.correlation_id,
        "causation_id": attempt.causation_id,
        "values": attempt.values,
        "explain": _explain_attempt(attempt),
    }


def _fact(
    event: Event,
    enrollment: EnrollmentId | None,
    fact_year: int | None,
    edition: str | None,
    school: str | None,
    code: str | None,
    changes: dict[str, Any],
    editions: Editions,
) -> dict[str, Any]:
    policy = editions.get(edition) if edition else None
    fact = fact_json(event)
    told: dict[str, Any] = {
        **{name: fact.pop(name) for name in ("kind", "recorded_at", "happened_at")},
        "ref": enrollment.ref if enrollment else None,
        "year": enrollment.year if enrollment else None,
        "edition": edition,
        "school": school,
        **fact,
        "supersedes_version": changes.get("supersedes"),
        "code": code,
        "changes": [_cited(moved, policy) for moved in changes.get("moved", ())],
        "steps": [_cited(step, policy) for step in changes.get("steps", ())],
        "explain": _explain(event, enrollment) if enrollment else None,
    }
    if "students" in changes:
        told["students"] = changes["students"]
        told["students_by_part"] = changes["parts"]
    if enrollment and fact_year != enrollment.year:
        told["fact_year"] = fact_year
    return told


def _cited(told: dict[str, Any], policy: Policy | None) -> dict[str, Any]:
    """What a rule moved, with the clause behind the rule."""
    if policy is None or told.get("rule") is None:
        return told
    found = policy.cited(told["rule"])
    cited = {"notice": found.notice, "clause": found.clause, "basis": found.basis}
    return {**told, "rule": told["rule"].partition("-")[0], **cited}


def _explain(event: Event, enrollment: EnrollmentId) -> dict[str, Any]:
    """What the explanation as of then is asked for with: the answer as known with the fact."""
    own = event.originator_id == enrollment.stream and not event.goes_on
    return {
        "ref": enrollment.ref,
        "year": enrollment.year,
        "at": plain(event.recorded_at),
        "known_at": event.originator_version if own else plain(event.recorded_at),
    }


def _explain_attempt(attempt: RefusedAttempt) -> dict[str, Any] | None:
    if attempt.ref is None or attempt.year is None or not attempt.version:
        return None
    return {
        "ref": attempt.ref,
        "year": attempt.year,
        "at": plain(attempt.occurred_at or attempt.tried_at),
        "known_at": plain(attempt.tried_at),
    }
