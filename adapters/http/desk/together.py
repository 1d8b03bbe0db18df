"""Commands of many recorded in one transaction, each judged by itself and told its own.

A commit costs the same for one command and for many (group commit). Of one student a transaction
holds at most one command: what is allowed about her is asked by her record.
"""

from collections.abc import Sequence
from typing import NamedTuple

from yibao.adapters.http.rights import Who, allows
from yibao.adapters.service import Receipt, Service
from yibao.adapters.service.recording import ByTheRecord
from yibao.domain.facts.commands import Command
from yibao.domain.vocabulary import EnrollmentId
from yibao.projections.record import Record


class Told(NamedTuple):
    """A command that is to be recorded, and who tells it."""

    whose: EnrollmentId
    command: Command
    who: Who


def recorded(service: Service, some: Sequence[Told]) -> list[Receipt | Exception]:
    """What becomes of each, in one transaction for all; no two are about one student."""
    by_student = {each.whose: each for each in some}

    def judge(record: Record) -> str | None:
        told = by_student[record.enrollment]
        return allows(told.who, told.command, record)

    asked = [(each.whose, each.command) for each in some]
    replies = service.record_each(asked, batch=len(asked), allowed=ByTheRecord(judge))
    return list(replies)  # type: ignore[arg-type]  # no group was asked for


def student_of(told: Told) -> str:
    """Whose it is, whichever year: one year may move the next."""
    return told.whose.ref
