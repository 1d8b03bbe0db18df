"""Whether somebody may do something about a student, by what is recorded of her."""

from collections.abc import Iterable
from typing import Final
from uuid import UUID

from yibao.adapters.http.rights.table import Grant, What, may
from yibao.adapters.http.rights.who import Who
from yibao.adapters.service.recording import Allowed
from yibao.domain.facts.commands import Amendment, Command, Confirm, Register
from yibao.domain.vocabulary import ConfirmationChannel
from yibao.projections.answer import Answer
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


def grants_of(who: Who, command: Command) -> tuple[Grant, ...]:
    """What of this command the roles of somebody may do, by itself."""
    return tuple(each for each in may(who, what_of(command)) if _fits(each, command))


def what_of(command: Command) -> What:
    """Where a command stands in the table."""
    by_proxy = isinstance(command, Confirm) and command.channel is ConfirmationChannel.PROXY
    return "confirm_by_proxy" if by_proxy else command.name


def _fits(grant: Grant, command: Command) -> bool:
    return grant.only != "observed" or getattr(command, "observed", False)


def allows(who: Who, command: Command, record: Record) -> str | None:
    """Why a command is not allowed about the student of a record, in a word; None where it is."""
    grants = grants_of(who, command)
    ref, begins = record.enrollment.ref, isinstance(command, Register)
    known = school_of(record)
    school = getattr(command, "school", None) if begins and known is None else known
    if known is None and not begins:
        return ELSEWHERE  # nobody
    reaching = [each for each in grants if _reaches(each, who, ref, school)]
    if not reaching:
        return NEVER if begins and known is None else ELSEWHERE
    if not any(_is_hers_to_do(each, who, command, record) for each in reaching):
        return NEVER
    return None


def _is_hers_to_do(grant: Grant, who: Who, command: Command, record: Record) -> bool:
    """Whether it may be done about this student, and to this fact of hers."""
    school = getattr(command, "school", None)
    if isinstance(command, Amendment):
        if grant.only == "own_entry" and _entered_by(record, command.fact_id) != who.actor:
            return False
        if grant.only == "not_care" and _is_care(record, command.fact_id):
            return False
        changes = getattr(command, "changes", {})
        school = changes.get("school")
    elif command.name != "register":
        school = None
    return grant.reach != "school" or school is None or school in who.schools


def _entered_by(record: Record, fact: UUID) -> str | None:
    for log in (record.enrolled, record.received):
        for event in log.events:
            if event.event_id == fact:
                return event.by
    return None


def _is_care(record: Record, fact: UUID) -> bool:
    return any(event.event_id == fact for event in record.received.events)


def allowed_by(who: Who, command: Command) -> Allowed:
    """What a service asks inside the transaction."""

    def allowed(_: Answer, record: Record) -> str | None:
        return allows(who, command, record)

    return allowed
