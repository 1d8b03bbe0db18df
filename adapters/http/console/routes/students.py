"""The page of a student: a day of her year, as known at any moment."""

from collections.abc import Mapping
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Path, Request
from starlette.responses import HTMLResponse, Response

from yibao.adapters.http.console.console import Console
from yibao.adapters.http.console.pages import asked as asking
from yibao.adapters.http.console.pages import student as model
from yibao.adapters.http.console.pages.forms import kind_of
from yibao.adapters.http.console.people import entry_of
from yibao.adapters.http.console.rendering import Page
from yibao.adapters.http.rights import Who, allows, may, school_of, sees
from yibao.adapters.http.wire import BY_ITSELF, Problem
from yibao.adapters.office.directory import Directory
from yibao.adapters.service import Service
from yibao.adapters.shapes import answer_json
from yibao.adapters.views.dossier import Dossiers, dossier_of
from yibao.adapters.views.pages import dossier_page
from yibao.adapters.views.telling import goes_on, shown
from yibao.adapters.views.words import Words
from yibao.domain.facts import events
from yibao.domain.facts.commands import ASKED, Void
from yibao.domain.vocabulary import EnrollmentId, State
from yibao.projections.answer import Answer
from yibao.projections.record import Record

Ref = Annotated[str, Path(max_length=64)]
Year = Annotated[int, Path(ge=2000, le=2999)]


def add(router: APIRouter, console: Console) -> None:
    """Adds it to a router."""

    @router.get("/s/{ref}/{year}")
    async def student(request: Request, ref: Ref, year: Year) -> Response:
        page = await console.page(request)
        whose = EnrollmentId(ref, year)

        def asked(service: Service, record: Record) -> tuple[Response, EnrollmentId | None] | None:
            return _page(page, console.people, service, record)

        found = await console.desk.look(request, "answer", whose, asked)
        if found is None:
            raise Problem("not_found")
        response, following = found
        if following is not None:
            assert page.who is not None
            await console.desk.note(request, page.who, "answer", [following])
        return response

    @router.get("/s/{ref}/{year}/dossier")
    async def dossier(request: Request, ref: Ref, year: Year) -> Response:
        page = await console.page(request)

        def asked(service: Service, record: Record) -> Response | None:
            return _dossier(page, service, record)

        response = await console.desk.look(request, "dossier", EnrollmentId(ref, year), asked)
        if response is None:
            raise Problem("not_found")
        return response


def here(page: Page, whose: EnrollmentId) -> str:
    """Where the page of a student is."""
    return f"{page.base}/s/{quote(whose.ref, safe='')}/{whose.year}"


def has_right(who: Who, record: Record, *what: str) -> bool:
    """Whether somebody may ask or do any of some things about a student."""
    ref, school = record.enrollment.ref, school_of(record)
    return any(sees(may(who, each), who, ref, school) for each in what)


def _page(
    page: Page, people: Directory | None, service: Service, record: Record
) -> tuple[Response, EnrollmentId | None] | None:
    """The page, or of it what hangs on the sliders where htmx asks; and whose next year it tells.

    None where nothing is known.
    """
    who, query = page.who, page.request.query_params
    assert who is not None
    assert record.now is not None
    asked = asking.read_asked(query, record, record.now)
    if asked is None:
        return None
    seen = model.seen(record, asked)
    following = _following(service, who, seen)
    words = page.words.among(service.editions).of(seen.latest.policy)
    parts = _answer(page, who, seen, following, words)
    told = following.enrollment if following else None
    headers = page.request.headers
    if "hx-request" in headers and "hx-history-restore-request" not in headers:
        return page.render("answer.html.j2", "", words=words, **parts), told
    whole = page.render(
        "student.html.j2",
        page.t("student"),
        words=words,
        whose=record.enrollment,
        years=service.enrollments(record.enrollment.ref),
        about=_about(seen.latest, words),
        person=_person(people, who, record, words),
        recorded=_recorded(query.get("recorded"), record, words),
        **_doable(service, who, record, words),
        **_facts(who, record, asked, words),
        **parts,
    )
    return whole, told


def _following(service: Service, who: Who, seen: model.Seen) -> Answer | None:
    """What an ended year leads on to: the answer about the next, where that is theirs to see."""
    if seen.answer.state is not State.EXPIRED:
        return None
    ref, year = seen.record.enrollment
    record = service.read(EnrollmentId(ref, year + 1))
    if not record.enrolled.events or not has_right(who, record, "answer"):
        return None
    known = None if seen.asked.is_latest else seen.asked.cutoff
    return service.at(record, seen.asked.at, known_at=known)


def _dossier(page: Page, service: Service, record: Record) -> Response | None:
    """Everything on record about her, by itself; as known then, where that is asked."""
    assert record.now is not None
    asked = asking.read_asked(page.request.query_params, record, record.now)
    if asked is None:
        return None
    known = None if asked.is_latest else asked.cutoff
    found = dossier_of(service, record, asked.at, known)
    told = dossier_page(Dossiers((found,)), page.words, page.t("dossier"))
    return HTMLResponse(told, headers={"Content-Security-Policy": BY_ITSELF})


def _answer(
    page: Page, who: Who, seen: model.Seen, following: Answer | None, words: Words
) -> dict[str, Any]:
    """What hangs on the sliders."""
    answer, record = seen.answer, seen.record
    told = answer_json(answer)
    values = list(model.values_told(answer, told, words, goes_on(following, words)))
    window = values[-1]
    reason = words.named(
        window.told, words.joined(filter(None, (window.text, window.remark)), "apart")
    )
    looks_back = has_right(who, record, "compare", "dossier")
    return {
        "seen": seen,
        "here": here(page, record.enrollment),
        "day": f"{answer.at:%Y-%m-%d}",
        "told_at": shown(answer.at, words),
        "told_known": shown(answer.known_at, words) if answer.known_at else "",
        "now_covered": model.covered(seen.latest),
        "reason": reason,
        "values": values,
        "json": lambda name: model.as_text(told[name]),
        "steps": model.steps_told(answer, words),
        "discrepancies": model.discrepancies_told(answer, words),
        "care": model.care_told(answer, words),
        "picture": model.picture(seen, words) if has_right(who, record, "timeline") else None,
        "table": model.table(seen, words),
        "learned": model.learned(seen, words) if looks_back else None,
        "has_dossier": has_right(who, record, "dossier"),
        "why": model.why(seen, words) if page.request.query_params.get("why") else None,
    }


def _about(latest: Answer, words: Words) -> list[str]:
    """Whose student she is, and of which kind; and under which edition."""
    told = [latest.school, latest.edition]
    if latest.category:
        told.insert(1, words("category", latest.category))
    if latest.document:
        told.insert(2, words("document", latest.document))
    return [each for each in told if each]


def _person(
    people: Directory | None, who: Who, record: Record, words: Words
) -> list[tuple[str, str]]:
    """Her name and number, for whom they are."""
    entry = entry_of(people, who, record.enrollment.ref, school_of(record))
    if entry is None:
        return []
    return [(words("roster", key), getattr(entry, key)) for key in ("name", "number")]


def _recorded(event_id: str | None, record: Record, words: Words) -> str:
    """What was just recorded, in words."""
    for event in (*record.enrolled.events, *record.received.events):
        if event_id == str(event.event_id):
            return f"#{event.originator_version} {words('event', event.name)}"
    return ""


def _doable(service: Service, who: Who, record: Record, words: Words) -> dict[str, Any]:
    """What is possible now, of what somebody may do; who may do nothing sees what others may."""
    if not has_right(who, record, "possible"):
        return {"doable": [], "forms": frozenset(), "others": []}
    mine = {name for name in ASKED if name not in ("register", "correct", "void", "fix_window")}
    mine = {name for name in mine if has_right(who, record, *_rights_of(name))}
    found = service.possible(record)
    listed = model.doable(found, lambda name: name in mine or not mine, words)
    in_table = {each.name for each in listed}
    others = [(name, command_told(name, words)) for name in ASKED if name in mine - in_table]
    return {"doable": listed, "forms": mine, "others": others}


def _rights_of(command: str) -> tuple[str, ...]:
    return (command, "confirm_by_proxy") if command == "confirm" else (command,)


def command_told(name: str, words: Words) -> str:
    """What a command is called; in English by its name, as words."""
    return words("command", name).replace("_", " ")


def _facts(who: Who, record: Record, asked: asking.Asked, words: Words) -> dict[str, Any]:
    if not has_right(who, record, "facts", "dossier"):
        return {"facts": None, "amends": {}}
    facts = model.facts_told(record, asked.known_at, words)
    standing = {each.event_id for each in facts if each.fate == "stands"}
    return {"facts": facts, "amends": _amends(who, record, standing)}


def _amends(who: Who, record: Record, standing: set[str]) -> Mapping[str, bool]:
    """Which facts somebody may take back, and whether they may be corrected as well."""
    if not may(who, "void"):
        return {}
    return {
        str(event.event_id): kind_of(event) is not None
        for event in (*record.enrolled.events, *record.received.events)
        if str(event.event_id) in standing
        and isinstance(event, events.Fact)
        and allows(who, Void(fact_id=event.event_id, reason="asked"), record) is None
    }
