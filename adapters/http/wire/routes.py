"""How each request is answered: what is raised becomes a problem, and one line is logged.

It is the class of our routes, not a middleware or a handler of an application, so that a router
that somebody embeds answers just as ours does.
"""

import logging
from collections.abc import Awaitable, Callable
from time import perf_counter
from typing import Any, Final

from fastapi.routing import APIRoute
from starlette.requests import Request
from starlette.responses import Response

from yibao.adapters.http.wire.problems import BEHIND, Problem, problem_of, problem_response
from yibao.adapters.http.wire.tracing import trace_of
from yibao.adapters.http.wire.values import Endpoint, Values
from yibao.adapters.telemetry import frames_of, tell

LOGGER: Final = logging.getLogger("yibao.http")

#: On every answer. What moves with the clock is never kept, nor told to be unchanged.
HEADERS: Final = {
    "Cache-Control": "private, no-store",
    "Vary": "Authorization, Cookie, Accept-Language",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Content-Security-Policy": (
        "default-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'self'; "
        "frame-ancestors 'none'; object-src 'none'"
    ),
}

_HEADERS: Final = [(name.lower().encode(), value.encode()) for name, value in HEADERS.items()]

#: The policy of a page or a picture with styles of its own, and nothing else: it asks nobody.
BY_ITSELF: Final = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; sandbox"

#: Where an application keeps what counts its answers.
METRICS: Final = "yibao_metrics"

Handler = Callable[[Request], Awaitable[Response]]


class Route(APIRoute):
    """A route of ours; its name is all that is told of whom or what it was about."""

    def __init__(self, path: str, endpoint: Endpoint, **how: Any) -> None:
        values = Values(path, endpoint)
        extra = dict(how.pop("openapi_extra", None) or {})
        if told := [*values.documented(), *extra.get("parameters", ())]:
            extra["parameters"] = told
        super().__init__(path, values.reader(), openapi_extra=extra, **how)

    def get_route_handler(self) -> Any:
        handler = super().get_route_handler()
        _, is_ours, rest = self.path_format.rpartition("/v1")
        behind = rest.count("/")

        async def guarded(request: Request) -> Response:
            if is_ours:
                request.scope[BEHIND] = behind
            return await answered_anyway(handler, request, self.path_format)

        return guarded


async def answered_anyway(handler: Handler, request: Request, route: str) -> Response:
    """The answer of a handler, or the problem that came instead, logged in one line."""
    began = perf_counter()
    try:
        response = await handler(request)
    except Exception as error:
        response = problem_response(_told(error, request), request)
    told = {name for name, _ in response.raw_headers}
    response.raw_headers += [(name, value) for name, value in _HEADERS if name not in told]
    seconds = perf_counter() - began
    if metrics := getattr(request.app.state, METRICS, None):
        metrics.answered(request.method, route, response.status_code, seconds)
    tell(
        LOGGER,
        logging.INFO,
        "answered",
        method=request.method,
        route=route,
        status=response.status_code,
        milliseconds=round(seconds * 1000),
        trace=trace_of(request),
    )
    return response


def _told(error: Exception, request: Request) -> Problem:
    problem = problem_of(error)
    if problem is None:
        told = {"error": type(error).__name__, "frames": frames_of(error)}
        tell(LOGGER, logging.ERROR, "failed", trace=trace_of(request), **told)
        return Problem("failed")
    return problem
