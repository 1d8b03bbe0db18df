"""Whether somebody may do something about a student, by what is recorded of her."""

from collections.abc import Iterable
from typing import Final
from uuid import UUID

from yibao.adapters.http.rights.table import Grant, What, may
from yibao.adapters.http.rights.who import Who
from yibao.domain.facts.commands import Amendment, Command, Confirm, Correct, Register
from yibao.domain.vocabulary import ConfirmationChannel
from yibao.projections.record import Record

#: Why something is not allowed: she is not to be known of at all, or it may not be done.
ELSEWHERE: Final = "elsewhere"
NEVER: Final = "never"


def school_of(record: Record) -> str | None:
    """Whose student she is by now, as is known now; of who is registered no more, whose she was."""
    case = record.known_by(record.latest).case
    if case is not None and case.facts.latest_school:
        return case.facts.latest_school
    schools = [getattr(each, "school", None) for each in record.enrolled.events]
    return next((each for each in reversed(schools) if each), None)


def sees(grants: Iterable[Grant], who: Who, ref: str, school: str | None) -> bool:
    """Whether any of what was granted reaches a student."""
    return any(_reaches(each, who, ref, school) for each in grants)


def _reaches(grant: Grant, who: Who, ref: str, school: str | None) -> bool:
    match grant.reach:
        case "own":
            return who.ref is not None and who.ref == ref
        case "school":
            return school is not None and school in who.schools
        case _:
            return True


def ever_may(who: Who, name: str) -> bool:
    """Whether somebody's roles may record a command of this name at all."""
    by_proxy = name == "confirm" and may(who, "confirm_by_proxy")
    return bool(may(who, name) or by_proxy)


def grants_of(who: Who, command: Command) -> tuple[Grant, ...]:
    """What of this command the roles of somebody may do, by itself."""
    return tuple(each for each in may(who, what_of(command)) if _fits(each, command))


def what_of(command: Command) -> What:
    """Where a command stands in the table."""
    by_proxy = isinstance(command, Confirm) and command.channel is ConfirmationChannel.PROXY
    return "confirm_by_proxy" if by_proxy else command.name


def _fits(grant: Grant, command: Command) -> bool:
    return grant.only != "observed" or getattr(command, "observed", False)


def allows(
    who: Who, command: Command, record: Record, beginning_at: str | None = None
) -> str | None:
    """Why a command is not allowed about the student of a record, in a word; None where it is.

    Of somebody of whom nothing is recorded the school is that of her registration: this one, or
    one that is recorded with it.
    """
    ref, school = record.enrollment.ref, school_of(record)
    is_new = school is None
    if isinstance(command, Register) and is_new:
        beginning_at = command.school
    school = beginning_at if is_new else school
    if school is None:
        return ELSEWHERE
    reaching = [each for each in grants_of(who, command) if _reaches(each, who, ref, school)]
    if not reaching:
        return NEVER if is_new else ELSEWHERE
    if not any(_is_hers_to_do(each, who, command, record) for each in reaching):
        return NEVER
    return None


def _is_hers_to_do(grant: Grant, who: Who, command: Command, record: Record) -> bool:
    """Whether it may be done to this fact of hers, and at the school that it names."""
    if isinstance(command, Amendment):
        if grant.only == "own_entry" and _entered_by(record, command.fact_id) != who.actor:
            return False
        if grant.only == "not_care" and _is_care(record, command.fact_id):
            return False
    school = None
    if isinstance(command, Register):
        school = command.school
    elif isinstance(command, Correct):
        school = command.changes.get("school")
    return grant.reach != "school" or school is None or school in who.schools


def _entered_by(record: Record, fact: UUID) -> str | None:
    for log in (record.enrolled, record.received):
        for event in log.events:
            if event.event_id == fact:
                return event.by
    return None


def _is_care(record: Record, fact: UUID) -> bool:
    return any(event.event_id == fact for event in record.received.events)
