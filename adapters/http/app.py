"""The router to embed in an application, and the application to run."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import APIRouter, FastAPI, Request
from starlette.exceptions import HTTPException
from starlette.responses import Response

import yibao
from yibao.adapters.http import console
from yibao.adapters.http.desk import Desk, Opened
from yibao.adapters.http.endpoints import endpoints
from yibao.adapters.http.identify import Tokens, first_of
from yibao.adapters.http.rights import Identify, Role, Who
from yibao.adapters.http.settings import HttpSettings, http_settings
from yibao.adapters.http.wire import answered_anyway
from yibao.adapters.service import Service
from yibao.adapters.service import open as open_service

__all__ = ["HttpSettings", "Identify", "Role", "Who", "app", "router"]


def router(service: Opened, identify: Identify) -> APIRouter:
    """All endpoints, under `/v1`, to include in an application of one's own.

    `service` is one that is open, or a function that tells it; `identify` tells who asks, and None
    where that is nobody. Of what is raised nothing is left to the application.
    """
    return endpoints(Desk(service, identify))


def app(
    url: str,
    settings: HttpSettings | None = None,
    *,
    identify: Identify | None = None,
) -> FastAPI:
    """The application on a store, which it opens as it starts and closes as it ends.

    Who asks is told by the ways that the settings name, after `identify`, if there is one. Raises
    YibaoError where they cannot be read.
    """
    settings = settings or http_settings()
    ways = [way for way in (identify, *_ways(settings)) if way]
    opened: list[Service] = []

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        with open_service(url, by="web", via="http") as service:
            opened[:] = [service]
            app.state.service = service
            yield

    desk = Desk(lambda: opened[0], first_of(*ways), threads=settings.threads)
    found = FastAPI(
        title="yibao",
        version=yibao.__version__,
        lifespan=lifespan,
        openapi_url="/v1/openapi.json",
        docs_url=None,
        redoc_url=None,
    )
    found.state.desk = desk
    found.add_exception_handler(HTTPException, _no_route)
    found.include_router(endpoints(desk))
    if settings.console:
        secret = settings.secret.get_secret_value() if settings.secret else None
        pages = console.router(desk, secret=secret)
        found.include_router(pages, prefix="/console", include_in_schema=False)
    return found


def _ways(settings: HttpSettings) -> list[Identify]:
    return [Tokens.read(settings.tokens)] if settings.tokens else []


async def _no_route(request: Request, error: Exception) -> Response:
    """Of a path that leads nowhere, which may hold anything."""

    async def nowhere(_: Request) -> Response:
        raise error

    return await answered_anyway(nowhere, request, "nowhere")
