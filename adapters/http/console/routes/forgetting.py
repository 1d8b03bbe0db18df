"""Somebody is forgotten: asked for by one person, and done when a second asks for it as well."""

from fastapi import APIRouter, Request
from starlette.responses import Response

from yibao.adapters.http.console.console import Console
from yibao.adapters.http.console.rendering import Page
from yibao.adapters.http.rights import may
from yibao.adapters.http.wire import Problem
from yibao.adapters.office.directory import Directory, Forgotten
from yibao.adapters.office.reading import Unfit, text_in
from yibao.adapters.service import Service
from yibao.domain.refusals import BadValue


def add(router: APIRouter, console: Console) -> None:
    """Adds it to a router."""

    @router.get("/forget")
    async def ask(request: Request) -> Response:
        page = await console.page(request)
        return await _shown(console, page, ref=request.query_params.get("ref", ""))

    @router.post("/forget")
    async def forget(request: Request) -> Response:
        page = await console.page(request)
        people = _people(console, page)
        form = await console.form(request, page.who)
        ref, reason = (str(form.get(each, "")).strip() for each in ("ref", "reason"))
        assert page.who is not None
        by = page.who.actor

        def asked(_: Service) -> Forgotten:
            return people.forget(ref, by=by, reason=reason)

        try:
            outcome = await console.desk.run(asked)
        except BadValue as error:
            problem = page.errors(error)
            return await _shown(console, page, 422, ref=ref, problem=problem)
        if outcome == "nobody":
            return await _shown(console, page, 404, ref=ref, problem=page.t("forget_nobody"))
        done = page.t("forget_done" if outcome == "forgotten" else "forget_asked")
        return await _shown(console, page, done=done)

    @router.post("/forget/find")
    async def find(request: Request) -> Response:
        """Whom to forget, by her number: it stands in no address, and nobody is told her name."""
        page = await console.page(request)
        people = _people(console, page)
        form = await console.form(request, page.who)
        school, reason = (str(form.get(each, "")).strip() for each in ("school", "reason"))
        assert page.who is not None
        by = page.who.actor

        def asked(_: Service) -> str | None:
            try:
                number = text_in(str(form.get("number", "")))
            except Unfit:
                return None
            return people.find(school, number, by=by, reason=reason)

        try:
            ref = await console.desk.run(asked)
        except BadValue as error:
            return await _shown(console, page, 422, problem=page.errors(error))
        if ref is None:
            return await _shown(console, page, 404, problem=page.t("found_nobody"))
        return await _shown(console, page, ref=ref, reason=reason)


def _people(console: Console, page: Page) -> Directory:
    """The directory, for who may have somebody forgotten; raises Problem."""
    assert page.who is not None
    if not may(page.who, "forget"):
        raise Problem("forbidden")
    if console.people is None:
        raise Problem("not_found")
    return console.people


async def _shown(
    console: Console,
    page: Page,
    status: int = 200,
    *,
    ref: str = "",
    reason: str = "",
    problem: str = "",
    done: str = "",
) -> Response:
    people = _people(console, page)
    waiting = await console.desk.run(lambda _: people.to_forget())
    return page.render(
        "forget.html.j2",
        page.t("forget"),
        status,
        ref=ref[:64],
        reason=reason,
        problem=problem,
        done=done,
        waiting=waiting,
    )
