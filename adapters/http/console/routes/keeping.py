"""For auditors and keepers: the trail, windows, what an edition would change, and evidence."""

import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from fastapi import APIRouter, Request
from starlette.datastructures import QueryParams
from starlette.responses import RedirectResponse, Response

from yibao.adapters.editions import SourceError
from yibao.adapters.following.evidence import LOGS, open_evidence, there_is_evidence
from yibao.adapters.following.trail import Key, Question, trail_entry_json
from yibao.adapters.http.console.console import Console
from yibao.adapters.http.console.pages import forms
from yibao.adapters.http.console.pages.asked import number_in
from yibao.adapters.http.console.rendering import Page, is_for
from yibao.adapters.http.console.routes.recording import seen_in
from yibao.adapters.http.desk import Theirs, whole_page
from yibao.adapters.http.rights import may
from yibao.adapters.http.wire import Problem, etag_of, problem_of
from yibao.adapters.office.directory import Accessed
from yibao.adapters.service import Service
from yibao.adapters.views.console import told_lines
from yibao.adapters.views.telling import error_told, in_words, shown
from yibao.adapters.views.words import Words
from yibao.domain.calendar import midnight, read_day
from yibao.domain.facts import events
from yibao.domain.facts.commands import FixWindow
from yibao.domain.facts.events import EVENTS
from yibao.domain.refusals import BadValue, Refused, YibaoError
from yibao.domain.vocabulary import EnrollmentId, Seen
from yibao.projections.cohort.what_if import BY, Effects, WhatIf
from yibao.projections.record import Fixed, Log

#: By what the trail is asked.
_FILTERS: Final = ("school", "actor", "kind", "since", "until")
#: So many entries stand on a page.
SIZE: Final = 50


def add(router: APIRouter, console: Console) -> None:
    """Adds them to a router."""

    @router.get("/audit")
    async def audit(request: Request) -> Response:
        page = await console.page(request)
        schools = _schools(page, "audit")
        query = request.query_params
        asked = _question(query, schools)
        begins = Key.read(query["after"]) if query.get("after") else None
        who = page.who
        assert who is not None

        def found(service: Service) -> tuple[Response, list[EnrollmentId]]:
            words = page.words.among(service.editions)
            theirs = Theirs(service, who, may(who, "audit"))
            with service.audit_trail() as trail:
                entries, following = whole_page(
                    lambda after, size: trail.page(asked, after=after, size=size),
                    lambda each: theirs.see(each.enrollment),
                    lambda each: each.key,
                    begins,
                    SIZE,
                )
            whom = dict.fromkeys(each.enrollment for each in entries if each.enrollment)
            answered = page.render(
                "audit.html.j2",
                page.t("audit"),
                schools=schools,
                query={key: query.get(key, "") for key in _FILTERS},
                kinds=[(name, words("event", name)) for name in EVENTS],
                entries=[
                    (
                        each.enrollment,
                        list(told_lines(trail_entry_json(each, service.editions), words)),
                    )
                    for each in entries
                ],
                following=page.with_query(after=str(following)) if following else "",
            )
            return answered, list(whom)

        answered, whom = await console.desk.run(found)
        await console.desk.note(request, who, "audit", whom)
        return answered

    @router.get("/accesses")
    async def accesses(request: Request) -> Response:
        page = await console.page(request)
        _check(page, "accesses")
        query, kept = request.query_params, console.desk.opened().accesses
        if kept is None:
            raise Problem("not_found")
        asked = Accessed(
            actor=query.get("actor") or None,
            since=_begins(query.get("since")),
            until=_begins(query.get("until")),
        )
        begin = number_in(query.get("after"), sys.maxsize)
        looks, following = await console.desk.run(
            lambda _: kept.page(asked, after=begin, limit=SIZE)
        )
        return page.render(
            "accesses.html.j2",
            page.t("accesses"),
            query={key: query.get(key, "") for key in _FILTERS},
            looks=[(shown(look.at, page.words), look) for _, look in looks],
            following=page.with_query(after=str(following)) if following else "",
        )

    @router.get("/windows")
    async def windows(request: Request) -> Response:
        page = await console.page(request)
        _check(page, "fix_window")
        return await _windows(console, page)

    @router.get("/windows/{policy}")
    async def window(request: Request, policy: str) -> Response:
        page = await console.page(request)
        _check(page, "fix_window")
        return await _fixing(console, page, policy, {}, None)

    @router.post("/windows/{policy}")
    async def fix(request: Request, policy: str) -> Response:
        page = await console.page(request)
        _check(page, "fix_window")
        sent = await console.form(request, page.who)
        given = {key: value for key, value in sent.items() if isinstance(value, str)}
        values = forms.values_sent(FixWindow, given)
        key, seen = given.get("key", ""), seen_in(given)
        assert page.who is not None
        try:
            await console.desk.tell(page.who, policy, "fix_window", values, key=key, expected=seen)
        except Refused as error:
            return await _fixing(console, page, policy, given, error)
        return RedirectResponse(f"{page.base}/windows", 303)

    @router.get("/what-if")
    async def what_if(request: Request) -> Response:
        page = await console.page(request)
        _check(page, "what_if")
        return await console.desk.run(_asking_what_if, page)

    @router.post("/what-if")
    async def asked_what_if(request: Request) -> Response:
        page = await console.page(request)
        _check(page, "what_if")
        form = await console.form(request, page.who)
        text, instead_of = str(form.get("edition", "")), str(form.get("instead_of", ""))
        return await console.desk.run(_what_if, page, text, instead_of)

    @router.get("/evidence")
    async def evidence(request: Request) -> Response:
        page = await console.page(request)
        assert page.who is not None
        if not is_for(page.who, "evidence"):
            raise Problem("forbidden")
        return await console.desk.run(_evidence, page)


def _check(page: Page, right: str) -> None:
    assert page.who is not None
    if not may(page.who, right):
        raise Problem("forbidden")


def _schools(page: Page, right: str) -> list[str] | None:
    """The schools that somebody may ask about; None where that is every one."""
    _check(page, right)
    assert page.who is not None
    if any(each.reach == "all" for each in may(page.who, right)):
        return None
    return sorted(page.who.schools)


def _question(query: QueryParams, schools: list[str] | None) -> Question:
    """What is asked of the trail; who has schools asks about one of them."""
    school = query.get("school") or (schools[0] if schools else None)
    if schools is not None and school not in schools:
        raise Problem("not_found")
    kind = query.get("kind") or None
    return Question(
        school=school,
        by=query.get("actor") or None,
        kind=kind if kind in EVENTS or kind == "refused" else None,
        recorded_from=_begins(query.get("since")),
        recorded_until=_begins(query.get("until")),
        newest_first=True,
    )


def _begins(day: str | None) -> Any:
    try:
        return midnight(read_day(day)) if day else None
    except ValueError:
        return None


async def _windows(console: Console, page: Page) -> Response:
    def found(service: Service) -> Response:
        told = []
        for edition in sorted(service.editions, key=lambda each: each.edition):
            words = page.words.of(edition)
            told.append(
                (edition.edition, edition.year, list(_fixes(service, edition.edition, words)))
            )
        return page.render("windows.html.j2", page.t("windows"), editions=told)

    return await console.desk.run(found)


def _fixes(service: Service, policy: str, words: Words) -> Iterator[dict[str, str]]:
    """What was fixed under an edition, and for whom; of what was taken back that it was."""
    facts = service.window_facts(policy)
    gone = {getattr(each, "supersedes", None) for each in facts}
    for each in facts:
        if isinstance(each, events.WindowFixed):
            values = {key: value for key, value in each.payload().items() if value is not None}
            whom = [str(values.pop("school", "")), str(values.pop("category", ""))]
            told = [
                words("category", code) if words.knows("category", code) else code for code in whom
            ]
            yield {
                "whom": words.joined(filter(None, told)) or words("console", "window_all"),
                "values": in_words(forms.plainly(values), words, each.name),
                "recorded": shown(each.recorded_at, words),
                "by": each.by,
                "fate": words("console", "fate_corrected") if each.event_id in gone else "",
            }


async def _fixing(
    console: Console, page: Page, policy: str, given: dict[str, str], error: Refused | None
) -> Response:
    errors = list(error.errors) if isinstance(error, BadValue) else []

    def found(service: Service) -> Response:
        edition = service.editions.get(policy)
        words = page.words.of(edition)
        facts = service.window_facts(policy)
        fixed = Fixed(Log(facts)).fixed(len(facts))
        fields = forms.fields_of(FixWindow, words, given, errors)
        here = f"{page.base}/windows"
        problem = problem_of(error) if error else None
        is_stale = error is not None and error.code == "version_conflict"
        reason = words("refusal", error.code) if error else ""
        names = {field.name for field in fields}
        return page.render(
            "form.html.j2",
            page.t("fix"),
            problem.status if problem else 200,
            words=words,
            told=f"{page.t('fix')}: {policy}",
            whose=None,
            back=here,
            action=f"{here}/{policy}",
            key=Console.new_key(),
            seen=etag_of(Seen(0, 0, fixed)),
            fact=None,
            amends="",
            guarded=None,
            hint="",
            fields=fields,
            errors=errors,
            loose_errors=[(words.field(w), words.said(why)) for w, why in errors if w not in names],
            stale=[] if is_stale else None,
            refused="" if errors or is_stale else reason,
        )

    return await console.desk.run(found)


def _asking_what_if(service: Service, page: Page, /, **parts: Any) -> Response:
    told = {"text": "", "instead_of": "", "problem": "", "title_told": "", "rows": [], **parts}
    editions = sorted((each.edition for each in service.editions), reverse=True)
    status = 422 if told["problem"] else 200
    heads = [page.words("what_if", f"{side}_{what}") for side, what in _COLUMNS]
    return page.render(
        "what_if.html.j2", page.t("what_if"), status, editions=editions, heads=heads, **told
    )


_COLUMNS: Final = [
    (side, what) for side in Effects._fields for what in ("students", "days", "money")
]


def _what_if(service: Service, page: Page, text: str, instead_of: str) -> Response:
    with TemporaryDirectory() as folder:
        file = Path(folder, "edition.yaml")
        file.write_text(text, encoding="utf-8")
        try:
            found = service.what_if(edition=file, instead_of=instead_of)
            rows = list(_effects(found, page.words))
        except SourceError as error:
            problem = f"{error.line}:{error.column}: {page.words.said(error.reason)}"
            return _asking_what_if(service, page, text=text, instead_of=instead_of, problem=problem)
        except YibaoError as error:
            problem = error_told(error, page.words)
            return _asking_what_if(service, page, text=text, instead_of=instead_of, problem=problem)
    told = page.words("what_if", "title", edited=found.edition.edition, replaced=instead_of)
    return _asking_what_if(
        service, page, text=text, instead_of=instead_of, title_told=told, rows=rows
    )


def _effects(found: WhatIf, words: Words) -> Iterator[tuple[str, list[str]]]:
    yield words("what_if", "everybody"), _cells(Effects(found.gains, found.loses))
    for what in BY:
        for name, effects in found.by(what).items():
            told = words(what, name) if words.knows(what, name) else name
            yield f"{words('what_if', what)} {told}", _cells(effects)


def _cells(effects: Effects) -> list[str]:
    return [str(each) for moved in effects for each in moved]


def _evidence(service: Service, page: Page) -> Response:
    store = service.audit_trail().store
    logs = []
    if there_is_evidence(store):
        with closing(open_evidence(store)) as kept:
            for logged in LOGS:
                progress, note = kept.progress(logged), kept.last_note(logged)
                logs.append(
                    (
                        progress.origin,
                        progress.size,
                        note.size if note else 0,
                        note.note if note else "",
                    )
                )
    return page.render("evidence.html.j2", page.t("evidence"), logs=logs)
