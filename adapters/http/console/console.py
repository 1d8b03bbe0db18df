"""What every page stands on: the desk, sessions, and a page for whatever is raised."""

import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from secrets import choice
from string import ascii_lowercase
from typing import Any, Final
from urllib.parse import urlencode

from fastapi import Request
from fastapi.routing import APIRoute
from starlette.datastructures import FormData
from starlette.responses import RedirectResponse, Response

from yibao.adapters.http.console.guarding import comes_from_here, form_of
from yibao.adapters.http.console.rendering import Page, keep_language
from yibao.adapters.http.console.sessions import Sessions
from yibao.adapters.http.desk import Desk
from yibao.adapters.http.identify import Registered
from yibao.adapters.http.rights import Who
from yibao.adapters.http.wire import (
    JSON_LIMIT,
    Problem,
    answered_anyway,
    problem_of,
    title_of,
)
from yibao.adapters.office.directory import Directory
from yibao.adapters.telemetry import frames_of, tell

LOGGER: Final = logging.getLogger("yibao.http")


_FORM: Final = "yibao_form"


class NotSentHere(Exception):
    """A form that no page of this session has sent."""


class Console:
    """The console on a desk; `secret` signs sessions, and is the same in all workers."""

    def __init__(self, desk: Desk, secret: str, registered: Registered | None = None) -> None:
        self.sessions = Sessions(secret, desk.shared)
        self.registered = registered
        self.tokens = desk
        self.desk = desk.known_by(self.sessions.who)  # whoever has signed in is known as well

    @property
    def people(self) -> Directory | None:
        """The directory of people, if there is one."""
        return self.desk.opened().directory

    async def page(self, request: Request) -> Page:
        """A page for whoever asks; raises Problem where that is nobody."""
        return Page(request, self.sessions, await self.desk.who(request))

    @staticmethod
    def new_key() -> str:
        """A key for a form: sent twice it is recorded once. Digits may look like somebody's."""
        return "".join(choice(ascii_lowercase) for _ in range(20))

    async def form(self, request: Request, who: Who | None, limit: int = JSON_LIMIT) -> FormData:
        """What was sent by a page of ours; raises NotSentHere where it was another."""
        if not comes_from_here(request):
            raise NotSentHere
        form = request.scope[_FORM] = await form_of(request, limit)
        if not self.sessions.is_ours(request, who, form.get("csrf")):
            raise NotSentHere
        return form

    def route(self) -> type[APIRoute]:
        """The class of its routes: what is raised becomes a page."""
        console = self

        class PageRoute(APIRoute):
            def get_route_handler(self) -> Any:
                handler = super().get_route_handler()

                async def guarded(request: Request) -> Response:
                    async def told(request: Request) -> Response:
                        return await console.answered(handler, request)

                    return await answered_anyway(told, request, self.path_format)

                return guarded

        return PageRoute

    async def answered(
        self, handler: Callable[[Request], Awaitable[Response]], request: Request
    ) -> Response:
        """What a handler answers, or a page that tells why not."""
        try:
            response = await handler(request)
        except Exception as error:
            response = await self._failed(error, request)
        if _FORM in request.scope:  # what was uploaded is gone with the answer
            await request.scope[_FORM].close()
        if "yibao_signed" not in request.scope:
            self.sessions.keep(request, response)
        keep_language(request, response)
        response.headers.setdefault("Vary", "Authorization, Cookie, Accept-Language, HX-Request")
        return response

    async def _failed(self, error: Exception, request: Request) -> Response:
        problem = problem_of(error)
        if isinstance(problem, Problem) and problem.code == "unauthenticated":
            return self._sign_in(request)
        who: Who | None = None
        with suppress(Problem):
            who = await self.desk.who(request)
        page = Page(request, self.sessions, who)
        if isinstance(error, NotSentHere):
            return page.message(page.t("not_sent_here"), page.t("not_sent_here_why"), status=403)
        if problem is None:
            told = {"error": type(error).__name__, "frames": frames_of(error)}
            tell(LOGGER, logging.ERROR, "failed", **told)
            return page.message(page.t("failed"), status=500)
        match problem.code:
            case "not_found":
                title, why = page.t("nobody"), page.t("nobody_why")
            case "forbidden":
                title, why = page.t("never"), page.t("never_why")
            case "too_large":
                title, why = page.t("failed"), page.t("too_large")
            case "too_many_refused":
                title, why = page.t("failed"), page.t("too_many")
            case _ if problem.status == 503:
                title, why = page.t("failed"), page.t("busy_why")
            case code:
                title, why = page.t("failed"), title_of(code, page.words)
        return page.message(title, why, status=problem.status)

    def _sign_in(self, request: Request) -> Response:
        """To the page on which one signs in, and from there to what was asked for."""
        base = f"{request.scope.get('root_path', '')}/console"
        if request.headers.get("hx-request"):  # in the place of a part of a page
            return Response(status_code=401, headers={"HX-Redirect": f"{base}/sign-in"})
        back = request.url.path if request.method == "GET" else f"{base}/"
        if request.method == "GET" and request.url.query:
            back = f"{back}?{request.url.query}"
        return RedirectResponse(f"{base}/sign-in?{urlencode({'to': back})}", 303)
