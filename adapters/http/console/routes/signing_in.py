"""Signing in and out, the first page, and what pages load."""

from contextlib import suppress
from hmac import compare_digest
from typing import Final
from urllib.parse import quote, urlencode

from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from yibao.adapters.http.console.console import Console
from yibao.adapters.http.console.rendering import Page, stamp, static
from yibao.adapters.http.rights import Role, Who, may
from yibao.adapters.http.wire import Problem
from yibao.domain.vocabulary import FIRST_BENEFIT_YEAR, EnrollmentId

_TYPES: Final = {"console.css": "text/css", "htmx.min.js": "text/javascript"}
#: It never changes under its address.
_FOREVER: Final = {"Cache-Control": "public, max-age=31536000, immutable"}


def add(router: APIRouter, console: Console, once: str | None) -> None:
    """Adds them to a router."""
    left = [once] if once else []

    @router.get("/static/{stamped}/{name}")
    async def file(request: Request, stamped: str, name: str) -> Response:
        if name not in _TYPES or stamped != stamp(name):
            raise Problem("not_found")
        request.scope["yibao_signed"] = True  # what everybody may keep carries nobody's session
        return Response(static(name), media_type=_TYPES[name], headers=_FOREVER)

    @router.get("/")
    async def home(request: Request) -> Response:
        page = await console.page(request)
        assert page.who is not None
        own = await _own(console, page.who)
        roles = page.words.joined(
            (page.t(f"role_{each}") for each in sorted(page.who.roles)), "listed"
        )
        may_open = any(each.reach != "own" for each in may(page.who, "answer"))
        return page.render("home.html.j2", page.t("home"), own=own, roles=roles, may_open=may_open)

    @router.post("/open")
    async def by_reference(request: Request) -> Response:
        page = await console.page(request)
        form = await console.form(request, page.who)
        ref = str(form.get("ref", "")).strip()
        if not ref or "/" in ref:
            raise Problem("not_found")
        years = await console.desk.run(lambda service: service.enrollments(ref))
        # Who is not theirs to see is answered as nobody is: a redirection would tell of her.
        whose = EnrollmentId(ref, years[-1] if years else FIRST_BENEFIT_YEAR)
        await console.desk.look(request, "answer", whose, lambda *_: None)
        return to_student(page, whose)

    @router.get("/sign-in")
    async def ask(request: Request, to: str = "") -> Response:
        return _asking(console, Page(request, console.sessions, None), to)

    @router.post("/sign-in")
    async def sign_in(request: Request) -> Response:
        form = await console.form(request, None)
        to, token = str(form.get("to", "")), str(form.get("token", "")).strip()
        who: Who | None = None
        if token.isascii() and token.isprintable():
            with suppress(Problem):
                who = await console.tokens.who(_with_token(request, token))
        page = Page(request, console.sessions, None)
        if who is None:
            return _asking(console, page, to, page.t("token_unknown"), 401)
        return signed_in(console, request, who, within(to, page.base))

    @router.get("/once/{token}")
    async def by_link(request: Request, token: str) -> Response:
        """The link that a server prints as it starts; it opens one time."""
        page = Page(request, console.sessions, None)
        if not left or not compare_digest(left[0].encode(), token.encode()):
            return _asking(console, page, "", page.t("link_used"), 401)
        who = await console.tokens.who(_with_token(request, token))
        left.clear()
        begins = "/today" if Role.OFFICER in who.roles else "/"
        return signed_in(console, request, who, f"{page.base}{begins}")

    @router.post("/sign-out")
    async def sign_out(request: Request) -> Response:
        page = await console.page(request)
        await console.form(request, page.who)
        response = RedirectResponse(f"{page.base}/sign-in", 303)
        await console.sessions.end(request, response)
        request.scope["yibao_signed"] = True
        return response


def to_student(page: Page, whose: EnrollmentId, **query: str) -> Response:
    """On to the page of a student."""
    asked = f"?{urlencode(query)}" if query else ""
    return RedirectResponse(f"{page.base}/s/{quote(whose.ref, safe='')}/{whose.year}{asked}", 303)


def _asking(
    console: Console, page: Page, to: str, problem: str = "", status: int = 200
) -> Response:
    provider = None
    if console.registered is not None:
        provider = f"{page.base}/sign-in/provider?{urlencode({'to': to})}"
    return page.render(
        "sign_in.html.j2", page.t("sign_in"), status, to=to, problem=problem, provider=provider
    )


def signed_in(console: Console, request: Request, who: Who, to: str) -> Response:
    """On to where somebody wanted to go, who has signed in by now."""
    response = RedirectResponse(to, 303)
    console.sessions.open(request, response, who)
    request.scope["yibao_signed"] = True
    return response


def _with_token(request: Request, token: str) -> Request:
    """The same request, as it would come with the token of whoever signs in."""
    others = [
        each for each in request.scope["headers"] if each[0] not in (b"authorization", b"cookie")
    ]
    headers = [*others, (b"authorization", f"Bearer {token}".encode())]
    return Request({**request.scope, "headers": headers})


def within(to: str, base: str) -> str:
    """Where somebody wanted to go, if that is a page of the console."""
    is_ours = to.startswith(f"{base}/") and "\\" not in to and to.isprintable()
    return to if is_ours else f"{base}/"


async def _own(console: Console, who: Who) -> list[tuple[str, int]] | None:
    """The benefit years of a student's own; None for who is none."""
    if Role.STUDENT not in who.roles or who.ref is None:
        return None
    ref = who.ref
    years = await console.desk.run(lambda service: service.enrollments(ref))
    return [(ref, year) for year in reversed(years)]
