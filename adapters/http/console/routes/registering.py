"""Somebody new is registered: with a reference drawn here, and by her number in the directory."""

from collections.abc import Mapping
from functools import partial
from typing import Any, Final

from anyio import from_thread, to_thread
from fastapi import APIRouter, Request
from starlette.responses import Response

from yibao.adapters.http.console.console import Console
from yibao.adapters.http.console.pages import forms
from yibao.adapters.http.console.rendering import Page
from yibao.adapters.http.console.routes.recording import key_sent, reason_told
from yibao.adapters.http.console.routes.signing_in import to_student
from yibao.adapters.http.rights import may
from yibao.adapters.http.wire import Problem, problem_of
from yibao.adapters.office.directory import Directory, Entry, Person, draw
from yibao.adapters.office.imports import RowVerdict, own_words, row_told
from yibao.adapters.office.judging import RowRefused, Student, columns_with, judged
from yibao.adapters.office.reading import Row, Table
from yibao.adapters.service import Receipt, Service
from yibao.domain.facts.commands import Register
from yibao.domain.refusals import BadValue, Refused
from yibao.domain.vocabulary import EnrollmentId

#: What the directory has of somebody beside the fact, and where each stands in the form.
_OF_HER: Final = ("number", "name", "document_number")
#: The columns of a roster by the fields of the form.
_COLUMNS: Final = {
    **{name: name for name in (*_OF_HER, "document", "category")},
    "on": "registered_on",
}


class _Unfit(Exception):
    """What is told of somebody cannot be right, as it could not in a table."""

    def __init__(self, refused: RowRefused) -> None:
        super().__init__()
        self.refused = refused


def add(router: APIRouter, console: Console) -> None:
    """Adds it to a router."""

    @router.get("/register")
    async def form(request: Request) -> Response:
        page = await console.page(request)
        return await _form(console, page, {}, None)

    @router.post("/register")
    async def send(request: Request) -> Response:
        page = await console.page(request)
        sent = await console.form(request, page.who)
        _schools(page)
        given = {key: value for key, value in sent.items() if isinstance(value, str)}
        try:
            receipt, whose = await _registered(console, page, key_sent(sent), given)
        except (Refused, _Unfit) as error:
            if isinstance(error, Refused) and error.code == "not_allowed":
                raise
            return await _form(console, page, given, error)
        return to_student(page, whose, recorded=str(receipt.event_id))


def _schools(page: Page) -> list[str]:
    """The schools at which somebody may register; raises Problem where there is none."""
    assert page.who is not None
    if not may(page.who, "register"):
        raise Problem("forbidden")
    return sorted(page.who.schools)


async def _registered(
    console: Console, page: Page, key: str, given: Mapping[str, str]
) -> tuple[Receipt, EnrollmentId]:
    """Who is new has an entry of the directory with her fact, or neither."""
    desk, people, who = console.desk, console.people, page.who
    assert who is not None
    values: dict[str, Any] = forms.values_sent(Register, given)
    school = values.get("school", "")
    if school and school not in who.schools:  # what is known there is not told here
        raise Problem("forbidden")
    # Of the same form it is the same, so that one that is sent twice is recorded once.
    news = console.sessions.references(who, key)
    new, known = Person("", Entry(school, "", "", "", "")), None
    if people is not None:
        student = await desk.run(_student, given)
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


def _student(service: Service, given: Mapping[str, str]) -> Student:
    """Who she is, read as a row of a roster is; raises _Unfit."""
    cells = [given.get(name, "") for name in _COLUMNS]
    places = {column: place for place, column in enumerate(_COLUMNS.values())}
    row, columns = Row(1, cells), columns_with(own_words(service.editions))
    found = judged(Table(places, (), [row], ()), row, columns).found
    if isinstance(found, RowRefused):
        raise _Unfit(found)
    assert isinstance(found, Student)
    return found


async def _form(
    console: Console, page: Page, given: Mapping[str, str], error: Refused | _Unfit | None
) -> Response:
    schools = _schools(page)

    def shown(service: Service) -> Response:
        words = page.words.among(service.editions)
        errors = list(error.errors) if isinstance(error, BadValue) else []
        choices = {
            "policy": [(each.edition, each.edition) for each in service.editions],
            "school": [(each, each) for each in schools],
        }
        fields = forms.fields_of(Register, words, given, errors, choices)
        if console.people is not None:
            hers = [
                forms.Field(name, words("roster", name), "text", True, given.get(name, ""))
                for name in _OF_HER
            ]
            after = 1 + [each.name for each in fields].index("document")
            fields = [*hers[:2], *fields[:after], hers[2], *fields[after:]]
        if isinstance(error, _Unfit):
            why = row_told(RowVerdict(1, "refused", error.refused.code), words)
            at = next(name for name in _COLUMNS if _COLUMNS[name] == error.refused.column)
            told = words.joined(filter(None, why), "apart")
            fields = [each._replace(error=told) if each.name == at else each for each in fields]
        problem = problem_of(error) if isinstance(error, Refused) else None
        wrong = bool(errors) or isinstance(error, _Unfit)
        names = {each.name for each in fields}
        return page.render(
            "form.html.j2",
            page.t("register"),
            422 if wrong else problem.status if problem else 200,
            words=words,
            told=page.t("register"),
            whose=None,
            back=f"{page.base}/",
            action=f"{page.base}/register",
            key=Console.new_key(),
            seen="",
            fact=None,
            amends="",
            guarded=None,
            hint=page.t("register_help" if console.people else "register_help_alone"),
            fields=fields,
            errors=wrong,
            loose_errors=[(words.field(w), words.said(why)) for w, why in errors if w not in names],
            stale=None,
            refused="" if wrong or not isinstance(error, Refused) else reason_told(error, words),
        )

    return await console.desk.run(shown)
