"""Somebody new: a reference is drawn for her, and the directory has her entry with her fact."""

from collections.abc import Mapping
from functools import partial
from typing import Any

from anyio import from_thread, to_thread

from yibao.adapters.http.console.console import Console
from yibao.adapters.http.console.pages import forms
from yibao.adapters.http.console.pages.registering import student_in
from yibao.adapters.http.rights import Who
from yibao.adapters.http.wire import Problem
from yibao.adapters.office.directory import Directory, Entry, Person, draw
from yibao.adapters.office.judging import RowRefused
from yibao.adapters.service import Receipt, Service
from yibao.domain.facts.commands import Register
from yibao.domain.refusals import Refused
from yibao.domain.vocabulary import EnrollmentId


class Unfit(Exception):
    """What is told of somebody cannot be right, as it could not in a table."""

    def __init__(self, refused: RowRefused) -> None:
        super().__init__()
        self.refused = refused


async def registered(
    console: Console, who: Who, key: str, given: Mapping[str, str]
) -> tuple[Receipt, EnrollmentId]:
    """Who is new has an entry of the directory with her fact, or neither.

    Raises Unfit, Problem, and what the desk raises.
    """
    desk, people = console.desk, console.people
    values: dict[str, Any] = forms.values_sent(Register, given)
    school = values.get("school", "")
    if school and school not in who.schools:  # what is known there is not told here
        raise Problem("forbidden")
    # Of the same form it is the same, so that one that is sent twice is recorded once.
    news = console.sessions.references(who, key)
    new, known = Person("", Entry(school, "", "", "", "")), None
    if people is not None:
        student = await desk.run(lambda service: student_in(given, service.editions))
        if isinstance(student, RowRefused):
            raise Unfit(student)
        (known,) = await desk.run(lambda _: people.known([(school, student.number)]))
        new = Person("", Entry(school, *student[:4]))
    if known is None:
        (new,) = draw([new.entry], lambda: next(news))
    values["ref"] = known.ref if known else new.ref
    tell = partial(desk.tell, who, None, "register", values, key=key)
    if known is not None or people is None:
        receipt, whose = await tell()
    else:
        service = desk.opened().service
        receipt, whose = await to_thread.run_sync(_entered, service, people, new, tell)
    assert isinstance(whose, EnrollmentId)
    return receipt, whose


def _entered(service: Service, people: Directory, new: Person, tell: Any) -> Any:
    """Registers somebody while nobody else writes entries; what a kill leaves an import removes."""
    with people.importing(lambda ref: bool(service.enrollments(ref))) as entries:
        entries.add([new])
        try:
            done = from_thread.run(tell)
        except (Refused, Problem):
            entries.remove([new.ref])
            raise
        entries.keep([new.ref])
        return done
